//! Gathering by case, in Alertmanager's words: `group_wait` is how long the first revisions of a case
//! gather before the receiver hears of it, `group_interval` what lies between two notices about it at
//! least. Of what gathers only the newest is told.
//!
//! What waits is not told, so the place of the sink stays before it. After a crash it is read again, and
//! with it what was told behind it.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::Ready;
use crate::deliver::route::Decision;
use crate::edge::log::Partition;

/// Cases that wait, of which each has some ten KiB. With more, the one whose time comes first is told
/// before it.
const HELD_MAX: usize = 1_000;
/// Cases of which is known when they were told. One that is forgotten is taken for new.
const TOLD_MAX: usize = 10_000;

/// What waits, and what was told when.
#[derive(Debug)]
pub struct Groups {
    wait: Duration,
    interval: Duration,
    held: BTreeMap<String, Held>,
    told: BTreeMap<String, Instant>,
    /// In the order in which they were told.
    order: VecDeque<(Instant, String)>,
}

#[derive(Debug)]
struct Held {
    ready: Ready,
    due: Instant,
}

/// What becomes of a revision that was taken in.
#[derive(Debug, Default)]
pub struct Taken {
    /// What is to be told at once.
    pub now: Vec<Ready>,
    /// A revision waited that is told no more: a newer one took its place.
    pub is_superseded: bool,
}

impl Groups {
    pub(super) const fn new(wait: Duration, interval: Duration) -> Self {
        Self {
            wait,
            interval,
            held: BTreeMap::new(),
            told: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Takes in a revision, the newest of its case.
    pub fn take(&mut self, mut ready: Ready, now: Instant) -> Taken {
        if self.wait.is_zero() && self.interval.is_zero() {
            return Taken {
                now: vec![ready],
                is_superseded: false,
            };
        }
        let key = ready.notice.dedup_key.clone();
        let held = self.held.remove(&key);
        let due = match (self.told.get(&key), &held) {
            // More severe than what the receiver knows, or it pages now.
            (Some(_), _) if ready.decision == Decision::Trigger => now,
            (Some(told), _) => *told + self.interval,
            (None, Some(held)) => held.due,
            (None, None) => now + self.wait,
        };
        // The receiver was not called yet.
        let was_call = held
            .as_ref()
            .is_some_and(|held| held.ready.decision == Decision::Trigger);
        if was_call && ready.decision == Decision::Update {
            ready.decision = Decision::Trigger;
        }
        let mut taken = Taken {
            now: Vec::new(),
            is_superseded: held.is_some(),
        };
        if due <= now {
            self.tell(key, now);
            taken.now.push(ready);
            return taken;
        }
        self.held.insert(key, Held { ready, due });
        if self.held.len() > HELD_MAX
            && let Some(first) = self.first()
        {
            taken.now.extend(self.release(&first, now));
        }
        taken
    }

    /// Those whose time has come, in the order of their records.
    pub fn due(&mut self, now: Instant) -> Vec<Ready> {
        let due = self.held.iter().filter(|(_, held)| held.due <= now);
        let keys: Vec<String> = due.map(|(key, _)| key.clone()).collect();
        self.release_all(&keys, now)
    }

    /// All that wait: there is no later.
    pub fn all(&mut self, now: Instant) -> Vec<Ready> {
        let keys: Vec<String> = self.held.keys().cloned().collect();
        self.release_all(&keys, now)
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Offset of the first record of each partition that waits.
    #[must_use]
    pub fn firsts(&self) -> BTreeMap<Partition, i64> {
        let mut firsts: BTreeMap<Partition, i64> = BTreeMap::new();
        for Held { ready, .. } in self.held.values() {
            let record = &ready.record;
            let first = firsts.entry(record.partition.clone());
            let first = first.or_insert(record.offset);
            *first = record.offset.min(*first);
        }
        firsts
    }

    /// The partition belongs to somebody else.
    pub fn forget(&mut self, partition: &Partition) {
        self.held
            .retain(|_, held| held.ready.record.partition != *partition);
    }

    fn first(&self) -> Option<String> {
        let first = self.held.iter().min_by_key(|(_, held)| held.due);
        first.map(|(key, _)| key.clone())
    }

    fn release_all(&mut self, keys: &[String], now: Instant) -> Vec<Ready> {
        let released = keys.iter().filter_map(|key| self.release(key, now));
        let mut released: Vec<Ready> = released.collect();
        released.sort_by(|a, b| {
            let place = |ready: &Ready| (ready.record.partition.number, ready.record.offset);
            place(a).cmp(&place(b))
        });
        released
    }

    fn release(&mut self, key: &str, now: Instant) -> Option<Ready> {
        let held = self.held.remove(key)?;
        self.tell(key.to_owned(), now);
        Some(held.ready)
    }

    fn tell(&mut self, key: String, now: Instant) {
        self.order.push_back((now, key.clone()));
        self.told.insert(key, now);
        while self.order.len() > TOLD_MAX {
            let Some((at, key)) = self.order.pop_front() else {
                break;
            };
            if self.told.get(&key) == Some(&at) {
                self.told.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
