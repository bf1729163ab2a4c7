//! Dead letters: which there are, and feeding them in again once their cause is mended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::collect::time::Timestamp;
use crate::edge::kafka::{KafkaLog, KafkaSettings, TopicReader};
use crate::edge::log::{ErrorClass, Log as _, LogError, OwnedRecord, ProduceRecord};

/// What a letter takes beside its value: whoever writes garbage to a source decides how many there are.
const LETTER_BYTES: usize = 512;
/// Records of one transaction.
const BATCH_RECORDS: usize = 500;

/// Which letters are asked for.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Written from this moment on.
    pub since: Option<Timestamp>,
    /// Why they are letters: a word of the header `reason`.
    pub reason: Option<String>,
    /// Topic of the record that could not be used.
    pub topic: Option<String>,
}

/// How much of the letters is kept in memory.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// The records themselves too.
    pub values: bool,
    /// So many bytes in all; more is an error.
    pub bytes_max: usize,
}

/// A record that could not be used.
#[derive(Debug, Clone, Serialize)]
pub struct DeadLetter {
    /// When it was written.
    pub time: Timestamp,
    /// Why: a word of a closed list.
    pub reason: String,
    /// Which stage could not use it.
    pub stage: String,
    /// In words.
    pub error: String,
    /// Topic of the record.
    pub topic: String,
    /// Its partition there.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// Its length in bytes.
    pub length: usize,
    /// SHA-256 of it, in hex.
    pub sha256: String,
    /// The record; of a long one the beginning. Empty where it is not kept.
    #[serde(skip)]
    pub value: Vec<u8>,
}

impl DeadLetter {
    fn read(record: OwnedRecord) -> Option<Self> {
        let text = |name: &str| record.header(name).map(str::to_owned);
        Some(Self {
            time: record.timestamp,
            reason: text("reason")?,
            stage: text("stage")?,
            error: text("error").unwrap_or_default(),
            topic: text("src.topic")?,
            partition: text("src.partition")?.parse().ok()?,
            offset: text("src.offset")?.parse().ok()?,
            length: text("length")?.parse().ok()?,
            sha256: text("sha256")?,
            value: record.value.unwrap_or_default(),
        })
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// In order of their writing.
    pub letters: Vec<DeadLetter>,
    /// Records of the topic that are no dead letters.
    pub unreadable: u64,
}

impl Found {
    /// Takes a record in if it is asked for; the bytes that it takes.
    fn take(&mut self, record: OwnedRecord, question: &Question, with_value: bool) -> usize {
        let Some(mut letter) = DeadLetter::read(record) else {
            self.unreadable += 1;
            return 0;
        };
        let is =
            |wanted: &Option<String>, has: &str| wanted.as_ref().is_none_or(|wanted| wanted == has);
        if !is(&question.reason, &letter.reason) || !is(&question.topic, &letter.topic) {
            return 0;
        }
        if !with_value {
            letter.value = Vec::new();
        }
        let bytes = LETTER_BYTES + letter.value.len();
        self.letters.push(letter);
        bytes
    }
}

/// Why a letter is not fed in again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// It is of another stage than `collect`: its record was used.
    OtherStage,
    /// Only its beginning was kept.
    Cut,
    /// Its topic, or partition, is no source here.
    NoSource,
    /// The same record as one that is fed in.
    Repeated,
}

/// What was fed in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Fed {
    /// Records.
    pub fed: u64,
    /// Letters that were left, and why.
    pub left: BTreeMap<Left, u64>,
}

/// The topic of dead letters, and the sources that they came from.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    settings: KafkaSettings,
    topic: Arc<str>,
    sources: BTreeSet<String>,
}

impl DeadLetters {
    /// Of a topic; records are fed to the topics of these sources and to no other.
    #[must_use]
    pub const fn new(settings: KafkaSettings, topic: Arc<str>, sources: BTreeSet<String>) -> Self {
        Self {
            settings,
            topic,
            sources,
        }
    }

    /// The letters that are asked for.
    ///
    /// # Errors
    /// The brokers do not answer, or there are too many letters for one answer.
    pub fn find(&self, question: &Question, keep: Keep) -> Result<Found, LogError> {
        let mut reader = TopicReader::connect(&self.settings)?;
        let mut found = Found::default();
        let mut bytes = 0;
        reader.read_all(&self.topic, |record| {
            let is_old = question.since.is_some_and(|since| record.timestamp < since);
            if bytes <= keep.bytes_max && !is_old {
                bytes += found.take(record, question, keep.values);
            }
        })?;
        if bytes > keep.bytes_max {
            let detail = format!(
                "dead letters of more than {} MiB: narrow the time, or name a reason and a source",
                keep.bytes_max >> 20
            );
            return Err(LogError::new(ErrorClass::Fatal, "read", detail));
        }
        found.letters.sort_by_key(|letter| letter.time);
        Ok(found)
    }

