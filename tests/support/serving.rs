//! A whole HTTP side on the in-memory log: the loop of `deliver`, both listeners, and a client that
//! speaks HTTP by hand.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "shared by tests, each of which uses a part"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, LazyLock};
use std::thread::JoinHandle;
use std::time::Duration;

use deskwarden::collect::identity::Settings;
use deskwarden::collect::setup::{Product, SourceSetup};
use deskwarden::collect::time::Timestamp;
use deskwarden::correlate::rules;
use deskwarden::edge::archive::Archive;
use deskwarden::edge::control::desk;
use deskwarden::edge::dead_letters::DeadLetters;
use deskwarden::edge::health::Health;
use deskwarden::edge::http::feed::Feed;
use deskwarden::edge::http::{ApiParts, Gate, HttpParts, HttpSettings, bind};
use deskwarden::edge::log::memory::{MemberSettings, MemoryBroker};
use deskwarden::edge::log::{Partition, ProduceRecord};
use deskwarden::edge::metrics::{DeliverMetrics, registry};
use deskwarden::edge::pipeline::{ConfiguredSource, Pipeline};
use deskwarden::edge::read_model::ReadModel;
use deskwarden::edge::records::{Records, Shelf};
use deskwarden::edge::stages::audit::Audit;
use deskwarden::edge::stages::control::Control;
use deskwarden::edge::stages::deliver::{Deliver, DeliverParts};
use deskwarden::edge::tasks::{Stop, TaskError};
use deskwarden::edge::telemetry::{self, Logs};
use prometheus::Registry;

pub const TOPIC: &str = "deskwarden.alerts.v1";
pub const CONTROL: &str = "deskwarden.control.v1";
pub const AUDIT: &str = "deskwarden.audit.v1";
/// A process has logs once.
static LOGS: LazyLock<Option<Logs>> = LazyLock::new(|| telemetry::start(None, "error").ok());
/// A test that waits longer for bytes has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// And one that gets so many heartbeats in place of an event.
const HEARTBEATS_MAX: usize = 3;

#[derive(Debug, Clone)]
pub struct Setup {
    pub partitions: i32,
    pub queue_max: usize,
    pub heartbeat: Duration,
    /// Whether the pipeline is told of: one source, and no group, which only brokers know.
    pub has_pipeline: bool,
    /// Records that could not be used, where there are brokers.
    pub letters: Option<DeadLetters>,
    /// Records of sources.
    pub records: Option<Records>,
    /// Cases that are held no more, where there are brokers.
    pub older: Option<Archive>,
    /// So many cases are held.
    pub cases_max: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            partitions: 3,
            queue_max: 1_024,
            heartbeat: Duration::from_secs(15),
            has_pipeline: false,
            letters: None,
            records: None,
            older: None,
            cases_max: 10_000,
        }
    }
}

/// Stops everything when dropped.
#[derive(Debug)]
pub struct Serving {
    pub broker: MemoryBroker,
    pub api: SocketAddr,
    pub ops: SocketAddr,
    pub feed: Feed,
    pub health: Health,
    setter: Option<tokio::sync::watch::Sender<bool>>,
    threads: Vec<JoinHandle<Result<(), TaskError>>>,
}

impl Serving {
    /// On a broker that may hold alerts already.
    pub fn start(broker: MemoryBroker, setup: Setup) -> Self {
        Self::guarded(broker, setup, Gate::default())
    }

    /// As [`Self::start`], with a gate.
    pub fn guarded(broker: MemoryBroker, setup: Setup, gate: Gate) -> Self {
        let any = "127.0.0.1:0".parse().unwrap();
        let settings = HttpSettings {
            listen: Some(any),
            ops_listen: any,
            ..HttpSettings::default()
        };
        Self::with(broker, setup, gate, &settings)
    }

