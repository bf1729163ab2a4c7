//! How far the partitions of the sources were read: what a collector vouches for, partition by
//! partition. Silence moves it too: a partition that was read to its end has nothing older to tell.

use crate::collect::block::SourceWatermark;
use crate::collect::event::{Domain, Event};
use crate::collect::time::{TimeQuality, Timestamp};

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

/// The watermarks of the partitions that one collector reads, in the order of topic and number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Watermarks {
    marks: Vec<((String, i32), Mark)>,
}

impl Watermarks {
    fn place(&self, topic: &str, partition: i32) -> Result<usize, usize> {
        self.marks
            .binary_search_by(|((t, n), _)| (t.as_str(), *n).cmp(&(topic, partition)))
    }

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
        match self.place(topic, partition) {
            Ok(place) => {
                if let Some((_, known)) = self.marks.get_mut(place) {
                    *known = mark;
                }
            }
            Err(place) => self
                .marks
                .insert(place, ((topic.to_owned(), partition), mark)),
        }
    }

    /// A partition is somebody else's now.
    pub fn revoke(&mut self, topic: &str, partition: i32) {
        self.marks
            .retain(|((t, n), _)| (t.as_str(), *n) != (topic, partition));
    }

    fn mark(&mut self, topic: &str, partition: i32) -> Option<&mut Mark> {
        let place = self.place(topic, partition).ok()?;
        self.marks.get_mut(place).map(|(_, mark)| mark)
    }

    /// A record of the partition was read.
    pub fn read(&mut self, topic: &str, partition: i32) {
        if let Some(mark) = self.mark(topic, partition) {
            mark.at_end = false;
        }
    }

    /// Events of a record of the partition. A time that was clamped, or that the source did not name,
    /// says nothing of how far the source is.
    pub fn note<'e>(
        &mut self,
        topic: &str,
        partition: i32,
        events: impl Iterator<Item = &'e Event>,
    ) {
        let says = |event: &&Event| {
            !event.clock_clamped && event.time_quality != TimeQuality::RecordFallback
        };
        let latest = events.filter(says).map(|event| event.time).max();
        if let (Some(latest), Some(mark)) = (latest, self.mark(topic, partition)) {
            mark.latest = mark.latest.max(latest);
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
        let changed = |(_, mark): &&((String, i32), Mark)| mark.told != Some(state(mark));
        self.marks.iter().filter(changed).map(vouched).collect()
    }

    /// What [`Self::all`] or [`Self::changed`] said was committed.
    pub fn told(&mut self) {
        for (_, mark) in &mut self.marks {
            mark.told = Some(state(mark));
        }
    }
}

fn state(mark: &Mark) -> (Timestamp, bool) {
    (mark.latest.minus(mark.bound_ms), mark.at_end)
}

fn vouched(((topic, partition), mark): &((String, i32), Mark)) -> SourceWatermark {
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
        Event::new(Domain::Idp, Action::AuthLogin, Timestamp(time))
    }

    fn note(marks: &mut Watermarks, event: &Event) {
        marks.note("t", 0, [event].into_iter());
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
        note(&mut marks, &event(10 * MINUTE_MS));
        note(&mut marks, &event(3 * MINUTE_MS));
        assert_eq!(only(&marks), (Timestamp(9 * MINUTE_MS), false));
        let mut clamped = event(99 * MINUTE_MS);
        clamped.clock_clamped = true;
        note(&mut marks, &clamped);
        let mut unnamed = event(98 * MINUTE_MS);
        unnamed.time_quality = TimeQuality::RecordFallback;
        note(&mut marks, &unnamed);
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
        note(&mut marks, &event(5));
        assert_eq!(marks.changed().len(), 1);
    }
}
