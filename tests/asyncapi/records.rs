//! Records: what is written where, and examples that are real.

use std::collections::BTreeSet;

use deskwarden::collect::setup::Product;
use deskwarden::edge::config::{DEFAULTS, Stage, product_named};
use deskwarden::edge::log::key_partition;
use deskwarden::edge::log::records::Outgoing;
use deskwarden::edge::log::topics::Topic;
use deskwarden::edge::report;
use serde_json::{Map, Value, json};

use crate::config;
use crate::document::{Document, schema};
use crate::life::{Life, declared};

/// The topics whose records have a form that others read, each with its message.
const READ: [(Topic, &str); 4] = [
    (Topic::Alerts, "alert"),
    (Topic::Audit, "audit"),
    (Topic::Directory, "account"),
    (Topic::DeadLetter, "deadLetter"),
];

fn lived() -> (Document, Life) {
    let document = Document::read();
    let life = Life::of(&document, &config(&[]));
    (document, life)
}

fn headers(record: &Outgoing) -> Value {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().into();
    let headers = record.headers.iter();
    let headers: Map<String, Value> = headers
        .map(|(name, value)| ((*name).to_owned(), text(value)))
        .collect();
    headers.into()
}

/// The value of a record as examples show it.
fn payload(topic: Topic, record: &Outgoing) -> Value {
    let bytes = record.value.as_deref().unwrap();
    match topic {
        Topic::DeadLetter => String::from_utf8(bytes.to_vec()).unwrap().into(),
        _ => serde_json::from_slice(bytes).unwrap(),
    }
}

fn valid(document: &Document, schema: &Value, value: &Value, what: &str) {
    let validators = document.validators(schema);
    let faults = validators
        .iter()
        .flat_map(|validator| validator.iter_errors(value));
    let faults: Vec<String> = faults
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{what}\n{}\n{value}", faults.join("\n"));
}

#[test]
fn what_is_written_is_as_it_is_described() {
    let (document, life) = lived();
    for (topic, message) in READ {
        let says = document.message(message);
        let (key, _) = says.key(&document).unwrap();
        let records = life.outgoing(topic);
        assert!(!records.is_empty(), "{message}");
        for record in records {
            valid(
                &document,
                &says.says["payload"],
                &payload(topic, &record),
                message,
            );
            valid(&document, &says.says["headers"], &headers(&record), message);
            let bytes = record.key.unwrap();
            valid(
                &document,
                &key,
                &String::from_utf8(bytes).unwrap().into(),
                message,
            );
        }
    }
}

#[test]
fn the_partition_is_that_of_the_entity() {
    let (_, life) = lived();
    // Of the loops in memory.
    let partitions = 4;
    for record in life.outgoing(Topic::Alerts) {
        let subject = headers(&record)["ce_subject"].as_str().unwrap().to_owned();
        assert_eq!(
            record.partition,
            key_partition(subject.as_bytes(), partitions)
        );
    }
    for record in life.outgoing(Topic::Audit) {
        let body = payload(Topic::Audit, &record);
        let by = if body["stage"] == "decided" {
            &body["decision"]["id"]
        } else {
            &body["entity"]
        };
        let by = by.as_str().unwrap();
        assert_eq!(
            record.partition,
            key_partition(by.as_bytes(), partitions),
            "{body}"
        );
    }
}

#[test]
fn what_is_sent_is_what_is_written() {
    let (document, life) = lived();
    let names = document.names("/operations");
    let operations = names
        .iter()
        .map(|name| document.at(&format!("/operations/{name}")));
    let sent: Vec<Value> = operations
        .filter(|operation| operation["action"] == "send")
        .map(|operation| document.resolved(&operation["channel"])["address"].clone())
        .collect();
    for topic in Topic::ALL {
        let address = format!("{{prefix}}.{}", topic.suffix());
        let is_sent = sent.iter().filter(|sent| **sent == address).count();
        assert_eq!(
            is_sent,
            usize::from(!life.written(topic).is_empty()),
            "{address}"
        );
    }
}

