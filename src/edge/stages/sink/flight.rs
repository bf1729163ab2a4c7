//! What is under way: sent, landed, and committed behind it.

use std::sync::Arc;

use crate::edge::clock;
use crate::edge::log::{Log, Partition};
use crate::edge::sinks::GivenUp;
use crate::edge::stages::cycle::{LoopError, Progress, transact};

use super::{
    DELIVERY, Flight, GATHER, Gathered, Landed, QUIET_COMMIT, STORM_GATHER, SinkLoop, letter,
};

impl<L: Log> SinkLoop<L> {
    /// Begins to send what is due, or what the receiver must be told again.
    pub(super) fn take_off(&mut self) {
        self.release();
        let span = match self.gathered.ready.is_empty() {
            true => QUIET_COMMIT,
            false if self.parts.sink.is_storm() => STORM_GATHER,
            false => GATHER,
        };
        let is_due = self.gathered.since.is_some_and(|at| at.elapsed() >= span);
        let is_full = self.gathered.ready.len() >= self.batch_max();
        let is_time = is_due || is_full || self.is_last;
        let again = self.parts.sink.again(clock::now());
        if !is_time && again.is_empty() {
            return;
        }
        let gathered = if is_time {
            self.is_last = false;
            let gathered = std::mem::take(&mut self.gathered);
            self.before_what_waits(gathered)
        } else {
            Gathered::default()
        };
        let mut deliveries = again;
        deliveries.extend(self.parts.sink.deliveries(&gathered.ready, clock::now()));
        let sender = Arc::clone(&self.parts.sender);
        self.flight = Some(Flight {
            ready: gathered.ready,
            letters: gathered.letters,
            next: gathered.next,
            task: self.parts.runtime.spawn(sender.send_all(deliveries)),
        });
    }

    /// Takes over those of the groups whose time has come; at the end, all.
    fn release(&mut self) {
        let now = clock::monotonic();
        let released = if self.is_last {
            self.groups.all(now)
        } else {
            self.groups.due(now)
        };
        for ready in released {
            let partition = &ready.record.partition;
            if let Some(next) = self.read.get(partition) {
                self.gathered.advance(partition, *next);
            }
            self.gathered.ready.push(ready);
        }
    }

    /// The place of a partition stays before the first record that waits in it.
    fn before_what_waits(&self, mut gathered: Gathered) -> Gathered {
        for (partition, first) in self.groups.firsts() {
            let next = gathered.next.get_mut(&partition);
            let Some(next) = next.filter(|next| **next > first) else {
                continue;
            };
            *next = first;
            // It stands there already.
            if self
                .committed
                .get(&partition)
                .is_some_and(|at| *at >= first)
            {
                gathered.next.remove(&partition);
            }
        }
        gathered
    }

    pub(super) fn land(&mut self) {
        let Some(mut flight) = self.flight.take() else {
            return;
        };
        let ended = self.parts.runtime.block_on(&mut flight.task);
        let given_up = ended.unwrap_or_else(|error| {
            // Whether anything was sent is not known; nothing is lost in the dead letters.
            vec![GivenUp {
                carries: (0..flight.ready.len()).collect(),
                why: error.to_string(),
                attempts: 1,
                is_refused: false,
            }]
        });
        let mut alone = Vec::new();
        for lost in given_up {
            // One that cannot be taken must not take the others of its message with it.
            let is_shared = lost.is_refused && lost.carries.len() > 1;
            for place in lost.carries {
                let Some(carried) = flight.ready.get(place) else {
                    continue;
                };
                if is_shared {
                    alone.push(self.parts.sink.alone(carried, place, clock::now()));
                    continue;
                }
                let letter = letter(&carried.record, DELIVERY, &lost.why, lost.attempts);
                flight.letters.push(letter);
                self.parts.letters.add(DELIVERY, 1);
                self.parts.metrics.given_up();
                tracing::error!(id = %carried.notice.revision_id(), why = %lost.why,
                    "given up: it goes to the dead letters");
            }
        }
        self.tell_waiting();
        if alone.is_empty() {
            let Flight { letters, next, .. } = flight;
            self.landed = Some(Landed { letters, next });
        } else {
            let sender = Arc::clone(&self.parts.sender);
            flight.task = self.parts.runtime.spawn(sender.send_all(alone));
            self.flight = Some(flight);
        }
    }

    pub(super) fn commit(
        &mut self,
        landed: Landed,
        progress: &mut Progress,
    ) -> Result<(), LoopError> {
        let offsets: Vec<(Partition, i64)> = landed
            .next
            .iter()
            .map(|(partition, next)| (partition.clone(), *next))
            .collect();
        if offsets.is_empty() && landed.letters.is_empty() {
            return Ok(());
        }
        let topic = &*self.parts.dead_letters;
        let undone = transact(&mut self.log, &mut self.patience, &offsets, |log| {
            let mut letters = landed.letters.iter();
            letters.try_for_each(|letter| letter.with(topic, |record| log.produce(record)))
        })?;
        match undone {
            None => {
                self.committed.extend(offsets);
                progress.committed = true;
                progress.written += landed.letters.len();
            }
            // Delivered is delivered: only the place is committed again.
            Some(_) => {
                progress.aborted = true;
                self.landed = Some(landed);
            }
        }
        Ok(())
    }
}
