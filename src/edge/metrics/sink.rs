//! What a sink counts.

use super::{Count, Counters, FAST_SECONDS};
use prometheus::{Error, Histogram, HistogramOpts, HistogramVec, IntGaugeVec, Opts, Registry};
use std::time::Duration;

/// What becomes of a revision at a sink. `retried` counts attempts, the others revisions.
const OUTCOMES: [&str; 6] = [
    "delivered",
    "retried",
    "given_up",
    "withheld",
    "skipped",
    "superseded",
];

/// Metrics of all sinks, registered once.
#[derive(Debug, Clone)]
pub struct SinksMetrics {
    deliveries: Counters,
    seconds: HistogramVec,
    waiting: IntGaugeVec,
    lag: IntGaugeVec,
}

/// Those of one sink.
#[derive(Debug, Clone)]
pub struct SinkMetrics {
    name: String,
    deliveries: Counters,
    seconds: Histogram,
    waiting: Count,
    lag: Count,
}

impl SinksMetrics {
    /// Registers them for the sinks of these names.
    pub fn register(registry: &Registry, sinks: &[&str]) -> Result<Self, Error> {
        let seconds = HistogramOpts::new("delivery_seconds", "One attempt to deliver.")
            .buckets(FAST_SECONDS.to_vec());
        let seconds = HistogramVec::new(seconds, &["sink"])?;
        registry.register(Box::new(seconds.clone()))?;
        let waiting = Opts::new("delivery_queue_depth", "Revisions read and not delivered.");
        let waiting = IntGaugeVec::new(waiting, &["sink"])?;
        registry.register(Box::new(waiting.clone()))?;
        let lag = Opts::new("delivery_lag_records", "Records behind the end.");
        let lag = IntGaugeVec::new(lag, &["sink"])?;
        registry.register(Box::new(lag.clone()))?;
        Ok(Self {
            deliveries: Counters::register(
                registry,
                "deliveries_total",
                "Revisions by what became of them; `retried` counts attempts.",
                &[("sink", sinks), ("outcome", &OUTCOMES)],
            )?,
            seconds,
            waiting,
            lag,
        })
    }

    /// Those of one sink.
    #[must_use]
    pub fn of(&self, sink: &str) -> SinkMetrics {
        SinkMetrics {
            name: sink.to_owned(),
            deliveries: self.deliveries.clone(),
            seconds: self.seconds.with_label_values(&[sink]),
            waiting: self.waiting.with_label_values(&[sink]),
            lag: self.lag.with_label_values(&[sink]),
        }
    }
}

impl SinkMetrics {
    fn add(&self, outcome: &str, revisions: usize) {
        let revisions = u64::try_from(revisions).unwrap_or(u64::MAX);
        self.deliveries.add(&[&self.name, outcome], revisions);
    }

    /// One attempt took so long.
    pub fn attempt(&self, took: Duration) {
        self.seconds.observe(took.as_secs_f64());
    }

    /// Revisions were delivered.
    pub fn delivered(&self, revisions: usize) {
        self.add("delivered", revisions);
    }

    /// An attempt is repeated.
    pub fn retried(&self) {
        self.add("retried", 1);
    }

    /// A revision goes to the dead letters.
    pub fn given_up(&self) {
        self.add("given_up", 1);
    }

    /// A revision is not for this sink.
    pub fn withheld(&self) {
        self.add("withheld", 1);
    }

    /// A revision is older than the sink.
    pub fn skipped(&self) {
        self.add("skipped", 1);
    }

    /// A newer revision took the place of one that waited.
    pub fn superseded(&self) {
        self.add("superseded", 1);
    }

    /// Revisions read and not delivered.
    pub fn waiting(&self, revisions: usize) {
        self.waiting
            .set(i64::try_from(revisions).unwrap_or(i64::MAX));
    }

    /// Records behind the end.
    pub fn lag(&self, records: u64) {
        self.lag.set(i64::try_from(records).unwrap_or(i64::MAX));
    }
}
