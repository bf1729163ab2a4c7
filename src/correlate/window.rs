//! Kept facts: bounded, ordered by (event time, event id), safe against late and repeated ones.

use serde::{Deserialize, Serialize};

use crate::collect::event::EventId;
use crate::collect::time::Timestamp;
use crate::correlate::fact::Fact;

/// Facts kept per entity. A state record stays below 64 KiB with them.
pub const FACTS_MAX: usize = 256;

/// What became of a fact handed to a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is kept.
    Kept,
    /// One with this id is kept already; nothing changed.
    Duplicate,
}

/// The facts of one entity, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Window {
    facts: Vec<Fact>,
    /// Facts dropped because the window was full, since the entity was last idle.
    pub truncated: u32,
}

impl Window {
    /// The kept facts, ordered by (time, id).
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// Keeps a fact at its place in the order. A second fact with one id is a duplicate: the first
    /// in the log stands, so that a repeated delivery changes nothing. In a full window the oldest
    /// goes, never the newest, or a flood would hide what follows it.
    pub fn insert(&mut self, fact: Fact) -> Inserted {
        if self.facts.iter().any(|kept| kept.id == fact.id) {
            return Inserted::Duplicate;
        }
        let at = self
            .facts
            .partition_point(|kept| kept.order() < fact.order());
        self.facts.insert(at, fact);
        if self.facts.len() > FACTS_MAX {
            self.facts.remove(0);
            self.truncated = self.truncated.saturating_add(1);
        }
        Inserted::Kept
    }

    /// The fact of an id.
    #[must_use]
    pub fn get(&self, id: EventId) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.id == id)
    }

    /// Replaces the fact of an id by an earlier sighting of the same thing. True if it did.
    pub fn take_earlier(&mut self, fact: &Fact) -> bool {
        let Some(at) = self.facts.iter().position(|kept| kept.id == fact.id) else {
            return false;
        };
        if self
            .facts
            .get(at)
            .is_none_or(|kept| kept.order() <= fact.order())
        {
            return false;
        }
        self.facts.remove(at);
        self.insert(fact.clone());
        true
    }

    /// Forgets what no window can read any more. True if something went.
    pub fn expire(&mut self, keeps: impl Fn(&Fact) -> bool) -> bool {
        let before = self.facts.len();
        self.facts.retain(keeps);
        if self.facts.is_empty() {
            self.truncated = 0;
        }
        self.facts.len() != before
    }

    /// Time of the newest fact.
    #[must_use]
    pub fn last_time(&self) -> Option<Timestamp> {
        self.facts.last().map(|fact| fact.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::event::{Action, Domain, Event};

    fn fact(id: u8, time: i64) -> Fact {
        let mut event = Event::new(Domain::Idp, Action::AuthLogin, Timestamp(time));
        event.event_id = EventId([id; 16]);
        Fact::of(&event)
    }

    fn ids(window: &Window) -> Vec<u8> {
        window.facts().iter().map(|f| f.id.0[0]).collect()
    }

    #[test]
    fn order_is_by_time_then_id_whatever_the_arrival() {
        let mut window = Window::default();
        for (id, time) in [(3, 30), (1, 10), (4, 10), (2, 20)] {
            assert_eq!(window.insert(fact(id, time)), Inserted::Kept);
        }
        assert_eq!(ids(&window), [1, 4, 2, 3]);
    }

    #[test]
    fn a_duplicate_changes_nothing_even_with_other_content() {
        let mut window = Window::default();
        window.insert(fact(1, 10));
        let before = window.clone();
        assert_eq!(window.insert(fact(1, 99)), Inserted::Duplicate);
        assert_eq!(window, before);
    }

    #[test]
    fn a_full_window_drops_the_oldest_and_says_so() {
        let mut window = Window::default();
        for n in 0..=FACTS_MAX {
            let mut fact = fact(0, i64::try_from(n).unwrap());
            fact.id = EventId(u128::try_from(n).unwrap().to_be_bytes());
            window.insert(fact);
        }
        assert_eq!((window.facts().len(), window.truncated), (FACTS_MAX, 1));
        assert_eq!(window.facts()[0].time, Timestamp(1));
    }

    #[test]
    fn an_earlier_sighting_takes_the_place() {
        let mut window = Window::default();
        window.insert(fact(1, 50));
        window.insert(fact(2, 40));
        assert!(!window.take_earlier(&fact(1, 60)));
        assert!(window.take_earlier(&fact(1, 30)));
        assert_eq!(ids(&window), [1, 2]);
    }
}
