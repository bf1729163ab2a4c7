//! The API by its own description: `tests/openapi/run` brings Schemathesis, which makes requests out of
//! `schemas/openapi.json`, right ones and wrong ones, and holds every answer against it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a test may panic, and is told by the environment where brokers are"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use deskwarden::collect::record::Record;
use deskwarden::collect::time::Timestamp;
use deskwarden::edge::clock;
use deskwarden::edge::dead_letters::DeadLetters;
use deskwarden::edge::http::{Access, Credentials, Gate, Limits, Token, token_hash};
use deskwarden::edge::kafka::{Admin, KafkaLog, KafkaSettings, WantedTopic};
use deskwarden::edge::log::memory::MemoryBroker;
use deskwarden::edge::log::records::{Fault, dead_letter};
use deskwarden::edge::log::{Log as _, ProduceRecord};
use serde_json::{Value, json};
use serving::{AUDIT, Serving, Setup, okta_record};

#[path = "support/brokers.rs"]
mod brokers;
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

/// A topic of dead letters with two of one source.
fn letters(brokers: String) -> DeadLetters {
    let name = format!("dwtest-openapi-{}", clock::now().0);
    let settings = KafkaSettings {
        group: name.clone(),
        instance: "test".to_owned(),
        transactional_id: name.clone(),
        properties: BTreeMap::from([("bootstrap.servers".to_owned(), brokers)]),
        ..KafkaSettings::default()
    };
    let (topic, source) = (format!("{name}.dead-letter.v1"), format!("{name}-okta"));
    let admin = Admin::connect(&settings).unwrap();
    for name in [&topic, &source] {
        let wanted = WantedTopic {
            name: name.clone(),
            partitions: 1,
            replication: 1,
            settings: Vec::new(),
        };
        admin.create(&wanted).unwrap();
    }
    let mut log = KafkaLog::connect(&settings).unwrap();
    log.begin().unwrap();
    for (offset, value) in (0..).zip([b"{", b"["]) {
        let record = Record {
            topic: &source,
            partition: 0,
            offset,
            ingest_ts: Timestamp(5),
            value,
        };
        let fault = Fault {
            reason: "decode",
            detail: "EOF",
            stage: "collect",
            attempts: 1,
        };
        let letter = dead_letter(&record, fault);
        letter.with(&topic, |record| log.produce(record)).unwrap();
    }
    log.commit().unwrap();
    log.close().unwrap();
    DeadLetters::new(settings, topic.into(), BTreeSet::from([source]))
}

#[test]
#[ignore = "needs Schemathesis: tests/openapi/run"]
fn the_api_is_as_it_is_described() {
    let Some(brokers) = brokers::addresses() else {
        return;
    };
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
        letters: Some(letters(brokers)),
        records: Some(okta_record(&broker)),
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
