//! The live feed: who listens, what each of them has been given, and where those go on who were
//! away.
//!
//! A place in the feed is a vector of offsets, one per partition of the alerts topic. Every event
//! carries the place behind it, so a client that names the last one it saw goes on without gap or
//! repeat, on any instance.

use crate::deliver::filter::Filter;
use crate::edge::metrics::DeliverMetrics;
use crate::edge::read_model::Revision;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::mpsc;

/// Events that wait for one client: a busy hour of alerts. The topic is the buffer beyond it.
pub const QUEUE_MAX_DEFAULT: usize = 1_024;
/// Revisions remembered for clients that were away for a moment.
pub const RECENT_MAX: usize = 1_024;
/// Clients at a time: every browser tab of a large SOC.
pub const CLIENTS_MAX: usize = 256;
/// Partitions that a place may name: more than any topic of ours has.
const PLACE_PARTITIONS_MAX: usize = 4_096;

/// A place in the feed: the next offset of each partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place(pub BTreeMap<i32, i64>);

impl Place {
    /// The next offset of a partition; 0 where it is not named.
    #[must_use]
    pub fn next(&self, partition: i32) -> i64 {
        self.0.get(&partition).copied().unwrap_or(0)
    }

    fn passes(&mut self, revision: &Revision) -> bool {
        let next = self.0.entry(revision.partition).or_insert(0);
        if revision.offset < *next {
            return false;
        }
        *next = revision.offset + 1;
        true
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (partition, offset)) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            write!(f, "{comma}{partition}:{offset}")?;
        }
        Ok(())
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut place = BTreeMap::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (partition, offset) = part.split_once(':').ok_or(())?;
            let partition = partition.parse::<i32>().map_err(|_| ())?;
            let offset = offset.parse::<i64>().map_err(|_| ())?;
            if partition < 0 || offset < 0 || place.len() >= PLACE_PARTITIONS_MAX {
                return Err(());
            }
            place.insert(partition, offset);
        }
        Ok(Self(place))
    }
}

/// What a client is given.
#[derive(Debug, Clone)]
pub enum Item {
    /// A revision, and the place behind it.
    Revision(Arc<Revision>, String),
    /// Something before this place cannot be given any more.
    Gap(String),
}

/// A client's end of the feed.
#[derive(Debug)]
pub struct Subscription {
    /// Where it begins.
    pub from: Place,
    /// What is given to it; closed when it was too slow or the feed ends.
    pub queue: mpsc::Receiver<Item>,
    /// Where it can go on, if it was too slow.
    pub cut: Arc<OnceLock<String>>,
}

/// Why nobody can be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The read model is not filled yet.
    #[error("the alerts topic is still being read; try again in a moment")]
    Filling,
    /// There are too many clients.
    #[error("there are {CLIENTS_MAX} clients already; close one, or ask another instance")]
    Full,
}

/// Somebody who wants to go on at a place that is remembered no more.
#[derive(Debug, Clone)]
pub struct Resume {
    client: u64,
    /// Where it wants to go on.
    pub from: Place,
}

#[derive(Debug)]
struct Client {
    id: u64,
    filter: Filter,
    next: Place,
    /// Until the log has been set back for it.
    is_waiting: bool,
    queue: mpsc::Sender<Item>,
    cut: Arc<OnceLock<String>>,
}

#[derive(Debug, Default)]
struct State {
    is_filled: bool,
    position: Place,
    recent: VecDeque<Arc<Revision>>,
    /// Where `recent` begins: everything behind it is in there.
    recent_from: Place,
    clients: Vec<Client>,
    last_id: u64,
    resumes: Vec<Resume>,
}

/// The live feed. One thread publishes, any may subscribe. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    state: Arc<Mutex<State>>,
    queue_max: usize,
    metrics: DeliverMetrics,
}

