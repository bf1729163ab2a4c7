//! The chain of the audit records of one partition: each carries the hash of the one before it and its
//! own, so that one that was removed, changed, inserted or moved shows.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use smol_str::SmolStr;

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

/// What is wrong with a record in its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is no audit record.
    #[error("is no audit record")]
    Unreadable,
    /// Its hash is not that of its content.
    #[error("was changed: its hash is not that of its content")]
    Changed,
    /// It does not follow the record before it.
    #[error("does not follow the record before it: one was removed, inserted or moved")]
    OutOfOrder,
    /// The chain ends before its head.
    #[error("is not the end of the chain: records after it were removed")]
    CutShort,
}

/// The first place at which a chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("audit record {at} {fault}")]
pub struct Broken {
    /// Number of the record in what was read, from 0.
    pub at: usize,
    /// What is wrong.
    pub fault: Fault,
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

    /// The head after `record`, if that is the next record of the chain.
    fn follow(&self, record: &[u8]) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Place {
            number: u64,
            prev: String,
            hash: String,
        }
        let place: Place = serde_json::from_slice(record).map_err(|_| Fault::Unreadable)?;
        let ending = BEFORE_HASH.len() + HASH_CHARS + AFTER_HASH.len();
        let at = record.len().checked_sub(ending).ok_or(Fault::Unreadable)?;
        let (content, end) = record.split_at_checked(at).ok_or(Fault::Unreadable)?;
        let hash: [u8; 32] = Sha256::digest(content).into();
        let text = hex::encode(hash);
        let written = [BEFORE_HASH, text.as_bytes(), AFTER_HASH].concat();
        if end != written || place.hash != text {
            return Err(Fault::Changed);
        }
        let follows =
            place.prev == hex::encode(self.hash) && place.number == self.count.saturating_add(1);
        follows
            .then_some(Self {
                hash,
                count: place.number,
            })
            .ok_or(Fault::OutOfOrder)
    }
}

/// Checks the records of one partition, in order, from a known head to a known head. The default head
/// is the beginning of the partition. Returns the head after the last record.
///
/// # Errors
/// The first place at which the chain is broken; with `to`, also where it ends too early.
pub fn verify<'a>(
    from: AuditHead,
    records: impl IntoIterator<Item = &'a [u8]>,
    to: Option<&AuditHead>,
) -> Result<AuditHead, Broken> {
    let mut head = from;
    let mut read = 0;
    for record in records {
        head = head
            .follow(record)
            .map_err(|fault| Broken { at: read, fault })?;
        read += 1;
    }
    let at = read;
    match to {
        Some(end) if *end != head => Err(Broken {
            at,
            fault: Fault::CutShort,
        }),
        _ => Ok(head),
    }
}
