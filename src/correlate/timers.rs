//! When an entity must be looked at again although nothing is said of it: an index over what the
//! states of a partition wait for, rebuilt from them at a restore.

use std::collections::BTreeSet;

use crate::collect::time::Timestamp;
use crate::correlate::entity_state::EntityState;
use crate::correlate::partition_state::{Marks, RELAY_GRACE_MS};
use crate::correlate::rules::rule::Evidence;
use crate::correlate::store::Key;

/// One thing that an entity waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// The sources of an evidence have passed an event time, half a minute ago.
    Passed(Evidence, Timestamp),
    /// Log time.
    Log(Timestamp),
    /// The watermark.
    Watermark(Timestamp),
}

/// What a state waits for. An alarm that rings early does no harm: the state decides.
#[must_use]
pub fn alarms(state: &EntityState, max_wait_ms: i64) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    for obligation in state.obligations.values().filter(|o| !o.decided) {
        alarms.push(Alarm::Passed(obligation.evidence, obligation.deadline));
        alarms.push(Alarm::Log(obligation.opened.plus(RELAY_GRACE_MS)));
        alarms.push(Alarm::Log(obligation.forced_at(max_wait_ms)));
    }
    if let Some(open) = &state.cases.open {
        alarms.push(Alarm::Watermark(open.closes_at()));
    }
    alarms
}

type Index = BTreeSet<(Timestamp, Key)>;

/// The alarms of one partition.
#[derive(Debug, Default)]
pub struct Timers {
    passed: [Index; Evidence::ALL.len()],
    log: Index,
    watermark: Index,
}

impl Timers {
    fn index(&mut self, alarm: Alarm) -> Option<(&mut Index, Timestamp)> {
        match alarm {
            Alarm::Passed(evidence, at) => self
                .passed
                .get_mut(evidence as usize)
                .map(|index| (index, at)),
            Alarm::Log(at) => Some((&mut self.log, at)),
            Alarm::Watermark(at) => Some((&mut self.watermark, at)),
        }
    }

    /// Sets alarms of an entity.
    pub fn set(&mut self, key: &Key, alarms: &[Alarm]) {
        for alarm in alarms {
            if let Some((index, at)) = self.index(*alarm) {
                index.insert((at, key.clone()));
            }
        }
    }

    /// Takes alarms of an entity back.
    pub fn clear(&mut self, key: &Key, alarms: &[Alarm]) {
        for alarm in alarms {
            if let Some((index, at)) = self.index(*alarm) {
                index.remove(&(at, key.clone()));
            }
        }
    }

    /// The entities whose alarm rings, in order, each once. Each alarm rings once.
    pub fn ring(&mut self, log_ts: Timestamp, settled: &Marks, watermark: Timestamp) -> Vec<Key> {
        let mut keys = Vec::new();
        for (index, (_, evidence)) in self.passed.iter_mut().zip(Evidence::ALL) {
            take_below(index, settled.of(evidence), &mut keys);
        }
        take_below(&mut self.log, log_ts.plus(1), &mut keys);
        take_below(&mut self.watermark, watermark, &mut keys);
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Alarms that are set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.passed.iter().map(BTreeSet::len).sum::<usize>() + self.log.len() + self.watermark.len()
    }

    /// Nothing is waited for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Takes what lies before `moment`.
fn take_below(index: &mut Index, moment: Timestamp, keys: &mut Vec<Key>) {
    while let Some((at, _)) = index.first() {
        if *at >= moment {
            return;
        }
        keys.extend(index.pop_first().map(|(_, key)| key));
    }
}
