//! Revisions of cases by themselves, made from a document that the engine wrote: for tests of sinks, which
//! read nothing but the alerts topic.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared by tests, each of which uses a part; a test may panic"
)]

use std::fs;
use std::sync::Arc;

use deskwarden::edge::log::topics::{Names, Topic};
use deskwarden::edge::log::{OwnedRecord, Partition};
use rdkafka::producer::{BaseRecord, Producer as _};
use serde_json::{Value, json};

use crate::world::{self, PARTITIONS, PATIENCE, World, read_all};

/// One revision of a case, made from a document that the engine wrote.
pub struct Revision {
    pub case: u64,
    pub number: u64,
    /// Severity and page of this one, of the one before, and the highest.
    pub now: (u8, bool),
    pub before: (u8, bool),
    pub peak: (u8, bool),
    pub is_closed: bool,
}

const CREATED: &str = include_str!("../ocsf/created.json");

pub fn id(case: u64) -> String {
    format!("{case:032x}")
}

impl Revision {
    pub fn new(
        case: u64,
        number: u64,
        now: (u8, bool),
        before: (u8, bool),
        peak: (u8, bool),
    ) -> Self {
        Self {
            case,
            number,
            now,
            before,
            peak,
            is_closed: false,
        }
    }

    /// A critical case that pages, in its first revision.
    pub fn first(case: u64) -> Self {
        Self::new(case, 1, (5, true), (0, false), (5, true))
    }

    pub fn closing(self) -> Self {
        Self {
            is_closed: true,
            ..self
        }
    }

    pub fn document(&self) -> Value {
        let mut document: Value = serde_json::from_str(CREATED).unwrap();
        let said = |(severity, page): (u8, bool)| json!({"severity_id": severity, "page": page});
        let activity = match (self.number, self.is_closed) {
            (_, true) => 3,
            (1, false) => 1,
            (_, false) => 2,
        };
        document["activity_id"] = json!(activity);
        document["type_uid"] = json!(200_400 + activity);
        document["status_id"] = json!(if self.is_closed { 4 } else { 1 });
        document["is_alert"] = json!(!self.is_closed);
        document["severity_id"] = json!(self.now.0);
        document["finding_info"]["uid"] = json!(id(self.case));
        document["metadata"]["uid"] = json!(format!("{}:{}", id(self.case), self.number));
        document["metadata"]["sequence"] = json!(self.number);
        document["metadata"]["correlation_uid"] = json!(id(self.case));
        document["unmapped"]["dedup_key"] = json!(id(self.case));
        document["unmapped"]["page"] = json!(self.now.1);
        document["unmapped"]["before"] = said(self.before);
        document["unmapped"]["peak"] = said(self.peak);
        if self.is_closed {
            document["status_detail"] = json!("quiet_period");
        }
        document
    }
}

/// What a test of sinks does with a world.
pub trait Alerts {
    fn publish(&self, revision: &Revision);
    fn publish_bytes(&self, partition: i32, key: &str, value: &[u8]);
    fn sinks(&self, text: &str);
    fn deliverer(&self, name: &str) -> world::Instance;
    fn all(&self, topic: Topic) -> Vec<OwnedRecord>;
}

impl Alerts for World {
    fn publish(&self, revision: &Revision) {
        let partition = i32::try_from(revision.case).unwrap() % PARTITIONS;
        let value = serde_json::to_vec(&revision.document()).unwrap();
        self.publish_bytes(partition, &id(revision.case), &value);
    }

    fn publish_bytes(&self, partition: i32, key: &str, value: &[u8]) {
        let topic = Topic::Alerts.name(&self.prefix);
        let record = BaseRecord::to(&topic)
            .partition(partition)
            .key(key)
            .payload(value);
        self.producer
            .send(record)
            .map_err(|(error, _)| error)
            .unwrap();
        self.producer.flush(PATIENCE).unwrap();
    }

    fn sinks(&self, text: &str) {
        self.write_config(&world::SOURCES);
        let config = fs::read_to_string(self.config()).unwrap();
        fs::write(self.config(), format!("{config}sinks:\n{text}")).unwrap();
    }

    fn deliverer(&self, name: &str) -> world::Instance {
        let settings = ["role=deliver".to_owned()];
        // Its addresses are read from its log: what an earlier one said is no longer true.
        let log = self.folder.join(format!("{name}.log"));
        drop(fs::rename(&log, log.with_extension("before")));
        let instance = self.start_with(name, &settings);
        self.until_ready(name);
        instance
    }

    fn all(&self, topic: Topic) -> Vec<OwnedRecord> {
        let name = Names::new(&self.prefix).of(topic).clone();
        let partitions = topic.partitions(PARTITIONS);
        let mut log = self.reader();
        (0..partitions)
            .flat_map(|n| read_all(&mut log, &Partition::new(Arc::clone(&name), n)))
            .collect()
    }
}
