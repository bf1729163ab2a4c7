//! Splunk HEC: the body of `POST /services/collector/event`, with the document unmodified.
//!
//! Source: Splunk Docs, "Format events for HTTP Event Collector": `time` in epoch seconds with
//! milliseconds, only `event` required.

use serde::Serialize;
use std::collections::BTreeMap;

use crate::deliver::encode::facts::json;
use crate::deliver::notice::Notice;
use crate::deliver::pii::Masking;

/// The name of our documents; ours to give.
pub const SOURCETYPE: &str = "ocsf:detection_finding";

/// How Splunk is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Splunk {
    /// Name of this host; none is left to Splunk.
    pub host: Option<String>,
    /// `source` of the events.
    pub source: String,
    /// Index; none is the token's.
    pub index: Option<String>,
    /// Indexed fields beside the event.
    pub fields: BTreeMap<String, String>,
    /// How people are named.
    pub masking: Masking,
}

#[derive(Serialize)]
struct Event<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    source: &'a str,
    sourcetype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: &'a BTreeMap<String, String>,
}

/// The event of a revision. Its time is that of the alert: event time.
#[must_use]
pub fn event(notice: &Notice, settings: &Splunk) -> String {
    let notice = &*settings.masking.apply(notice);
    let fields = json(&Event {
        host: settings.host.as_deref(),
        source: &settings.source,
        sourcetype: SOURCETYPE,
        index: settings.index.as_deref(),
        fields: &settings.fields,
    });
    let time = notice.alert.time;
    let (seconds, ms) = (time.div_euclid(1_000), time.rem_euclid(1_000));
    // Exact decimals and the document byte for byte: neither goes through a number or a parser.
    let fields = fields.strip_prefix('{').unwrap_or(&fields);
    let fields = fields.strip_suffix('}').unwrap_or(fields);
    let document = notice.document.trim();
    format!("{{\"time\":{seconds}.{ms:03},{fields},\"event\":{document}}}")
}
