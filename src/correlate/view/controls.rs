//! The controls around a recovery that calm it: a proof of identity, a call-back, a second person.

use super::{Edge, Seen, View};
use crate::collect::event::{Action, Outcome, Ternary, VerificationMethod};
use crate::collect::time::{MINUTE_MS, TimeQuality};
use crate::correlate::fact::{Fact, Person};
use crate::correlate::rules::masks::Actions;

/// Days a number must have been of record to prove anything: one recorded for the attack does not.
pub const OF_RECORD_DAYS: i64 = 7;
/// Seconds a call-back must have been connected.
pub const CALLBACK_CONNECTED_S: i64 = 15;
/// A form may be saved so long after the act.
const RECORDED_LATE_MS: i64 = 2 * MINUTE_MS;

impl<'a> View<'a> {
    /// A verification of the person of at least `strength`, at most `within_ms` before `recovery`.
    ///
    /// Its time is the mapped one, else that of its event. One without a mapped time, recorded up to
    /// two minutes after the recovery by the same agent in the same call or ticket, counts too.
    #[must_use]
    pub fn verified(&self, recovery: &Fact, strength: u8, within_ms: i64) -> Option<&Seen<'a>> {
        if !self.actions().has(Action::VerifyResult) {
            return None;
        }
        self.seen.iter().rev().find(|seen| {
            proof_strength(seen.fact, recovery).is_some_and(|proof| proof >= strength)
                && self.about(seen)
                && (proved_before(seen, recovery, within_ms) || recorded_late(seen.fact, recovery))
        })
    }

    /// Review or approval by an eligible second person, within `(from, to]` around `recovery`.
    #[must_use]
    pub fn second_person(&self, recovery: &Fact, from: i64, to: i64) -> Option<&Seen<'a>> {
        const KINDS: Actions =
            Actions::of(Action::ReviewCompleted).or(Actions::of(Action::ApprovalGranted));
        if !self.actions().meets(KINDS) {
            return None;
        }
        self.around(recovery, from, to).iter().rev().find(|seen| {
            let fact = seen.fact;
            let Some(approver) = fact.approver.as_ref() else {
                return false;
            };
            let other = |person: Option<&Person>| {
                person.is_none_or(|person| person.identity != approver.identity)
            };
            KINDS.has(fact.action)
                && fact.eligible == Ternary::Yes
                && seen.inside(recovery, (from, to), Edge::Possibly)
                && self.about(seen)
                && approver.identity != self.entity.id
                && other(recovery.agent.as_ref())
                && other(fact.requester.as_ref())
                && other(seen.requester())
        })
    }

    /// A call-back to a number of record of the person or their manager, around `recovery`.
    #[must_use]
    pub fn called_back(&self, recovery: &Fact, from: i64, to: i64) -> Option<&Seen<'a>> {
        if !self.actions().has(Action::CallbackCompleted) {
            return None;
        }
        self.around(recovery, from, to).iter().rev().find(|seen| {
            is_callback(seen.fact)
                && seen.inside(recovery, (from, to), Edge::Possibly)
                && self.about(seen)
                && of_record(seen.fact, recovery) == Some(true)
        })
    }
}

/// A completed call-back that reached somebody, to a number that was looked up.
#[must_use]
pub fn is_callback(fact: &Fact) -> bool {
    fact.action == Action::CallbackCompleted
        && fact.connected_s.is_some_and(|s| s >= CALLBACK_CONNECTED_S)
        && fact.of_record.is_some()
}

/// Whether a call-back went to a number of record of the target or the target's manager; `None`
/// where the number was not looked up, or the target is not known.
#[must_use]
pub fn of_record(callback: &Fact, recovery: &Fact) -> Option<bool> {
    let target = recovery.target.as_ref()?;
    let own = target.identity.as_str();
    let manager = target.manager.as_deref().unwrap_or(own);
    callback.of_record_for(&[own, manager], OF_RECORD_DAYS, recovery.time)
}

/// Strength of a successful proof; `None` for everything else.
fn proof_strength(fact: &Fact, recovery: &Fact) -> Option<u8> {
    let verification = fact.verification.as_ref()?;
    let success = fact.action == Action::VerifyResult && fact.outcome == Outcome::Success;
    success.then_some(())?;
    // A registered number proves something only while it was of record long enough, and theirs.
    let registered = verification.method == Some(VerificationMethod::CallbackRegistered);
    let worthless = registered && of_record(fact, recovery) == Some(false);
    Some(if worthless { 0 } else { verification.strength })
}

fn proved_before(proof: &Seen<'_>, recovery: &Fact, within_ms: i64) -> bool {
    let mapped = proof.fact.verification.as_ref().and_then(|v| v.mapped_time);
    match mapped {
        Some(time) => time <= super::latest(recovery) && time > recovery.time.minus(within_ms),
        None => proof.inside(recovery, (-within_ms, 0), Edge::Possibly),
    }
}

/// A form saved after the act: by the same agent, in the same call or ticket, at most 2 min later.
fn recorded_late(proof: &Fact, recovery: &Fact) -> bool {
    let mapped = proof.verification.as_ref().and_then(|v| v.mapped_time);
    let same_agent = match (&proof.agent, &recovery.agent) {
        (Some(a), Some(b)) => a.identity == b.identity,
        _ => false,
    };
    let same_case = match (call(proof), call(recovery)) {
        (Some(a), Some(b)) => a == b,
        _ => ticket(proof).is_none() || ticket(recovery).is_none_or(|t| ticket(proof) == Some(t)),
    };
    mapped.is_none()
        && same_agent
        && same_case
        && (0..=RECORDED_LATE_MS).contains(&proof.time.since(recovery.time))
        && proof.quality != TimeQuality::RecordFallback
}

fn call(fact: &Fact) -> Option<&str> {
    fact.contact.as_ref().map(|call| call.key.as_str())
}

fn ticket(fact: &Fact) -> Option<&str> {
    fact.ticket.as_ref().map(|ticket| ticket.key.as_str())
}
