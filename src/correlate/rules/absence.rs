//! `absence`, the obligation: after something happened, a control must be seen by a deadline.
//!
//! The operator names the anchors whose control is missing so far. Whether the deadline has passed
//! is not its business: the engine decides that from the watermark, and a control that arrives
//! afterwards makes the anchor disappear from here again.

use crate::correlate::rules::rule::{Match, Rule};
use crate::correlate::rules::terms::{Binding, Condition};
use crate::correlate::view::{Edge, View};

/// The compiled operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// Signal that opens the obligation.
    pub after: usize,
    /// A fact of this signal, in `(-lookback, deadline]` around the anchor, is the control.
    pub expect: Option<usize>,
    /// What must hold between anchor and control.
    pub such_that: Vec<Condition>,
    /// Or: any of these holds.
    pub cleared_by: Vec<Condition>,
    /// How far before the anchor the control may lie, in ms.
    pub lookback_ms: i64,
    /// How long after the anchor it may come, in ms.
    pub deadline_ms: i64,
}

impl Absence {
    /// The anchors without their control, each with its deadline.
    #[must_use]
    pub fn matches(&self, rule: &Rule, view: &View<'_>) -> Vec<Match> {
        rule.candidates(view, self.after)
            .filter_map(|anchor| {
                let bound = Binding::of(self.after, anchor);
                let owed = rule.holds(view, &bound) && !self.done(rule, view, &bound);
                let found = owed.then(|| rule.matched(view, anchor, &bound, (0, 1)))??;
                let deadline = anchor.fact.time.plus(self.deadline_ms);
                Some(Match {
                    time: deadline,
                    deadline: Some(deadline),
                    ..found
                })
            })
            .collect()
    }

    /// Within the unit of a coarse clock a control is taken to have come in time.
    fn done(&self, rule: &Rule, view: &View<'_>, bound: &Binding<'_, '_>) -> bool {
        let mut cleared_by = self.cleared_by.iter();
        if cleared_by.any(|condition| condition.holds(view, bound, Edge::Possibly)) {
            return true;
        }
        let (Some(expect), Some(anchor)) = (self.expect, bound.get(self.after)) else {
            return false;
        };
        let Some(control) = rule.signal(expect).filter(|signal| view.may_hold(signal)) else {
            return false;
        };
        let span = (-self.lookback_ms, self.deadline_ms);
        view.around(anchor.fact, span.0, span.1).iter().any(|seen| {
            control.matches(seen)
                && seen.inside(anchor.fact, span, Edge::Possibly)
                && rule.is_judged_here(view, seen)
                && {
                    let bound = bound.with(expect, seen);
                    let mut such_that = self.such_that.iter();
                    such_that.all(|condition| condition.holds(view, &bound, Edge::Possibly))
                }
        })
    }
}
