//! What is remembered of each partition, for records that come in runs of one partition.

use super::Partition;

/// A map from partitions. The one that was asked for last is looked at first; there are a few dozen
/// at most.
#[derive(Debug, Clone)]
pub(crate) struct ByPartition<V> {
    entries: Vec<(Partition, V)>,
    last: usize,
}

impl<V> Default for ByPartition<V> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            last: 0,
        }
    }
}

impl<V> ByPartition<V> {
    /// What is remembered of a partition.
    pub(crate) fn get_mut(&mut self, partition: &Partition) -> Option<&mut V> {
        let is_it = |(of, _): &(Partition, V)| of == partition;
        if !self.entries.get(self.last).is_some_and(is_it) {
            self.last = self.entries.iter().position(is_it)?;
        }
        self.entries.get_mut(self.last).map(|(_, value)| value)
    }

    /// Remembers this of a partition, in place of what was.
    pub(crate) fn insert(&mut self, partition: Partition, value: V) {
        match self.get_mut(&partition) {
            Some(known) => *known = value,
            None => self.entries.push((partition, value)),
        }
    }

    /// Forgets the partitions that do not fit.
    pub(crate) fn retain(&mut self, fits: impl Fn(&Partition) -> bool) {
        self.entries.retain(|(partition, _)| fits(partition));
    }

    /// All of them, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Partition, &V)> {
        self.entries
            .iter()
            .map(|(partition, value)| (partition, value))
    }

    /// All of them, to be changed.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.iter_mut().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_own() {
        let mut map = ByPartition::default();
        let [a, b, c] = [0, 1, 2].map(|number| Partition::new("t", number));
        map.insert(a.clone(), 1);
        map.insert(b.clone(), 7);
        map.insert(a.clone(), 3);
        assert_eq!(map.get_mut(&b), Some(&mut 7));
        assert_eq!(map.get_mut(&c), None);
        map.values_mut().for_each(|value| *value += 1);
        assert_eq!(map.get_mut(&a), Some(&mut 4));
        map.retain(|partition| *partition != a);
        assert_eq!(map.get_mut(&a), None);
        assert_eq!(map.iter().collect::<Vec<_>>(), [(&b, &8)]);
    }
}
