//! Details of an Okta event: factor, device, network, risk with its `{k=v}` text, application, policy.

use crate::collect::draft::{at, cut, text};
use crate::collect::event::{
    Action, App, AppClass, Device, Event, Factor, FactorType, Network, Policy, PolicyClass,
    PolicyEffect, Risk, RiskKind,
};
use crate::collect::parse::Value;

/// Fills everything that is not a role.
pub(super) fn fill(event: &mut Event, item: Value<'_>) {
    event.network = network(item);
    event.device = device(item);
    event.risk = risk(event.action, item);
    if event.action == Action::AccessPolicyChanged {
        event.policy = Some(Box::new(policy(item)));
    }
    if matches!(
        event.action,
        Action::AuthAppAccess | Action::AuthPolicyDecision
    ) {
        event.app = app(item);
    }
    let factor_event =
        event.action.as_str().starts_with("mfa.") || event.action.as_str().starts_with("auth.mfa_");
    if factor_event {
        event.factor = factor(item);
    }
}

fn network(item: Value<'_>) -> Option<Box<Network>> {
    let chain_ip = || text(item, "request.ipChain.0.ip");
    let geo = at(item, "client.geographicalContext")
        .filter(|geo| geo.is_object())
        .or_else(|| at(item, "request.ipChain.0.geographicalContext"));
    let network = Network {
        ip: text(item, "client.ipAddress").or_else(chain_ip),
        ip_masked: None,
        asn: at(item, "securityContext.asNumber")
            .and_then(Value::as_i64)
            .and_then(|n| u32::try_from(n).ok()),
        as_org: text(item, "securityContext.asOrg"),
        is_proxy: at(item, "securityContext.isProxy").and_then(Value::as_bool),
        user_agent: text(item, "client.userAgent.rawUserAgent").map(|agent| cut(&agent)),
        country: geo.and_then(|geo| text(geo, "country")),
        city: geo.and_then(|geo| text(geo, "city")),
    };
    (network != Network::default()).then(|| Box::new(network))
}

fn device(item: Value<'_>) -> Option<Box<Device>> {
    let debug = |key: &str| text(item, &format!("debugContext.debugData.{key}"));
    let enrolled = at(item, "target").and_then(|targets| {
        let of_type =
            |t: &Value<'_>| text(*t, "type").is_some_and(|t| t.eq_ignore_ascii_case("device"));
        targets.items().find(of_type)
    });
    let own = at(item, "device").filter(|device| device.is_object());
    let any = |key: &str| own.and_then(|device| text(device, key));
    let flag = |key: &str| own.and_then(|d| at(d, key)).and_then(Value::as_bool);
    let device = Device {
        id: any("id").or_else(|| enrolled.and_then(|t| text(t, "id"))),
        name: any("name").or_else(|| enrolled.and_then(|t| text(t, "displayName"))),
        platform: any("os_platform")
            .or_else(|| any("platform"))
            .or_else(|| text(item, "client.userAgent.os"))
            .map(|os| os.to_lowercase()),
        managed: flag("managed"),
        registered: flag("registered"),
        fingerprint: debug("deviceFingerprint").or_else(|| debug("dtHash")),
        new_device: behaviour(item, "New Device"),
    };
    (device != Device::default()).then(|| Box::new(device))
}

/// Whether a behaviour was found: `POSITIVE`, `NEGATIVE`, or nothing said (`UNKNOWN`,
/// `BAD_REQUEST`).
fn behaviour(item: Value<'_>, name: &str) -> Option<bool> {
    let debug = at(item, "debugContext.debugData")?;
    let places = [at(debug, "logOnlySecurityData"), Some(debug)];
    let word = places.into_iter().flatten().find_map(|place| {
        let parsed = place.as_str().and_then(|text| pair(text, name));
        parsed.or_else(|| named(at(place, "behaviors")?, name))
    })?;
    match word.to_ascii_uppercase().as_str() {
        "POSITIVE" | "TRUE" => Some(true),
        "NEGATIVE" | "FALSE" => Some(false),
        _ => None,
    }
}

/// One entry of what Okta writes as an object, as `{k=v, …}` text, as JSON text or as a list of any
/// of them.
fn named(value: Value<'_>, name: &str) -> Option<String> {
    if value.is_array() {
        return value.items().find_map(|item| {
            let listed = text(item, "name").is_some_and(|n| n.eq_ignore_ascii_case(name));
            let result = || text(item, "result").or_else(|| text(item, "value"));
            listed.then(result).flatten().or_else(|| named(item, name))
        });
    }
    match value.as_str() {
        Some(words) => pair(words, name),
        None => text(value, name).or_else(|| split_key(value, name)),
    }
}

/// `{"New Device=POSITIVE": null}`: what some pipelines make of the text.
fn split_key(value: Value<'_>, name: &str) -> Option<String> {
    value.entries().find_map(|(key, _)| {
        let (key, word) = key.split_once('=')?;
        let same = key.trim().eq_ignore_ascii_case(name);
        same.then(|| word.trim().to_owned())
    })
}

/// The value of `name` in `{a=b, c=d}` or `{"a":"b"}`. A value ends where the next key begins,
/// because values contain commas.
fn pair(words: &str, name: &str) -> Option<String> {
    let lower = words.to_ascii_lowercase();
    let name = name.to_ascii_lowercase();
    let mut from = 0;
    while let Some(found) = lower.get(from..)?.find(&name) {
        let start = from + found;
        from = start + name.len();
        let before = lower.get(..start)?.trim_end().chars().next_back();
        let rest = lower.get(from..)?.trim_start_matches('"').trim_start();
        if !matches!(before, None | Some('{' | ',' | '"' | '[')) || !rest.starts_with(['=', ':']) {
            continue;
        }
        let at = words.len() - rest.len() + 1;
        let value = words.get(at..)?;
        let value = value.trim_start().trim_start_matches('"');
        let ends_at_key = value.char_indices().find(|(place, c)| match c {
            '}' | '"' => true,
            ',' => value.get(place + 1..).is_some_and(begins_with_key),
            _ => false,
        });
        let end = ends_at_key.map_or(value.len(), |(place, _)| place);
        return Some(value.get(..end)?.trim().to_owned());
    }
    None
}

