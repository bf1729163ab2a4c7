//! A finding: one pattern matched at one anchor, for one entity.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::{EventId, Tier};
use crate::collect::time::{MINUTE_MS, Timestamp};
use crate::correlate::relay::PivotFinding;
use crate::correlate::rules::Rule;
use crate::correlate::rules::rule::Match;
use crate::correlate::rules::terms::{Binding, Condition};
use crate::correlate::score::{Counter, Family, after_counter_cp, finding_cp};
use crate::correlate::view::{Edge, Seen, View};

/// What lowered, set aside or ended a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Cause {
    /// Evidence.
    Event(EventId),
    /// A declared exception, by its id.
    Exemption(String),
}

/// One pattern matched at one anchor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Derived id: the same for any partitioning, batch size or restart.
    pub id: EventId,
    /// Pattern id without branch.
    pub pattern: String,
    /// Rule id with branch.
    pub rule: String,
    /// Version of the rule.
    pub version: u32,
    /// Family.
    pub family: Family,
    /// The event it stands on.
    pub anchor: EventId,
    /// Event time of the anchor.
    pub anchor_time: Timestamp,
    /// When its condition became true.
    pub time: Timestamp,
    /// Evidence, in order of event time.
    pub evidence: Vec<EventId>,
    /// Event time of the first and the last evidence.
    pub span: (Timestamp, Timestamp),
    /// Tier of the anchor.
    pub tier: Tier,
    /// Whole points with bonuses.
    pub points: i64,
    /// The bonuses among them, in the order of the rule.
    pub bonuses: Vec<i64>,
    /// Whether counter-evidence lowers its pattern.
    pub lowers: bool,
    /// Counter-evidence, each kind once, with what proves it.
    pub counters: Vec<(Counter, Cause)>,
    /// Verification and call-back were proved by one call.
    pub one_call: bool,
    /// Worth after multiplier and counter-evidence, in hundredths of a point.
    pub value_cp: i64,
    /// What was counted, and how many were needed.
    pub threshold: (usize, usize),
    /// Id of the exemption under which it is shown but worth nothing.
    pub suppressed: Option<String>,
    /// Its obligation was decided at the longest wait, without the watermark.
    pub forced: bool,
    /// The entity whose finding it is, where a relay brought it.
    pub relayed_from: Option<Entity>,
}

/// The id of a finding: first 128 bits of SHA-256 over length-prefixed (tenant, pattern, entity kind,
/// entity id, anchor). No clock, offset, host, version or random number enters it.
#[must_use]
pub fn finding_id(tenant: &str, pattern: &str, entity: &Entity, anchor: EventId) -> EventId {
    let mut hash = Sha256::new();
    let parts: [&[u8]; 5] = [
        tenant.as_bytes(),
        pattern.as_bytes(),
        entity.kind.as_str().as_bytes(),
        entity.id.as_bytes(),
        &anchor.0,
    ];
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    EventId(id)
}

impl Finding {
    /// The finding of a match, with the counter-evidence that stands against it.
    #[must_use]
    pub fn of(tenant: &str, rule: &Rule, found: &Match, entity: &Entity, view: &View<'_>) -> Self {
        let mut finding = Self {
            id: finding_id(tenant, &rule.pattern, entity, found.anchor),
            pattern: rule.pattern.clone(),
            rule: rule.id.clone(),
            version: rule.version,
            family: rule.family,
            anchor: found.anchor,
            anchor_time: found.anchor_time,
            time: found.time,
            evidence: found.evidence.clone(),
            span: span_of(found, view),
            tier: found.tier,
            points: found.points,
            bonuses: bonuses_of(rule, found, view),
            lowers: rule.counter_evidence,
            counters: Vec::new(),
            one_call: false,
            value_cp: 0,
            threshold: found.threshold,
            suppressed: None,
            forced: false,
            relayed_from: None,
        };
        finding.counter(entity.kind, view);
        finding.value();
        finding
    }

