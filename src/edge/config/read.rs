//! From the tree to typed values: a deserializer that knows the place of every fault, and a reader
//! that goes on after one, so that all of them are told at once.

use std::fmt::{self, Display};

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Unexpected, Visitor};

use super::fault::Fault;
use super::node::{Entry, Node, Origin, Value, section_remedy};

/// Most faults that are told; more of them have one cause.
const FAULTS_MAX: usize = 200;

/// Reads a tree. A value that is wrong is told and gives way to its default, so that the rest can
/// be read; its path is noted in `broken`.
pub(super) fn read<T: DeserializeOwned>(
    tree: &mut Node,
    defaults: &Node,
    faults: &mut Vec<Fault>,
    broken: &mut Vec<Vec<String>>,
) -> Option<T> {
    for _ in 0..FAULTS_MAX {
        let wrong = match T::deserialize(Reader(tree)) {
            Ok(read) => return Some(read),
            Err(wrong) => wrong,
        };
        let path: Vec<String> = wrong.path.iter().rev().cloned().collect();
        let instead = defaults.at(&path);
        faults.push(wrong.into_fault(&path, instead));
        if !tree.replace(&path, instead) {
            return None;
        }
        broken.push(path);
    }
    None
}

/// What is wrong with a value.
#[derive(Debug)]
struct Wrong {
    /// Keys from the value outwards.
    path: Vec<String>,
    origin: Option<Origin>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    UnknownKey(Vec<&'static str>),
    Value {
        what: String,
        remedy: String,
        near: Option<Box<(String, Vec<&'static str>)>>,
    },
}

impl Wrong {
    fn value(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (what, remedy) = (what.into(), remedy.into());
        let near = None;
        Self {
            path: Vec::new(),
            origin: None,
            kind: Kind::Value { what, remedy, near },
        }
    }

    /// Notes where it was found, unless that is known more exactly.
    fn at(mut self, origin: &Origin) -> Self {
        self.origin.get_or_insert_with(|| origin.clone());
        self
    }

    fn under(mut self, key: impl Into<String>) -> Self {
        self.path.push(key.into());
        self
    }

    fn into_fault(self, path: &[String], default: Option<&Node>) -> Fault {
        let origin = self.origin.unwrap_or(Origin::Default);
        match self.kind {
            Kind::UnknownKey(known) => Fault::unknown_key(&origin, path, &known),
            Kind::Value { what, remedy, near } => {
                let default = default.and_then(|node| match &node.value {
                    Value::Text(text) => Some(format!("; the default is `{text}`")),
                    Value::Null | Value::List(_) | Value::Map(_) => None,
                });
                let remedy = remedy + &default.unwrap_or_default();
                let fault = Fault::at(&origin, path, what).remedy(remedy);
                match near {
                    Some(near) => fault.or_rather(&near.0, &near.1),
                    None => fault,
                }
            }
        }
    }
}

impl Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: Display>(message: T) -> Self {
        let message = message.to_string();
        if message.starts_with("data did not match any variant") {
            let remedy = "write a name, or a list of names as `[a, b]`";
            return Self::value("neither a text nor a list of texts", remedy);
        }
        Self::value(message, "write it as deploy/config.example.yaml shows it")
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_value(unexpected, expected)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "scalars are texts here")]
    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let given = match unexpected {
            Unexpected::Str(text) => format!("`{text}`"),
            Unexpected::Map => "a section".to_owned(),
            Unexpected::Seq => "a list".to_owned(),
            _ => "nothing".to_owned(),
        };
        Self::value(
            format!("{given} is not {expected}"),
            format!("write {expected}"),
        )
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let mut wrong = Self::value(
            format!("`{variant}` is none of the values of this setting"),
            format!("write one of {}", expected.join(", ")),
        );
        if let Kind::Value { near, .. } = &mut wrong.kind {
            *near = Some(Box::new((variant.to_owned(), expected.to_vec())));
        }
        wrong
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        let kind = Kind::UnknownKey(expected.to_vec());
        Self {
            path: Vec::new(),
            origin: None,
            kind,
        }
    }
}

/// Reads one value.
#[derive(Clone, Copy)]
struct Reader<'n>(&'n Node);

