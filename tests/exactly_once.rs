//! The shipped binary on a real broker, killed again and again: every alert revision is published once
//! to a `read_committed` reader, byte for byte as the single-threaded model of the events topic says,
//! and every source record arrives once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a test may panic, and is told by the environment where brokers are"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use deskwarden::collect::block::{self, Body};
use deskwarden::collect::event::*;
use deskwarden::collect::time::{MINUTE_MS, Timestamp};
use deskwarden::correlate::engine;
use deskwarden::correlate::rules;
use deskwarden::edge::clock;
use deskwarden::edge::kafka::{KafkaLog, KafkaSettings};
use deskwarden::edge::log::topics::{Names, Topic};
use deskwarden::edge::log::{Log, OwnedRecord, Partition, Polled};
use model::Differences;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

#[path = "support/model.rs"]
mod model;
#[path = "simulation/random.rs"]
mod random;

use random::Random;

const VARIABLE: &str = "DESKWARDEN_TEST_BROKERS";
const PARTITIONS: i32 = 6;
/// Anything that takes longer is broken.
const PATIENCE: Duration = Duration::from_secs(60);
const KEY: &str = "0123456789abcdef0123456789abcdef";

fn brokers() -> Option<String> {
    let brokers = std::env::var(VARIABLE).ok();
    if brokers.is_none() {
        let ci = std::env::var("CI").as_deref() == Ok("true");
        assert!(
            !ci,
            "{VARIABLE} is not set: in CI a skipped test is a failure"
        );
        println!("skipped: set {VARIABLE}=host:port, or use tests/run");
    }
    brokers
}

struct World {
    brokers: String,
    prefix: String,
    folder: PathBuf,
    producer: BaseProducer,
    random: Random,
    /// Events fed, each with its id.
    fed: u64,
}

impl World {
    fn new(name: &str, brokers: String) -> Self {
        let prefix = format!("dwtest-{name}-{}", clock::now().0);
        let folder = std::env::temp_dir().join(&prefix);
        fs::create_dir_all(&folder).unwrap();
        let producer = ClientConfig::new()
            .set("bootstrap.servers", &brokers)
            .set("linger.ms", "0")
            .create()
            .unwrap();
        let world = Self {
            brokers,
            prefix,
            folder,
            producer,
            random: Random::new(7),
            fed: 0,
        };
        world.create_sources();
        world.write_config();
        let applied = world.command(&["topics", "apply"]).output().unwrap();
        assert!(
            applied.status.success(),
            "{}",
            String::from_utf8_lossy(&applied.stderr)
        );
        world
    }

    fn source(&self, name: &str) -> String {
        format!("source-{}-{name}", self.prefix)
    }

    fn create_sources(&self) {
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .create()
            .unwrap();
        let names = [self.source("idp"), self.source("desk")];
        let topics = names
            .iter()
            .map(|n| NewTopic::new(n, 3, TopicReplication::Fixed(1)));
        let topics: Vec<NewTopic<'_>> = topics.collect();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let created = runtime.block_on(admin.create_topics(&topics, &AdminOptions::new()));
        assert!(created.unwrap().iter().all(Result::is_ok));
    }

    fn config(&self) -> PathBuf {
        self.folder.join("deskwarden.yaml")
    }

    fn write_config(&self) {
        let (idp, desk) = (self.source("idp"), self.source("desk"));
        let text = format!(
            "version: 1\ntenant: acme\nprefix: {}\nkafka:\n  brokers: {}\n  partitions: {PARTITIONS}\n  \
             replication_factor: 1\n  consumer:\n    properties: {{session.timeout.ms: \"6000\"}}\n\
             sources:\n  idp: {{product: canonical, topic: {idp}, domains: [idp], bound: 1s}}\n  \
             desk: {{product: canonical, topic: {desk}, domains: [ticket], bound: 1s, evidence: [ticket]}}\n",
            self.prefix, self.brokers
        );
        fs::write(self.config(), text).unwrap();
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deskwarden"));
        command
            .args(words)
            .arg("--config")
            .arg(self.config())
            .env("DESKWARDEN__KEY", KEY)
            .stdin(Stdio::null());
        command
    }

