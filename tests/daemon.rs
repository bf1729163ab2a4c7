//! What the shipped binary says of itself on a real broker, given by `DESKWARDEN_TEST_BROKERS`, and
//! what it survives: topics that are missing, brokers that are away, permissions that are refused. It
//! says so clearly and goes on by itself.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a test may panic, and is told by the environment where brokers are"
)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use deskwarden::edge::log::Partition;
use deskwarden::edge::log::topics::{Names, Topic};
use world::brokers::{addresses, own_process};
use world::{PARTITIONS, SOURCES, World, finish, read_all, signal};

#[path = "support/model.rs"]
mod model;
#[path = "simulation/random.rs"]
mod random;
#[path = "support/world.rs"]
mod world;

/// One of these tests stops the broker: they go one after the other.
static ALONE: Mutex<()> = Mutex::new(());

fn brokers() -> Option<(String, MutexGuard<'static, ()>)> {
    let brokers = addresses()?;
    Some((
        brokers,
        ALONE.lock().unwrap_or_else(PoisonError::into_inner),
    ))
}

/// The samples of a text of `/metrics`: name with labels, and value.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.rsplit_once(' '));
    pairs
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect()
}

/// The sum of the samples of a metric, over all its labels that hold `with`.
fn sum(text: &str, name: &str, with: &str) -> f64 {
    let of = |key: &str| key.split('{').next() == Some(name) && key.contains(with);
    let samples = samples(text).into_iter();
    samples.filter(|(key, _)| of(key)).map(|(_, v)| v).sum()
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn number(number: usize) -> f64 {
    number as f64
}

#[test]
fn the_metrics_say_what_happened() {
    let Some((brokers, _alone)) = brokers() else {
        return;
    };
    let mut world = World::new("metrics", brokers);
    world.feed(40);
    for _ in 0..3 {
        world.send_bytes("desk", b"{ no JSON \xe2\x80\xae");
    }
    let mut instance = world.start("a");
    world.until_ready("a");
    world.wait_until_done();
    let is_caught_up = |text: &str| sum(text, "deskwarden_consumer_lag_records", "idp") == 0.0;
    // Statistics of the client come every five seconds.
    let text = world.until("a", "/metrics", |_, text| {
        let told = samples(text).into_keys();
        let lags = told.filter(|key| key.starts_with("deskwarden_consumer_lag_records"));
        lags.filter(|key| key.contains("collect") && key.contains("source-"))
            .count()
            >= 4
            && is_caught_up(text)
            && sum(text, "deskwarden_watermark_delay_seconds", "all").is_finite()
    });
    let all = |name: &str, with: &str| sum(&text, &format!("deskwarden_{name}"), with);
    let fed = f64::from(u32::try_from(world.fed).unwrap());
    assert_eq!(all("events_consumed_total", ""), fed + 3.0, "{text}");
    assert_eq!(
        all("events_rejected_total", "source=\"desk\""),
        3.0,
        "{text}"
    );
    assert_eq!(all("dead_letter_records_total", "decode"), 3.0, "{text}");
    assert!(all("event_time_lag_seconds_count", "desk") > 0.0, "{text}");

    let mut log = world.reader();
    let alerts = Names::new(&world.prefix).of(Topic::Alerts).clone();
    let alerts: usize = (0..PARTITIONS)
        .map(|n| read_all(&mut log, &Partition::new(Arc::clone(&alerts), n)).len())
        .sum();
    assert!(alerts > 10, "too quiet: {alerts}");
    assert_eq!(all("alerts_total", ""), number(alerts), "{text}");
    let closed = all("alerts_total", "activity=\"closed\"");
    let timed = all("alert_latency_seconds_count", "");
    assert_eq!(timed, number(alerts) - closed, "{text}");
    let within = all("alert_latency_seconds_bucket", "le=\"300\"");
    assert_eq!(within, timed, "events lie within the last minute\n{text}");
    assert!(all("alert_latency_seconds_sum", "") > 0.0, "{text}");
    assert!(all("pattern_matches_total", "") > 0.0, "{text}");

    what_stands_is_told(&world, &text);
    assert_eq!(instance.stop(), Some(0));
    std::fs::remove_dir_all(&world.folder).unwrap();
}

/// What does not depend on how much was fed.
fn what_stands_is_told(world: &World, text: &str) {
    let all = |name: &str, with: &str| sum(text, &format!("deskwarden_{name}"), with);
    assert_eq!(
        all("state_restore_seconds_count", ""),
        f64::from(PARTITIONS)
    );
    assert!(all("state_entries", "") > 0.0 && all("state_bytes", "") > 0.0);
    assert_eq!(
        all("assigned_partitions", "correlate"),
        f64::from(PARTITIONS)
    );
    assert!(all("txn_commit_seconds_count", "collect") > 0.0, "{text}");
    assert!(text.contains("deskwarden_txn_aborts_total{reason=\"abort\",stage=\"correlate\"}"));
    let delay = all("watermark_delay_seconds", "domain=\"all\"");
    assert!(
        (0.0..120.0 * f64::from(PARTITIONS)).contains(&delay),
        "{text}"
    );

    let status = world.until("a", "/status", |_, body| body.contains("events.v1/5"));
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["ready"], true, "{status}");
    assert_eq!(status["degraded"], serde_json::json!([]), "{status}");
    let events = format!("{}.events.v1/0", world.prefix);
    let told = &status["workers"]["correlate-0"]["partitions"][&events];
    assert_eq!(told["restored"], true, "{status}");
    assert!(told["watermark_delay_ms"].is_u64(), "{status}");
}

