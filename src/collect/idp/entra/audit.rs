//! The audit log: what was done to users, devices, roles and policies.

use smol_str::SmolStr;

use super::changes::Changes;
use super::{ENTRIES_MAX, Parts, application, ended, network, types, user};
use crate::collect::action::Action;
use crate::collect::draft::{
    Around, agent_kind, cut, filled, mapped, moment, role, text, transaction, word,
};
use crate::collect::entity::concerns_nobody;
use crate::collect::event::{
    Agent, AgentKind, Approver, Channel, Decision, Device, Domain, Event, Factor, FactorType,
    Handle, HandleKind, Outcome as Ended,
};
use crate::collect::mapped::Outcome;
use crate::collect::parse::{Keys, Value};

/// The properties of an audit record, found in one walk.
struct Audit<'t> {
    id: Option<Value<'t>>,
    name: Option<Value<'t>>,
    time: Option<Value<'t>>,
    result: Option<Value<'t>>,
    reason: Option<Value<'t>>,
    correlation: Option<Value<'t>>,
    by_user: Option<Value<'t>>,
    by_app: Option<Value<'t>>,
    targets: Vec<Target<'t>>,
    details: Option<Value<'t>>,
    agent: Option<Value<'t>>,
}

/// Whom or what it was done to.
#[derive(Clone, Copy)]
struct Target<'t> {
    kind: &'t str,
    id: Option<Value<'t>>,
    name: Option<Value<'t>>,
    shown: Option<Value<'t>>,
    modified: Option<Value<'t>>,
}

impl<'t> Audit<'t> {
    fn of(parts: &Parts<'t>) -> Self {
        static KEYS: Keys<10> = Keys::new([
            "id",
            "activityDisplayName",
            "activityDateTime",
            "result",
            "resultReason",
            "correlationId",
            "initiatedBy",
            "targetResources",
            "additionalDetails",
            "userAgent",
        ]);
        static BY: Keys<2> = Keys::new(["user", "app"]);
        let [
            id,
            name,
            time,
            result,
            reason,
            correlation,
            by,
            targets,
            details,
            agent,
        ] = parts.properties.pick(&KEYS);
        let [by_user, by_app] = by.map_or([None; 2], |by| by.pick(&BY));
        let object = |value: Option<Value<'t>>| value.filter(|v| v.is_object());
        let targets = targets.into_iter().flat_map(Value::items);
        Self {
            id,
            name,
            time,
            result,
            reason,
            correlation,
            by_user: object(by_user),
            by_app: object(by_app),
            targets: targets.take(ENTRIES_MAX).map(Target::of).collect(),
            details,
            agent,
        }
    }

    fn target(&self, kind: &str) -> Option<&Target<'t>> {
        let mut targets = self.targets.iter();
        targets.find(|target| target.kind.eq_ignore_ascii_case(kind))
    }

    /// A value of `additionalDetails`, a list of `{key, value}`.
    fn detail(&self, key: &str) -> Option<SmolStr> {
        let mut details = self.details?.items().take(ENTRIES_MAX);
        let found = details.find(|detail| {
            let name = detail.get_any_case("key").and_then(Value::as_str);
            name.is_some_and(|name| name.eq_ignore_ascii_case(key))
        });
        text(found?, "value")
    }
}

impl<'t> Target<'t> {
    fn of(value: Value<'t>) -> Self {
        static KEYS: Keys<5> = Keys::new([
            "type",
            "id",
            "userPrincipalName",
            "displayName",
            "modifiedProperties",
        ]);
        let [kind, id, name, shown, modified] = value.pick(&KEYS);
        Self {
            kind: kind.and_then(Value::as_str).unwrap_or_default(),
            id,
            name,
            shown,
            modified,
        }
    }

    fn properties(&self) -> impl Iterator<Item = Value<'t>> + use<'t> {
        self.modified.into_iter().flat_map(Value::items)
    }
}

