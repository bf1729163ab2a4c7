//! `count`: too many of one kind within a span. Several records of one logical action count once.

use crate::collect::time::{MINUTE_MS, SECOND_MS, Timestamp};
use crate::correlate::fact::{Fact, RecoveryClass};
use crate::correlate::rules::rule::{Match, Rule, Threshold, thresholds_of};
use crate::correlate::rules::runs::{Reached, Runs};
use crate::correlate::rules::terms::Binding;
use crate::correlate::view::{Seen, View};

/// Records of one vendor transaction are one action for so long.
const SAME_TRANSACTION_MS: i64 = 15 * MINUTE_MS;
/// Records of one kind that follow each other so closely are one action.
const SAME_ACTION_MS: i64 = 10 * SECOND_MS;

/// The classes counted apart.
const CLASSES: [Option<RecoveryClass>; 7] = [
    None,
    Some(RecoveryClass::Password),
    Some(RecoveryClass::Factor),
    Some(RecoveryClass::Bypass),
    Some(RecoveryClass::Unlock),
    Some(RecoveryClass::RecoveryData),
    Some(RecoveryClass::Session),
];

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
        let least = self.thresholds.iter().map(|t| t.gte).min().unwrap_or(1);
        let counted = |seen: &&Seen<'_>| rule.holds(view, &Binding::of(self.signal, seen));
        let events = || rule.candidates(view, self.signal).filter(counted);
        if events().take(least).count() < least {
            return Vec::new();
        }
        let events: Vec<&Seen<'_>> = events().collect();
        if !self.by_class {
            return self.grouped(rule, view, events.iter().copied());
        }
        let mut matches: Vec<Match> = Vec::new();
        for class in CLASSES {
            let of_class = |seen: &&&Seen<'_>| seen.fact.recovery_class() == class;
            let events = || events.iter().filter(of_class);
            if events().take(least).count() >= least {
                matches.extend(self.grouped(rule, view, events().copied()));
            }
        }
        matches.sort_by_key(|found| (found.anchor_time, found.anchor));
        matches
    }

    fn grouped<'v, 'a: 'v>(
        &self,
        rule: &Rule,
        view: &'v View<'a>,
        events: impl Iterator<Item = &'v Seen<'a>>,
    ) -> Vec<Match> {
        let actions = logical(events);
        let minus: Vec<&Seen<'_>> = self
            .minus
            .map(|index| rule.candidates(view, index).collect())
            .unwrap_or_default();
        let mut runs = Runs::new(rule, view, self.signal);
        for (at, seen) in actions.iter().enumerate() {
            let until = actions.get(..=at).unwrap_or_default();
            let reached = reached(&self.thresholds, seen, |span| {
                let taken = inside(&minus, seen, span).len();
                inside(until, seen, span).len().saturating_sub(taken)
            });
            let span = reached.map_or(0, |reached| reached.threshold.within_ms);
            runs.next(seen, reached, inside(until, seen, span).iter().copied());
        }
        runs.matches()
    }
}

/// Those of `events`, which are in order, that surely lie in a span that ends with `end`.
fn inside<'l, 'v, 'a>(
    events: &'l [&'v Seen<'a>],
    end: &Seen<'_>,
    within_ms: i64,
) -> &'l [&'v Seen<'a>] {
    let first = events.partition_point(|seen| !seen.within(end, within_ms));
    let last = events.partition_point(|seen| seen.fact.time <= end.fact.time);
    events.get(first..last).unwrap_or_default()
}

/// The first threshold of the event's tier that a count reaches, with the count.
pub fn reached(
    thresholds: &[Threshold],
    seen: &Seen<'_>,
    count: impl Fn(i64) -> usize,
) -> Option<Reached> {
    thresholds_of(thresholds, seen.tier()).find_map(|threshold| {
        let have = count(threshold.within_ms);
        (have >= threshold.gte).then_some(Reached {
            adds: true,
            have,
            threshold: *threshold,
        })
    })
}

/// One logical action: its first record, its last one, and the transaction it belongs to.
struct Action<'v, 'a> {
    first: &'v Seen<'a>,
    last: Timestamp,
    txn: Option<(&'a str, Timestamp)>,
}

/// Logical actions: the first record of each.
fn logical<'v, 'a: 'v>(events: impl Iterator<Item = &'v Seen<'a>>) -> Vec<&'v Seen<'a>> {
    let mut actions: Vec<Action<'v, 'a>> = Vec::new();
    for seen in events {
        let fact = seen.fact;
        let txn = fact.txn.as_deref();
        let oldest = fact.time.minus(SAME_TRANSACTION_MS);
        let mut open = actions.iter_mut().rev().take_while(|a| a.last >= oldest);
        let of = open.find(|action| {
            let close = fact.time.since(action.last) <= SAME_ACTION_MS;
            let together = action.txn.is_some_and(|(name, since)| {
                txn == Some(name) && fact.time.since(since) <= SAME_TRANSACTION_MS
            });
            (close || together) && like(action.first.fact, fact)
        });
        match of {
            Some(action) => {
                action.last = action.last.max(fact.time);
                action.txn = action.txn.or_else(|| txn.map(|name| (name, fact.time)));
            }
            None => actions.push(Action {
                first: seen,
                last: fact.time,
                txn: txn.map(|name| (name, fact.time)),
            }),
        }
    }
    actions.into_iter().map(|action| action.first).collect()
}

/// Same target, action class and agent.
fn like(a: &Fact, b: &Fact) -> bool {
    let class = a.recovery_class();
    class == b.recovery_class()
        && (class.is_some() || a.action == b.action)
        && identity(a.agent.as_ref()) == identity(b.agent.as_ref())
        && identity(a.target.as_ref()) == identity(b.target.as_ref())
}

fn identity(person: Option<&crate::correlate::fact::Person>) -> Option<&str> {
    person.map(|person| person.identity.as_str())
}
