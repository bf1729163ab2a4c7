//! `distinct`: too many different values of one field within a span.

use crate::correlate::rules::count::reached;
use crate::correlate::rules::rule::{Match, Rule, Threshold};
use crate::correlate::rules::runs::{Reached, runs};
use crate::correlate::rules::terms::Binding;
use crate::correlate::view::{Seen, View};

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

impl Of {
    /// Names in rule files.
    pub const ALL: [(&'static str, Self); 3] = [
        ("request_key", Self::RequestKey),
        ("target", Self::Target),
        ("agent", Self::Agent),
    ];

    fn value(self, seen: &Seen<'_>) -> Option<String> {
        match self {
            Self::RequestKey => Some(seen.request_key()),
            Self::Target => seen.fact.target.as_ref().map(|p| p.identity.clone()),
            Self::Agent => seen.fact.agent.as_ref().map(|p| p.identity.clone()),
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

impl Distinct {
    /// The runs of events during which a threshold stands reached; each anchors on its first event.
    #[must_use]
    pub fn matches(&self, rule: &Rule, view: &View<'_>) -> Vec<Match> {
        // A missing value is "no match"; it never joins two people.
        let events: Vec<(String, &Seen<'_>)> = rule
            .candidates(view, self.signal)
            .filter(|seen| {
                let bound = Binding::new(rule.signals.len()).with(self.signal, seen);
                rule.holds(view, &bound)
            })
            .filter_map(|seen| self.of.value(seen).map(|value| (value, seen)))
            .collect();
        let order: Vec<&Seen<'_>> = events.iter().map(|(_, seen)| *seen).collect();
        runs(rule, view, self.signal, &order, |seen, until| {
            let until = events.get(..until.len()).unwrap_or_default();
            let (have, threshold) = reached_by_tier(self, view, until, seen)?;
            let counted = first_of_each(until, seen, threshold.within_ms);
            Some(Reached {
                have,
                need: threshold.gte,
                evidence: counted.map(|seen| seen.fact.id).collect(),
            })
        })
    }
}

/// Of a threshold for higher tiers, only values of such tiers count.
fn reached_by_tier(
    operator: &Distinct,
    view: &View<'_>,
    until: &[(String, &Seen<'_>)],
    seen: &Seen<'_>,
) -> Option<(usize, Threshold)> {
    operator.thresholds.iter().find_map(|threshold| {
        let counted: Vec<(String, &Seen<'_>)> = until
            .iter()
            .filter(|(_, other)| view.tier(other.fact) >= threshold.min_tier)
            .cloned()
            .collect();
        let own = view.tier(seen.fact) >= threshold.min_tier;
        let have = first_of_each(&counted, seen, threshold.within_ms).count();
        let alone = [*threshold];
        own.then(|| reached(&alone, threshold.min_tier, |_| have))
            .flatten()
    })
}

/// The first event of each value in the span that ends with `seen`.
fn first_of_each<'l, 'v, 'a>(
    events: &'l [(String, &'v Seen<'a>)],
    seen: &Seen<'_>,
    within_ms: i64,
) -> impl Iterator<Item = &'v Seen<'a>> + use<'l, 'v, 'a> {
    let from = seen.fact.time.minus(within_ms);
    let mut values: Vec<&str> = Vec::new();
    events
        .iter()
        .filter(move |(_, event)| event.fact.time > from)
        .filter_map(move |(value, event)| {
            let new = !values.contains(&value.as_str());
            if new {
                values.push(value);
            }
            new.then_some(*event)
        })
}
