//! What exemptions do to findings: suppress, lower, leave out of a count.

use smol_str::SmolStr;
use std::collections::BTreeSet;

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::EventId;
use crate::collect::glance::{Sighting, SightingKind};
use crate::collect::time::Timestamp;
use crate::correlate::baseline::{Baseline, SETTLED_MS};
use crate::correlate::exempt::control::{Exemption, Kind, Scope};
use crate::correlate::exempt::in_force::InForce;
use crate::correlate::fact::Fact;
use crate::correlate::finding::{Cause, Finding, bound, earned, takes_counters};
use crate::correlate::rules::Rule;
use crate::correlate::rules::rule::Match;
use crate::correlate::score::Counter;
use crate::correlate::view::{Seen, View};

/// Patterns an `incident` suppresses, for recoveries by its agents.
const BY_INCIDENT: [&str; 8] = [
    "HDT-01", "HDT-02", "HDT-03", "HDT-04", "HDT-07", "HDT-11", "HDT-14", "HDT-25",
];
/// Patterns a `batch` suppresses, for the targets on its list.
const BY_BATCH: [&str; 9] = [
    "HDT-01", "HDT-02", "HDT-04", "HDT-07", "HDT-11", "HDT-14", "HDT-21", "HDT-24", "HDT-25",
];
/// Patterns whose count leaves out what a shared number or device, or a delegate, does.
const COUNTED_APART: [&str; 2] = ["HDT-09", "HDT-10"];

impl InForce {
    /// Applies what is in force at the anchor's event time to a finding just made: it is suppressed,
    /// or lowered by counter-evidence, or left as it is.
    pub fn apply(
        &self,
        finding: &mut Finding,
        made: (&Rule, &Match),
        entity: &Entity,
        view: &View<'_>,
    ) {
        let cited: Vec<&Seen<'_>> = view
            .seen
            .iter()
            .filter(|seen| finding.evidence.contains(&seen.fact.id))
            .collect();
        let people = people_of(entity, &cited);
        finding.suppressed = self
            .suppression(finding, &people, &cited)
            .map(str::to_owned);
        if finding.suppressed.is_none() && finding.lowers && takes_counters(entity.kind) {
            self.lower(finding, made, &people, view);
        }
        finding.value();
    }

    /// The exemption under which a finding is worth nothing.
    fn suppression<'a>(
        &'a self,
        finding: &Finding,
        people: &'a [&'a str],
        cited: &'a [&'a Seen<'a>],
    ) -> Option<&'a str> {
        let time = finding.anchor_time;
        let agents: Vec<&'a str> = recoveries(cited)
            .filter_map(|fact| fact.agent.as_ref())
            .map(|agent| agent.identity.as_str())
            .collect();
        let names = people.iter().copied().chain(agents.iter().copied());
        let named = names.flat_map(|name| self.naming(name, time));
        let unnamed = self.unnamed(time);
        let mut hits: Vec<&'a str> = named
            .chain(unnamed)
            .filter(|(_, exemption)| suppresses(exemption, finding, people, cited))
            .map(|(id, _)| id)
            .collect();
        hits.sort_unstable();
        hits.first().copied()
    }

    /// Counter-evidence of a journey or a device refresh, and the bonuses a journey takes away.
    fn lower(
        &self,
        finding: &mut Finding,
        made: (&Rule, &Match),
        people: &[&str],
        view: &View<'_>,
    ) {
        let time = finding.anchor_time;
        let mut expected: Vec<&str> = Vec::new();
        for person in people {
            for (id, exemption) in self.naming(person, time) {
                let Some(in_scope) = expects(exemption, finding, view) else {
                    continue;
                };
                expected.push(id);
                if exemption.kind == Kind::Travel {
                    forgive_network(finding, made, &in_scope, view);
                }
            }
        }
        expected.sort_unstable();
        if let Some(id) = expected.first() {
            let cause = Cause::Exemption((*id).to_owned());
            finding.counters.push((Counter::Expected, cause));
        }
    }

    /// Facts that the count of a pivot leaves out: those of delegates, and, up to its maximum, those
    /// of the people behind a shared number, device or address. What remains decides.
    #[must_use]
    pub fn left_out(&self, entity: &Entity, pattern: &str, view: &View<'_>) -> BTreeSet<EventId> {
        let mut out = BTreeSet::new();
        if !COUNTED_APART.contains(&pattern) {
            return out;
        }
        let mut people: Vec<&str> = Vec::new();
        for seen in &view.seen {
            let Some(person) = seen.fact.target.as_ref().map(|p| p.identity.as_str()) else {
                continue;
            };
            let time = seen.fact.time;
            let mut delegated = self.naming(person, time).filter(|(_, e)| {
                matches!(&e.scope, Scope::Delegation { person: p, delegates }
                    if p == person && by_delegate(seen.fact, delegates))
            });
            if pattern == "HDT-09" && delegated.next().is_some() {
                out.insert(seen.fact.id);
                continue;
            }
            let Some(max) = self.shared_by(entity, time) else {
                continue;
            };
            let at = people.iter().position(|known| *known == person);
            let at = at.unwrap_or_else(|| {
                people.push(person);
                people.len() - 1
            });
            if at < max {
                out.insert(seen.fact.id);
            }
        }
        out
    }

    /// How many people may stand behind a number, device or address.
    fn shared_by(&self, entity: &Entity, time: Timestamp) -> Option<usize> {
        self.naming(&entity.id, time)
            .filter_map(|(_, exemption)| {
                let Scope::Shared {
                    entity: shared,
                    max,
                } = &exemption.scope
                else {
                    return None;
                };
                (shared == entity).then_some(usize::try_from(*max).ok()?)
            })
            .max()
    }
}

