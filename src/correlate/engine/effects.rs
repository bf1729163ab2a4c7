//! What entries caused, to be written in one transaction.

use crate::collect::entity::Entity;
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
    /// What happened, for metrics.
    pub counts: Counts,
}

impl Effects {
    /// Nothing that others wait for.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.alerts.is_empty() && self.relays.is_empty()
    }
}

/// What happened, for metrics: a pure stage counts, the edge publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Event entries.
    pub events: usize,
    /// Events that said nothing new.
    pub everyday: usize,
    /// Events that were known.
    pub duplicates: usize,
    /// Events that came later than their feed may be.
    pub late: usize,
    /// Obligations decided at their longest wait.
    pub forced: usize,
    /// Entities forgotten because their time was over.
    pub expired: usize,
    /// Entities forgotten because there were too many.
    pub evicted: usize,
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
        expired: 0,
        evicted: 0,
        control_ignored: 0,
    };

    /// Adds what happened elsewhere.
    pub const fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.everyday += other.everyday;
        self.duplicates += other.duplicates;
        self.late += other.late;
        self.forced += other.forced;
        self.expired += other.expired;
        self.evicted += other.evicted;
        self.control_ignored += other.control_ignored;
    }
}
