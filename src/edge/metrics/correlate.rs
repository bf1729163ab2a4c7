//! What the loop of `correlate` counts, and what its state weighs.

use super::{
    Count, CountVec, Counter, Counters, FAST_SECONDS, SLOW_SECONDS, counter, counts, gauges,
    histogram,
};
use crate::deliver::filter::SEVERITIES;
use prometheus::{Error, GaugeVec, Histogram, Registry};

/// The values that labels may have, known at the start.
#[derive(Debug, Clone, Copy)]
pub struct CorrelateLabels<'a> {
    /// Ids of the loaded patterns.
    pub patterns: &'a [&'a str],
}

const ACTIVITIES: [&str; 3] = ["created", "updated", "closed"];
const RELAYS: [&str; 6] = [
    "contact_state",
    "ticket_state",
    "enrolled_after_recovery",
    "case_scored",
    "pivot_finding",
    "campaign",
];
const BOUNDS: [&str; 6] = [
    "kept_events",
    "contacts",
    "tickets",
    "values",
    "relays",
    "entities",
];
const KINDS: [&str; 7] = [
    "identity", "contact", "ticket", "agent", "caller", "device", "address",
];
const REASONS: [&str; 3] = ["expired", "closed", "bound"];

/// Metrics of `correlate`. Counts are added once per cycle.
#[derive(Debug, Clone)]
pub struct CorrelateMetrics {
    watermark_delay: GaugeVec,
    watermark_forced: Counter,
    matches: Counters,
    errors: Counters,
    suppressed: Counters,
    eval: Histogram,
    alerts: Counters,
    open: CountVec,
    latency: Histogram,
    relays: Counters,
    duplicates: Counter,
    bounds: Counters,
}

impl CorrelateMetrics {
    /// Registers them.
    pub fn register(registry: &Registry, labels: &CorrelateLabels<'_>) -> Result<Self, Error> {
        let pattern = ("pattern", labels.patterns);
        let severity = ("severity", &SEVERITIES[..]);
        let activity = ("activity", &ACTIVITIES[..]);
        let make = |name, help, labels: &[_]| Counters::register(registry, name, help, labels);
        let open = counts(
            registry,
            "alerts_open",
            "Open cases of this instance.",
            &["severity"],
        )?;
        for severity in SEVERITIES {
            open.with_label_values(&[severity]).set(0);
        }
        Ok(Self {
            watermark_delay: gauges(
                registry,
                "watermark_delay_seconds",
                "How far the watermark of a domain is behind log time.",
                &["partition", "domain"],
            )?,
            watermark_forced: counter(
                registry,
                "watermark_forced_total",
                "Obligations decided at max_wait instead of by a watermark.",
            )?,
            matches: make("pattern_matches_total", "Findings made.", &[pattern])?,
            errors: make(
                "pattern_errors_total",
                "Rules that failed on an entry.",
                &[pattern],
            )?,
            suppressed: make(
                "findings_suppressed_total",
                "Findings that an exemption suppressed.",
                &[pattern, ("kind", &["exemption", "silence"])],
            )?,
            eval: histogram(
                registry,
                "pattern_eval_seconds",
                "Evaluation of one cycle.",
                &FAST_SECONDS,
            )?,
            alerts: make(
                "alerts_total",
                "Alert revisions published, by lead pattern.",
                &[pattern, severity, activity],
            )?,
            open,
            latency: histogram(
                registry,
                "alert_latency_seconds",
                "Event time of the last contributing event to the committed alert.",
                &SLOW_SECONDS,
            )?,
            relays: make("relays_total", "Relays sent.", &[("kind", &RELAYS)])?,
            duplicates: counter(registry, "duplicates_total", "Events already kept.")?,
            bounds: make(
                "bound_reached_total",
                "Bounds reached.",
                &[("bound", &BOUNDS)],
            )?,
        })
    }

    /// How far a watermark is behind log time. `domain` is one of the closed vocabulary.
    pub fn watermark_delay(&self, partition: i32, domain: &str, seconds: f64) {
        let partition = partition.to_string();
        let labels = [partition.as_str(), domain];
        self.watermark_delay.with_label_values(&labels).set(seconds);
    }

