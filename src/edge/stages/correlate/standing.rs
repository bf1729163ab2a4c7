//! How the partitions of a correlator are.

use std::collections::BTreeMap;

use crate::correlate::engine::Engine;
use crate::edge::log::Log;

use super::{Correlate, Slot};

/// How the partitions of a correlator are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Partitions that are worked on.
    pub running: usize,
    /// Partitions whose state is being read.
    pub restoring: usize,
    /// Partitions that stand still, with the reason.
    pub refused: BTreeMap<i32, String>,
}

/// How one partition is.
#[derive(Debug)]
pub enum Place<'a> {
    /// Its state is being read: so many records so far.
    Restoring(u64),
    /// It is worked on.
    Running(&'a Engine),
    /// It stands still, and why.
    Refused(&'a str),
}

impl<L: Log> Correlate<L> {
    /// How the partitions are.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let mut standing = Standing {
            restoring: self.restores.len(),
            ..Standing::default()
        };
        for (number, slot) in &self.slots {
            match slot {
                Slot::Restoring => {}
                Slot::Running(_) => standing.running += 1,
                Slot::Refused(why) => {
                    standing.refused.insert(*number, why.clone());
                }
            }
        }
        standing
    }

    /// Every assigned partition, and how it is.
    pub fn places(&self) -> impl Iterator<Item = (i32, Place<'_>)> {
        self.slots.iter().map(|(number, slot)| {
            let place = match slot {
                Slot::Restoring => Place::Restoring(self.restores.records(*number)),
                Slot::Running(running) => Place::Running(&running.engine),
                Slot::Refused(why) => Place::Refused(why),
            };
            (*number, place)
        })
    }
}
