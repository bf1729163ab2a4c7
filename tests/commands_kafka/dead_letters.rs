//! A source is configured for another product: its records become dead letters, and are fed in once the
//! configuration is mended.

use std::collections::BTreeSet;
use std::fs;
use std::process::Output;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use deskwarden::collect::block::{self, Body};
use deskwarden::collect::event::Action;
use deskwarden::collect::words::Domain;
use deskwarden::edge::clock;
use deskwarden::edge::log::topics::{Names, Topic};
use deskwarden::edge::log::{OwnedRecord, Partition};
use rdkafka::producer::Producer;
use serde_json::json;

use crate::serving;
use crate::world::{PARTITIONS, PATIENCE, SOURCES, World, brokers::addresses, read_all, role};

const SINCE: &str = "2020-01-01";

fn records(world: &World, topic: Topic) -> Vec<OwnedRecord> {
    let name = Arc::clone(Names::new(&world.prefix).of(topic));
    let mut log = world.reader();
    let partitions =
        (0..topic.partitions(PARTITIONS)).map(|n| Partition::new(Arc::clone(&name), n));
    partitions.flat_map(|p| read_all(&mut log, &p)).collect()
}

/// Ids of the events that stand in the events topic.
fn events(world: &World) -> BTreeSet<u128> {
    let mut ids = BTreeSet::new();
    for record in records(world, Topic::Events) {
        for entry in block::decode(record.value.as_deref().unwrap()).unwrap() {
            if let Body::Event { event, .. } = &entry.body {
                ids.insert(u128::from_be_bytes(block::event(event).unwrap().event_id.0));
            }
        }
    }
    ids
}

/// Waits until there are so many dead letters.
fn letters(world: &World, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = records(world, Topic::DeadLetter).len();
        if found == count {
            return;
        }
        assert!(Instant::now() < deadline, "{found} letters, not {count}");
        thread::park_timeout(Duration::from_millis(100));
    }
}

fn run(world: &World, words: &[&str]) -> Output {
    let mut all = vec!["dead-letter"];
    all.extend(words);
    world.command(&all).output().unwrap()
}

/// What a command says that ends well.
fn told(world: &World, words: &[&str]) -> String {
    let output = run(world, words);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Three events, one of them twice, and what is no JSON.
fn feed(world: &mut World) -> BTreeSet<u128> {
    let mut ids = BTreeSet::new();
    for n in 0..3 {
        let mut event = world.event(Domain::Idp, Action::MfaResetAll, clock::now());
        event.target = role(&format!("p{n}"));
        event.agent = role("agent");
        ids.insert(u128::from_be_bytes(event.event_id.0));
        for _ in 0..(if n == 0 { 2 } else { 1 }) {
            world.send("idp", &event);
        }
    }
    world.send_bytes("desk", b"{\"half\":");
    world.producer.flush(PATIENCE).unwrap();
    ids
}

#[test]
fn what_could_not_be_used_is_fed_in_once_its_cause_is_mended() {
    let Some(brokers) = addresses() else { return };
    let mut world = World::new("letters", brokers);
    let config = fs::read_to_string(world.config()).unwrap();
    let wrong = config.replacen("product: canonical", "product: okta", 1);
    assert_ne!(config, wrong);
    fs::write(world.config(), wrong).unwrap();
    let ids = feed(&mut world);
    let mut instance = world.start("one");
    letters(&world, 5);
    assert_eq!(instance.stop(), Some(0), "{}", world.log("one"));
    assert!(events(&world).is_empty());

    let all = told(&world, &["list", "--since", SINCE]);
    assert_eq!(all.lines().count(), 5, "{all}");
    assert!(all.contains("not an Okta System Log event"), "{all}");
    let idp = [
        "list", "--source", "idp", "--reason", "schema", "--format", "json",
    ];
    let bare = told(&world, &idp);
    assert_eq!(
        (bare.lines().count(), bare.contains("p0@firm")),
        (4, false),
        "{bare}"
    );
    let whole = told(&world, &[&idp[..], &["--values"]].concat());
    assert!(whole.contains("p0@firm"), "{whole}");
    for wrong in [
        &["replay"][..],
        &["list", "--values"],
        &["list", "--source", "hr"],
    ] {
        assert_eq!(run(&world, wrong).status.code(), Some(2), "{wrong:?}");
    }

    world.write_config(&SOURCES);
    let would = told(&world, &["replay", "--since", SINCE, "--dry-run"]);
    assert!(
        would.starts_with("4 records would be fed in\n1 left: the same record"),
        "{would}"
    );
    letters(&world, 5);
    let fed = told(&world, &["replay", "--since", SINCE, "--source", "idp"]);
    assert!(fed.starts_with("3 records are fed in\n1 left"), "{fed}");
    let mut instance = world.start("two");
    world.until_ready("two");
    let deadline = Instant::now() + PATIENCE;
    while events(&world) != ids {
        assert!(Instant::now() < deadline, "{}", world.log("two"));
        thread::park_timeout(Duration::from_millis(100));
    }

    // The same by the API; what is no JSON stays none.
    let at = world.api("two");
    let path = "/api/v1/dead-letters?reason=decode";
    let found = serving::get(at, path, &[]).json();
    assert_eq!(found["total"], 1, "{found}");
    let question = json!({"since": 0, "reason": "decode"}).to_string();
    let headers = [("content-type", "application/json")];
    let line = ("POST", "/api/v1/dead-letters/replay");
    for (fed, left) in [(1, json!({})), (1, json!({"repeated": 1}))] {
        let answer = serving::request(at, line, &headers, question.as_bytes());
        assert_eq!(answer.json(), json!({"fed": fed, "left": left}));
        letters(&world, 5 + usize::from(left != json!({})) + 1);
    }
    assert_eq!(instance.stop(), Some(0), "{}", world.log("two"));
    fs::remove_dir_all(&world.folder).unwrap();
}
