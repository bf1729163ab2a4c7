//! `count`: too many of one kind within a span. Several records of one logical action count once.

use crate::collect::time::{MINUTE_MS, SECOND_MS};
use crate::correlate::fact::Fact;
use crate::correlate::rules::rule::{Match, Rule, Threshold, thresholds_of};
use crate::correlate::rules::runs::{Reached, runs};
use crate::correlate::rules::terms::Binding;
use crate::correlate::view::{Seen, View};

/// Records of one vendor transaction are one action for so long.
const SAME_TRANSACTION_MS: i64 = 15 * MINUTE_MS;
/// Records of one kind that follow each other so closely are one action.
const SAME_ACTION_MS: i64 = 10 * SECOND_MS;

/// The compiled operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// Index of the signal.
    pub signal: usize,
    /// Index of a signal that is taken off the count.
    pub minus: Option<usize>,
    /// Count each recovery class apart.
    pub by_class: bool,
    /// Any of these is enough.
    pub thresholds: Vec<Threshold>,
}

impl Count {
    /// The runs of events during which a threshold stands reached; each anchors on its first event.
    #[must_use]
    pub fn matches(&self, rule: &Rule, view: &View<'_>) -> Vec<Match> {
        let events: Vec<&Seen<'_>> = rule
            .candidates(view, self.signal)
            .filter(|seen| {
                let bound = Binding::new(rule.signals.len()).with(self.signal, seen);
                rule.holds(view, &bound)
            })
            .collect();
        let minus: Vec<&Seen<'_>> = self
            .minus
            .map(|index| rule.candidates(view, index).collect())
            .unwrap_or_default();
        let mut groups: Vec<Vec<&Seen<'_>>> = Vec::new();
        for seen in events {
            let class = |other: &Seen<'_>| other.fact.recovery_class();
            let same = |group: &&mut Vec<&Seen<'_>>| {
                !self.by_class
                    || group
                        .first()
                        .is_none_or(|first| class(first) == class(seen))
            };
            match groups.iter_mut().find(same) {
                Some(group) => group.push(seen),
                None => groups.push(vec![seen]),
            }
        }
        let mut matches: Vec<Match> = groups
            .iter()
            .flat_map(|group| self.grouped(rule, view, group, &minus))
            .collect();
        matches.sort_by_key(|found| (found.anchor_time, found.anchor));
        matches
    }

    fn grouped(
        &self,
        rule: &Rule,
        view: &View<'_>,
        events: &[&Seen<'_>],
        minus: &[&Seen<'_>],
    ) -> Vec<Match> {
        let actions = logical(events);
        runs(rule, view, self.signal, &actions, |seen, until| {
            let inside = |span: i64| {
                let from = seen.fact.time.minus(span);
                move |other: &&&Seen<'_>| {
                    other.fact.time > from && other.fact.time <= seen.fact.time
                }
            };
            let (have, threshold) = reached(&self.thresholds, view.tier(seen.fact), |span| {
                let taken = minus.iter().filter(inside(span)).count();
                until
                    .iter()
                    .filter(inside(span))
                    .count()
                    .saturating_sub(taken)
            })?;
            let counted = until.iter().filter(inside(threshold.within_ms));
            Some(Reached {
                have,
                need: threshold.gte,
                evidence: counted.map(|seen| seen.fact.id).collect(),
            })
        })
    }
}

/// The first threshold of the tier that a count reaches, with the count.
pub fn reached(
    thresholds: &[Threshold],
    tier: crate::collect::event::Tier,
    count: impl Fn(i64) -> usize,
) -> Option<(usize, Threshold)> {
    thresholds_of(thresholds, tier).find_map(|threshold| {
        let have = count(threshold.within_ms);
        (have >= threshold.gte).then_some((have, *threshold))
    })
}

/// Logical actions: the first record of each.
fn logical<'v, 'a>(events: &[&'v Seen<'a>]) -> Vec<&'v Seen<'a>> {
    let mut actions: Vec<&'v Seen<'a>> = Vec::new();
    let mut previous: Option<&Fact> = None;
    for seen in events {
        let repeats = actions
            .iter()
            .rev()
            .any(|first| same_transaction(first.fact, seen.fact))
            || previous.is_some_and(|last| same_action(last, seen.fact));
        if !repeats {
            actions.push(seen);
        }
        previous = Some(seen.fact);
    }
    actions
}

fn same_transaction(first: &Fact, next: &Fact) -> bool {
    first.txn.is_some()
        && first.txn == next.txn
        && next.time.since(first.time) <= SAME_TRANSACTION_MS
        && like(first, next)
}

fn same_action(previous: &Fact, next: &Fact) -> bool {
    next.time.since(previous.time) <= SAME_ACTION_MS && like(previous, next)
}

/// Same action class, same agent.
fn like(a: &Fact, b: &Fact) -> bool {
    let agent = |fact: &Fact| fact.agent.as_ref().map(|p| p.identity.clone());
    a.recovery_class() == b.recovery_class()
        && (a.recovery_class().is_some() || a.action == b.action)
        && agent(a) == agent(b)
}
