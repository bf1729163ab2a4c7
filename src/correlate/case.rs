//! The case of one entity: its active findings, what they add up to, and when that is worth a new
//! revision.

use serde::{Deserialize, Serialize};

use crate::collect::entity::EntityKind;
use crate::collect::event::{EventId, Tier};
use crate::collect::time::{HOUR_MS, Timestamp};
use crate::correlate::finding::Finding;
use crate::correlate::score::{Scored, Severity, Total};

/// Whether a case pages, and how bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Verdict {
    /// Severity.
    pub severity: Severity,
    /// Whether somebody should be woken.
    pub page: bool,
}

/// What the active findings of an entity add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The arithmetic.
    pub total: Total,
    /// Two families of weight, or a sequence on an executive or higher tier.
    pub rule_of_two: bool,
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
        let tier = findings
            .iter()
            .map(|f| f.tier)
            .max()
            .unwrap_or(Tier::Standard);
        let rule_of_two = total.rule_of_two(tier);
        let severity = Severity::of(&total, rule_of_two, only_weak);
        let page = kind == EntityKind::Identity && rule_of_two && severity >= Severity::High;
        Self {
            total,
            rule_of_two,
            verdict: Verdict { severity, page },
        }
    }
}

/// The open case of one entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Id of the finding that opened it, for life.
    pub alert_id: EventId,
    /// Last published revision, from 1.
    pub revision: u32,
    /// What the last revision said: active findings with their worth.
    pub findings: Vec<(EventId, i64)>,
    /// Its verdict.
    pub verdict: Verdict,
    /// Highest verdict so far.
    pub peak: Verdict,
    /// Event time of the revision.
    pub time: Timestamp,
    /// Retracted: nothing active is left.
    pub closed: bool,
}

impl Case {
    /// Nothing is added to it any more.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }
}

/// One published state of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The case as it stands now.
    pub case: Case,
    /// The verdict before.
    pub before: Verdict,
    /// What it adds up to.
    pub judgement: Judgement,
    /// Active findings, in order.
    pub findings: Vec<Finding>,
}

/// A case that nothing was added to for so long, by the watermark, is over: a day, and the longest
/// lateness of a feed.
pub const QUIET_MS: i64 = 28 * HOUR_MS;

/// The watermark at which a case is over.
#[must_use]
pub fn closes_at(case: &Case) -> Timestamp {
    case.time.plus(QUIET_MS)
}

/// The next revision of a case, if the set of active findings, the points of one, the severity or the
/// page changed; growth without points publishes nothing.
#[must_use]
pub fn revise(
    kind: EntityKind,
    case: Option<&Case>,
    findings: &[Finding],
    only_weak: bool,
) -> Option<Revision> {
    let judgement = Judgement::of(kind, findings, only_weak);
    let worth: Vec<(EventId, i64)> = findings.iter().map(|f| (f.id, f.value_cp)).collect();
    let unchanged =
        case.is_some_and(|case| case.findings == worth && case.verdict == judgement.verdict);
    let none_open = case.is_none_or(|case| case.closed);
    if unchanged || (none_open && findings.is_empty()) {
        return None;
    }
    let before = case.map(|case| case.verdict).unwrap_or_default();
    let peak = case.map(|case| case.peak).unwrap_or_default();
    let opener = findings
        .iter()
        .map(|f| (f.time, f.id))
        .min()
        .map(|(_, id)| id);
    let time = findings.iter().map(|f| f.time).max();
    let next = Case {
        alert_id: case.map(|case| case.alert_id).or(opener)?,
        revision: case.map_or(0, |case| case.revision).saturating_add(1),
        findings: worth,
        verdict: judgement.verdict,
        peak: Verdict {
            severity: peak.severity.max(judgement.verdict.severity),
            page: peak.page || judgement.verdict.page,
        },
        time: time.or_else(|| case.map(|case| case.time))?,
        closed: findings.is_empty(),
    };
    Some(Revision {
        case: next,
        before,
        judgement,
        findings: findings.to_vec(),
    })
}
