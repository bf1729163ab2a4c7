//! Alerts that are held no more, asked of the brokers.

use super::problem::Problem;
use super::serve::ApiParts;
use crate::collect::time::Timestamp;
use crate::edge::archive::Archive;
use crate::edge::read_model::Revision;
use std::sync::Arc;

/// Characters of an alert id: any other id is of no alert, and no reason to read a topic.
const ID_CHARS: usize = 32;

/// The revisions of a case, oldest first; those in the topic where none are held.
pub(super) async fn revisions(parts: &ApiParts, id: &str) -> Result<Vec<Arc<Revision>>, Problem> {
    let held = parts.model.revisions(id);
    let is_id = id.len() == ID_CHARS && id.bytes().all(|b| b.is_ascii_hexdigit());
    let all_are_held = parts.model.held_since().is_none();
    let is_older = held.is_empty() && is_id && !all_are_held;
    let Some(older) = parts.older.clone().filter(|_| is_older) else {
        return Ok(held);
    };
    let id = id.to_owned();
    parts.turns.ask(move || older.revisions(&id)).await
}

/// The archive, where a list from a moment on reaches back behind what is held.
pub(super) fn reached(parts: &ApiParts, since: Option<Timestamp>) -> Option<(Archive, Timestamp)> {
    let since = since.filter(|since| parts.model.held_since().is_some_and(|held| *since < held));
    parts.older.clone().zip(since)
}
