//! `set`: some number of different signals within a span, in any order.

use crate::correlate::rules::rule::{Match, Rule};
use crate::correlate::rules::terms::Binding;
use crate::correlate::view::{Seen, View};

/// The compiled operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// The signals.
    pub signals: Vec<usize>,
    /// How many of them.
    pub min: usize,
    /// The span from the first to the last.
    pub within_ms: i64,
}

impl Set {
    /// Each completed set, anchored on the event that completes it. The next one begins after it;
    /// what follows within the span adds evidence, not a second finding.
    #[must_use]
    pub fn matches(&self, rule: &Rule, view: &View<'_>) -> Vec<Match> {
        let mut events: Vec<(usize, &Seen<'_>)> = self
            .signals
            .iter()
            .flat_map(|signal| {
                rule.candidates(view, *signal)
                    .map(move |seen| (*signal, seen))
            })
            .collect();
        events.sort_by_key(|(signal, seen)| (seen.order(), *signal));
        let mut matches: Vec<Match> = Vec::new();
        let mut after: Option<&Seen<'_>> = None;
        for (at, (_, seen)) in events.iter().enumerate() {
            let from = seen.fact.time.minus(self.within_ms);
            let mut bound = Binding::new(rule.signals.len());
            for (signal, other) in events.iter().take(at + 1) {
                let inside = other.fact.time > from
                    && after.is_none_or(|after| after.order() < other.order());
                if inside {
                    bound = bound.with(*signal, other);
                }
            }
            let have = self
                .signals
                .iter()
                .filter(|signal| bound.get(**signal).is_some())
                .count();
            if have < self.min || !rule.holds(view, &bound) {
                continue;
            }
            if let Some(found) = rule.matched(view, seen, &bound, (have, self.min)) {
                matches.push(found);
                after = Some(seen);
            }
        }
        matches
    }
}
