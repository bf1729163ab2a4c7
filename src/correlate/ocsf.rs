//! An alert as its record: an OCSF 1.5.0 Detection Finding (class 2004) with profile `incident`, its
//! key and its headers. Equal alerts are equal bytes: fixed order of fields, integers only, no time of
//! writing.

mod document;
mod finding;
mod rows;
mod write;

use crate::collect::time::rfc3339;
use crate::correlate::alert::Alert;
use crate::correlate::case::{Activity, Verdict};
use write::{Cut, document};

/// Largest record. What does not fit is left out, and the record says so.
pub const RECORD_BYTES_MAX: usize = 64 << 10;

/// Encodes an alert. Above [`RECORD_BYTES_MAX`] enrichments go first, then observables, then the oldest
/// events, one by one.
#[must_use]
pub fn encode(alert: &Alert) -> Vec<u8> {
    let mut cut = Cut::default();
    loop {
        let bytes = serialized(alert, cut);
        let over = bytes.len().saturating_sub(RECORD_BYTES_MAX);
        if over == 0 {
            return bytes;
        }
        if !cut.enrichments {
            cut.enrichments = true;
        } else if !cut.observables {
            cut.observables = true;
        } else if cut.events < alert.happenings.len() {
            cut.events += oldest(alert, cut.events, over);
        } else if cut.findings + 1 < alert.items.len() {
            cut.findings += 1;
        } else {
            return bytes; // The bounds of every list leave nothing that could be so large.
        }
    }
}

fn serialized(alert: &Alert, cut: Cut) -> Vec<u8> {
    // Writing to memory cannot fail, and every type here has a fixed form.
    serde_json::to_vec(&document(alert, cut)).unwrap_or_default()
}

/// How many of the oldest events, after those cut already, make up `bytes`.
fn oldest(alert: &Alert, cut: usize, bytes: usize) -> usize {
    let mut saved = 0;
    let mut count = 0;
    for happening in alert.happenings.iter().skip(cut) {
        if saved >= bytes {
            break;
        }
        let row = serde_json::to_vec(&rows::related_event(happening)).unwrap_or_default();
        saved += row.len() + 1;
        count += 1;
    }
    count.max(1)
}

/// The key of the record: the alert id.
#[must_use]
pub fn key(alert: &Alert) -> String {
    alert.revision.case.alert_id.to_string()
}

/// The headers of the record: CloudEvents in binary mode. The trace of the entry that caused the revision
/// follows them.
#[must_use]
pub fn headers(alert: &Alert) -> Vec<(&'static str, String)> {
    let case = &alert.revision.case;
    let what = match alert.revision.activity {
        Activity::Create => "created",
        Activity::Update => "updated",
        Activity::Close => "closed",
    };
    vec![
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", format!("{}:{}", case.alert_id, case.revision)),
        ("ce_source", format!("/deskwarden/{}", alert.tenant)),
        ("ce_type", format!("io.deskwarden.alert.{what}.v1")),
        ("ce_subject", alert.entity.to_string()),
        ("ce_time", rfc3339(case.time)),
        ("content-type", "application/json".to_owned()),
    ]
}

/// `severity_id` and `page` of a verdict; zero where there is none.
fn said(verdict: Option<Verdict>) -> document::Said {
    verdict.map_or_else(document::Said::default, |verdict| document::Said {
        severity_id: verdict.severity.id(),
        page: verdict.page,
    })
}
