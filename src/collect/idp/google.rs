//! Google Workspace, the activities of the Admin SDK Reports API: one item holds one or several events.
//!
//! Source: Google for Developers, "Admin SDK: Reports API", appendices of event names of the applications
//! `admin`, `login`, `user_accounts`, `saml`, `token` and `mobile`.

use smol_str::{SmolStr, StrExt as _};

use super::google_types;
use crate::collect::action::Action;
use crate::collect::draft::{
    Around, address_or, agent_kind, bare_ip, cut, filled, handle, mapped, moment, role, text, word,
};
use crate::collect::entity::concerns_nobody;
use crate::collect::event::{
    AgentKind, App, AppClass, Channel, Device, Domain, Event, Factor, FactorType, Handle,
    HandleKind, Network, Outcome as Ended, Policy, PolicyEffect, Risk, RiskKind,
};
use crate::collect::mapped::{MappedEvent, Outcome};
use crate::collect::parse::{Keys, Value};
use crate::collect::time::{TimeQuality, Timestamp};

/// Most events of one item; Google sends one or two.
const EVENTS_MAX: usize = 256;
/// Most parameters of an event that are looked at.
const PARAMETERS_MAX: usize = 64;

/// An item, found in one walk.
struct Item<'t> {
    application: SmolStr,
    time: Option<(Timestamp, TimeQuality)>,
    /// `application/time/qualifier`, where there is a qualifier.
    native: Option<String>,
    actor: Vec<Handle>,
    is_person: bool,
    address: Option<Value<'t>>,
    network: Option<Value<'t>>,
}

/// One event of an item.
struct Part<'t> {
    name: SmolStr,
    kind: SmolStr,
    parameters: Option<Value<'t>>,
}

impl Part<'_> {
    /// The value of a parameter, a list of `{name, value | intValue | boolValue | multiValue}`.
    fn parameter(&self, name: &str) -> Option<SmolStr> {
        static KEYS: Keys<5> = Keys::new(["name", "value", "intValue", "boolValue", "multiValue"]);
        let parameters = self.parameters?.items().take(PARAMETERS_MAX);
        parameters
            .map(|parameter| parameter.pick(&KEYS))
            .filter(|[of, ..]| {
                let of = of.and_then(Value::as_str).unwrap_or_default();
                of.eq_ignore_ascii_case(name)
            })
            .find_map(|[_, value, number, flag, several]| {
                let first = several.and_then(|several| several.items().next());
                [value, number, flag, first].into_iter().find_map(word)
            })
    }
}

/// Maps one item.
pub(crate) fn map(around: &Around<'_>) -> Outcome {
    static KEYS: Keys<5> = Keys::new(["id", "actor", "events", "ipAddress", "networkInfo"]);
    let [id, actor, events, address, network] = around.item.pick(&KEYS);
    let application = id.and_then(|id| text(id, "applicationName"));
    let (Some(application), Some(events)) = (application, events.filter(|e| e.is_array())) else {
        return Outcome::schema(
            "no `id.applicationName` and `events`: not a Google Workspace activity",
        );
    };
    let stamp = id.and_then(|id| text(id, "time"));
    let qualifier = id.and_then(|id| text(id, "uniqueQualifier"));
    let native = stamp.as_ref().zip(qualifier);
    let email = actor.and_then(|actor| text(actor, "email"));
    let key = actor.and_then(|actor| text(actor, "key"));
    let is_person = email.is_some();
    let actor = match (email, key) {
        (Some(email), _) => vec![address_or(HandleKind::Login, email)],
        (None, Some(key)) => vec![handle(HandleKind::Principal, key)],
        (None, None) => Vec::new(),
    };
    let item = Item {
        time: id.and_then(|id| id.get_any_case("time")).and_then(moment),
        native: native.map(|(time, qualifier)| format!("{application}/{time}/{qualifier}")),
        application,
        actor,
        is_person,
        address,
        network,
    };
    let mut found = Vec::new();
    let mut idle = None;
    for (part, event) in (0..).zip(events.items().take(EVENTS_MAX)) {
        match one(around, &item, part, event) {
            Ok(event) => found.push(event),
            Err(action) => idle = Some(action),
        }
    }
    match idle {
        Some(action) if found.is_empty() => Outcome::Ignored(action.as_str()),
        _ if found.is_empty() => Outcome::Ignored("empty_envelope"),
        _ => Outcome::Events(found),
    }
}

