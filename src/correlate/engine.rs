//! The engine of one partition: entries in, effects out. No clock, no I/O; whatever it must know is an
//! entry of its partition.
//!
//! Calling order: for each entry [`Engine::advance`] with its `log_ts`, then the `handle_*` of its
//! kind. Relays in the effects go through the log, also to the own partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::Event;
use crate::collect::time::{MINUTE_MS, SECOND_MS, Timestamp};
use crate::correlate::case::{Case, Revision, revise};
use crate::correlate::contact::ContactState;
use crate::correlate::entity_state::{EntityState, Obligation, Relay};
use crate::correlate::fact::Fact;
use crate::correlate::finding::{Finding, standing};
use crate::correlate::rules::Rule;
use crate::correlate::rules::rule::{Evidence, Match, Status};
use crate::correlate::ticket::{self, TicketState};
use crate::correlate::view::View;

/// How much `log_ts` must go by after the watermark passed a deadline, so that relays can arrive.
pub const RELAY_GRACE_MS: i64 = 30 * SECOND_MS;
/// The longest wait for a watermark; a stuck source must not mute absence patterns.
pub const MAX_WAIT_MS: i64 = 15 * MINUTE_MS;

/// What an entry caused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// New revisions of cases.
    pub revisions: Vec<(Entity, Revision)>,
    /// Relays to other entities.
    pub relays: Vec<(Entity, Relay)>,
}

/// The engine of one partition.
#[derive(Debug)]
pub struct Engine {
    tenant: String,
    rules: Arc<[Rule]>,
    entities: BTreeMap<Entity, EntityState>,
    cases: BTreeMap<Entity, Case>,
    watermarks: BTreeMap<Evidence, Timestamp>,
    log_ts: Timestamp,
}

impl Engine {
    /// An engine without state.
    #[must_use]
    pub fn new(tenant: impl Into<String>, rules: Arc<[Rule]>) -> Self {
        Self {
            tenant: tenant.into(),
            rules,
            entities: BTreeMap::new(),
            cases: BTreeMap::new(),
            watermarks: BTreeMap::new(),
            log_ts: Timestamp::MIN,
        }
    }

    /// A declared source delivers this evidence, with this watermark so far. An obligation opens only
    /// if its evidence is declared: "not recorded" is never "not done".
    pub fn declare(&mut self, evidence: Evidence, watermark: Timestamp) {
        let held = self.watermarks.entry(evidence).or_insert(watermark);
        *held = (*held).max(watermark);
    }

    /// Active findings of an entity, in order.
    #[must_use]
    pub fn findings(&self, entity: &Entity) -> &[Finding] {
        self.entities
            .get(entity)
            .map_or(&[], |state| &state.findings)
    }

    /// The case of an entity.
    #[must_use]
    pub fn case(&self, entity: &Entity) -> Option<&Case> {
        self.cases.get(entity)
    }

    /// What is remembered of an entity, and its case: what a changelog record holds.
    #[must_use]
    pub fn state(&self, entity: &Entity) -> Option<(&EntityState, Option<&Case>)> {
        self.entities
            .get(entity)
            .map(|state| (state, self.cases.get(entity)))
    }

    /// Brings back what a changelog record holds. Before any entry.
    pub fn restore(&mut self, entity: Entity, state: EntityState, case: Option<Case>) {
        if let Some(case) = case {
            self.cases.insert(entity.clone(), case);
        }
        self.entities.insert(entity, state);
    }

