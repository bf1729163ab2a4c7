//! Stamping an event with what the directory knows of the people in it, at the time of the event.

use crate::collect::event::{Event, Handle, PhoneOwner, Risk, Role, TargetFacts};
use crate::collect::identity::query::kind_named;
use crate::collect::identity::{
    Directory, PersonFacts, Resolved, Settings, resolve, resolve_names, settle_names,
};
use crate::collect::keyed::keyed;
use crate::collect::normalise::{NameRules, normalise_handle};
use crate::collect::words::{
    AgentKind, Direction, Domain, HandleKind, Lifecycle, ResolutionStatus, Ternary, Tier,
};
use smol_str::{SmolStr, format_smolstr};

/// Resolves every role of an event and stamps what follows. Names are normalised and masked; those
/// that name nobody (a withheld number) are removed.
pub fn identify(event: &mut Event, directory: &impl Directory, settings: &Settings) {
    let read_at = directory.read_at().filter(|read_at| read_at.0 > 0);
    let stale = read_at.is_some_and(|at| event.ingest_ts.since(at) > settings.stale_after_ms);
    let with_pseudo = event.domain == Domain::Idp;
    let at = event.time;
    let mut risks = Vec::new();
    let mut facts: [Option<PersonFacts<'_>>; 5] = Default::default();
    let roles = [
        &mut event.target,
        &mut event.requester,
        &mut event.agent,
        &mut event.approver,
        &mut event.caller,
    ];
    // Who signs in is target and agent: one look-up for both.
    let mut before: Option<(&Role, Option<PersonFacts<'_>>)> = None;
    for (role, facts) in roles.into_iter().zip(&mut facts) {
        let Some(role) = role else { continue };
        let lookalike = settle_names(&mut role.handles, &settings.names);
        if let Some((known, of)) = before.as_ref().filter(|(r, _)| r.handles == role.handles) {
            **role = (*known).clone();
            facts.clone_from(of);
            continue;
        }
        let mut resolved = resolve_names(&role.handles, at, directory, settings);
        resolved.lookalike = lookalike;
        note_risks(&resolved, &mut risks);
        *facts = stamp(role, resolved, at, directory);
        role.resolution.stale = stale;
        if with_pseudo && role.identity.is_none() {
            role.identity = pseudo_of(&role.handles, settings);
        }
        let done: &Role = role;
        before = Some((done, facts.clone()));
    }
    let [target, _, agent, approver, caller] = &facts;
    stamp_target(event, target.as_ref());
    stamp_agent(event, agent.as_ref(), directory, &mut risks);
    stamp_approver(event, approver.as_ref());
    if caller_is_somebody_else(event) {
        risks.push("caller_number_mismatch");
        if caller.as_ref().is_some_and(|caller| caller.desk) {
            risks.push("caller_number_of_staff");
        }
    }
    stamp_phone(event, directory, settings);
    stamp_assignees(event, directory, settings);
    add_risks(event, risks);
}

/// Brings the names of an event into their spelling, masks them, and looks nobody up.
pub fn settle_event(event: &mut Event, names: &NameRules) {
    let roles = [
        &mut event.target,
        &mut event.requester,
        &mut event.agent,
        &mut event.approver,
        &mut event.caller,
    ];
    for role in roles.into_iter().flatten() {
        settle_names(&mut role.handles, names);
    }
    if let Some(phone) = &mut event.phone {
        phone.ani = phone.ani.take().and_then(|h| usable(h, names));
        let number = phone.callback_number.take();
        phone.callback_number = number.and_then(|h| usable(h, names));
    }
}

/// `pseudo:<hex>`: stands for the person of an account that the directory does not know. Made from
/// the strongest handle alone, under the deployment's key; without its issuer, so that a directory
/// record that names it later leads to the same value.
#[must_use]
pub fn pseudo_identity(handles: &[Handle], settings: &Settings) -> Option<SmolStr> {
    let mut handles = handles.to_vec();
    settle_names(&mut handles, &settings.names);
    pseudo_of(&handles, settings)
}

/// As [`pseudo_identity`], for handles in their spelling.
fn pseudo_of(handles: &[Handle], settings: &Settings) -> Option<SmolStr> {
    let strongest = handles
        .iter()
        .filter(|h| trust(h.kind) > 0)
        .min_by_key(|h| (std::cmp::Reverse(trust(h.kind)), h.kind, &h.value))?;
    let hash = keyed(&settings.key, strongest.kind, &strongest.value);
    Some(format_smolstr!("pseudo:{hash}"))
}

/// The pseudo-identity under which events of one name stood before the directory knew it: where an
/// `identity.link` goes. `None` for a shown name. The value is normalised.
#[must_use]
pub fn pseudo_of_name(kind: HandleKind, value: &str, settings: &Settings) -> Option<String> {
    (trust(kind) > 0).then(|| format!("pseudo:{}", keyed(&settings.key, kind, value)))
}

const fn trust(kind: HandleKind) -> u8 {
    match kind {
        HandleKind::OktaId
        | HandleKind::EntraId
        | HandleKind::SnowSysId
        | HandleKind::ZendeskId
        | HandleKind::AtlassianId
        | HandleKind::ConnectAgentArn
        | HandleKind::GenesysUserId => 3,
        HandleKind::EmployeeId
        | HandleKind::Email
        | HandleKind::Login
        | HandleKind::Upn
        | HandleKind::SnowUser
        | HandleKind::ConnectUsername
        | HandleKind::DuoUser
        | HandleKind::Principal => 2,
        HandleKind::Phone | HandleKind::ChatHandle | HandleKind::Voiceprint => 1,
        HandleKind::DisplayName | HandleKind::DuoAdminName => 0,
    }
}

fn note_risks(resolved: &Resolved<'_>, risks: &mut Vec<&'static str>) {
    if resolved.lookalike {
        risks.push("lookalike_handle");
    }
    if resolved.number_mismatch {
        risks.push("caller_number_mismatch");
    }
}

fn stamp<'d>(
    role: &mut Role,
    resolved: Resolved<'d>,
    at: crate::collect::time::Timestamp,
    directory: &'d impl Directory,
) -> Option<PersonFacts<'d>> {
    role.resolution = resolved.resolution;
    role.identity = None;
    role.account = None;
    role.account_since = None;
    role.tier = Tier::default();
    role.lifecycle = Lifecycle::default();
    role.manager = None;
    role.delegates = Vec::new();
    let found = resolved.found?;
    role.identity = Some(found.identity.into());
    role.account = Some(found.account.into());
    let facts = directory.person_at(found.person, at)?;
    role.account_since = found.facts.created;
    role.tier = match found.facts.tier {
        own @ (Tier::Machine | Tier::BreakGlass) => own,
        Tier::Standard | Tier::Contractor | Tier::Executive | Tier::Privileged => facts.tier,
    };
    role.lifecycle = facts.lifecycle;
    role.manager = facts.manager.map(SmolStr::from);
    role.delegates = facts.delegates.iter().copied().map(SmolStr::from).collect();
    Some(facts)
}

