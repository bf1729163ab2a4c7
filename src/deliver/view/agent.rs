//! An agent: whose accounts they recovered, under which controls, and how often beside their peers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::collect::time::{DAY_MS, Timestamp};
use crate::deliver::alert::AlertRecord;
use crate::deliver::audit::{AuditRecord, Controls, Who};
use crate::deliver::mention::Kind;
use crate::deliver::trail::{Part, Range, Somebody, Trail, performed};
use crate::deliver::view::identity::named;
use crate::deliver::view::{Case, PEOPLE_MAX, about, cases};

/// Days of the histogram.
const DAYS: i64 = 30;

/// How often what is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Recoveries for others.
    pub recoveries: usize,
    /// Accounts that were recovered.
    pub identities: usize,
    /// Overrides of tickets.
    pub overrides: usize,
    /// Of them those whose reason says nothing.
    pub overrides_without_reason: usize,
    /// What they asked for or performed, and approved themselves.
    pub self_approved: usize,
    /// Recoveries whose controls are decided.
    pub settled: usize,
    /// Of them those without a ticket.
    pub ticket_missing: usize,
    /// Without a proof of identity.
    pub verify_missing: usize,
    /// Without a call-back to a number of record.
    pub callback_missing: usize,
    /// Without a second person.
    pub approval_missing: usize,
}

/// The recoveries of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Day {
    /// Its begin, UTC.
    pub day: Timestamp,
    /// How many.
    pub recoveries: usize,
}

/// All agents that performed recoveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Peers {
    /// How many agents.
    pub agents: usize,
    /// Recoveries of the agent in the middle.
    pub recoveries_median: usize,
    /// Recoveries that 95 in 100 agents do not exceed.
    pub recoveries_p95: usize,
    /// Place of this one, 1 for the most; `None` without a recovery.
    pub rank: Option<usize>,
}

/// Somebody whose account was recovered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recovered {
    /// Identity id.
    pub uid: String,
    /// Masked name.
    pub name: String,
    /// Tier at the newest recovery.
    pub tier: String,
    /// How often.
    pub recoveries: usize,
    /// When last, event time.
    pub last: Timestamp,
}

/// The answer.
#[derive(Debug, Serialize)]
pub struct AgentView<'a> {
    /// Who it is.
    pub agent: Somebody,
    /// From when on all audit records are held.
    pub since: Option<Timestamp>,
    /// How often what is recorded.
    pub counts: Counts,
    /// Recoveries of the last 30 days before the newest record of all, oldest first.
    pub days: Vec<Day>,
    /// How the number stands beside the others'.
    pub peers: Peers,
    /// Whose accounts, most often first.
    pub identities: Vec<Recovered>,
    /// The cases, newest first.
    pub cases: Vec<Case<'a>>,
    /// The audit records, newest first.
    #[serde(flatten)]
    pub part: Part,
}

/// What is held of an agent; `None` if nothing is. Alerts are given newest first.
#[must_use]
pub fn agent<'a>(
    trail: &Trail,
    alerts: &[&'a AlertRecord],
    id: &str,
    range: Range,
) -> Option<AgentView<'a>> {
    let alerts = about(alerts, Kind::Agent, id);
    let recorded = trail.somebody(Kind::Agent, id);
    let agent = recorded.or_else(|| named(alerts.first()?, id))?;
    let mut tally = Tally::default();
    for placed in trail.of(Kind::Agent, id) {
        tally.take(placed.record, id);
    }
    let last_day = trail.newest().map_or(0, Timestamp::utc_day);
    Some(AgentView {
        agent,
        since: trail.since(),
        counts: tally.counts(),
        days: (last_day - DAYS + 1..=last_day)
            .map(|day| Day {
                day: Timestamp(day * DAY_MS),
                recoveries: tally.days.get(&day).copied().unwrap_or(0),
            })
            .collect(),
        peers: peers(trail, id),
        identities: tally.identities(),
        cases: cases(&alerts),
        part: trail.part_of(Kind::Agent, id, range),
    })
}

/// What the records of one agent add up to.
#[derive(Default)]
struct Tally {
    counts: Counts,
    days: BTreeMap<i64, usize>,
    identities: BTreeMap<String, Recovered>,
    /// The newest version of the controls of each recovery.
    settled: BTreeMap<String, (u32, Controls)>,
    self_approved: BTreeSet<String>,
}

impl Tally {
    /// Takes a record in; they come newest first.
    fn take(&mut self, record: AuditRecord, id: &str) {
        let is = |who: &Option<Who>| who.as_ref().is_some_and(|who| who.uid == id);
        let approves = is(&record.approver);
        let asked_or_did = is(&record.requester) || (record.class.is_some() && is(&record.agent));
        if approves && asked_or_did {
            self.self_approved.insert(record.event.clone());
        }
        if !is(&record.agent) {
            return;
        }
        if record.is_settled() {
            if let Some(controls) = record.controls {
                let known = self.settled.entry(record.event);
                let known = known.or_insert_with(|| (record.version, controls.clone()));
                if record.version > known.0 {
                    *known = (record.version, controls);
                }
            }
        } else if performed(&record, id) {
            self.counts.recoveries += 1;
            *self.days.entry(record.time.utc_day()).or_default() += 1;
            if let Some(target) = record.target {
                let known = self.identities.entry(target.uid);
                let known = known.or_insert_with_key(|uid| Recovered {
                    uid: uid.clone(),
                    name: target.name.unwrap_or_default(),
                    tier: target.tier,
                    recoveries: 0,
                    last: record.time,
                });
                known.recoveries += 1;
            }
        } else if record.action == "ticket.override" {
            let quality = record.reason.and_then(|reason| reason.quality);
            let says = matches!(quality.as_deref(), Some("structured" | "text"));
            self.counts.overrides += 1;
            self.counts.overrides_without_reason += usize::from(!says);
        }
    }

    fn counts(&self) -> Counts {
        let missing = |which: fn(&Controls) -> &str| {
            let controls = self.settled.values().map(|(_, controls)| which(controls));
            controls.filter(|state| *state == "missing").count()
        };
        Counts {
            identities: self.identities.len(),
            self_approved: self.self_approved.len(),
            settled: self.settled.len(),
            ticket_missing: missing(|controls| &controls.ticket.state),
            verify_missing: missing(|controls| &controls.verify.state),
            callback_missing: missing(|controls| &controls.callback.state),
            approval_missing: missing(|controls| &controls.approval.state),
            ..self.counts
        }
    }

    fn identities(self) -> Vec<Recovered> {
        let mut found: Vec<Recovered> = self.identities.into_values().collect();
        found.sort_by_key(|one| (Reverse(one.recoveries), Reverse(one.last)));
        found.truncate(PEOPLE_MAX);
        found
    }
}

fn peers(trail: &Trail, id: &str) -> Peers {
    let mut own = None;
    let mut all: Vec<usize> = trail
        .recoveries()
        .inspect(|(agent, recoveries)| {
            if *agent == id {
                own = Some(*recoveries);
            }
        })
        .map(|(_, recoveries)| recoveries)
        .collect();
    all.sort_unstable();
    // Nearest rank.
    let at = |percent: usize| {
        let rank = (all.len() * percent).div_ceil(100).max(1);
        all.get(rank - 1).copied().unwrap_or(0)
    };
    Peers {
        agents: all.len(),
        recoveries_median: at(50),
        recoveries_p95: at(95),
        rank: own.map(|own| all.iter().filter(|other| **other > own).count() + 1),
    }
}
