//! Serde over the tape: typed records are read from a parsed [`Value`] without a second parser.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::collect::parse::Value;
use crate::collect::reject::{Reject, RejectReason};
use crate::collect::time::parse_time;

/// Reads a typed record from a value.
///
/// # Errors
/// `Schema`, naming the field at fault and never its content.
pub fn from_value<T: DeserializeOwned>(value: Value<'_>) -> Result<T, Reject> {
    T::deserialize(Tape(value)).map_err(|fault| Reject::new(RejectReason::Schema, fault.0))
}

/// Why a value does not fit. Holds key names of ours, no payload text.
#[derive(Debug)]
struct Fault(String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self("a value of the wrong form".to_owned())
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self(format!("a value is not {expected}"))
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self(format!("a value is not {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        let first: Vec<_> = expected.iter().take(8).copied().collect();
        Self(format!("a word outside the list {} …", first.join(", ")))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        let first: Vec<_> = expected.iter().take(4).copied().collect();
        Self(format!("an unknown key beside {} …", first.join(", ")))
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
            _ => visitor.visit_map(MapDeserializer::new(
                value.entries().map(|(key, value)| (key, Tape(value))),
            )),
        }
    }

    /// An integer, also where it is written as a moment in text.
    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let words = self.0.as_str().and_then(parse_time);
        match words {
            Some((moment, _)) => visitor.visit_i64(moment.0),
            None => self.deserialize_any(visitor),
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
            None => Err(Fault("a word of a list is text".to_owned())),
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
