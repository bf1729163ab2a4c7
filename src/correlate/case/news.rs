//! Which event a relay brings: what a revision names as the reason.

use crate::collect::event::EventId;
use crate::correlate::entity_state::EntityState;
use crate::correlate::fact::Fact;
use crate::correlate::relay::Relay;

/// The newest fact of a relay that its receiver did not hold before; where all were known, the call or
/// ticket itself. `None` for what is withdrawn, and for findings of others.
#[must_use]
pub fn news(state: &EntityState, relay: &Relay) -> Option<EventId> {
    match relay {
        Relay::Contact {
            from,
            state: Some(told),
        } => {
            let held = state.contacts.get(from);
            let known: Vec<&Fact> = held
                .iter()
                .flat_map(|held| held.evidence.iter().chain([&held.item]))
                .collect();
            newest(&told.item, &told.evidence, &known)
        }
        Relay::Ticket {
            from,
            state: Some(told),
        } => {
            let held = state.tickets.get(from);
            let known: Vec<&Fact> = held
                .iter()
                .flat_map(|held| held.evidence.iter().chain([&held.item]))
                .collect();
            newest(&told.item, &told.evidence, &known)
        }
        Relay::Contact { state: None, .. }
        | Relay::Ticket { state: None, .. }
        | Relay::Finding { .. } => None,
    }
}

fn newest(item: &Fact, evidence: &[Fact], known: &[&Fact]) -> Option<EventId> {
    let new = |fact: &&Fact| !known.iter().any(|held| held.id == fact.id);
    let fact = evidence.iter().rev().find(new).unwrap_or(item);
    Some(fact.id)
}
