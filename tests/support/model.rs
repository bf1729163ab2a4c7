//! The single-threaded model of the correlator: one engine for each partition of the events topic, fed
//! block by block as they lie there. What the loops publish must be what it says.

use std::sync::Arc;

use deskwarden::collect::block;
use deskwarden::correlate::engine::{Effects, Engine, Setup};
use deskwarden::edge::log::OwnedRecord;
use deskwarden::edge::log::records::{self, Outgoing};

/// What the blocks of one partition ask for, in order.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Alerts.
    pub alerts: Vec<Outgoing>,
    /// Audit records.
    pub audits: Vec<Outgoing>,
}

/// Applies the blocks of one partition.
pub fn published(setup: &Arc<Setup>, partition: i32, blocks: &[OwnedRecord]) -> Wanted {
    let mut engine = Engine::new(Arc::clone(setup));
    let mut wanted = Wanted::default();
    for record in blocks {
        let mut effects = Effects::default();
        engine.advance(record.timestamp, &mut effects);
        for entry in block::decode(record.value.as_deref().unwrap()).unwrap() {
            engine.handle(&entry, &mut effects).unwrap();
        }
        let alerts = effects.alerts.iter();
        wanted
            .alerts
            .extend(alerts.map(|alert| records::alert(partition, alert)));
        let sealed = effects.sealed.iter();
        wanted
            .audits
            .extend(sealed.map(|record| records::audit(partition, record)));
    }
    wanted
}

/// How published alerts differ from what the model says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Differences {
    /// Alerts that the model says.
    pub expected: usize,
    /// Not published.
    pub missing: usize,
    /// Published with another content.
    pub wrong: usize,
    /// Published more than once.
    pub repeated: usize,
}

impl Differences {
    /// Compares the alerts of one partition.
    pub fn of(expected: &[Outgoing], published: &[OwnedRecord]) -> Self {
        let mut found = Self {
            expected: expected.len(),
            ..Self::default()
        };
        let mut used = vec![false; published.len()];
        for wanted in expected {
            let same =
                |record: &OwnedRecord| wanted.key == record.key && wanted.value == record.value;
            match published
                .iter()
                .zip(&used)
                .position(|(p, used)| !used && same(p))
            {
                Some(at) => used[at] = true,
                None => found.missing += 1,
            }
        }
        for (record, _) in published.iter().zip(&used).filter(|(_, used)| !**used) {
            let again = expected
                .iter()
                .any(|w| w.key == record.key && w.value == record.value);
            if again {
                found.repeated += 1;
            } else {
                found.wrong += 1;
            }
        }
        found
    }

    /// Adds those of another partition.
    pub fn add(&mut self, other: Self) {
        self.expected += other.expected;
        self.missing += other.missing;
        self.wrong += other.wrong;
        self.repeated += other.repeated;
    }

    /// Nothing differs.
    pub fn is_none(&self) -> bool {
        self.missing == 0 && self.wrong == 0 && self.repeated == 0
    }
}
