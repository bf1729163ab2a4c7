//! The index from names to the accounts that ever bore them.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};

use crate::collect::directory::{NameUse, Strength};
use crate::collect::time::Timestamp;
use crate::collect::words::HandleKind;

/// Who ever bore a name. Names are kept as 128 bits of two keyed hashes, never as text; two names meet
/// once in 2¹²⁸.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    keys: [RandomState; 2],
    /// Where the bearers of a name begin in `bearers`, and how many there are.
    places: HashMap<u128, (u32, u32), BuildHasherDefault<Hashed>>,
    /// One account after the other for each name.
    bearers: Vec<Bearer>,
}

/// Takes a hash for what it is.
#[derive(Debug, Clone, Copy, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, hash: u128) {
        let [a, b, c, d, e, f, g, h, ..] = hash.to_le_bytes();
        self.0 = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    }
}

impl Names {
    pub(super) fn key(&self, kind: HandleKind, value: &str) -> u128 {
        let [low, high] = [0, 1].map(|which: usize| {
            let mut hasher = self.keys.get(which).map_or_else(
                || RandomState::new().build_hasher(),
                BuildHasher::build_hasher,
            );
            class(kind).hash(&mut hasher);
            hasher.write(value.as_bytes());
            hasher.finish()
        });
        (u128::from(high) << 64) | u128::from(low)
    }

    pub(super) fn fill(&mut self, mut named: Vec<(u128, Bearer)>) {
        named.sort_by_key(|(key, _)| *key);
        self.places.clear();
        self.bearers.clear();
        for of_name in named.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((key, _)) = of_name.first() else {
                continue;
            };
            let place = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let at = place(self.bearers.len());
            self.places.insert(*key, (at, place(of_name.len())));
            self.bearers
                .extend(of_name.iter().map(|(_, bearer)| *bearer));
        }
    }

    pub(super) fn bearers_of(&self, kind: HandleKind, value: &str) -> &[Bearer] {
        let found = self.places.get(&self.key(kind, value));
        let range = found.map(|(at, count)| *at as usize..*at as usize + *count as usize);
        range
            .and_then(|range| self.bearers.get(range))
            .unwrap_or_default()
    }
}

/// A name as one account bears it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bearer {
    pub(super) account: u32,
    pub(super) strength: Strength,
    pub(super) name_use: NameUse,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
}

impl Bearer {
    pub(super) const fn place(&self) -> usize {
        self.account as usize
    }

    pub(super) fn holds_at(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }
}

/// Kinds of name that are compared with each other.
pub(super) const fn class(kind: HandleKind) -> HandleKind {
    if matches!(kind, HandleKind::Login | HandleKind::Upn) {
        return HandleKind::Email;
    }
    kind
}
