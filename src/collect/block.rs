//! The codec of the events topic: what one commit writes to one partition is one record, a block of
//! entries in order of production, in a compact binary encoding with a JSON twin.
//!
//! Layout: version, count of entries (4 bytes, little-endian), entries. An entry is read without
//! copying: an event stays encoded behind its [`Glance`] until somebody needs it.

use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::{Domain, Event};
use crate::collect::glance::Glance;
use crate::collect::time::Timestamp;

/// Version of the encoding: its first byte. Every version younger than the topic's retention is read.
pub const VERSION: u8 = 1;
/// Largest block before compression; more entries go into a further one.
pub const BLOCK_BYTES_MAX: usize = 256 << 10;
/// Room made for an event; most need less.
const EVENT_BYTES_USUAL: usize = 1 << 10;
/// Blocks of which a writer keeps the memory.
const SPARE_MAX: usize = 2;
/// Version and count.
const HEAD_BYTES: usize = 5;

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

/// One item of a block, as it lies there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<'a> {
    /// The receiver; `None` for what concerns the whole partition.
    #[serde(borrow)]
    pub entity: Option<(EntityKind, &'a str)>,
    /// W3C trace context of what caused it.
    #[serde(borrow)]
    pub traceparent: Option<&'a str>,
    /// Content.
    #[serde(borrow)]
    pub body: Body<'a>,
}

/// What an entry carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body<'a> {
    /// A copy of an event for one entity.
    Event {
        /// What shows without decoding it.
        #[serde(borrow)]
        glance: Glance<'a>,
        /// The event; see [`event`].
        #[serde(serialize_with = "at_once")]
        event: &'a [u8],
    },
    /// What one entity tells another, in the encoding of the correlator.
    Relay(#[serde(serialize_with = "at_once")] &'a [u8]),
    /// A record of the control topic.
    Control {
        /// Its key.
        id: &'a str,
        /// Its JSON; `None` takes the entry with this key back.
        json: Option<&'a [u8]>,
        /// Where it lies, in the copy whose partition writes the audit record; in no other.
        #[serde(borrow)]
        place: Option<ControlPlace<'a>>,
    },
    /// How far source partitions were read; comes last in a transaction.
    Watermarks(Vec<SourceWatermark>),
}

/// Where a record of the control topic lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlPlace<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// When it was written.
    pub time: Timestamp,
}

/// Writes bytes in one piece; the encoding is that of a list of bytes.
fn at_once<S: serde::Serializer>(bytes: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// A W3C trace context that can be passed on (<https://www.w3.org/TR/trace-context/>, version 00).
/// Whoever writes to a source chooses it: anything else is left out.
#[must_use]
pub fn traceparent(text: &str) -> Option<&str> {
    let mut parts = text.split('-');
    let mut is_hex = |len: usize, may_be_zero: bool| {
        let part = parts.next().unwrap_or_default();
        let is_digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        part.len() == len
            && part.bytes().all(is_digit)
            && (may_be_zero || part.bytes().any(|c| c != b'0'))
    };
    let is_well_formed = text.starts_with("00-")
        && is_hex(2, true)
        && is_hex(32, false)
        && is_hex(16, false)
        && is_hex(2, true);
    (is_well_formed && parts.next().is_none()).then_some(text)
}

impl<'a> Entry<'a> {
    /// The copy of an event for one of its entities. `encoded` is the event as [`encode_event`] has it;
    /// `buffer` holds what its glance shows.
    pub fn copy(
        event: &Event,
        encoded: &'a [u8],
        entity: &'a Entity,
        buffer: &'a mut Vec<u8>,
    ) -> Self {
        Self {
            entity: Some((entity.kind, &entity.id)),
            traceparent: None,
            body: Body::Event {
                glance: Glance::of(event, entity, buffer),
                event: encoded,
            },
        }
    }

    /// The receiver, if there is one.
    #[must_use]
    pub fn receiver(&self) -> Option<Entity> {
        self.entity.map(|(kind, id)| Entity::new(kind, id))
    }
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

/// Encodes an event, once for all its copies.
#[must_use]
pub fn encode_event(event: &Event) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(EVENT_BYTES_USUAL);
    encode_event_into(event, &mut bytes);
    bytes
}

/// As [`encode_event`], behind what stands in `bytes`.
pub fn encode_event_into(event: &Event, bytes: &mut Vec<u8>) {
    append(event, bytes);
}

/// Appends the encoding of a value of a fixed form: writing to memory cannot fail. In slices, where
/// `postcard::to_extend` goes byte by byte.
pub fn append<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) {
    let appended = Appended(std::mem::take(bytes));
    *bytes = postcard::serialize_with_flavor(value, appended).unwrap_or_default();
}

