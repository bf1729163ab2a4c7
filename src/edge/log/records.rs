//! Key, headers and body of every record that is written. Each has a golden test: people and other
//! programs read them.

use sha2::{Digest, Sha256};

use crate::collect::block::{self, Entry};
use crate::collect::directory::AccountRecord;
use crate::collect::record::Record;
use crate::collect::reject::Reject;
use crate::correlate::audit::Sealed;
use crate::correlate::engine::{Change, Published};
use crate::correlate::relay::Relay;
use crate::edge::log::{OwnedRecord, ProduceRecord};
use crate::edge::telemetry::shown;

/// Largest part of an unusable record that a dead letter carries; of a longer one the rest is cut.
pub const DEAD_LETTER_BYTES_MAX: usize = 256 << 10;
/// Longest description of a fault in a dead letter.
const ERROR_BYTES_MAX: usize = 512;

/// A record that owns its parts, on its way to a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outgoing {
    /// Number of the partition.
    pub partition: i32,
    /// Key, if it has one.
    pub key: Option<Vec<u8>>,
    /// Headers in order.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// Value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
}

impl Outgoing {
    /// Hands the record, bound for a topic, to `write`.
    pub fn with<T>(&self, topic: &str, write: impl FnOnce(&ProduceRecord<'_>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_slice()))
            .collect();
        write(&ProduceRecord {
            topic,
            partition: self.partition,
            key: self.key.as_deref(),
            headers: &headers,
            value: self.value.as_deref(),
        })
    }

    /// Bytes of key, headers and value.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(k, v)| k.len() + v.len()).sum();
        let of = |part: &Option<Vec<u8>>| part.as_ref().map_or(0, Vec::len);
        of(&self.key) + headers + of(&self.value)
    }
}

/// A block of the events topic.
#[must_use]
pub const fn events<'a>(topic: &'a str, partition: i32, block: &'a [u8]) -> ProduceRecord<'a> {
    ProduceRecord {
        topic,
        partition,
        key: None,
        headers: &[],
        value: Some(block),
    }
}

/// A change of state.
#[must_use]
pub fn change<'a>(topic: &'a str, partition: i32, change: &'a Change) -> ProduceRecord<'a> {
    ProduceRecord {
        topic,
        partition,
        key: Some(change.key.as_bytes()),
        headers: &[],
        value: change.value.as_deref(),
    }
}

/// An account of the directory.
#[must_use]
pub fn account(record: &AccountRecord) -> Outgoing {
    Outgoing {
        partition: 0,
        key: Some(record.key().into_bytes()),
        headers: vec![("content-type", b"application/json".to_vec())],
        value: serde_json::to_vec(record).ok(),
    }
}

/// Why something became a dead letter, and where.
#[derive(Debug, Clone, Copy)]
pub struct Fault<'a> {
    /// Reason, a word of a closed list.
    pub reason: &'a str,
    /// In our words.
    pub detail: &'a str,
    /// Stage that could not use it.
    pub stage: &'static str,
    /// How often it was tried.
    pub attempts: u32,
}

impl<'a> Fault<'a> {
    /// The fault of a record or item that `collect` rejected.
    #[must_use]
    pub fn of(reject: &'a Reject) -> Self {
        Self {
            reason: reject.reason.as_str(),
            detail: &reject.detail,
            stage: "collect",
            attempts: 1,
        }
    }
}

/// What could not be used, with its origin and the reason.
#[must_use]
pub fn dead_letter(source: &Record<'_>, fault: Fault<'_>) -> Outgoing {
    let kept = source
        .value
        .get(..DEAD_LETTER_BYTES_MAX)
        .unwrap_or(source.value);
    let text = |value: &dyn std::fmt::Display| value.to_string().into_bytes();
    Outgoing {
        partition: 0,
        key: Some(format!("{}/{}", source.topic, source.partition).into_bytes()),
        headers: vec![
            ("reason", text(&fault.reason)),
            ("stage", text(&fault.stage)),
            ("error", shown(fault.detail, ERROR_BYTES_MAX).into_bytes()),
            ("attempts", text(&fault.attempts)),
            ("src.topic", text(&source.topic)),
            ("src.partition", text(&source.partition)),
            ("src.offset", text(&source.offset)),
            ("src.timestamp", text(&source.ingest_ts.0)),
            (
                "sha256",
                hex::encode(Sha256::digest(source.value)).into_bytes(),
            ),
            ("length", text(&source.value.len())),
            ("version", env!("CARGO_PKG_VERSION").as_bytes().to_vec()),
        ],
        value: Some(kept.to_vec()),
    }
}

