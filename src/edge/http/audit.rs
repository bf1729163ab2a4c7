//! `GET /api/v1/audit`: the audit records that are held, as JSON in parts or as one table.

use super::api::{Parameters, Part, json, part};
use super::problem::Problem;
use super::serve::ApiParts;
use super::views::{LIMIT_DEFAULT, held};
use crate::collect::time::{Timestamp, moment};
use crate::deliver::audit::{AuditRecord, Placed, Question};
use crate::deliver::trail::{self, Range};
use crate::edge::audit_table;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde::Serialize;

/// Rows of one table; more are exported by the command line, from the topic itself.
const ROWS_MAX: usize = 10_000;
/// Characters of an id.
const VALUE_CHARS_MAX: usize = 256;
const PARAMETERS: &str = "from, to, person, agent, ticket, limit, cursor";

#[derive(Serialize)]
struct Answer {
    /// From when on all audit records are held.
    since: Option<Timestamp>,
    #[serde(flatten)]
    part: trail::Part,
}

/// The handler.
pub(super) async fn audit(
    State(parts): State<ApiParts>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let Part {
        after,
        limit,
        rest,
        mut faults,
    } = part(parameters, LIMIT_DEFAULT)?;
    let question = question(rest, &mut faults);
    if !faults.is_empty() {
        return Err(Problem::parameters(faults));
    }
    held(&parts)?;
    let accepted = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok());
    if accepted.is_some_and(|accepted| accepted.contains("text/csv")) {
        return table(&parts, &question);
    }
    let trail = parts.trail.read();
    json(&Answer {
        since: trail.since(),
        part: trail.ask(&question, Range { after, limit }),
    })
}

/// What is asked for; what is wrong with it joins the faults.
fn question(rest: Vec<(String, String)>, faults: &mut Vec<String>) -> Question {
    let mut question = Question::default();
    for (name, value) in rest {
        let field = match name.as_str() {
            "from" | "to" => {
                let side = if name == "from" {
                    &mut question.from
                } else {
                    &mut question.to
                };
                *side = moment(&value);
                if side.is_none() {
                    faults.push(format!("{name}: RFC 3339, or ms since 1970"));
                }
                continue;
            }
            "person" => &mut question.person,
            "agent" => &mut question.agent,
            "ticket" => &mut question.ticket,
            _ => {
                faults.push(format!("{name}: unknown; parameters are {PARAMETERS}"));
                continue;
            }
        };
        if (1..=VALUE_CHARS_MAX).contains(&value.chars().count()) {
            *field = Some(value);
        } else {
            faults.push(format!("{name}: 1 to {VALUE_CHARS_MAX} characters"));
        }
    }
    question
}

/// All that is asked for, oldest first, as the command line exports it.
fn table(parts: &ApiParts, question: &Question) -> Result<Response, Problem> {
    let everything = Range {
        after: None,
        limit: ROWS_MAX,
    };
    let part = parts.trail.read().ask(question, everything);
    if part.next.is_some() {
        let detail = format!(
            "a table has at most {ROWS_MAX} rows, and {} are asked for: narrow the time, or use \
             `deskwarden audit export`",
            part.total
        );
        return Err(Problem::parameters(vec![detail]));
    }
    let placed: Vec<Placed> = part
        .records
        .into_iter()
        .rev()
        .filter_map(|filed| {
            Some(Placed {
                record: AuditRecord::read(filed.record.get().as_bytes())?,
                partition: filed.partition,
                offset: filed.offset,
            })
        })
        .collect();
    let mut body = Vec::new();
    // Writing to memory does not fail.
    drop(audit_table::write(&placed, &mut body));
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    let name = HeaderValue::from_static("attachment; filename=\"audit.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}