impl Feed {
    /// One without clients; `queue_max` events may wait for each of them.
    #[must_use]
    pub fn new(queue_max: usize, metrics: DeliverMetrics) -> Self {
        Self {
            state: Arc::default(),
            queue_max: queue_max.max(1),
            metrics,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the feed stands: everything before it has been published.
    #[must_use]
    pub fn position(&self) -> Place {
        self.lock().position.clone()
    }

    /// Whether everything that lay in the topic at the start has been read.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.lock().is_filled
    }

    /// Takes a client in, from now on or from a place.
    pub fn subscribe(&self, filter: Filter, from: Option<Place>) -> Result<Subscription, Refused> {
        let mut state = self.lock();
        if !state.is_filled {
            return Err(Refused::Filling);
        }
        state.sweep();
        if state.clients.len() >= CLIENTS_MAX {
            return Err(Refused::Full);
        }
        let (sender, queue) = mpsc::channel(self.queue_max);
        let cut = Arc::new(OnceLock::new());
        state.last_id += 1;
        let mut client = Client {
            id: state.last_id,
            filter,
            next: from.unwrap_or_else(|| state.position.clone()),
            is_waiting: false,
            queue: sender,
            cut: Arc::clone(&cut),
        };
        let from = client.next.clone();
        let mut stays = true;
        if state.remembers(&client.next) {
            stays = state.recent.iter().all(|r| client.give(r));
        } else {
            client.is_waiting = true;
            let (client, from) = (client.id, from.clone());
            state.resumes.push(Resume { client, from });
        }
        if stays {
            state.clients.push(client);
        }
        self.metrics.clients(state.clients.len());
        Ok(Subscription { from, queue, cut })
    }

    /// Ends all streams: the process stops.
    pub fn close(&self) {
        self.lock().clients.clear();
    }

    /// Those who wait for the log to be set back; forgets who has gone. For the loop that publishes.
    pub(crate) fn take_resumes(&self) -> Vec<Resume> {
        let mut state = self.lock();
        if state.sweep() {
            self.metrics.clients(state.clients.len());
        }
        std::mem::take(&mut state.resumes)
    }

    /// The log has been set back to where `resume` goes on. `from` is later than what it asked for
    /// where the log has forgotten something.
    pub(crate) fn resumed(&self, resume: &Resume, from: Place) {
        let mut state = self.lock();
        let found = state.clients.iter_mut().find(|c| c.id == resume.client);
        let Some(client) = found else { return };
        client.is_waiting = false;
        let is_gap = from.0.iter().any(|(p, next)| client.next.next(*p) != *next);
        client.next = from;
        if is_gap {
            let gap = Item::Gap(client.next.to_string());
            // Its queue is empty so far. Where it has gone, the next event notices.
            drop(client.queue.try_send(gap));
        }
    }

    /// Gives a revision to all who have not had it. For the loop that publishes; a revision that is
    /// read again goes only to those who went back.
    pub(crate) fn publish(&self, revision: &Arc<Revision>) {
        let mut state = self.lock();
        let is_new = state.position.passes(revision);
        if is_new {
            state.remember(revision);
        }
        let before = state.clients.len();
        state.clients.retain_mut(|client| {
            let stays = client.is_waiting || client.give(revision);
            if client.cut.get().is_some() {
                self.metrics.dropped();
            }
            stays
        });
        if state.clients.len() != before {
            self.metrics.clients(state.clients.len());
        }
    }

    /// A partition has been read up to here; what lies before it is no alert.
    pub(crate) fn advance(&self, partition: i32, position: i64) {
        let mut state = self.lock();
        state.recent_from.0.entry(partition).or_insert(position);
        let next = state.position.0.entry(partition).or_insert(position);
        *next = position.max(*next);
    }

    /// A partition is read from here on.
    pub(crate) fn begin(&self, partition: i32, position: i64) {
        let mut state = self.lock();
        state.recent_from.0.insert(partition, position);
        state.position.0.insert(partition, position);
    }

    /// Everything that lay in the topic at the start has been read.
    pub(crate) fn filled(&self) {
        self.lock().is_filled = true;
    }
}

impl State {
    /// Forgets clients that have gone; whether there were any.
    fn sweep(&mut self) -> bool {
        let before = self.clients.len();
        self.clients.retain(|client| !client.queue.is_closed());
        self.clients.len() != before
    }

    /// Whether all that lies behind a place is remembered.
    fn remembers(&self, place: &Place) -> bool {
        let is_known = |(p, from): (&i32, &i64)| place.next(*p) >= *from;
        let is_ahead = |(p, next): (&i32, &i64)| *next > self.position.next(*p);
        self.recent_from.0.iter().all(is_known) && !place.0.iter().any(is_ahead)
    }

    fn remember(&mut self, revision: &Arc<Revision>) {
        self.recent.push_back(Arc::clone(revision));
        if self.recent.len() > RECENT_MAX
            && let Some(gone) = self.recent.pop_front()
        {
            self.recent_from.0.insert(gone.partition, gone.offset + 1);
        }
    }
}

impl Client {
    /// Whether the client stays: not if it has gone or its queue is full.
    fn give(&mut self, revision: &Arc<Revision>) -> bool {
        let before = self.next.clone();
        if !self.next.passes(revision) || !self.filter.matches(&revision.alert) {
            return !self.queue.is_closed();
        }
        let item = Item::Revision(Arc::clone(revision), self.next.to_string());
        match self.queue.try_send(item) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(_)) => {
                // Set once: the client is dropped right here.
                drop(self.cut.set(before.to_string()));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_and_read() {
        let place = Place(BTreeMap::from([(0, 12), (31, 7)]));
        assert_eq!(place.to_string(), "0:12,31:7");
        assert_eq!("0:12,31:7".parse(), Ok(place));
        assert_eq!("".parse(), Ok(Place::default()));
        for bad in ["x", "0", "0:x", "-1:3", "1:-3", "0:1;1:2"] {
            assert_eq!(bad.parse::<Place>(), Err(()), "{bad}");
        }
    }
}
