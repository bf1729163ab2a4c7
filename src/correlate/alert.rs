//! The public form of a case: everything its document needs, built from what is known of the entity
//! at the moment of a revision.

mod explain;
mod happening;
mod item;
mod words;

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::{EventId, Tier};
use crate::correlate::case::Revision;
use crate::correlate::exempt::{ControlEntry, InForce, Kind};
use crate::correlate::fact::{Fact, Person};
use crate::correlate::finding::{Cause, Finding};
use crate::correlate::recovery_controls::Controls;
use crate::correlate::rules::Rule;
use crate::correlate::rules::rule::Evidence;
use crate::correlate::score::Family;
use crate::correlate::view::{Seen, Stands, View};
pub use explain::Term;
pub use happening::{EVENTS_MAX, Happening, Lane};
pub use item::{FINDINGS_MAX, Item, Roles, State, Who};
use smol_str::SmolStr;
pub use words::{MESSAGE_CHARS_MAX, spell};

/// Certainty of a person named by an id, a login or a verified address.
const CERTAIN: u8 = 95;
/// Certainty of an account that no directory names: it is one account, of whoever owns it.
const PSEUDO: u8 = 60;
/// Certainty of a person named by a number or private address only.
const WEAK: u8 = 40;

/// What an alert is built from.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// Tenant of the deployment.
    pub tenant: &'a str,
    /// Whole name of the alerts topic.
    pub topic: &'a str,
    /// Address of the web page, without a slash at its end; `None` leaves links out.
    pub page: Option<&'a str>,
    /// The rule table.
    pub rules: &'a [Rule],
    /// Exemptions in force.
    pub in_force: &'a InForce,
    /// Evidence that declared sources deliver.
    pub declared: &'a [Evidence],
    /// The entity of the case.
    pub entity: &'a Entity,
    /// What is known of it.
    pub view: &'a View<'a>,
    /// Evidence of findings that pivots and tickets told.
    pub relayed: &'a [&'a Fact],
    /// The revision.
    pub revision: &'a Revision,
    /// The evidence that caused it came later than its feed may be.
    pub late: bool,
    /// Names of bounds that were reached, in order.
    pub bounds: &'a [&'a str],
}

/// An exemption that touches the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exempt {
    /// Id of the control entry.
    pub id: String,
    /// Kind; `None` where it is no longer in force.
    pub kind: Option<Kind>,
    /// Owner.
    pub owner: Option<String>,
}

/// One published state of a case, ready to be encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Tenant.
    pub tenant: String,
    /// Whole name of the alerts topic.
    pub topic: String,
    /// Link to the alert on the web page.
    pub link: Option<String>,
    /// The entity of the case.
    pub entity: Entity,
    /// What people call it: a masked name or number, a ticket number.
    pub name: Option<SmolStr>,
    /// Its tier.
    pub tier: Tier,
    /// Lowest certainty among the people in the evidence, 0–100.
    pub certainty: u8,
    /// The revision.
    pub revision: Revision,
    /// Findings, those that decide the score first, then most points first; at most
    /// [`FINDINGS_MAX`].
    pub items: Vec<Item>,
    /// The finding with most points.
    pub lead: Option<Item>,
    /// True numbers of active, suppressed and struck findings.
    pub counts: [usize; 3],
    /// What happened, in order of event time; at most [`EVENTS_MAX`].
    pub happenings: Vec<Happening>,
    /// True number of what happened.
    pub happenings_count: usize,
    /// The arithmetic of the score, term by term.
    pub explain: Vec<Term>,
    /// Controls around the last recovery of an active finding.
    pub controls: Option<Controls>,
    /// Controls whose absence is a finding.
    pub missing: Vec<&'static str>,
    /// Families with an active finding, in the order of the arithmetic.
    pub families: Vec<Family>,
    /// Labels, in order.
    pub labels: Vec<String>,
    /// Names of the sources, in order.
    pub sources: Vec<SmolStr>,
    /// Tickets of the case, by the number people see.
    pub tickets: Vec<SmolStr>,
    /// Countries in the evidence.
    pub countries: Vec<SmolStr>,
    /// Exemptions that touch it.
    pub exempt: Vec<Exempt>,
    /// Names of bounds that were reached.
    pub bounds: Vec<String>,
    /// Findings or events are missing from the lists.
    pub truncated: bool,
    /// Title.
    pub title: String,
    /// The patterns in words.
    pub description: String,
    /// One plain sentence that stands alone.
    pub message: String,
    /// What to do now.
    pub advice: &'static str,
    /// Why it pages, or does not.
    pub page_reason: &'static str,
}

