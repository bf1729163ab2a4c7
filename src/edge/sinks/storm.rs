//! Whether there are more calls for attention than a person can take one by one.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Calls are counted over so long.
const WINDOW: Duration = Duration::from_secs(60);

/// Counts the calls of the last minute.
#[derive(Debug)]
pub(super) struct Storm {
    calls_max: Option<usize>,
    calls: VecDeque<Instant>,
}

impl Storm {
    /// `calls_max`: so many a minute are told one by one; `None`: all of them.
    pub(super) const fn new(calls_max: Option<usize>) -> Self {
        Self {
            calls_max,
            calls: VecDeque::new(),
        }
    }

    /// Whether the next call belongs into a digest.
    pub(super) fn is_on(&self, now: Instant) -> bool {
        let recent = self.calls.iter().rev();
        let recent = recent.take_while(|call| now.duration_since(**call) < WINDOW);
        self.calls_max.is_some_and(|most| recent.count() >= most)
    }

    /// Counts a call; whether it belongs into a digest.
    pub(super) fn call(&mut self, now: Instant) -> bool {
        let is_on = self.is_on(now);
        self.calls.push_back(now);
        // The oldest are of no use beyond the bound.
        let most = self.calls_max.unwrap_or(0);
        while self.calls.len() > most {
            self.calls.pop_front();
        }
        is_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::clock;

    #[test]
    fn more_than_a_person_can_take_are_a_storm() {
        let begun = clock::monotonic();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut storm = Storm::new(Some(3));
        let calls = [at(0), at(1), at(2), at(3), at(30)].map(|now| storm.call(now));
        assert_eq!(calls, [false, false, false, true, true]);
        // It goes on while they keep coming, and ends once the last ones are a minute old.
        assert!(storm.is_on(at(61)));
        assert!(!storm.is_on(at(62)));
        assert!(!storm.call(at(95)));
    }

    #[test]
    fn without_a_bound_there_is_none() {
        let mut storm = Storm::new(None);
        let now = clock::monotonic();
        assert!((0..1_000).all(|_| !storm.call(now)));
        assert!(storm.calls.is_empty());
    }
}
