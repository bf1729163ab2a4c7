//! The API: how sources and stages stand, and how this instance is configured.

use super::api::json;
use super::problem::Problem;
use super::serve::ApiParts;
use crate::edge::pipeline::Pipeline;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

/// `GET /api/v1/sources`
pub(super) async fn sources(State(parts): State<ApiParts>) -> Result<Response, Problem> {
    ask(&parts, |pipeline| {
        let (asked_at, sources) = pipeline.sources();
        json!({ "asked_at": asked_at, "sources": sources })
    })
    .await
}

/// `GET /api/v1/pipeline`
pub(super) async fn pipeline(State(parts): State<ApiParts>) -> Result<Response, Problem> {
    ask(&parts, |pipeline| {
        let (asked_at, groups) = pipeline.groups();
        json!({ "asked_at": asked_at, "groups": groups })
    })
    .await
}

/// `GET /api/v1/config`
pub(super) async fn config(State(parts): State<ApiParts>) -> Result<Response, Problem> {
    json(&json!({ "settings": &*parts.settings }))
}

/// The brokers are asked, which takes its time: not on the threads that answer everybody else.
async fn ask(
    parts: &ApiParts,
    question: impl FnOnce(&Pipeline) -> Value + Send + 'static,
) -> Result<Response, Problem> {
    let Some(pipeline) = parts.pipeline.clone() else {
        return Err(Problem::unavailable(
            "there are no brokers behind this page",
        ));
    };
    let answer = tokio::task::spawn_blocking(move || question(&pipeline)).await;
    json(&answer.map_err(|fault| Problem::unavailable(fault.to_string()))?)
}