/// What is appended to.
struct Appended(Vec<u8>);

impl Flavor for Appended {
    type Output = Vec<u8>;

    #[inline]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    #[inline]
    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}

/// Decodes the event of an entry.
///
/// # Errors
/// [`BlockError::Damaged`].
pub fn event(bytes: &[u8]) -> Result<Event, BlockError> {
    postcard::from_bytes(bytes).map_err(|_| BlockError::Damaged)
}

/// Gathers the entries of one partition into blocks of at most [`BLOCK_BYTES_MAX`] each; an entry that
/// is larger alone is a block of its own.
#[derive(Debug, Default)]
pub struct Writer {
    full: Vec<Vec<u8>>,
    block: Vec<u8>,
    count: u32,
    /// Memory of blocks that were written: large pieces are dear to get from the system each time.
    spare: Vec<Vec<u8>>,
}

impl Writer {
    /// Appends an entry.
    pub fn push(&mut self, entry: &Entry<'_>) {
        if self.block.is_empty() {
            self.block.extend([0; HEAD_BYTES]);
        }
        let before = self.block.len();
        append(entry, &mut self.block);
        self.count += 1;
        if self.count > 1 && self.block.len() - HEAD_BYTES > BLOCK_BYTES_MAX {
            let last = self.block.split_off(before);
            self.count -= 1;
            self.close();
            self.block.extend([0; HEAD_BYTES]);
            self.block.extend(last);
            self.count = 1;
        }
    }

    fn close(&mut self) {
        if let Some((version, rest)) = self.block.split_first_mut() {
            *version = VERSION;
            if let Some(count) = rest.first_chunk_mut::<4>() {
                *count = self.count.to_le_bytes();
            }
            let next = self.spare.pop().unwrap_or_default();
            self.full.push(std::mem::replace(&mut self.block, next));
        }
        self.count = 0;
    }

    /// Nothing was appended since the last [`Self::take`] or [`Self::clear`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.full.is_empty() && self.block.is_empty()
    }

    /// The blocks, in order; what is appended next begins a new one.
    pub fn blocks(&mut self) -> &[Vec<u8>] {
        self.close();
        &self.full
    }

    /// Forgets what was appended and keeps some of its memory.
    pub fn clear(&mut self) {
        self.block.clear();
        self.count = 0;
        self.full.truncate(SPARE_MAX);
        for mut block in self.full.drain(..) {
            if self.spare.len() < SPARE_MAX {
                block.clear();
                self.spare.push(block);
            }
        }
    }

    /// Bytes gathered so far.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.full.iter().map(Vec::len).sum::<usize>() + self.block.len()
    }

    /// The blocks, in order; the writer is empty again.
    #[must_use]
    pub fn take(&mut self) -> Vec<Vec<u8>> {
        self.close();
        std::mem::take(&mut self.full)
    }
}

/// Reads a block: all entries or none.
///
/// # Errors
/// See [`BlockError`].
pub fn decode(block: &[u8]) -> Result<Vec<Entry<'_>>, BlockError> {
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

