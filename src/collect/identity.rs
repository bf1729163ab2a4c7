//! Which person a name meant at the time of the event, and how sure that is.
//!
//! The directory is asked through [`Directory`]; [`resolve`] applies the rules, [`identify`] stamps
//! an event. Nothing is ever guessed: several candidates stay several candidates.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use crate::collect::directory::{AgentRights, NameUse, Strength};
use crate::collect::event::{Handle, PhoneOwner, Resolution};
use crate::collect::keyed::Key;
use crate::collect::normalise::{NameRules, normalise_handle, without_tag};
use crate::collect::time::Timestamp;
use crate::collect::words::{HandleKind, Lifecycle, ResolutionStatus, Tier};

mod memory;
mod query;
mod stamp;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod traps;

pub use memory::{JoinedBy, KnownAccount, KnownName, KnownPerson, MemoryDirectory};
pub use query::{Answer, Question, kind_named, resolve_query};
pub use stamp::{identify, pseudo_identity, pseudo_of_name, settle_event};

/// What resolution depends on beside the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How names are spelled.
    pub names: NameRules,
    /// Systems whose accounts may name a person, first the one preferred.
    pub roots: Vec<String>,
    /// Key of the deployment, for pseudo-identities and keyed values.
    pub key: Key,
    /// A directory older than this against the event's `ingest_ts` is stale.
    pub stale_after_ms: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            names: NameRules::default(),
            roots: ["hris", "okta", "entra", "servicenow"]
                .map(str::to_owned)
                .to_vec(),
            key: Key::default(),
            stale_after_ms: 48 * crate::collect::time::HOUR_MS,
        }
    }
}

/// One account that bears a name at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'d> {
    /// Identity id of the person.
    pub identity: &'d str,
    /// Account id, `<system>:<native id>`.
    pub account: &'d str,
    /// Place of the person among all, in the order of their ids.
    pub person: usize,
    /// How much the name proves.
    pub strength: Strength,
    /// What the name is to the account.
    pub name_use: NameUse,
    /// The account was joined to its person by its user name.
    pub by_user_name: bool,
    /// Employment of the person at that moment.
    pub lifecycle: Lifecycle,
    /// What the directory says of the account.
    pub facts: AccountFacts,
}

/// What the directory says of a person at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PersonFacts<'d> {
    /// Employee id, if there is one.
    pub employee_id: Option<&'d str>,
    /// Highest tier of their accounts.
    pub tier: Tier,
    /// Employment.
    pub lifecycle: Lifecycle,
    /// Identity id of the manager.
    pub manager: Option<&'d str>,
    /// Identity ids of delegates.
    pub delegates: Vec<&'d str>,
    /// Help-desk staff.
    pub desk: bool,
    /// Somebody reports to them.
    pub manages: bool,
    /// Last change of a phone of record.
    pub phone_at: Option<Timestamp>,
    /// Last change of a private mail of record.
    pub email_at: Option<Timestamp>,
    /// Last change of the manager.
    pub manager_at: Option<Timestamp>,
    /// Rights as an agent.
    pub rights: AgentRights,
}

/// What the directory says of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccountFacts {
    /// Creation.
    pub created: Option<Timestamp>,
    /// Its own tier: a service or emergency account of a person is not the person.
    pub tier: Tier,
}

/// The directory as resolution sees it: every question is about a moment, every answer is borrowed.
pub trait Directory {
    /// Who bears a normalised name at a moment, in the order of persons and accounts. An issuer on one
    /// side alone does not tell apart.
    fn look_up(
        &self,
        kind: HandleKind,
        issuer: Option<&str>,
        value: &str,
        at: Timestamp,
    ) -> Vec<Found<'_>>;
    /// A person by identity id.
    fn person(&self, identity: &str, at: Timestamp) -> Option<PersonFacts<'_>>;
    /// A person by the place that [`Directory::look_up`] told.
    fn person_at(&self, place: usize, at: Timestamp) -> Option<PersonFacts<'_>>;
    /// Whose number of record it is; `None` where no directory source delivers numbers.
    fn phone_owners(&self, number: &str, at: Timestamp) -> Option<Vec<PhoneOwner>>;
    /// True where nobody is known.
    fn is_empty(&self) -> bool;
    /// When its newest export was taken; `None` where that does not matter.
    fn read_at(&self) -> Option<Timestamp>;
}

