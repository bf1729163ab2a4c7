//! Okta System Log events, however they arrive: EventBridge, event hook, bare or in an array.

use crate::collect::action::Action;
use crate::collect::draft::{Around, address_or, agent_kind, cut, filled, moment, role, word};
use crate::collect::entity::concerns_nobody;
use crate::collect::event::{
    Agent, AgentKind, Channel, Correlation, Domain, Event, Handle, HandleKind, Outcome as Ended,
    Verification, VerificationMethod,
};
use crate::collect::idp::okta_parts::{Parts, Thing};
use crate::collect::idp::{okta_detail, okta_types};
use crate::collect::mapped::{MappedEvent, Outcome};
use crate::collect::parse::{Keys, Value};

/// Types of actors that are applications.
const APPLICATIONS: [&str; 5] = [
    "AppInstance",
    "PublicClientApp",
    "PublicClientAppEntity",
    "PublicClientAppUser",
    "ServiceAccount",
];

/// Maps one System Log event.
pub(crate) fn map(around: &Around<'_>) -> Outcome {
    let Some(event_type) = around.item.get_any_case("eventType").and_then(Value::text) else {
        return Outcome::schema("no `eventType`: not an Okta System Log event");
    };
    let event_type = event_type.as_ref();
    let action = okta_types::action(event_type);
    if concerns_nobody(action) && !around.setup.keep_unread {
        return Outcome::Ignored(action.as_str());
    }
    let parts = Parts::of(around.item);
    let action = refine(action, event_type, &parts);
    let native = word(parts.id);
    let time = parts.published.and_then(moment);
    let what = (Domain::Idp, action, "system_log");
    let mut event = around.event(what, native.as_deref(), 0, time);
    event.outcome = ended(parts.result);
    event.outcome_reason = parts.reason.map(cut);
    event.correlation = correlation(&parts);
    roles(&mut event, around, &parts, event_type);
    okta_detail::fill(&mut event, &parts, event_type);
    if action == Action::VerifyResult || action == Action::VerifyStarted {
        event.verification = Some(Box::new(Verification {
            method: Some(VerificationMethod::IdvVendor),
            ..Verification::default()
        }));
    }
    event.vendor_action = cut(event_type);
    Outcome::Events(vec![MappedEvent {
        event,
        native_id: native,
        texts: Vec::new(),
    }])
}

/// Types whose meaning depends on the content.
fn refine(action: Action, event_type: &str, parts: &Parts<'_>) -> Action {
    static SIDES: Keys<2> = Keys::new(["to", "from"]);
    static FIELDS: Keys<2> = Keys::new(["mobilePhone", "secondEmail"]);
    let changes_recovery = || {
        let words = parts.debug.changed_attributes.unwrap_or_default();
        let words = words.to_lowercase();
        let in_targets = parts.targets.iter().any(|target| {
            let details = target.change_details.into_iter();
            let sides = details.flat_map(|d| d.pick(&SIDES)).flatten();
            let mut fields = sides.flat_map(|side| side.pick(&FIELDS));
            fields.any(|field| field.is_some())
        });
        in_targets || words.contains("mobilephone") || words.contains("secondemail")
    };
    let denied = || {
        let factor = parts.debug.factor;
        let push = factor.is_none_or(|factor| factor.to_uppercase().contains("PUSH"));
        let reason = parts.reason.unwrap_or_default();
        reason.eq_ignore_ascii_case("INVALID_CREDENTIALS") && push
    };
    match event_type {
        "user.account.update_profile" if changes_recovery() => Action::AccountRecoveryChanged,
        "user.authentication.auth_via_mfa" if denied() => Action::AuthMfaUserDenied,
        _ => action,
    }
}

fn ended(result: Option<&str>) -> Ended {
    let result = result.unwrap_or_default();
    let is = |words: &[&str]| words.iter().any(|word| result.eq_ignore_ascii_case(word));
    if is(&["SUCCESS", "ALLOW"]) {
        Ended::Success
    } else if is(&["FAILURE", "UNANSWERED", "ABANDONED"]) {
        Ended::Failure
    } else if is(&["DENY", "DENIED", "RATE_LIMIT"]) {
        Ended::Denied
    } else if is(&["CHALLENGE"]) {
        Ended::Challenged
    } else if is(&["DEFERRED", "SCHEDULED", "IN_PROGRESS"]) {
        Ended::Pending
    } else {
        Ended::Unknown
    }
}