impl Alert {
    /// Builds the alert of a revision.
    #[must_use]
    pub fn of(given: &Given<'_>) -> Self {
        let view = with_relayed(given);
        let given = &Given {
            view: &view,
            ..*given
        };
        let case = &given.revision.case;
        let (items, counts) = item::items(given);
        let lead = lead(&items);
        let (happenings, happenings_count) = happening::happenings(given);
        let facts = cited(given, case.findings.iter());
        let controls = recovery_of(&facts)
            .filter(|_| given.entity.kind == EntityKind::Identity)
            .map(|recovery| Controls::of(recovery, given.view, given.declared));
        let listed: usize = counts.iter().sum();
        let truncated =
            listed > items.len() || happenings_count > happenings.len() || case.struck_dropped > 0;
        let families = Family::ALL.into_iter().filter(|family| {
            case.findings
                .iter()
                .any(|f| f.family == *family && f.suppressed.is_none())
        });
        let mut missing: Vec<&'static str> = Vec::new();
        for control in items.iter().filter_map(|item| item.missing) {
            if !missing.contains(&control) {
                missing.push(control);
            }
        }
        let name = name_of(given);
        Self {
            tenant: given.tenant.to_owned(),
            topic: given.topic.to_owned(),
            link: given
                .page
                .map(|page| format!("{page}/#/alerts/{}", case.alert_id)),
            entity: given.entity.clone(),
            tier: case.tier(),
            certainty: certainty(&facts),
            revision: given.revision.clone(),
            explain: explain::explain(given),
            controls,
            missing,
            families: families.collect(),
            labels: labels(given, &facts),
            sources: sorted(happenings.iter().map(|h| h.source.system.clone())),
            tickets: sorted(happenings.iter().filter_map(|h| h.ticket.clone())),
            countries: sorted(facts.iter().filter_map(|fact| fact.country.clone())),
            exempt: exempt(given),
            bounds: given.bounds.iter().map(|b| (*b).to_owned()).collect(),
            truncated,
            title: words::title(given.entity.kind, case.tier()),
            description: words::description(&items),
            message: words::message(given, name.as_deref()),
            advice: words::advice(
                given,
                lead.as_ref().map(|item| item.finding.pattern.as_str()),
            ),
            page_reason: words::page_reason(given),
            name,
            items,
            lead,
            counts,
            happenings,
            happenings_count,
        }
    }
}

/// What is known of the entity, and the evidence that others told.
fn with_relayed<'a>(given: &Given<'a>) -> View<'a> {
    given.view.with_facts(given.relayed.iter().copied())
}

/// The finding that leads: most points, of equal ones the earlier; without an active one the newest
/// struck or suppressed one.
fn lead(items: &[Item]) -> Option<Item> {
    let rank = |item: &&Item| {
        let finding = &item.finding;
        (
            item.state != State::Active,
            std::cmp::Reverse(finding.value_cp),
            finding.time,
            finding.id,
        )
    };
    items.iter().min_by_key(rank).cloned()
}

/// Facts that findings cite, in order.
fn cited<'a>(given: &Given<'a>, findings: impl Iterator<Item = &'a Finding>) -> Vec<&'a Fact> {
    let mut ids: Vec<_> = findings.flat_map(|f| f.evidence.iter().copied()).collect();
    ids.sort_unstable();
    let facts = given.view.seen.iter().map(|seen| seen.fact);
    let mut facts: Vec<&Fact> = facts
        .filter(|fact| ids.binary_search(&fact.id).is_ok())
        .collect();
    facts.dedup_by_key(|fact| fact.id);
    facts
}

/// The seen fact of an event; before the event that opens a call or ticket the call or ticket itself.
fn seen_of<'a>(view: &'a View<'a>, id: EventId) -> Option<&'a Seen<'a>> {
    let own = || view.seen.iter().filter(move |seen| seen.fact.id == id);
    let event = own().find(|seen| seen.stands == Stands::Event);
    let whole = own().find(|seen| seen.stands != Stands::Event);
    match (event, whole) {
        (Some(event), Some(whole)) if event.fact.action != whole.fact.action => Some(event),
        (event, whole) => whole.or(event),
    }
}

