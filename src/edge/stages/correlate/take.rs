//! Applies blocks to the engines. An engine that fails takes the whole cycle back; an entry at which
//! it fails twice becomes a dead letter.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::collect::block::{self, Entry};
use crate::correlate::engine::AHEAD_MAX;
use crate::edge::clock::{Deadline, monotonic};
use crate::edge::log::records;
use crate::edge::log::{Log, OwnedRecord};

use super::{Correlate, Running, Slot, Spot};

impl<L: Log> Correlate<L> {
    /// Applies a block. False where the engine failed: everything gathered is to be undone.
    pub(super) fn take(&mut self, record: &OwnedRecord) -> bool {
        let number = record.partition.number;
        let Some(Slot::Running(running)) = self.slots.get_mut(&number) else {
            return true;
        };
        let began = monotonic();
        let bytes = record.value.as_deref().unwrap_or_default();
        let entries = match block::decode(bytes) {
            Ok(entries) => entries,
            Err(error) => {
                let why = format!("offset {}: {error}", record.offset);
                running.engine.rollback();
                self.refuse(number, why);
                return true;
            }
        };
        self.records += 1;
        let gather_max = self.setup.gather_max;
        self.until
            .get_or_insert_with(|| Deadline::after(gather_max));
        let gathered = &mut running.gathered;
        gathered.blocks += 1;
        gathered.entries += entries.len();
        gathered.bytes += bytes.len();
        let at = (number, record.offset);
        let failed = apply(running, record, &entries, &self.poisoned);
        self.applying += began.elapsed();
        match failed {
            Ok(()) => {
                running.engine.read_to(record.offset + 1);
                true
            }
            Err(Stopped::Damaged(why)) => {
                running.engine.rollback();
                self.refuse(number, why);
                true
            }
            Err(Stopped::Panicked(index)) => {
                let place = (at.0, at.1, index);
                tracing::error!(partition = at.0, offset = at.1, index, "the engine failed");
                if !self.suspects.insert(place) {
                    self.poisoned.insert(place);
                }
                false
            }
        }
    }
}

/// Why a block was not applied whole.
enum Stopped {
    /// It cannot be read.
    Damaged(String),
    /// The engine failed at an entry.
    Panicked(usize),
}

fn apply(
    running: &mut Running,
    record: &OwnedRecord,
    entries: &[Entry<'_>],
    poisoned: &BTreeSet<Spot>,
) -> Result<(), Stopped> {
    let (number, offset) = (record.partition.number, record.offset);
    let Running {
        engine,
        effects,
        letters,
        ..
    } = running;
    let guarded = |index: usize, step: &mut dyn FnMut() -> Result<(), block::BlockError>| {
        // The engine is rolled back whole after a failure: no half-changed state is seen.
        match catch_unwind(AssertUnwindSafe(step)) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Stopped::Damaged(format!("offset {offset}: {error}"))),
            Err(_) => Err(Stopped::Panicked(index)),
        }
    };
    guarded(usize::MAX, &mut || {
        engine.advance(record.timestamp, effects);
        Ok(())
    })?;
    for (index, entry) in entries.iter().enumerate() {
        if index.is_multiple_of(AHEAD_MAX) {
            engine.look_ahead(entries.get(index..).unwrap_or_default());
        }
        if poisoned.contains(&(number, offset, index)) {
            letters.push(records::poison(record, index, entry));
            continue;
        }
        guarded(index, &mut || engine.handle(entry, effects))?;
    }
    Ok(())
}
