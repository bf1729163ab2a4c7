//! One life of the loops: who runs, what is fed, what goes wrong, all from one seed.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use deskwarden::collect::event::Domain;
use deskwarden::collect::identity::Settings;
use deskwarden::collect::setup::{Product, SourceSetup};
use deskwarden::collect::text::Lexicon;
use deskwarden::collect::time::{HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use deskwarden::correlate::control::{Control, SourceDeclared};
use deskwarden::correlate::engine;
use deskwarden::correlate::rules::{self, RuleSet, rule::Evidence};
use deskwarden::edge::log::memory::{Fault, MemberSettings, MemoryBroker};
use deskwarden::edge::log::records;
use deskwarden::edge::log::topics::{self, Names, Topic};
use deskwarden::edge::log::{OwnedRecord, Partition, ProduceRecord};
use deskwarden::edge::stages::collect::{self, Collect, SourceTopic};
use deskwarden::edge::stages::correlate::{self, Correlate};
use deskwarden::edge::stages::{LoopError, SharedDirectory};

use crate::crashing::{Crashing, Fuse};
use crate::model;
use crate::random::Random;
use crate::story::{self, START, SourceRecord};

/// Steps of the scheduler in which everything has to come to rest.
const STEPS_MAX: usize = 60_000;
const PREFIX: &str = "deskwarden";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One member of each stage, one partition, in order, no trouble.
    Straight,
    /// Everything that can happen.
    Wild,
}

/// What all lives share.
pub struct Shared {
    pub rules: Arc<RuleSet>,
    lexicon: Arc<Lexicon>,
}

impl Shared {
    pub fn new() -> Self {
        let rules = rules::embedded_set().unwrap_or_else(|faults| panic!("{}", faults[0]));
        Self {
            rules: Arc::new(rules),
            lexicon: Arc::new(Lexicon::embedded().unwrap()),
        }
    }

    pub fn engine_setup(&self) -> Arc<engine::Setup> {
        Arc::new(engine::Setup::new("acme", Arc::clone(&self.rules)))
    }
}

/// What a life left behind.
pub struct Lived {
    /// Active findings, scores and pages of every entity, as text.
    pub findings: String,
    /// The committed log: events, alerts, audit, in order, by partition.
    pub events: Vec<Vec<OwnedRecord>>,
    pub alerts: Vec<Vec<OwnedRecord>>,
    pub audits: Vec<Vec<OwnedRecord>>,
    /// What the life was like.
    pub told: String,
}

enum Worker {
    Collect(Box<Collect<Crashing>>),
    Correlate(Box<Correlate<Crashing>>),
}

struct Seat {
    stage: &'static str,
    number: usize,
    worker: Option<(Worker, Fuse)>,
    /// Steps until it may come back.
    away: u64,
}

struct World<'s> {
    shared: &'s Shared,
    broker: MemoryBroker,
    random: Random,
    now: Timestamp,
    collect: Arc<collect::Setup>,
    correlate: Arc<correlate::Setup>,
    seats: Vec<Seat>,
    crashes: u32,
    faults: u32,
}

fn source(name: &str, topic: &str, domain: Domain) -> SourceTopic {
    let mut setup = SourceSetup::new(name, Product::Canonical);
    setup.keep_unread = false;
    SourceTopic {
        setup,
        topic: topic.into(),
        domains: vec![domain],
        bound_ms: MINUTE_MS,
    }
}

impl<'s> World<'s> {
    fn new(shared: &'s Shared, mut random: Random, kind: Kind) -> Self {
        let wild = kind == Kind::Wild;
        let pick = |random: &mut Random, most: u64| if wild { 1 + random.below(most) } else { 1 };
        let partitions = i32::try_from(pick(&mut random, 16)).unwrap();
        let broker = MemoryBroker::default();
        let names = Names::new(PREFIX);
        for topic in Topic::ALL {
            broker.create_topic(names.of(topic), topic.partitions(partitions));
        }
        for topic in ["idp", "desk"] {
            broker.create_topic(topic, i32::try_from(pick(&mut random, 3)).unwrap());
        }
        let collect = collect::Setup {
            topics: names.clone(),
            partitions,
            sources: vec![
                source("idp", "idp", Domain::Idp),
                source("desk", "desk", Domain::Ticket),
            ],
            settings: Settings {
                key: b"a key of this test".to_vec().into(),
                ..Settings::default()
            },
            lexicon: Arc::clone(&shared.lexicon),
            idle_wait: Duration::ZERO,
            gather_max: Duration::from_secs(60),
            records_max: usize::try_from(1 + random.below(40)).unwrap(),
            bytes_max: 1 << 20,
        };
        let correlate = correlate::Setup {
            topics: names,
            partitions,
            engine: shared.engine_setup(),
            idle_wait: Duration::ZERO,
            gather_max: Duration::from_secs(60),
            // Sometimes the partitions with an alert are committed ahead of the others.
            storm_max: Duration::from_secs(60 * random.below(2)),
            entries_max: usize::try_from(1 + random.below(60)).unwrap(),
            bytes_max: 1 << 20,
        };
        let seat = |stage, number| Seat {
            stage,
            number,
            worker: None,
            away: 0,
        };
        let collectors = pick(&mut random, 2);
        let correlators = pick(&mut random, 3);
        let seats = (0..collectors).map(|n| seat("collect", usize::try_from(n).unwrap()));
        let seats = seats
            .chain((0..correlators).map(|n| seat("correlate", usize::try_from(n).unwrap())))
            .collect();
        Self {
            shared,
            broker,
            random,
            now: START,
            collect: Arc::new(collect),
            correlate: Arc::new(correlate),
            seats,
            crashes: 0,
            faults: 0,
        }
    }

