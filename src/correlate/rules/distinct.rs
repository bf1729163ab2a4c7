//! `distinct`: too many different values of one field within a span.

use crate::collect::event::Tier;
use crate::correlate::rules::rule::{Match, Rule, Threshold};
use crate::correlate::rules::runs::{Reached, Runs};
use crate::correlate::rules::terms::Binding;
use crate::correlate::view::{RequestKey, Seen, View};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The call, else the ticket, of a request.
    RequestKey,
    /// The person a fact is about.
    Target,
    /// The agent.
    Agent,
}

/// A value that is counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Value<'a> {
    Request(RequestKey<'a>),
    Person(&'a str),
}

impl Of {
    /// Names in rule files.
    pub const ALL: [(&'static str, Self); 3] = [
        ("request_key", Self::RequestKey),
        ("target", Self::Target),
        ("agent", Self::Agent),
    ];

    fn value<'a>(self, seen: &Seen<'a>) -> Option<Value<'a>> {
        match self {
            Self::RequestKey => Some(Value::Request(seen.request_key())),
            Self::Target => seen.target().map(|p| Value::Person(&p.identity)),
            Self::Agent => {
                let agent = seen.fact.agent.as_ref();
                agent.map(|p| Value::Person(&p.identity))
            }
        }
    }
}

/// The compiled operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distinct {
    /// Index of the signal.
    pub signal: usize,
    /// What is counted.
    pub of: Of,
    /// Any of these is enough.
    pub thresholds: Vec<Threshold>,
}

/// An event with the number of its value; equal values have equal numbers.
struct Valued<'v, 'a> {
    seen: &'v Seen<'a>,
    value: usize,
    tier: Tier,
}

impl Distinct {
    /// The runs of events during which a threshold stands reached; each anchors on its first event.
    #[must_use]
    pub fn matches(&self, rule: &Rule, view: &View<'_>) -> Vec<Match> {
        let least = self.thresholds.iter().map(|t| t.gte).min().unwrap_or(1);
        // A missing value is "no match"; it never joins two people.
        let events = || {
            rule.candidates(view, self.signal)
                .filter(|seen| rule.holds(view, &Binding::of(self.signal, seen)))
                .filter_map(|seen| self.of.value(seen).map(|value| (value, seen)))
        };
        if events().take(least).count() < least {
            return Vec::new();
        }
        let (events, values) = numbered(events());
        let mut windows: Vec<Window> = self
            .thresholds
            .iter()
            .map(|threshold| Window::new(*threshold, values))
            .collect();
        let mut runs = Runs::new(rule, view, self.signal);
        for (at, event) in events.iter().enumerate() {
            for window in &mut windows {
                window.slide(&events, at);
            }
            let reached = windows.iter().find(|window| window.is_reached(event.tier));
            let counted = reached.map(|window| window.first_of_each(&events, at));
            let reached = reached.map(|window| Reached {
                adds: window.inside.get(event.value) == Some(&1),
                have: window.distinct,
                threshold: window.threshold,
            });
            runs.next(event.seen, reached, counted.into_iter().flatten());
        }
        runs.matches()
    }
}

/// Numbers the values of events, and tells how many there are.
fn numbered<'v, 'a: 'v>(
    events: impl Iterator<Item = (Value<'a>, &'v Seen<'a>)>,
) -> (Vec<Valued<'v, 'a>>, usize) {
    let events: Vec<(Value<'a>, &'v Seen<'a>)> = events.collect();
    let mut values: Vec<Value<'a>> = events.iter().map(|(value, _)| *value).collect();
    values.sort_unstable();
    values.dedup();
    let number = |value| values.binary_search(&value).unwrap_or(values.len());
    let valued = events.iter().map(|(value, seen)| Valued {
        seen,
        value: number(*value),
        tier: seen.tier(),
    });
    (valued.collect(), values.len())
}

/// A window of one threshold that slides over the events. Of a threshold for higher tiers, only
/// values of such tiers count.
struct Window {
    threshold: Threshold,
    /// Index of the first event inside.
    first: usize,
    /// How often each value stands inside.
    inside: Vec<u32>,
    /// How many do.
    distinct: usize,
}

impl Window {
    fn new(threshold: Threshold, values: usize) -> Self {
        Self {
            threshold,
            first: 0,
            inside: vec![0; values],
            distinct: 0,
        }
    }

    /// Takes the next event in and lets go of what it leaves behind. The edge is that of the next
    /// event's clock, so that it may also move back a little.
    fn slide(&mut self, events: &[Valued<'_, '_>], at: usize) {
        self.count(events, at, true);
        let Some(end) = events.get(at).map(|event| event.seen) else {
            return;
        };
        let holds = |event: &Valued<'_, '_>| event.seen.within(end, self.threshold.within_ms);
        let first = events.partition_point(|event| !holds(event)).min(at);
        for gone in self.first..first {
            self.count(events, gone, false);
        }
        for back in first..self.first {
            self.count(events, back, true);
        }
        self.first = first;
    }

    fn count(&mut self, events: &[Valued<'_, '_>], at: usize, enters: bool) {
        let Some(event) = events.get(at).filter(|e| e.tier >= self.threshold.min_tier) else {
            return;
        };
        let Some(inside) = self.inside.get_mut(event.value) else {
            return;
        };
        if enters {
            *inside += 1;
            self.distinct += usize::from(*inside == 1);
        } else {
            *inside = inside.saturating_sub(1);
            self.distinct -= usize::from(*inside == 0);
        }
    }

    fn is_reached(&self, tier: Tier) -> bool {
        tier >= self.threshold.min_tier && self.distinct >= self.threshold.gte
    }

    /// The first event of each value inside.
    fn first_of_each<'l, 'v, 'a>(
        &self,
        events: &'l [Valued<'v, 'a>],
        at: usize,
    ) -> impl Iterator<Item = &'v Seen<'a>> + use<'l, 'v, 'a> {
        let min_tier = self.threshold.min_tier;
        let mut known = vec![false; self.inside.len()];
        let inside = events.get(self.first..=at).unwrap_or_default().iter();
        inside
            .filter(move |event| event.tier >= min_tier)
            .filter_map(move |event| {
                let known = known.get_mut(event.value)?;
                let new = !std::mem::replace(known, true);
                new.then_some(event.seen)
            })
    }
}