    /// Starts an instance; its log goes into a file of its name.
    fn start(&self, instance: &str) -> Instance {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join(format!("{instance}.log")))
            .unwrap();
        let child = self
            .command(&["run"])
            .arg("--set")
            .arg(format!("instance={instance}"))
            .args([
                "--set",
                "http.listen=127.0.0.1:0",
                "--set",
                "http.ops_listen=127.0.0.1:0",
            ])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Instance {
            name: instance.to_owned(),
            child,
        }
    }

    fn reader(&self) -> KafkaLog {
        let settings = KafkaSettings {
            group: format!("{}.check", self.prefix),
            instance: "check".into(),
            transactional_id: format!("{}-check-{}", self.prefix, clock::now().0),
            properties: BTreeMap::from([("bootstrap.servers".to_owned(), self.brokers.clone())]),
            ..KafkaSettings::default()
        };
        KafkaLog::connect(&settings).unwrap()
    }

    /// Feeds the events of some people: each is recovered several times, some have a ticket.
    fn feed(&mut self, people: u64) {
        let now = clock::now();
        for _ in 0..people {
            let person = self.random.below(400);
            if self.random.one_in(3) {
                let mut opened = self.event(Domain::Ticket, Action::TicketOpened, now);
                opened.requester = role(&format!("p{person}"));
                opened.ticket_ref = Some(Box::new(TicketRef {
                    system: "desk".into(),
                    id: format!("t{}", self.fed),
                    status: Some(TicketStatus::Open),
                    ..TicketRef::default()
                }));
                self.send("desk", &opened);
            }
            for action in [
                Action::CredentialPasswordReset,
                Action::MfaResetAll,
                Action::AccountUnlocked,
            ] {
                let time = now.minus(self.random.span(MINUTE_MS));
                let mut event = self.event(Domain::Idp, action, time);
                event.target = role(&format!("p{person}"));
                event.agent = role("agent");
                self.send("idp", &event);
            }
        }
        self.producer.flush(PATIENCE).unwrap();
    }

    fn event(&mut self, domain: Domain, action: Action, time: Timestamp) -> Event {
        self.fed += 1;
        let mut event = Event::new(domain, action, time);
        event.event_id = EventId(u128::from(self.fed).to_be_bytes());
        event.outcome = Outcome::Success;
        event
    }

    fn send(&mut self, topic: &str, event: &Event) {
        let topic = self.source(topic);
        let value = serde_json::to_vec(event).unwrap();
        let partition = i32::try_from(self.random.below(3)).unwrap();
        let record: BaseRecord<'_, (), Vec<u8>> =
            BaseRecord::to(&topic).partition(partition).payload(&value);
        self.producer
            .send(record)
            .map_err(|(error, _)| error)
            .unwrap();
        self.producer.poll(Duration::ZERO);
    }

    /// Alerts published so far, markers included: good enough to choose a moment.
    fn alerts_so_far(&self, log: &mut KafkaLog) -> i64 {
        let names = Names::new(&self.prefix);
        (0..PARTITIONS)
            .map(|n| Partition::new(Arc::clone(names.of(Topic::Alerts)), n))
            .map(|partition| log.ends(&partition).map_or(0, |ends| ends.high))
            .sum()
    }

    /// Waits until everything that was fed has been collected and correlated, and the alerts stand.
    fn wait_until_done(&self) {
        let names = Names::new(&self.prefix);
        let sources = ["idp", "desk"].map(|name| self.source(name));
        let sources: Vec<Partition> = sources
            .iter()
            .flat_map(|topic| (0..3).map(|n| Partition::new(topic.as_str(), n)))
            .collect();
        let events: Vec<Partition> = (0..PARTITIONS)
            .map(|n| Partition::new(Arc::clone(names.of(Topic::Events)), n))
            .collect();
        let deadline = Instant::now() + PATIENCE;
        let mut collect = self.group_reader("collect");
        let mut correlate = self.group_reader("correlate");
        // Ticks go on and on, so the events topic never stands still: what was there must be read.
        wait_for(deadline, "sources collected", || {
            stands_at_end(&mut collect, &sources)
        });
        let ends: Vec<i64> = events
            .iter()
            .map(|p| retry(|| correlate.ends(p)).high)
            .collect();
        wait_for(deadline, "events correlated", || {
            let Ok(offsets) = correlate.committed(&events) else {
                return false;
            };
            events
                .iter()
                .zip(&ends)
                .all(|(p, end)| offsets.get(p).is_some_and(|o| o >= end))
        });
    }

    fn group_reader(&self, stage: &str) -> KafkaLog {
        let settings = KafkaSettings {
            group: format!("{}.{stage}", self.prefix),
            instance: "check".into(),
            transactional_id: format!("{}-check-{stage}", self.prefix),
            properties: BTreeMap::from([("bootstrap.servers".to_owned(), self.brokers.clone())]),
            ..KafkaSettings::default()
        };
        KafkaLog::connect(&settings).unwrap()
    }

    /// Compares what was published with the model, and what was collected with what was fed.
    fn check(&self, log: &mut KafkaLog) -> (Differences, usize, usize) {
        let names = Names::new(&self.prefix);
        let rules = rules::embedded_set().unwrap_or_else(|faults| panic!("{}", faults[0]));
        let mut setup = engine::Setup::new("acme", Arc::new(rules));
        setup.alerts_topic = names.of(Topic::Alerts).to_string();
        let setup = Arc::new(setup);
        let mut differences = Differences::default();
        let mut audited = Differences::default();
        let mut copies: BTreeMap<(EventId, String), usize> = BTreeMap::new();
        for number in 0..PARTITIONS {
            let partition = |topic| Partition::new(Arc::clone(names.of(topic)), number);
            let blocks = read_all(log, &partition(Topic::Events));
            let wanted = model::published(&setup, number, &blocks);
            let alerts = read_all(log, &partition(Topic::Alerts));
            differences.add(Differences::of(&wanted.alerts, &alerts));
            let audits = read_all(log, &partition(Topic::Audit));
            audited.add(Differences::of(&wanted.audits, &audits));
            for record in &blocks {
                for entry in block::decode(record.value.as_deref().unwrap()).unwrap() {
                    if let Body::Event { event, .. } = &entry.body {
                        let id = block::event(event).unwrap().event_id;
                        let to = entry.receiver().unwrap().to_string();
                        *copies.entry((id, to)).or_default() += 1;
                    }
                }
            }
        }
        assert!(audited.is_none(), "audit records: {audited:?}");
        let ids: std::collections::BTreeSet<EventId> = copies.keys().map(|(id, _)| *id).collect();
        let lost = usize::try_from(self.fed).unwrap() - ids.len();
        let doubled = copies.values().filter(|count| **count > 1).count();
        (differences, lost, doubled)
    }
}

