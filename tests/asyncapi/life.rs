//! One life of the daemon's loops, on the in-memory log: what the examples of the source messages say comes
//! in, and every record that comes of it is kept, with key and headers.

use std::collections::BTreeMap;
use std::sync::Arc;

use deskwarden::collect::block;
use deskwarden::collect::map::{Outcome, Tapes, map_record};
use deskwarden::collect::record::Record;
use deskwarden::collect::setup::{Product, SourceSetup};
use deskwarden::collect::text::Lexicon;
use deskwarden::collect::time::{HOUR_MS, SECOND_MS, Timestamp};
use deskwarden::correlate::control::{Control, SourceDeclared};
use deskwarden::correlate::engine::{Effects, Engine, Setup};
use deskwarden::correlate::rules;
use deskwarden::edge::commands::local::{Local, LocalSource};
use deskwarden::edge::config::{Config, usual};
use deskwarden::edge::log::records::{self, Fault, Outgoing};
use deskwarden::edge::log::topics::Topic;
use deskwarden::edge::log::{OwnedRecord, Partition, ProduceRecord};
use serde_json::Value;

use crate::document::Document;

/// The sources in the order in which they are read, each with its message.
const SOURCES: [(&str, &str); 6] = [
    ("hris", EXPORT),
    ("okta_users", EXPORT),
    ("servicenow", "servicenow"),
    ("amazon_connect", "amazonConnect"),
    ("canonical", "canonical"),
    ("okta", "okta"),
];
/// The message of directory exports; each of its examples has the name of its product.
const EXPORT: &str = "directoryExport";
/// 2026-03-02 08:22:00 UTC: the examples are read a moment after what they tell of.
const START: Timestamp = Timestamp(1_772_439_720_000);
/// A moment by which every deadline is over.
const AFTER_MS: i64 = 6 * HOUR_MS;

/// What was written to the topics of ours.
pub struct Life {
    written: BTreeMap<Topic, Vec<OwnedRecord>>,
    engines: Vec<Outgoing>,
}

impl Life {
    pub fn of(document: &Document, config: &Config) -> Self {
        let mut local = started(config);
        for (source, message) in SOURCES {
            for example in document.message(message).examples() {
                if message == EXPORT && example["name"] != source {
                    continue;
                }
                let bytes = example["payload"].to_string();
                local.feed(source, bytes.as_bytes()).unwrap();
                local.work().unwrap();
                local.pass(local.now().plus(SECOND_MS)).unwrap();
            }
        }
        let cut = document.message("deadLetter");
        let cut = cut.example("cut")["payload"].as_str().unwrap().to_owned();
        local.feed("okta", cut.as_bytes()).unwrap();
        local.work().unwrap();
        local.pass(START.plus(AFTER_MS)).unwrap();
        local.work().unwrap();
        decide(&local, document);
        local.work().unwrap();
        Self::read(&local, config)
    }

    /// Everything that lies in the topics. Logs in memory keep no headers: those of alerts and audit records
    /// are made again, of the same events.
    fn read(local: &Local, config: &Config) -> Self {
        let mut written = BTreeMap::new();
        let mut engines = Vec::new();
        for topic in Topic::ALL {
            let name = local.names().of(topic);
            let of = |number| {
                local
                    .broker()
                    .read(&Partition::new(Arc::clone(name), number))
            };
            let records: Vec<Vec<OwnedRecord>> = (0..config.kafka.partitions).map(of).collect();
            if topic == Topic::Events {
                for (number, blocks) in (0..).zip(&records) {
                    engines.extend(published(config, number, blocks));
                }
            }
            written.insert(topic, records.into_iter().flatten().collect());
        }
        Self { written, engines }
    }

    pub fn written(&self, topic: Topic) -> &[OwnedRecord] {
        &self.written[&topic]
    }

    /// The records of a topic with their headers.
    pub fn outgoing(&self, topic: Topic) -> Vec<Outgoing> {
        let records = self.written(topic).iter();
        records
            .map(|record| self.with_headers(topic, record))
            .collect()
    }

