//! Which alerts somebody wants to see: the filters of the list and of the live feed.

use super::alert::AlertRecord;
use super::mention::Kind;
use crate::collect::time::{Timestamp, moment};

/// Severities in rising order; the place + 1 is the OCSF `severity_id`.
pub const SEVERITIES: [&str; 5] = ["informational", "low", "medium", "high", "critical"];
/// Families of patterns.
pub const FAMILIES: [&str; 4] = ["governance", "sequence", "velocity", "impersonation"];
/// Tiers of persons.
pub const TIERS: [&str; 6] = [
    "standard",
    "contractor",
    "executive",
    "privileged",
    "break_glass",
    "machine",
];
/// What a case can be.
pub const STATES: [&str; 2] = ["open", "closed"];
/// The names of all filters.
pub const NAMES: [&str; 12] = [
    "severity",
    "min_severity",
    "pattern",
    "family",
    "tier",
    "entity",
    "agent",
    "ticket",
    "from",
    "to",
    "status",
    "text",
];

/// Longest value of a filter, in bytes: ids and names are shorter.
const VALUE_CHARS_MAX: usize = 256;
/// Most alternatives of one filter: there are 25 patterns.
const ALTERNATIVES_MAX: usize = 32;

/// A condition on alerts. All filters given must hold; of a list of values one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    severities: Vec<u8>,
    min_severity_id: u8,
    patterns: Vec<String>,
    families: Vec<String>,
    tiers: Vec<String>,
    entity: Option<String>,
    agent: Option<String>,
    ticket: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    is_open: Option<bool>,
    text: Option<String>,
}

impl Filter {
    /// Reads filters from the parameters of a request; all faults at once.
    pub fn read<'a>(
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<String>> {
        let mut filter = Self::default();
        let mut faults = Vec::new();
        for (name, value) in parameters {
            if value.is_empty() || value.chars().count() > VALUE_CHARS_MAX {
                faults.push(format!("{name}: 1 to {VALUE_CHARS_MAX} characters"));
            } else if let Err(fault) = filter.set(name, value) {
                faults.push(fault);
            }
        }
        if faults.is_empty() {
            Ok(filter)
        } else {
            Err(faults)
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "severity" => self.severities = ids(name, value)?,
            "min_severity" => {
                self.min_severity_id = ids(name, value)?.into_iter().min().unwrap_or(0);
            }
            "pattern" => self.patterns = words(name, &value.to_ascii_uppercase(), &[])?,
            "family" => self.families = words(name, value, &FAMILIES)?,
            "tier" => self.tiers = words(name, value, &TIERS)?,
            "entity" => self.entity = Some(value.to_owned()),
            "agent" => self.agent = Some(value.to_owned()),
            "ticket" => self.ticket = Some(value.to_owned()),
            "from" => self.from = Some(time(name, value)?),
            "to" => self.to = Some(time(name, value)?),
            "status" => self.is_open = Some(words(name, value, &STATES)? == ["open"]),
            "text" => self.text = Some(value.to_lowercase()),
            other => {
                return Err(format!(
                    "{other}: unknown; filters are {}",
                    NAMES.join(", ")
                ));
            }
        }
        Ok(())
    }

    /// Alerts of this moment or later are wanted; `None`: of any.
    #[must_use]
    pub const fn from(&self) -> Option<Timestamp> {
        self.from
    }

    /// Whether an alert is wanted.
    #[must_use]
    pub fn matches(&self, alert: &AlertRecord) -> bool {
        alert.severity_id >= self.min_severity_id
            && (self.severities.is_empty() || self.severities.contains(&alert.severity_id))
            && self.is_open.is_none_or(|open| open == alert.is_open)
            && (self.tiers.is_empty() || self.tiers.contains(&alert.subject.tier))
            && any(&self.families, &alert.families, |want, has| want == has)
            && any(&self.patterns, &alert.patterns, is_pattern)
            && self.from.is_none_or(|from| alert.time >= from.0)
            && self.to.is_none_or(|to| alert.time < to.0)
            && self.entity.as_ref().is_none_or(|e| is_entity(e, alert))
            && self
                .agent
                .as_ref()
                .is_none_or(|id| names(alert, Kind::Agent, id))
            && self
                .ticket
                .as_ref()
                .is_none_or(|id| alert.tickets.contains(id) || names(alert, Kind::Ticket, id))
            && self.text.as_ref().is_none_or(|t| has_text(t, alert))
    }
}

fn any(wanted: &[String], present: &[String], is: fn(&str, &str) -> bool) -> bool {
    wanted.is_empty()
        || present
            .iter()
            .any(|has| wanted.iter().any(|want| is(want, has)))
}

/// `HDT-04` means all its branches, `HDT-04A` one.
fn is_pattern(want: &str, has: &str) -> bool {
    let branch = |rest: &str| rest.chars().all(|c| c.is_ascii_alphabetic());
    let has = has.to_ascii_uppercase();
    has.strip_prefix(want).is_some_and(branch)
}

