//! Restores beside the running cycles: wait until no open transaction hides state, read the changelog
//! with one reader for all partitions, compare its position with the group's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::correlate::engine::{Engine, Restore, Setup};
use crate::edge::clock::Deadline;
use crate::edge::log::{Log, LogError, OwnedRecord, Partition, Polled};

/// One slice, so that running partitions go on and the group keeps its member.
const SLICE_MAX: Duration = Duration::from_millis(200);
/// Longest wait for a record of the changelog within a slice.
const POLL_WAIT: Duration = Duration::from_millis(20);
/// A group that stands ahead of the changelog means that it was read too early: so often again.
const RETRIES_MAX: u32 = 3;

/// A restore that ended: the engine, or why the partition must stand still.
pub(super) type Ended = (i32, Result<Box<Engine>, String>);

/// One partition whose state is being read.
#[derive(Debug)]
struct Restoring {
    group_offset: Option<i64>,
    /// `None` while an open transaction hides state.
    reading: Option<Reading>,
    retries: u32,
}

#[derive(Debug)]
struct Reading {
    restore: Restore,
    position: i64,
    until: i64,
    /// The reader has it: an empty partition is not read at all.
    is_open: bool,
    fault: Option<String>,
}

impl Reading {
    fn take(&mut self, record: &OwnedRecord) {
        self.position = record.offset + 1;
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
            if let Some(fault) = reading.fault {
                ended.push((number, Err(format!("{state}: {fault}"))));
                continue;
            }
            let mut engine = match reading.restore.finish() {
                Ok(engine) => engine,
                Err(error) => {
                    ended.push((number, Err(format!("{state}: {error}"))));
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
            ended.push((number, Ok(Box::new(engine))));
        }
        Ok(ended)
    }
}

impl Restoring {
    /// Compares the position of the changelog with that of the group: behind, the changelog is the
    /// truth; ahead, the changelog was read too early, and is read again.
    fn is_too_early(&mut self, state: &Partition, position: i64) -> bool {
        let Some(group) = self.group_offset.filter(|group| *group != position) else {
            return false;
        };
        tracing::warn!(partition = %state, group, position,
            "the group and the changelog differ: the changelog counts");
        self.retries += 1;
        group > position && position > 0 && self.retries <= RETRIES_MAX
    }
}
