//! A finding: one pattern matched at one anchor, for one entity.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::collect::entity::Entity;
use crate::collect::event::{EventId, Tier};
use crate::collect::time::Timestamp;
use crate::correlate::relay::PivotFinding;
use crate::correlate::rules::Rule;
use crate::correlate::rules::rule::Match;
use crate::correlate::score::{Counter, Family, after_counter_cp, finding_cp};
use crate::correlate::view::{Seen, View};

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
    /// When its condition became true.
    pub time: Timestamp,
    /// Evidence, in order of event time.
    pub evidence: Vec<EventId>,
    /// Tier of the anchor.
    pub tier: Tier,
    /// Whole points with bonuses.
    pub points: i64,
    /// Counter-evidence, each kind once, with the event that proves it.
    pub counters: Vec<(Counter, EventId)>,
    /// Verification and call-back were proved by one call.
    pub one_call: bool,
    /// Worth after multiplier and counter-evidence, in hundredths of a point.
    pub value_cp: i64,
    /// What was counted, and how many were needed.
    pub threshold: (usize, usize),
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
        let counters = if rule.counter_evidence {
            counters_of(found, view)
        } else {
            Vec::new()
        };
        let one_call = proved_by_one_call(&counters);
        let kinds: Vec<Counter> = counters.iter().map(|(kind, _)| *kind).collect();
        let gross = finding_cp(found.points, found.tier);
        Self {
            id: finding_id(tenant, &rule.pattern, entity, found.anchor),
            pattern: rule.pattern.clone(),
            rule: rule.id.clone(),
            version: rule.version,
            family: rule.family,
            anchor: found.anchor,
            time: found.time,
            evidence: found.evidence.clone(),
            tier: found.tier,
            points: found.points,
            value_cp: after_counter_cp(gross, &kinds, one_call),
            counters: counters
                .iter()
                .map(|(kind, seen)| (*kind, seen.fact.id))
                .collect(),
            one_call,
            threshold: found.threshold,
        }
    }
}

impl Finding {
    /// The finding of a pivot or ticket in the case of a person: an id of its own, the person's own
    /// tier and counter-evidence.
    #[must_use]
    pub fn of_pivot(tenant: &str, entity: &Entity, pivot: &PivotFinding) -> Self {
        let told = &pivot.finding;
        let gross = finding_cp(told.points, pivot.tier);
        Self {
            id: finding_id(tenant, &told.pattern, entity, told.anchor),
            tier: pivot.tier,
            value_cp: gross,
            counters: Vec::new(),
            one_call: false,
            ..told.clone()
        }
    }
}

/// What stands against a finding: proofs around its recovery action, or, without one, around its last
/// evidence.
fn counters_of<'v, 'a>(found: &Match, view: &'v View<'a>) -> Vec<(Counter, &'v Seen<'a>)> {
    use crate::collect::time::MINUTE_MS;
    let cited = |seen: &&Seen<'a>| found.evidence.contains(&seen.fact.id);
    let recovery = view
        .seen
        .iter()
        .rev()
        .filter(cited)
        .find(|s| s.fact.recovery_class().is_some());
    let Some(around) = recovery.or_else(|| view.seen.iter().rev().find(cited)) else {
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