    /// What [`Self::feed_in`] would do.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn would_feed(&self, letters: &[DeadLetter]) -> Result<Fed, LogError> {
        let (chosen, left) = choose(letters, &self.partitions(letters)?);
        let fed = u64::try_from(chosen.len()).unwrap_or(u64::MAX);
        Ok(Fed { fed, left })
    }

    /// How many partitions the sources among the letters' topics have.
    fn partitions<'a>(
        &self,
        letters: &'a [DeadLetter],
    ) -> Result<BTreeMap<&'a str, i32>, LogError> {
        let reader = TopicReader::connect(&self.settings)?;
        let topics = letters.iter().map(|letter| letter.topic.as_str());
        let topics: BTreeSet<&str> = topics
            .filter(|topic| self.sources.contains(*topic))
            .collect();
        let counted = topics
            .into_iter()
            .map(|topic| Ok((topic, reader.partition_count(topic)?)));
        counted.collect()
    }

    /// Feeds records in again, each once, where they came from: their events have the ids that they would
    /// have had. Those that cannot be used still are dead letters again.
    ///
    /// # Errors
    /// The brokers do not answer, or do not let this user write to a source; what was committed before
    /// is fed in.
    pub fn feed_in(&self, letters: &[DeadLetter]) -> Result<Fed, LogError> {
        let (chosen, left) = choose(letters, &self.partitions(letters)?);
        if chosen.is_empty() {
            return Ok(Fed { fed: 0, left });
        }
        let mut log = KafkaLog::connect(&self.settings)?;
        let mut fed = 0;
        for batch in chosen.chunks(BATCH_RECORDS) {
            log.begin()?;
            for letter in batch {
                log.produce(&ProduceRecord {
                    topic: &letter.topic,
                    partition: letter.partition,
                    key: None,
                    headers: &[],
                    value: Some(&letter.value),
                })?;
            }
            log.commit()?;
            fed += batch.len();
        }
        log.close()?;
        let fed = u64::try_from(fed).unwrap_or(u64::MAX);
        Ok(Fed { fed, left })
    }
}

/// The letters to be fed in, and how many are left and why.
fn choose<'a>(
    letters: &'a [DeadLetter],
    partitions: &BTreeMap<&str, i32>,
) -> (Vec<&'a DeadLetter>, BTreeMap<Left, u64>) {
    let mut seen = BTreeSet::new();
    let mut left: BTreeMap<Left, u64> = BTreeMap::new();
    let mut chosen = Vec::new();
    for letter in letters {
        let count = partitions.get(letter.topic.as_str());
        let why = if letter.stage != "collect" {
            Left::OtherStage
        } else if letter.value.len() < letter.length {
            Left::Cut
        } else if count.is_none_or(|count| letter.partition >= *count) {
            Left::NoSource
        } else if !seen.insert((&letter.topic, &letter.sha256)) {
            Left::Repeated
        } else {
            chosen.push(letter);
            continue;
        };
        *left.entry(why).or_default() += 1;
    }
    (chosen, left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::record::Record;
    use crate::edge::log::records::{DEAD_LETTER_BYTES_MAX, Fault, dead_letter};

    /// A letter as it is written and read back.
    fn letter(topic: &str, partition: i32, value: &[u8], stage: &'static str) -> DeadLetter {
        DeadLetter::read(written(topic, partition, value, stage)).unwrap()
    }

    fn written(topic: &str, partition: i32, value: &[u8], stage: &'static str) -> OwnedRecord {
        let source = Record {
            topic,
            partition,
            offset: 7,
            ingest_ts: Timestamp(5),
            value,
        };
        let fault = Fault {
            reason: "decode",
            detail: "not JSON",
            stage,
            attempts: 1,
        };
        let written = dead_letter(&source, fault);
        let headers = written.headers.into_iter();
        OwnedRecord {
            partition: crate::edge::log::Partition::new("dead", 0),
            offset: 1,
            timestamp: Timestamp(9),
            key: written.key,
            headers: headers.map(|(n, v)| (n.to_owned(), v)).collect(),
            value: written.value,
        }
    }

    #[test]
    fn many_small_letters_take_room_too_and_without_values_no_more_than_that() {
        let question = Question {
            topic: Some("okta".to_owned()),
            ..Question::default()
        };
        let mut found = Found::default();
        let mut take = |record, with_value| found.take(record, &question, with_value);
        assert_eq!(
            take(written("okta", 0, b"{", "collect"), true),
            LETTER_BYTES + 1
        );
        let long = vec![b'x'; 9_000];
        assert_eq!(
            take(written("okta", 0, &long, "collect"), false),
            LETTER_BYTES
        );
        assert_eq!(take(written("desk", 0, b"{", "collect"), true), 0);
        let kept: Vec<usize> = found.letters.iter().map(|l| l.value.len()).collect();
        assert_eq!(kept, [1, 0]);
    }

    #[test]
    fn a_letter_is_read_as_it_was_written() {
        let read = letter("okta", 2, b"{", "collect");
        assert_eq!(
            (
                &*read.reason,
                &*read.error,
                &*read.topic,
                read.partition,
                read.offset
            ),
            ("decode", "not JSON", "okta", 2, 7)
        );
        assert_eq!(
            (read.time, read.length, &*read.value),
            (Timestamp(9), 1, &b"{"[..])
        );
    }

    #[test]
    fn only_whole_records_of_sources_are_fed_in_and_each_once() {
        let long = vec![b'x'; DEAD_LETTER_BYTES_MAX + 1];
        let letters = [
            letter("okta", 0, b"a", "collect"),
            letter("okta", 0, b"a", "collect"),
            letter("okta", 3, b"b", "collect"),
            letter("gone", 0, b"c", "collect"),
            letter("okta", 1, &long, "collect"),
            letter("okta", 1, b"d", "deliver"),
            letter("desk", 0, b"a", "collect"),
        ];
        let partitions = BTreeMap::from([("okta", 3), ("desk", 1)]);
        let (chosen, left) = choose(&letters, &partitions);
        let chosen: Vec<(&str, &[u8])> = chosen
            .iter()
            .map(|letter| (&*letter.topic, &*letter.value))
            .collect();
        assert_eq!(chosen, [("okta", &b"a"[..]), ("desk", b"a")]);
        let wanted = [
            (Left::OtherStage, 1),
            (Left::Cut, 1),
            (Left::NoSource, 2),
            (Left::Repeated, 1),
        ];
        assert_eq!(left, BTreeMap::from(wanted));
    }
}
