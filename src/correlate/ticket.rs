//! A ticket: its snapshots and events, in order of time and version, fold into facts that the ticket
//! tells its target and its requester, old and new.
//!
//! Changes are not stored: who was named from when to when, and when the ticket was open, follow
//! from comparing each snapshot with the one before it.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::collect::event::{Action, EventId, RequestClass, TicketStatus};
use crate::collect::time::{DAY_MS, Timestamp};
use crate::correlate::contact::evidence_of;
use crate::correlate::fact::{Fact, Person};

/// A control field of a ticket first seen when the ticket was older than this, without a time of its
/// own, proves nothing: nobody knows when it was filled in.
pub const OLD_TICKET_MS: i64 = DAY_MS;

/// A span of event time, `[from, to)`; open at its end while `to` is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First moment.
    pub from: Timestamp,
    /// First moment after it.
    pub to: Option<Timestamp>,
}

impl Span {
    /// Whether some moment of `[first, last]` lies in the span.
    #[must_use]
    pub fn touches(&self, first: Timestamp, last: Timestamp) -> bool {
        self.from <= last && self.to.is_none_or(|to| to > first)
    }
}

/// Somebody named by a ticket for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named<T> {
    /// Who.
    pub who: T,
    /// From when to when.
    pub span: Span,
}

/// What is known of one ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketState {
    /// The ticket as one fact at its opening, with the folded channel and request class.
    pub item: Fact,
    /// When it was open.
    pub open: Vec<Span>,
    /// Whose account it is about.
    pub targets: Vec<Named<Person>>,
    /// Who asked.
    pub requesters: Vec<Named<Person>>,
    /// Who worked on it.
    pub assignees: Vec<Named<Vec<SmolStr>>>,
    /// Approvals, reviews, overrides, verifications, call-backs, refusals and pressure, in order.
    pub evidence: Vec<Fact>,
}

impl TicketState {
    /// Whether the ticket, at some moment of `[first, last]`, is open and names `identity` as target
    /// or requester. A ticket that asks for something else than a recovery does not count.
    #[must_use]
    pub fn live_for(&self, identity: &str, first: Timestamp, last: Timestamp) -> bool {
        let recovery = match self.item.request {
            RequestClass::None | RequestClass::Access | RequestClass::Other => false,
            RequestClass::Password
            | RequestClass::Mfa
            | RequestClass::Unlock
            | RequestClass::RecoveryContact
            | RequestClass::Device
            | RequestClass::Unknown => true,
        };
        recovery
            && self.targets.iter().chain(&self.requesters).any(|named| {
                named.who.identity == identity
                    && self
                        .open
                        .iter()
                        .any(|open| overlap(open, &named.span, first, last))
            })
    }

    /// When it was closed, if it is.
    #[must_use]
    pub fn closed(&self) -> Option<Timestamp> {
        self.open.last().and_then(|span| span.to)
    }

    /// Event time of the newest thing known of it.
    #[must_use]
    pub fn last_time(&self) -> Timestamp {
        let named = self.targets.iter().chain(&self.requesters);
        let evidence = self.evidence.iter().map(|fact| fact.time);
        let spans = self.open.iter().map(|span| span.to.unwrap_or(span.from));
        let times = named
            .map(|named| named.span.from)
            .chain(evidence)
            .chain(spans);
        times.max().unwrap_or(self.item.time).max(self.item.time)
    }

    /// Whom the ticket names at any time, each once, in order of first naming.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.targets
            .iter()
            .chain(&self.requesters)
            .map(|named| &named.who)
    }

    /// Whose account it is about at a moment: the last target named until then, else the first.
    #[must_use]
    pub fn target_at(&self, moment: Timestamp) -> Option<&Person> {
        at(&self.targets, moment)
    }

    /// Who asked, at a moment.
    #[must_use]
    pub fn requester_at(&self, moment: Timestamp) -> Option<&Person> {
        at(&self.requesters, moment)
    }
}

fn at(named: &[Named<Person>], moment: Timestamp) -> Option<&Person> {
    let until = named.iter().rev().find(|named| named.span.from <= moment);
    until.or_else(|| named.first()).map(|named| &named.who)
}

