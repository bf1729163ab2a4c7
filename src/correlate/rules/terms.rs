//! The terms of `where`: what a rule may ask beyond one fact, as calls with typed arguments, such as
//! `not in_baseline(enrol.device)` or `live_ticket(reset, -24h, 30m)`.

mod parse;
mod people;

use crate::collect::event::{Action, Channel};
use crate::correlate::baseline::Kind;
use crate::correlate::fact::Fact;
use crate::correlate::rules::signal::Signal;
use crate::correlate::view::{Edge, Seen, View, of_record};
pub use parse::{Arity, Names, TERMS, condition, span};
pub use people::Who;
use people::{same_agent, same_person};

/// Signals of one rule at most: what a binding holds without allocating.
pub const SIGNALS_MAX: usize = 12;

/// The facts a rule has bound to its signals, by the index of the signal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Binding<'v, 'a> {
    steps: [Option<&'v Seen<'a>>; SIGNALS_MAX],
}

impl<'v, 'a> Binding<'v, 'a> {
    /// One fact bound.
    #[must_use]
    pub fn of(signal: usize, seen: &'v Seen<'a>) -> Self {
        Self::default().with(signal, seen)
    }

    /// The same with one more fact bound.
    #[must_use]
    pub fn with(mut self, signal: usize, seen: &'v Seen<'a>) -> Self {
        if let Some(place) = self.steps.get_mut(signal) {
            *place = Some(seen);
        }
        self
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

/// A span around a step, `(from, to]` in ms.
pub type Around = (i64, i64);

/// One term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// `in_baseline(step.device|asn|country)`: usual for the person at that time. A device that
    /// names nothing to know it by is not.
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
    Within(usize, usize, Around),
    /// `live_ticket(step, from, to)`: an open ticket names the person at some moment of it.
    LiveTicket(usize, Around),
    /// `own_ticket_live(a, b)`: the ticket that `a` came with is open at `b` and names the person.
    /// What came with no ticket has none that could have been closed.
    OwnTicketLive(usize, usize),
    /// `verified(step, strength, span)`.
    Verified(usize, u8, i64),
    /// `of_record(callback, recovery)`: a number of record of the person or their manager.
    OfRecord(usize, usize),
    /// `contact_by(channel, step, from, to)`: a contact to the desk started in it.
    ContactBy(Channel, usize, Around),
    /// `ticket_by(channel, step, from, to)`: a live ticket opened through the channel.
    TicketBy(Channel, usize, Around),
    /// `called_back(step, from, to)`: a call-back to a number of record.
    CalledBack(usize, Around),
    /// `second_person(step, from, to)`.
    SecondPerson(usize, Around),
    /// `is(step, signal)`.
    Is(usize, Signal),
    /// `exists(signal, step, from, to)`: some fact of that signal about the person lies in it.
    Exists(Signal, usize, Around),
    /// `beside(signal, step)`: some fact of that signal came with the same call or ticket.
    Beside(Signal, usize),
    /// `defends(step, a, b)`: the step revokes sessions and takes nothing away: not by the agent of
    /// another bound fact, or beside neither `a` nor `b`.
    Defends(usize, [usize; 2]),
}

/// The steps a term looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// One.
    One(usize),
    /// Two.
    Two(usize, usize),
    /// All that are bound in the end.
    All,
}

/// A term, or its opposite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    negated: bool,
    /// The term.
    pub term: Term,
}

impl Condition {
    /// Whether it holds for what is bound. Where a step is not bound, or a person not known, neither
    /// the term nor its opposite holds.
    #[must_use]
    pub fn holds(&self, view: &View<'_>, bound: &Binding<'_, '_>, edge: Edge) -> bool {
        let edge = if self.negated { edge.opposite() } else { edge };
        evaluate(&self.term, view, bound, edge).is_some_and(|truth| truth != self.negated)
    }

    /// The steps it looks at.
    #[must_use]
    pub const fn needs(&self) -> Needs {
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
            | Term::Beside(_, a)
            | Term::Exists(_, a, ..) => Needs::One(*a),
            Term::SameDevice(a, b)
            | Term::SameRequest(a, b)
            | Term::Within(a, b, ..)
            | Term::OwnTicketLive(a, b)
            | Term::OfRecord(a, b) => Needs::Two(*a, *b),
            Term::SamePerson(a, b) => Needs::Two(a.step, b.step),
            Term::Defends(..) => Needs::All,
        }
    }

    /// Whether it can hold at all: what asks for a call or a ticket needs one to be known.
    #[must_use]
    pub const fn is_possible(&self, view: &View<'_>) -> bool {
        self.negated
            || match &self.term {
                Term::ContactBy(..) => !view.contacts.is_empty(),
                Term::TicketBy(..) | Term::LiveTicket(..) => !view.tickets.is_empty(),
                Term::InBaseline(..)
                | Term::ShortBaseline(_)
                | Term::SameDevice(..)
                | Term::SamePerson(..)
                | Term::SameRequest(..)
                | Term::Within(..)
                | Term::OwnTicketLive(..)
                | Term::Verified(..)
                | Term::OfRecord(..)
                | Term::CalledBack(..)
                | Term::SecondPerson(..)
                | Term::Is(..)
                | Term::Exists(..)
                | Term::Beside(..)
                | Term::Defends(..) => true,
            }
    }

    /// Whether it is the opposite of its term.
    #[must_use]
    pub const fn negated(&self) -> bool {
        self.negated
    }
}

