//! The public schemas, as closed contracts: what is written fits them, what is foreign does not.

use std::path::Path;

use serde_json::{Value, json};

pub fn schema(name: &str) -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("schemas")
        .join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("no {}", path.display()));
    let schema: Value = serde_json::from_str(&text).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

fn faults(name: &str, document: &Value) -> Vec<String> {
    let validator = schema(name);
    let fault =
        |fault: jsonschema::ValidationError<'_>| format!("{}: {fault}", fault.instance_path());
    validator.iter_errors(document).map(fault).collect()
}

pub fn valid(name: &str, document: &Value) {
    let faults = faults(name, document);
    assert!(
        faults.is_empty(),
        "{name}\n{}\n{document}",
        faults.join("\n")
    );
}

pub fn is_valid(name: &str, document: &Value) -> bool {
    schema(name).is_valid(document)
}

/// The schema lets no foreign key pass anywhere in a document, and no value of another type.
pub fn closed(name: &str, document: &Value) {
    assert_eq!(planted(name, document), (0, 0), "{name}");
}

/// Plants a foreign key into every object of a document, and takes every key out of it, one at a time.
/// How many of each the schema lets pass.
fn planted(name: &str, document: &Value) -> (usize, usize) {
    fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                all.push(at.to_owned());
                for (key, inner) in map {
                    pointers(inner, &format!("{at}/{key}"), all);
                }
            }
            Value::Array(list) => {
                for (n, inner) in list.iter().enumerate() {
                    pointers(inner, &format!("{at}/{n}"), all);
                }
            }
            _ => {}
        }
    }
    let validator = schema(name);
    let mut all = Vec::new();
    pointers(document, "", &mut all);
    let mut foreign = 0;
    let mut missing = 0;
    for pointer in &all {
        let mut changed = document.clone();
        let object = changed
            .pointer_mut(pointer)
            .unwrap()
            .as_object_mut()
            .unwrap();
        object.insert("foreign".into(), json!(1));
        foreign += usize::from(validator.is_valid(&changed));
        let mut changed = document.clone();
        let object = changed
            .pointer_mut(pointer)
            .unwrap()
            .as_object_mut()
            .unwrap();
        let first = object.keys().next().cloned();
        if let Some(key) = first {
            object.insert(key, json!({"of": "another type"}));
            missing += usize::from(validator.is_valid(&changed));
        }
    }
    (foreign, missing)
}

#[test]
fn the_schema_of_alerts_is_closed() {
    for name in [
        "created",
        "amended",
        "retracted",
        "ticket",
        "caller",
        "disposition",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/ocsf/{name}.json"));
        let alert: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        valid("alert.v1.json", &alert);
        assert_eq!(planted("alert.v1.json", &alert), (0, 0), "{name}");
        for key in [
            "finding_info",
            "metadata",
            "unmapped",
            "message",
            "severity_id",
            "evidences",
        ] {
            let mut without = alert.clone();
            without.as_object_mut().unwrap().remove(key);
            assert!(
                !faults("alert.v1.json", &without).is_empty(),
                "{name} without {key}"
            );
        }
    }
}

#[test]
fn the_schema_of_control_entries_and_their_reader_agree() {
    let limited = |kind: &str, scope: Value| {
        json!({"kind": kind, "scope": scope, "owner": "o", "reason": "r",
            "valid_from": "2026-03-01T00:00:00Z", "valid_to": 1_772_800_000_000_i64})
    };
    let entries = [
        limited("travel", json!({"person": "p", "countries": ["JP"]})),
        limited("device_refresh", json!({"persons": ["p"]})),
        limited(
            "incident",
            json!({"incident": "i", "commander": "c", "agents": ["a"]}),
        ),
        limited("maintenance", json!({"feed": "verify"})),
        limited(
            "batch",
            json!({"principal": "j", "targets": ["t"], "budget_per_hour": 5}),
        ),
        limited("allow_list", json!({"entity": "caller|n", "max": 5})),
        limited("shared_device", json!({"entity": "device|d", "max": 5})),
        limited("delegation", json!({"person": "p", "delegates": ["d"]})),
        limited("drill", json!({"account": "a"})),
        limited("policy", json!({"persons": ["p"]})),
        limited(
            "silence",
            json!({"patterns": ["HDT-04"], "tiers": ["standard"]}),
        ),
        json!({"kind": "disposition", "alert": "9f1c4e0b7a5d4c3e8b2a6d1f00c4e7a9", "entity": "identity|T",
            "revision": 1, "verdict": "benign", "owner": "o", "reason": "r"}),
        json!({"kind": "assignment", "alert": "9f1c4e0b7a5d4c3e8b2a6d1f00c4e7a9", "entity": "identity|T",
            "revision": 1, "assignee": "a", "owner": "o"}),
        json!({"kind": "assignment", "alert": "9f1c4e0b7a5d4c3e8b2a6d1f00c4e7a9", "entity": "identity|T",
            "revision": 1, "assignee": null, "owner": "o"}),
        json!({"kind": "source.declared", "name": "okta", "product": "okta", "topic": "t", "partitions": 1,
            "domains": ["idp"], "bound_ms": 1, "lateness_ms": 1, "evidence": ["ticket"]}),
        json!({"kind": "source.removed", "name": "okta"}),
    ];
    let read =
        |entry: &Value| deskwarden::correlate::exempt::control("x", entry.to_string().as_bytes());
    for entry in &entries {
        valid("control.v1.json", entry);
        read(entry).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(planted("control.v1.json", entry), (0, 0), "{entry}");
        for key in entry.as_object().unwrap().keys() {
            let mut without = entry.clone();
            without.as_object_mut().unwrap().remove(key);
            assert!(
                !faults("control.v1.json", &without).is_empty(),
                "{entry} without {key}"
            );
            assert!(read(&without).is_err(), "{entry} without {key}");
        }
    }
}
