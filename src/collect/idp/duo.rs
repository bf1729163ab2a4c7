//! Duo: logs of authentications, of administrators, of telephony, and the activity log, as the Admin API
//! gives them.
//!
//! Source: Duo documentation, "Duo Admin API", sections Authentication, Administrator, Telephony, Activity
//! and Offline Enrollment Logs.

use smol_str::{SmolStr, StrExt as _};

use super::duo_types;
use crate::collect::action::Action;
use crate::collect::draft::{
    Around, address_or, agent_kind, bare_ip, cut, filled, handle, mapped, moment, picked, role,
    text, transaction, word,
};
use crate::collect::entity::concerns_nobody;
use crate::collect::event::{
    AgentKind, App, AppClass, Device, Domain, Event, Factor, Handle, HandleKind, Network,
    Outcome as Ended, Policy, PolicyClass, PolicyEffect, Risk, RiskKind,
};
use crate::collect::mapped::{MappedEvent, Outcome};
use crate::collect::parse::{Keys, Tape, Value, parse_text};
use crate::collect::time::{TimeQuality, Timestamp};

/// Fewest digits of what is read as a telephone number.
const DIGITS_MIN: usize = 7;

/// Acts whose object is a person; that of others is a phone, a token, an application, a group.
const PERSONS: [&str; 3] = ["user_", "bypass_", "admin_"];

/// Maps one entry of a log.
pub(crate) fn map(around: &Around<'_>) -> Outcome {
    static KEYS: Keys<7> = Keys::new([
        "action",
        "event_type",
        "result",
        "telephony_id",
        "context",
        "phone",
        "txid",
    ]);
    let [action, event_type, result, telephony, context, phone, txid] = around.item.pick(&KEYS);
    if let Some(name) = action.and_then(|action| {
        let of_activity = action.get_any_case("name").and_then(Value::as_str);
        action.as_str().or(of_activity)
    }) {
        return administrator(around, name);
    }
    if event_type.is_some() || (result.is_some() && txid.is_some()) {
        return authentication(around);
    }
    if telephony.is_some() || (context.is_some() && phone.is_some()) {
        return telephone(around);
    }
    Outcome::schema("no `action`, `event_type` or `telephony_id`: not an entry of a Duo log")
}

/// `isotimestamp`, else the seconds, else the text of the second versions.
fn time(item: Value<'_>) -> Option<(Timestamp, TimeQuality)> {
    static KEYS: Keys<3> = Keys::new(["isotimestamp", "timestamp", "ts"]);
    item.pick(&KEYS).into_iter().flatten().find_map(moment)
}

fn person(name: SmolStr) -> Handle {
    address_or(HandleKind::DuoUser, name)
}

fn network(ip: Option<SmolStr>, place: Option<Value<'_>>) -> Option<Box<Network>> {
    static PLACE: Keys<2> = Keys::new(["country", "city"]);
    let [country, city] = place.map_or([None; 2], |place| place.pick(&PLACE));
    let network = Network {
        ip: ip.map(bare_ip),
        country: word(country),
        city: word(city),
        ..Network::default()
    };
    filled(network)
}

/// Whether a text is a number: the names of phones and the objects of acts on phones are.
fn is_number(words: &str) -> bool {
    let digits = words.chars().filter(char::is_ascii_digit).count();
    digits >= DIGITS_MIN && !words.chars().any(|c| c.is_alphabetic() && c != 'x')
}

