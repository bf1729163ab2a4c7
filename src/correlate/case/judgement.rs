//! What the findings of a case add up to.

use serde::{Deserialize, Serialize};

use crate::collect::entity::EntityKind;
use crate::collect::event::Tier;
use crate::correlate::finding::Finding;
use crate::correlate::score::{COUNTED_CP_MIN, Family, Scored, Severity, Total};

/// Whether a case pages, and how bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Verdict {
    /// Severity.
    pub severity: Severity,
    /// Whether somebody should be woken.
    pub page: bool,
}

impl Verdict {
    /// The higher of two, each part by itself.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            severity: self.severity.max(other.severity),
            page: self.page || other.page,
        }
    }
}

/// What the active findings of an entity add up to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Judgement {
    /// The arithmetic.
    pub total: Total,
    /// Two families of weight, or a sequence on an executive or higher tier.
    pub rule_of_two: bool,
    /// The case rests on weakly resolved identities only.
    pub only_weak: bool,
    /// Severity and page.
    pub verdict: Verdict,
}

impl Judgement {
    /// Adds up findings. Only identities page; missing controls alone are one family and never do.
    #[must_use]
    pub fn of(kind: EntityKind, findings: &[Finding], only_weak: bool) -> Self {
        let scored: Vec<Scored<'_>> = findings
            .iter()
            .map(|f| Scored {
                pattern: &f.pattern,
                family: f.family,
                value_cp: f.value_cp,
            })
            .collect();
        let total = Total::of(&scored);
        let counts = |f: &&Finding| f.family == Family::Sequence && f.value_cp >= COUNTED_CP_MIN;
        let tier = findings.iter().filter(counts).map(|f| f.tier).max();
        let rule_of_two = total.rule_of_two(tier.unwrap_or(Tier::Standard));
        let severity = Severity::of(&total, rule_of_two, only_weak);
        let page = kind == EntityKind::Identity && rule_of_two && severity >= Severity::High;
        Self {
            total,
            rule_of_two,
            only_weak,
            verdict: Verdict { severity, page },
        }
    }
}
