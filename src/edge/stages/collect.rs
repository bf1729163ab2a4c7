//! The loop of `collect`: source records in; blocks, directory records and dead letters out, in one
//! transaction with the offsets of the sources.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::collect::block::Writer;
use crate::collect::event::Domain;
use crate::collect::identity::{Directory as _, Settings};
use crate::collect::pipeline::Scratch;
use crate::collect::setup::SourceSetup;
use crate::collect::text::Lexicon;
use crate::collect::time::{SECOND_MS, Timestamp};
use crate::collect::watermark::Watermarks;
use crate::edge::clock::{Deadline, monotonic};
use crate::edge::log::by_partition::ByPartition;
use crate::edge::log::records::{self, Outgoing};
use crate::edge::log::topics::{Names, Topic};
use crate::edge::log::{Assigned, Log, Partition, Polled, ProduceRecord};

use super::cycle::{LoopError, Patience, Progress, Pulse, Undone, transact};
use super::directory::{Follower, SharedDirectory};
pub use counts::{Counts, Newest, RESOLUTIONS};

mod counts;
mod take;

/// A collector tells how far it is at least so often.
pub const TICK_MS: i64 = SECOND_MS;
/// Default of the longest wait for a record, so that signals and other work are seen.
pub const IDLE_WAIT: Duration = Duration::from_millis(50);

/// A source as the loop reads it.
#[derive(Debug, Clone)]
pub struct SourceTopic {
    /// How its records are mapped.
    pub setup: SourceSetup,
    /// Its topic.
    pub topic: String,
    /// What it is about.
    pub domains: Vec<Domain>,
    /// How much later than its successors an event may arrive.
    pub bound_ms: i64,
}

/// What a collector is set up with; shared by all threads.
#[derive(Debug)]
pub struct Setup {
    /// Topic names.
    pub topics: Names,
    /// Partitions of the events topic.
    pub partitions: i32,
    /// The sources.
    pub sources: Vec<SourceTopic>,
    /// How names are read, and the deployment's key.
    pub settings: Settings,
    /// The phrases.
    pub lexicon: Arc<Lexicon>,
    /// Longest wait for a record.
    pub idle_wait: Duration,
    /// Gathering ends so long after the first record.
    pub gather_max: Duration,
    /// Gathering ends with so many records.
    pub records_max: usize,
    /// Gathering ends with so many bytes read.
    pub bytes_max: usize,
}

impl Setup {
    /// The topics that the group reads.
    #[must_use]
    pub fn group_topics(&self) -> Vec<String> {
        let control = self.topics.of(Topic::Control).to_string();
        let sources = self.sources.iter().map(|source| source.topic.clone());
        let mut topics: Vec<String> = sources.chain([control]).collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }
}

/// What a cycle is going to write.
#[derive(Debug, Default)]
struct Pending {
    accounts: Vec<Outgoing>,
    letters: Vec<Outgoing>,
    offsets: ByPartition<i64>,
    records: usize,
    /// Bytes of the records read; what is written is of that order.
    bytes: usize,
    /// Accounts came, and who is one person was not worked out since.
    new_accounts: bool,
    counts: Counts,
}

impl Pending {
    const fn is_empty(&self) -> bool {
        self.records == 0
    }
}

/// The loop of one collector.
#[derive(Debug)]
pub struct Collect<L> {
    log: L,
    setup: Arc<Setup>,
    directory: SharedDirectory,
    follower: Follower,
    /// Where each assigned partition goes on after the last commit.
    committed: BTreeMap<Partition, i64>,
    /// Assigned, and not resumed before the directory is there.
    waiting: Vec<Assigned>,
    watermarks: Watermarks,
    last_tick: Timestamp,
    patience: Patience,
    pending: Pending,
    /// What goes to each partition of the events topic.
    blocks: Vec<Writer>,
    /// An event on its way there.
    encoded: Vec<u8>,
    scratch: Scratch,
    counts: Counts,
    /// Assignments and revocations so far.
    rebalances: u64,
}