/// Maps one record of the audit log.
pub(super) fn map(around: &Around<'_>, parts: &Parts<'_>) -> Outcome {
    let audit = Audit::of(parts);
    let Some(written) = word(audit.name).or_else(|| word(parts.operation)) else {
        return Outcome::schema("an audit record without a name");
    };
    let name = types::name(&written);
    let action = types::action(&name).unwrap_or(Action::Unmapped);
    if concerns_nobody(action) && !around.setup.keep_unread {
        return Outcome::Ignored(action.as_str());
    }
    let changes = match name.as_str() {
        "update user" => Changes::of(audit.targets.iter().flat_map(Target::properties)).0,
        _ => Vec::new(),
    };
    let native = word(audit.id);
    let first = [(refine(action, &audit), Vec::new())];
    let parted = if changes.is_empty() {
        first.into()
    } else {
        changes
    };
    let events = (0..).zip(parted).map(|(part, (action, changed))| {
        let time = audit
            .time
            .and_then(moment)
            .or_else(|| parts.time.and_then(moment));
        let what = (Domain::Idp, action, "audit");
        let mut event = around.event(what, native.as_deref(), part, time);
        event.changed = changed;
        fill(&mut event, around, parts, &audit, &name);
        event.vendor_action = cut(&written);
        mapped(event, native.as_deref(), Vec::new())
    });
    Outcome::Events(events.collect())
}

/// Activities whose meaning stands in their reason or details.
fn refine(action: Action, audit: &Audit<'_>) -> Action {
    if action != Action::MfaEnrolled {
        return action;
    }
    let reason = word(audit.reason).unwrap_or_default().to_lowercase();
    let pass = |words: &str| words.contains("temporary access pass");
    let changed = || {
        let all = audit.targets.iter().flat_map(Target::properties);
        let mut texts = all.flat_map(|property| property.entries().map(|(_, value)| value));
        texts.any(|value| {
            value
                .as_str()
                .is_some_and(|words| pass(&words.to_lowercase()))
        })
    };
    if pass(&reason) || changed() {
        Action::CredentialTempIssued
    } else {
        action
    }
}

fn fill(event: &mut Event, around: &Around<'_>, parts: &Parts<'_>, audit: &Audit<'_>, name: &str) {
    event.observed_time = event.observed_time.or_else(|| {
        let envelope = parts.time.and_then(moment);
        envelope.map(|(time, _)| time)
    });
    event.outcome = outcome(parts, audit);
    event.outcome_reason = word(audit.reason)
        .or_else(|| text(parts.record, "resultDescription"))
        .map(|reason| cut(&reason));
    let native_txn = word(audit.correlation).or_else(|| word(parts.correlation));
    event.correlation = transaction(native_txn);
    people(event, around, audit, name);
    let ip = audit.by_user.and_then(|user| text(user, "ipAddress"));
    let agent = word(audit.agent).or_else(|| audit.detail("User-Agent"));
    let found = network(ip.or_else(|| word(parts.caller)), agent);
    event.network = filled(found);
    if event.action == Action::AccessPolicyChanged {
        event.policy = types::policy(name).map(Box::new);
    }
    if event.action.as_str().starts_with("device.") {
        event.device = device(audit);
    }
    if event.action.as_str().starts_with("mfa.") {
        let reason = word(audit.reason).unwrap_or_default();
        event.factor = factor(&reason).map(|factor_type| {
            Box::new(Factor {
                factor_type: Some(factor_type),
                ..Factor::default()
            })
        });
    }
    if matches!(
        event.action,
        Action::ApprovalGranted | Action::ApprovalRejected
    ) {
        let granted = event.action == Action::ApprovalGranted;
        event.approver.clone_from(&event.agent);
        event.approval = Some(Box::new(Approver {
            decision: Some(if granted {
                Decision::Granted
            } else {
                Decision::Rejected
            }),
            ..Approver::default()
        }));
    }
}

fn outcome(parts: &Parts<'_>, audit: &Audit<'_>) -> Ended {
    let beside = || {
        parts
            .record
            .get_any_case("result")
            .or_else(|| parts.record.get_any_case("resultType"))
    };
    let result = audit.result.or_else(beside).and_then(Value::text);
    ended(result.as_deref())
}

