//! Our topics as they must be, and what is wrong with those that are.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::edge::config::{Config, Fault};
use crate::edge::kafka::{FoundTopic, WantedTopic};
use crate::edge::log::topics::Topic;

/// A reader less than a day behind sees every revision of an alert.
const ALERT_COMPACTION_LAG_MS: &str = "86400000";

/// A topic as this configuration wants it.
#[must_use]
pub fn wanted(config: &Config, topic: Topic) -> WantedTopic {
    let mut settings: Vec<(String, String)> = topic
        .settings()
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let mut set = |key: &str, value: String| {
        settings.retain(|(known, _)| known != key);
        settings.push((key.to_owned(), value));
    };
    if let Some((_, span)) = retention(config, topic) {
        set("retention.ms", span.as_millis().to_string());
    }
    if topic == Topic::Alerts {
        set("min.compaction.lag.ms", ALERT_COMPACTION_LAG_MS.to_owned());
    }
    WantedTopic {
        name: config.topic(topic),
        partitions: topic.partitions(config.kafka.partitions),
        replication: config.kafka.replication_factor,
        settings,
    }
}

/// The setting that says how long a topic keeps its records.
const fn retention(config: &Config, topic: Topic) -> Option<(&'static str, Duration)> {
    let retention = &config.retention;
    match topic {
        Topic::Events => Some(("retention.events", retention.events)),
        Topic::Alerts => Some(("retention.alerts", retention.alerts)),
        Topic::Audit => Some(("retention.audit", retention.audit)),
        Topic::Shadow => Some(("retention.shadow", retention.shadow)),
        Topic::DeadLetter => Some(("retention.dead_letter", retention.dead_letter)),
        Topic::Directory | Topic::State | Topic::Control => None,
    }
}

/// Every difference that matters, each with the command that mends it.
pub(in crate::edge::commands) fn faults_of(
    config: &Config,
    topic: Topic,
    wanted: &WantedTopic,
    found: &FoundTopic,
) -> Vec<Fault> {
    let subject = format!("topic {}", wanted.name);
    let (name, brokers) = (&wanted.name, &config.kafka.brokers);
    let mut faults = Vec::new();
    let (has, must) = (found.partitions, wanted.partitions);
    if has != must {
        let what = format!("it has {has} partitions and must have {must}");
        let remedy = if topic.is_by_entity() {
            format!(
                "set `kafka.partitions: {has}` if all topics by entity have {has}, or take another \
                 `prefix`; partitions are never changed in place"
            )
        } else {
            format!("delete the topic and run this again, or take another `prefix`; {name} has 1")
        };
        faults.push(Fault::about(&subject, what, remedy));
    }
    let (has, must) = (found.replication, wanted.replication);
    if has < must {
        let what = format!("it has {has} copies and must have {must}");
        let remedy = format!(
            "add copies by kafka-reassign-partitions.sh, or set `kafka.replication_factor: {has}`"
        );
        faults.push(Fault::about(&subject, what, remedy));
    }
    for (key, must) in &wanted.settings {
        let has = found.settings.get(key).map_or("", String::as_str);
        if is_equal(has, must) {
            continue;
        }
        let command = format!(
            "kafka-configs.sh --bootstrap-server {brokers} --alter --entity-type topics \
             --entity-name {name} --add-config '{key}=[{must}]'"
        );
        let instead = retention(config, topic).filter(|_| key == "retention.ms");
        let remedy = match instead {
            Some((setting, _)) => format!("run {command}, or set `{setting}` to what it has"),
            None => format!("run {command}"),
        };
        let what = format!("{key} is `{has}` and must be `{must}`");
        faults.push(Fault::about(&subject, what, remedy));
    }
    faults
}

/// Lists are equal in any order; brokers write numbers as they like.
fn is_equal(has: &str, must: &str) -> bool {
    let words = |text: &str| -> BTreeSet<String> {
        text.split(',').map(|word| word.trim().to_owned()).collect()
    };
    let numbers = has.parse::<f64>().ok().zip(must.parse::<f64>().ok());
    words(has) == words(must) || numbers.is_some_and(|(has, must)| (has - must).abs() < 1e-9)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::edge::config::{Given, Needs};

    fn config() -> Config {
        let given = Given {
            settings: vec![
                "kafka.brokers=b:9092".to_owned(),
                "retention.alerts=30d".to_owned(),
            ],
            ..Given::default()
        };
        Config::load(&given, Needs::Brokers).unwrap()
    }

    fn as_wanted(wanted: &WantedTopic) -> FoundTopic {
        FoundTopic {
            partitions: wanted.partitions,
            replication: wanted.replication,
            settings: wanted.settings.iter().cloned().collect(),
        }
    }

    #[test]
    fn what_is_as_wanted_has_no_fault() {
        let config = config();
        for topic in Topic::ALL {
            let wanted = wanted(&config, topic);
            assert_eq!(faults_of(&config, topic, &wanted, &as_wanted(&wanted)), []);
        }
        let alerts = wanted(&config, Topic::Alerts);
        let ms = (30 * 86_400_000_u64).to_string();
        assert!(alerts.settings.contains(&("retention.ms".to_owned(), ms)));
        assert!(is_equal("delete,compact", "compact,delete") && is_equal("0.10", "0.1"));
        assert!(!is_equal("compact", "compact,delete"));
    }

    #[test]
    fn every_difference_is_told_with_its_remedy() {
        let config = config();
        let wanted = wanted(&config, Topic::Events);
        let mut found = as_wanted(&wanted);
        found.partitions = 8;
        found.replication = 1;
        let wrong = [
            ("message.timestamp.type", "CreateTime"),
            ("retention.ms", "1"),
        ];
        found.settings = BTreeMap::from(wrong.map(|(k, v)| (k.to_owned(), v.to_owned())));
        let faults = faults_of(&config, Topic::Events, &wanted, &found);
        let text: String = faults.iter().map(ToString::to_string).collect();
        for part in [
            "8 partitions and must have 32",
            "set `kafka.partitions: 8`",
            "1 copies and must have 3",
            "message.timestamp.type is `CreateTime` and must be `LogAppendTime`",
            "--entity-name deskwarden.events.v1 --add-config 'message.timestamp.type=[LogAppendTime]'",
            "or set `retention.events`",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert_eq!(faults.len(), 5);
    }
}
