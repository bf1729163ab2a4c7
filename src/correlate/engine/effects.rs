//! What entries caused, to be written in one transaction.

use crate::collect::entity::Entity;
use crate::correlate::case::Revision;
use crate::correlate::relay::Relay;

/// What entries caused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// New revisions of cases.
    pub revisions: Vec<(Entity, Revision)>,
    /// Relays to other entities.
    pub relays: Vec<(Entity, Relay)>,
    /// What happened, for metrics.
    pub counts: Counts,
}

impl Effects {
    /// Nothing that others wait for.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.revisions.is_empty() && self.relays.is_empty()
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
    /// Obligations decided at their longest wait.
    pub forced: usize,
    /// Entities forgotten because their time was over.
    pub expired: usize,
    /// Control entries that could not be read.
    pub control_ignored: usize,
    /// Entities forgotten because there were too many.
    pub evicted: usize,
}

impl Counts {
    /// Nothing happened.
    pub const NONE: Self = Self {
        events: 0,
        everyday: 0,
        duplicates: 0,
        forced: 0,
        expired: 0,
        control_ignored: 0,
        evicted: 0,
    };

    /// Adds what happened elsewhere.
    pub const fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.everyday += other.everyday;
        self.duplicates += other.duplicates;
        self.forced += other.forced;
        self.expired += other.expired;
        self.control_ignored += other.control_ignored;
        self.evicted += other.evicted;
    }
}
