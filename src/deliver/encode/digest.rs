//! One message about many alerts, for a storm: how many, how bad, the worst of them.

use std::collections::BTreeMap;

use crate::collect::time::Timestamp;
use crate::correlate::alert::spell;
use crate::deliver::notice::Notice;
use crate::deliver::pii::Masking;
use crate::deliver::route::Decision;
use crate::deliver::severity::{INFORMATIONAL, Severity, TABLE, of};

/// Alerts that are named.
pub const WORST_MAX: usize = 5;
/// Alerts that are told apart; more are counted as often as they come.
const ALERTS_MAX: usize = 10_000;

/// An alert that is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its alert id.
    pub id: String,
    /// Its severity.
    pub severity_id: u8,
    /// Its score.
    pub score: u8,
    /// Its summary.
    pub summary: String,
    /// Where it is shown.
    pub link: Option<String>,
}

/// What came in a storm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Its id: the dedup key where one is asked for.
    pub id: String,
    /// Of the alerts in it.
    pub tenant: String,
    /// Where all alerts are shown.
    pub link: Option<String>,
    /// From when to when it was gathered.
    pub span: (Timestamp, Timestamp),
    masking: Masking,
    /// Severity by alert id, as last told; none once resolved.
    alerts: BTreeMap<String, Option<u8>>,
    /// Alerts beyond the bound, by severity.
    beyond: [u64; TABLE.len()],
    worst: Vec<Row>,
}

impl Digest {
    /// An empty digest from a moment on.
    #[must_use]
    pub fn new(id: &str, from: Timestamp, link: Option<String>, masking: Masking) -> Self {
        Self {
            id: id.to_owned(),
            tenant: String::new(),
            link,
            span: (from, from),
            masking,
            alerts: BTreeMap::new(),
            beyond: [0; TABLE.len()],
            worst: Vec::new(),
        }
    }

    /// Takes in a revision that would have been delivered at a moment.
    pub fn add(&mut self, notice: &Notice, decision: Decision, at: Timestamp) {
        let notice = &*self.masking.apply(notice);
        self.span.1 = self.span.1.max(at);
        self.tenant.clone_from(&notice.tenant);
        let severity_id = notice.alert.severity_id;
        let id = &notice.alert.id;
        let is_resolved = decision == Decision::Resolve;
        if self.alerts.len() < ALERTS_MAX || self.alerts.contains_key(id) {
            let told = (!is_resolved).then_some(severity_id);
            self.alerts.insert(id.clone(), told);
        } else if let Some(count) = self.beyond.get_mut(place(severity_id))
            && !is_resolved
        {
            *count += 1;
        }
        self.worst.retain(|row| row.id != *id);
        if is_resolved {
            return;
        }
        self.worst.push(Row {
            id: id.clone(),
            severity_id,
            score: notice.alert.score,
            summary: notice.summary(),
            link: notice.link.clone(),
        });
        self.worst
            .sort_by(|a, b| key(b).cmp(&key(a)).then_with(|| a.id.cmp(&b.id)));
        self.worst.truncate(WORST_MAX);
    }

    /// The worst open alerts, the worst first.
    #[must_use]
    pub fn worst(&self) -> &[Row] {
        &self.worst
    }

    /// How many alerts are open in it, by severity in rising order, and how many were resolved.
    #[must_use]
    pub fn counts(&self) -> ([u64; TABLE.len()], u64) {
        let mut open = self.beyond;
        let mut resolved = 0;
        for told in self.alerts.values() {
            match told.and_then(|id| open.get_mut(place(id))) {
                Some(count) => *count += 1,
                None => resolved += 1,
            }
        }
        (open, resolved)
    }

    /// The worst severity in it.
    #[must_use]
    pub fn severity(&self) -> &'static Severity {
        of(self
            .worst
            .first()
            .map_or(INFORMATIONAL, |row| row.severity_id))
    }

    /// `STORM 37 more alerts in 60 s: 3 critical, 10 high, 24 medium; 2 resolved`.
    #[must_use]
    pub fn summary(&self) -> String {
        let (open, resolved) = self.counts();
        let total: u64 = open.iter().sum();
        let mut parts: Vec<String> = TABLE
            .iter()
            .zip(open)
            .rev()
            .filter(|(_, count)| *count > 0)
            .map(|(severity, count)| format!("{count} {}", severity.name))
            .collect();
        if parts.is_empty() {
            parts.push("none open".to_owned());
        }
        let alerts = if total == 1 { "alert" } else { "alerts" };
        let span = spell(self.span.1.0.saturating_sub(self.span.0.0).max(1_000));
        let mut text = format!(
            "STORM {total} more {alerts} in {span}: {}",
            parts.join(", ")
        );
        if resolved > 0 {
            text.push_str(&format!("; {resolved} resolved"));
        }
        text
    }
}

/// The place of a severity in counts.
fn place(severity_id: u8) -> usize {
    usize::from(of(severity_id).id.saturating_sub(1))
}

const fn key(row: &Row) -> (u8, u8) {
    (row.severity_id, row.score)
}
