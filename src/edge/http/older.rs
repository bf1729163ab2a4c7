//! Alerts that are held no more, asked of the brokers: one question at a time.

use super::problem::Problem;
use super::serve::ApiParts;
use crate::collect::time::Timestamp;
use crate::deliver::alert::AlertRecord;
use crate::edge::archive::{Archive, ArchiveFault};
use crate::edge::read_model::{Cursor, Page, Revision};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// When somebody else may have done.
const PAUSE: Duration = Duration::from_secs(2);

/// The archive, and whether somebody reads it.
#[derive(Debug, Clone)]
pub struct Older {
    archive: Archive,
    turn: Arc<Semaphore>,
}

impl Older {
    /// Of an archive.
    #[must_use]
    pub fn new(archive: Archive) -> Self {
        Self {
            archive,
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// A part of the list of cases that changed since a moment.
    pub(super) async fn list(
        &self,
        wanted: impl Fn(&AlertRecord) -> bool + Send + 'static,
        since: Timestamp,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, Problem> {
        let page = self.ask(move |archive| archive.list((&wanted, since), after.as_ref(), limit));
        page.await
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Archive) -> Result<T, ArchiveFault> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = Arc::clone(&self.turn).try_acquire_owned();
        let turn = turn.map_err(|_| {
            Problem::too_many("somebody else reads older cases at the moment", PAUSE)
        })?;
        let archive = self.archive.clone();
        // The brokers take their time: not on the threads that answer everybody else.
        let answer = tokio::task::spawn_blocking(move || {
            let answer = question(&archive);
            drop(turn);
            answer
        });
        let answer = answer.await;
        let answer = answer.map_err(|fault| Problem::unavailable(fault.to_string()))?;
        answer.map_err(|fault| match fault {
            ArchiveFault::Log(fault) => Problem::unavailable(fault.to_string()),
            fault @ ArchiveFault::TooMuch => {
                Problem::parameters(vec![format!("from: {fault}, with from, to or a filter")])
            }
        })
    }
}

/// The revisions of a case, oldest first; those in the topic where none are held.
pub(super) async fn revisions(parts: &ApiParts, id: &str) -> Result<Vec<Arc<Revision>>, Problem> {
    let held = parts.model.revisions(id);
    let all_are_held = parts.model.held_since().is_none();
    let Some(older) = parts
        .older
        .as_ref()
        .filter(|_| held.is_empty() && !all_are_held)
    else {
        return Ok(held);
    };
    let id = id.to_owned();
    older.ask(move |archive| archive.revisions(&id)).await
}

/// The archive, where a list from a moment on reaches back behind what is held.
pub(super) fn reached(parts: &ApiParts, since: Option<Timestamp>) -> Option<(&Older, Timestamp)> {
    let since = since.filter(|since| parts.model.held_since().is_some_and(|held| *since < held));
    parts.older.as_ref().zip(since)
}
