//! The loop of a sink: reads the committed alerts as a group of its own, lets what concerns its
//! receiver be sent, and commits its place once everything before it is delivered or lies in the
//! dead letters. So a slow receiver is behind by itself, and nothing is lost; after a crash what was
//! under way is sent again, with equal keys.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::collect::record::Record;
use crate::collect::time::Timestamp;
use crate::deliver::notice::Notice;
use crate::deliver::route::Decision;
use crate::edge::clock::{self, Deadline};
use crate::edge::health::{PartitionHealth, Worker};
use crate::edge::log::records::{self, Outgoing};
use crate::edge::log::{Assigned, Log, LogError, OwnedRecord, Partition, Polled};
use crate::edge::metrics::{DeadLetterMetrics, SinkMetrics};
use crate::edge::sinks::{GivenUp, Groups, Ready, Sender, Sink};
use crate::edge::tasks::{Stop, TaskError};

use super::cycle::{LoopError, Patience, Progress};

mod flight;
mod partitions;

/// Reason of a dead letter that a sink writes.
pub const DELIVERY: &str = "delivery";
/// Reason of a record of the alerts topic that is no alert.
pub const SCHEMA: &str = "schema";
/// Revisions that are sent together; as many more are read ahead.
const BATCH_MAX: usize = 100;
/// In a storm one digest stands for so many at most.
const STORM_BATCH_MAX: usize = 2_000;
/// How long revisions gather: a case changes several times within a moment.
const GATHER: Duration = Duration::from_millis(50);
/// In a storm there is one digest in so long.
const STORM_GATHER: Duration = Duration::from_secs(30);
/// How long a place may be uncommitted where there is nothing to send.
const QUIET_COMMIT: Duration = Duration::from_secs(1);
/// Between two looks at the lag.
const LOOK_PAUSE: Duration = Duration::from_secs(1);
/// How long a poll waits while something is gathered or under way.
const WAIT: Duration = Duration::from_millis(40);
/// And while nothing is: each look costs, and a record ends it at once.
const IDLE_WAIT: Duration = Duration::from_millis(250);
/// What is under way may take so long to finish at a stop; what does not is sent again.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// What the loop works with.
#[derive(Debug)]
pub struct SinkParts {
    /// Name of the topic of dead letters.
    pub dead_letters: Arc<str>,
    /// What becomes of a revision.
    pub sink: Sink,
    /// Who sends it.
    pub sender: Arc<Sender>,
    /// Where sending runs.
    pub runtime: Handle,
    /// What is counted.
    pub metrics: SinkMetrics,
    /// Dead letters by reason.
    pub letters: DeadLetterMetrics,
}

/// What was read and not taken off yet.
#[derive(Debug, Default)]
struct Gathered {
    ready: Vec<Ready>,
    letters: Vec<Outgoing>,
    /// Next offset of each partition.
    next: BTreeMap<Partition, i64>,
    /// Since when there is something.
    since: Option<Instant>,
}

/// What is being sent.
#[derive(Debug)]
struct Flight {
    ready: Vec<Ready>,
    letters: Vec<Outgoing>,
    next: BTreeMap<Partition, i64>,
    task: JoinHandle<Vec<GivenUp>>,
}

/// What was sent and is not committed yet.
#[derive(Debug)]
struct Landed {
    letters: Vec<Outgoing>,
    next: BTreeMap<Partition, i64>,
}

/// The loop. It belongs to one thread.
#[derive(Debug)]
pub struct SinkLoop<L> {
    log: L,
    parts: SinkParts,
    worker: Worker,
    started: Timestamp,
    owned: BTreeMap<Partition, PartitionHealth>,
    /// Partitions that were given to it and are not read yet.
    arriving: VecDeque<Assigned>,
    /// Partitions in which the group has no place yet, and where they ended when they came: what is old
    /// before that is older than the sink.
    new: BTreeMap<Partition, i64>,
    /// Partitions whose open cases are read again, and up to where.
    restoring: BTreeMap<Partition, i64>,
    /// Revisions that wait for a newer one of their case.
    groups: Groups,
    /// Next offset of each partition, whatever became of what lies before it.
    read: BTreeMap<Partition, i64>,
    gathered: Gathered,
    flight: Option<Flight>,
    landed: Option<Landed>,
    is_paused: bool,
    is_stopping: bool,
    /// What waited is told before the end.
    is_last: bool,
    patience: Patience,
    /// What is committed of each partition, and how the ends are known, for whoever asks for the lag.
    committed: BTreeMap<Partition, i64>,
    known_ends: fn(&L) -> BTreeMap<Partition, i64>,
    told: Deadline,
}

impl<L: Log> SinkLoop<L> {
    /// A loop over a member of the sink's group; `known_ends` is what its client knows of the ends.
    #[must_use]
    pub fn new(
        log: L,
        parts: SinkParts,
        worker: Worker,
        known_ends: fn(&L) -> BTreeMap<Partition, i64>,
    ) -> Self {
        Self {
            log,
            groups: parts.sink.groups(),
            read: BTreeMap::new(),
            parts,
            worker,
            started: clock::now(),
            owned: BTreeMap::new(),
            arriving: VecDeque::new(),
            new: BTreeMap::new(),
            restoring: BTreeMap::new(),
            gathered: Gathered::default(),
            flight: None,
            landed: None,
            is_paused: false,
            is_stopping: false,
            is_last: false,
            patience: Patience::new(),
            committed: BTreeMap::new(),
            known_ends,
            told: Deadline::after(LOOK_PAUSE),
        }
    }

