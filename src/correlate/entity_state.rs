//! All that is remembered about one entity, in one struct.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::{Action, EventId};
use crate::collect::time::Timestamp;
use crate::correlate::baseline::Baseline;
use crate::correlate::contact::{self, ContactState};
use crate::correlate::fact::Fact;
use crate::correlate::finding::Finding;
use crate::correlate::ticket::{self, TicketState};
use crate::correlate::window::{Inserted, Window};

/// Calls remembered per person; the newest.
pub const CONTACTS_MAX: usize = 32;
/// Tickets remembered per person; the newest.
pub const TICKETS_MAX: usize = 32;

/// A control that must be seen by a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obligation {
    /// Event time by which the control must come.
    pub deadline: Timestamp,
    /// `log_ts` of the entry that opened it.
    pub opened: Timestamp,
    /// `log_ts` at which the watermark was first seen to have passed the deadline.
    pub ripe: Option<Timestamp>,
    /// Decided: from now on the control is missing, or, seen late, is not.
    pub decided: bool,
    /// Decided at its longest wait, without the watermark.
    pub forced: bool,
}

/// All that is remembered about one entity.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EntityState {
    /// Kept facts.
    pub window: Window,
    /// What is usual.
    pub baseline: Baseline,
    /// Calls that named it, by contact id.
    pub contacts: BTreeMap<String, ContactState>,
    /// Tickets that named it, by ticket id.
    pub tickets: BTreeMap<String, TicketState>,
    /// Obligations by rule id and anchor.
    pub obligations: BTreeMap<(String, EventId), Obligation>,
    /// Active findings.
    pub findings: Vec<Finding>,
    /// Whom a call or ticket told, and what.
    pub told: Vec<Entity>,
}

/// What one entity tells another. An upsert: the receiver replaces what it holds under the sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relay {
    /// What is known of a call.
    Contact {
        /// Contact id.
        from: String,
        /// The present content; `None` = withdrawn.
        state: Option<Box<ContactState>>,
    },
    /// What is known of a ticket.
    Ticket {
        /// Ticket id.
        from: String,
        /// The present content; `None` = withdrawn.
        state: Option<Box<TicketState>>,
    },
}

impl EntityState {
    /// Takes a fact in. True if anything changed: a duplicate changes nothing.
    pub fn note(&mut self, entity: &Entity, fact: &Fact) -> bool {
        let inserted = self.window.insert(fact.clone());
        if inserted == Inserted::Duplicate {
            // A control value seen again by a later poll stands at its earliest sighting.
            return entity.kind == EntityKind::Ticket && self.window.take_earlier(fact);
        }
        // Of a person's own events only: what a requester asked for shows nothing of their devices.
        let own = fact
            .target
            .as_ref()
            .is_some_and(|target| target.identity == entity.id);
        if entity.kind == EntityKind::Identity && own && shows_what_is_usual(fact.action) {
            self.baseline.note(fact);
        }
        true
    }

    /// Takes a relay in. True if anything changed: an equal value is no news.
    pub fn hear(&mut self, relay: Relay) -> bool {
        match relay {
            Relay::Contact { from, state } => {
                put(&mut self.contacts, from, state, CONTACTS_MAX, |c| {
                    c.item.time
                })
            }
            Relay::Ticket { from, state } => {
                put(&mut self.tickets, from, state, TICKETS_MAX, |t| t.item.time)
            }
        }
    }

    /// What a call or ticket has to tell now, and to whom.
    #[must_use]
    pub fn tell(&self, entity: &Entity) -> Vec<(Entity, Relay)> {
        let person = |id: &str| Entity::new(EntityKind::Identity, id);
        match entity.kind {
            EntityKind::Contact => {
                contact::fold(self.window.facts()).map_or_else(Vec::new, |state| {
                    let target = state.target().map(|target| person(&target.identity));
                    let caller = state
                        .item
                        .caller
                        .as_ref()
                        .map(|id| Entity::new(EntityKind::Caller, id));
                    let from = entity.id.clone();
                    let relay = Relay::Contact {
                        from,
                        state: Some(Box::new(state)),
                    };
                    target
                        .into_iter()
                        .chain(caller)
                        .map(|to| (to, relay.clone()))
                        .collect()
                })
            }
            EntityKind::Ticket => {
                ticket::fold(self.window.facts()).map_or_else(Vec::new, |state| {
                    let mut people: Vec<Entity> =
                        state.people().map(|who| person(&who.identity)).collect();
                    people.sort_unstable();
                    people.dedup();
                    let from = entity.id.clone();
                    let relay = Relay::Ticket {
                        from,
                        state: Some(Box::new(state)),
                    };
                    people.into_iter().map(|to| (to, relay.clone())).collect()
                })
            }
            EntityKind::Identity
            | EntityKind::Agent
            | EntityKind::Caller
            | EntityKind::Device
            | EntityKind::Address => Vec::new(),
        }
    }
}

/// Sign-ins and enrolments show which devices and networks are usual.
const fn shows_what_is_usual(action: Action) -> bool {
    matches!(
        action,
        Action::AuthLogin
            | Action::AuthAppAccess
            | Action::AuthMfaVerify
            | Action::MfaEnrolled
            | Action::DeviceRegistered
    )
}

fn put<T: PartialEq>(
    map: &mut BTreeMap<String, T>,
    key: String,
    state: Option<Box<T>>,
    most: usize,
    age: impl Fn(&T) -> Timestamp,
) -> bool {
    let Some(state) = state else {
        return map.remove(&key).is_some();
    };
    if map.get(&key) == Some(&*state) {
        return false;
    }
    map.insert(key, *state);
    if map.len() > most {
        let oldest = map
            .iter()
            .min_by_key(|(key, state)| (age(state), (*key).clone()));
        if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
            map.remove(&oldest);
        }
    }
    true
}
