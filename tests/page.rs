//! The page in a real browser: `tests/page/run` brings node and Chromium and calls this test. The
//! servers and the log are here, the browser is driven by `tests/page/check.mjs`, which asks for new
//! alerts by a line on its standard output.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use deskwarden::collect::time::Timestamp;
use deskwarden::edge::http::{Access, Credentials, Gate, Limits, Token, token_hash};
use deskwarden::edge::log::ProduceRecord;
use deskwarden::edge::log::memory::MemoryBroker;
use serde_json::Value;
use serving::{AUDIT, Serving, Setup};

#[path = "support/serving.rs"]
mod serving;

const VIEWER: &str = "dw_of-the-viewer";
const ANALYST: &str = "dw_of-the-analyst";
const ADMIN: &str = "dw_of-the-admin";

/// A log with the audit records.
fn broker() -> MemoryBroker {
    let broker = MemoryBroker::default();
    broker.create_topic(AUDIT, 1);
    let records: Vec<Value> = serde_json::from_str(include_str!("page/audit.json")).unwrap();
    for record in records {
        let value = record.to_string();
        let record = ProduceRecord {
            topic: AUDIT,
            partition: 0,
            key: Some(b"id-7f3a"),
            headers: &[],
            value: Some(value.as_bytes()),
        };
        broker.append(&record, Timestamp(0)).unwrap();
    }
    broker
}

/// A server with the alerts of the start.
fn serve(gate: Gate, alerts: &Value) -> Serving {
    let serving = Serving::guarded(broker(), Setup::default(), gate);
    for alert in alerts.as_array().unwrap() {
        serving.publish(0, alert);
    }
    serving
}

/// A gate that asks who is there, and lets tests ask often.
fn gate() -> Gate {
    let token = |name: &str, access, token| Token {
        name: name.into(),
        access,
        sha256: token_hash(token),
    };
    let credentials = Credentials {
        tokens: vec![
            token("vera", Access::Viewer, VIEWER),
            token("anna", Access::Analyst, ANALYST),
            token("ada", Access::Admin, ADMIN),
        ],
        ..Credentials::default()
    };
    Gate::new(credentials, Limits::default())
}

/// `deskwarden demo`, stopped when dropped.
struct Demo(Child, String);

impl Demo {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_deskwarden"))
            .args([
                "demo",
                "--listen",
                "127.0.0.1:0",
                "--ops-listen",
                "127.0.0.1:0",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut notes = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = notes.find_map(|line| {
            let line = line.unwrap();
            let address = line.split(' ').find(|word| word.starts_with("http://"))?;
            Some(address.trim_end_matches('/').to_owned())
        });
        // Somebody must go on reading what it says.
        std::thread::spawn(move || notes.for_each(drop));
        Self(child, address.unwrap())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
#[ignore = "needs node and Chromium: tests/page/run"]
fn the_page_in_a_browser() {
    let fixtures: Value = serde_json::from_str(include_str!("page/alerts.json")).unwrap();
    let serving = serve(Gate::default(), &fixtures["start"]);
    serving.settled("", 6);
    let guarded = serve(gate(), &fixtures["start"]);
    let demo = Demo::start();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/page/check.mjs");
    let mut browser = Command::new("node")
        .arg(script)
        .args([
            format!("http://{}", serving.api),
            format!("http://{}", guarded.api),
        ])
        .arg(&demo.1)
        .args([VIEWER, ANALYST, ADMIN])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(browser.stdout.take().unwrap()).lines();
    for line in lines {
        let line = line.unwrap();
        match line.strip_prefix("publish ") {
            Some(alert) => drop(serving.publish(1, &serde_json::from_str(alert).unwrap())),
            None => println!("{line}"),
        }
    }
    assert!(browser.wait().unwrap().success());
    serving.stop();
}
