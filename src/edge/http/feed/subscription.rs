//! A client's end of the feed: what it is given next, and where it stands.

use super::frame::Format;
use super::place::Place;
use super::ring::{Batch, Held};
use super::{End, Feed, Item};
use crate::deliver::filter::Filter;
use crate::edge::read_model::Revision;
use axum::body::Bytes;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;
use tokio_stream::Stream as _;
use tokio_stream::wrappers::WatchStream;

/// What a client wants to see.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// Which alerts.
    pub(crate) filter: Filter,
    /// How they are written.
    pub(crate) format: Format,
}

/// A client of the feed; whoever drops it has left.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(super) id: u64,
    pub(super) feed: Feed,
    pub(super) wish: Wish,
    /// Everything that was wanted before it has been given.
    pub(super) place: Arc<Place>,
    pub(super) source: Source,
    /// `true` when there is something new, `false` when the feed ends.
    pub(super) news: WatchStream<bool>,
}

/// Where the next event comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// From the log, which is read again for this client.
    Log {
        queue: mpsc::Receiver<Item>,
        end: Arc<OnceLock<End>>,
    },
    /// From what the feed remembers.
    Ring(Cursor),
    /// Nothing comes any more.
    Over,
}

/// Where a client stands in what the feed remembers.
#[derive(Debug)]
pub(super) struct Cursor {
    /// Number of the batch that comes next.
    pub(super) next: u64,
    /// The batch in hand and the next of its revisions.
    pub(super) batch: Option<(Arc<Batch>, usize)>,
    /// Of a client that was away, until its place is one that the feed passed itself.
    pub(super) own: Option<Place>,
}

impl Subscription {
    /// The place behind what was given so far.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The next frames, as many neighbours as lie in one piece; `None` once nothing comes any more.
    pub(crate) fn poll_frames(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            match &mut self.source {
                Source::Log { queue, end } => match ready!(queue.poll_recv(context)) {
                    Some(Item::Revision(revision)) => {
                        return Poll::Ready(Some(self.read_again(&revision)));
                    }
                    Some(Item::Gap(place)) => {
                        self.place = Arc::new(place);
                        return Poll::Ready(Some(self.gap()));
                    }
                    None => {
                        let end = end.get().cloned();
                        if let Some(frame) = self.after_log(end) {
                            return Poll::Ready(Some(frame));
                        }
                    }
                },
                Source::Ring(cursor) => {
                    if let Some(frames) = cursor.take(&self.wish, &mut self.place) {
                        return Poll::Ready(Some(frames));
                    }
                    match self.feed.batch(cursor.next) {
                        Held::Here(batch) => cursor.begin(batch),
                        Held::Gone => return Poll::Ready(Some(self.cut())),
                        Held::ToCome => {
                            let news = Pin::new(&mut self.news).poll_next(context);
                            if !ready!(news).unwrap_or(false) {
                                self.source = Source::Over;
                            }
                        }
                    }
                }
                Source::Over => return Poll::Ready(None),
            }
        }
    }

    fn read_again(&mut self, revision: &Revision) -> Bytes {
        let place = Arc::make_mut(&mut self.place);
        place.passes(revision);
        self.wish.format.revision(revision, place)
    }

    /// Goes on with what the feed remembers, if this client has come so far.
    fn after_log(&mut self, end: Option<End>) -> Option<Bytes> {
        self.source = Source::Over;
        match end? {
            End::Reached(place) => {
                self.place = Arc::new(place);
                let Some(cursor) = self.feed.join(&self.place) else {
                    // Too slow on the way: what came meanwhile is remembered no more.
                    return Some(self.cut());
                };
                self.source = Source::Ring(cursor);
                None
            }
            End::Cut(place) => {
                self.place = Arc::new(place);
                Some(self.gap())
            }
        }
    }

    /// Tells a client that was too slow where to go on.
    fn cut(&mut self) -> Bytes {
        self.source = Source::Over;
        self.feed.metrics.dropped();
        self.gap()
    }

    fn gap(&self) -> Bytes {
        self.wish.format.gap(&self.place)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // A client that takes nothing at all is not asked again before its connection is closed.
        if let Source::Ring(cursor) = &self.source
            && matches!(self.feed.batch(cursor.next), Held::Gone)
        {
            self.feed.metrics.dropped();
        }
        self.feed.leave(self.id);
    }
}

impl Cursor {
    fn begin(&mut self, batch: Arc<Batch>) {
        self.own.take_if(|own| own.is_within(batch.before()));
        self.batch = Some((batch, 0));
        self.next += 1;
    }

    /// The next frames of the batch in hand; `None` when nothing of it is wanted any more.
    fn take(&mut self, wish: &Wish, place: &mut Arc<Place>) -> Option<Bytes> {
        let (batch, at) = self.batch.as_mut()?;
        let frames = match &mut self.own {
            Some(own) => alone(wish, own, batch, at),
            None => neighbours(wish, batch, at),
        };
        if frames.is_none() {
            *place = match &self.own {
                Some(own) => Arc::new(own.clone()),
                None => Arc::clone(batch.after()),
            };
            self.batch = None;
        }
        frames
    }
}

/// One frame, written for a client whose place is not that of the feed.
fn alone(wish: &Wish, own: &mut Place, batch: &Batch, at: &mut usize) -> Option<Bytes> {
    while let Some(revision) = batch.revisions().get(*at) {
        *at += 1;
        if own.passes(revision) && wish.filter.matches(&revision.alert) {
            return Some(wish.format.revision(revision, own));
        }
    }
    None
}

/// The frames up to the next one that is not wanted, as they are shared by all.
fn neighbours(wish: &Wish, batch: &Batch, at: &mut usize) -> Option<Bytes> {
    let rest = batch.revisions().get(*at..).unwrap_or_default();
    let is_wanted = |r: &Arc<Revision>| wish.filter.matches(&r.alert);
    let start = *at + rest.iter().position(is_wanted)?;
    let wanted = batch.revisions().get(start..).unwrap_or_default();
    let wanted = wanted.iter().take_while(|r| is_wanted(r)).count();
    *at = start + wanted;
    Some(batch.frames(wish.format, start..*at))
}
