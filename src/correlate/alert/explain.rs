//! The arithmetic of the score, term by term, so that anybody can add it up again.
//!
//! The terms of one finding add up to what it is worth; those of a family name the largest finding and
//! the number of patterns; the remainders lead to the total.

use crate::collect::event::EventId;
use crate::correlate::alert::{Given, seen_of};
use crate::correlate::finding::{Cause, Finding};
use crate::correlate::score::{COUNTED_CP_MIN, Counter, Family, VALUE_CP_MAX};

/// One term, in hundredths of a point.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Term {
    /// `points`, `bonus`, `cap`, `counter`, `floor`, `suppressed`, `family`, `rest` or `total`.
    pub term: &'static str,
    /// Pattern.
    pub pattern: Option<String>,
    /// Finding.
    pub finding: Option<EventId>,
    /// Family.
    pub family: Option<&'static str>,
    /// Kind of counter-evidence.
    pub kind: Option<&'static str>,
    /// Whole points.
    pub points: Option<i64>,
    /// Multiplier of the tier, in hundredths.
    pub tier_x100: Option<i64>,
    /// Patterns that count in a family.
    pub patterns: Option<usize>,
    /// Value of the largest of them.
    pub largest: Option<i64>,
    /// What the term adds, or, of `family`, `rest` and `total`, what stands there.
    pub value: i64,
    /// The event behind it.
    pub event: Option<EventId>,
    /// Its source: topic, partition, offset.
    pub at: Option<String>,
    /// The exemption behind it.
    pub exemption: Option<String>,
}

/// All terms of a revision's score: of each pattern the finding that counts, then the families.
pub(super) fn explain(given: &Given<'_>) -> Vec<Term> {
    let findings = &given.revision.case.findings;
    let mut terms = Vec::new();
    for finding in deciding(findings) {
        terms.extend(finding_terms(given, finding));
    }
    let total = &given.revision.judgement.total;
    for (at, family) in Family::ALL.into_iter().enumerate() {
        let counted: Vec<&Finding> = deciding(findings)
            .into_iter()
            .filter(|f| f.family == family && f.value_cp >= COUNTED_CP_MIN)
            .collect();
        terms.push(Term {
            term: "family",
            family: Some(family.as_str()),
            patterns: Some(counted.len()),
            largest: counted.iter().map(|f| f.value_cp).max(),
            value: total.families_cp.get(at).copied().unwrap_or_default(),
            ..Term::default()
        });
        terms.push(Term {
            term: "rest",
            family: Some(family.as_str()),
            value: total.rests_cp.get(at).copied().unwrap_or_default(),
            ..Term::default()
        });
    }
    terms.push(Term {
        term: "total",
        value: total.total_cp,
        ..Term::default()
    });
    terms
}

/// Of each pattern in a family the finding with most worth, in the order of families and patterns.
fn deciding(findings: &[Finding]) -> Vec<&Finding> {
    let mut rows: Vec<&Finding> = findings.iter().collect();
    rows.sort_by_key(|f| {
        let worth = std::cmp::Reverse((f.value_cp, f.points));
        (f.family, f.pattern.as_str(), worth, f.time, f.id)
    });
    rows.dedup_by_key(|f| (f.family, f.pattern.as_str()));
    rows
}

fn finding_terms(given: &Given<'_>, finding: &Finding) -> Vec<Term> {
    let m = finding.tier.multiplier_x100();
    let last = finding.evidence.last().copied().unwrap_or(finding.anchor);
    let base = |term: &'static str, value: i64| Term {
        term,
        pattern: Some(finding.pattern.clone()),
        finding: Some(finding.id),
        family: Some(finding.family.as_str()),
        value,
        ..Term::default()
    };
    let scored = |term: &'static str, points: i64, event: EventId| Term {
        points: Some(points),
        tier_x100: Some(m),
        event: Some(event),
        at: at(given, event),
        ..base(term, points * m)
    };
    let mut terms = vec![scored("points", finding.base_points(), finding.anchor)];
    terms.extend(finding.bonuses.iter().map(|b| scored("bonus", *b, last)));
    let gross = finding.points * m;
    if gross > VALUE_CP_MAX {
        terms.push(base("cap", VALUE_CP_MAX - gross));
    }
    let mut left = gross.min(VALUE_CP_MAX);
    for (kind, cause) in &finding.counters {
        let again = *kind == Counter::Callback
            && finding.one_call
            && finding
                .counters
                .iter()
                .any(|(k, _)| *k == Counter::Verified);
        let value = if again { 0 } else { -kind.worth_cp() };
        left += value;
        let (event, exemption) = match cause {
            Cause::Event(id) => (Some(*id), None),
            Cause::Exemption(id) => (None, Some(id.clone())),
        };
        terms.push(Term {
            kind: Some(kind.as_str()),
            event,
            at: event.and_then(|id| at(given, id)),
            exemption,
            ..base("counter", value)
        });
    }
    if left < 0 {
        terms.push(base("floor", -left));
        left = 0;
    }
    if let Some(id) = &finding.suppressed {
        terms.push(Term {
            exemption: Some(id.clone()),
            ..base("suppressed", -left)
        });
    }
    terms
}

fn at(given: &Given<'_>, id: EventId) -> Option<String> {
    seen_of(given.view, id).map(|seen| seen.fact.at.to_string())
}
