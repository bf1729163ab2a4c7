//! The API: alerts as they lie in the alerts topic, sorted, filtered and in parts.

use super::assign::{Wanted, shown};
use super::control::open;
use super::format::{Format, Shown};
use super::older;
use super::problem::Problem;
use super::serve::ApiParts;
use crate::deliver::alert::AlertRecord;
use crate::deliver::filter::Filter;
use crate::edge::read_model::{Cursor, Revision};
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Serialize;
use std::str::FromStr;
use std::sync::Arc;

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
    let format = Format::take(&mut rest, &mut faults);
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
    let assigned = match wanted {
        Some(wanted) => Some((wanted, open(&parts)?.clone())),
        None => None,
    };
    let since = filter.from();
    let is_wanted = move |alert: &AlertRecord| {
        let takes = assigned
            .as_ref()
            .is_none_or(|(wanted, desk)| wanted.takes(desk.assignee(&alert.id).as_deref()));
        filter.matches(alert) && takes
    };
    let page = match older::reached(&parts, since) {
        Some((older, since)) => {
            let list = move || older.list((&is_wanted, since), after.as_ref(), limit);
            parts.turns.ask(list).await?
        }
        None => parts.model.list(is_wanted, after.as_ref(), limit),
    };
    let next = page.next.map(|next| next.to_string());
    let tail = serde_json::json!({
        "total": page.total, "next": next, "position": position.to_string(),
        "held_since": parts.model.held_since(),
    });
    let revisions = page.revisions.iter();
    let all: Vec<Shown> = revisions.map(|revision| shown(&parts, revision)).collect();
    Ok(answer(format.list(&all, &tail)?))
}

/// `GET /api/v1/alerts/{id}`
pub(super) async fn newest(
    State(parts): State<ApiParts>,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let format = Format::only(parameters)?;
    filled(&parts)?;
    let newest = newest_of(&parts, &id).await?;
    format.one(&shown(&parts, &newest))
}

/// `GET /api/v1/alerts/{id}/revisions`
pub(super) async fn revisions(
    State(parts): State<ApiParts>,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let format = Format::only(parameters)?;
    filled(&parts)?;
    let revisions = older::revisions(&parts, &id).await?;
    let Some((newest, before)) = revisions.split_last() else {
        return Err(unknown(&id));
    };
    let mut all: Vec<Shown> = before.iter().map(Shown::published).collect();
    all.push(shown(&parts, newest));
    let tail = serde_json::json!({ "total": revisions.len() });
    Ok(answer(format.list(&all, &tail)?))
}

/// `GET /api/v1/alerts/{id}/explain`
pub(super) async fn explain(
    State(parts): State<ApiParts>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    filled(&parts)?;
    let newest = newest_of(&parts, &id).await?;
    Format::Markdown.one(&shown(&parts, &newest))
}

async fn newest_of(parts: &ApiParts, id: &str) -> Result<Arc<Revision>, Problem> {
    let newest = older::revisions(parts, id).await?.pop();
    newest.ok_or_else(|| unknown(id))
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
    Problem::not_found(format!("no alert {id} is known"))
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
