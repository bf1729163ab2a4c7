//! The versioned encoding of what is remembered of an entity: the value of a changelog record, and the
//! form in memory while nobody touches it.
//!
//! Layout: version, last day of remembrance (2 bytes), last day of an event (2 bytes), baseline, and
//! the rest; the rest is left out where there is none, so that an idle person costs little.

use crate::collect::block;
use crate::collect::entity::EntityKind;
use crate::collect::glance::Sighting;
use crate::collect::time::Timestamp;
use crate::correlate::baseline::{self, Baseline};
use crate::correlate::entity_state::{EntityState, NEVER_DAY, idle_expires_day};

/// Version of the encoding: its first byte.
pub const VERSION: u8 = 1;
const HEAD_BYTES: usize = 5;

/// Why a state record cannot be read. Its partition is refused: nothing starts with partial state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Cut short or damaged.
    #[error("a state record is damaged")]
    Damaged,
    /// Written by a newer version.
    #[error("a state record has version {0}, newer than {VERSION}: upgrade this instance first")]
    Newer(u8),
}

/// Encodes what is remembered of an entity of a kind.
#[must_use]
pub fn encode(kind: EntityKind, state: &EntityState) -> Vec<u8> {
    let mut out = Vec::new();
    encode_into(kind, state, &mut out);
    out
}

/// As [`encode`], in place of what stands in `out`.
pub fn encode_into(kind: EntityKind, state: &EntityState, out: &mut Vec<u8>) {
    out.clear();
    out.extend(head_of(state.expires_day(kind), state.last_day));
    state.baseline.encode(out);
    if !state.is_idle() {
        block::append(state, out);
    }
}

fn head_of(expires_day: i64, last_day: i64) -> [u8; HEAD_BYTES] {
    let day = |day: i64| u16::try_from(day.max(0)).unwrap_or(u16::MAX).to_be_bytes();
    let ([a, b], [c, d]) = (day(expires_day), day(last_day.min(NEVER_DAY)));
    [VERSION, a, b, c, d]
}

/// Notes in the record of somebody idle that things were seen at a moment, where all of them are usual
/// for them: only days become later. False, and nothing has changed, where there is more to it.
#[must_use]
pub fn note_usual(
    record: &mut [u8],
    sightings: impl Iterator<Item = Sighting> + Clone,
    moment: Timestamp,
    watermark: Timestamp,
) -> bool {
    let Some(seen) = glimpse(record).filter(|seen| seen.is_idle) else {
        return false;
    };
    let last_day = seen.last_day.max(moment.utc_day());
    let Some((head, encoded)) = record.split_first_chunk_mut::<HEAD_BYTES>() else {
        return false;
    };
    let noted = baseline::note_usual(encoded, sightings, moment, watermark);
    if noted {
        *head = head_of(idle_expires_day(last_day), last_day);
    }
    noted
}

/// Decodes a record.
///
/// # Errors
/// See [`StateError`].
pub fn decode(record: &[u8]) -> Result<EntityState, StateError> {
    let (head, rest) = head(record)?;
    let [_, _, _, high, low] = *head;
    let (baseline, rest) = Baseline::decode(rest).ok_or(StateError::Damaged)?;
    let mut state: EntityState = if rest.is_empty() {
        EntityState::default()
    } else {
        postcard::from_bytes(rest).map_err(|_| StateError::Damaged)?
    };
    state.last_day = i64::from(u16::from_be_bytes([high, low]));
    state.baseline = baseline;
    Ok(state)
}

fn head(record: &[u8]) -> Result<(&[u8; HEAD_BYTES], &[u8]), StateError> {
    match record.first() {
        None | Some(0) => return Err(StateError::Damaged),
        Some(&VERSION) => {}
        Some(&newer) => return Err(StateError::Newer(newer)),
    }
    record.split_first_chunk().ok_or(StateError::Damaged)
}

/// What can be asked of a record without decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glimpse<'r> {
    /// The last UTC day on which the entity is remembered.
    pub expires_day: i64,
    /// UTC day of its newest event.
    pub last_day: i64,
    /// The encoded baseline and what follows.
    pub baseline: &'r [u8],
    /// Nothing but a baseline is remembered.
    pub is_idle: bool,
}

