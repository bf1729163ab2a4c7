//! The loops on the in-memory log, in what a whole life of the simulation does not look at: time.

use std::sync::Arc;
use std::time::Duration;

use crate::collect::block::{Body, Entry, SourceWatermark, Writer};
use crate::collect::event::Domain;
use crate::collect::identity::Settings;
use crate::collect::setup::{Product, SourceSetup};
use crate::collect::text::Lexicon;
use crate::collect::time::{SECOND_MS, Timestamp};
use crate::correlate::engine::Setup as EngineSetup;
use crate::correlate::rules::RuleSet;
use crate::edge::clock::monotonic;
use crate::edge::log::ProduceRecord;
use crate::edge::log::memory::{MemberSettings, MemoryBroker, MemoryLog};
use crate::edge::log::topics::{Names, PREFIX_DEFAULT, Topic};

use super::collect::{self, Collect, SourceTopic};
use super::correlate::{self, Correlate};
use super::{Progress, SharedDirectory};

const NOW: Timestamp = Timestamp(1_780_000_000_000);
const SOURCE: &str = "source.idp";

/// A log with every topic, of one partition each, and loops on it.
pub(in crate::edge) struct World {
    pub(in crate::edge) broker: MemoryBroker,
    pub(in crate::edge) names: Names,
}

impl World {
    pub(in crate::edge) fn new() -> Self {
        let broker = MemoryBroker::default();
        broker.set_now(NOW);
        let names = Names::new(PREFIX_DEFAULT);
        for topic in Topic::ALL {
            broker.create_topic(names.of(topic), 1);
        }
        broker.create_topic(SOURCE, 1);
        Self { broker, names }
    }

    pub(in crate::edge) fn member(&self, name: &str, topics: Vec<String>) -> MemoryLog {
        self.broker.connect(MemberSettings {
            group: name.to_owned(),
            instance: None,
            transactional_id: name.to_owned(),
            topics,
        })
    }

    pub(in crate::edge) fn collect(&self) -> Collect<MemoryLog> {
        let setup = collect::Setup {
            topics: self.names.clone(),
            partitions: 1,
            sources: vec![SourceTopic {
                setup: SourceSetup::new("idp", Product::Canonical),
                topic: SOURCE.to_owned(),
                domains: vec![Domain::Idp],
                bound_ms: SECOND_MS,
            }],
            settings: Settings::default(),
            lexicon: Arc::new(Lexicon::embedded().unwrap()),
            idle_wait: Duration::ZERO,
            gather_max: Duration::ZERO,
            records_max: 1_000,
            bytes_max: 1 << 20,
        };
        let log = self.member("collect", setup.group_topics());
        Collect::new(log, Arc::new(setup), SharedDirectory::new(&[]))
    }

    pub(in crate::edge) fn correlate(&self) -> Correlate<MemoryLog> {
        let rules = Arc::new(RuleSet::new(Vec::new()));
        let setup = correlate::Setup {
            topics: self.names.clone(),
            partitions: 1,
            engine: Arc::new(EngineSetup::new("acme", rules)),
            idle_wait: Duration::ZERO,
            gather_max: Duration::ZERO,
            storm_max: Duration::ZERO,
            entries_max: 1_000,
            bytes_max: 1 << 20,
        };
        let log = self.member("correlate", Correlate::<MemoryLog>::group_topics(&setup));
        Correlate::new(log, Arc::new(setup))
    }

    /// Writes into the only partition of a topic.
    fn append(&self, topic: &str, value: &[u8]) {
        let record = ProduceRecord {
            topic,
            partition: 0,
            key: None,
            headers: &[],
            value: Some(value),
        };
        self.broker.append(&record, NOW).unwrap();
    }
}

/// A block that says how far a source is.
fn block() -> Vec<u8> {
    let told = SourceWatermark {
        topic: SOURCE.to_owned(),
        partition: 0,
        domains: vec![Domain::Idp],
        watermark: NOW,
        at_end: true,
    };
    let mut writer = Writer::default();
    writer.push(&Entry {
        entity: None,
        traceparent: None,
        body: Body::Watermarks(vec![told]),
    });
    writer.take().remove(0)
}

/// Feeds a record and works until it is committed, several times. On a log whose commits need a while to
/// settle, that many transactions take as long as that all together, and on one whose do not, nothing.
fn spaced(world: &World, topic: &str, value: &[u8], mut cycle: impl FnMut() -> Progress) {
    const SETTLE: Duration = Duration::from_millis(50);
    const COMMITS: u32 = 5;
    world.broker.set_waiting(true);
    world.broker.set_settling(SETTLE);
    let began = monotonic();
    for _ in 0..COMMITS {
        world.append(topic, value);
        while !cycle().committed {}
    }
    let took = began.elapsed();
    assert!(took >= SETTLE * (COMMITS - 1), "{took:?}");
}

#[test]
fn transactions_of_a_collector_wait_until_the_last_has_settled() {
    let world = World::new();
    let mut collect = world.collect();
    while collect.positions().is_empty() {
        collect.cycle(NOW).unwrap();
    }
    let cycle = || collect.cycle(NOW).unwrap();
    spaced(&world, SOURCE, b"{}", cycle);
}

#[test]
fn transactions_of_a_correlator_wait_until_the_last_has_settled() {
    let world = World::new();
    let mut correlate = world.correlate();
    while correlate.standing().running == 0 {
        correlate.cycle().unwrap();
    }
    let events = world.names.of(Topic::Events);
    let cycle = || correlate.cycle().unwrap();
    spaced(&world, events, &block(), cycle);
}
