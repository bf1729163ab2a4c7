//! Serde over the tape: typed records are read from a parsed [`Value`] without a second parser.

use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::collect::parse::Value;
use crate::collect::reject::{Reject, RejectReason};
use crate::collect::time::parse_time;

/// Fewest digits of a moment written as text; what is shorter is a plain number.
const EPOCH_DIGITS_MIN: usize = 10;

/// Reads a typed record from a value.
///
/// # Errors
/// `Schema`, naming the field at fault and never its content.
pub fn from_value<T: DeserializeOwned>(value: Value<'_>) -> Result<T, Reject> {
    T::deserialize(Tape(value))
        .map_err(|fault| Reject::new(RejectReason::Schema, fault.to_string()))
}

/// Why a value does not fit, and where. Holds key names of ours, no payload text.
#[derive(Debug)]
struct Fault {
    path: String,
    what: String,
}

impl Fault {
    fn new(what: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            what: what.into(),
        }
    }

    /// The same fault, seen from the object that holds the key.
    fn under(mut self, key: &str) -> Self {
        self.path = if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{key}.{}", self.path)
        };
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.what)
        } else {
            write!(f, "`{}`: {}", self.path, self.what)
        }
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new("a value of the wrong form")
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("a value is not {expected}"))
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("a value is not {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        let first: Vec<_> = expected.iter().take(8).copied().collect();
        let more = if expected.len() > first.len() {
            " …"
        } else {
            ""
        };
        Self::new(format!(
            "a word outside the list {}{more}",
            first.join(", ")
        ))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("the key `{field}` is missing"))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        let first: Vec<_> = expected.iter().take(4).copied().collect();
        Self::new(format!("an unknown key beside {} …", first.join(", ")))
    }
}

#[derive(Clone, Copy)]
struct Tape<'t>(Value<'t>);

impl<'de> IntoDeserializer<'de, Fault> for Tape<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The entries of an object; of duplicate keys the first wins.
struct Entries<'de, I> {
    entries: I,
    /// Keys read so far. Records know a few dozen keys and refuse the first unknown one.
    seen: Vec<&'de str>,
    value: Option<Value<'de>>,
}

impl<'de, I: Iterator<Item = (&'de str, Value<'de>)>> MapAccess<'de> for Entries<'de, I> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let seen = &self.seen;
        let Some((key, value)) = self.entries.find(|(key, _)| !seen.contains(key)) else {
            return Ok(None);
        };
        self.seen.push(key);
        self.value = Some(value);
        seed.deserialize(BorrowedStrDeserializer::new(key))
            .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let value = self.value.take().ok_or_else(|| Fault::new("no value"))?;
        let key = self.seen.last().copied().unwrap_or_default();
        seed.deserialize(Tape(value))
            .map_err(|fault| fault.under(key))
    }
}

impl<'de> de::Deserializer<'de> for Tape<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let value = self.0;
        match value.kind() {
            "null" => visitor.visit_unit(),
            "bool" => visitor.visit_bool(value.as_bool().unwrap_or_default()),
            "number" => match value.as_i64() {
                Some(number) => visitor.visit_i64(number),
                None => {
                    let words = value.text().unwrap_or_default();
                    visitor.visit_f64(words.parse().unwrap_or_default())
                }
            },
            "string" => visitor.visit_borrowed_str(value.as_str().unwrap_or_default()),
            "array" => visitor.visit_seq(SeqDeserializer::new(value.items().map(Tape))),
            _ => visitor.visit_map(Entries {
                entries: value.entries(),
                seen: Vec::new(),
                value: None,
            }),
        }
    }

    /// An integer, also where it is written as a moment in text.
    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Some(words) = self.0.as_str() else {
            return self.deserialize_any(visitor);
        };
        let counts = words.len() < EPOCH_DIGITS_MIN;
        if let Some(number) = words.parse().ok().filter(|_| counts) {
            return visitor.visit_i64(number);
        }
        match parse_time(words) {
            Some((moment, _)) => visitor.visit_i64(moment.0),
            None => Err(Fault::new("neither a number nor a time")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.0.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0.as_str() {
            Some(word) => visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(word)),
            None => Err(Fault::new("a word of a list is text")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::event::Event;
    use crate::collect::parse::{Tape as Memory, parse_text};

    fn read(json: &str) -> Result<Event, String> {
        let mut tape = Memory::default();
        from_value(parse_text(&mut tape, json).unwrap()).map_err(|reject| reject.detail)
    }

    #[test]
    fn the_required_keys_are_enough() {
        assert!(read(r#"{"domain":"idp","action":"auth.login"}"#).is_ok());
        let fault = read(r#"{"domain":"idp"}"#).unwrap_err();
        assert_eq!(fault, "the key `action` is missing");
    }

    #[test]
    fn a_fault_names_its_place_and_never_the_content() {
        for (json, want) in [
            (
                r#"{"domain":"idp","action":"auth.login","outcome":"secret"}"#,
                "`outcome`: a word outside the list success, failure, denied, challenged, pending, unknown",
            ),
            (
                r#"{"domain":"idp","action":"auth.login","target":{"handles":[{"kind":"secret","value":"x"}]}}"#,
                "`target.handles.kind`: a word outside the list email, login, ",
            ),
            (
                r#"{"domain":"idp","action":"auth.login","target":{"handles":[{"kind":"email"}]}}"#,
                "`target.handles`: the key `value` is missing",
            ),
            (
                r#"{"domain":"idp","action":"auth.login","secret":1}"#,
                "an unknown key beside event_id, ",
            ),
            (
                r#"{"domain":"idp","action":"auth.login","time":"secret"}"#,
                "`time`: neither a number nor a time",
            ),
        ] {
            let fault = read(json).unwrap_err();
            assert!(fault.starts_with(want), "{fault}");
            assert!(!fault.contains("secret"), "{fault}");
        }
    }

    #[test]
    fn numbers_and_moments_may_be_text() {
        let event = read(
            r#"{"domain":"ticket","action":"ticket.opened","time":"1772442000","ticket_ref":{"id":"T","priority":"3"}}"#,
        );
        let event = event.unwrap();
        assert_eq!(event.time.0, 1_772_442_000_000);
        assert_eq!(event.ticket_ref.unwrap().priority, Some(3));
    }

    #[test]
    fn of_duplicate_keys_the_first_wins() {
        let event = read(r#"{"domain":"idp","action":"auth.login","domain":"ticket"}"#).unwrap();
        assert_eq!(event.domain, crate::collect::event::Domain::Idp);
    }
}