fn begins_with_key(rest: &str) -> bool {
    let stop = rest.find(['=', ':', ',', '}']);
    stop.and_then(|at| rest.get(at..))
        .is_some_and(|rest| rest.starts_with(['=', ':']))
}

fn risk(action: Action, item: Value<'_>) -> Option<Box<Risk>> {
    let debug = at(item, "debugContext.debugData");
    let stated = |name: &str| {
        let debug = debug?;
        let logged = at(debug, "logOnlySecurityData").and_then(|log| match log.as_str() {
            Some(words) => words
                .find("\"risk\"")
                .and_then(|at| pair(words.get(at + 6..)?, name)),
            None => named(at(log, "risk")?, name),
        });
        let own = at(debug, "risk").and_then(|risk| match risk.as_str() {
            Some(word) if name == "level" && !word.contains(['{', '=']) => Some(word.to_owned()),
            Some(_) | None => named(risk, name),
        });
        own.or(logged)
    };
    let mut reasons = Vec::new();
    for name in [
        "New Device",
        "New IP",
        "New Geo-Location",
        "New Country",
        "New City",
        "New State",
        "Velocity",
    ] {
        if behaviour(item, name) == Some(true) {
            reasons.push(name.to_lowercase().replace([' ', '-'], "_"));
        }
    }
    if let Some(words) = stated("reasons") {
        reasons.extend(
            words
                .split(',')
                .map(|word| cut(word.trim()))
                .filter(|w| !w.is_empty()),
        );
    }
    let suspected = debug
        .and_then(|d| at(d, "threatSuspected"))
        .and_then(Value::as_bool);
    if suspected == Some(true) {
        reasons.push("threat_suspected".to_owned());
    }
    let level = stated("level")
        .or_else(|| debug.and_then(|d| text(d, "riskLevel")))
        .map(|level| level.to_lowercase());
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
fn factor(item: Value<'_>) -> Option<Box<Factor>> {
    let enrolled = at(item, "target").and_then(|targets| {
        targets.items().find(|t| {
            text(*t, "type").is_some_and(|t| {
                t.to_lowercase().contains("authenticator") || t.eq_ignore_ascii_case("factor")
            })
        })
    });
    let debug = |key: &str| text(item, &format!("debugContext.debugData.{key}"));
    let candidates = [
        debug("factor"),
        debug("factorType"),
        enrolled.and_then(|t| text(t, "detailEntry.methodTypeUsed")),
        enrolled.and_then(|t| text(t, "displayName")),
        text(item, "outcome.reason"),
        text(item, "authenticationContext.credentialType"),
        text(item, "legacyEventType").filter(|t| t.contains("factor")),
    ];
    let factor = Factor {
        factor_type: candidates
            .into_iter()
            .flatten()
            .find_map(|words| factor_type(&words)),
        id: enrolled
            .and_then(|t| text(t, "id"))
            .or_else(|| debug("factorId"))
            .or_else(|| debug("authenticatorEnrollmentId")),
        target_hash: None,
    };
    (factor != Factor::default()).then(|| Box::new(factor))
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

fn app(item: Value<'_>) -> Option<Box<App>> {
    if text(item, "eventType").is_some_and(|t| t == "user.session.access_admin_app") {
        return Some(Box::new(App {
            id: None,
            name: Some("Okta Admin Console".to_owned()),
            class: Some(AppClass::AdminConsole),
        }));
    }
    let target = at(item, "target")?
        .items()
        .find(|t| text(*t, "type").is_some_and(|t| t.eq_ignore_ascii_case("AppInstance")))?;
    let name = text(target, "displayName").or_else(|| text(target, "alternateId"));
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
        id: text(target, "id"),
        name,
        class: Some(class),
    }))
}

fn policy(item: Value<'_>) -> Policy {
    let event_type = text(item, "eventType").unwrap_or_default().to_lowercase();
    let mut about = String::new();
    for target in at(item, "target").into_iter().flat_map(Value::items) {
        for key in ["detailEntry.policyType", "type", "displayName"] {
            about.push_str(&text(target, key).unwrap_or_default().to_lowercase());
            about.push(' ');
        }
    }
    let has = |words: &[&str]| words.iter().any(|word| about.contains(word));
    let class = if event_type.starts_with("system.idp.") {
        PolicyClass::Federation
    } else if event_type.contains("mfa") || has(&["mfa", "enroll", "authenticator", "factor"]) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_although_values_hold_commas() {
        let risk = "{reasons=Anomalous Location, Anomalous Device, level=HIGH}";
        assert_eq!(pair(risk, "level").as_deref(), Some("HIGH"));
        assert_eq!(
            pair(risk, "reasons").as_deref(),
            Some("Anomalous Location, Anomalous Device")
        );
        assert_eq!(
            pair("{New IP=POSITIVE, New Device=NEGATIVE}", "New Device").as_deref(),
            Some("NEGATIVE")
        );
        assert_eq!(
            pair(r#"{"New Device":"POSITIVE"}"#, "new device").as_deref(),
            Some("POSITIVE")
        );
        assert_eq!(pair("{Velocity=x", "New IP"), None);
    }
}
