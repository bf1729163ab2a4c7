//! What the loop of `collect` counts.

use super::{Count, Counters, SLOW_SECONDS, counts, histograms};
use prometheus::{Error, HistogramVec, Registry};
use std::collections::BTreeMap;

/// The values that labels may have, known at the start.
#[derive(Debug, Clone, Copy)]
pub struct CollectLabels<'a> {
    /// Names of the configured sources.
    pub sources: &'a [&'a str],
    /// Reasons of rejects.
    pub rejects: &'a [&'a str],
    /// Reasons of ignored items.
    pub ignored: &'a [&'a str],
    /// How a person can be found.
    pub resolutions: &'a [&'a str],
}

/// Metrics of `collect`. Counts are added once per cycle.
#[derive(Debug, Clone)]
pub struct CollectMetrics {
    consumed: Counters,
    rejected: Counters,
    ignored: Counters,
    clamped: Counters,
    resolved: Counters,
    lag: HistogramVec,
    degraded: BTreeMap<String, Count>,
}

impl CollectMetrics {
    /// Registers them.
    pub fn register(registry: &Registry, labels: &CollectLabels<'_>) -> Result<Self, Error> {
        let source = ("source", labels.sources);
        let make = |name, help, labels: &[_]| Counters::register(registry, name, help, labels);
        let degraded = counts(
            registry,
            "pipeline_degraded",
            "Collectors to which nearly everything of a source is unusable now.",
            &["source"],
        )?;
        let of_source = |name: &&str| ((*name).to_owned(), degraded.with_label_values(&[*name]));
        let lag = histograms(
            registry,
            (
                "event_time_lag_seconds",
                "Age of the newest event of a source in each cycle that brought one.",
            ),
            &["source"],
            &SLOW_SECONDS,
        )?;
        for name in labels.sources {
            lag.with_label_values(&[*name]);
        }
        Ok(Self {
            consumed: make(
                "events_consumed_total",
                "Items read of a source, usable or not.",
                &[source],
            )?,
            rejected: make(
                "events_rejected_total",
                "Items that are unusable.",
                &[source, ("reason", labels.rejects)],
            )?,
            ignored: make(
                "events_ignored_total",
                "Items of no interest.",
                &[source, ("reason", labels.ignored)],
            )?,
            clamped: make(
                "clock_clamped_total",
                "Events whose time lay so far ahead of their record that the record's counts.",
                &[source],
            )?,
            resolved: make(
                "identity_resolution_total",
                "Targets of events, by how well they were found.",
                &[("result", labels.resolutions)],
            )?,
            lag,
            degraded: labels.sources.iter().map(of_source).collect(),
        })
    }

    /// Items read of a source, usable or not.
    pub fn consumed(&self, source: &str, items: u64) {
        self.consumed.add(&[source], items);
    }

    /// Unusable items.
    pub fn rejected(&self, source: &str, reason: &str, items: u64) {
        self.rejected.add(&[source, reason], items);
    }

    /// Items of no interest.
    pub fn ignored(&self, source: &str, reason: &str, items: u64) {
        self.ignored.add(&[source, reason], items);
    }

    /// Events whose time was clamped.
    pub fn clamped(&self, source: &str, events: u64) {
        self.clamped.add(&[source], events);
    }

    /// How old the newest event of a cycle was. `source` is a configured one.
    pub fn event_time_lag(&self, source: &str, seconds: f64) {
        self.lag.with_label_values(&[source]).observe(seconds);
    }

    /// Targets looked up, by how well they were found.
    pub fn resolved(&self, result: &str, targets: u64) {
        self.resolved.add(&[result], targets);
    }

    /// A collector takes nearly everything of a source for unusable, or no longer does.
    pub fn degraded(&self, source: &str, is_degraded: bool) {
        if let Some(number) = self.degraded.get(source) {
            number.add(if is_degraded { 1 } else { -1 });
        }
    }
}

/// Dead letters of all stages of the process.
#[derive(Debug, Clone)]
pub struct DeadLetterMetrics(Counters);

impl DeadLetterMetrics {
    /// Registers them. `reasons` are those of all stages.
    pub fn register(registry: &Registry, reasons: &[&str]) -> Result<Self, Error> {
        Counters::register(
            registry,
            "dead_letter_records_total",
            "Records put aside.",
            &[("reason", reasons)],
        )
        .map(Self)
    }

    /// Records put aside.
    pub fn add(&self, reason: &str, records: u64) {
        self.0.add(&[reason], records);
    }
}
