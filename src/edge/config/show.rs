//! Every setting with its value and its origin, for people who wonder why it is what it is.

use std::time::Duration;

use serde::Serialize;

use crate::correlate::rules::rule::Evidence;

use super::fault::{STARS, is_of_sink, is_password_of_egress, is_property, names_secret};
use super::node::{Node, Value};
use super::secret::is_reference;
use super::units::span_text;
use super::{Config, Source};

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Path of the setting.
    pub setting: String,
    /// Its value; a secret is stars.
    pub value: String,
    /// Where it was said: `default`, `file:line`, `environment NAME`, `command line --set KEY`.
    pub origin: String,
}

pub(super) fn shown(tree: &Node, config: &Config) -> Vec<Shown> {
    let mut shown = Vec::new();
    flatten(tree, &mut Vec::new(), &mut shown);
    for line in &mut shown {
        if line.setting == "instance" && line.value == "null" {
            line.value.clone_from(&config.instance);
            line.origin = "default (host name)".to_owned();
        }
    }
    for source in &config.sources {
        complete(source, &mut shown);
    }
    shown
}

/// What a source has by its product, beside what was said of it.
fn complete(source: &Source, shown: &mut Vec<Shown>) {
    let section = format!("sources.{}.", source.setup.name);
    let product = source.setup.product.as_str();
    let span = |ms: i64| span_text(Duration::from_millis(ms.unsigned_abs()));
    let names = |names: &[&str]| format!("[{}]", names.join(", "));
    let domains: Vec<String> = source.domains.iter().map(word).collect();
    let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
    let evidence = Evidence::ALL
        .iter()
        .filter(|(_, known)| source.evidence.contains(known));
    let evidence: Vec<&str> = evidence.map(|(name, _)| *name).collect();
    let mut usual = vec![
        ("product", product.to_owned()),
        ("tenant", source.setup.tenant.clone()),
        ("issuer", source.setup.issuer().to_owned()),
    ];
    if !source.setup.product.is_directory() {
        usual.extend([
            ("bound", span(source.bound_ms)),
            ("lateness", span(source.lateness_ms)),
            ("domains", names(&domains)),
            ("evidence", names(&evidence)),
        ]);
    }
    let end = shown
        .iter()
        .rposition(|line| line.setting.starts_with(&section));
    let mut at = end.map_or(shown.len(), |end| end + 1);
    for (key, value) in usual {
        let setting = format!("{section}{key}");
        match shown.iter_mut().find(|line| line.setting == setting) {
            Some(line) if line.value == "null" => line.value = value,
            Some(_) => {}
            None => {
                let origin = format!("default ({product})");
                let line = Shown {
                    setting,
                    value,
                    origin,
                };
                shown.insert(at, line);
                at += 1;
            }
        }
    }
}

/// A word of a vocabulary as configurations write it.
pub(super) fn word<T: Serialize>(value: &T) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

fn flatten(node: &Node, path: &mut Vec<String>, shown: &mut Vec<Shown>) {
    if let Value::Map(entries) = &node.value
        && !entries.is_empty()
    {
        for entry in entries {
            path.push(entry.key.clone());
            flatten(&entry.node, path, shown);
            path.pop();
        }
        return;
    }
    shown.push(Shown {
        setting: path.join("."),
        value: text_of(node, path),
        origin: node.origin.to_string(),
    });
}

fn text_of(node: &Node, path: &[String]) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Map(_) => "{}".to_owned(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| text_of(item, path)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Text(text) => {
            let named = path.last().is_some_and(|key| names_secret(key));
            let hidden = match path {
                [only] => only == "key",
                _ if is_of_sink(path) || is_password_of_egress(path) => true,
                _ => is_property(path) && (named || is_reference(text)),
            };
            if hidden {
                STARS.to_owned()
            } else {
                text.clone()
            }
        }
    }
}
