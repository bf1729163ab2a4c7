//! The page in a real browser: `tests/page/run` brings node and Chromium and calls this test. The
//! server and the log are here, the browser is driven by `tests/page/check.mjs`, which asks for new
//! alerts by a line on its standard output.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use deskwarden::edge::http::{Access, Credentials, Gate, Limits, Token, token_hash};
use deskwarden::edge::log::memory::MemoryBroker;
use serde_json::Value;
use serving::{Serving, Setup};

#[path = "support/serving.rs"]
mod serving;

const VIEWER: &str = "dw_of-the-viewer";
const ANALYST: &str = "dw_of-the-analyst";

#[test]
#[ignore = "needs node and Chromium: tests/page/run"]
fn the_page_in_a_browser() {
    let serving = Serving::start(MemoryBroker::default(), Setup::default());
    let text = include_str!("page/alerts.json");
    let fixtures: Value = serde_json::from_str(text).unwrap();
    for alert in fixtures["start"].as_array().unwrap() {
        serving.publish(0, alert);
    }
    serving.settled("", 6);
    // The same, of a server that asks who is there.
    let token = |name: &str, access, token| Token {
        name: name.into(),
        access,
        sha256: token_hash(token),
    };
    let credentials = Credentials {
        tokens: vec![
            token("vera", Access::Viewer, VIEWER),
            token("anna", Access::Analyst, ANALYST),
        ],
        ..Credentials::default()
    };
    let gate = Gate::new(credentials, Limits::default());
    let guarded = Serving::guarded(MemoryBroker::default(), Setup::default(), gate);
    for alert in fixtures["start"].as_array().unwrap() {
        guarded.publish(0, alert);
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/page/check.mjs");
    let mut browser = Command::new("node")
        .arg(script)
        .arg(format!("http://{}", serving.api))
        .arg(format!("http://{}", guarded.api))
        .args([VIEWER, ANALYST])
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
