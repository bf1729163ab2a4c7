//! What an event changes in the state of one of its entities.

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::Event;
use crate::collect::glance;
use crate::correlate::engine::Effects;
use crate::correlate::entity_state::EntityState;
use crate::correlate::fact::Fact;
use crate::correlate::judge::{self, Look, Setting};
use crate::correlate::rules::masks::PatternMask;
use crate::correlate::ticket;
use crate::correlate::window::Inserted;

/// Takes an event into the state of one of its entities.
pub(super) fn take(
    state: &mut EntityState,
    entity: &Entity,
    event: &Event,
    setting: &Setting<'_>,
    effects: &mut Effects,
) {
    state.see(event.time);
    let shows = entity.kind == EntityKind::Identity
        && glance::shows_what_is_usual(event.action)
        && event
            .target
            .as_ref()
            .is_some_and(|t| t.identity.as_deref() == Some(entity.id.as_str()));
    let everyday = shows
        && glance::is_plain(event)
        && glance::sightings(event).next().is_some()
        && state.baseline.has_all(glance::sightings(event), event.time);
    if shows {
        state.baseline.note(glance::sightings(event), event.time);
    }
    let rules = &setting.setup.rules;
    if everyday || !(shows || rules.may_keep(entity.kind, event.action, event.outcome)) {
        return;
    }
    let fact = Fact::of(event);
    let before = (entity.kind == EntityKind::Ticket)
        .then(|| ticket::fold(state.window.facts()))
        .flatten();
    if rules.keeps(entity.kind, &fact).is_some() {
        match state.window.insert(fact.clone()) {
            Inserted::Kept => {}
            // A control value seen again by a later poll stands at its earliest sighting.
            Inserted::Duplicate
                if entity.kind == EntityKind::Ticket && state.window.take_earlier(&fact) => {}
            Inserted::Duplicate => {
                effects.counts.duplicates += 1;
                return;
            }
        }
        judge::record(entity, &fact, before.as_ref(), effects);
        judge::tell(state, entity, effects);
    }
    let patterns = rules.touched(entity.kind, &fact);
    if patterns != PatternMask::NONE || entity.kind == EntityKind::Ticket {
        let look = Look {
            patterns,
            cause: Some(fact.id),
        };
        judge::judge(state, entity, setting, look, effects);
    }
}
