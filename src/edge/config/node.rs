//! YAML as a tree in which every value knows where it was said: file, line and column, a variable of
//! the environment, the command line, or nowhere because it is a default.
//!
//! The typed reader of YAML stops at the first fault and knows one file only. Here several files and
//! the environment are laid over each other, and all faults of all of them are wanted at once.

use std::fmt;
use std::sync::Arc;

use super::fault::Fault;

/// A file of the configuration.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileText {
    /// Its name as people gave it.
    pub(super) name: String,
    /// Its content.
    pub(super) text: String,
}

/// A place in a file.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: Arc<FileText>,
    /// Counted from 1.
    pub(super) line: usize,
    /// In characters, counted from 1.
    pub(super) column: usize,
    /// In characters; what the carets stand under.
    pub(super) width: usize,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.name, self.line, self.column)
    }
}

/// Where a value was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nowhere: it is the default.
    Default,
    /// In a file.
    File(Place),
    /// In a variable of the environment.
    Environment(String),
    /// On the command line, as `--set KEY=…`.
    CommandLine(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(place) => write!(f, "{}:{}", place.file.name, place.line),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::CommandLine(key) => write!(f, "command line --set {key}"),
        }
    }
}

/// A value and where it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// What a value is. Scalars stay text: only their reader knows what they should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_origin: Origin,
    pub(super) node: Node,
}

impl Node {
    /// A section without keys.
    pub(super) const fn empty(origin: Origin) -> Self {
        let value = Value::Map(Vec::new());
        Self { value, origin }
    }

    /// The entry of a key of this section.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
            Value::Null | Value::Text(_) | Value::List(_) => None,
        }
    }

    /// The value at a path of keys and list indices.
    pub(super) fn at(&self, path: &[String]) -> Option<&Self> {
        let Some((head, rest)) = path.split_first() else {
            return Some(self);
        };
        let child = match &self.value {
            Value::List(items) => items.get(head.parse::<usize>().ok()?),
            Value::Map(_) => self.entry(head).map(|entry| &entry.node),
            Value::Null | Value::Text(_) => None,
        };
        child?.at(rest)
    }

    /// Takes the value at a path out and puts `instead` there, if there is such a default. Tells
    /// whether there was anything to take out.
    pub(super) fn replace(&mut self, path: &[String], instead: Option<&Self>) -> bool {
        let Some((head, rest)) = path.split_first() else {
            return false;
        };
        match &mut self.value {
            Value::Map(entries) => {
                let Some(at) = entries.iter().position(|entry| entry.key == *head) else {
                    return false;
                };
                if !rest.is_empty() {
                    let child = entries.get_mut(at);
                    return child.is_some_and(|entry| entry.node.replace(rest, instead));
                }
                match (instead, entries.get_mut(at)) {
                    (Some(instead), Some(entry)) if entry.node != *instead => {
                        entry.node = instead.clone();
                    }
                    _ => drop(entries.remove(at)),
                }
                true
            }
            Value::List(items) => {
                let at = head.parse::<usize>().ok().filter(|at| *at < items.len());
                match at {
                    Some(at) if rest.is_empty() => drop(items.remove(at)),
                    Some(at) => {
                        let child = items.get_mut(at);
                        return child.is_some_and(|item| item.replace(rest, instead));
                    }
                    None => return false,
                }
                true
            }
            Value::Null | Value::Text(_) => false,
        }
    }

    /// Lays `upper` over this: sections key by key, all else whole. An empty section says nothing,
    /// and a section stays one whatever is laid over it.
    pub(super) fn overlay(&mut self, upper: Self, path: &[String], faults: &mut Vec<Fault>) {
        match (&mut self.value, upper.value) {
            (Value::Map(_), Value::Null) => {}
            (Value::Map(entries), Value::Map(new)) => {
                for entry in new {
                    match entries.iter_mut().find(|old| old.key == entry.key) {
                        Some(old) => {
                            // A section is where its file has it; variables only add to it.
                            if matches!(entry.key_origin, Origin::File(_))
                                || old.key_origin == Origin::Default
                            {
                                old.key_origin = entry.key_origin;
                            }
                            let path = [path, &[entry.key]].concat();
                            old.node.overlay(entry.node, &path, faults);
                        }
                        None => entries.push(entry),
                    }
                }
            }
            (Value::Map(entries), Value::Text(_) | Value::List(_)) => {
                let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
                let fault = Fault::at(&upper.origin, path, "a section with settings belongs here");
                faults.push(fault.remedy(section_remedy(&keys)));
            }
            (value, new) => {
                *value = new;
                self.origin = upper.origin;
            }
        }
    }

    /// The tree as defaults: said nowhere.
    pub(super) fn without_origin(mut self) -> Self {
        self.origin = Origin::Default;
        match &mut self.value {
            Value::Null | Value::Text(_) => {}
            Value::List(items) => {
                let bare = std::mem::take(items).into_iter();
                *items = bare.map(Self::without_origin).collect();
            }
            Value::Map(entries) => {
                for entry in entries {
                    entry.key_origin = Origin::Default;
                    let bare = Self::empty(Origin::Default);
                    entry.node = std::mem::replace(&mut entry.node, bare).without_origin();
                }
            }
        }
        self
    }
}

