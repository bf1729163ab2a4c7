//! A set of rules as the engine asks it: which facts to keep and for how long, which patterns a fact
//! touches. Everything is worked out once, so that most facts cost a look into a table.

use crate::collect::entity::EntityKind;
use crate::collect::event::{Action, Outcome};
use crate::collect::glance::shows_what_is_usual;
use crate::correlate::fact::Fact;
use crate::correlate::rules::masks::{ACTIONS, Actions, PatternMask};
use crate::correlate::rules::reach::{
    COUNTERS, EVIDENCE_LONGER_MS, is_evidence, readers, reads_baseline, reads_controls,
    step_reach_ms,
};
use crate::correlate::rules::rule::Rule;
use crate::correlate::rules::signal::{Signal, outcome_bit};
use crate::correlate::rules::terms::Term;

/// Kinds of entity.
const KINDS: usize = EntityKind::ALL.len();

/// What a call or a ticket tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// What is known of a call.
    Contact,
    /// What is known of a ticket.
    Ticket,
}

/// A signal that rules of one kind of entity read, with all that read it.
#[derive(Debug)]
struct Read {
    signal: Signal,
    reach_ms: i64,
    patterns: PatternMask,
}

/// The answers for one kind of entity.
#[derive(Debug, Default)]
struct KindTable {
    /// Outcomes by action with which something reads an event that came by itself.
    may: Vec<u8>,
    /// Signals read, and by action the places of those that may read it.
    reads: Vec<Read>,
    by_action: Vec<Vec<u16>>,
    /// Patterns that counter-evidence or a control touches.
    controls: PatternMask,
    /// Patterns that ask what is usual.
    baseline: PatternMask,
    /// Patterns that a call or a ticket touches.
    contacts: PatternMask,
    tickets: PatternMask,
    /// All patterns of this kind.
    all: PatternMask,
}

/// Compiled rules with what follows from them.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// The pattern of each rule, by its place in `patterns`.
    of_rule: Vec<usize>,
    patterns: Vec<String>,
    kinds: [KindTable; KINDS],
    horizon_ms: i64,
}

impl RuleSet {
    /// A rule set. Of more than [`super::masks::PATTERNS_MAX`] patterns the last are never touched,
    /// so loading refuses them.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        let mut patterns: Vec<String> = rules.iter().map(|rule| rule.pattern.clone()).collect();
        patterns.sort_unstable();
        patterns.dedup();
        let place = |rule: &Rule| patterns.iter().position(|known| *known == rule.pattern);
        let of_rule: Vec<usize> = rules.iter().map(|rule| place(rule).unwrap_or(0)).collect();
        let live = || {
            rules
                .iter()
                .zip(&of_rule)
                .filter(|(rule, _)| rule.is_live())
        };
        let horizon_ms = live().map(|(rule, _)| step_reach_ms(rule)).max();
        let kinds = EntityKind::ALL.map(|kind| {
            let mut table = KindTable::new();
            for (rule, pattern) in live().filter(|(rule, _)| rule.is_on(kind)) {
                table.add(rule, PatternMask::of(*pattern));
            }
            table.index();
            table
        });
        Self {
            rules,
            of_rule,
            patterns,
            kinds,
            horizon_ms: horizon_ms.unwrap_or(0),
        }
    }

    /// The rules, in the order of their files.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Pattern ids, in the order of the bits of a [`PatternMask`].
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Live rules of some patterns on a kind of entity, in the order of their files.
    pub fn rules_of(&self, kind: EntityKind, patterns: PatternMask) -> impl Iterator<Item = &Rule> {
        self.rules
            .iter()
            .zip(&self.of_rule)
            .filter(move |(rule, pattern)| {
                patterns.has(**pattern) && rule.is_live() && rule.is_on(kind)
            })
            .map(|(rule, _)| rule)
    }

    /// Every pattern decided on a kind of entity.
    #[must_use]
    pub fn all(&self, kind: EntityKind) -> PatternMask {
        self.table(kind).all
    }

    /// The longest time after its event for which a fact is read, evidence apart.
    #[must_use]
    pub const fn horizon_ms(&self) -> i64 {
        self.horizon_ms
    }

    /// How long evidence is kept that clears or counters, and what calls and tickets tell.
    #[must_use]
    pub const fn evidence_ms(&self) -> i64 {
        self.horizon_ms.saturating_add(EVIDENCE_LONGER_MS)
    }

    /// For how long, in ms after its time, a fact that came by itself may still be read on a kind of
    /// entity; `None`: never. Calls and tickets fold all of their events.
    #[must_use]
    pub fn keeps(&self, kind: EntityKind, fact: &Fact) -> Option<i64> {
        if folds(kind) {
            return Some(self.evidence_ms());
        }
        let table = self.table(kind);
        let read = table.reading(fact).map(|read| read.reach_ms).max();
        let counters = !table.controls.is_empty() && COUNTERS.has(fact.action);
        if counters || (read.is_some() && is_evidence(fact)) {
            return Some(self.evidence_ms());
        }
        read
    }

    /// Whether [`Self::keeps`] may keep a fact of this action and outcome: a look into a table that
    /// says yes to all that is kept.
    #[must_use]
    pub fn may_keep(&self, kind: EntityKind, action: Action, outcome: Outcome) -> bool {
        let table = self.table(kind);
        folds(kind)
            || (!table.controls.is_empty() && COUNTERS.has(action))
            || table.may.get(action as usize).copied().unwrap_or(0) & outcome_bit(outcome) != 0
    }

    /// The patterns whose findings a fact that came by itself can change. On a ticket every event
    /// can change whom it is about.
    #[must_use]
    pub fn touched(&self, kind: EntityKind, fact: &Fact) -> PatternMask {
        let table = self.table(kind);
        if folds(kind) {
            return table.all;
        }
        let read = table.reading(fact).map(|read| read.patterns);
        let mut touched = read.fold(PatternMask::NONE, PatternMask::or);
        if COUNTERS.has(fact.action) {
            touched = touched.or(table.controls);
        }
        if shows_what_is_usual(fact.action) {
            touched = touched.or(table.baseline);
        }
        touched
    }

    /// The patterns whose findings on a kind of entity a call or ticket can change by what it tells.
    #[must_use]
    pub fn touched_by(&self, kind: EntityKind, told: Told) -> PatternMask {
        let table = self.table(kind);
        match told {
            Told::Contact => table.contacts,
            Told::Ticket => table.tickets,
        }
    }

    fn table(&self, kind: EntityKind) -> &KindTable {
        let [identity, contact, ticket, agent, caller, device, address] = &self.kinds;
        match kind {
            EntityKind::Identity => identity,
            EntityKind::Contact => contact,
            EntityKind::Ticket => ticket,
            EntityKind::Agent => agent,
            EntityKind::Caller => caller,
            EntityKind::Device => device,
            EntityKind::Address => address,
        }
    }
}

