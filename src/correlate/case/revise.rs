//! The next revision of a case: when there is one, and what it says.

use crate::collect::entity::Entity;
use crate::collect::event::{EventId, Tier};
use crate::collect::time::Timestamp;
use crate::correlate::case::{Case, Cases, Closing, Judgement, STRUCK_MAX, Struck, Verdict};
use crate::correlate::exempt::{Disposition, InForce, Subject};
use crate::correlate::finding::Finding;

/// What the rules say of an entity now.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The entity.
    pub entity: &'a Entity,
    /// Findings that hold, suppressed ones among them, in order.
    pub findings: &'a [Finding],
    /// All of them rest on weakly resolved identities.
    pub only_weak: bool,
    /// The evidence just applied, with its event time, where one event can be named.
    pub cause: Option<(EventId, Timestamp)>,
    /// Facts before this moment may be forgotten: findings on older anchors stay as they were, and
    /// no new one is made.
    pub horizon: Timestamp,
    /// Silences in force.
    pub in_force: &'a InForce,
}

/// How a case ends by something else than its findings.
#[derive(Debug, Clone, Copy)]
pub struct End<'a> {
    /// The entity.
    pub entity: &'a Entity,
    /// Silences in force.
    pub in_force: &'a InForce,
    /// Event time of the end: the moment that [`Cases::due`] told, or that of the control entry.
    pub time: Timestamp,
}

/// What a revision does to the alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Revision 1.
    Create,
    /// A later one.
    Update,
    /// The last one, until a retracted case is open again.
    Close,
}

/// One published state of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The case as it stands now.
    pub case: Case,
    /// Created, updated or closed.
    pub activity: Activity,
    /// Verdict of the last revision that was not under a silence.
    pub before: Option<Verdict>,
    /// What it adds up to.
    pub judgement: Judgement,
    /// The analyst's verdict that closed it.
    pub disposition: Option<Disposition>,
    /// The identity that a link named.
    pub linked: Option<String>,
}

impl Cases {
    /// Takes in what the rules say now. A revision comes of it if the set of active findings, the
    /// points of one, the severity or the page changed; growth without points publishes nothing.
    pub fn revise(&mut self, now: &Judged<'_>) -> Option<Revision> {
        let live = self.live(now);
        let before = match self.open.take() {
            Some(case) => Some(case),
            None if live.is_empty() => return None,
            None => self.reopened(&live),
        };
        let mut case = match before {
            Some(case) => case,
            None => Case::opened(&live, self.last)?,
        };
        let news = case.take_in(&live, now);
        let judgement = Judgement::of(now.entity.kind, &case.findings, now.only_weak);
        let changed = news.is_some() || case.verdict != judgement.verdict || case.revision == 0;
        if !changed {
            self.open = Some(case);
            return None;
        }
        case.time = news.map_or(case.time, |time| case.time.max(time));
        let retracted = case.findings.is_empty();
        case.closed = retracted.then_some(Closing::Retracted);
        let before = case.said;
        case.verdict = judgement.verdict;
        case.only_weak = now.only_weak;
        case.publish(now.entity, now.in_force);
        if case.revision == 1 {
            case.created = case.time;
        }
        let revision = Revision {
            activity: match (retracted, case.revision) {
                (true, _) => Activity::Close,
                (false, 1) => Activity::Create,
                (false, _) => Activity::Update,
            },
            case: case.clone(),
            before,
            judgement,
            disposition: None,
            linked: None,
        };
        if retracted {
            self.last = Some(case.alert_id);
            self.set_aside(case);
        } else {
            self.open = Some(case);
        }
        Some(revision)
    }

    /// Closes the open case for good. Its anchors open no other.
    pub fn close(&mut self, reason: Closing, end: &End<'_>) -> Option<Revision> {
        let mut case = self.open.take()?;
        case.closed = Some(reason);
        case.time = case.time.max(end.time);
        let before = case.said;
        case.publish(end.entity, end.in_force);
        self.finish(&case);
        self.last = Some(case.alert_id);
        Some(Revision {
            activity: Activity::Close,
            judgement: Judgement::of(end.entity.kind, &case.findings, case.only_weak),
            case,
            before,
            disposition: None,
            linked: None,
        })
    }

    /// Closes the open case by an analyst's verdict, if that was given on its newest revision. One for
    /// another revision or case changes nothing.
    pub fn dispose(&mut self, disposition: &Disposition, end: &End<'_>) -> Option<Revision> {
        let case = self.open.as_ref()?;
        let newest = case.alert_id == disposition.alert && case.revision == disposition.revision;
        newest.then_some(())?;
        let mut revision = self.close(Closing::Disposition, end)?;
        revision.disposition = Some(disposition.clone());
        Some(revision)
    }

    /// Closes the open case of a pseudo-identity or old id that the directory now names.
    pub fn link(&mut self, identity: &str, end: &End<'_>) -> Option<Revision> {
        let mut revision = self.close(Closing::Linked, end)?;
        revision.linked = Some(identity.to_owned());
        Some(revision)
    }

