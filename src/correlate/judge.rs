//! What an entity's state says now: rules, obligations, the case, and what others are told of it.

use std::collections::BTreeMap;

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::EventId;
use crate::collect::time::{DAY_MS, Timestamp};
use crate::correlate::case::{Revision, revise};
use crate::correlate::contact::ContactState;
use crate::correlate::engine::{Effects, Setup};
use crate::correlate::entity_state::{EntityState, Obligation};
use crate::correlate::fact::{Fact, Person};
use crate::correlate::finding::{Finding, standing};
use crate::correlate::partition_state::{Marks, RELAY_GRACE_MS, Source};
use crate::correlate::relay::{PIVOT_FACTS_MAX, PivotFinding, Relay, RelayKey, fingerprint};
use crate::correlate::rules::Rule;
use crate::correlate::rules::rule::{Match, Status};
use crate::correlate::ticket::{self, TicketState};
use crate::correlate::view::View;

/// People in the evidence of a finding that a pivot or ticket tells of it.
const TOLD_PEOPLE_MAX: usize = 64;

/// What is the same for every entity of the partition at this entry.
#[derive(Debug)]
pub struct Setting<'a> {
    /// Rules and bounds.
    pub setup: &'a Setup,
    /// Append time of the block.
    pub log_ts: Timestamp,
    /// How far the sources are.
    pub marks: &'a Marks,
    /// How far they were half a minute ago.
    pub settled: &'a Marks,
    /// The declared sources.
    pub sources: &'a BTreeMap<String, Source>,
}

impl Setting<'_> {
    /// Some declared source delivers this evidence. "Not recorded" is never "not done".
    fn delivers(&self, evidence: crate::correlate::rules::rule::Evidence) -> bool {
        self.sources
            .values()
            .any(|source| source.evidence.contains(&evidence))
    }
}

/// How long some rule may still read a fact, in ms.
#[must_use]
pub fn keeps_ms(_setting: &Setting<'_>, _kind: EntityKind, _fact: &Fact) -> i64 {
    7 * DAY_MS
}

/// Decides the obligations that are due; how many were.
pub fn decide(state: &mut EntityState, setting: &Setting<'_>) -> usize {
    let mut decided = 0;
    for obligation in state.obligations.values_mut().filter(|o| !o.decided) {
        let passed = setting.settled.of(obligation.evidence) > obligation.deadline
            && setting.log_ts.since(obligation.opened) >= RELAY_GRACE_MS;
        let forced = setting.log_ts >= obligation.forced_at(setting.setup.max_wait_ms);
        if passed || forced {
            obligation.decided = true;
            obligation.forced = !passed;
            decided += 1;
        }
    }
    decided
}

/// Evaluates the rules of the entity's kind on all that is kept, and publishes what changed. Findings
/// are a function of what is kept, so the order of arrival plays no part.
pub fn judge(
    state: &mut EntityState,
    entity: &Entity,
    setting: &Setting<'_>,
    _cause: Option<EventId>,
    effects: &mut Effects,
) {
    let contacts: Vec<ContactState> = state.contacts.values().cloned().collect();
    // A ticket sees itself; everybody else sees the tickets they were told of.
    let (tickets, kept): (Vec<TicketState>, &[Fact]) = if entity.kind == EntityKind::Ticket {
        (
            ticket::fold(state.window.facts()).into_iter().collect(),
            &[],
        )
    } else {
        (
            state.tickets.values().cloned().collect(),
            state.window.facts(),
        )
    };
    let view = View::new(entity, kept, &contacts, &tickets, &state.baseline);
    let mut findings = Vec::new();
    let mut opened = Vec::new();
    let applies =
        |rule: &&Rule| rule.status == Status::Enabled && rule.entities.contains(&entity.kind);
    for rule in setting.setup.rules.iter().filter(applies) {
        for found in rule.matches(&view) {
            if is_active(rule, &found, state, setting, &mut opened) {
                findings.push(Finding::of(
                    &setting.setup.tenant,
                    rule,
                    &found,
                    entity,
                    &view,
                ));
            }
        }
    }
    for pivot in state.pivot_findings.values() {
        findings.push(Finding::of_pivot(&setting.setup.tenant, entity, pivot));
    }
    let mut findings = standing(findings);
    findings.retain(|finding| !state.settled.iter().any(|(id, _)| *id == finding.id));
    let weak = only_weak(&view, &findings);
    let revision = revise(entity.kind, state.case.as_ref(), &findings, weak);
    let told = tell_pivots(entity, &view, &findings);
    state.obligations.extend(opened);
    state.findings = findings;
    if entity.kind != EntityKind::Identity {
        send(
            state,
            told,
            |key| key.subject != EventId::default(),
            entity,
            effects,
        );
    }
    if let Some(revision) = revision {
        publish(state, entity, revision, effects);
    }
}

