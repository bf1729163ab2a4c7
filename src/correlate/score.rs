//! Scoring: points per finding and tier, counter-evidence, four families, one total. Integers only,
//! in hundredths of a point, so that two runs give equal bytes.

use serde::{Deserialize, Serialize};

use crate::collect::event::Tier;

/// Largest value of a finding or a family: nothing alone is certain.
pub const VALUE_CP_MAX: i64 = 9_500;
/// What every further pattern of a family adds.
pub const FURTHER_PATTERN_CP: i64 = 1_000;
/// A finding counts towards its family from one point on.
pub const COUNTED_CP_MIN: i64 = 100;
/// From here on a family has weight in the rule of two.
pub const WEIGHT_CP_MIN: i64 = 2_000;

/// What a finding says about the attack. The order is that of the arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// A control was missing or broken.
    Governance,
    /// The order of events is that of a takeover.
    Sequence,
    /// Too often, or one thing touching many.
    Velocity,
    /// The caller or the contact itself.
    Impersonation,
}

impl Family {
    /// All four, in the order of the arithmetic.
    pub const ALL: [Self; 4] = [
        Self::Governance,
        Self::Sequence,
        Self::Velocity,
        Self::Impersonation,
    ];

    /// The name in labels and rule files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Governance => "governance",
            Self::Sequence => "sequence",
            Self::Velocity => "velocity",
            Self::Impersonation => "impersonation",
        }
    }
}

/// Why a finding is worth less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counter {
    /// A verification of strength 3 or more, at most 60 min before the recovery.
    Verified,
    /// A call-back to the number of record around the recovery.
    Callback,
    /// A review or approval by an eligible second person.
    SecondPerson,
    /// An exemption for travel or a device refresh.
    Expected,
}

impl Counter {
    /// The word in alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Callback => "callback",
            Self::SecondPerson => "second_person",
            Self::Expected => "expected",
        }
    }

    /// What it takes off, in hundredths of a point.
    #[must_use]
    pub const fn worth_cp(self) -> i64 {
        match self {
            Self::Verified => 4_000,
            Self::Callback => 3_000,
            Self::SecondPerson => 2_000,
            Self::Expected => 1_500,
        }
    }
}

/// Points of a finding before counter-evidence: whole points times the tier's multiplier.
#[must_use]
pub fn finding_cp(points: i64, tier: Tier) -> i64 {
    points
        .saturating_mul(tier.multiplier_x100())
        .clamp(0, VALUE_CP_MAX)
}

/// What is left of a finding after counter-evidence. Each kind counts once; `one_call` says that
/// verification and call-back were proved by the same call, so only the larger of the two counts.
#[must_use]
pub fn after_counter_cp(finding_cp: i64, counters: &[Counter], one_call: bool) -> i64 {
    let mut kinds = counters.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    if one_call && kinds.contains(&Counter::Verified) {
        kinds.retain(|kind| *kind != Counter::Callback);
    }
    let off: i64 = kinds.into_iter().map(Counter::worth_cp).sum();
    (finding_cp - off).max(0)
}

/// One counted finding: its pattern (without branch), family and what is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scored<'a> {
    /// Pattern id without branch, e.g. `HDT-03`.
    pub pattern: &'a str,
    /// Its family.
    pub family: Family,
    /// Value after counter-evidence, in hundredths of a point.
    pub value_cp: i64,
}

/// The score of a case, with every intermediate value of the arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Total {
    /// Value of each family, in the order of [`Family::ALL`].
    pub families_cp: [i64; 4],
    /// What remains after each family, starting from 10,000.
    pub rests_cp: [i64; 4],
    /// The total before rounding, 0–10,000.
    pub total_cp: i64,
}

impl Total {
    /// Adds up the findings of one case: within a family the largest, plus a little for each further
    /// pattern; across families a noisy-or, so that independent ones reinforce each other.
    #[must_use]
    pub fn of(findings: &[Scored<'_>]) -> Self {
        let mut total = Self::default();
        let mut rest = 10_000;
        for ((family, value), after) in Family::ALL
            .into_iter()
            .zip(&mut total.families_cp)
            .zip(&mut total.rests_cp)
        {
            *value = family_cp(findings, family);
            rest = (rest * (10_000 - *value) + 5_000) / 10_000;
            *after = rest;
        }
        total.total_cp = 10_000 - rest;
        total
    }

    /// The published score, 0–100.
    #[must_use]
    pub const fn score(&self) -> i64 {
        (self.total_cp + 50) / 100
    }

    /// Families of weight.
    pub fn weighty(&self) -> impl Iterator<Item = Family> + '_ {
        Family::ALL
            .into_iter()
            .zip(self.families_cp)
            .filter(|(_, value)| *value >= WEIGHT_CP_MIN)
            .map(|(family, _)| family)
    }

    /// Two families of weight, or the sequence alone on an executive or higher tier.
    #[must_use]
    pub fn rule_of_two(&self, tier: Tier) -> bool {
        self.weighty().count() >= 2
            || (tier >= Tier::Executive && self.weighty().any(|f| f == Family::Sequence))
    }
}