/// Nearly everything of it is unusable: said once a minute, and read on.
#[test]
fn a_source_that_is_broken_is_named() {
    let Some((brokers, _alone)) = brokers() else {
        return;
    };
    let mut world = World::new("broken", brokers);
    let mut instance = world.start("a");
    world.until_ready("a");
    for _ in 0..200 {
        world.send_bytes("desk", b"broken");
    }
    world.feed(5);
    world.until("a", "/status", |_, body| {
        body.contains("source desk") && body.contains("newest reason: decode")
    });
    assert_eq!(world.ask("a", "/readyz").0, 200, "it goes on");
    let (_, text) = world.ask("a", "/metrics");
    assert_eq!(
        sum(&text, "deskwarden_pipeline_degraded", "desk"),
        1.0,
        "{text}"
    );
    world.wait_until_done();
    let log = world.log("a");
    let said = log.lines().filter(|line| line.contains("check its format"));
    assert_eq!(said.count(), 1, "{log}");
    assert_eq!(instance.stop(), Some(0), "{log}");
    std::fs::remove_dir_all(&world.folder).unwrap();
}

/// Passes connections on to the broker.
fn forward(listener: TcpListener, broker: String) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Ok(other) = TcpStream::connect(&broker) else {
                continue;
            };
            for (mut from, mut to) in [
                (stream.try_clone().unwrap(), other.try_clone().unwrap()),
                (other, stream),
            ] {
                thread::spawn(move || {
                    let mut buffer = [0; 4096];
                    while let Ok(read @ 1..) = from.read(&mut buffer) {
                        if to.write_all(&buffer[..read]).is_err() {
                            break;
                        }
                    }
                });
            }
        }
    });
}

#[test]
fn brokers_that_are_away_at_the_start_are_waited_for() {
    let Some((brokers, _alone)) = brokers() else {
        return;
    };
    let mut world = World::new("away", brokers);
    world.feed(100);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let instance = world.start_with("a", &[format!("kafka.brokers={address}")]);
    world.until_logged("a", "cannot be reached");
    let log = world.log("a");
    assert!(log.contains(&address.to_string()), "{log}");
    let (status, why) = world.ask("a", "/readyz");
    assert!(status == 503 && why.contains("cannot be reached"), "{why}");
    assert_eq!(world.ask("a", "/livez").0, 200);
    forward(TcpListener::bind(address).unwrap(), world.brokers.clone());
    world.until_ready("a");
    finish("brokers away at the start", world, "1", vec![instance]);
}

#[test]
fn topics_that_are_missing_are_waited_for() {
    let Some((brokers, _alone)) = brokers() else {
        return;
    };
    let mut world = World::bare("missing", brokers);
    world.create_sources(&["idp"]);
    world.write_config(&["idp"]);
    let mut instance = world.start("a");
    world.until_logged("a", "deskwarden topics apply");
    let (status, why) = world.ask("a", "/readyz");
    assert_eq!(status, 503);
    assert!(why.contains("does not exist"), "{why}");
    world.apply();
    world.until_ready("a");
    assert_eq!(instance.stop(), Some(0));

    // A source whose topic comes later than the others.
    world.write_config(&SOURCES);
    let instance = world.start("b");
    world.until_logged("b", "the topic of this source does not exist");
    assert!(world.log("b").contains(&world.source("desk")));
    world.until_ready("b");
    world.create_sources(&["desk"]);
    world.apply();
    world.feed(100);
    finish("topics missing at first", world, "2", vec![instance]);
}