/// The records of a topic as a person pastes them: key, headers and value.
fn shown(records: &[Outgoing]) -> String {
    let text = |bytes: &Option<Vec<u8>>| String::from_utf8(bytes.clone().unwrap()).unwrap();
    let line = |r: &Outgoing| format!("{}\t{}\t{}\n", text(&r.key), headers(r), text(&r.value));
    records.iter().map(line).collect()
}

#[test]
fn the_examples_are_what_comes_of_the_examples() {
    let (document, life) = lived();
    let mut wrong = String::new();
    for (topic, name) in READ {
        let message = document.message(name);
        let (_, key) = message.key(&document).unwrap();
        let records = life.outgoing(topic);
        for example in message.examples() {
            let is_it = |record: &Outgoing| {
                record.key.as_deref() == Some(key.as_bytes())
                    && payload(topic, record) == example["payload"]
                    && headers(record) == example["headers"]
            };
            if !records.iter().any(is_it) {
                let example = &example["name"];
                wrong.push_str(&format!(
                    "\n{name}: {example} is none of\n{}",
                    shown(&records)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let control = document.message("controlEntry");
    assert_eq!(
        control.example("source")["payload"],
        declared(&config(&[]), "okta")
    );
    let decided = life
        .outgoing(Topic::Audit)
        .into_iter()
        .any(|record| payload(Topic::Audit, &record)["action"] == "control.disposition");
    assert!(decided, "the disposition was not taken");
}

#[test]
fn every_example_fits_its_schemas() {
    let document = Document::read();
    for message in document.messages() {
        let name = &message.name;
        let is_own = matches!(name.as_str(), "block" | "change");
        assert_eq!(message.examples().is_empty(), is_own, "{name}");
        for example in message.examples() {
            valid(
                &document,
                &message.says["payload"],
                &example["payload"],
                name,
            );
            if let Some(headers) = message.says.get("headers") {
                valid(&document, headers, &example["headers"], name);
            }
        }
        if let Some((schema, key)) = message.key(&document) {
            valid(&document, &schema, &key.into(), name);
        }
    }
}

#[test]
fn the_reasons_of_dead_letters_are_those_that_are_counted() {
    let registry = prometheus::Registry::new();
    report::dead_letters(&registry).unwrap();
    let families = registry.gather();
    let labels = families.iter().flat_map(|family| family.get_metric());
    let labels = labels.flat_map(|metric| metric.get_label());
    let counted: BTreeSet<&str> = labels.map(|label| label.value()).collect();
    let schema = schema("dead-letter.v1.json");
    let said = schema["properties"]["reason"]["enum"].as_array().unwrap();
    assert_eq!(
        counted,
        said.iter().map(|word| word.as_str().unwrap()).collect()
    );
    let stages = [Stage::Collect, Stage::Correlate, Stage::Deliver].map(Stage::as_str);
    assert_eq!(schema["properties"]["stage"]["enum"], json!(stages));
}

#[test]
fn the_sources_are_the_products() {
    let document = Document::read();
    let names = document.names("/channels/source/messages");
    let messages = names.iter().map(|name| document.message(name));
    // The comment of the default configuration names every product; a test holds that.
    let said: Vec<String> = messages
        .flat_map(|message| {
            let name = message.says["name"].as_str().unwrap().to_owned();
            let summary = message.says["summary"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            [name, summary]
        })
        .collect();
    let said = said.join(" ");
    let has = |text: &str, word: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .any(|part| part == word)
    };
    let words = DEFAULTS.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let products: Vec<Product> = words.filter_map(product_named).collect();
    assert!(products.len() >= 11);
    for product in products {
        assert!(
            has(&said, product.as_str()),
            "no message of {}",
            product.as_str()
        );
    }
}

#[test]
fn the_version_is_that_of_the_program() {
    let document = Document::read();
    assert_eq!(document.at("/info/version"), env!("CARGO_PKG_VERSION"));
}
