//! What was done to a chain that is broken. From the head backwards each record names the one before
//! it by its hash, so what belongs is found wherever it lies; what is left over, and what is named and
//! not there, are the faults.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::correlate::audit::chain::AuditHead;
use crate::correlate::audit::check::{At, ChainCheck, ChainFault, Checked, Piece, Wrong};
use crate::correlate::audit::order::displaced;

/// The hash before the first record.
const NOTHING: [u8; 32] = [0; 32];

/// A place between two pieces of the chain at which no hash leads on.
#[derive(Debug, Clone, Copy)]
struct Gap {
    /// Numbers that no piece of the chain has, first and last; empty if they are reversed.
    from: u64,
    to: u64,
    /// Piece before it.
    before: Option<usize>,
    /// Piece behind it; `None` is the head.
    behind: Option<usize>,
    /// What the one behind names.
    hash: [u8; 32],
    /// How many records may be missing without being told: the beginning is no longer kept.
    is_open: bool,
}

struct Diagnosis<'c> {
    pieces: &'c [Piece],
    is_whole: bool,
    has_head: bool,
    /// Sound pieces by the hash they end with.
    by_hash: BTreeMap<[u8; 32], Vec<usize>>,
    used: Vec<bool>,
    /// Sound pieces that are not used, by the number they end with and their length.
    free: BTreeSet<(u64, u64, Reverse<usize>)>,
    /// The chain from its end to its beginning.
    chain: Vec<usize>,
    gaps: Vec<Gap>,
    faults: Vec<ChainFault>,
}

/// See [`ChainCheck::finish`].
pub(super) fn diagnose(check: &ChainCheck, limit: Option<AuditHead>) -> Checked {
    let pieces = check.pieces.as_slice();
    let mut by_hash: BTreeMap<[u8; 32], Vec<usize>> = BTreeMap::new();
    let mut free = BTreeSet::new();
    for (index, piece) in pieces.iter().enumerate().filter(|(_, p)| p.is_sound) {
        by_hash.entry(piece.hash).or_default().push(index);
        free.insert(rank(index, piece));
    }
    let mut found = Diagnosis {
        pieces,
        is_whole: check.known.is_whole,
        has_head: check.known.head.is_some(),
        by_hash,
        used: vec![false; pieces.len()],
        free,
        chain: Vec::new(),
        gaps: Vec::new(),
        faults: Vec::new(),
    };
    let head = check.known.head.filter(|_| check.unseen == 0);
    let end = found.walk(head, limit.filter(|_| check.unseen == 0));
    found.chain.reverse();
    found.fill();
    found.displaced();
    let mut faults = found.faults;
    let place = |fault: &ChainFault| (fault.at.map_or(i64::MAX, |at| at.offset), fault.wrong);
    faults.sort_by_key(place);
    Checked {
        records: check.records,
        first: pieces.first().map(|piece| piece.first),
        last: pieces.last().map(|piece| piece.last),
        head: end,
        faults,
        unseen: check.unseen,
    }
}

const fn rank(index: usize, piece: &Piece) -> (u64, u64, Reverse<usize>) {
    (piece.last.number, piece.records, Reverse(index))
}