impl<'n> Reader<'n> {
    fn text(self, wanted: &str) -> Result<&'n str, Wrong> {
        let given = match &self.0.value {
            Value::Text(text) => return Ok(text),
            Value::Null => "nothing",
            Value::List(_) => "a list",
            Value::Map(_) => "a section",
        };
        let what = format!("{given} where {wanted} belongs");
        Err(Wrong::value(what, format!("write {wanted}")).at(&self.0.origin))
    }

    fn parsed<T: std::str::FromStr>(self, wanted: &str) -> Result<T, Wrong> {
        let text = self.text(wanted)?;
        text.trim().replace('_', "").parse().map_err(|_| {
            let wrong = Wrong::value(
                format!("`{text}` is not {wanted}"),
                format!("write {wanted}"),
            );
            wrong.at(&self.0.origin)
        })
    }

    fn entries(self, keys: &[&str]) -> Result<&'n [Entry], Wrong> {
        match &self.0.value {
            Value::Map(entries) => Ok(entries),
            Value::Null => Ok(&[]),
            Value::Text(_) | Value::List(_) => {
                let what = "a section with settings belongs here";
                Err(Wrong::value(what, section_remedy(keys)).at(&self.0.origin))
            }
        }
    }

    const fn is_outside_of_files(self) -> bool {
        matches!(
            self.0.origin,
            Origin::Environment(_) | Origin::CommandLine(_)
        )
    }

    /// A list; outside of files its items stand between commas.
    fn items(self) -> Result<Vec<Node>, Wrong> {
        match &self.0.value {
            Value::List(items) => Ok(items.clone()),
            Value::Null => Ok(Vec::new()),
            Value::Text(text) if self.is_outside_of_files() => {
                let text = text.trim().trim_start_matches('[').trim_end_matches(']');
                let items = text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                Ok(items
                    .map(|item| Node {
                        value: Value::Text(item.to_owned()),
                        origin: self.0.origin.clone(),
                    })
                    .collect())
            }
            Value::Text(_) | Value::Map(_) => {
                let what = "a list belongs here";
                let remedy = "write `[a, b]`, or each item on a line of its own as `- item`";
                Err(Wrong::value(what, remedy).at(&self.0.origin))
            }
        }
    }
}

impl<'de> de::Deserializer<'de> for Reader<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let read = match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Text(text) if self.is_outside_of_files() && text.trim().starts_with('[') => {
                return self.deserialize_seq(visitor);
            }
            Value::Text(text) => visitor.visit_str(text),
            Value::List(_) => return self.deserialize_seq(visitor),
            Value::Map(_) => return self.deserialize_map(visitor),
        };
        read.map_err(|wrong: Wrong| wrong.at(&self.0.origin))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_bool(self.parsed("`true` or `false`")?)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_i64(self.parsed("a whole number")?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let read = visitor.visit_str(self.text("a text")?);
        read.map_err(|wrong: Wrong| wrong.at(&self.0.origin))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.0.value {
            Value::Null => visitor.visit_none(),
            Value::Text(_) | Value::List(_) | Value::Map(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let items = self.items()?;
        let read = visitor.visit_seq(Items {
            items: &items,
            next: 0,
        });
        read.map_err(|wrong| wrong.at(&self.0.origin))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let entries = self.entries(&[])?;
        let read = visitor.visit_map(Entries { entries, next: 0 });
        read.map_err(|wrong| wrong.at(&self.0.origin))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let entries = self.entries(fields)?;
        let read = visitor.visit_map(Entries { entries, next: 0 });
        read.map_err(|wrong| wrong.at(&self.0.origin))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let word = self.text(&format!("one of {}", variants.join(", ")))?;
        let word: StrDeserializer<'_, Wrong> = word.into_deserializer();
        let read = visitor.visit_enum(word);
        read.map_err(|wrong| wrong.at(&self.0.origin))
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple
        tuple_struct identifier ignored_any
    }
}

struct Items<'n> {
    items: &'n [Node],
    next: usize,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Wrong;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Wrong> {
        let Some(item) = self.items.get(self.next) else {
            return Ok(None);
        };
        let index = self.next.to_string();
        self.next += 1;
        let read = seed.deserialize(Reader(item));
        read.map(Some)
            .map_err(|wrong| wrong.at(&item.origin).under(index))
    }
}

