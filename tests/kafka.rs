//! `KafkaLog` on a real broker, given by `DESKWARDEN_TEST_BROKERS`.
//!
//! Each test has a prefix of its own for topics, groups and transactional ids.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

#[path = "support/brokers.rs"]
mod brokers;
#[path = "support/conformance.rs"]
mod conformance;

use brokers::addresses;

use conformance::{Member, World, member, read_from, record, write};
use deskwarden::edge::clock;
use deskwarden::edge::kafka::{KafkaLog, KafkaSettings};
use deskwarden::edge::log::{Log, Partition, Polled, ProduceRecord};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Headers;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

struct Brokers {
    addresses: String,
    prefix: String,
    topic_settings: Vec<(&'static str, &'static str)>,
}

/// The brokers under test, or a visible skip, which is a failure where `CI=true`.
fn brokers(test: &str) -> Option<Brokers> {
    let addresses = addresses()?;
    let prefix = format!("dwtest-{test}-{}", clock::now().0);
    let topic_settings = Vec::new();
    Some(Brokers {
        addresses,
        prefix,
        topic_settings,
    })
}

impl World for Brokers {
    type L = KafkaLog;

    fn topic(&self, name: &str, partitions: i32) -> String {
        let name = format!("{}.{name}", self.prefix);
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
            .set("bootstrap.servers", &self.addresses)
            .create()
            .unwrap();
        let topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
        let topic = self
            .topic_settings
            .iter()
            .fold(topic, |t, (k, v)| t.set(k, v));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let created = runtime.block_on(admin.create_topics([&topic], &AdminOptions::new()));
        assert!(created.unwrap().iter().all(Result::is_ok), "{name}");
        name
    }

    fn connect(&self, member: Member) -> KafkaLog {
        let settings = KafkaSettings {
            group: format!("{}.{}", self.prefix, member.group),
            instance: member.instance,
            transactional_id: format!("{}-{}", self.prefix, member.transactional_id),
            topics: member.topics,
            tells_ends: true,
            properties: BTreeMap::from([("bootstrap.servers".to_owned(), self.addresses.clone())]),
            ..KafkaSettings::default()
        };
        KafkaLog::connect(&settings).unwrap()
    }
}

fn run(test: &str, scenario: impl FnOnce(&Brokers)) {
    if let Some(brokers) = brokers(test) {
        scenario(&brokers);
    }
}

#[test]
fn committed_is_seen_and_aborted_is_not() {
    run("visible", conformance::committed_is_seen_and_aborted_is_not);
}

/// Whoever subscribes to alerts and dead letters goes by their headers; our own reader does not.
#[test]
fn headers_are_written_as_they_were_given() {
    run("headers", |brokers| {
        let topic = brokers.topic("alerts", 1);
        let mut log = brokers.connect(member("w", &[]));
        let headers: [(&str, &[u8]); 2] =
            [("ce_id", b"1:2"), ("content-type", b"application/json")];
        let given = ProduceRecord {
            headers: &headers,
            ..record(&topic, "a", Some("1"))
        };
        write(&mut log, &[given]).unwrap();
        let reader: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &brokers.addresses)
            .set("group.id", format!("{}.reader", brokers.prefix))
            .create()
            .unwrap();
        let mut from = TopicPartitionList::new();
        from.add_partition_offset(&topic, 0, Offset::Beginning)
            .unwrap();
        reader.assign(&from).unwrap();
        let message = reader.poll(Duration::from_secs(30)).unwrap().unwrap();
        let read: Vec<(&str, &[u8])> = message
            .headers()
            .unwrap()
            .iter()
            .map(|header| (header.key, header.value.unwrap()))
            .collect();
        assert_eq!(read, headers);
    });
}

#[test]
fn offsets_move_with_their_transaction() {
    run("offsets", conformance::offsets_move_with_their_transaction);
}

#[test]
fn a_restore_ends_at_the_high_watermark() {
    run("restore", conformance::a_restore_ends_at_the_high_watermark);
}

