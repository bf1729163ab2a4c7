//! What the loop of `collect` counts.

use super::{Counters, FAST_SECONDS, SLOW_SECONDS, gauges, histogram, histograms};
use prometheus::{Error, GaugeVec, Histogram, HistogramVec, Registry};

/// The values that labels may have, known at the start.
#[derive(Debug, Clone, Copy)]
pub struct CollectLabels<'a> {
    /// Names of the configured sources.
    pub sources: &'a [&'a str],
    /// Reasons of rejects.
    pub rejects: &'a [&'a str],
    /// Reasons of ignored items.
    pub ignored: &'a [&'a str],
}

/// How late an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lateness {
    /// Older than the watermark minus the lateness of its feed.
    Late,
    /// Older than everything that its windows keep.
    TooOld,
}

/// Metrics of `collect`. Counts are added once per cycle.
#[derive(Debug, Clone)]
pub struct CollectMetrics {
    consumed: Counters,
    rejected: Counters,
    ignored: Counters,
    late: Counters,
    lag: HistogramVec,
    skew: GaugeVec,
    resolved: Counters,
    dead_letters: Counters,
    cycle: Histogram,
}

impl CollectMetrics {
    /// Registers them.
    pub fn register(registry: &Registry, labels: &CollectLabels<'_>) -> Result<Self, Error> {
        let source = ("source", labels.sources);
        let make = |name, help, labels: &[_]| Counters::register(registry, name, help, labels);
        let rejects = ("reason", labels.rejects);
        let ignored = ("reason", labels.ignored);
        let late = ("result", &["late", "too_old"][..]);
        let resolved = ("result", &RESOLUTIONS[..]);
        Ok(Self {
            consumed: make(
                "events_consumed_total",
                "Items read of a source.",
                &[source],
            )?,
            rejected: make(
                "events_rejected_total",
                "Items that are unusable.",
                &[source, rejects],
            )?,
            ignored: make(
                "events_ignored_total",
                "Items of no interest.",
                &[source, ignored],
            )?,
            late: make(
                "events_late_total",
                "Events behind the watermark.",
                &[source, late],
            )?,
            lag: histograms(
                registry,
                ("event_time_lag_seconds", "Age of an event when it is read."),
                &["source"],
                &SLOW_SECONDS,
            )?,
            skew: gauges(
                registry,
                "clock_skew_seconds",
                "How far the newest event lies ahead of its record.",
                &["source"],
            )?,
            resolved: make(
                "identity_resolution_total",
                "Persons looked up.",
                &[resolved],
            )?,
            dead_letters: make(
                "dead_letter_records_total",
                "Records put aside.",
                &[rejects],
            )?,
            cycle: histogram(
                registry,
                "collect_cycle_seconds",
                "Work of one cycle, without waiting and commit.",
                &FAST_SECONDS,
            )?,
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

    /// Events behind the watermark.
    pub fn late(&self, source: &str, lateness: Lateness, events: u64) {
        let result = match lateness {
            Lateness::Late => "late",
            Lateness::TooOld => "too_old",
        };
        self.late.add(&[source, result], events);
    }

    /// How old an event was when it was read. `source` is a configured one.
    pub fn event_time_lag(&self, source: &str, seconds: f64) {
        self.lag.with_label_values(&[source]).observe(seconds);
    }

    /// How far the newest event lies ahead of its record. `source` is a configured one.
    pub fn clock_skew(&self, source: &str, seconds: f64) {
        self.skew.with_label_values(&[source]).set(seconds);
    }

    /// Persons looked up, by how well they were found.
    pub fn resolved(&self, result: &str, persons: u64) {
        self.resolved.add(&[result], persons);
    }

    /// Records put aside.
    pub fn dead_letters(&self, reason: &str, records: u64) {
        self.dead_letters.add(&[reason], records);
    }

    /// Work of one cycle.
    pub fn cycle(&self, seconds: f64) {
        self.cycle.observe(seconds);
    }
}

/// How a person can be found.
const RESOLUTIONS: [&str; 4] = ["resolved", "ambiguous", "unresolved", "conflict"];
