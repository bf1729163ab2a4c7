//! A compiled rule: already true, immutable, shared by every partition.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::collect::entity::EntityKind;
use crate::collect::event::{EventId, Tier};
use crate::collect::time::Timestamp;
use crate::correlate::rules::absence::Absence;
use crate::correlate::rules::count::Count;
use crate::correlate::rules::distinct::Distinct;
use crate::correlate::rules::first_seen::FirstSeen;
use crate::correlate::rules::origin::Origin;
use crate::correlate::rules::sequence::Sequence;
use crate::correlate::rules::set::Set;
use crate::correlate::rules::signal::Signal;
use crate::correlate::rules::single::Single;
use crate::correlate::rules::terms::{Binding, Condition, Needs};
use crate::correlate::score::Family;
use crate::correlate::view::{Edge, Seen, View};

/// Whether a rule is evaluated, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
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

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Verify => "verify",
            Self::Callback => "callback",
            Self::Approval => "approval",
            Self::Override => "override",
            Self::Transcript => "transcript",
        }
    }
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
    /// One paragraph that an analyst understands.
    pub description: String,
    /// Cases that must stay quiet.
    pub falsepositives: Vec<String>,
    /// Version, written into findings, part of no id.
    pub version: u32,
    /// Status.
    pub status: Status,
    /// ATT&CK techniques, as `T1556.006`.
    pub attacks: Vec<String>,
    /// The kinds of entity it is decided on. Of one that names tickets and persons, an event of a
    /// ticket is judged on the ticket, an event without one on the person.
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
    /// What is missing where an obligation was not met, e.g. `ticket`.
    pub missing_control: Option<String>,
    /// Where it was written, with its own tests.
    pub origin: Arc<Origin>,
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
    /// the anchors whose control is missing so far. Where nothing can match, nothing is allocated.
    #[must_use]
    pub fn matches(&self, view: &View<'_>) -> Vec<Match> {
        if !self.when_any.is_empty() && !self.when_any.iter().any(|one| one.is_possible(view)) {
            return Vec::new();
        }
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

    /// Whether it is evaluated at all, be it in the shadow.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.status != Status::Off
    }

    /// Whether it is decided on entities of a kind.
    #[must_use]
    pub fn is_on(&self, kind: EntityKind) -> bool {
        self.entities.contains(&kind)
    }

    /// A signal by index.
    #[must_use]
    pub fn signal(&self, index: usize) -> Option<&Signal> {
        self.signals.get(index).map(|(_, signal)| signal)
    }

    /// Whether anything seen may be a signal: a look at two sets of bits.
    #[must_use]
    pub fn may_see(&self, view: &View<'_>, index: usize) -> bool {
        self.signal(index)
            .is_some_and(|signal| view.may_hold(signal))
    }

    /// The seen facts that are a signal, in order, and about this entity where it is a person.
    pub fn candidates<'s, 'v, 'a>(
        &'s self,
        view: &'v View<'a>,
        index: usize,
    ) -> impl DoubleEndedIterator<Item = &'v Seen<'a>> + use<'s, 'v, 'a> {
        let signal = self.signal(index).filter(|signal| view.may_hold(signal));
        let seen = signal.map(|_| view.seen.iter()).unwrap_or_default();
        seen.filter(move |seen| {
            signal.is_some_and(|signal| signal.matches(seen)) && self.is_judged_here(view, seen)
        })
    }

    /// Whether a fact is judged on this entity: it is about the person, and no ticket judges it.
    #[must_use]
    pub fn is_judged_here(&self, view: &View<'_>, seen: &Seen<'_>) -> bool {
        if !view.person {
            return true;
        }
        let on_ticket = seen.fact.ticket.is_some() && self.is_on(EntityKind::Ticket);
        !on_ticket && view.about(seen)
    }

    /// Whether every condition of the rule holds for what is bound.
    #[must_use]
    pub fn holds(&self, view: &View<'_>, bound: &Binding<'_, '_>) -> bool {
        let hold = |condition: &Condition| condition.holds(view, bound, Edge::Surely);
        self.when.iter().all(hold)
            && (self.when_any.is_empty() || self.when_any.iter().any(hold))
            && !self.is_excused(view, bound)
    }

    fn is_excused(&self, view: &View<'_>, bound: &Binding<'_, '_>) -> bool {
        let excuses = |condition: &Condition| condition.holds(view, bound, Edge::Possibly);
        self.unless.iter().any(excuses)
    }

    /// Whether what is bound so far still allows a match, looking at the conditions whose steps are
    /// all bound: to prune a search.
    #[must_use]
    pub fn may_hold(&self, view: &View<'_>, bound: &Binding<'_, '_>) -> bool {
        let complete = |condition: &Condition| match condition.needs() {
            Needs::One(a) => bound.get(a).is_some(),
            Needs::Two(a, b) => bound.get(a).is_some() && bound.get(b).is_some(),
            Needs::All => false,
        };
        self.when
            .iter()
            .all(|when| !complete(when) || when.holds(view, bound, Edge::Surely))
            && !self
                .unless
                .iter()
                .any(|unless| complete(unless) && unless.holds(view, bound, Edge::Possibly))
    }

    /// The match that stands on `anchor`, if its tier is one the rule applies to. On a person the
    /// tier is that of the anchor, elsewhere the highest among the targets in the evidence.
    #[must_use]
    pub fn matched(
        &self,
        view: &View<'_>,
        anchor: &Seen<'_>,
        bound: &Binding<'_, '_>,
        threshold: (usize, usize),
    ) -> Option<Match> {
        let facts = bound.facts();
        let highest = facts.iter().map(|seen| seen.tier()).max();
        let tier = match highest {
            Some(highest) if !view.person => highest.max(anchor.tier()),
            _ => anchor.tier(),
        };
        if tier < self.min_tier {
            return None;
        }
        let earned = |bonus: &&Bonus| {
            let any = bonus.any.iter();
            let mut unless = bonus.unless.iter();
            any.into_iter()
                .any(|one| one.holds(view, bound, Edge::Surely))
                && !unless.any(|one| one.holds(view, bound, Edge::Possibly))
        };
        let bonus: i64 = self
            .bonus
            .iter()
            .filter(earned)
            .map(|bonus| bonus.points)
            .sum();
        let mut evidence: Vec<EventId> = Vec::new();
        for seen in facts {
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

/// What part a condition plays in its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of these must hold.
    When,
    /// Some of these.
    WhenAny,
    /// None of these.
    Unless,
    /// They earn extra points, or forfeit them.
    Bonus,
    /// What must hold of the control of an obligation.
    SuchThat,
    /// What else fulfils an obligation.
    ClearedBy,
}

impl Rule {
    /// Every condition with the part it plays, in the order of [`Origin::conditions`].
    pub fn conditions(&self) -> impl Iterator<Item = (&Condition, Part)> {
        let bonuses = self.bonus.iter();
        let bonuses = bonuses.flat_map(|bonus| bonus.any.iter().chain(&bonus.unless));
        let (such_that, cleared_by): (&[_], &[_]) = match &self.operator {
            Operator::Absence(absence) => (&absence.such_that, &absence.cleared_by),
            Operator::Single(_)
            | Operator::Count(_)
            | Operator::Distinct(_)
            | Operator::Sequence(_)
            | Operator::Set(_)
            | Operator::FirstSeen(_) => (&[], &[]),
        };
        let of = |part: Part| move |condition| (condition, part);
        let own = self.when.iter().map(of(Part::When));
        own.chain(self.when_any.iter().map(of(Part::WhenAny)))
            .chain(self.unless.iter().map(of(Part::Unless)))
            .chain(bonuses.map(of(Part::Bonus)))
            .chain(such_that.iter().map(of(Part::SuchThat)))
            .chain(cleared_by.iter().map(of(Part::ClearedBy)))
    }

    /// The signals that the operator binds, in order.
    #[must_use]
    pub fn steps(&self) -> Vec<usize> {
        match &self.operator {
            Operator::Single(one) => vec![one.signal],
            Operator::FirstSeen(one) => vec![one.signal],
            Operator::Count(count) => vec![count.signal],
            Operator::Distinct(distinct) => vec![distinct.signal],
            Operator::Sequence(sequence) => sequence.steps.clone(),
            Operator::Set(set) => set.signals.clone(),
            Operator::Absence(absence) => vec![absence.after],
        }
    }
}

/// The threshold of a tier: of those that apply the ones of the highest tier.
pub fn thresholds_of(all: &[Threshold], tier: Tier) -> impl Iterator<Item = &Threshold> {
    all.iter()
        .filter(move |threshold| threshold.min_tier <= tier)
}
