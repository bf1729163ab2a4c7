//! `set`: some number of different signals within a span, in any order.

use crate::correlate::rules::rule::{Match, Rule};
use crate::correlate::rules::terms::{Binding, Condition, Needs, SIGNALS_MAX};
use crate::correlate::view::{Edge, Seen, View};

/// Choices of candidates tried for one completing event, so that a flood on one person stays cheap.
/// A match that needs more than so many is not found.
pub const CHOICES_MAX: usize = 64;
/// Choices begun from another event that fulfils `when_any`.
const PIVOTS_MAX: usize = 8;

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

/// An event that is one of the signals.
#[derive(Clone, Copy)]
struct Candidate<'v, 'a> {
    /// Place of the signal in [`Set::signals`].
    place: usize,
    seen: &'v Seen<'a>,
    /// It fulfils one of `when_any` by itself.
    pivot: bool,
}

impl Set {
    /// Each completed set, anchored on the event that completes it. The next one begins after it.
    #[must_use]
    pub fn matches(&self, rule: &Rule, view: &View<'_>) -> Vec<Match> {
        let present = self.signals.iter().filter(|s| rule.may_see(view, **s));
        if present.count() < self.min {
            return Vec::new();
        }
        let events = self.events(rule, view);
        // Where each of `when_any` looks at one event alone, no set is complete without such a one.
        let alone = |condition: &Condition| matches!(condition.needs(), Needs::One(_));
        let pivotal = !rule.when_any.is_empty() && rule.when_any.iter().all(alone);
        if pivotal && !events.iter().any(|event| event.pivot) {
            return Vec::new();
        }
        let mut matches: Vec<Match> = Vec::new();
        let mut first = 0;
        for (at, event) in events.iter().enumerate() {
            let inside = events.get(first..at).unwrap_or_default();
            let left = inside.partition_point(|e| !e.seen.within(event.seen, self.within_ms));
            let search = Search {
                set: self,
                rule,
                view,
                inside: inside.get(left..).unwrap_or_default(),
                event,
            };
            let Some(bound) = search.complete(pivotal) else {
                continue;
            };
            let have = self.bound(&bound);
            if let Some(found) = rule.matched(view, event.seen, &bound, (have, self.min)) {
                matches.push(found);
                first = at + 1;
            }
        }
        matches
    }

    fn events<'v, 'a>(&self, rule: &Rule, view: &'v View<'a>) -> Vec<Candidate<'v, 'a>> {
        let mut events: Vec<Candidate<'v, 'a>> = Vec::new();
        for (place, signal) in self.signals.iter().enumerate() {
            events.extend(rule.candidates(view, *signal).map(|seen| {
                let bound = Binding::of(*signal, seen);
                let mut any = rule.when_any.iter();
                Candidate {
                    place,
                    seen,
                    pivot: any.any(|one| one.holds(view, &bound, Edge::Surely)),
                }
            }));
        }
        events.sort_by_key(|event| (event.seen.order(), event.place));
        events
    }

    fn bound(&self, bound: &Binding<'_, '_>) -> usize {
        let is_bound = |signal: &&usize| bound.get(**signal).is_some();
        self.signals.iter().filter(is_bound).count()
    }
}

struct Search<'s, 'v, 'a> {
    set: &'s Set,
    rule: &'s Rule,
    view: &'v View<'a>,
    /// Events that lie in the span with the completing one, in order.
    inside: &'s [Candidate<'v, 'a>],
    event: &'s Candidate<'v, 'a>,
}

impl<'v, 'a> Search<'_, 'v, 'a> {
    /// The choice of one event per signal that fits, the latest first.
    fn complete(&self, pivotal: bool) -> Option<Binding<'v, 'a>> {
        let mut latest = [false; SIGNALS_MAX];
        let present = [self.event].into_iter().chain(self.inside);
        for event in present {
            if let Some(place) = latest.get_mut(event.place) {
                *place = true;
            }
        }
        if latest.iter().filter(|is| **is).count() < self.set.min {
            return None;
        }
        let bound = self.with(Binding::default(), self.event);
        let mut left = CHOICES_MAX;
        if !pivotal || self.event.pivot {
            return self.choose(0, bound, &mut left);
        }
        let pivots = self.inside.iter().rev().filter(|event| event.pivot);
        pivots.take(PIVOTS_MAX).find_map(|pivot| {
            let taken = pivot.place == self.event.place;
            (!taken).then(|| self.choose(0, self.with(bound, pivot), &mut left))?
        })
    }

    fn with(&self, bound: Binding<'v, 'a>, event: &Candidate<'v, 'a>) -> Binding<'v, 'a> {
        let signal = self.set.signals.get(event.place);
        signal.map_or(bound, |signal| bound.with(*signal, event.seen))
    }

    /// Binds the signals from `place` on: each to its latest event, else to an earlier one, else to
    /// none.
    fn choose(
        &self,
        place: usize,
        bound: Binding<'v, 'a>,
        left: &mut usize,
    ) -> Option<Binding<'v, 'a>> {
        let Some(signal) = self.set.signals.get(place) else {
            *left = left.saturating_sub(1);
            let enough = self.set.bound(&bound) >= self.set.min;
            return (enough && self.rule.holds(self.view, &bound)).then_some(bound);
        };
        if bound.get(*signal).is_some() {
            return self.choose(place + 1, bound, left);
        }
        for event in self
            .inside
            .iter()
            .rev()
            .filter(|event| event.place == place)
        {
            if *left == 0 {
                return None;
            }
            let next = self.with(bound, event);
            if self.rule.may_hold(self.view, &next)
                && let Some(found) = self.choose(place + 1, next, left)
            {
                return Some(found);
            }
        }
        self.choose(place + 1, bound, left)
    }
}