/// The result of resolving the names of one role.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolved<'d> {
    /// For the event.
    pub resolution: Resolution,
    /// The person and their account that bears the name, where the status is `resolved` or
    /// `conflict`.
    pub found: Option<Found<'d>>,
    /// What decided, in words.
    pub via: Option<&'static str>,
    /// A conflict that a number made.
    pub number_mismatch: bool,
    /// A name mixes scripts.
    pub lookalike: bool,
}

impl<'d> Resolved<'d> {
    /// Identity id of the person.
    #[must_use]
    pub fn identity(&self) -> Option<&'d str> {
        self.found.map(|found| found.identity)
    }
}

/// The accounts that one name of a role leads to.
struct Lead<'d> {
    kind: HandleKind,
    found: Vec<Found<'d>>,
    strength: Strength,
    by_tag: bool,
}

impl<'d> Lead<'d> {
    /// The persons by place and id, each once.
    fn persons(&self) -> impl Iterator<Item = (usize, &'d str)> {
        let mut last = None;
        self.found
            .iter()
            .map(|f| (f.person, f.identity))
            .filter(move |(place, _)| last.replace(*place) != Some(*place))
    }

    /// The person, if it is one alone.
    fn single(&self) -> Option<(usize, &'d str)> {
        let mut persons = self.persons();
        persons.next().filter(|_| persons.next().is_none())
    }
}

/// Resolves the names of one role at the time of the event. Handles need not be normalised yet.
#[must_use]
pub fn resolve<'d>(
    handles: &[Handle],
    at: Timestamp,
    directory: &'d impl Directory,
    settings: &Settings,
) -> Resolved<'d> {
    let mut handles = handles.to_vec();
    let lookalike = settle_names(&mut handles, &settings.names);
    let mut result = resolve_names(&handles, at, directory, settings);
    result.lookalike = lookalike;
    result
}

/// Brings handles into their spelling and removes those that name nobody; true where one of them mixes
/// scripts.
fn settle_names(handles: &mut Vec<Handle>, rules: &NameRules) -> bool {
    let mut lookalike = false;
    handles.retain_mut(|handle| {
        let settled = normalise_handle(handle, rules);
        lookalike |= settled == Some(true);
        settled.is_some()
    });
    lookalike
}

/// As [`resolve`], for handles in their spelling.
fn resolve_names<'d>(
    handles: &[Handle],
    at: Timestamp,
    directory: &'d impl Directory,
    settings: &Settings,
) -> Resolved<'d> {
    let mut result = Resolved::default();
    let mut leads: Vec<Lead<'d>> = Vec::with_capacity(handles.len());
    for handle in handles {
        let issuer = handle.issuer.as_deref();
        leads.extend(lead(
            handle.kind,
            issuer,
            &handle.value,
            (at, directory, settings),
        ));
    }
    decide(&leads, &mut result);
    result
}

fn lead<'d>(
    kind: HandleKind,
    issuer: Option<&str>,
    value: &str,
    (at, directory, settings): (Timestamp, &'d impl Directory, &Settings),
) -> Option<Lead<'d>> {
    if matches!(kind, HandleKind::DisplayName | HandleKind::DuoAdminName) {
        return None;
    }
    let mut found = directory.look_up(kind, issuer, value, at);
    let is_mail = matches!(
        kind,
        HandleKind::Email | HandleKind::Login | HandleKind::Upn
    );
    let mut by_tag = false;
    if found.is_empty()
        && is_mail
        && let Some(plain) = without_tag(value, &settings.names)
    {
        found = directory.look_up(kind, issuer, &plain, at);
        by_tag = !found.is_empty();
    }
    // Somebody at work keeps a name before somebody still to come, and they before a leaver.
    let best = found.iter().map(|f| rank(f.lifecycle)).max()?;
    found.retain(|f| rank(f.lifecycle) == best);
    let shared = found.iter().any(|f| f.strength == Strength::S0);
    let strongest = found.iter().map(|f| f.strength).max()?;
    found.retain(|f| kind == HandleKind::Phone || f.strength == strongest);
    let mut lead = Lead {
        kind,
        found,
        strength: strongest,
        by_tag,
    };
    if kind == HandleKind::Phone && (shared || lead.single().is_none()) {
        lead.strength = Strength::S0;
    } else if by_tag {
        lead.strength = strongest.min(Strength::S1);
    }
    Some(lead)
}

const fn rank(lifecycle: Lifecycle) -> u8 {
    match lifecycle {
        Lifecycle::Active | Lifecycle::OnLeave | Lifecycle::Unknown => 2,
        Lifecycle::PreHire => 1,
        Lifecycle::Leaver => 0,
    }
}

