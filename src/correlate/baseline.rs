//! What is usual for a person: devices, networks and countries, each with its first and last sight.

use serde::{Deserialize, Serialize};

use crate::collect::time::{DAY_MS, HOUR_MS, Timestamp};
use crate::correlate::fact::{DeviceFact, Fact};

/// Entries kept per identity, the most lately seen ones.
pub const ENTRIES_MAX: usize = 64;
/// Something is usual only when it was first seen this long before.
pub const SETTLED_MS: i64 = 24 * HOUR_MS;
/// Something not seen for so many days is not usual any more.
pub const DAYS_MAX: i64 = 90;
/// A baseline younger than this knows too little: nothing in it counts as new.
pub const SHORT_MS: i64 = 14 * DAY_MS;

/// What an entry is about. The order is part of the state encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A device, fingerprint or factor.
    Device,
    /// An autonomous system.
    Asn,
    /// A country.
    Country,
}

/// One usual thing. 64 bits of a hash stand for the value: state holds nothing personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    kind: Kind,
    value: u64,
    first: Timestamp,
    last_day: i64,
}

/// The baseline of one identity.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Baseline {
    /// Sorted by (kind, value).
    entries: Vec<Entry>,
    /// Event time of the earliest sighting of anything.
    since: Option<Timestamp>,
}

impl Baseline {
    /// Notes what a sign-in or enrolment shows. Lowers first-seen and raises last-seen only, so
    /// order and repetition play no part. True if something changed.
    pub fn note(&mut self, fact: &Fact) -> bool {
        let mut changed = false;
        for (kind, value) in sightings(fact) {
            changed |= self.see(kind, value, fact.time);
        }
        if self.since.is_none_or(|since| fact.time < since) {
            self.since = Some(fact.time);
            changed = true;
        }
        changed
    }

    fn see(&mut self, kind: Kind, value: u64, time: Timestamp) -> bool {
        let day = time.utc_day();
        let found = self
            .entries
            .binary_search_by_key(&(kind, value), |e| (e.kind, e.value));
        match found {
            Ok(at) => self.entries.get_mut(at).is_some_and(|entry| {
                let before = *entry;
                entry.first = entry.first.min(time);
                entry.last_day = entry.last_day.max(day);
                *entry != before
            }),
            Err(at) => {
                self.entries.insert(
                    at,
                    Entry {
                        kind,
                        value,
                        first: time,
                        last_day: day,
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
            .min_by_key(|(_, e)| (e.last_day, e.first, e.kind, e.value))
            .map(|(at, _)| at);
        if let Some(at) = coldest {
            self.entries.remove(at);
        }
    }

    /// Whether the value was usual at a moment: settled for 24 h and seen within 90 days.
    #[must_use]
    pub fn has(&self, kind: Kind, value: &str, moment: Timestamp) -> bool {
        let found = self
            .entries
            .binary_search_by_key(&(kind, hash(value)), |e| (e.kind, e.value));
        found
            .ok()
            .and_then(|at| self.entries.get(at))
            .is_some_and(|entry| {
                entry.first <= moment.minus(SETTLED_MS)
                    && entry.last_day >= moment.utc_day() - DAYS_MAX
            })
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

    /// Forgets what the watermark has left 91 days behind. True if something went.
    pub fn expire(&mut self, watermark: Timestamp) -> bool {
        let before = self.entries.len();
        self.entries
            .retain(|entry| entry.last_day + DAYS_MAX >= watermark.utc_day());
        self.entries.len() != before
    }
}

fn sightings(fact: &Fact) -> impl Iterator<Item = (Kind, u64)> + '_ {
    let devices = fact.device.iter().flat_map(DeviceFact::keys);
    let devices = devices.map(|key| (Kind::Device, hash(key)));
    let asn = fact.asn.map(|asn| (Kind::Asn, hash(&asn.to_string())));
    let country = fact
        .country
        .as_deref()
        .map(|country| (Kind::Country, hash(country)));
    devices.chain(asn).chain(country)
}

/// 64-bit FNV-1a. Values are keyed hashes, numbers or country names, and an entry table is small and
/// sorted, so a collision costs one wrong "known", not a slow table.
fn hash(value: &str) -> u64 {
    value.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::event::{Action, Device, Domain, Event, Network};

    fn login(time: i64, device: &str, asn: u32) -> Fact {
        let mut event = Event::new(Domain::Idp, Action::AuthLogin, Timestamp(time));
        event.device = Some(Box::new(Device {
            id: Some(device.into()),
            ..Device::default()
        }));
        event.network = Some(Box::new(Network {
            asn: Some(asn),
            ..Network::default()
        }));
        Fact::of(&event)
    }

    #[test]
    fn usual_means_settled_for_a_day_and_seen_within_ninety() {
        let mut baseline = Baseline::default();
        baseline.note(&login(0, "d", 1));
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
            a.note(fact);
        }
        for fact in seen.iter().rev().chain(&seen) {
            b.note(fact);
        }
        assert_eq!(a, b);
        assert!(!a.note(&seen[0]), "nothing new is no change");
    }

    #[test]
    fn a_young_baseline_is_short() {
        let mut baseline = Baseline::default();
        assert!(baseline.short(Timestamp(0)));
        baseline.note(&login(0, "d", 1));
        assert!(baseline.short(Timestamp(SHORT_MS - 1)) && !baseline.short(Timestamp(SHORT_MS)));
    }

    #[test]
    fn bounded_and_forgotten_by_the_watermark_alone() {
        let mut baseline = Baseline::default();
        for n in 0..200 {
            baseline.note(&login(i64::from(n) * DAY_MS, &format!("d{n}"), 7));
        }
        assert_eq!(baseline.entries.len(), ENTRIES_MAX);
        assert!(baseline.has(Kind::Device, "d199", Timestamp(200 * DAY_MS)));
        assert!(!baseline.expire(Timestamp(200 * DAY_MS)));
        assert!(baseline.expire(Timestamp(291 * DAY_MS)));
        assert!(baseline.entries.is_empty());
    }
}