/// `kind|id`, or the id alone.
fn is_entity(want: &str, alert: &AlertRecord) -> bool {
    let subject = &alert.subject;
    want == subject.id || want.split_once('|') == Some((subject.kind.as_str(), subject.id.as_str()))
}

/// Whether an alert mentions somebody or something, by id.
fn names(alert: &AlertRecord, kind: Kind, id: &str) -> bool {
    let mut mentions = alert.mentions.iter();
    mentions.any(|mention| mention.kind == kind && mention.id == id)
}

/// A part of the id of the alert, of the entity, of its name or of a ticket.
fn has_text(want: &str, alert: &AlertRecord) -> bool {
    let subject = &alert.subject;
    [&alert.id, &subject.id, &subject.name]
        .into_iter()
        .chain(&alert.tickets)
        .any(|text| text.to_lowercase().contains(want))
}

fn time(name: &str, value: &str) -> Result<Timestamp, String> {
    moment(value).ok_or_else(|| format!("{name}: RFC 3339, or ms since 1970"))
}

fn ids(name: &str, value: &str) -> Result<Vec<u8>, String> {
    let words = words(name, value, &SEVERITIES)?;
    let ids = (1..).zip(SEVERITIES);
    Ok(ids
        .filter(|(_, name)| words.iter().any(|word| word == name))
        .map(|(id, _)| id)
        .collect())
}

fn words(name: &str, value: &str, allowed: &[&str]) -> Result<Vec<String>, String> {
    let words: Vec<String> = value.split(',').map(|w| w.trim().to_owned()).collect();
    if words.len() > ALTERNATIVES_MAX {
        return Err(format!("{name}: at most {ALTERNATIVES_MAX} values"));
    }
    let is_allowed = |word: &String| allowed.is_empty() || allowed.contains(&word.as_str());
    if words.iter().all(is_allowed) {
        Ok(words)
    } else {
        Err(format!("{name}: one of {}", allowed.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::alert::{Activity, Subject};
    use crate::deliver::mention::Mention;

    fn alert() -> AlertRecord {
        AlertRecord {
            id: "9f1c".into(),
            revision: 1,
            activity: Activity::Created,
            is_open: true,
            severity_id: 4,
            score: 81,
            time: 1_772_442_360_000,
            page: true,
            subject: Subject {
                kind: "identity".into(),
                id: "id-7".into(),
                name: "a…@Firm.example".into(),
                tier: "executive".into(),
            },
            patterns: vec!["HDT-04b".into(), "HDT-12".into()],
            families: vec!["governance".into()],
            tickets: vec!["INC0012".into()],
            title: String::new(),
            verdict_id: None,
            mentions: vec![
                mention(Kind::Agent, "id-a12"),
                mention(Kind::Ticket, "snow:INC7"),
                mention(Kind::Identity, "id-8"),
            ],
        }
    }

    fn mention(kind: Kind, id: &str) -> Mention {
        Mention {
            kind,
            id: id.into(),
            name: String::new(),
        }
    }

    #[test]
    fn each_filter_takes_and_leaves() {
        let table = [
            ("severity", "high,low", "critical"),
            ("min_severity", "high", "critical"),
            ("pattern", "hdt-04", "HDT-0"),
            ("pattern", "HDT-01,HDT-12", "HDT-1"),
            ("family", "sequence,governance", "velocity"),
            ("tier", "executive", "standard"),
            ("entity", "identity|id-7", "caller|id-7"),
            ("entity", "id-7", "id"),
            ("agent", "id-a12", "id-8"),
            ("ticket", "INC0012", "INC001"),
            ("ticket", "snow:INC7", "id-a12"),
            ("from", "2026-03-02T09:06:00Z", "2026-03-02T09:06:00.001Z"),
            ("to", "1772442360001", "2026-03-02T10:06:00+01:00"),
            ("status", "open", "closed"),
            ("text", "inc00", "INC1"),
            ("text", "FIRM", "farm"),
        ];
        for (name, takes, leaves) in table {
            assert!(
                Filter::read([(name, takes)]).unwrap().matches(&alert()),
                "{name}={takes}"
            );
            assert!(
                !Filter::read([(name, leaves)]).unwrap().matches(&alert()),
                "{name}={leaves}"
            );
        }
        assert!(Filter::default().matches(&alert()));
        let both = Filter::read([("severity", "high"), ("tier", "machine")]).unwrap();
        assert!(!both.matches(&alert()));
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let faults = Filter::read([("severity", "loud"), ("colour", "red"), ("text", "")]);
        let faults = faults.unwrap_err();
        assert_eq!(faults.len(), 3);
        assert!(faults[0].contains("critical") && faults[1].contains("min_severity"));
        let many = ["x"; ALTERNATIVES_MAX + 1].join(",");
        assert!(Filter::read([("pattern", many.as_str())]).is_err());
    }
}