impl Diagnosis<'_> {
    fn piece(&self, index: usize) -> Option<&Piece> {
        self.pieces.get(index)
    }

    fn is_used(&self, index: usize) -> bool {
        self.used.get(index).copied().unwrap_or(true)
    }

    fn take(&mut self, index: usize) {
        if let (Some(used), Some(piece)) = (self.used.get_mut(index), self.pieces.get(index)) {
            *used = true;
            self.free.remove(&rank(index, piece));
        }
    }

    /// Whether a hash leads from a piece to what comes before it, as far as that is kept.
    fn leads_on(&self, index: usize, piece: &Piece) -> bool {
        let is_beginning = index == 0 && !self.is_whole;
        is_beginning || piece.prev == NOTHING || self.by_hash.contains_key(&piece.prev)
    }

    /// The piece that ends with a record: of copies the one that leads on, then the longest.
    fn ending_with(&self, head: AuditHead) -> Option<usize> {
        let candidates = self.by_hash.get(&head.hash)?.iter().copied();
        let fits = |index: &usize| {
            let piece = self.piece(*index);
            !self.is_used(*index) && piece.is_some_and(|piece| piece.last.number == head.count)
        };
        candidates.filter(fits).max_by_key(|index| {
            let piece = self.piece(*index);
            let leads_on = piece.is_some_and(|piece| self.leads_on(*index, piece));
            let records = piece.map_or(0, |piece| piece.records);
            (leads_on, records, Reverse(*index))
        })
    }

    /// Walks from the end to the beginning; where the chain stands at its end.
    fn walk(&mut self, head: Option<AuditHead>, limit: Option<AuditHead>) -> AuditHead {
        let mut end = head.unwrap_or_default();
        let mut later = Vec::new();
        let mut wanted = match head {
            Some(head) => {
                later = self.following(head, limit, &mut end);
                Some(head)
            }
            None => None,
        };
        let mut behind = None;
        loop {
            if wanted.is_some_and(|wanted| wanted.count == 0 && wanted.hash == NOTHING) {
                break;
            }
            let linked = wanted.and_then(|wanted| self.ending_with(wanted));
            let next = linked.or_else(|| self.nearest(wanted, behind));
            if linked.is_none()
                && let Some(wanted) = wanted
            {
                self.gap(wanted, next, behind);
            }
            let Some(piece) = next.and_then(|next| self.piece(next).copied()) else {
                break;
            };
            if wanted.is_none() {
                end = AuditHead {
                    hash: piece.hash,
                    count: piece.last.number,
                };
            }
            if let Some(next) = next {
                self.take(next);
                self.chain.push(next);
            }
            behind = next;
            wanted = Some(AuditHead {
                hash: piece.prev,
                count: piece.first.number.saturating_sub(1),
            });
        }
        later.reverse();
        later.append(&mut self.chain);
        self.chain = later;
        end
    }

    /// The pieces that came after the head, as far as the correlator can have written them.
    fn following(
        &mut self,
        head: AuditHead,
        limit: Option<AuditHead>,
        end: &mut AuditHead,
    ) -> Vec<usize> {
        let mut later = Vec::new();
        let limit = limit.unwrap_or(head);
        loop {
            let at = *end;
            let is_next = |index: &usize| {
                self.piece(*index).is_some_and(|piece| {
                    let fits = piece.is_sound
                        && piece.prev == at.hash
                        && at.count.checked_add(1) == Some(piece.first.number);
                    let is_last = piece.last.number == limit.count && piece.hash == limit.hash;
                    fits && (piece.last.number < limit.count || is_last)
                })
            };
            let Some(next) = (0..self.pieces.len()).find(is_next) else {
                return later;
            };
            if let Some(piece) = self.piece(next) {
                *end = AuditHead {
                    hash: piece.hash,
                    count: piece.last.number,
                };
            }
            self.take(next);
            later.push(next);
        }
    }

    /// Where no hash leads on: the piece with the highest number in front of the one that is wanted.
    /// One that claims to be the wanted one, and is not, counts only if it hangs on something itself.
    fn nearest(&self, wanted: Option<AuditHead>, behind: Option<usize>) -> Option<usize> {
        let most = wanted.map_or(u64::MAX, |wanted| wanted.count);
        let up_to = (most, u64::MAX, Reverse(0));
        let mut candidates = self.free.range(..=up_to).rev();
        let best = candidates.find(|(number, _, Reverse(index))| {
            let claims = wanted.is_some() && *number == most;
            let piece = self.piece(*index);
            let is_in_front = behind.is_none_or(|behind| *index < behind);
            is_in_front && (!claims || piece.is_some_and(|piece| self.leads_on(*index, piece)))
        });
        best.map(|(_, _, Reverse(index))| *index)
    }

    fn gap(&mut self, wanted: AuditHead, before: Option<usize>, behind: Option<usize>) {
        let last = before.and_then(|before| self.piece(before)).copied();
        let from = last.map_or(1, |last| last.last.number.saturating_add(1));
        self.gaps.push(Gap {
            from,
            to: wanted.count,
            before,
            behind,
            hash: wanted.hash,
            is_open: last.is_none() && !self.is_whole,
        });
        // It stands where the wanted one should, and is another one.
        if let Some(last) = last.filter(|last| last.last.number == wanted.count) {
            self.say(Wrong::Replaced, last.last, 1, Some(last.hash));
        } else if last.is_none() && wanted.count == 0 {
            // The first record names one before it.
            let first = behind.and_then(|behind| self.piece(behind)).copied();
            if let Some(first) = first {
                self.say(Wrong::Replaced, first.first, 1, None);
            }
        }
    }

    fn say(&mut self, wrong: Wrong, at: At, count: u64, hash: Option<[u8; 32]>) {
        self.faults.push(ChainFault {
            wrong,
            number: at.number,
            count,
            at: Some(at),
            hash,
            moved_to: None,
        });
    }

    /// Puts what does not belong to the chain into its gaps: there it was changed or replaced, anywhere
    /// else it was inserted. What is still open was removed.
    fn fill(&mut self) {
        let mut over: Vec<usize> = (0..self.pieces.len())
            .filter(|index| !self.is_used(*index))
            .collect();
        for gap in std::mem::take(&mut self.gaps) {
            let mut missing: Vec<(u64, u64)> = Vec::new();
            if gap.from <= gap.to {
                missing.push((gap.from, gap.to));
            }
            // By their numbers first, then by where they lie.
            for by_number in [true, false] {
                over.retain(|index| !self.fills(&gap, *index, &mut missing, by_number));
            }
            if !gap.is_open {
                for (from, to) in missing {
                    self.missing(&gap, from, to);
                }
            }
        }
        let end = self.chain.last().copied();
        for index in over {
            if let Some(piece) = self.piece(index).copied() {
                // Nobody says what stands behind the end.
                let is_open = !self.has_head && end.is_none_or(|end| index > end);
                let wrong = if is_open && !piece.is_sound {
                    Wrong::Changed
                } else {
                    Wrong::Inserted
                };
                self.say(
                    wrong,
                    piece.first,
                    piece.records,
                    piece.is_sound.then_some(piece.hash),
                );
            }
        }
    }

    /// Whether a piece stands for records that a gap misses; then they are no longer missing.
    fn fills(
        &mut self,
        gap: &Gap,
        index: usize,
        missing: &mut Vec<(u64, u64)>,
        by_number: bool,
    ) -> bool {
        let lies = gap.before.is_none_or(|before| before < index)
            && gap.behind.is_none_or(|behind| index < behind);
        let Some(piece) = self.piece(index).copied().filter(|_| lies) else {
            return false;
        };
        let (first, last) = if by_number {
            // Of a beginning that is not kept nobody can say what it was.
            if gap.is_open {
                return false;
            }
            (piece.first.number, piece.last.number)
        } else {
            let free = if gap.is_open {
                missing.last().map(|(_, to)| *to)
            } else {
                missing.first().map(|(from, _)| *from)
            };
            let Some(free) = free.filter(|_| !piece.is_sound) else {
                return false;
            };
            (free, free)
        };
        let holds = |range: &(u64, u64)| range.0 <= first && last <= range.1;
        let Some(place) = missing.iter().position(holds) else {
            return false;
        };
        let (from, to) = missing.swap_remove(place);
        if from < first {
            missing.push((from, first - 1));
        }
        if last < to {
            missing.push((last + 1, to));
        }
        missing.sort_unstable();
        let wrong = if piece.is_sound {
            Wrong::Replaced
        } else {
            Wrong::Changed
        };
        let at = At {
            number: first,
            ..piece.first
        };
        self.say(wrong, at, piece.records, None);
        true
    }

    fn missing(&mut self, gap: &Gap, from: u64, to: u64) {
        let behind = gap.behind.and_then(|behind| self.piece(behind));
        let before = gap.before.and_then(|before| self.piece(before));
        let (wrong, at) = match behind {
            Some(behind) => (Wrong::Removed, Some(behind.first)),
            None => (Wrong::CutShort, before.map(|before| before.last)),
        };
        self.faults.push(ChainFault {
            wrong,
            number: from,
            count: to.saturating_sub(from).saturating_add(1),
            at,
            hash: (to == gap.to).then_some(gap.hash),
            moved_to: None,
        });
    }

    /// Pieces of the chain that lie elsewhere.
    fn displaced(&mut self) {
        let chain = std::mem::take(&mut self.chain);
        let records = |index: usize| self.piece(index).map_or(0, |piece| piece.records);
        for index in displaced(&chain, records) {
            if let Some(piece) = self.piece(index).copied() {
                self.say(
                    Wrong::Reordered,
                    piece.first,
                    piece.records,
                    Some(piece.hash),
                );
            }
        }
    }
}
