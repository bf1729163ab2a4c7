//! Topics, settings and groups.

use std::collections::{BTreeMap, BTreeSet};

use deskwarden::edge::commands::topics::wanted;
use deskwarden::edge::config::{Config, Stage};
use deskwarden::edge::log::topics::Topic;
use serde_json::Value;

use crate::config;
use crate::document::Document;

/// The channel of the sources.
const SOURCE: &str = "source";

/// The channels of our own topics, by the name of the topic.
fn channels(document: &Document, prefix: &str) -> BTreeMap<String, String> {
    let names = document.names("/channels");
    let own = names.into_iter().filter(|name| name != SOURCE);
    own.map(|name| {
        let channel = document.at(&format!("/channels/{name}"));
        let address = channel["address"].as_str().unwrap();
        (address.replace("{prefix}", prefix), name)
    })
    .collect()
}

/// A setting as Kafka writes it.
fn text(value: &Value) -> String {
    match value {
        Value::Array(words) => words.iter().map(text).collect::<Vec<_>>().join(","),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[test]
fn the_topics_are_those_that_are_created() {
    let (document, config) = (Document::read(), config(&[]));
    let mut channels = channels(&document, &config.prefix);
    assert_eq!(
        document.at("/components/parameters/prefix")["default"],
        config.prefix
    );
    for topic in Topic::ALL {
        let wanted = wanted(&config, topic);
        let name = channels.remove(&wanted.name);
        let name = name.unwrap_or_else(|| panic!("no channel has the address of {}", wanted.name));
        let kafka = document.at(&format!("/channels/{name}/bindings/kafka"));
        assert_eq!(kafka["partitions"], wanted.partitions, "{name}: partitions");
        assert_eq!(kafka["replicas"], wanted.replication, "{name}: replicas");
        let by = if topic.is_by_entity() {
            "entity"
        } else {
            "none"
        };
        assert_eq!(kafka["x-partitioned-by"], by, "{name}: x-partitioned-by");
        let said = kafka["topicConfiguration"].as_object().unwrap();
        let said: BTreeMap<String, String> = said
            .iter()
            .map(|(key, value)| (key.clone(), text(value)))
            .collect();
        let must: BTreeMap<String, String> = wanted.settings.into_iter().collect();
        assert_eq!(said, must, "{name}: topicConfiguration");
    }
    assert!(channels.is_empty(), "no topics of ours: {channels:?}");
}

/// Who reads what: by group, the channels.
type Groups = BTreeMap<String, BTreeSet<String>>;

/// The channel of a topic that a client of this configuration reads.
fn channel_of(config: &Config, channels: &BTreeMap<String, String>, topic: &str) -> String {
    let is_source = config.source_of(topic).is_some();
    let own = || {
        channels
            .get(topic)
            .unwrap_or_else(|| panic!("no channel of {topic}"))
    };
    if is_source {
        SOURCE.to_owned()
    } else {
        own().clone()
    }
}

fn groups(document: &Document, config: &Config) -> Groups {
    let channels = channels(document, &config.prefix);
    let stages = [Stage::Collect, Stage::Correlate, Stage::Deliver];
    let stages = stages
        .map(|stage| config.kafka_settings(stage, 0))
        .into_iter();
    let sinks = config
        .sinks
        .iter()
        .map(|sink| config.sink_settings(&sink.name));
    let members = stages
        .chain(sinks)
        .filter(|member| !member.topics.is_empty());
    members
        .map(|member| {
            let topics = member.topics.iter();
            let read = topics.map(|topic| channel_of(config, &channels, topic));
            (member.group, read.collect())
        })
        .collect()
}

/// The operations that name a group, each with channel and group.
fn grouped(document: &Document) -> Vec<(String, Value)> {
    let names = document.names("/operations");
    let operations = names
        .iter()
        .map(|name| document.at(&format!("/operations/{name}")));
    operations
        .filter(|operation| operation["action"] == "receive")
        .filter_map(|operation| {
            let group = operation["bindings"]["kafka"].get("groupId")?;
            let channel = operation["channel"]["$ref"].as_str()?;
            let channel = channel.trim_start_matches("#/channels/").to_owned();
            Some((channel, document.resolved(group)))
        })
        .collect()
}

#[test]
fn the_groups_are_those_that_are_joined() {
    let (document, config) = (Document::read(), config(&[]));
    let mut said = Groups::new();
    for (channel, group) in grouped(&document) {
        let group = group["examples"][0].as_str().unwrap().to_owned();
        said.entry(group).or_default().insert(channel);
    }
    assert_eq!(said, groups(&document, &config));
}

#[test]
fn groups_of_another_prefix_are_described_too() {
    let (document, config) = (Document::read(), config(&["prefix=acme.desk"]));
    let mut schemas = BTreeMap::<String, Vec<Value>>::new();
    for (channel, group) in grouped(&document) {
        schemas.entry(channel).or_default().push(group);
    }
    for (group, channels) in groups(&document, &config) {
        for channel in channels {
            let fits = |schema: &Value| {
                let name = group.as_str().into();
                document
                    .validators(schema)
                    .iter()
                    .all(|validator| validator.is_valid(&name))
            };
            let fit = schemas[&channel]
                .iter()
                .filter(|schema| fits(schema))
                .count();
            assert_eq!(fit, 1, "{group} reads {channel}");
        }
    }
}
