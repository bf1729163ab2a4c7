//! Okta System Log events, however they arrive: EventBridge, event hook, bare or in an array.

use crate::collect::action::Action;
use crate::collect::draft::{Around, address_or, at, cut, mapped, moment, role, text};
use crate::collect::event::{
    Agent, AgentKind, Channel, Correlation, Domain, Event, Handle, HandleKind, Outcome as Ended,
    Verification, VerificationMethod,
};
use crate::collect::idp::{okta_detail, okta_types};
use crate::collect::map::Outcome;
use crate::collect::parse::Value;

/// Maps one System Log event.
pub(crate) fn map(around: &Around<'_>) -> Outcome {
    let item = around.item;
    let Some(event_type) = text(item, "eventType") else {
        return Outcome::schema("no `eventType`: not an Okta System Log event");
    };
    let action = refine(okta_types::action(&event_type), &event_type, item);
    if action == Action::Other && !around.setup.keep_other {
        return Outcome::Ignored("other");
    }
    let native = text(item, "uuid");
    let time = at(item, "published").and_then(moment);
    let what = (Domain::Idp, action, "system_log");
    let mut event = around.event(what, native.as_deref(), 0, time);
    event.outcome = ended(text(item, "outcome.result").as_deref());
    event.outcome_reason = text(item, "outcome.reason").map(|reason| cut(&reason));
    event.correlation = correlation(item);
    roles(&mut event, around, &event_type);
    okta_detail::fill(&mut event, item);
    if action == Action::VerifyResult || action == Action::VerifyStarted {
        event.verification = Some(Box::new(Verification {
            method: Some(VerificationMethod::IdvVendor),
            ..Verification::default()
        }));
    }
    event.vendor_action = cut(&event_type);
    Outcome::Events(vec![mapped(event, native.as_deref(), Vec::new())])
}

/// Types whose meaning depends on the content.
fn refine(action: Action, event_type: &str, item: Value<'_>) -> Action {
    let changes_recovery = || {
        let details = at(item, "debugContext.debugData");
        let changed = details.and_then(|d| text(d, "changedAttributes"));
        let words = changed.unwrap_or_default().to_lowercase();
        let in_targets = at(item, "target")
            .into_iter()
            .flat_map(Value::items)
            .any(|target| {
                ["mobilePhone", "secondEmail"].iter().any(|key| {
                    at(target, &format!("changeDetails.to.{key}")).is_some()
                        || at(target, &format!("changeDetails.from.{key}")).is_some()
                })
            });
        in_targets || words.contains("mobilephone") || words.contains("secondemail")
    };
    let denied = || {
        let reason = text(item, "outcome.reason").unwrap_or_default();
        let factor = text(item, "debugContext.debugData.factor");
        let push = factor.is_none_or(|factor| factor.to_uppercase().contains("PUSH"));
        reason.eq_ignore_ascii_case("INVALID_CREDENTIALS") && push
    };
    match event_type {
        "user.account.update_profile" if changes_recovery() => Action::AccountRecoveryChanged,
        "user.authentication.auth_via_mfa" if denied() => Action::AuthMfaUserDenied,
        _ => action,
    }
}

fn ended(result: Option<&str>) -> Ended {
    match result.unwrap_or_default().to_ascii_uppercase().as_str() {
        "SUCCESS" | "ALLOW" => Ended::Success,
        "FAILURE" | "UNANSWERED" | "ABANDONED" => Ended::Failure,
        "DENY" | "DENIED" | "RATE_LIMIT" => Ended::Denied,
        "CHALLENGE" => Ended::Challenged,
        "DEFERRED" | "SCHEDULED" => Ended::Pending,
        _ => Ended::Unknown,
    }
}

fn correlation(item: Value<'_>) -> Option<Box<Correlation>> {
    let correlation = Correlation {
        native_txn: text(item, "transaction.id"),
        session: text(item, "authenticationContext.externalSessionId")
            .or_else(|| text(item, "authenticationContext.rootSessionId")),
    };
    (correlation != Correlation::default()).then(|| Box::new(correlation))
}

fn is_type(person: Value<'_>, kind: &str) -> bool {
    text(person, "type").is_some_and(|t| t.eq_ignore_ascii_case(kind))
}

fn handles(around: &Around<'_>, person: Value<'_>) -> Vec<Handle> {
    if is_type(person, "IP address") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let has_own_id = !is_type(person, "AppUser");
    if let Some(id) = text(person, "id").filter(|_| has_own_id) {
        found.push(around.issued(HandleKind::OktaId, id));
    }
    if let Some(login) = text(person, "alternateId") {
        found.push(address_or(HandleKind::Login, login));
    }
    found
}

fn roles(event: &mut Event, around: &Around<'_>, event_type: &str) {
    let item = around.item;
    let actor = at(item, "actor").filter(|actor| actor.is_object());
    let token = text(item, "transaction.detail.requestApiTokenId");
    let targets = || at(item, "target").into_iter().flat_map(Value::items);
    let user = targets().find(|t| is_type(*t, "User"));
    let app_user = targets().find(|t| is_type(*t, "AppUser"));
    let agent = actor
        .map(|actor| handles(around, actor))
        .unwrap_or_default();
    let concerns_person = event.action != Action::AccessPolicyChanged
        && event.action != Action::CredentialApiTokenCreated
        && !event_type.starts_with("group.privilege.");
    let signs_in = event.action == Action::AuthPolicyDecision
        || (event.action == Action::AuthAppAccess && user.is_none() && !agent.is_empty());
    let target = if !concerns_person {
        user.filter(|_| event.action == Action::CredentialApiTokenCreated)
            .map(|user| handles(around, user))
            .unwrap_or_default()
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
    event.agent_facts = actor.map(|actor| Box::new(facts(event, actor, token.is_some(), item)));
    if event.agent_facts.is_none() && token.is_some() {
        event.agent_facts = Some(crate::collect::draft::agent_kind(AgentKind::ApiToken));
    }
    let by_token = token.map(|_| Channel::Api);
    event.channel = by_token.or_else(|| {
        let own = event.self_service? && event.action.as_str().starts_with("credential.");
        own.then_some(Channel::SelfService)
    });
    event.agent = role(agent);
    event.target = role(target);
}

fn same(actor: Value<'_>, target: Value<'_>) -> bool {
    let pair = |key: &str| Some((text(actor, key)?, text(target, key)?));
    match (pair("id"), pair("alternateId")) {
        (Some((a, b)), logins) => a == b && logins.is_none_or(|(a, b)| a.eq_ignore_ascii_case(&b)),
        (None, Some((a, b))) => a.eq_ignore_ascii_case(&b),
        (None, None) => false,
    }
}

fn facts(event: &Event, actor: Value<'_>, by_token: bool, item: Value<'_>) -> Agent {
    let support = text(actor, "alternateId")
        .is_some_and(|login| login.eq_ignore_ascii_case("system@okta.com"));
    let kind = if by_token {
        AgentKind::ApiToken
    } else if support {
        AgentKind::Admin
    } else if is_type(actor, "SystemPrincipal") {
        AgentKind::System
    } else if is_type(actor, "PublicClientApp") || is_type(actor, "AppInstance") {
        AgentKind::Service
    } else if !is_type(actor, "User") {
        AgentKind::Unknown
    } else if event.self_service == Some(true) {
        AgentKind::EndUser
    } else {
        AgentKind::Admin
    };
    Agent {
        kind,
        role: support.then(|| "vendor_support".to_owned()),
        session_id: text(item, "authenticationContext.externalSessionId"),
        ..Agent::default()
    }
}
