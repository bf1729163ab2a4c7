//! Sign-ins of people, and what the vendor's risk detection says of them.

use super::{Parts, ended, network, user};
use crate::collect::action::Action;
use crate::collect::draft::{
    Around, agent_kind, cut, filled, mapped, moment, picked, role, text, word,
};
use crate::collect::entity::concerns_nobody;
use crate::collect::event::{
    AgentKind, App, AppClass, Correlation, Device, Domain, Event, Network, Outcome as Ended, Risk,
    RiskKind,
};
use crate::collect::mapped::Outcome;
use crate::collect::parse::{Keys, Value};
use smol_str::{SmolStr, StrExt as _};

/// Categories of sign-ins that nobody made in person.
const UNATTENDED: [&str; 1] = ["NonInteractiveUserSignInLogs"];
/// Risk levels and details that say nothing.
const NO_RISK: [&str; 4] = ["none", "hidden", "unknownFutureValue", ""];
/// Applications in which accounts are administered.
const CONSOLES: [&str; 6] = [
    "azure portal",
    "microsoft azure portal",
    "microsoft admin portals",
    "microsoft office 365 portal admin",
    "microsoft entra admin center",
    "azure active directory powershell",
];
/// Applications in which people look after their own account.
const PORTALS: [&str; 4] = [
    "my signins",
    "my profile",
    "microsoft account controls v2",
    "microsoft app access panel",
];

picked!(
    /// The properties of a sign-in, found in one walk.
    SignIn {
        id: "id",
        created: "createdDateTime",
        user_id: "userId",
        name: "userPrincipalName",
        status: "status",
        address: "ipAddress",
        location: "location",
        asn: "autonomousSystemNumber",
        agent: "userAgent",
        device: "deviceDetail",
        app: "appDisplayName",
        app_id: "appId",
        level: "riskLevelDuringSignIn",
        risks: "riskEventTypes_v2",
        interactive: "isInteractive",
        session: "sessionId",
    }
);

/// Maps one sign-in.
pub(super) fn map(around: &Around<'_>, parts: &Parts<'_>) -> Outcome {
    let sign_in = SignIn::of(parts.properties);
    let unattended =
        parts.is_of(&UNATTENDED) || sign_in.interactive.and_then(Value::as_bool) == Some(false);
    let action = if unattended {
        Action::AuthAppAccess
    } else {
        Action::AuthLogin
    };
    let native = word(sign_in.id);
    let time = sign_in
        .created
        .and_then(moment)
        .or_else(|| parts.time.and_then(moment));
    let what = (Domain::Idp, action, "sign_in");
    let mut event = around.event(what, native.as_deref(), 0, time);
    event.vendor_action = cut(&word(parts.operation).unwrap_or_else(|| "Sign-in activity".into()));
    observe(&mut event, parts);
    let (outcome, reason) = status(parts, &sign_in);
    event.outcome = outcome;
    event.outcome_reason = reason.map(|reason| cut(&reason));
    let who = user(around, sign_in.user_id, sign_in.name);
    event.self_service = (!who.is_empty()).then_some(true);
    event.agent_facts = (!who.is_empty()).then(|| agent_kind(AgentKind::EndUser));
    event.target = role(who.clone());
    event.agent = role(who);
    event.network = filled(whereabouts(parts, &sign_in));
    event.device = sign_in.device.and_then(device);
    event.app = app(&sign_in);
    event.risk = risk_of(&sign_in);
    event.correlation = filled(Correlation {
        native_txn: None,
        session: word(sign_in.session),
    });
    Outcome::Events(vec![mapped(event, native.as_deref(), Vec::new())])
}

picked!(
    /// A detection of risk.
    Detection {
        id: "id",
        event_type: "riskEventType",
        risk_type: "riskType",
        level: "riskLevel",
        state: "riskState",
        at: "activityDateTime",
        detected: "detectedDateTime",
        user_id: "userId",
        name: "userPrincipalName",
        ip: "ipAddress",
        activity: "activity",
    }
);

/// Maps one risk detection.
pub(super) fn risk(around: &Around<'_>, parts: &Parts<'_>) -> Outcome {
    let properties = parts.properties;
    let found = Detection::of(properties);
    let native = word(found.id);
    let time = found.at.and_then(moment);
    let time = time.or_else(|| found.detected.and_then(moment));
    let time = time.or_else(|| parts.time.and_then(moment));
    let what = (Domain::Idp, Action::RiskDetected, "risk");
    let mut event = around.event(what, native.as_deref(), 0, time);
    observe(&mut event, parts);
    let kind = word(found.event_type).or_else(|| word(found.risk_type));
    event.vendor_action = match (&kind, word(parts.operation)) {
        (_, Some(operation)) => cut(&operation),
        (Some(kind), None) => cut(kind),
        (None, None) => "risk detection".into(),
    };
    event.outcome = Ended::Success;
    event.target = role(user(around, found.user_id, found.name));
    let from = network(word(found.ip).or_else(|| word(parts.caller)), None);
    let place = properties.get_any_case("location");
    event.network = filled(placed(from, place));
    let about_sign_in = word(found.activity).is_some_and(|a| a.eq_ignore_ascii_case("signin"));
    let mut reasons: Vec<SmolStr> = kind.iter().map(|kind| cut(kind)).collect();
    reasons.extend(word(found.state).map(|state| format!("state:{state}").into()));
    event.risk = Some(Box::new(Risk {
        kind: Some(if about_sign_in {
            RiskKind::SignIn
        } else {
            RiskKind::User
        }),
        level: word(found.level).map(|level| level.to_lowercase_smolstr()),
        score: None,
        reasons,
    }));
    Outcome::Events(vec![mapped(event, native.as_deref(), Vec::new())])
}

