//! What the run loops report: after each cycle to the metrics, once a second to the health of the
//! process. Nothing here takes part in the work; what a cycle took back is not counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use prometheus::{Error, Registry};

use crate::collect::reject::RejectReason;
use crate::edge::clock::Deadline;
use crate::edge::health::Worker;
use crate::edge::log::Partition;
use crate::edge::metrics::{
    CollectLabels, CollectMetrics, CorrelateLabels, CorrelateMetrics, DeadLetterMetrics,
    KafkaMetrics, StateMetrics,
};
use crate::edge::stages::sink::DELIVERY;
use crate::edge::stages::{LoopError, Progress, collect, correlate};

mod breaker;
mod collector;
mod correlator;
#[cfg(test)]
mod tests;

pub use collector::CollectReport;
pub use correlator::CorrelateReport;

/// Between two looks at what costs more than a few additions.
const LOOK_PAUSE: Duration = Duration::from_secs(1);
/// The same while partitions are not read yet.
const WAITING_PAUSE: Duration = Duration::from_millis(50);
/// Why the engine's dead letters were written.
const POISON: &str = "panic";
/// Why items are of no interest; any other reason counts as the first.
const IGNORED: [&str; 5] = [
    "other",
    "auth.policy_decision",
    "no_segment_of_interest",
    "empty_envelope",
    "directory_export",
];
const REJECTS: [RejectReason; 5] = [
    RejectReason::Decode,
    RejectReason::Schema,
    RejectReason::Oversize,
    RejectReason::Depth,
    RejectReason::UnsupportedEncoding,
];

/// The metrics of `collect` in this process, shared by its workers.
#[derive(Debug, Clone)]
pub struct CollectMeters {
    metrics: CollectMetrics,
    letters: DeadLetterMetrics,
    kafka: KafkaMetrics,
}

/// The metrics of `correlate` in this process, shared by its workers.
#[derive(Debug, Clone)]
pub struct CorrelateMeters {
    metrics: CorrelateMetrics,
    state: StateMetrics,
    letters: DeadLetterMetrics,
    kafka: KafkaMetrics,
}

/// Registers the dead letters of all stages.
///
/// # Errors
/// They are registered already.
pub fn dead_letters(registry: &Registry) -> Result<DeadLetterMetrics, Error> {
    let rejects = REJECTS.into_iter().map(RejectReason::as_str);
    let reasons: Vec<&str> = rejects.chain([POISON, DELIVERY]).collect();
    DeadLetterMetrics::register(registry, &reasons)
}

impl CollectMeters {
    /// Registers them.
    ///
    /// # Errors
    /// They are registered already.
    pub fn register(
        registry: &Registry,
        letters: &DeadLetterMetrics,
        sources: &[&str],
    ) -> Result<Self, Error> {
        let labels = CollectLabels {
            sources,
            rejects: &REJECTS.map(RejectReason::as_str),
            ignored: &IGNORED,
            resolutions: &collect::RESOLUTIONS,
        };
        Ok(Self {
            metrics: CollectMetrics::register(registry, &labels)?,
            letters: letters.clone(),
            kafka: KafkaMetrics::register(registry, "collect")?,
        })
    }
}

impl CorrelateMeters {
    /// Registers them.
    ///
    /// # Errors
    /// They are registered already.
    pub fn register(
        registry: &Registry,
        letters: &DeadLetterMetrics,
        patterns: &[&str],
    ) -> Result<Self, Error> {
        let labels = CorrelateLabels {
            patterns,
            relays: &correlate::RELAYS,
        };
        Ok(Self {
            metrics: CorrelateMetrics::register(registry, &labels)?,
            state: StateMetrics::register(registry)?,
            letters: letters.clone(),
            kafka: KafkaMetrics::register(registry, "correlate")?,
        })
    }
}

