//! The only parser of source JSON: bytes → a flat tape that borrows from the input, within bounds.
//!
//! serde_json's streaming deserializer walks the text once; every value becomes one node of a
//! reused buffer, so nothing is allocated per value. Strings without escapes stay where they are in
//! the input, the others are unescaped into one arena. Of duplicate keys the first wins.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::collect::reject::{Reject, RejectReason};
use crate::collect::utf8::text_of;
use value::tag;
pub use value::{Keys, Value};

mod value;

/// Largest record read, in bytes: the largest that the consumer fetches.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// Deepest nesting read. Recorded events reach 12.
pub const DEPTH_MAX: usize = 64;
/// Most object keys in one record. A full ServiceNow row has about 250.
pub const KEYS_MAX: usize = 4_096;
/// Most values in one record: keys, and array items beside them.
pub const NODES_MAX: usize = 65_536;
/// Longest string in bytes, so that one field cannot fill a dead letter or an alert.
pub const STRING_BYTES_MAX: usize = 64 << 10;

/// A range in the input, or in the arena of unescaped strings.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// First byte; the top bit is set in the arena.
    start: u32,
    len: u32,
}

/// A record has at most a mebibyte, so the top bit of a place in it is free.
const IN_ARENA: u32 = 1 << 31;

#[derive(Debug, Clone, Copy)]
enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Span),
    /// The name of the value that follows.
    Key {
        span: Span,
        tag: u32,
    },
    /// Children follow; `end` is the index after the last one.
    Array {
        end: u32,
    },
    /// Key and value nodes follow in turn; `end` is the index after the last one.
    Object {
        end: u32,
    },
}

/// The reusable memory of the parser. One per thread is enough.
#[derive(Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
    arena: String,
    keys: usize,
    fault: Option<RejectReason>,
}

/// Parses one JSON document.
///
/// # Errors
/// `Decode` for what is not UTF-8 or not JSON, `Oversize` and `Depth` beyond a bound.
pub fn parse<'t>(tape: &'t mut Tape, bytes: &'t [u8]) -> Result<Value<'t>, Reject> {
    let text = text_of(bytes)?;
    parse_text(tape, text)
}

/// Parses one JSON document that is already known to be text: an embedded one, say.
///
/// # Errors
/// As [`parse`].
pub fn parse_text<'t>(tape: &'t mut Tape, text: &'t str) -> Result<Value<'t>, Reject> {
    tape.nodes.clear();
    tape.arena.clear();
    tape.keys = 0;
    tape.fault = None;
    let mut json = serde_json::Deserializer::from_str(text);
    let parsed = Seed {
        tape,
        input: text,
        depth: 0,
    }
    .deserialize(&mut json);
    if let Err(fault) = parsed.and_then(|()| json.end()) {
        let reason = tape.fault.unwrap_or(RejectReason::Decode);
        let (line, column) = (fault.line(), fault.column());
        let detail = match reason {
            RejectReason::Depth => format!("nested deeper than {DEPTH_MAX} levels"),
            RejectReason::Oversize => "too many keys or values, or a string over 64 KiB".to_owned(),
            RejectReason::Decode | RejectReason::Schema | RejectReason::UnsupportedEncoding => {
                format!("not JSON at line {line} column {column}")
            }
        };
        return Err(Reject::new(reason, detail));
    }
    Ok(Value::root(tape, text))
}

