//! A compiled rule: already true, immutable, shared by every partition.

use serde::{Deserialize, Serialize};

use crate::collect::entity::EntityKind;
use crate::collect::event::{EventId, Tier};
use crate::collect::time::Timestamp;
use crate::correlate::rules::absence::Absence;
use crate::correlate::rules::count::Count;
use crate::correlate::rules::distinct::Distinct;
use crate::correlate::rules::first_seen::FirstSeen;
use crate::correlate::rules::sequence::Sequence;
use crate::correlate::rules::set::Set;
use crate::correlate::rules::signal::Signal;
use crate::correlate::rules::single::Single;
use crate::correlate::rules::terms::{Binding, Condition};
use crate::correlate::score::Family;
use crate::correlate::view::{Seen, View};

/// Whether a rule is evaluated, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Findings count.
    Enabled,
    /// Findings are recorded apart, without case and score.
    Shadow,
    /// Not evaluated.
    Off,
}

/// The evidence an obligation waits for; a declared source must deliver it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Tickets.
    Ticket,
    /// Verifications.
    Verify,
    /// Call-backs.
    Callback,
    /// Approvals and reviews.
    Approval,
    /// Overrides.
    Override,
    /// Transcripts.
    Transcript,
}

impl Evidence {
    /// Name in rule files and source declarations.
    pub const ALL: [(&'static str, Self); 6] = [
        ("ticket", Self::Ticket),
        ("verify", Self::Verify),
        ("callback", Self::Callback),
        ("approval", Self::Approval),
        ("override", Self::Override),
        ("transcript", Self::Transcript),
    ];
}

/// The seven operators. A pattern is data; an operator is a plain function over what is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operator {
    /// One event.
    Single(Single),
    /// Too many of one kind.
    Count(Count),
    /// Too many different values.
    Distinct(Distinct),
    /// One after the other.
    Sequence(Sequence),
    /// All of them, in any order.
    Set(Set),
    /// Never seen before.
    FirstSeen(FirstSeen),
    /// Something that had to follow did not.
    Absence(Absence),
}

/// How many, in what span; by tier the thresholds may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// At least so many.
    pub gte: usize,
    /// Within so many ms.
    pub within_ms: i64,
    /// For this tier and above.
    pub min_tier: Tier,
}

/// Extra points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bonus {
    /// Whole points.
    pub points: i64,
    /// Some of these must hold.
    pub any: Vec<Condition>,
    /// And none of these.
    pub unless: Vec<Condition>,
}

/// A compiled rule: one branch of a pattern, one operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Id with branch, e.g. `HDT-03a`.
    pub id: String,
    /// Pattern id without branch, e.g. `HDT-03`.
    pub pattern: String,
    /// Title.
    pub title: String,
    /// Version, written into findings, part of no id.
    pub version: u32,
    /// Status.
    pub status: Status,
    /// ATT&CK techniques, as `T1556.006`.
    pub attacks: Vec<String>,
    /// The kinds of entity it is decided on.
    pub entities: Vec<EntityKind>,
    /// Evidence that an obligation waits for.
    pub evidence: Option<Evidence>,
    /// Signals by name, in order of name.
    pub signals: Vec<(String, Signal)>,
    /// The operator.
    pub operator: Operator,
    /// All must hold.
    pub when: Vec<Condition>,
    /// Some must hold, where there are any.
    pub when_any: Vec<Condition>,
    /// None may hold.
    pub unless: Vec<Condition>,
    /// Lowest tier it applies to.
    pub min_tier: Tier,
    /// Whole points.
    pub points: i64,
    /// Family.
    pub family: Family,
    /// Extra points.
    pub bonus: Vec<Bonus>,
    /// Whether counter-evidence lowers it.
    pub counter_evidence: bool,
}

