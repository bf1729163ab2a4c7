//! The broker of the in-memory log: partitions, transactions and the faults that are asked for.

use super::group::Group;
use crate::collect::time::Timestamp;
use crate::edge::log::{Ends, ErrorClass, LogError, OwnedRecord, Partition, ProduceRecord};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// A fault of one call of one member, asked for by the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The client refuses the next record.
    ProduceRefused,
    /// The next record is queued and never delivered.
    DeliveryFailed,
    /// The offsets are refused: the generation moved while the cycle ran.
    OffsetsRefused,
    /// The offsets time out: nobody knows.
    OffsetsTimedOut,
    /// The commit is refused and takes no effect.
    CommitRefused,
    /// The commit times out and took no effect: the transaction stays open.
    CommitLost,
    /// The commit times out although it took effect.
    CommitUnacknowledged,
    /// The commit times out and takes effect at [`super::MemoryBroker::deliver_late`], on
    /// whatever transaction this epoch has open then: Kafka's torn transaction.
    CommitLate,
    /// The abort times out and took no effect.
    AbortTimedOut,
    /// The next seek fails: the client has not begun to read the partition yet, or just ended.
    SeekRefused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open(u64),
    Committed,
    Aborted,
}

#[derive(Debug)]
struct Entry {
    fate: Fate,
    /// `None`: a transaction marker, which occupies an offset and is never read.
    record: Option<OwnedRecord>,
    offset: i64,
}

#[derive(Debug, Default)]
pub(super) struct PartitionLog {
    entries: VecDeque<Entry>,
    low: i64,
    high: i64,
    open: BTreeMap<u64, i64>,
    /// Nothing at or behind this offset is handed out: a delayed fetch.
    held: Option<i64>,
}

impl PartitionLog {
    fn push(&mut self, fate: Fate, record: Option<OwnedRecord>) {
        let offset = self.high;
        self.entries.push_back(Entry {
            fate,
            record,
            offset,
        });
        self.high += 1;
    }

    pub(super) fn ends(&self) -> Ends {
        let stable = self.open.values().min().copied().unwrap_or(self.high);
        Ends {
            low: self.low,
            stable,
            high: self.high,
        }
    }

    /// The first committed record at or behind `from`, or the position where reading stops.
    pub(super) fn next(&self, from: i64) -> Result<&OwnedRecord, i64> {
        let limit = self.ends().stable.min(self.held.unwrap_or(i64::MAX));
        let first = self.entries.partition_point(|e| e.offset < from);
        self.entries
            .range(first..)
            .take_while(|e| e.offset < limit)
            .filter(|e| e.fate == Fate::Committed)
            .find_map(|e| e.record.as_ref())
            .ok_or_else(|| limit.max(from.min(self.high)))
    }

    /// Whether a reader that stands at `position` has all there is.
    pub(super) fn is_end(&self, position: i64) -> bool {
        position >= self.ends().stable
    }

    fn settle(&mut self, seq: u64, fate: Fate) {
        for entry in &mut self.entries {
            if entry.fate == Fate::Open(seq) {
                entry.fate = fate;
            }
        }
        self.open.remove(&seq);
        self.push(fate, None);
    }

    fn trim(&mut self, below: i64) {
        let below = below.min(self.high);
        while self.entries.front().is_some_and(|e| e.offset < below) {
            self.entries.pop_front();
        }
        self.low = self.low.max(below);
    }

    fn compact(&mut self, drop_tombstones: bool) {
        let stable = self.ends().stable;
        let mut newest: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
        let settled = |e: &&Entry| e.fate == Fate::Committed && e.offset < stable;
        for entry in self.entries.iter().filter(settled) {
            let key = entry.record.as_ref().and_then(|r| r.key.clone());
            if let Some(key) = key {
                newest.insert(key, entry.offset);
            }
        }
        self.entries.retain(|e| match (&e.record, e.fate) {
            (_, Fate::Open(_)) => true,
            (_, _) if e.offset >= stable => true,
            (None, _) | (_, Fate::Aborted) => false,
            (Some(record), Fate::Committed) => {
                let is_newest = record
                    .key
                    .as_ref()
                    .is_none_or(|k| newest.get(k) == Some(&e.offset));
                is_newest && !(drop_tombstones && record.value.is_none())
            }
        });
    }
}

