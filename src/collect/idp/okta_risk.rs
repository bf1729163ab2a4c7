//! What an Okta event states of behaviours and risk: as an object, as `{k=v, …}` text, as JSON text,
//! or as a list of any of them.

use crate::collect::idp::okta_parts::{Debug, Place};
use crate::collect::parse::{Keys, Value};
use smol_str::SmolStr;

/// The behaviours told of, in the order in which they are listed.
const BEHAVIOURS: [&str; 7] = [
    "new device",
    "new ip",
    "new geo-location",
    "new country",
    "new city",
    "new state",
    "velocity",
];

/// A text with its ASCII letters in lower case beside it, so that names are found in any case.
struct Spoken<'t> {
    words: &'t str,
    lower: String,
}

impl<'t> Spoken<'t> {
    fn of(words: &'t str) -> Self {
        Self {
            words,
            lower: words.to_ascii_lowercase(),
        }
    }
}

enum Source<'t> {
    Text(Spoken<'t>),
    Value(Value<'t>),
}

/// Everything an event states of behaviours and risk.
pub(super) struct Statements<'t> {
    behaviours: Vec<Source<'t>>,
    logged: Option<Value<'t>>,
    risk: Option<Value<'t>>,
}

impl<'t> Statements<'t> {
    pub(super) fn of(debug: &Debug<'t>) -> Self {
        let source = |place: Place<'t>| {
            let value = match place {
                Place::Logged(value) if value.as_str().is_none() => {
                    value.get_any_case("behaviors")?
                }
                Place::Logged(value) | Place::Behaviors(value) => value,
            };
            Some(match value.as_str() {
                Some(words) => Source::Text(Spoken::of(words)),
                None => Source::Value(value),
            })
        };
        Self {
            behaviours: debug.places().filter_map(source).collect(),
            logged: debug.logged,
            risk: debug.risk,
        }
    }

    /// Whether a behaviour was found: `POSITIVE`, `NEGATIVE`, or nothing said (`UNKNOWN`,
    /// `BAD_REQUEST`). The name in lower case.
    pub(super) fn behaviour(&self, name: &str) -> Option<bool> {
        let word = self.behaviours.iter().find_map(|source| match source {
            Source::Text(spoken) => pair(spoken, name).map(SmolStr::from),
            Source::Value(value) => named(*value, name),
        })?;
        let is = |words: [&str; 2]| words.iter().any(|w| word.eq_ignore_ascii_case(w));
        if is(["POSITIVE", "TRUE"]) {
            Some(true)
        } else {
            is(["NEGATIVE", "FALSE"]).then_some(false)
        }
    }

    /// The behaviours that were found, as reasons.
    pub(super) fn positive(&self) -> Vec<SmolStr> {
        if self.behaviours.is_empty() {
            return Vec::new();
        }
        let found = BEHAVIOURS.iter();
        let found = found.filter(|name| self.behaviour(name) == Some(true));
        found
            .map(|name| name.replace([' ', '-'], "_").into())
            .collect()
    }

    /// What is stated of the risk under a name in lower case.
    pub(super) fn stated(&self, name: &str) -> Option<SmolStr> {
        let logged = || {
            let log = self.logged?;
            match log.as_str() {
                Some(words) => {
                    let after = words.find("\"risk\"")?;
                    let spoken = Spoken::of(words.get(after + 6..)?);
                    pair(&spoken, name).map(SmolStr::from)
                }
                None => named(log.get_any_case("risk")?, name),
            }
        };
        let own = self.risk.and_then(|risk| match risk.as_str() {
            Some(word) if name == "level" && !word.contains(['{', '=']) => Some(word.into()),
            Some(_) | None => named(risk, name),
        });
        own.or_else(logged)
    }
}

/// One entry of what is written as an object, as text or as a list of any of them.
fn named(value: Value<'_>, name: &str) -> Option<SmolStr> {
    if value.is_array() {
        return value.items().find_map(|item| {
            static KEYS: Keys<3> = Keys::new(["name", "result", "value"]);
            let [listed, result, other] = item.pick(&KEYS);
            let text = |value: Option<Value<'_>>| value?.text().map(SmolStr::from);
            let listed = text(listed).is_some_and(|n| n.eq_ignore_ascii_case(name));
            let result = || text(result).or_else(|| text(other));
            listed.then(result).flatten().or_else(|| named(item, name))
        });
    }
    match value.as_str() {
        Some(words) => pair(&Spoken::of(words), name).map(SmolStr::from),
        None => {
            let own = value.get_any_case(name).and_then(Value::text);
            own.map(SmolStr::from).or_else(|| split_key(value, name))
        }
    }
}

/// `{"New Device=POSITIVE": null}`: what some pipelines make of the text.
fn split_key(value: Value<'_>, name: &str) -> Option<SmolStr> {
    value.entries().find_map(|(key, _)| {
        let (key, word) = key.split_once('=')?;
        let same = key.trim().eq_ignore_ascii_case(name);
        same.then(|| word.trim().into())
    })
}

/// The value of `name` in `{a=b, c=d}` or `{"a":"b"}`. A value ends where the next key begins,
/// because values contain commas.
fn pair<'t>(spoken: &Spoken<'t>, name: &str) -> Option<&'t str> {
    let Spoken { words, lower } = spoken;
    let mut from = 0;
    while let Some(found) = lower.get(from..)?.find(name) {
        let start = from + found;
        from = start + name.len();
        let before = lower.get(..start)?.trim_end().chars().next_back();
        let rest = lower.get(from..)?.trim_start_matches('"').trim_start();
        if !matches!(before, None | Some('{' | ',' | '"' | '[')) || !rest.starts_with(['=', ':']) {
            continue;
        }
        let at = words.len() - rest.len() + 1;
        let value = words.get(at..)?;
        let value = value.trim_start().trim_start_matches('"');
        let ends_at_key = value.char_indices().find(|(place, c)| match c {
            '}' | '"' => true,
            ',' => value.get(place + 1..).is_some_and(begins_with_key),
            _ => false,
        });
        let end = ends_at_key.map_or(value.len(), |(place, _)| place);
        return Some(value.get(..end)?.trim());
    }
    None
}

fn begins_with_key(rest: &str) -> bool {
    let stop = rest.find(['=', ':', ',', '}']);
    stop.and_then(|at| rest.get(at..))
        .is_some_and(|rest| rest.starts_with(['=', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_although_values_hold_commas() {
        let risk = "{reasons=Anomalous Location, Anomalous Device, level=HIGH}";
        assert_eq!(pair(&Spoken::of(risk), "level"), Some("HIGH"));
        assert_eq!(
            pair(&Spoken::of(risk), "reasons"),
            Some("Anomalous Location, Anomalous Device")
        );
        assert_eq!(
            pair(
                &Spoken::of("{New IP=POSITIVE, New Device=NEGATIVE}"),
                "new device"
            ),
            Some("NEGATIVE")
        );
        assert_eq!(
            pair(&Spoken::of(r#"{"New Device":"POSITIVE"}"#), "new device"),
            Some("POSITIVE")
        );
        assert_eq!(pair(&Spoken::of("{Velocity=x"), "new ip"), None);
    }
}