/// One entry as a line of JSON, for people. `relay` reads what the correlator encoded.
#[must_use]
pub fn json(entry: &Entry<'_>, relay: impl Fn(&[u8]) -> serde_json::Value) -> String {
    use serde_json::{Value, json};
    let (kind, content) = match &entry.body {
        Body::Event { event: bytes, .. } => {
            let event = event(bytes).map(|event| serde_json::to_value(event).unwrap_or_default());
            ("event", event.unwrap_or(Value::Null))
        }
        Body::Relay(bytes) => ("relay", relay(bytes)),
        Body::Control {
            id, json: content, ..
        } => {
            let content = content.map_or(Value::Null, |bytes| {
                serde_json::from_slice(bytes).unwrap_or_default()
            });
            ("control", json!({ "id": id, "content": content }))
        }
        Body::Watermarks(watermarks) => (
            "watermarks",
            serde_json::to_value(watermarks).unwrap_or_default(),
        ),
    };
    json!({
        "kind": kind,
        "entity": entry.receiver().map(|entity| entity.to_string()),
        "traceparent": entry.traceparent,
        "body": content,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::event::{Action, Device, Network, Role};
    use proptest::prelude::*;

    fn sample(text: &str) -> Event {
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
        event
    }

    fn push(writer: &mut Writer, text: &str) {
        let event = sample(text);
        let entity = Entity::new(EntityKind::Identity, text);
        let mut buffer = Vec::new();
        writer.push(&Entry::copy(
            &event,
            &encode_event(&event),
            &entity,
            &mut buffer,
        ));
    }

    #[test]
    fn only_a_trace_context_is_passed_on() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(traceparent(good), Some(good));
        for wrong in [
            "",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01\n",
        ] {
            assert_eq!(traceparent(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_block_comes_back_as_it_was() {
        let mut writer = Writer::default();
        assert!(writer.is_empty() && writer.take().is_empty());
        push(&mut writer, "a");
        let rest = [
            Entry {
                entity: None,
                traceparent: Some("t"),
                body: Body::Relay(&[1, 2]),
            },
            Entry {
                entity: None,
                traceparent: None,
                body: Body::Control {
                    id: "x",
                    json: Some(b"{}"),
                    place: Some(ControlPlace {
                        topic: "c",
                        partition: 0,
                        offset: 7,
                        time: Timestamp(9),
                    }),
                },
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
        rest.iter().for_each(|entry| writer.push(entry));
        let blocks = writer.take();
        assert_eq!(blocks.len(), 1);
        let back = decode(&blocks[0]).unwrap();
        assert_eq!(back[1..], rest);
        assert_eq!(back[0].receiver().unwrap().to_string(), "identity|a");
        let Body::Event {
            glance,
            event: bytes,
        } = &back[0].body
        else {
            panic!("{:?}", back[0]);
        };
        assert_eq!(event(bytes).unwrap(), sample("a"));
        assert_eq!((glance.time, glance.sightings().count()), (Timestamp(5), 2));
        assert!(json(&back[0], |_| serde_json::Value::Null).contains("mfa.enrolled"));
        assert!(writer.is_empty());
    }

    #[test]
    fn a_large_commit_is_several_blocks_in_order() {
        let mut writer = Writer::default();
        let texts: Vec<String> = (0..40).map(|n| "x".repeat(10_000 + n)).collect();
        texts.iter().for_each(|text| push(&mut writer, text));
        let blocks = writer.take();
        assert!(blocks.len() > 1);
        assert!(
            blocks
                .iter()
                .all(|block| block.len() <= BLOCK_BYTES_MAX + HEAD_BYTES)
        );
        let back: Vec<String> = blocks
            .iter()
            .flat_map(|block| decode(block).unwrap())
            .map(|entry| entry.receiver().unwrap().id)
            .collect();
        assert_eq!(back, texts);
    }

    #[test]
    fn what_is_not_one_block_is_refused() {
        let mut writer = Writer::default();
        push(&mut writer, "a");
        let block = writer.take().remove(0);
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
            drop(event(&bytes));
        }
    }
}
