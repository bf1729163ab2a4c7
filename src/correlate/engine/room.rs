//! Room for entities: what has expired is taken away little by little, and of too many the coldest
//! go.

use crate::collect::entity::EntityKind;
use crate::correlate::engine::{ByKind, Engine, Touched};
use crate::correlate::entity_state::{LATENESS_MS, NEVER_DAY};
use crate::correlate::state_codec::glimpse;
use crate::correlate::store::Key;

/// Expired entities taken away with one block, so that no cycle grows without bound.
const SWEPT_PER_BLOCK: usize = 256;
/// The part of a full kind that goes at once: looking for the coldest costs a pass over all.
const EVICTED_PART: usize = 16;
/// Days after its last event from which on a person that is not idle is looked at again.
const BUSY_DAYS: i64 = 10;

fn count(by_kind: &mut ByKind, key: &Key) {
    let kind = key.kind().and_then(|kind| by_kind.get_mut(kind as usize));
    if let Some(number) = kind {
        *number += 1;
    }
}

/// Expired entities that are still held. Whether one has expired shows in its record: when it is
/// taken away changes nothing.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    day: i64,
    keys: Vec<Key>,
}

impl Engine {
    /// Takes some of what has expired away.
    pub(super) fn sweep(&mut self) {
        let today = self.partition.watermark().utc_day();
        if self.sweep.keys.is_empty() && self.sweep.day < today {
            self.sweep.day = today;
            self.expire_controls();
            self.sweep.keys = self.store.select(|record| {
                glimpse(record).is_some_and(|seen| {
                    let busy = !seen.is_idle && seen.last_day + BUSY_DAYS < today;
                    seen.expires_day < today || (busy && seen.expires_day != NEVER_DAY)
                })
            });
        }
        for _ in 0..SWEPT_PER_BLOCK {
            let Some(key) = self.sweep.keys.pop() else {
                return;
            };
            if self.cycle.contains_key(&key) {
                continue;
            }
            let Some(seen) = self.store.get(&key).and_then(glimpse) else {
                continue;
            };
            if seen.expires_day < today {
                count(&mut self.counts.expired, &key);
                self.cycle.insert(key, Touched::Nothing);
            } else if let Some(entity) = key.entity() {
                // Its facts are too old to be read: it becomes idle.
                let mut none = super::Effects::default();
                self.update(&entity, &mut none, |_, _, _| {});
            }
        }
    }

    /// Forgets control entries that no event can be under any more.
    fn expire_controls(&mut self) {
        let longest = self.setup.rules.evidence_ms().saturating_add(LATENESS_MS);
        let horizon = self.partition.watermark().minus(longest);
        self.touch_partition();
        std::sync::Arc::make_mut(&mut self.controls).expire(horizon);
    }

    /// Makes room for one more entity of a kind. Of a full kind the coldest without an open case or
    /// obligation go: never the newest, or an attacker would hide by filling the table.
    pub(super) fn make_room(&mut self, kind: EntityKind) {
        let most = self
            .setup
            .entities_max
            .get(kind as usize)
            .copied()
            .unwrap_or(usize::MAX);
        let new = self.cycle.iter().filter(|(key, touched)| {
            !matches!(touched, Touched::Nothing)
                && key.kind() == Some(kind)
                && self.store.get(key).is_none()
        });
        if self.store.count(kind) < most || self.store.count(kind) + new.count() < most {
            return;
        }
        let of_kind = self
            .store
            .select(|record| glimpse(record).is_some_and(|seen| seen.expires_day != NEVER_DAY));
        let mut coldest: Vec<(i64, Key)> = of_kind
            .into_iter()
            .filter(|key| key.kind() == Some(kind) && !self.cycle.contains_key(key))
            .map(|key| {
                let seen = self.store.get(&key).and_then(glimpse);
                (seen.map_or(0, |seen| seen.last_day), key)
            })
            .collect();
        coldest.sort_unstable();
        for (day, key) in coldest.into_iter().take((most / EVICTED_PART).max(1)) {
            if kind == EntityKind::Identity {
                let since = &mut self.partition.logins_covered_since;
                *since = (*since).max(crate::collect::time::Timestamp(
                    day.saturating_mul(crate::collect::time::DAY_MS),
                ));
            }
            count(&mut self.counts.evicted, &key);
            self.cycle.insert(key, Touched::Nothing);
        }
    }
}