fn stamp_target(event: &mut Event, facts: Option<&PersonFacts<'_>>) {
    event.target_facts = facts.map(|facts| {
        Box::new(TargetFacts {
            phone_at: facts.phone_at,
            email_at: facts.email_at,
            manager_at: facts.manager_at,
        })
    });
    let persons = event.target.as_ref().zip(event.agent.as_ref());
    let ids = persons.and_then(|(t, a)| t.identity.as_ref().zip(a.identity.as_ref()));
    if let Some((target, agent)) = ids {
        let known = |id: &str| !id.starts_with("pseudo:");
        if target == agent {
            event.self_service = Some(true);
        } else if known(target) && known(agent) {
            event.self_service = Some(false);
        }
    }
}

fn stamp_agent(
    event: &mut Event,
    facts: Option<&PersonFacts<'_>>,
    directory: &impl Directory,
    risks: &mut Vec<&'static str>,
) {
    let Some(role) = &event.agent else { return };
    if let Some(person) = facts {
        let agent = event.agent_facts.get_or_insert_default();
        agent.on_shift = person.rights.on_shift;
        agent.may_act_on = person.rights.may_act_on;
        agent.budget_per_hour = person.rights.budget_per_hour;
        agent.may_override = person.rights.may_override;
        return;
    }
    let kind = event
        .agent_facts
        .as_ref()
        .map(|agent| agent.kind)
        .unwrap_or_default();
    let direction = event.contact.as_ref().and_then(|contact| contact.direction);
    let poses_as_support = matches!(kind, AgentKind::Desk | AgentKind::Admin)
        || (direction == Some(Direction::ToEmployee) && kind == AgentKind::Unknown);
    let nobody = role.resolution.status == ResolutionStatus::Unresolved;
    if nobody && poses_as_support && !role.handles.is_empty() && !directory.is_empty() {
        risks.push("unknown_support_staff");
    }
}