fn role(name: &str) -> Option<Box<Role>> {
    Some(Box::new(Role {
        handles: vec![Handle {
            kind: HandleKind::Email,
            value: format!("{name}@firm.example"),
            masked: None,
            issuer: None,
        }],
        ..Role::default()
    }))
}

/// A running daemon. Killed when dropped.
struct Instance {
    name: String,
    child: Child,
}

impl Instance {
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and how it ended.
    fn stop(&mut self) -> Option<i32> {
        signal(self.child.id(), "TERM");
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            thread::yield_now();
        }
        None
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // Ended already, or to be ended: both are fine.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn signal(process: u32, name: &str) {
    let done = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(process.to_string())
        .status();
    assert!(done.unwrap().success());
}

fn retry<T>(mut call: impl FnMut() -> Result<T, deskwarden::edge::log::LogError>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match call() {
            Ok(value) => return value,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    }
}

fn wait_for(deadline: Instant, what: &str, mut done: impl FnMut() -> bool) {
    while !done() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::yield_now();
    }
}

fn stands_at_end(log: &mut KafkaLog, partitions: &[Partition]) -> bool {
    let Ok(offsets) = log.committed(partitions) else {
        return false;
    };
    partitions.iter().all(|partition| {
        let Ok(ends) = log.ends(partition) else {
            return false;
        };
        ends.high == 0
            || offsets
                .get(partition)
                .is_some_and(|offset| *offset >= ends.high)
    })
}

