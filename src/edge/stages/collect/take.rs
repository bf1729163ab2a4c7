//! What a collector makes of the records it gathers.

use std::sync::Arc;

use crate::collect::block::{self, Body, ControlPlace, Entry, SourceWatermark, encode_event_into};
use crate::collect::directory::{ExportSetup, read_item};
use crate::collect::entity::Entity;
use crate::collect::event::Event;
use crate::collect::pipeline::{Collected, Collector};
use crate::collect::record::Record;
use crate::collect::setup::SourceSetup;
use crate::collect::unwrap::unwrap;
use crate::edge::log::records::{self, Fault};
use crate::edge::log::topics::Topic;
use crate::edge::log::{Log, OwnedRecord, key_partition};

use super::Collect;

impl<L: Log> Collect<L> {
    /// Puts how far this collector is behind everything else: once a second to every partition, else to
    /// those that are written anyway.
    pub(super) fn tell_watermarks(&mut self, tick: bool) {
        let told: Vec<SourceWatermark> = if tick {
            self.watermarks.all()
        } else {
            self.watermarks.changed()
        };
        if told.is_empty() {
            return;
        }
        let entry = Entry {
            entity: None,
            traceparent: None,
            body: Body::Watermarks(told),
        };
        let writers = self.blocks.iter_mut();
        writers
            .filter(|writer| tick || !writer.is_empty())
            .for_each(|writer| writer.push(&entry));
    }

    /// Takes a record in.
    pub(super) fn take(&mut self, owned: &OwnedRecord) {
        let partition = &owned.partition;
        match self.pending.offsets.get_mut(partition) {
            Some(next) => *next = owned.offset + 1,
            // It could not be sought yet, so this may lie anywhere: it comes again once it is.
            None if !self.committed.contains_key(partition) => return,
            None => {
                let next = owned.offset + 1;
                self.pending.offsets.insert(partition.clone(), next);
            }
        }
        self.pending.records += 1;
        self.pending.bytes += owned.value.as_ref().map_or(0, Vec::len);
        self.watermarks.read(&partition.topic, partition.number);
        if *partition.topic == **self.setup.topics.of(Topic::Control) {
            self.copy_control(owned);
            return;
        }
        let setup = Arc::clone(&self.setup);
        let source = setup.sources.iter().find(|s| s.topic == *partition.topic);
        let Some(source) = source else {
            return;
        };
        let record = Record {
            topic: &partition.topic,
            partition: partition.number,
            offset: owned.offset,
            ingest_ts: owned.timestamp,
            value: owned.value.as_deref().unwrap_or_default(),
        };
        if source.setup.product.is_directory() {
            self.import(&record, &source.setup);
        } else {
            let trace = owned.header("traceparent").and_then(block::traceparent);
            self.collect(&record, &source.setup, trace);
        }
    }

    fn collect(&mut self, record: &Record<'_>, setup: &SourceSetup, trace: Option<&str>) {
        let collected = {
            let directory = self.directory.read();
            let collector = Collector {
                directory: &*directory,
                settings: &self.setup.settings,
                lexicon: &self.setup.lexicon,
            };
            collector.collect(record, setup, &mut self.scratch)
        };
        let Collected {
            events,
            ignored,
            rejects,
        } = collected;
        let counts = &mut self.pending.counts;
        if !events.is_empty() {
            let all = || events.iter().map(|(event, _)| event);
            counts.note(&setup.name, all());
            self.watermarks.note(record.topic, record.partition, all());
        }
        for (_, reason) in ignored {
            *counts
                .ignored
                .entry((setup.name.clone(), reason))
                .or_default() += 1;
        }
        for (_, reject) in &rejects {
            counts.reject(&setup.name, reject);
            self.pending
                .letters
                .push(records::dead_letter(record, Fault::of(reject)));
        }
        for (event, entities) in &events {
            self.write(event, entities, trace);
        }
    }

    fn write(&mut self, event: &Event, entities: &[Entity], trace: Option<&str>) {
        if entities.is_empty() {
            return;
        }
        self.encoded.clear();
        encode_event_into(event, &mut self.encoded);
        let mut buffer = Vec::new();
        for entity in entities {
            let entry = Entry {
                traceparent: trace,
                ..Entry::copy(event, &self.encoded, entity, &mut buffer)
            };
            let partition = entity.partition(self.setup.partitions);
            if let Some(writer) = self.blocks.get_mut(partition.cast_unsigned() as usize) {
                writer.push(&entry);
            }
        }
    }

    fn copy_control(&mut self, record: &OwnedRecord) {
        let key = record.key.as_deref().unwrap_or_default();
        let id = String::from_utf8_lossy(key);
        let place = ControlPlace {
            topic: &record.partition.topic,
            partition: record.partition.number,
            offset: record.offset,
            time: record.timestamp,
        };
        // Every partition acts by it, and one of them records it.
        let recorder = key_partition(key, self.setup.partitions);
        for (number, writer) in (0..).zip(&mut self.blocks) {
            writer.push(&Entry {
                entity: None,
                traceparent: None,
                body: Body::Control {
                    id: &id,
                    json: record.value.as_deref(),
                    place: (number == recorder).then_some(place),
                },
            });
        }
    }

    /// Lays a directory export over what is known, and writes what came of it.
    fn import(&mut self, record: &Record<'_>, setup: &SourceSetup) {
        let export = ExportSetup {
            issuer: setup.issuer.clone(),
            names: self.setup.settings.names.clone(),
            read_at: record.ingest_ts,
        };
        let mut directory = self.directory.write();
        let pending = &mut self.pending;
        let system = setup.product.directory_system();
        unwrap(record.value, &mut self.scratch.tapes, &mut |item| {
            let read = item
                .value
                .and_then(|value| read_item(system, value, &export));
            match read {
                Ok(account) => {
                    let key = account.key();
                    directory.put(account);
                    let merged = directory.record(&key).map(records::account);
                    pending.accounts.extend(merged);
                    *pending.counts.events.entry(setup.name.clone()).or_default() += 1;
                }
                Err(reject) => {
                    pending.counts.reject(&setup.name, &reject);
                    pending
                        .letters
                        .push(records::dead_letter(record, Fault::of(&reject)));
                }
            }
        });
        pending.new_accounts = true;
    }
}
