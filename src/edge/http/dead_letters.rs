//! The API: records that could not be used, and feeding them in again. The records themselves are not
//! shown: they hold what the source wrote.

use super::access::Caller;
use super::api::{Parameters, json, pairs};
use super::control::fields;
use super::problem::Problem;
use super::serve::ApiParts;
use crate::collect::time::moment;
use crate::edge::dead_letters::{DeadLetter, DeadLetters, Keep, Question};
use crate::edge::log::LogError;
use axum::extract::{Extension, Request, State};
use axum::response::Response;
use serde_json::{Value, json};

/// Letters of one answer, the newest.
const LETTERS_MAX: usize = 200;
/// Bytes of letters that one request holds: the instance has other work. The command line takes more.
const BYTES_MAX: usize = 32 << 20;
/// Characters of a reason or name.
const VALUE_CHARS_MAX: usize = 256;
const NAMES: &str = "since, reason, topic";

/// `GET /api/v1/dead-letters`
pub(super) async fn list(
    State(parts): State<ApiParts>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let mut question = Question::default();
    let mut faults = Vec::new();
    for (name, value) in pairs(parameters)? {
        if let Err(fault) = set(&mut question, &name, &value) {
            faults.push(fault);
        }
    }
    if !faults.is_empty() {
        return Err(Problem::parameters(faults));
    }
    let found = ask(&parts, move |letters| letters.find(&question, keep(false))).await?;
    let total = found.letters.len();
    let newest: Vec<&DeadLetter> = found.letters.iter().rev().take(LETTERS_MAX).collect();
    json(&json!({ "letters": newest, "total": total, "unreadable": found.unreadable }))
}

/// `POST /api/v1/dead-letters/replay`
pub(super) async fn replay(
    State(parts): State<ApiParts>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let mut question = Question::default();
    let mut faults = Vec::new();
    for (name, value) in fields(request).await? {
        let read = match &value {
            Value::String(text) => set(&mut question, &name, text),
            Value::Number(number) if name == "since" => {
                set(&mut question, &name, &number.to_string())
            }
            Value::Number(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Array(_)
            | Value::Object(_) => Err(format!("{name}: a text")),
        };
        faults.extend(read.err());
    }
    if question.since.is_none() && faults.is_empty() {
        faults.push("since: missing; say from when on, RFC 3339 or ms since 1970".to_owned());
    }
    if !faults.is_empty() {
        return Err(Problem::record(faults));
    }
    let fed = ask(&parts, move |letters| {
        let found = letters.find(&question, keep(true))?;
        letters.feed_in(&found.letters)
    })
    .await?;
    tracing::warn!(
        by = caller.name.as_deref().unwrap_or("somebody on this machine"),
        records = fed.fed,
        "dead letters were fed in again"
    );
    json(&fed)
}

const fn keep(values: bool) -> Keep {
    Keep {
        values,
        bytes_max: BYTES_MAX,
    }
}

fn set(question: &mut Question, name: &str, value: &str) -> Result<(), String> {
    let field = match name {
        "since" => {
            question.since = moment(value);
            let is_moment = question.since.is_some();
            let fault = || "since: RFC 3339, or ms since 1970".to_owned();
            return is_moment.then_some(()).ok_or_else(fault);
        }
        "reason" => &mut question.reason,
        "topic" => &mut question.topic,
        _ => return Err(format!("{name}: unknown; it may be {NAMES}")),
    };
    if !(1..=VALUE_CHARS_MAX).contains(&value.chars().count()) {
        return Err(format!("{name}: 1 to {VALUE_CHARS_MAX} characters"));
    }
    *field = Some(value.to_owned());
    Ok(())
}

async fn ask<T: Send + 'static>(
    parts: &ApiParts,
    question: impl FnOnce(&DeadLetters) -> Result<T, LogError> + Send + 'static,
) -> Result<T, Problem> {
    let Some(letters) = parts.letters.clone() else {
        return Err(Problem::unavailable(
            "there are no brokers behind this page",
        ));
    };
    parts.turns.ask(move || question(&letters)).await
}