    /// One look at everything: what has landed, what is due, what is new.
    ///
    /// # Errors
    /// What ends the process. What passes by itself is logged.
    pub fn cycle(&mut self) -> Result<Progress, LoopError> {
        self.worker.beat();
        let trouble = self.parts.sender.trouble();
        let trouble = trouble.map(|why| format!("cannot deliver: {why}"));
        self.worker.set_degraded("receiver", trouble);
        let mut progress = Progress::default();
        if self.flight.as_ref().is_some_and(|f| f.task.is_finished()) {
            self.land();
        }
        if let Some(landed) = self.landed.take() {
            self.commit(landed, &mut progress)?;
        }
        let is_over = self.is_stopping && !self.is_last;
        if self.flight.is_none() && self.landed.is_none() && !is_over {
            self.take_off();
        }
        if let Err(error) = self.step(&mut progress) {
            self.patience.bear(error)?;
        }
        if self.told.has_passed() {
            self.tell_lag();
        }
        Ok(progress)
    }

    /// Cycles until it is told to stop; then what waits is told, and what is under way may finish.
    ///
    /// # Errors
    /// What ends the process.
    pub fn run(mut self, stop: &Stop) -> Result<(), TaskError> {
        while !stop.is_set() {
            self.cycle()?;
        }
        let end = Deadline::after(STOP_GRACE);
        self.is_stopping = true;
        // Else it would be read again by the next one, with all that was told behind it.
        self.is_last = !self.groups.is_empty();
        while (self.is_last || self.flight.is_some() || self.landed.is_some()) && !end.has_passed()
        {
            self.cycle()?;
        }
        if let Some(flight) = self.flight.take() {
            flight.task.abort();
        }
        self.log.close()?;
        Ok(())
    }

    fn step(&mut self, progress: &mut Progress) -> Result<(), LogError> {
        let is_full = self.gathered.ready.len() >= self.batch_max();
        if is_full != self.is_paused {
            let owned: Vec<Partition> = self.reading().cloned().collect();
            if is_full {
                self.log.pause(&owned)?;
            } else {
                self.log.resume(&owned)?;
            }
            self.is_paused = is_full;
        }
        self.arrive()?;
        self.restore()?;
        let has_time = self.flight.is_none() && self.gathered.since.is_none();
        let is_idle = has_time && self.restoring.is_empty();
        match self.log.poll(if is_idle { IDLE_WAIT } else { WAIT })? {
            Polled::Idle => {}
            Polled::Assigned(assigned) => {
                self.arriving.extend(assigned);
                self.worker.started();
            }
            Polled::Revoked { partitions, .. } => self.revoked(&partitions)?,
            Polled::Record(record) => {
                progress.records += 1;
                self.take(record);
            }
            Polled::End {
                partition,
                position,
            } => {
                // Markers behind the last alert; without this the lag would never be zero.
                self.advance(&partition, position);
            }
        }
        Ok(())
    }

    fn batch_max(&self) -> usize {
        if self.parts.sink.is_storm() {
            STORM_BATCH_MAX
        } else {
            BATCH_MAX
        }
    }

    /// Partitions that are read: all but those being restored.
    fn reading(&self) -> impl Iterator<Item = &Partition> {
        let restoring = &self.restoring;
        self.owned.keys().filter(|p| !restoring.contains_key(*p))
    }

    fn take(&mut self, record: OwnedRecord) {
        let is_old = self.is_older_than_sink(&record);
        self.advance(&record.partition, record.offset + 1);
        let gathered = &mut self.gathered;
        let Some(value) = &record.value else {
            // The erasure of a person.
            return;
        };
        let notice = match Notice::read(value) {
            Ok(notice) => notice,
            Err(fault) => {
                let fault = fault.to_string();
                gathered.letters.push(letter(&record, SCHEMA, &fault, 1));
                self.parts.letters.add(SCHEMA, 1);
                return;
            }
        };
        if is_old {
            self.parts.sink.remember(&record.partition, &notice);
            self.parts.metrics.skipped();
            return;
        }
        match self.parts.sink.decide(&notice) {
            Decision::Withhold(_) => self.parts.metrics.withheld(),
            decision @ (Decision::Trigger | Decision::Update | Decision::Resolve) => {
                let ready = Ready {
                    notice,
                    decision,
                    record,
                };
                let taken = self.groups.take(ready, clock::monotonic());
                if taken.is_superseded {
                    self.parts.metrics.superseded();
                }
                gathered.ready.extend(taken.now);
            }
        }
        self.tell_waiting();
    }

    fn advance(&mut self, partition: &Partition, next: i64) {
        let read = self.read.entry(partition.clone()).or_insert(next);
        *read = next.max(*read);
        self.gathered.advance(partition, next);
    }

    fn tell_waiting(&self) {
        let waiting = self.gathered.ready.len() + self.groups.len();
        self.parts.metrics.waiting(waiting);
    }
}

impl Gathered {
    fn advance(&mut self, partition: &Partition, next: i64) {
        let place = self.next.entry(partition.clone()).or_insert(next);
        *place = next.max(*place);
        self.since.get_or_insert_with(clock::monotonic);
    }
}

fn letter(record: &OwnedRecord, reason: &str, detail: &str, attempts: u32) -> Outgoing {
    let source = Record {
        topic: &record.partition.topic,
        partition: record.partition.number,
        offset: record.offset,
        ingest_ts: record.timestamp,
        value: record.value.as_deref().unwrap_or_default(),
    };
    let fault = records::Fault {
        reason,
        detail,
        stage: "deliver",
        attempts,
    };
    records::dead_letter(&source, fault)
}
