//! The controls around one recovery: ticket, verification, call-back, second person; each present,
//! missing, not due, or not to be seen.

use serde::{Deserialize, Serialize};

use crate::collect::event::{Channel, EventId, Tier};
use crate::collect::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::correlate::fact::Fact;
use crate::correlate::rules::rule::Evidence;
use crate::correlate::view::{Edge, View};

/// What is known of a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was done.
    Present,
    /// It was due and nothing shows it.
    Missing,
    /// No declared source delivers its evidence: not recorded is never not done.
    NoEvidenceSource,
    /// Nothing asked for it here.
    NotDue,
}

impl State {
    /// The word in alerts and audit records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Missing => "missing",
            Self::NoEvidenceSource => "no_evidence_source",
            Self::NotDue => "not_due",
        }
    }
}

/// One control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// What is known.
    pub state: State,
    /// The event that shows it, or the ticket's opening.
    pub event: Option<EventId>,
    /// How it was done: the number of the ticket, the method of the proof.
    pub detail: Option<String>,
}

/// The controls around one recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controls {
    /// A live ticket that names the person, from a day before to half an hour after.
    pub ticket: Control,
    /// A proof of identity: for admins and above of strength 3 in the half hour before, else any in
    /// the hour before.
    pub verify: Control,
    /// After a call: a call-back to a number of record.
    pub callback: Control,
    /// For executives and above: approval or review by an eligible second person.
    pub approval: Control,
}

impl Controls {
    /// Looks the controls of a recovery up in what is known of its target.
    #[must_use]
    pub fn of(recovery: &Fact, view: &View<'_>, declared: &[Evidence]) -> Self {
        Self {
            ticket: ticket(recovery, view, declared),
            verify: verify(recovery, view, declared),
            callback: callback(recovery, view, declared),
            approval: approval(recovery, view, declared),
        }
    }

    /// All four with their names, in the order in which a desk works through them.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, &Control); 4] {
        [
            ("ticket", &self.ticket),
            ("verification", &self.verify),
            ("call-back", &self.callback),
            ("second person", &self.approval),
        ]
    }
}

fn shown(event: EventId, detail: Option<&str>) -> Control {
    Control {
        state: State::Present,
        event: Some(event),
        detail: detail.map(str::to_owned),
    }
}

/// A control that nothing shows.
fn absent(due: bool, seen_by: Evidence, declared: &[Evidence]) -> Control {
    let state = match (due, declared.contains(&seen_by)) {
        (false, _) => State::NotDue,
        (true, false) => State::NoEvidenceSource,
        (true, true) => State::Missing,
    };
    Control {
        state,
        event: None,
        detail: None,
    }
}

fn ticket(recovery: &Fact, view: &View<'_>, declared: &[Evidence]) -> Control {
    match view.live_ticket(recovery, -DAY_MS, 30 * MINUTE_MS, Edge::Possibly) {
        Some(ticket) => {
            let part = ticket.item.ticket.as_ref();
            let name = part.map(|t| t.number.as_deref().unwrap_or(&t.key));
            shown(ticket.item.id, name)
        }
        None => absent(true, Evidence::Ticket, declared),
    }
}

fn verify(recovery: &Fact, view: &View<'_>, declared: &[Evidence]) -> Control {
    let privileged = tier_of(recovery) >= Tier::Privileged;
    let (strength, within) = if privileged { (3, 30) } else { (1, 60) };
    match view.verified(recovery, strength, within * MINUTE_MS) {
        Some(seen) => {
            let method = seen.fact.verification.as_ref().and_then(|v| v.method);
            shown(
                seen.fact.id,
                method.map(crate::collect::event::VerificationMethod::as_str),
            )
        }
        None => absent(true, Evidence::Verify, declared),
    }
}

fn callback(recovery: &Fact, view: &View<'_>, declared: &[Evidence]) -> Control {
    let r = recovery.time;
    if let Some(seen) = view.called_back(recovery, -60 * MINUTE_MS, 15 * MINUTE_MS) {
        return shown(seen.fact.id, Some("number of record"));
    }
    let by_call = view.contacts.iter().any(|contact| {
        contact.item.channel == Some(Channel::Voice)
            && contact.to_desk()
            && contact.item.time > r.minus(2 * HOUR_MS)
            && contact.item.time <= r
    });
    let by_ticket = view.tickets.iter().any(|ticket| {
        ticket.item.channel == Some(Channel::Voice)
            && ticket.live_for(&view.entity.id, r.minus(DAY_MS), r)
    });
    absent(by_call || by_ticket, Evidence::Callback, declared)
}

fn approval(recovery: &Fact, view: &View<'_>, declared: &[Evidence]) -> Control {
    match view.second_person(recovery, -30 * MINUTE_MS, 60 * MINUTE_MS) {
        Some(seen) => shown(seen.fact.id, Some(seen.fact.action.as_str())),
        None => {
            let due = tier_of(recovery) >= Tier::Executive;
            absent(due, Evidence::Approval, declared)
        }
    }
}

fn tier_of(recovery: &Fact) -> Tier {
    recovery
        .target
        .as_ref()
        .map_or(Tier::Standard, |target| target.tier)
}
