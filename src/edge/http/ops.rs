//! Health and metrics, on a listener of their own. Nothing here names a person.

use crate::edge::health::{Faults, Health};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{Registry, TEXT_FORMAT, TextEncoder};

/// The routes of the ops listener.
pub(super) fn routes(health: Health, registry: Registry) -> Router {
    Router::new()
        .route(
            "/livez",
            get(async |State(h): State<Health>| answer(h.live())),
        )
        .route(
            "/readyz",
            get(async |State(h): State<Health>| answer(h.ready())),
        )
        .route(
            "/startupz",
            get(async |State(h): State<Health>| answer(h.started())),
        )
        .route("/status", get(status))
        .with_state(health)
        .route("/metrics", get(metrics).with_state(registry))
}

/// `ok`, or a line for each thing that stands against it.
fn answer(faults: Faults) -> Response {
    if faults.is_empty() {
        return "ok\n".into_response();
    }
    let text = faults.join("\n") + "\n";
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

async fn status(State(health): State<Health>) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        health.status(),
    )
        .into_response()
}

async fn metrics(State(registry): State<Registry>) -> Response {
    match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(fault) => (StatusCode::INTERNAL_SERVER_ERROR, fault.to_string()).into_response(),
    }
}
