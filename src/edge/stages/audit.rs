//! The loop that reads the newest audit records into memory, where the API finds them.

use crate::edge::health::Worker;
use crate::edge::log::{Log, LogError};
use crate::edge::tasks::{Stop, TaskError};
use crate::edge::trail::SharedTrail;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::cycle::{LoopError, Patience, Progress, until_stopped};
use super::follow::Follow;

/// How long an idle cycle waits: an audit record is looked at by people, some time later.
const WAIT: Duration = Duration::from_millis(250);
/// Records of one cycle: readers are kept out while each is taken in, not longer.
const CYCLE_RECORDS_MAX: usize = 1_000;

/// The loop. It belongs to one thread.
#[derive(Debug)]
pub struct Audit<L> {
    log: L,
    follow: Follow,
    trail: SharedTrail,
    worker: Worker,
    patience: Patience,
    /// Partitions that are not read from their beginning, until their first record is.
    cut: BTreeSet<i32>,
}

impl<L: Log> Audit<L> {
    /// A loop over a log; of the log only the reader without group is used.
    #[must_use]
    pub fn new(log: L, topic: Arc<str>, trail: SharedTrail, worker: Worker) -> Self {
        Self {
            log,
            follow: Follow::new(topic),
            trail,
            worker,
            patience: Patience::new(),
            cut: BTreeSet::new(),
        }
    }

    /// Cycles until it is told to stop.
    ///
    /// # Errors
    /// What ends the process.
    pub fn run(mut self, stop: &Stop) -> Result<(), TaskError> {
        until_stopped(stop, WAIT, || {
            self.cycle()?;
            Ok(self.follow.partitions() > 0)
        })?;
        self.log.close()?;
        Ok(())
    }

    /// Reads at most a thousand records; waits a moment for the first.
    ///
    /// # Errors
    /// What ends the process. What passes by itself is logged.
    pub fn cycle(&mut self) -> Result<Progress, LoopError> {
        self.worker.beat();
        let records = match self.step() {
            Ok(records) => records,
            Err(error) => {
                self.patience.bear(error)?;
                0
            }
        };
        Ok(Progress {
            records,
            ..Progress::default()
        })
    }

    fn step(&mut self) -> Result<usize, LogError> {
        if self.follow.partitions() == 0 {
            self.begin()?;
        }
        let (trail, cut) = (&self.trail, &mut self.cut);
        let bounds = (CYCLE_RECORDS_MAX, WAIT);
        let records = self
            .follow
            .read(&mut self.log, &self.worker, bounds, |record| {
                let (partition, offset) = (record.partition.number, record.offset);
                let Some(value) = record.value else { return };
                if !trail.put(partition, offset, value, cut.remove(&partition)) {
                    tracing::warn!(partition, offset, "unreadable audit record");
                }
            })?;
        if self.follow.is_filled() {
            self.trail.filled();
        }
        Ok(records)
    }

    /// The topic is kept for years: of each partition the end is read, as much as is held.
    fn begin(&mut self) -> Result<(), LogError> {
        let held = i64::try_from(self.trail.records_max()).unwrap_or(i64::MAX);
        let cut = &mut self.cut;
        self.follow
            .begin(&mut self.log, &self.worker, |count, number, ends| {
                let share = held / i64::from(count.max(1)) + 1;
                let from = ends.low.max(ends.stable - share);
                if from > ends.low {
                    cut.insert(number);
                }
                from
            })
    }
}

#[cfg(test)]
mod tests;
