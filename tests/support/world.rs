//! A world for the shipped binary: source topics with events of some people on a real broker, daemons
//! as processes, and what they published compared with the single-threaded model.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "shared by tests, each of which uses a part; a test may panic, and is told by the environment where brokers are"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
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
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::model::{self, Differences};
use crate::random::Random;

#[path = "brokers.rs"]
pub mod brokers;

pub const PARTITIONS: i32 = 6;
pub const SOURCES: [&str; 2] = ["idp", "desk"];
/// Between two looks at something that another process does.
const LOOK_PAUSE: Duration = Duration::from_millis(100);
/// Anything that takes longer is broken.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Of a log, where something did not happen.
const LAST_LINES: usize = 30;
pub const KEY: &str = "0123456789abcdef0123456789abcdef";

pub struct World {
    pub brokers: String,
    pub prefix: String,
    pub folder: PathBuf,
    pub producer: BaseProducer,
    pub random: Random,
    /// Events fed, each with its id.
    pub fed: u64,
}

impl World {
    /// With all topics.
    pub fn new(name: &str, brokers: String) -> Self {
        let world = Self::bare(name, brokers);
        world.create_sources(&SOURCES);
        world.write_config(&SOURCES);
        world.apply();
        world
    }

    /// Without any topic or configuration.
    pub fn bare(name: &str, brokers: String) -> Self {
        let prefix = format!("dwtest-{name}-{}", clock::now().0);
        let folder = std::env::temp_dir().join(&prefix);
        fs::create_dir_all(&folder).unwrap();
        let producer = ClientConfig::new()
            .set("bootstrap.servers", &brokers)
            .set("linger.ms", "0")
            // What it sends again because the broker stood still must not be there twice.
            .set("enable.idempotence", "true")
            .set("request.timeout.ms", "5000")
            .set("socket.timeout.ms", "10000")
            .set("topic.metadata.refresh.interval.ms", "1000")
            .create()
            .unwrap();
        Self {
            brokers,
            prefix,
            folder,
            producer,
            random: Random::new(7),
            fed: 0,
        }
    }

    /// `deskwarden topics apply`.
    pub fn apply(&self) {
        let applied = self.command(&["topics", "apply"]).output().unwrap();
        assert!(
            applied.status.success(),
            "{}",
            String::from_utf8_lossy(&applied.stderr)
        );
    }

    pub fn source(&self, name: &str) -> String {
        format!("source-{}-{name}", self.prefix)
    }

