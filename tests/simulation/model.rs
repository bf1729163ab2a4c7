//! What a life left behind, read from its topics and held against the single-threaded model.

use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

use deskwarden::collect::block::{self, Body};
use deskwarden::collect::event::EventId;
use deskwarden::correlate::audit::{ChainCheck, Known};
use deskwarden::correlate::case::Judgement;
use deskwarden::correlate::engine::Engine;
use deskwarden::edge::log::OwnedRecord;

use crate::life::{Lived, Shared};
use crate::oracle;

/// Active findings, scores and pages of every entity, read from the changelog.
pub fn findings(shared: &Shared, state: &[Vec<OwnedRecord>]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for partition in state {
        let mut newest: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
        for record in partition {
            newest.insert(record.key.clone().unwrap(), record.value.clone());
        }
        let mut restore = Engine::restore(shared.engine_setup());
        for (key, value) in newest {
            restore.take(&key, value.as_deref()).unwrap();
        }
        let engine = restore.finish().unwrap();
        for entity in engine.entities() {
            let state = engine.state(&entity).unwrap().unwrap();
            for f in &state.findings {
                lines.push(format!(
                    "{entity} {} {} {} {:?}\n",
                    f.rule, f.anchor, f.value_cp, f.evidence
                ));
            }
            if let Some(case) = state.cases.open {
                let total = Judgement::of(entity.kind, &state.findings, false).total;
                lines.push(format!("{entity} = {} {:?}\n", total.score(), case.verdict));
            }
        }
    }
    lines.sort();
    lines.concat()
}

/// Place of a source record: topic, partition and offset.
type Place = (SmolStr, i32, i64);

/// A source record that was collected twice; `None` if there is none. What a source delivers twice is
/// there twice, at two offsets.
fn doubled(blocks: &[Vec<OwnedRecord>]) -> Option<String> {
    let mut seen: BTreeSet<(Place, EventId, String)> = BTreeSet::new();
    for record in blocks.iter().flatten() {
        for entry in block::decode(record.value.as_deref().unwrap()).unwrap() {
            let Body::Event { event, .. } = &entry.body else {
                continue;
            };
            let event = block::event(event).unwrap();
            let from = event.source;
            let place = (from.topic, from.partition, from.offset);
            let to = entry.receiver().unwrap().to_string();
            if !seen.insert((place.clone(), event.event_id, to)) {
                return Some(format!("{place:?} was collected twice"));
            }
        }
    }
    None
}

/// How what a life published differs from what its events topic asks for; `None` if it does not.
pub fn differs(shared: &Shared, lived: &Lived) -> Option<String> {
    if let Some(fault) = doubled(&lived.events) {
        return Some(fault);
    }
    for (number, blocks) in lived.events.iter().enumerate() {
        let partition = i32::try_from(number).unwrap();
        let wanted = oracle::published(&shared.engine_setup(), partition, blocks);
        let kinds = [
            ("alert", &wanted.alerts, &lived.alerts[number]),
            ("audit record", &wanted.audits, &lived.audits[number]),
        ];
        for (kind, wanted, found) in kinds {
            for (at, (wanted, found)) in wanted.iter().zip(found.iter()).enumerate() {
                if wanted.key != found.key || wanted.value != found.value {
                    return Some(format!("partition {number}: {kind} {at} is another one"));
                }
            }
            if wanted.len() != found.len() {
                let (wanted, found) = (wanted.len(), found.len());
                return Some(format!(
                    "partition {number}: {found} {kind}s instead of {wanted}"
                ));
            }
        }
        let chain = lived.audits[number].iter();
        let chain = chain.map(|record| record.value.as_deref().unwrap());
        let mut check = ChainCheck::new(Known {
            is_whole: true,
            head: None,
        });
        for (record, offset) in chain.zip(0..) {
            check.take(offset, record);
        }
        if let Some(fault) = check.finish(None).faults.first() {
            return Some(format!("partition {number}: {fault:?}"));
        }
    }
    None
}
