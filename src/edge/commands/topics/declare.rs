//! The declarations of the sources in the control topic: what each vouches for and delivers.

use std::collections::BTreeMap;

use crate::correlate::control::{Control, SourceDeclared};
use crate::edge::config::{Config, Source};
use crate::edge::kafka::TopicReader;
use crate::edge::log::LogError;

/// What the keys of declarations begin with.
const KEY_PREFIX: &str = "source/";

/// A record to be written: a declaration, or the tombstone of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::edge::commands) struct Change {
    /// Name of the source.
    pub(in crate::edge::commands) name: String,
    /// Key of the record.
    pub(in crate::edge::commands) key: String,
    /// Its JSON; `None` where the source is no longer configured.
    pub(in crate::edge::commands) value: Option<String>,
}

/// The declarations that the control topic holds, by key.
pub(in crate::edge::commands) fn declared(
    reader: &mut TopicReader,
    topic: &str,
) -> Result<BTreeMap<String, String>, LogError> {
    let mut present = BTreeMap::new();
    reader.read_all(topic, |record| {
        let key = record.key.and_then(|key| String::from_utf8(key).ok());
        let Some(key) = key.filter(|key| key.starts_with(KEY_PREFIX)) else {
            return;
        };
        match record.value {
            Some(value) => {
                present.insert(key, String::from_utf8_lossy(&value).into_owned());
            }
            None => drop(present.remove(&key)),
        }
    })?;
    Ok(present)
}

/// What must be written so that the control topic declares the configured sources and no others.
/// Nothing waits for directory exports: they are not declared.
pub(in crate::edge::commands) fn changes(
    config: &Config,
    partitions: &BTreeMap<String, i32>,
    present: &BTreeMap<String, String>,
) -> Vec<Change> {
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    for source in config
        .sources
        .iter()
        .filter(|s| !s.setup.product.is_directory())
    {
        let count = partitions.get(&source.setup.name).copied().unwrap_or(1);
        wanted.insert(key(&source.setup.name), json(source, count));
    }
    let new = wanted
        .iter()
        .filter(|(key, value)| present.get(*key) != Some(value));
    let gone = present.keys().filter(|key| !wanted.contains_key(*key));
    let new = new.map(|(key, value)| (key, Some(value.clone())));
    new.chain(gone.map(|key| (key, None)))
        .map(|(key, value)| Change {
            name: key.trim_start_matches(KEY_PREFIX).to_owned(),
            key: key.clone(),
            value,
        })
        .collect()
}

fn key(name: &str) -> String {
    format!("{KEY_PREFIX}{name}")
}

fn json(source: &Source, partitions: i32) -> String {
    let declared = Control::SourceDeclared(SourceDeclared {
        name: source.setup.name.clone(),
        product: source.setup.product.as_str().to_owned(),
        topic: source.topic.clone(),
        partitions,
        domains: source.domains.clone(),
        bound_ms: source.bound_ms,
        lateness_ms: source.lateness_ms,
        evidence: source.evidence.clone(),
    });
    // A struct of texts and numbers has a JSON form.
    serde_json::to_string(&declared).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::config::{Given, Needs};

    #[test]
    fn only_what_changed_is_written_and_what_is_gone_gets_a_tombstone() {
        let settings = [
            "sources.okta.topic=o",
            "sources.servicenow.topic=s",
            "sources.hris.topic=h",
        ];
        let given = Given {
            settings: settings.map(str::to_owned).to_vec(),
            ..Given::default()
        };
        let config = Config::load(&given, Needs::Nothing).unwrap();
        let partitions = BTreeMap::from([("okta".to_owned(), 6), ("servicenow".to_owned(), 1)]);
        let first = changes(&config, &partitions, &BTreeMap::new());
        let names: Vec<&str> = first.iter().map(|change| change.name.as_str()).collect();
        assert_eq!(names, ["okta", "servicenow"]);
        assert_eq!(
            first[1].value.as_deref(),
            Some(
                r#"{"kind":"source.declared","name":"servicenow","product":"servicenow","topic":"s","partitions":1,"domains":["ticket"],"bound_ms":300000,"lateness_ms":600000,"evidence":["ticket","approval"]}"#
            )
        );
        let mut present: BTreeMap<String, String> = first
            .iter()
            .map(|change| (change.key.clone(), change.value.clone().unwrap()))
            .collect();
        assert_eq!(changes(&config, &partitions, &present), []);
        present.insert("source/old".to_owned(), "{}".to_owned());
        present.insert("source/okta".to_owned(), "{}".to_owned());
        let then = changes(&config, &partitions, &present);
        assert_eq!(then.len(), 2);
        assert_eq!(
            (then[1].key.as_str(), then[1].value.as_ref()),
            ("source/old", None)
        );
    }
}
