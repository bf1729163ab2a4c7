//! What the run loops need of a log: the one seam between the stages' loops and Kafka.
//!
//! There are two implementors: [`MemoryLog`](memory::MemoryLog) and
//! [`KafkaLog`](crate::edge::kafka::KafkaLog). Everything blocks; a loop owns its thread.

use crate::collect::entity::murmur2;
use crate::collect::time::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) mod by_partition;
pub mod memory;
pub mod records;
pub mod topics;

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// Name of the topic.
    pub topic: Arc<str>,
    /// Number of the partition.
    pub number: i32,
}

impl Partition {
    /// Partition `number` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, number: i32) -> Self {
        let topic = topic.into();
        Self { topic, number }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.number)
    }
}

/// A record as read. The stages do not go by its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedRecord {
    /// Where it lies.
    pub partition: Partition,
    /// Its offset there.
    pub offset: i64,
    /// Kafka timestamp; the append time where the topic is so configured.
    pub timestamp: Timestamp,
    /// Key, if it has one.
    pub key: Option<Vec<u8>>,
    /// Headers in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
}

impl OwnedRecord {
    /// The first header of a name, as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(found, _)| found == name)?;
        std::str::from_utf8(value).ok()
    }
}

/// A record to be written. Nothing is copied before the client queues it.
#[derive(Debug, Clone, Copy)]
pub struct ProduceRecord<'a> {
    /// Name of the topic.
    pub topic: &'a str,
    /// Number of the partition, always explicit: see [`key_partition`] for topics that go by key.
    pub partition: i32,
    /// Key, if it has one.
    pub key: Option<&'a [u8]>,
    /// Headers in order.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// Value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
}

/// The partition of a key among `count`, as Java clients choose it (murmur2).
#[must_use]
pub fn key_partition(key: &[u8], count: i32) -> i32 {
    (murmur2(key) & 0x7fff_ffff)
        .cast_signed()
        .checked_rem(count)
        .unwrap_or(0)
}

/// A partition that was given to this member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// Which one.
    pub partition: Partition,
    /// Where the group stands; `None` before its first commit.
    pub group_offset: Option<i64>,
}

/// What a poll brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// Nothing within the waiting time.
    Idle,
    /// Partitions arrived. They are **paused**: restore, [`Log::seek`], [`Log::resume`].
    Assigned(Vec<Assigned>),
    /// Partitions are gone: drop what is held for them. No record of them follows.
    Revoked {
        /// Which ones.
        partitions: Vec<Partition>,
        /// Taken, not given back: somebody else may own them already.
        lost: bool,
    },
    /// The next record of one of the partitions; in order within each.
    Record(OwnedRecord),
    /// A partition has been read to its end. Told once for each time the end is reached.
    End {
        /// Which one.
        partition: Partition,
        /// Offset of the next record that will be read; markers and gaps are behind it.
        position: i64,
    },
}

/// Where a partition begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// First offset that is still kept.
    pub low: i64,
    /// Last stable offset: below it no transaction is open.
    pub stable: i64,
    /// High watermark: offset of the next record to be written.
    pub high: i64,
}

/// What an error asks of the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Nothing happened: wait and call again.
    Retriable,
    /// The transaction cannot be committed: abort, undo, seek back, go on.
    Abort,
    /// Whether the transaction took effect cannot be known: renew the producer, restore.
    Unknown,
    /// The producer is spent: treated as [`ErrorClass::Unknown`].
    Fatal,
    /// Somebody else has this transactional id or this member id: end the process.
    Fenced,
    /// Not an error: the client reports what it repairs itself. Log (rate-limited), keep polling.
    Noise,
}

/// An error of the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{call}: {detail} ({class:?})")]
pub struct LogError {
    /// What is to be done.
    pub class: ErrorClass,
    /// The call that failed.
    pub call: &'static str,
    /// What the client said.
    pub detail: String,
}

impl LogError {
    /// An error of a class.
    pub fn new(class: ErrorClass, call: &'static str, detail: impl Into<String>) -> Self {
        Self {
            class,
            call,
            detail: detail.into(),
        }
    }

    /// Nothing happened; the same call may succeed later.
    #[must_use]
    pub fn is_retriable(&self) -> bool {
        matches!(self.class, ErrorClass::Retriable)
    }

    /// The open transaction is to be aborted.
    #[must_use]
    pub fn requires_abort(&self) -> bool {
        matches!(self.class, ErrorClass::Abort)
    }

    /// The producer is to be renewed and positions are to be read again.
    #[must_use]
    pub fn requires_renewal(&self) -> bool {
        matches!(self.class, ErrorClass::Unknown | ErrorClass::Fatal)
    }