    fn with_headers(&self, topic: Topic, record: &OwnedRecord) -> Outgoing {
        let made = match topic {
            Topic::Alerts | Topic::Audit => {
                let made = self.engines.iter().find(|made| made.value == record.value);
                made.expect("what the engine says").clone()
            }
            Topic::DeadLetter => letter(record),
            Topic::Directory => {
                let account = serde_json::from_slice(record.value.as_deref().unwrap());
                records::account(&account.unwrap())
            }
            _ => Outgoing {
                partition: record.partition.number,
                key: record.key.clone(),
                headers: Vec::new(),
                value: record.value.clone(),
            },
        };
        assert_eq!((&made.key, &made.value), (&record.key, &record.value));
        assert_eq!(made.partition, record.partition.number);
        made
    }
}

fn started(config: &Config) -> Local {
    let sources = config.sources.iter().map(|source| {
        let setup = SourceSetup::new(&source.setup.name, source.setup.product);
        LocalSource::new(setup, usual(source.setup.product).evidence.to_vec())
    });
    let rules = Arc::new(rules::embedded_set().unwrap());
    let tools = (
        config.identity_settings(),
        Arc::new(Lexicon::embedded().unwrap()),
    );
    Local::new(&config.tenant, rules, sources.collect(), tools, START).unwrap()
}

/// The disposition of the example, as the API writes it.
fn decide(local: &Local, document: &Document) {
    let message = document.message("controlEntry");
    let entry = &message.example("disposition")["payload"];
    let key = format!(
        "disposition/{}/{}",
        entry["alert"].as_str().unwrap(),
        entry["revision"]
    );
    let value = entry.to_string();
    let record = ProduceRecord {
        topic: local.names().of(Topic::Control),
        partition: 0,
        key: Some(key.as_bytes()),
        headers: &[],
        value: Some(value.as_bytes()),
    };
    local.broker().append(&record, local.now()).unwrap();
}

/// What the engine of a partition publishes of its blocks.
fn published(config: &Config, partition: i32, blocks: &[OwnedRecord]) -> Vec<Outgoing> {
    let rules = Arc::new(rules::embedded_set().unwrap());
    let mut engine = Engine::new(Arc::new(Setup::new(&config.tenant, rules)));
    let mut made = Vec::new();
    for record in blocks {
        let mut effects = Effects::default();
        engine.advance(record.timestamp, &mut effects);
        for entry in block::decode(record.value.as_deref().unwrap()).unwrap() {
            engine.handle(&entry, &mut effects).unwrap();
        }
        let alerts = effects.alerts.iter();
        made.extend(alerts.map(|alert| records::alert(partition, alert)));
        let sealed = effects.sealed.iter();
        made.extend(sealed.map(|record| records::audit(partition, record)));
    }
    made
}

/// The dead letter of the record that was cut, which lies behind the examples of its source.
fn letter(written: &OwnedRecord) -> Outgoing {
    let source = Record {
        topic: "source.okta",
        partition: 0,
        offset: 2,
        ingest_ts: written.timestamp,
        value: written.value.as_deref().unwrap(),
    };
    let mut mapped = Vec::new();
    let setup = SourceSetup::new("okta", Product::Okta);
    map_record(&source, &setup, &mut Tapes::default(), &mut mapped);
    let outcome = mapped.pop().map(|item| item.outcome);
    let Some(Outcome::Reject(reject)) = outcome else {
        panic!("the record is read");
    };
    records::dead_letter(&source, Fault::of(&reject))
}

/// What `topics apply` writes of a source.
pub fn declared(config: &Config, name: &str) -> Value {
    let mut sources = config.sources.iter();
    let source = sources.find(|source| source.setup.name == name).unwrap();
    serde_json::to_value(Control::SourceDeclared(SourceDeclared {
        name: source.setup.name.clone(),
        product: source.setup.product.as_str().to_owned(),
        topic: source.topic.clone(),
        partitions: 1,
        domains: source.domains.clone(),
        bound_ms: source.bound_ms,
        lateness_ms: source.lateness_ms,
        evidence: source.evidence.clone(),
    }))
    .unwrap()
}
