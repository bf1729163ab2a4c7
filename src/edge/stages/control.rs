//! The loop behind the desk: reads the control topic into what is in force, and writes what people
//! hand in, a transaction at a time.

use crate::edge::clock::{self, Deadline};
use crate::edge::control::{DeskEnd, Order, Unwritten, Written};
use crate::edge::health::Worker;
use crate::edge::log::{Log, LogError, OwnedRecord, ProduceRecord, key_partition};
use crate::edge::tasks::{Stop, TaskError};
use std::sync::Arc;
use std::time::Duration;

use super::cycle::{LoopError, Patience, Progress, Undone, transact_alone, until_stopped};
use super::follow::Follow;

/// How long an idle cycle waits for a record: what somebody who hands one in waits at most longer.
const WAIT: Duration = Duration::from_millis(50);
/// Records of the topic taken in one cycle, so that whoever hands one in is not held up.
const CYCLE_RECORDS_MAX: usize = 1_000;
/// Records of one transaction: all that may wait.
const BATCH_MAX: usize = 64;
/// How long a written record may take to be read again.
const SEEN_TIME: Duration = Duration::from_secs(5);
/// How often what is over is forgotten.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);

/// A record that was written and not read again yet.
#[derive(Debug)]
struct Pending {
    order: Order,
    until: Deadline,
}

/// The loop. It belongs to one thread.
#[derive(Debug)]
pub struct Control<L> {
    log: L,
    follow: Follow,
    desk: DeskEnd,
    worker: Worker,
    patience: Patience,
    pending: Vec<Pending>,
    expires: Deadline,
}

impl<L: Log> Control<L> {
    /// A loop over a log; it joins no group.
    #[must_use]
    pub fn new(log: L, topic: Arc<str>, desk: DeskEnd, worker: Worker) -> Self {
        Self {
            log,
            follow: Follow::new(topic),
            desk,
            worker,
            patience: Patience::new(),
            pending: Vec::new(),
            expires: Deadline::after(EXPIRE_EVERY),
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

    /// Reads on, then writes what was handed in.
    ///
    /// # Errors
    /// What ends the process. What passes by itself is logged.
    pub fn cycle(&mut self) -> Result<Progress, LoopError> {
        self.worker.beat();
        let mut progress = Progress::default();
        match self.read() {
            Ok(records) => progress.records = records,
            Err(error) => self.patience.bear(error)?,
        }
        if self.expires.has_passed() {
            self.expires = Deadline::after(EXPIRE_EVERY);
            self.desk.expire(clock::now());
        }
        if self.follow.is_filled() {
            progress.written = self.write()?;
            progress.committed = progress.written > 0;
        }
        for late in self
            .pending
            .extract_if(.., |pending| pending.until.has_passed())
        {
            tell(late.order, Err(Unwritten::Unknown));
        }
        Ok(progress)
    }

    fn read(&mut self) -> Result<usize, LogError> {
        let (log, worker) = (&mut self.log, &self.worker);
        if self.follow.partitions() == 0 {
            self.follow.begin(log, worker, |_, _, ends| ends.low)?;
        }
        let (desk, pending) = (&self.desk, &mut self.pending);
        let bounds = (CYCLE_RECORDS_MAX, WAIT);
        let records = self
            .follow
            .read(log, worker, bounds, |record| take(desk, pending, &record))?;
        if self.follow.is_filled() {
            self.desk.filled();
        }
        Ok(records)
    }

    /// Writes what was handed in. Its place is told once it has been read again.
    fn write(&mut self) -> Result<usize, LoopError> {
        let orders: Vec<Order> = self.desk.orders.try_iter().take(BATCH_MAX).collect();
        if orders.is_empty() {
            return Ok(0);
        }
        let (topic, count) = (self.follow.topic(), self.follow.partitions());
        let undone = transact_alone(&mut self.log, &mut self.patience, |log| {
            for order in &orders {
                let key = order.key.as_bytes();
                log.produce(&ProduceRecord {
                    topic,
                    partition: key_partition(key, count),
                    key: Some(key),
                    headers: &[],
                    value: Some(&order.value),
                })?;
            }
            Ok(())
        })?;
        let written = orders.len();
        for order in orders {
            if undone == Some(Undone::Aborted) {
                tell(order, Err(Unwritten::Refused));
            } else {
                // Where nobody knows whether it took effect, the topic does.
                let until = Deadline::after(SEEN_TIME);
                self.pending.push(Pending { order, until });
            }
        }
        Ok(if undone.is_none() { written } else { 0 })
    }
}

/// Takes a record of the topic in, and tells whoever waits for it where it lies.
fn take(desk: &DeskEnd, pending: &mut Vec<Pending>, record: &OwnedRecord) {
    let (partition, offset) = (record.partition.number, record.offset);
    let key = String::from_utf8_lossy(record.key.as_deref().unwrap_or_default());
    if !desk.take(&key, record.value.as_deref()) {
        tracing::warn!(partition, offset, "a control record cannot be used");
    }
    let is_it = |pending: &Pending| {
        pending.order.key == key && record.value.as_ref() == Some(&pending.order.value)
    };
    if let Some(at) = pending.iter().position(is_it) {
        let seen = pending.swap_remove(at);
        tell(seen.order, Ok(Written { partition, offset }));
    }
}

fn tell(order: Order, result: Result<Written, Unwritten>) {
    if order.done.send(result).is_err() {
        tracing::debug!("who handed a control record in has gone");
    }
}

#[cfg(test)]
mod tests;