    /// What stands on the topics before anybody runs: people, and declared sources.
    fn prepare(&self) {
        let names = &self.collect.topics;
        for account in story::directory() {
            let written = records::account(&account).with(names.of(Topic::Directory), |record| {
                self.broker.append(record, START)
            });
            written.unwrap();
        }
        for source in &self.collect.sources {
            let declared = Control::SourceDeclared(SourceDeclared {
                name: source.setup.name.clone(),
                product: "canonical".into(),
                topic: source.topic.clone(),
                partitions: 1,
                domains: source.domains.clone(),
                bound_ms: source.bound_ms,
                lateness_ms: 0,
                evidence: if source.topic == "desk" {
                    vec![
                        Evidence::Ticket,
                        Evidence::Callback,
                        Evidence::Approval,
                        Evidence::Verify,
                    ]
                } else {
                    Vec::new()
                },
            });
            let key = format!("source/{}", source.setup.name);
            let value = serde_json::to_vec(&declared).unwrap();
            let record = ProduceRecord {
                topic: names.of(Topic::Control),
                partition: 0,
                key: Some(key.as_bytes()),
                headers: &[],
                value: Some(&value),
            };
            self.broker.append(&record, START).unwrap();
        }
    }

    fn feed(&mut self, record: &SourceRecord) {
        let count = (0..16)
            .take_while(|n| {
                self.broker
                    .ends(&Partition::new(record.topic, *n))
                    .is_some()
            })
            .count();
        let partition = i32::try_from(self.random.below(count as u64)).unwrap();
        let record = ProduceRecord {
            topic: record.topic,
            partition,
            key: None,
            headers: &[],
            value: Some(&record.value),
        };
        self.broker.append(&record, self.now).unwrap();
    }

    fn connect(&self, stage: &str, number: usize, fuse: Fuse) -> Crashing {
        let topics = match stage {
            "collect" => self.collect.group_topics(),
            _ => Correlate::<Crashing>::group_topics(&self.correlate),
        };
        let instance = topics::instance("sim", number);
        let log = self.broker.connect(MemberSettings {
            group: topics::group(PREFIX, stage),
            transactional_id: topics::transactional_id(PREFIX, stage, &instance),
            instance: Some(instance),
            topics,
        });
        Crashing { log, fuse }
    }

    fn seat_down(&mut self, at: usize) {
        let (stage, number) = (self.seats[at].stage, self.seats[at].number);
        let fuse: Fuse = Rc::new(Cell::new(None));
        let log = self.connect(stage, number, Rc::clone(&fuse));
        let worker = if stage == "collect" {
            let directory = SharedDirectory::new(&self.collect.settings.roots);
            Worker::Collect(Box::new(Collect::new(
                log,
                Arc::clone(&self.collect),
                directory,
            )))
        } else {
            Worker::Correlate(Box::new(Correlate::new(log, Arc::clone(&self.correlate))))
        };
        self.seats[at].worker = Some((worker, fuse));
    }

    /// One cycle of a worker. True if it did something.
    fn work(&mut self, at: usize) -> bool {
        if self.seats[at].worker.is_none() {
            if self.seats[at].away > 0 {
                self.seats[at].away -= 1;
                return true;
            }
            self.seat_down(at);
        }
        let now = self.now;
        let Some((worker, _)) = &mut self.seats[at].worker else {
            return false;
        };
        let done = match worker {
            Worker::Collect(collect) => collect.cycle(now),
            Worker::Correlate(correlate) => correlate.cycle(),
        };
        match done {
            Ok(progress) => !progress.is_idle(),
            Err(LoopError::Fenced(_)) => {
                // The crash, or what it looks like to the one who is replaced.
                self.seats[at].worker = None;
                self.seats[at].away = self.random.below(20);
                true
            }
            Err(error) => {
                self.seats[at].worker = None;
                assert!(matches!(error, LoopError::Repeated(_)), "{error}");
                true
            }
        }
    }

