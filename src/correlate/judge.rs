//! What an entity's state says now: rules, obligations, the case, and what others are told of it.

use std::collections::BTreeMap;

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::EventId;
use crate::collect::time::Timestamp;
use crate::correlate::alert::{Alert, Given};
use crate::correlate::audit;
use crate::correlate::case::{End, Judged, Revision};
use crate::correlate::engine::{Effects, NewFinding, Published, Setup};
use crate::correlate::entity_state::{
    CONTACTS_MAX, EntityState, LATENESS_MS, Obligation, TICKETS_MAX,
};
use crate::correlate::exempt::InForce;
use crate::correlate::fact::Fact;
use crate::correlate::finding::{Finding, standing};
use crate::correlate::ocsf;
use crate::correlate::partition_state::{Marks, RELAY_GRACE_MS, Source};
use crate::correlate::rules::Rule;
use crate::correlate::rules::masks::PatternMask;
use crate::correlate::rules::rule::{Evidence, Match};
use crate::correlate::ticket::{self, TicketState};
use crate::correlate::view::View;
use crate::correlate::window::Window;

mod end;
mod tell;

pub use end::{close, dispose};
pub use tell::tell;
use tell::{send, tell_pivots};

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
    /// Exemptions and silences.
    pub in_force: &'a InForce,
}

impl Setting<'_> {
    /// Facts before this moment may have been forgotten.
    fn horizon(&self) -> Timestamp {
        let longest = self.setup.rules.horizon_ms();
        self.marks.all.minus(longest.saturating_add(LATENESS_MS))
    }

    /// The evidence that declared sources deliver, each once.
    fn declared(&self) -> Vec<Evidence> {
        let all = Evidence::ALL.iter().map(|(_, evidence)| *evidence);
        all.filter(|evidence| self.delivers(*evidence)).collect()
    }

    /// It came later than its feed may be.
    fn is_late(&self, fact: &Fact) -> bool {
        let lateness_ms = self
            .sources
            .values()
            .filter(|source| source.topic == fact.at.topic)
            .map(|source| source.lateness_ms)
            .max();
        lateness_ms.is_some_and(|ms| fact.time < self.marks.all.minus(ms))
    }

    const fn end<'e>(&'e self, entity: &'e Entity, time: Timestamp) -> End<'e> {
        End {
            entity,
            in_force: self.in_force,
            time,
        }
    }

    /// Some declared source delivers this evidence. "Not recorded" is never "not done".
    fn delivers(&self, evidence: Evidence) -> bool {
        self.sources
            .values()
            .any(|source| source.evidence.contains(&evidence))
    }
}

/// Decides the obligations that are due: how many were, and how many of them without the watermark.
pub fn decide(state: &mut EntityState, setting: &Setting<'_>) -> (usize, usize) {
    let (mut decided, mut without) = (0, 0);
    for obligation in state.obligations.values_mut().filter(|o| !o.decided) {
        let passed = setting.settled.of(obligation.evidence) > obligation.deadline
            && setting.log_ts.since(obligation.opened) >= RELAY_GRACE_MS;
        let forced = setting.log_ts >= obligation.forced_at(setting.setup.max_wait_ms);
        if passed || forced {
            obligation.decided = true;
            obligation.forced = !passed;
            decided += 1;
            without += usize::from(!passed);
        }
    }
    (decided, without)
}

/// What made a new look at an entity necessary.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Patterns whose findings may have changed; those of the others stand as they were.
    pub patterns: PatternMask,
    /// The event that brought it, where one can be named.
    pub cause: Option<EventId>,
}

