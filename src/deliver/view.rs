//! Answers to what people ask about the cases and audit records that an instance holds: of a person, of
//! an agent, of a ticket, call, caller, device or address, of a word, and of the patterns.

use serde::Serialize;

use crate::deliver::alert::{AlertRecord, Subject};
use crate::deliver::mention::Kind;

pub mod agent;
pub mod explain;
pub mod identity;
pub mod pattern;
pub mod pivot;
pub mod search;

/// Cases of one answer.
const CASES_MAX: usize = 100;
/// People of one answer.
const PEOPLE_MAX: usize = 50;

/// A case in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Case<'a> {
    /// Alert id.
    pub id: &'a str,
    /// What it is called.
    pub title: &'a str,
    /// OCSF `severity_id`, 1–5.
    pub severity_id: u8,
    /// 0–100.
    pub score: u8,
    /// Whether it is open.
    pub is_open: bool,
    /// Event time of its newest revision, ms.
    pub time: i64,
    /// Ids of its active patterns.
    pub patterns: &'a [String],
    /// Whom it is about.
    pub subject: &'a Subject,
}

impl<'a> From<&'a AlertRecord> for Case<'a> {
    fn from(alert: &'a AlertRecord) -> Self {
        Self {
            id: &alert.id,
            title: &alert.title,
            severity_id: alert.severity_id,
            score: alert.score,
            is_open: alert.is_open,
            time: alert.time,
            patterns: &alert.patterns,
            subject: &alert.subject,
        }
    }
}

/// Whether an alert is about it or mentions it.
fn mentions(alert: &AlertRecord, kind: Kind, id: &str) -> bool {
    let subject = &alert.subject;
    (subject.kind == kind.as_str() && subject.id == id)
        || alert.mentions.iter().any(|m| m.kind == kind && m.id == id)
}

/// The alerts that are about it or mention it, in the order in which they are given.
fn about<'a>(alerts: &[&'a AlertRecord], kind: Kind, id: &str) -> Vec<&'a AlertRecord> {
    let alerts = alerts.iter().copied();
    alerts.filter(|alert| mentions(alert, kind, id)).collect()
}

fn cases<'a>(alerts: &[&'a AlertRecord]) -> Vec<Case<'a>> {
    let alerts = alerts.iter().copied().take(CASES_MAX);
    alerts.map(Case::from).collect()
}

#[cfg(test)]
mod tests;
