//! Decoded states of the entities touched lately: who is busy is not decoded anew in each cycle.

use crate::correlate::entity_state::EntityState;
use crate::correlate::store::{ByKey, Key};

/// Entities of a generation. A busy person takes some 300 KiB decoded, most take a few.
const GENERATION_MAX: usize = 512;

/// Two generations: what was used in neither goes.
#[derive(Debug, Default)]
pub(super) struct Warm {
    young: ByKey<Box<EntityState>>,
    old: ByKey<Box<EntityState>>,
}

impl Warm {
    /// Takes a state out, to be changed. A cycle that is not written leaves it out.
    pub(super) fn take(&mut self, key: &Key) -> Option<Box<EntityState>> {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    /// Keeps a state that was written.
    pub(super) fn put(&mut self, key: Key, state: Box<EntityState>) {
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::entity::{Entity, EntityKind};

    fn key(n: usize) -> Key {
        Key::of(&Entity::new(EntityKind::Identity, n.to_string()))
    }

    #[test]
    fn who_is_used_stays_and_the_others_go() {
        let mut warm = Warm::default();
        for n in 0..GENERATION_MAX * 4 {
            warm.put(key(n), Box::default());
            if let Some(busy) = warm.take(&key(0)) {
                warm.put(key(0), busy);
            }
        }
        assert!(warm.take(&key(0)).is_some());
        assert!(warm.take(&key(0)).is_none(), "taken out");
        assert!(warm.take(&key(1)).is_none());
        assert!(warm.young.len() + warm.old.len() <= 2 * GENERATION_MAX);
    }
}
