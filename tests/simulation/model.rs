//! The single-threaded model: one engine for each partition of the events topic, fed block by block.

use std::collections::BTreeMap;

use deskwarden::collect::block;
use deskwarden::correlate::case::Judgement;
use deskwarden::correlate::engine::{Effects, Engine};
use deskwarden::edge::log::OwnedRecord;
use deskwarden::edge::log::records;

use crate::life::{Lived, Shared};

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
            if let Some(case) = state.case.filter(|_| !state.findings.is_empty()) {
                let total = Judgement::of(entity.kind, &state.findings, false).total;
                lines.push(format!("{entity} = {} {:?}\n", total.score(), case.verdict));
            }
        }
    }
    lines.sort();
    lines.concat()
}

/// How the alerts of a life differ from what its events topic asks for; `None` if they do not.
pub fn differs(shared: &Shared, lived: &Lived) -> Option<String> {
    for (number, blocks) in lived.events.iter().enumerate() {
        let mut engine = Engine::new(shared.engine_setup());
        let mut expected = Vec::new();
        for record in blocks {
            let mut effects = Effects::default();
            engine.advance(record.timestamp, &mut effects);
            for entry in block::decode(record.value.as_deref().unwrap()).unwrap() {
                engine.handle(&entry, &mut effects).unwrap();
            }
            let partition = i32::try_from(number).unwrap();
            for (entity, revision) in &effects.revisions {
                expected.push(records::alert(partition, entity, revision));
            }
        }
        let published = &lived.alerts[number];
        for (at, (wanted, found)) in expected.iter().zip(published).enumerate() {
            if wanted.key != found.key || wanted.value != found.value {
                return Some(format!("partition {number}: alert {at} is another one"));
            }
        }
        if expected.len() != published.len() {
            let (wanted, found) = (expected.len(), published.len());
            return Some(format!(
                "partition {number}: {found} alerts instead of {wanted}"
            ));
        }
    }
    None
}
