//! The few fields of a published alert that filters, lists and routes need. The document itself is
//! passed on as it is.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

use crate::deliver::mention::{Kind, Mention};

/// Longest text that is kept of one field, in bytes: they are ids and short names.
const FIELD_BYTES_MAX: usize = 512;
/// Most values that are kept of one list: an alert holds at most 50 evidences.
const VALUES_MAX: usize = 64;
/// Most that one alert mentions.
const MENTIONS_MAX: usize = 256;
/// OCSF `status_id` of a closed case.
const STATUS_RESOLVED: u8 = 4;

/// What a revision did to its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// The case was opened.
    Created,
    /// The case changed.
    Updated,
    /// The case was closed.
    Closed,
}

impl Activity {
    /// The name of the event in the live feed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Closed => "closed",
        }
    }
}

/// Whom a case is about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Subject {
    /// Kind of entity: identity, ticket, caller…
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The masked name under which people know it, where there is one.
    pub name: String,
    /// Its tier.
    pub tier: String,
}

/// One revision of an alert, reduced to what is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRecord {
    /// The alert id.
    pub id: String,
    /// Number of the revision, from 1.
    pub revision: u64,
    /// What this revision did.
    pub activity: Activity,
    /// Whether the case is open after it.
    pub is_open: bool,
    /// OCSF `severity_id`, 1–5.
    pub severity_id: u8,
    /// 0–100.
    pub score: u8,
    /// Event time at which the condition of this revision became true, ms.
    pub time: i64,
    /// Whether a person is to be woken.
    pub page: bool,
    /// Whom it is about.
    pub subject: Subject,
    /// Ids of the active patterns.
    pub patterns: Vec<String>,
    /// Families present.
    pub families: Vec<String>,
    /// Ids of the tickets.
    pub tickets: Vec<String>,
    /// What it is called.
    pub title: String,
    /// OCSF `verdict_id` of an analyst's verdict.
    pub verdict_id: Option<u8>,
    /// Whom and what it mentions beside its subject, in order.
    pub mentions: Vec<Mention>,
}

/// Why a record of the alerts topic cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertFault(String);

impl AlertFault {
    pub(super) fn new(fault: &impl fmt::Display) -> Self {
        Self(fault.to_string())
    }
}

impl fmt::Display for AlertFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an alert: {}", self.0)
    }
}

impl std::error::Error for AlertFault {}

#[derive(Deserialize)]
struct Document {
    activity_id: u8,
    severity_id: u8,
    time: i64,
    #[serde(default)]
    status_id: u8,
    #[serde(default)]
    risk_score: u8,
    verdict_id: Option<u8>,
    metadata: Metadata,
    finding_info: FindingInfo,
    #[serde(default)]
    evidences: Vec<Evidence>,
    #[serde(default)]
    resources: Vec<Resource>,
    #[serde(default)]
    tickets: Vec<Uid>,
    #[serde(default)]
    unmapped: Unmapped,
}

#[derive(Deserialize)]
struct Metadata {
    sequence: u64,
}

