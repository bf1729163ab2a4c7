//! The loop of `deliver`: reads the committed alerts of all partitions into the read model and
//! gives them to the live feed.

use crate::edge::health::{PartitionHealth, Worker};
use crate::edge::http::feed::{Feed, Place, Resume};
use crate::edge::log::{Ends, Log, LogError, OwnedRecord, Partition, Polled};
use crate::edge::metrics::DeliverMetrics;
use crate::edge::read_model::{ReadModel, Revision};
use crate::edge::tasks::{Stop, TaskError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::cycle::{LoopError, Patience, Progress, until_stopped};

/// Records of one cycle: some milliseconds of work, so that whoever waits is not kept waiting.
const CYCLE_RECORDS_MAX: usize = 1_000;
/// How long an idle cycle waits: below what anybody notices when a client wants to go on.
const WAIT: Duration = Duration::from_millis(50);

/// What the loop works on.
#[derive(Debug, Clone)]
pub struct DeliverParts {
    /// Name of the alerts topic.
    pub topic: Arc<str>,
    /// The cases.
    pub model: Arc<ReadModel>,
    /// Who listens.
    pub feed: Feed,
    /// What is counted.
    pub metrics: DeliverMetrics,
}

/// The loop. It belongs to one thread.
#[derive(Debug)]
pub struct Deliver<L> {
    log: L,
    parts: DeliverParts,
    worker: Worker,
    /// Partitions of the topic, once they are read.
    partitions: BTreeSet<i32>,
    /// Of them those whose end at the start has not been reached.
    filling: BTreeMap<i32, i64>,
    /// What has been taken in of each: what lies before is a repeat.
    read: Place,
    /// Where the reader stands, which is further back while somebody catches up.
    at: Place,
    patience: Patience,
}

impl<L: Log> Deliver<L> {
    /// A loop over a log; of the log only the reader without group is used.
    #[must_use]
    pub fn new(log: L, parts: DeliverParts, worker: Worker) -> Self {
        Self {
            log,
            parts,
            worker,
            partitions: BTreeSet::new(),
            filling: BTreeMap::new(),
            read: Place::default(),
            at: Place::default(),
            patience: Patience::new(),
        }
    }

    /// Reads at most a thousand records; waits a moment for the first.
    ///
    /// # Errors
    /// What ends the process. What passes by itself is logged.
    pub fn cycle(&mut self) -> Result<Progress, LoopError> {
        self.worker.beat();
        match self.step() {
            Ok(records) => Ok(Progress {
                records,
                ..Progress::default()
            }),
            Err(error) => {
                self.patience.bear(error)?;
                Ok(Progress::default())
            }
        }
    }

    /// Cycles until it is told to stop, then ends all streams.
    ///
    /// # Errors
    /// What ends the process.
    pub fn run(mut self, stop: &Stop) -> Result<(), TaskError> {
        until_stopped(stop, WAIT, || {
            self.cycle()?;
            Ok(!self.partitions.is_empty())
        })?;
        self.parts.feed.close();
        self.log.close()?;
        Ok(())
    }

    fn step(&mut self) -> Result<usize, LogError> {
        if self.partitions.is_empty() {
            self.begin()?;
        }
        let resumes = self.parts.feed.take_resumes();
        if !resumes.is_empty() {
            let gone_back = self.go_back(&resumes);
            gone_back.inspect_err(|_| self.parts.feed.keep_resumes(resumes))?;
        }
        let mut records = 0;
        // News that wait for their moment do not wait longer.
        let mut patience = self.parts.feed.tell().map_or(WAIT, |left| left.min(WAIT));
        while records < CYCLE_RECORDS_MAX {
            match self.log.reader_poll(patience)? {
                Polled::Record(record) => {
                    records += 1;
                    self.take(record);
                }
                Polled::End {
                    partition,
                    position,
                } => self.end(partition.number, position),
                Polled::Idle => break,
                // The reader has no group: nothing is assigned or revoked.
                Polled::Assigned(_) | Polled::Revoked { .. } => {}
            }
            patience = Duration::ZERO;
        }
        if records > 0 {
            self.parts.metrics.records(records as u64);
            self.parts.metrics.cases(self.parts.model.counts());
        }
        Ok(records)
    }

    fn partition(&self, number: i32) -> Partition {
        Partition::new(Arc::clone(&self.parts.topic), number)
    }

    /// Begins to read all partitions from their beginning.
    fn begin(&mut self) -> Result<(), LogError> {
        let count = self.log.partition_count(&self.parts.topic)?;
        let mut from = Vec::new();
        let mut ends = Vec::new();
        for number in 0..count {
            let partition = self.partition(number);
            let Ends { low, stable, .. } = self.log.ends(&partition)?;
            from.push((partition, low));
            ends.push((number, low, stable));
        }
        self.log.reader_add(&from)?;
        for (number, low, stable) in ends {
            self.partitions.insert(number);
            self.parts.feed.begin(number, low);
            self.read.0.insert(number, low);
            self.at.0.insert(number, low);
            self.filling.insert(number, stable);
            self.tell(number, low >= stable);
        }
        self.worker.started();
        let empty: Vec<_> = self.filling.keys().copied().collect();
        empty.into_iter().for_each(|number| self.check(number));
        Ok(())
    }

    fn tell(&self, number: i32, is_restored: bool) {
        let health = PartitionHealth {
            is_restored,
            ..PartitionHealth::default()
        };
        self.worker.partition(&self.partition(number), health);
    }

    /// Whether what lay in a partition at the start has been read.
    fn check(&mut self, number: i32) {
        let next = self.read.next(number);
        if self.filling.get(&number).is_some_and(|end| next >= *end) {
            self.filling.remove(&number);
            self.tell(number, true);
            if self.filling.is_empty() {
                self.parts.feed.filled();
            }
        }
    }

    fn end(&mut self, number: i32, position: i64) {
        self.at.0.insert(number, position);
        let next = self.read.0.entry(number).or_insert(position);
        *next = position.max(*next);
        self.parts.feed.advance(number, position);
        self.check(number);
    }

    fn take(&mut self, record: OwnedRecord) {
        let (number, offset) = (record.partition.number, record.offset);
        self.at.0.insert(number, offset + 1);
        let is_new = offset >= self.read.next(number);
        let key = record.key.clone();
        match Revision::read(record) {
            Ok(Some(revision)) => {
                let revision = Arc::new(revision);
                let is_newer = !is_new || self.parts.model.apply(&revision);
                if is_newer {
                    self.parts.feed.publish(&revision);
                }
            }
            Ok(None) => {
                // The erasure of a person.
                let id = key.as_deref().map(String::from_utf8_lossy);
                id.iter().for_each(|id| self.parts.model.forget(id));
            }
            Err(fault) => {
                self.parts.metrics.unreadable();
                tracing::warn!(partition = number, offset, %fault, "unreadable alert");
            }
        }
        if is_new {
            self.read.0.insert(number, offset + 1);
            self.parts.feed.advance(number, offset + 1);
            self.check(number);
        }
    }

    /// Sets the reader back for those who were away for long: once for all of them, as each look at
    /// the ends of the topic is a question to the brokers. What is read again reaches only those who
    /// want it; new alerts follow behind it, in order.
    fn go_back(&mut self, resumes: &[Resume]) -> Result<(), LogError> {
        let mut places: Vec<Place> = resumes.iter().map(|resume| resume.from.clone()).collect();
        for place in &mut places {
            place.0.retain(|number, _| self.partitions.contains(number));
        }
        for number in self.partitions.clone() {
            let partition = self.partition(number);
            let Ends { low, stable, .. } = self.log.ends(&partition)?;
            for place in &mut places {
                let wanted = place.next(number);
                // Behind the end: of a topic that was created anew.
                let is_there = (low..=stable).contains(&wanted);
                place.0.insert(number, if is_there { wanted } else { low });
            }
            let next = places.iter().map(|place| place.next(number)).min();
            // Where it stands further back already, for somebody else, it stays.
            if let Some(next) = next.filter(|next| *next < self.at.next(number)) {
                self.at.0.insert(number, next);
                self.log.reader_remove(std::slice::from_ref(&partition))?;
                self.log.reader_add(&[(partition, next)])?;
            }
        }
        for (resume, from) in resumes.iter().zip(places) {
            self.parts.feed.resumed(resume, from);
        }
        Ok(())
    }
}
