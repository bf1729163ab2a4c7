//! The engine of one partition: entries in, effects out. No clock, no I/O; whatever it must know is an
//! entry of its partition.
//!
//! Calling order of a cycle: for each block [`Engine::advance`] with its `log_ts`, then
//! [`Engine::handle`] for each of its entries, in order, and [`Engine::read_to`] with the offset behind
//! it; then [`Engine::changes`], and [`Engine::commit`] once they are written, or
//! [`Engine::rollback`]. Relays in the effects go through the log, also to the own partition.

use std::sync::Arc;

use crate::collect::block::{self, BlockError, Body, Entry, SourceWatermark};
use crate::collect::entity::{Entity, EntityKind, concerns_nobody};
use crate::collect::event::Event;
use crate::collect::time::{MINUTE_MS, Timestamp};
use crate::correlate::case;
use crate::correlate::controls::Controls;
use crate::correlate::entity_state::EntityState;
use crate::correlate::judge::{self, Look, Setting};
use crate::correlate::partition_state::PartitionState;
use crate::correlate::relay::Relay;
use crate::correlate::rules::RuleSet;
use crate::correlate::rules::masks::PatternMask;
use crate::correlate::rules::rule_set::Told;
use crate::correlate::state_codec::{self, StateError};
pub use crate::correlate::store::AHEAD_MAX;
use crate::correlate::store::{ByKey, Key, Store};
use crate::correlate::timers::{Timers, alarms};

mod changes;
mod control;
mod effects;
mod room;
mod take;
mod usual;
mod warm;

pub use changes::{Change, POSITION_KEY, Restore, audit_head};
pub use effects::{ByKind, Counts, Effects, NewFinding, Published};
use take::take;

/// What an engine is set up with; shared by all partitions.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Part of every derived id.
    pub tenant: String,
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// Whole name of the alerts topic, as alerts tell it.
    pub alerts_topic: String,
    /// Address of the web page, without a slash at its end; `None` leaves links out of alerts.
    pub page: Option<String>,
    /// The longest wait for a watermark; a stuck source must not mute absence patterns.
    pub max_wait_ms: i64,
    /// Most entities of each kind, in the order of [`EntityKind::ALL`].
    pub entities_max: [usize; EntityKind::ALL.len()],
}

/// Default of the longest wait for a watermark.
pub const MAX_WAIT_MS: i64 = 15 * MINUTE_MS;
/// Default of the most entities of each kind in one partition.
pub const ENTITIES_MAX: [usize; EntityKind::ALL.len()] =
    [200_000, 50_000, 50_000, 10_000, 50_000, 50_000, 50_000];

impl Setup {
    /// A setup with the default bounds.
    #[must_use]
    pub fn new(tenant: impl Into<String>, rules: Arc<RuleSet>) -> Self {
        Self {
            tenant: tenant.into(),
            rules,
            alerts_topic: "deskwarden.alerts.v1".to_owned(),
            page: None,
            max_wait_ms: MAX_WAIT_MS,
            entities_max: ENTITIES_MAX,
        }
    }
}

/// The partition as it stood when the cycle began.
#[derive(Debug)]
struct Before {
    partition: PartitionState,
    controls: Arc<Controls>,
}

/// What a cycle made of an entity.
#[derive(Debug)]
enum Touched {
    /// Decoded, to be changed.
    State(Box<EntityState>),
    /// Its record: somebody idle was seen again with what is usual.
    Record(Vec<u8>),
    /// It was forgotten.
    Nothing,
}

/// The engine of one partition.
#[derive(Debug)]
pub struct Engine {
    setup: Arc<Setup>,
    /// As the changelog has it.
    store: Store,
    /// What this cycle touched.
    cycle: ByKey<Touched>,
    /// Decoded states of busy entities, equal to their records in the store.
    warm: warm::Warm,
    before: Option<Box<Before>>,
    partition: PartitionState,
    controls: Arc<Controls>,
    timers: Timers,
    /// Expired entities that are still held, and the UTC day they were looked for.
    sweep: room::Sweep,
    key: Key,
    counts: Counts,
}

impl Engine {
    /// An engine without state.
    #[must_use]
    pub fn new(setup: Arc<Setup>) -> Self {
        Self {
            setup,
            store: Store::default(),
            cycle: ByKey::default(),
            warm: warm::Warm::default(),
            before: None,
            partition: PartitionState::default(),
            controls: Arc::default(),
            timers: Timers::default(),
            sweep: room::Sweep::default(),
            key: Key::default(),
            counts: Counts::default(),
        }
    }