/// All committed records of a partition that no transaction is open in.
fn read_all(log: &mut KafkaLog, partition: &Partition) -> Vec<OwnedRecord> {
    let deadline = Instant::now() + PATIENCE;
    wait_for(deadline, "no open transaction", || {
        log.ends(partition)
            .is_ok_and(|ends| ends.stable == ends.high)
    });
    let end = retry(|| log.ends(partition)).high;
    retry(|| log.reader_add(&[(partition.clone(), 0)]));
    let mut records = Vec::new();
    loop {
        assert!(Instant::now() < deadline, "no end of {partition}");
        match log.reader_poll(Duration::from_millis(50)) {
            Ok(Polled::Record(record)) => records.push(record),
            Ok(Polled::End { position, .. }) if position >= end => break,
            Ok(_) | Err(_) => {}
        }
    }
    log.reader_remove(std::slice::from_ref(partition)).unwrap();
    records
}

/// What one run showed, as a row of the table.
fn row(name: &str, world: &World, rounds: &str, found: (Differences, usize, usize)) -> String {
    let (d, lost, doubled) = found;
    format!(
        "| {name} | {} | {rounds} | {} | {} | {} | {} | {lost} | {doubled} |",
        world.fed, d.expected, d.missing, d.wrong, d.repeated
    )
}

fn finish(name: &str, mut world: World, rounds: &str, instances: Vec<Instance>) {
    world.feed(20);
    world.wait_until_done();
    for mut instance in instances {
        let code = instance.stop();
        assert_eq!(
            code,
            Some(0),
            "{} did not end cleanly: see {}",
            instance.name,
            world.folder.display()
        );
    }
    let mut log = world.reader();
    let found = world.check(&mut log);
    println!("| run | events | rounds | alerts | missing | wrong | repeated | lost | doubled |");
    println!("{}", row(name, &world, rounds, found));
    assert!(found.0.expected > 50, "too quiet to prove anything");
    assert!(found.0.is_none(), "{found:?}");
    assert_eq!((found.1, found.2), (0, 0), "source events lost or doubled");
    fs::remove_dir_all(&world.folder).unwrap();
}

/// Feeds people and waits until a random number of alerts more is there, or the daemon is just busy
/// with something else for a moment: then is when it is killed.
fn until_some_moment(world: &mut World, log: &mut KafkaLog) {
    let before = world.alerts_so_far(log);
    world.feed(60);
    let wanted = before + i64::try_from(world.random.below(80)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while world.alerts_so_far(log) < wanted && Instant::now() < deadline {
        thread::yield_now();
    }
}

#[test]
fn one_instance_killed_twenty_times() {
    let Some(brokers) = brokers() else { return };
    let mut world = World::new("kill1", brokers);
    let mut log = world.reader();
    let mut instance = world.start("a");
    for _ in 0..20 {
        until_some_moment(&mut world, &mut log);
        instance.kill();
        instance = world.start("a");
    }
    finish("1 instance, kill -9", world, "20", vec![instance]);
}

#[test]
fn three_instances_killed_twelve_times() {
    let Some(brokers) = brokers() else { return };
    let mut world = World::new("kill3", brokers);
    let mut log = world.reader();
    let mut instances: Vec<Instance> = ["a", "b", "c"].iter().map(|n| world.start(n)).collect();
    for _ in 0..12 {
        until_some_moment(&mut world, &mut log);
        let at = usize::try_from(world.random.below(3)).unwrap();
        instances[at].kill();
        let name = instances[at].name.clone();
        instances[at] = world.start(&name);
    }
    finish("3 instances, kill -9", world, "12", instances);
}

/// The broker stands still around commits: outcomes are unknown, and nothing is lost or repeated.
#[test]
fn the_broker_stands_still_three_times() {
    let Some(brokers) = brokers() else { return };
    let Ok(broker) = std::env::var("DESKWARDEN_TEST_BROKER_PID") else {
        println!("skipped: the broker is not ours to stop");
        return;
    };
    let broker: u32 = broker.parse().unwrap();
    let mut world = World::new("pause", brokers);
    let mut log = world.reader();
    let instance = world.start("a");
    for round in 0..3 {
        until_some_moment(&mut world, &mut log);
        signal(broker, "STOP");
        // Long enough that calls time out in one round, short in the others.
        let pause = Duration::from_millis(if round == 1 { 9_000 } else { 2_000 });
        thread::park_timeout(pause);
        signal(broker, "CONT");
    }
    finish("1 instance, broker stopped", world, "3", vec![instance]);
}