#[test]
fn a_second_producer_fences_the_first() {
    run("fenced", conformance::a_second_producer_fences_the_first);
}

#[test]
fn renewal_takes_back_what_was_open() {
    run("renewed", conformance::renewal_takes_back_what_was_open);
}

#[test]
fn a_pause_loses_nothing() {
    run("paused", conformance::a_pause_loses_nothing);
}

#[test]
fn partitions_are_handed_over() {
    run("shared", conformance::partitions_are_handed_over);
}

#[test]
fn ends_are_told_for_each_topic() {
    run("ends", conformance::ends_are_told_for_each_topic);
}

#[test]
fn a_replaced_member_commits_nothing() {
    run("replaced", conformance::a_replaced_member_commits_nothing);
}

/// Of partitions with one number in several topics, and records that keep coming, the client tells ends
/// that cannot be known yet. If such a poll said idle, each would end a gathering after a few records.
#[test]
fn an_end_that_is_not_known_yet_is_not_idleness() {
    const RECORDS: usize = 60;
    const PATIENCE: Duration = Duration::from_secs(1);
    let Some(brokers) = brokers("unknown-end") else {
        return;
    };
    let names = ["a", "b", "c"].map(|name| brokers.topic(name, 1));
    let topics: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut log = brokers.connect(member("gatherer", &topics));
    let mut writer = brokers.connect(member("writer", &[]));
    start(&mut log, topics.len());
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..RECORDS {
                let topic = topics[number % topics.len()];
                write(&mut writer, &[record(topic, "k", Some("v"))]).unwrap();
            }
        });
        let mut read = 0;
        while read < RECORDS {
            let began = clock::monotonic();
            match log.poll(PATIENCE) {
                Ok(Polled::Record(_)) => read += 1,
                Ok(Polled::Idle) => {
                    let waited = began.elapsed();
                    assert!(waited >= PATIENCE, "idle after {waited:?}, {read} records");
                }
                Ok(Polled::End { .. }) => {}
                Ok(other @ (Polled::Assigned(_) | Polled::Revoked { .. })) => panic!("{other:?}"),
                Err(error) => assert!(error.is_noise(), "{error}"),
            }
        }
    });
    log.close().unwrap();
}

