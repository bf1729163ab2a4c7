//! `sequence`: one after the other, by event time, whatever the order of arrival.

use crate::collect::event::Tier;
use crate::correlate::rules::rule::{Match, Rule};
use crate::correlate::rules::terms::Binding;
use crate::correlate::view::{Seen, View};

/// Candidates tried per step, the latest first, so that a flood on one person stays cheap. A match
/// whose step lies behind so many later candidates of the same kind is not found.
pub const CANDIDATES_MAX: usize = 64;

/// The compiled operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Signals, first to last.
    pub steps: Vec<usize>,
    /// Longest span from the first step to the last, by tier: the last entry that applies counts.
    pub within_ms: Vec<(Tier, i64)>,
}

impl Sequence {
    /// The longest span for a tier.
    #[must_use]
    pub fn within(&self, tier: Tier) -> i64 {
        let applies = self.within_ms.iter().rev().find(|(min, _)| *min <= tier);
        applies.map_or(0, |(_, span)| *span)
    }

    /// Each completed sequence, anchored on the event that completes it. After one, the next begins
    /// with a first step that follows it.
    #[must_use]
    pub fn matches(&self, rule: &Rule, view: &View<'_>) -> Vec<Match> {
        if !self.steps.iter().all(|step| rule.may_see(view, *step)) {
            return Vec::new();
        }
        let mut steps: Vec<(usize, Vec<&Seen<'_>>)> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let eligible = eligible(rule, view, *step);
            if eligible.is_empty() {
                return Vec::new();
            }
            steps.push((*step, eligible));
        }
        let Some(((last, completing), earlier)) = steps.split_last() else {
            return Vec::new();
        };
        let mut matches: Vec<Match> = Vec::new();
        let mut after: Option<&Seen<'_>> = None;
        for seen in completing {
            let search = Search {
                rule,
                view,
                last: seen,
                within_ms: self.within(seen.tier()),
                after,
            };
            let Some(bound) = search.complete(earlier, seen, Binding::of(*last, seen)) else {
                continue;
            };
            let steps = self.steps.len();
            if let Some(found) = rule.matched(view, seen, &bound, (steps, steps)) {
                matches.push(found);
                after = Some(seen);
            }
        }
        matches
    }
}

/// The candidates of a step for which the conditions that look at it alone hold.
fn eligible<'v, 'a>(rule: &Rule, view: &'v View<'a>, step: usize) -> Vec<&'v Seen<'a>> {
    rule.candidates(view, step)
        .filter(|seen| rule.may_hold(view, &Binding::of(step, seen)))
        .collect()
}

/// The candidates of each step, in order.
type Steps<'v, 'a> = [(usize, Vec<&'v Seen<'a>>)];

struct Search<'s, 'v, 'a> {
    rule: &'s Rule,
    view: &'v View<'a>,
    last: &'v Seen<'a>,
    within_ms: i64,
    after: Option<&'v Seen<'a>>,
}

impl<'v, 'a> Search<'_, 'v, 'a> {
    /// Binds the remaining steps, last to first, preferring the latest candidate that fits.
    fn complete(
        &self,
        remaining: &Steps<'v, 'a>,
        next: &'v Seen<'a>,
        bound: Binding<'v, 'a>,
    ) -> Option<Binding<'v, 'a>> {
        let Some(((step, candidates), earlier)) = remaining.split_last() else {
            return self.rule.holds(self.view, &bound).then_some(bound);
        };
        let first = candidates.partition_point(|seen| !self.fits(seen));
        let last = candidates.partition_point(|seen| seen.fact.time <= next.fact.time);
        let fitting = candidates.get(first..last).unwrap_or_default().iter().rev();
        fitting
            .filter(|seen| seen.before(next))
            .take(CANDIDATES_MAX)
            .find_map(|seen| {
                let bound = bound.with(*step, seen);
                self.rule
                    .may_hold(self.view, &bound)
                    .then(|| self.complete(earlier, seen, bound))?
            })
    }

    /// Inside the span, and after the match before.
    fn fits(&self, seen: &Seen<'_>) -> bool {
        seen.within(self.last, self.within_ms)
            && self.after.is_none_or(|after| after.order() < seen.order())
    }
}