fn recovery_of<'a>(facts: &[&'a Fact]) -> Option<&'a Fact> {
    let admin = |fact: &&&Fact| fact.recovery_class().is_some() && fact.admin_performed();
    facts.iter().rfind(admin).copied()
}

fn people(fact: &Fact) -> impl Iterator<Item = &Person> {
    [&fact.target, &fact.requester, &fact.agent, &fact.approver]
        .into_iter()
        .flatten()
}

fn certainty(facts: &[&Fact]) -> u8 {
    let of = |person: &Person| {
        if person.weak {
            WEAK
        } else if person.identity.starts_with("pseudo:") {
            PSEUDO
        } else {
            CERTAIN
        }
    };
    let lowest = facts.iter().flat_map(|fact| people(fact)).map(of).min();
    lowest.unwrap_or(PSEUDO)
}

/// What people call the entity.
fn name_of(given: &Given<'_>) -> Option<SmolStr> {
    let id = given.entity.id.as_str();
    let facts = given.view.seen.iter().rev().map(|seen| seen.fact);
    match given.entity.kind {
        EntityKind::Identity | EntityKind::Agent => facts
            .flat_map(people)
            .filter(|person| person.identity == id)
            .find_map(|person| person.masked.clone()),
        EntityKind::Caller => facts
            .filter(|fact| fact.caller.as_deref() == Some(id))
            .find_map(|fact| fact.caller_masked.clone()),
        EntityKind::Address => facts
            .filter(|fact| fact.ip.as_deref() == Some(id))
            .find_map(|fact| fact.ip_masked.clone()),
        EntityKind::Ticket => facts
            .filter_map(|fact| fact.ticket.as_ref())
            .filter(|ticket| ticket.key == id)
            .find_map(|ticket| ticket.number.clone()),
        EntityKind::Contact | EntityKind::Device => None,
    }
}

fn labels(given: &Given<'_>, facts: &[&Fact]) -> Vec<String> {
    let case = &given.revision.case;
    let active = || case.findings.iter().filter(|f| f.suppressed.is_none());
    let mut labels: Vec<String> = Family::ALL
        .into_iter()
        .filter(|family| active().any(|f| f.family == *family))
        .map(|family| format!("family:{}", family.as_str()))
        .collect();
    labels.push(format!("tier:{}", case.tier().as_str()));
    let stale = |fact: &&Fact| people(fact).any(|person| person.stale);
    for (label, holds) in [
        ("late", given.late),
        ("recorded_late", active().any(|f| recorded_late(given, f))),
        ("watermark_forced", active().any(|f| f.forced)),
        ("clock_clamped", facts.iter().any(|fact| fact.clock_clamped)),
        ("degraded", facts.iter().any(stale)),
    ] {
        if holds {
            labels.push(label.to_owned());
        }
    }
    labels
}

/// Whether a verification counts that was recorded after the recovery it is for.
fn recorded_late(given: &Given<'_>, finding: &Finding) -> bool {
    let Some(from) = crate::correlate::finding::counted_from(&finding.evidence, given.view) else {
        return false;
    };
    finding.counters.iter().any(|(_, cause)| match cause {
        Cause::Event(id) => seen_of(given.view, *id).is_some_and(|seen| {
            let proof = seen.fact.verification.as_ref();
            proof.is_some_and(|v| v.mapped_time.is_none()) && seen.fact.time > from.fact.time
        }),
        Cause::Exemption(_) => false,
    })
}

fn exempt(given: &Given<'_>) -> Vec<Exempt> {
    let findings = &given.revision.case.findings;
    let by_counter = findings.iter().flat_map(|f| {
        f.counters.iter().filter_map(|(_, cause)| match cause {
            Cause::Exemption(id) => Some(id.clone()),
            Cause::Event(_) => None,
        })
    });
    let ids = sorted(
        findings
            .iter()
            .filter_map(|f| f.suppressed.clone())
            .chain(by_counter),
    );
    let known = |id: String| {
        let exemption = match given.in_force.get(&id) {
            Some(ControlEntry::Exemption(exemption)) => Some(exemption),
            _ => None,
        };
        Exempt {
            kind: exemption.map(|e| e.kind),
            owner: exemption.map(|e| e.owner.clone()),
            id,
        }
    };
    ids.into_iter().map(known).collect()
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}