struct Entries<'n> {
    entries: &'n [Entry],
    next: usize,
}

impl<'de> de::MapAccess<'de> for Entries<'_> {
    type Error = Wrong;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Wrong> {
        let Some(entry) = self.entries.get(self.next) else {
            return Ok(None);
        };
        let key: StrDeserializer<'_, Wrong> = entry.key.as_str().into_deserializer();
        let read = seed.deserialize(key);
        read.map(Some)
            .map_err(|wrong| wrong.at(&entry.key_origin).under(entry.key.as_str()))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Wrong> {
        let Some(entry) = self.entries.get(self.next) else {
            return Err(Wrong::value("a key without a value", "write `name: value`"));
        };
        self.next += 1;
        let read = seed.deserialize(Reader(&entry.node));
        read.map_err(|wrong| wrong.at(&entry.node.origin).under(entry.key.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use serde::Deserialize;

    use super::super::node::FileText;
    use super::super::yaml::load;
    use super::*;
    use crate::collect::setup::{FieldsFile, NamesFile};

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct File {
        a: i64,
        #[serde(default)]
        b: Option<bool>,
        #[serde(default)]
        list: Vec<String>,
        #[serde(default)]
        map: BTreeMap<String, FieldsFile>,
    }

    fn tree(text: &str) -> Node {
        let file = Arc::new(FileText {
            name: "a.yaml".to_owned(),
            text: text.to_owned(),
        });
        load(&file, &mut Vec::new()).unwrap()
    }

    #[test]
    fn faults_give_way_to_defaults_and_all_are_told() {
        let text = "a: x\nb: maybe\nlist: {}\nlits: [1]\nmap:\n  m:\n    target: {}\n    \
                    methods: {SMS: otpsms, x: otp_app}\n    yes: [[a], b]\n";
        let (mut faults, mut broken) = (Vec::new(), Vec::new());
        let defaults = tree("a: 7\n");
        let file: File = read(&mut tree(text), &defaults, &mut faults, &mut broken).unwrap();
        assert_eq!((file.a, file.b, file.list.len()), (7, None, 0));
        assert_eq!(file.map["m"].yes, ["b"]);
        assert_eq!(file.map["m"].methods.len(), 1);
        let told: Vec<(usize, usize, &str)> = faults
            .iter()
            .map(|fault| (fault.line, fault.column, fault.setting.as_str()))
            .collect();
        let wanted = [
            (1, 4, "a"),
            (2, 4, "b"),
            (3, 7, "list"),
            (4, 1, "lits"),
            (7, 13, "map.m.target"),
            (8, 20, "map.m.methods.SMS"),
            (9, 11, "map.m.yes.0"),
        ];
        assert_eq!(told, wanted);
        assert_eq!(faults[0].remedy, "write a whole number; the default is `7`");
        assert_eq!(faults[3].did_you_mean.as_deref(), Some("list"));
        assert_eq!(faults[5].did_you_mean.as_deref(), Some("otp_sms"));
        assert_eq!(broken.len(), wanted.len());
    }

    #[test]
    fn a_text_of_the_environment_is_a_list_where_one_is_wanted() {
        let mut tree = tree("a: 1_000\nmap: {m: {review: r, approver: [x, y]}}\n");
        let list = Entry {
            key: "list".to_owned(),
            key_origin: Origin::Environment("L".to_owned()),
            node: Node {
                value: Value::Text("[p, q]".to_owned()),
                origin: Origin::Environment("L".to_owned()),
            },
        };
        if let Value::Map(entries) = &mut tree.value {
            entries.push(list);
        }
        let (mut faults, mut broken) = (Vec::new(), Vec::new());
        let defaults = Node::empty(Origin::Default);
        let file: File = read(&mut tree, &defaults, &mut faults, &mut broken).unwrap();
        assert_eq!(faults, []);
        assert_eq!(
            (file.a, file.list),
            (1000, vec!["p".to_owned(), "q".to_owned()])
        );
        let wanted = Some(NamesFile::One("r".to_owned()));
        assert_eq!(file.map["m"].review, wanted);
    }
}
