//! The changelog of a partition: what a cycle changed, what a restore brings back.

use crate::collect::entity::Entity;
use crate::correlate::audit::AuditHead;
use crate::correlate::controls::Changed;
use crate::correlate::engine::{Counts, Engine, Setup, Touched};
use crate::correlate::partition_state::PartitionState;
use crate::correlate::state_codec::{self, StateError};
use crate::correlate::store::{Key, Store};
use crate::correlate::timers::{Timers, alarms};
use std::sync::Arc;

/// Key of the record that says where the input of a partition goes on.
pub const POSITION_KEY: &str = "__pos";
/// Front of the keys of control entries in force.
const CONTROL_PREFIX: &str = "__control/";
/// Version of the position record: its first byte.
const POSITION_VERSION: u8 = 1;

/// One record of the changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its key.
    pub key: String,
    /// Its value; `None` forgets the key.
    pub value: Option<Vec<u8>>,
}

impl Engine {
    /// What this cycle changed, in order of key; the position comes last.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        let mut changes = Vec::with_capacity(self.cycle.len() + 1);
        let mut encoded = Vec::new();
        let mut cycle: Vec<(&Key, &Touched)> = self.cycle.iter().collect();
        cycle.sort_unstable_by_key(|(key, _)| *key);
        for (key, touched) in cycle {
            let Some(entity) = key.entity() else {
                continue;
            };
            let value = match touched {
                Touched::State(state) => {
                    state_codec::encode_into(entity.kind, state, &mut encoded);
                    Some(encoded.as_slice())
                }
                Touched::Record(record) => Some(record.as_slice()),
                Touched::Nothing => None,
            };
            // What did not change in the end is not written.
            if value != self.store.get(key) {
                changes.push(Change {
                    key: entity.to_string(),
                    value: value.map(<[u8]>::to_vec),
                });
            }
        }
        let before = self.before.as_ref().map(|before| &before.controls);
        if let Some(old) = before.filter(|old| !Arc::ptr_eq(old, &self.controls)) {
            let (old, new) = (old.records(), self.controls.records());
            for (id, record) in new
                .iter()
                .filter(|(id, record)| old.get(*id) != Some(*record))
            {
                changes.push(Change {
                    key: format!("{CONTROL_PREFIX}{id}"),
                    value: Some(record.clone()),
                });
            }
            for id in old.keys().filter(|id| !new.contains_key(*id)) {
                changes.push(Change {
                    key: format!("{CONTROL_PREFIX}{id}"),
                    value: None,
                });
            }
        }
        changes.push(Change {
            key: POSITION_KEY.to_owned(),
            value: Some(position(&self.partition)),
        });
        changes
    }

    /// The cycle was written: `changes` is what [`Self::changes`] said.
    pub fn commit(&mut self, changes: &[Change]) {
        for change in changes {
            if let Some(entity) = Entity::from_key(&change.key) {
                self.store.put(&Key::of(&entity), change.value.as_deref());
            }
        }
        for (key, touched) in std::mem::take(&mut self.cycle) {
            match touched {
                Touched::State(state) if !state.is_idle() => self.warm.put(key, state),
                Touched::State(_) | Touched::Record(_) | Touched::Nothing => {
                    drop(self.warm.take(&key))
                }
            }
        }
        self.before = None;
    }

    /// The cycle was not written: everything is as it was before it, and what was counted since
    /// [`Self::take_counts`] is counted when it comes again.
    pub fn rollback(&mut self) {
        self.counts = Counts::NONE;
        let max_wait_ms = self.setup.max_wait_ms;
        for (key, touched) in std::mem::take(&mut self.cycle) {
            if let Touched::State(state) = touched {
                self.timers.clear(&key, &alarms(&state, max_wait_ms));
            }
            if let Some(Ok(state)) = self.store.get(&key).map(state_codec::decode) {
                self.timers.set(&key, &alarms(&state, max_wait_ms));
            }
        }
        if let Some(before) = self.before.take() {
            self.partition = before.partition;
            self.controls = before.controls;
        }
    }

    /// Brings an engine back from the records of its changelog.
    #[must_use]
    pub fn restore(setup: Arc<Setup>) -> Restore {
        Restore {
            engine: Self::new(setup),
        }
    }
}

fn position(partition: &PartitionState) -> Vec<u8> {
    postcard::to_extend(partition, vec![POSITION_VERSION]).unwrap_or_default()
}

/// An engine that comes back, record by record in the order of the log.
#[derive(Debug)]
pub struct Restore {
    engine: Engine,
}

impl Restore {
    /// Takes a record. Of several with one key the last counts.
    ///
    /// # Errors
    /// A damaged or newer record: the partition is refused.
    pub fn take(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), StateError> {
        let key = std::str::from_utf8(key).map_err(|_| StateError::Damaged)?;
        let engine = &mut self.engine;
        if key == POSITION_KEY {
            let value = value.unwrap_or_default();
            engine.partition = read_position(value)?;
        } else if let Some(id) = key.strip_prefix(CONTROL_PREFIX) {
            if Arc::make_mut(&mut engine.controls).put(id, value) == Changed::Refused {
                return Err(StateError::Damaged);
            }
        } else {
            let entity = Entity::from_key(key).ok_or(StateError::Damaged)?;
            if let Some(value) = value {
                check(value)?;
            }
            engine.store.put(&Key::of(&entity), value);
        }
        Ok(())
    }

    /// The engine, with its alarms set.
    ///
    /// # Errors
    /// A damaged record.
    pub fn finish(mut self) -> Result<Engine, StateError> {
        self.engine.timers = timers(&self.engine.store, self.engine.setup.max_wait_ms)?;
        Ok(self.engine)
    }
}

fn check(record: &[u8]) -> Result<(), StateError> {
    match record.first() {
        Some(&state_codec::VERSION) => {}
        Some(&newer) if newer > state_codec::VERSION => return Err(StateError::Newer(newer)),
        Some(_) | None => return Err(StateError::Damaged),
    }
    state_codec::glimpse(record)
        .map(|_| ())
        .ok_or(StateError::Damaged)
}

fn read_position(value: &[u8]) -> Result<PartitionState, StateError> {
    match value.split_first() {
        Some((&POSITION_VERSION, rest)) => {
            postcard::from_bytes(rest).map_err(|_| StateError::Damaged)
        }
        Some((&newer, _)) if newer > POSITION_VERSION => Err(StateError::Newer(newer)),
        Some(_) | None => Err(StateError::Damaged),
    }
}

/// Where the chain of the audit records of a partition stands, as the value of its position record
/// says it.
///
/// # Errors
/// A damaged or newer record.
pub fn audit_head(position: &[u8]) -> Result<AuditHead, StateError> {
    read_position(position).map(|partition| partition.audit)
}

/// Only who is not idle can wait for something.
fn timers(store: &Store, max_wait_ms: i64) -> Result<Timers, StateError> {
    let mut timers = Timers::default();
    let busy = store.select(|record| state_codec::glimpse(record).is_some_and(|s| !s.is_idle));
    for key in busy {
        if let Some(state) = store.get(&key).map(state_codec::decode).transpose()? {
            timers.set(&key, &alarms(&state, max_wait_ms));
        }
    }
    Ok(timers)
}
