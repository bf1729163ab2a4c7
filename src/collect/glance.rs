//! What shows at a glance whether an event says anything new of an entity: a few bytes in front of
//! each entry, so that everyday traffic is passed over without its event being decoded.

use serde::{Deserialize, Serialize};

use crate::collect::action::Action;
use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::Event;
use crate::collect::time::Timestamp;
use crate::collect::words::{AppClass, Outcome};

/// What a sighting is of. The order is part of the block and state encodings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SightingKind {
    /// A device, fingerprint or factor.
    Device = 0,
    /// An autonomous system.
    Asn = 1,
    /// A country.
    Country = 2,
}

/// Bits of the hash in a sighting; the kind stands above them.
const HASH_BITS: u32 = 46;

/// One thing that was seen: its kind and 46 bits of a hash. Among the 64 entries of a baseline two
/// values meet once in 2³⁴ baselines, and then something new counts as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sighting(u64);

impl Sighting {
    /// Length of its encoding.
    pub const BYTES: usize = 6;

    /// The sighting of a value: keyed hashes, numbers and country names, never personal values.
    #[must_use]
    pub fn of(kind: SightingKind, value: &str) -> Self {
        // 64-bit FNV-1a, folded: tables are small and sorted, so a collision costs no time.
        let hash = value.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let folded = (hash ^ (hash >> HASH_BITS)) & ((1 << HASH_BITS) - 1);
        Self((u64::from(kind as u8) << HASH_BITS) | folded)
    }

    /// What it is of.
    #[must_use]
    pub const fn kind(self) -> SightingKind {
        match self.0 >> HASH_BITS {
            0 => SightingKind::Device,
            1 => SightingKind::Asn,
            _ => SightingKind::Country,
        }
    }

    /// Six bytes, big-endian: their order is that of the sightings.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        let [_, _, a, b, c, d, e, f] = self.0.to_be_bytes();
        [a, b, c, d, e, f]
    }

    /// Reads what [`Self::to_bytes`] wrote.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let [a, b, c, d, e, f] = bytes;
        Self(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }
}

/// The glance of one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glance<'a> {
    /// What happened.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// Event time.
    pub time: Timestamp,
    /// Nothing but the use of an ordinary application: what admin consoles and account portals are
    /// not.
    pub plain: bool,
    /// What it shows of the entity's devices and networks, [`Sighting::BYTES`] each; empty where it
    /// shows nothing of them.
    #[serde(borrow)]
    sightings: &'a [u8],
}

impl<'a> Glance<'a> {
    /// The glance of an event for one of its entities; `buffer` holds the sightings.
    pub fn of(event: &Event, entity: &Entity, buffer: &'a mut Vec<u8>) -> Self {
        buffer.clear();
        if entity.kind == EntityKind::Identity
            && shows_what_is_usual(event.action)
            && event
                .target
                .as_ref()
                .is_some_and(|target| target.identity.as_deref() == Some(entity.id.as_str()))
        {
            for sighting in sightings(event) {
                buffer.extend(sighting.to_bytes());
            }
        }
        Self {
            action: event.action,
            outcome: event.outcome,
            time: event.time,
            plain: is_plain(event),
            sightings: buffer,
        }
    }

    /// What it shows.
    pub fn sightings(&self) -> impl Iterator<Item = Sighting> + Clone + use<'a> {
        let (chunks, _) = self.sightings.as_chunks::<{ Sighting::BYTES }>();
        chunks.iter().map(|bytes| Sighting::from_bytes(*bytes))
    }

    /// Whether it shows anything.
    #[must_use]
    pub const fn shows(&self) -> bool {
        !self.sightings.is_empty()
    }
}

/// Nothing but the use of an ordinary application.
#[must_use]
pub fn is_plain(event: &Event) -> bool {
    let class = event.app.as_ref().and_then(|app| app.class);
    event.action == Action::AuthAppAccess
        && !matches!(
            class,
            Some(AppClass::AdminConsole | AppClass::AccountPortal)
        )
}

/// Sign-ins and enrolments show which devices and networks are usual.
#[must_use]
pub const fn shows_what_is_usual(action: Action) -> bool {
    matches!(
        action,
        Action::AuthLogin
            | Action::AuthAppAccess
            | Action::AuthMfaVerify
            | Action::MfaEnrolled
            | Action::DeviceRegistered
    )
}

/// What an event shows: its device by each of its keys, its network and country.
pub fn sightings(event: &Event) -> impl Iterator<Item = Sighting> + '_ {
    let device = event.device.as_deref();
    let factor = event.factor.as_deref();
    let network = event.network.as_deref();
    let keys = [
        device.and_then(|d| d.id.as_deref()),
        device.and_then(|d| d.fingerprint.as_deref()),
        factor.and_then(|f| f.id.as_deref()),
        factor.and_then(|f| f.target_hash.as_deref()),
    ];
    let devices = keys
        .into_iter()
        .flatten()
        .map(|key| Sighting::of(SightingKind::Device, key));
    let asn = network
        .and_then(|n| n.asn)
        .map(|asn| Sighting::of(SightingKind::Asn, &asn.to_string()));
    let country = network
        .and_then(|n| n.country.as_deref())
        .map(|country| Sighting::of(SightingKind::Country, country));
    devices.chain(asn).chain(country)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::event::{App, Device, Domain, Network, Role};

    fn event() -> Event {
        let mut event = Event::new(Domain::Idp, Action::AuthAppAccess, Timestamp(7));
        event.target = Some(Box::new(Role {
            identity: Some("hris:E1".into()),
            ..Role::default()
        }));
        event.device = Some(Box::new(Device {
            id: Some("d".into()),
            ..Device::default()
        }));
        event.network = Some(Box::new(Network {
            asn: Some(7),
            ..Network::default()
        }));
        event
    }

    #[test]
    fn a_sighting_keeps_its_kind_and_comes_back() {
        for kind in [
            SightingKind::Device,
            SightingKind::Asn,
            SightingKind::Country,
        ] {
            let sighting = Sighting::of(kind, "x");
            assert_eq!(sighting.kind(), kind);
            assert_eq!(Sighting::from_bytes(sighting.to_bytes()), sighting);
            assert_ne!(sighting, Sighting::of(kind, "y"));
        }
    }

    #[test]
    fn only_the_person_it_is_about_learns_what_is_usual() {
        let mut buffer = Vec::new();
        let own = Entity::new(EntityKind::Identity, "hris:E1");
        let glance = Glance::of(&event(), &own, &mut buffer);
        assert!(glance.plain && glance.shows());
        assert_eq!(glance.sightings().count(), 2);
        let other = Entity::new(EntityKind::Identity, "hris:E2");
        assert!(!Glance::of(&event(), &other, &mut buffer).shows());
        let mut console = event();
        console.app = Some(Box::new(App {
            class: Some(AppClass::AdminConsole),
            ..App::default()
        }));
        assert!(!Glance::of(&console, &own, &mut buffer).plain);
    }
}
