//! Runs: while a threshold stands reached there is one finding, which grows; it anchors on the event
//! that first reached it. `count` and `distinct` share this.

use crate::collect::event::EventId;
use crate::collect::time::DAY_MS;
use crate::correlate::rules::rule::{Match, Rule, Threshold};
use crate::correlate::rules::terms::Binding;
use crate::correlate::view::{Seen, View};

/// No finding outlives its case: after so long a crossed threshold is a new finding.
const NEW_ANCHOR_MS: i64 = 7 * DAY_MS;

/// A threshold that stands reached at some event.
#[derive(Debug, Clone, Copy)]
pub struct Reached {
    /// The event itself counts, and is no repetition.
    pub adds: bool,
    /// What was counted.
    pub have: usize,
    /// What was needed, and in what span.
    pub threshold: Threshold,
}

/// The runs of one group of events, which are handed over in order.
#[derive(Debug)]
pub struct Runs<'r, 'v, 'a> {
    rule: &'r Rule,
    view: &'v View<'a>,
    signal: usize,
    matches: Vec<Match>,
    /// The run that stands reached has a match; it is the last one.
    growing: bool,
}

impl<'r, 'v, 'a> Runs<'r, 'v, 'a> {
    /// No event yet.
    #[must_use]
    pub const fn new(rule: &'r Rule, view: &'v View<'a>, signal: usize) -> Self {
        Self {
            rule,
            view,
            signal,
            matches: Vec::new(),
            growing: false,
        }
    }

    /// The next event, and what it finds reached; nothing ends the run. `counted` are the events
    /// that count at it.
    pub fn next(
        &mut self,
        seen: &'v Seen<'a>,
        reached: Option<Reached>,
        counted: impl Iterator<Item = &'v Seen<'a>>,
    ) {
        let Some(reached) = reached else {
            self.growing = false;
            return;
        };
        let need = reached.threshold.gte;
        let run = self.matches.last_mut().filter(|_| self.growing);
        if let Some(run) = run
            && seen.fact.time.since(run.anchor_time) <= NEW_ANCHOR_MS
        {
            run.threshold = (run.threshold.0.max(reached.have), need);
            // Whatever counted before is part of the run already, and each event comes here once.
            if reached.adds {
                run.evidence.push(seen.fact.id);
            }
            if !self.view.person {
                run.tier = run.tier.max(seen.tier());
            }
            return;
        }
        let bound = Binding::of(self.signal, seen);
        let found = self
            .rule
            .matched(self.view, seen, &bound, (reached.have, need));
        self.growing = found.is_some();
        self.matches.extend(found.map(|mut found| {
            let mut evidence: Vec<EventId> = Vec::with_capacity(reached.have);
            for seen in counted {
                evidence.push(seen.fact.id);
                if !self.view.person {
                    found.tier = found.tier.max(seen.tier());
                }
            }
            Match { evidence, ..found }
        }));
    }

    /// What was found.
    #[must_use]
    pub fn matches(self) -> Vec<Match> {
        self.matches
    }
}
