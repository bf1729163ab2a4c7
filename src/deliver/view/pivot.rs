//! A ticket, call, caller, device or address: whose accounts it is connected with.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::collect::time::Timestamp;
use crate::deliver::alert::AlertRecord;
use crate::deliver::mention::Kind;
use crate::deliver::trail::{Part, Range, Trail};
use crate::deliver::view::{Case, PEOPLE_MAX, about, cases};

/// Somebody who is connected with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Connected<'a> {
    /// Identity id.
    pub uid: String,
    /// Masked name.
    pub name: String,
    /// Tier, where it is known.
    pub tier: String,
    /// The alerts that connect them.
    pub cases: Vec<&'a str>,
    /// The audit records that connect them.
    pub records: usize,
}

/// The answer.
#[derive(Debug, Serialize)]
pub struct PivotView<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// The masked name under which people know it; empty where there is none.
    pub name: String,
    /// From when on all audit records are held.
    pub since: Option<Timestamp>,
    /// Who is connected with it, by most alerts first.
    pub identities: Vec<Connected<'a>>,
    /// The cases, newest first.
    pub cases: Vec<Case<'a>>,
    /// The audit records, newest first; none for callers, devices and addresses, which they do not
    /// name.
    #[serde(flatten)]
    pub part: Part,
}

/// What is held of it; `None` if nothing is. Alerts are given newest first.
#[must_use]
pub fn pivot<'a>(
    trail: &Trail,
    alerts: &[&'a AlertRecord],
    (kind, id): (Kind, &str),
    range: Range,
) -> Option<PivotView<'a>> {
    let alerts = about(alerts, kind, id);
    if alerts.is_empty() && !trail.knows(kind, id) {
        return None;
    }
    let mut people: BTreeMap<String, Connected<'a>> = BTreeMap::new();
    let mut note = |uid: &str, name: &str, tier: &str| {
        let known = people.entry(uid.to_owned());
        let known = known.or_insert_with_key(|uid| Connected {
            uid: uid.clone(),
            name: String::new(),
            tier: String::new(),
            cases: Vec::new(),
            records: 0,
        });
        for (known, told) in [(&mut known.name, name), (&mut known.tier, tier)] {
            if known.is_empty() {
                told.clone_into(known);
            }
        }
        uid.to_owned()
    };
    let mut connections: Vec<(String, Option<&'a str>)> = Vec::new();
    for alert in &alerts {
        let subject = &alert.subject;
        if subject.kind == Kind::Identity.as_str() {
            let uid = note(&subject.id, &subject.name, &subject.tier);
            connections.push((uid, Some(&alert.id)));
        }
        let mentioned = alert.mentions.iter();
        for one in mentioned.filter(|one| one.kind == Kind::Identity && one.id != subject.id) {
            connections.push((note(&one.id, &one.name, ""), Some(&alert.id)));
        }
    }
    for placed in trail.of(kind, id) {
        let record = placed.record;
        for who in record.target.iter().chain(&record.requester) {
            let uid = note(&who.uid, who.name.as_deref().unwrap_or(""), &who.tier);
            connections.push((uid, None));
        }
    }
    for (uid, case) in connections {
        if let Some(known) = people.get_mut(&uid) {
            known.records += usize::from(case.is_none());
            known.cases.extend(case);
        }
    }
    let mut identities: Vec<Connected<'a>> = people.into_values().collect();
    identities.sort_by_key(|one| std::cmp::Reverse((one.cases.len(), one.records)));
    identities.truncate(PEOPLE_MAX);
    Some(PivotView {
        kind,
        id: id.to_owned(),
        name: name(&alerts, kind, id),
        since: trail.since(),
        identities,
        cases: cases(&alerts),
        part: trail.part_of(kind, id, range),
    })
}

/// The first name that an alert has for it.
fn name(alerts: &[&AlertRecord], kind: Kind, id: &str) -> String {
    let of = |alert: &&AlertRecord| {
        let mentioned = alert.mentions.iter().find(|m| m.kind == kind && m.id == id);
        let subject = &alert.subject;
        let is_subject = subject.kind == kind.as_str() && subject.id == id;
        let name = mentioned.map(|m| m.name.clone()).filter(|n| !n.is_empty());
        name.or_else(|| is_subject.then(|| subject.name.clone()))
    };
    alerts.iter().find_map(of).unwrap_or_default()
}
