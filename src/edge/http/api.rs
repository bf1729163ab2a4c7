//! The API: alerts as they lie in the alerts topic, sorted, filtered and in parts.

use super::problem::Problem;
use super::serve::ApiParts;
use crate::deliver::filter::Filter;
use crate::edge::read_model::{Cursor, Revision};
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;

/// Alerts of a part of the list.
const LIMIT_DEFAULT: usize = 50;
/// Most alerts of a part: a document has at most 64 kB.
const LIMIT_MAX: usize = 200;

/// The parameters of a request, as they came.
pub(super) type Parameters = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// What a list is asked for.
#[derive(Debug, Default)]
struct Ask {
    filter: Filter,
    after: Option<Cursor>,
    limit: usize,
}

/// `GET /api/v1/alerts`
pub(super) async fn list(
    State(parts): State<ApiParts>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let ask = ask(parameters)?;
    filled(&parts)?;
    // Taken first: an alert that comes in between is in the list and in the stream from here on.
    let position = parts.feed.position();
    let page = parts.model.list(&ask.filter, ask.after.as_ref(), ask.limit);
    let next = page.next.map(|next| next.to_string());
    let tail = serde_json::json!({
        "total": page.total, "next": next, "position": position.to_string(),
    });
    Ok(answer(join(&page.revisions, &tail)))
}

/// `GET /api/v1/alerts/{id}`
pub(super) async fn newest(
    State(parts): State<ApiParts>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    filled(&parts)?;
    let newest = parts.model.newest(&id).ok_or_else(|| unknown(&id))?;
    Ok(answer(newest.document.clone()))
}

/// `GET /api/v1/alerts/{id}/revisions`
pub(super) async fn revisions(
    State(parts): State<ApiParts>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    filled(&parts)?;
    let revisions = parts.model.revisions(&id);
    if revisions.is_empty() {
        return Err(unknown(&id));
    }
    let tail = serde_json::json!({ "total": revisions.len() });
    Ok(answer(join(&revisions, &tail)))
}

/// Reads the filters of a request and nothing else.
pub(super) fn filter(parameters: Parameters) -> Result<Filter, Problem> {
    let pairs = pairs(parameters)?;
    Filter::read(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))).map_err(Problem::parameters)
}

pub(super) fn pairs(parameters: Parameters) -> Result<Vec<(String, String)>, Problem> {
    let Query(pairs) = parameters.map_err(|fault| Problem::parameters(vec![fault.body_text()]))?;
    Ok(pairs)
}

fn ask(parameters: Parameters) -> Result<Ask, Problem> {
    let mut ask = Ask {
        limit: LIMIT_DEFAULT,
        ..Ask::default()
    };
    let mut faults = Vec::new();
    let mut filters = Vec::new();
    for (name, value) in pairs(parameters)? {
        match name.as_str() {
            "limit" => match value.parse::<usize>() {
                Ok(limit) if (1..=LIMIT_MAX).contains(&limit) => ask.limit = limit,
                Ok(_) | Err(_) => faults.push(format!("limit: 1 to {LIMIT_MAX}")),
            },
            "cursor" => match value.parse() {
                Ok(cursor) => ask.after = Some(cursor),
                Err(()) => faults.push("cursor: take `next` of the part before".to_owned()),
            },
            _ => filters.push((name, value)),
        }
    }
    match Filter::read(filters.iter().map(|(n, v)| (n.as_str(), v.as_str()))) {
        Ok(filter) => ask.filter = filter,
        Err(more) => faults.extend(more),
    }
    if faults.is_empty() {
        Ok(ask)
    } else {
        Err(Problem::parameters(faults))
    }
}

/// Until the topic has been read, any answer would be a wrong one.
pub(super) fn filled(parts: &ApiParts) -> Result<(), Problem> {
    if parts.feed.is_filled() {
        Ok(())
    } else {
        Err(Problem::unavailable(
            "the alerts topic is still being read; try again in a moment",
        ))
    }
}

pub(super) fn unknown(id: &str) -> Problem {
    let id: String = id.chars().take(64).collect();
    Problem::not_found(format!("no alert {id} among the newest cases"))
}

/// `{"alerts":[…], …}` with the documents as they are.
fn join(revisions: &[Arc<Revision>], tail: &serde_json::Value) -> Bytes {
    let size: usize = revisions.iter().map(|r| r.document.len() + 1).sum();
    let mut body = Vec::with_capacity(size + 256);
    body.extend_from_slice(b"{\"alerts\":[");
    for (n, revision) in revisions.iter().enumerate() {
        if n > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&revision.document);
    }
    body.extend_from_slice(b"],");
    // The tail is an object: its first brace is ours already.
    body.extend_from_slice(tail.to_string().trim_start_matches('{').as_bytes());
    body.into()
}

/// An answer in JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Result<Response, Problem> {
    let body = serde_json::to_vec(value);
    let body = body.map_err(|fault| Problem::unavailable(fault.to_string()))?;
    Ok(answer(body.into()))
}

fn answer(body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
