//! What is remembered of the entities of one partition, encoded: one allocation for each, found by
//! key. A record stays as it lies on the changelog until its entity is touched.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};

use crate::collect::entity::{Entity, EntityKind};

/// The key of an entity in memory: its kind and its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Key(Vec<u8>);

impl Key {
    /// The key of an entity.
    #[must_use]
    pub fn of(entity: &Entity) -> Self {
        let mut key = Self::default();
        key.set(entity.kind, &entity.id);
        key
    }

    /// Becomes the key of another entity; keeps its buffer.
    pub fn set(&mut self, kind: EntityKind, id: &str) {
        self.0.clear();
        self.0.push(kind as u8);
        self.0.extend(id.as_bytes());
    }

    /// The entity it names.
    #[must_use]
    pub fn entity(&self) -> Option<Entity> {
        let (kind, id) = self.0.split_first()?;
        let kind = EntityKind::from_index(*kind)?;
        Some(Entity::new(kind, String::from_utf8_lossy(id)))
    }

    /// The kind in it.
    #[must_use]
    pub fn kind(&self) -> Option<EntityKind> {
        EntityKind::from_index(*self.0.first()?)
    }
}

/// Bytes of the length of the key in front of it: a source's string may have 64 KiB.
const PREFIX_BYTES: usize = 4;

/// Length of the key, the key, the record.
#[derive(Debug, Clone)]
struct Packed(Box<[u8]>);

impl Packed {
    fn new(key: &Key, record: &[u8]) -> Self {
        let length = u32::try_from(key.0.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(PREFIX_BYTES + key.0.len() + record.len());
        bytes.extend(length.to_le_bytes());
        bytes.extend(&key.0);
        bytes.extend(record);
        Self(bytes.into_boxed_slice())
    }

    fn parts(&self) -> (&[u8], &[u8]) {
        let split = self.0.split_first_chunk::<PREFIX_BYTES>();
        split
            .and_then(|(length, rest)| {
                rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
            })
            .unwrap_or_default()
    }
}

impl Borrow<[u8]> for Packed {
    fn borrow(&self) -> &[u8] {
        self.parts().0
    }
}

impl Hash for Packed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().0.hash(state);
    }
}

impl PartialEq for Packed {
    fn eq(&self, other: &Self) -> bool {
        self.parts().0 == other.parts().0
    }
}

impl Eq for Packed {}

/// The encoded records of one partition.
#[derive(Debug, Default)]
pub struct Store {
    // The hasher is seeded: keys come from outside.
    records: HashSet<Packed>,
    counts: [usize; EntityKind::ALL.len()],
    bytes: usize,
}

impl Store {
    /// The record of an entity.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&[u8]> {
        self.records.get(key.0.as_slice()).map(|p| p.parts().1)
    }

    /// Replaces the record of an entity; `None` forgets it.
    pub fn put(&mut self, key: &Key, record: Option<&[u8]>) {
        let old = match record {
            Some(record) => {
                let packed = Packed::new(key, record);
                self.bytes += packed.0.len();
                self.records.replace(packed)
            }
            None => self.records.take(key.0.as_slice()),
        };
        if let Some(old) = &old {
            self.bytes = self.bytes.saturating_sub(old.0.len());
        }
        let count = key.kind().and_then(|k| self.counts.get_mut(k as usize));
        if let Some(count) = count {
            match (record.is_some(), old.is_some()) {
                (true, false) => *count += 1,
                (false, true) => *count -= 1,
                (true, true) | (false, false) => {}
            }
        }
    }

    /// Makes room for so many more records at once, for a restore.
    pub fn reserve(&mut self, records: usize) {
        self.records.reserve(records);
    }

    /// Entities of a kind.
    #[must_use]
    pub fn count(&self, kind: EntityKind) -> usize {
        self.counts.get(kind as usize).copied().unwrap_or(0)
    }

    /// Bytes of all keys and records, without what the table costs.
    #[must_use]
    pub const fn len_bytes(&self) -> usize {
        self.bytes
    }

    /// The keys whose record is one that is looked for, in order.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "sorted before anybody sees it")]
    pub fn select(&self, wanted: impl Fn(&[u8]) -> bool) -> Vec<Key> {
        let found = self.records.iter().filter(|p| wanted(p.parts().1));
        let mut keys: Vec<Key> = found.map(|p| Key(p.parts().0.to_vec())).collect();
        keys.sort_unstable();
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: EntityKind, id: &str) -> Key {
        Key::of(&Entity::new(kind, id))
    }

    #[test]
    fn records_are_found_by_kind_and_id_and_counted() {
        let mut store = Store::default();
        let (a, b) = (key(EntityKind::Identity, "a"), key(EntityKind::Ticket, "a"));
        store.put(&a, Some(b"one"));
        store.put(&b, Some(b"two"));
        store.put(&a, Some(b"three"));
        assert_eq!(store.get(&a), Some(&b"three"[..]));
        assert_eq!(store.get(&b), Some(&b"two"[..]));
        assert_eq!(store.count(EntityKind::Identity), 1);
        assert_eq!(store.len_bytes(), 2 * (4 + 2) + 5 + 3);
        assert_eq!(store.select(|_| true), [a.clone(), b.clone()]);
        assert_eq!(store.select(|record| record == b"two"), [b]);
        store.put(&a, None);
        store.put(&a, None);
        assert_eq!(
            (store.get(&a), store.count(EntityKind::Identity)),
            (None, 0)
        );
        assert_eq!(store.len_bytes(), 4 + 2 + 3);
    }

    #[test]
    fn a_key_names_its_entity() {
        let entity = Entity::new(EntityKind::Caller, "+1");
        assert_eq!(Key::of(&entity).entity(), Some(entity));
        assert_eq!(Key::default().entity(), None);
    }
}
