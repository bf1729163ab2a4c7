//! Cursors of a member, and the records they come to.

use super::broker::Broker;
use crate::edge::log::{LogError, Partition, Polled};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    pub(super) position: i64,
    pub(super) is_paused: bool,
    end_told: Option<i64>,
}

impl Cursor {
    pub(super) const fn at(position: i64, is_paused: bool) -> Self {
        Self {
            position,
            is_paused,
            end_told: None,
        }
    }
}

/// The next record or end of one of the cursors, beginning behind the one served last.
pub(super) fn serve(
    broker: &Broker,
    cursors: &mut BTreeMap<Partition, Cursor>,
    last: &mut Option<Partition>,
) -> Result<Polled, LogError> {
    let is_later = |p: &&Partition| last.as_ref().is_some_and(|l| *p > l);
    let (later, earlier): (Vec<_>, Vec<_>) = cursors.keys().cloned().partition(|p| is_later(&p));
    for partition in later.into_iter().chain(earlier) {
        let Some(cursor) = cursors.get_mut(&partition).filter(|c| !c.is_paused) else {
            continue;
        };
        let log = broker.log(&partition)?;
        match log.next(cursor.position) {
            Ok(record) => {
                cursor.position = record.offset + 1;
                *last = Some(partition);
                return Ok(Polled::Record(record.clone()));
            }
            Err(position) => cursor.position = cursor.position.max(position),
        }
        let position = cursor.position;
        if log.is_end(position) && cursor.end_told != Some(position) {
            cursor.end_told = Some(position);
            return Ok(Polled::End {
                partition,
                position,
            });
        }
    }
    Ok(Polled::Idle)
}