/// Whether two spans share a moment within `[first, last]`; with `last` before `first`, whether they
/// share all that lies between.
fn overlap(a: &Span, b: &Span, first: Timestamp, last: Timestamp) -> bool {
    let from = a.from.max(b.from);
    let end = |span: &Span| span.to.unwrap_or(Timestamp::MAX);
    from <= last && from.max(first) < end(a).min(end(b))
}

/// Whether a ticket is open after all that is known of it, as [`fold`] has it.
#[must_use]
pub fn is_open(facts: &[Fact]) -> bool {
    let of_ticket = facts.iter().filter(|fact| fact.ticket.is_some());
    let told = of_ticket.filter_map(|fact| Some((in_order(fact), status_of(fact)?)));
    let last = told.max_by_key(|(order, _)| *order);
    let is_over = matches!(
        last,
        Some((_, TicketStatus::Resolved | TicketStatus::Closed))
    );
    !facts.is_empty() && !is_over
}

/// Of equal times the later version of a record counts.
const fn in_order(fact: &Fact) -> (Timestamp, i64, EventId) {
    (fact.time, fact.version, fact.id)
}

/// Folds the facts of one ticket. `None` while nothing of it is known.
#[must_use]
pub fn fold(facts: &[Fact]) -> Option<TicketState> {
    let mut ordered: Vec<&Fact> = facts.iter().collect();
    ordered.sort_by_key(|fact| in_order(fact));
    let first = *ordered.first()?;
    let opened = opening(&ordered);
    let opener = ordered
        .iter()
        .find(|f| f.action == Action::TicketOpened)
        .unwrap_or(&first);
    let mut item = (*opener).clone();
    item.action = Action::TicketOpened;
    item.time = opened;
    item.pressure = None;
    item.verification = None;
    let mut state = TicketState {
        item,
        open: Vec::new(),
        targets: Vec::new(),
        requesters: Vec::new(),
        assignees: Vec::new(),
        evidence: evidence_of(
            ordered
                .iter()
                .copied()
                .filter(|f| proves(f, &ordered, opened)),
        ),
    };
    state.open.push(Span {
        from: opened,
        to: None,
    });
    let names_target = ordered.iter().any(|fact| names_target(fact));
    for fact in &ordered {
        state.apply(fact, opened, names_target);
    }
    Some(state)
}

/// The moment a ticket was opened: as a record names it, else its first event.
fn opening(ordered: &[&Fact]) -> Timestamp {
    let named = ordered
        .iter()
        .filter_map(|f| f.ticket.as_ref().and_then(|t| t.opened_at))
        .min();
    let first = ordered.first().map_or(Timestamp::MIN, |f| f.time);
    named.map_or(first, |named| named.min(first))
}

/// A control field without a time of its own, shown by the first snapshot seen of an old ticket, is
/// no evidence.
fn proves(fact: &Fact, ordered: &[&Fact], opened: Timestamp) -> bool {
    let first_snapshot = ordered
        .iter()
        .filter(|f| f.ticket.as_ref().is_some_and(|t| t.snapshot))
        .map(|f| f.time)
        .min();
    let control = matches!(
        fact.action,
        Action::VerifyResult
            | Action::CallbackCompleted
            | Action::TicketOverride
            | Action::ReviewCompleted
    );
    let own_time = fact
        .verification
        .as_ref()
        .is_some_and(|v| v.mapped_time.is_some());
    let at_first_sight = control && first_snapshot == Some(fact.time);
    own_time || !at_first_sight || fact.time.since(opened) <= OLD_TICKET_MS
}

impl TicketState {
    /// Where no event of the ticket names a target, it is about whoever asks.
    fn apply(&mut self, fact: &Fact, opened: Timestamp, names_target: bool) {
        if fact.request != RequestClass::Unknown {
            self.item.request = fact.request;
        }
        self.item.channel = self.item.channel.or(fact.channel);
        self.item.contact = self.item.contact.take().or_else(|| fact.contact.clone());
        let Some(part) = &fact.ticket else {
            return;
        };
        // An approval or a verification names people of its own, not those of the ticket.
        if is_of_ticket(fact) {
            let asks = fact.requester.as_ref().filter(|_| !names_target);
            let target = fact.target.as_ref().or(asks);
            name(&mut self.targets, target, opened, fact.time);
            name(
                &mut self.requesters,
                fact.requester.as_ref(),
                opened,
                fact.time,
            );
            if !part.assignee.is_empty() || part.snapshot {
                assign(&mut self.assignees, &part.assignee, fact.time);
            }
        }
        self.set_status(status_of(fact), fact);
        if self.item.ticket.as_ref().is_none_or(|t| t.number.is_none()) {
            self.item.ticket = Some(part.clone());
        }
    }

