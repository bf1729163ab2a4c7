//! PagerDuty Events API v2: the body of `POST https://events.pagerduty.com/v2/enqueue`.
//!
//! Source: `PagerDuty/developer-docs`, `docs/events-API-v2/02-Trigger-Events.md`. An update is a trigger
//! with the same key: it goes to the log of the open incident, and opens one where the first was lost.

use serde::Serialize;
use std::fmt;

use crate::collect::time::{Timestamp, rfc3339};
use crate::deliver::encode::digest::Digest;
use crate::deliver::encode::facts::{Fact, Object, facts, json};
use crate::deliver::notice::Notice;
use crate::deliver::pii::Masking;
use crate::deliver::route::Decision;
use crate::deliver::text::{cut, cut_bytes};

/// Longest `payload.summary`, in characters.
pub const SUMMARY_CHARS_MAX: usize = 1_024;
/// Longest `dedup_key`, in characters; counted in bytes here, which is never more.
pub const DEDUP_KEY_MAX: usize = 255;
/// Largest event.
pub const EVENT_BYTES_MAX: usize = 512 << 10;

const CLIENT: &str = "Deskwarden";

/// How PagerDuty is told.
#[derive(Clone, PartialEq, Eq)]
pub struct PagerDuty {
    /// Integration key of a service, 32 characters: a secret.
    pub routing_key: String,
    /// How people are named.
    pub masking: Masking,
}

impl fmt::Debug for PagerDuty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PagerDuty")
            .field("masking", &self.masking)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Event<'a> {
    routing_key: &'a str,
    event_action: &'static str,
    dedup_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link<'a>>,
}

#[derive(Serialize)]
struct Payload<'a> {
    summary: String,
    source: &'a str,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    component: &'a str,
    group: &'a str,
    class: String,
    custom_details: Object<'a>,
}

#[derive(Serialize)]
struct Link<'a> {
    href: &'a str,
    text: &'static str,
}

/// The event of a revision.
#[must_use]
pub fn event(notice: &Notice, decision: Decision, settings: &PagerDuty) -> String {
    let notice = &*settings.masking.apply(notice);
    if decision == Decision::Resolve {
        return resolve(&notice.dedup_key, settings);
    }
    let mut details = vec![fact("message", "Message", &notice.message)];
    details.push(fact("what_to_do", "What to do", &notice.remediation));
    details.extend(facts(notice));
    details.retain(|fact| !fact.value.is_empty());
    let subject = &notice.alert.subject;
    let lead = notice.active_patterns().next();
    trigger(
        &notice.dedup_key,
        settings,
        notice.link.as_deref(),
        Payload {
            summary: cut(&notice.summary(), SUMMARY_CHARS_MAX),
            source: [&subject.name, &subject.id]
                .into_iter()
                .find(|text| !text.is_empty())
                .map_or(CLIENT, String::as_str),
            severity: notice.severity().pagerduty,
            timestamp: Some(rfc3339(Timestamp(notice.alert.time))),
            component: &subject.kind,
            group: &notice.tenant,
            class: lead.map_or_else(String::new, |p| format!("{} {}", p.id, p.title)),
            custom_details: Object(&details),
        },
    )
}

/// The event of a digest: one incident for the storm.
#[must_use]
pub fn digest(digest: &Digest, decision: Decision, settings: &PagerDuty) -> String {
    if decision == Decision::Resolve {
        return resolve(&digest.id, settings);
    }
    let rows = digest.worst().iter().enumerate();
    let details: Vec<Fact> = rows
        .map(|(at, row)| fact(WORST.get(at).unwrap_or(&"worst"), "", &row.summary))
        .collect();
    trigger(
        &digest.id,
        settings,
        digest.link.as_deref(),
        Payload {
            summary: digest.summary(),
            source: CLIENT,
            severity: digest.severity().pagerduty,
            timestamp: None,
            component: "digest",
            group: &digest.tenant,
            class: "storm".to_owned(),
            custom_details: Object(&details),
        },
    )
}

const WORST: [&str; 5] = ["worst_1", "worst_2", "worst_3", "worst_4", "worst_5"];

fn fact(key: &'static str, label: &'static str, value: &str) -> Fact {
    Fact {
        key,
        label,
        value: value.to_owned(),
    }
}

fn trigger(key: &str, settings: &PagerDuty, link: Option<&str>, payload: Payload<'_>) -> String {
    let links = link.map(|href| Link {
        href,
        text: "Open in Deskwarden",
    });
    json(&Event {
        routing_key: &settings.routing_key,
        event_action: "trigger",
        dedup_key: cut_bytes(key, DEDUP_KEY_MAX),
        payload: Some(payload),
        client: Some(CLIENT),
        client_url: link,
        links: links.into_iter().collect(),
    })
}

fn resolve(key: &str, settings: &PagerDuty) -> String {
    json(&Event {
        routing_key: &settings.routing_key,
        event_action: "resolve",
        dedup_key: cut_bytes(key, DEDUP_KEY_MAX),
        payload: None,
        client: None,
        client_url: None,
        links: Vec::new(),
    })
}
