//! What is usual for a person: devices, networks and countries, each with its first and last sight.

use crate::collect::glance::Sighting;
use crate::collect::time::{DAY_MS, HOUR_MS, Timestamp};
use crate::correlate::fact::{DeviceFact, Fact};

pub use crate::collect::glance::SightingKind as Kind;

/// Entries kept per identity, the most lately seen ones.
pub const ENTRIES_MAX: usize = 64;
/// Something is usual only when it was first seen this long before.
pub const SETTLED_MS: i64 = 24 * HOUR_MS;
/// Something not seen for so many days is not usual any more.
pub const DAYS_MAX: i64 = 90;
/// A baseline younger than this knows too little: nothing in it counts as new.
pub const SHORT_MS: i64 = 14 * DAY_MS;

/// Bytes of an encoded entry: sighting, first sight (48 bits of ms), last day (16 bits).
const ENTRY_BYTES: usize = Sighting::BYTES + 6 + 2;
/// Bytes before the entries: their number, the earliest sighting of anything.
const HEAD_BYTES: usize = 1 + 6;
/// Stands for "nothing was seen yet".
const NEVER: i64 = (1 << 48) - 1;

/// Last moment of the day 65,535, in 2149.
const TIME_MAX: i64 = 65_536 * DAY_MS - 1;

/// One usual thing. A hash stands for the value: state holds nothing personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    what: Sighting,
    first: Timestamp,
    last_day: i64,
}

impl Entry {
    /// Settled for 24 h at a moment, and seen within the 90 days before it.
    const fn is_usual(&self, moment: Timestamp) -> bool {
        self.first.0 <= moment.minus(SETTLED_MS).0 && self.last_day >= moment.utc_day() - DAYS_MAX
    }

    /// Whether the watermark has not left it behind for good. One day more than a late event needs.
    const fn is_remembered(&self, watermark: Timestamp) -> bool {
        self.last_day + DAYS_MAX + 1 >= watermark.utc_day()
    }

    /// Usual at a moment, and seen on its day already.
    const fn says_nothing_new(&self, moment: Timestamp, watermark: Timestamp) -> bool {
        self.is_usual(moment) && self.last_day >= moment.utc_day() && self.is_remembered(watermark)
    }

    fn read(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = *bytes;
        Self {
            what: Sighting::from_bytes([a, b, c, d, e, f]),
            first: Timestamp(i64::from_be_bytes([0, 0, g, h, i, j, k, l])),
            last_day: i64::from(u16::from_be_bytes([m, n])),
        }
    }
}

/// The baseline of one identity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Baseline {
    /// Sorted by what they are.
    entries: Vec<Entry>,
    /// Event time of the earliest sighting of anything.
    since: Option<Timestamp>,
}

impl Baseline {
    /// Notes what a sign-in or enrolment shows. Lowers first-seen and raises last-seen only, so
    /// order and repetition play no part. True if something changed.
    pub fn note(&mut self, sightings: impl Iterator<Item = Sighting>, time: Timestamp) -> bool {
        let mut changed = false;
        // What the encoding cannot hold would change by a restart.
        let time = Timestamp(time.0.clamp(0, TIME_MAX));
        for what in sightings {
            changed |= self.see(what, time);
        }
        if self.since.is_none_or(|since| time < since) {
            self.since = Some(time);
            changed = true;
        }
        changed
    }

    fn see(&mut self, what: Sighting, time: Timestamp) -> bool {
        let last_day = time.utc_day();
        match self.entries.binary_search_by_key(&what, |e| e.what) {
            Ok(at) => self.entries.get_mut(at).is_some_and(|entry| {
                let before = *entry;
                entry.first = entry.first.min(time);
                entry.last_day = entry.last_day.max(last_day);
                *entry != before
            }),
            Err(at) => {
                let first = time;
                self.entries.insert(
                    at,
                    Entry {
                        what,
                        first,
                        last_day,
                    },
                );
                if self.entries.len() > ENTRIES_MAX {
                    self.drop_coldest();
                }
                true
            }
        }
    }

    fn drop_coldest(&mut self) {
        let coldest = self
            .entries
            .iter()
            .enumerate()
            .min_by_key(|(_, e)| (e.last_day, e.first, e.what))
            .map(|(at, _)| at);
        if let Some(at) = coldest {
            self.entries.remove(at);
        }
    }

    /// Whether everything that is shown was usual at a moment.
    #[must_use]
    pub fn has_all(
        &self,
        mut sightings: impl Iterator<Item = Sighting>,
        moment: Timestamp,
    ) -> bool {
        sightings.all(|what| self.has_seen(what, moment))
    }

    fn has_seen(&self, what: Sighting, moment: Timestamp) -> bool {
        let found = self.entries.binary_search_by_key(&what, |e| e.what);
        let entry = found.ok().and_then(|at| self.entries.get(at));
        entry.is_some_and(|entry| entry.is_usual(moment))
    }

