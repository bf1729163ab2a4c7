//! The loop of `correlate`: blocks of the events topic in; alerts, audit records, relays and state
//! out, in one transaction with the position.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::correlate::engine::{Effects, Engine, Setup as EngineSetup};
use crate::correlate::relay::Relay;
use crate::edge::clock::Deadline;
use crate::edge::log::records::Outgoing;
use crate::edge::log::topics::{Names, Topic};
use crate::edge::log::{Assigned, Log, Partition};

use super::cycle::{LoopError, Patience, Progress, Pulse};
pub use counts::{Counts, RELAYS, Restored};
use restore::{Ended, Restores};
pub use standing::{Place, Standing};

mod counts;
mod gather;
mod restore;
mod standing;
mod take;
mod write;

/// Default of the longest wait for a block, so that signals and other work are seen.
pub const IDLE_WAIT: Duration = Duration::from_millis(50);
/// Default of how long an alert still takes along what lies in the client's queue already. Where there is
/// a backlog, shorter cycles would write the state of busy entities again and again.
pub const STORM_MAX: Duration = Duration::from_millis(250);

/// What a correlator is set up with; shared by all threads.
#[derive(Debug)]
pub struct Setup {
    /// Topic names.
    pub topics: Names,
    /// Partitions of the events topic, and of all that go by entity.
    pub partitions: i32,
    /// What each engine is set up with.
    pub engine: Arc<EngineSetup>,
    /// Longest wait for a block.
    pub idle_wait: Duration,
    /// Gathering ends so long after the first block.
    pub gather_max: Duration,
    /// Once an alert is ready, gathering ends so much later, without waiting.
    pub storm_max: Duration,
    /// Gathering ends with so many entries.
    pub entries_max: usize,
    /// Gathering ends with so many bytes.
    pub bytes_max: usize,
}

/// One entry: its block and its place in it.
type Spot = (i32, i64, usize);

/// An assigned partition.
#[derive(Debug)]
enum Slot {
    /// Its state is being read.
    Restoring,
    /// It is worked on.
    Running(Box<Running>),
    /// Its records cannot be read: it stands still until this instance is upgraded.
    Refused(String),
}

#[derive(Debug)]
struct Running {
    engine: Engine,
    effects: Effects,
    letters: Vec<Outgoing>,
    gathered: Gathered,
}

impl Running {
    fn new(engine: Engine) -> Self {
        Self {
            engine,
            effects: Effects::default(),
            letters: Vec::new(),
            gathered: Gathered::default(),
        }
    }

    /// An alert is ready, or on its way to the person that it is about. What else is relayed can wait:
    /// it is evidence, and rules give it minutes.
    fn is_awaited(&self) -> bool {
        let finding = |(_, relay): &_| matches!(relay, Relay::Finding { .. });
        !self.effects.alerts.is_empty() || self.effects.relays.iter().any(finding)
    }
}

/// What was applied since the last commit.
#[derive(Debug, Clone, Copy, Default)]
struct Gathered {
    blocks: usize,
    entries: usize,
    bytes: usize,
}

/// The loop of one correlator.
#[derive(Debug)]
pub struct Correlate<L> {
    log: L,
    setup: Arc<Setup>,
    slots: BTreeMap<i32, Slot>,
    restores: Restores,
    patience: Patience,
    /// Blocks read in this cycle.
    records: usize,
    /// Gathering ends then, where there is something to commit.
    until: Option<Deadline>,
    /// Entries at which the engine failed once, and those it failed at twice.
    suspects: BTreeSet<Spot>,
    poisoned: BTreeSet<Spot>,
    counts: Counts,
    /// Time spent on applying the blocks of this cycle.
    applying: Duration,
    /// Assignments and revocations so far.
    rebalances: u64,
}

impl<L: Log> Correlate<L> {
    /// The loop of a member.
    #[must_use]
    pub fn new(log: L, setup: Arc<Setup>) -> Self {
        let state = Arc::clone(setup.topics.of(Topic::State));
        Self {
            log,
            restores: Restores::new(state, Arc::clone(&setup.engine)),
            setup,
            slots: BTreeMap::new(),
            patience: Patience::new(),
            records: 0,
            until: None,
            suspects: BTreeSet::new(),
            poisoned: BTreeSet::new(),
            counts: Counts::default(),
            applying: Duration::ZERO,
            rebalances: 0,
        }
    }

    /// The same loop, watched while a call takes long.
    #[must_use]
    pub fn watched(mut self, pulse: Pulse) -> Self {
        self.patience.pulse = pulse;
        self
    }

    /// The topics that the group reads.
    #[must_use]
    pub fn group_topics(setup: &Setup) -> Vec<String> {
        vec![setup.topics.of(Topic::Events).to_string()]
    }

    /// What was committed since this was asked last.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// Assignments and revocations so far; none before the group was joined.
    #[must_use]
    pub const fn rebalances(&self) -> u64 {
        self.rebalances
    }