fn family_cp(findings: &[Scored<'_>], family: Family) -> i64 {
    let counted: Vec<_> = findings
        .iter()
        .filter(|f| f.family == family && f.value_cp >= COUNTED_CP_MIN)
        .collect();
    let mut patterns: Vec<_> = counted.iter().map(|f| f.pattern).collect();
    patterns.sort_unstable();
    patterns.dedup();
    let further = i64::try_from(patterns.len())
        .unwrap_or(i64::MAX)
        .saturating_sub(1);
    counted
        .iter()
        .map(|f| f.value_cp)
        .max()
        .map_or(0, |largest| {
            largest
                .saturating_add(FURTHER_PATTERN_CP.saturating_mul(further))
                .min(VALUE_CP_MAX)
        })
}

/// Severity, with its OCSF `severity_id`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Published for the timeline, never delivered.
    #[default]
    Informational,
    /// From 30.
    Low,
    /// From 50.
    Medium,
    /// From 70.
    High,
    /// From 85, with the rule of two.
    Critical,
}

impl Severity {
    /// The word in alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// OCSF `severity_id`, 1–5.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::Informational => 1,
            Self::Low => 2,
            Self::Medium => 3,
            Self::High => 4,
            Self::Critical => 5,
        }
    }

    /// The band of a total, capped at high without the rule of two and at medium where the case
    /// rests only on weakly resolved identities.
    #[must_use]
    pub fn of(total: &Total, rule_of_two: bool, only_weak: bool) -> Self {
        let band = match total.total_cp {
            ..3_000 => Self::Informational,
            3_000..5_000 => Self::Low,
            5_000..7_000 => Self::Medium,
            7_000..8_500 => Self::High,
            _ => Self::Critical,
        };
        let cap = match (only_weak, rule_of_two) {
            (true, _) => Self::Medium,
            (false, false) => Self::High,
            (false, true) => Self::Critical,
        };
        band.min(cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(pattern: &str, family: Family, value_cp: i64) -> Scored<'_> {
        Scored {
            pattern,
            family,
            value_cp,
        }
    }

    /// Contractor; a pressed call, password and factors reset, no ticket, no call-back; then a video
    /// verification is reported late. The verification pattern is not part of this rule set.
    #[test]
    fn the_worked_example_adds_up() {
        use Family::{Governance, Impersonation, Sequence};
        let tier = Tier::Contractor;
        let rows = [
            ("HDT-01", Governance, 45),
            ("HDT-02", Governance, 50),
            ("HDT-03", Governance, 45),
            ("HDT-04", Sequence, 45),
            ("HDT-15", Impersonation, 25),
        ];
        let before: Vec<_> = rows
            .iter()
            .map(|(p, f, points)| scored(p, *f, finding_cp(*points, tier)))
            .collect();
        assert_eq!(
            before.iter().map(|f| f.value_cp).collect::<Vec<_>>(),
            [5_175, 5_750, 5_175, 5_175, 2_875]
        );
        let total = Total::of(&before);
        assert_eq!(total.families_cp, [7_750, 5_175, 0, 2_875]);
        assert_eq!(total.rests_cp, [2_250, 1_086, 1_086, 774]);
        assert_eq!((total.total_cp, total.score()), (9_226, 92));
        assert!(total.rule_of_two(tier));
        assert_eq!(Severity::of(&total, true, false), Severity::Critical);

        let after: Vec<_> = before
            .iter()
            .filter(|f| f.pattern != "HDT-02")
            .map(|f| Scored {
                value_cp: after_counter_cp(f.value_cp, &[Counter::Verified], false),
                ..*f
            })
            .collect();
        let total = Total::of(&after);
        assert_eq!(total.families_cp, [2_175, 1_175, 0, 0]);
        assert_eq!((total.total_cp, total.score()), (3_094, 31));
        assert!(!total.rule_of_two(tier));
        assert_eq!(Severity::of(&total, false, false), Severity::Low);
    }

    #[test]
    fn several_findings_of_one_pattern_count_once() {
        let one = [scored("HDT-07", Family::Velocity, 4_500)];
        let two = [one[0], scored("HDT-07", Family::Velocity, 3_000)];
        assert_eq!(Total::of(&one), Total::of(&two));
        let other = [one[0], scored("HDT-09", Family::Velocity, 99)];
        assert_eq!(
            Total::of(&one),
            Total::of(&other),
            "under a point is not counted"
        );
    }

    #[test]
    fn one_call_proves_one_thing() {
        let both = [Counter::Callback, Counter::Verified];
        assert_eq!(after_counter_cp(9_000, &both, false), 2_000);
        assert_eq!(after_counter_cp(9_000, &both, true), 5_000);
        assert_eq!(after_counter_cp(2_000, &both, true), 0);
        assert_eq!(
            after_counter_cp(9_000, &[Counter::Verified, Counter::Verified], false),
            5_000
        );
    }

    #[test]
    fn caps_hold() {
        let lone = Total::of(&[scored("HDT-04", Family::Sequence, 9_500)]);
        assert_eq!(lone.total_cp, 9_500);
        assert!(!lone.rule_of_two(Tier::Contractor) && lone.rule_of_two(Tier::Executive));
        assert_eq!(Severity::of(&lone, false, false), Severity::High);
        assert_eq!(Severity::of(&lone, true, true), Severity::Medium);
        assert_eq!(finding_cp(80, Tier::Machine), VALUE_CP_MAX);
    }

    #[test]
    fn band_edges_are_by_the_total_before_rounding() {
        for (value, band) in [
            (2_999, Severity::Informational),
            (3_000, Severity::Low),
            (4_999, Severity::Low),
            (5_000, Severity::Medium),
            (7_000, Severity::High),
            (8_499, Severity::High),
            (8_500, Severity::Critical),
        ] {
            let total = Total {
                total_cp: value,
                ..Total::default()
            };
            assert_eq!(Severity::of(&total, true, false), band, "{value}");
        }
    }
}