fn correlation(parts: &Parts<'_>) -> Option<Box<Correlation>> {
    let correlation = Correlation {
        native_txn: word(parts.transaction_id),
        session: word(parts.session).or_else(|| word(parts.root_session)),
    };
    filled(correlation)
}

fn handles(around: &Around<'_>, person: &Thing<'_>) -> Vec<Handle> {
    if person.is("IP address") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let has_own_id = !person.is("AppUser");
    if let Some(id) = word(person.id).filter(|_| has_own_id) {
        found.push(around.issued(HandleKind::OktaId, id));
    }
    if let Some(login) = word(person.alternate_id) {
        found.push(address_or(HandleKind::Login, login));
    }
    found
}

fn roles(event: &mut Event, around: &Around<'_>, parts: &Parts<'_>, event_type: &str) {
    let actor = parts.actor.as_ref();
    let token = parts.api_token.is_some_and(|token| token.text().is_some());
    let user = parts.targets.iter().find(|t| t.is("User"));
    let app_user = parts.targets.iter().find(|t| t.is("AppUser"));
    let agent = actor
        .map(|actor| handles(around, actor))
        .unwrap_or_default();
    let concerns_person = event.action != Action::AccessPolicyChanged
        && !event_type.starts_with("group.privilege.")
        && !event_type.starts_with("system.idp.");
    let signs_in = event.action == Action::AuthPolicyDecision
        || (event.action == Action::AuthAppAccess && user.is_none() && !agent.is_empty());
    let target = if !concerns_person {
        Vec::new()
    } else if signs_in {
        // Who signs in is the actor; the name in the application is a second name of the same person.
        let mut own = agent.clone();
        own.extend(app_user.map(|t| handles(around, t)).unwrap_or_default());
        own
    } else {
        match user.or(app_user) {
            Some(target) => handles(around, target),
            None => agent.clone(),
        }
    };
    let own = !signs_in && user.is_none() && app_user.is_none();
    event.self_service = match (actor, user) {
        _ if agent.is_empty() || target.is_empty() => None,
        (Some(actor), Some(user)) if !signs_in => Some(same(actor, user)),
        (_, None) if own || signs_in => Some(true),
        _ => None,
    };
    event.agent_facts = actor.map(|actor| Box::new(facts(event, actor, token, parts)));
    if event.agent_facts.is_none() && token {
        event.agent_facts = Some(agent_kind(AgentKind::ApiToken));
    }
    let by_token = token.then_some(Channel::Api);
    event.channel = by_token.or_else(|| {
        let own = event.self_service?
            && event.action != Action::CredentialApiTokenCreated
            && event.action.as_str().starts_with("credential.");
        own.then_some(Channel::SelfService)
    });
    event.agent = role(agent);
    event.target = role(target);
}

fn same(actor: &Thing<'_>, target: &Thing<'_>) -> bool {
    let pair = |a: Option<Value<'_>>, b: Option<Value<'_>>| {
        let (a, b) = (word(a)?, word(b)?);
        Some((a == b, a.eq_ignore_ascii_case(&b)))
    };
    let ids = pair(actor.id, target.id);
    let logins = pair(actor.alternate_id, target.alternate_id);
    match (ids, logins) {
        (Some((same, _)), logins) => same && logins.is_none_or(|(_, alike)| alike),
        (None, Some((_, alike))) => alike,
        (None, None) => false,
    }
}

fn facts(event: &Event, actor: &Thing<'_>, by_token: bool, parts: &Parts<'_>) -> Agent {
    // The vendor resets people by hand under the name that its own jobs bear, too.
    let resets = event.action == Action::CredentialPasswordReset
        || event.action.as_str().starts_with("mfa.");
    let login = actor.alternate_id.and_then(Value::text);
    let support = resets && login.is_some_and(|l| l.eq_ignore_ascii_case("system@okta.com"));
    let kind = if by_token {
        AgentKind::ApiToken
    } else if support {
        AgentKind::Admin
    } else if actor.is("SystemPrincipal") {
        AgentKind::System
    } else if APPLICATIONS.iter().any(|kind| actor.is(kind)) {
        AgentKind::Service
    } else if !actor.is("User") {
        AgentKind::Unknown
    } else if event.self_service == Some(true) {
        AgentKind::EndUser
    } else {
        AgentKind::Admin
    };
    Agent {
        kind,
        role: support.then(|| "vendor_support".into()),
        session_id: word(parts.session),
        ..Agent::default()
    }
}