impl<L: Log> Collect<L> {
    /// The loop of a member.
    #[must_use]
    pub fn new(log: L, setup: Arc<Setup>, directory: SharedDirectory) -> Self {
        let topic = Arc::clone(setup.topics.of(Topic::Directory));
        Self {
            log,
            follower: Follower::new(directory.clone(), topic),
            blocks: (0..setup.partitions).map(|_| Writer::default()).collect(),
            setup,
            directory,
            committed: BTreeMap::new(),
            waiting: Vec::new(),
            watermarks: Watermarks::default(),
            last_tick: Timestamp::MIN,
            patience: Patience::default(),
            pending: Pending::default(),
            encoded: Vec::new(),
            scratch: Scratch::default(),
            counts: Counts::default(),
            rebalances: 0,
        }
    }

    /// The same loop, watched while a call takes long.
    #[must_use]
    pub fn watched(mut self, pulse: Pulse) -> Self {
        self.patience.pulse = pulse;
        self
    }

    /// What was committed since this was asked last.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// The log, for what it knows beside its records.
    pub const fn log(&self) -> &L {
        &self.log
    }

    /// The log, for its end.
    pub fn into_log(self) -> L {
        self.log
    }

    /// Partitions that are read, each with where it goes on after the last commit.
    #[must_use]
    pub const fn positions(&self) -> &BTreeMap<Partition, i64> {
        &self.committed
    }

    /// Partitions that are assigned and not read yet.
    pub fn waiting(&self) -> impl Iterator<Item = &Partition> {
        self.waiting.iter().map(|one| &one.partition)
    }

    /// Assignments and revocations so far; none before the group was joined.
    #[must_use]
    pub const fn rebalances(&self) -> u64 {
        self.rebalances
    }

    /// Gathers and commits once. `now` decides when it is time to tell how far this collector is.
    ///
    /// # Errors
    /// What ends the process.
    pub fn cycle(&mut self, now: Timestamp) -> Result<Progress, LoopError> {
        self.follower.follow(&mut self.log, &mut self.patience)?;
        self.start_waiting()?;
        self.gather()?;
        if std::mem::take(&mut self.pending.new_accounts) {
            self.directory.write().join();
        }
        let tick = now.since(self.last_tick) >= TICK_MS && !self.committed.is_empty();
        let records = self.pending.records;
        if self.pending.is_empty() && !tick {
            return Ok(Progress::default());
        }
        let progress = self.commit(tick)?;
        if progress.committed && tick {
            self.last_tick = now;
        }
        Ok(Progress {
            records,
            ..progress
        })
    }

    fn gather(&mut self) -> Result<(), LoopError> {
        let mut wait = self.setup.idle_wait;
        let mut deadline: Option<Deadline> = None;
        while self.pending.records < self.setup.records_max
            && self.pending.bytes < self.setup.bytes_max
        {
            match self.log.poll(wait) {
                Ok(Polled::Idle) => return Ok(()),
                Ok(Polled::Assigned(assigned)) => {
                    self.rebalances += 1;
                    self.waiting.extend(assigned);
                }
                Ok(Polled::Revoked { partitions, .. }) => {
                    self.rebalances += 1;
                    self.revoke(&partitions)?;
                    return Ok(());
                }
                Ok(Polled::End { partition, .. }) => {
                    self.watermarks.end(&partition.topic, partition.number);
                }
                Ok(Polled::Record(record)) => self.take(&record),
                Err(error) => return self.patience.bear(error),
            }
            if !self.pending.is_empty() {
                let until = || self.patience.until(self.setup.gather_max);
                wait = deadline.get_or_insert_with(until).left();
            }
        }
        Ok(())
    }

    /// Begins to read what was assigned, once the directory is there.
    fn start_waiting(&mut self) -> Result<(), LoopError> {
        if !self.follower.is_ready() {
            return Ok(());
        }
        for one in std::mem::take(&mut self.waiting) {
            let partition = one.partition.clone();
            if let Err(error) = self.start(&one) {
                self.waiting.push(one);
                self.committed.remove(&partition);
                self.patience.bear(error)?;
            }
        }
        Ok(())
    }

    fn start(&mut self, one: &Assigned) -> Result<(), crate::edge::log::LogError> {
        let partition = &one.partition;
        let from = match one.group_offset {
            Some(offset) => offset,
            None => self.log.ends(partition)?.low,
        };
        self.log.seek(partition, from)?;
        self.log.resume(std::slice::from_ref(partition))?;
        self.committed.insert(partition.clone(), from);
        let source = self
            .setup
            .sources
            .iter()
            .find(|s| s.topic == *partition.topic);
        if let Some(source) = source.filter(|s| !s.setup.product.is_directory()) {
            self.watermarks.assign(
                &partition.topic,
                partition.number,
                &source.domains,
                source.bound_ms,
            );
        }
        Ok(())
    }