    /// Entities with state, in order.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.entities.keys()
    }

    /// Lets log time pass and decides the obligations that have become due, before the entry that
    /// carries `log_ts` is applied.
    pub fn advance(&mut self, log_ts: Timestamp) -> Effects {
        self.log_ts = self.log_ts.max(log_ts);
        let mut effects = Effects::default();
        let due: Vec<Entity> = self
            .entities
            .iter()
            .filter(|(_, state)| state.obligations.values().any(|o| self.is_due(o)))
            .map(|(entity, _)| entity.clone())
            .collect();
        for entity in due {
            let now = self.log_ts;
            if let Some(state) = self.entities.get_mut(&entity) {
                for obligation in state.obligations.values_mut() {
                    let forced = waited_too_long(obligation, now);
                    if !obligation.decided && (forced || ripe(obligation, now)) {
                        obligation.decided = true;
                        obligation.forced = forced && !ripe(obligation, now);
                    }
                }
            }
            self.judge(&entity, &mut effects);
        }
        effects
    }

    fn is_due(&self, obligation: &Obligation) -> bool {
        !obligation.decided
            && (ripe(obligation, self.log_ts) || waited_too_long(obligation, self.log_ts))
    }

    /// The watermark of the sources that deliver an evidence has moved. It never falls.
    pub fn handle_watermark(&mut self, evidence: Evidence, watermark: Timestamp) {
        let Some(held) = self.watermarks.get_mut(&evidence) else {
            return;
        };
        *held = (*held).max(watermark);
        let passed = *held;
        let now = self.log_ts;
        let waits = |rule_id: &str| {
            self.rules
                .iter()
                .any(|r| r.id == rule_id && r.evidence == Some(evidence))
        };
        for state in self.entities.values_mut() {
            for ((rule, _), obligation) in &mut state.obligations {
                let passes = passed > obligation.deadline && obligation.ripe.is_none();
                if passes && waits(rule) {
                    obligation.ripe = Some(now);
                }
            }
        }
    }

    /// A copy of an event for one entity.
    pub fn handle_event(&mut self, entity: &Entity, event: &Event) -> Effects {
        let fact = Fact::of(event);
        let mut effects = Effects::default();
        let state = self.entities.entry(entity.clone()).or_default();
        if !state.note(entity, &fact) {
            return effects;
        }
        self.tell(entity, &mut effects);
        self.judge(entity, &mut effects);
        effects
    }

    /// What another entity tells this one.
    pub fn handle_relay(&mut self, entity: &Entity, relay: Relay) -> Effects {
        let mut effects = Effects::default();
        if self.entities.entry(entity.clone()).or_default().hear(relay) {
            self.judge(entity, &mut effects);
        }
        effects
    }

    /// Sends what a call or ticket knows to those it names, and takes it back from those it no longer
    /// does.
    fn tell(&mut self, entity: &Entity, effects: &mut Effects) {
        let Some(state) = self.entities.get_mut(entity) else {
            return;
        };
        let telling = state.tell(entity);
        let from = entity.id.clone();
        let withdrawn = if entity.kind == EntityKind::Contact {
            Relay::Contact { from, state: None }
        } else {
            Relay::Ticket { from, state: None }
        };
        let told: Vec<Entity> = telling.iter().map(|(to, _)| to.clone()).collect();
        for left in state.told.iter().filter(|to| !told.contains(to)) {
            effects.relays.push((left.clone(), withdrawn.clone()));
        }
        state.told = told;
        effects.relays.extend(telling);
    }

    /// Evaluates every rule of the entity's kind on all that is kept, and publishes what changed.
    /// Findings are a function of the kept facts, so the order of arrival plays no part.
    fn judge(&mut self, entity: &Entity, effects: &mut Effects) {
        let rules = Arc::clone(&self.rules);
        let Some(state) = self.entities.get_mut(entity) else {
            return;
        };
        let contacts: Vec<ContactState> = state.contacts.values().cloned().collect();
        // A ticket sees itself; everybody else sees the tickets they were told of.
        let tickets: Vec<TicketState> = if entity.kind == EntityKind::Ticket {
            ticket::fold(state.window.facts()).into_iter().collect()
        } else {
            state.tickets.values().cloned().collect()
        };
        let kept = if entity.kind == EntityKind::Ticket {
            &[]
        } else {
            state.window.facts()
        };
        let view = View::new(entity, kept, &contacts, &tickets, &state.baseline);
        let mut findings = Vec::new();
        let mut opened = Vec::new();
        let applies =
            |rule: &&Rule| rule.status == Status::Enabled && rule.entities.contains(&entity.kind);
        for rule in rules.iter().filter(applies) {
            for found in rule.matches(&view) {
                if active(
                    rule,
                    &found,
                    &state.obligations,
                    &self.watermarks,
                    &mut opened,
                ) {
                    findings.push(Finding::of(&self.tenant, rule, &found, entity, &view));
                }
            }
        }
        for (key, deadline, passed) in opened {
            let ripe = passed.then_some(self.log_ts);
            let opened = self.log_ts;
            state.obligations.insert(
                key,
                Obligation {
                    deadline,
                    opened,
                    ripe,
                    decided: false,
                    forced: false,
                },
            );
        }
        state.findings = standing(findings);
        let weak = only_weak(&view, &state.findings);
        let case = self.cases.get(entity);
        if let Some(revision) = revise(entity.kind, case, &state.findings, weak) {
            self.cases.insert(entity.clone(), revision.case.clone());
            effects.revisions.push((entity.clone(), revision));
        }
    }
}

