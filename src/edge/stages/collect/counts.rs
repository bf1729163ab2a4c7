//! What a collector counts.

use std::collections::BTreeMap;

use crate::collect::event::Event;
use crate::collect::reject::Reject;
use crate::collect::time::Timestamp;
use crate::collect::words::ResolutionStatus;

/// What happened, for metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events by source.
    pub events: BTreeMap<String, usize>,
    /// Items that mean nothing here, by source and reason.
    pub ignored: BTreeMap<(String, &'static str), usize>,
    /// Unusable items, by source and reason: each is a dead letter.
    pub rejected: BTreeMap<(String, &'static str), usize>,
    /// What was newest of each source.
    pub newest: BTreeMap<String, Newest>,
    /// Targets of events by how they were found, in the order of [`ResolutionStatus::ALL`].
    pub resolved: [usize; 4],
}

/// What was newest of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Newest {
    /// Time of the newest event; `None` before the first.
    pub event: Option<Timestamp>,
    /// Events whose time lay so far ahead of their record that it was clamped.
    pub clamped: usize,
    /// The last reject: its reason and our words.
    pub reject: Option<Reject>,
}

impl Counts {
    /// Adds what happened later.
    pub fn add(&mut self, later: Self) {
        for (source, n) in later.events {
            *self.events.entry(source).or_default() += n;
        }
        for (key, n) in later.ignored {
            *self.ignored.entry(key).or_default() += n;
        }
        for (key, n) in later.rejected {
            *self.rejected.entry(key).or_default() += n;
        }
        for (source, newest) in later.newest {
            self.newest.entry(source).or_default().add(newest);
        }
        for (sum, more) in self.resolved.iter_mut().zip(later.resolved) {
            *sum += more;
        }
    }

    /// Counts the events of one record.
    pub(super) fn note<'e>(&mut self, source: &str, events: impl Iterator<Item = &'e Event>) {
        let mut of_record = Newest::default();
        let mut number_of = 0;
        for event in events {
            number_of += 1;
            of_record.event = of_record.event.max(Some(event.time));
            of_record.clamped += usize::from(event.clock_clamped);
            let target = event.target.as_ref();
            let status = target.map(|target| target.resolution.status as usize);
            if let Some(number) = status.and_then(|status| self.resolved.get_mut(status)) {
                *number += 1;
            }
        }
        match self.newest.get_mut(source) {
            Some(newest) => newest.add(of_record),
            None => drop(self.newest.insert(source.to_owned(), of_record)),
        }
        match self.events.get_mut(source) {
            Some(events) => *events += number_of,
            None => drop(self.events.insert(source.to_owned(), number_of)),
        }
    }

    /// Notes a reject.
    pub(super) fn reject(&mut self, source: &str, reject: &Reject) {
        let key = (source.to_owned(), reject.reason.as_str());
        *self.rejected.entry(key).or_default() += 1;
        let newest = self.newest.entry(source.to_owned()).or_default();
        newest.reject = Some(reject.clone());
    }
}

impl Newest {
    fn add(&mut self, later: Self) {
        self.event = self.event.max(later.event);
        self.clamped += later.clamped;
        if later.reject.is_some() {
            self.reject = later.reject;
        }
    }
}

/// The words of how a target was found, in the order of [`Counts::resolved`].
pub const RESOLUTIONS: [&str; 4] = [
    ResolutionStatus::Resolved.as_str(),
    ResolutionStatus::Ambiguous.as_str(),
    ResolutionStatus::Unresolved.as_str(),
    ResolutionStatus::Conflict.as_str(),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::event::{Action, Domain, Role};
    use crate::collect::reject::RejectReason;

    #[test]
    fn targets_are_counted_under_their_word() {
        for (place, status) in ResolutionStatus::ALL.iter().enumerate() {
            let mut event = Event::new(Domain::Idp, Action::AuthLogin, Timestamp(5));
            let mut target = Role::default();
            target.resolution.status = *status;
            event.target = Some(Box::new(target));
            let mut counts = Counts::default();
            counts.note("okta", [&event].into_iter());
            let counted: Vec<usize> = RESOLUTIONS
                .iter()
                .zip(counts.resolved)
                .map(|(word, number)| usize::from(*word == status.as_str()) * number)
                .collect();
            assert_eq!(counted.iter().sum::<usize>(), 1, "{status:?}");
            assert_eq!(counts.resolved.get(place), Some(&1));
        }
    }

    #[test]
    fn what_is_newest_stays_when_counts_are_added() {
        let mut counts = Counts::default();
        let event = |time| Event::new(Domain::Idp, Action::AuthLogin, Timestamp(time));
        counts.note("okta", [&event(9), &event(5)].into_iter());
        let mut later = Counts::default();
        later.note("okta", [&event(7)].into_iter());
        later.reject("okta", &Reject::new(RejectReason::Schema, "no type"));
        counts.add(later);
        let newest = counts.newest.get("okta").unwrap();
        assert_eq!(newest.event, Some(Timestamp(9)));
        assert_eq!(newest.reject.as_ref().unwrap().detail, "no type");
        assert_eq!(counts.rejected[&("okta".to_owned(), "schema")], 1);
    }
}
