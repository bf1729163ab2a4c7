//! Runs: while a threshold stands reached there is one finding, which grows; it anchors on the event
//! that first reached it. `count` and `distinct` share this.

use crate::collect::event::EventId;
use crate::collect::time::DAY_MS;
use crate::correlate::rules::rule::{Match, Rule};
use crate::correlate::rules::terms::Binding;
use crate::correlate::view::{Seen, View};

/// No finding outlives its case: after so long a crossed threshold is a new finding.
const NEW_ANCHOR_MS: i64 = 7 * DAY_MS;

/// A threshold that stands reached at some event.
#[derive(Debug)]
pub struct Reached {
    /// What was counted.
    pub have: usize,
    /// What was needed.
    pub need: usize,
    /// The events counted.
    pub evidence: Vec<EventId>,
}

/// The runs among `events`. `at` says, for an event and all up to it, whether a threshold is reached;
/// an event that finds it not reached ends the run.
pub fn runs<'v, 'a>(
    rule: &Rule,
    view: &View<'a>,
    signal: usize,
    events: &[&'v Seen<'a>],
    at: impl Fn(&'v Seen<'a>, &[&'v Seen<'a>]) -> Option<Reached>,
) -> Vec<Match> {
    let mut runs: Vec<Match> = Vec::new();
    let mut running = false;
    for (index, seen) in events.iter().enumerate() {
        let Some(reached) = at(seen, events.get(..=index).unwrap_or_default()) else {
            running = false;
            continue;
        };
        let young = |run: &&mut Match| seen.fact.time.since(run.anchor_time) <= NEW_ANCHOR_MS;
        let growing = runs.last_mut().filter(|_| running).filter(young);
        running = true;
        if let Some(run) = growing {
            run.threshold = (run.threshold.0.max(reached.have), reached.need);
            let known = run.evidence.clone();
            run.evidence.extend(
                reached
                    .evidence
                    .into_iter()
                    .filter(|id| !known.contains(id)),
            );
            continue;
        }
        let bound = Binding::new(rule.signals.len()).with(signal, seen);
        let threshold = (reached.have, reached.need);
        if let Some(found) = rule.matched(view, seen, &bound, threshold) {
            runs.push(Match {
                evidence: reached.evidence,
                ..found
            });
        }
    }
    runs
}
