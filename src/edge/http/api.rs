//! The API: alerts as they lie in the alerts topic, sorted, filtered and in parts.

use super::assign::{Wanted, shown};
use super::control::open;
use super::problem::Problem;
use super::serve::ApiParts;
use crate::deliver::alert::AlertRecord;
use crate::deliver::filter::Filter;
use crate::deliver::view::explain;
use crate::edge::control::Desk;
use crate::edge::read_model::Cursor;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Serialize;
use std::str::FromStr;

/// Alerts of a part of the list.
const LIMIT_DEFAULT: usize = 50;
/// Most of a part: an alert has at most 64 kB.
const LIMIT_MAX: usize = 200;

/// The parameters of a request, as they came.
pub(super) type Parameters = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// Which part of a list is asked for, and what else.
#[derive(Debug)]
pub(super) struct Part<C> {
    /// Behind this place.
    pub(super) after: Option<C>,
    /// So many.
    pub(super) limit: usize,
    /// The other parameters.
    pub(super) rest: Vec<(String, String)>,
    /// What is wrong with the part.
    pub(super) faults: Vec<String>,
}

/// `GET /api/v1/alerts`
pub(super) async fn list(
    State(parts): State<ApiParts>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let Part {
        after,
        limit,
        mut rest,
        mut faults,
    } = part::<Cursor>(parameters, LIMIT_DEFAULT)?;
    let wanted = Wanted::take(&mut rest, &mut faults);
    let filter = read(&rest).unwrap_or_else(|more| {
        faults.extend(more);
        Filter::default()
    });
    if !faults.is_empty() {
        return Err(Problem::parameters(faults));
    }
    filled(&parts)?;
    // Taken first: an alert that comes in between is in the list and in the stream from here on.
    let position = parts.feed.position();
    let assigned = wanted.map(|wanted| Ok((wanted, open(&parts)?)));
    let assigned = assigned.transpose()?;
    let is_wanted = |alert: &AlertRecord| {
        let takes =
            |(wanted, desk): &(Wanted, &Desk)| wanted.takes(desk.assignee(&alert.id).as_deref());
        filter.matches(alert) && assigned.as_ref().is_none_or(takes)
    };
    let page = parts.model.list(is_wanted, after.as_ref(), limit);
    let next = page.next.map(|next| next.to_string());
    let tail = serde_json::json!({
        "total": page.total, "next": next, "position": position.to_string(),
    });
    let revisions = page.revisions.iter();
    let documents: Vec<Bytes> = revisions.map(|revision| shown(&parts, revision)).collect();
    Ok(answer(join(&documents, &tail)))
}

/// `GET /api/v1/alerts/{id}`
pub(super) async fn newest(
    State(parts): State<ApiParts>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    filled(&parts)?;
    let newest = parts.model.newest(&id).ok_or_else(|| unknown(&id))?;
    Ok(answer(shown(&parts, &newest)))
}

/// `GET /api/v1/alerts/{id}/revisions`
pub(super) async fn revisions(
    State(parts): State<ApiParts>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    filled(&parts)?;
    let revisions = parts.model.revisions(&id);
    let Some((newest, before)) = revisions.split_last() else {
        return Err(unknown(&id));
    };
    let tail = serde_json::json!({ "total": revisions.len() });
    let mut documents: Vec<Bytes> = before.iter().map(|r| r.document.clone()).collect();
    documents.push(shown(&parts, newest));
    Ok(answer(join(&documents, &tail)))
}

/// `GET /api/v1/alerts/{id}/explain`
pub(super) async fn explain(
    State(parts): State<ApiParts>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    filled(&parts)?;
    let newest = parts.model.newest(&id).ok_or_else(|| unknown(&id))?;
    let text = explain::explain(&newest.document);
    let text = text.map_err(|fault| Problem::unavailable(fault.to_string()))?;
    let mut response = Response::new(Body::from(text));
    let markdown = HeaderValue::from_static("text/markdown; charset=utf-8");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, markdown);
    Ok(response)
}

/// Reads the filters of a request and nothing else.
pub(super) fn filter(parameters: Parameters) -> Result<Filter, Problem> {
    read(&pairs(parameters)?).map_err(Problem::parameters)
}

fn read(pairs: &[(String, String)]) -> Result<Filter, Vec<String>> {
    Filter::read(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())))
}

pub(super) fn pairs(parameters: Parameters) -> Result<Vec<(String, String)>, Problem> {
    let Query(pairs) = parameters.map_err(|fault| Problem::parameters(vec![fault.body_text()]))?;
    Ok(pairs)
}

/// Takes `limit` and `cursor` out of the parameters of a request.
pub(super) fn part<C: FromStr>(parameters: Parameters, limit: usize) -> Result<Part<C>, Problem> {
    let mut part = Part {
        after: None,
        limit,
        rest: Vec::new(),
        faults: Vec::new(),
    };
    for (name, value) in pairs(parameters)? {
        match name.as_str() {
            "limit" => match value.parse() {
                Ok(limit) if (1..=LIMIT_MAX).contains(&limit) => part.limit = limit,
                Ok(_) | Err(_) => part.faults.push(format!("limit: 1 to {LIMIT_MAX}")),
            },
            "cursor" => match value.parse() {
                Ok(place) => part.after = Some(place),
                Err(_) => part
                    .faults
                    .push("cursor: take `next` of the part before".to_owned()),
            },
            _ => part.rest.push((name, value)),
        }
    }
    Ok(part)
}

/// As much of an id as an answer repeats.
pub(super) fn short(id: &str) -> String {
    id.chars().take(64).collect()
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
    let id = short(id);
    Problem::not_found(format!("no alert {id} among the newest cases"))
}

/// `{"alerts":[…], …}` with the documents as they are.
fn join(documents: &[Bytes], tail: &serde_json::Value) -> Bytes {
    let size: usize = documents.iter().map(|d| d.len() + 1).sum();
    let mut body = Vec::with_capacity(size + 256);
    body.extend_from_slice(b"{\"alerts\":[");
    for (n, document) in documents.iter().enumerate() {
        if n > 0 {
            body.push(b',');
        }
        body.extend_from_slice(document);
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

/// JSON that is written already.
pub(super) fn answer(body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
