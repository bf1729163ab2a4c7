//! The client settings of librdkafka on which exactly-once rests, and which of them nobody may change.

use rdkafka::ClientConfig;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Keys on which exactly-once rests, each with what rests on it: refused in pass-through properties.
const OWNED: [(&str, &str); 9] = [
    (
        "group.id",
        "the groups of the stages share the work and hold the offsets",
    ),
    (
        "group.instance.id",
        "a member keeps its partitions over a restart by its name",
    ),
    (
        "enable.auto.commit",
        "offsets are committed in the transaction of their records",
    ),
    (
        "enable.auto.offset.store",
        "offsets are committed in the transaction of their records",
    ),
    (
        "isolation.level",
        "what a transaction took back must not be read",
    ),
    (
        "transactional.id",
        "an instance fences its dead predecessor by it",
    ),
    ("enable.idempotence", "a transaction needs it"),
    ("acks", "what one broker alone has can be lost"),
    ("partitioner", "an entity must stay in its partition"),
];

/// Other names of owned keys: librdkafka would take them all the same.
const ALIASES: [(&str, &str); 2] = [
    ("request.required.acks", "acks"),
    ("auto.commit.enable", "enable.auto.commit"),
];

/// Why a property is not the operator's to set; `None` where it is.
#[must_use]
pub fn owned_property(key: &str) -> Option<&'static str> {
    let key = key.trim();
    let alias = ALIASES.iter().find(|(alias, _)| *alias == key);
    let key = alias.map_or(key, |(_, name)| name);
    let owned = OWNED.iter().find(|(owned, _)| *owned == key);
    owned.map(|(_, why)| *why)
}

/// `message.timeout.ms` and `transaction.timeout.ms` of a producer with these properties.
#[must_use]
pub fn producer_timeouts(properties: &BTreeMap<&str, &str>) -> (u64, u64) {
    let of = |key: &str| {
        let set = properties.get(key).and_then(|ms| ms.parse().ok());
        set.unwrap_or(TRANSACTION_TIMEOUT_MS)
    };
    (of("message.timeout.ms"), of("transaction.timeout.ms"))
}

/// Between two reports of the client about itself.
const STATISTICS_MS: &str = "5000";
/// Bounds how long a dead member blocks the readers of what it wrote to.
const TRANSACTION_TIMEOUT_MS: u64 = 15_000;

/// The transaction timeout of a producer, ours or that of its properties.
pub(super) fn transaction_timeout(config: &ClientConfig) -> Duration {
    let set = config.get("transaction.timeout.ms");
    let ms = set.and_then(|ms| ms.parse().ok());
    Duration::from_millis(ms.unwrap_or(TRANSACTION_TIMEOUT_MS))
}

const BOTH: [(&str, &str); 4] = [
    ("enable.metrics.push", "false"),
    ("socket.keepalive.enable", "true"),
    ("metadata.recovery.strategy", "rebootstrap"),
    // A topic that was created or allowed late, and a leader that came back, are found within this; by
    // default it takes five minutes.
    ("topic.metadata.refresh.interval.ms", "5000"),
];

const CONSUMER: [(&str, &str); 13] = [
    ("isolation.level", "read_committed"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    // `latest` would lose silently.
    ("auto.offset.reset", "earliest"),
    ("partition.assignment.strategy", "cooperative-sticky"),
    ("session.timeout.ms", "30000"),
    // A join takes 1.5 s with it, with the default 3–6 s.
    ("heartbeat.interval.ms", "500"),
    ("max.poll.interval.ms", "300000"),
    // With the queue limits below and the default of 1000, reading falls to 13 k records/s.
    ("fetch.queue.backoff.ms", "2"),
    ("queued.max.messages.kbytes", "16384"),
    ("queued.min.messages", "10000"),
    ("check.crcs", "true"),
    ("allow.auto.create.topics", "false"),
];

const PRODUCER: [(&str, &str); 8] = [
    ("transaction.timeout.ms", "15000"),
    // A larger one than that of the transaction is refused at creation.
    ("message.timeout.ms", "15000"),
    // Right after a commit the next transaction meets CONCURRENT_TRANSACTIONS for a moment.
    ("retry.backoff.ms", "10"),
    ("enable.idempotence", "true"),
    ("acks", "all"),
    // The drain does not cut lingering short.
    ("linger.ms", "0"),
    // A third of the CPU time of zstd.
    ("compression.type", "lz4"),
    ("partitioner", "murmur2_random"),
];

/// What one worker needs to reach its brokers. Its properties may hold secrets.
#[derive(Clone, Default)]
pub struct KafkaSettings {
    /// Consumer group.
    pub group: String,
    /// `group.instance.id`: `<ordinal>-<thread>`.
    pub instance: String,
    /// Transactional id.
    pub transactional_id: String,
    /// Topics that the group reads.
    pub topics: Vec<String>,
    /// Whether the ends of partitions are told (`collect` needs them for its watermarks).
    pub tells_ends: bool,
    /// Passed to every client; `bootstrap.servers` at least.
    pub properties: BTreeMap<String, String>,
    /// Passed to consumers, over `properties`.
    pub consumer_properties: BTreeMap<String, String>,
    /// Passed to producers, over `properties`.
    pub producer_properties: BTreeMap<String, String>,
}

/// Settings with which exactly-once could not be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Pass-through properties that are not the operator's to set.
    #[error("Kafka properties that Deskwarden sets itself, because exactly-once rests on them: {}", .0.join(", "))]
    Owned(Vec<String>),
    /// A name is empty. Without a member name the broker would take transactional offsets of a
    /// consumer that was evicted and knows no generation.
    #[error("group, instance and transactional id must not be empty")]
    Unnamed,
}

impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSettings")
            .field("group", &self.group)
            .field("instance", &self.instance)
            .field("transactional_id", &self.transactional_id)
            .field("topics", &self.topics)
            .finish_non_exhaustive()
    }
}

impl KafkaSettings {
    /// Names every owned key in the pass-through maps; then checks that the names are there.
    pub fn check(&self) -> Result<(), SettingsError> {
        let maps = [
            &self.properties,
            &self.consumer_properties,
            &self.producer_properties,
        ];
        let keys = maps.into_iter().flat_map(BTreeMap::keys);
        let owned = keys.filter(|key| owned_property(key).is_some());
        let owned: Vec<String> = owned.cloned().collect();
        let names = [&self.group, &self.instance, &self.transactional_id];
        if !owned.is_empty() {
            Err(SettingsError::Owned(owned))
        } else if names.into_iter().any(String::is_empty) {
            Err(SettingsError::Unnamed)
        } else {
            Ok(())
        }
    }

    /// The member of the group.
    pub(super) fn consumer(&self) -> ClientConfig {
        let mut config = self.client(&CONSUMER, &self.consumer_properties);
        config.set("group.id", &self.group);
        config.set("group.instance.id", &self.instance);
        config.set("enable.partition.eof", self.tells_ends.to_string());
        // The ends of partitions, for the lag: they come with every fetch and cost no request.
        config.set("statistics.interval.ms", STATISTICS_MS);
        config
    }

    /// The reader without group. It names one, since librdkafka assigns nothing without, but
    /// never joins it.
    pub(super) fn reader(&self) -> ClientConfig {
        let mut config = self.client(&CONSUMER, &self.consumer_properties);
        config.set("group.id", format!("{}.reader", self.group));
        config.set("enable.partition.eof", "true");
        // The end of a partition comes with one empty fetch.
        config.set("fetch.wait.max.ms", "5");
        config
    }

    /// The client that sees high watermarks; it reads nothing.
    pub(super) fn watcher(&self) -> ClientConfig {
        let mut config = self.reader();
        config.set("isolation.level", "read_uncommitted");
        config
    }

    /// The client that creates and describes topics.
    pub(super) fn admin(&self) -> ClientConfig {
        self.client(&[], &BTreeMap::new())
    }

    /// The transactional producer.
    pub(super) fn producer(&self) -> ClientConfig {
        let mut config = self.client(&PRODUCER, &self.producer_properties);
        config.set("transactional.id", &self.transactional_id);
        config
    }

    fn client(&self, ours: &[(&str, &str)], theirs: &BTreeMap<String, String>) -> ClientConfig {
        let mut config = ClientConfig::new();
        // What brokers call it in their logs, quotas and lists of members.
        config.set("client.id", &self.instance);
        for (key, value) in BOTH.iter().chain(ours) {
            config.set(*key, *value);
        }
        for (key, value) in self.properties.iter().chain(theirs) {
            config.set(key, value);
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_owned_key_is_refused_by_name() {
        for (key, _) in OWNED.into_iter().chain(ALIASES) {
            let map = BTreeMap::from([(key.to_owned(), "x".to_owned())]);
            let settings = KafkaSettings {
                consumer_properties: map,
                ..KafkaSettings::default()
            };
            assert_eq!(
                settings.check(),
                Err(SettingsError::Owned(vec![key.to_owned()]))
            );
        }
        let good = BTreeMap::from([("security.protocol".to_owned(), "ssl".to_owned())]);
        let settings = KafkaSettings {
            group: "g".into(),
            instance: "0-0".into(),
            transactional_id: "t".into(),
            properties: good,
            ..KafkaSettings::default()
        };
        assert_eq!(settings.check(), Ok(()));
        let unnamed = KafkaSettings::default();
        assert_eq!(unnamed.check(), Err(SettingsError::Unnamed));
        assert_eq!(settings.producer().get("security.protocol"), Some("ssl"));
        assert!(!format!("{settings:?}").contains("ssl"));
    }

    #[test]
    fn the_timeouts_agree() {
        let config = KafkaSettings::default().producer();
        let ms = TRANSACTION_TIMEOUT_MS.to_string();
        assert_eq!(config.get("transaction.timeout.ms"), Some(ms.as_str()));
        assert_eq!(config.get("message.timeout.ms"), Some(ms.as_str()));
        let shorter = ("transaction.timeout.ms".to_owned(), "5000".to_owned());
        let settings = KafkaSettings {
            producer_properties: BTreeMap::from([shorter]),
            ..KafkaSettings::default()
        };
        let timeout = transaction_timeout(&settings.producer());
        assert_eq!(timeout, Duration::from_secs(5));
    }

    #[test]
    fn librdkafka_knows_every_setting() {
        let settings = KafkaSettings {
            group: "g".into(),
            instance: "0-0".into(),
            transactional_id: "t".into(),
            ..KafkaSettings::default()
        };
        for config in [settings.consumer(), settings.reader(), settings.producer()] {
            assert!(config.create_native_config().is_ok());
        }
    }
}
