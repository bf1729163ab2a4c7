//! The layers of a configuration: defaults, files, environment, command line; the later one wins.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fault::{Fault, is_of_sink, is_property, is_secret, names_secret};
use super::node::{Entry, FileText, Node, Origin, Value};
use super::secret::is_reference;
use super::yaml::load;

/// The file of all defaults, which is also the example that people start from.
pub const DEFAULTS: &str = include_str!("../../../deploy/config.example.yaml");

/// What every variable of the environment that is a setting begins with.
const VARIABLE_PREFIX: &str = "DESKWARDEN__";
/// Largest configuration file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What a configuration is made of.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Files; a later one wins.
    pub files: Vec<PathBuf>,
    /// The environment; it wins over the files.
    pub environment: BTreeMap<String, String>,
    /// `KEY=VALUE` of the command line; they win over all.
    pub settings: Vec<String>,
}

/// The tree of the defaults alone.
pub(super) fn defaults() -> Node {
    let file = Arc::new(FileText {
        name: "defaults".to_owned(),
        text: DEFAULTS.to_owned(),
    });
    let mut faults = Vec::new();
    let tree = load(&file, &mut faults);
    assert!(faults.is_empty(), "the shipped defaults: {faults:?}");
    tree.unwrap_or_else(|| Node::empty(Origin::Default))
        .without_origin()
}

/// All layers laid over the defaults. `None` where a file cannot be read at all.
pub(super) fn merged(given: &Given, faults: &mut Vec<Fault>) -> Option<Node> {
    let mut tree = defaults();
    let mut complete = true;
    for path in &given.files {
        match read(path).map(|file| load(&Arc::new(file), faults)) {
            Ok(Some(layer)) => lay(&mut tree, layer, faults),
            Ok(None) => complete = false,
            Err(fault) => {
                faults.push(*fault);
                complete = false;
            }
        }
    }
    for (name, text) in &given.environment {
        if let Some(keys) = name.strip_prefix(VARIABLE_PREFIX) {
            let keys = keys.to_lowercase();
            let origin = Origin::Environment(name.clone());
            lay(
                &mut tree,
                chain(&path_of(&keys, "__"), text, &origin),
                faults,
            );
        }
    }
    for setting in &given.settings {
        match on_command_line(setting) {
            Ok(layer) => lay(&mut tree, layer, faults),
            Err(fault) => faults.push(*fault),
        }
    }
    complete.then_some(tree)
}

fn lay(tree: &mut Node, mut layer: Node, faults: &mut Vec<Fault>) {
    refuse_references(&mut layer, &mut Vec::new(), faults);
    match layer.value {
        Value::Text(_) | Value::List(_) => {
            let what = "a configuration is a section with settings";
            let remedy = "write `name: value` lines, as in deploy/config.example.yaml";
            faults.push(Fault::at(&layer.origin, &[], what).remedy(remedy));
        }
        Value::Null | Value::Map(_) => tree.overlay(layer, &[], faults),
    }
}

