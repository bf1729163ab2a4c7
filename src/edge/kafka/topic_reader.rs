//! What commands read of topics: whole partitions, or parts of them, without a group.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use super::changelog::Reader;
use super::settings::KafkaSettings;
use crate::collect::time::Timestamp;
use crate::edge::clock::Deadline;
use crate::edge::log::{Ends, ErrorClass, LogError, OwnedRecord, Partition, Polled};

/// How long a reader waits for the next record of what it knows to be there.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const READ_SLICE: Duration = Duration::from_millis(100);
/// Twice as long as the brokers leave the transaction of a dead member open, with their own pauses.
const OPEN_TIMEOUT: Duration = Duration::from_secs(60);

/// A reader of whole partitions that belongs to no group.
pub struct TopicReader(Reader);

impl fmt::Debug for TopicReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TopicReader").finish()
    }
}

impl TopicReader {
    /// Creates the clients; nothing is reached yet.
    ///
    /// # Errors
    /// Settings that the client does not take.
    pub fn connect(settings: &KafkaSettings) -> Result<Self, LogError> {
        Reader::new(settings).map(Self)
    }

    /// Number of partitions of a topic.
    ///
    /// # Errors
    /// The brokers do not answer, or there is no such topic.
    pub fn partition_count(&self, topic: &str) -> Result<i32, LogError> {
        self.0.partition_count(topic)
    }

    /// Where a partition begins and ends.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn ends(&self, partition: &Partition) -> Result<Ends, LogError> {
        self.0.ends(partition)
    }

    /// The first offset whose record is not older than a moment; `None` where all are older.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn offset_at(
        &self,
        partition: &Partition,
        moment: Timestamp,
    ) -> Result<Option<i64>, LogError> {
        self.0.offset_at(partition, moment)
    }

    /// Reads partitions on, each from an offset.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn add(&mut self, from: &[(Partition, i64)]) -> Result<(), LogError> {
        self.0.add(from)
    }

    /// The next record, or the end of a partition. What the client repairs itself is no event.
    ///
    /// # Errors
    /// All that the client does not repair.
    pub fn next(&mut self, wait: Duration) -> Result<Polled, LogError> {
        match self.0.next(wait) {
            Err(error) if error.is_noise() => Ok(Polled::Idle),
            other => other,
        }
    }

    /// Where a partition begins and ends, once every record below its end is committed or aborted.
    ///
    /// # Errors
    /// The brokers do not answer, or a transaction stays open.
    pub fn settled_ends(&self, partition: &Partition) -> Result<Ends, LogError> {
        let until = self.ends(partition)?.high;
        let deadline = Deadline::after(OPEN_TIMEOUT);
        loop {
            let ends = self.ends(partition)?;
            if ends.stable >= until {
                let (low, high) = (ends.low, until);
                return Ok(Ends { low, high, ..ends });
            }
            if deadline.has_passed() {
                let detail = format!("{partition}: a transaction is open for {OPEN_TIMEOUT:?}");
                return Err(LogError::new(ErrorClass::Retriable, "read", detail));
            }
            std::thread::park_timeout(READ_SLICE);
        }
    }

    /// Reads all that a topic holds now: every record of every partition, in the order of each.
    ///
    /// # Errors
    /// The brokers do not answer, or stop to.
    pub fn read_all(&mut self, topic: &str, take: impl FnMut(OwnedRecord)) -> Result<(), LogError> {
        let mut spans = Vec::new();
        for number in 0..self.partition_count(topic)? {
            let partition = Partition::new(topic, number);
            let ends = self.ends(&partition)?;
            spans.push((partition, ends.low..ends.stable));
        }
        self.read_spans(&spans, take)
    }

    /// Reads the records of partitions between two offsets, in the order of each. Below the second no
    /// transaction may be open.
    ///
    /// # Errors
    /// The brokers do not answer, or stop to.
    pub fn read_spans(
        &mut self,
        spans: &[(Partition, Range<i64>)],
        mut take: impl FnMut(OwnedRecord),
    ) -> Result<(), LogError> {
        let full = spans.iter().filter(|(_, span)| !span.is_empty());
        let mut open: BTreeMap<&Partition, i64> = full
            .clone()
            .map(|(partition, span)| (partition, span.end))
            .collect();
        let from: Vec<(Partition, i64)> = full
            .map(|(partition, span)| (partition.clone(), span.start))
            .collect();
        if from.is_empty() {
            return Ok(());
        }
        self.add(&from)?;
        let mut deadline = Deadline::after(READ_TIMEOUT);
        while !open.is_empty() {
            match self.next(READ_SLICE)? {
                Polled::Record(record) => {
                    let end = open.get(&record.partition).copied();
                    let Some(end) = end.filter(|end| record.offset < *end) else {
                        open.remove(&record.partition);
                        continue;
                    };
                    if record.offset + 1 == end {
                        open.remove(&record.partition);
                    }
                    take(record);
                }
                Polled::End {
                    partition,
                    position,
                } => {
                    if open.get(&partition).is_some_and(|end| position >= *end) {
                        open.remove(&partition);
                    }
                }
                Polled::Idle | Polled::Assigned(_) | Polled::Revoked { .. } => {
                    if deadline.has_passed() {
                        let names: Vec<String> = open.keys().map(ToString::to_string).collect();
                        let names = names.join(", ");
                        let detail = format!("{names}: no record for {READ_TIMEOUT:?}");
                        return Err(LogError::new(ErrorClass::Retriable, "read", detail));
                    }
                    continue;
                }
            }
            deadline = Deadline::after(READ_TIMEOUT);
        }
        let read: Vec<Partition> = from.into_iter().map(|(partition, _)| partition).collect();
        self.0.remove(&read)
    }
}