    /// Name of the topic that is read.
    #[must_use]
    pub fn topic(&self) -> &Arc<str> {
        self.setup.topics.of(Topic::Events)
    }

    /// The engine of a partition that is worked on.
    #[must_use]
    pub fn engine(&self, partition: i32) -> Option<&Engine> {
        match self.slots.get(&partition)? {
            Slot::Running(running) => Some(&running.engine),
            Slot::Restoring | Slot::Refused(_) => None,
        }
    }

    /// The log, for what it knows beside its records.
    pub const fn log(&self) -> &L {
        &self.log
    }

    /// The log, for its end.
    pub fn into_log(self) -> L {
        self.log
    }

    fn events(&self, number: i32) -> Partition {
        Partition::new(Arc::clone(self.setup.topics.of(Topic::Events)), number)
    }

    /// Gathers and commits once.
    ///
    /// # Errors
    /// What ends the process.
    pub fn cycle(&mut self) -> Result<Progress, LoopError> {
        self.restore()?;
        let scope = self.gather()?;
        let records = std::mem::take(&mut self.records);
        if self.gathered().blocks == 0 {
            return Ok(Progress::default());
        }
        let progress = self.commit(scope)?;
        Ok(Progress {
            records,
            ..progress
        })
    }

    fn assign(&mut self, assigned: Vec<Assigned>) {
        for one in assigned {
            let number = one.partition.number;
            self.restores.begin(number, one.group_offset);
            self.slots.insert(number, Slot::Restoring);
        }
    }

    /// Brings restores on.
    fn restore(&mut self) -> Result<(), LoopError> {
        let ended = match self.restores.step(&mut self.log) {
            Ok(ended) => ended,
            Err(error) => return self.patience.bear(error),
        };
        for Ended {
            number,
            result,
            restored,
        } in ended
        {
            self.counts.restored(restored);
            match result {
                Ok(engine) => self.start(number, *engine)?,
                Err(why) => self.refuse(number, why),
            }
        }
        Ok(())
    }

    fn refuse(&mut self, number: i32, why: String) {
        tracing::error!(partition = number, reason = %why, "partition refused");
        let partition = self.events(number);
        // It is paused already while it is restored; a failure leaves records to be dropped.
        if let Err(error) = self.log.pause(&[partition]) {
            tracing::debug!(%error, "not paused");
        }
        self.slots.insert(number, Slot::Refused(why));
    }

    fn start(&mut self, number: i32, engine: Engine) -> Result<(), LoopError> {
        let partition = self.events(number);
        let offset = engine.partition().next_offset;
        let begun = self
            .log
            .seek(&partition, offset)
            .and_then(|()| self.log.resume(std::slice::from_ref(&partition)));
        if let Err(error) = begun {
            self.patience.bear(error)?;
            // Restored again with the next cycle; a revocation that is on its way removes it.
            let one = Assigned {
                partition,
                group_offset: Some(offset),
            };
            self.assign(vec![one]);
            return Ok(());
        }
        let running = Box::new(Running::new(engine));
        self.slots.insert(number, Slot::Running(running));
        Ok(())
    }

    fn forget_cycle(&mut self) {
        self.records = 0;
        self.applying = Duration::ZERO;
    }

    /// Takes the whole cycle back; its input comes again.
    fn undo_all(&mut self) -> Result<(), LoopError> {
        self.forget_cycle();
        let mut back = Vec::new();
        for (number, slot) in &mut self.slots {
            if let Slot::Running(running) = slot
                && std::mem::take(&mut running.gathered).blocks > 0
            {
                running.engine.rollback();
                running.effects = Effects::default();
                running.letters.clear();
                back.push((*number, running.engine.partition().next_offset));
            }
        }
        for (number, offset) in back {
            let partition = self.events(number);
            let sought = self
                .log
                .seek(&partition, offset)
                .and_then(|()| self.log.resume(std::slice::from_ref(&partition)));
            if let Err(error) = sought {
                self.patience.bear(error)?;
                let one = Assigned {
                    partition,
                    group_offset: Some(offset),
                };
                self.assign(vec![one]);
            }
        }
        Ok(())
    }

    /// After an outcome that nobody knows, the changelog says what is true.
    fn restore_all(&mut self) {
        self.forget_cycle();
        let running = self
            .slots
            .iter()
            .filter(|(_, s)| matches!(s, Slot::Running(_)));
        let numbers: Vec<i32> = running.map(|(number, _)| *number).collect();
        let partitions: Vec<Partition> = numbers.iter().map(|n| self.events(*n)).collect();
        if let Err(error) = self.log.pause(&partitions) {
            tracing::debug!(%error, "not paused");
        }
        let again = partitions.into_iter().map(|partition| Assigned {
            partition,
            group_offset: None,
        });
        self.assign(again.collect());
    }
}
