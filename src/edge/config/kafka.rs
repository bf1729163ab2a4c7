//! The section `kafka`: brokers, and properties that go to librdkafka as they are.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use crate::edge::kafka::{owned_property, producer_timeouts};

use super::check::Checker;
use super::file::KafkaFile;
use super::secret::{Secret, Unresolved, resolve};

/// More partitions than any deployment needs; each costs every worker.
const PARTITIONS_MAX: i64 = 1_024;
/// More copies than any cluster keeps.
const COPIES_MAX: i64 = 15;

/// Names of properties that people set, to find what a wrong one may have meant.
const COMMON: [&str; 36] = [
    "client.id",
    "client.rack",
    "broker.address.family",
    "compression.type",
    "debug",
    "fetch.max.bytes",
    "fetch.min.bytes",
    "fetch.wait.max.ms",
    "linger.ms",
    "batch.size",
    "max.poll.interval.ms",
    "message.max.bytes",
    "message.timeout.ms",
    "transaction.timeout.ms",
    "queued.max.messages.kbytes",
    "reconnect.backoff.max.ms",
    "request.timeout.ms",
    "sasl.kerberos.service.name",
    "sasl.mechanism",
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.method",
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.password",
    "sasl.username",
    "security.protocol",
    "session.timeout.ms",
    "socket.timeout.ms",
    "ssl.ca.location",
    "ssl.ca.pem",
    "ssl.certificate.location",
    "ssl.certificate.pem",
    "ssl.endpoint.identification.algorithm",
    "ssl.key.location",
    "ssl.key.password",
    "ssl.key.pem",
];

/// Brokers and clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kafka {
    /// `host:port`, with commas between them; empty where none is needed.
    pub brokers: String,
    /// Partitions of the topics that go by entity.
    pub partitions: i32,
    /// Copies of each topic.
    pub replication_factor: i32,
    /// Failed transactions in a row that end the process.
    pub failures_max: u32,
    pub(super) properties: BTreeMap<String, Secret<String>>,
    pub(super) consumer_properties: BTreeMap<String, Secret<String>>,
    pub(super) producer_properties: BTreeMap<String, Secret<String>>,
}

impl Kafka {
    /// The properties of every client, brokers included.
    pub(super) fn common(&self) -> BTreeMap<String, String> {
        let mut all = Self::exposed(&self.properties);
        all.insert("bootstrap.servers".to_owned(), self.brokers.clone());
        all
    }

    pub(super) fn exposed(
        properties: &BTreeMap<String, Secret<String>>,
    ) -> BTreeMap<String, String> {
        let pairs = properties.iter();
        pairs
            .map(|(key, value)| (key.clone(), value.expose().clone()))
            .collect()
    }
}