/// Evaluates the rules of the entity's kind on all that is kept, and publishes what changed. Findings
/// are a function of what is kept, so the order of arrival plays no part.
pub fn judge(
    state: &mut EntityState,
    entity: &Entity,
    setting: &Setting<'_>,
    look: Look,
    effects: &mut Effects,
) {
    let own = own_ticket(&state.window, entity);
    let kept = kept(&state.window, entity);
    let tickets = state.tickets.values().chain(&own);
    let view = View::new(
        entity,
        kept,
        state.contacts.values(),
        tickets,
        &state.baseline,
    );
    let (findings, opened) = found(state, entity, setting, look.patterns, &view);
    let seen = |id| view.seen.iter().find(|seen| seen.fact.id == id);
    let cause = look.cause.and_then(seen).map(|seen| seen.fact);
    let revision = state.cases.revise(&Judged {
        entity,
        findings: &findings,
        only_weak: only_weak(&view, &findings),
        cause: cause.map(|fact| (fact.id, fact.time)),
        horizon: setting.horizon(),
        in_force: setting.in_force,
    });
    let telling = tell_pivots(entity, &view, &findings);
    state.obligations.extend(opened);
    let settled = settle(state, entity, setting, &view);
    if let Some(revision) = &revision {
        let late = cause.is_some_and(|fact| setting.is_late(fact));
        effects.counts.late += usize::from(late);
        let alert = alert(state, setting, &view, revision, late);
        effects.alerts.push(alert);
    }
    for (recovery, entry, settled) in settled {
        effects.audits.push(entry);
        state.audited.insert(recovery, settled);
    }
    note(&state.findings, &findings, effects);
    state.findings = findings;
    if entity.kind != EntityKind::Identity {
        send(
            state,
            telling,
            |key| key.subject != EventId::default(),
            entity,
            effects,
        );
    }
}

/// Notes the findings that were not there before; a relayed one was noted where it was made.
fn note(before: &[Finding], now: &[Finding], effects: &mut Effects) {
    if now.iter().map(|f| f.id).eq(before.iter().map(|f| f.id)) {
        return;
    }
    let is_new = |finding: &&Finding| {
        finding.relayed_from.is_none() && before.iter().all(|other| other.id != finding.id)
    };
    let new = now.iter().filter(is_new).map(|finding| NewFinding {
        pattern: finding.pattern.clone(),
        is_suppressed: finding.suppressed.is_some(),
    });
    effects.findings.extend(new);
}

/// A ticket as a view of it sees it. Others see what they were told.
fn own_ticket(window: &Window, entity: &Entity) -> Option<TicketState> {
    let own = (entity.kind == EntityKind::Ticket).then(|| ticket::fold(window.facts()));
    own.flatten()
}

/// The facts that a view sees by themselves: a ticket sees its own in the fold alone.
fn kept<'w>(window: &'w Window, entity: &Entity) -> &'w [Fact] {
    if entity.kind == EntityKind::Ticket {
        &[]
    } else {
        window.facts()
    }
}

type Opened = Vec<((String, EventId), Obligation)>;

/// The findings that stand now, and the obligations that were opened.
fn found(
    state: &EntityState,
    entity: &Entity,
    setting: &Setting<'_>,
    patterns: PatternMask,
    view: &View<'_>,
) -> (Vec<Finding>, Opened) {
    let rules = &setting.setup.rules;
    let tenant = &setting.setup.tenant;
    let asked = |pattern: &str| {
        let place = rules.patterns().iter().position(|known| known == pattern);
        place.is_none_or(|place| patterns.has(place))
    };
    let stands = |f: &&Finding| f.relayed_from.is_none() && !asked(&f.pattern);
    let mut findings: Vec<Finding> = state.findings.iter().filter(stands).cloned().collect();
    let mut opened = Vec::new();
    for rule in rules.rules_of(entity.kind, patterns) {
        let out = setting.in_force.left_out(entity, &rule.pattern, view);
        let counted = (!out.is_empty()).then(|| view.without(&out));
        let view = counted.as_ref().unwrap_or(view);
        for found in rule.matches(view) {
            if is_active(rule, &found, state, setting, &mut opened) {
                let mut finding = Finding::of(tenant, rule, &found, entity, view);
                setting
                    .in_force
                    .apply(&mut finding, (rule, &found), entity, view);
                let obligation = state.obligations.get(&(rule.id.clone(), found.anchor));
                finding.forced = obligation.is_some_and(|o| o.forced);
                findings.push(finding);
            }
        }
    }
    for (key, pivot) in &state.pivot_findings {
        findings.push(Finding::of_pivot(tenant, entity, &key.from, pivot, view));
    }
    let mut findings = standing(findings);
    findings.retain(|finding| state.cases.admits(finding.anchor));
    (findings, opened)
}