/// What a log client knows of the ends of its partitions without asking for them.
pub type KnownEnds<L> = fn(&L) -> BTreeMap<Partition, i64>;

/// What both loops report.
#[derive(Debug)]
struct Member {
    worker: Arc<Worker>,
    kafka: KafkaMetrics,
    rebalances: u64,
    /// Partitions held, as told last.
    held: usize,
    /// Partitions whose lag was told.
    told: BTreeSet<Partition>,
    look: Deadline,
}

impl Member {
    fn new(worker: Arc<Worker>, kafka: KafkaMetrics) -> Self {
        Self {
            worker,
            kafka,
            rebalances: 0,
            held: 0,
            told: BTreeSet::new(),
            look: Deadline::after(Duration::ZERO),
        }
    }

    /// A cycle is over.
    fn cycle(&mut self, progress: &Progress) {
        self.worker.beat();
        if progress.committed {
            self.kafka.committed(progress.commit.as_secs_f64());
            self.worker.committed();
        }
        if progress.aborted {
            let reason = if progress.unknown { "unknown" } else { "abort" };
            self.kafka.aborted(reason);
            self.worker.commit_pending();
        }
    }

    /// The group moved, if it did since this was called last. A loop that was begun anew counts anew.
    fn rebalanced(&mut self, so_far: u64) {
        if so_far != self.rebalances {
            let new = so_far.checked_sub(self.rebalances).unwrap_or(so_far);
            self.kafka.rebalanced(new, 0);
            self.rebalances = so_far;
            self.look = Deadline::after(Duration::ZERO);
        }
        if so_far > 0 {
            self.worker.started();
        }
    }

    /// Whether it is time for a look; soon again where partitions are still waited for, so that readiness
    /// is told when it is there.
    fn may_look(&mut self, is_waiting: bool) -> bool {
        let may = self.look.has_passed();
        if may {
            let pause = if is_waiting {
                WAITING_PAUSE
            } else {
                LOOK_PAUSE
            };
            self.look = Deadline::after(pause);
        }
        may
    }

    fn hold(&mut self, partitions: usize) {
        self.kafka.rebalanced(0, difference(partitions, self.held));
        self.held = partitions;
    }

    /// Tells the lag of each partition that is read, and no longer that of others. What it is.
    fn lag(
        &mut self,
        positions: &BTreeMap<Partition, i64>,
        ends: &BTreeMap<Partition, i64>,
    ) -> BTreeMap<Partition, u64> {
        let mut lags = BTreeMap::new();
        for (partition, position) in positions {
            let Some(end) = ends.get(partition) else {
                continue;
            };
            let lag = end.saturating_sub(*position).max(0);
            self.kafka.lag(&partition.topic, partition.number, lag);
            self.told.insert(partition.clone());
            lags.insert(partition.clone(), lag.unsigned_abs());
        }
        let kafka = &self.kafka;
        self.told.retain(|partition| {
            let is_read = positions.contains_key(partition);
            if !is_read {
                kafka.partition_gone(&partition.topic, partition.number);
            }
            is_read
        });
        lags
    }

    /// The loop ended with an error.
    fn failed(&self, error: &LoopError) {
        match error {
            LoopError::Fenced(_) => self.kafka.aborted("fenced"),
            LoopError::Repeated(_) => self.kafka.aborted("repeated"),
            LoopError::Log(_) => {}
        }
    }
}

/// `now` minus `before`, for a gauge that many workers share.
fn difference(now: usize, before: usize) -> i64 {
    let of = |number| i64::try_from(number).unwrap_or(i64::MAX);
    of(now).saturating_sub(of(before))
}

/// Seconds from a moment to another; none if it is not over yet.
fn seconds_between(
    from: crate::collect::time::Timestamp,
    to: crate::collect::time::Timestamp,
) -> f64 {
    let ms = u64::try_from(to.since(from)).unwrap_or(0);
    Duration::from_millis(ms).as_secs_f64()
}
