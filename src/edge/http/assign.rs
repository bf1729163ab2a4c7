//! Who has a case: assignments become records of the control topic, and answers show them. What lies in
//! the alerts topic, and with it the live feed, knows nothing of them.

use super::access::Caller;
use super::api::{filled, json, unknown};
use super::control::{checked, fields, fixed, open, owned, seen, write};
use super::format::Shown;
use super::problem::Problem;
use super::serve::ApiParts;
use crate::deliver::alert::AlertRecord;
use crate::edge::read_model::Revision;
use axum::extract::{Extension, Path, Request, State};
use axum::response::Response;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::sync::Arc;

/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 256;
/// The filter for cases that nobody has.
const NOBODY: &str = "none";

/// `PUT /api/v1/alerts/{id}/assignee`
pub(super) async fn assign(
    State(parts): State<ApiParts>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let mut fields = fields(request).await?;
    filled(&parts)?;
    let newest = parts.model.newest(&id).ok_or_else(|| unknown(&id))?;
    fixed(&mut fields, "kind", "assignment".into())?;
    let revision = newest.alert.revision;
    fields.entry("revision").or_insert_with(|| revision.into());
    seen(&mut fields, &newest.alert)?;
    owned(&mut fields, &caller)?;
    let assignee = fields.get("assignee").and_then(serde_json::Value::as_str);
    let is_long = assignee.is_some_and(|name| name.chars().count() > NAME_CHARS_MAX);
    if is_long || assignee == Some(NOBODY) {
        let fault = format!(
            "assignee: at most {NAME_CHARS_MAX} characters, and not `{NOBODY}`; null releases the case"
        );
        return Err(Problem::record(vec![fault]));
    }
    if !newest.alert.is_open {
        let fault = "alert: the case is closed, there is nothing left to do";
        return Err(Problem::record(vec![fault.to_owned()]));
    }
    let key = format!("assignment/{id}");
    checked(&key, &fields)?;
    let more = serde_json::json!({ "newest_revision": revision });
    write(open(&parts)?, key, fields, more).await
}

/// `GET /api/v1/assignments`
pub(super) async fn assignments(State(parts): State<ApiParts>) -> Result<Response, Problem> {
    filled(&parts)?;
    let is_open = |alert: &str| parts.model.newest(alert).is_some_and(|r| r.alert.is_open);
    let all = open(&parts)?.assignments().into_iter();
    let listed: Vec<_> = all
        .filter(|(alert, _)| is_open(alert))
        .map(|(alert, assignee)| serde_json::json!({ "alert": alert, "assignee": &*assignee }))
        .collect();
    let total = listed.len();
    json(&serde_json::json!({ "assignments": listed, "total": total }))
}

/// Whose cases are asked for.
#[derive(Debug)]
pub(super) struct Wanted(String);

impl Wanted {
    /// Takes `assignee` out of the parameters of a request.
    pub(super) fn take(rest: &mut Vec<(String, String)>, faults: &mut Vec<String>) -> Option<Self> {
        let mut wanted = None;
        for (_, value) in rest.extract_if(.., |(name, _)| name == "assignee") {
            if value.is_empty() || value.chars().count() > NAME_CHARS_MAX {
                faults.push(format!("assignee: 1 to {NAME_CHARS_MAX} characters"));
            }
            wanted = Some(Self(value));
        }
        wanted
    }

    /// Whether a case with this assignee is one of them.
    pub(super) fn takes(&self, assignee: Option<&str>) -> bool {
        match assignee {
            Some(assignee) => self.0 == assignee,
            None => self.0 == NOBODY,
        }
    }
}

/// Who has a case, as far as it is known here.
fn assignee(parts: &ApiParts, alert: &AlertRecord) -> Option<Arc<str>> {
    parts.desk.as_ref()?.assignee(&alert.id)
}

/// A newest revision, with who has the case.
pub(super) fn shown(parts: &ApiParts, revision: &Arc<Revision>) -> Shown {
    let assignee = assignee(parts, &revision.alert);
    let with = assignee.and_then(|assignee| with_assignee(&revision.document, &assignee));
    let published = Shown::published(revision);
    match with {
        Some(document) => Shown {
            document: document.into(),
            ..published
        },
        None => published,
    }
}

/// The document with OCSF's `assignee`, and in progress where it was new. All else stays byte for byte.
fn with_assignee(document: &[u8], assignee: &str) -> Option<Vec<u8>> {
    let Fields(fields) = serde_json::from_slice(document).ok()?;
    let user = serde_json::to_string(&serde_json::json!({ "name": assignee })).ok()?;
    let mut out = Vec::with_capacity(document.len() + user.len() + 16);
    for (name, value) in &fields {
        out.push(if out.is_empty() { b'{' } else { b',' });
        serde_json::to_writer(&mut out, name).ok()?;
        out.push(b':');
        let is_new = name == "status_id" && value.get() == "1";
        out.extend_from_slice(if is_new { b"2" } else { value.get().as_bytes() });
    }
    out.extend_from_slice(b",\"assignee\":");
    out.extend_from_slice(user.as_bytes());
    out.push(b'}');
    Some(out)
}

/// The fields of an object in their order, each value as it is written.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_status_of_a_new_case_and_its_assignee_differ() {
        let of = |document: &str| {
            let with = with_assignee(document.as_bytes(), "anna \"a\" b").unwrap();
            String::from_utf8(with).unwrap()
        };
        let who = r#","assignee":{"name":"anna \"a\" b"}}"#;
        assert_eq!(
            of(r#"{"time":5, "status_id":1,"a":{"status_id":1, "x":1.50}}"#),
            format!(r#"{{"time":5,"status_id":2,"a":{{"status_id":1, "x":1.50}}{who}"#)
        );
        for other in ["3", "4"] {
            let document = format!(r#"{{"status_id":{other}}}"#);
            assert_eq!(of(&document), format!(r#"{{"status_id":{other}{who}"#));
        }
        assert!(with_assignee(b"[1]", "anna").is_none());
    }
}