    pub fn create_sources(&self, names: &[&str]) {
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .create()
            .unwrap();
        let names: Vec<String> = names.iter().map(|name| self.source(name)).collect();
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

    pub fn config(&self) -> PathBuf {
        self.folder.join("deskwarden.yaml")
    }

    pub fn write_config(&self, sources: &[&str]) {
        let of = |name: &&str| {
            let about = match *name {
                "desk" => "domains: [ticket], bound: 1s, evidence: [ticket]",
                _ => "domains: [idp], bound: 1s",
            };
            let topic = self.source(name);
            format!("  {name}: {{product: canonical, topic: {topic}, {about}}}\n")
        };
        let sources: String = sources.iter().map(of).collect();
        let text = format!(
            "version: 1\ntenant: acme\nprefix: {}\nkafka:\n  brokers: {}\n  partitions: {PARTITIONS}\n  \
             replication_factor: 1\n  consumer:\n    properties: {{session.timeout.ms: \"6000\"}}\n\
             sources:\n{sources}",
            self.prefix, self.brokers
        );
        fs::write(self.config(), text).unwrap();
    }

    pub fn command(&self, words: &[&str]) -> Command {
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
    pub fn start(&self, instance: &str) -> Instance {
        self.start_with(instance, &[])
    }

    /// The same with further settings.
    pub fn start_with(&self, instance: &str, settings: &[String]) -> Instance {
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
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
            .args(settings)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Instance {
            name: instance.to_owned(),
            child,
        }
    }

    /// What an instance has logged so far.
    pub fn log(&self, instance: &str) -> String {
        fs::read_to_string(self.folder.join(format!("{instance}.log"))).unwrap_or_default()
    }

    /// Waits until an instance has logged something.
    pub fn until_logged(&self, instance: &str, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.log(instance).contains(text) {
            let log = self.log(instance);
            assert!(Instant::now() < deadline, "{text}: never logged\n{log}");
            thread::park_timeout(LOOK_PAUSE);
        }
    }

    /// Address of the ops listener, as the last start of an instance logged it.
    fn ops(&self, instance: &str) -> Option<String> {
        self.listens(instance, "ops")
    }

    /// Address of the API of an instance, once it has told it.
    pub fn api(&self, instance: &str) -> SocketAddr {
        self.until_logged(instance, "\"listening\"");
        self.listens(instance, "page").unwrap().parse().unwrap()
    }

    fn listens(&self, instance: &str, what: &str) -> Option<String> {
        let log = self.log(instance);
        let line = log.lines().rfind(|l| l.contains("\"listening\""))?;
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let address = line[what].as_str().unwrap();
        let address = address.trim_start_matches("Some(").trim_end_matches(')');
        Some(address.to_owned())
    }

    /// Asks the ops listener of an instance: status and body.
    pub fn ask(&self, instance: &str, path: &str) -> (u16, String) {
        self.until_logged(instance, "\"listening\"");
        let answer = get(&self.ops(instance).unwrap(), path).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// Waits until an answer of the ops listener is right.
    pub fn until(
        &self,
        instance: &str,
        path: &str,
        is_right: impl Fn(u16, &str) -> bool,
    ) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (status, body) = self.ask(instance, path);
            if is_right(status, &body) {
                return body;
            }
            let log = self.log(instance);
            assert!(
                Instant::now() < deadline,
                "{path} was never right: {status}\n{body}\n{log}"
            );
            thread::park_timeout(LOOK_PAUSE);
        }
    }

    /// Waits until it is ready.
    pub fn until_ready(&self, instance: &str) {
        self.until(instance, "/readyz", |status, _| status == 200);
    }

    pub fn reader(&self) -> KafkaLog {
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
    pub fn feed(&mut self, people: u64) {
        let now = clock::now();
        for _ in 0..people {
            let person = self.random.below(400);
            if self.random.one_in(3) {
                let mut opened = self.event(Domain::Ticket, Action::TicketOpened, now);
                opened.requester = role(&format!("p{person}"));
                opened.ticket_ref = Some(Box::new(TicketRef {
                    system: "desk".into(),
                    id: format!("t{}", self.fed).into(),
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

    pub fn event(&mut self, domain: Domain, action: Action, time: Timestamp) -> Event {
        self.fed += 1;
        let mut event = Event::new(domain, action, time);
        event.event_id = EventId(u128::from(self.fed).to_be_bytes());
        event.outcome = Outcome::Success;
        event
    }

    pub fn send(&mut self, topic: &str, event: &Event) {
        self.send_bytes(topic, &serde_json::to_vec(event).unwrap());
    }

    pub fn send_bytes(&mut self, topic: &str, value: &[u8]) {
        let topic = self.source(topic);
        let partition = i32::try_from(self.random.below(3)).unwrap();
        let record: BaseRecord<'_, (), [u8]> =
            BaseRecord::to(&topic).partition(partition).payload(value);
        self.producer
            .send(record)
            .map_err(|(error, _)| error)
            .unwrap();
        self.producer.poll(Duration::ZERO);
    }

    /// Alerts published so far, markers included: good enough to choose a moment.
    pub fn alerts_so_far(&self, log: &mut KafkaLog) -> i64 {
        let names = Names::new(&self.prefix);
        (0..PARTITIONS)
            .map(|n| Partition::new(Arc::clone(names.of(Topic::Alerts)), n))
            .map(|partition| log.ends(&partition).map_or(0, |ends| ends.high))
            .sum()
    }

    /// Waits until everything that was fed has been collected and correlated, and the alerts stand.
    pub fn wait_until_done(&self) {
        self.wait_until_read(&SOURCES);
    }

    /// The same for sources of other names.
    pub fn wait_until_read(&self, sources: &[&str]) {
        let names = Names::new(&self.prefix);
        let sources = sources.iter().map(|name| self.source(name));
        let sources: Vec<Partition> = sources
            .flat_map(|topic| (0..3).map(move |n| Partition::new(topic.as_str(), n)))
            .collect();
        let events: Vec<Partition> = (0..PARTITIONS)
            .map(|n| Partition::new(Arc::clone(names.of(Topic::Events)), n))
            .collect();
        let deadline = Instant::now() + PATIENCE;
        let mut collect = self.group_reader("collect");
        let mut correlate = self.group_reader("correlate");
        // Ticks go on and on, so the events topic never stands still: what was there must be read.
        self.wait_for(deadline, "sources collected", || {
            stands_at_end(&mut collect, &sources)
        });
        let ends: Vec<i64> = events
            .iter()
            .map(|p| retry(|| correlate.ends(p)).high)
            .collect();
        self.wait_for(deadline, "events correlated", || {
            let Ok(offsets) = correlate.committed(&events) else {
                return false;
            };
            events
                .iter()
                .zip(&ends)
                .all(|(p, end)| offsets.get(p).is_some_and(|o| o >= end))
        });
    }

    /// Waits; what the instances say of themselves tells why it was in vain.
    fn wait_for(&self, deadline: Instant, what: &str, mut done: impl FnMut() -> bool) {
        while !done() {
            assert!(
                Instant::now() < deadline,
                "not in time: {what}\n{}",
                self.told()
            );
            thread::park_timeout(LOOK_PAUSE);
        }
    }

    /// The last lines that each instance has logged, and where it says it stands.
    fn told(&self) -> String {
        let mut told = String::new();
        for file in fs::read_dir(&self.folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|kind| kind != "log") {
                continue;
            }
            let instance = path.file_stem().unwrap().to_str().unwrap();
            let log = self.log(instance);
            let lines: Vec<&str> = log.lines().collect();
            let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
            let ops = self.ops(instance).unwrap_or_default();
            let [ready, status] = ["/readyz", "/status"].map(|path| get(&ops, path));
            told += &format!("--- {instance}\n{last}\n{ready:?}\n{status:?}\n");
        }
        told
    }

    pub fn group_reader(&self, stage: &str) -> KafkaLog {
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
    pub fn check(&self, log: &mut KafkaLog) -> (Differences, usize, usize) {
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

pub fn role(name: &str) -> Option<Box<Role>> {
    Some(Box::new(Role {
        handles: vec![Handle {
            kind: HandleKind::Email,
            value: format!("{name}@firm.example").into(),
            masked: None,
            issuer: None,
        }],
        ..Role::default()
    }))
}

/// A running daemon. Killed when dropped.
pub struct Instance {
    pub name: String,
    pub child: Child,
}

impl Instance {
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and how it ended.
    pub fn stop(&mut self) -> Option<i32> {
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

pub fn signal(process: u32, name: &str) {
    let done = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(process.to_string())
        .status();
    assert!(done.unwrap().success());
}

fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

pub fn retry<T>(mut call: impl FnMut() -> Result<T, deskwarden::edge::log::LogError>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match call() {
            Ok(value) => return value,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    }
}

pub fn wait_for(deadline: Instant, what: &str, mut done: impl FnMut() -> bool) {
    while !done() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::park_timeout(LOOK_PAUSE);
    }
}

pub fn stands_at_end(log: &mut KafkaLog, partitions: &[Partition]) -> bool {
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
pub fn read_all(log: &mut KafkaLog, partition: &Partition) -> Vec<OwnedRecord> {
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
pub fn row(name: &str, world: &World, rounds: &str, found: (Differences, usize, usize)) -> String {
    let (d, lost, doubled) = found;
    format!(
        "| {name} | {} | {rounds} | {} | {} | {} | {} | {lost} | {doubled} |",
        world.fed, d.expected, d.missing, d.wrong, d.repeated
    )
}

pub fn finish(name: &str, mut world: World, rounds: &str, instances: Vec<Instance>) {
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
    // Past the harness, which keeps what a passed test prints to itself.
    let row = row(name, &world, rounds, found);
    let head = "| run | events | rounds | alerts | missing | wrong | repeated | lost | doubled |";
    let table = format!("{head}\n{row}\n");
    std::io::stdout().write_all(table.as_bytes()).unwrap();
    assert!(found.0.expected > 50, "too quiet to prove anything");
    assert!(found.0.is_none(), "{found:?}");
    assert_eq!((found.1, found.2), (0, 0), "source events lost or doubled");
    fs::remove_dir_all(&world.folder).unwrap();
}
