//! Every Okta, Entra, Google Workspace, Duo, ServiceNow and Amazon Connect record of the shared samples against its expectation.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic"
)]

use std::path::PathBuf;

use deskwarden::collect::map::{Mapped, MappedEvent, Outcome, Tapes, map_record};
use deskwarden::collect::setup::{Product, SourceSetup};
use deskwarden::collect::time::{TimeQuality, parse_time};
use deskwarden::collect::{Record, Timestamp};
use serde_json::Value;

/// Where we differ from an expectation, and why.
const EXCEPTIONS: [(&str, u64, u64, &str, &str); 17] = [
    (
        "apache-2.0/okta/systemlog.jsonl",
        10,
        0,
        "subject",
        "a policy event has no person whose account it is",
    ),
    (
        "apache-2.0/entra/azuremonitor.jsonl",
        9,
        0,
        "action",
        "a role assignment that is removed is a role that is revoked",
    ),
    (
        "apache-2.0/entra/azuremonitor.jsonl",
        10,
        0,
        "outcome",
        "the result stands beside the properties",
    ),
    (
        "apache-2.0/entra/azuremonitor.jsonl",
        11,
        0,
        "outcome",
        "`resultType` says Success",
    ),
    (
        "apache-2.0/entra/azuremonitor.jsonl",
        13,
        0,
        "outcome",
        "`resultType` says Success",
    ),
    (
        "apache-2.0/entra/azuremonitor.jsonl",
        19,
        0,
        "outcome",
        "`result` says failed",
    ),
    (
        "apache-2.0/entra/azuremonitor.jsonl",
        26,
        0,
        "action",
        "a policy that is deleted is a policy that changed",
    ),
    (
        "apache-2.0/entra/eventhub_records.jsonl",
        1,
        2,
        "action",
        "AccountEnabled goes from false to true: the account was enabled",
    ),
    (
        "apache-2.0/entra/m365_ual.jsonl",
        5,
        0,
        "action",
        "the authorization policy is a policy",
    ),
    (
        "apache-2.0/entra/m365_ual.jsonl",
        6,
        0,
        "action",
        "StrongAuthenticationMethod gains two types of method",
    ),
    (
        "apache-2.0/google_workspace/reports.jsonl",
        19,
        0,
        "action",
        "mail is forwarded out of the domain",
    ),
    (
        "apache-2.0/google_workspace/reports.jsonl",
        20,
        0,
        "action",
        "mail is forwarded out of the domain",
    ),
    (
        "apache-2.0/google_workspace/reports.jsonl",
        37,
        0,
        "action",
        "its name is login_success",
    ),
    (
        "apache-2.0/google_workspace/reports.jsonl",
        39,
        0,
        "action",
        "its name ends with a space",
    ),
    (
        "apache-2.0/duo/adminapi.jsonl",
        1,
        0,
        "action",
        "a type that nobody knows",
    ),
    (
        "apache-2.0/duo/adminapi.jsonl",
        12,
        0,
        "action",
        "a push that Duo found anomalous is a risk",
    ),
    (
        "rebuilt/amazon_connect/ctr.jsonl",
        1,
        0,
        "time",
        "the time of a contact record is DisconnectTimestamp, so that a new version does not move",
    ),
];

fn samples() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    ["../shared/samples", "../../shared/samples"]
        .iter()
        .map(|place| root.join(place))
        .find(|place| place.is_dir())
}

fn named(role: Option<&Value>, expected: &str) -> bool {
    let handles = role.and_then(|role| role["handles"].as_array());
    handles.is_some_and(|handles| {
        handles.iter().any(|h| {
            let value = h["value"].as_str().unwrap().to_lowercase();
            format!("{}:{value}", h["kind"].as_str().unwrap()) == expected.to_lowercase()
        })
    })
}