/// Whoever begins to read sends each leader a question and does not wait for its answer, which stands
/// behind a fetch that waits for records.
#[test]
fn many_partitions_are_begun_at_once() {
    const PARTITIONS: usize = 8;
    let Some(brokers) = brokers("begun") else {
        return;
    };
    let topic = brokers.topic("in", i32::try_from(PARTITIONS).unwrap());
    let mut log = brokers.connect(member("starter", &[&topic]));
    let took = start(&mut log, PARTITIONS);
    println!("seek and resume of {PARTITIONS} partitions: {took:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    log.close().unwrap();
}

/// Reads so many partitions from their beginning, one after the other as the loops do, once all are
/// assigned; how long that took.
fn start(log: &mut KafkaLog, partitions: usize) -> Duration {
    let mut given = Vec::new();
    while given.len() < partitions {
        given.extend(conformance::assigned(log));
    }
    let began = clock::monotonic();
    for one in given {
        log.seek(&one.partition, 0).unwrap();
        log.resume(&[one.partition]).unwrap();
    }
    began.elapsed()
}

/// The broker's cleaner leaves gaps; a restore still ends at the high watermark.
#[test]
fn a_restore_survives_real_compaction() {
    let Some(mut brokers) = brokers("compacted") else {
        return;
    };
    brokers.topic_settings = vec![
        ("cleanup.policy", "compact"),
        ("segment.ms", "200"),
        ("min.cleanable.dirty.ratio", "0.01"),
        ("max.compaction.lag.ms", "200"),
    ];
    let topic = brokers.topic("state", 1);
    let partition = Partition::new(topic.as_str(), 0);
    let mut log = brokers.connect(member("keeper", &[]));
    let mut written = 0;
    for round in 0..200 {
        let value = format!("{round}");
        write(
            &mut log,
            &[
                record(&topic, "a", Some(&value)),
                record(&topic, "b", Some(&value)),
            ],
        )
        .unwrap();
        written += 2;
        // Segments roll by time: without time there is nothing to compact.
        thread::sleep(Duration::from_millis(50));
        let ends = conformance::settled(&mut log, &partition);
        let (seen, position) = read_from(&mut log, &partition, 0);
        assert_eq!(position, ends.high);
        assert_eq!(
            seen.last().unwrap().value.as_deref(),
            Some(value.as_bytes())
        );
        if seen.len() < written {
            println!(
                "compacted after {round} rounds: {} of {written} records left",
                seen.len()
            );
            return;
        }
    }
    panic!("the broker compacted nothing");
}

/// Ten records and the offsets in each cycle, as a worker commits them.
#[test]
fn a_drained_commit_is_fast() {
    let Some(brokers) = brokers("drained") else {
        return;
    };
    let (input, output) = (brokers.topic("in", 1), brokers.topic("out", 1));
    let partition = Partition::new(input.as_str(), 0);
    let mut log = brokers.connect(member("worker", &[&input]));
    conformance::assigned(&mut log);
    let mut cycles = Vec::new();
    for offset in 0..200 {
        let begun = clock::monotonic();
        log.begin().unwrap();
        for _ in 0..10 {
            log.produce(&record(&output, "k", Some("v"))).unwrap();
        }
        log.send_offsets(&[(partition.clone(), offset)]).unwrap();
        log.commit().unwrap();
        cycles.push(begun.elapsed());
    }
    cycles.sort();
    let (p50, p99) = (cycles[100], cycles[198]);
    println!("drained commit of 10 records and offsets: p50 {p50:?}, p99 {p99:?}");
    assert!(p50 < Duration::from_millis(60), "{p50:?}");
    log.close().unwrap();
}

/// How long a restore and the way to the first record take; printed, with generous bounds.
#[test]
fn a_restore_and_the_first_record_are_fast() {
    const RECORDS: usize = 200_000;
    let Some(brokers) = brokers("restore-speed") else {
        return;
    };
    let (input, state) = (brokers.topic("in", 1), brokers.topic("state", 1));
    let begun = clock::monotonic();
    let mut log = brokers.connect(member("worker", &[&input]));
    conformance::assigned(&mut log);
    println!(
        "connect to assignment, producer initialised: {:?}",
        begun.elapsed()
    );
    let value = "v".repeat(150);
    for chunk in 0..RECORDS / 10_000 {
        log.begin().unwrap();
        for number in 0..10_000 {
            let key = format!("{chunk}-{number}");
            log.produce(&record(&state, &key, Some(&value))).unwrap();
        }
        log.commit().unwrap();
    }
    let partition = Partition::new(state.as_str(), 0);
    conformance::settled(&mut log, &partition);
    let begun = clock::monotonic();
    log.reader_add(&[(partition, 0)]).unwrap();
    let mut count = 0;
    loop {
        match log.reader_poll(Duration::from_secs(1)).unwrap() {
            Polled::Record(_) => count += 1,
            Polled::End { .. } => break,
            Polled::Idle | Polled::Assigned(_) | Polled::Revoked { .. } => {}
        }
    }
    let took = begun.elapsed();
    let rate = (RECORDS as u128 * 1_000) / took.as_millis().max(1);
    println!("restore of {count} records of 150 B: {took:?}, {rate} records/s (test build)");
    assert_eq!(count, RECORDS);
    assert!(took < Duration::from_secs(10), "{took:?}");

    write(&mut log, &[record(&input, "k", Some("v"))]).unwrap();
    let input = Partition::new(input.as_str(), 0);
    conformance::settled(&mut log, &input);
    let begun = clock::monotonic();
    log.seek(&input, 0).unwrap();
    log.resume(&[input]).unwrap();
    conformance::records(&mut log, 1);
    println!("seek, resume, first record: {:?}", begun.elapsed());
    log.close().unwrap();
}
