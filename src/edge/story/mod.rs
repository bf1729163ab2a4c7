//! A story to try the daemon on: a normal day of several hundred people in three systems with three
//! takeovers among it, in raw vendor form. A seed gives the same bytes on every machine.
//!
//! The day is preceded by the sign-ins of a fortnight, since a baseline younger than that knows too
//! little. Benign look-alikes stand beside the takeovers: the day of a new telephone, a traveller who
//! is locked out, an executive who presses and yet is verified. Whoever replays the story gives each
//! record its delivery time as Kafka timestamp.

mod day;
mod desk;
mod directory;
mod script;
mod takeovers;

pub mod connect;
pub mod okta;
pub mod people;
pub mod rng;
pub mod servicenow;
pub mod texts;

#[cfg(test)]
mod tests;

use people::{PEOPLE_MAX, PEOPLE_MIN, Person};
use rng::Rng;
use script::Script;

use crate::collect::setup::Product;
use crate::collect::time::{HOUR_MS, Timestamp};

/// The day of the story where nobody asks for another: 2026-03-02, a Monday, 00:00 UTC.
pub const DAY: Timestamp = Timestamp(1_772_409_600_000);

/// One record of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryRecord {
    /// `okta`, `servicenow` or `amazon_connect`.
    pub source: &'static str,
    /// When the feed delivers it: its Kafka timestamp.
    pub time: Timestamp,
    /// JSON as the vendor writes it.
    pub value: Vec<u8>,
}

/// A takeover that is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Identity id of the person.
    pub identity: String,
    /// Patterns, in order; those of the caller and of the ticket stand in the person's case too.
    pub patterns: Vec<&'static str>,
}

/// The story.
#[derive(Debug, Clone)]
pub struct Story {
    people: Vec<Person>,
    records: Vec<StoryRecord>,
    expected: Vec<Expected>,
    asked_in_vain: Vec<String>,
    day: Timestamp,
}

impl Story {
    /// The story of a seed, on [`DAY`], with so many people (100 to 2,000).
    #[must_use]
    pub fn new(seed: u64, people: usize) -> Self {
        Self::on(seed, people, DAY)
    }

    /// The story of a seed on another day, given by its midnight.
    #[must_use]
    pub fn on(seed: u64, people: usize, day: Timestamp) -> Self {
        let mut rng = Rng::new(seed);
        let people = people::people(&mut rng, people.clamp(PEOPLE_MIN, PEOPLE_MAX));
        let mut script = Script::new(rng, &people);
        let (expected, asked_in_vain) = day::play(&mut script, day);
        let mut records = script.records;
        // Stable: what is delivered in one millisecond keeps its order.
        records.sort_by_key(|record| record.time);
        Self {
            people,
            records,
            expected,
            asked_in_vain,
            day,
        }
    }

    /// The lines of the directory exports, each with the product that it is an export of.
    #[must_use]
    pub fn directory(&self) -> Vec<(Product, Vec<u8>)> {
        directory::lines(&self.people)
    }

    /// Every record, in order of delivery.
    pub fn records(&self) -> impl ExactSizeIterator<Item = StoryRecord> + '_ {
        self.records.iter().cloned()
    }

    /// How many people there are.
    #[must_use]
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// When the day begins that is told; what comes before is history.
    #[must_use]
    pub const fn begins(&self) -> Timestamp {
        self.day.plus(6 * HOUR_MS)
    }

    /// The takeovers, in the order in which they happen.
    #[must_use]
    pub fn expected(&self) -> &[Expected] {
        &self.expected
    }

    /// People for whom the second caller asked before somebody gave in. Nothing happened to their
    /// accounts; the finding on the caller stands in their cases too.
    #[must_use]
    pub fn asked_in_vain(&self) -> &[String] {
        &self.asked_in_vain
    }
}