/// How a section with these settings is written.
pub(super) fn section_remedy(keys: &[&str]) -> String {
    let keys = if keys.is_empty() {
        "`name: value`".to_owned()
    } else {
        keys.join(", ")
    };
    format!("write its settings on lines of their own below it, indented: {keys}")
}

#[cfg(test)]
mod tests {
    use super::super::yaml::load;
    use super::*;

    fn parsed(text: &str) -> (Option<Node>, Vec<Fault>) {
        let file = Arc::new(FileText {
            name: "a.yaml".to_owned(),
            text: text.to_owned(),
        });
        let mut faults = Vec::new();
        (load(&file, &mut faults), faults)
    }

    fn path(keys: &str) -> Vec<String> {
        keys.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn every_value_keeps_its_text_and_place() {
        let (root, faults) = parsed("a:\n  b: 007\n  c: [x, \"~\", ~]\nd:\n");
        let root = root.unwrap();
        assert_eq!(faults, []);
        let b = root.at(&path("a.b")).unwrap();
        assert_eq!(b.value, Value::Text("007".to_owned()));
        let Origin::File(place) = &b.origin else {
            panic!("{b:?}")
        };
        assert_eq!((place.line, place.column, place.width), (2, 6, 3));
        assert_eq!(
            root.at(&path("a.c.1")).unwrap().value,
            Value::Text("~".to_owned())
        );
        assert_eq!(root.at(&path("a.c.2")).unwrap().value, Value::Null);
        assert_eq!(root.at(&path("d")).unwrap().value, Value::Null);
        assert_eq!(root.at(&path("a.x")), None);
    }

    #[test]
    fn a_later_layer_wins_key_by_key() {
        let (base, _) = parsed("a: {x: 1, y: [1, 2]}\nb: 1\nc: {k: 1}\n");
        let (upper, _) = parsed("a: {y: [3]}\nb:\nc:\nd: 4\n");
        let mut tree = base.unwrap();
        let mut faults = Vec::new();
        tree.overlay(upper.unwrap(), &[], &mut faults);
        assert_eq!(faults, []);
        let (wanted, _) = parsed("a: {x: 1, y: [3]}\nb:\nc: {k: 1}\nd: 4\n");
        assert_eq!(shape(&tree), shape(&wanted.unwrap()));
    }

    #[test]
    fn a_section_stays_a_section() {
        let (base, _) = parsed("a: {x: 1}\n");
        let (upper, _) = parsed("a: text\n");
        let mut tree = base.clone().unwrap();
        let mut faults = Vec::new();
        tree.overlay(upper.unwrap(), &[], &mut faults);
        assert_eq!(shape(&tree), shape(&base.unwrap()));
        assert_eq!((faults.len(), faults[0].setting.as_str()), (1, "a"));
    }

    fn shape(node: &Node) -> String {
        match &node.value {
            Value::Null => "~".to_owned(),
            Value::Text(text) => text.clone(),
            Value::List(items) => format!("{:?}", items.iter().map(shape).collect::<Vec<_>>()),
            Value::Map(entries) => {
                let pairs = entries
                    .iter()
                    .map(|e| format!("{}={}", e.key, shape(&e.node)));
                format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
            }
        }
    }
}
