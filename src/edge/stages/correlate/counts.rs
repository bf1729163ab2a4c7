//! What a correlator counts.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::collect::time::Timestamp;
use crate::correlate::case::Activity;
use crate::correlate::engine::{self, Effects, Published};
use crate::correlate::relay::Relay;
use crate::deliver::filter::SEVERITIES;

/// Moments kept until they are asked for; of more the first stand for all.
const KEPT_MAX: usize = 4_096;

/// What happened, for metrics. Only what was committed is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// What the engines counted.
    pub engine: engine::Counts,
    /// Revisions by lead pattern, severity and activity.
    pub alerts: BTreeMap<(String, &'static str, &'static str), u64>,
    /// Revisions under a silence, by lead pattern.
    pub silenced: BTreeMap<String, u64>,
    /// Of each created or updated alert the event time of what made it so; of a missing control that
    /// is its deadline.
    pub caused: Vec<Timestamp>,
    /// New findings by pattern, and whether an exemption suppressed them.
    pub findings: BTreeMap<(String, bool), u64>,
    /// Relays by kind.
    pub relays: BTreeMap<&'static str, u64>,
    /// Entries that became dead letters.
    pub poisoned: usize,
    /// What each cycle took to apply.
    pub applied: Vec<Duration>,
    /// Restores that ended.
    pub restores: Vec<Restored>,
}

/// What a restore read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restored {
    /// Records.
    pub records: u64,
    /// From the assignment on, the wait for an open transaction included.
    pub took: Duration,
    /// How often the group stood elsewhere than the changelog.
    pub mismatches: u64,
}

impl Counts {
    /// Adds what was committed later.
    pub fn add(&mut self, later: Self) {
        self.engine.add(&later.engine);
        sum(&mut self.alerts, later.alerts);
        sum(&mut self.silenced, later.silenced);
        sum(&mut self.findings, later.findings);
        sum(&mut self.relays, later.relays);
        keep(&mut self.caused, later.caused);
        keep(&mut self.applied, later.applied);
        keep(&mut self.restores, later.restores);
        self.poisoned += later.poisoned;
    }

    /// Notes what a partition is going to write.
    pub(super) fn note(&mut self, effects: &Effects) {
        for alert in &effects.alerts {
            self.note_alert(alert);
        }
        for finding in &effects.findings {
            let key = (finding.pattern.clone(), finding.is_suppressed);
            *self.findings.entry(key).or_default() += 1;
        }
        for (_, relay) in &effects.relays {
            *self.relays.entry(kind(relay)).or_default() += 1;
        }
    }

    fn note_alert(&mut self, alert: &Published) {
        let case = &alert.revision.case;
        let lead = alert.lead.clone().unwrap_or_default();
        if case.silenced {
            *self.silenced.entry(lead.clone()).or_default() += 1;
        }
        let severity = SEVERITIES.get(case.verdict.severity as usize);
        let activity = match alert.revision.activity {
            Activity::Create => "created",
            Activity::Update => "updated",
            Activity::Close => "closed",
        };
        let key = (lead, severity.copied().unwrap_or_default(), activity);
        *self.alerts.entry(key).or_default() += 1;
        if alert.revision.activity != Activity::Close && self.caused.len() < KEPT_MAX {
            self.caused.push(case.time);
        }
    }

    pub(super) fn applied(&mut self, took: Duration) {
        self.applied.push(took);
    }

    pub(super) fn restored(&mut self, restored: Restored) {
        keep(&mut self.restores, vec![restored]);
    }
}

/// The kinds of relays.
pub const RELAYS: [&str; 3] = ["contact_state", "ticket_state", "pivot_finding"];

const fn kind(relay: &Relay) -> &'static str {
    match relay {
        Relay::Contact { .. } => RELAYS[0],
        Relay::Ticket { .. } => RELAYS[1],
        Relay::Finding { .. } => RELAYS[2],
    }
}

fn sum<K: Ord>(into: &mut BTreeMap<K, u64>, later: BTreeMap<K, u64>) {
    for (key, number) in later {
        *into.entry(key).or_default() += number;
    }
}

fn keep<T>(into: &mut Vec<T>, later: Vec<T>) {
    let room = KEPT_MAX.saturating_sub(into.len());
    into.extend(later.into_iter().take(room));
}