    /// The finding of a pivot or ticket, told by `from`, in the case of a person: an id of its own, the
    /// person's own tier and counter-evidence.
    #[must_use]
    pub fn of_pivot(
        tenant: &str,
        entity: &Entity,
        from: &Entity,
        pivot: &PivotFinding,
        view: &View<'_>,
    ) -> Self {
        let told = &pivot.finding;
        let mut finding = Self {
            id: finding_id(tenant, &told.pattern, entity, told.anchor),
            tier: pivot.tier,
            counters: Vec::new(),
            one_call: false,
            relayed_from: Some(from.clone()),
            ..told.clone()
        };
        finding.counter(entity.kind, view);
        finding.value();
        finding
    }

    /// Looks up the counter-evidence. Findings in the cases of people and tickets take it; those on
    /// pivots do not.
    fn counter(&mut self, kind: EntityKind, view: &View<'_>) {
        if !self.lowers || !takes_counters(kind) {
            return;
        }
        let counters = counters_of(&self.evidence, view);
        self.one_call = proved_by_one_call(&counters);
        self.counters = counters
            .iter()
            .map(|(kind, seen)| (*kind, Cause::Event(seen.fact.id)))
            .collect();
    }

    /// Works out what it is worth. To be called after every change of points, counter-evidence or
    /// suppression.
    pub fn value(&mut self) {
        let kinds: Vec<Counter> = self.counters.iter().map(|(kind, _)| *kind).collect();
        let gross = finding_cp(self.points, self.tier);
        self.value_cp = if self.suppressed.is_some() {
            0
        } else {
            after_counter_cp(gross, &kinds, self.one_call)
        };
    }

    /// Whether an event is evidence of it, or counter-evidence.
    #[must_use]
    pub fn cites(&self, id: EventId) -> bool {
        let counters = || self.counters.iter().any(|(_, by)| *by == Cause::Event(id));
        self.evidence.contains(&id) || counters()
    }

    /// Points of the rule itself, without bonuses.
    #[must_use]
    pub fn base_points(&self) -> i64 {
        self.points - self.bonuses.iter().sum::<i64>()
    }
}

/// Whether findings in the cases of this kind of entity are lowered by counter-evidence.
#[must_use]
pub const fn takes_counters(kind: EntityKind) -> bool {
    matches!(kind, EntityKind::Identity | EntityKind::Ticket)
}

/// Event times of the first and last evidence.
fn span_of(found: &Match, view: &View<'_>) -> (Timestamp, Timestamp) {
    let cited = view
        .seen
        .iter()
        .filter(|seen| found.evidence.contains(&seen.fact.id));
    cited.fold(
        (found.anchor_time, found.anchor_time),
        |(first, last), seen| (first.min(seen.fact.time), last.max(seen.fact.time)),
    )
}

/// The facts of a match bound to the signals of its rule again. Of several that are one signal the
/// latest is bound, as the operators do.
#[must_use]
pub fn bound<'v, 'a>(rule: &Rule, found: &Match, view: &'v View<'a>) -> Binding<'v, 'a> {
    let mut bound = Binding::default();
    for index in 0..rule.signals.len() {
        let cited = rule
            .candidates(view, index)
            .rfind(|seen| found.evidence.contains(&seen.fact.id));
        if let Some(seen) = cited {
            bound = bound.with(index, seen);
        }
    }
    bound
}

/// The bonuses in the points of a match, each by itself; in one sum where the facts do not tell.
fn bonuses_of(rule: &Rule, found: &Match, view: &View<'_>) -> Vec<i64> {
    let extra = found.points - rule.points;
    if extra == 0 {
        return Vec::new();
    }
    let each = earned(rule, view, &bound(rule, found, view));
    if each.iter().sum::<i64>() == extra {
        each
    } else {
        vec![extra]
    }
}

