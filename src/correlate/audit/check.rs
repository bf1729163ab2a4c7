//! Checks the chain of a partition, record by record: as long as it is intact, nothing is kept but
//! where it stands.

use std::collections::{BTreeMap, VecDeque};

use crate::collect::time::Timestamp;
use crate::correlate::audit::chain::{AuditHead, Damage, Link};
use crate::correlate::audit::diagnose::diagnose;

/// Stretches of a broken chain that are told apart: what lies behind so many breaks is not looked at.
/// A thousand manipulations of one partition need no list of the rest.
pub const PIECES_MAX: usize = 4_096;

/// As many in a file, of which those that were asked for need not follow each other.
const FILE_PIECES_MAX: usize = 1_000_000;

/// Records back to which it is seen that two chains go on from one: so many were inserted at most. Of
/// more it is only seen that the chain is broken.
const RECENT_MAX: usize = 1_024;

/// Where a record lies and which one it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// Offset in its partition.
    pub offset: i64,
    /// Number in its chain, as it says it; 0 where it says none.
    pub number: u64,
    /// Event time, if it says one.
    pub time: Option<Timestamp>,
}

/// What is wrong at a place of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// The content was changed: the hash does not fit it.
    Changed,
    /// The content was changed and the hash with it: what follows names another record.
    Replaced,
    /// Records are missing.
    Removed,
    /// A record that does not belong there.
    Inserted,
    /// A record that belongs elsewhere in its partition.
    Reordered,
    /// The last records are missing.
    CutShort,
}

impl Wrong {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Replaced => "replaced",
            Self::Removed => "removed",
            Self::Inserted => "inserted",
            Self::Reordered => "reordered",
            Self::CutShort => "cut_short",
        }
    }

    /// What it means.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Changed => {
                "its hash is not that of its content: it was changed after it was written"
            }
            Self::Replaced => {
                "its hash fits its content, but not what follows: it was changed and hashed anew, \
                 perhaps with records before it"
            }
            Self::Removed => {
                "the record behind the gap names one that is not there: it was removed"
            }
            Self::Inserted => {
                "the chain goes on without it: it was inserted, by somebody else than the correlator"
            }
            Self::Reordered => "it belongs to the chain, but not in this place: it was moved",
            Self::CutShort => "the correlator wrote more than there is: the end was cut off",
        }
    }
}

/// A fault of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainFault {
    /// What is wrong.
    pub wrong: Wrong,
    /// Number of the first record concerned; 0 where it says none.
    pub number: u64,
    /// How many records are concerned.
    pub count: u64,
    /// Where it shows: the record itself; of missing ones the record behind the gap, or the last one.
    pub at: Option<At>,
    /// Hash of the last record concerned, if it is known.
    pub hash: Option<[u8; 32]>,
    /// Where the missing record lies instead: partition and offset.
    pub moved_to: Option<(i32, i64)>,
}

/// Consecutive records, each of which follows the one before it; one alone where its hash is not that
/// of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) first: At,
    pub(super) last: At,
    /// Hash before the first one.
    pub(super) prev: [u8; 32],
    /// Hash of the last one.
    pub(super) hash: [u8; 32],
    pub(super) records: u64,
    /// The hashes are those of the content.
    pub(super) is_sound: bool,
}

impl Piece {
    const fn of(at: At, link: Option<Link>) -> Self {
        let (prev, hash) = match link {
            Some(link) => (link.prev, link.hash),
            None => ([0; 32], [0; 32]),
        };
        Self {
            first: at,
            last: at,
            prev,
            hash,
            records: 1,
            is_sound: link.is_some(),
        }
    }
}

/// What is known of a chain besides its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// The partition is kept from its first record on.
    pub is_whole: bool,
    /// The head that the correlator had written when reading began: records up to it must be there.
    pub head: Option<AuditHead>,
}

/// The check of one partition.
#[derive(Debug)]
pub struct ChainCheck {
    pub(super) known: Known,
    pub(super) pieces: Vec<Piece>,
    pieces_max: usize,
    /// The last records of the last piece, with their hashes.
    recent: VecDeque<(At, [u8; 32])>,
    pub(super) records: u64,
    /// Records behind more breaks than are told apart.
    pub(super) unseen: u64,
}

