//! The schema of rule files: written from the vocabulary that rules are compiled with, satisfied by
//! every shipped file, and closed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "a test may panic"
)]

#[path = "support/golden.rs"]
mod golden;

use std::path::Path;

use deskwarden::collect::event::Tier;
use deskwarden::correlate::rules::rule::Evidence;
use deskwarden::correlate::rules::signal::{Kind, fields};
use deskwarden::correlate::rules::story::KEYS;
use deskwarden::correlate::rules::terms::TERMS;
use deskwarden::correlate::rules::{COMMON, EMBEDDED};
use deskwarden::correlate::score::Family;
use serde_json::{Map, Value, json};

fn one_or_many(item: &Value) -> Value {
    json!({"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]})
}

/// A signal: `set`, `any_of`, and a row per field and modifier.
fn signal() -> Value {
    let mut rows = Map::new();
    let name = json!({"type": "string", "pattern": r"^\$[a-z_]+$"});
    rows.insert("set".into(), name);
    let alternatives = json!({"type": "array", "items": {"$ref": "#/$defs/signal"}, "minItems": 1});
    rows.insert("any_of".into(), alternatives);
    for (field, kind, words) in fields() {
        let value = match kind {
            Kind::Word => {
                let words: Vec<&str> = words.into_iter().chain(["any"]).collect();
                one_or_many(&json!({"enum": words}))
            }
            Kind::Text => one_or_many(&json!({"type": "string"})),
            Kind::Number => json!({"type": "integer"}),
            Kind::Flag => json!({"type": "boolean"}),
        };
        if kind == Kind::Number {
            for modifier in ["lt", "lte", "gte", "gt"] {
                rows.insert(format!("{field}|{modifier}"), json!({"type": "integer"}));
            }
        }
        rows.insert(format!("{field}|exists"), json!({"type": "boolean"}));
        rows.insert(field.into(), value);
    }
    json!({
        "description": "Rows `field|modifier: value`, all of which must hold; a named set; alternatives.",
        "type": "object", "properties": rows, "additionalProperties": false, "minProperties": 1
    })
}

fn closed(required: &[&str], properties: &Value) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn operator() -> Value {
    let name = json!({"type": "string"});
    let names = json!({"type": "array", "items": name, "minItems": 1});
    let span = json!({"$ref": "#/$defs/span"});
    let tier = json!({"$ref": "#/$defs/tier"});
    let conditions = json!({"$ref": "#/$defs/conditions"});
    let least = json!({"type": "integer", "minimum": 1});
    let threshold = closed(
        &["gte", "within"],
        &json!({"gte": least, "within": span, "min_tier": tier}),
    );
    let any = json!({"type": "array", "items": threshold, "minItems": 1});
    let longer = closed(
        &["min_tier", "within"],
        &json!({"min_tier": tier, "within": span}),
    );
    let operators = json!({
        "single": closed(&["signal"], &json!({"signal": name})),
        "count": closed(&["signal", "any"], &json!({
            "signal": name, "minus": name, "by_class": {"type": "boolean"}, "any": any
        })),
        "distinct": closed(&["signal", "of", "any"], &json!({
            "signal": name, "of": {"enum": ["request_key", "target", "agent"]}, "any": any
        })),
        "sequence": closed(&["steps", "within"], &json!({
            "steps": {"type": "array", "items": name, "minItems": 2}, "within": span,
            "overrides": {"type": "array", "items": longer}
        })),
        "set": closed(&["signals", "min", "within"], &json!({
            "signals": names, "min": least, "within": span
        })),
        "first_seen": closed(&["signal", "values"], &json!({
            "signal": name,
            "values": {"type": "array", "items": {"enum": ["device", "asn", "country"]}, "minItems": 1}
        })),
        "absence": closed(&["after", "deadline", "missing"], &json!({
            "after": name, "expect": name, "such_that": conditions, "cleared_by": conditions,
            "lookback": span, "deadline": span, "missing": {"type": "string", "minLength": 1}
        })),
    });
    let mut one = closed(&[], &operators);
    one["minProperties"] = json!(1);
    one["maxProperties"] = json!(1);
    one
}

fn test() -> Value {
    let keys = KEYS.join("|");
    let event = format!(r"^-?[0-9][0-9a-z]* [a-z_.]+( ({keys})=\S+)*$");
    let person = r"^[^\s=]+( (tier|manager|delegate|weak)=\S+)*$";
    let lines =
        |pattern: &str| json!({"type": "array", "items": {"type": "string", "pattern": pattern}});
    closed(
        &["name", "events", "expect"],
        &json!({
            "name": {"type": "string", "minLength": 1},
            "people": lines(person),
            "events": lines(&event),
            "expect": lines(r"^[a-z]+\|\S+ @-?[0-9][0-9a-z]* [0-9]+$"),
        }),
    )
}

fn schema() -> Value {
    let terms: Vec<&str> = TERMS.iter().map(|(name, _)| *name).collect();
    let term = format!(r"^(not )?({})\(.*\)$", terms.join("|"));
    let tiers: Vec<&str> = Tier::ALL.iter().map(|tier| tier.as_str()).collect();
    let families: Vec<&str> = Family::ALL.iter().map(|family| family.as_str()).collect();
    let evidence: Vec<&str> = Evidence::ALL.iter().map(|(name, _)| *name).collect();
    let conditions = json!({"$ref": "#/$defs/conditions"});
    let bonus = closed(
        &["points", "any"],
        &json!({"points": {"type": "integer"}, "any": conditions, "unless": conditions}),
    );
    let score = closed(
        &["points", "family"],
        &json!({
            "points": {"type": "integer", "minimum": 1, "maximum": 95},
            "family": {"enum": families},
            "bonus": {"type": "array", "items": bonus},
            "counter_evidence": {"type": "boolean"},
        }),
    );
    let text = json!({"type": "string", "minLength": 1});
    let texts = json!({"type": "array", "items": text});
    let kinds = ["identity", "ticket", "agent", "caller", "device", "address"];
    let mut schema = closed(
        &[
            "id",
            "title",
            "version",
            "description",
            "signals",
            "match",
            "score",
        ],
        &json!({
            "id": {"type": "string", "pattern": "^[A-Za-z]+-[0-9]+[a-z]*$"},
            "title": text,
            "version": {"type": "integer", "minimum": 0},
            "status": {"enum": ["enabled", "shadow", "off"]},
            "tags": texts,
            "description": text,
            "falsepositives": texts,
            "entities": {"type": "array", "items": {"enum": kinds}, "minItems": 1},
            "evidence": {"enum": evidence},
            "signals": {
                "type": "object", "minProperties": 1, "maxProperties": 12,
                "additionalProperties": {"$ref": "#/$defs/signal"}
            },
            "match": operator(),
            "when": conditions, "when_any": conditions, "unless": conditions,
            "min_tier": {"$ref": "#/$defs/tier"},
            "score": score,
            "tests": {"type": "array", "items": test()},
        }),
    );
    let set = closed(
        &["name", "signal"],
        &json!({"name": {"type": "string", "pattern": r"^\$[a-z_]+$"}, "signal": {"$ref": "#/$defs/signal"}}),
    );
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Deskwarden rule, version 1: one document of a rule file");
    schema["$defs"] = json!({
        "span": {"type": "string", "pattern": "^(0|-?[0-9]+[smhd])$"},
        "tier": {"enum": tiers},
        "conditions": {"type": "array", "items": {"type": "string", "pattern": term}},
        "signal": signal(),
        "common": closed(&["sets"], &json!({"sets": {"type": "array", "items": set}})),
    });
    schema
}

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

fn faults(schema: &Value, document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    let faults = validator.iter_errors(document);
    faults
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect()
}

#[test]
fn the_schema_is_that_of_the_vocabulary() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/rule.v1.json");
    let written = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    golden::check(&path, &written).unwrap_or_else(|_| {
        panic!("schemas/rule.v1.json is not that of the vocabulary; GOLDEN=update rewrites it")
    });
}

#[test]
fn every_shipped_file_satisfies_it() {
    let schema = schema();
    for (name, text) in EMBEDDED {
        for document in documents(text) {
            assert_eq!(faults(&schema, &document), [""; 0], "{name}");
        }
    }
    let mut common = schema;
    common["$ref"] = json!("#/$defs/common");
    for key in ["properties", "required", "additionalProperties", "type"] {
        common.as_object_mut().unwrap().remove(key);
    }
    assert_eq!(faults(&common, &documents(COMMON.1)[0]), [""; 0]);
}

#[test]
fn planted_errors_are_refused() {
    let schema = schema();
    let (_, text) = EMBEDDED[1];
    for (right, wrong) in [
        ("title:", "titel:"),
        ("id: HDT-03a", "id: three"),
        ("version: 1", "version: one"),
        ("evidence: callback", "evidence: call-back"),
        ("{set: $callback}", "{sets: $callback}"),
        ("{set: $callback}", "{set: $callback, outcome: sucess}"),
        ("{set: $callback}", "{call_ref.connected_s|gteq: 15}"),
        ("absence:", "abscence:"),
        ("deadline: 15m", "deadline: 15 minutes"),
        ("    missing: call-back to a number of record\n", ""),
        ("lookback: 60m", "look_back: 60m"),
        ("contact_by(voice", "contact_via(voice"),
        ("points: 45", "points: 450"),
        ("family: governance", "family: goverment"),
        ("target=T agent=A", "target=T agnt=A"),
        ("\"identity|T @8m 45\"", "\"identity|T 45\""),
    ] {
        assert!(text.contains(right), "{right}");
        let planted = documents(&text.replacen(right, wrong, 1));
        assert_ne!(faults(&schema, &planted[0]), [""; 0], "{wrong}");
    }
}