    /// Gives partitions up. What was gathered holds records of all of them: it is read again.
    fn revoke(&mut self, partitions: &[Partition]) -> Result<(), LoopError> {
        for partition in partitions {
            self.committed.remove(partition);
            self.watermarks.revoke(&partition.topic, partition.number);
            self.waiting.retain(|one| one.partition != *partition);
        }
        self.go_back()
    }

    /// Forgets what was gathered and reads on where the last commit stands.
    fn go_back(&mut self) -> Result<(), LoopError> {
        let pending = std::mem::take(&mut self.pending);
        self.blocks.iter_mut().for_each(Writer::clear);
        for (partition, _) in pending.offsets.iter() {
            let Some(offset) = self.committed.get(partition) else {
                continue;
            };
            if let Err(error) = self
                .log
                .seek(partition, *offset)
                .and_then(|()| self.log.resume(std::slice::from_ref(partition)))
            {
                // Not assigned any more, or not reachable: it is assigned anew, or sought again.
                self.waiting.push(Assigned {
                    partition: partition.clone(),
                    group_offset: Some(*offset),
                });
                self.committed.remove(partition);
                self.patience.bear(error)?;
            }
        }
        Ok(())
    }

    /// After an outcome that nobody knows, the group says where it stands.
    fn ask_positions(&mut self) -> Result<(), LoopError> {
        let partitions: Vec<Partition> = self.committed.keys().cloned().collect();
        loop {
            self.patience.pulse.beat();
            match self.log.committed(&partitions) {
                Ok(offsets) => {
                    self.committed.extend(offsets);
                    return Ok(());
                }
                Err(error) => self.patience.bear(error)?,
            }
        }
    }

    fn commit(&mut self, tick: bool) -> Result<Progress, LoopError> {
        self.tell_watermarks(tick);
        let mut pending = std::mem::take(&mut self.pending);
        let mut outgoing: Vec<(Topic, Outgoing)> = Vec::new();
        outgoing.extend(pending.accounts.drain(..).map(|r| (Topic::Directory, r)));
        outgoing.extend(pending.letters.drain(..).map(|r| (Topic::DeadLetter, r)));
        let blocks: Vec<ProduceRecord<'_>> = (0..)
            .zip(&mut self.blocks)
            .flat_map(|(partition, writer)| writer.blocks().iter().map(move |b| (partition, b)))
            .map(|(partition, block)| {
                records::events(self.setup.topics.of(Topic::Events), partition, block)
            })
            .collect();
        let written = outgoing.len() + blocks.len();
        // Also where nothing comes, now and then: whoever watches the group sees that it is read.
        let standing = tick.then(|| self.committed.clone());
        let mut moved: BTreeMap<Partition, i64> = standing.unwrap_or_default();
        moved.extend(pending.offsets.iter().map(|(of, next)| (of.clone(), *next)));
        let listed: Vec<(Partition, i64)> = moved.clone().into_iter().collect();
        let topics = &self.setup.topics;
        let began = monotonic();
        let undone = transact(&mut self.log, &mut self.patience, &listed, |log| {
            blocks.iter().try_for_each(|block| log.produce(block))?;
            outgoing.iter().try_for_each(|(topic, record)| {
                record.with(topics.of(*topic), |record| log.produce(record))
            })
        })?;
        match undone {
            None => {
                self.committed.extend(moved);
                self.watermarks.told();
                self.counts.add(pending.counts);
                self.blocks.iter_mut().for_each(Writer::clear);
                return Ok(Progress {
                    written,
                    committed: true,
                    commit: began.elapsed(),
                    ..Progress::default()
                });
            }
            Some(Undone::Renewed) => self.ask_positions()?,
            Some(Undone::Aborted) => {}
        }
        self.pending = pending;
        self.go_back()?;
        Ok(Progress {
            aborted: true,
            unknown: undone == Some(Undone::Renewed),
            ..Progress::default()
        })
    }

    /// Whether the directory is there, and somebody is known.
    #[must_use]
    pub fn knows_people(&self) -> bool {
        self.follower.is_ready() && !self.directory.read().is_empty()
    }
}