/// Bonuses whose conditions hold for what is bound.
#[must_use]
pub fn earned(rule: &Rule, view: &View<'_>, bound: &Binding<'_, '_>) -> Vec<i64> {
    let surely = |one: &Condition| one.holds(view, bound, Edge::Surely);
    let possibly = |one: &Condition| one.holds(view, bound, Edge::Possibly);
    rule.bonus
        .iter()
        .filter(|bonus| bonus.any.iter().any(surely) && !bonus.unless.iter().any(possibly))
        .map(|bonus| bonus.points)
        .collect()
}

/// What stands against a finding: proofs around its recovery action, or, without one, around its last
/// evidence.
fn counters_of<'v, 'a>(evidence: &[EventId], view: &'v View<'a>) -> Vec<(Counter, &'v Seen<'a>)> {
    let Some(around) = counted_from(evidence, view) else {
        return Vec::new();
    };
    let fact = around.fact;
    [
        (Counter::Verified, view.verified(fact, 3, 60 * MINUTE_MS)),
        (
            Counter::Callback,
            view.called_back(fact, -60 * MINUTE_MS, 15 * MINUTE_MS),
        ),
        (
            Counter::SecondPerson,
            view.second_person(fact, -30 * MINUTE_MS, 60 * MINUTE_MS),
        ),
    ]
    .into_iter()
    .filter_map(|(kind, seen)| seen.map(|seen| (kind, seen)))
    .collect()
}

/// The recovery action of a finding, else its last evidence: counter-evidence is counted from there.
#[must_use]
pub fn counted_from<'v, 'a>(evidence: &[EventId], view: &'v View<'a>) -> Option<&'v Seen<'a>> {
    let cited = |seen: &&Seen<'a>| evidence.contains(&seen.fact.id);
    let recovery = view
        .seen
        .iter()
        .rev()
        .filter(cited)
        .find(|s| s.fact.recovery_class().is_some());
    recovery.or_else(|| view.seen.iter().rev().find(cited))
}

fn proved_by_one_call(counters: &[(Counter, &Seen<'_>)]) -> bool {
    let call = |kind: Counter| {
        counters
            .iter()
            .find(|(counter, _)| *counter == kind)
            .and_then(|(_, seen)| seen.fact.contact.as_ref())
            .map(|contact| contact.key.as_str())
    };
    call(Counter::Verified).is_some() && call(Counter::Verified) == call(Counter::Callback)
}

/// Of branches of one pattern with overlapping evidence, the one with most points stands.
#[must_use]
pub fn standing(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| {
        (&a.pattern, b.points, a.time, &a.rule, a.id)
            .cmp(&(&b.pattern, a.points, b.time, &b.rule, b.id))
    });
    let mut standing: Vec<Finding> = Vec::new();
    for finding in findings {
        let overlaps = standing.iter().any(|other| {
            other.pattern == finding.pattern
                && other.rule != finding.rule
                && other
                    .evidence
                    .iter()
                    .any(|id| finding.evidence.contains(id))
        });
        let same = standing.iter().any(|other| other.id == finding.id);
        if !overlaps && !same {
            standing.push(finding);
        }
    }
    standing.sort_by_key(|finding| (finding.time, finding.id));
    standing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::entity::EntityKind;

    #[test]
    fn an_id_depends_on_each_of_its_parts_and_nothing_else() {
        let entity = Entity::new(EntityKind::Identity, "hris:E1");
        let id = finding_id("acme", "HDT-01", &entity, EventId([1; 16]));
        assert_eq!(id, finding_id("acme", "HDT-01", &entity, EventId([1; 16])));
        let other = Entity::new(EntityKind::Agent, "hris:E1");
        for changed in [
            finding_id("acm", "eHDT-01", &entity, EventId([1; 16])),
            finding_id("acme", "HDT-02", &entity, EventId([1; 16])),
            finding_id("acme", "HDT-01", &other, EventId([1; 16])),
            finding_id("acme", "HDT-01", &entity, EventId([2; 16])),
        ] {
            assert_ne!(id, changed);
        }
    }
}
