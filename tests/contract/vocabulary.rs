//! The schemas of what is read and written as plain types: every field and every word of the types is in
//! the schema, and nothing else.

use std::collections::BTreeSet;

use deskwarden::collect::directory::{AccountRecord, ExportSetup, NameUse, Strength, read_item};
use deskwarden::collect::event::*;
use deskwarden::collect::map::{Outcome as Mapped, Tapes, map_record};
use deskwarden::collect::parse::{Tape, parse_text};
use deskwarden::collect::setup::{Product, SourceSetup};
use deskwarden::collect::time::TimeQuality;
use deskwarden::collect::{Record, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::schemas::{closed, is_valid, valid};

const EVENT: &str = "event.v1.json";
const DIRECTORY: &str = "directory.v1.json";

fn schema(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let text = std::fs::read_to_string(path.join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The words of a closed list, as the refusal of another one names them.
fn words<T: DeserializeOwned>() -> BTreeSet<String> {
    let refusal = serde_json::from_value::<T>(json!("no word of any list"));
    let refusal = refusal.err().unwrap().to_string();
    let quoted = refusal.split('`').skip(1).step_by(2).skip(1);
    quoted.map(str::to_owned).collect()
}

fn listed(schema: &Value) -> BTreeSet<String> {
    let list = schema["enum"]
        .as_array()
        .unwrap_or_else(|| panic!("{schema}"));
    list.iter()
        .map(|word| word.as_str().unwrap().to_owned())
        .collect()
}

/// Where a schema holds the fields of an object: behind references and beside null.
fn object<'s>(root: &'s Value, schema: &'s Value) -> Option<&'s Value> {
    if let Some(place) = schema["$ref"].as_str() {
        return object(root, root.pointer(place.trim_start_matches('#')).unwrap());
    }
    if schema.get("properties").is_some() {
        return Some(schema);
    }
    let mut others = schema["anyOf"].as_array().into_iter().flatten();
    others.find_map(|other| object(root, other))
}

/// Every object of a document has the keys of its schema, and its schema has no others. How many objects.
fn same_fields(root: &Value, schema: &Value, document: &Value, at: &str) -> usize {
    if let Value::Array(items) = document {
        assert!(!items.is_empty(), "{at}: an item is needed");
        let schema = &schema["items"];
        return items
            .iter()
            .map(|item| same_fields(root, schema, item, at))
            .sum();
    }
    let Value::Object(map) = document else {
        return 0;
    };
    let schema = object(root, schema).unwrap_or_else(|| panic!("{at}: no object in the schema"));
    let fields = schema["properties"].as_object().unwrap();
    let keys: BTreeSet<&String> = map.keys().collect();
    assert_eq!(keys, fields.keys().collect(), "{at}");
    let inner = map
        .iter()
        .map(|(key, value)| same_fields(root, &fields[key], value, &format!("{at}/{key}")));
    1 + inner.sum::<usize>()
}

/// An event with every group, every field of them as its type writes it.
fn whole_event() -> Value {
    let role = json!({"handles": [{"kind": "email", "value": "x"}], "delegates": ["hris:E2"],
        "resolution": {"candidates": ["hris:E1"]}});
    let span = json!({"cue": "urgency", "phrase_id": "p", "start": 0, "end": 1});
    let event: Event = serde_json::from_value(json!({
        "domain": "idp", "action": "auth.login", "target": role, "requester": role, "agent": role,
        "approver": role, "caller": role, "target_facts": {}, "agent_facts": {}, "approval": {},
        "contact": {}, "ticket_ref": {"assignee": ["hris:E1"]}, "call_ref": {}, "correlation": {},
        "phone": {"ani": {"kind": "phone", "value": "x"}, "of_record": [{}],
            "callback_number": {"kind": "phone", "value": "x"}},
        "device": {}, "network": {}, "factor": {}, "app": {}, "policy": {},
        "request": {"claims": ["locked_out"]}, "reason": {}, "text": {"pressure": {"cues": [span]}},
        "verification": {}, "risk": {"reasons": ["r"]}, "changed": [{}],
    }))
    .unwrap();
    serde_json::to_value(event).unwrap()
}

fn whole_account() -> Value {
    let account: AccountRecord = serde_json::from_value(json!({
        "system": "hris", "id": "E1", "managers": [{"name": "E2"}], "delegates": ["E3"],
        "handles": [{"kind": "email", "value": "x", "name_use": "alias", "strength": "S2"}],
    }))
    .unwrap();
    serde_json::to_value(account).unwrap()
}

#[test]
fn every_field_is_in_the_schema_and_no_other() {
    for (name, document, objects) in [(EVENT, whole_event(), 41), (DIRECTORY, whole_account(), 4)] {
        let root = schema(name);
        assert_eq!(same_fields(&root, &root, &document, ""), objects, "{name}");
        valid(name, &document);
        closed(name, &document);
    }
    // What is written holds every key, what is read need not.
    let (account, mut all) = (whole_account(), Vec::new());
    keys(&account, "", &mut all);
    for (at, key) in all {
        let without = changed(&account, &at, &key, None);
        assert!(
            !is_valid(DIRECTORY, &without),
            "an account without {at}/{key}"
        );
    }
}

#[test]
fn every_word_is_in_the_schema_and_no_other() {
    let event = schema(EVENT);
    let lists: [(&str, BTreeSet<String>); 26] = [
        ("action", words::<Action>()),
        ("agent_kind", words::<AgentKind>()),
        ("app_class", words::<AppClass>()),
        ("band", words::<Band>()),
        ("channel", words::<Channel>()),
        ("claim", words::<Claim>()),
        ("cue", words::<Cue>()),
        ("decision", words::<Decision>()),
        ("direction", words::<Direction>()),
        ("domain", words::<Domain>()),
        ("factor_type", words::<FactorType>()),
        ("handle_kind", words::<HandleKind>()),
        ("lifecycle", words::<Lifecycle>()),
        ("origin", words::<Origin>()),
        ("outcome", words::<Outcome>()),
        ("policy_class", words::<PolicyClass>()),
        ("policy_effect", words::<PolicyEffect>()),
        ("reason_quality", words::<ReasonQuality>()),
        ("request_class", words::<RequestClass>()),
        ("resolution_status", words::<ResolutionStatus>()),
        ("risk_kind", words::<RiskKind>()),
        ("ternary", words::<Ternary>()),
        ("ticket_status", words::<TicketStatus>()),
        ("tier", words::<Tier>()),
        ("time_quality", words::<TimeQuality>()),
        ("verification_method", words::<VerificationMethod>()),
    ];
    let said = event["$defs"].as_object().unwrap();
    let said = said.iter().filter(|(_, said)| said.get("enum").is_some());
    assert_eq!(said.count(), lists.len());
    for (name, words) in &lists {
        assert!(words.len() > 1, "{name}");
        assert_eq!(listed(&event["$defs"][name]), *words, "{name}");
    }
    let directory = schema(DIRECTORY);
    let handle = &directory["$defs"]["handle"]["properties"];
    assert_eq!(listed(&handle["kind"]), words::<HandleKind>());
    assert_eq!(listed(&handle["name_use"]), words::<NameUse>());
    assert_eq!(listed(&handle["strength"]), words::<Strength>());
    assert_eq!(listed(&directory["$defs"]["tier"]), words::<Tier>());
    assert_eq!(listed(&directory["$defs"]["ternary"]), words::<Ternary>());
    assert_eq!(
        listed(&directory["properties"]["lifecycle"]),
        words::<Lifecycle>()
    );
}

#[test]
fn the_systems_of_accounts_are_those_of_exports() {
    let exports = [
        ("hris", r#"{"employee_id":"E1"}"#),
        ("okta", r#"{"id":"00u1"}"#),
        ("entra", r#"{"id":"e1"}"#),
        ("servicenow", r#"{"sys_id":"ab"}"#),
        ("zendesk", r#"{"id":1}"#),
        ("jira", r#"{"accountId":"a1"}"#),
        (
            "contact_centre",
            r#"{"agentArn":"arn:aws:connect:x:1:instance/i/agent/a"}"#,
        ),
        ("contact_centre", r#"{"id":"g1"}"#),
    ];
    let systems = exports.map(|(system, item)| {
        let mut tape = Tape::default();
        let item = parse_text(&mut tape, item).unwrap();
        let account = read_item(system, item, &ExportSetup::default()).unwrap();
        valid(DIRECTORY, &serde_json::to_value(&account).unwrap());
        account.system
    });
    let said = listed(&schema(DIRECTORY)["properties"]["system"]);
    assert_eq!(said, systems.into_iter().collect());
}

/// Whether a canonical source takes a record.
fn taken(value: &[u8]) -> bool {
    let record = Record {
        topic: "canonical",
        partition: 0,
        offset: 0,
        ingest_ts: Timestamp(1_900_000_000_000),
        value,
    };
    let mut mapped = Vec::new();
    let setup = SourceSetup::new("canonical", Product::Canonical);
    map_record(&record, &setup, &mut Tapes::default(), &mut mapped);
    mapped
        .iter()
        .all(|item| matches!(item.outcome, Mapped::Events(_)))
}

/// Every key of a document, as object and key.
fn keys(value: &Value, at: &str, all: &mut Vec<(String, String)>) {
    let rows: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, inner)| (key.clone(), inner))
            .collect(),
        Value::Array(list) => (0..)
            .zip(list)
            .map(|(n, inner): (u32, _)| (n.to_string(), inner))
            .collect(),
        _ => Vec::new(),
    };
    for (key, inner) in rows {
        keys(inner, &format!("{at}/{key}"), all);
        if value.is_object() {
            all.push((at.to_owned(), key));
        }
    }
}

/// A document with another value at a key, or without the key.
fn changed(document: &Value, at: &str, key: &str, other: Option<Value>) -> Value {
    let mut changed = document.clone();
    let object = changed.pointer_mut(at).unwrap().as_object_mut().unwrap();
    object.remove(key);
    object.extend(other.map(|other| (key.to_owned(), other)));
    changed
}

/// The document once without each key, and once with null there.
fn variants(document: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    keys(document, "", &mut all);
    let mut variants = Vec::new();
    for (at, key) in all {
        for other in [None, Some(Value::Null)] {
            variants.push(changed(document, &at, &key, other));
        }
    }
    variants
}

#[test]
fn the_schema_of_events_and_their_reader_agree() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vendors/canonical");
    let mut records = vec![whole_event().to_string()];
    records.extend(variants(&whole_event()).iter().map(Value::to_string));
    for file in ["events.json", "least.json"] {
        let text = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
        records.extend(text.lines().map(str::to_owned));
    }
    let schema = crate::schemas::schema(EVENT);
    let (mut good, mut bad) = (0, 0);
    for record in &records {
        let fits = schema.is_valid(&serde_json::from_str(record).unwrap());
        assert_eq!(fits, taken(record.as_bytes()), "{record}");
        good += usize::from(fits);
        bad += usize::from(!fits);
    }
    assert!(good > 300 && bad > 100, "{good}, {bad}");
}
