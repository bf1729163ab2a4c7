//! The report of a collector.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::collect::reject::Reject;
use crate::collect::time::Timestamp;
use crate::edge::health::{PartitionHealth, Worker};
use crate::edge::log::{Log, Partition};
use crate::edge::stages::collect::{Collect, Counts, RESOLUTIONS};
use crate::edge::stages::{LoopError, Progress};

use super::breaker::{Breaker, Turn};
use super::{CollectMeters, KnownEnds, Member, seconds_between};

/// What one collector reports. Kept while its loop is begun anew.
#[derive(Debug)]
pub struct CollectReport<L> {
    pub(super) member: Member,
    meters: CollectMeters,
    ends: KnownEnds<L>,
    breakers: BTreeMap<String, Breaker>,
}

impl<L: Log> CollectReport<L> {
    /// The report of a worker.
    #[must_use]
    pub fn new(worker: Arc<Worker>, meters: CollectMeters, ends: KnownEnds<L>) -> Self {
        Self {
            member: Member::new(worker, meters.kafka.clone()),
            meters,
            ends,
            breakers: BTreeMap::new(),
        }
    }

    /// A cycle is over.
    pub fn cycle(&mut self, collect: &mut Collect<L>, progress: &Progress, now: Timestamp) {
        self.member.cycle(progress);
        self.member.rebalanced(collect.rebalances());
        if progress.committed {
            self.count(&collect.take_counts(), now);
        }
        let is_waiting = collect.waiting().next().is_some();
        if self.member.may_look(is_waiting) {
            self.look(collect, now);
        }
    }

    /// The loop ended with an error.
    pub fn failed(&self, error: &LoopError) {
        self.member.failed(error);
    }

    fn count(&mut self, counts: &Counts, now: Timestamp) {
        let metrics = &self.meters.metrics;
        // Items and the unusable among them, by source.
        let mut items: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for (source, number) in &counts.events {
            items.entry(source).or_default().0 += *number as u64;
        }
        for ((source, reason), number) in &counts.ignored {
            items.entry(source).or_default().0 += *number as u64;
            metrics.ignored(source, reason, *number as u64);
        }
        for ((source, reason), number) in &counts.rejected {
            let of_source = items.entry(source).or_default();
            of_source.0 += *number as u64;
            of_source.1 += *number as u64;
            metrics.rejected(source, reason, *number as u64);
            self.meters.letters.add(reason, *number as u64);
        }
        for (source, newest) in &counts.newest {
            metrics.clamped(source, newest.clamped as u64);
            if let Some(time) = newest.event {
                metrics.event_time_lag(source, seconds_between(time, now));
            }
        }
        for (result, number) in RESOLUTIONS.into_iter().zip(counts.resolved) {
            metrics.resolved(result, number as u64);
        }
        for (source, number) in &items {
            metrics.consumed(source, number.0);
        }
        for (source, number) in items {
            let newest = counts.newest.get(source);
            let newest = newest.and_then(|newest| newest.reject.clone());
            self.judge(source, number, newest, now);
        }
    }

    /// Says so, where too much of a source is unusable. It is read on all the same: what cannot be used
    /// is kept as a dead letter, and to stop would make whoever can write a twentieth of a feed the one
    /// who switches it off.
    fn judge(&mut self, source: &str, items: (u64, u64), newest: Option<Reject>, now: Timestamp) {
        if !self.breakers.contains_key(source) {
            self.breakers.insert(source.to_owned(), Breaker::default());
        }
        let breaker = self.breakers.get_mut(source);
        let turn = breaker.and_then(|breaker| breaker.count(items, newest, now));
        let (worker, metrics) = (&self.member.worker, &self.meters.metrics);
        match turn {
            Some(Turn::Degraded {
                share_pct,
                newest,
                is_new,
            }) => {
                let newest = newest.map_or_else(String::new, |reject| reject.to_string());
                tracing::error!(
                    source,
                    share_pct,
                    reason = %newest,
                    "records of this source are unusable and become dead letters; check its format \
                     and its mapping"
                );
                let what =
                    format!("source {source}: {share_pct} % is unusable, newest reason: {newest}");
                worker.set_degraded(source, Some(what));
                if is_new {
                    metrics.degraded(source, true);
                }
            }
            Some(Turn::Restored) => {
                tracing::info!(source, "records of this source are usable again");
                worker.set_degraded(source, None);
                metrics.degraded(source, false);
            }
            None => {}
        }
    }

    fn look(&mut self, collect: &Collect<L>, now: Timestamp) {
        let sources: Vec<String> = self.breakers.keys().cloned().collect();
        for source in sources {
            self.judge(&source, (0, 0), None, now);
        }
        let positions = collect.positions();
        let ends = (self.ends)(collect.log());
        let lags = self.member.lag(positions, &ends);
        let read = positions.keys().map(|partition| (partition, true));
        let waiting = collect.waiting().map(|partition| (partition, false));
        let health = |(partition, is_restored): (&Partition, bool)| {
            let health = PartitionHealth {
                is_restored,
                lag_records: lags.get(partition).copied(),
                ..PartitionHealth::default()
            };
            (partition.clone(), health)
        };
        let health: BTreeMap<_, _> = read.chain(waiting).map(health).collect();
        self.member.hold(health.len());
        self.member.worker.partitions(health);
    }
}