impl Checker<'_> {
    pub(super) fn kafka(&mut self, file: &KafkaFile, needs_brokers: bool) -> Kafka {
        self.brokers(file.brokers.as_deref(), needs_brokers);
        let kafka = Kafka {
            brokers: file
                .brokers
                .as_deref()
                .unwrap_or_default()
                .trim()
                .to_owned(),
            partitions: self.small("partitions", file.partitions, PARTITIONS_MAX),
            replication_factor: self.small(
                "replication_factor",
                file.replication_factor,
                COPIES_MAX,
            ),
            failures_max: self
                .small("failures_max", file.failures_max, 1_000)
                .unsigned_abs(),
            properties: self.properties(&[], &file.properties),
            consumer_properties: self.properties(&["consumer"], &file.consumer.properties),
            producer_properties: self.properties(&["producer"], &file.producer.properties),
        };
        self.timeouts(&kafka);
        kafka
    }

    fn small(&mut self, key: &str, value: i64, most: i64) -> i32 {
        let value = self.number(&["kafka", key], value, (1, most));
        i32::try_from(value).unwrap_or(1)
    }

    fn brokers(&mut self, given: Option<&str>, needed: bool) {
        let path = ["kafka", "brokers"];
        let remedy = "write host:port, with commas between several, such as kafka-1:9092";
        let Some(given) = given else {
            if needed {
                self.refuse(&path, "not set, and has no default", remedy);
            }
            return;
        };
        let mut brokers = given.split(',').map(str::trim);
        if let Some(broker) = brokers.find(|broker| !is_broker(broker)) {
            self.refuse(&path, format!("`{broker}` is not host:port"), remedy);
        }
    }

    fn properties(
        &mut self,
        section: &[&str],
        file: &BTreeMap<String, String>,
    ) -> BTreeMap<String, Secret<String>> {
        let mut properties = BTreeMap::new();
        for (key, text) in file {
            let path = [&["kafka"], section, &["properties", key]].concat();
            if let Some(why) = owned_property(key) {
                let what = format!("Deskwarden sets `{key}` itself: {why}");
                let fault = self.fault_of_key(&path, what, "take it out");
                self.faults.push(fault);
            } else if matches!(key.as_str(), "bootstrap.servers" | "metadata.broker.list") {
                let what = format!("`{key}` is the setting `kafka.brokers`");
                let fault = self.fault_of_key(&path, what, "set `kafka.brokers` instead");
                self.faults.push(fault);
            } else {
                match resolve(text, self.environment) {
                    Err(Unresolved(what, remedy)) => self.refuse(&path, what, &remedy),
                    Ok(value) => {
                        self.ask_client(&path, key, &value);
                        properties.insert(key.clone(), value);
                    }
                }
            }
        }
        properties
    }

    /// Asks librdkafka whether it takes a property. Its own words are not repeated, since they
    /// repeat the value.
    fn ask_client(&mut self, path: &[&str], key: &str, value: &Secret<String>) {
        let mut config = ClientConfig::new();
        config.set(key, value.expose().as_str());
        let Err(error) = config.create_native_config() else {
            return;
        };
        let remedy =
            "librdkafka lists its properties and their values under Configuration properties";
        if is_unknown(&error) {
            let what = format!("librdkafka has no property `{key}`");
            let fault = self.fault_of_key(path, what, remedy);
            self.faults.push(fault.or_rather(key, &COMMON));
        } else {
            let what = format!("librdkafka does not take this value of `{key}`");
            self.refuse(path, what, remedy);
        }
    }

    /// The client refuses to start with a message timeout above that of its transaction.
    fn timeouts(&mut self, kafka: &Kafka) {
        let given = [&kafka.properties, &kafka.producer_properties];
        let given: BTreeMap<&str, &str> = given
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.as_str(), value.expose().as_str()))
            .collect();
        let (message, transaction) = producer_timeouts(&given);
        if message <= transaction {
            return;
        }
        let names = ["message.timeout.ms", "transaction.timeout.ms"];
        let key = names
            .into_iter()
            .find(|key| given.contains_key(key))
            .unwrap_or(names[0]);
        let path: &[&str] = if kafka.producer_properties.contains_key(key) {
            &["kafka", "producer", "properties", key]
        } else {
            &["kafka", "properties", key]
        };
        let what = format!(
            "message.timeout.ms is {message}, above transaction.timeout.ms, which is {transaction}"
        );
        let remedy = format!("set message.timeout.ms to {transaction} or less as well");
        self.refuse(path, what, &remedy);
    }
}

fn is_broker(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    let host = host.rsplit("://").next().unwrap_or_default();
    !host.is_empty() && host.chars().all(is_host) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_unknown(error: &KafkaError) -> bool {
    matches!(
        error,
        KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn librdkafka_knows_every_name_that_is_offered() {
        for key in COMMON {
            let refused = ClientConfig::new().set(key, "?").create_native_config();
            assert!(!refused.is_err_and(|error| is_unknown(&error)), "{key}");
        }
        let refused = ClientConfig::new()
            .set("no.such", "?")
            .create_native_config();
        assert!(refused.is_err_and(|error| is_unknown(&error)));
    }

    #[test]
    fn brokers_are_hosts_with_ports() {
        for good in [
            "a:1",
            "kafka-1.example.com:9092",
            "[::1]:9092",
            "SSL://a:9093",
        ] {
            assert!(is_broker(good), "{good}");
        }
        for bad in ["", "a", "a:", ":1", "a:b", "a:0", "a:70000", "a b:1"] {
            assert!(!is_broker(bad), "{bad}");
        }
    }
}
