//! Messages of real documents, compared with files, and those with a schema checked against it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use deskwarden::collect::time::Timestamp;
use deskwarden::deliver::encode::digest::Digest;
use deskwarden::deliver::encode::slack::bot::CaseMessage;
use deskwarden::deliver::encode::{pagerduty, slack, teams, webhook};
use deskwarden::deliver::notice::Notice;
use deskwarden::deliver::pii::Masking;
use deskwarden::deliver::route::Decision;
use serde_json::Value;

use crate::golden;
use crate::receivers::{self, RECEIVERS, encode, notice};

const CASES: [(&str, Decision); 5] = [
    ("created", Decision::Trigger),
    ("amended", Decision::Update),
    ("retracted", Decision::Resolve),
    ("disposition", Decision::Resolve),
    ("ticket", Decision::Trigger),
];

fn path(of: &str) -> PathBuf {
    let root = env!("CARGO_MANIFEST_DIR");
    PathBuf::from(format!("{root}/tests/deliver/golden/{of}.txt"))
}

/// JSON over several lines; the document in it, which the tests of protocols compare, as its length.
fn readable(message: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(message) else {
        return message.to_owned();
    };
    for key in ["alert", "event"] {
        let document = value.get_mut(key).filter(|d| d["class_uid"] == 2004);
        if let Some(document) = document {
            *document = "(the document)".into();
        }
    }
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn messages_are_as_they_were() {
    let mut faults = Vec::new();
    for receiver in RECEIVERS {
        let mut text = String::new();
        for (name, decision) in CASES {
            let message = encode(receiver, &notice(name), decision, Masking::Mask);
            let readable = readable(&message);
            writeln!(text, "== {name}: {}\n{readable}", decision.as_str()).unwrap();
        }
        faults.extend(golden::check(&path(receiver), &text).err());
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What a bot says of a case: its message at first, how that changes, and what stands below it.
#[test]
fn messages_of_a_bot_are_as_they_were() {
    let mut text = String::new();
    let ts = "1503435956.000247";
    for (name, decision) in CASES {
        let bot = receivers::slack_bot(Masking::Mask);
        let message = CaseMessage::of(&notice(name), decision, &bot);
        for (what, body) in [
            ("chat.postMessage", message.first()),
            ("chat.update", message.update(ts)),
            ("chat.postMessage in the thread", message.reply(ts).unwrap()),
        ] {
            let readable = readable(&body);
            writeln!(text, "== {name}: {}, {what}\n{readable}", decision.as_str()).unwrap();
        }
    }
    golden::check(&path("slack_bot"), &text).unwrap();
}

pub fn storm() -> Digest {
    let link = Some("https://desk.example.com/".to_owned());
    let mut digest = Digest::new("storm-1", Timestamp(0), link, Masking::Mask);
    let at = Timestamp(60_000);
    for name in ["created", "retracted", "ticket"] {
        digest.add(&notice(name), Decision::Trigger, at);
    }
    for n in 0..37_u8 {
        let mut notice = notice("ticket");
        notice.alert.id = format!("{n:032x}");
        notice.alert.severity_id = 2 + n % 3;
        notice.alert.score = n;
        digest.add(&notice, Decision::Trigger, at);
    }
    digest.add(&notice("retracted"), Decision::Resolve, at);
    digest
}

#[test]
fn digests_are_as_they_were() {
    let digest = storm();
    let pager = receivers::pagerduty(Masking::Mask);
    let messages = [
        (
            "pagerduty",
            pagerduty::digest(&digest, Decision::Trigger, &pager),
        ),
        (
            "pagerduty, over",
            pagerduty::digest(&digest, Decision::Resolve, &pager),
        ),
        ("slack", slack::digest(&digest)),
        ("teams", teams::digest(&digest)),
        ("webhook", webhook::digest(&digest)),
    ];
    let mut text = String::new();
    for (receiver, message) in messages {
        writeln!(text, "== {receiver}\n{}", readable(&message)).unwrap();
    }
    golden::check(&path("digest"), &text).unwrap();
}

/// The schema of a vendor, as written down in `tests/deliver/schemas`.
pub fn schema(of: &str) -> jsonschema::Validator {
    let root = env!("CARGO_MANIFEST_DIR");
    let text = std::fs::read_to_string(format!("{root}/tests/deliver/schemas/{of}.json"));
    jsonschema::validator_for(&serde_json::from_str(&text.unwrap()).unwrap()).unwrap()
}

#[track_caller]
pub fn validate(schema: &jsonschema::Validator, message: &str) {
    let value: Value = serde_json::from_str(message).unwrap();
    let faults: Vec<String> = schema
        .iter_errors(&value)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:?}\n{message}");
}

#[test]
fn messages_hold_to_the_schemas_of_the_vendors() {
    for receiver in ["pagerduty", "alertmanager", "teams"] {
        let schema = schema(receiver);
        for name in [
            "created",
            "amended",
            "retracted",
            "disposition",
            "ticket",
            "flood",
            "caller",
        ] {
            for decision in [Decision::Trigger, Decision::Update, Decision::Resolve] {
                for masking in [Masking::Mask, Masking::Full, Masking::None] {
                    validate(&schema, &encode(receiver, &notice(name), decision, masking));
                }
            }
        }
    }
    let pager = receivers::pagerduty(Masking::Mask);
    validate(
        &schema("pagerduty"),
        &pagerduty::digest(&storm(), Decision::Trigger, &pager),
    );
    validate(&schema("teams"), &teams::digest(&storm()));
}

#[test]
fn a_schema_refuses_what_the_vendor_would() {
    let schema = schema("pagerduty");
    let message = encode(
        "pagerduty",
        &notice("created"),
        Decision::Trigger,
        Masking::Mask,
    );
    let mut event: Value = serde_json::from_str(&message).unwrap();
    event["payload"]["severity"] = "high".into();
    assert!(!schema.is_valid(&event));
    event["payload"]["severity"] = "error".into();
    assert!(schema.is_valid(&event));
    event.as_object_mut().unwrap().remove("payload");
    assert!(!schema.is_valid(&event));
}

#[test]
fn the_documents_of_the_page_make_messages_too() {
    let path = format!("{}/tests/page/alerts.json", env!("CARGO_MANIFEST_DIR"));
    let all: BTreeMap<String, Value> =
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let documents = all.values().filter_map(Value::as_array).flatten();
    let documents: Vec<&Value> = documents.filter(|d| d["class_uid"] == 2004).collect();
    assert!(!documents.is_empty());
    let pager = schema("pagerduty");
    for document in documents {
        let notice = Notice::read(document.to_string().as_bytes()).unwrap();
        let begin: String = notice.message.chars().take(85).collect();
        assert!(notice.summary().contains(&begin), "{}", notice.summary());
        let message = encode("pagerduty", &notice, Decision::Trigger, Masking::Mask);
        validate(&pager, &message);
    }
}
