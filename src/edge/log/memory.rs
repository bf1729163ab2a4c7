//! The log in memory: the in-process twin of Kafka for simulation, `demo` and `replay`.
//!
//! Members share one [`MemoryBroker`]. Nothing happens by itself: time, evictions, compaction and
//! faults come from outside, so that one seed is one life. Positions, markers and the last stable
//! offset behave as on a broker, because the loops must not rely on anything else.

use super::{LogError, OwnedRecord, Partition, ProduceRecord};
use crate::collect::time::Timestamp;
use broker::{Broker, PartitionLog};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

mod broker;
mod cursor;
mod group;
mod member;
#[cfg(test)]
mod tests;

pub use broker::Fault;
pub use member::MemoryLog;

/// The shared half: what would be the brokers.
#[derive(Debug, Clone, Default)]
pub struct MemoryBroker(Arc<(Mutex<Broker>, Condvar)>);

/// What a member is called and what it reads.
#[derive(Debug, Clone)]
pub struct MemberSettings {
    /// Consumer group.
    pub group: String,
    /// Static member id, if it has one.
    pub instance: Option<String>,
    /// Transactional id.
    pub transactional_id: String,
    /// Topics that the group reads.
    pub topics: Vec<String>,
}

impl MemoryBroker {
    fn lock(&self) -> MutexGuard<'_, Broker> {
        // A member that panicked is a crashed member; the brokers live on.
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets idle polls wait for their time (`demo`); without it they return at once.
    pub fn set_waiting(&self, waits: bool) {
        self.lock().waits = waits;
    }

    /// How long commits take to settle, as on real brokers; no time unless it is set.
    pub fn set_settling(&self, span: Duration) {
        self.lock().settling = span;
    }

    /// The time that records written from now on carry.
    pub fn set_now(&self, now: Timestamp) {
        self.lock().now = now;
    }

    /// Creates a topic, or more partitions of it.
    pub fn create_topic(&self, topic: &str, partitions: i32) {
        self.lock().create(&topic.into(), partitions);
    }

    /// Writes outside any transaction, as the systems of the customer do.
    pub fn append(
        &self,
        record: &ProduceRecord<'_>,
        timestamp: Timestamp,
    ) -> Result<i64, LogError> {
        let offset = self.lock().append(record, timestamp)?;
        self.0.1.notify_all();
        Ok(offset)
    }

    /// Puts a fault before the next call of this producer that can have it; faults of one
    /// producer happen in order.
    pub fn inject(&self, transactional_id: &str, fault: Fault) {
        self.lock().inject(transactional_id, fault);
    }

    /// Lets the late commits of [`Fault::CommitLate`] arrive.
    pub fn deliver_late(&self) {
        self.lock().deliver_late();
    }

    /// Ends the transaction that a dead producer left open and fences it: the transaction timeout.
    pub fn expire_transaction(&self, transactional_id: &str) {
        self.lock().init(transactional_id);
        self.0.1.notify_all();
    }

    /// Hands out nothing at or behind an offset until it is taken back with `None`.
    pub fn hold_fetch(&self, partition: &Partition, at: Option<i64>) {
        self.lock().hold(partition, at);
    }

    /// Members of a group in the order in which they joined, with their instance ids.
    #[must_use]
    pub fn members(&self, group: &str) -> Vec<(u64, Option<String>)> {
        let broker = self.lock();
        broker
            .groups
            .get(group)
            .map_or_else(Vec::new, |g| g.members())
    }

    /// The generation of a group.
    #[must_use]
    pub fn generation(&self, group: &str) -> u64 {
        let broker = self.lock();
        broker.groups.get(group).map_or(0, |g| g.generation())
    }

    /// Ends the session of a member: others get its partitions, it learns that they are lost.
    pub fn evict(&self, group: &str, member: u64) {
        let mut broker = self.lock();
        let all = broker.all_partitions();
        if let Some(group) = broker.groups.get_mut(group) {
            group.remove(member, &all);
        }
    }

    /// Where a partition begins and ends; `None` if there is none.
    #[must_use]
    pub fn ends(&self, partition: &Partition) -> Option<super::Ends> {
        self.lock().log(partition).ok().map(PartitionLog::ends)
    }

    /// The committed records of a partition, as a reader sees them.
    #[must_use]
    pub fn read(&self, partition: &Partition) -> Vec<OwnedRecord> {
        self.read_from(partition, 0)
    }

    /// The same from an offset.
    #[must_use]
    pub fn read_from(&self, partition: &Partition, from: i64) -> Vec<OwnedRecord> {
        let broker = self.lock();
        let mut records = Vec::new();
        if let Ok(log) = broker.log(partition) {
            let mut from = from;
            while let Ok(record) = log.next(from) {
                from = record.offset + 1;
                records.push(record.clone());
            }
        }
        records
    }

    /// The committed record at an offset, if it is there.
    #[must_use]
    pub fn record(&self, partition: &Partition, offset: i64) -> Option<OwnedRecord> {
        let broker = self.lock();
        let next = broker.log(partition).ok()?.next(offset).ok()?;
        (next.offset == offset).then(|| next.clone())
    }

    /// Keeps the newest record of each key; what is gone leaves gaps.
    pub fn compact(&self, topic: &str, drop_tombstones: bool) {
        self.lock().compact(topic, drop_tombstones);
    }

    /// Forgets what lies below an offset.
    pub fn trim(&self, partition: &Partition, below: i64) {
        self.lock().trim(partition, below);
    }

    /// A new member with a new producer.
    #[must_use]
    pub fn connect(&self, settings: MemberSettings) -> MemoryLog {
        MemoryLog::connect(self.clone(), settings)
    }
}