fn read(path: &Path) -> Result<FileText, Box<Fault>> {
    let name = path.display().to_string();
    let refused = |what: String, remedy: &str| Box::new(Fault::about(&name, what, remedy));
    let unreadable = |cause: std::io::Error| {
        refused(
            format!("cannot be read: {cause}"),
            "check the path and its permissions",
        )
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > FILE_BYTES_MAX {
        let what = format!("{size} bytes are too many for a configuration");
        return Err(refused(what, "give the YAML file with the settings"));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|fault| {
        let at = fault.utf8_error().valid_up_to();
        let line = fault
            .as_bytes()
            .iter()
            .take(at)
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        let what = format!("line {line} is not UTF-8");
        refused(what, "save the file as UTF-8")
    })?;
    Ok(FileText { name, text })
}

/// The keys of a path. What follows `properties` is one key, the name of a property; variables of
/// the environment write its dots as `_`.
fn path_of(keys: &str, separator: &str) -> Vec<String> {
    let mut path: Vec<String> = Vec::new();
    let mut rest = keys;
    while let Some((key, after)) = rest.split_once(separator) {
        path.push(key.to_owned());
        rest = after;
        if is_property(&path) {
            break;
        }
    }
    if is_property(&path) && separator == "__" {
        path.push(rest.replace('_', "."));
    } else {
        path.push(rest.to_owned());
    }
    path
}

fn chain(path: &[String], text: &str, origin: &Origin) -> Node {
    let Some((key, rest)) = path.split_first() else {
        let value = match text {
            "null" | "~" => Value::Null,
            _ => Value::Text(text.to_owned()),
        };
        let origin = origin.clone();
        return Node { value, origin };
    };
    let entry = Entry {
        key: key.clone(),
        key_origin: origin.clone(),
        node: chain(rest, text, origin),
    };
    let value = Value::Map(vec![entry]);
    let origin = origin.clone();
    Node { value, origin }
}

fn on_command_line(setting: &str) -> Result<Node, Box<Fault>> {
    let split = setting.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, text) = split.ok_or_else(|| {
        // What is meant to be the value of a secret may stand there alone.
        let what = "a setting without `=`";
        Fault::about(
            "command line --set",
            what,
            "write KEY=VALUE, such as kafka.partitions=8",
        )
    })?;
    let path = path_of(key, ".");
    let origin = Origin::CommandLine(key.to_owned());
    if path.last().is_some_and(|key| names_secret(key)) || is_of_sink(&path) {
        let what = "a secret on the command line is seen by everyone on this machine";
        let remedy = "write `${env:NAME}` or `${file:/path}` into the file, or set the variable \
                      DESKWARDEN__… of the setting";
        return Err(Box::new(Fault::at(&origin, &path, what).remedy(remedy)));
    }
    Ok(chain(&path, text, &origin))
}

/// References stand only where secrets do: elsewhere they are refused and taken out.
fn refuse_references(node: &mut Node, path: &mut Vec<String>, faults: &mut Vec<Fault>) {
    if is_secret(path) {
        return;
    }
    let mut check = |child: &mut Node, key: String| {
        path.push(key);
        let refused = matches!(&child.value, Value::Text(text) if is_reference(text));
        if refused {
            if !is_secret(path) {
                let what = "a reference stands only in `key`, in properties of Kafka and in secrets of sinks";
                let remedy = "write the value itself, or set it by the variable DESKWARDEN__… \
                              of the setting";
                faults.push(Fault::at(&child.origin, path, what).remedy(remedy));
                path.pop();
                return false;
            }
        } else {
            refuse_references(child, path, faults);
        }
        path.pop();
        true
    };
    match &mut node.value {
        Value::Null | Value::Text(_) => {}
        Value::List(items) => {
            let mut index = 0;
            items.retain_mut(|item| {
                index += 1;
                check(item, (index - 1).to_string())
            });
        }
        Value::Map(entries) => entries.retain_mut(|entry| {
            let key = entry.key.clone();
            check(&mut entry.node, key)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_settings_name_paths() {
        assert_eq!(path_of("http__ops_listen", "__"), ["http", "ops_listen"]);
        let property = ["kafka", "consumer", "properties", "fetch.max.bytes"];
        assert_eq!(
            path_of("kafka__consumer__properties__fetch_max_bytes", "__"),
            property
        );
        assert_eq!(
            path_of("kafka.consumer.properties.fetch.max.bytes", "."),
            property
        );
        assert_eq!(path_of("tenant", "."), ["tenant"]);
    }

    #[test]
    fn a_secret_on_the_command_line_is_refused_without_repeating_it() {
        for setting in [
            "key=hunter2",
            "kafka.properties.sasl.password=hunter2",
            "hunter2",
        ] {
            let fault = on_command_line(setting).unwrap_err();
            assert!(!format!("{fault:?}").contains("hunter2"), "{fault:?}");
        }
        assert!(on_command_line("kafka.partitions=8").is_ok());
    }
}