/// Whether a text is one JSON document, without keeping anything of it.
#[must_use]
pub fn well_formed(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

struct Seed<'a, 'de> {
    tape: &'a mut Tape,
    input: &'de str,
    depth: usize,
}

impl<'de> Seed<'_, 'de> {
    fn fail<E: serde::de::Error>(&mut self, reason: RejectReason) -> E {
        self.tape.fault = Some(reason);
        E::custom("bound")
    }

    fn push<E: serde::de::Error>(&mut self, node: Node) -> Result<(), E> {
        if self.tape.nodes.len() >= NODES_MAX {
            return Err(self.fail(RejectReason::Oversize));
        }
        self.tape.nodes.push(node);
        Ok(())
    }

    /// Opens a container and returns its index.
    fn open<E: serde::de::Error>(&mut self) -> Result<usize, E> {
        if self.depth >= DEPTH_MAX {
            return Err(self.fail(RejectReason::Depth));
        }
        self.push(Node::Null)?;
        Ok(self.tape.nodes.len() - 1)
    }

    /// A string, where it stands in the input.
    fn borrowed<E: serde::de::Error>(&mut self, value: &'de str) -> Result<Span, E> {
        // A borrowed string lies in the input, so the distance of the addresses is its place.
        let start = value.as_ptr().addr() - self.input.as_ptr().addr();
        self.span(start, value.len())
    }

    /// An unescaped string, in the arena.
    fn unescaped<E: serde::de::Error>(&mut self, value: &str) -> Result<Span, E> {
        let Span { start, len } = self.span(self.tape.arena.len(), value.len())?;
        self.tape.arena.push_str(value);
        Ok(Span {
            start: start | IN_ARENA,
            len,
        })
    }

    fn span<E: serde::de::Error>(&mut self, start: usize, len: usize) -> Result<Span, E> {
        match (u32::try_from(start), u32::try_from(len)) {
            (Ok(start), Ok(len)) if len as usize <= STRING_BYTES_MAX && start < IN_ARENA => {
                Ok(Span { start, len })
            }
            _ => Err(self.fail(RejectReason::Oversize)),
        }
    }

    fn close(&mut self, at: usize, container: fn(u32) -> Node) {
        let end = u32::try_from(self.tape.nodes.len()).unwrap_or(u32::MAX);
        if let Some(node) = self.tape.nodes.get_mut(at) {
            *node = container(end);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: serde::de::Error>(mut self) -> Result<(), E> {
        self.push(Node::Null)
    }

    fn visit_bool<E: serde::de::Error>(mut self, value: bool) -> Result<(), E> {
        self.push(Node::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(mut self, value: i64) -> Result<(), E> {
        self.push(Node::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(mut self, value: u64) -> Result<(), E> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "beyond i64 only the magnitude matters"
        )]
        let node = i64::try_from(value).map_or(Node::Float(value as f64), Node::Int);
        self.push(node)
    }

    fn visit_f64<E: serde::de::Error>(mut self, value: f64) -> Result<(), E> {
        self.push(Node::Float(value))
    }

    fn visit_borrowed_str<E: serde::de::Error>(mut self, value: &'de str) -> Result<(), E> {
        let span = self.borrowed(value)?;
        self.push(Node::Text(span))
    }

    fn visit_str<E: serde::de::Error>(mut self, value: &str) -> Result<(), E> {
        let span = self.unescaped(value)?;
        self.push(Node::Text(span))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let at = self.open()?;
        let depth = self.depth + 1;
        let input = self.input;
        while items
            .next_element_seed(Seed {
                tape: self.tape,
                input,
                depth,
            })?
            .is_some()
        {}
        self.close(at, |end| Node::Array { end });
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let at = self.open()?;
        let depth = self.depth + 1;
        let input = self.input;
        while entries
            .next_key_seed(KeySeed(Seed {
                tape: self.tape,
                input,
                depth,
            }))?
            .is_some()
        {
            self.tape.keys += 1;
            if self.tape.keys > KEYS_MAX {
                return Err(self.fail(RejectReason::Oversize));
            }
            entries.next_value_seed(Seed {
                tape: self.tape,
                input,
                depth,
            })?;
        }
        self.close(at, |end| Node::Object { end });
        Ok(())
    }
}

/// The name of a value.
struct KeySeed<'a, 'de>(Seed<'a, 'de>);

impl<'de> DeserializeSeed<'de> for KeySeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: serde::de::Error>(mut self, name: &'de str) -> Result<(), E> {
        let span = self.0.borrowed(name)?;
        self.0.push(Node::Key {
            span,
            tag: tag(name),
        })
    }

    fn visit_str<E: serde::de::Error>(mut self, name: &str) -> Result<(), E> {
        let span = self.0.unescaped(name)?;
        self.0.push(Node::Key {
            span,
            tag: tag(name),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<R>(json: &str, look: impl FnOnce(Value<'_>) -> R) -> R {
        let mut tape = Tape::default();
        look(parse(&mut tape, json.as_bytes()).unwrap())
    }

    fn fault(json: &[u8]) -> RejectReason {
        parse(&mut Tape::default(), json).unwrap_err().reason
    }

    #[test]
    fn paths_reach_every_kind_of_value() {
        with(r#"{"a":{"b":[1,"x\n",true,null,2.5]},"c":"plain"}"#, |v| {
            assert_eq!(v.path("a.b.0").and_then(Value::as_i64), Some(1));
            assert_eq!(v.path("a.b.1").and_then(Value::as_str), Some("x\n"));
            assert_eq!(v.path("a.b.2").and_then(Value::as_bool), Some(true));
            assert!(v.path("a.b.3").unwrap().is_null());
            assert_eq!(v.path("a.b.4").unwrap().text().unwrap(), "2.5");
            assert_eq!(v.get("c").and_then(Value::as_str), Some("plain"));
            assert!(v.path("a.x.0").is_none() && v.path("c.d").is_none());
        });
    }

    #[test]
    fn of_duplicate_keys_the_first_wins() {
        with(r#"{"a":1,"a":2}"#, |v| {
            assert_eq!(v.get("a").and_then(Value::as_i64), Some(1))
        });
    }

    #[test]
    fn keys_are_found_in_any_case_and_the_very_spelling_goes_first() {
        with(r#"{"EVENT":1,"Event":2,"event":3,"event":4,"b":5}"#, |v| {
            let number = |value: Option<Value<'_>>| value.and_then(Value::as_i64);
            for (key, want) in [
                ("event", Some(3)),
                ("Event", Some(2)),
                ("eVENT", Some(1)),
                ("B", Some(5)),
                ("c", None),
            ] {
                assert_eq!(number(v.get_any_case(key)), want, "{key}");
                let [picked, other] = v.pick(&Keys::new([key, "nothing"]));
                assert_eq!((number(picked), number(other)), (want, None), "{key}");
            }
        });
    }

    #[test]
    fn words_for_nothing_are_nothing() {
        with(r#"["null"," ","<null>","N/A","None","\"?\"","x"]"#, |v| {
            let texts: Vec<_> = v.items().filter_map(Value::text).collect();
            assert_eq!(texts, ["x"]);
        });
    }

    #[test]
    fn bounds_are_rejects_and_deep_nesting_kills_nobody() {
        assert_eq!(fault(b"\xff{}"), RejectReason::Decode);
        assert_eq!(fault(b"{\"a\":NaN}"), RejectReason::Decode);
        assert_eq!(fault(b"{} {}"), RejectReason::Decode);
        assert_eq!(fault(b""), RejectReason::Decode);
        assert_eq!(fault("[".repeat(1_000_000).as_bytes()), RejectReason::Depth);
        assert_eq!(
            fault("{\"a\":".repeat(100_000).as_bytes()),
            RejectReason::Depth
        );
        assert_eq!(
            fault(&vec![b' '; RECORD_BYTES_MAX + 1]),
            RejectReason::Oversize
        );
        let long = format!("\"{}\"", "x".repeat(STRING_BYTES_MAX + 1));
        assert_eq!(fault(long.as_bytes()), RejectReason::Oversize);
        let keys: String = (0..=KEYS_MAX).map(|i| format!("\"k{i}\":0,")).collect();
        assert_eq!(
            fault(format!("{{{keys}\"z\":0}}").as_bytes()),
            RejectReason::Oversize
        );
    }

    #[test]
    fn exactly_at_the_bounds_is_accepted() {
        let deep = format!("{}1{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
        with(&deep, |v| assert!(v.is_array()));
        let long = format!("\"{}\"", "x".repeat(STRING_BYTES_MAX));
        with(&long, |v| {
            assert_eq!(v.as_str().map(str::len), Some(STRING_BYTES_MAX))
        });
    }

    #[test]
    fn the_buffer_is_reused_without_a_trace() {
        let mut tape = Tape::default();
        parse(&mut tape, br#"{"a":"x\u0041"}"#).unwrap();
        let second = parse(&mut tape, br#"{"b":1}"#).unwrap();
        assert!(second.get("a").is_none() && second.get("b").is_some());
    }
}
