//! `first_seen`: something never seen before for this person.

use crate::correlate::baseline::Kind;
use crate::correlate::rules::rule::{Match, Rule};
use crate::correlate::rules::terms::Binding;
use crate::correlate::view::{Seen, View};

/// The compiled operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstSeen {
    /// Index of the signal.
    pub signal: usize,
    /// What must be new, each of them.
    pub values: Vec<Kind>,
}

impl FirstSeen {
    /// Every event of the signal whose values are all new to a baseline that is old enough.
    #[must_use]
    pub fn matches(&self, rule: &Rule, view: &View<'_>) -> Vec<Match> {
        rule.candidates(view, self.signal)
            .filter(|seen| !view.baseline.short(seen.fact.time))
            .filter(|seen| self.values.iter().all(|kind| is_new(view, seen, *kind)))
            .filter_map(|seen| {
                let bound = Binding::of(self.signal, seen);
                rule.holds(view, &bound)
                    .then(|| rule.matched(view, seen, &bound, (1, 1)))?
            })
            .collect()
    }
}

/// Named and not usual. What is not named is no match.
fn is_new(view: &View<'_>, seen: &Seen<'_>, kind: Kind) -> bool {
    let fact = seen.fact;
    match kind {
        Kind::Device => {
            fact.device
                .as_ref()
                .is_some_and(|device| device.keys().next().is_some())
                && !view.baseline.has_device(fact)
        }
        Kind::Asn => fact
            .asn
            .is_some_and(|asn| !view.baseline.has(kind, &asn.to_string(), fact.time)),
        Kind::Country => {
            let country = fact.country.as_deref();
            country.is_some_and(|country| !view.baseline.has(kind, country, fact.time))
        }
    }
}
