//! Whether anybody delivers what a rule needs: an obligation waits for evidence, and a step for an
//! action, that some declared source must send.

use super::checks::{fault, span_place};
use super::{Declared, DeclaredSource};
use crate::collect::event::Action;
use crate::correlate::rules::fault::RuleFault;
use crate::correlate::rules::masks::Actions;
use crate::correlate::rules::rule::{Evidence, Operator, Rule};
use crate::correlate::rules::signal::Signal;

/// An obligation opens only if a declared source delivers its evidence.
pub(super) fn evidence(rule: &Rule, declared: &Declared) -> Vec<RuleFault> {
    let Operator::Absence(absence) = &rule.operator else {
        let unused = rule.evidence.map(|_| {
            let what = "`evidence` is read by obligations only";
            fault(rule, rule.origin.evidence, what)
                .remedy("drop it")
                .warning()
        });
        return unused.into_iter().collect();
    };
    let Some(evidence) = rule.evidence else {
        let what = "an obligation without `evidence` never opens";
        let remedy = "name what a source must deliver: ticket, verify, callback, approval, …";
        return vec![fault(rule, rule.origin.operator, what).remedy(remedy)];
    };
    let sources = declared.sources(evidence);
    let name = evidence.as_str();
    if sources.is_empty() {
        let what = format!("no declared source delivers `{name}`: the obligation never opens");
        let remedy = "declare it for a source, or set `status: off`";
        return vec![fault(rule, rule.origin.evidence, what).remedy(remedy)];
    }
    let late = |source: &&DeclaredSource| source.lateness_ms > absence.deadline_ms;
    sources
        .iter()
        .filter(late)
        .map(|source| {
            let lateness_min = source.lateness_ms / 60_000;
            let what = format!(
                "the deadline is shorter than the lateness of `{}`, which delivers `{name}` up to \
                 {lateness_min} min late",
                source.name
            );
            let remedy = "expect findings that are taken back, or extend the deadline";
            fault(rule, span_place(rule, 0), what)
                .remedy(remedy)
                .warning()
        })
        .collect()
}

/// The actions that a source delivers only if it says so.
const DELIVERED: [(Evidence, &[Action]); 5] = [
    (Evidence::Verify, &[Action::VerifyResult]),
    (Evidence::Callback, &[Action::CallbackCompleted]),
    (
        Evidence::Approval,
        &[
            Action::ApprovalGranted,
            Action::ApprovalRejected,
            Action::ReviewCompleted,
        ],
    ),
    (
        Evidence::Override,
        &[Action::TicketOverride, Action::ApprovalBypassed],
    ),
    (Evidence::Transcript, &[Action::ContactUtterance]),
];

/// Whether some declared source can deliver what a signal matches.
fn is_delivered(signal: &Signal, declared: &Declared) -> bool {
    let missing = |evidence: Evidence| declared.sources(evidence).is_empty();
    let mut gone = Actions::NONE;
    for (_, actions) in DELIVERED.iter().filter(|(evidence, _)| missing(*evidence)) {
        let actions = actions.iter().map(|action| Actions::of(*action));
        gone = actions.fold(gone, Actions::or);
    }
    let domain = signal.domain();
    let ticket = domain.ticket && !missing(Evidence::Ticket);
    let left = domain.actions().without(gone);
    // What can never match has a fault of its own.
    domain.is_empty() || domain.contact || ticket || left != Actions::NONE
}

/// Each step that the operator cannot do without is delivered.
pub(super) fn steps(rule: &Rule, declared: &Declared) -> Option<RuleFault> {
    let steps = rule.steps();
    let lacks = |step: &&usize| {
        let signal = rule.signal(**step);
        signal.is_some_and(|signal| !is_delivered(signal, declared))
    };
    let lacking: Vec<&usize> = steps.iter().filter(lacks).collect();
    let dead = match &rule.operator {
        Operator::Set(set) => steps.len().saturating_sub(lacking.len()) < set.min,
        Operator::Single(_)
        | Operator::Count(_)
        | Operator::Distinct(_)
        | Operator::Sequence(_)
        | Operator::FirstSeen(_)
        | Operator::Absence(_) => !lacking.is_empty(),
    };
    let step = **lacking.first().filter(|_| dead)?;
    let name = rule.signals.get(step).map_or("", |(name, _)| name);
    let place = rule.origin.signals.get(step).copied().unwrap_or_default();
    let what = format!("no declared source delivers `{name}`: the rule can never fire");
    Some(fault(rule, place, what).remedy("declare it for a source, or set `status: off`"))
}