    /// The partition.
    #[must_use]
    pub const fn partition(&self) -> &PartitionState {
        &self.partition
    }

    /// Declared sources, exemptions and silences.
    #[must_use]
    pub fn controls(&self) -> &Controls {
        &self.controls
    }

    /// What happened since this was asked last.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// Entities remembered, and the bytes of their keys and records.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let kinds = EntityKind::ALL.into_iter();
        let entities = kinds.map(|kind| self.store.count(kind)).sum();
        (entities, self.store.len_bytes())
    }

    /// What is remembered of an entity.
    ///
    /// # Errors
    /// A damaged record.
    pub fn state(&self, entity: &Entity) -> Result<Option<EntityState>, StateError> {
        let key = Key::of(entity);
        match self.cycle.get(&key) {
            Some(Touched::State(state)) => Ok(Some(EntityState::clone(state))),
            Some(Touched::Record(record)) => state_codec::decode(record).map(Some),
            Some(Touched::Nothing) => Ok(None),
            None => self.store.get(&key).map(state_codec::decode).transpose(),
        }
    }

    /// Entities with state, in order.
    #[must_use]
    pub fn entities(&self) -> Vec<Entity> {
        let mut keys = self.store.select(|_| true);
        keys.retain(|key| !matches!(self.cycle.get(key), Some(Touched::Nothing)));
        let held = |(_, held): &(_, &Touched)| !matches!(held, Touched::Nothing);
        keys.extend(self.cycle.iter().filter(held).map(|(key, _)| key.clone()));
        keys.sort_unstable();
        keys.dedup();
        keys.iter().filter_map(Key::entity).collect()
    }

    /// Remembers the partition as it is, so that the cycle can be undone.
    fn touch_partition(&mut self) {
        if self.before.is_none() {
            self.before = Some(Box::new(Before {
                partition: self.partition.clone(),
                controls: Arc::clone(&self.controls),
            }));
        }
    }

    /// Lets log time pass and looks at what has become due, before the block that carries `log_ts` is
    /// applied.
    pub fn advance(&mut self, log_ts: Timestamp, effects: &mut Effects) {
        self.touch_partition();
        self.partition.advance(log_ts);
        let due = self.timers.ring(
            self.partition.log_ts,
            self.partition.settled(),
            self.partition.watermark(),
        );
        for key in due {
            if let Some(entity) = key.entity() {
                self.decide(&entity, effects);
            }
        }
        self.seal(effects);
        self.sweep();
    }

    /// Chains the audit records of an entry.
    fn seal(&mut self, effects: &mut Effects) {
        if effects.audits.is_empty() {
            return;
        }
        self.touch_partition();
        for entry in std::mem::take(&mut effects.audits) {
            effects.sealed.push(self.partition.audit.seal(&entry));
        }
    }

    /// Where the input of a partition without state begins.
    pub const fn begin_at(&mut self, offset: i64) {
        self.partition.next_offset = offset;
    }

    /// Where the input goes on, behind a block that was applied whole.
    pub fn read_to(&mut self, next_offset: i64) {
        self.touch_partition();
        self.partition.next_offset = next_offset;
    }

    /// Prepares for the entries to come, of which the first [`AHEAD_MAX`] count. Changes nothing but
    /// how fast they are applied.
    pub fn look_ahead(&self, entries: &[Entry<'_>]) {
        self.store
            .look_ahead(entries.iter().filter_map(|entry| entry.entity));
    }

    /// Applies one entry. Revisions that it causes carry its trace.
    ///
    /// # Errors
    /// A damaged event: its partition is refused.
    pub fn handle(&mut self, entry: &Entry<'_>, effects: &mut Effects) -> Result<(), BlockError> {
        let published = effects.alerts.len();
        self.apply(entry, effects)?;
        effects.trace(published, entry.traceparent);
        Ok(())
    }

    fn apply(&mut self, entry: &Entry<'_>, effects: &mut Effects) -> Result<(), BlockError> {
        match (&entry.body, entry.entity) {
            (Body::Event { glance, event }, Some((kind, id))) => {
                self.counts.events += 1;
                if self.is_everyday(kind, id, glance) {
                    self.counts.everyday += 1;
                    return Ok(());
                }
                if self.note_usual(kind, id, glance) {
                    return Ok(());
                }
                let entity = Entity::new(kind, id);
                if self.is_unread(kind, glance) {
                    self.update(&entity, effects, |state, _, _| state.see(glance.time));
                } else {
                    self.handle_event(&entity, &block::event(event)?, effects);
                }
            }
            (Body::Relay(bytes), Some((kind, id))) => {
                let relay = Relay::decode(bytes).ok_or(BlockError::Damaged)?;
                self.handle_relay(&Entity::new(kind, id), relay, effects);
            }
            (Body::Watermarks(told), _) => self.handle_watermarks(told),
            (Body::Control { id, json, place }, _) => {
                self.handle_control(id, *json, place.as_ref(), effects);
            }
            (Body::Event { .. } | Body::Relay(_), None) => return Err(BlockError::Damaged),
        }
        Ok(())
    }

    /// A copy of an event for one entity.
    pub fn handle_event(&mut self, entity: &Entity, event: &Event, effects: &mut Effects) {
        if concerns_nobody(event.action) {
            return;
        }
        self.update(entity, effects, |state, setting, effects| {
            take(state, entity, event, setting, effects);
        });
        self.seal(effects);
    }

    /// What another entity tells this one.
    pub fn handle_relay(&mut self, entity: &Entity, relay: Relay, effects: &mut Effects) {
        self.update(entity, effects, |state, setting, effects| {
            state.last_day = state.last_day.max(setting.log_ts.utc_day());
            let rules = &setting.setup.rules;
            let patterns = match &relay {
                Relay::Contact { .. } => rules.touched_by(entity.kind, Told::Contact),
                Relay::Ticket { .. } => rules.touched_by(entity.kind, Told::Ticket),
                Relay::Finding { .. } => PatternMask::NONE,
            };
            let cause = case::news(state, &relay);
            if state.hear(relay) {
                let look = Look { patterns, cause };
                judge::judge(state, entity, setting, look, effects);
            }
        });
        self.seal(effects);
    }

    /// How far collectors are.
    pub fn handle_watermarks(&mut self, told: &[SourceWatermark]) {
        self.touch_partition();
        self.partition.hear(told, self.controls.sources());
    }

    /// Looks at an entity whose alarm rang.
    fn decide(&mut self, entity: &Entity, effects: &mut Effects) {
        self.update(entity, effects, |state, setting, effects| {
            let (decided, forced) = judge::decide(state, setting);
            if decided > 0 {
                effects.counts.forced += forced;
                let patterns = setting.setup.rules.all(entity.kind);
                let look = Look {
                    patterns,
                    cause: None,
                };
                judge::judge(state, entity, setting, look, effects);
            }
            judge::close(state, entity, setting, effects);
        });
    }

    /// Brings the state of an entity up to the present watermark, changes it, and sets its alarms.
    fn update(
        &mut self,
        entity: &Entity,
        effects: &mut Effects,
        change: impl FnOnce(&mut EntityState, &Setting<'_>, &mut Effects),
    ) {
        let key = Key::of(entity);
        self.load(&key, entity.kind);
        let Some(Touched::State(state)) = self.cycle.get_mut(&key) else {
            return;
        };
        let max_wait_ms = self.setup.max_wait_ms;
        let old = alarms(state, max_wait_ms);
        let setting = Setting {
            setup: &self.setup,
            log_ts: self.partition.log_ts,
            marks: self.partition.now(),
            settled: self.partition.settled(),
            sources: self.controls.sources(),
            in_force: self.controls.in_force(),
        };
        state.prune(setting.marks.all, |fact| {
            setting.setup.rules.keeps(entity.kind, fact).unwrap_or(0)
        });
        change(state, &setting, effects);
        let new = alarms(state, max_wait_ms);
        self.timers.clear(&key, &old);
        self.timers.set(&key, &new);
    }

    /// Takes the state of an entity into the cycle. What has expired is as if it had never been.
    fn load(&mut self, key: &Key, kind: EntityKind) {
        let today = self.partition.watermark().utc_day();
        let held = match self.cycle.get(key) {
            Some(Touched::State(_)) => return,
            Some(Touched::Record(record)) => Some(record.as_slice()),
            Some(Touched::Nothing) => None,
            None => self.store.get(key),
        };
        let warm = self.warm.take(key);
        let is_held = |warm: &EntityState| held.map(state_codec::decode) == Some(Ok(warm.clone()));
        debug_assert!(warm.as_deref().is_none_or(is_held), "equal to its record");
        let alive = held
            .filter(|record| {
                state_codec::glimpse(record).is_some_and(|seen| seen.expires_day >= today)
            })
            // A damaged record was refused at the restore; what is in memory was written by us.
            .and_then(|record| warm.or_else(|| state_codec::decode(record).ok().map(Box::new)));
        let state = alive.unwrap_or_else(|| {
            self.make_room(kind);
            Box::default()
        });
        self.cycle.insert(key.clone(), Touched::State(state));
    }
}

#[cfg(test)]
mod tests;
