//! What a rule sees of one entity: its kept facts, the calls and tickets that named it, and the
//! evidence those brought along, in one order of event time.

mod controls;
mod seen;

use std::collections::BTreeSet;

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::{Channel, Direction, EventId};
use crate::collect::time::{MINUTE_MS, Timestamp};
use crate::correlate::baseline::Baseline;
use crate::correlate::contact::ContactState;
use crate::correlate::fact::Fact;
use crate::correlate::rules::masks::Actions;
use crate::correlate::rules::signal::Signal;
use crate::correlate::ticket::TicketState;
pub use controls::{CALLBACK_CONNECTED_S, OF_RECORD_DAYS, is_callback, of_record};
pub use seen::{Edge, RequestKey, Seen, Stands, latest};

/// The coarsest clock: by so much the edge of a window may be off.
const UNIT_MS_MAX: i64 = MINUTE_MS;

/// Everything a rule may look at, for one entity.
#[derive(Debug)]
pub struct View<'a> {
    /// The entity.
    pub entity: &'a Entity,
    /// The entity is a person: only what is about that person counts.
    pub person: bool,
    /// Seen facts, ordered by (time, id).
    pub seen: Vec<Seen<'a>>,
    /// Calls that named the entity.
    pub contacts: Vec<&'a ContactState>,
    /// Tickets that named the entity.
    pub tickets: Vec<&'a TicketState>,
    /// What is usual for it.
    pub baseline: &'a Baseline,
    /// Actions of the events that came by themselves.
    alone: Actions,
    /// Actions of the events that came with a call or ticket.
    with_others: Actions,
}

impl<'a> View<'a> {
    /// Merges kept facts, calls and tickets into one order. A fact that came by several ways is seen
    /// once, with all that it came with.
    #[must_use]
    pub fn new(
        entity: &'a Entity,
        facts: &'a [Fact],
        contacts: impl IntoIterator<Item = &'a ContactState>,
        tickets: impl IntoIterator<Item = &'a TicketState>,
        baseline: &'a Baseline,
    ) -> Self {
        let contacts: Vec<&ContactState> = contacts.into_iter().collect();
        let tickets: Vec<&TicketState> = tickets.into_iter().collect();
        let evidence = |told: usize, each: usize| told.saturating_mul(each);
        let room = facts.len() + evidence(contacts.len(), 4) + evidence(tickets.len(), 4);
        let mut seen: Vec<Seen<'a>> = Vec::with_capacity(room);
        seen.extend(facts.iter().map(Seen::alone));
        for contact in &contacts {
            let from = |fact, stands| Seen {
                stands,
                contact: Some(*contact),
                ..Seen::alone(fact)
            };
            seen.push(from(&contact.item, Stands::Contact));
            let evidence = contact.evidence.iter();
            seen.extend(evidence.map(|fact| from(fact, Stands::Event)));
        }
        for ticket in &tickets {
            let from = |fact, stands| Seen {
                stands,
                ticket: Some(*ticket),
                ..Seen::alone(fact)
            };
            seen.push(from(&ticket.item, Stands::Ticket));
            let evidence = ticket.evidence.iter();
            seen.extend(evidence.map(|fact| from(fact, Stands::Event)));
        }
        if !contacts.is_empty() || !tickets.is_empty() {
            // Stable: of two ways to one fact the first pushed stays, and learns of the other.
            seen.sort_by_key(Seen::order);
            seen.dedup_by(|later, first| {
                let same = later.order() == first.order();
                if same {
                    first.contact = first.contact.or(later.contact);
                    first.ticket = first.ticket.or(later.ticket);
                }
                same
            });
        }
        let (alone, with_others) = actions_of(&seen);
        Self {
            entity,
            person: entity.kind == EntityKind::Identity,
            seen,
            contacts,
            tickets,
            baseline,
            alone,
            with_others,
        }
    }

    /// The same with facts that others brought.
    #[must_use]
    pub fn with_facts(&self, facts: impl Iterator<Item = &'a Fact>) -> Self {
        let mut seen = self.seen.clone();
        seen.extend(facts.map(Seen::alone));
        seen.sort_by_key(Seen::order);
        seen.dedup_by_key(|seen| (seen.fact.id, seen.stands));
        self.of_seen(seen, self.baseline)
    }

    /// The same without some events.
    #[must_use]
    pub fn without(&self, out: &BTreeSet<EventId>) -> Self {
        let left = self.seen.iter().filter(|seen| !out.contains(&seen.fact.id));
        self.of_seen(left.copied().collect(), self.baseline)
    }

