//! `single`: one event is enough. It anchors on that event.

use crate::correlate::rules::rule::{Match, Rule};
use crate::correlate::rules::terms::Binding;
use crate::correlate::view::View;

/// The compiled operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Single {
    /// Index of the signal.
    pub signal: usize,
}

impl Single {
    /// Every event of the signal for which the conditions hold.
    #[must_use]
    pub fn matches(&self, rule: &Rule, view: &View<'_>) -> Vec<Match> {
        rule.candidates(view, self.signal)
            .filter_map(|seen| {
                let bound = Binding::of(self.signal, seen);
                rule.holds(view, &bound)
                    .then(|| rule.matched(view, seen, &bound, (1, 1)))?
            })
            .collect()
    }
}
