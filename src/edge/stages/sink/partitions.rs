//! Partitions that come and go: where each begins, and which cases are open in it.

use crate::deliver::notice::Notice;
use crate::edge::clock::Deadline;
use crate::edge::log::{Log, LogError, OwnedRecord, Partition, Polled};

use super::{LOOK_PAUSE, SinkLoop, WAIT};

/// Records that are restored between two looks at everything else.
const RESTORE_MAX: usize = 1_000;

impl<L: Log> SinkLoop<L> {
    /// Takes over what was given to it. What fails stays and is tried again.
    pub(super) fn arrive(&mut self) -> Result<(), LogError> {
        while let Some(given) = self.arriving.front() {
            let (partition, place) = (given.partition.clone(), given.group_offset);
            self.take_over(&partition, place)?;
            self.arriving.pop_front();
        }
        Ok(())
    }

    /// A new sink begins with what is young; one that keeps open cases reads those again first.
    fn take_over(&mut self, partition: &Partition, place: Option<i64>) -> Result<(), LogError> {
        let ends = self.log.ends(partition)?;
        // Behind the end: of a topic that was created anew.
        let known = place.filter(|place| (ends.low..=ends.high).contains(place));
        let place = known.unwrap_or(ends.low);
        if known.is_none() {
            self.new.insert(partition.clone(), ends.high);
        }
        if self.parts.sink.keeps_open() && place > ends.low {
            self.log.reader_add(&[(partition.clone(), ends.low)])?;
            self.restoring.insert(partition.clone(), place);
        } else {
            self.begin(partition, place)?;
        }
        self.owned.entry(partition.clone()).or_default();
        Ok(())
    }

    fn begin(&mut self, partition: &Partition, place: i64) -> Result<(), LogError> {
        self.log.seek(partition, place)?;
        self.committed.insert(partition.clone(), place);
        let health = self.owned.entry(partition.clone()).or_default();
        health.is_restored = true;
        if !self.is_paused {
            self.log.resume(std::slice::from_ref(partition))?;
        }
        self.tell();
        Ok(())
    }

    pub(super) fn tell(&self) {
        self.worker.partitions(self.owned.clone());
    }

    /// Reads on in what lies before the place of the group, only to know which cases are open.
    pub(super) fn restore(&mut self) -> Result<(), LogError> {
        for _ in 0..RESTORE_MAX {
            if self.restoring.is_empty() {
                break;
            }
            let (partition, position) = match self.log.reader_poll(WAIT)? {
                Polled::Record(record) => {
                    let (partition, position) = (record.partition.clone(), record.offset + 1);
                    let end = self.restoring.get(&partition);
                    if end.is_some_and(|end| record.offset < *end) {
                        self.remember(&record);
                    }
                    (partition, position)
                }
                Polled::End {
                    partition,
                    position,
                } => (partition, position),
                Polled::Idle | Polled::Assigned(_) | Polled::Revoked { .. } => return Ok(()),
            };
            let Some(end) = self.restoring.get(&partition).copied() else {
                continue;
            };
            if position >= end {
                self.begin(&partition, end)?;
                self.log.reader_remove(std::slice::from_ref(&partition))?;
                self.restoring.remove(&partition);
            }
        }
        Ok(())
    }

    fn remember(&mut self, record: &OwnedRecord) {
        let notice = record.value.as_deref().map(Notice::read);
        if let Some(Ok(notice)) = notice {
            self.parts.sink.remember(&record.partition, &notice);
        }
    }

    pub(super) fn revoked(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        let mut read = Vec::new();
        for partition in partitions {
            self.owned.remove(partition);
            self.committed.remove(partition);
            self.new.remove(partition);
            self.arriving.retain(|given| given.partition != *partition);
            if self.restoring.remove(partition).is_some() {
                read.push(partition.clone());
            }
            self.parts.sink.forget(partition);
            self.groups.forget(partition);
            self.read.remove(partition);
            let gathered = &mut self.gathered;
            gathered
                .ready
                .retain(|one| one.record.partition != *partition);
            gathered.next.remove(partition);
            // Its new owner sends again what is under way, with equal keys.
            let under_way = self.flight.as_mut().map(|flight| &mut flight.next);
            let sent = self.landed.as_mut().map(|landed| &mut landed.next);
            for next in under_way.into_iter().chain(sent) {
                next.remove(partition);
            }
        }
        self.tell();
        if read.is_empty() {
            return Ok(());
        }
        self.log.reader_remove(&read)
    }

    /// Whether a record was there before the sink, and is not young.
    pub(super) fn is_older_than_sink(&self, record: &OwnedRecord) -> bool {
        let end = self.new.get(&record.partition);
        let young = self.started.minus(self.parts.sink.since_ms());
        end.is_some_and(|end| record.offset < *end) && record.timestamp < young
    }

    /// How far the receiver is behind.
    pub(super) fn tell_lag(&mut self) {
        self.told = Deadline::after(LOOK_PAUSE);
        let ends = (self.known_ends)(&self.log);
        let mut all = 0;
        for (partition, health) in &mut self.owned {
            let place = self.committed.get(partition);
            let lag = ends.get(partition).zip(place).map(|(end, at)| end - at);
            health.lag_records = lag.map(|lag| u64::try_from(lag).unwrap_or(0));
            all += health.lag_records.unwrap_or(0);
        }
        self.parts.metrics.lag(all);
        self.tell();
    }
}