/// Closes a case whose time is over.
pub fn close(
    state: &mut EntityState,
    entity: &Entity,
    setting: &Setting<'_>,
    effects: &mut Effects,
) {
    let Some(open) = state.case.as_ref().filter(|case| !case.closed) else {
        return;
    };
    let waits = state.obligations.values().any(|o| !o.decided);
    if waits || setting.marks.all <= crate::correlate::case::closes_at(open) {
        return;
    }
    let mut case = open.clone();
    case.closed = true;
    case.revision = case.revision.saturating_add(1);
    state
        .settled
        .extend(state.findings.iter().map(|f| (f.id, f.time)));
    let judgement = crate::correlate::case::Judgement::of(entity.kind, &state.findings, false);
    let revision = Revision {
        before: case.verdict,
        judgement,
        findings: std::mem::take(&mut state.findings),
        case,
    };
    publish(state, entity, revision, effects);
}

fn publish(state: &mut EntityState, entity: &Entity, revision: Revision, effects: &mut Effects) {
    state.case = Some(revision.case.clone());
    effects.revisions.push((entity.clone(), revision));
}

/// Whether a match is a finding now. One with a deadline is, once its obligation was decided; without
/// an obligation one is opened, if its evidence is declared.
fn is_active(
    rule: &Rule,
    found: &Match,
    state: &EntityState,
    setting: &Setting<'_>,
    opened: &mut Vec<((String, EventId), Obligation)>,
) -> bool {
    let (Some(deadline), Some(evidence)) = (found.deadline, rule.evidence) else {
        return true;
    };
    let key = (rule.id.clone(), found.anchor);
    if let Some(obligation) = state.obligations.get(&key) {
        return obligation.decided;
    }
    if setting.delivers(evidence) {
        let obligation = Obligation {
            evidence,
            deadline,
            opened: setting.log_ts,
            decided: false,
            forced: false,
        };
        opened.push((key, obligation));
    }
    false
}

/// Every finding rests on a target that only a number or a private address names.
fn only_weak(view: &View<'_>, findings: &[Finding]) -> bool {
    let weak = |finding: &Finding| {
        let anchor = view.seen.iter().find(|seen| seen.fact.id == finding.anchor);
        anchor.is_some_and(|seen| seen.fact.target.as_ref().is_some_and(|target| target.weak))
    };
    !findings.is_empty() && findings.iter().all(weak)
}

/// Sends what a call or ticket knows to those it names, and takes it back from those it no longer
/// does.
pub fn tell(state: &mut EntityState, entity: &Entity, effects: &mut Effects) {
    if matches!(entity.kind, EntityKind::Contact | EntityKind::Ticket) {
        let telling = state.tell(entity);
        send(
            state,
            telling,
            |key| key.subject == EventId::default(),
            entity,
            effects,
        );
    }
}

/// The findings of a pivot or ticket, for the people in their evidence.
fn tell_pivots(entity: &Entity, view: &View<'_>, findings: &[Finding]) -> Vec<(Entity, Relay)> {
    let mut telling = Vec::new();
    if entity.kind == EntityKind::Identity {
        return telling;
    }
    for finding in findings {
        let mut facts: Vec<Fact> = view
            .seen
            .iter()
            .filter(|seen| finding.evidence.contains(&seen.fact.id))
            .map(|seen| seen.fact.clone())
            .collect();
        facts.dedup_by_key(|fact| fact.id);
        let mut people: BTreeMap<String, Person> = BTreeMap::new();
        let own = view
            .tickets
            .iter()
            .filter_map(|t| t.target_at(finding.time));
        for person in facts.iter().filter_map(|f| f.target.as_ref()).chain(own) {
            people
                .entry(person.identity.clone())
                .or_insert_with(|| person.clone());
        }
        let excess = facts.len().saturating_sub(PIVOT_FACTS_MAX);
        facts.drain(..excess);
        for (identity, person) in people.into_iter().take(TOLD_PEOPLE_MAX) {
            let state = PivotFinding {
                finding: finding.clone(),
                tier: person.tier,
                facts: facts.clone(),
            };
            telling.push((
                Entity::new(EntityKind::Identity, identity),
                Relay::Finding {
                    from: entity.clone(),
                    subject: finding.id,
                    state: Some(Box::new(state)),
                },
            ));
        }
    }
    telling
}

/// Sends what changed of what is to be told, and withdraws what no longer is. `own` says which of what
/// was told before belongs to this kind of telling.
fn send(
    state: &mut EntityState,
    telling: Vec<(Entity, Relay)>,
    own: impl Fn(&RelayKey) -> bool,
    entity: &Entity,
    effects: &mut Effects,
) {
    let mut now = BTreeMap::new();
    for (to, relay) in telling {
        let print = fingerprint(&relay.encode());
        let key = (to.clone(), relay.key().subject);
        if state.told.get(&key) != Some(&print) {
            effects.relays.push((to, relay));
        }
        now.insert(key, print);
    }
    let key = |subject: EventId| RelayKey {
        from: entity.clone(),
        subject,
    };
    let (before, other): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut state.told)
        .into_iter()
        .partition(|((_, subject), _)| own(&key(*subject)));
    for ((to, subject), _) in before
        .into_iter()
        .filter(|(told, _)| !now.contains_key(told))
    {
        effects.relays.push((to, Relay::withdrawn(&key(subject))));
    }
    state.told = other;
    state.told.extend(now);
}