fn evaluate(term: &Term, view: &View<'_>, bound: &Binding<'_, '_>, edge: Edge) -> Option<bool> {
    let seen = |step: &usize| bound.get(*step);
    let fact = |step: &usize| seen(step).map(|seen| seen.fact);
    match term {
        Term::InBaseline(step, kind) => in_baseline(view, fact(step)?, *kind),
        Term::ShortBaseline(step) => Some(view.baseline.short(fact(step)?.time)),
        Term::SameDevice(a, b) => Some(fact(a)?.same_device(fact(b)?)),
        Term::SamePerson(a, b) => same_person(bound, *a, *b),
        Term::SameRequest(a, b) => Some(seen(a)?.request_key() == seen(b)?.request_key()),
        Term::Within(a, b, span) => Some(seen(a)?.inside(fact(b)?, *span, edge)),
        Term::LiveTicket(step, (from, to)) => {
            Some(view.live_ticket(fact(step)?, *from, *to, edge).is_some())
        }
        Term::OwnTicketLive(a, b) => {
            let (a, b) = (seen(a)?, fact(b)?);
            let ticket = a.ticket.map(|ticket| view.live(ticket, b, (0, 0), edge));
            Some(ticket.unwrap_or_else(|| a.fact.ticket.is_none()))
        }
        Term::Verified(step, strength, within) => {
            Some(view.verified(fact(step)?, *strength, *within).is_some())
        }
        Term::OfRecord(callback, recovery) => of_record(fact(callback)?, fact(recovery)?),
        Term::ContactBy(channel, step, span) => Some(
            view.contact_by(*channel, fact(step)?, *span, edge)
                .is_some(),
        ),
        Term::TicketBy(channel, step, span) => {
            Some(view.ticket_by(*channel, fact(step)?, *span, edge).is_some())
        }
        Term::CalledBack(step, (from, to)) => {
            Some(view.called_back(fact(step)?, *from, *to).is_some())
        }
        Term::SecondPerson(step, (from, to)) => {
            Some(view.second_person(fact(step)?, *from, *to).is_some())
        }
        Term::Is(step, signal) => Some(signal.matches(seen(step)?)),
        Term::Exists(signal, step, span) => Some(exists(view, signal, fact(step)?, *span, edge)),
        Term::Beside(signal, step) => Some(beside(view, signal, seen(step)?)),
        Term::Defends(step, others) => Some(defends(bound, *step, *others)),
    }
}

fn in_baseline(view: &View<'_>, fact: &Fact, kind: Kind) -> Option<bool> {
    match kind {
        Kind::Device => Some(view.baseline.has_device(fact)),
        Kind::Asn => Some(view.baseline.has(kind, &fact.asn?.to_string(), fact.time)),
        Kind::Country => Some(view.baseline.has(kind, fact.country.as_deref()?, fact.time)),
    }
}

fn exists(view: &View<'_>, signal: &Signal, around: &Fact, span: Around, edge: Edge) -> bool {
    let about = |seen: &Seen<'_>| !view.person || view.about(seen);
    view.may_hold(signal)
        && view
            .around(around, span.0, span.1)
            .iter()
            .any(|seen| signal.matches(seen) && seen.inside(around, span, edge) && about(seen))
}

fn beside(view: &View<'_>, signal: &Signal, step: &Seen<'_>) -> bool {
    let together = |seen: &Seen<'_>| {
        let call = |seen: &Seen<'_>| seen.contact.map(|c| (c.item.time, c.item.id));
        let ticket = |seen: &Seen<'_>| seen.ticket.map(|t| (t.item.time, t.item.id));
        (call(step).is_some() && call(step) == call(seen))
            || (ticket(step).is_some() && ticket(step) == ticket(seen))
    };
    view.may_hold(signal)
        && view
            .seen
            .iter()
            .any(|seen| together(seen) && signal.matches(seen))
}

fn defends(bound: &Binding<'_, '_>, step: usize, others: [usize; 2]) -> bool {
    let Some(seen) = bound.get(step) else {
        return false;
    };
    let taken = others.iter().any(|other| bound.get(*other).is_some());
    let revokes = seen.fact.action == Action::SessionRevoked;
    revokes && !(taken && same_agent(bound, step))
}
