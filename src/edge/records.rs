//! A record of a source, read again, and what the mapping makes of it: what stands behind an event of a
//! case.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::collect::identity::Settings;
use crate::collect::map::{Mapped, Outcome, Tapes, map_record};
use crate::collect::pipeline::as_written;
use crate::collect::record::Record;
use crate::collect::setup::SourceSetup;
use crate::collect::time::Timestamp;
use crate::edge::kafka::{KafkaSettings, TopicReader};
use crate::edge::log::memory::MemoryBroker;
use crate::edge::log::{LogError, OwnedRecord, Partition};

/// Where records lie.
#[derive(Debug, Clone)]
pub enum Shelf {
    /// On brokers.
    Kafka(KafkaSettings),
    /// In this process: `demo`.
    Memory(MemoryBroker),
}

/// A record as it was read, and what became of each item in it.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// Name of the source.
    pub source: String,
    /// Its topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// When the broker, or whoever wrote it, says it was written.
    pub timestamp: Timestamp,
    /// Length in bytes.
    pub length: usize,
    /// In order; one that became several events appears as often.
    pub items: Vec<Item>,
}

/// What became of one item.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    /// Place in the record, from 0.
    pub item: u32,
    /// What became of it.
    #[serde(flatten)]
    pub end: End,
}

/// How an item ended.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The canonical event, without what says nothing. Personal values are keyed, and nobody is looked
    /// up: who they were then stands in the case.
    Event(Value),
    /// It means nothing here.
    Ignored(&'static str),
    /// It cannot be used.
    Reject {
        /// A word of a closed list.
        reason: &'static str,
        /// In words.
        detail: String,
    },
}

/// The topics of the sources. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Records {
    shelf: Shelf,
    sources: Arc<BTreeMap<String, SourceSetup>>,
    settings: Arc<Settings>,
}

impl Records {
    /// Of sources, by topic.
    #[must_use]
    pub fn new(shelf: Shelf, sources: BTreeMap<String, SourceSetup>, settings: Settings) -> Self {
        Self {
            shelf,
            sources: Arc::new(sources),
            settings: Arc::new(settings),
        }
    }

    /// The source of a topic.
    #[must_use]
    pub fn source(&self, topic: &str) -> Option<&SourceSetup> {
        let source = self.sources.get(topic);
        source.filter(|setup| !setup.product.is_directory())
    }

    /// Reads one record and maps it. `None`: it is not there, or not any more. Blocks.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn show(
        &self,
        setup: &SourceSetup,
        place: &(Partition, i64),
    ) -> Result<Option<Shown>, LogError> {
        let record = match &self.shelf {
            Shelf::Kafka(settings) => read(settings, place)?,
            Shelf::Memory(broker) => broker.record(&place.0, place.1),
        };
        Ok(record.map(|record| self.mapped(setup, &record)))
    }

    fn mapped(&self, setup: &SourceSetup, owned: &OwnedRecord) -> Shown {
        let value = owned.value.as_deref().unwrap_or_default();
        let record = Record {
            topic: &owned.partition.topic,
            partition: owned.partition.number,
            offset: owned.offset,
            ingest_ts: owned.timestamp,
            value,
        };
        let mut mapped = Vec::new();
        map_record(&record, setup, &mut Tapes::default(), &mut mapped);
        Shown {
            source: setup.name.clone(),
            topic: owned.partition.topic.to_string(),
            partition: owned.partition.number,
            offset: owned.offset,
            timestamp: owned.timestamp,
            length: value.len(),
            items: mapped.into_iter().flat_map(|one| self.items(one)).collect(),
        }
    }

    fn items(&self, mapped: Mapped) -> Vec<Item> {
        let item = mapped.item;
        let ends = match mapped.outcome {
            Outcome::Events(events) => events
                .into_iter()
                .map(|event| {
                    let event = as_written(event, &self.settings);
                    let json = serde_json::to_value(&event).unwrap_or_default();
                    End::Event(without_absent(without_stamps(json)))
                })
                .collect(),
            Outcome::Ignored(reason) => vec![End::Ignored(reason)],
            Outcome::Reject(reject) => vec![End::Reject {
                reason: reject.reason.as_str(),
                detail: reject.detail.to_string(),
            }],
        };
        ends.into_iter().map(|end| Item { item, end }).collect()
    }
}

fn read(
    settings: &KafkaSettings,
    (partition, offset): &(Partition, i64),
) -> Result<Option<OwnedRecord>, LogError> {
    let mut reader = TopicReader::connect(settings)?;
    if partition.number >= reader.partition_count(&partition.topic)? {
        return Ok(None);
    }
    let ends = reader.ends(partition)?;
    if !(ends.low..ends.stable).contains(offset) {
        return Ok(None);
    }
    let mut found = None;
    let span = (partition.clone(), *offset..*offset + 1);
    reader.read_spans(&[span], |record| found = Some(record))?;
    Ok(found)
}

/// The event without what only the directory tells: of a person the names alone are left.
fn without_stamps(mut event: Value) -> Value {
    for role in ["target", "requester", "agent", "approver", "caller"] {
        if let Some(Value::Object(role)) = event.get_mut(role) {
            role.retain(|field, _| field == "handles");
        }
    }
    if let Some(Value::Object(facts)) = event.get_mut("agent_facts") {
        facts.retain(|field, _| matches!(field.as_str(), "kind" | "role" | "session_id"));
    }
    event
}

/// The value without what says nothing: nulls, empty lists and empty objects.
#[must_use]
pub fn without_absent(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, without_absent(value)))
            .filter(|(_, value)| !is_absent(value))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_absent).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
