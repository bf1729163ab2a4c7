//! Reading a whole topic without a group: from a beginning, and on as it grows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::edge::health::{PartitionHealth, Worker};
use crate::edge::log::{Ends, Log, LogError, OwnedRecord, Partition, Polled};

/// Where the reading of a topic stands.
#[derive(Debug)]
pub(super) struct Follow {
    topic: Arc<str>,
    partitions: i32,
    /// Partitions whose end at the start has not been reached, with that end.
    filling: BTreeMap<i32, i64>,
}

impl Follow {
    pub(super) const fn new(topic: Arc<str>) -> Self {
        Self {
            topic,
            partitions: 0,
            filling: BTreeMap::new(),
        }
    }

    pub(super) const fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    /// Partitions of the topic; 0 until it is there.
    pub(super) const fn partitions(&self) -> i32 {
        self.partitions
    }

    /// Whether all that lay in the topic at the start has been read.
    pub(super) fn is_filled(&self) -> bool {
        self.partitions > 0 && self.filling.is_empty()
    }

    /// Begins to read: every partition at the offset that `from` says, of the number of partitions and
    /// the ends of one.
    pub(super) fn begin<L: Log>(
        &mut self,
        log: &mut L,
        worker: &Worker,
        mut from: impl FnMut(i32, i32, &Ends) -> i64,
    ) -> Result<(), LogError> {
        let count = log.partition_count(&self.topic)?;
        let mut begins = Vec::new();
        for number in 0..count {
            let partition = Partition::new(Arc::clone(&self.topic), number);
            let ends = log.ends(&partition)?;
            self.filling.insert(number, ends.stable);
            begins.push((partition, from(count, number, &ends)));
        }
        log.reader_add(&begins)?;
        self.partitions = count;
        worker.started();
        for (partition, offset) in begins {
            self.reached(worker, partition.number, offset);
        }
        Ok(())
    }

    /// Reads at most so many records; waits for the first.
    pub(super) fn read<L: Log>(
        &mut self,
        log: &mut L,
        worker: &Worker,
        (records_max, mut wait): (usize, Duration),
        mut take: impl FnMut(OwnedRecord),
    ) -> Result<usize, LogError> {
        let mut records = 0;
        while records < records_max {
            match log.reader_poll(wait)? {
                Polled::Record(record) => {
                    records += 1;
                    let (number, next) = (record.partition.number, record.offset + 1);
                    take(record);
                    if self.filling.contains_key(&number) {
                        self.reached(worker, number, next);
                    }
                }
                Polled::End {
                    partition,
                    position,
                } => self.reached(worker, partition.number, position),
                Polled::Idle => break,
                // The reader has no group: nothing is assigned or revoked.
                Polled::Assigned(_) | Polled::Revoked { .. } => {}
            }
            wait = Duration::ZERO;
        }
        Ok(records)
    }

    /// A partition has been read up to here.
    fn reached(&mut self, worker: &Worker, number: i32, position: i64) {
        let is_restored = self.filling.get(&number).is_none_or(|end| position >= *end);
        let health = PartitionHealth {
            is_restored,
            ..PartitionHealth::default()
        };
        let partition = Partition::new(Arc::clone(&self.topic), number);
        worker.partition(&partition, health);
        if is_restored {
            self.filling.remove(&number);
        }
    }
}
