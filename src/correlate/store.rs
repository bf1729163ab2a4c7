//! What is remembered of the entities of one partition, encoded: one allocation for each, found by
//! key. A record stays as it lies on the changelog until its entity is touched.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use crate::collect::entity::{Entity, EntityKind};

/// The key of an entity in memory: its kind and its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
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

/// What is held of entities for a while: most entries are looked for in vain, which a tree answers with a
/// walk of comparisons. Seeded, since keys come from outside; its order never reaches an output.
pub type ByKey<T> = HashMap<Key, T, DefaultHashBuilder>;

/// Most entities looked ahead for at once: as many waits for memory as a processor overlaps.
pub const AHEAD_MAX: usize = 16;

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

    fn key(&self) -> &[u8] {
        self.parts().0
    }
}

fn hash(hasher: &DefaultHashBuilder, kind: u8, id: &[u8]) -> u64 {
    hasher.hash_one((kind, id))
}

fn hash_of(hasher: &DefaultHashBuilder, key: &[u8]) -> u64 {
    let (kind, id) = key.split_first().unwrap_or((&0, &[]));
    hash(hasher, *kind, id)
}

/// The encoded records of one partition.
#[derive(Debug, Default)]
pub struct Store {
    records: HashTable<Packed>,
    // Seeded: keys come from outside.
    hasher: DefaultHashBuilder,
    counts: [usize; EntityKind::ALL.len()],
    bytes: usize,
}

impl Store {
    /// The record of an entity.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&[u8]> {
        let found = self
            .records
            .find(hash_of(&self.hasher, &key.0), |p| p.key() == key.0);
        found.map(|p| p.parts().1)
    }

    /// Brings the records of entities near the processor. They lie far apart in memory, and waiting for
    /// one after the other costs most of a look-up: here the waits overlap.
    pub fn look_ahead<'e>(&self, entities: impl Iterator<Item = (EntityKind, &'e str)>) {
        let mut hashes = [0; AHEAD_MAX];
        let mut many = 0;
        for ((kind, id), place) in entities.zip(&mut hashes) {
            *place = hash(&self.hasher, kind as u8, id.as_bytes());
            many += 1;
        }
        let mut found = [None; AHEAD_MAX];
        for (hash, found) in hashes.iter().take(many).zip(&mut found) {
            // The first of its hash will do: nothing is decided here.
            *found = self.records.find(*hash, |_| true);
        }
        let first = |p: &Packed| p.0.get(PREFIX_BYTES).copied().unwrap_or(0);
        let touched = found.iter().flatten().map(|p| first(p));
        std::hint::black_box(touched.fold(0, u8::wrapping_add));
    }

    /// Replaces the record of an entity; `None` forgets it.
    pub fn put(&mut self, key: &Key, record: Option<&[u8]>) {
        let hash = hash_of(&self.hasher, &key.0);
        let found = self.records.find_entry(hash, |p| p.key() == key.0).ok();
        let had = found.is_some();
        match (found, record) {
            (Some(mut found), Some(record)) => {
                let packed = Packed::new(key, record);
                self.bytes += packed.0.len();
                let old = std::mem::replace(found.get_mut(), packed);
                self.bytes = self.bytes.saturating_sub(old.0.len());
            }
            (Some(found), None) => {
                let (old, _) = found.remove();
                self.bytes = self.bytes.saturating_sub(old.0.len());
            }
            (None, Some(record)) => {
                let packed = Packed::new(key, record);
                self.bytes += packed.0.len();
                let hasher = &self.hasher;
                self.records
                    .insert_unique(hash, packed, |p| hash_of(hasher, p.key()));
            }
            (None, None) => {}
        }
        let count = key.kind().and_then(|k| self.counts.get_mut(k as usize));
        if let Some(count) = count {
            match (record.is_some(), had) {
                (true, false) => *count += 1,
                (false, true) => *count -= 1,
                (true, true) | (false, false) => {}
            }
        }
    }

    /// Makes room for so many more records at once, for a restore.
    pub fn reserve(&mut self, records: usize) {
        let hasher = &self.hasher;
        self.records.reserve(records, |p| hash_of(hasher, p.key()));
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