    /// As [`knows`], of a decoded baseline.
    #[must_use]
    pub fn knows(
        &self,
        mut sightings: impl Iterator<Item = Sighting>,
        moment: Timestamp,
        watermark: Timestamp,
    ) -> bool {
        self.since.is_some_and(|since| since <= moment)
            && sightings.all(|what| {
                let found = self.entries.binary_search_by_key(&what, |e| e.what);
                let entry = found.ok().and_then(|at| self.entries.get(at));
                entry.is_some_and(|entry| entry.says_nothing_new(moment, watermark))
            })
    }

    /// Whether the value was usual at a moment: settled for 24 h and seen within 90 days.
    #[must_use]
    pub fn has(&self, kind: Kind, value: &str, moment: Timestamp) -> bool {
        self.has_seen(Sighting::of(kind, value), moment)
    }

    /// Whether the device of a fact was usual at its time, by any of its keys.
    #[must_use]
    pub fn has_device(&self, fact: &Fact) -> bool {
        let mut keys = fact.device.iter().flat_map(DeviceFact::keys);
        keys.any(|key| self.has(Kind::Device, key, fact.time))
    }

    /// Younger than 14 days at a moment: it cannot tell new from known.
    #[must_use]
    pub fn short(&self, moment: Timestamp) -> bool {
        self.since
            .is_none_or(|since| moment.since(since) < SHORT_MS)
    }

    /// Forgets what the watermark has left behind. True if something went.
    pub fn expire(&mut self, watermark: Timestamp) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.is_remembered(watermark));
        self.entries.len() != before
    }

    /// Appends the encoding: 7 bytes and 14 for each entry, in the order of the entries.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::try_from(self.entries.len()).unwrap_or(u8::MAX));
        out.extend(six_bytes(self.since.map_or(NEVER, |since| since.0)));
        for entry in &self.entries {
            out.extend(entry.what.to_bytes());
            out.extend(six_bytes(entry.first.0));
            let day = u16::try_from(entry.last_day.max(0)).unwrap_or(u16::MAX);
            out.extend(day.to_be_bytes());
        }
    }

    /// Whether an encoded baseline is all there is in `bytes`.
    #[must_use]
    pub fn is_all_of(bytes: &[u8]) -> bool {
        parts(bytes).is_some_and(|(_, _, rest)| rest.is_empty())
    }

    /// Reads the encoding at the front of `bytes`; with it what follows. `None` if it is damaged.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (entries, since, rest) = parts(bytes)?;
        let baseline = Self {
            entries: entries.iter().map(Entry::read).collect(),
            since: (since != NEVER).then_some(Timestamp(since)),
        };
        Some((baseline, rest))
    }
}

/// Whether an encoded baseline already knows all that is shown as usual, and that it was seen this
/// day: then a sighting says nothing new. Reads the bytes where they lie.
#[must_use]
pub fn knows(
    encoded: &[u8],
    mut sightings: impl Iterator<Item = Sighting>,
    moment: Timestamp,
    watermark: Timestamp,
) -> bool {
    let Some((entries, since, _)) = parts(encoded) else {
        return false;
    };
    since <= moment.0
        && sightings.all(|what| {
            let entry = place(entries, what).and_then(|at| entries.get(at));
            entry.is_some_and(|bytes| Entry::read(bytes).says_nothing_new(moment, watermark))
        })
}

/// Notes in an encoded baseline that all that is shown was seen, where all of it is usual: only last
/// days become later. False, and nothing has changed, where there is more to it.
#[must_use]
pub fn note_usual(
    encoded: &mut [u8],
    sightings: impl Iterator<Item = Sighting> + Clone,
    moment: Timestamp,
    watermark: Timestamp,
) -> bool {
    let Some((entries, since, _)) = parts(encoded) else {
        return false;
    };
    let is_usual = since <= moment.0
        && sightings.clone().all(|what| {
            let entry = place(entries, what).and_then(|at| entries.get(at));
            entry
                .map(Entry::read)
                .is_some_and(|entry| entry.is_usual(moment) && entry.is_remembered(watermark))
        });
    if !is_usual {
        return false;
    }
    let day = u16::try_from(moment.utc_day()).unwrap_or(u16::MAX);
    for what in sightings {
        let at = parts(encoded).and_then(|(entries, ..)| place(entries, what));
        let entry = at
            .and_then(|at| encoded.get_mut(HEAD_BYTES + at * ENTRY_BYTES..))
            .and_then(|bytes| bytes.first_chunk_mut::<ENTRY_BYTES>());
        if let Some([.., high, low]) = entry {
            [*high, *low] = u16::from_be_bytes([*high, *low]).max(day).to_be_bytes();
        }
    }
    true
}

fn place(entries: &[[u8; ENTRY_BYTES]], what: Sighting) -> Option<usize> {
    // As numbers: six bytes are compared by a call.
    let found = entries.binary_search_by_key(&what, |bytes| Entry::read(bytes).what);
    found.ok()
}

type Parts<'b> = (&'b [[u8; ENTRY_BYTES]], i64, &'b [u8]);

fn parts(bytes: &[u8]) -> Option<Parts<'_>> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let [count, a, b, c, d, e, f] = *head;
    let (entries, rest) = rest.split_at_checked(usize::from(count) * ENTRY_BYTES)?;
    let (entries, _) = entries.as_chunks::<ENTRY_BYTES>();
    Some((entries, i64::from_be_bytes([0, 0, a, b, c, d, e, f]), rest))
}