#[derive(Debug)]
struct OpenTransaction {
    seq: u64,
    touched: BTreeSet<Partition>,
    offsets: Vec<(String, Partition, i64)>,
}

#[derive(Debug, Default)]
struct Coordinator {
    epoch: u32,
    open: Option<OpenTransaction>,
}

#[derive(Debug, Default)]
pub(super) struct Broker {
    pub(super) now: Timestamp,
    pub(super) waits: bool,
    /// How long a commit takes to settle.
    pub(super) settling: Duration,
    pub(super) groups: BTreeMap<String, Group>,
    partitions: BTreeMap<Partition, PartitionLog>,
    coordinators: BTreeMap<String, Coordinator>,
    faults: BTreeMap<String, VecDeque<Fault>>,
    late: Vec<(String, u32)>,
    next_seq: u64,
}

impl Broker {
    pub(super) fn create(&mut self, topic: &Arc<str>, count: i32) {
        for number in 0..count {
            self.partitions
                .entry(Partition::new(Arc::clone(topic), number))
                .or_default();
        }
        let all = self.all_partitions();
        for group in self.groups.values_mut() {
            group.rebalance(&all);
        }
    }

    pub(super) fn all_partitions(&self) -> Vec<Partition> {
        self.partitions.keys().cloned().collect()
    }

    pub(super) fn log(&self, partition: &Partition) -> Result<&PartitionLog, LogError> {
        self.partitions
            .get(partition)
            .ok_or_else(|| absent(partition))
    }

    fn log_mut(&mut self, partition: &Partition) -> Result<&mut PartitionLog, LogError> {
        let found = self.partitions.get_mut(partition);
        found.ok_or_else(|| absent(partition))
    }

    pub(super) fn count(&self, topic: &str) -> i32 {
        let count = self
            .partitions
            .keys()
            .filter(|p| &*p.topic == topic)
            .count();
        i32::try_from(count).unwrap_or(i32::MAX)
    }

    pub(super) fn hold(&mut self, partition: &Partition, at: Option<i64>) {
        if let Some(log) = self.partitions.get_mut(partition) {
            log.held = at;
        }
    }

    pub(super) fn trim(&mut self, partition: &Partition, below: i64) {
        if let Some(log) = self.partitions.get_mut(partition) {
            log.trim(below);
        }
    }

    pub(super) fn compact(&mut self, topic: &str, drop_tombstones: bool) {
        let of_topic = self
            .partitions
            .iter_mut()
            .filter(|(p, _)| &*p.topic == topic);
        of_topic.for_each(|(_, log)| log.compact(drop_tombstones));
    }

    pub(super) fn inject(&mut self, transactional_id: &str, fault: Fault) {
        let queue = self.faults.entry(transactional_id.to_owned()).or_default();
        queue.push_back(fault);
    }

    /// Takes the oldest fault of a member that this call can have.
    pub(super) fn fault(&mut self, id: &str, among: &[Fault]) -> Option<Fault> {
        let queue = self.faults.get_mut(id)?;
        let place = queue.iter().position(|fault| among.contains(fault))?;
        queue.remove(place)
    }

    /// Writes outside any transaction, as the systems of the customer do.
    pub(super) fn append(
        &mut self,
        record: &ProduceRecord<'_>,
        timestamp: Timestamp,
    ) -> Result<i64, LogError> {
        let partition = Partition::new(record.topic, record.partition);
        let log = self.log_mut(&partition)?;
        let offset = log.high;
        let written = written(&partition, offset, timestamp, record);
        log.push(Fate::Committed, Some(written));
        Ok(offset)
    }

    /// A new epoch for a transactional id; what the older one left open is aborted.
    pub(super) fn init(&mut self, id: &str) -> u32 {
        self.finish(id, false);
        let coordinator = self.coordinators.entry(id.to_owned()).or_default();
        coordinator.epoch += 1;
        coordinator.epoch
    }

