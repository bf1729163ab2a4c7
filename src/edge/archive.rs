//! Cases that are held no more, read from the alerts topic when somebody asks for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::collect::time::{HOUR_MS, Timestamp};
use crate::deliver::alert::AlertRecord;
use crate::edge::kafka::{KafkaSettings, TopicReader};
use crate::edge::log::{LogError, OwnedRecord, Partition};
use crate::edge::read_model::{Cursor, Page, REVISIONS_MAX, Revision, page};

/// Bytes of documents that one question may hold: the instance has other work.
const BYTES_MAX: usize = 64 << 20;
/// So far may the clocks of brokers and sources differ.
const CLOCKS_MS: i64 = HOUR_MS;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveFault {
    /// The brokers do not answer.
    #[error(transparent)]
    Log(#[from] LogError),
    /// More than may be held at once.
    #[error("alerts of more than {} MiB: narrow the time, or filter", BYTES_MAX >> 20)]
    TooMuch,
}

/// The alerts topic, read from a moment or from its beginning, to its end. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Archive {
    settings: KafkaSettings,
    topic: Arc<str>,
}

impl Archive {
    /// Of a topic.
    #[must_use]
    pub const fn new(settings: KafkaSettings, topic: Arc<str>) -> Self {
        Self { settings, topic }
    }

    /// The revisions of one case that the topic still has, oldest first; the newest of many. Reads
    /// the whole topic: nothing tells which partition a case lies in.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn revisions(&self, id: &str) -> Result<Vec<Arc<Revision>>, ArchiveFault> {
        let mut found: Vec<Arc<Revision>> = Vec::new();
        let mut reader = TopicReader::connect(&self.settings)?;
        reader.read_all(&self.topic, |record| {
            if record.key.as_deref() != Some(id.as_bytes()) {
                return;
            }
            match Revision::read(record) {
                // Its person was erased.
                Ok(None) => found.clear(),
                Ok(Some(revision)) => {
                    if found.len() >= REVISIONS_MAX {
                        found.remove(0);
                    }
                    found.push(Arc::new(revision));
                }
                // Told once, where the read model reads it.
                Err(_) => {}
            }
        })?;
        Ok(found)
    }

    /// As the list of the read model, over all cases that changed since a moment.
    ///
    /// # Errors
    /// The brokers do not answer, or there are too many such cases.
    pub fn list(
        &self,
        (wanted, since): (&dyn Fn(&AlertRecord) -> bool, Timestamp),
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, ArchiveFault> {
        let mut reader = TopicReader::connect(&self.settings)?;
        let mut spans = Vec::new();
        for number in 0..reader.partition_count(&self.topic)? {
            let partition = Partition::new(Arc::clone(&self.topic), number);
            let end = reader.ends(&partition)?.stable;
            let start = reader.offset_at(&partition, since.plus(-CLOCKS_MS))?;
            spans.push((partition, start.unwrap_or(end)..end));
        }
        let mut newest = Newest::default();
        reader.read_spans(&spans, |record| newest.take(record, wanted))?;
        if newest.bytes > BYTES_MAX {
            return Err(ArchiveFault::TooMuch);
        }
        let mut revisions: Vec<Arc<Revision>> = newest.cases.into_values().flatten().collect();
        revisions.sort_by_cached_key(|revision| Cursor::of(&revision.alert));
        Ok(page(revisions, after, limit))
    }
}

/// The newest revision of each case, kept where it is asked for.
#[derive(Debug, Default)]
struct Newest {
    cases: BTreeMap<String, Option<Arc<Revision>>>,
    bytes: usize,
}

impl Newest {
    /// Revisions of a case come in order: they share a partition.
    fn take(&mut self, record: OwnedRecord, wanted: &dyn Fn(&AlertRecord) -> bool) {
        if self.bytes > BYTES_MAX {
            return;
        }
        let key = String::from_utf8_lossy(record.key.as_deref().unwrap_or_default()).into_owned();
        let revision = Revision::read(record).ok().flatten();
        let wanted = revision.filter(|revision| wanted(&revision.alert));
        let size = |revision: &Revision| revision.document.len();
        self.bytes += wanted.as_ref().map_or(0, size);
        let before = self.cases.insert(key, wanted.map(Arc::new)).flatten();
        self.bytes -= before.as_deref().map_or(0, size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, document: Option<&[u8]>) -> OwnedRecord {
        OwnedRecord {
            partition: Partition::new("alerts", 0),
            offset: 0,
            timestamp: Timestamp(1),
            key: Some(id.as_bytes().to_vec()),
            headers: Vec::new(),
            value: document.map(<[u8]>::to_vec),
        }
    }

    #[test]
    fn only_the_newest_revision_decides_and_an_erased_case_is_gone() {
        let created = include_bytes!("../../tests/ocsf/created.json");
        let closed = include_bytes!("../../tests/ocsf/retracted.json");
        let open = |alert: &AlertRecord| alert.is_open;
        let mut newest = Newest::default();
        let held = |newest: &Newest| newest.cases.values().flatten().count();
        for id in ["a", "b", "c"] {
            newest.take(record(id, Some(created)), &open);
        }
        assert_eq!((held(&newest), newest.bytes), (3, 3 * created.len()));
        newest.take(record("a", Some(closed)), &open);
        newest.take(record("b", None), &open);
        assert_eq!((held(&newest), newest.bytes), (1, created.len()));
    }
}