/// Looks at a record; `None` if it is damaged or newer.
#[must_use]
pub fn glimpse(record: &[u8]) -> Option<Glimpse<'_>> {
    let (head, baseline) = head(record).ok()?;
    let [_, a, b, c, d] = *head;
    Some(Glimpse {
        expires_day: i64::from(u16::from_be_bytes([a, b])),
        last_day: i64::from(u16::from_be_bytes([c, d])),
        baseline,
        is_idle: Baseline::is_all_of(baseline),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::event::{Action, Domain, Event, EventId};
    use crate::collect::glance::SightingKind;
    use crate::collect::time::DAY_MS;
    use crate::correlate::fact::Fact;
    use proptest::prelude::*;

    fn state() -> EntityState {
        let mut state = EntityState {
            last_day: 20_000,
            ..EntityState::default()
        };
        let time = Timestamp(20_000 * DAY_MS);
        let shown = (0..9).map(|n| Sighting::of(SightingKind::Device, &format!("d{n}")));
        state.baseline.note(shown, time);
        state
    }

    #[test]
    fn an_idle_person_costs_little_and_comes_back() {
        let idle = state();
        let record = encode(EntityKind::Identity, &idle);
        assert_eq!(record.len(), 138);
        assert_eq!(decode(&record), Ok(idle));
        let seen = glimpse(&record).unwrap();
        assert_eq!((seen.last_day, seen.expires_day), (20_000, 20_091));
        assert!(seen.is_idle);
    }

    #[test]
    fn the_rest_comes_back_too() {
        let mut busy = state();
        let mut event = Event::new(Domain::Idp, Action::AuthLogin, Timestamp(5));
        event.event_id = EventId([3; 16]);
        busy.window.insert(Fact::of(&event));
        let record = encode(EntityKind::Identity, &busy);
        assert_eq!(decode(&record), Ok(busy));
        assert!(!glimpse(&record).unwrap().is_idle);
    }

    #[test]
    fn what_is_usual_is_noted_in_the_record_as_it_would_be_decoded() {
        let settled = Timestamp(20_000 * DAY_MS).plus(30 * DAY_MS);
        let device = |n: u8| Sighting::of(SightingKind::Device, &format!("d{n}"));
        let idle = encode(EntityKind::Identity, &state());
        for (shown, moment, noted) in [
            (vec![device(1), device(7)], settled, true),
            (vec![device(1), device(99)], settled, false),
            // Not usual yet, and left behind for good.
            (vec![device(1)], Timestamp(20_000 * DAY_MS + 1), false),
            (vec![device(1)], settled.plus(90 * DAY_MS), false),
        ] {
            let mut record = idle.clone();
            let is_noted = note_usual(&mut record, shown.iter().copied(), moment, moment);
            assert_eq!(is_noted, noted, "{shown:?} at {moment:?}");
            let mut want = state();
            if noted {
                want.see(moment);
                want.baseline.note(shown.iter().copied(), moment);
            }
            assert_eq!(record, encode(EntityKind::Identity, &want));
        }
        let mut busy = state();
        busy.window.truncated = 1;
        let mut record = encode(EntityKind::Identity, &busy);
        assert!(!note_usual(
            &mut record,
            [device(1)].into_iter(),
            settled,
            settled
        ));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let record = encode(EntityKind::Identity, &state());
        assert_eq!(decode(&[]), Err(StateError::Damaged));
        assert_eq!(decode(&record[..30]), Err(StateError::Damaged));
        let mut newer = record;
        newer[0] = 7;
        assert_eq!(decode(&newer), Err(StateError::Newer(7)));
        assert_eq!(glimpse(&newer), None);
    }

    proptest! {
        #[test]
        fn no_bytes_kill_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            let mut record = vec![VERSION];
            record.extend(&bytes);
            drop(decode(&record));
            let _ = glimpse(&record);
        }
    }
}