    /// A partition is gone: its watermarks are another instance's.
    pub fn partition_gone(&self, partition: i32, domains: &[&str]) {
        for domain in domains {
            let labels = [&partition.to_string(), *domain];
            // It has none where no watermark came yet.
            drop(self.watermark_delay.remove_label_values(&labels));
        }
    }

    /// Obligations decided at `max_wait`.
    pub fn watermark_forced(&self, obligations: u64) {
        self.watermark_forced.inc_by(obligations);
    }

    /// Findings made of a pattern.
    pub fn matches(&self, pattern: &str, findings: u64) {
        self.matches.add(&[pattern], findings);
    }

    /// Entries on which a rule failed.
    pub fn errors(&self, pattern: &str, entries: u64) {
        self.errors.add(&[pattern], entries);
    }

    /// Findings that an `exemption` or a `silence` suppressed.
    pub fn suppressed(&self, pattern: &str, kind: &str, findings: u64) {
        self.suppressed.add(&[pattern, kind], findings);
    }

    /// Evaluation of one cycle.
    pub fn evaluated(&self, seconds: f64) {
        self.eval.observe(seconds);
    }

    /// Alert revisions published: lead pattern, severity, and created, updated or closed.
    pub fn alert(&self, pattern: &str, severity: &str, activity: &str, revisions: u64) {
        self.alerts.add(&[pattern, severity, activity], revisions);
    }

    /// Open cases by severity, in rising order.
    pub fn open(&self, cases: [i64; 5]) {
        for (severity, cases) in SEVERITIES.into_iter().zip(cases) {
            self.open.with_label_values(&[severity]).set(cases);
        }
    }

    /// From the last contributing event to the committed alert.
    pub fn alert_latency(&self, seconds: f64) {
        self.latency.observe(seconds);
    }

    /// Relays sent.
    pub fn relays(&self, kind: &str, relays: u64) {
        self.relays.add(&[kind], relays);
    }

    /// Events that were kept already.
    pub fn duplicates(&self, events: u64) {
        self.duplicates.inc_by(events);
    }

    /// Bounds reached.
    pub fn bound_reached(&self, bound: &str, times: u64) {
        self.bounds.add(&[bound], times);
    }
}

/// What the state weighs, and what became of it.
#[derive(Debug, Clone)]
pub struct StateMetrics {
    entries: Count,
    bytes: Count,
    evictions: Counters,
    restored: Counter,
    restore: Histogram,
    mismatch: Counter,
}

impl StateMetrics {
    /// Registers them.
    pub fn register(registry: &Registry) -> Result<Self, Error> {
        let store = |name, help| {
            let by_store = counts(registry, name, help, &["store"])?;
            Ok::<_, Error>(by_store.with_label_values(&["entities"]))
        };
        Ok(Self {
            entries: store("state_entries", "Entities remembered.")?,
            bytes: store("state_bytes", "Bytes of the entities remembered.")?,
            evictions: Counters::register(
                registry,
                "state_evictions_total",
                "Entities forgotten.",
                &[("kind", &KINDS), ("reason", &REASONS)],
            )?,
            restored: counter(registry, "state_restore_records_total", "Records restored.")?,
            restore: histogram(
                registry,
                "state_restore_seconds",
                "Restore of one assignment.",
                &FAST_SECONDS,
            )?,
            mismatch: counter(
                registry,
                "restore_position_mismatch_total",
                "Restores whose position differs from the group's.",
            )?,
        })
    }

    /// What is remembered now.
    pub fn size(&self, entries: i64, bytes: i64) {
        self.entries.set(entries);
        self.bytes.set(bytes);
    }

    /// Entities of a kind that were forgotten: `expired`, `closed`, or at a `bound`.
    pub fn evicted(&self, kind: &str, reason: &str, entities: u64) {
        self.evictions.add(&[kind, reason], entities);
    }

    /// A restore is done.
    pub fn restored(&self, records: u64, seconds: f64) {
        self.restored.inc_by(records);
        self.restore.observe(seconds);
    }

    /// The position in the changelog and that of the group differ; the changelog holds.
    pub fn position_mismatch(&self) {
        self.mismatch.inc();
    }
}