/// A category that tells of no account of a person: service principals, calls of interfaces.
pub(super) fn idle(around: &Around<'_>, parts: &Parts<'_>) -> Outcome {
    let action = Action::Other;
    if concerns_nobody(action) && !around.setup.keep_unread {
        return Outcome::Ignored(action.as_str());
    }
    let native = text(parts.properties, "id");
    let time = parts.time.and_then(moment);
    let mut event = around.event((Domain::Idp, action, "other"), native.as_deref(), 0, time);
    let name = word(parts.operation).or_else(|| word(parts.category));
    event.vendor_action = cut(&name.unwrap_or_default());
    Outcome::Events(vec![mapped(event, native.as_deref(), Vec::new())])
}

/// The envelope's time is seconds to minutes later than what it holds.
fn observe(event: &mut Event, parts: &Parts<'_>) {
    let envelope = || parts.time.and_then(moment).map(|(time, _)| time);
    event.observed_time = event.observed_time.or_else(envelope);
}

/// `status.errorCode`, else `resultType`: a code as text, or a word.
fn status(parts: &Parts<'_>, sign_in: &SignIn<'_>) -> (Ended, Option<SmolStr>) {
    static KEYS: Keys<3> = Keys::new(["errorCode", "failureReason", "additionalDetails"]);
    let [code, why, more] = sign_in
        .status
        .map_or([None; 3], |status| status.pick(&KEYS));
    let result = code.or_else(|| parts.record.get_any_case("resultType"));
    let code = result.and_then(Value::as_i64);
    let how = match code {
        Some(0) => Ended::Success,
        // Something more was asked for: MFA, its set-up, a device, terms.
        Some(50_072 | 50_074 | 50_076 | 50_079 | 50_125 | 50_129 | 50_140 | 50_158) => {
            Ended::Challenged
        }
        // Smart lockout; blocked by conditional access, by an administrator, for risk.
        Some(50_053 | 53_000..=53_004 | 530_032) => Ended::Denied,
        Some(_) => Ended::Failure,
        None => ended(result.and_then(Value::text).as_deref()),
    };
    let why = word(why).filter(|why| !why.eq_ignore_ascii_case("Other."));
    let why = why.or_else(|| word(more));
    (how, why.filter(|_| how != Ended::Success))
}

fn whereabouts(parts: &Parts<'_>, sign_in: &SignIn<'_>) -> Network {
    let ip = word(sign_in.address).or_else(|| word(parts.caller));
    let mut found = placed(network(ip, word(sign_in.agent)), sign_in.location);
    let asn = sign_in.asn.and_then(Value::as_i64);
    found.asn = asn
        .and_then(|asn| u32::try_from(asn).ok())
        .filter(|asn| *asn > 0);
    found
}

fn placed(mut found: Network, place: Option<Value<'_>>) -> Network {
    static PLACE: Keys<2> = Keys::new(["countryOrRegion", "city"]);
    let [country, city] = place.map_or([None; 2], |place| place.pick(&PLACE));
    found.country = word(country);
    found.city = word(city);
    found
}

fn device(value: Value<'_>) -> Option<Box<Device>> {
    static KEYS: Keys<6> = Keys::new([
        "deviceId",
        "displayName",
        "operatingSystem",
        "isManaged",
        "isCompliant",
        "trustType",
    ]);
    let [id, name, os, managed, compliant, trust] = value.pick(&KEYS);
    let device = Device {
        id: word(id),
        name: word(name),
        platform: word(os).map(|os| os.to_lowercase_smolstr()),
        managed: managed.or(compliant).and_then(Value::as_bool),
        registered: word(trust).map(|_| true),
        ..Device::default()
    };
    filled(device)
}

fn app(sign_in: &SignIn<'_>) -> Option<Box<App>> {
    let app = App {
        id: word(sign_in.app_id),
        name: word(sign_in.app),
        class: None,
    };
    if app == App::default() {
        return None;
    }
    let name = app.name.as_deref().unwrap_or_default();
    let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
    let class = if is(&CONSOLES) {
        AppClass::AdminConsole
    } else if is(&PORTALS) {
        AppClass::AccountPortal
    } else if name.to_lowercase().contains("exchange") {
        AppClass::Mail
    } else {
        AppClass::Other
    };
    Some(Box::new(App {
        class: Some(class),
        ..app
    }))
}

fn risk_of(sign_in: &SignIn<'_>) -> Option<Box<Risk>> {
    let says = |text: &str| !NO_RISK.iter().any(|none| text.eq_ignore_ascii_case(none));
    let level = word(sign_in.level).filter(|level| says(level));
    let reasons = sign_in.risks.into_iter().flat_map(Value::items);
    let reasons: Vec<SmolStr> = reasons
        .take(super::ENTRIES_MAX)
        .filter_map(|reason| word(Some(reason)))
        .filter(|reason| says(reason))
        .map(|reason| cut(&reason))
        .collect();
    (level.is_some() || !reasons.is_empty()).then(|| {
        Box::new(Risk {
            kind: Some(RiskKind::SignIn),
            level: level.map(|level| level.to_lowercase_smolstr()),
            score: None,
            reasons,
        })
    })
}
