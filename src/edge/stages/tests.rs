//! The loops on the in-memory log, in what a whole life of the simulation does not look at: time.

use std::sync::Arc;
use std::time::Duration;

use crate::collect::block::{Body, Entry, SourceWatermark, Writer, encode_event};
use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::{Action, Domain, Event, EventId, Outcome, Role};
use crate::collect::identity::Settings;
use crate::collect::setup::{Product, SourceSetup};
use crate::collect::text::Lexicon;
use crate::collect::time::{SECOND_MS, Timestamp};
use crate::correlate::engine::Setup as EngineSetup;
use crate::correlate::rules::{self, RuleSet};
use crate::edge::clock::monotonic;
use crate::edge::log::memory::{MemberSettings, MemoryBroker, MemoryLog};
use crate::edge::log::topics::{Names, PREFIX_DEFAULT, Topic};
use crate::edge::log::{Log as _, Partition, ProduceRecord};

use super::collect::{self, Collect, SourceTopic};
use super::correlate::{self, Correlate};
use super::{Progress, SharedDirectory};

pub(in crate::edge) const NOW: Timestamp = Timestamp(1_780_000_000_000);
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
        self.correlate_with(RuleSet::new(Vec::new()), Duration::ZERO)
    }

    /// A correlator that gathers for so long, alert or none.
    pub(in crate::edge) fn correlate_with(
        &self,
        rules: RuleSet,
        gather_max: Duration,
    ) -> Correlate<MemoryLog> {
        let setup = correlate::Setup {
            topics: self.names.clone(),
            partitions: 1,
            engine: Arc::new(EngineSetup::new("acme", Arc::new(rules))),
            idle_wait: Duration::ZERO,
            gather_max,
            storm_max: gather_max,
            entries_max: 1_000,
            bytes_max: 1 << 20,
        };
        let log = self.member("correlate", Correlate::<MemoryLog>::group_topics(&setup));
        Correlate::new(log, Arc::new(setup))
    }

    /// Writes into the first partition of a topic.
    pub(in crate::edge) fn append(&self, topic: &str, value: &[u8]) {
        self.append_to(topic, 0, value);
    }

    fn append_to(&self, topic: &str, partition: i32, value: &[u8]) {
        let record = ProduceRecord {
            topic,
            partition,
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

/// A block of events about a person, by a desk agent.
pub(in crate::edge) fn block_of(person: &str, actions: &[Action]) -> Vec<u8> {
    let mut writer = Writer::default();
    let entity = Entity::new(EntityKind::Identity, person);
    let role = |id: &str| Some(Box::new(Role::resolved(id)));
    for (number, action) in (1..).zip(actions) {
        let mut event = Event::new(Domain::Idp, *action, NOW.plus(number));
        event.event_id = EventId(u128::try_from(number).unwrap().to_be_bytes());
        event.outcome = Outcome::Success;
        (event.target, event.agent) = (role(person), role("agent"));
        let mut buffer = Vec::new();
        writer.push(&Entry::copy(
            &event,
            &encode_event(&event),
            &entity,
            &mut buffer,
        ));
    }
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

#[test]
fn a_partition_with_an_alert_does_not_wait_for_the_others() {
    let world = World::new();
    for topic in [Topic::Events, Topic::State, Topic::Alerts, Topic::Audit] {
        world.broker.create_topic(world.names.of(topic), 2);
    }
    let written = |topic: Topic, number: i32| {
        let name = Arc::clone(world.names.of(topic));
        world.broker.read(&Partition::new(name, number)).len()
    };
    let events = world.names.of(Topic::Events);
    let strip = [Action::CredentialPasswordReset, Action::MfaResetAll];
    world.append_to(events, 0, &block_of("T", &strip));
    world.append_to(events, 1, &block_of("U", &[Action::AuthLogin]));
    let rules = rules::embedded_set().unwrap_or_else(|faults| panic!("{}", faults[0]));
    let mut correlate = world.correlate_with(rules, Duration::from_secs(60));
    let mut cycle = || while !correlate.cycle().unwrap().committed {};
    cycle();
    assert!(written(Topic::Alerts, 0) > 0 && written(Topic::State, 0) > 0);
    assert_eq!(written(Topic::State, 1), 0, "the other still gathers");
    cycle();
    assert!(written(Topic::State, 1) > 0);
}

/// One partition is restored while another has something to commit: gathering as long as it may would
/// keep the first one waiting.
#[test]
fn restores_go_on_between_short_cycles() {
    let world = World::new();
    for topic in [Topic::Events, Topic::State] {
        world.broker.create_topic(world.names.of(topic), 2);
    }
    world.broker.set_waiting(true);
    // A transaction that is open on its changelog holds the restore up.
    let mut writer = world.member("writer", Vec::new());
    writer.begin().unwrap();
    let open = ProduceRecord {
        topic: world.names.of(Topic::State),
        partition: 1,
        key: Some(b"identity|T"),
        headers: &[],
        value: None,
    };
    writer.produce(&open).unwrap();
    let mut correlate = world.correlate_with(RuleSet::new(Vec::new()), Duration::from_secs(20));
    while correlate.standing().running == 0 {
        correlate.cycle().unwrap();
    }
    assert_eq!(correlate.standing().restoring, 1);
    world.append(world.names.of(Topic::Events), &block());
    let began = monotonic();
    while !correlate.cycle().unwrap().committed {}
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_collector_says_where_it_stands_also_where_nothing_comes() {
    let world = World::new();
    let mut collect = world.collect();
    while collect.positions().is_empty() {
        collect.cycle(NOW).unwrap();
    }
    collect.cycle(NOW.plus(SECOND_MS)).unwrap();
    let source = Partition::new(SOURCE, 0);
    let told = collect.into_log().committed(std::slice::from_ref(&source));
    assert_eq!(told.unwrap().get(&source), Some(&0));
}

/// Whoever follows a request through the systems finds the alert that came of it.
#[test]
fn the_trace_of_a_source_record_stands_at_the_alert() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let world = World::new();
    let handle = |name: &str| serde_json::json!({"handles": [{"kind": "email", "value": format!("{name}@firm.example")}]});
    let write = |id: u8, action: &str, trace: &[u8]| {
        let event = serde_json::json!({
            "domain": "idp", "action": action, "time": NOW.0, "event_id": format!("{id:032x}"),
            "outcome": "success", "target": handle("victim"), "agent": handle("desk"),
        });
        world.broker.append(
            &ProduceRecord {
                topic: SOURCE,
                partition: 0,
                key: None,
                headers: &[("traceparent", trace)],
                value: Some(event.to_string().as_bytes()),
            },
            NOW,
        )
    };
    write(1, "credential.password_reset", b"<script>").unwrap();
    write(2, "mfa.reset_all", TRACE.as_bytes()).unwrap();
    let mut collect = world.collect();
    while !collect.cycle(NOW).unwrap().committed {}
    let rules = rules::embedded_set().unwrap_or_else(|faults| panic!("{}", faults[0]));
    let mut correlate = world.correlate_with(rules, Duration::ZERO);
    while !correlate.cycle().unwrap().committed {}
    let alerts = Partition::new(Arc::clone(world.names.of(Topic::Alerts)), 0);
    let alerts = world.broker.read(&alerts);
    assert!(!alerts.is_empty());
    assert!(
        alerts
            .iter()
            .all(|a| a.header("traceparent") == Some(TRACE))
    );
    let events = Partition::new(Arc::clone(world.names.of(Topic::Events)), 0);
    let traced = |record: &crate::edge::log::OwnedRecord| {
        let text = record.value.clone().unwrap_or_default();
        (
            text.windows(8).any(|part| part == b"<script>"),
            text.windows(6).any(|part| part == b"00-4bf"),
        )
    };
    let found: Vec<(bool, bool)> = world.broker.read(&events).iter().map(traced).collect();
    assert!(found.iter().all(|(bad, _)| !bad) && found.iter().any(|(_, good)| *good));
}
