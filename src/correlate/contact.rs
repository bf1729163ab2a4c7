//! A call or chat with its transfers: its events, whatever their order of arrival, fold into facts
//! that the contact tells its target and its caller.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::collect::event::{Action, Claim, EventId, Outcome, RequestClass};
use crate::collect::time::{MINUTE_MS, Timestamp};
use crate::correlate::fact::{Fact, Person};
use crate::correlate::view::is_to_desk;

/// Evidence of one kind that a relay carries; the newest are kept.
pub const EVIDENCE_OF_A_KIND_MAX: usize = 16;
/// How long a contact of which no end is known is taken to last.
pub const UNENDED_MS: i64 = 30 * MINUTE_MS;

/// What is known of one contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactState {
    /// The contact as one fact at its start: channel, direction, caller, request class and claims
    /// are the folded ones.
    pub item: Fact,
    /// End, if known.
    pub ended: Option<Timestamp>,
    /// An agent was connected.
    pub connected: bool,
    /// Identity ids of its agents, in the order of their first event.
    pub agents: Vec<SmolStr>,
    /// Verifications, call-backs, refusals, pressure and voice risk, in order.
    pub evidence: Vec<Fact>,
}

impl ContactState {
    /// Whose account the contact is about.
    #[must_use]
    pub fn target(&self) -> Option<&Person> {
        self.item.target.as_ref()
    }

    /// Whether somebody reached the desk. A source that names no direction delivers such contacts.
    #[must_use]
    pub fn to_desk(&self) -> bool {
        is_to_desk(&self.item)
    }

    /// The last moment of the contact.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.ended
            .unwrap_or_else(|| self.item.time.plus(UNENDED_MS))
    }
}

/// Folds the events of one contact. `None` while nothing of it is known.
///
/// The first event in order that names a fact decides it; of outcome and request class, and of who
/// is asked for, the last does. Of several versions of one record the highest counts.
#[must_use]
pub fn fold(facts: &[Fact]) -> Option<ContactState> {
    let facts = newest_versions(facts);
    let first = facts.first()?;
    let started = facts
        .iter()
        .filter_map(|f| f.contact.as_ref().and_then(|c| c.started_at))
        .chain(
            facts
                .iter()
                .filter(|f| f.action == Action::ContactStarted)
                .map(|f| f.time),
        )
        .min();
    let opener = facts
        .iter()
        .find(|f| f.action == Action::ContactStarted)
        .unwrap_or(first);
    let mut item = (*opener).clone();
    item.action = Action::ContactStarted;
    item.time = started.unwrap_or(item.time);
    for fact in &facts {
        merge(&mut item, fact);
    }
    item.claims.sort_unstable();
    item.claims.dedup();
    item.pressure = None;
    item.verification = None;
    let ended = facts.iter().filter_map(|f| end_of(f)).max();
    let connected = facts
        .iter()
        .any(|f| f.action == Action::ContactAgentConnected || f.connected_s.is_some_and(|s| s > 0));
    Some(ContactState {
        ended,
        connected,
        agents: agents_of(&facts),
        evidence: evidence_of(facts.iter().copied()),
        item,
    })
}

/// Takes over what `fact` knows and the folded item does not, and the newest of what may change.
fn merge(item: &mut Fact, fact: &Fact) {
    let fill = |to: &mut Option<Person>, from: &Option<Person>| {
        if to.is_none() {
            to.clone_from(from);
        }
    };
    if fact.target.is_some() {
        item.target.clone_from(&fact.target);
    }
    fill(&mut item.requester, &fact.requester);
    fill(&mut item.agent, &fact.agent);
    item.caller = item.caller.take().or_else(|| fact.caller.clone());
    item.caller_masked = item
        .caller_masked
        .take()
        .or_else(|| fact.caller_masked.clone());
    item.caller_country = item
        .caller_country
        .take()
        .or_else(|| fact.caller_country.clone());
    item.channel = item.channel.or(fact.channel);
    item.direction = item.direction.or(fact.direction);
    item.ticket = item.ticket.take().or_else(|| fact.ticket.clone());
    if fact.request != RequestClass::Unknown {
        item.request = fact.request;
    }
    if matches!(fact.action, Action::ContactEnded | Action::ContactWrapup)
        && fact.outcome != Outcome::Unknown
    {
        item.outcome = fact.outcome;
    }
    let claims: Vec<Claim> = fact.claims.clone();
    item.claims.extend(claims);
}

fn end_of(fact: &Fact) -> Option<Timestamp> {
    let named = fact.contact.as_ref().and_then(|c| c.ended_at);
    named.or_else(|| (fact.action == Action::ContactEnded).then_some(fact.time))
}

fn agents_of(facts: &[&Fact]) -> Vec<SmolStr> {
    let mut agents: Vec<SmolStr> = Vec::new();
    for agent in facts.iter().filter_map(|f| f.agent.as_ref()) {
        if !agents.contains(&agent.identity) {
            agents.push(agent.identity.clone());
        }
    }
    agents
}

