//! One fact as a rule sees it: with the call and the ticket it came with, and a clock that may be
//! coarse.

use crate::collect::event::{EventId, Tier};
use crate::collect::time::Timestamp;
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

/// How the edge of a window is decided within the unit of a coarse clock, where nothing is sure. What
/// accuses asks for [`Edge::Surely`], what calms is content with [`Edge::Possibly`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Inside, whatever the clocks left out.
    Surely,
    /// Inside, if the clocks left out what would make it so.
    Possibly,
}

impl Edge {
    /// That of the opposite statement.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Surely => Self::Possibly,
            Self::Possibly => Self::Surely,
        }
    }
}

/// What one request is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestKey<'a> {
    /// Its call.
    Call(&'a str),
    /// Without a call, its ticket.
    Ticket(&'a str),
    /// Without either, itself.
    Event(EventId),
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

/// The last moment at which a fact can have happened, as its clock tells.
#[must_use]
pub fn latest(fact: &Fact) -> Timestamp {
    fact.time.plus((fact.quality.unit_ms() - 1).max(0))
}

impl<'a> Seen<'a> {
    /// An event that came by itself.
    #[must_use]
    pub const fn alone(fact: &'a Fact) -> Self {
        Self {
            fact,
            stands: Stands::Event,
            contact: None,
            ticket: None,
        }
    }

    /// It came with no call and no ticket.
    #[must_use]
    pub const fn is_alone(&self) -> bool {
        self.contact.is_none() && self.ticket.is_none()
    }

    /// The place in the order.
    #[must_use]
    pub const fn order(&self) -> (Timestamp, EventId, Stands) {
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

    /// Whether it lies in `(from, to]` around a fact.
    #[must_use]
    pub fn inside(&self, around: &Fact, span: (i64, i64), edge: Edge) -> bool {
        let (first, last) = (self.fact.time, latest(self.fact));
        let (from, to) = span;
        match edge {
            Edge::Surely => first > latest(around).plus(from) && last <= around.time.plus(to),
            Edge::Possibly => last > around.time.plus(from) && first <= latest(around).plus(to),
        }
    }

    /// Whether it surely lies within a span that ends with `end`, of which it is part itself.
    #[must_use]
    pub fn within(&self, end: &Self, within_ms: i64) -> bool {
        self.fact.time > latest(end.fact).minus(within_ms)
    }

    /// What one request is counted by: its call, else its ticket, else the event.
    #[must_use]
    pub fn request_key(&self) -> RequestKey<'a> {
        match (&self.fact.contact, &self.fact.ticket) {
            (Some(call), _) => RequestKey::Call(&call.key),
            (None, Some(ticket)) => RequestKey::Ticket(&ticket.key),
            (None, None) => RequestKey::Event(self.fact.id),
        }
    }

    /// Whom the call and the ticket it came with name: a whole ticket the one it is about now, an
    /// event of a ticket the one at its time.
    pub(super) fn told_targets(&self) -> impl Iterator<Item = &'a Person> + use<'a> {
        let moment = if self.stands == Stands::Ticket {
            Timestamp::MAX
        } else {
            self.fact.time
        };
        let by_call = self.contact.and_then(ContactState::target);
        let by_ticket = self.ticket.and_then(|ticket| ticket.target_at(moment));
        by_call.into_iter().chain(by_ticket)
    }

    /// The person a fact is about: its target, else whom its call or ticket names, else who asked. A
    /// recovery without a known target is about nobody: whoever asked for it need not be its owner.
    #[must_use]
    pub fn target(&self) -> Option<&'a Person> {
        let own = self.fact.target.as_ref();
        let told = || self.told_targets().next();
        let asked = || {
            let recovers = crate::collect::entity::is_recovery(self.fact.action);
            self.fact.requester.as_ref().filter(|_| !recovers)
        };
        if self.stands == Stands::Event {
            own.or_else(told).or_else(asked)
        } else {
            told().or(own)
        }
    }

    /// Who asked: as the ticket knows it at that time, else as the event says.
    #[must_use]
    pub fn requester(&self) -> Option<&'a Person> {
        let by_ticket = self.ticket.and_then(|t| t.requester_at(self.fact.time));
        by_ticket.or(self.fact.requester.as_ref())
    }

    /// The tier that decides points and windows: that of the person it is about.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.target().map_or(Tier::Standard, |target| target.tier)
    }
}