fn administrator(around: &Around<'_>, name: &str) -> Outcome {
    static KEYS: Keys<6> = Keys::new([
        "description",
        "object",
        "username",
        "actor",
        "target",
        "activity_id",
    ]);
    let [description, object, username, actor, target, id] = around.item.pick(&KEYS);
    let mut tape = Tape::default();
    // Sometimes broken: then nothing of it is known.
    let written = description.and_then(Value::as_str);
    let details = written.and_then(|written| parse_text(&mut tape, written).ok());
    let details = details.or_else(|| description.filter(|d| d.is_object()));
    let said = |key: &str| details.and_then(|details| text(details, key));
    let action = duo_types::action(name, said("status").as_deref(), said("error").as_deref());
    if concerns_nobody(action) && !around.setup.keep_unread {
        return Outcome::Ignored(action.as_str());
    }
    let native = word(id);
    let who = word(username).or_else(|| text(actor?, "name"));
    let of_person = PERSONS.iter().any(|prefix| name.starts_with(prefix));
    // Whoever enrols for offline access is named where administrators are.
    let own = who.clone().filter(|_| name.starts_with("o2fa_user_"));
    let whom = said("user")
        .or_else(|| said("uname"))
        .or(own)
        .or_else(|| word(object).filter(|_| of_person))
        .or_else(|| text(target?, "name").filter(|_| of_person));
    let number = word(object).filter(|object| is_number(object));
    let actions = match name {
        "admin_create" => &[Action::AccountCreated, Action::AccessRoleGranted][..],
        _ => &[action][..],
    };
    let events = (0..).zip(actions).map(|(part, action)| {
        let what = (Domain::Idp, *action, "administrator");
        let mut event = around.event(what, native.as_deref(), part, time(around.item));
        event.vendor_action = cut(name);
        event.outcome = duo_types::ended(name);
        event.outcome_reason = said("error").map(|error| cut(&error));
        people(&mut event, who.clone(), whom.clone());
        event.network = network(said("ip_address"), None);
        if *action == Action::AccessPolicyChanged {
            event.policy = Some(Box::new(policy(name)));
        }
        let factor = Factor {
            factor_type: said("factor").and_then(|factor| duo_types::factor(&factor)),
            target_hash: number.clone(),
            ..Factor::default()
        };
        event.factor = filled(factor);
        mapped(event, native.as_deref(), Vec::new())
    });
    Outcome::Events(events.collect())
}

/// Administrators are named as they are shown; one who signs in does so to an account of that name.
fn people(event: &mut Event, who: Option<SmolStr>, whom: Option<SmolStr>) {
    let signs_in = matches!(
        event.action,
        Action::AuthLogin
            | Action::AuthMfaVerify
            | Action::AuthMfaUserDenied
            | Action::AccountLocked
    );
    let whom = if event.action == Action::AccessPolicyChanged {
        None
    } else {
        whom.or_else(|| who.clone().filter(|_| signs_in))
    };
    event.self_service = who
        .as_ref()
        .zip(whom.as_ref())
        .map(|(who, whom)| who == whom);
    event.agent_facts = who.as_deref().map(|who| {
        agent_kind(match who {
            "API" => AgentKind::ApiToken,
            "System" => AgentKind::System,
            _ if who.contains("Sync: ") => AgentKind::Service,
            _ if event.self_service == Some(true) => AgentKind::EndUser,
            _ => AgentKind::Admin,
        })
    });
    let by = |name: SmolStr| match &*name {
        "API" | "System" => handle(HandleKind::Principal, name),
        _ => handle(HandleKind::DuoAdminName, name),
    };
    event.agent = role(who.map(by).into_iter().collect());
    event.target = role(whom.map(person).into_iter().collect());
}

fn policy(name: &str) -> Policy {
    let class = if name.contains("sso") || name.contains("single_sign_on") {
        PolicyClass::Federation
    } else if name.contains("factor") || name.contains("policy") {
        PolicyClass::Mfa
    } else {
        PolicyClass::Other
    };
    Policy {
        class: Some(class),
        effect: Some(if name.ends_with("_delete") {
            PolicyEffect::Weakened
        } else {
            PolicyEffect::Unknown
        }),
    }
}

picked!(
    /// An entry of the authentication log, found in one walk.
    Entry {
        txid: "txid",
        event_type: "event_type",
        result: "result",
        reason: "reason",
        factor: "factor",
        user: "user",
        email: "email",
        access: "access_device",
        auth: "auth_device",
        application: "application",
        trusted: "trusted_endpoint_status",
        username: "username",
    }
);

impl Entry<'_> {
    fn who(&self) -> Vec<Handle> {
        let name = self.user.and_then(|user| text(user, "name"));
        let name = name.or_else(|| word(self.username));
        let mut who: Vec<Handle> = name.into_iter().map(person).collect();
        let email = word(self.email).filter(|email| who.iter().all(|known| known.value != *email));
        who.extend(email.map(|email| handle(HandleKind::Email, email)));
        who
    }

    fn factor(&self) -> Option<Box<Factor>> {
        let named = self.auth.and_then(|auth| text(auth, "name"));
        let factor = Factor {
            factor_type: word(self.factor).and_then(|factor| duo_types::factor(&factor)),
            id: self.auth.and_then(|auth| text(auth, "key")),
            target_hash: named.filter(|name| is_number(name)),
        };
        filled(factor)
    }

    fn app(&self) -> Option<Box<App>> {
        let application = self.application?;
        Some(Box::new(App {
            id: text(application, "key"),
            name: Some(text(application, "name")?),
            class: Some(AppClass::Other),
        }))
    }
}

