//! The transaction of a correlator: what the engines made, their state and positions.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::collect::block::{Body, Entry, Writer};
use crate::correlate::engine::{Change, Effects};
use crate::edge::clock::monotonic;
use crate::edge::log::records::{self, Outgoing};
use crate::edge::log::topics::Topic;
use crate::edge::log::{Log, Partition, ProduceRecord};

use super::super::cycle::{LoopError, Progress, Undone, transact};
use super::gather::Scope;
use super::{Correlate, Counts, Gathered, Slot, Spot};

impl<L: Log> Correlate<L> {
    /// Writes what was gathered, or takes it back: then that of all partitions.
    pub(super) fn commit(&mut self, scope: Scope) -> Result<Progress, LoopError> {
        let mut outgoing: Vec<(Topic, Outgoing)> = Vec::new();
        let mut written: Vec<(i32, Vec<Change>)> = Vec::new();
        let mut offsets: Vec<(Partition, i64)> = Vec::new();
        let mut blocks: BTreeMap<i32, Writer> = BTreeMap::new();
        let mut counts = Counts::default();
        for (number, slot) in &mut self.slots {
            let Slot::Running(running) = slot else {
                continue;
            };
            let is_due = scope == Scope::All || running.is_awaited();
            if running.gathered.blocks == 0 || !is_due {
                continue;
            }
            let effects = &mut running.effects;
            counts.note(effects);
            counts.poisoned += running.letters.len();
            let letters = running.letters.drain(..);
            outgoing.extend(letters.map(|letter| (Topic::DeadLetter, letter)));
            outgoing.append(&mut take_records(*number, effects));
            for (to, relay) in effects.relays.drain(..) {
                let entry = Entry {
                    entity: Some((to.kind, &to.id)),
                    traceparent: None,
                    body: Body::Relay(&relay.encode()),
                };
                let partition = to.partition(self.setup.partitions);
                blocks.entry(partition).or_default().push(&entry);
            }
            let changes = running.engine.changes();
            let topic = Arc::clone(self.setup.topics.of(Topic::Events));
            let next = running.engine.partition().next_offset;
            offsets.push((Partition::new(topic, *number), next));
            written.push((*number, changes));
        }
        let topics = &self.setup.topics;
        let of_state = written.iter().flat_map(|(number, changes)| {
            let of_partition = changes.iter();
            of_partition.map(|change| records::change(topics.of(Topic::State), *number, change))
        });
        let of_events = blocks.iter_mut().flat_map(|(number, writer)| {
            let of_partition = writer.blocks().iter();
            of_partition.map(|block| records::events(topics.of(Topic::Events), *number, block))
        });
        let large: Vec<ProduceRecord<'_>> = of_state.chain(of_events).collect();
        let records = outgoing.len() + large.len();
        let began = monotonic();
        let undone = transact(&mut self.log, &mut self.patience, &offsets, |log| {
            outgoing.iter().try_for_each(|(topic, record)| {
                record.with(topics.of(*topic), |record| log.produce(record))
            })?;
            large.iter().try_for_each(|record| log.produce(record))
        })?;
        match &undone {
            None => self.committed(&written, counts),
            Some(Undone::Renewed) => self.restore_all(),
            Some(Undone::Aborted) => self.undo_all()?,
        }
        let committed = undone.is_none();
        Ok(Progress {
            records: 0,
            written: if committed { records } else { 0 },
            committed,
            aborted: !committed,
            unknown: undone == Some(Undone::Renewed),
            commit: began.elapsed(),
        })
    }

    fn committed(&mut self, written: &[(i32, Vec<Change>)], mut counts: Counts) {
        counts.applied(std::mem::take(&mut self.applying));
        for (number, changes) in written {
            if let Some(Slot::Running(running)) = self.slots.get_mut(number) {
                running.engine.commit(changes);
                running.gathered = Gathered::default();
                counts.engine.add(&running.engine.take_counts());
                counts
                    .engine
                    .add(&std::mem::take(&mut running.effects).counts);
            }
        }
        let is_over = |spot: &Spot| written.iter().any(|(number, _)| *number == spot.0);
        self.suspects.retain(|spot| !is_over(spot));
        self.poisoned.retain(|spot| !is_over(spot));
        self.counts.add(counts);
    }
}

/// What the engine made for others than its own state and partitions.
fn take_records(number: i32, effects: &mut Effects) -> Vec<(Topic, Outgoing)> {
    let alerts = effects.alerts.drain(..);
    let mut outgoing: Vec<(Topic, Outgoing)> = alerts
        .map(|alert| (Topic::Alerts, records::alert(number, &alert)))
        .collect();
    let sealed = effects.sealed.drain(..);
    outgoing.extend(sealed.map(|record| (Topic::Audit, records::audit(number, &record))));
    outgoing
}