/// One event; an action that no rule reads where those are left out.
fn one(
    around: &Around<'_>,
    item: &Item<'_>,
    part: u32,
    value: Value<'_>,
) -> Result<MappedEvent, Action> {
    static KEYS: Keys<3> = Keys::new(["name", "type", "parameters"]);
    let [name, kind, parameters] = value.pick(&KEYS);
    let part_of = Part {
        name: word(name).unwrap_or_default(),
        kind: word(kind).unwrap_or_default(),
        parameters,
    };
    let action = action(item, &part_of);
    if concerns_nobody(action) && !around.setup.keep_unread {
        return Err(action);
    }
    let native = item
        .native
        .as_ref()
        .map(|native| format!("{native}/{part}"));
    let domain = if action == Action::MailForwardingChanged {
        Domain::Mail
    } else {
        Domain::Idp
    };
    let what = (domain, action, &*item.application);
    // With an id of its own an event needs no ordinal; by its content it does.
    let ordinal = if native.is_some() { 0 } else { part };
    let mut event = around.event(what, native.as_deref(), ordinal, item.time);
    // As it was written, a space at its end included.
    let written = name.and_then(Value::as_str).unwrap_or("None");
    event.vendor_action = cut(&format!("{}:{written}", item.application));
    fill(&mut event, item, &part_of);
    Ok(mapped(event, native.as_deref(), Vec::new()))
}

fn action(item: &Item<'_>, part: &Part<'_>) -> Action {
    let name = part.name.to_ascii_lowercase();
    if name == "device_register_unregister_event" {
        let state = part.parameter("ACCOUNT_STATE").unwrap_or_default();
        return if state.eq_ignore_ascii_case("UNREGISTERED") {
            Action::DeviceRemoved
        } else {
            Action::DeviceRegistered
        };
    }
    google_types::action(&item.application, &part.kind, &name)
}

fn fill(event: &mut Event, item: &Item<'_>, part: &Part<'_>) {
    people(event, item, part);
    event.outcome = ended(part);
    event.outcome_reason = part
        .parameter("login_failure_type")
        .or_else(|| part.parameter("failure_type"))
        .map(|reason| cut(&reason));
    event.network = network(item);
    let name = event.action.as_str();
    if name.starts_with("auth.") || name.starts_with("mfa.") {
        event.factor = factor(part);
    }
    if name.starts_with("device.") || item.application == "mobile" {
        event.device = device(part);
    }
    if event.action == Action::AccessPolicyChanged {
        let class = google_types::policy(&part.name.to_ascii_lowercase());
        event.policy = Some(Box::new(Policy {
            class: Some(class),
            effect: Some(PolicyEffect::Unknown),
        }));
    }
    if matches!(
        event.action,
        Action::AccessAppConsent | Action::AuthAppAccess
    ) {
        let name = part.parameter("app_name");
        let app = App {
            id: part.parameter("client_id"),
            name: name.or_else(|| part.parameter("application_name")),
            class: Some(AppClass::Other),
        };
        event.app = (app.id.is_some() || app.name.is_some()).then(|| Box::new(app));
    }
    if event.action == Action::RiskDetected {
        let of_sign_in = item.application == "login";
        event.risk = Some(Box::new(Risk {
            kind: Some(if of_sign_in {
                RiskKind::SignIn
            } else {
                RiskKind::User
            }),
            level: None,
            score: None,
            reasons: vec![cut(&part.name)],
        }));
    }
}

