//! The checks of one rule, each a function from a rule to its faults.

use super::Declared;
use crate::collect::entity::EntityKind;
use crate::correlate::rules::compile::SPAN_MS_MAX;
use crate::correlate::rules::fault::RuleFault;
use crate::correlate::rules::lint::delivery;
use crate::correlate::rules::origin::Place;
use crate::correlate::rules::rule::{Operator, Part, Rule, Threshold};
use crate::correlate::rules::terms::{Around, Condition, Needs, Term};
use crate::correlate::window::FACTS_MAX;

/// Largest whole points of a rule: nothing alone is certain.
const POINTS_MAX: i64 = 95;

pub(super) fn of(rule: &Rule, declared: &Declared) -> Vec<RuleFault> {
    let mut faults = Vec::new();
    faults.extend(texts(rule));
    faults.extend(tests(rule));
    faults.extend(entities(rule));
    faults.extend(signals(rule));
    faults.extend(operator(rule));
    faults.extend(conditions(rule));
    faults.extend(contradictions(rule));
    faults.extend(delivery::evidence(rule, declared));
    faults.extend(delivery::steps(rule, declared));
    faults
}

/// A fault at a place of the rule's file.
pub(super) fn fault(rule: &Rule, place: Place, what: impl Into<String>) -> RuleFault {
    RuleFault::at(&rule.origin.file, place, what)
}

/// Where a span of the operator stands, else the operator.
pub(super) fn span_place(rule: &Rule, at: usize) -> Place {
    let span = rule.origin.spans.get(at).copied();
    span.unwrap_or(rule.origin.operator)
}

fn texts(rule: &Rule) -> Vec<RuleFault> {
    let mut faults = Vec::new();
    if rule.description.is_empty() {
        let what = format!("`{}` has no description", rule.id);
        let remedy = "say in a paragraph what an analyst must know";
        faults.push(fault(rule, rule.origin.description, what).remedy(remedy));
    }
    if !(1..=POINTS_MAX).contains(&rule.points) {
        let what = format!("`{}` is worth {} points", rule.id, rule.points);
        let remedy = "give it between 1 and 95 whole points";
        faults.push(fault(rule, rule.origin.id, what).remedy(remedy));
    }
    faults
}

/// A rule is shown to fire and to stay quiet.
fn tests(rule: &Rule) -> Vec<RuleFault> {
    let tests = &rule.origin.tests;
    let missing = |what: &str, remedy: &str| {
        let what = format!("`{}` has no test in which it {what}", rule.id);
        fault(rule, rule.origin.id, what).remedy(remedy)
    };
    let mut faults = Vec::new();
    if tests.iter().all(|test| test.expect.is_empty()) {
        let remedy = "add one to `tests`, with its findings in `expect`";
        faults.push(missing("fires", remedy));
    }
    if tests.iter().all(|test| !test.expect.is_empty()) {
        faults.push(missing(
            "stays quiet",
            "add one to `tests`, with `expect: []`",
        ));
    }
    faults
}

fn entities(rule: &Rule) -> Vec<RuleFault> {
    let mut faults = Vec::new();
    if rule.entities.is_empty() {
        let what = format!("`{}` is decided on no entity", rule.id);
        faults.push(fault(rule, rule.origin.id, what).remedy("name one in `entities`"));
    }
    if rule.is_on(EntityKind::Contact) {
        let what = format!("`{}` is never evaluated on a contact", rule.id);
        let remedy = "decide it on the identity or the caller, which are told of the contact";
        faults.push(fault(rule, rule.origin.id, what).remedy(remedy));
    }
    faults
}

fn signals(rule: &Rule) -> Vec<RuleFault> {
    let places = rule.origin.signals.iter().copied();
    rule.signals
        .iter()
        .zip(places)
        .filter(|((_, signal), _)| signal.domain().is_empty())
        .map(|((name, _), place)| {
            let what = format!("`{name}` can never match: its rows contradict each other");
            fault(rule, place, what).remedy("drop one of the rows, or make them `any_of`")
        })
        .collect()
}

fn operator(rule: &Rule) -> Vec<RuleFault> {
    let wrong =
        |what: String, remedy: &str| vec![fault(rule, rule.origin.operator, what).remedy(remedy)];
    match &rule.operator {
        Operator::Set(set) if set.min > set.signals.len() || set.min == 0 => {
            let what = format!("`min: {}` of {} signals", set.min, set.signals.len());
            wrong(
                what,
                "ask for at least one signal, and no more than are named",
            )
        }
        Operator::Count(count) => thresholds(rule, &count.thresholds),
        Operator::Distinct(distinct) => thresholds(rule, &distinct.thresholds),
        Operator::Sequence(sequence) if sequence.steps.len() < 2 => wrong(
            "a sequence of fewer than two steps".to_owned(),
            "use `single`",
        ),
        Operator::Single(_)
        | Operator::Set(_)
        | Operator::Sequence(_)
        | Operator::FirstSeen(_)
        | Operator::Absence(_) => Vec::new(),
    }
}

