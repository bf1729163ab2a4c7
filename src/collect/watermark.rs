//! How far the partitions of the sources were read: what a collector vouches for, partition by
//! partition. Silence moves it too: a partition that was read to its end has nothing older to tell.

use std::collections::BTreeMap;

use crate::collect::block::SourceWatermark;
use crate::collect::event::{Domain, Event};
use crate::collect::time::Timestamp;

/// What one collector knows of one partition of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    domains: Vec<Domain>,
    bound_ms: i64,
    latest: Timestamp,
    at_end: bool,
    /// What was told last.
    told: Option<(Timestamp, bool)>,
}

/// The watermarks of the partitions that one collector reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Watermarks {
    marks: BTreeMap<(String, i32), Mark>,
}

impl Watermarks {
    /// A partition was assigned. `bound_ms`: how much later than its successors an event of this feed
    /// may arrive.
    pub fn assign(&mut self, topic: &str, partition: i32, domains: &[Domain], bound_ms: i64) {
        let mark = Mark {
            domains: domains.to_vec(),
            bound_ms,
            latest: Timestamp::MIN,
            at_end: false,
            told: None,
        };
        self.marks.insert((topic.to_owned(), partition), mark);
    }

    /// A partition is somebody else's now.
    pub fn revoke(&mut self, topic: &str, partition: i32) {
        self.marks.remove(&(topic.to_owned(), partition));
    }

    fn mark(&mut self, topic: &str, partition: i32) -> Option<&mut Mark> {
        self.marks.get_mut(&(topic.to_owned(), partition))
    }

    /// A record of the partition was read.
    pub fn read(&mut self, topic: &str, partition: i32) {
        if let Some(mark) = self.mark(topic, partition) {
            mark.at_end = false;
        }
    }

    /// An event of the partition. A time that was clamped, or that the source did not name, says
    /// nothing of how far the source is.
    pub fn note(&mut self, event: &Event) {
        use crate::collect::time::TimeQuality;
        let says_nothing = event.clock_clamped || event.time_quality == TimeQuality::RecordFallback;
        let source = &event.source;
        if let Some(mark) = self.mark(&source.topic, source.partition)
            && !says_nothing
        {
            mark.latest = mark.latest.max(event.time);
        }
    }

    /// The partition was read to its end.
    pub fn end(&mut self, topic: &str, partition: i32) {
        if let Some(mark) = self.mark(topic, partition) {
            mark.at_end = true;
        }
    }

    /// All marks: what is sent to every partition once a second. Call [`Self::told`] once it is
    /// committed.
    #[must_use]
    pub fn all(&self) -> Vec<SourceWatermark> {
        self.marks.iter().map(vouched).collect()
    }

    /// The marks that changed since they were told last.
    #[must_use]
    pub fn changed(&self) -> Vec<SourceWatermark> {
        let changed = |(_, mark): &(&(String, i32), &Mark)| mark.told != Some(state(mark));
        self.marks.iter().filter(changed).map(vouched).collect()
    }

    /// What [`Self::all`] or [`Self::changed`] said was committed.
    pub fn told(&mut self) {
        for mark in self.marks.values_mut() {
            mark.told = Some(state(mark));
        }
    }
}

fn state(mark: &Mark) -> (Timestamp, bool) {
    (mark.latest.minus(mark.bound_ms), mark.at_end)
}

fn vouched(((topic, partition), mark): (&(String, i32), &Mark)) -> SourceWatermark {
    let (watermark, at_end) = state(mark);
    SourceWatermark {
        topic: topic.clone(),
        partition: *partition,
        domains: mark.domains.clone(),
        watermark,
        at_end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::event::Action;
    use crate::collect::time::{MINUTE_MS, TimeQuality};

    fn event(time: i64) -> Event {
        let mut event = Event::new(Domain::Idp, Action::AuthLogin, Timestamp(time));
        event.source.topic = "t".into();
        event
    }

    fn only(marks: &Watermarks) -> (Timestamp, bool) {
        let all = marks.all();
        assert_eq!(all.len(), 1);
        (all[0].watermark, all[0].at_end)
    }

    #[test]
    fn it_stands_a_bound_behind_the_latest_event_and_never_falls() {
        let mut marks = Watermarks::default();
        marks.assign("t", 0, &[Domain::Idp], MINUTE_MS);
        marks.note(&event(10 * MINUTE_MS));
        marks.note(&event(3 * MINUTE_MS));
        assert_eq!(only(&marks), (Timestamp(9 * MINUTE_MS), false));
        let mut clamped = event(99 * MINUTE_MS);
        clamped.clock_clamped = true;
        marks.note(&clamped);
        let mut unnamed = event(98 * MINUTE_MS);
        unnamed.time_quality = TimeQuality::RecordFallback;
        marks.note(&unnamed);
        assert_eq!(only(&marks).0, Timestamp(9 * MINUTE_MS));
    }

    #[test]
    fn the_end_holds_until_the_next_record() {
        let mut marks = Watermarks::default();
        marks.assign("t", 0, &[Domain::Idp], 0);
        marks.end("t", 0);
        assert!(only(&marks).1);
        marks.read("t", 0);
        assert!(!only(&marks).1);
        marks.end("t", 1);
        assert!(!only(&marks).1, "another partition");
        marks.revoke("t", 0);
        assert!(marks.all().is_empty());
    }

    #[test]
    fn what_was_told_is_told_again_only_when_it_changes() {
        let mut marks = Watermarks::default();
        marks.assign("t", 0, &[Domain::Idp], 0);
        assert_eq!(marks.changed().len(), 1);
        marks.told();
        assert!(marks.changed().is_empty());
        marks.note(&event(5));
        assert_eq!(marks.changed().len(), 1);
    }
}
