//! What a rule sees of one entity: its kept facts, the calls and tickets that named it, and the
//! evidence those brought along, in one order of event time.

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::{Action, EventId, Tier};
use crate::collect::time::{TimeQuality, Timestamp};
use crate::correlate::baseline::Baseline;
use crate::correlate::contact::ContactState;
use crate::correlate::fact::{Fact, Person};
use crate::correlate::ticket::TicketState;

/// What a seen fact stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stands {
    /// The event itself.
    Event,
    /// A whole call or chat, at its start.
    Contact,
    /// A whole ticket, at its opening.
    Ticket,
}

/// One fact as a rule sees it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The fact.
    pub fact: &'a Fact,
    /// What it stands for.
    pub stands: Stands,
    /// The call it came with.
    pub contact: Option<&'a ContactState>,
    /// The ticket it came with.
    pub ticket: Option<&'a TicketState>,
}

impl Seen<'_> {
    /// The place in the order.
    #[must_use]
    pub fn order(&self) -> (Timestamp, EventId, Stands) {
        (self.fact.time, self.fact.id, self.stands)
    }

    /// Whether this fact surely came before the other. Within the unit of a coarse clock nothing is
    /// sure, and what is not sure is decided in favour of quiet.
    #[must_use]
    pub fn before(&self, other: &Self) -> bool {
        let unit = self.fact.quality.unit_ms();
        if unit == 0 && other.fact.quality.unit_ms() == 0 {
            return self.order() < other.order();
        }
        self.fact.time.plus(unit) <= other.fact.time
    }

    /// What one request is counted by: its call, else its ticket, else the event.
    #[must_use]
    pub fn request_key(&self) -> String {
        let call = self.fact.contact.as_ref().map(|c| c.key.clone());
        let ticket = self.fact.ticket.as_ref().map(|t| t.key.clone());
        call.or(ticket).unwrap_or_else(|| self.fact.id.to_string())
    }
}

/// Everything a rule may look at, for one entity.
#[derive(Debug)]
pub struct View<'a> {
    /// Id of the entity.
    pub id: &'a str,
    /// The entity is a person: only what is about that person counts.
    pub person: bool,
    /// Seen facts, ordered by (time, id).
    pub seen: Vec<Seen<'a>>,
    /// Calls that named the entity.
    pub contacts: &'a [ContactState],
    /// Tickets that named the entity.
    pub tickets: &'a [TicketState],
    /// What is usual for it.
    pub baseline: &'a Baseline,
}

impl<'a> View<'a> {
    /// Merges kept facts, calls and tickets into one order. A fact that came by two ways is seen
    /// once.
    #[must_use]
    pub fn new(
        entity: &'a Entity,
        facts: &'a [Fact],
        contacts: &'a [ContactState],
        tickets: &'a [TicketState],
        baseline: &'a Baseline,
    ) -> Self {
        let event = |fact| Seen {
            fact,
            stands: Stands::Event,
            contact: None,
            ticket: None,
        };
        let mut seen: Vec<Seen<'a>> = facts.iter().map(event).collect();
        for contact in contacts {
            let from = |fact, stands| Seen {
                fact,
                stands,
                contact: Some(contact),
                ticket: None,
            };
            seen.push(from(&contact.item, Stands::Contact));
            seen.extend(
                contact
                    .evidence
                    .iter()
                    .map(|fact| from(fact, Stands::Event)),
            );
        }
        for ticket in tickets {
            let from = |fact, stands| Seen {
                fact,
                stands,
                contact: None,
                ticket: Some(ticket),
            };
            seen.push(from(&ticket.item, Stands::Ticket));
            seen.extend(ticket.evidence.iter().map(|fact| from(fact, Stands::Event)));
        }
        // The sort is stable: of two ways to one fact the first pushed stays.
        seen.sort_by_key(Seen::order);
        seen.dedup_by_key(|seen| (seen.fact.id, seen.stands));
        Self {
            id: &entity.id,
            person: entity.kind == EntityKind::Identity,
            seen,
            contacts,
            tickets,
            baseline,
        }
    }