/// An entry at which the engine failed twice, as JSON.
#[must_use]
pub fn poison(record: &OwnedRecord, index: usize, entry: &Entry<'_>) -> Outgoing {
    let json = block::json(entry, relay_json);
    let source = Record {
        topic: &record.partition.topic,
        partition: record.partition.number,
        offset: record.offset,
        ingest_ts: record.timestamp,
        value: json.as_bytes(),
    };
    let detail = format!("entry {index} of its block");
    let fault = Fault {
        reason: "panic",
        detail: &detail,
        stage: "correlate",
        attempts: 2,
    };
    dead_letter(&source, fault)
}

/// A relay as JSON, for people.
#[must_use]
pub fn relay_json(bytes: &[u8]) -> serde_json::Value {
    Relay::decode(bytes)
        .and_then(|relay| serde_json::to_value(relay).ok())
        .unwrap_or_default()
}

/// A revision of an alert.
#[must_use]
pub fn alert(partition: i32, published: &Published) -> Outgoing {
    let headers = published.headers.iter();
    Outgoing {
        partition,
        key: Some(published.key.clone().into_bytes()),
        headers: headers
            .map(|(name, value)| (*name, value.clone().into_bytes()))
            .collect(),
        value: Some(published.value.clone()),
    }
}

/// An audit record.
#[must_use]
pub fn audit(partition: i32, sealed: &Sealed) -> Outgoing {
    Outgoing {
        partition,
        key: Some(sealed.key.as_bytes().to_vec()),
        headers: vec![("content-type", b"application/json".to_vec())],
        value: Some(sealed.value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::reject::RejectReason;
    use crate::collect::time::Timestamp;

    fn source(value: &[u8]) -> Record<'_> {
        Record {
            topic: "okta.system-log",
            partition: 3,
            offset: 88,
            ingest_ts: Timestamp(1_000),
            value,
        }
    }

    fn headers(record: &Outgoing) -> Vec<String> {
        let shown = |(name, value): &(&str, Vec<u8>)| {
            format!("{name}={}", String::from_utf8(value.clone()).unwrap())
        };
        record.headers.iter().map(shown).collect()
    }

    #[test]
    fn a_dead_letter_says_what_why_and_where_from() {
        let reject = Reject::new(RejectReason::Decode, "not JSON\u{7}");
        let letter = dead_letter(&source(b"{"), Fault::of(&reject));
        assert_eq!(letter.key.as_deref(), Some(&b"okta.system-log/3"[..]));
        assert_eq!(letter.value.as_deref(), Some(&b"{"[..]));
        assert_eq!(
            headers(&letter),
            [
                "reason=decode",
                "stage=collect",
                "error=not JSON\\u{7}",
                "attempts=1",
                "src.topic=okta.system-log",
                "src.partition=3",
                "src.offset=88",
                "src.timestamp=1000",
                "sha256=021fb596db81e6d02bf3d2586ee3981fe519f275c0ac9ca76bbcf2ebb4097d96",
                "length=1",
                "version=0.1.0",
            ]
        );
    }

    #[test]
    fn a_dead_letter_is_bounded() {
        let long = vec![b'x'; DEAD_LETTER_BYTES_MAX + 1];
        let reject = Reject::new(RejectReason::Oversize, "é".repeat(1_000));
        let letter = dead_letter(&source(&long), Fault::of(&reject));
        assert_eq!(letter.value.as_ref().unwrap().len(), DEAD_LETTER_BYTES_MAX);
        assert_eq!(letter.headers[2].1.len(), ERROR_BYTES_MAX);
        assert!(headers(&letter).contains(&format!("length={}", long.len())));
    }

    #[test]
    fn an_account_goes_by_its_key_as_json() {
        let record = AccountRecord {
            system: "hris".into(),
            id: "E1".into(),
            ..AccountRecord::default()
        };
        let written = account(&record);
        assert_eq!(written.key.as_deref(), Some(&b"hris:E1"[..]));
        let back: AccountRecord = serde_json::from_slice(&written.value.unwrap()).unwrap();
        assert_eq!(back, record);
    }
}