    /// The same where something else is usual.
    #[must_use]
    pub fn with_baseline<'b>(&self, baseline: &'b Baseline) -> View<'b>
    where
        'a: 'b,
    {
        self.of_seen(self.seen.clone(), baseline)
    }

    fn of_seen<'b>(&self, seen: Vec<Seen<'b>>, baseline: &'b Baseline) -> View<'b>
    where
        'a: 'b,
    {
        let (alone, with_others) = actions_of(&seen);
        View {
            entity: self.entity,
            person: self.person,
            seen,
            contacts: self.contacts.clone(),
            tickets: self.tickets.clone(),
            baseline,
            alone,
            with_others,
        }
    }

    /// Whether anything seen may be this signal: a look at two sets of bits.
    #[must_use]
    pub const fn may_hold(&self, signal: &Signal) -> bool {
        let domain = signal.domain();
        domain.alone().meets(self.alone)
            || domain.with_others().meets(self.with_others)
            || (domain.contact && !self.contacts.is_empty())
            || (domain.ticket && !self.tickets.is_empty())
    }

    /// Actions of the seen events.
    const fn actions(&self) -> Actions {
        self.alone.or(self.with_others)
    }

    /// What is seen in `(after, until]`, found by halving.
    #[must_use]
    pub fn between(&self, after: Timestamp, until: Timestamp) -> &[Seen<'a>] {
        let first = self.seen.partition_point(|seen| seen.fact.time <= after);
        let last = self.seen.partition_point(|seen| seen.fact.time <= until);
        self.seen.get(first..last).unwrap_or_default()
    }

    /// What may lie in `(from, to]` around a fact, for one whose edges [`Seen::inside`] then decides.
    #[must_use]
    pub fn around(&self, fact: &Fact, from: i64, to: i64) -> &[Seen<'a>] {
        let after = fact.time.plus(from).minus(UNIT_MS_MAX);
        self.between(after, latest(fact).plus(to))
    }

    /// Whether a fact is about this entity: names it as the one it is about.
    #[must_use]
    pub fn about(&self, seen: &Seen<'_>) -> bool {
        let is = |person: &crate::correlate::fact::Person| person.identity == self.entity.id;
        if let Some(target) = &seen.fact.target
            && seen.stands == Stands::Event
        {
            return is(target);
        }
        // What names nobody itself is about whom its call or ticket names.
        let mut told = seen.told_targets().peekable();
        if told.peek().is_some() {
            return told.any(is);
        }
        seen.target().is_some_and(is)
    }

    /// Whether some ticket, at some moment of `(from, to]` around a fact, is open and names this
    /// entity.
    #[must_use]
    pub fn live_ticket(
        &self,
        fact: &Fact,
        from: i64,
        to: i64,
        edge: Edge,
    ) -> Option<&'a TicketState> {
        let mut tickets = self.tickets.iter().copied();
        tickets.find(|ticket| self.live(ticket, fact, (from, to), edge))
    }

    /// Whether one ticket is.
    #[must_use]
    pub fn live(&self, ticket: &TicketState, fact: &Fact, span: (i64, i64), edge: Edge) -> bool {
        let (first, last) = (fact.time.plus(span.0), fact.time.plus(span.1));
        let ticket_unit = latest(&ticket.item).since(ticket.item.time);
        let unit = latest(fact).since(fact.time);
        match edge {
            Edge::Possibly => {
                ticket.live_for(&self.entity.id, first.minus(ticket_unit), last.plus(unit))
            }
            Edge::Surely => {
                ticket.live_for(&self.entity.id, first.plus(unit), last.minus(ticket_unit))
            }
        }
    }

    /// A live ticket opened through a channel.
    #[must_use]
    pub fn ticket_by(
        &self,
        channel: Channel,
        fact: &Fact,
        span: (i64, i64),
        edge: Edge,
    ) -> Option<&'a TicketState> {
        self.tickets.iter().copied().find(|ticket| {
            ticket.item.channel == Some(channel) && self.live(ticket, fact, span, edge)
        })
    }

    /// A contact to the desk about this person, through a channel, that started in `(from, to]`
    /// around a fact.
    #[must_use]
    pub fn contact_by(
        &self,
        channel: Channel,
        fact: &Fact,
        span: (i64, i64),
        edge: Edge,
    ) -> Option<&'a ContactState> {
        self.contacts.iter().copied().find(|contact| {
            let names = contact
                .target()
                .is_some_and(|t| t.identity == self.entity.id);
            contact.item.channel == Some(channel)
                && is_to_desk(&contact.item)
                && (names || !self.person)
                && Seen::alone(&contact.item).inside(fact, span, edge)
        })
    }
}

/// A contact to the desk. A source that names no direction delivers such contacts.
#[must_use]
pub fn is_to_desk(contact: &Fact) -> bool {
    contact
        .direction
        .is_none_or(|direction| direction == Direction::ToDesk)
}

/// Actions of the events that came by themselves, and of those that came with a call or ticket.
fn actions_of(seen: &[Seen<'_>]) -> (Actions, Actions) {
    let (mut alone, mut with_others) = (Actions::NONE, Actions::NONE);
    for one in seen.iter().filter(|seen| seen.stands == Stands::Event) {
        let actions = if one.is_alone() {
            &mut alone
        } else {
            &mut with_others
        };
        *actions = actions.or(Actions::of(one.fact.action));
    }
    (alone, with_others)
}