fn people(event: &mut Event, around: &Around<'_>, audit: &Audit<'_>, name: &str) {
    let by = audit.by_user.map(|by| {
        static KEYS: Keys<2> = Keys::new(["id", "userPrincipalName"]);
        let [id, login] = by.pick(&KEYS);
        user(around, id, login)
    });
    let by = by.filter(|handles| !handles.is_empty());
    let app = || {
        let app = audit.by_app?;
        text(app, "servicePrincipalId")
            .or_else(|| text(app, "appId"))
            .or_else(|| text(app, "displayName"))
            .map(application)
    };
    let whom = audit.target("User").map(|t| user(around, t.id, t.name));
    let whom = whom.filter(|handles| !handles.is_empty());
    let own = is_own(event.action, name).then(|| by.clone()).flatten();
    let target = concerns_person(event.action)
        .then(|| whom.or(own))
        .flatten();
    event.self_service = match (&by, &target) {
        (Some(by), Some(target)) => Some(same(by, target)),
        (None, _) | (_, None) => None,
    };
    event.agent_facts = Some(match (&by, audit.by_app) {
        (Some(_), _) if event.self_service == Some(true) => agent_kind(AgentKind::EndUser),
        (Some(_), _) => agent_kind(AgentKind::Admin),
        (None, Some(_)) => agent_kind(AgentKind::Service),
        (None, None) => Box::<Agent>::default(),
    });
    let is_credential = event.action.as_str().starts_with("credential.");
    if event.self_service == Some(true) && is_credential {
        event.channel = Some(Channel::SelfService);
    }
    event.agent = role(by.or_else(app).unwrap_or_default());
    event.target = role(target.unwrap_or_default());
}

/// Policies and consents are about no account.
const fn concerns_person(action: Action) -> bool {
    !matches!(
        action,
        Action::AccessPolicyChanged | Action::AccessAppConsent
    )
}

/// People do these to themselves, and the record names nobody else.
fn is_own(action: Action, name: &str) -> bool {
    name.contains("self-service") || name.starts_with("user ") || action == Action::DeviceRegistered
}

/// One account: by its id where both have one, else by its name.
pub(super) fn same(agent: &[Handle], target: &[Handle]) -> bool {
    let value = |handles: &[Handle], is_id: bool| {
        let of = handles
            .iter()
            .find(|h| (h.kind == HandleKind::EntraId) == is_id);
        of.map(|handle| handle.value.clone())
    };
    let pair = |is_id| value(agent, is_id).zip(value(target, is_id));
    match pair(true) {
        Some((a, b)) => a == b,
        None => pair(false).is_some_and(|(a, b)| a.eq_ignore_ascii_case(&b)),
    }
}

fn device(audit: &Audit<'_>) -> Option<Box<Device>> {
    let target = audit.target("Device");
    let device = Device {
        id: target
            .and_then(|t| word(t.id))
            .or_else(|| audit.detail("Device Id")),
        name: target.and_then(|t| word(t.shown)),
        platform: audit.detail("Device OS").map(|os| os.to_lowercase().into()),
        ..Device::default()
    };
    filled(device)
}

/// The kind of factor that a reason names: "User registered Authenticator App with Notification".
fn factor(reason: &str) -> Option<FactorType> {
    let reason = reason.to_lowercase();
    let names: [(&[&str], FactorType); 8] = [
        (
            &["fido", "passkey", "security key", "windows hello"],
            FactorType::Webauthn,
        ),
        (
            &["notification", "passwordless phone", "push"],
            FactorType::Push,
        ),
        (&["authenticator app", "oath", "code"], FactorType::Otp),
        (&["security question"], FactorType::SecurityQuestion),
        (&["app password"], FactorType::Password),
        (&["sms", "text"], FactorType::Sms),
        (&["phone", "call"], FactorType::PhoneCall),
        (&["email", "e-mail"], FactorType::Email),
    ];
    let mut named = names.into_iter();
    let found = named.find(|(words, _)| words.iter().any(|word| reason.contains(word)));
    found.map(|(_, factor)| factor)
}
