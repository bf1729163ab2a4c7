//! A finding as an alert lists it: with its words, the people in it, and what ended it.

use crate::collect::event::EventId;
use crate::correlate::alert::{Given, cited};
use crate::correlate::fact::{Fact, Person};
use crate::correlate::finding::{Cause, Finding};
use crate::correlate::rules::Rule;
use crate::correlate::rules::rule::{Evidence, Operator};
use smol_str::SmolStr;

/// Findings an alert lists.
pub const FINDINGS_MAX: usize = 50;

/// How a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It counts.
    Active,
    /// An exemption sets it aside.
    Suppressed,
    /// Its condition no longer holds.
    Retracted,
}

impl State {
    /// The word in alerts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suppressed => "suppressed",
            Self::Retracted => "retracted",
        }
    }
}

/// Somebody, by id and masked name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    /// Identity id, or the keyed value of a number or address.
    pub uid: SmolStr,
    /// Masked name.
    pub name: Option<SmolStr>,
}

impl Who {
    pub(super) fn of(person: &Person) -> Self {
        Self {
            uid: person.identity.clone(),
            name: person.masked.clone(),
        }
    }
}

/// The people in the evidence of a finding; of several the last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roles {
    /// Whose account.
    pub target: Option<Who>,
    /// Who performed it.
    pub agent: Option<Who>,
    /// Who asked.
    pub requester: Option<Who>,
    /// Who approved.
    pub approver: Option<Who>,
    /// Who spoke.
    pub caller: Option<Who>,
    /// Where it came from.
    pub address: Option<Who>,
    /// Device or factor, and its platform.
    pub device: Option<(SmolStr, Option<SmolStr>)>,
}

/// A finding as an alert lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The finding.
    pub finding: Finding,
    /// How it stands.
    pub state: State,
    /// What ended it or set it aside.
    pub ended_by: Option<Cause>,
    /// Title of its rule; its id where the rule is gone.
    pub title: String,
    /// ATT&CK techniques.
    pub attacks: Vec<String>,
    /// People.
    pub roles: Roles,
    /// Ticket, by the number people see.
    pub ticket: Option<SmolStr>,
    /// Call.
    pub call: Option<SmolStr>,
    /// Channel.
    pub channel: Option<&'static str>,
    /// Code of a stated reason.
    pub reason_code: Option<SmolStr>,
    /// The control whose absence it is.
    pub missing: Option<&'static str>,
}

/// The findings of a revision, bounded, and the true numbers by state. First the one of each pattern
/// that decides the score, then most points first.
pub(super) fn items(given: &Given<'_>) -> (Vec<Item>, [usize; 3]) {
    let case = &given.revision.case;
    let mut all: Vec<(State, Option<Cause>, &Finding)> = Vec::new();
    for finding in &case.findings {
        let state = match &finding.suppressed {
            Some(_) => State::Suppressed,
            None => State::Active,
        };
        let by = finding.suppressed.clone().map(Cause::Exemption);
        all.push((state, by, finding));
    }
    for struck in &case.struck {
        all.push((
            State::Retracted,
            struck.by.map(Cause::Event),
            &struck.finding,
        ));
    }
    let count = |state: State| all.iter().filter(|(s, ..)| *s == state).count();
    let counts = [State::Active, State::Suppressed, State::Retracted].map(count);
    all.sort_by_key(|(state, _, f)| {
        let worth = if *state == State::Active {
            f.value_cp
        } else {
            0
        };
        (*state, std::cmp::Reverse(worth), f.time, f.id)
    });
    let mut patterns: Vec<&str> = Vec::new();
    let mut best = Vec::new();
    let mut rest = Vec::new();
    for row in all {
        if row.0 == State::Active && !patterns.contains(&row.2.pattern.as_str()) {
            patterns.push(&row.2.pattern);
            best.push(row);
        } else {
            rest.push(row);
        }
    }
    let listed = best.into_iter().chain(rest).take(FINDINGS_MAX);
    let items = listed
        .map(|(state, by, f)| item(given, f, state, by))
        .collect();
    (items, counts)
}

fn item(given: &Given<'_>, finding: &Finding, state: State, ended_by: Option<Cause>) -> Item {
    let rule = given.rules.iter().find(|rule| rule.id == finding.rule);
    let facts = cited(given, std::iter::once(finding));
    let last = |of: &dyn Fn(&Fact) -> Option<SmolStr>| facts.iter().rev().find_map(|fact| of(fact));
    Item {
        state,
        ended_by,
        title: rule.map_or_else(|| finding.rule.clone(), |rule| rule.title.clone()),
        attacks: rule.map(|rule| rule.attacks.clone()).unwrap_or_default(),
        roles: roles(&facts),
        ticket: last(&ticket_of),
        call: last(&|fact| fact.contact.as_ref().map(|contact| contact.key.clone())),
        channel: facts
            .iter()
            .rev()
            .find_map(|fact| fact.channel)
            .map(crate::collect::event::Channel::as_str),
        reason_code: last(&|fact| fact.reason_code.clone()),
        missing: rule
            .filter(|_| state == State::Active)
            .and_then(missing_control),
        finding: finding.clone(),
    }
}

/// The number of the ticket of a fact, else its id.
pub(super) fn ticket_of(fact: &Fact) -> Option<SmolStr> {
    let ticket = fact.ticket.as_ref()?;
    Some(ticket.number.clone().unwrap_or_else(|| ticket.key.clone()))
}

fn roles(facts: &[&Fact]) -> Roles {
    let mut roles = Roles::default();
    for fact in facts {
        let set = |to: &mut Option<Who>, from: &Option<Person>| {
            if let Some(person) = from {
                *to = Some(Who::of(person));
            }
        };
        set(&mut roles.target, &fact.target);
        set(&mut roles.agent, &fact.agent);
        set(&mut roles.requester, &fact.requester);
        set(&mut roles.approver, &fact.approver);
        if let Some(uid) = &fact.caller {
            roles.caller = Some(Who {
                uid: uid.clone(),
                name: fact.caller_masked.clone(),
            });
        }
        if let Some(uid) = &fact.ip {
            roles.address = Some(Who {
                uid: uid.clone(),
                name: fact.ip_masked.clone(),
            });
        }
        if let Some(device) = &fact.device
            && let Some(key) = device.keys().next()
        {
            roles.device = Some((key.into(), device.platform.clone()));
        }
    }
    roles
}

/// The control whose absence or breach a rule finds.
fn missing_control(rule: &Rule) -> Option<&'static str> {
    if matches!(rule.operator, Operator::Absence(_)) {
        return rule.evidence.map(|evidence| match evidence {
            Evidence::Ticket => "ticket",
            Evidence::Verify => "verification",
            Evidence::Callback => "call-back to a number of record",
            Evidence::Approval => "second person",
            Evidence::Override => "reason for the override",
            Evidence::Transcript => "recorded call",
        });
    }
    match rule.pattern.as_str() {
        "HDT-03" => Some("call-back to a number of record"),
        "HDT-12" => Some("independent approval"),
        _ => None,
    }
}

/// Whether an event is the anchor of a finding of the case.
pub(super) fn anchors(given: &Given<'_>, id: EventId) -> bool {
    let case = &given.revision.case;
    let struck = case.struck.iter().map(|struck| &struck.finding);
    case.findings.iter().chain(struck).any(|f| f.anchor == id)
}