#[derive(Deserialize)]
struct FindingInfo {
    uid: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    related_events: Vec<RelatedEvent>,
    #[serde(default)]
    types: Vec<String>,
    analytic: Option<Uid>,
    #[serde(default)]
    related_analytics: Vec<Uid>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RelatedEvent {
    tags: Vec<Tag>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Tag {
    name: String,
    value: String,
}

#[derive(Deserialize, Default)]
struct Evidence {
    #[serde(default)]
    data: EvidenceData,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct EvidenceData {
    pattern: String,
    branch: String,
    state: String,
    roles: Roles,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Roles {
    target: Option<Uid>,
    agent: Option<Uid>,
    requester: Option<Uid>,
    approver: Option<Uid>,
    caller: Option<Uid>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Resource {
    uid: String,
    name: String,
    r#type: String,
    criticality: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Uid {
    uid: String,
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Unmapped {
    page: bool,
}

impl AlertRecord {
    /// Reads the value of a record of the alerts topic.
    pub fn read(value: &[u8]) -> Result<Self, AlertFault> {
        let document: Document =
            serde_json::from_slice(value).map_err(|fault| AlertFault(fault.to_string()))?;
        let activity = match document.activity_id {
            1 => Activity::Created,
            2 => Activity::Updated,
            3 => Activity::Closed,
            other => return Err(AlertFault(format!("activity_id {other}"))),
        };
        if !(1..=5).contains(&document.severity_id) {
            return Err(AlertFault(format!("severity_id {}", document.severity_id)));
        }
        let patterns = patterns(&document);
        let mentions = mentions(&document);
        let info = document.finding_info;
        let resource = document.resources.into_iter().next().unwrap_or_default();
        Ok(Self {
            id: short(info.uid),
            revision: document.metadata.sequence,
            activity,
            is_open: activity != Activity::Closed && document.status_id != STATUS_RESOLVED,
            severity_id: document.severity_id,
            score: document.risk_score,
            time: document.time,
            page: document.unmapped.page,
            subject: Subject {
                kind: short(resource.r#type),
                id: short(resource.uid),
                name: short(resource.name),
                tier: short(resource.criticality),
            },
            patterns,
            families: list(info.types.into_iter()),
            tickets: list(document.tickets.into_iter().map(|ticket| ticket.uid)),
            title: short(info.title),
            verdict_id: document.verdict_id,
            mentions,
        })
    }
}

/// The patterns that count; where no evidence says so, those of the analytics.
fn patterns(document: &Document) -> Vec<String> {
    let active = document.evidences.iter().map(|evidence| &evidence.data);
    let active = active.filter(|data| data.state == "active" && !data.pattern.is_empty());
    let found = list(active.map(|data| format!("{}{}", data.pattern, data.branch)));
    if !found.is_empty() {
        return found;
    }
    let info = &document.finding_info;
    let named = info.analytic.iter().chain(&info.related_analytics);
    list(named.map(|analytic| analytic.uid.clone()))
}

/// The tags of an event that name somebody or something, with the tag that has the name.
const TAGS: [(&str, &str, Kind); 9] = [
    ("target", "target_name", Kind::Identity),
    ("requester", "requester_name", Kind::Identity),
    ("agent", "agent_name", Kind::Agent),
    ("approver", "approver_name", Kind::Agent),
    ("ticket", "", Kind::Ticket),
    ("call", "", Kind::Contact),
    ("caller", "caller_name", Kind::Caller),
    ("device", "", Kind::Device),
    ("address", "address_name", Kind::Address),
];

/// What the events and findings of an alert mention, each once.
fn mentions(document: &Document) -> Vec<Mention> {
    let mut found: BTreeMap<(Kind, &str), &str> = BTreeMap::new();
    let mut note = |kind, id, name| {
        if !str::is_empty(id) && (found.len() < MENTIONS_MAX || found.contains_key(&(kind, id))) {
            let known = found.entry((kind, id)).or_insert(name);
            if known.is_empty() {
                *known = name;
            }
        }
    };
    for event in &document.finding_info.related_events {
        let tag = |name: &str| {
            let tag = event.tags.iter().find(|tag| tag.name == name);
            tag.map_or("", |tag| tag.value.as_str())
        };
        for (id, name, kind) in TAGS {
            note(kind, tag(id), tag(name));
        }
    }
    for roles in document.evidences.iter().map(|e| &e.data.roles) {
        for (who, kind) in [
            (&roles.target, Kind::Identity),
            (&roles.requester, Kind::Identity),
            (&roles.agent, Kind::Agent),
            (&roles.approver, Kind::Agent),
            (&roles.caller, Kind::Caller),
        ] {
            if let Some(who) = who {
                note(kind, &who.uid, &who.name);
            }
        }
    }
    for ticket in &document.tickets {
        note(Kind::Ticket, &ticket.uid, "");
    }
    let of = |((kind, id), name): ((Kind, &str), &str)| Mention {
        kind,
        id: short(id.to_owned()),
        name: short(name.to_owned()),
    };
    found.into_iter().map(of).collect()
}

fn list(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = values.map(short).take(VALUES_MAX).collect();
    kept.sort_unstable();
    kept.dedup();
    kept
}

fn short(mut text: String) -> String {
    let mut end = FIELD_BYTES_MAX.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_read() {
        let value = br#"{"activity_id":2,"severity_id":5,"time":7,"status_id":1,"risk_score":98,
            "metadata":{"sequence":2},"finding_info":{"uid":"9f","types":["sequence"],"analytic":{"uid":"HDT-04"}},
            "evidences":[{"data":{"pattern":"HDT-12","state":"active"}},{"data":{"pattern":"HDT-04","branch":"b","state":"active"}},
                         {"data":{"pattern":"HDT-01","state":"retracted"}}],
            "resources":[{"uid":"id-7","name":"a@x","type":"identity","criticality":"executive"}],
            "tickets":[{"uid":"INC1"}],"unmapped":{"page":true,"other":[1]},"unknown":{}}"#;
        let alert = AlertRecord::read(value).unwrap();
        assert_eq!(
            (alert.id.as_str(), alert.revision, alert.score),
            ("9f", 2, 98)
        );
        assert_eq!(alert.activity, Activity::Updated);
        assert!(alert.is_open && alert.page);
        assert_eq!(alert.patterns, ["HDT-04b", "HDT-12"]);
        assert_eq!(alert.subject.tier, "executive");
        assert_eq!(alert.tickets, ["INC1"]);
    }

    #[test]
    fn what_is_no_alert_is_said() {
        for value in [
            &b""[..],
            b"{}",
            b"[]",
            br#"{"activity_id":9,"severity_id":5,"time":7,"metadata":{"sequence":2},"finding_info":{"uid":"9f"}}"#,
            br#"{"activity_id":1,"severity_id":6,"time":7,"metadata":{"sequence":2},"finding_info":{"uid":"9f"}}"#,
        ] {
            assert!(AlertRecord::read(value).is_err());
        }
    }

    #[test]
    fn long_fields_are_cut_between_letters() {
        let long = "ä".repeat(FIELD_BYTES_MAX);
        let cut = short(format!("x{long}"));
        assert!(cut.len() < FIELD_BYTES_MAX && cut.ends_with('ä'));
    }
}