/// Key, deadline and whether the watermark has passed it already, of an obligation to open.
type Opened = ((String, crate::collect::event::EventId), Timestamp, bool);

/// Whether a match is a finding now. One with a deadline is, once its obligation was decided; without
/// an obligation one is opened, if its evidence is declared.
fn active(
    rule: &Rule,
    found: &Match,
    obligations: &BTreeMap<(String, crate::collect::event::EventId), Obligation>,
    watermarks: &BTreeMap<Evidence, Timestamp>,
    opened: &mut Vec<Opened>,
) -> bool {
    let (Some(deadline), Some(evidence)) = (found.deadline, rule.evidence) else {
        return true;
    };
    let key = (rule.id.clone(), found.anchor);
    if let Some(obligation) = obligations.get(&key) {
        return obligation.decided;
    }
    if let Some(watermark) = watermarks.get(&evidence) {
        opened.push((key, deadline, *watermark > deadline));
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

fn ripe(obligation: &Obligation, now: Timestamp) -> bool {
    obligation
        .ripe
        .is_some_and(|since| now.since(since) >= RELAY_GRACE_MS)
}

fn waited_too_long(obligation: &Obligation, now: Timestamp) -> bool {
    now >= obligation.deadline.max(obligation.opened).plus(MAX_WAIT_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::event::{Action, Domain, Outcome, ResolutionStatus, Role, TicketRef};
    use crate::collect::time::HOUR_MS;
    use crate::correlate::rules;

    const START: Timestamp = Timestamp(1_772_442_000_000);

    fn engine() -> Engine {
        let rules = rules::embedded().unwrap_or_else(|faults| panic!("{}", faults[0]));
        Engine::new("test", Arc::from(rules))
    }

    fn role(id: &str) -> Option<Box<Role>> {
        let mut role = Role {
            identity: Some(id.into()),
            ..Role::default()
        };
        role.resolution.status = ResolutionStatus::Resolved;
        role.resolution.strong = true;
        Some(Box::new(role))
    }

    fn reset() -> Event {
        let mut event = Event::new(Domain::Idp, Action::CredentialPasswordReset, START);
        event.event_id.0 = [1; 16];
        event.outcome = Outcome::Success;
        event.target = role("T");
        event.agent = role("A");
        event
    }

    fn person() -> Entity {
        Entity::new(EntityKind::Identity, "T")
    }

    fn rules_of(engine: &Engine) -> Vec<&str> {
        engine
            .findings(&person())
            .iter()
            .map(|f| f.rule.as_str())
            .collect()
    }

    /// An engine in which a reset without a ticket was just seen.
    fn owed() -> Engine {
        let mut engine = engine();
        engine.declare(Evidence::Ticket, Timestamp::MIN);
        engine.advance(START);
        engine.handle_event(&person(), &reset());
        engine
    }

    #[test]
    fn an_obligation_speaks_after_its_deadline_and_the_grace_for_relays() {
        let mut engine = owed();
        let deadline = START.plus(30 * MINUTE_MS);
        let mut login = Event::new(Domain::Idp, Action::AuthLogin, START.plus(1));
        login.event_id.0 = [3; 16];
        login.target = role("T");
        assert_eq!(
            engine.handle_event(&person(), &login),
            Effects::default(),
            "not decided yet"
        );
        engine.handle_watermark(Evidence::Ticket, deadline);
        assert_eq!(
            engine.advance(START.plus(MINUTE_MS)),
            Effects::default(),
            "not passed yet"
        );
        engine.handle_watermark(Evidence::Ticket, deadline.plus(1));
        let seen = START.plus(MINUTE_MS);
        assert_eq!(
            engine.advance(seen.plus(RELAY_GRACE_MS - 1)),
            Effects::default()
        );
        let effects = engine.advance(seen.plus(RELAY_GRACE_MS));
        assert_eq!(effects.revisions.len(), 1);
        assert_eq!(rules_of(&engine), ["HDT-01"]);
        assert_eq!(
            effects.revisions[0].1.case.time, deadline,
            "the deadline's time, no later one"
        );
        assert_eq!(
            engine.advance(seen.plus(HOUR_MS)),
            Effects::default(),
            "once"
        );
    }

    #[test]
    fn a_stuck_source_does_not_mute_it_for_good() {
        let mut engine = owed();
        let longest = START.plus(30 * MINUTE_MS + MAX_WAIT_MS);
        assert_eq!(engine.advance(longest.minus(1)), Effects::default());
        assert_eq!(engine.advance(longest).revisions.len(), 1);
        let (state, _) = engine.state(&person()).unwrap();
        assert!(state.obligations.values().all(|o| o.decided && o.forced));
    }

    #[test]
    fn what_nobody_records_is_not_missing() {
        let mut engine = engine();
        engine.advance(START);
        engine.handle_event(&person(), &reset());
        engine.handle_watermark(Evidence::Ticket, Timestamp::MAX);
        assert_eq!(
            engine.advance(START.plus(100 * HOUR_MS)),
            Effects::default()
        );
        assert!(rules_of(&engine).is_empty());
    }

    #[test]
    fn late_evidence_takes_the_finding_back_under_the_same_alert() {
        let mut engine = owed();
        let first = engine.advance(START.plus(HOUR_MS)).revisions.remove(0).1;
        assert_eq!((first.case.revision, first.case.closed), (1, false));
        let mut opened = Event::new(Domain::Ticket, Action::TicketOpened, START.minus(MINUTE_MS));
        opened.event_id.0 = [2; 16];
        opened.requester = role("T");
        opened.ticket_ref = Some(Box::new(TicketRef {
            system: "d".into(),
            id: "t".into(),
            ..Default::default()
        }));
        let ticket = Entity::new(EntityKind::Ticket, "d:t");
        let told = engine.handle_event(&ticket, &opened).relays;
        assert_eq!(told.len(), 1);
        let (to, relay) = told.into_iter().next().unwrap();
        let second = engine
            .handle_relay(&to, relay.clone())
            .revisions
            .remove(0)
            .1;
        assert_eq!(second.case.alert_id, first.case.alert_id);
        assert_eq!((second.case.revision, second.case.closed), (2, true));
        assert_eq!(
            engine.handle_relay(&to, relay),
            Effects::default(),
            "no news, no revision"
        );
    }

    #[test]
    fn a_duplicate_has_no_effect() {
        let mut engine = owed();
        assert_eq!(engine.handle_event(&person(), &reset()), Effects::default());
    }
}
