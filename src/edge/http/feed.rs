//! The live feed: who listens, what each of them has been given, and where those go on who were
//! away.
//!
//! A place in the feed is a vector of offsets, one per partition of the alerts topic. Every event
//! carries the place behind it, so a client that names the last one it saw goes on without gap or
//! repeat, on any instance.
//!
//! What was published lately is remembered once for all clients, in batches that are written once in
//! each form; a client is a cursor in there, and what is sent to it are slices of the batches. All who
//! follow the feed share its place, so they share the ids too. Only who comes back with a place that
//! this instance never passed, or one that is remembered no more, is written to alone, until it has
//! caught up. A client that falls behind what is remembered is told where to go on, and cut off.
//!
//! The topic may have forgotten something of what lies behind a place. By age it forgets from the
//! beginning: that is told as a `gap`. By compaction, a day later at the earliest, it forgets
//! revisions that a later one of the same case replaces. No offset shows that, and nothing is told:
//! the newest revision of each case that changed still comes, and its `metadata.sequence` tells who
//! keeps count that some are missing.

use crate::deliver::filter::Filter;
use crate::edge::clock;
use crate::edge::metrics::DeliverMetrics;
use crate::edge::read_model::Revision;
use ring::{Held, Ring};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use subscription::{Cursor, Source};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::WatchStream;

mod frame;
mod place;
mod ring;
mod subscription;
#[cfg(test)]
mod tests;

pub(crate) use frame::Format;
pub use place::Place;
pub(crate) use subscription::{Subscription, Wish};

/// Clients at a time: a thousand, every browser tab of a large SOC, with half as many again.
pub const CLIENTS_MAX: usize = 1_500;
/// Between two times that clients are woken while alerts keep coming. What comes meanwhile goes out in
/// one write; a single alert goes out at once. Nobody sees the difference, but 200 writes a second
/// to each of a thousand clients would be more than one core can do.
const PACE: Duration = Duration::from_millis(50);

/// Why nobody can be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The read model is not filled yet.
    #[error("the alerts topic is still being read; try again in a moment")]
    Filling,
    /// There are too many clients.
    #[error("there are {CLIENTS_MAX} clients already; close one, or ask another instance")]
    Full,
    /// The process stops.
    #[error("this instance stops; ask another one")]
    Closed,
}

/// Somebody who wants to go on at a place that is remembered no more.
#[derive(Debug, Clone)]
pub struct Resume {
    client: u64,
    /// Where it wants to go on.
    pub from: Place,
}

/// What is given to a client for whom the log is read again.
#[derive(Debug)]
enum Item {
    Revision(Arc<Revision>),
    /// Something before this place cannot be given any more.
    Gap(Place),
}

/// Why nothing more comes from the log.
#[derive(Debug, Clone)]
enum End {
    /// Everything behind this place is remembered.
    Reached(Place),
    /// The client was too slow; it can go on here.
    Cut(Place),
}

/// A client for whom the log is read again.
#[derive(Debug)]
struct Behind {
    id: u64,
    filter: Filter,
    next: Place,
    /// Until the log has been set back for it.
    is_waiting: bool,
    queue: mpsc::Sender<Item>,
    end: Arc<OnceLock<End>>,
}

#[derive(Debug)]
struct State {
    is_filled: bool,
    is_closed: bool,
    ring: Ring,
    clients: usize,
    last_id: u64,
    behind: Vec<Behind>,
    resumes: Vec<Resume>,
    /// Whether there is something of which clients know nothing yet.
    is_news: bool,
    /// When they were woken last.
    told: Option<Instant>,
}

/// The live feed. One thread publishes, any may subscribe. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    state: Arc<Mutex<State>>,
    news: watch::Sender<bool>,
    queue_max: usize,
    pace: Duration,
    metrics: DeliverMetrics,
}

