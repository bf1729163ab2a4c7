//! Whether too much of a source is unusable: its format or its mapping is broken.

use crate::collect::reject::Reject;
use crate::collect::time::{MINUTE_MS, Timestamp};

/// So long a span is looked at.
const SPAN_MS: i64 = MINUTE_MS;
/// Fewer items say nothing.
const ITEMS_MIN: u64 = 100;
/// More than one of so many items is too much: 5 %.
const ONE_IN: u64 = 20;

/// What became of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Turn {
    /// Too much of it is unusable; said once a minute.
    Degraded {
        /// Of a hundred items.
        share_pct: u64,
        /// The newest reject.
        newest: Option<Reject>,
        /// It was not so before.
        is_new: bool,
    },
    /// It no longer is.
    Restored,
}

/// The items of one source in the present span.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    since: Option<Timestamp>,
    items: u64,
    rejects: u64,
    newest: Option<Reject>,
    is_degraded: bool,
    said: Option<Timestamp>,
}

impl Breaker {
    /// Counts items, the unusable among them. Called without any it lets time pass.
    pub(super) fn count(
        &mut self,
        (items, rejects): (u64, u64),
        newest: Option<Reject>,
        now: Timestamp,
    ) -> Option<Turn> {
        let since = *self.since.get_or_insert(now);
        let mut restored = None;
        if now.since(since) >= SPAN_MS {
            if self.is_degraded && !self.is_over() {
                self.is_degraded = false;
                self.said = None;
                restored = Some(Turn::Restored);
            }
            (self.items, self.rejects) = (0, 0);
            self.since = Some(now);
        }
        self.items += items;
        self.rejects += rejects;
        if newest.is_some() {
            self.newest = newest;
        }
        let is_said = self.said.is_some_and(|said| now.since(said) < SPAN_MS);
        if !self.is_over() || is_said {
            return restored;
        }
        self.said = Some(now);
        Some(Turn::Degraded {
            share_pct: (self.rejects * 100).checked_div(self.items).unwrap_or(0),
            newest: self.newest.clone(),
            is_new: !std::mem::replace(&mut self.is_degraded, true),
        })
    }

    const fn is_over(&self) -> bool {
        self.items >= ITEMS_MIN && self.rejects * ONE_IN > self.items
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::reject::RejectReason;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000)
    }

    #[test]
    fn it_speaks_once_a_minute_while_too_much_is_unusable() {
        let mut breaker = Breaker::default();
        let broken = || Some(Reject::new(RejectReason::Schema, "no `eventType`"));
        assert_eq!(breaker.count((99, 99), broken(), at(0)), None, "too few");
        let said = breaker.count((1, 0), None, at(1));
        let degraded = |share_pct, is_new| {
            Some(Turn::Degraded {
                share_pct,
                newest: broken(),
                is_new,
            })
        };
        assert_eq!(said, degraded(99, true));
        assert_eq!(
            breaker.count((500, 500), None, at(30)),
            None,
            "said already"
        );
        assert_eq!(breaker.count((0, 0), None, at(60)), None, "a new span");
        assert_eq!(breaker.count((200, 100), None, at(70)), degraded(50, false));
        assert_eq!(breaker.count((0, 0), None, at(120)), None, "it was over");
        assert_eq!(
            breaker.count((1_000, 50), None, at(130)),
            None,
            "exactly one in twenty"
        );
        assert_eq!(breaker.count((0, 0), None, at(180)), Some(Turn::Restored));
        assert_eq!(breaker.count((100, 6), None, at(181)), degraded(6, true));
    }

    #[test]
    fn silence_is_not_broken() {
        let mut breaker = Breaker::default();
        assert!(breaker.count((100, 100), None, at(0)).is_some());
        assert_eq!(breaker.count((0, 0), None, at(60)), None);
        assert_eq!(breaker.count((0, 0), None, at(120)), Some(Turn::Restored));
        assert_eq!(breaker.count((0, 0), None, at(180)), None);
    }
}
