//! The terms of `where`: what a rule may ask beyond one fact, as calls with typed arguments, such as
//! `not in_baseline(enrol.device)` or `live_ticket(reset, -24h, 30m)`.

mod parse;

use crate::collect::event::Channel;
use crate::correlate::baseline::Kind;
use crate::correlate::fact::{Fact, Person};
use crate::correlate::rules::signal::Signal;
use crate::correlate::view::{Seen, View, of_record};
pub use parse::{Names, condition, span};

/// The facts a rule has bound to its signals, by the index of the signal.
#[derive(Debug, Clone, Default)]
pub struct Binding<'v, 'a> {
    steps: Vec<Option<&'v Seen<'a>>>,
}

impl<'v, 'a> Binding<'v, 'a> {
    /// Nothing bound yet.
    #[must_use]
    pub fn new(signals: usize) -> Self {
        Self {
            steps: vec![None; signals],
        }
    }

    /// The same with one more fact bound.
    #[must_use]
    pub fn with(&self, signal: usize, seen: &'v Seen<'a>) -> Self {
        let mut next = self.clone();
        if let Some(place) = next.steps.get_mut(signal) {
            *place = Some(seen);
        }
        next
    }

    /// The fact bound to a signal.
    #[must_use]
    pub fn get(&self, signal: usize) -> Option<&'v Seen<'a>> {
        self.steps.get(signal).copied().flatten()
    }

    /// All bound facts, in order of event time.
    #[must_use]
    pub fn facts(&self) -> Vec<&'v Seen<'a>> {
        let mut facts: Vec<_> = self.steps.iter().flatten().copied().collect();
        facts.sort_by_key(|seen| seen.order());
        facts.dedup_by_key(|seen| seen.order());
        facts
    }
}

/// A person named by a step of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who {
    step: usize,
    role: WhoRole,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WhoRole {
    Target,
    Requester,
    Agent,
    Approver,
    ApproverManager,
    TicketTarget,
    TicketRequester,
    TicketRequesterDelegates,
}

/// One term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// `in_baseline(step.device|asn|country)`: usual for the person at that time.
    InBaseline(usize, Kind),
    /// `short_baseline(step)`: too little is known of the person to tell new from known.
    ShortBaseline(usize),
    /// `same_device(a, b)`.
    SameDevice(usize, usize),
    /// `same_person(a.role, b.role)`: two resolved identities that are equal.
    SamePerson(Who, Who),
    /// `same_request(a, b)`: one call or ticket.
    SameRequest(usize, usize),
    /// `within(a, b, from, to)`: `a` lies in `(b + from, b + to]`.
    Within(usize, usize, i64, i64),
    /// `live_ticket(step, from, to)`: an open ticket names the person at some moment of it.
    LiveTicket(usize, i64, i64),
    /// `verified(step, strength, span)`.
    Verified(usize, u8, i64),
    /// `of_record(callback, recovery)`: a number of record of the person or their manager.
    OfRecord(usize, usize),
    /// `contact_by(channel, step, from, to)`: a contact to the desk started in it.
    ContactBy(Channel, usize, i64, i64),
    /// `ticket_by(channel, step, from, to)`: a live ticket opened through the channel.
    TicketBy(Channel, usize, i64, i64),
    /// `called_back(step, from, to)`: a call-back to a number of record.
    CalledBack(usize, i64, i64),
    /// `second_person(step, from, to)`.
    SecondPerson(usize, i64, i64),
    /// `is(step, signal)`.
    Is(usize, Signal),
    /// `exists(signal, step, from, to)`: some fact of that signal lies in it.
    Exists(Signal, usize, i64, i64),
}

/// A term, or its opposite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    negated: bool,
    term: Term,
}

impl Condition {
    /// Whether it holds for what is bound. Where a step is not bound, or a person not known, neither
    /// the term nor its opposite holds.
    #[must_use]
    pub fn holds(&self, view: &View<'_>, bound: &Binding<'_, '_>) -> bool {
        evaluate(&self.term, view, bound).is_some_and(|truth| truth != self.negated)
    }

    /// The steps it looks at.
    #[must_use]
    pub fn steps(&self) -> Vec<usize> {
        match &self.term {
            Term::InBaseline(a, _)
            | Term::ShortBaseline(a)
            | Term::LiveTicket(a, ..)
            | Term::Verified(a, ..)
            | Term::ContactBy(_, a, ..)
            | Term::TicketBy(_, a, ..)
            | Term::CalledBack(a, ..)
            | Term::SecondPerson(a, ..)
            | Term::Is(a, _)
            | Term::Exists(_, a, ..) => vec![*a],
            Term::SameDevice(a, b)
            | Term::SameRequest(a, b)
            | Term::Within(a, b, ..)
            | Term::OfRecord(a, b) => vec![*a, *b],
            Term::SamePerson(a, b) => vec![a.step, b.step],
        }
    }
}

