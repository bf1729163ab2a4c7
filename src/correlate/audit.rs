//! Audit records: who recovered whose account, approved by whom, verified how. One at once for every
//! recovery, verification, call-back, approval, review, override, opened or closed ticket; for a
//! recovery by the desk a second one, `settled`, when its controls are decided, and again when later
//! evidence changes them. What people decide — verdicts, silences, exemptions — is recorded too.

mod body;
mod chain;
mod check;
mod decision;
mod diagnose;
mod order;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use smol_str::SmolStr;

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::{Action, EventId, TicketStatus};
use crate::collect::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::correlate::fact::{Fact, Person};
use crate::correlate::recovery_controls::Controls;
use crate::correlate::rules::rule::Evidence;
use crate::correlate::ticket::TicketState;
use crate::correlate::view::{Edge, View};
pub use body::Body;
pub use chain::{AuditHead, Damage, Link, Sealed};
pub use check::{At, ChainCheck, ChainFault, Checked, Known, PIECES_MAX, Wrong, name_moved};
pub use decision::{Decision, decided};

/// Which of the records about an event it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// When it was seen.
    Recorded,
    /// When its controls were decided.
    Settled,
    /// What people decided: verdicts, silences, exemptions, sources.
    Decided,
}

impl Stage {
    /// The word in records and ids.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Settled => "settled",
            Self::Decided => "decided",
        }
    }
}

/// A record before it is chained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Key: the person where known, else the ticket or contact.
    pub key: SmolStr,
    /// Content.
    pub body: Body,
}

/// The last settled record of a recovery: what is compared before another one is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Its version, from 1.
    pub version: u32,
    /// First 128 bits of SHA-256 over its content.
    pub digest: [u8; 16],
}

/// SHA-256 over (event id, stage, version), in hex: a repeated record is recognised by it.
#[must_use]
pub fn record_id(event: EventId, stage: Stage, version: u32) -> String {
    let mut hash = Sha256::new();
    hash.update(event.0);
    hash.update([0]);
    hash.update(stage.as_str());
    hash.update([0]);
    hash.update(version.to_be_bytes());
    hex::encode(hash.finalize())
}

/// Whether this entity writes the records about a fact. One does: of a recovery its target; else the
/// ticket, else the contact that folds the event, else the person named.
#[must_use]
pub fn writes(entity: &Entity, fact: &Fact) -> bool {
    let is = |kind, id: &str| entity.kind == kind && entity.id == id;
    let person = || {
        let named = fact.target.as_ref().or(fact.requester.as_ref());
        named.is_some_and(|person| is(EntityKind::Identity, &person.identity))
    };
    if fact.recovery_class().is_some() {
        return person();
    }
    let group = fact.action.as_str();
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| group.starts_with(prefix));
    let by_ticket = begins(&[
        "ticket.",
        "approval.",
        "review.",
        "callback.",
        "verify.",
        "contact.",
    ]);
    let by_contact = begins(&["contact.", "callback.", "verify.", "ticket."]);
    match (&fact.ticket, &fact.contact) {
        (Some(ticket), _) if by_ticket => is(EntityKind::Ticket, &ticket.key),
        (_, Some(contact)) if by_contact => is(EntityKind::Contact, &contact.key),
        _ => person(),
    }
}

/// The record of a fact as it is seen, if it is one of those that are recorded and `entity` writes it.
/// A ticket hands in what it knew before the fact: snapshots open and close it too.
#[must_use]
pub fn recorded(entity: &Entity, fact: &Fact, before: Option<&TicketState>) -> Option<Entry> {
    let what = recorded_as(entity, fact, before)?;
    writes(entity, fact).then(|| {
        let mut body = Body::of(entity, fact, Stage::Recorded, 1);
        body.action = what.as_str();
        Entry {
            key: key_of(fact),
            body,
        }
    })
}

/// The action under which a fact is recorded.
fn recorded_as(entity: &Entity, fact: &Fact, before: Option<&TicketState>) -> Option<Action> {
    if fact.recovery_class().is_some() {
        return Some(fact.action);
    }
    if entity.kind == EntityKind::Ticket && fact.action.as_str().starts_with("ticket.") {
        return turn(fact, before);
    }
    matches!(
        fact.action,
        Action::VerifyResult
            | Action::CallbackCompleted
            | Action::ApprovalGranted
            | Action::ApprovalRejected
            | Action::ApprovalBypassed
            | Action::ReviewCompleted
            | Action::TicketOverride
            | Action::TicketOpened
            | Action::TicketClosed
    )
    .then_some(fact.action)
}

