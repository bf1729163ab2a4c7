//! The API: how much this instance logs, changed while it runs.

use super::access::Caller;
use super::api::json;
use super::control::fields;
use super::problem::Problem;
use super::serve::ApiParts;
use crate::edge::telemetry::Logs;
use axum::extract::{Extension, Request, State};
use axum::response::Response;
use serde_json::{Value, json};

/// `GET /api/v1/log-level`
pub(super) async fn level(State(parts): State<ApiParts>) -> Result<Response, Problem> {
    json(&json!({ "level": logs(&parts)?.level() }))
}

/// `PUT /api/v1/log-level`
pub(super) async fn set_level(
    State(parts): State<ApiParts>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let logs = logs(&parts)?;
    let fields = fields(request).await?;
    if let Some(name) = fields.keys().find(|name| *name != "level") {
        let fault = format!("{name}: unknown; the only field is level");
        return Err(Problem::record(vec![fault]));
    }
    let Some(Value::String(level)) = fields.get("level") else {
        let fault = "level: missing; error, warn, info, debug, trace, or `target=level,…`";
        return Err(Problem::record(vec![fault.to_owned()]));
    };
    let before = logs.level();
    let set = logs.set_level(level);
    set.map_err(|fault| Problem::record(vec![format!("level: {fault}")]))?;
    tracing::warn!(
        by = caller.name.as_deref().unwrap_or("somebody on this machine"),
        before,
        level = logs.level(),
        "the log level was changed"
    );
    json(&json!({ "level": logs.level() }))
}

fn logs(parts: &ApiParts) -> Result<&Logs, Problem> {
    let logs = parts.logs.as_ref();
    logs.ok_or_else(|| Problem::unavailable("the logs of this process are not served here"))
}