fn stamp_approver(event: &mut Event, facts: Option<&PersonFacts<'_>>) {
    if event.approver.is_none() {
        return;
    }
    let eligible = facts.map_or(Ternary::Unknown, |facts| {
        let said = facts.rights.may_approve;
        if facts.lifecycle == Lifecycle::Leaver {
            Ternary::No
        } else if said == Ternary::Unknown && facts.manages {
            Ternary::Yes
        } else {
            said
        }
    });
    event.approval.get_or_insert_default().eligible = eligible;
}

/// The voice's number is surely one person's, and the call is surely about another's account.
fn caller_is_somebody_else(event: &Event) -> bool {
    let named = |role: &Option<Box<Role>>| {
        let role = role.as_ref()?;
        role.resolution
            .strong
            .then(|| role.identity.clone())
            .flatten()
    };
    let caller = event
        .caller
        .as_ref()
        .and_then(|caller| caller.identity.as_ref());
    let subject = named(&event.requester).or_else(|| named(&event.target));
    caller.zip(subject).is_some_and(|(caller, subject)| {
        !caller.starts_with("pseudo:") && !subject.starts_with("pseudo:") && *caller != subject
    })
}

fn stamp_phone(event: &mut Event, directory: &impl Directory, settings: &Settings) {
    let at = event.time;
    let Some(phone) = &mut event.phone else {
        return;
    };
    phone.ani = phone.ani.take().and_then(|h| usable(h, &settings.names));
    let number = phone.callback_number.take();
    phone.callback_number = number.and_then(|h| usable(h, &settings.names));
    let number = phone.callback_number.as_ref().or(phone.ani.as_ref());
    let owners: Option<Vec<PhoneOwner>> =
        number.and_then(|number| directory.phone_owners(&number.value, at));
    phone.of_record = owners;
}

fn usable(mut handle: Handle, names: &NameRules) -> Option<Handle> {
    normalise_handle(&mut handle, names)?;
    Some(handle)
}

/// Assignees, and who verified, become identity ids where the directory knows them.
fn stamp_assignees(event: &mut Event, directory: &impl Directory, settings: &Settings) {
    let at = event.time;
    let ticket_names = event
        .ticket_ref
        .iter_mut()
        .flat_map(|ticket| &mut ticket.assignee);
    let verified_by = event.verification.iter_mut().filter_map(|v| v.by.as_mut());
    for name in ticket_names.chain(verified_by) {
        let Some(handle) = handle_of(name) else {
            continue;
        };
        if let Some(identity) = resolve(&[handle], at, directory, settings).identity() {
            *name = identity.into();
        }
    }
}

/// A name written `kind:value`, or one whose kind shows.
fn handle_of(name: &str) -> Option<Handle> {
    let written = name
        .split_once(':')
        .and_then(|(kind, value)| Some((kind_named(kind)?, value)));
    let (kind, value) = match written {
        Some(written) => written,
        None if name.contains('@') => (HandleKind::Email, name),
        None if name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit()) => {
            (HandleKind::SnowSysId, name)
        }
        None if name.starts_with("arn:") => (HandleKind::ConnectAgentArn, name),
        None => return None,
    };
    Some(Handle {
        kind,
        value: value.into(),
        masked: None,
        issuer: None,
    })
}

fn add_risks(event: &mut Event, mut risks: Vec<&'static str>) {
    risks.sort_unstable();
    risks.dedup();
    if risks.is_empty() {
        return;
    }
    let reasons = &mut event.risk.get_or_insert_with(Box::<Risk>::default).reasons;
    for risk in risks {
        if !reasons.iter().any(|reason| reason == risk) {
            reasons.push(risk.into());
        }
    }
}