/// The people a finding is about.
fn people_of<'a>(entity: &'a Entity, cited: &[&Seen<'a>]) -> Vec<&'a str> {
    if entity.kind == EntityKind::Identity {
        return vec![&entity.id];
    }
    let mut people: Vec<&str> = Vec::new();
    for seen in cited {
        let by_ticket = seen.ticket.and_then(|t| t.target_at(seen.fact.time));
        let named = by_ticket.or(seen.fact.target.as_ref());
        let asked = seen.ticket.and_then(|t| t.requester_at(seen.fact.time));
        let asked = asked.or(seen.fact.requester.as_ref());
        for person in named.into_iter().chain(asked) {
            if !people.contains(&person.identity.as_str()) {
                people.push(&person.identity);
            }
        }
    }
    people
}

/// Recoveries by an admin among the cited facts.
fn recoveries<'a>(cited: &'a [&'a Seen<'a>]) -> impl Iterator<Item = &'a Fact> {
    cited
        .iter()
        .map(|seen| seen.fact)
        .filter(|fact| fact.recovery_class().is_some() && fact.admin_performed())
}

fn suppresses(
    exemption: &Exemption,
    finding: &Finding,
    people: &[&str],
    cited: &[&Seen<'_>],
) -> bool {
    let performed_by = |who: &dyn Fn(&str) -> bool| {
        let mut any = false;
        let all = recoveries(cited).all(|fact| {
            any = true;
            fact.agent
                .as_ref()
                .is_some_and(|agent| who(&agent.identity))
        });
        any && all
    };
    let pattern = finding.pattern.as_str();
    match &exemption.scope {
        Scope::Incident { agents, .. } => {
            BY_INCIDENT.contains(&pattern)
                && performed_by(&|id| agents.iter().any(|agent| agent == id))
        }
        Scope::Batch {
            principal, targets, ..
        } => {
            BY_BATCH.contains(&pattern)
                && performed_by(&|id| id == principal)
                && people.iter().all(|p| targets.iter().any(|t| t == p))
        }
        Scope::Drill { account } => pattern == "HDT-06" && people.contains(&account.as_str()),
        Scope::Policy {
            persons,
            ticket_types,
        } => finding.rule == "HDT-12a" && allowed(persons, ticket_types, cited),
        Scope::Travel { .. }
        | Scope::DeviceRefresh { .. }
        | Scope::Maintenance { .. }
        | Scope::Shared { .. }
        | Scope::Delegation { .. } => false,
    }
}

/// Whether a name is one of a list.
fn lists(list: &[String], name: &str) -> bool {
    list.iter().any(|listed| listed == name)
}

/// Every cited approval was given by a listed person, or on a ticket of a listed type.
fn allowed(persons: &[String], ticket_types: &[String], cited: &[&Seen<'_>]) -> bool {
    let own = |seen: &Seen<'_>| {
        let approver = seen.fact.approver.as_ref();
        approver.is_some_and(|approver| lists(persons, &approver.identity))
    };
    let kind = |seen: &Seen<'_>| {
        let of_fact = seen.fact.ticket.as_ref().and_then(|t| t.kind.as_ref());
        let of_ticket = seen.ticket.and_then(|t| t.item.ticket.as_ref());
        let of_ticket = of_ticket.and_then(|t| t.kind.as_ref());
        [of_fact, of_ticket]
            .into_iter()
            .flatten()
            .any(|kind| lists(ticket_types, kind))
    };
    !cited.is_empty() && cited.iter().all(|seen| own(seen) || kind(seen))
}

/// Whether a journey or a device refresh explains a finding: the cited facts in its scope.
fn expects<'a>(exemption: &Exemption, finding: &Finding, view: &View<'a>) -> Option<Vec<&'a Fact>> {
    let cited = view
        .seen
        .iter()
        .filter(|seen| finding.evidence.contains(&seen.fact.id))
        .map(|seen| seen.fact);
    let Scope::Travel { countries, .. } = &exemption.scope else {
        let refresh = exemption.kind == Kind::DeviceRefresh;
        return refresh.then(|| cited.collect());
    };
    let from = |country: &Option<SmolStr>| country.as_ref().is_some_and(|c| lists(countries, c));
    let there: Vec<&Fact> = cited
        .filter(|fact| from(&fact.country) || from(&fact.caller_country))
        .collect();
    (!there.is_empty()).then_some(there)
}

/// Takes back the bonuses that a network would not have brought had it been usual: on a journey its
/// networks and countries are.
fn forgive_network(finding: &mut Finding, made: (&Rule, &Match), there: &[&Fact], view: &View<'_>) {
    let (rule, found) = made;
    if finding.bonuses.is_empty() {
        return;
    }
    let mut usual: Baseline = view.baseline.clone();
    for fact in there {
        let asn = fact
            .asn
            .map(|asn| Sighting::of(SightingKind::Asn, &asn.to_string()));
        let country = fact.country.as_deref();
        let country = country.map(|country| Sighting::of(SightingKind::Country, country));
        let seen = asn.into_iter().chain(country);
        usual.note(seen, fact.time.minus(SETTLED_MS));
    }
    let at_home = view.with_baseline(&usual);
    let left = earned(rule, &at_home, &bound(rule, found, &at_home));
    if left.iter().sum::<i64>() < finding.bonuses.iter().sum() {
        finding.points = rule.points + left.iter().sum::<i64>();
        finding.bonuses = left;
    }
}

/// Whether a delegate speaks: as the requester, or from a number of record of theirs.
fn by_delegate(fact: &Fact, delegates: &[String]) -> bool {
    let requester = fact.requester.as_ref();
    let owners = fact.of_record.iter().flatten();
    requester.is_some_and(|person| lists(delegates, &person.identity))
        || owners
            .into_iter()
            .any(|owner| lists(delegates, &owner.identity))
}
