//! What the loop of `correlate` counts, and what its state weighs.

use super::{
    Count, Counter, Counters, FAST_SECONDS, SLOW_SECONDS, counter, counts, gauges, histogram,
};
use crate::collect::entity::EntityKind;
use crate::deliver::filter::SEVERITIES;
use prometheus::{Error, GaugeVec, Histogram, Registry};

/// The values that labels may have, known at the start.
#[derive(Debug, Clone, Copy)]
pub struct CorrelateLabels<'a> {
    /// Ids of the loaded patterns.
    pub patterns: &'a [&'a str],
    /// Kinds of relays.
    pub relays: &'a [&'a str],
}

const ACTIVITIES: [&str; 3] = ["created", "updated", "closed"];
const REASONS: [&str; 2] = ["expired", "bound"];

/// Metrics of `correlate`. Counts are added once per cycle.
#[derive(Debug, Clone)]
pub struct CorrelateMetrics {
    watermark_delay: GaugeVec,
    watermark_forced: Counter,
    matches: Counters,
    suppressed: Counters,
    eval: Histogram,
    alerts: Counters,
    latency: Histogram,
    relays: Counters,
    duplicates: Counter,
    late: Counter,
    unread: Counter,
}

impl CorrelateMetrics {
    /// Registers them.
    pub fn register(registry: &Registry, labels: &CorrelateLabels<'_>) -> Result<Self, Error> {
        let pattern = ("pattern", labels.patterns);
        let severity = ("severity", &SEVERITIES[..]);
        let activity = ("activity", &ACTIVITIES[..]);
        let make = |name, help, labels: &[_]| Counters::register(registry, name, help, labels);
        Ok(Self {
            watermark_delay: gauges(
                registry,
                "watermark_delay_seconds",
                "How far a watermark is behind the clock; `all` is that of every source together.",
                &["partition", "domain"],
            )?,
            watermark_forced: counter(
                registry,
                "watermark_forced_total",
                "Obligations decided at max_wait instead of by a watermark.",
            )?,
            matches: make("pattern_matches_total", "Findings made.", &[pattern])?,
            suppressed: make(
                "findings_suppressed_total",
                "Findings that an exemption suppressed, and alert revisions under a silence.",
                &[pattern, ("kind", &["exemption", "silence"])],
            )?,
            eval: histogram(
                registry,
                "pattern_eval_seconds",
                "Applying the blocks of one cycle.",
                &FAST_SECONDS,
            )?,
            alerts: make(
                "alerts_total",
                "Alert revisions published, by lead pattern.",
                &[pattern, severity, activity],
            )?,
            latency: histogram(
                registry,
                "alert_latency_seconds",
                "Event time of the last contributing event to the committed alert.",
                &SLOW_SECONDS,
            )?,
            relays: make("relays_total", "Relays sent.", &[("kind", labels.relays)])?,
            duplicates: counter(registry, "duplicates_total", "Events already kept.")?,
            late: counter(
                registry,
                "alerts_late_total",
                "Alert revisions that came of an event later than its feed may be.",
            )?,
            unread: counter(
                registry,
                "control_ignored_total",
                "Control entries that cannot be read or found no place, once per partition.",
            )?,
        })
    }

    /// How far a watermark is behind the clock. `domain` is `all` or a kind of evidence.
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

    /// Findings that an `exemption` or a `silence` suppressed.
    pub fn suppressed(&self, pattern: &str, kind: &str, findings: u64) {
        self.suppressed.add(&[pattern, kind], findings);
    }

    /// Applying the blocks of one cycle.
    pub fn evaluated(&self, seconds: f64) {
        self.eval.observe(seconds);
    }

    /// Alert revisions published: lead pattern, severity, and created, updated or closed.
    pub fn alert(&self, pattern: &str, severity: &str, activity: &str, revisions: u64) {
        self.alerts.add(&[pattern, severity, activity], revisions);
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

    /// Alert revisions that came of late events.
    pub fn late(&self, revisions: u64) {
        self.late.inc_by(revisions);
    }

    /// Control entries that cannot be read.
    pub fn control_ignored(&self, entries: u64) {
        self.unread.inc_by(entries);
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
                &[
                    ("kind", &EntityKind::ALL.map(EntityKind::as_str)),
                    ("reason", &REASONS),
                ],
            )?,
            restored: counter(registry, "state_restore_records_total", "Records restored.")?,
            restore: histogram(
                registry,
                "state_restore_seconds",
                "From the assignment of a partition until its state is there.",
                &SLOW_SECONDS,
            )?,
            mismatch: counter(
                registry,
                "restore_position_mismatch_total",
                "Restores whose position differs from the group's.",
            )?,
        })
    }

    /// A correlator remembers so much more, or less, than it said last.
    pub fn grown(&self, entries: i64, bytes: i64) {
        self.entries.add(entries);
        self.bytes.add(bytes);
    }

    /// Entities of a kind that were forgotten: `expired`, or at a `bound`.
    pub fn evicted(&self, kind: &str, reason: &str, entities: u64) {
        self.evictions.add(&[kind, reason], entities);
    }

    /// A restore is done.
    pub fn restored(&self, records: u64, seconds: f64) {
        self.restored.inc_by(records);
        self.restore.observe(seconds);
    }

    /// How often the position in the changelog and that of the group differed; the changelog holds.
    pub fn position_mismatch(&self, times: u64) {
        self.mismatch.inc_by(times);
    }
}