fn authentication(around: &Around<'_>) -> Outcome {
    let entry = Entry::of(around.item);
    let kind = word(entry.event_type).unwrap_or_else(|| "authentication".into());
    let result = word(entry.result)
        .unwrap_or_default()
        .to_lowercase_smolstr();
    let reason = word(entry.reason).unwrap_or_default();
    let action = duo_types::authentication(&kind, &result, &reason.to_lowercase_smolstr());
    let native = word(entry.txid);
    let what = (Domain::Idp, action, "authentication");
    let mut event = around.event(what, native.as_deref(), 0, time(around.item));
    event.vendor_action = cut(&format!("{kind}/{result}/{reason}"));
    event.outcome = match &*result {
        "success" => Ended::Success,
        "denied" | "fraud" => Ended::Denied,
        "failure" | "error" => Ended::Failure,
        _ if kind == "enrollment" => Ended::Success,
        _ => Ended::Unknown,
    };
    event.outcome_reason = (!reason.is_empty()).then(|| cut(&reason));
    let who = entry.who();
    event.self_service = (!who.is_empty()).then_some(true);
    event.agent_facts = (!who.is_empty()).then(|| agent_kind(AgentKind::EndUser));
    event.target = role(who.clone());
    event.agent = role(who);
    let access = entry.access;
    let at = access.and_then(|access| access.get_any_case("location"));
    event.network = network(access.and_then(|access| text(access, "ip")), at);
    let trusted = word(entry.trusted);
    event.device = access.and_then(|access| device(access, trusted.as_deref()));
    event.factor = entry.factor();
    event.app = entry.app();
    event.correlation = transaction(native.clone());
    if action == Action::RiskDetected {
        event.risk = Some(Box::new(Risk {
            kind: Some(RiskKind::SignIn),
            level: None,
            score: None,
            reasons: vec![cut(&reason)],
        }));
    }
    one(event, native.as_deref())
}

fn device(access: Value<'_>, trusted: Option<&str>) -> Option<Box<Device>> {
    let device = Device {
        id: text(access, "epkey"),
        name: text(access, "hostname"),
        platform: text(access, "os").map(|os| os.to_lowercase_smolstr()),
        managed: match trusted {
            Some("trusted") => Some(true),
            Some("not trusted") => Some(false),
            Some(_) | None => None,
        },
        ..Device::default()
    };
    filled(device)
}

/// A message or call that was sent: to which number, not to whom.
fn telephone(around: &Around<'_>) -> Outcome {
    static KEYS: Keys<5> = Keys::new(["telephony_id", "txid", "context", "phone", "type"]);
    let [id, txid, context, phone, kind] = around.item.pick(&KEYS);
    let context = word(context).unwrap_or_default();
    let action = match &*context.to_lowercase_smolstr() {
        "authentication" | "enrollment" | "administrator login" | "verify" => {
            Action::AuthMfaChallenge
        }
        _ => Action::Other,
    };
    if concerns_nobody(action) && !around.setup.keep_unread {
        return Outcome::Ignored(action.as_str());
    }
    let native = word(id);
    let what = (Domain::Idp, action, "telephony");
    let mut event = around.event(what, native.as_deref(), 0, time(around.item));
    event.vendor_action = cut(&format!("telephony/{context}"));
    event.outcome = Ended::Challenged;
    let phone = word(phone);
    event.target = role(
        phone
            .iter()
            .map(|n| handle(HandleKind::Phone, n.clone()))
            .collect(),
    );
    event.factor = Some(Box::new(Factor {
        factor_type: word(kind).and_then(|kind| duo_types::factor(&kind)),
        id: None,
        target_hash: phone,
    }));
    event.correlation = transaction(word(txid));
    one(event, native.as_deref())
}

fn one(event: Event, native: Option<&str>) -> Outcome {
    let events: Vec<MappedEvent> = vec![mapped(event, native, Vec::new())];
    Outcome::Events(events)
}
