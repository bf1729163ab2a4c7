//! The API by its own description: `tests/openapi/run` brings Schemathesis, which makes requests out of
//! `schemas/openapi.json`, right ones and wrong ones, and holds every answer against it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::process::Command;

use deskwarden::collect::time::Timestamp;
use deskwarden::edge::http::{Access, Credentials, Gate, Limits, Token, token_hash};
use deskwarden::edge::log::ProduceRecord;
use deskwarden::edge::log::memory::MemoryBroker;
use serde_json::{Value, json};
use serving::{AUDIT, Serving, Setup};

#[path = "support/serving.rs"]
mod serving;

const TOKEN: &str = "dw_of-the-examiner";

/// Audit records in the form of `schemas/audit.v1.json`: two recoveries and a verdict.
fn records() -> Vec<Vec<u8>> {
    let record = |number: u32, more: Value| {
        let hash = format!("{number:064x}");
        let mut record = json!({
            "id": hash, "stage": "recorded", "version": 1, "event": format!("{number:032x}"),
            "time": 1_772_442_000_000_i64 + i64::from(number) * 60_000, "action": "mfa.reset_all",
            "outcome": "success", "entity": "identity|T", "agent_kind": "desk", "by_admin": true,
            "source": {"system": "okta", "topic": "okta.events", "partition": 0, "offset": number},
            "number": number, "prev": hash, "hash": hash,
        });
        let fields = record.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        record.to_string().into_bytes()
    };
    let recovery = json!({
        "class": "factor", "ticket": "INC0042", "call": "c1",
        "target": {"uid": "T", "name": "t…@example.com", "tier": "executive"},
        "agent": {"uid": "A", "name": "a…@example.com", "tier": "privileged"},
    });
    let verdict = json!({
        "stage": "decided", "action": "control.disposition", "agent_kind": "admin",
        "by_admin": false,
        "decision": {"id": "disposition/x", "kind": "disposition", "owner": "A", "reason": "asked",
            "verdict": "benign", "revision": 1, "alert": format!("{:032x}", 7)},
    });
    vec![
        record(1, recovery.clone()),
        record(2, recovery),
        record(3, verdict),
    ]
}

#[test]
#[ignore = "needs Schemathesis: tests/openapi/run"]
fn the_api_is_as_it_is_described() {
    let token = Token {
        name: "adam".into(),
        access: Access::Admin,
        sha256: token_hash(TOKEN),
    };
    let credentials = Credentials {
        tokens: vec![token],
        ..Credentials::default()
    };
    let limits = Limits {
        requests_per_second: 1_000_000,
        streams: 10,
    };
    let broker = MemoryBroker::default();
    broker.create_topic(AUDIT, 1);
    for value in records() {
        let record = ProduceRecord {
            topic: AUDIT,
            partition: 0,
            key: None,
            headers: &[],
            value: Some(&value),
        };
        broker.append(&record, Timestamp(0)).unwrap();
    }
    let setup = Setup {
        has_pipeline: true,
        ..Setup::default()
    };
    let serving = Serving::guarded(broker, setup, Gate::new(credentials, limits));
    for text in [
        include_str!("ocsf/created.json"),
        include_str!("ocsf/amended.json"),
        include_str!("ocsf/caller.json"),
    ] {
        let alert: Value = serde_json::from_str(text).unwrap();
        serving.publish(1, &alert);
    }
    let ended = Command::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/openapi/examine"
    ))
    .arg(format!("http://{}", serving.api))
    .env("TOKEN", TOKEN)
    .current_dir(env!("CARGO_TARGET_TMPDIR"))
    .status()
    .unwrap();
    assert!(ended.success(), "{ended}");
    serving.stop();
}
