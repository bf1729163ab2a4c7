//! The report of a correlator.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::collect::entity::EntityKind;
use crate::collect::time::Timestamp;
use crate::correlate::engine::{self, Engine};
use crate::correlate::rules::rule::Evidence;
use crate::edge::health::{PartitionHealth, Worker};
use crate::edge::log::{Log, Partition};
use crate::edge::stages::correlate::{Correlate, Counts, Place};
use crate::edge::stages::{LoopError, Progress};

use super::{CorrelateMeters, KnownEnds, Member, POISON, difference, seconds_between};

/// The name of the watermark over all sources.
const ALL: &str = "all";

/// What one correlator reports. Kept while its loop is begun anew.
#[derive(Debug)]
pub struct CorrelateReport<L> {
    pub(super) member: Member,
    meters: CorrelateMeters,
    ends: KnownEnds<L>,
    /// Entities and bytes as told last.
    size: (usize, usize),
    /// Partitions whose watermarks were told.
    marked: BTreeSet<i32>,
}

impl<L: Log> CorrelateReport<L> {
    /// The report of a worker.
    #[must_use]
    pub fn new(worker: Arc<Worker>, meters: CorrelateMeters, ends: KnownEnds<L>) -> Self {
        Self {
            member: Member::new(worker, meters.kafka.clone()),
            meters,
            ends,
            size: (0, 0),
            marked: BTreeSet::new(),
        }
    }

    /// A cycle is over.
    pub fn cycle(&mut self, correlate: &mut Correlate<L>, progress: &Progress, now: Timestamp) {
        self.member.cycle(progress);
        self.member.rebalanced(correlate.rebalances());
        let is_waiting = correlate.standing().restoring > 0;
        let looks = self.member.may_look(is_waiting);
        // Restores end in cycles that commit nothing.
        if progress.committed || looks {
            self.count(&correlate.take_counts(), now);
        }
        if looks {
            self.look(correlate, now);
        }
    }

    /// The loop ended with an error.
    pub fn failed(&self, error: &LoopError) {
        self.member.failed(error);
    }

    fn count(&self, counts: &Counts, now: Timestamp) {
        let metrics = &self.meters.metrics;
        for ((pattern, severity, activity), revisions) in &counts.alerts {
            metrics.alert(pattern, severity, activity, *revisions);
        }
        for time in &counts.caused {
            metrics.alert_latency(seconds_between(*time, now));
        }
        for (pattern, revisions) in &counts.silenced {
            metrics.suppressed(pattern, "silence", *revisions);
        }
        for ((pattern, is_suppressed), findings) in &counts.findings {
            metrics.matches(pattern, *findings);
            if *is_suppressed {
                metrics.suppressed(pattern, "exemption", *findings);
            }
        }
        for (kind, relays) in &counts.relays {
            metrics.relays(kind, *relays);
        }
        for took in &counts.applied {
            metrics.evaluated(took.as_secs_f64());
        }
        for restored in &counts.restores {
            let state = &self.meters.state;
            state.restored(restored.records, restored.took.as_secs_f64());
            state.position_mismatch(restored.mismatches);
        }
        self.meters.letters.add(POISON, counts.poisoned as u64);
        self.count_engine(&counts.engine);
    }

    fn count_engine(&self, counts: &engine::Counts) {
        let metrics = &self.meters.metrics;
        metrics.duplicates(counts.duplicates as u64);
        metrics.watermark_forced(counts.forced as u64);
        metrics.late(counts.late as u64);
        metrics.control_ignored(counts.control_ignored as u64);
        for (reason, by_kind) in [("expired", counts.expired), ("bound", counts.evicted)] {
            for (kind, entities) in EntityKind::ALL.into_iter().zip(by_kind) {
                let state = &self.meters.state;
                state.evicted(kind.as_str(), reason, entities as u64);
            }
        }
    }

    fn look(&mut self, correlate: &Correlate<L>, now: Timestamp) {
        let at = |number| Partition::new(Arc::clone(correlate.topic()), number);
        let mut health: BTreeMap<Partition, PartitionHealth> = BTreeMap::new();
        let mut positions = BTreeMap::new();
        let mut marked = BTreeSet::new();
        let mut size = (0, 0);
        for (number, place) in correlate.places() {
            let of_partition = health.entry(at(number)).or_default();
            match place {
                Place::Restoring(records) => of_partition.restored_records = records,
                Place::Refused(why) => of_partition.refused = Some(why.to_owned()),
                Place::Running(engine) => {
                    of_partition.is_restored = true;
                    of_partition.watermark_delay_ms = self.watermarks(number, engine, now);
                    positions.insert(at(number), engine.partition().next_offset);
                    let (entities, bytes) = engine.size();
                    size = (size.0 + entities, size.1 + bytes);
                    marked.insert(number);
                }
            }
        }
        for (partition, lag) in self.member.lag(&positions, &(self.ends)(correlate.log())) {
            if let Some(of_partition) = health.get_mut(&partition) {
                of_partition.lag_records = Some(lag);
            }
        }
        let evidence = Evidence::ALL.map(|(name, _)| name);
        for gone in self.marked.difference(&marked) {
            let names = [&[ALL][..], &evidence].concat();
            self.meters.metrics.partition_gone(*gone, &names);
        }
        self.marked = marked;
        let grown = |now, before| difference(now, before);
        let (entities, bytes) = (grown(size.0, self.size.0), grown(size.1, self.size.1));
        self.meters.state.grown(entities, bytes);
        self.size = size;
        self.member.hold(health.len());
        self.member.worker.partitions(health);
    }

    /// Tells how far the watermarks of a partition are behind the clock: that of every kind of evidence
    /// which a source delivers, and that of all. While a declared source was not heard of there is no
    /// watermark, and nothing is further behind.
    fn watermarks(&self, number: i32, engine: &Engine, now: Timestamp) -> Option<u64> {
        let sources = engine.controls().sources();
        let marks = engine.partition().now();
        let metrics = &self.meters.metrics;
        let tell = |name: &str, mark: Timestamp| {
            let is_there = mark > Timestamp::MIN;
            let seconds = if is_there {
                seconds_between(mark, now)
            } else {
                f64::INFINITY
            };
            metrics.watermark_delay(number, name, seconds);
            is_there
        };
        if sources.is_empty() {
            return None;
        }
        for (name, evidence) in Evidence::ALL {
            if sources.values().any(|s| s.evidence.contains(&evidence)) {
                tell(name, marks.of(evidence));
            }
        }
        let is_there = tell(ALL, marks.all);
        is_there.then(|| u64::try_from(now.since(marks.all)).unwrap_or(0))
    }
}
