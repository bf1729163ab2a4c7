//! Details of an Okta event: factor, device, network, risk with its `{k=v}` text, application, policy.

use crate::collect::draft::{bare_ip, cut, filled, word};
use crate::collect::event::{
    Action, App, AppClass, Device, Event, Factor, FactorType, Network, Policy, PolicyClass,
    PolicyEffect, Risk, RiskKind,
};
use crate::collect::idp::okta_parts::{Parts, Thing, inner, words};
use crate::collect::idp::okta_risk::Statements;
use crate::collect::parse::{Keys, Value};
use smol_str::{SmolStr, StrExt as _};

/// Fills everything that is not a role.
pub(super) fn fill(event: &mut Event, parts: &Parts<'_>, event_type: &str) {
    let statements = Statements::of(&parts.debug);
    event.network = network(parts);
    event.device = device(parts, statements.behaviour("new device"));
    event.risk = risk(event.action, parts, &statements);
    if event.action == Action::AccessPolicyChanged {
        event.policy = Some(Box::new(policy(parts, event_type)));
    }
    if matches!(
        event.action,
        Action::AuthAppAccess | Action::AuthPolicyDecision
    ) {
        event.app = app(parts, event_type);
    }
    let factor_event =
        event.action.as_str().starts_with("mfa.") || event.action.as_str().starts_with("auth.mfa_");
    if factor_event {
        event.factor = factor(parts);
    }
}

fn network(parts: &Parts<'_>) -> Option<Box<Network>> {
    static CLIENT: Keys<3> = Keys::new(["ipAddress", "userAgent", "geographicalContext"]);
    static SECURITY: Keys<3> = Keys::new(["asNumber", "asOrg", "isProxy"]);
    static PLACE: Keys<2> = Keys::new(["country", "city"]);
    let [address, agent, geo] = inner(parts.client, &CLIENT);
    let [asn, as_org, is_proxy] = inner(parts.security, &SECURITY);
    let hop = || parts.first_hop();
    let hop_geo = || hop()?.get_any_case("geographicalContext");
    let geo = geo.filter(|geo| geo.is_object()).or_else(hop_geo);
    let [country, city] = inner(geo, &PLACE);
    let raw = agent.and_then(|agent| agent.get_any_case("rawUserAgent"));
    let network = Network {
        ip: word(address)
            .or_else(|| word(hop()?.get_any_case("ip")))
            .or_else(|| anonymous(parts))
            .map(bare_ip),
        ip_masked: None,
        asn: asn
            .and_then(Value::as_i64)
            .and_then(|n| u32::try_from(n).ok()),
        as_org: word(as_org),
        is_proxy: is_proxy.and_then(Value::as_bool),
        user_agent: raw.and_then(Value::text).map(|agent| cut(&agent)),
        country: word(country),
        city: word(city),
    };
    filled(network)
}

/// The address of an actor who is nothing but an address.
fn anonymous(parts: &Parts<'_>) -> Option<SmolStr> {
    let actor = parts.actor.filter(|actor| actor.is("IP address"))?;
    word(actor.id).or_else(|| word(actor.display_name))
}

fn device(parts: &Parts<'_>, new_device: Option<bool>) -> Option<Box<Device>> {
    static DEVICE: Keys<6> = Keys::new([
        "id",
        "name",
        "os_platform",
        "platform",
        "managed",
        "registered",
    ]);
    let enrolled = parts.targets.iter().find(|t| t.is("device"));
    let [id, name, os_platform, platform, managed, registered] = inner(parts.device, &DEVICE);
    let client_os = || {
        let agent = parts.client?.get_any_case("userAgent")?;
        word(agent.get_any_case("os"))
    };
    let debug = &parts.debug;
    let device = Device {
        id: word(id).or_else(|| word(enrolled?.id)),
        name: word(name).or_else(|| word(enrolled?.display_name)),
        platform: word(os_platform)
            .or_else(|| word(platform))
            .or_else(client_os)
            .map(|os| os.to_lowercase_smolstr()),
        managed: managed.and_then(Value::as_bool),
        registered: registered.and_then(Value::as_bool),
        fingerprint: word(debug.fingerprint).or_else(|| word(debug.dt_hash)),
        new_device,
    };
    filled(device)
}

fn risk(action: Action, parts: &Parts<'_>, statements: &Statements<'_>) -> Option<Box<Risk>> {
    let mut reasons = statements.positive();
    if let Some(words) = statements.stated("reasons") {
        reasons.extend(
            words
                .split(',')
                .map(|word| cut(word.trim()))
                .filter(|w| !w.is_empty()),
        );
    }
    let suspected = parts.debug.threat_suspected.and_then(Value::as_bool);
    if suspected == Some(true) {
        reasons.push("threat_suspected".into());
    }
    let level = statements
        .stated("level")
        .or_else(|| parts.debug.risk_level.map(SmolStr::from))
        .map(|level| level.to_lowercase_smolstr());
    let about_risk = matches!(action, Action::RiskDetected | Action::RiskUserReported);
    (about_risk || level.is_some() || !reasons.is_empty()).then(|| {
        Box::new(Risk {
            kind: Some(if about_risk {
                RiskKind::User
            } else {
                RiskKind::SignIn
            }),
            level,
            score: None,
            reasons,
        })
    })
}

