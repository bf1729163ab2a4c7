//! A place in the feed: a vector of offsets, one for each partition of the alerts topic.

use crate::edge::read_model::Revision;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Partitions that a place may name: more than any topic of ours has.
const PARTITIONS_MAX: usize = 4_096;

/// A place in the feed: the next offset of each partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place(pub BTreeMap<i32, i64>);

impl Place {
    /// The next offset of a partition; 0 where it is not named.
    #[must_use]
    pub fn next(&self, partition: i32) -> i64 {
        self.0.get(&partition).copied().unwrap_or(0)
    }

    /// Whether nothing lies before this place that does not lie before the other one too.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|(p, next)| *next <= other.next(*p))
    }

    /// Moves behind a revision; `false` if it lies before this place.
    pub(super) fn passes(&mut self, revision: &Revision) -> bool {
        let next = self.0.entry(revision.partition).or_insert(0);
        if revision.offset < *next {
            return false;
        }
        *next = revision.offset + 1;
        true
    }

    /// Moves forward to an offset of one partition, never back.
    pub(super) fn advance(&mut self, partition: i32, position: i64) {
        let next = self.0.entry(partition).or_insert(position);
        *next = position.max(*next);
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (partition, offset)) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            write!(f, "{comma}{partition}:{offset}")?;
        }
        Ok(())
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut place = BTreeMap::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (partition, offset) = part.split_once(':').ok_or(())?;
            let partition = partition.parse::<i32>().map_err(|_| ())?;
            let offset = offset.parse::<i64>().map_err(|_| ())?;
            if partition < 0 || offset < 0 || place.len() >= PARTITIONS_MAX {
                return Err(());
            }
            place.insert(partition, offset);
        }
        Ok(Self(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_and_read() {
        let place = Place(BTreeMap::from([(0, 12), (31, 7)]));
        assert_eq!(place.to_string(), "0:12,31:7");
        assert_eq!("0:12,31:7".parse(), Ok(place));
        assert_eq!("".parse(), Ok(Place::default()));
        for bad in ["x", "0", "0:x", "-1:3", "1:-3", "0:1;1:2"] {
            assert_eq!(bad.parse::<Place>(), Err(()), "{bad}");
        }
    }

    #[test]
    fn places_need_not_be_in_order() {
        let place = |text: &str| text.parse::<Place>().unwrap();
        assert!(place("0:3").is_within(&place("0:3,1:1")));
        assert!(place("1:0").is_within(&place("0:3")));
        let (one, other) = (place("0:3,1:1"), place("0:2,1:2"));
        assert!(!one.is_within(&other) && !other.is_within(&one));
    }
}