    /// The person a fact is about, for this entity: its target; on a call, whom it names.
    #[must_use]
    pub fn target<'f>(&self, fact: &'f Fact) -> Option<&'f Person> {
        fact.target.as_ref()
    }

    /// The tier that decides points and windows: that of the anchor's target.
    #[must_use]
    pub fn tier(&self, fact: &Fact) -> Tier {
        fact.target
            .as_ref()
            .map_or(Tier::Standard, |target| target.tier)
    }

    /// Whether some ticket, at some moment of `[first, last]`, is open and names this entity.
    #[must_use]
    pub fn live_ticket(&self, first: Timestamp, last: Timestamp) -> Option<&'a TicketState> {
        self.tickets
            .iter()
            .find(|ticket| ticket.live_for(self.id, first, last))
    }

    /// A verification of the person of at least `strength`, at most `within_ms` before `recovery`.
    ///
    /// Its time is the mapped one, else that of its event. One without a mapped time, recorded up to
    /// two minutes after the recovery by the same agent in the same call or ticket, counts too.
    #[must_use]
    pub fn verified(&self, recovery: &Fact, strength: u8, within_ms: i64) -> Option<&Seen<'a>> {
        self.seen.iter().rev().find(|seen| {
            let Some(proof) = proof_of(seen.fact, recovery.time) else {
                return false;
            };
            let time = proof.1.unwrap_or(seen.fact.time);
            let before = time <= recovery.time && time > recovery.time.minus(within_ms);
            proof.0 >= strength
                && self.about(seen)
                && (before || recorded_late(seen.fact, recovery, proof.1.is_some()))
        })
    }

    /// Whether a fact names this entity as the one it is about.
    #[must_use]
    pub fn about(&self, seen: &Seen<'_>) -> bool {
        let own = seen.fact.target.as_ref().or(seen.fact.requester.as_ref());
        let named = own.is_some_and(|person| person.identity == self.id);
        // Evidence of a call or ticket that names nobody itself is about whom that names.
        let nobody = own.is_none();
        let by_call = seen
            .contact
            .is_some_and(|c| c.target().is_some_and(|person| person.identity == self.id));
        let by_ticket = seen.ticket.is_some_and(|t| {
            t.target_at(seen.fact.time)
                .is_some_and(|person| person.identity == self.id)
        });
        named || (nobody && (by_call || by_ticket))
    }

    /// Review or approval by an eligible second person, within `(from, to]` around `recovery`.
    #[must_use]
    pub fn second_person(&self, recovery: &Fact, from: i64, to: i64) -> Option<&Seen<'a>> {
        use crate::collect::event::Ternary;
        self.seen.iter().rev().find(|seen| {
            let fact = seen.fact;
            let kind = matches!(
                fact.action,
                Action::ReviewCompleted | Action::ApprovalGranted
            );
            let Some(approver) = fact.approver.as_ref().filter(|_| kind) else {
                return false;
            };
            let is = |person: &Option<Person>| {
                person
                    .as_ref()
                    .is_some_and(|p| p.identity == approver.identity)
            };
            let asked = seen.ticket.and_then(|t| t.requester_at(fact.time));
            fact.eligible == Ternary::Yes
                && fact.time > recovery.time.plus(from)
                && fact.time <= recovery.time.plus(to)
                && approver.identity != self.id
                && !is(&recovery.agent)
                && !is(&fact.requester)
                && asked.is_none_or(|person| person.identity != approver.identity)
        })
    }

    /// A call-back to a number of record of the person or their manager, around `recovery`.
    #[must_use]
    pub fn called_back(&self, recovery: &Fact, from: i64, to: i64) -> Option<&Seen<'a>> {
        self.seen.iter().rev().find(|seen| {
            is_callback(seen.fact)
                && self.about(seen)
                && seen.fact.time > recovery.time.plus(from)
                && seen.fact.time <= recovery.time.plus(to)
                && of_record(seen.fact, recovery) == Some(true)
        })
    }
}

/// Days a number must have been of record to prove anything: one recorded for the attack does not.
pub const OF_RECORD_DAYS: i64 = 7;
/// Seconds a call-back must have been connected.
pub const CALLBACK_CONNECTED_S: i64 = 15;

/// A completed call-back that reached somebody, to a number that was looked up.
#[must_use]
pub fn is_callback(fact: &Fact) -> bool {
    fact.action == Action::CallbackCompleted
        && fact.connected_s.is_some_and(|s| s >= CALLBACK_CONNECTED_S)
        && fact.of_record.is_some()
}

/// Whether a call-back went to a number of record of the target or the target's manager.
#[must_use]
pub fn of_record(callback: &Fact, recovery: &Fact) -> Option<bool> {
    let target = recovery.target.as_ref()?;
    let mut owners = vec![target.identity.as_str()];
    owners.extend(target.manager.as_deref());
    callback.of_record_for(&owners, OF_RECORD_DAYS, recovery.time)
}

/// Strength and mapped time of a successful proof.
fn proof_of(fact: &Fact, recovery: Timestamp) -> Option<(u8, Option<Timestamp>)> {
    use crate::collect::event::{Outcome, VerificationMethod};
    let verification = fact.verification.as_ref()?;
    let success = fact.action == Action::VerifyResult && fact.outcome == Outcome::Success;
    success.then_some(())?;
    // A registered number proves something only while it was of record long enough.
    let registered = verification.method == Some(VerificationMethod::CallbackRegistered);
    let too_young = registered
        && fact.of_record.as_ref().is_some_and(|owners| {
            !owners.iter().any(|o| {
                o.since.is_some_and(|since| {
                    recovery.since(since) >= OF_RECORD_DAYS * crate::collect::time::DAY_MS
                })
            })
        });
    let strength = if too_young { 0 } else { verification.strength };
    Some((strength, verification.mapped_time))
}

/// A form saved after the act: by the same agent, in the same call or ticket, at most 2 min later.
fn recorded_late(proof: &Fact, recovery: &Fact, has_mapped_time: bool) -> bool {
    let after = proof.time.since(recovery.time);
    let same_agent = match (&proof.agent, &recovery.agent) {
        (Some(a), Some(b)) => a.identity == b.identity,
        _ => false,
    };
    let key = |fact: &Fact| fact.contact.as_ref().map(|c| c.key.clone());
    let ticket = |fact: &Fact| fact.ticket.as_ref().map(|t| t.key.clone());
    let same_case = match (key(proof), key(recovery)) {
        (Some(a), Some(b)) => a == b,
        _ => ticket(proof).is_none() || ticket(recovery).is_none_or(|t| ticket(proof) == Some(t)),
    };
    !has_mapped_time
        && same_agent
        && same_case
        && (0..=2 * crate::collect::time::MINUTE_MS).contains(&after)
        && proof.quality != TimeQuality::RecordFallback
}