fn agrees(mapped: &MappedEvent, key: &str, expected: &Value) -> bool {
    let json = serde_json::to_value(&mapped.event).unwrap();
    let role = |name: &str| Some(&json[name]).filter(|role| role.is_object());
    let text = expected.as_str().unwrap_or_default();
    match key {
        // Without a time or a qualifier an event has no id of its own.
        "id" if text.contains("/None/") => mapped.native_id.is_none(),
        "id" => mapped.native_id.as_deref() == Some(text),
        "vendor_action" | "action" | "outcome" => json[key] == *expected,
        "time" => match expected.as_str() {
            Some(text) => parse_time(text).unwrap().0 == mapped.event.time,
            None => mapped.event.time_quality == TimeQuality::RecordFallback,
        },
        "subject" => named(role("target"), text) || named(role("requester"), text),
        "actor" => named(role("agent"), text),
        "approver" => named(role("approver"), text),
        "ip" => json["network"]["ip"] == *expected,
        "txn" if text == "unknown" => json["correlation"]["native_txn"].is_null(),
        "txn" => json["correlation"]["native_txn"] == *expected,
        "ticket" => json["ticket_ref"]["key"] == *expected,
        "call" => json["call_ref"]["id"] == *expected,
        "ani" => format!("phone:{}", json["phone"]["ani"]["value"].as_str().unwrap()) == text,
        "channel" => json["channel"] == *expected,
        "new_device" => json["device"]["new_device"] == *expected,
        other => panic!("an expectation we cannot check: {other}"),
    }
}

fn run(source: &str, product: Product) {
    let Some(root) = samples() else {
        println!("left out: {source}, there is no shared/samples beside the repository");
        return;
    };
    let expected = std::fs::read_to_string(root.join(format!("expected/{source}.jsonl"))).unwrap();
    let setup = SourceSetup::new(source, product);
    let mut tapes = Tapes::default();
    let mut faults = Vec::new();
    let mut lines = 0;
    for line in expected.lines() {
        let want: Value = serde_json::from_str(line).unwrap();
        let (file, number) = (
            want["file"].as_str().unwrap(),
            want["line"].as_u64().unwrap(),
        );
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let raw = text
            .lines()
            .nth(usize::try_from(number).unwrap() - 1)
            .unwrap();
        let record = Record {
            topic: source,
            partition: 0,
            offset: 0,
            ingest_ts: Timestamp(1_900_000_000_000),
            value: raw.as_bytes(),
        };
        let mut out: Vec<Mapped> = Vec::new();
        map_record(&record, &setup, &mut tapes, &mut out);
        lines += 1;
        let item = usize::try_from(want["item"].as_u64().unwrap()).unwrap();
        let Outcome::Events(events) = &out[item].outcome else {
            faults.push(format!("{file}:{number}: {:?}", out[item].outcome));
            continue;
        };
        for (key, value) in want["expect"].as_object().unwrap() {
            let place = (file, number, item as u64, key.as_str());
            let excepted = |e: &&(&str, u64, u64, &str, &str)| (e.0, e.1, e.2, e.3) == place;
            if let Some((.., why)) = EXCEPTIONS.iter().find(excepted) {
                assert!(!agrees(&events[0], key, value), "needless exception: {why}");
            } else if !agrees(&events[0], key, value) {
                faults.push(format!("{file}:{number}: {key} should be {value}"));
            }
        }
    }
    println!("{source}: {lines} lines");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn okta_expectations_are_met() {
    run("okta", Product::Okta);
}

#[test]
fn entra_expectations_are_met() {
    run("entra", Product::Entra);
}

#[test]
fn google_workspace_expectations_are_met() {
    run("google_workspace", Product::GoogleWorkspace);
}

#[test]
fn duo_expectations_are_met() {
    run("duo", Product::Duo);
}

#[test]
fn servicenow_expectations_are_met() {
    run("servicenow", Product::ServiceNow);
}

#[test]
fn amazon_connect_expectations_are_met() {
    run("amazon_connect", Product::AmazonConnect);
}