/// The factor: `debugData.factor`, a target of type AuthenticatorEnrollment, or the words of
/// `outcome.reason`.
fn factor(parts: &Parts<'_>) -> Option<Box<Factor>> {
    let is_factor =
        |t: &&Thing<'_>| t.is("factor") || t.kind().to_ascii_lowercase().contains("authenticator");
    let enrolled = parts.targets.iter().find(is_factor);
    let debug = &parts.debug;
    let method = || words(enrolled?.detail?.get_any_case("methodTypeUsed"));
    let shown = || words(enrolled?.display_name);
    let legacy = parts.legacy_type.filter(|t| t.contains("factor"));
    let candidates = [
        debug.factor,
        debug.factor_type,
        method(),
        shown(),
        parts.reason,
        parts.credential_type,
        legacy,
    ];
    let factor = Factor {
        factor_type: candidates.into_iter().flatten().find_map(factor_type),
        id: enrolled
            .and_then(|t| word(t.id))
            .or_else(|| word(debug.factor_id))
            .or_else(|| word(debug.enrolment_id)),
        target_hash: None,
    };
    filled(factor)
}

fn factor_type(words: &str) -> Option<FactorType> {
    let words = words.to_lowercase();
    let table: [(&[&str], FactorType); 11] = [
        (
            &["push", "signed_nonce", "fastpass", "signed nonce"],
            FactorType::Push,
        ),
        (&["sms"], FactorType::Sms),
        (
            &["voice", "call_factor", "phone call", "phone_number"],
            FactorType::PhoneCall,
        ),
        (
            &[
                "webauthn",
                "fido2",
                "fido_webauthn",
                "passkey",
                "security key or bio",
            ],
            FactorType::Webauthn,
        ),
        (&["u2f"], FactorType::U2f),
        (&["question"], FactorType::SecurityQuestion),
        (&["email"], FactorType::Email),
        (
            &["hardware", "yubikey", "rsa_", "rsa securid", "symantec"],
            FactorType::HardwareToken,
        ),
        (
            &[
                "totp",
                "otp",
                "soft_token",
                "soft token",
                "google_auth",
                "google authenticator",
                "token:software",
            ],
            FactorType::Otp,
        ),
        (&["password"], FactorType::Password),
        (&["okta_verify", "okta verify"], FactorType::Push),
    ];
    let row = table
        .iter()
        .find(|(names, _)| names.iter().any(|name| words.contains(name)));
    row.map(|(_, factor)| *factor)
}

fn app(parts: &Parts<'_>, event_type: &str) -> Option<Box<App>> {
    if event_type == "user.session.access_admin_app" {
        return Some(Box::new(App {
            id: None,
            name: Some("Okta Admin Console".into()),
            class: Some(AppClass::AdminConsole),
        }));
    }
    let target = parts.targets.iter().find(|t| t.is("AppInstance"))?;
    let name = word(target.display_name).or_else(|| word(target.alternate_id));
    let lower = name.as_deref().unwrap_or_default().to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let class = if has(&["admin console", "admin center", "iam identity center"]) {
        AppClass::AdminConsole
    } else if has(&["okta dashboard", "my account", "my apps"]) {
        AppClass::AccountPortal
    } else if has(&["mail", "outlook", "exchange"]) {
        AppClass::Mail
    } else {
        AppClass::Other
    };
    Some(Box::new(App {
        id: word(target.id),
        name,
        class: Some(class),
    }))
}

fn policy(parts: &Parts<'_>, event_type: &str) -> Policy {
    let event_type = event_type.to_lowercase();
    let mut about = String::new();
    for target in &parts.targets {
        let policy_type = target.detail.and_then(|d| d.get_any_case("policyType"));
        let shown = [
            words(policy_type),
            Some(target.kind()),
            words(target.display_name),
        ];
        for word in shown.into_iter().flatten() {
            about.push_str(&word.to_lowercase());
            about.push(' ');
        }
    }
    let has = |words: &[&str]| words.iter().any(|word| about.contains(word));
    let class = if event_type.starts_with("system.idp.") {
        PolicyClass::Federation
    } else if event_type.contains("mfa")
        || event_type.contains("authenticator")
        || has(&["mfa", "enroll", "authenticator", "factor"])
    {
        PolicyClass::Mfa
    } else if has(&["password"]) {
        PolicyClass::Password
    } else if has(&["session"]) {
        PolicyClass::Session
    } else if has(&["sign_on", "signon", "sign on", "sign-on", "access_policy"]) {
        PolicyClass::SignOn
    } else {
        PolicyClass::Other
    };
    let lifted = event_type.ends_with("deactivate") || event_type.ends_with("delete");
    let effect = match (lifted, event_type.starts_with("system.idp.")) {
        (true, false) => PolicyEffect::Weakened,
        (true, true) | (false, _) => PolicyEffect::Unknown,
    };
    Policy {
        class: Some(class),
        effect: Some(effect),
    }
}
