//! What a run loop counts of its work with the log.

use super::FAST_SECONDS;
use prometheus::core::{AtomicI64, GenericGauge};
use prometheus::{
    Error, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry,
};

const REASONS: [&str; 4] = ["abort", "unknown", "fenced", "repeated"];

/// Metrics of one stage's log. Every stage of a process registers its own; `stage` is a label.
#[derive(Debug, Clone)]
pub struct KafkaMetrics {
    lag: IntGaugeVec,
    commit: Histogram,
    aborts: Vec<(&'static str, IntCounter)>,
    rebalances: IntCounter,
    assigned: GenericGauge<AtomicI64>,
}

impl KafkaMetrics {
    /// Registers those of a stage.
    pub fn register(registry: &Registry, stage: &str) -> Result<Self, Error> {
        let of_stage = |name: &str, help: &str| Opts::new(name, help).const_label("stage", stage);
        let lag = IntGaugeVec::new(
            of_stage("consumer_lag_records", "Records behind the end."),
            &["topic", "partition"],
        )?;
        registry.register(Box::new(lag.clone()))?;
        let commit = HistogramOpts::new("txn_commit_seconds", "Commit of one transaction.")
            .const_label("stage", stage)
            .buckets(FAST_SECONDS.to_vec());
        let commit = Histogram::with_opts(commit)?;
        registry.register(Box::new(commit.clone()))?;
        let aborts = IntCounterVec::new(
            of_stage("txn_aborts_total", "Transactions taken back."),
            &["reason"],
        )?;
        registry.register(Box::new(aborts.clone()))?;
        let rebalances = IntCounter::with_opts(of_stage("rebalances_total", "Assignments moved."))?;
        registry.register(Box::new(rebalances.clone()))?;
        let assigned =
            GenericGauge::with_opts(of_stage("assigned_partitions", "Partitions held."))?;
        registry.register(Box::new(assigned.clone()))?;
        Ok(Self {
            lag,
            commit,
            aborts: REASONS
                .into_iter()
                .map(|reason| (reason, aborts.with_label_values(&[reason])))
                .collect(),
            rebalances,
            assigned,
        })
    }

    /// Records behind the end of a partition.
    pub fn lag(&self, topic: &str, partition: i32, records: i64) {
        let partition = partition.to_string();
        let labels = [topic, partition.as_str()];
        self.lag.with_label_values(&labels).set(records);
    }

    /// A partition is gone: its lag is another instance's.
    pub fn partition_gone(&self, topic: &str, partition: i32) {
        let partition = partition.to_string();
        // It has none where nothing was read of it yet.
        drop(self.lag.remove_label_values(&[topic, partition.as_str()]));
    }

    /// A commit took this long.
    pub fn committed(&self, seconds: f64) {
        self.commit.observe(seconds);
    }

    /// A transaction was taken back (`abort`), nobody knows whether it took effect (`unknown`), or it
    /// ended the loop (`fenced`, `repeated`).
    pub fn aborted(&self, reason: &str) {
        if let Some((_, counter)) = self.aborts.iter().find(|(name, _)| *name == reason) {
            counter.inc();
        }
    }

    /// Assignments moved so often, and so many partitions more, or less, are held than before.
    pub fn rebalanced(&self, times: u64, more: i64) {
        self.rebalances.inc_by(times);
        self.assigned.add(more);
    }
}
