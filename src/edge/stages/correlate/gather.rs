//! How long a correlator gathers, and for which partitions it then commits.

use std::time::Duration;

use crate::edge::clock::Deadline;
use crate::edge::log::{Log, Polled};

use super::super::cycle::LoopError;
use super::{Correlate, Gathered, Running, Slot};

/// Which partitions a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All of which something was gathered.
    All,
    /// Those with an alert that is ready; the others go on gathering.
    Awaited,
}

impl<L: Log> Correlate<L> {
    /// Applies blocks until something is to be committed, or nothing comes.
    pub(super) fn gather(&mut self) -> Result<Scope, LoopError> {
        let mut hurry: Option<Deadline> = None;
        loop {
            let gathered = self.gathered();
            if gathered.blocks == 0 {
                self.until = None;
            }
            if gathered.entries >= self.setup.entries_max || gathered.bytes >= self.setup.bytes_max
            {
                return Ok(Scope::All);
            }
            if hurry.is_none() && self.running().any(Running::is_awaited) {
                // What is queued already may come along, for a moment.
                hurry = Some(Deadline::after(self.setup.storm_max));
            }
            let until = self.until;
            let is_restoring = !self.restores.is_empty();
            let wait = match (hurry, until) {
                // A backlog.
                (Some(hurry), _) if hurry.has_passed() => return Ok(Scope::All),
                (None, Some(until)) if !is_restoring => until.left().max(self.patience.settling()),
                // Restores go on between the cycles, which are short for them.
                (_, Some(_)) => self.patience.settling(),
                (_, None) if is_restoring => Duration::ZERO,
                (_, None) => self.setup.idle_wait,
            };
            match self.log.poll(wait) {
                Ok(Polled::Idle) => {
                    let early = hurry.is_some() && until.is_some_and(|until| !until.has_passed());
                    return Ok(if early { Scope::Awaited } else { Scope::All });
                }
                Ok(Polled::End { .. }) => {}
                Ok(Polled::Assigned(assigned)) => {
                    self.rebalances += 1;
                    self.assign(assigned);
                }
                Ok(Polled::Revoked { partitions, .. }) => {
                    self.rebalances += 1;
                    for partition in partitions {
                        self.slots.remove(&partition.number);
                        let gone = self.restores.give_up(&mut self.log, partition.number);
                        gone.or_else(|error| self.patience.bear(error))?;
                    }
                }
                Ok(Polled::Record(record)) => {
                    if !self.take(&record) {
                        self.undo_all()?;
                        return Ok(Scope::All);
                    }
                }
                Err(error) => {
                    self.patience.bear(error)?;
                    return Ok(Scope::All);
                }
            }
        }
    }

    fn running(&self) -> impl Iterator<Item = &Running> {
        self.slots.values().filter_map(|slot| match slot {
            Slot::Running(running) => Some(&**running),
            Slot::Restoring | Slot::Refused(_) => None,
        })
    }

    /// What was applied since the last commit, in all partitions.
    pub(super) fn gathered(&self) -> Gathered {
        let each = self.running().map(|running| running.gathered);
        each.fold(Gathered::default(), |all, one| Gathered {
            blocks: all.blocks + one.blocks,
            entries: all.entries + one.entries,
            bytes: all.bytes + one.bytes,
        })
    }
}
