//! All that is remembered about one entity, in one struct.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::EventId;
use crate::collect::time::{DAY_MS, HOUR_MS, Timestamp};
use crate::correlate::audit::Settled;
use crate::correlate::baseline::Baseline;
use crate::correlate::case::Cases;
use crate::correlate::contact::{self, ContactState};
use crate::correlate::finding::Finding;
use crate::correlate::relay::{PivotFinding, Relay, RelayKey};
use crate::correlate::rules::rule::Evidence;
use crate::correlate::ticket::{self, TicketState};
use crate::correlate::window::Window;

/// Calls remembered per person; the newest.
pub const CONTACTS_MAX: usize = 32;
/// Tickets remembered per person; the newest.
pub const TICKETS_MAX: usize = 32;
/// Findings of pivots and tickets remembered per person; the newest.
pub const PIVOT_FINDINGS_MAX: usize = 64;

/// The longest lateness of a feed.
pub const LATENESS_MS: i64 = 4 * HOUR_MS;
/// How long a call or ticket that is over is remembered by those it named: the longest window, the day
/// before a recovery in which it counts, the lateness of its feed, and some margin.
pub const RELAYED_MS: i64 = 7 * DAY_MS + DAY_MS + 2 * HOUR_MS + LATENESS_MS;
/// How long an open ticket of which nothing is heard is remembered.
pub const OPEN_TICKET_MS: i64 = 90 * DAY_MS;

/// Days after its last event in which an entity is remembered. One more than the longest use, since a
/// record says only the day.
const IDENTITY_DAYS: i64 = 91;
const FOLDED_DAYS: i64 = 3;
const PIVOT_DAYS: i64 = 9;
/// An entity with an open case or obligation is not forgotten.
pub const NEVER_DAY: i64 = u16::MAX as i64;

/// The last UTC day on which somebody is remembered of whom only what is usual is known.
#[must_use]
pub fn idle_expires_day(last_day: i64) -> i64 {
    expires_after(last_day, IDENTITY_DAYS)
}

fn expires_after(last_day: i64, days: i64) -> i64 {
    (last_day + days).clamp(0, NEVER_DAY - 1)
}

/// A control that must be seen by a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obligation {
    /// The evidence whose sources it waits for.
    pub evidence: Evidence,
    /// Event time by which the control must come.
    pub deadline: Timestamp,
    /// `log_ts` of the entry that opened it.
    pub opened: Timestamp,
    /// Decided: from now on the control is missing, or, seen late, is not.
    pub decided: bool,
    /// Decided at its longest wait, without the watermark.
    pub forced: bool,
}

impl Obligation {
    /// `log_ts` from which on it is decided whatever the sources say.
    #[must_use]
    pub fn forced_at(&self, max_wait_ms: i64) -> Timestamp {
        self.deadline.max(self.opened).plus(max_wait_ms)
    }
}

/// All that is remembered about one entity.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EntityState {
    /// UTC day of its newest event.
    #[serde(skip)]
    pub last_day: i64,
    /// What is usual.
    #[serde(skip)]
    pub baseline: Baseline,
    /// Kept facts.
    pub window: Window,
    /// Calls that named it, by contact id.
    pub contacts: BTreeMap<String, ContactState>,
    /// Tickets that named it, by ticket id.
    pub tickets: BTreeMap<String, TicketState>,
    /// Findings of pivots and tickets that concern it.
    pub pivot_findings: BTreeMap<RelayKey, PivotFinding>,
    /// Obligations by rule id and anchor.
    pub obligations: BTreeMap<(String, EventId), Obligation>,
    /// Active findings.
    pub findings: Vec<Finding>,
    /// The open case, and what is remembered of earlier ones.
    pub cases: Cases,
    /// What the last settled audit record of each recovery said.
    pub audited: BTreeMap<EventId, Settled>,
    /// Whom it told what: receiver and subject, and what stands for the content.
    pub told: BTreeMap<(Entity, EventId), [u8; 16]>,
}

impl EntityState {
    /// Takes a relay in. True if anything changed: an equal value is no news.
    pub fn hear(&mut self, relay: Relay) -> bool {
        let key = relay.key();
        match relay {
            Relay::Contact { from, state } => {
                put(&mut self.contacts, from, state, CONTACTS_MAX, |c| {
                    c.item.time
                })
            }
            Relay::Ticket { from, state } => {
                put(&mut self.tickets, from, state, TICKETS_MAX, |t| t.item.time)
            }
            Relay::Finding { state, .. } => put(
                &mut self.pivot_findings,
                key,
                state,
                PIVOT_FINDINGS_MAX,
                |f| f.finding.time,
            ),
        }
    }

