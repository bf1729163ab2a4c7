//! The only parser of source JSON: bytes → a flat tape that borrows from the input, within bounds.
//!
//! serde_json's streaming deserializer walks the text once; every value becomes one node of a
//! reused buffer, so nothing is allocated per value. Strings without escapes stay where they are in
//! the input, the others are unescaped into one arena. Of duplicate keys the first wins.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::collect::present::present;
use crate::collect::reject::{Reject, RejectReason};
use crate::collect::utf8::text_of;

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
    start: u32,
    end: u32,
    in_arena: bool,
}

impl Span {
    const fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }
}

#[derive(Debug, Clone, Copy)]
enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Span),
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
    Ok(Value {
        tape,
        input: text,
        at: 0,
    })
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
        if value.len() > STRING_BYTES_MAX {
            return Err(self.fail(RejectReason::Oversize));
        }
        // A borrowed string lies in the input, so the distance of the addresses is its place.
        let start = value.as_ptr().addr() - self.input.as_ptr().addr();
        self.push(Node::Text(span(start, value.len(), false)))
    }

    fn visit_str<E: serde::de::Error>(mut self, value: &str) -> Result<(), E> {
        if value.len() > STRING_BYTES_MAX {
            return Err(self.fail(RejectReason::Oversize));
        }
        let start = self.tape.arena.len();
        self.tape.arena.push_str(value);
        self.push(Node::Text(span(start, value.len(), true)))
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
            .next_key_seed(Seed {
                tape: self.tape,
                input,
                depth,
            })?
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

fn span(start: usize, len: usize, in_arena: bool) -> Span {
    // Both fit: a record is at most 1 MiB.
    let start = u32::try_from(start).unwrap_or(u32::MAX);
    Span {
        start,
        end: start.saturating_add(u32::try_from(len).unwrap_or(u32::MAX)),
        in_arena,
    }
}

/// One value of a parsed document. Cheap to copy; every look-up is a walk over the tape.
#[derive(Clone, Copy)]
pub struct Value<'t> {
    tape: &'t Tape,
    input: &'t str,
    at: usize,
}

impl fmt::Debug for Value<'_> {
    /// Shows the kind alone: payload text never reaches a log by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "`Node` is private, and a look-up asks for one kind of value"
)]
impl<'t> Value<'t> {
    fn node(self) -> Node {
        self.tape.nodes.get(self.at).copied().unwrap_or(Node::Null)
    }

    fn next(self) -> Self {
        let at = match self.node() {
            Node::Array { end } | Node::Object { end } => end as usize,
            Node::Null | Node::Bool(_) | Node::Int(_) | Node::Float(_) | Node::Text(_) => {
                self.at + 1
            }
        };
        Self { at, ..self }
    }

