//! What entries caused, to be written in one transaction.

use crate::collect::entity::{Entity, EntityKind};
use crate::correlate::audit::{Entry, Sealed};
use crate::correlate::case::Revision;
use crate::correlate::relay::Relay;

/// A revision of an alert as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The entity of the case.
    pub entity: Entity,
    /// The revision.
    pub revision: Revision,
    /// The pattern with most points.
    pub lead: Option<String>,
    /// Key of the record.
    pub key: String,
    /// Headers of the record.
    pub headers: Vec<(&'static str, String)>,
    /// Its document.
    pub value: Vec<u8>,
}

/// What entries caused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// New revisions of alerts.
    pub alerts: Vec<Published>,
    /// Audit records that are not chained yet; empty between two entries.
    pub(in crate::correlate) audits: Vec<Entry>,
    /// Audit records.
    pub sealed: Vec<Sealed>,
    /// Relays to other entities.
    pub relays: Vec<(Entity, Relay)>,
    /// Findings that were not there before, for metrics.
    pub findings: Vec<NewFinding>,
    /// What happened, for metrics.
    pub counts: Counts,
}

impl Effects {
    /// Nothing for anybody else.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.alerts.is_empty() && self.relays.is_empty()
    }

    /// Revisions from one on carry the trace of the entry that caused them, if it has one.
    pub(super) fn trace(&mut self, from: usize, traceparent: Option<&str>) {
        let Some(trace) = traceparent else { return };
        for alert in self.alerts.iter_mut().skip(from) {
            alert.headers.push(("traceparent", trace.to_owned()));
        }
    }
}

/// A finding that was not there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFinding {
    /// Its pattern.
    pub pattern: String,
    /// An exemption makes it worth nothing.
    pub is_suppressed: bool,
}

/// Numbers by kind of entity, in the order of [`EntityKind::ALL`].
pub type ByKind = [usize; EntityKind::ALL.len()];

/// What happened, for metrics: a pure stage counts, the edge publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Event entries.
    pub events: usize,
    /// Events that said nothing new.
    pub everyday: usize,
    /// Events that were known.
    pub duplicates: usize,
    /// Revisions brought by an event that came later than its feed may be.
    pub late: usize,
    /// Obligations decided at their longest wait.
    pub forced: usize,
    /// Entities forgotten because their time was over.
    pub expired: ByKind,
    /// Entities forgotten because there were too many.
    pub evicted: ByKind,
    /// Control entries that could not be read, or that found no place.
    pub control_ignored: usize,
}

impl Counts {
    /// Nothing happened.
    pub const NONE: Self = Self {
        events: 0,
        everyday: 0,
        duplicates: 0,
        late: 0,
        forced: 0,
        expired: [0; EntityKind::ALL.len()],
        evicted: [0; EntityKind::ALL.len()],
        control_ignored: 0,
    };

    /// Adds what happened elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.everyday += other.everyday;
        self.duplicates += other.duplicates;
        self.late += other.late;
        self.forced += other.forced;
        for (mine, theirs) in [
            (&mut self.expired, &other.expired),
            (&mut self.evicted, &other.evicted),
        ] {
            for (sum, more) in mine.iter_mut().zip(theirs) {
                *sum += more;
            }
        }
        self.control_ignored += other.control_ignored;
    }
}
