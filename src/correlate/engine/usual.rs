//! What of an event shows at a glance: whether it says anything new, and whether anybody reads it. Most
//! events end here, and are never decoded.

use crate::collect::entity::{EntityKind, concerns_nobody};
use crate::collect::glance::{Glance, shows_what_is_usual};
use crate::correlate::baseline;
use crate::correlate::engine::{Engine, Touched};
use crate::correlate::state_codec;

impl Engine {
    /// Whether an event says nothing new of a person: another use of an ordinary application from what
    /// is usual, already noted this day, or nothing that anybody reads.
    pub(super) fn is_everyday(&mut self, kind: EntityKind, id: &str, glance: &Glance<'_>) -> bool {
        if concerns_nobody(glance.action) {
            return true;
        }
        if !glance.plain || !glance.shows() {
            return false;
        }
        self.key.set(kind, id);
        let watermark = self.partition.watermark();
        let record = match self.cycle.get(&self.key) {
            Some(Touched::State(state)) => {
                let baseline = &state.baseline;
                return baseline.knows(glance.sightings(), glance.time, watermark);
            }
            Some(Touched::Record(record)) => Some(record.as_slice()),
            Some(Touched::Nothing) => None,
            None => self.store.get(&self.key),
        };
        record.and_then(state_codec::glimpse).is_some_and(|record| {
            record.expires_day >= watermark.utc_day()
                && baseline::knows(record.baseline, glance.sightings(), glance.time, watermark)
        })
    }

    /// Notes in the record of somebody idle that this day, too, was spent with what is usual. False, and
    /// nothing is noted, where there is more to it.
    pub(super) fn note_usual(&mut self, kind: EntityKind, id: &str, glance: &Glance<'_>) -> bool {
        if kind != EntityKind::Identity || !glance.plain || !glance.shows() {
            return false;
        }
        self.key.set(kind, id);
        let watermark = self.partition.watermark();
        let note = |record: &mut Vec<u8>| {
            let shown = glance.sightings();
            state_codec::note_usual(record, shown, glance.time, watermark)
        };
        match self.cycle.get_mut(&self.key) {
            Some(Touched::Record(record)) => return note(record),
            Some(Touched::State(_) | Touched::Nothing) => return false,
            None => {}
        }
        let today = watermark.utc_day();
        let held = self.store.get(&self.key).filter(|record| {
            state_codec::glimpse(record)
                .is_some_and(|seen| seen.is_idle && seen.expires_day >= today)
        });
        let Some(mut record) = held.map(<[u8]>::to_vec) else {
            return false;
        };
        let noted = note(&mut record);
        if noted {
            self.cycle.insert(self.key.clone(), Touched::Record(record));
        }
        noted
    }

    /// Whether an event shows nothing of what is usual, and no rule reads such events of such an entity:
    /// that it was seen is all there is to remember.
    pub(super) fn is_unread(&self, kind: EntityKind, glance: &Glance<'_>) -> bool {
        let shows = kind == EntityKind::Identity && shows_what_is_usual(glance.action);
        let rules = &self.setup.rules;
        !shows && !rules.may_keep(kind, glance.action, glance.outcome)
    }
}