impl Feed {
    /// One without clients, each of which may be `queue_max` events behind.
    #[must_use]
    pub fn new(queue_max: usize, metrics: DeliverMetrics) -> Self {
        let state = State {
            is_filled: false,
            is_closed: false,
            ring: Ring::new(queue_max),
            clients: 0,
            last_id: 0,
            behind: Vec::new(),
            resumes: Vec::new(),
            is_news: false,
            told: None,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            news: watch::Sender::new(true),
            queue_max: queue_max.max(1),
            pace: PACE,
            metrics,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the feed stands: everything before it has been published.
    #[must_use]
    pub fn position(&self) -> Place {
        self.lock().ring.position().clone()
    }

    /// Whether everything that lay in the topic at the start has been read.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.lock().is_filled
    }

    /// Takes a client in, from now on or from a place.
    pub(crate) fn subscribe(
        &self,
        wish: Wish,
        from: Option<Place>,
    ) -> Result<Subscription, Refused> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(Refused::Closed);
        }
        if !state.is_filled {
            return Err(Refused::Filling);
        }
        if state.clients >= CLIENTS_MAX {
            return Err(Refused::Full);
        }
        state.clients += 1;
        state.last_id += 1;
        self.metrics.clients(state.clients);
        let id = state.last_id;
        let (place, source) = match from {
            None => state.follow(),
            Some(place) => {
                let cursor = state.join(&place);
                let source = cursor.map_or_else(
                    || state.go_back(id, &wish.filter, &place, self.queue_max),
                    Source::Ring,
                );
                (place, source)
            }
        };
        Ok(Subscription {
            id,
            feed: self.clone(),
            wish,
            place: Arc::new(place),
            source,
            news: WatchStream::from_changes(self.news.subscribe()),
        })
    }

    /// A client has left.
    fn leave(&self, id: u64) {
        let mut state = self.lock();
        state.clients -= 1;
        state.behind.retain(|client| client.id != id);
        state.resumes.retain(|resume| resume.client != id);
        self.metrics.clients(state.clients);
    }

    /// Where a client goes on with what is remembered, if all that lies behind its place is.
    fn join(&self, place: &Place) -> Option<Cursor> {
        self.lock().join(place)
    }

    fn batch(&self, number: u64) -> Held {
        self.lock().ring.batch(number)
    }

    /// Ends all streams: the process stops.
    pub fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.behind.clear();
        drop(state);
        self.news.send_replace(false);
    }

    /// Those who wait for the log to be set back. For the loop that publishes.
    pub(crate) fn take_resumes(&self) -> Vec<Resume> {
        std::mem::take(&mut self.lock().resumes)
    }

    /// Those for whom that failed wait on.
    pub(crate) fn keep_resumes(&self, resumes: Vec<Resume>) {
        self.lock().resumes.extend(resumes);
    }

    /// The log has been set back to where `resume` goes on. `from` is later than what it asked for
    /// where the log has forgotten something.
    pub(crate) fn resumed(&self, resume: &Resume, from: Place) {
        let mut state = self.lock();
        let found = state.behind.iter_mut().find(|c| c.id == resume.client);
        let Some(client) = found else { return };
        client.is_waiting = false;
        let is_gap = from.0.iter().any(|(p, next)| client.next.next(*p) != *next);
        client.next = from;
        if is_gap {
            // Its queue is empty so far. Where it has gone, the next event notices.
            drop(client.queue.try_send(Item::Gap(client.next.clone())));
        }
    }

    /// Takes a revision in, for all who have not had it. For the loop that publishes; a revision that
    /// is read again goes only to those who went back.
    pub(crate) fn publish(&self, revision: &Arc<Revision>) {
        let mut state = self.lock();
        state.is_news |= state.ring.push(revision);
        state.behind.retain_mut(|client| {
            let stays = client.is_waiting || client.give(revision);
            if matches!(client.end.get(), Some(End::Cut(_))) {
                self.metrics.dropped();
            }
            stays
        });
    }

    /// Wakes the clients if there is something new, but not too often: else this is how long the
    /// news should wait. For the loop that publishes, each time before it waits.
    pub(crate) fn tell(&self) -> Option<Duration> {
        let mut state = self.lock();
        state.hand_over();
        if !state.is_news {
            return None;
        }
        let now = clock::monotonic();
        let since = state.told.map(|told| now.saturating_duration_since(told));
        if let Some(left) = since.and_then(|since| self.pace.checked_sub(since)) {
            return Some(left);
        }
        state.told = Some(now);
        state.is_news = false;
        state.ring.close_batch();
        drop(state);
        self.news.send_replace(true);
        None
    }

    /// A partition has been read up to here; what lies before it is no alert.
    pub(crate) fn advance(&self, partition: i32, position: i64) {
        let mut state = self.lock();
        state.ring.advance(partition, position);
        let reading = state.behind.iter_mut().filter(|client| !client.is_waiting);
        reading.for_each(|client| client.next.advance(partition, position));
    }

    /// A partition is read from here on.
    pub(crate) fn begin(&self, partition: i32, position: i64) {
        self.lock().ring.begin(partition, position);
    }

    /// Everything that lay in the topic at the start has been read.
    pub(crate) fn filled(&self) {
        self.lock().is_filled = true;
    }
}

impl State {
    /// For somebody who wants what comes from now on.
    fn follow(&mut self) -> (Place, Source) {
        self.ring.close_batch();
        let cursor = Cursor {
            next: self.ring.next(),
            batch: None,
            own: None,
        };
        (self.ring.position().clone(), Source::Ring(cursor))
    }

    fn join(&mut self, place: &Place) -> Option<Cursor> {
        self.ring.remembers(place).then(|| Cursor {
            next: self.ring.first_behind(place),
            batch: None,
            own: Some(place.clone()),
        })
    }

    /// Has the log read again for a client.
    fn go_back(&mut self, id: u64, filter: &Filter, from: &Place, queue_max: usize) -> Source {
        let (sender, queue) = mpsc::channel(queue_max);
        let end = Arc::new(OnceLock::new());
        self.behind.push(Behind {
            id,
            filter: filter.clone(),
            next: from.clone(),
            is_waiting: true,
            queue: sender,
            end: Arc::clone(&end),
        });
        self.resumes.push(Resume {
            client: id,
            from: from.clone(),
        });
        Source::Log { queue, end }
    }

    /// Lets those go on with what is remembered who have come so far. Not as soon as they could: they
    /// have yet to take what is in their queues, and what they need must not be forgotten meanwhile.
    fn hand_over(&mut self) {
        if self.behind.is_empty() {
            return;
        }
        let (ring, half) = (&self.ring, self.ring.newer_half());
        self.behind.retain(|client| {
            let is_near = half.is_within(&client.next) && ring.remembers(&client.next);
            let has_reached = !client.is_waiting && is_near;
            if has_reached {
                // Set once: the client is dropped right here.
                drop(client.end.set(End::Reached(client.next.clone())));
            }
            !has_reached
        });
    }
}

impl Behind {
    /// Whether the client stays: not if it has gone or its queue is full.
    fn give(&mut self, revision: &Arc<Revision>) -> bool {
        if revision.offset < self.next.next(revision.partition) {
            return true;
        }
        if self.filter.matches(&revision.alert) {
            match self.queue.try_send(Item::Revision(Arc::clone(revision))) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Closed(_)) => return false,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    // Set once: the client is dropped right here.
                    drop(self.end.set(End::Cut(self.next.clone())));
                    return false;
                }
            }
        }
        self.next.passes(revision)
    }
}