/// 48 bits of a moment: 1970 to the year 10889. What lies outside stands at the edge.
fn six_bytes(ms: i64) -> [u8; 6] {
    let [_, _, a, b, c, d, e, f] = ms.clamp(0, NEVER).to_be_bytes();
    [a, b, c, d, e, f]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::event::{Action, Device, Domain, Event, Network};
    use crate::collect::glance::sightings;

    fn see(baseline: &mut Baseline, event: &Event) -> bool {
        baseline.note(sightings(event), event.time)
    }

    fn login(time: i64, device: &str, asn: u32) -> Event {
        let mut event = Event::new(Domain::Idp, Action::AuthLogin, Timestamp(time));
        event.device = Some(Box::new(Device {
            id: Some(device.into()),
            ..Device::default()
        }));
        event.network = Some(Box::new(Network {
            asn: Some(asn),
            ..Network::default()
        }));
        event
    }

    #[test]
    fn usual_means_settled_for_a_day_and_seen_within_ninety() {
        let mut baseline = Baseline::default();
        see(&mut baseline, &login(0, "d", 1));
        let has = |ms| baseline.has(Kind::Device, "d", Timestamp(ms));
        assert!(!has(SETTLED_MS - 1) && has(SETTLED_MS));
        assert!(has(90 * DAY_MS) && !has(91 * DAY_MS));
        assert!(!baseline.has(Kind::Device, "e", Timestamp(SETTLED_MS)));
    }

    #[test]
    fn order_and_repetition_play_no_part() {
        let (mut a, mut b) = (Baseline::default(), Baseline::default());
        let seen = [login(5, "x", 1), login(DAY_MS, "x", 2), login(3, "y", 1)];
        for fact in &seen {
            see(&mut a, fact);
        }
        for fact in seen.iter().rev().chain(&seen) {
            see(&mut b, fact);
        }
        assert_eq!(a, b);
        assert!(!see(&mut a, &seen[0]), "nothing new is no change");
    }

    #[test]
    fn a_young_baseline_is_short() {
        let mut baseline = Baseline::default();
        assert!(baseline.short(Timestamp(0)));
        see(&mut baseline, &login(0, "d", 1));
        assert!(baseline.short(Timestamp(SHORT_MS - 1)) && !baseline.short(Timestamp(SHORT_MS)));
    }

    #[test]
    fn bounded_and_forgotten_by_the_watermark_alone() {
        let mut baseline = Baseline::default();
        for n in 0..200 {
            see(
                &mut baseline,
                &login(i64::from(n) * DAY_MS, &format!("d{n}"), 7),
            );
        }
        assert_eq!(baseline.entries.len(), ENTRIES_MAX);
        assert!(baseline.has(Kind::Device, "d199", Timestamp(200 * DAY_MS)));
        assert!(!baseline.expire(Timestamp(200 * DAY_MS)));
        assert!(
            baseline.expire(Timestamp(290 * DAY_MS)),
            "all but the last day"
        );
        assert!(baseline.expire(Timestamp(291 * DAY_MS)));
        assert!(baseline.entries.is_empty());
    }

    /// The answer of the bytes, which is that of what they decode to.
    fn ask(bytes: &[u8], event: &Event, watermark: i64) -> bool {
        let watermark = Timestamp(watermark);
        let answer = knows(bytes, sightings(event), event.time, watermark);
        let (decoded, _) = Baseline::decode(bytes).unwrap();
        let other = decoded.knows(sightings(event), event.time, watermark);
        assert_eq!(answer, other);
        answer
    }

    #[test]
    fn the_encoding_comes_back_and_can_be_asked_where_it_lies() {
        let mut baseline = Baseline::default();
        for n in 0..9 {
            see(&mut baseline, &login(n * DAY_MS, &format!("d{n}"), 7));
        }
        let mut bytes = Vec::new();
        baseline.encode(&mut bytes);
        assert_eq!(bytes.len(), HEAD_BYTES + 10 * ENTRY_BYTES);
        bytes.push(9);
        let (back, rest) = Baseline::decode(&bytes).unwrap();
        assert_eq!((&back, rest), (&baseline, &[9][..]));
        assert!(Baseline::decode(&bytes[..20]).is_none());

        let asks = |time: i64, device: &str| {
            let event = login(time, device, 7);
            ask(&bytes, &event, 0)
        };
        assert!(!asks(8 * DAY_MS + HOUR_MS, "d7"), "not seen that day yet");
        assert!(!asks(8 * DAY_MS + HOUR_MS, "d8"), "not settled yet");
        see(&mut baseline, &login(8 * DAY_MS, "d7", 7));
        bytes.clear();
        baseline.encode(&mut bytes);
        let event = login(8 * DAY_MS + HOUR_MS, "d7", 7);
        let known = |watermark| ask(&bytes, &event, watermark);
        assert!(
            known(0) && !known(100 * DAY_MS),
            "forgotten by the watermark"
        );
    }
}
