//! Restores beside the running cycles: wait until no open transaction hides state, read the changelog
//! with one reader for all partitions, compare its position with the group's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::correlate::engine::{Engine, Restore, Setup};
use crate::edge::clock::{Deadline, monotonic};
use crate::edge::log::{Log, LogError, OwnedRecord, Partition, Polled};

use super::Restored;

/// One slice, so that running partitions go on and the group keeps its member.
const SLICE_MAX: Duration = Duration::from_millis(200);
/// Longest wait for a record of the changelog within a slice.
const POLL_WAIT: Duration = Duration::from_millis(20);
/// A group that stands ahead of the changelog means that it was read too early: so often again.
const RETRIES_MAX: u32 = 3;

/// A restore that ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) number: i32,
    /// The engine, or why the partition must stand still.
    pub(super) result: Result<Box<Engine>, String>,
    pub(super) restored: Restored,
}

/// One partition whose state is being read.
#[derive(Debug)]
struct Restoring {
    group_offset: Option<i64>,
    /// `None` while an open transaction hides state.
    reading: Option<Reading>,
    retries: u32,
    began: Instant,
    records: u64,
    mismatches: u64,
}

#[derive(Debug)]
struct Reading {
    restore: Restore,
    position: i64,
    until: i64,
    /// The reader has it: an empty partition is not read at all.
    is_open: bool,
    fault: Option<String>,
    records: u64,
}

impl Reading {
    fn take(&mut self, record: &OwnedRecord) {
        self.position = record.offset + 1;
        self.records += 1;
        let key = record.key.as_deref().unwrap_or_default();
        if let Err(error) = self.restore.take(key, record.value.as_deref()) {
            self.fault.get_or_insert_with(|| error.to_string());
        }
    }

    const fn is_done(&self) -> bool {
        self.position >= self.until || self.fault.is_some()
    }
}

/// The restores of one member.
#[derive(Debug)]
pub(super) struct Restores {
    topic: Arc<str>,
    setup: Arc<Setup>,
    running: BTreeMap<i32, Restoring>,
}

impl Restores {
    pub(super) const fn new(topic: Arc<str>, setup: Arc<Setup>) -> Self {
        Self {
            topic,
            setup,
            running: BTreeMap::new(),
        }
    }

    fn state(&self, number: i32) -> Partition {
        Partition::new(Arc::clone(&self.topic), number)
    }

    /// Begins a restore.
    pub(super) fn begin(&mut self, number: i32, group_offset: Option<i64>) {
        let restoring = Restoring {
            group_offset,
            reading: None,
            retries: 0,
            began: monotonic(),
            records: 0,
            mismatches: 0,
        };
        self.running.insert(number, restoring);
    }