    /// Something goes wrong.
    fn trouble(&mut self) {
        let at = usize::try_from(self.random.below(self.seats.len() as u64)).unwrap();
        let seat = &self.seats[at];
        let instance = topics::instance("sim", seat.number);
        let id = topics::transactional_id(PREFIX, seat.stage, &instance);
        match self.random.below(15) {
            0..=3 => {
                self.crashes += 1;
                let left = u32::try_from(self.random.below(40)).unwrap();
                if let Some((_, fuse)) = &self.seats[at].worker {
                    fuse.set(Some(left));
                }
            }
            4..=9 => {
                let faults = [
                    Fault::ProduceRefused,
                    Fault::DeliveryFailed,
                    Fault::OffsetsRefused,
                    Fault::OffsetsTimedOut,
                    Fault::CommitRefused,
                    Fault::CommitLost,
                    Fault::CommitUnacknowledged,
                    Fault::CommitLate,
                    Fault::AbortTimedOut,
                ];
                self.faults += 1;
                let pick = usize::try_from(self.random.below(faults.len() as u64)).unwrap();
                self.broker.inject(&id, faults[pick]);
            }
            10 => {
                // Seen again and again: the next look finds it no better.
                let times = 1 + self.random.below(3);
                self.faults += 1;
                (0..times).for_each(|_| self.broker.inject(&id, Fault::SeekRefused));
            }
            11 => self.broker.deliver_late(),
            12 => self
                .broker
                .compact(&Topic::State.name(PREFIX), self.random.one_in(2)),
            13 => {
                let group = topics::group(PREFIX, seat.stage);
                let members = self.broker.members(&group);
                if let Some((member, _)) = members.first() {
                    self.broker.evict(&group, *member);
                }
            }
            _ => {
                // A member goes for a while: the others take over.
                self.seats[at].worker = None;
                self.seats[at].away = self.random.below(60);
                let group = topics::group(PREFIX, self.seats[at].stage);
                for (member, named) in self.broker.members(&group) {
                    if named.as_deref() == Some(instance.as_str()) {
                        self.broker.evict(&group, member);
                    }
                }
                self.broker.expire_transaction(&id);
            }
        }
    }

    /// Runs until nothing happens any more.
    fn settle(&mut self) {
        let mut quiet = 0;
        for _ in 0..STEPS_MAX {
            let mut busy = false;
            for at in 0..self.seats.len() {
                busy |= self.work(at);
            }
            quiet = if busy { 0 } else { quiet + 1 };
            if quiet > 3 {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Time passes, second by second where it matters, until every deadline is over.
    fn wait_for_deadlines(&mut self) {
        for at in 0..self.seats.len() {
            if let Some((_, fuse)) = &self.seats[at].worker {
                fuse.set(None);
            }
        }
        self.broker.deliver_late();
        self.settle();
        for step in [
            SECOND_MS,
            31 * SECOND_MS,
            HOUR_MS,
            SECOND_MS,
            31 * SECOND_MS,
            2 * HOUR_MS,
            SECOND_MS,
            31 * SECOND_MS,
            SECOND_MS,
            31 * SECOND_MS,
        ] {
            self.now = self.now.plus(step);
            self.broker.set_now(self.now);
            self.settle();
        }
    }
}

/// Lives one life.
pub fn live(shared: &Shared, seed: u64, kind: Kind) -> Lived {
    let mut records = story::story(&mut Random::new(seed));
    let mut world = World::new(shared, Random::new(seed ^ 0x5eed), kind);
    let wild = kind == Kind::Wild;
    if wild {
        let past = records.iter().take_while(|r| r.time < START).count();
        let doubles: Vec<SourceRecord> = records
            .iter()
            .filter(|_| world.random.one_in(3))
            .cloned()
            .collect();
        records.extend(doubles);
        world.random.shuffle(&mut records[past..]);
    }
    world.now = START.plus(3 * HOUR_MS);
    world.broker.set_now(world.now);
    world.prepare();
    // Sources are declared before their records come: so does whoever sets this up.
    world.settle();
    let mut next = records.into_iter();
    let mut fed_all = false;
    while !fed_all {
        for _ in 0..=world.random.below(4) {
            match next.next() {
                Some(record) => world.feed(&record),
                None => fed_all = true,
            }
        }
        if world.random.one_in(3) {
            world.now = world.now.plus(world.random.span(2 * SECOND_MS));
            world.broker.set_now(world.now);
        }
        if wild && world.random.one_in(3) {
            world.trouble();
        }
        for _ in 0..world.random.below(6) {
            let at = usize::try_from(world.random.below(world.seats.len() as u64)).unwrap();
            world.work(at);
        }
    }
    world.wait_for_deadlines();
    let partitions = world.correlate.partitions;
    let read = |topic: Topic| -> Vec<Vec<OwnedRecord>> {
        let name = world.collect.topics.of(topic);
        (0..partitions)
            .map(|n| world.broker.read(&Partition::new(Arc::clone(name), n)))
            .collect()
    };
    let standing: Vec<String> = world
        .seats
        .iter()
        .filter_map(|seat| match &seat.worker {
            Some((Worker::Correlate(correlate), _)) => Some(format!("{:?}", correlate.standing())),
            _ => None,
        })
        .collect();
    let told = format!(
        "{standing:?} {partitions} partitions, {} members, {} crashes, {} faults, cycles of {} records and {} entries",
        world.seats.len(),
        world.crashes,
        world.faults,
        world.collect.records_max,
        world.correlate.entries_max
    );
    Lived {
        findings: model::findings(world.shared, &read(Topic::State)),
        events: read(Topic::Events),
        alerts: read(Topic::Alerts),
        audits: read(Topic::Audit),
        told,
    }
}