    /// What a call or ticket has to tell now of itself, and to whom.
    #[must_use]
    pub fn tell(&self, entity: &Entity) -> Option<(Vec<Entity>, Relay)> {
        let person = |id: &str| Entity::new(EntityKind::Identity, id);
        let from = entity.id.clone();
        match entity.kind {
            EntityKind::Contact => contact::fold(self.window.facts()).map(|state| {
                let target = state.target().map(|target| person(&target.identity));
                let caller = state.item.caller.as_ref();
                let caller = caller.map(|id| Entity::new(EntityKind::Caller, id.as_str()));
                let state = Some(Box::new(state));
                let relay = Relay::Contact { from, state };
                (target.into_iter().chain(caller).collect(), relay)
            }),
            EntityKind::Ticket => ticket::fold(self.window.facts()).map(|state| {
                let mut people: Vec<Entity> =
                    state.people().map(|who| person(&who.identity)).collect();
                people.sort_unstable();
                people.dedup();
                let state = Some(Box::new(state));
                (people, Relay::Ticket { from, state })
            }),
            EntityKind::Identity
            | EntityKind::Agent
            | EntityKind::Caller
            | EntityKind::Device
            | EntityKind::Address => None,
        }
    }

    /// An event of this moment concerns it.
    pub fn see(&mut self, time: Timestamp) {
        self.last_day = self.last_day.max(time.utc_day());
    }

    /// Nothing but what is usual is remembered.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.window == Window::default()
            && self.contacts.is_empty()
            && self.tickets.is_empty()
            && self.pivot_findings.is_empty()
            && self.obligations.is_empty()
            && self.findings.is_empty()
            && self.cases.is_empty()
            && self.audited.is_empty()
            && self.told.is_empty()
    }

    /// Whether an open case or obligation keeps it from being forgotten.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.cases.open.is_some() || self.obligations.values().any(|o| !o.decided)
    }

    /// The last UTC day on which it is remembered.
    #[must_use]
    pub fn expires_day(&self, kind: EntityKind) -> i64 {
        if self.is_open() {
            return NEVER_DAY;
        }
        let days = match kind {
            EntityKind::Identity => IDENTITY_DAYS,
            EntityKind::Contact => FOLDED_DAYS,
            EntityKind::Ticket => {
                if ticket::is_open(self.window.facts()) {
                    IDENTITY_DAYS
                } else {
                    FOLDED_DAYS
                }
            }
            EntityKind::Agent | EntityKind::Caller | EntityKind::Device | EntityKind::Address => {
                PIVOT_DAYS
            }
        };
        expires_after(self.last_day, days)
    }

    /// Forgets what the watermark has left behind, before anything is evaluated. `keeps_ms` says how
    /// long a fact may still be read; what an active finding, an open obligation or a decided one
    /// rests on stays.
    pub fn prune(
        &mut self,
        watermark: Timestamp,
        keeps_ms: impl Fn(&crate::correlate::fact::Fact) -> i64,
    ) {
        self.baseline.expire(watermark);
        let young = watermark.minus(RELAYED_MS);
        self.contacts
            .retain(|_, contact| contact.end() > young || self.cases.cites(contact.item.id));
        self.tickets.retain(|_, ticket| match ticket.closed() {
            Some(closed) => closed > young || self.cases.cites(ticket.item.id),
            None => ticket.last_time() > watermark.minus(OPEN_TICKET_MS),
        });
        let cases = &self.cases;
        let recent = watermark.minus(LATENESS_MS);
        self.window.expire(|fact| {
            fact.time > recent
                || fact.time > watermark.minus(keeps_ms(fact).saturating_add(LATENESS_MS))
                || cases.cites(fact.id)
        });
        let window = &self.window;
        self.obligations
            .retain(|(_, anchor), o| !o.decided || window.get(*anchor).is_some());
        self.audited
            .retain(|recovery, _| window.get(*recovery).is_some());
        self.pivot_findings.retain(|_, f| f.finding.time > young);
        self.cases.forget(young);
    }
}

fn put<K: Ord + Clone, T: PartialEq>(
    map: &mut BTreeMap<K, T>,
    key: K,
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