    fn set_status(&mut self, status: Option<TicketStatus>, fact: &Fact) {
        let Some(last) = self.open.last_mut() else {
            return;
        };
        match status {
            Some(TicketStatus::Resolved | TicketStatus::Closed) if last.to.is_none() => {
                let named = fact.ticket.as_ref().and_then(|t| t.closed_at);
                last.to = Some(named.unwrap_or(fact.time).max(last.from));
            }
            Some(TicketStatus::Open | TicketStatus::Pending) if last.to.is_some() => {
                self.open.push(Span {
                    from: fact.time,
                    to: None,
                });
            }
            _ => {}
        }
    }
}

fn is_of_ticket(fact: &Fact) -> bool {
    fact.action.as_str().starts_with("ticket.")
}

fn names_target(fact: &Fact) -> bool {
    fact.target.is_some() && is_of_ticket(fact)
}

fn status_of(fact: &Fact) -> Option<TicketStatus> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "three actions name a state themselves"
    )]
    match fact.action {
        Action::TicketResolved => Some(TicketStatus::Resolved),
        Action::TicketClosed => Some(TicketStatus::Closed),
        Action::TicketReopened => Some(TicketStatus::Open),
        Action::TicketUpdated => fact.ticket.as_ref().and_then(|t| t.status),
        _ => None,
    }
}

/// Notes who is named: the first one since the opening, every other one from `changed` on.
fn name(
    named: &mut Vec<Named<Person>>,
    who: Option<&Person>,
    opened: Timestamp,
    changed: Timestamp,
) {
    let Some(who) = who else {
        return;
    };
    let from = match named.last_mut() {
        Some(last) if last.who.identity == who.identity => return,
        Some(last) => {
            last.span.to = Some(changed);
            changed
        }
        None => opened,
    };
    named.push(Named {
        who: who.clone(),
        span: Span { from, to: None },
    });
}