    fn check(&self, id: &str, epoch: u32, call: &'static str) -> Result<(), LogError> {
        let present = self.coordinators.get(id).map(|c| c.epoch);
        (present == Some(epoch))
            .then_some(())
            .ok_or_else(|| LogError::new(ErrorClass::Fenced, call, format!("{id}: newer epoch")))
    }

    fn transaction(&mut self, id: &str) -> &mut OpenTransaction {
        let seq = self.next_seq;
        self.next_seq += 1;
        let coordinator = self.coordinators.entry(id.to_owned()).or_default();
        coordinator.open.get_or_insert_with(|| OpenTransaction {
            seq,
            touched: BTreeSet::new(),
            offsets: Vec::new(),
        })
    }

    pub(super) fn write(
        &mut self,
        id: &str,
        epoch: u32,
        record: &ProduceRecord<'_>,
    ) -> Result<(), LogError> {
        self.check(id, epoch, "produce")?;
        let partition = Partition::new(record.topic, record.partition);
        self.log(&partition)?;
        let transaction = self.transaction(id);
        let seq = transaction.seq;
        transaction.touched.insert(partition.clone());
        let now = self.now;
        let log = self.log_mut(&partition)?;
        let offset = log.high;
        log.open.entry(seq).or_insert(offset);
        log.push(
            Fate::Open(seq),
            Some(written(&partition, offset, now, record)),
        );
        Ok(())
    }

    pub(super) fn add_offsets(
        &mut self,
        id: &str,
        epoch: u32,
        group: &str,
        offsets: &[(Partition, i64)],
    ) -> Result<(), LogError> {
        self.check(id, epoch, "send_offsets")?;
        let add = offsets
            .iter()
            .map(|(p, o)| (group.to_owned(), p.clone(), *o));
        self.transaction(id).offsets.extend(add);
        Ok(())
    }

    pub(super) fn end(&mut self, id: &str, epoch: u32, commit: bool) -> Result<(), LogError> {
        self.check(id, epoch, if commit { "commit" } else { "abort" })?;
        self.finish(id, commit);
        Ok(())
    }

    pub(super) fn end_late(&mut self, id: &str, epoch: u32) {
        self.late.push((id.to_owned(), epoch));
    }

    /// Late commits arrive: one of an old epoch is refused, one of the present epoch hits
    /// whatever is open.
    pub(super) fn deliver_late(&mut self) {
        for (id, epoch) in std::mem::take(&mut self.late) {
            if self.check(&id, epoch, "commit").is_ok() {
                self.finish(&id, true);
            }
        }
    }

    fn finish(&mut self, id: &str, commit: bool) {
        let open = self.coordinators.get_mut(id).and_then(|c| c.open.take());
        let Some(open) = open else { return };
        let fate = if commit {
            Fate::Committed
        } else {
            Fate::Aborted
        };
        for partition in &open.touched {
            if let Some(log) = self.partitions.get_mut(partition) {
                log.settle(open.seq, fate);
            }
        }
        for (group, partition, offset) in open.offsets.into_iter().filter(|_| commit) {
            let group = self.groups.entry(group).or_default();
            group.offsets.insert(partition, offset);
        }
    }

    /// Whether an open transaction would move the offset of this partition.
    pub(super) fn is_unstable(&self, group: &str, partition: &Partition) -> bool {
        let open = self.coordinators.values().filter_map(|c| c.open.as_ref());
        open.flat_map(|t| &t.offsets)
            .any(|(g, p, _)| g == group && p == partition)
    }
}

fn written(
    partition: &Partition,
    offset: i64,
    timestamp: Timestamp,
    record: &ProduceRecord<'_>,
) -> OwnedRecord {
    OwnedRecord {
        partition: partition.clone(),
        offset,
        timestamp,
        key: record.key.map(<[u8]>::to_vec),
        headers: record
            .headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.to_vec()))
            .collect(),
        value: record.value.map(<[u8]>::to_vec),
    }
}

fn absent(partition: &Partition) -> LogError {
    let detail = format!("no such partition: {partition}");
    LogError::new(ErrorClass::Abort, "log", detail)
}