fn thresholds(rule: &Rule, thresholds: &[Threshold]) -> Vec<RuleFault> {
    let mut faults = Vec::new();
    let mut wrong = |at: usize, what: String, remedy: &str| {
        faults.push(fault(rule, span_place(rule, at), what).remedy(remedy));
    };
    if thresholds.is_empty() {
        wrong(
            0,
            "no threshold: it never fires".to_owned(),
            "name one in `any`",
        );
    }
    for (at, threshold) in thresholds.iter().enumerate() {
        let gte = threshold.gte;
        if gte > FACTS_MAX {
            let what = format!("`gte: {gte}` is never reached: {FACTS_MAX} facts are kept");
            wrong(at, what, "ask for fewer");
        }
        if gte == 0 || threshold.within_ms == 0 {
            let what = format!("`gte: {gte}` in a span of {} ms", threshold.within_ms);
            wrong(at, what, "ask for at least one, in a span longer than 0");
        }
        let before = |(other, held): (usize, &Threshold)| {
            other != at
                && held.gte <= gte
                && held.within_ms >= threshold.within_ms
                && held.min_tier <= threshold.min_tier
                && (held != threshold || other < at)
        };
        if thresholds.iter().enumerate().any(before) {
            let what = format!("`gte: {gte}` never decides: another threshold is reached before");
            wrong(at, what, "drop it, or make it easier to reach");
        }
    }
    faults
}

/// The span a term asks for around a step, and whether one without length is a moment.
fn span_of(term: &Term) -> Option<(Around, bool)> {
    match term {
        Term::LiveTicket(_, span) | Term::TicketBy(_, _, span) => Some((*span, true)),
        Term::Within(_, _, span)
        | Term::ContactBy(_, _, span)
        | Term::CalledBack(_, span)
        | Term::SecondPerson(_, span)
        | Term::Exists(_, _, span) => Some((*span, false)),
        Term::Verified(_, _, within) => Some(((-within, 0), false)),
        Term::InBaseline(..)
        | Term::ShortBaseline(_)
        | Term::SameDevice(..)
        | Term::SamePerson(..)
        | Term::SameRequest(..)
        | Term::OwnTicketLive(..)
        | Term::OfRecord(..)
        | Term::Is(..)
        | Term::Beside(..)
        | Term::Defends(..) => None,
    }
}

fn conditions(rule: &Rule) -> Vec<RuleFault> {
    let mut faults = Vec::new();
    let places = rule.origin.conditions.iter().copied();
    for ((condition, part), place) in rule.conditions().zip(places) {
        let mut wrong = |what: &str, remedy: &str| {
            faults.push(fault(rule, place, what).remedy(remedy));
        };
        if let Some(((from, to), is_moment)) = span_of(&condition.term) {
            if from < -SPAN_MS_MAX || to > SPAN_MS_MAX {
                wrong(
                    "looks further than 7d, the longest span kept",
                    "shorten the span",
                );
            }
            if from >= to && !is_moment {
                let remedy = "let it end later than it begins";
                wrong("nothing lies in a span without length", remedy);
            }
        }
        for step in unbound(rule, condition, part) {
            let name = rule.signals.get(step).map_or("", |(name, _)| name);
            let what = format!("`{name}` is never bound here, so this never holds");
            let remedy = "name a step of the operator, or ask with `exists` or `beside`";
            wrong(&what, remedy);
        }
        let asks_baseline = matches!(
            condition.term,
            Term::InBaseline(..) | Term::ShortBaseline(_)
        );
        if asks_baseline && !rule.is_on(EntityKind::Identity) {
            wrong(
                "only an identity has a baseline",
                "decide the rule on identities",
            );
        }
    }
    faults
}

/// The steps a condition looks at that the operator never binds. What a set may leave unbound is
/// bound at times; what is asked of all bound steps is content with what there is.
fn unbound(rule: &Rule, condition: &Condition, part: Part) -> Vec<usize> {
    let mut bound = rule.steps();
    if part == Part::SuchThat
        && let Operator::Absence(absence) = &rule.operator
    {
        bound.extend(absence.expect);
    }
    let mut asked = match condition.needs() {
        Needs::One(a) => vec![a],
        Needs::Two(a, b) => vec![a, b],
        Needs::All => Vec::new(),
    };
    asked.retain(|step| !bound.contains(step));
    asked
}

/// What must hold and must not hold at once.
fn contradictions(rule: &Rule) -> Vec<RuleFault> {
    let places = rule.origin.conditions.iter().copied();
    let all: Vec<_> = rule.conditions().zip(places).collect();
    // What must be true of a term, where something must.
    let wanted = |condition: &Condition, part: Part| match part {
        Part::When => Some(!condition.negated()),
        Part::Unless => Some(condition.negated()),
        Part::WhenAny | Part::Bonus | Part::SuchThat | Part::ClearedBy => None,
    };
    let mut faults = Vec::new();
    for (at, ((condition, part), place)) in all.iter().enumerate() {
        let before = all.get(..at).unwrap_or_default();
        let opposite = before.iter().any(|((other, other_part), _)| {
            let both = wanted(condition, *part).zip(wanted(other, *other_part));
            other.term == condition.term && both.is_some_and(|(a, b)| a != b)
        });
        if opposite {
            let what = "the opposite of this must hold as well: the rule can never fire";
            faults.push(fault(rule, *place, what).remedy("drop one of the two"));
        }
    }
    faults
}