/// The settled audit records of recoveries whose controls are decided and say something new.
fn settle(
    state: &EntityState,
    entity: &Entity,
    setting: &Setting<'_>,
    view: &View<'_>,
) -> Vec<(EventId, audit::Entry, audit::Settled)> {
    if entity.kind != EntityKind::Identity {
        return Vec::new();
    }
    let declared = setting.declared();
    let owed = |id: EventId| {
        let mut on = state
            .obligations
            .iter()
            .filter(|((_, anchor), _)| *anchor == id);
        on.any(|(_, obligation)| !obligation.decided)
    };
    let facts = state.window.facts().iter();
    facts
        .filter(|fact| fact.recovery_class().is_some() && !owed(fact.id))
        .filter_map(|fact| {
            let last = state.audited.get(&fact.id);
            let (entry, settled) = audit::settled(entity, fact, view, &declared, last)?;
            Some((fact.id, entry, settled))
        })
        .collect()
}

/// The record of a revision.
fn alert(
    state: &EntityState,
    setting: &Setting<'_>,
    view: &View<'_>,
    revision: &Revision,
    late: bool,
) -> Published {
    let relayed: Vec<&Fact> = state
        .pivot_findings
        .values()
        .flat_map(|f| &f.facts)
        .collect();
    let mut bounds = Vec::new();
    if state.window.truncated > 0 {
        bounds.push("facts");
    }
    if state.contacts.len() >= CONTACTS_MAX {
        bounds.push("contacts");
    }
    if state.tickets.len() >= TICKETS_MAX {
        bounds.push("tickets");
    }
    let setup = setting.setup;
    let alert = Alert::of(&Given {
        tenant: &setup.tenant,
        topic: &setup.alerts_topic,
        page: setup.page.as_deref(),
        rules: setup.rules.rules(),
        in_force: setting.in_force,
        declared: &setting.declared(),
        entity: view.entity,
        view,
        relayed: &relayed,
        revision,
        late,
        bounds: &bounds,
    });
    Published {
        entity: view.entity.clone(),
        revision: revision.clone(),
        lead: alert.lead.as_ref().map(|item| item.finding.pattern.clone()),
        key: ocsf::key(&alert),
        headers: ocsf::headers(&alert),
        value: ocsf::encode(&alert),
    }
}

/// Writes down that something happened, if this entity is the one that does. `before` is the ticket
/// without it.
pub fn record(entity: &Entity, fact: &Fact, before: Option<&TicketState>, effects: &mut Effects) {
    effects.audits.extend(audit::recorded(entity, fact, before));
}

/// Whether a match is a finding now. One with a deadline is, once its obligation was decided; without
/// an obligation one is opened, if its evidence is declared.
fn is_active(
    rule: &Rule,
    found: &Match,
    state: &EntityState,
    setting: &Setting<'_>,
    opened: &mut Opened,
) -> bool {
    let (Some(deadline), Some(evidence)) = (found.deadline, rule.evidence) else {
        return true;
    };
    let key = (rule.id.clone(), found.anchor);
    if let Some(obligation) = state.obligations.get(&key) {
        return obligation.decided;
    }
    let maintained = setting.in_force.maintenance(evidence, found.anchor_time);
    if setting.delivers(evidence) && maintained.is_none() {
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
        anchor.is_some_and(|seen| seen.target().is_some_and(|target| target.weak))
    };
    !findings.is_empty() && findings.iter().all(weak)
}