fn assign(assignees: &mut Vec<Named<Vec<SmolStr>>>, who: &[SmolStr], from: Timestamp) {
    match assignees.last_mut() {
        Some(last) if last.who == who => return,
        Some(last) => last.span.to = Some(from),
        None if who.is_empty() => return,
        None => {}
    }
    assignees.push(Named {
        who: who.to_vec(),
        span: Span { from, to: None },
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::event::{
        Domain, Event, ResolutionStatus, Role, TicketRef, Verification, VerificationMethod,
    };
    use crate::collect::time::{HOUR_MS, MINUTE_MS};

    fn snapshot(id: u8, time: i64, requester: &str, status: TicketStatus) -> Event {
        let mut event = Event::new(Domain::Ticket, Action::TicketUpdated, Timestamp(time));
        event.event_id = EventId([id; 16]);
        event.ticket_ref = Some(Box::new(TicketRef {
            system: "snow".into(),
            id: "t1".into(),
            status: Some(status),
            snapshot: true,
            opened_at: Some(Timestamp(0)),
            version: Some(i64::from(id)),
            ..TicketRef::default()
        }));
        let mut role = Role {
            identity: Some(requester.into()),
            ..Role::default()
        };
        role.resolution.status = ResolutionStatus::Resolved;
        event.requester = Some(Box::new(role));
        event
    }

    fn facts(events: &[Event]) -> Vec<Fact> {
        events.iter().map(Fact::of).collect()
    }

    #[test]
    fn spans_follow_from_snapshots_in_any_order_of_arrival() {
        let events = [
            snapshot(3, 3 * HOUR_MS, "b", TicketStatus::Resolved),
            snapshot(1, HOUR_MS, "a", TicketStatus::Open),
            snapshot(2, 2 * HOUR_MS, "b", TicketStatus::Open),
        ];
        let state = fold(&facts(&events)).unwrap();
        let (a, b): (Vec<_>, Vec<_>) = state
            .requesters
            .iter()
            .map(|n| (n.who.identity.as_str(), n.span))
            .unzip();
        assert_eq!(a, ["a", "b"]);
        assert_eq!(
            b[0],
            Span {
                from: Timestamp(0),
                to: Some(Timestamp(2 * HOUR_MS))
            }
        );
        assert_eq!(
            state.open,
            [Span {
                from: Timestamp(0),
                to: Some(Timestamp(3 * HOUR_MS))
            }]
        );
        let mut reversed = events;
        reversed.reverse();
        assert_eq!(fold(&facts(&reversed)).unwrap(), state);
    }

    #[test]
    fn whether_it_is_open_is_as_the_fold_has_it() {
        let all = [
            TicketStatus::Open,
            TicketStatus::Pending,
            TicketStatus::Resolved,
            TicketStatus::Closed,
        ];
        let pairs = all.into_iter().flat_map(|a| all.map(|b| [a, b]));
        for [a, b] in pairs {
            for c in all {
                let mut events = [
                    snapshot(1, HOUR_MS, "a", a),
                    snapshot(2, HOUR_MS, "a", b),
                    snapshot(3, 2 * HOUR_MS, "a", c),
                ];
                for _ in 0..events.len() {
                    events.rotate_left(1);
                    let facts = facts(&events);
                    let folded = fold(&facts).unwrap().closed().is_none();
                    assert_eq!(is_open(&facts), folded, "{a:?} {b:?} {c:?}");
                }
            }
        }
        assert!(!is_open(&[]), "nothing is known of it");
    }

    #[test]
    fn a_ticket_is_live_only_while_open_and_naming_the_person() {
        let events = [
            snapshot(1, HOUR_MS, "a", TicketStatus::Open),
            snapshot(2, 2 * HOUR_MS, "b", TicketStatus::Open),
            snapshot(3, 3 * HOUR_MS, "b", TicketStatus::Closed),
        ];
        let state = fold(&facts(&events)).unwrap();
        let live = |who, from: i64, to: i64| {
            state.live_for(who, Timestamp(from * MINUTE_MS), Timestamp(to * MINUTE_MS))
        };
        assert!(live("a", 60, 90) && !live("a", 120, 150));
        assert!(!live("b", 60, 119) && live("b", 60, 120));
        assert!(!live("b", 180, 200) && live("b", 179, 200));
        assert!(!live("c", 0, 999));
    }

    #[test]
    fn a_reopened_ticket_is_live_again() {
        let events = [
            snapshot(1, HOUR_MS, "a", TicketStatus::Closed),
            snapshot(2, 2 * HOUR_MS, "a", TicketStatus::Open),
        ];
        assert_eq!(fold(&facts(&events)).unwrap().open.len(), 2);
    }

    #[test]
    fn an_old_ticket_edited_or_first_seen_proves_nothing_new() {
        let verified = |id, time, mapped| {
            let mut event = snapshot(id, time, "a", TicketStatus::Open);
            event.action = Action::VerifyResult;
            event.verification = Some(Box::new(Verification {
                method: Some(VerificationMethod::Video),
                time: mapped,
                ..Verification::default()
            }));
            event
        };
        let old = OLD_TICKET_MS + 1;
        let proofs = |events: &[Event]| fold(&facts(events)).unwrap().evidence.len();
        let seen = snapshot(1, old, "a", TicketStatus::Open);
        assert_eq!(
            proofs(&[seen.clone(), verified(2, old, None)]),
            0,
            "first sight of an old one"
        );
        assert_eq!(
            proofs(&[seen.clone(), verified(2, old + 1, None)]),
            1,
            "appeared afterwards"
        );
        assert_eq!(
            proofs(&[seen, verified(2, old, Some(Timestamp(5)))]),
            1,
            "names its time"
        );
        let young = snapshot(1, HOUR_MS, "a", TicketStatus::Open);
        assert_eq!(
            proofs(&[young, verified(2, HOUR_MS, None)]),
            1,
            "a young ticket"
        );
    }
}
