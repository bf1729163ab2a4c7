//! The entities of a story with what each sees, without an engine: the folds and the rules alone.

use std::collections::BTreeMap;

use super::Expected;
use crate::collect::entity::{Entity, EntityKind, copies};
use crate::collect::event::Event;
use crate::collect::glance::{shows_what_is_usual, sightings};
use crate::correlate::baseline::Baseline;
use crate::correlate::contact::{self, ContactState};
use crate::correlate::fact::Fact;
use crate::correlate::rules::Rule;
use crate::correlate::ticket::{self, TicketState};
use crate::correlate::view::View;

/// What one entity sees.
#[derive(Debug, Default)]
struct Sight {
    facts: Vec<Fact>,
    contacts: Vec<ContactState>,
    tickets: Vec<TicketState>,
    baseline: Baseline,
}

/// All entities of a story.
#[derive(Debug, Default)]
pub(super) struct World(BTreeMap<Entity, Sight>);

impl World {
    /// The world after these events, in their order of arrival.
    pub(super) fn of(events: &[Event]) -> Self {
        let mut world = Self::default();
        for event in events {
            let fact = Fact::of(event);
            for entity in copies(event) {
                world.note(entity, event, &fact);
            }
        }
        world.tell();
        world
    }

    /// In order, each id once: the first one stands.
    fn note(&mut self, entity: Entity, event: &Event, fact: &Fact) {
        let own = fact.target.as_ref();
        let own = own.is_some_and(|target| target.identity == entity.id);
        let person = entity.kind == EntityKind::Identity;
        let sight = self.0.entry(entity).or_default();
        if sight.facts.iter().any(|kept| kept.id == fact.id) {
            return;
        }
        let at = sight.facts.partition_point(|f| f.order() < fact.order());
        sight.facts.insert(at, fact.clone());
        if person && own && shows_what_is_usual(fact.action) {
            sight.baseline.note(sightings(event), fact.time);
        }
    }

    /// Calls tell their target and caller, tickets whom they name; a ticket also sees itself.
    fn tell(&mut self) {
        let mut contacts: Vec<(Entity, ContactState)> = Vec::new();
        let mut tickets: Vec<(Entity, TicketState)> = Vec::new();
        for (entity, sight) in &mut self.0 {
            let person = |id: &str| Entity::new(EntityKind::Identity, id);
            if entity.kind == EntityKind::Contact
                && let Some(state) = contact::fold(&sight.facts)
            {
                let target = state.target().map(|target| person(&target.identity));
                let caller = state.item.caller.as_ref();
                let caller = caller.map(|id| Entity::new(EntityKind::Caller, id.as_str()));
                let told = target.into_iter().chain(caller);
                contacts.extend(told.map(|to| (to, state.clone())));
            }
            if entity.kind == EntityKind::Ticket
                && let Some(state) = ticket::fold(&sight.facts)
            {
                let mut told: Vec<Entity> = state.people().map(|p| person(&p.identity)).collect();
                told.push(entity.clone());
                told.sort_unstable();
                told.dedup();
                tickets.extend(told.into_iter().map(|to| (to, state.clone())));
                sight.facts.clear();
            }
        }
        for (to, state) in contacts {
            self.0.entry(to).or_default().contacts.push(state);
        }
        for (to, state) in tickets {
            self.0.entry(to).or_default().tickets.push(state);
        }
    }

    /// What a rule finds, in order.
    pub(super) fn findings(&self, rule: &Rule) -> Vec<Expected> {
        let mut found: Vec<Expected> = Vec::new();
        for (entity, sight) in self.0.iter().filter(|(entity, _)| rule.is_on(entity.kind)) {
            let view = View::new(
                entity,
                &sight.facts,
                &sight.contacts,
                &sight.tickets,
                &sight.baseline,
            );
            found.extend(rule.matches(&view).into_iter().map(|found| Expected {
                entity: entity.clone(),
                anchor: found.anchor_time,
                points: found.points,
            }));
        }
        found.sort();
        found
    }
}
