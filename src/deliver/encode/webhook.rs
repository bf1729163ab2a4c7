//! Any webhook: our own small JSON with the whole document in it, the values for a template, and the
//! signature of Standard Webhooks.
//!
//! The body, in this order; what a case has not is left out:
//!
//! | field | is |
//! |---|---|
//! | `event` | `created`, `updated` or `closed` |
//! | `decision` | `trigger`, `update` or `resolve`: what is asked of the receiver |
//! | `id`, `revision` | alert id and number of the revision; `webhook-id` is both |
//! | `dedup_key` | the same for all that is one incident |
//! | `tenant`, `time` | the tenant; event time of the revision, RFC 3339 |
//! | `summary`, `title`, `message` | the case in 120 characters, its title, its sentence |
//! | `severity`, `severity_id`, `score`, `page` | how bad, 1–5, 0–100, whether to wake somebody |
//! | `is_open`, `is_test` | whether the case is open; whether it is a test |
//! | `subject` | `kind`, `id`, `name`, `tier` |
//! | `patterns`, `families`, `missing_controls`, `tickets` | lists of words |
//! | `what_to_do`, `link` | advice, and where the case is shown |
//! | `alert` | the OCSF Detection Finding as it was published |

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde_json::Value;
use sha2::Sha256;
use std::fmt;

use crate::collect::time::{Timestamp, rfc3339};
use crate::deliver::encode::digest::{Digest, Row};
use crate::deliver::encode::facts::json;
use crate::deliver::notice::Notice;
use crate::deliver::pii::Masking;
use crate::deliver::route::Decision;

/// How a webhook is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Webhook {
    /// How people are named.
    pub masking: Masking,
}

#[derive(Serialize)]
struct Body<'a> {
    event: &'static str,
    decision: &'static str,
    id: &'a str,
    revision: u64,
    dedup_key: &'a str,
    tenant: &'a str,
    time: String,
    summary: String,
    title: &'a str,
    message: &'a str,
    severity: &'static str,
    severity_id: u8,
    score: u8,
    page: bool,
    is_open: bool,
    is_test: bool,
    subject: Subject<'a>,
    patterns: Vec<&'a str>,
    families: &'a [String],
    missing_controls: &'a [String],
    tickets: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    what_to_do: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
}

#[derive(Serialize)]
struct Subject<'a> {
    kind: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    tier: &'a str,
}

fn fields<'a>(notice: &'a Notice, decision: Decision) -> Body<'a> {
    let alert = &notice.alert;
    Body {
        event: alert.activity.as_str(),
        decision: decision.as_str(),
        id: &alert.id,
        revision: alert.revision,
        dedup_key: &notice.dedup_key,
        tenant: &notice.tenant,
        time: rfc3339(Timestamp(alert.time)),
        summary: notice.summary(),
        title: &notice.title,
        message: &notice.message,
        severity: notice.severity().name,
        severity_id: alert.severity_id,
        score: alert.score,
        page: alert.page,
        is_open: alert.is_open,
        is_test: notice.is_test,
        subject: Subject {
            kind: &alert.subject.kind,
            id: &alert.subject.id,
            name: &alert.subject.name,
            tier: &alert.subject.tier,
        },
        patterns: notice.active_patterns().map(|p| p.id.as_str()).collect(),
        families: &alert.families,
        missing_controls: &notice.missing_controls,
        tickets: &alert.tickets,
        what_to_do: &notice.remediation,
        link: notice.link.as_deref(),
    }
}

/// The default body.
#[must_use]
pub fn body(notice: &Notice, decision: Decision, settings: &Webhook) -> String {
    let notice = &*settings.masking.apply(notice);
    let mut text = json(&fields(notice, decision));
    // The document stands in it byte for byte.
    text.truncate(text.len().saturating_sub(1));
    text.push_str(",\"alert\":");
    text.push_str(notice.document.trim());
    text.push('}');
    text
}

/// The values for a template: those of the body, under the same names.
#[must_use]
pub fn context(notice: &Notice, decision: Decision, settings: &Webhook) -> Value {
    let notice = &*settings.masking.apply(notice);
    let mut context = serde_json::to_value(fields(notice, decision)).unwrap_or_default();
    if let Value::Object(fields) = &mut context {
        let document = serde_json::from_str(&notice.document).unwrap_or_default();
        fields.insert("alert".to_owned(), document);
    }
    context
}

#[derive(Serialize)]
struct DigestBody<'a> {
    event: &'static str,
    id: &'a str,
    tenant: &'a str,
    summary: String,
    severity: &'static str,
    severity_id: u8,
    open: u64,
    resolved: u64,
    worst: Vec<DigestRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
}

#[derive(Serialize)]
struct DigestRow<'a> {
    id: &'a str,
    severity_id: u8,
    score: u8,
    summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
}

/// The body of a digest: `event` is `digest`.
#[must_use]
pub fn digest(digest: &Digest) -> String {
    let (open, resolved) = digest.counts();
    json(&DigestBody {
        event: "digest",
        id: &digest.id,
        tenant: &digest.tenant,
        summary: digest.summary(),
        severity: digest.severity().name,
        severity_id: digest.severity().id,
        open: open.iter().sum(),
        resolved,
        worst: digest.worst().iter().map(digest_row).collect(),
        link: digest.link.as_deref(),
    })
}

fn digest_row(row: &Row) -> DigestRow<'_> {
    DigestRow {
        id: &row.id,
        severity_id: row.severity_id,
        score: row.score,
        summary: &row.summary,
        link: row.link.as_deref(),
    }
}

/// What a signing key is written with.
const KEY_PREFIX: &str = "whsec_";
/// Bytes of a signing key.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A signing key: a secret, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Vec<u8>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

/// Why a signing key cannot be used. Says nothing of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// It does not begin as it should.
    #[error("a signing key begins with whsec_")]
    Prefix,
    /// It is not base64.
    #[error("a signing key is whsec_ and base64")]
    Base64,
    /// It is too short or too long.
    #[error("a signing key has 24 to 64 bytes")]
    Length,
}

impl Key {
    /// Reads `whsec_` and base64 of 24–64 bytes.
    pub fn read(text: &str) -> Result<Self, KeyFault> {
        let encoded = text.strip_prefix(KEY_PREFIX).ok_or(KeyFault::Prefix)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| KeyFault::Base64)?;
        if KEY_BYTES.contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(KeyFault::Length)
        }
    }
}

/// `webhook-id` of a revision: the same over all retries, without a full stop.
#[must_use]
pub fn id(notice: &Notice) -> String {
    let plain = |c: &char| c.is_ascii_graphic() && *c != '.';
    notice.revision_id().chars().filter(plain).collect()
}

/// The three headers of Standard Webhooks. `at` is the moment of this attempt; each active key signs.
///
/// Source: `standard-webhooks/standard-webhooks`, `spec/standard-webhooks.md`, "Signature scheme".
#[must_use]
pub fn headers(id: &str, at: Timestamp, body: &[u8], keys: &[Key]) -> [(&'static str, String); 3] {
    let seconds = at.0.div_euclid(1_000).to_string();
    let signatures: Vec<String> = keys
        .iter()
        .map(|key| signature(id, &seconds, body, key))
        .collect();
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds),
        ("webhook-signature", signatures.join(" ")),
    ]
}

fn signature(id: &str, seconds: &str, body: &[u8], key: &Key) -> String {
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key.0) else {
        return String::new();
    };
    for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
        mac.update(part);
    }
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}