    /// The findings that may stand in a case: those on anchors of a closed one are left out, and
    /// those on anchors that are not judged any more stay as they were.
    fn live(&self, now: &Judged<'_>) -> Vec<Finding> {
        let held = self.open.as_ref().map_or(&[][..], |case| &case.findings);
        let judged = now
            .findings
            .iter()
            .filter(|f| f.anchor_time >= now.horizon && self.admits(f.anchor))
            .cloned();
        let mut live: Vec<Finding> = judged.collect();
        live.extend(held.iter().filter(|f| f.anchor_time < now.horizon).cloned());
        live.sort_by_key(|f| (f.time, f.id));
        live
    }

    /// The newest retracted case one of whose findings holds again.
    fn reopened(&mut self, live: &[Finding]) -> Option<Case> {
        let again = |case: &Case| {
            let struck = |f: &Finding| case.struck.iter().any(|struck| struck.finding.id == f.id);
            live.iter().any(struck)
        };
        let at = self.retracted.iter().rposition(again)?;
        let mut case = self.retracted.remove(at);
        case.closed = None;
        Some(case)
    }
}

impl Case {
    /// A new case, not yet published, opened by the earliest of its findings.
    fn opened(findings: &[Finding], previous: Option<EventId>) -> Option<Self> {
        let opener = findings.iter().min_by_key(|f| (f.time, f.id))?;
        Some(Self {
            alert_id: opener.id,
            revision: 0,
            closed: None,
            findings: Vec::new(),
            struck: Vec::new(),
            struck_dropped: 0,
            verdict: Verdict::default(),
            said: None,
            peak: None,
            silenced: false,
            only_weak: false,
            created: opener.time,
            time: opener.time,
            first: opener.span.0,
            last: opener.span.1,
            previous,
        })
    }

    /// Replaces the findings. The event time of what changed, if anything is worth a revision.
    fn take_in(&mut self, live: &[Finding], now: &Judged<'_>) -> Option<Timestamp> {
        let worth = |f: &Finding| (f.id, f.value_cp, f.suppressed.is_some());
        let old = std::mem::take(&mut self.findings);
        let known = |f: &Finding| old.iter().any(|other| worth(other) == worth(f));
        let fresh = live.iter().filter(|f| !known(f)).map(|f| f.time).max();
        let holds = |id: EventId| live.iter().any(|f| f.id == id);
        let gone: Vec<&Finding> = old.iter().filter(|f| !holds(f.id)).collect();
        let lowered = live.iter().any(|f| {
            let same = |other: &&Finding| other.id == f.id && worth(other) != worth(f);
            old.iter().any(|other| same(&other))
        });
        let changed = fresh.is_some() || !gone.is_empty();
        let cause = now.cause.filter(|_| lowered || !gone.is_empty());
        let time = fresh.max(cause.map(|(_, time)| time)).unwrap_or(self.time);
        self.struck.retain(|struck| !holds(struck.finding.id));
        for finding in gone {
            if !replaced(finding, live, &old) {
                self.struck.push(Struck {
                    finding: finding.clone(),
                    by: now.cause.map(|(id, _)| id),
                });
            }
        }
        let over = self.struck.len().saturating_sub(STRUCK_MAX);
        self.struck.drain(..over);
        let over = u32::try_from(over).unwrap_or(u32::MAX);
        self.struck_dropped = self.struck_dropped.saturating_add(over);
        self.first = live
            .iter()
            .map(|f| f.span.0)
            .fold(self.first, Timestamp::min);
        self.last = live
            .iter()
            .map(|f| f.span.1)
            .fold(self.last, Timestamp::max);
        self.findings = live.to_vec();
        changed.then_some(time)
    }

    /// Counts a revision. One under a silence is not remembered as said.
    fn publish(&mut self, entity: &Entity, in_force: &InForce) {
        self.revision = self.revision.saturating_add(1);
        let active = self.findings.iter().filter(|f| f.suppressed.is_none());
        let patterns: Vec<&str> = active.map(|f| f.pattern.as_str()).collect();
        let subject = Subject {
            entity,
            patterns: &patterns,
            tier: self.tier(),
            severity: self.verdict.severity,
            time: self.time,
        };
        self.silenced = in_force.silence_of(&subject).is_some();
        if !self.silenced {
            self.said = Some(self.verdict);
            self.peak = Some(self.peak.unwrap_or_default().max(self.verdict));
        }
    }

    /// The highest tier among its findings.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.all().map(|f| f.tier).max().unwrap_or(Tier::Standard)
    }
}

/// Whether a finding that is gone stands on another anchor now: it is replaced, not struck out.
fn replaced(gone: &Finding, live: &[Finding], old: &[Finding]) -> bool {
    live.iter().any(|f| {
        f.pattern == gone.pattern
            && !old.iter().any(|other| other.id == f.id)
            && f.evidence.iter().any(|id| gone.evidence.contains(id))
    })
}