fn people(event: &mut Event, item: &Item<'_>, part: &Part<'_>) {
    let mail = |name: &str| {
        let address = part.parameter(name).filter(|name| name.contains('@'));
        address.map(|address| vec![address_or(HandleKind::Login, address)])
    };
    let affected = mail("affected_email_address");
    let by_vendor = affected.is_some();
    let is_own = item.application != "admin" && event.action != Action::Other;
    let named = affected.or_else(|| mail("USER_EMAIL"));
    let mut target = match named {
        Some(named) if event.action != Action::AccessPolicyChanged => named,
        _ if is_own => item.actor.clone(),
        _ => Vec::new(),
    };
    if event.action == Action::IdentityLink {
        target.extend(mail("NEW_VALUE").into_iter().flatten());
    }
    // What Google found out about an account nobody performed.
    let agent = if by_vendor {
        Vec::new()
    } else {
        item.actor.clone()
    };
    let pair = agent.first().zip(target.first());
    event.self_service =
        pair.map(|(agent, target)| agent.value.eq_ignore_ascii_case(&target.value));
    event.agent_facts = Some(agent_kind(match event.self_service {
        _ if agent.is_empty() => AgentKind::System,
        _ if !item.is_person => AgentKind::Service,
        Some(true) => AgentKind::EndUser,
        Some(false) | None if item.application == "admin" => AgentKind::Admin,
        Some(false) | None => AgentKind::Unknown,
    }));
    if event.self_service == Some(true) && event.action.as_str().starts_with("credential.") {
        event.channel = Some(Channel::SelfService);
    }
    event.agent = role(agent);
    event.target = role(target);
}

fn ended(part: &Part<'_>) -> Ended {
    let status = part.parameter("login_challenge_status").unwrap_or_default();
    let status = status.to_ascii_lowercase();
    if part.name.to_ascii_lowercase().ends_with("failure") || status.contains("fail") {
        Ended::Failure
    } else if part.name == "login_challenge" && !status.contains("pass") {
        Ended::Challenged
    } else {
        Ended::Success
    }
}

fn network(item: &Item<'_>) -> Option<Box<Network>> {
    static KEYS: Keys<2> = Keys::new(["ipAsn", "regionCode"]);
    let [asn, region] = item
        .network
        .map_or([None; 2], |network| network.pick(&KEYS));
    let asn = asn.and_then(|asn| asn.as_i64().or_else(|| asn.items().next()?.as_i64()));
    let network = Network {
        ip: word(item.address).map(bare_ip),
        asn: asn.and_then(|asn| u32::try_from(asn).ok()),
        country: word(region),
        ..Network::default()
    };
    filled(network)
}

fn factor(part: &Part<'_>) -> Option<Box<Factor>> {
    let method = part
        .parameter("login_challenge_method")?
        .to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| method.contains(word));
    let factor_type = if has(&["prompt"]) {
        FactorType::Push
    } else if has(&["passkey", "webauthn"]) {
        FactorType::Webauthn
    } else if has(&["security_key"]) {
        FactorType::U2f
    } else if has(&["authenticator", "otp", "backup_code", "google_auth"]) {
        FactorType::Otp
    } else if has(&["phone"]) {
        FactorType::Sms
    } else if has(&["email"]) {
        FactorType::Email
    } else if has(&["knowledge", "secret_qa"]) {
        FactorType::SecurityQuestion
    } else if has(&["password"]) {
        FactorType::Password
    } else {
        return None;
    };
    Some(Box::new(Factor {
        factor_type: Some(factor_type),
        ..Factor::default()
    }))
}

fn device(part: &Part<'_>) -> Option<Box<Device>> {
    let device = Device {
        id: part
            .parameter("DEVICE_ID")
            .or_else(|| part.parameter("SERIAL_NUMBER")),
        name: part.parameter("DEVICE_MODEL"),
        platform: part
            .parameter("DEVICE_TYPE")
            .map(|kind| kind.to_lowercase_smolstr()),
        ..Device::default()
    };
    filled(device)
}