/// What the check of a partition found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Records read.
    pub records: u64,
    /// The first of them.
    pub first: Option<At>,
    /// The last of them.
    pub last: Option<At>,
    /// Where the chain stands after the last record that belongs to it.
    pub head: AuditHead,
    /// Faults in the order of the partition; none where the chain is intact.
    pub faults: Vec<ChainFault>,
    /// Records behind too many breaks, which were not looked at.
    pub unseen: u64,
}

impl ChainCheck {
    /// A check of a partition of which so much is known.
    #[must_use]
    pub const fn new(known: Known) -> Self {
        Self {
            known,
            pieces: Vec::new(),
            pieces_max: PIECES_MAX,
            recent: VecDeque::new(),
            records: 0,
            unseen: 0,
        }
    }

    /// A check of what a file holds of a partition.
    #[must_use]
    pub fn of_file() -> Self {
        Self {
            pieces_max: FILE_PIECES_MAX,
            ..Self::new(Known::default())
        }
    }

    /// The next record of the partition.
    pub fn take(&mut self, offset: i64, record: &[u8]) {
        self.records += 1;
        let (number, time, link) = match Link::read(record) {
            Ok(link) => (link.number, Some(link.time), Some(link)),
            Err(Damage::Changed(number, time)) => (number, Some(time), None),
            Err(Damage::Unreadable) => (0, None, None),
        };
        let at = At {
            offset,
            number,
            time,
        };
        let is_full = self.pieces.len() >= self.pieces_max;
        if let (Some(link), Some(piece)) = (link, self.pieces.last_mut())
            && self.unseen == 0
            && piece.is_sound
            && piece.hash == link.prev
            && piece.last.number.checked_add(1) == Some(link.number)
            // What follows the head is told apart from what it vouches for.
            && self.known.head.is_none_or(|head| head.count != piece.last.number)
        {
            piece.last = at;
            piece.hash = link.hash;
            piece.records += 1;
            self.remember(at, link.hash);
        } else if is_full {
            self.unseen += 1;
        } else {
            if let Some(link) = link {
                self.fork(link);
            }
            self.pieces.push(Piece::of(at, link));
            self.recent.clear();
            if let Some(link) = link {
                self.remember(at, link.hash);
            }
        }
    }

    fn remember(&mut self, at: At, hash: [u8; 32]) {
        if self.recent.len() >= RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back((at, hash));
    }

    /// Where a record follows not the last one, but one shortly before it, two chains go on from there:
    /// what only one of them has becomes a piece of its own.
    fn fork(&mut self, link: Link) {
        let Some(place) = self.recent.iter().rposition(|(_, hash)| *hash == link.prev) else {
            return;
        };
        let (Some((end, hash)), Some((first, _)), Some(piece)) = (
            self.recent.get(place).copied(),
            self.recent.get(place + 1).copied(),
            self.pieces.last_mut(),
        ) else {
            return;
        };
        let mut branch = *piece;
        branch.first = first;
        branch.prev = hash;
        branch.records = branch.last.number.saturating_sub(end.number);
        piece.records = piece.records.saturating_sub(branch.records);
        piece.last = end;
        piece.hash = hash;
        self.pieces.push(branch);
    }

    /// The ranges of numbers that were read, as the records say them.
    pub fn numbers(&self) -> impl Iterator<Item = (u64, u64)> {
        let pieces = self.pieces.iter();
        pieces.map(|piece| (piece.first.number, piece.last.number))
    }

    /// What was found. `limit` is the head that the correlator had written when reading had ended:
    /// nothing beyond it can be its own.
    #[must_use]
    pub fn finish(self, limit: Option<AuditHead>) -> Checked {
        diagnose(&self, limit)
    }
}

/// A record that is missing in one partition and was inserted in another was moved: both faults then
/// say so.
pub fn name_moved(partitions: &mut [(i32, Checked)]) {
    let mut inserted = BTreeMap::new();
    for (number, checked) in partitions.iter() {
        for fault in &checked.faults {
            if let (Wrong::Inserted, Some(hash), Some(at)) = (fault.wrong, fault.hash, fault.at) {
                inserted.insert(hash, (*number, at.offset));
            }
        }
    }
    let faults = partitions.iter_mut().flat_map(|(_, c)| &mut c.faults);
    for fault in faults.filter(|fault| matches!(fault.wrong, Wrong::Removed | Wrong::CutShort)) {
        fault.moved_to = fault.hash.and_then(|hash| inserted.get(&hash).copied());
    }
}