/// Whether a fact opens, closes or reopens a ticket, by its action or by the state it shows.
fn turn(fact: &Fact, before: Option<&TicketState>) -> Option<Action> {
    if fact.action == Action::TicketOverride {
        return Some(fact.action);
    }
    let Some(before) = before else {
        return Some(Action::TicketOpened);
    };
    let open = before.open.last().is_none_or(|span| span.to.is_none());
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "three actions name a state themselves"
    )]
    let status = match fact.action {
        Action::TicketResolved | Action::TicketClosed => Some(TicketStatus::Closed),
        Action::TicketReopened => Some(TicketStatus::Open),
        _ => fact.ticket.as_ref().and_then(|ticket| ticket.status),
    };
    match status? {
        TicketStatus::Resolved | TicketStatus::Closed if open => Some(Action::TicketClosed),
        TicketStatus::Open | TicketStatus::Pending if !open => Some(Action::TicketReopened),
        TicketStatus::Resolved
        | TicketStatus::Closed
        | TicketStatus::Open
        | TicketStatus::Pending => None,
    }
}

/// The settled record of a recovery by the desk, if it says something else than the last one. To be
/// called when the last obligation that stands on the recovery was decided, and whenever evidence
/// arrives afterwards.
#[must_use]
pub fn settled(
    entity: &Entity,
    recovery: &Fact,
    view: &View<'_>,
    declared: &[Evidence],
    last: Option<&Settled>,
) -> Option<(Entry, Settled)> {
    let by_desk = recovery.recovery_class().is_some() && recovery.admin_performed();
    (by_desk && writes(entity, recovery)).then_some(())?;
    let mut body = Body::of(entity, recovery, Stage::Settled, 1);
    body.controls = Some(Controls::of(recovery, view, declared));
    complete(&mut body, recovery, view);
    let digest = body.digest();
    if last.is_some_and(|last| last.digest == digest) {
        return None;
    }
    let version = last.map_or(0, |last| last.version).saturating_add(1);
    body.renumber(recovery.id, version);
    let entry = Entry {
        key: key_of(recovery),
        body,
    };
    Some((entry, Settled { version, digest }))
}

/// Adds what tickets, calls and approvals around the recovery say of who asked, who approved, through
/// which channel and why.
fn complete(body: &mut Body, recovery: &Fact, view: &View<'_>) {
    let r = recovery.time;
    let ticket = view.live_ticket(recovery, -DAY_MS, 30 * MINUTE_MS, Edge::Possibly);
    let contact = view.contacts.iter().rev().find(|contact| {
        contact.to_desk() && contact.item.time > r.minus(2 * HOUR_MS) && contact.item.time <= r
    });
    let second = view.second_person(recovery, -30 * MINUTE_MS, 60 * MINUTE_MS);
    let asked = ticket.and_then(|t| t.requester_at(r));
    let called = contact.and_then(|c| c.item.requester.as_ref().or_else(|| c.target()));
    let person = |person: Option<&Person>| person.map(body::who);
    body.requester = body.requester.take().or_else(|| person(asked.or(called)));
    body.approver = body
        .approver
        .take()
        .or_else(|| person(second.and_then(|seen| seen.fact.approver.as_ref())));
    let channel = contact.and_then(|c| c.item.channel);
    let channel = channel.or_else(|| ticket.and_then(|t| t.item.channel));
    if let Some(channel) = channel {
        body.channel = Some(channel.as_str());
    }
    if let Some(ticket) = ticket.and_then(|t| t.item.ticket.as_ref()) {
        body.ticket = Some(ticket.number.clone().unwrap_or_else(|| ticket.key.clone()));
    }
    if let Some(contact) = contact.and_then(|c| c.item.contact.as_ref()) {
        body.call = Some(contact.key.clone());
    }
    let override_of = ticket.and_then(|t| {
        let stated = |fact: &&Fact| fact.action == Action::TicketOverride;
        t.evidence.iter().rfind(stated)
    });
    if body.reason.is_none() {
        body.reason = override_of.and_then(body::reason);
    }
}

/// The person where known, else the ticket or contact, else the event.
fn key_of(fact: &Fact) -> SmolStr {
    let person = fact.target.as_ref().or(fact.requester.as_ref());
    person
        .map(|person| person.identity.clone())
        .or_else(|| fact.ticket.as_ref().map(|ticket| ticket.key.clone()))
        .or_else(|| fact.contact.as_ref().map(|contact| contact.key.clone()))
        .unwrap_or_else(|| fact.id.to_string().into())
}
