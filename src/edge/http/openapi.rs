//! `GET /api/v1/openapi.json`: what the API takes and answers, as one document.
//!
//! `schemas/openapi.json` refers to the schemas of records beside it; the document that is served has
//! them inside.

use super::api::answer;
use super::problem::Problem;
use axum::body::Bytes;
use axum::response::Response;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// The schemas of records that the document refers to, with the name each has inside.
const RECORDS: [(&str, &str, &str); 3] = [
    (
        "alert.v1.json",
        "AlertRecord",
        include_str!("../../../schemas/alert.v1.json"),
    ),
    (
        "audit.v1.json",
        "AuditRecord",
        include_str!("../../../schemas/audit.v1.json"),
    ),
    (
        "control.v1.json",
        "ControlRecord",
        include_str!("../../../schemas/control.v1.json"),
    ),
];

static DOCUMENT: LazyLock<Result<Bytes, serde_json::Error>> = LazyLock::new(|| {
    let mut document = serde_json::from_str(include_str!("../../../schemas/openapi.json"))?;
    let mut inside = Map::new();
    for (file, name, text) in RECORDS {
        let place = format!("#/components/schemas/{name}");
        refer(&mut document, &|reference| {
            (reference == file).then(|| place.clone())
        });
        let mut schema = serde_json::from_str(text)?;
        refer(&mut schema, &|reference| {
            let within = reference.strip_prefix('#')?;
            Some(format!("{place}{within}"))
        });
        if let Value::Object(fields) = &mut schema {
            fields.remove("$id");
            fields.remove("$schema");
        }
        inside.insert(name.to_owned(), schema);
    }
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        schemas.extend(inside);
    }
    serde_json::to_vec(&document).map(Bytes::from)
});

/// Gives references another place.
fn refer(value: &mut Value, place: &impl Fn(&str) -> Option<String>) {
    match value {
        Value::Object(fields) => {
            let reference = fields.get("$ref").and_then(Value::as_str);
            if let Some(other) = reference.and_then(place) {
                fields.insert("$ref".to_owned(), other.into());
            }
            fields.values_mut().for_each(|field| refer(field, place));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, place)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The handler.
pub(super) async fn document() -> Result<Response, Problem> {
    let unread = |fault: &serde_json::Error| Problem::unavailable(fault.to_string());
    let document = DOCUMENT.as_ref().map_err(unread)?;
    Ok(answer(document.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::http::served;
    use std::collections::BTreeSet;

    fn document() -> Value {
        serde_json::from_slice(DOCUMENT.as_ref().unwrap()).unwrap()
    }

    #[test]
    fn every_route_is_described_with_its_role_and_no_other() {
        let document = document();
        let paths = document["paths"].as_object().unwrap().iter();
        let described: BTreeSet<(String, String, String)> = paths
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().iter();
                methods.map(|(method, operation)| {
                    let role = operation["x-role"].as_str().unwrap().to_owned();
                    (method.to_uppercase(), path.clone(), role)
                })
            })
            .collect();
        let of = |(method, path, role): (String, &str, crate::edge::http::Access)| {
            (method, path.to_owned(), role.as_str().to_owned())
        };
        assert_eq!(described, served().into_iter().map(of).collect());
    }

    #[test]
    fn every_reference_leads_somewhere_within() {
        let document = document();
        let mut left = vec![&document];
        let mut seen = 0;
        while let Some(value) = left.pop() {
            if let Some(Value::String(reference)) = value.get("$ref") {
                let place = reference.strip_prefix('#').unwrap_or_default();
                assert!(
                    document.pointer(place).is_some_and(|_| !place.is_empty()),
                    "{reference}"
                );
                seen += 1;
            }
            match value {
                Value::Object(fields) => left.extend(fields.values()),
                Value::Array(items) => left.extend(items),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        assert!(seen > 100, "{seen}");
    }
}
