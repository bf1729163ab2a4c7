//! A parsed document as mappers look at it: kinds, texts, and values by their keys.

use std::borrow::Cow;
use std::fmt;

use super::{IN_ARENA, Node, Span, Tape};
use crate::collect::present::present;

/// What tells most names apart: length, first and last letter in any case.
pub(super) const fn tag(name: &str) -> u32 {
    match name.as_bytes() {
        [] => 0,
        [only] => u32::from_be_bytes([0, 1, *only | 0x20, *only | 0x20]),
        [first, .., last] => {
            let [.., high, low] = name.len().to_be_bytes();
            u32::from_be_bytes([high, low, *first | 0x20, *last | 0x20])
        }
    }
}

/// Names that are looked for together.
#[derive(Debug)]
pub struct Keys<const N: usize> {
    names: [&'static str; N],
    tags: [u32; N],
}

impl<const N: usize> Keys<N> {
    /// These names; to be made once, as a constant.
    #[must_use]
    pub const fn new(names: [&'static str; N]) -> Self {
        let mut tags = [0; N];
        let mut at = 0;
        while at < N {
            #[expect(clippy::indexing_slicing, reason = "`at` is below `N`")]
            let (to, name) = (&mut tags[at], names[at]);
            *to = tag(name);
            at += 1;
        }
        Self { names, tags }
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
    /// The whole document.
    pub(super) const fn root(tape: &'t Tape, input: &'t str) -> Self {
        Self { tape, input, at: 0 }
    }

    fn node(self) -> Node {
        self.tape.nodes.get(self.at).copied().unwrap_or(Node::Null)
    }

    fn next(self) -> Self {
        let at = match self.node() {
            Node::Array { end } | Node::Object { end } => end as usize,
            Node::Null
            | Node::Bool(_)
            | Node::Int(_)
            | Node::Float(_)
            | Node::Text(_)
            | Node::Key { .. } => self.at + 1,
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
            Node::Text(_) | Node::Key { .. } => "string",
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
        let text = if span.start & IN_ARENA == 0 {
            self.input
        } else {
            self.tape.arena.as_str()
        };
        let start = (span.start & !IN_ARENA) as usize;
        text.get(start..start + span.len as usize)
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
            Node::Null | Node::Key { .. } | Node::Array { .. } | Node::Object { .. } => None,
        }
    }

    /// The value of a key of an object; of duplicate keys the first.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        let tag = tag(key);
        self.keyed()
            .find(|(of, span, _)| *of == tag && self.slice(*span) == Some(key))
            .map(|(_, _, value)| value)
    }

    /// As [`Value::get`], ignoring ASCII case: for pipelines that lower all keys. A key in the very
    /// spelling goes first.
    #[must_use]
    pub fn get_any_case(self, key: &str) -> Option<Self> {
        let tag = tag(key);
        let mut other_case = None;
        for (of, span, value) in self.keyed() {
            if of != tag {
                continue;
            }
            let name = self.slice(span).unwrap_or_default();
            if name == key {
                return Some(value);
            }
            if other_case.is_none() && name.eq_ignore_ascii_case(key) {
                other_case = Some(value);
            }
        }
        other_case
    }

    /// The values of several keys in one walk, each as [`Value::get_any_case`] finds it.
    #[must_use]
    pub fn pick<const N: usize>(self, keys: &Keys<N>) -> [Option<Self>; N] {
        let mut found = [None; N];
        let mut exact = [false; N];
        for (of, span, value) in self.keyed() {
            if !keys.tags.contains(&of) {
                continue;
            }
            let name = self.slice(span).unwrap_or_default();
            let wanted = keys.tags.iter().zip(keys.names);
            for (((tag, key), slot), exact) in wanted.zip(&mut found).zip(&mut exact) {
                if *tag != of || *exact {
                    continue;
                }
                *exact = name == key;
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
            .map(move |(_, key, value)| (self.slice(key).unwrap_or_default(), value))
    }

    /// As [`Value::entries`], the keys not yet read.
    fn keyed(self) -> impl Iterator<Item = (u32, Span, Self)> {
        let end = match self.node() {
            Node::Object { end } => end as usize,
            _ => 0,
        };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let (tag, span) = match self.tape.nodes.get(at) {
                Some(Node::Key { span, tag }) if at < end => (*tag, *span),
                _ => return None,
            };
            let value = Self { at: at + 1, ..self };
            at = value.next().at;
            Some((tag, span, value))
        })
    }
}