fn evaluate(term: &Term, view: &View<'_>, bound: &Binding<'_, '_>) -> Option<bool> {
    let fact = |step: &usize| bound.get(*step).map(|seen| seen.fact);
    match term {
        Term::InBaseline(step, kind) => fact(step).and_then(|f| in_baseline(view, f, *kind)),
        Term::ShortBaseline(step) => fact(step).map(|f| view.baseline.short(f.time)),
        Term::SameDevice(a, b) => Some(fact(a)?.same_device(fact(b)?)),
        Term::SamePerson(a, b) => same_person(bound, *a, *b),
        Term::SameRequest(a, b) => {
            Some(bound.get(*a)?.request_key() == bound.get(*b)?.request_key())
        }
        Term::Within(a, b, from, to) => {
            let (a, b) = (fact(a)?.time, fact(b)?.time);
            Some(a > b.plus(*from) && a <= b.plus(*to))
        }
        Term::LiveTicket(step, from, to) => {
            let r = fact(step)?.time;
            Some(view.live_ticket(r.plus(*from), r.plus(*to)).is_some())
        }
        Term::Verified(step, strength, within) => {
            Some(view.verified(fact(step)?, *strength, *within).is_some())
        }
        Term::OfRecord(callback, recovery) => of_record(fact(callback)?, fact(recovery)?),
        Term::ContactBy(channel, step, from, to) => {
            let r = fact(step)?.time;
            let contact = view.contacts.iter().any(|contact| {
                contact.item.channel == Some(*channel)
                    && contact.item.time > r.plus(*from)
                    && contact.item.time <= r.plus(*to)
                    && contact.to_desk()
            });
            Some(contact)
        }
        Term::TicketBy(channel, step, from, to) => {
            let r = fact(step)?.time;
            let ticket = view.tickets.iter().any(|ticket| {
                ticket.item.channel == Some(*channel)
                    && ticket.live_for(view.id, r.plus(*from), r.plus(*to))
            });
            Some(ticket)
        }
        Term::CalledBack(step, from, to) => {
            Some(view.called_back(fact(step)?, *from, *to).is_some())
        }
        Term::SecondPerson(step, from, to) => {
            Some(view.second_person(fact(step)?, *from, *to).is_some())
        }
        Term::Is(step, signal) => Some(signal.matches(bound.get(*step)?)),
        Term::Exists(signal, step, from, to) => {
            let r = fact(step)?.time;
            let (first, last) = (r.plus(*from), r.plus(*to));
            let inside = |seen: &&Seen<'_>| seen.fact.time > first && seen.fact.time <= last;
            Some(
                view.seen
                    .iter()
                    .filter(inside)
                    .any(|seen| signal.matches(seen)),
            )
        }
    }
}

fn in_baseline(view: &View<'_>, fact: &Fact, kind: Kind) -> Option<bool> {
    match kind {
        Kind::Device => {
            fact.device
                .as_ref()
                .filter(|device| device.keys().next().is_some())?;
            Some(view.baseline.has_device(fact))
        }
        Kind::Asn => Some(view.baseline.has(kind, &fact.asn?.to_string(), fact.time)),
        Kind::Country => Some(view.baseline.has(kind, fact.country.as_deref()?, fact.time)),
    }
}

fn same_person(bound: &Binding<'_, '_>, a: Who, b: Who) -> Option<bool> {
    let (a, b) = (people(bound, a)?, people(bound, b)?);
    Some(a.iter().any(|person| b.contains(person)))
}

/// The identity ids a reference stands for; `None` where nobody is known there.
fn people(bound: &Binding<'_, '_>, who: Who) -> Option<Vec<String>> {
    let seen = bound.get(who.step)?;
    let fact = seen.fact;
    let one = |person: Option<&Person>| person.map(|p| vec![p.identity.clone()]);
    let asked = || {
        let by_ticket = seen.ticket.and_then(|t| t.requester_at(fact.time));
        by_ticket.or(fact.requester.as_ref())
    };
    match who.role {
        WhoRole::Target => one(fact.target.as_ref()),
        WhoRole::Requester => one(fact.requester.as_ref()),
        WhoRole::Agent => one(fact.agent.as_ref()),
        WhoRole::Approver => one(fact.approver.as_ref()),
        WhoRole::ApproverManager => fact
            .approver
            .as_ref()
            .and_then(|p| p.manager.clone())
            .map(|manager| vec![manager]),
        WhoRole::TicketTarget => one(seen
            .ticket
            .and_then(|t| t.target_at(fact.time))
            .or(fact.target.as_ref())),
        WhoRole::TicketRequester => one(asked()),
        WhoRole::TicketRequesterDelegates => asked().map(|person| person.delegates.clone()),
    }
}
