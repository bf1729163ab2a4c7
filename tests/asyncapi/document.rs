//! The document, with its references followed.

use std::path::{Path, PathBuf};

use serde_json::Value;

fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}

fn text(name: &str) -> String {
    let path = schemas().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// A JSON Schema beside the document.
pub fn schema(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap()
}

/// `schemas/asyncapi.yaml`.
pub struct Document(Value);

impl Document {
    pub fn read() -> Self {
        Self(serde_saphyr::from_str(&text("asyncapi.yaml")).unwrap())
    }

    /// What lies at a JSON pointer, and what that refers to.
    pub fn at(&self, pointer: &str) -> Value {
        let found = self.0.pointer(pointer);
        self.resolved(found.unwrap_or_else(|| panic!("no {pointer}")))
    }

    /// What a reference names; anything else is itself.
    pub fn resolved(&self, value: &Value) -> Value {
        match value["$ref"].as_str() {
            None => value.clone(),
            Some(place) => match place.split_once('#') {
                Some(("", pointer)) => self.at(pointer),
                _ => schema(place.trim_start_matches("./")),
            },
        }
    }

    /// The names in an object.
    pub fn names(&self, pointer: &str) -> Vec<String> {
        let object = self.at(pointer);
        object.as_object().unwrap().keys().cloned().collect()
    }

    pub fn message(&self, name: &str) -> Message {
        Message {
            name: name.to_owned(),
            says: self.at(&format!("/components/messages/{name}")),
        }
    }

    /// All messages.
    pub fn messages(&self) -> Vec<Message> {
        let names = self.names("/components/messages");
        names.iter().map(|name| self.message(name)).collect()
    }

    /// Validators of a schema, whatever it refers to: the schemas say 2020-12, and AsyncAPI reads them as
    /// draft 7, so they must mean the same in both.
    pub fn validators(&self, schema: &Value) -> [jsonschema::Validator; 2] {
        let schema = self.inlined(schema);
        [
            jsonschema::draft202012::new(&schema).unwrap(),
            jsonschema::draft7::new(&schema).unwrap(),
        ]
    }

    /// References into this document replaced by what they name; those of a schema into itself are its own.
    fn inlined(&self, schema: &Value) -> Value {
        match schema {
            Value::Object(map) => match map.get("$ref") {
                Some(Value::String(place)) if place.starts_with("#/$defs/") => schema.clone(),
                Some(_) => self.inlined(&self.resolved(schema)),
                None => {
                    let row = |(key, inner): (&String, &Value)| (key.clone(), self.inlined(inner));
                    map.iter().map(row).collect()
                }
            },
            Value::Array(items) => items.iter().map(|item| self.inlined(item)).collect(),
            other => other.clone(),
        }
    }
}

/// One message.
pub struct Message {
    pub name: String,
    pub says: Value,
}

impl Message {
    pub fn examples(&self) -> &[Value] {
        self.says["examples"].as_array().map_or(&[], Vec::as_slice)
    }

    pub fn example(&self, name: &str) -> &Value {
        let found = self
            .examples()
            .iter()
            .find(|example| example["name"] == name);
        found.unwrap_or_else(|| panic!("{}: no example `{name}`", self.name))
    }

    /// Schema and example of the key, if it has one.
    pub fn key(&self, document: &Document) -> Option<(Value, String)> {
        let bindings = document.resolved(&self.says["bindings"]);
        let key = bindings["kafka"]["key"].clone();
        let example = key["examples"][0].as_str()?.to_owned();
        Some((key, example))
    }
}