    /// As [`Self::guarded`], with listeners as they are told.
    pub fn with(broker: MemoryBroker, setup: Setup, gate: Gate, settings: &HttpSettings) -> Self {
        broker.set_waiting(true);
        broker.create_topic(TOPIC, setup.partitions);
        broker.create_topic(CONTROL, 1);
        broker.create_topic(AUDIT, 1);
        let bound = bind(settings).unwrap();
        let (api, ops) = (bound.api().unwrap(), bound.ops().unwrap());
        let registry = registry().unwrap();
        let metrics = DeliverMetrics::register(&registry).unwrap();
        let model = Arc::new(ReadModel::new(setup.cases_max));
        let feed = Feed::new(setup.queue_max, metrics.clone());
        let health = Health::default();
        let member = |name: &str| {
            broker.connect(MemberSettings {
                group: format!("deskwarden.{name}"),
                instance: None,
                transactional_id: format!("deskwarden-{name}-0"),
                topics: Vec::new(),
            })
        };
        let log = member("deliver");
        let (desk, end) = desk();
        let worker = health.worker("control-0");
        let control = Control::new(member("control"), CONTROL.into(), end, worker);
        let parts = DeliverParts {
            topic: TOPIC.into(),
            model: Arc::clone(&model),
            feed: feed.clone(),
            metrics: metrics.clone(),
        };
        let deliver = Deliver::new(log, parts, health.worker("deliver-0"));
        let mut api_parts = ApiParts::new(model, feed.clone(), metrics);
        api_parts.heartbeat = setup.heartbeat;
        api_parts.gate = gate;
        api_parts.desk = Some(desk);
        api_parts.logs = LOGS.clone();
        api_parts.letters = setup.letters;
        api_parts.records = setup.records;
        api_parts.older = setup.older;
        api_parts.pipeline = setup.has_pipeline.then(|| pipeline(&registry));
        api_parts.rules = Arc::new(rules::embedded_set().unwrap_or_else(|_| panic!("rules")));
        let worker = health.worker("audit-0");
        let trail = api_parts.trail.clone();
        let audit = Audit::new(member("audit"), AUDIT.into(), trail, worker);
        let parts = HttpParts {
            api: Some(api_parts),
            health: health.clone(),
            registry,
        };
        let (setter, stop) = Stop::new();
        let (stop_deliver, stop_control) = (stop.clone(), stop.clone());
        let stop_audit = stop.clone();
        let threads = vec![
            std::thread::spawn(move || deliver.run(&stop_deliver)),
            std::thread::spawn(move || control.run(&stop_control)),
            std::thread::spawn(move || audit.run(&stop_audit)),
            std::thread::spawn(move || bound.serve(parts, stop)),
        ];
        let serving = Self {
            broker,
            api,
            ops,
            feed,
            health,
            setter: Some(setter),
            threads,
        };
        serving.until("/readyz", |answer| answer.status == 200);
        serving
    }

    /// Asks again until an answer of the ops listener is right.
    pub fn until(&self, path: &str, is_right: impl Fn(&Answer) -> bool) -> Answer {
        for _ in 0..10_000 {
            let answer = get(self.ops, path, &[]);
            if is_right(&answer) {
                return answer;
            }
            std::thread::yield_now();
        }
        panic!("{path} never became right");
    }

    /// Writes an alert; returns its offset.
    pub fn publish(&self, partition: i32, alert: &serde_json::Value) -> i64 {
        publish(&self.broker, partition, alert)
    }

    pub fn get(&self, path: &str) -> Answer {
        get(self.api, path, &[])
    }

    /// Asks again until the list holds so many cases.
    pub fn settled(&self, query: &str, total: u64) -> serde_json::Value {
        for _ in 0..10_000 {
            let list = self.get(&format!("/api/v1/alerts?{query}")).json();
            if list["total"] == total {
                return list;
            }
            std::thread::yield_now();
        }
        panic!("{query} never had {total} cases");
    }

    pub fn stream(&self, query: &str, headers: &[(&str, &str)]) -> Stream {
        Stream::open(self.api, &format!("/api/v1/alerts/stream?{query}"), headers)
    }

    /// Stops; fails where a thread failed.
    pub fn stop(mut self) {
        drop(self.setter.take());
        for thread in self.threads.drain(..) {
            thread.join().unwrap().unwrap();
        }
    }
}

fn pipeline(registry: &Registry) -> Pipeline {
    let source = ConfiguredSource {
        name: "okta".to_owned(),
        product: "okta".to_owned(),
        topic: "okta.events".to_owned(),
        domains: vec!["idp"],
        evidence: vec!["verify"],
    };
    Pipeline::new(Vec::new(), vec![source], registry.clone())
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.setter.take());
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

pub fn publish(broker: &MemoryBroker, partition: i32, alert: &serde_json::Value) -> i64 {
    let key = alert["finding_info"]["uid"].as_str().unwrap().to_owned();
    let value = serde_json::to_vec(alert).unwrap();
    let record = ProduceRecord {
        topic: TOPIC,
        partition,
        key: Some(key.as_bytes()),
        headers: &[],
        value: Some(&value),
    };
    broker.append(&record, Timestamp(0)).unwrap()
}

/// Sets the log forward: what lies before is forgotten.
pub fn trim(broker: &MemoryBroker, partition: i32, below: i64) {
    broker.trim(&Partition::new(TOPIC, partition), below);
}

