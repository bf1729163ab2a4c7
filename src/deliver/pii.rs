//! How much of people leaves with a message.

use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::deliver::notice::{Named, Notice};
use crate::deliver::text::line;

/// How people are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Masking {
    /// As the document names them, which is masked: `a…@example.com`, `+1•••0100`, `203.0.113.•`.
    #[default]
    Mask,
    /// As `Mask` today. Raw values are to come with `evidence.raw`, which does not exist yet.
    Full,
    /// By id alone: no name, number or address of a person, and no text that somebody typed.
    None,
}

/// Shortest name that is looked for in sentences: shorter ones would take words apart.
const NAME_CHARS_MIN: usize = 3;
/// What stands for a name without an id.
const WITHHELD: &str = "(name withheld)";
/// Characters of a sentence made here: those of the published ones.
const MESSAGE_CHARS_MAX: usize = 106;

impl Masking {
    /// The notice as it may be told.
    #[must_use]
    pub fn apply(self, notice: &Notice) -> Cow<'_, Notice> {
        match self {
            Self::Mask | Self::Full => Cow::Borrowed(notice),
            Self::None => Cow::Owned(without_names(notice)),
        }
    }
}

/// Kinds of entities whose name tells nobody's.
const PUBLIC_KINDS: [&str; 1] = ["ticket"];

fn without_names(notice: &Notice) -> Notice {
    let mut notice = notice.clone();
    let mut document: Value = serde_json::from_str(&notice.document).unwrap_or_default();
    let mut names = Names::default();
    names.take(&mut document, "");
    take_subject(&mut notice, &mut names);
    let people = &mut notice.people;
    for list in [
        &mut people.targets,
        &mut people.agents,
        &mut people.requesters,
        &mut people.approvers,
        &mut people.callers,
        &mut people.addresses,
    ] {
        for one in list {
            let Named { id, name } = one;
            names.add(name, id);
            name.clear();
        }
    }
    for text in [
        &mut notice.title,
        &mut notice.message,
        &mut notice.page_reason,
        &mut notice.remediation,
    ] {
        names.remove(text);
    }
    notice.comment = None;
    names.remove_all(&mut document);
    if let Some(message) = document.get_mut("message") {
        *message = Value::from(notice.message.as_str());
    }
    notice.document = document.to_string();
    notice
}

/// Takes the name out of the subject and out of the sentence, which begins with it.
fn take_subject(notice: &mut Notice, names: &mut Names) {
    let subject = &mut notice.alert.subject;
    if subject.name.is_empty() || PUBLIC_KINDS.contains(&subject.kind.as_str()) {
        return;
    }
    let what = match subject.kind.as_str() {
        "identity" => "account",
        other => other,
    };
    let instead = format!("{what} {}", subject.id);
    let name = std::mem::take(&mut subject.name);
    notice.message = match notice.message.strip_prefix(&name) {
        Some(rest) => format!("{instead}{rest}"),
        // The sentence holds but a part of the name, or it in another form.
        None => {
            let titles: Vec<&str> = notice.active_patterns().map(|p| p.title.as_str()).collect();
            line(
                &format!("{instead}: {}", titles.join(", ")),
                MESSAGE_CHARS_MAX,
            )
        }
    };
    names.0.insert(name, instead);
}

/// Names found so far, and what stands in their place.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn add(&mut self, name: &str, instead: &str) {
        let instead = if instead.is_empty() {
            WITHHELD
        } else {
            instead
        };
        // As it was written, and as sentences show it.
        for form in [name, &line(name, name.len())] {
            if form.chars().count() >= NAME_CHARS_MIN && form != instead {
                let known = self.0.entry(form.to_owned()).or_default();
                if known.is_empty() || known == WITHHELD {
                    instead.clone_into(known);
                }
            }
        }
    }

    /// Takes the names out of the fields that hold them.
    fn take(&mut self, value: &mut Value, key: &str) {
        match value {
            Value::Array(rows) => {
                if key == "tags" || key == "observables" || key == "enrichments" {
                    rows.retain_mut(|row| self.keeps(key, row));
                }
                rows.iter_mut().for_each(|row| self.take(row, key));
            }
            Value::Object(fields) => {
                if is_person(key, fields)
                    && let Some(Value::String(name)) = fields.remove("name")
                {
                    let id = fields.get("uid").and_then(Value::as_str);
                    self.add(&name, id.unwrap_or_default());
                }
                fields.remove("comment");
                for (key, value) in fields {
                    self.take(value, key);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Whether a row may stay; takes the owner out of an exemption.
    fn keeps(&mut self, list: &str, row: &mut Value) -> bool {
        let text = |field: &str| row.get(field).and_then(Value::as_str).unwrap_or_default();
        let (name, value) = (text("name").to_owned(), text("value").to_owned());
        match list {
            "tags" if name.ends_with("_name") => {
                self.add(&value, "");
                false
            }
            // Numbers and addresses: the id where there is no masked form, and nothing tells them apart.
            "observables" if name.ends_with(".caller") || name.ends_with("src_endpoint") => {
                self.add(&value, "");
                false
            }
            _ => {
                if let Some(Value::Object(data)) = row.get_mut("data")
                    && let Some(Value::String(owner)) = data.remove("owner")
                {
                    self.add(&owner, "");
                }
                true
            }
        }
    }

    fn remove(&self, text: &mut String) {
        // Longer names first: one can begin with another.
        let mut names: Vec<(&String, &String)> = self.0.iter().collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        for (name, instead) in names {
            if text.contains(name.as_str()) {
                *text = text.replace(name.as_str(), instead);
            }
        }
    }

    fn remove_all(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.remove(text),
            Value::Array(rows) => rows.iter_mut().for_each(|row| self.remove_all(row)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.remove_all(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Whether an object under this key is somebody.
fn is_person(key: &str, fields: &serde_json::Map<String, Value>) -> bool {
    let kind = fields.get("type").and_then(Value::as_str);
    match key {
        "user" | "src_endpoint" | "target" | "agent" | "requester" | "approver" | "caller" => true,
        "resources" => !kind.is_some_and(|kind| PUBLIC_KINDS.contains(&kind)),
        _ => false,
    }
}
