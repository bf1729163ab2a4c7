//! What analysts decide, with the shipped binary on a real broker, given by `DESKWARDEN_TEST_BROKERS`:
//! it takes effect, outlives the process, and no token is written anywhere.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a test may panic, and is told by the environment where brokers are"
)]

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use deskwarden::edge::http::token_hash;
use serde_json::{Value, json};
use world::brokers::addresses;
use world::{PATIENCE, World};

#[path = "support/model.rs"]
mod model;
#[path = "simulation/random.rs"]
mod random;
#[path = "support/serving.rs"]
mod serving;
#[path = "support/world.rs"]
mod world;

const TOKEN: &str = "dw_canary-of-the-analyst";
const DAY_MS: i64 = 24 * 3_600_000;
/// Below the limit of requests in a second.
const PAUSE: Duration = Duration::from_millis(200);

fn ask(at: SocketAddr, line: (&str, &str), body: &str) -> (u16, Value) {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [
        ("authorization", &*bearer),
        ("content-type", "application/json"),
    ];
    let answer = serving::request(at, line, &headers, body.as_bytes());
    (
        answer.status,
        serde_json::from_slice(&answer.body).unwrap_or_default(),
    )
}

/// The newest alerts, once they are right.
fn alerts(at: SocketAddr, is_right: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (_, list) = ask(at, ("GET", "/api/v1/alerts"), "");
        let found = list["alerts"].as_array().cloned().unwrap_or_default();
        if is_right(&found) {
            return found;
        }
        assert!(Instant::now() < deadline, "never right: {list}");
        thread::park_timeout(PAUSE);
    }
}

fn is_closed(alert: &Value, id: &str) -> bool {
    alert["finding_info"]["uid"] == *id && alert["activity_id"] == 3
}

/// Decides until the case is closed: while its revisions still come, a verdict may be on an older one.
fn close(at: SocketAddr, id: &str) {
    let path = format!("/api/v1/alerts/{id}/disposition");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (_, newest) = ask(at, ("GET", &format!("/api/v1/alerts/{id}")), "");
        if is_closed(&newest, id) {
            assert_eq!(newest["status_detail"], "disposition");
            return;
        }
        let revision = &newest["metadata"]["sequence"];
        let verdict = json!({"revision": revision, "verdict": "benign", "reason": "asked"});
        let (status, told) = ask(at, ("POST", &path), &verdict.to_string());
        assert_eq!(status, 201, "{told}");
        assert_eq!(told["record"]["owner"], "anna");
        assert!(Instant::now() < deadline, "never closed: {newest}");
        thread::park_timeout(PAUSE);
    }
}

/// The brokers say who reads which partition, and how far; what was read is counted.
fn stands(at: SocketAddr) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (status, told) = ask(at, ("GET", "/api/v1/pipeline"), "");
        assert_eq!(status, 200, "{told}");
        let groups = told["groups"].as_array().unwrap();
        let names: Vec<&str> = groups
            .iter()
            .map(|g| g["stage"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["collect", "correlate"]);
        let is_read = |group: &Value| {
            let partitions = group["partitions"].as_array().unwrap();
            // The ends of transactions lie behind the last record.
            let read = |p: &Value| p["member"] == "one-0" && p["lag"].as_u64() < Some(10);
            group["fault"].is_null() && !partitions.is_empty() && partitions.iter().any(read)
        };
        if groups.iter().all(is_read) {
            break;
        }
        assert!(Instant::now() < deadline, "never read: {told}");
        thread::park_timeout(PAUSE);
    }
    let (_, told) = ask(at, ("GET", "/api/v1/sources"), "");
    let sources = told["sources"].as_array().unwrap();
    assert!(!sources.is_empty());
    let consumed = |source: &Value| source["counted"]["consumed"].as_u64();
    assert!(
        sources.iter().any(|source| consumed(source) > Some(0)),
        "{told}"
    );
    assert!(
        sources
            .iter()
            .all(|source| source["partitions"].as_u64() > Some(0)),
        "{told}"
    );
}