    /// Gives one up, if it is under way.
    pub(super) fn give_up<L: Log>(&mut self, log: &mut L, number: i32) -> Result<(), LogError> {
        match self.running.remove(&number) {
            Some(Restoring {
                reading: Some(reading),
                ..
            }) if reading.is_open => log.reader_remove(&[self.state(number)]),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Records of a partition that were read so far.
    pub(super) fn records(&self, number: i32) -> u64 {
        let restoring = self.running.get(&number);
        restoring.map_or(0, |r| {
            r.records + r.reading.as_ref().map_or(0, |r| r.records)
        })
    }

    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    /// Brings all of them on; those that ended.
    pub(super) fn step<L: Log>(&mut self, log: &mut L) -> Result<Vec<Ended>, LogError> {
        if self.running.is_empty() {
            return Ok(Vec::new());
        }
        self.open(log)?;
        self.read(log)?;
        self.finish(log)
    }

    /// Begins to read where nothing is hidden any more.
    fn open<L: Log>(&mut self, log: &mut L) -> Result<(), LogError> {
        let closed = self.running.iter().filter(|(_, r)| r.reading.is_none());
        let numbers: Vec<i32> = closed.map(|(number, _)| *number).collect();
        for number in numbers {
            let state = self.state(number);
            let ends = log.ends(&state)?;
            // A dead member's open transaction must end first.
            if ends.stable < ends.high {
                continue;
            }
            if ends.low < ends.high {
                log.reader_add(&[(state, ends.low)])?;
            }
            if let Some(restoring) = self.running.get_mut(&number) {
                restoring.reading = Some(Reading {
                    restore: Engine::restore(Arc::clone(&self.setup)),
                    position: ends.low,
                    until: ends.high,
                    is_open: ends.low < ends.high,
                    fault: None,
                    records: 0,
                });
            }
        }
        Ok(())
    }

    fn read<L: Log>(&mut self, log: &mut L) -> Result<(), LogError> {
        let slice = Deadline::after(SLICE_MAX);
        while self.is_reading() && !slice.has_passed() {
            match log.reader_poll(POLL_WAIT)? {
                Polled::Record(record) => {
                    if let Some(reading) = self.reading(&record.partition) {
                        reading.take(&record);
                    }
                }
                Polled::End {
                    partition,
                    position,
                } => {
                    if let Some(reading) = self.reading(&partition) {
                        reading.position = position;
                    }
                }
                Polled::Idle => break,
                Polled::Assigned(_) | Polled::Revoked { .. } => {}
            }
        }
        Ok(())
    }

    fn is_reading(&self) -> bool {
        let mut readings = self.running.values().filter_map(|r| r.reading.as_ref());
        readings.any(|reading| !reading.is_done())
    }

    fn reading(&mut self, partition: &Partition) -> Option<&mut Reading> {
        if *partition.topic != *self.topic {
            return None;
        }
        self.running.get_mut(&partition.number)?.reading.as_mut()
    }

    fn finish<L: Log>(&mut self, log: &mut L) -> Result<Vec<Ended>, LogError> {
        let mut ended = Vec::new();
        let done = |r: &Restoring| r.reading.as_ref().is_some_and(Reading::is_done);
        let numbers: Vec<i32> = self
            .running
            .iter()
            .filter(|(_, restoring)| done(restoring))
            .map(|(number, _)| *number)
            .collect();
        for number in numbers {
            let state = self.state(number);
            let Some(mut restoring) = self.running.remove(&number) else {
                continue;
            };
            let Some(reading) = restoring.reading.take() else {
                continue;
            };
            if reading.is_open {
                log.reader_remove(std::slice::from_ref(&state))?;
            }
            restoring.records += reading.records;
            let finished = match reading.fault {
                Some(fault) => Err(format!("{state}: {fault}")),
                None => reading
                    .restore
                    .finish()
                    .map_err(|e| format!("{state}: {e}")),
            };
            let mut engine = match finished {
                Ok(engine) => engine,
                Err(why) => {
                    ended.push(restoring.ended(number, Err(why)));
                    continue;
                }
            };
            if restoring.is_too_early(&state, engine.partition().next_offset) {
                self.running.insert(number, restoring);
                continue;
            }
            if let Some(group) = restoring.group_offset
                && engine.partition().next_offset == 0
            {
                engine.begin_at(group);
            }
            ended.push(restoring.ended(number, Ok(Box::new(engine))));
        }
        Ok(ended)
    }
}

impl Restoring {
    fn ended(&self, number: i32, result: Result<Box<Engine>, String>) -> Ended {
        let restored = Restored {
            records: self.records,
            took: self.began.elapsed(),
            mismatches: self.mismatches,
        };
        Ended {
            number,
            result,
            restored,
        }
    }

    /// Compares the position of the changelog with that of the group: behind, the changelog is the
    /// truth; ahead, the changelog was read too early, and is read again.
    fn is_too_early(&mut self, state: &Partition, position: i64) -> bool {
        let Some(group) = self.group_offset.filter(|group| *group != position) else {
            return false;
        };
        tracing::warn!(partition = %state, group, position,
            "the group and the changelog differ: the changelog counts");
        self.retries += 1;
        self.mismatches += 1;
        group > position && position > 0 && self.retries <= RETRIES_MAX
    }
}
