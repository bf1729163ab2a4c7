//! The codec of the events topic: what one commit writes to one partition is one record, a block of
//! entries in order of production, in a compact binary encoding with a JSON twin.

use serde::{Deserialize, Serialize};

use crate::collect::entity::Entity;
use crate::collect::event::{Domain, Event};
use crate::collect::time::Timestamp;

/// Version of the encoding: its first byte. Every version younger than the topic's retention is read.
pub const VERSION: u8 = 1;
/// Largest block before compression; more entries go into a further one.
pub const BLOCK_BYTES_MAX: usize = 256 << 10;

/// What an entry carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// A copy of an event for one entity.
    Event(Box<Event>),
    /// What one entity tells another, in the encoding of the correlator.
    Relay(Vec<u8>),
    /// How far source partitions were read; comes last in a transaction.
    Watermarks(Vec<SourceWatermark>),
}

/// What a collector vouches for of one source partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceWatermark {
    /// Source topic.
    pub topic: String,
    /// Source partition.
    pub partition: i32,
    /// Domains the source is about.
    pub domains: Vec<Domain>,
    /// No event older than this is expected any more.
    pub watermark: Timestamp,
    /// The partition was read to its end.
    pub at_end: bool,
}

/// One item of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The receiver; `None` for what concerns the whole partition.
    pub entity: Option<Entity>,
    /// W3C trace context of what caused it.
    pub traceparent: Option<String>,
    /// Content.
    pub body: Body,
}

/// Why a block cannot be read. Its partition is refused: nothing is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Empty, cut short or damaged.
    #[error("the block is damaged")]
    Damaged,
    /// Written by a newer version.
    #[error("the block has version {0}, newer than {VERSION}: upgrade this instance first")]
    Newer(u8),
}

/// Encodes entries into blocks of at most [`BLOCK_BYTES_MAX`] each; an entry that is larger alone is a
/// block of its own.
#[must_use]
pub fn encode(entries: &[Entry]) -> Vec<Vec<u8>> {
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    let mut count = 0_u32;
    let mut body: Vec<u8> = Vec::new();
    for entry in entries {
        // Writing to memory cannot fail, and every type here has a fixed form.
        let encoded = postcard::to_stdvec(entry).unwrap_or_default();
        if count > 0 && body.len() + encoded.len() > BLOCK_BYTES_MAX {
            blocks.push(framed(count, &body));
            (count, body) = (0, Vec::new());
        }
        body.extend(encoded);
        count += 1;
    }
    if count > 0 {
        blocks.push(framed(count, &body));
    }
    blocks
}

fn framed(count: u32, body: &[u8]) -> Vec<u8> {
    let mut block = Vec::with_capacity(body.len() + 5);
    block.push(VERSION);
    block.extend(count.to_le_bytes());
    block.extend_from_slice(body);
    block
}

/// Decodes one block.
///
/// # Errors
/// [`BlockError::Newer`] for an unknown version, [`BlockError::Damaged`] for anything else that is not
/// exactly one block.
pub fn decode(block: &[u8]) -> Result<Vec<Entry>, BlockError> {
    let (version, rest) = block.split_first().ok_or(BlockError::Damaged)?;
    match *version {
        VERSION => {}
        0 => return Err(BlockError::Damaged),
        newer => return Err(BlockError::Newer(newer)),
    }
    let (count, mut rest) = rest.split_first_chunk::<4>().ok_or(BlockError::Damaged)?;
    let mut entries = Vec::new();
    for _ in 0..u32::from_le_bytes(*count) {
        let (entry, after) = postcard::take_from_bytes(rest).map_err(|_| BlockError::Damaged)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() {
        Ok(entries)
    } else {
        Err(BlockError::Damaged)
    }
}

/// One entry as a line of JSON, for people.
#[must_use]
pub fn json(entry: &Entry) -> String {
    serde_json::to_string(entry).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::entity::EntityKind;
    use crate::collect::event::{Action, Device, Network, Role};
    use proptest::prelude::*;

    fn entry(text: &str) -> Entry {
        let mut event = Event::new(Domain::Idp, Action::MfaEnrolled, Timestamp(5));
        event.target = Some(Box::new(Role {
            identity: Some(text.into()),
            ..Role::default()
        }));
        event.device = Some(Box::new(Device {
            id: Some(text.into()),
            ..Device::default()
        }));
        event.network = Some(Box::new(Network {
            asn: Some(7),
            ..Network::default()
        }));
        Entry {
            entity: Some(Entity::new(EntityKind::Identity, text)),
            traceparent: None,
            body: Body::Event(Box::new(event)),
        }
    }

    #[test]
    fn a_block_comes_back_as_it_was() {
        let entries = vec![
            entry("a"),
            Entry {
                entity: None,
                traceparent: Some("t".into()),
                body: Body::Relay(vec![1, 2]),
            },
            Entry {
                entity: None,
                traceparent: None,
                body: Body::Watermarks(vec![SourceWatermark {
                    topic: "s".into(),
                    partition: 3,
                    domains: vec![Domain::Idp],
                    watermark: Timestamp(-1),
                    at_end: true,
                }]),
            },
        ];
        let blocks = encode(&entries);
        assert_eq!(blocks.len(), 1);
        assert_eq!(decode(&blocks[0]).unwrap(), entries);
        assert!(json(&entries[0]).contains("mfa.enrolled"));
        assert!(encode(&[]).is_empty());
    }

    #[test]
    fn a_large_commit_is_several_blocks_in_order() {
        let entries: Vec<Entry> = (0..40).map(|n| entry(&"x".repeat(10_000 + n))).collect();
        let blocks = encode(&entries);
        assert!(blocks.len() > 1);
        assert!(
            blocks
                .iter()
                .all(|block| block.len() <= BLOCK_BYTES_MAX + 5)
        );
        let back: Vec<Entry> = blocks
            .iter()
            .flat_map(|block| decode(block).unwrap())
            .collect();
        assert_eq!(back, entries);
    }

    #[test]
    fn what_is_not_one_block_is_refused() {
        let block = encode(&[entry("a")]).remove(0);
        assert_eq!(decode(&[]), Err(BlockError::Damaged));
        assert_eq!(decode(&block[..block.len() - 1]), Err(BlockError::Damaged));
        let mut longer = block.clone();
        longer.push(0);
        assert_eq!(decode(&longer), Err(BlockError::Damaged));
        let mut newer = block;
        newer[0] = 9;
        assert_eq!(decode(&newer), Err(BlockError::Newer(9)));
    }

    proptest! {
        #[test]
        fn no_bytes_kill_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            let mut block = vec![VERSION];
            block.extend(&bytes);
            drop(decode(&block));
            drop(decode(&bytes));
        }
    }
}