/// The topic of [`okta_record`].
pub const OKTA: &str = "source.okta";

/// One record of Okta on a topic of the broker, with a number and an address in it.
pub fn okta_record(broker: &MemoryBroker) -> Records {
    let record = serde_json::json!([{
        "uuid": "5f0c7f6e-0001-4000-8000-00000000d0c5",
        "published": "2026-03-02T09:00:00.000Z",
        "eventType": "user.mfa.factor.reset_all",
        "outcome": {"result": "SUCCESS"},
        "actor": {"id": "00uagent", "type": "User", "alternateId": "ruth.adams@example.com"},
        "client": {"ipAddress": "203.0.113.77"},
        "target": [{"id": "00utarget", "type": "User", "alternateId": "tom.blake@example.com"}],
    }, 7]);
    broker.create_topic(OKTA, 1);
    let value = record.to_string().into_bytes();
    let record = ProduceRecord {
        topic: OKTA,
        partition: 0,
        key: None,
        headers: &[],
        value: Some(&value),
    };
    broker
        .append(&record, Timestamp(1_772_442_000_000))
        .unwrap();
    let settings = Settings {
        key: b"key of a test".to_vec().into(),
        ..Settings::default()
    };
    let setup = SourceSetup::new("okta", Product::Okta);
    let sources = [(OKTA.to_owned(), setup)].into_iter().collect();
    Records::new(Shelf::Memory(broker.clone()), sources, settings)
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn ask(at: SocketAddr, path: &str, headers: &[(&str, &str)]) -> BufReader<TcpStream> {
    send(at, ("GET", path), headers, b"")
}

/// HTTP/1.0, so that the body ends with the connection and comes without chunks.
fn send(
    at: SocketAddr,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut request = format!("{method} {path} HTTP/1.0\r\n");
    if !body.is_empty() {
        request.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    if !headers.iter().any(|(name, _)| *name == "host") {
        request.push_str(&format!("host: {at}\r\n"));
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    // One that answers before it has read all closes the connection.
    let sent = stream.write_all(&[request.as_bytes(), body].concat());
    assert!(sent.is_ok() || !body.is_empty());
    BufReader::new(stream)
}

fn head(reader: &mut BufReader<TcpStream>) -> (u16, Vec<(String, String)>) {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let status = lines.first().and_then(|l| l.split(' ').nth(1));
    let status = status.and_then(|s| s.parse().ok()).unwrap_or(0);
    let headers = lines.iter().skip(1).filter_map(|l| l.split_once(": "));
    let headers = headers.map(|(n, v)| (n.to_lowercase(), v.to_owned()));
    (status, headers.collect())
}

pub fn get(at: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    answer(ask(at, path, headers))
}

pub fn request(
    at: SocketAddr,
    line: (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    answer(send(at, line, headers, body))
}

fn answer(mut reader: BufReader<TcpStream>) -> Answer {
    let (status, headers) = head(&mut reader);
    let mut body = Vec::new();
    reader.read_to_end(&mut body).unwrap();
    Answer {
        status,
        headers,
        body,
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    pub name: String,
    pub id: String,
    pub data: String,
}

impl Event {
    /// Alert id and revision, as `metadata.uid` has them.
    pub fn uid(&self) -> String {
        let data: serde_json::Value = serde_json::from_str(&self.data).unwrap();
        data["metadata"]["uid"].as_str().unwrap().to_owned()
    }
}

/// An open stream.
#[derive(Debug)]
pub struct Stream {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    reader: BufReader<TcpStream>,
}

impl Stream {
    fn open(at: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut reader = ask(at, path, headers);
        let (status, headers) = head(&mut reader);
        Self {
            status,
            headers,
            reader,
        }
    }

    /// The next line, without its end; `None` once the stream has ended.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line).unwrap();
        (read > 0).then(|| line.trim_end_matches('\n').to_owned())
    }

    /// The next event with data; comments and openings are passed over, but not for ever.
    pub fn event(&mut self) -> Option<Event> {
        let mut event = Event::default();
        let mut heartbeats = 0;
        loop {
            let line = self.line()?;
            heartbeats += usize::from(line.starts_with(':'));
            assert!(heartbeats < HEARTBEATS_MAX, "no event comes");
            match line.split_once(": ") {
                None if line.is_empty() && !event.data.is_empty() => return Some(event),
                Some(("event", value)) => event.name = value.to_owned(),
                Some(("id", value)) => event.id = value.to_owned(),
                Some(("data", value)) => event.data = value.to_owned(),
                Some(_) | None => {}
            }
        }
    }
}
