//! What a rule that compiles may still have wrong: it can never fire, looks back further than is
//! kept, waits for what nobody delivers, or is not tested.

mod checks;
mod delivery;

use std::collections::BTreeMap;

use crate::correlate::rules::fault::RuleFault;
use crate::correlate::rules::rule::{Evidence, Status};
use crate::correlate::rules::rule_set::RuleSet;

/// A source that delivers some evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredSource {
    /// Its name.
    pub name: String,
    /// How late its events may come, in ms.
    pub lateness_ms: i64,
}

/// Which sources deliver which evidence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Declared {
    /// By kind of evidence.
    pub evidence: BTreeMap<Evidence, Vec<DeclaredSource>>,
}

impl Declared {
    /// Every kind of evidence is delivered, at once: to check rules without a configuration.
    #[must_use]
    pub fn everything() -> Self {
        let source = || DeclaredSource {
            name: "any".to_owned(),
            lateness_ms: 0,
        };
        let all = Evidence::ALL.into_iter();
        Self {
            evidence: all.map(|(_, kind)| (kind, vec![source()])).collect(),
        }
    }

    /// The sources of some evidence.
    #[must_use]
    pub fn sources(&self, evidence: Evidence) -> &[DeclaredSource] {
        self.evidence.get(&evidence).map_or(&[], Vec::as_slice)
    }
}

/// Every fault of a rule set, in the order of the rules.
#[must_use]
pub fn lint(rules: &RuleSet, declared: &Declared) -> Vec<RuleFault> {
    let mut faults = Vec::new();
    let all = rules.rules();
    for (at, rule) in all.iter().enumerate() {
        let before = all.get(..at).unwrap_or_default();
        if let Some(first) = before.iter().find(|other| other.id == rule.id) {
            let file = &first.origin.file.name;
            let what = format!("`{}` stands in {file} already", rule.id);
            let fault = RuleFault::at(&rule.origin.file, rule.origin.id, what);
            faults.push(fault.remedy("give each document an id of its own"));
        }
        if rule.status != Status::Off {
            faults.extend(checks::of(rule, declared));
        }
    }
    faults
}

#[cfg(test)]
mod tests;
