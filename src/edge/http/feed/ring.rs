//! What the feed remembers, for all clients at once: the newest revisions in batches, each written
//! once in every form that somebody asks for.

use super::frame::Format;
use super::place::Place;
use crate::edge::read_model::Revision;
use axum::body::Bytes;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Revisions of one batch: what one write to a client should hold at the most.
const BATCH_EVENTS_MAX: usize = 64;
/// Bytes of documents after which a batch is closed: a client that wants one event of a batch keeps
/// no more than this alive.
const BATCH_BYTES_MAX: usize = 64 << 10;
/// Bytes of documents remembered; the usual ones, of some 6 kB, reach the number of events first.
const BYTES_MAX: usize = 64 << 20;

/// Some revisions in the order in which they were published. Shared by all who are given it.
#[derive(Debug)]
pub(super) struct Batch {
    /// Everything before this place was published before.
    before: Place,
    /// And what lies before this one, with this batch.
    after: Arc<Place>,
    revisions: Vec<Arc<Revision>>,
    bytes: usize,
    sse: OnceLock<Frames>,
    lines: OnceLock<Frames>,
}

/// The frames of a batch, one behind the other.
#[derive(Debug)]
struct Frames {
    bytes: Bytes,
    ends: Vec<usize>,
}

impl Batch {
    pub(super) const fn before(&self) -> &Place {
        &self.before
    }

    pub(super) const fn after(&self) -> &Arc<Place> {
        &self.after
    }

    pub(super) fn revisions(&self) -> &[Arc<Revision>] {
        &self.revisions
    }

    /// The frames of neighbours as one piece, without a copy.
    pub(super) fn frames(&self, format: Format, of: Range<usize>) -> Bytes {
        let frames = match format {
            Format::Sse => &self.sse,
            Format::Lines => &self.lines,
        };
        let frames = frames.get_or_init(|| self.write(format));
        let start_of = |n: usize| n.checked_sub(1).and_then(|n| frames.ends.get(n));
        let [start, end] = [of.start, of.end].map(|n| start_of(n).copied().unwrap_or(0));
        frames.bytes.slice(start..end)
    }

    fn write(&self, format: Format) -> Frames {
        let mut place = self.before.clone();
        let mut bytes = Vec::with_capacity(self.bytes);
        let mut ends = Vec::with_capacity(self.revisions.len());
        for revision in &self.revisions {
            place.passes(revision);
            format.write(&mut bytes, revision, &place);
            ends.push(bytes.len());
        }
        let bytes = bytes.into();
        Frames { bytes, ends }
    }
}

/// What is found under the number of a batch.
#[derive(Debug)]
pub(super) enum Held {
    /// It.
    Here(Arc<Batch>),
    /// It is remembered no more.
    Gone,
    /// It is still to come.
    ToCome,
}

/// The newest batches, counted from 0.
#[derive(Debug)]
pub(super) struct Ring {
    batches: VecDeque<Arc<Batch>>,
    /// Number of the oldest batch.
    oldest: u64,
    /// Events and bytes in all batches.
    events: usize,
    bytes: usize,
    /// At least so many events stay, unless their bytes are too many.
    events_max: usize,
    /// Where memory begins: everything behind it that was published is remembered.
    from: Place,
    /// Everything before it was published.
    position: Place,
    /// The batch that is being gathered, and where it began.
    gathered: Vec<Arc<Revision>>,
    gathered_bytes: usize,
    gathered_before: Place,
}

impl Ring {
    pub(super) fn new(events_max: usize) -> Self {
        Self {
            batches: VecDeque::new(),
            oldest: 0,
            events: 0,
            bytes: 0,
            events_max: events_max.max(1),
            from: Place::default(),
            position: Place::default(),
            gathered: Vec::new(),
            gathered_bytes: 0,
            gathered_before: Place::default(),
        }
    }

    pub(super) const fn position(&self) -> &Place {
        &self.position
    }

    /// A partition is read from here on.
    pub(super) fn begin(&mut self, partition: i32, position: i64) {
        self.from.0.insert(partition, position);
        self.position.0.insert(partition, position);
    }

    /// A partition has been read up to here; what lies before is no alert.
    pub(super) fn advance(&mut self, partition: i32, position: i64) {
        self.from.0.entry(partition).or_insert(position);
        self.position.advance(partition, position);
    }

    /// Takes in a revision; `false` if it was published before.
    pub(super) fn push(&mut self, revision: &Arc<Revision>) -> bool {
        if revision.offset < self.position.next(revision.partition) {
            return false;
        }
        if self.gathered.is_empty() {
            self.gathered_before.clone_from(&self.position);
        }
        self.position.passes(revision);
        self.gathered.push(Arc::clone(revision));
        self.gathered_bytes += revision.document.len();
        if self.gathered.len() >= BATCH_EVENTS_MAX || self.gathered_bytes >= BATCH_BYTES_MAX {
            self.close_batch();
        }
        true
    }

    /// Makes a batch of what was gathered, and forgets what is too old.
    pub(super) fn close_batch(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        let batch = Batch {
            before: std::mem::take(&mut self.gathered_before),
            after: Arc::new(self.position.clone()),
            revisions: std::mem::take(&mut self.gathered),
            bytes: std::mem::take(&mut self.gathered_bytes),
            sse: OnceLock::new(),
            lines: OnceLock::new(),
        };
        self.events += batch.revisions.len();
        self.bytes += batch.bytes;
        self.batches.push_back(Arc::new(batch));
        while self.has_excess() {
            self.forget_oldest();
        }
    }

    /// Whether enough is left without the oldest batch. The newest stays.
    fn has_excess(&self) -> bool {
        let oldest = self.batches.front().map_or(0, |b| b.revisions.len());
        let is_enough = self.events - oldest >= self.events_max || self.bytes > BYTES_MAX;
        is_enough && self.batches.len() > 1
    }

    fn forget_oldest(&mut self) {
        let Some(batch) = self.batches.pop_front() else {
            return;
        };
        self.oldest += 1;
        self.events -= batch.revisions.len();
        self.bytes -= batch.bytes;
        for revision in &batch.revisions {
            self.from.advance(revision.partition, revision.offset + 1);
        }
    }

    /// Number of the first batch of which something may lie behind a place. What lies before it is not
    /// needed, so it does no harm if it is forgotten.
    pub(super) fn first_behind(&self, place: &Place) -> u64 {
        let is_before = |batch: &&Arc<Batch>| batch.after.is_within(place);
        self.oldest + self.batches.iter().take_while(is_before).count() as u64
    }

    /// Where the newer half of what is remembered begins. Who is behind it has a while to come before it
    /// is forgotten.
    pub(super) fn newer_half(&self) -> &Place {
        let mut events = 0;
        let is_newer = |batch: &&Arc<Batch>| {
            events += batch.revisions.len();
            events <= self.events_max / 2
        };
        let newer = self.batches.iter().rev().take_while(is_newer).last();
        newer.map_or(&self.position, |batch| &batch.before)
    }

    /// Number of the batch that is to come next.
    pub(super) fn next(&self) -> u64 {
        self.oldest + self.batches.len() as u64
    }

    /// The batch of a number.
    pub(super) fn batch(&self, number: u64) -> Held {
        let Some(at) = number.checked_sub(self.oldest) else {
            return Held::Gone;
        };
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let found = self.batches.get(at);
        found.map_or(Held::ToCome, |batch| Held::Here(Arc::clone(batch)))
    }

    /// Whether all that was published behind a place is remembered, and the place was reached.
    pub(super) fn remembers(&self, place: &Place) -> bool {
        self.from.is_within(place) && place.is_within(&self.position)
    }
}
