//! The patterns: what each looks for, in how many cases it speaks, and what analysts said of those.

use serde::Serialize;

use crate::correlate::exempt::Opinion;
use crate::correlate::rules::rule::{Rule, Status};
use crate::deliver::alert::AlertRecord;

/// What analysts said of the cases of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Verdicts {
    /// A takeover.
    pub true_positive: usize,
    /// Nothing happened.
    pub false_positive: usize,
    /// It happened and was allowed.
    pub benign: usize,
    /// Anything else.
    pub other: usize,
}

/// A pattern or one of its branches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PatternView<'a> {
    /// Id with branch.
    pub id: &'a str,
    /// Id without branch.
    pub pattern: &'a str,
    /// What it is called.
    pub title: &'a str,
    /// One paragraph.
    pub description: &'a str,
    /// What must stay quiet.
    pub false_positives: &'a [String],
    /// Version of the rule.
    pub version: u32,
    /// Whether it counts: `enabled`, `shadow` or `off`.
    pub status: Status,
    /// Family.
    pub family: &'static str,
    /// ATT&CK techniques.
    pub attacks: &'a [String],
    /// Points of a finding.
    pub points: i64,
    /// Lowest tier that it looks at.
    pub min_tier: &'static str,
    /// Evidence that it waits for: without, it speaks at once.
    pub waits_for: Option<&'static str>,
    /// Cases held in which it speaks.
    pub cases: usize,
    /// Of them open ones.
    pub open: usize,
    /// Event time of the newest of them, ms.
    pub last: Option<i64>,
    /// What analysts said of them.
    pub verdicts: Verdicts,
}

/// All patterns of the rules that run, in the order of their ids. Alerts are given newest first.
#[must_use]
pub fn patterns<'a>(rules: &'a [Rule], alerts: &[&AlertRecord]) -> Vec<PatternView<'a>> {
    let mut views: Vec<PatternView<'a>> = rules.iter().map(|rule| of(rule, alerts)).collect();
    views.sort_by_key(|view| view.id);
    views
}

fn of<'a>(rule: &'a Rule, alerts: &[&AlertRecord]) -> PatternView<'a> {
    let speaks = |alert: &&&AlertRecord| alert.patterns.contains(&rule.id);
    let alerts: Vec<&&AlertRecord> = alerts.iter().filter(speaks).collect();
    let mut verdicts = Verdicts::default();
    for verdict in alerts.iter().filter_map(|alert| alert.verdict_id) {
        let count = if verdict == Opinion::TruePositive.id() {
            &mut verdicts.true_positive
        } else if verdict == Opinion::FalsePositive.id() {
            &mut verdicts.false_positive
        } else if verdict == Opinion::Benign.id() {
            &mut verdicts.benign
        } else {
            &mut verdicts.other
        };
        *count += 1;
    }
    PatternView {
        id: &rule.id,
        pattern: &rule.pattern,
        title: &rule.title,
        description: &rule.description,
        false_positives: &rule.falsepositives,
        version: rule.version,
        status: rule.status,
        family: rule.family.as_str(),
        attacks: &rule.attacks,
        points: rule.points,
        min_tier: rule.min_tier.as_str(),
        waits_for: rule.evidence.map(|evidence| evidence.as_str()),
        cases: alerts.len(),
        open: alerts.iter().filter(|alert| alert.is_open).count(),
        last: alerts.iter().map(|alert| alert.time).max(),
        verdicts,
    }
}
