//! The chain of the audit records of one partition: each carries the hash of the one before it and its
//! own, so that one that was removed, changed, inserted or moved shows.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use smol_str::SmolStr;

use crate::collect::time::Timestamp;
use crate::correlate::audit::Entry;

/// Where a chain stands: kept with the input position of its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AuditHead {
    /// Hash of the last record; zero before the first.
    pub hash: [u8; 32],
    /// Number of records so far.
    pub count: u64,
}

/// A record as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Key.
    pub key: SmolStr,
    /// Body: JSON that ends with its place in the chain.
    pub value: Vec<u8>,
}

/// The end of every record, in front of its hash.
const BEFORE_HASH: &[u8] = b",\"hash\":\"";
/// And behind it.
const AFTER_HASH: &[u8] = b"\"}";
/// Characters of a hash.
const HASH_CHARS: usize = 64;

impl AuditHead {
    /// Chains a record: gives it its number and the hash before it, and moves on.
    pub fn seal(&mut self, entry: &Entry) -> Sealed {
        // Writing to memory cannot fail, and every field of a body has a fixed form.
        let mut text = serde_json::to_string(&entry.body).unwrap_or_default();
        text.pop();
        let number = self.count.saturating_add(1);
        text.push_str(&format!(
            ",\"number\":{number},\"prev\":\"{}\"",
            hex::encode(self.hash)
        ));
        let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let mut value = text.into_bytes();
        value.extend_from_slice(BEFORE_HASH);
        value.extend_from_slice(hex::encode(hash).as_bytes());
        value.extend_from_slice(AFTER_HASH);
        *self = Self {
            hash,
            count: number,
        };
        Sealed {
            key: entry.key.clone(),
            value,
        }
    }
}

/// The place of a record in its chain, as the record says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Its number, from 1.
    pub number: u64,
    /// Event time.
    pub time: Timestamp,
    /// Hash of the record before it.
    pub prev: [u8; 32],
    /// Hash of its content.
    pub hash: [u8; 32],
}

/// Why the place of a record cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// It is no audit record.
    Unreadable,
    /// Its hash is not that of its content; number and event time as it says them.
    Changed(u64, Timestamp),
}

impl Link {
    /// Reads the place of a record, whose hash must be that of its content.
    ///
    /// # Errors
    /// See [`Damage`].
    pub fn read(record: &[u8]) -> Result<Self, Damage> {
        #[derive(Deserialize)]
        struct Place {
            number: u64,
            time: i64,
            prev: String,
            hash: String,
        }
        let place: Place = serde_json::from_slice(record).map_err(|_| Damage::Unreadable)?;
        let time = Timestamp(place.time);
        let changed = Damage::Changed(place.number, time);
        let ending = BEFORE_HASH.len() + HASH_CHARS + AFTER_HASH.len();
        let at = record.len().checked_sub(ending).ok_or(changed)?;
        let (content, end) = record.split_at_checked(at).ok_or(changed)?;
        let hash: [u8; 32] = Sha256::digest(content).into();
        let text = hex::encode(hash);
        let written = [BEFORE_HASH, text.as_bytes(), AFTER_HASH].concat();
        let mut prev = [0; 32];
        let prev_reads = hex::decode_to_slice(&place.prev, &mut prev).is_ok();
        if end != written || place.hash != text || !prev_reads || place.number == 0 {
            return Err(changed);
        }
        Ok(Self {
            number: place.number,
            time,
            prev,
            hash,
        })
    }
}
