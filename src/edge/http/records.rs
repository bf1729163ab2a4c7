//! The API: the record of a source that stands behind an event.

use super::access::Caller;
use super::api::{json, short};
use super::problem::Problem;
use super::serve::ApiParts;
use crate::edge::log::Partition;
use axum::extract::{Extension, Path, State};
use axum::response::Response;

/// `GET /api/v1/records/{topic}/{partition}/{offset}`
pub(super) async fn record(
    State(parts): State<ApiParts>,
    Extension(caller): Extension<Caller>,
    Path((topic, partition, offset)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let Some(records) = parts.records.clone() else {
        let detail = "there are no topics behind this page";
        return Err(Problem::unavailable(detail));
    };
    let place = partition.parse().ok().zip(offset.parse().ok());
    let place = place.filter(|(partition, offset): &(i32, i64)| *partition >= 0 && *offset >= 0);
    let (Some((number, offset)), Some(setup)) = (place, records.source(&topic).cloned()) else {
        let detail = format!("{} is the topic of no source here", short(&topic));
        return Err(Problem::not_found(detail));
    };
    tracing::info!(
        by = caller.name.as_deref().unwrap_or("somebody on this machine"),
        topic,
        partition = number,
        offset,
        "a source record was looked at"
    );
    let place = (Partition::new(topic, number), offset);
    let shown = parts
        .turns
        .ask(move || records.show(&setup, &place))
        .await?;
    let shown = shown.ok_or_else(|| {
        Problem::not_found("the topic holds no record there, or does not any more")
    })?;
    json(&shown)
}