    /// The process is to end (exit code 75).
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        matches!(self.class, ErrorClass::Fenced)
    }

    /// The brokers do not allow it: it may be allowed later, and no other call helps. Delivery reports
    /// carry no code, so the words of the client say so.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.detail.contains("uthorization failed")
    }

    /// To be logged and otherwise ignored.
    #[must_use]
    pub fn is_noise(&self) -> bool {
        matches!(self.class, ErrorClass::Noise)
    }
}

/// One member of a consumer group with one transactional producer and one reader without group.
///
/// Calling order of a cycle: [`poll`](Self::poll) as often as wanted, then without any poll
/// between them [`begin`](Self::begin), [`produce`](Self::produce)…,
/// [`send_offsets`](Self::send_offsets), [`commit`](Self::commit). After an error of the last four:
/// [`abort`](Self::abort) where it requires abort, [`renew`](Self::renew) where it requires
/// renewal. Dropping a log without [`close`](Self::close) is a crash.
pub trait Log {
    /// The next thing that happened to this member; waits up to `wait` for it.
    fn poll(&mut self, wait: Duration) -> Result<Polled, LogError>;

    /// Stops reading assigned partitions. Loses nothing and keeps the order.
    fn pause(&mut self, partitions: &[Partition]) -> Result<(), LogError>;

    /// Reads assigned partitions on.
    fn resume(&mut self, partitions: &[Partition]) -> Result<(), LogError>;

    /// Continues an assigned partition at an offset.
    fn seek(&mut self, partition: &Partition, offset: i64) -> Result<(), LogError>;

    /// Stable offsets of the group; partitions without one are left out. Retriable while a
    /// transaction that moves one of them is open.
    fn committed(&mut self, partitions: &[Partition])
    -> Result<BTreeMap<Partition, i64>, LogError>;

    /// Opens a transaction.
    fn begin(&mut self) -> Result<(), LogError>;

    /// Queues a record. That it was refused can also show in [`Self::commit`].
    fn produce(&mut self, record: &ProduceRecord<'_>) -> Result<(), LogError>;

    /// Puts the offsets of the next records to read into the transaction, with this member's
    /// present id and generation, after all that was produced has been delivered.
    fn send_offsets(&mut self, offsets: &[(Partition, i64)]) -> Result<(), LogError>;

    /// Commits what was produced and the offsets, or nothing.
    fn commit(&mut self) -> Result<(), LogError>;

    /// Takes the transaction back; no effect if none is open.
    fn abort(&mut self) -> Result<(), LogError>;

    /// How long after a commit the next transaction had better begin.
    fn settle(&self) -> Duration {
        Duration::ZERO
    }

    /// Replaces the producer: fences the old one and ends its transaction.
    fn renew(&mut self) -> Result<(), LogError>;

    /// Asks where any partition begins and ends.
    fn ends(&mut self, partition: &Partition) -> Result<Ends, LogError>;

    /// Number of partitions of a topic.
    fn partition_count(&mut self, topic: &str) -> Result<i32, LogError>;

    /// Adds partitions to the reader without group, each from an offset (of a compacted partition
    /// the compacted view). It keeps no offsets and follows its partitions beyond their end.
    fn reader_add(&mut self, from: &[(Partition, i64)]) -> Result<(), LogError>;

    /// The next record or end from the reader: [`Polled::Record`], [`Polled::End`] or
    /// [`Polled::Idle`].
    fn reader_poll(&mut self, wait: Duration) -> Result<Polled, LogError>;

    /// Takes partitions from the reader; no record of them follows.
    fn reader_remove(&mut self, partitions: &[Partition]) -> Result<(), LogError>;

    /// Aborts what is open and leaves the group (a static member stays in it).
    fn close(&mut self) -> Result<(), LogError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_asks_for_one_thing() {
        use ErrorClass::{Abort, Fatal, Fenced, Noise, Retriable, Unknown};
        for class in [Retriable, Abort, Unknown, Fatal, Fenced, Noise] {
            let error = LogError::new(class, "commit", "x");
            let asks = [
                error.is_retriable(),
                error.requires_abort(),
                error.requires_renewal(),
                error.is_fenced(),
                error.is_noise(),
            ];
            assert_eq!(asks.iter().filter(|&&a| a).count(), 1, "{class:?}");
        }
    }

    #[test]
    fn keys_go_where_java_clients_put_them() {
        // Vectors of Apache Kafka's `Utils.murmur2`: "21" is -973932308, "foobar" -790332482.
        assert_eq!(key_partition(b"21", 32), (-973_932_308 & 0x7fff_ffff) % 32);
        assert_eq!(
            key_partition(b"foobar", 7),
            (-790_332_482 & 0x7fff_ffff) % 7
        );
        assert_eq!(key_partition(b"foobar", 0), 0);
    }
}
