//! Configurations for systems that take the topic as it is: each reads our topic, what is committed,
//! and holds no secret.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{files, text, yaml};
use deskwarden::edge::log::topics::{PREFIX_DEFAULT, Topic};

/// Reads whatever was written, also by transactions that were taken back; its file says so.
const UNCOMMITTED: &str = "otel-collector.yaml";

fn names_topic(value: &Value, topic: &str) -> bool {
    match value {
        Value::String(text) => text == topic,
        Value::Array(items) => items.iter().any(|item| names_topic(item, topic)),
        Value::Object(entries) => entries.values().any(|item| names_topic(item, topic)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[test]
fn systems_that_take_the_topic_read_what_is_committed() {
    let topic = Topic::Alerts.name(PREFIX_DEFAULT);
    let all = files("deploy/siem");
    assert_eq!(all.len(), 7);
    let mut connectors = BTreeSet::new();
    for path in all {
        let raw = text(&path);
        let file = yaml(&path);
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(names_topic(&file, &topic), "{name} reads another topic");
        let is_committed = raw.contains("read_committed");
        assert_eq!(is_committed, name != UNCOMMITTED, "{name}");
        for line in raw.lines() {
            let low = line.to_lowercase();
            let is_secret = ["token", "password"].iter().any(|word| low.contains(word));
            let is_named = line.contains("${") || line.contains("{{env:");
            assert!(!is_secret || is_named, "{name}: {line}");
        }
        let Some(config) = file["config"].as_object() else {
            continue;
        };
        // Kafka Connect: a name in its cluster, which is that of its consumer group too.
        let is_new = connectors.insert(file["name"].as_str().unwrap().to_owned());
        assert!(is_new, "{name}: the name of another connector");
        // Everything is a string, keys are texts, and one document is one case.
        assert!(config.values().all(Value::is_string), "{name}");
        let is = |key: &str, value: &str| config.get(key).is_some_and(|v| v == value);
        assert!(
            is(
                "key.converter",
                "org.apache.kafka.connect.storage.StringConverter"
            ),
            "{name}"
        );
        if name.contains("search") {
            assert!(
                is("key.ignore", "false") && is("schema.ignore", "true"),
                "{name}"
            );
            assert!(is("value.converter.schemas.enable", "false"), "{name}");
        }
    }
}
