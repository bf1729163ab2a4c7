//! The case of one entity: its findings, what they add up to, and when that is worth a new revision.
//!
//! [`Cases`] holds what an entity must remember of its cases. Calling order: [`Cases::revise`] after
//! every evaluation of the rules, [`Cases::due`] when the watermark moves, then [`Cases::close`].

mod judgement;
mod news;
mod revise;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::collect::event::EventId;
use crate::collect::time::{DAY_MS, HOUR_MS, Timestamp};
use crate::correlate::entity_state::LATENESS_MS;
use crate::correlate::finding::Finding;
pub use judgement::{Judgement, Verdict};
pub use news::news;
pub use revise::{Activity, End, Judged, Revision};

/// A case without further evidence for so long, by the watermark, is over: a day, and the longest
/// lateness of a feed, since evidence of that day may still be under way.
pub const QUIET_MS: i64 = 24 * HOUR_MS + LATENESS_MS;
/// No case is longer, from its first evidence on.
pub const AGE_MS_MAX: i64 = 7 * DAY_MS;
/// Struck findings a case lists, the newest: each has been shown in a revision before.
pub const STRUCK_MAX: usize = 32;
/// Anchors of closed cases remembered, the newest. A flood of more would only open a new case.
pub const DONE_MAX: usize = 512;
/// Retracted cases that may be open again; of older ones no anchor opens a case any more.
pub const RETRACTED_MAX: usize = 4;

/// Why a case was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// Nothing new for a day.
    QuietPeriod,
    /// Open for a week.
    MaxAge,
    /// Its last finding was retracted. The only closing that is not final.
    Retracted,
    /// An analyst decided.
    Disposition,
    /// The directory now names the person: further evidence is theirs.
    Linked,
}

impl Closing {
    /// The word in alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QuietPeriod => "quiet_period",
            Self::MaxAge => "max_age",
            Self::Retracted => "retracted",
            Self::Disposition => "disposition",
            Self::Linked => "linked",
        }
    }
}

/// A retracted finding. It stays listed, worth nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Struck {
    /// The finding as it last stood.
    pub finding: Finding,
    /// The event that ended it, where one can be named.
    pub by: Option<EventId>,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Id of the finding that opened it, for life.
    pub alert_id: EventId,
    /// Last published revision, from 1.
    pub revision: u32,
    /// Why it is closed; `None` while it is open.
    pub closed: Option<Closing>,
    /// Findings that hold, in order; suppressed ones among them.
    pub findings: Vec<Finding>,
    /// Findings that no longer hold, in the order in which they ended.
    pub struck: Vec<Struck>,
    /// Struck findings that are not listed any more.
    pub struck_dropped: u32,
    /// Verdict of the last revision.
    pub verdict: Verdict,
    /// Verdict of the last revision that was not under a silence.
    pub said: Option<Verdict>,
    /// Highest such verdict so far.
    pub peak: Option<Verdict>,
    /// The last revision stood under a silence.
    pub silenced: bool,
    /// It rests on weakly resolved identities only.
    pub only_weak: bool,
    /// Event time of revision 1.
    pub created: Timestamp,
    /// Event time of the last revision.
    pub time: Timestamp,
    /// Event time of the first evidence ever cited.
    pub first: Timestamp,
    /// Event time of the last.
    pub last: Timestamp,
    /// Alert id of the case before it, if that is remembered.
    pub previous: Option<EventId>,
}

impl Case {
    /// The moment that the watermark must pass for the case to be over.
    #[must_use]
    pub fn closes_at(&self) -> Timestamp {
        self.over_at().0
    }

    /// Nothing is added to it, unless a retracted finding holds again.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    fn over_at(&self) -> (Timestamp, Closing) {
        let quiet = self.last.plus(QUIET_MS);
        let old = self.first.plus(AGE_MS_MAX);
        if quiet <= old {
            (quiet, Closing::QuietPeriod)
        } else {
            (old, Closing::MaxAge)
        }
    }

    /// Whether a finding, active or struck, or what ended it, cites an event: such facts are kept while
    /// the case is open, so that its last revision can still show them.
    #[must_use]
    pub fn cites(&self, id: EventId) -> bool {
        self.all().any(|finding| finding.cites(id))
            || self.struck.iter().any(|struck| struck.by == Some(id))
    }

    /// Every finding the case ever listed and still remembers.
    fn all(&self) -> impl Iterator<Item = &Finding> {
        let struck = self.struck.iter().map(|struck| &struck.finding);
        self.findings.iter().chain(struck)
    }
}

/// What an entity remembers of its cases.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cases {
    /// The open one.
    pub open: Option<Case>,
    /// Retracted ones, in order: each can be open again under its id.
    pub retracted: Vec<Case>,
    /// Anchors of cases closed for good, with their event times, in the order of closing. Evidence
    /// for them is no alert any more.
    pub done: Vec<(EventId, Timestamp)>,
    /// Alert id of the last closed case.
    pub last: Option<EventId>,
}

impl Cases {
    /// The open case, else the newest retracted one.
    #[must_use]
    pub fn newest(&self) -> Option<&Case> {
        self.open.as_ref().or_else(|| self.retracted.last())
    }

    /// Whether the open case, or a retracted one, cites an event.
    #[must_use]
    pub fn cites(&self, id: EventId) -> bool {
        self.open
            .iter()
            .chain(&self.retracted)
            .any(|case| case.cites(id))
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// When and why the open case is to be closed, if the watermark has passed its end. An open
    /// obligation keeps it open.
    #[must_use]
    pub fn due(&self, watermark: Timestamp, owed: bool) -> Option<(Closing, Timestamp)> {
        let (end, reason) = self.open.as_ref()?.over_at();
        (watermark > end && !owed).then_some((reason, end))
    }

    /// Whether a finding on this anchor can belong to a case: not if the anchor belongs to one that
    /// was closed for good.
    #[must_use]
    pub fn admits(&self, anchor: EventId) -> bool {
        !self.done.iter().any(|(done, _)| *done == anchor)
    }

    /// Forgets anchors that no rule judges any more, those before `horizon`, and cases of which nothing
    /// else is left.
    pub fn forget(&mut self, horizon: Timestamp) {
        self.done.retain(|(_, time)| *time >= horizon);
        self.retracted
            .retain(|case| case.all().any(|f| f.anchor_time >= horizon));
        if self.open.is_none() && self.retracted.is_empty() && self.done.is_empty() {
            self.last = None;
        }
    }

    /// Remembers the anchors of a case that is over for good.
    fn finish(&mut self, case: &Case) {
        for finding in case.all() {
            if self.admits(finding.anchor) {
                self.done.push((finding.anchor, finding.anchor_time));
            }
        }
        let over = self.done.len().saturating_sub(DONE_MAX);
        self.done.drain(..over);
    }

    /// Puts a retracted case aside.
    fn set_aside(&mut self, case: Case) {
        self.retracted.push(case);
        if self.retracted.len() > RETRACTED_MAX {
            let oldest = self.retracted.remove(0);
            self.finish(&oldest);
        }
    }
}
