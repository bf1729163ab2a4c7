//! What others are told of an entity: a call or ticket tells of itself, a pivot or ticket of its
//! findings. Equal content is not sent again; what no longer holds is withdrawn.

use smol_str::SmolStr;
use std::collections::BTreeMap;

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::EventId;
use crate::correlate::engine::Effects;
use crate::correlate::entity_state::EntityState;
use crate::correlate::fact::{Fact, Person};
use crate::correlate::finding::Finding;
use crate::correlate::relay::{PIVOT_FACTS_MAX, PivotFinding, Relay, RelayKey, fingerprint};
use crate::correlate::view::{Seen, View};

/// People in the evidence of a finding that a pivot or ticket tells of it.
const TOLD_PEOPLE_MAX: usize = 64;

/// Sends what a call or ticket knows to those it names, and takes it back from those it no longer
/// does.
pub fn tell(state: &mut EntityState, entity: &Entity, effects: &mut Effects) {
    if matches!(entity.kind, EntityKind::Contact | EntityKind::Ticket) {
        let telling = state.tell(entity).filter(|(to, _)| !to.is_empty());
        send(
            state,
            telling.into_iter().collect(),
            |key| key.subject == EventId::default(),
            entity,
            effects,
        );
    }
}

/// The findings of a pivot or ticket, for the people in their evidence.
pub(super) fn tell_pivots(
    entity: &Entity,
    view: &View<'_>,
    findings: &[Finding],
) -> Vec<(Vec<Entity>, Relay)> {
    let mut telling = Vec::new();
    if entity.kind == EntityKind::Identity {
        return telling;
    }
    for finding in findings {
        let cited = |seen: &&Seen<'_>| finding.evidence.contains(&seen.fact.id);
        let evidence = || view.seen.iter().filter(cited);
        let mut facts: Vec<Fact> = evidence().map(|seen| seen.fact.clone()).collect();
        facts.dedup_by_key(|fact| fact.id);
        let mut people: BTreeMap<SmolStr, Person> = BTreeMap::new();
        let own = view
            .tickets
            .iter()
            .filter_map(|t| t.target_at(finding.time));
        for person in evidence().filter_map(Seen::target).chain(own) {
            people
                .entry(person.identity.clone())
                .or_insert_with(|| person.clone());
        }
        let excess = facts.len().saturating_sub(PIVOT_FACTS_MAX);
        facts.drain(..excess);
        for (identity, person) in people.into_iter().take(TOLD_PEOPLE_MAX) {
            let state = PivotFinding {
                finding: finding.clone(),
                tier: person.tier,
                facts: facts.clone(),
            };
            telling.push((
                vec![Entity::new(EntityKind::Identity, identity)],
                Relay::Finding {
                    from: entity.clone(),
                    subject: finding.id,
                    state: Some(Box::new(state)),
                },
            ));
        }
    }
    telling
}

/// Sends what changed of what is to be told, and withdraws what no longer is. `own` says which of what
/// was told before belongs to this kind of telling.
pub(super) fn send(
    state: &mut EntityState,
    telling: Vec<(Vec<Entity>, Relay)>,
    own: impl Fn(&RelayKey) -> bool,
    entity: &Entity,
    effects: &mut Effects,
) {
    let mut now = BTreeMap::new();
    for (to, relay) in telling {
        let print = fingerprint(&relay.encode());
        let subject = relay.key().subject;
        for to in to {
            let key = (to, subject);
            if state.told.get(&key) != Some(&print) {
                effects.relays.push((key.0.clone(), relay.clone()));
            }
            now.insert(key, print);
        }
    }
    let key = |subject: EventId| RelayKey {
        from: entity.clone(),
        subject,
    };
    let (before, other): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut state.told)
        .into_iter()
        .partition(|((_, subject), _)| own(&key(*subject)));
    for ((to, subject), _) in before
        .into_iter()
        .filter(|(told, _)| !now.contains_key(told))
    {
        effects.relays.push((to, Relay::withdrawn(&key(subject))));
    }
    state.told = other;
    state.told.extend(now);
}
