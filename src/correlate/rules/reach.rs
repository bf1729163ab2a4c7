//! How long a rule may still read a fact: what is kept, and for how long, follows from the rules.

use crate::collect::event::Action;
use crate::collect::time::{HOUR_MS, MINUTE_MS};
use crate::correlate::contact::evidence_kind;
use crate::correlate::fact::Fact;
use crate::correlate::rules::masks::Actions;
use crate::correlate::rules::rule::{Operator, Rule, Threshold};
use crate::correlate::rules::signal::Signal;
use crate::correlate::rules::terms::Term;

/// What clears or counters must outlive every anchor it may concern, and its windows around it.
pub const EVIDENCE_LONGER_MS: i64 = 2 * HOUR_MS;
/// Counter-evidence may come so long after the recovery it concerns.
const COUNTERED_MS: i64 = 60 * MINUTE_MS;

/// The actions that lower a finding, whatever its rule.
pub const COUNTERS: Actions = Actions::of(Action::VerifyResult)
    .or(Actions::of(Action::CallbackCompleted))
    .or(Actions::of(Action::ReviewCompleted))
    .or(Actions::of(Action::ApprovalGranted));

/// One way in which a rule reads facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// What it reads.
    pub signal: Signal,
    /// How long after its time a fact of the signal may still be read, in ms.
    pub reach_ms: i64,
}

/// Every way in which a rule reads facts: the steps it binds, and what its terms look for.
#[must_use]
pub fn readers(rule: &Rule) -> Vec<Reader> {
    let reach_ms = step_reach_ms(rule);
    let step = |index: usize| {
        let signal = rule.signal(index)?.clone();
        Some(Reader { signal, reach_ms })
    };
    let mut readers: Vec<Reader> = rule.steps().into_iter().filter_map(step).collect();
    let also = match &rule.operator {
        Operator::Absence(absence) => absence.expect,
        Operator::Count(count) => count.minus,
        Operator::Single(_)
        | Operator::Distinct(_)
        | Operator::Sequence(_)
        | Operator::Set(_)
        | Operator::FirstSeen(_) => None,
    };
    readers.extend(also.and_then(step));
    readers.extend(rule.conditions().filter_map(|(condition, _)| {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the other terms look at bound facts, calls, tickets and controls"
        )]
        match &condition.term {
            Term::Exists(signal, _, (from, _)) => Some(Reader {
                signal: signal.clone(),
                reach_ms: reach_ms.max(-from),
            }),
            Term::Beside(signal, _) => Some(Reader {
                signal: signal.clone(),
                reach_ms,
            }),
            _ => None,
        }
    }));
    readers
}

/// How long a fact that a rule binds may still be read: the span of the operator, or what its terms
/// and counter-evidence look for afterwards, whichever is longer.
#[must_use]
pub fn step_reach_ms(rule: &Rule) -> i64 {
    let longest = |thresholds: &[Threshold]| {
        let spans = thresholds.iter().map(|threshold| threshold.within_ms);
        spans.max().unwrap_or(0)
    };
    let span = match &rule.operator {
        Operator::Single(_) | Operator::FirstSeen(_) => 0,
        Operator::Count(count) => longest(&count.thresholds),
        Operator::Distinct(distinct) => longest(&distinct.thresholds),
        Operator::Sequence(sequence) => {
            let spans = sequence.within_ms.iter().map(|(_, span)| *span);
            spans.max().unwrap_or(0)
        }
        Operator::Set(set) => set.within_ms,
        Operator::Absence(absence) => absence.lookback_ms.max(absence.deadline_ms),
    };
    let ahead = rule
        .conditions()
        .map(|(condition, _)| match &condition.term {
            Term::Within(_, _, (_, to))
            | Term::LiveTicket(_, (_, to))
            | Term::ContactBy(_, _, (_, to))
            | Term::TicketBy(_, _, (_, to))
            | Term::CalledBack(_, (_, to))
            | Term::SecondPerson(_, (_, to))
            | Term::Exists(_, _, (_, to)) => *to,
            Term::InBaseline(..)
            | Term::ShortBaseline(_)
            | Term::SameDevice(..)
            | Term::SamePerson(..)
            | Term::SameRequest(..)
            | Term::OwnTicketLive(..)
            | Term::Verified(..)
            | Term::OfRecord(..)
            | Term::Is(..)
            | Term::Beside(..)
            | Term::Defends(..) => 0,
        });
    let countered = if rule.counter_evidence {
        COUNTERED_MS
    } else {
        0
    };
    ahead.fold(span.max(countered), i64::max)
}

/// Whether a rule asks for the controls that counter-evidence consists of.
#[must_use]
pub fn reads_controls(rule: &Rule) -> bool {
    let asks = |term: &Term| {
        matches!(
            term,
            Term::Verified(..) | Term::CalledBack(..) | Term::SecondPerson(..)
        )
    };
    rule.counter_evidence
        || rule
            .conditions()
            .any(|(condition, _)| asks(&condition.term))
}

/// Whether a rule asks what is usual for a person.
#[must_use]
pub fn reads_baseline(rule: &Rule) -> bool {
    let asks = |term: &Term| matches!(term, Term::InBaseline(..) | Term::ShortBaseline(_));
    matches!(rule.operator, Operator::FirstSeen(_))
        || rule
            .conditions()
            .any(|(condition, _)| asks(&condition.term))
}

/// Whether a fact is evidence that may clear or counter, and so must be kept longest.
#[must_use]
pub fn is_evidence(fact: &Fact) -> bool {
    evidence_kind(fact).is_some()
}