fn decide<'d>(leads: &[Lead<'d>], result: &mut Resolved<'d>) {
    if let Some((person, lead)) = undisputed(leads) {
        settle(person, lead, result);
        return;
    }
    let mut undecided: BTreeSet<(usize, &str)> = BTreeSet::new();
    for strength in [Strength::S3, Strength::S2, Strength::S1] {
        let level: Vec<&Lead<'d>> = leads.iter().filter(|l| l.strength == strength).collect();
        let Some((first, others)) = level.split_first() else {
            continue;
        };
        let mut agreed: BTreeSet<(usize, &str)> = first.persons().collect();
        let mut all = agreed.clone();
        for lead in others {
            let persons: BTreeSet<(usize, &str)> = lead.persons().collect();
            agreed = agreed.intersection(&persons).copied().collect();
            all.extend(persons);
        }
        if let (1, Some((person, _))) = (agreed.len(), agreed.first()) {
            let single = level.iter().find(|l| l.single().is_some());
            settle(*person, single.unwrap_or(first), result);
            contradict(*person, leads, result);
            return;
        }
        undecided.extend(all);
        if agreed.is_empty() {
            break; // Two names of one strength name two people.
        }
    }
    let shared = leads.iter().filter(|l| l.strength == Strength::S0);
    if undecided.is_empty() {
        undecided = shared
            .filter(|lead| lead.single().is_none())
            .flat_map(Lead::persons)
            .collect();
    }
    if !undecided.is_empty() {
        result.resolution.status = ResolutionStatus::Ambiguous;
        let ids = undecided.into_iter().map(|(_, id)| id.into());
        result.resolution.candidates = ids.collect();
    }
}

/// The person on whom all names agree, with the strongest of them; the common case, without sets.
fn undisputed<'l, 'd>(leads: &'l [Lead<'d>]) -> Option<(usize, &'l Lead<'d>)> {
    let mut best: Option<(usize, &Lead<'d>)> = None;
    for lead in leads.iter().filter(|l| l.strength > Strength::S0) {
        let (person, _) = lead.single()?;
        match best {
            Some((known, _)) if known != person => return None,
            Some((_, stronger)) if stronger.strength >= lead.strength => {}
            Some(_) | None => best = Some((person, lead)),
        }
    }
    best
}

fn settle<'d>(person: usize, lead: &Lead<'d>, result: &mut Resolved<'d>) {
    let Some(found) = lead.found.iter().find(|f| f.person == person) else {
        return;
    };
    result.resolution.status = ResolutionStatus::Resolved;
    result.resolution.strong = lead.strength >= Strength::S2;
    let system = found.account.split(':').next().unwrap_or_default();
    let kind = lead.kind.as_str();
    result.resolution.via = Some(SmolStr::from_iter([kind, " ", system]));
    result.found = Some(*found);
    result.via = Some(if lead.by_tag {
        "plus tag"
    } else {
        via_words(lead, found)
    });
}

fn via_words(lead: &Lead<'_>, found: &Found<'_>) -> &'static str {
    if found.by_user_name && found.name_use == NameUse::Id {
        return "agent event stream username";
    }
    // The primary use wins where two systems know an address as different things.
    let uses = lead.found.iter().filter(|f| f.person == found.person);
    match uses.map(|f| f.name_use).min().unwrap_or(found.name_use) {
        NameUse::Id => "system id",
        NameUse::EmployeeId => "employee id",
        NameUse::Login => "login",
        NameUse::PrimaryMail => "primary mail",
        NameUse::Alias => "alias",
        NameUse::UserName => "user name",
        NameUse::PersonalMail => "personal mail",
        NameUse::Mobile => "mobile",
        NameUse::DirectLine => "direct line",
        NameUse::SharedLine => "shared line",
        NameUse::Name => "name",
    }
}

/// A weaker name that surely means somebody else makes a conflict; the stronger one is kept.
fn contradict(person: usize, leads: &[Lead<'_>], result: &mut Resolved<'_>) {
    let sure = leads.iter().filter(|lead| lead.strength > Strength::S0);
    let other = sure
        .filter_map(|lead| Some((lead.kind, lead.single()?)))
        .find(|(_, (place, _))| *place != person);
    if let Some((kind, (_, other))) = other {
        result.resolution.status = ResolutionStatus::Conflict;
        result.resolution.candidates = vec![other.into()];
        result.number_mismatch = kind == HandleKind::Phone;
    }
}