    /// `null`, `bool`, `number`, `string`, `array` or `object`.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self.node() {
            Node::Null => "null",
            Node::Bool(_) => "bool",
            Node::Int(_) | Node::Float(_) => "number",
            Node::Text(_) => "string",
            Node::Array { .. } => "array",
            Node::Object { .. } => "object",
        }
    }

    /// True for JSON `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        matches!(self.node(), Node::Null)
    }

    /// True for an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        matches!(self.node(), Node::Object { .. })
    }

    /// True for an array.
    #[must_use]
    pub fn is_array(self) -> bool {
        matches!(self.node(), Node::Array { .. })
    }

    /// The string, if it is one, exactly as written.
    #[must_use]
    pub fn as_str(self) -> Option<&'t str> {
        match self.node() {
            Node::Text(span) => self.slice(span),
            _ => None,
        }
    }

    fn slice(self, span: Span) -> Option<&'t str> {
        let text = if span.in_arena {
            self.tape.arena.as_str()
        } else {
            self.input
        };
        text.get(span.start as usize..span.end as usize)
    }

    /// The boolean, also written as the text `true` or `false` in any case.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.node() {
            Node::Bool(value) => Some(value),
            Node::Text(_) => match self.as_str() {
                Some(text) if text.eq_ignore_ascii_case("true") => Some(true),
                Some(text) if text.eq_ignore_ascii_case("false") => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The integer, also written as text or as a float without fraction.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        match self.node() {
            Node::Int(value) => Some(value),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "checked to be whole and in range"
            )]
            Node::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => Some(value as i64),
            Node::Text(_) => self.as_str()?.trim().parse().ok(),
            _ => None,
        }
    }

    /// A scalar as text: strings trimmed, numbers and booleans printed. `None` for what sources
    /// write when they mean nothing: `null`, empty, `"null"`, `"unknown"`, `"<null>"`, `"?"`,
    /// `"-"`, `"N/A"`, `"None"`.
    #[must_use]
    pub fn text(self) -> Option<Cow<'t, str>> {
        match self.node() {
            Node::Text(_) => present(self.as_str()?).map(Cow::Borrowed),
            Node::Int(value) => Some(Cow::Owned(value.to_string())),
            Node::Float(value) => Some(Cow::Owned(value.to_string())),
            Node::Bool(value) => Some(Cow::Borrowed(if value { "true" } else { "false" })),
            Node::Null | Node::Array { .. } | Node::Object { .. } => None,
        }
    }

    /// The value of a key of an object; of duplicate keys the first.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        self.keyed()
            .find(|(span, _)| span.len() == key.len() && self.slice(*span) == Some(key))
            .map(|(_, value)| value)
    }

    /// As [`Value::get`], ignoring ASCII case: for pipelines that lower all keys. A key in the very
    /// spelling goes first.
    #[must_use]
    pub fn get_any_case(self, key: &str) -> Option<Self> {
        let [value] = self.pick(&[key]);
        value
    }

    /// The values of several keys in one walk, each as [`Value::get_any_case`] finds it.
    #[must_use]
    pub fn pick<const N: usize>(self, keys: &[&str; N]) -> [Option<Self>; N] {
        let bit = |len: usize| 1_u64 << len.min(63);
        let lengths = keys.iter().fold(0, |bits, key| bits | bit(key.len()));
        let mut found = [None; N];
        let mut exact = [false; N];
        for (span, value) in self.keyed() {
            if lengths & bit(span.len()) == 0 {
                continue;
            }
            let name = self.slice(span).unwrap_or_default();
            let first = |text: &str| text.bytes().next().unwrap_or_default() | 0x20;
            let begins = first(name);
            for ((key, slot), exact) in keys.iter().zip(&mut found).zip(&mut exact) {
                // Most keys of one length differ in their first letter.
                if name.len() != key.len() || begins != first(key) || *exact {
                    continue;
                }
                *exact = name == *key;
                if *exact || (slot.is_none() && name.eq_ignore_ascii_case(key)) {
                    *slot = Some(value);
                }
            }
        }
        found
    }

    /// Follows keys separated by dots. A number selects an item of an array.
    #[must_use]
    pub fn path(self, path: &str) -> Option<Self> {
        path.split('.').try_fold(self, |value, key| {
            if value.is_array() {
                value.items().nth(key.parse().ok()?)
            } else {
                value.get(key)
            }
        })
    }

    /// The items of an array; none for anything else.
    pub fn items(self) -> impl Iterator<Item = Self> {
        let end = match self.node() {
            Node::Array { end } => end as usize,
            _ => 0,
        };
        let mut next = Self {
            at: self.at + 1,
            ..self
        };
        std::iter::from_fn(move || {
            let item = next;
            (item.at < end).then(|| {
                next = item.next();
                item
            })
        })
    }

    /// Keys and values of an object, in order, duplicates included; none for anything else.
    pub fn entries(self) -> impl Iterator<Item = (&'t str, Self)> {
        self.keyed()
            .map(move |(key, value)| (self.slice(key).unwrap_or_default(), value))
    }

    /// As [`Value::entries`], the keys not yet read.
    fn keyed(self) -> impl Iterator<Item = (Span, Self)> {
        let end = match self.node() {
            Node::Object { end } => end as usize,
            _ => 0,
        };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let key = match self.tape.nodes.get(at) {
                Some(Node::Text(span)) if at < end => *span,
                _ => return None,
            };
            let value = Self { at: at + 1, ..self };
            at = value.next().at;
            Some((key, value))
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
                let [picked, other] = v.pick(&[key, "nothing"]);
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
