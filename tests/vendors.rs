//! Our own recorded-looking records, one file each, against golden events beside them.
//! `GOLDEN=update cargo test --test vendors` rewrites the goldens.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a test may panic and read its environment"
)]

use std::path::{Path, PathBuf};

use deskwarden::collect::map::{Mapped, Outcome, Tapes, map_record};
use deskwarden::collect::setup::{Product, SourceSetup};
use deskwarden::collect::{Record, Timestamp};
use serde_json::{Value, json};

fn without_absent(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, without_absent(value)))
            .filter(|(_, value)| !value.is_null() && *value != json!([]) && *value != json!({}))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_absent).collect(),
        other => other,
    }
}

fn shown(mapped: &Mapped) -> Value {
    let item = mapped.item;
    match &mapped.outcome {
        Outcome::Events(events) => events
            .iter()
            .map(|e| {
                let event = without_absent(serde_json::to_value(&e.event).unwrap());
                let speakers: Vec<_> = e.texts.iter().map(|t| t.speaker).collect();
                json!({"item": item, "native_id": e.native_id, "texts": speakers, "event": event})
            })
            .collect(),
        Outcome::Ignored(reason) => json!([{"item": item, "ignored": reason}]),
        Outcome::Reject(reject) => json!([{"item": item, "reject": reject.to_string()}]),
    }
}

fn cases(vendor: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vendors")
        .join(vendor);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.to_string_lossy().ends_with(".event.json"))
        .collect();
    files.sort();
    files
}

fn run(vendor: &str, product: Product) {
    let update = std::env::var("GOLDEN").is_ok_and(|word| word == "update");
    let setup = SourceSetup::new(vendor, product);
    let mut tapes = Tapes::default();
    for path in cases(vendor) {
        let value = std::fs::read(&path).unwrap();
        let record = Record {
            topic: vendor,
            partition: 3,
            offset: 7,
            ingest_ts: Timestamp(1_900_000_000_000),
            value: &value,
        };
        let mut out = Vec::new();
        map_record(&record, &setup, &mut tapes, &mut out);
        let found: Vec<Value> = out
            .iter()
            .flat_map(|mapped| shown(mapped).as_array().unwrap().clone())
            .collect();
        let found = format!("{}\n", serde_json::to_string_pretty(&found).unwrap());
        let golden = path.with_extension("event.json");
        if update {
            std::fs::write(&golden, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(found, expected, "{}", path.display());
    }
}

#[test]
fn okta_records_become_these_events() {
    run("okta", Product::Okta);
}

#[test]
fn entra_records_become_these_events() {
    run("entra", Product::Entra);
}

#[test]
fn google_workspace_records_become_these_events() {
    run("google_workspace", Product::GoogleWorkspace);
}

#[test]
fn duo_records_become_these_events() {
    run("duo", Product::Duo);
}

#[test]
fn servicenow_records_become_these_events() {
    run("servicenow", Product::ServiceNow);
}

#[test]
fn amazon_connect_records_become_these_events() {
    run("amazon_connect", Product::AmazonConnect);
}

#[test]
fn canonical_records_become_these_events() {
    run("canonical", Product::Canonical);
}
