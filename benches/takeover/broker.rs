//! What the benchmark asks of the brokers: topics, a producer with its own timestamps, offsets of
//! groups, and a reader of committed records.

use crate::load::{Made, Source};
use deskwarden::edge::clock;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::time::Duration;

pub(crate) const QUERY_TIMEOUT: Duration = Duration::from_secs(10);
/// Header of the second step of an attack: what the bare hop forwards.
pub(crate) const MARK: &str = "mark";

/// Name of the topic of a source in a run; it does not begin as our own topics do.
pub(crate) fn topic(prefix: &str, source: Source) -> String {
    format!("{prefix}-{}", source.name())
}

/// Names of all source topics.
pub(crate) fn sources(prefix: &str) -> Vec<String> {
    Source::ALL.iter().map(|s| topic(prefix, *s)).collect()
}

/// Creates topics; all are new.
///
/// They keep their records for good: those of the history are older than brokers keep by default.
pub(crate) fn create(brokers: &str, topics: &[String], partitions: i32) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .create()
        .unwrap();
    let new: Vec<NewTopic<'_>> = topics
        .iter()
        .map(|name| {
            NewTopic::new(name, partitions, TopicReplication::Fixed(1)).set("retention.ms", "-1")
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let created = runtime.block_on(admin.create_topics(&new, &AdminOptions::new()));
    for result in created.unwrap() {
        result.unwrap_or_else(|(name, why)| panic!("topic {name}: {why}"));
    }
}

/// A producer that gathers for so many milliseconds.
pub(crate) fn producer(brokers: &str, linger_ms: u32) -> BaseProducer {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("linger.ms", linger_ms.to_string())
        .set("compression.type", "lz4")
        .set("queue.buffering.max.messages", "200000")
        .set("partitioner", "murmur2_random")
        .create()
        .unwrap()
}

/// Queues a record, and waits for room where there is none.
pub(crate) fn send(producer: &BaseProducer, prefix: &str, made: &Made) {
    let topic = topic(prefix, made.source);
    let mut record = BaseRecord::to(&topic)
        .key(&made.key)
        .payload(&made.value)
        .timestamp(made.time.0);
    if made.step.is_some_and(|(number, _)| number == 2) {
        let mark = Header {
            key: MARK,
            value: Some("1"),
        };
        record = record.headers(OwnedHeaders::new().insert(mark));
    }
    while let Err((error, refused)) = producer.send(record) {
        let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
        assert_eq!(error, full, "the load cannot be produced");
        producer.poll(Duration::from_millis(1));
        record = refused;
    }
    producer.poll(Duration::ZERO);
}

/// Waits until everything is delivered.
pub(crate) fn flush(producer: &BaseProducer) {
    producer.flush(Duration::from_secs(120)).unwrap();
}

/// Offsets of a group on topics, watched from outside.
pub(crate) struct Progress {
    client: BaseConsumer,
    partitions: TopicPartitionList,
}

impl Progress {
    pub(crate) fn of(brokers: &str, group: &str, topics: &[String], partitions: i32) -> Self {
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("group.id", group)
            .create()
            .unwrap();
        let mut list = TopicPartitionList::new();
        for topic in topics {
            list.add_partition_range(topic, 0, partitions - 1);
        }
        Self {
            client,
            partitions: list,
        }
    }

    /// Sum of the committed offsets.
    pub(crate) fn committed(&self) -> i64 {
        let list = self.partitions.clone();
        let Ok(found) = self.client.committed_offsets(list, QUERY_TIMEOUT) else {
            // The group is moving, or a transaction is open on its offsets.
            return 0;
        };
        let elements = found.elements();
        let offsets = elements.iter().map(|element| {
            // Where nothing was committed there is another kind of offset.
            let Offset::Offset(offset) = element.offset() else {
                return 0;
            };
            offset
        });
        offsets.sum()
    }

    /// Sum of the ends.
    pub(crate) fn ends(&self) -> i64 {
        let elements = self.partitions.elements();
        let ends = elements.iter().map(|element| {
            let (topic, number) = (element.topic(), element.partition());
            let watermarks = self.client.fetch_watermarks(topic, number, QUERY_TIMEOUT);
            watermarks.unwrap().1
        });
        ends.sum()
    }
}

/// A reader of committed records, from the beginning of a topic.
pub(crate) fn reader(brokers: &str, topic: &str) -> BaseConsumer {
    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "benchmark.reader")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("fetch.wait.max.ms", "5")
        .create()
        .unwrap();
    let metadata = client.fetch_metadata(Some(topic), QUERY_TIMEOUT).unwrap();
    let count = metadata.topics()[0].partitions().len();
    let mut list = TopicPartitionList::new();
    for number in 0..count {
        let number = i32::try_from(number).unwrap();
        list.add_partition_offset(topic, number, Offset::Beginning)
            .unwrap();
    }
    client.assign(&list).unwrap();
    client
}

/// How long a bare consumer takes from nothing until it has its partitions, as the only member of a new
/// group: with the settings that decide how fast Deskwarden's members join.
pub(crate) fn join(brokers: &str, group: &str, topics: &[String]) -> Duration {
    let begun = clock::monotonic();
    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", group)
        .set("group.instance.id", "bare")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", "30000")
        .set("heartbeat.interval.ms", "500")
        .create()
        .unwrap();
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    client.subscribe(&topics).unwrap();
    while client.assignment().unwrap().count() == 0 {
        assert!(begun.elapsed() < QUERY_TIMEOUT, "{group}: no assignment");
        if let Some(Err(error)) = client.poll(Duration::from_millis(1)) {
            panic!("{group}: {error}");
        }
    }
    begun.elapsed()
}

/// Distinct keys of the committed records of a topic, and how many records there are.
pub(crate) fn count(brokers: &str, topic: &str) -> (usize, usize) {
    use rdkafka::Message;
    let client = reader(brokers, topic);
    let partitions = client.assignment().unwrap().count();
    let (mut keys, mut records, mut ends) = (std::collections::BTreeSet::new(), 0, 0);
    while ends < partitions {
        match client.poll(QUERY_TIMEOUT) {
            Some(Ok(message)) => {
                keys.insert(message.key().unwrap_or_default().to_vec());
                records += 1;
            }
            Some(Err(KafkaError::PartitionEOF(_))) => ends += 1,
            Some(Err(error)) => panic!("{topic}: {error}"),
            None => panic!("{topic}: no answer"),
        }
    }
    (keys.len(), records)
}