/// The brokers stand still for a minute: longer than every session and transaction.
#[test]
fn brokers_lost_for_a_minute_are_waited_for() {
    let Some((brokers, _alone)) = brokers() else {
        return;
    };
    let Some(broker) = own_process() else { return };
    let mut world = World::new("outage", brokers);
    let (mut instance, mut other) = (world.start("a"), world.start("b"));
    world.feed(100);
    world.until_ready("a");
    world.until_ready("b");
    world.feed(100);
    signal(broker, "STOP");
    let until = Instant::now() + Duration::from_secs(60);
    // One is asked to end while nobody answers its goodbye.
    let code = other.stop();
    let left = until.saturating_duration_since(Instant::now());
    let mut silent = Vec::new();
    while Instant::now() < until {
        let (status, why) = world.ask("a", "/livez");
        if status != 200 {
            silent.push(why);
        }
        thread::park_timeout(Duration::from_millis(250));
    }
    signal(broker, "CONT");
    let log = world.log("b");
    assert!(code.is_some(), "it never ended\n{log}");
    assert!(left > Duration::from_secs(25), "{left:?} left\n{log}");
    assert_eq!(silent, Vec::<String>::new(), "{}", world.log("a"));
    world.until_ready("a");
    assert!(instance.child.try_wait().unwrap().is_none(), "restarted");
    finish("brokers lost for 60 s", world, "1", vec![instance]);
}

/// What an ACL says; the numbers are those of the protocol.
struct Acl<'a> {
    topic: &'a str,
    operation: u8,
    permission: u8,
}

const WRITE: u8 = 4;
const ALL: u8 = 2;
const DENY: u8 = 2;
const ALLOW: u8 = 3;

/// Asks the broker by hand: the client has no call for ACLs.
fn request(broker: &str, api: i16, body: &[u8]) {
    let mut message = Vec::new();
    message.extend(api.to_be_bytes());
    message.extend(1_i16.to_be_bytes());
    message.extend(7_i32.to_be_bytes());
    message.extend((-1_i16).to_be_bytes());
    message.extend(body);
    let mut stream = TcpStream::connect(broker).unwrap();
    let length = i32::try_from(message.len()).unwrap();
    stream.write_all(&length.to_be_bytes()).unwrap();
    stream.write_all(&message).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; usize::try_from(i32::from_be_bytes(length)).unwrap()];
    stream.read_exact(&mut answer).unwrap();
    // Correlation id, throttle time, number of results, error code of the first.
    assert_eq!(answer[12..14], [0, 0], "{answer:?}");
}

fn text(text: &str) -> Vec<u8> {
    let length = i16::try_from(text.len()).unwrap();
    [&length.to_be_bytes()[..], text.as_bytes()].concat()
}

const TOPIC: u8 = 2;
const LITERAL: u8 = 3;

fn put(broker: &str, acl: &Acl<'_>) {
    let mut body = 1_i32.to_be_bytes().to_vec();
    body.push(TOPIC);
    body.extend(text(acl.topic));
    body.push(LITERAL);
    body.extend(text("User:*"));
    body.extend(text("*"));
    body.extend([acl.operation, acl.permission]);
    request(broker, 30, &body);
}

/// Takes every ACL of a topic away.
fn clear(broker: &str, topic: &str) {
    const ANY: u8 = 1;
    let mut body = 1_i32.to_be_bytes().to_vec();
    body.push(TOPIC);
    body.extend(text(topic));
    body.push(LITERAL);
    body.extend((-1_i16).to_be_bytes());
    body.extend((-1_i16).to_be_bytes());
    body.extend([ANY, ANY]);
    request(broker, 31, &body);
}

#[test]
fn permissions_that_are_refused_are_waited_for() {
    let Some((brokers, _alone)) = brokers() else {
        return;
    };
    let Some(_) = own_process() else { return };
    let mut world = World::new("denied", brokers);
    let names = Names::new(&world.prefix);
    let (state, events) = (names.of(Topic::State), names.of(Topic::Events));
    let put = |topic, operation, permission| {
        let acl = Acl {
            topic,
            operation,
            permission,
        };
        put(&world.brokers, &acl);
    };
    put(state, ALL, DENY);
    let mut instance = world.start("a");
    world.until_logged("a", "not allowed to read topic");
    let (status, why) = world.ask("a", "/readyz");
    assert!(status == 503 && why.contains("grant this user"), "{why}");
    clear(&world.brokers, state);
    world.until_ready("a");

    // Refused in the middle: what was read and cannot be written is read again.
    put(events, ALL, ALLOW);
    put(events, WRITE, DENY);
    world.feed(100);
    world.until_logged("a", "the brokers do not allow it");
    world.until("a", "/readyz", |_, why| {
        why.contains("not allowed by the brokers")
    });
    clear(&world.brokers, &events.clone());
    world.until_ready("a");
    assert!(instance.child.try_wait().unwrap().is_none(), "restarted");
    finish("permissions refused", world, "2", vec![instance]);
}