/// Of all partitions that act by a decision, one records it.
fn recorded_once(at: SocketAddr, alert: &str, silence: &str) {
    let deadline = Instant::now() + PATIENCE;
    let (silences, verdicts) = loop {
        let (_, agent) = ask(at, ("GET", "/api/v1/agents/anna?limit=200"), "");
        let records = agent["records"].as_array().cloned().unwrap_or_default();
        let with = |name: &str, value: &str| {
            let decided = |filed: &&Value| filed["record"]["decision"][name] == *value;
            records.iter().filter(decided).count()
        };
        let found = (with("id", silence), with("alert", alert));
        if found.0 > 0 && found.1 > 0 {
            break found;
        }
        assert!(Instant::now() < deadline, "never recorded: {agent}");
        thread::park_timeout(PAUSE);
    };
    assert_eq!(silences, 1);
    assert!(verdicts >= 1);
}

fn no_token_is_shown(world: &World, settings: &[String]) {
    let (_, metrics) = world.ask("one", "/metrics");
    let (_, status) = world.ask("one", "/status");
    let shown = world.command(&["config", "show"]);
    let shown = with(shown, settings).output().unwrap();
    assert!(shown.status.success());
    let shown = String::from_utf8(shown.stdout).unwrap();
    let log = world.log("one");
    assert!(
        log.contains("\"DEBUG\""),
        "all that is logged was looked at"
    );
    for (name, text) in [
        ("metrics", metrics),
        ("status", status),
        ("show", shown),
        ("log", log),
    ] {
        assert!(!text.contains("canary"), "{name}: {text}");
    }
}

#[test]
fn what_is_decided_takes_effect_and_outlives_the_process() {
    let Some(brokers) = addresses() else { return };
    let mut world = World::new("decided", brokers);
    let hash = hex::encode(token_hash(TOKEN));
    let settings = [
        "http.tokens.anna.role=analyst".to_owned(),
        format!("http.tokens.anna.sha256={hash}"),
        "log.level=debug".to_owned(),
    ];
    let mut instance = world.start_with("one", &settings);
    world.until_ready("one");
    let at = world.api("one");
    assert_eq!(serving::get(at, "/api/v1/alerts", &[]).status, 401);

    world.feed(1);
    let found = alerts(at, |found| !found.is_empty());
    let id = found[0]["finding_info"]["uid"].as_str().unwrap().to_owned();
    close(at, &id);

    let now = deskwarden::edge::clock::now().0;
    let silence = json!({
        "scope": {"severities": ["informational", "low", "medium", "high", "critical"]},
        "reason": "a drill", "valid_from": now - DAY_MS, "valid_to": now + DAY_MS,
    });
    let (status, told) = ask(at, ("POST", "/api/v1/silences"), &silence.to_string());
    assert_eq!(status, 201, "{told}");
    assert_eq!(instance.stop(), Some(0));

    let mut instance = world.start_with("one", &settings);
    let first = at;
    let deadline = Instant::now() + PATIENCE;
    while world.api("one") == first {
        assert!(Instant::now() < deadline, "never listens again");
        thread::park_timeout(PAUSE);
    }
    let at = world.api("one");
    world.until_ready("one");
    let (_, listed) = ask(at, ("GET", "/api/v1/silences"), "");
    assert_eq!(
        (&listed["total"], &listed["silences"][0]["id"]),
        (&json!(1), &told["id"])
    );
    world.feed(2);
    let found = alerts(at, |found| {
        found.iter().any(|alert| alert["status_id"] == 3)
    });
    assert!(
        found.iter().any(|alert| is_closed(alert, &id)),
        "the verdict holds"
    );

    stands(at);
    recorded_once(at, &id, told["id"].as_str().unwrap());
    no_token_is_shown(&world, &settings);
    assert_eq!(instance.stop(), Some(0));
    std::fs::remove_dir_all(&world.folder).unwrap();
}

fn with(mut command: std::process::Command, settings: &[String]) -> std::process::Command {
    command.args(settings.iter().flat_map(|setting| ["--set", setting]));
    command
}
