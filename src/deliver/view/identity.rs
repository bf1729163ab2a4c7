//! A person: who recovered their account, and what else is recorded of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::collect::identity::KnownPerson;
use crate::collect::time::Timestamp;
use crate::deliver::alert::AlertRecord;
use crate::deliver::mention::Kind;
use crate::deliver::trail::{Part, Range, Somebody, Trail, is_recovery};
use crate::deliver::view::{Case, PEOPLE_MAX, about, cases};

/// How often what is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Recoveries of the account.
    pub recoveries: usize,
    /// Of them those that somebody else performed.
    pub by_admin: usize,
    /// Tickets.
    pub tickets: usize,
    /// Calls and chats.
    pub contacts: usize,
    /// Proofs of identity that were given.
    pub verifications: usize,
}

/// Somebody who recovered the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recoverer {
    /// Identity id.
    pub uid: String,
    /// Masked name.
    pub name: String,
    /// How often.
    pub recoveries: usize,
    /// When last, event time.
    pub last: Timestamp,
}

/// The answer.
#[derive(Debug, Serialize)]
pub struct IdentityView<'a> {
    /// Who it is, if audit records or alerts say it.
    pub identity: Somebody,
    /// What the directory knows of them; nothing where this instance does not hold it.
    pub directory: Option<KnownPerson>,
    /// From when on all audit records are held.
    pub since: Option<Timestamp>,
    /// How often what is recorded.
    pub counts: Counts,
    /// Who recovered the account, most often first.
    pub agents: Vec<Recoverer>,
    /// The cases, newest first.
    pub cases: Vec<Case<'a>>,
    /// The audit records, newest first.
    #[serde(flatten)]
    pub part: Part,
}

/// What is held of a person; `None` if nothing is. Alerts are given newest first.
#[must_use]
pub fn identity<'a>(
    trail: &Trail,
    alerts: &[&'a AlertRecord],
    id: &str,
    range: Range,
) -> Option<IdentityView<'a>> {
    let alerts = about(alerts, Kind::Identity, id);
    let recorded = trail.somebody(Kind::Identity, id);
    let identity = recorded.or_else(|| named(alerts.first()?, id))?;
    let mut counts = Counts::default();
    let (mut tickets, mut contacts) = (BTreeSet::new(), BTreeSet::new());
    let mut agents: BTreeMap<String, Recoverer> = BTreeMap::new();
    for placed in trail.of(Kind::Identity, id) {
        let record = placed.record;
        let is_own = record.target.as_ref().is_some_and(|who| who.uid == id);
        if is_own && is_recovery(&record) {
            counts.recoveries += 1;
            counts.by_admin += usize::from(record.by_admin);
            if let Some(agent) = record.agent.filter(|_| record.by_admin) {
                let known = agents.entry(agent.uid).or_insert_with_key(|uid| Recoverer {
                    uid: uid.clone(),
                    name: agent.name.unwrap_or_default(),
                    recoveries: 0,
                    // Newest first.
                    last: record.time,
                });
                known.recoveries += 1;
            }
        }
        let is_proof = record.action == "verify.result" && record.outcome == "success";
        counts.verifications += usize::from(is_proof);
        tickets.extend(record.ticket);
        contacts.extend(record.call);
    }
    (counts.tickets, counts.contacts) = (tickets.len(), contacts.len());
    let mut agents: Vec<Recoverer> = agents.into_values().collect();
    agents.sort_by_key(|agent| (std::cmp::Reverse(agent.recoveries), agent.uid.clone()));
    agents.truncate(PEOPLE_MAX);
    Some(IdentityView {
        identity,
        directory: None,
        since: trail.since(),
        counts,
        agents,
        cases: cases(&alerts),
        part: trail.part_of(Kind::Identity, id, range),
    })
}

/// Somebody as an alert names them.
pub(super) fn named(alert: &AlertRecord, id: &str) -> Option<Somebody> {
    let subject = &alert.subject;
    if subject.id == id {
        return Some(Somebody {
            uid: id.to_owned(),
            name: subject.name.clone(),
            tier: subject.tier.clone(),
        });
    }
    let mention = alert.mentions.iter().find(|mention| mention.id == id)?;
    Some(Somebody {
        uid: id.to_owned(),
        name: mention.name.clone(),
        tier: String::new(),
    })
}