/// Calls and tickets fold their events into facts; rules read those.
const fn folds(kind: EntityKind) -> bool {
    matches!(kind, EntityKind::Contact | EntityKind::Ticket)
}

/// Whether an action may be evidence of a call (`contact`) or of a ticket.
fn told_actions(contact: bool) -> Actions {
    let prefixes: &[&str] = if contact {
        &["contact.", "callback.", "verify.", "ticket."]
    } else {
        &[
            "ticket.",
            "approval.",
            "review.",
            "callback.",
            "verify.",
            "contact.",
        ]
    };
    let told = |action: &Action| {
        let name = action.as_str();
        prefixes.iter().any(|prefix| name.starts_with(prefix))
    };
    let actions = Action::ALL.into_iter().filter(told).map(Actions::of);
    actions.fold(Actions::NONE, Actions::or)
}

impl KindTable {
    fn new() -> Self {
        Self {
            may: vec![0; ACTIONS],
            by_action: vec![Vec::new(); ACTIONS],
            ..Self::default()
        }
    }

    fn add(&mut self, rule: &Rule, pattern: PatternMask) {
        self.all = self.all.or(pattern);
        let controls = reads_controls(rule);
        if controls {
            self.controls = self.controls.or(pattern);
        }
        if reads_baseline(rule) {
            self.baseline = self.baseline.or(pattern);
        }
        let (mut contacts, mut tickets) = (controls, controls);
        for (condition, _) in rule.conditions() {
            contacts |= matches!(condition.term, Term::ContactBy(..));
            tickets |= matches!(
                condition.term,
                Term::TicketBy(..) | Term::LiveTicket(..) | Term::OwnTicketLive(..)
            );
        }
        for reader in readers(rule) {
            let domain = reader.signal.domain();
            contacts |= domain.contact || domain.with_others().meets(told_actions(true));
            tickets |= domain.ticket || domain.with_others().meets(told_actions(false));
            self.read(reader.signal, reader.reach_ms, pattern);
        }
        if contacts {
            self.contacts = self.contacts.or(pattern);
        }
        if tickets {
            self.tickets = self.tickets.or(pattern);
        }
    }

    fn read(&mut self, signal: Signal, reach_ms: i64, patterns: PatternMask) {
        match self.reads.iter_mut().find(|read| read.signal == signal) {
            Some(read) => {
                read.reach_ms = read.reach_ms.max(reach_ms);
                read.patterns = read.patterns.or(patterns);
            }
            None => self.reads.push(Read {
                signal,
                reach_ms,
                patterns,
            }),
        }
    }

    fn index(&mut self) {
        for (action, (may, places)) in Action::ALL
            .into_iter()
            .zip(self.may.iter_mut().zip(&mut self.by_action))
        {
            for (place, read) in (0_u16..).zip(&self.reads) {
                let outcomes = read.signal.domain().outcomes(action);
                *may |= outcomes;
                if outcomes != 0 {
                    places.push(place);
                }
            }
        }
    }

    /// The signals that a fact is.
    fn reading<'t>(&'t self, fact: &'t Fact) -> impl Iterator<Item = &'t Read> {
        let places = self.by_action.get(fact.action as usize);
        places
            .into_iter()
            .flatten()
            .filter_map(|place| self.reads.get(usize::from(*place)))
            .filter(|read| read.signal.matches_alone(fact))
    }
}

#[cfg(test)]
mod tests;