/// Of several records of one leg and action, the highest version; events without a version all.
fn newest_versions(facts: &[Fact]) -> Vec<&Fact> {
    let record = |f: &Fact| (f.version > 0).then(|| (f.action, leg(f), f.version));
    facts
        .iter()
        .filter(|fact| {
            record(fact).is_none_or(|(action, leg, version)| {
                !facts
                    .iter()
                    .filter_map(record)
                    .any(|other| other.0 == action && other.1 == leg && other.2 > version)
            })
        })
        .collect()
}

fn leg(fact: &Fact) -> Option<SmolStr> {
    fact.contact.as_ref().map(|c| c.leg.clone())
}

/// What kind of evidence a fact of a contact or ticket is; `None` for the rest.
#[must_use]
pub fn evidence_kind(fact: &Fact) -> Option<&'static str> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the closed list of evidence"
    )]
    let by_action = match fact.action {
        Action::VerifyResult => Some("verify"),
        Action::CallbackCompleted => Some("callback"),
        Action::ApprovalGranted => Some("approval"),
        Action::ApprovalRejected => Some("refusal"),
        Action::ReviewCompleted => Some("review"),
        Action::TicketOverride | Action::ApprovalBypassed => Some("override"),
        Action::ContactEnded
        | Action::ContactWrapup
        | Action::TicketResolved
        | Action::TicketClosed
            if fact.outcome == Outcome::Denied =>
        {
            Some("refusal")
        }
        _ => None,
    };
    by_action
        .or_else(|| fact.pressure.is_some().then_some("pressure"))
        .or_else(|| fact.voice_risk.is_some().then_some("voice"))
}

/// The evidence among the facts, in order, each id once, the newest of each kind.
pub fn evidence_of<'a>(facts: impl Iterator<Item = &'a Fact>) -> Vec<Fact> {
    let mut evidence: Vec<(&'static str, &Fact)> = facts
        .filter_map(|fact| evidence_kind(fact).map(|kind| (kind, fact)))
        .collect();
    evidence.sort_by_key(|(kind, fact)| (*kind, fact.order()));
    let mut kept: Vec<Fact> = Vec::new();
    for (position, (kind, fact)) in evidence.iter().enumerate() {
        let newer = evidence
            .iter()
            .skip(position + 1)
            .filter(|(other, _)| other == kind)
            .count();
        if newer < EVIDENCE_OF_A_KIND_MAX && !seen(&kept, fact.id) {
            kept.push((*fact).clone());
        }
    }
    kept.sort_by_key(Fact::order);
    kept
}

fn seen(facts: &[Fact], id: EventId) -> bool {
    facts.iter().any(|fact| fact.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::event::{CallRef, Domain, Event, Handle, HandleKind, Phone, Request, Role};

    fn event(id: u8, time: i64, action: Action) -> Event {
        let mut event = Event::new(Domain::Contact, action, Timestamp(time));
        event.event_id = EventId([id; 16]);
        event.call_ref = Some(Box::new(CallRef {
            system: "cc".into(),
            id: "leg1".into(),
            root_id: "c1".into(),
            ..CallRef::default()
        }));
        event
    }

    fn role(identity: &str) -> Option<Box<Role>> {
        Some(Box::new(Role::resolved(identity)))
    }

    #[test]
    fn number_and_name_may_come_with_the_record_after_the_call() {
        let started = event(1, 1_000, Action::ContactStarted);
        let mut record = event(2, 9_000, Action::ContactWrapup);
        record.target = role("hris:E1");
        record.request = Some(Box::new(Request {
            class: RequestClass::Mfa,
            claims: vec![Claim::LostDevice],
        }));
        record.phone = Some(Box::new(Phone {
            ani: Some(Handle {
                kind: HandleKind::Phone,
                value: "k1".into(),
                masked: None,
                issuer: None,
            }),
            ..Phone::default()
        }));
        let facts = [Fact::of(&started), Fact::of(&record)];
        let state = fold(&facts).unwrap();
        assert_eq!(state.item.time, Timestamp(1_000));
        assert_eq!(state.item.id, EventId([1; 16]));
        assert_eq!(state.target().unwrap().identity, "hris:E1");
        assert_eq!(state.item.caller.as_deref(), Some("k1"));
        assert_eq!(state.item.request, RequestClass::Mfa);
        assert_eq!(state.item.claims, [Claim::LostDevice]);
        assert_eq!(state.end(), Timestamp(1_000).plus(UNENDED_MS));
    }

    #[test]
    fn of_several_versions_of_one_record_the_highest_counts() {
        let version = |id, version, outcome| {
            let mut event = event(id, 5_000, Action::ContactWrapup);
            event.outcome = outcome;
            event.call_ref.as_mut().unwrap().version = Some(version);
            Fact::of(&event)
        };
        let facts = [
            version(1, 7, Outcome::Denied),
            version(2, 6, Outcome::Success),
        ];
        let state = fold(&facts).unwrap();
        assert_eq!(state.item.outcome, Outcome::Denied);
        assert_eq!(state.evidence.len(), 1);
    }

    #[test]
    fn nothing_folds_to_nothing() {
        assert_eq!(fold(&[]), None);
    }
}