/// One match of a rule: what a finding stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The event it stands on.
    pub anchor: EventId,
    /// Its event time.
    pub anchor_time: Timestamp,
    /// When the condition became true: of an obligation its deadline, else the anchor's time.
    pub time: Timestamp,
    /// Event ids of the evidence, in order of event time.
    pub evidence: Vec<EventId>,
    /// Whole points with bonuses.
    pub points: i64,
    /// Tier of the anchor.
    pub tier: Tier,
    /// What was counted, and how many were needed.
    pub threshold: (usize, usize),
    /// The deadline by which evidence must come; `None` for what speaks at once.
    pub deadline: Option<Timestamp>,
}

impl Rule {
    /// Every match of the rule in what is seen, in order of their anchors. Of an obligation these are
    /// the anchors whose control is missing so far.
    #[must_use]
    pub fn matches(&self, view: &View<'_>) -> Vec<Match> {
        match &self.operator {
            Operator::Single(operator) => operator.matches(self, view),
            Operator::Count(operator) => operator.matches(self, view),
            Operator::Distinct(operator) => operator.matches(self, view),
            Operator::Sequence(operator) => operator.matches(self, view),
            Operator::Set(operator) => operator.matches(self, view),
            Operator::FirstSeen(operator) => operator.matches(self, view),
            Operator::Absence(operator) => operator.matches(self, view),
        }
    }

    /// A signal by index.
    #[must_use]
    pub fn signal(&self, index: usize) -> Option<&Signal> {
        self.signals.get(index).map(|(_, signal)| signal)
    }

    /// The seen facts that are a signal, in order, and about this entity where it is a person.
    pub fn candidates<'s, 'v, 'a>(
        &'s self,
        view: &'v View<'a>,
        index: usize,
    ) -> impl Iterator<Item = &'v Seen<'a>> + use<'s, 'v, 'a> {
        let signal = self.signal(index);
        view.seen.iter().filter(move |seen| {
            signal.is_some_and(|signal| signal.matches(seen)) && (!view.person || view.about(seen))
        })
    }

    /// Whether every condition of the rule holds for what is bound.
    #[must_use]
    pub fn holds(&self, view: &View<'_>, bound: &Binding<'_, '_>) -> bool {
        let hold = |condition: &Condition| condition.holds(view, bound);
        self.when.iter().all(hold)
            && (self.when_any.is_empty() || self.when_any.iter().any(hold))
            && !self.unless.iter().any(hold)
    }

    /// Whether the conditions that look at bound steps only still allow a match: to prune a search.
    #[must_use]
    pub fn may_hold(&self, view: &View<'_>, bound: &Binding<'_, '_>) -> bool {
        self.when.iter().all(|condition| {
            let complete = condition
                .steps()
                .into_iter()
                .all(|step| bound.get(step).is_some());
            !complete || condition.holds(view, bound)
        })
    }

    /// The match that stands on `anchor`, if its tier is one the rule applies to.
    #[must_use]
    pub fn matched(
        &self,
        view: &View<'_>,
        anchor: &Seen<'_>,
        bound: &Binding<'_, '_>,
        threshold: (usize, usize),
    ) -> Option<Match> {
        let tier = view.tier(anchor.fact);
        if tier < self.min_tier {
            return None;
        }
        let bonus: i64 = self
            .bonus
            .iter()
            .filter(|bonus| {
                bonus
                    .any
                    .iter()
                    .any(|condition| condition.holds(view, bound))
                    && !bonus
                        .unless
                        .iter()
                        .any(|condition| condition.holds(view, bound))
            })
            .map(|bonus| bonus.points)
            .sum();
        let mut evidence: Vec<EventId> = Vec::new();
        for seen in bound.facts() {
            if !evidence.contains(&seen.fact.id) {
                evidence.push(seen.fact.id);
            }
        }
        Some(Match {
            anchor: anchor.fact.id,
            anchor_time: anchor.fact.time,
            time: anchor.fact.time,
            evidence,
            points: self.points + bonus,
            tier,
            threshold,
            deadline: None,
        })
    }
}

/// The threshold of a tier: of those that apply the ones of the highest tier.
pub fn thresholds_of(all: &[Threshold], tier: Tier) -> impl Iterator<Item = &Threshold> {
    all.iter()
        .filter(move |threshold| threshold.min_tier <= tier)
}
