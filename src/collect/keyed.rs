//! The last step of `collect`: numbers, addresses and device ids are replaced by keyed hashes. Equal
//! values stay equal, and nobody without the key can tell what they were.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::collect::event::{Event, Handle};
use crate::collect::normalise::{NameRules, mask_email, mask_ip, mask_name, mask_phone, normalise};
use crate::collect::words::HandleKind;

/// Length of a keyed value in hexadecimal characters.
const HEX_CHARS: usize = 32;

/// The keyed value of a normalised name: first 128 bits of HMAC-SHA256, in hex. Mail addresses,
/// logins and principal names are one kind here, so that one address has one value.
#[must_use]
pub fn keyed(key: &[u8], kind: HandleKind, value: &str) -> String {
    hash(key, label(kind), value)
}

const fn label(kind: HandleKind) -> &'static str {
    match kind {
        HandleKind::Email | HandleKind::Login | HandleKind::Upn => "mail",
        HandleKind::Phone => "phone",
        HandleKind::EmployeeId => "employee",
        HandleKind::OktaId => "okta",
        HandleKind::EntraId => "entra",
        HandleKind::SnowSysId => "snow",
        HandleKind::SnowUser => "snow_user",
        HandleKind::ZendeskId => "zendesk",
        HandleKind::AtlassianId => "atlassian",
        HandleKind::ConnectAgentArn => "connect",
        HandleKind::ConnectUsername => "connect_user",
        HandleKind::GenesysUserId => "genesys",
        HandleKind::ChatHandle => "chat",
        HandleKind::Voiceprint => "voice",
        HandleKind::DisplayName => "name",
        HandleKind::Principal => "principal",
    }
}

fn hash(key: &[u8], label: &str, value: &str) -> String {
    use std::fmt::Write as _;
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return String::new(); // HMAC takes a key of any length.
    };
    mac.update(label.as_bytes());
    mac.update(&[0]);
    mac.update(value.as_bytes());
    let mut text = String::with_capacity(2 * HEX_CHARS);
    for byte in mac.finalize().into_bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    text.truncate(HEX_CHARS);
    text
}

const fn is_personal(kind: HandleKind) -> bool {
    matches!(
        kind,
        HandleKind::Email
            | HandleKind::Login
            | HandleKind::Upn
            | HandleKind::Phone
            | HandleKind::ChatHandle
            | HandleKind::Voiceprint
    )
}

/// Replaces every personal value of an event by its keyed form. To be called once, after `identify`.
pub fn key_event(event: &mut Event, key: &[u8]) {
    let roles = [
        &mut event.target,
        &mut event.requester,
        &mut event.agent,
        &mut event.approver,
        &mut event.caller,
    ];
    for role in roles.into_iter().flatten() {
        role.handles
            .iter_mut()
            .for_each(|handle| key_handle(handle, key));
    }
    if let Some(phone) = &mut event.phone {
        let numbers = phone.ani.iter_mut().chain(&mut phone.callback_number);
        numbers.for_each(|handle| key_handle(handle, key));
    }
    if let Some(network) = &mut event.network
        && let Some(ip) = &mut network.ip
    {
        network.ip_masked = mask_ip(ip).or_else(|| network.ip_masked.take());
        *ip = hash(key, "ip", &canonical_ip(ip));
    }
    if let Some(device) = &mut event.device {
        replace(&mut device.id, key, "device");
        replace(&mut device.fingerprint, key, "fingerprint");
    }
    if let Some(factor) = &mut event.factor {
        replace(&mut factor.id, key, "factor");
        if let Some(target) = &mut factor.target_hash {
            *target = key_contact(target, key);
        }
    }
    let tickets = event.ticket_ref.iter_mut();
    let verified_by = event.verification.iter_mut().filter_map(|v| v.by.as_mut());
    for name in tickets
        .flat_map(|ticket| &mut ticket.assignee)
        .chain(verified_by)
    {
        let bare = name
            .split_once(':')
            .map_or(name.as_str(), |(_, value)| value);
        if bare.contains('@') {
            *name = key_contact(bare, key);
        }
    }
}

fn key_handle(handle: &mut Handle, key: &[u8]) {
    if !is_personal(handle.kind) {
        return;
    }
    if handle.masked.is_none() {
        handle.masked = Some(if handle.kind == HandleKind::Phone {
            mask_phone(&handle.value)
        } else if matches!(handle.kind, HandleKind::ChatHandle | HandleKind::Voiceprint) {
            mask_name(&handle.value)
        } else {
            mask_email(&handle.value)
        });
    }
    handle.value = keyed(key, handle.kind, &handle.value);
}

/// The number or address that a factor is bound to, in the value that a handle of it would have.
fn key_contact(text: &str, key: &[u8]) -> String {
    let kind = if text.contains('@') {
        HandleKind::Email
    } else {
        HandleKind::Phone
    };
    let name = normalise(kind, text, &NameRules::default());
    name.map_or_else(
        || hash(key, "contact", text),
        |name| keyed(key, kind, &name.value),
    )
}

fn canonical_ip(text: &str) -> String {
    let parsed: Result<core::net::IpAddr, _> = text.trim().parse();
    parsed.map_or_else(
        |_| text.trim().to_owned(),
        |ip| ip.to_canonical().to_string(),
    )
}

fn replace(field: &mut Option<String>, key: &[u8], label: &str) {
    if let Some(value) = field {
        *value = hash(key, label, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::event::{Action, Device, Domain, Factor, Network, Phone, Role};
    use crate::collect::time::Timestamp;

    fn handle(kind: HandleKind, value: &str) -> Handle {
        Handle {
            kind,
            value: value.to_owned(),
            masked: None,
            issuer: None,
        }
    }

    #[test]
    fn equal_values_stay_equal_and_keys_separate() {
        let mail = keyed(b"k", HandleKind::Email, "a@x.example");
        assert_eq!(mail.len(), 32);
        assert_eq!(mail, keyed(b"k", HandleKind::Upn, "a@x.example"));
        assert_ne!(mail, keyed(b"l", HandleKind::Email, "a@x.example"));
        assert_ne!(mail, keyed(b"k", HandleKind::ChatHandle, "a@x.example"));
    }

    #[test]
    fn no_personal_value_is_left_in_the_event() {
        let mut event = Event::new(Domain::Idp, Action::AuthLogin, Timestamp(1));
        event.caller = Some(Box::new(Role {
            handles: vec![
                handle(HandleKind::Phone, "+14155550100"),
                handle(HandleKind::Email, "amelia@example.com"),
                handle(HandleKind::OktaId, "00u1"),
            ],
            ..Role::default()
        }));
        event.phone = Some(Box::new(Phone {
            ani: Some(handle(HandleKind::Phone, "+14155550100")),
            ..Phone::default()
        }));
        event.network = Some(Box::new(Network {
            ip: Some("203.0.113.9".to_owned()),
            ..Network::default()
        }));
        event.device = Some(Box::new(Device {
            id: Some("dev-77".to_owned()),
            fingerprint: Some("print-77".to_owned()),
            ..Device::default()
        }));
        event.factor = Some(Box::new(Factor {
            id: Some("fac-77".to_owned()),
            target_hash: Some("+1 415 555 0100".to_owned()),
            ..Factor::default()
        }));
        key_event(&mut event, b"k");
        let json = serde_json::to_string(&event).unwrap();
        for raw in [
            "4155550100",
            "amelia",
            "203.0.113.9",
            "dev-77",
            "print-77",
            "fac-77",
        ] {
            assert!(!json.contains(raw), "{raw} in {json}");
        }
        for shown in ["+1•••0100", "a…@example.com", "203.0.113.•", "00u1"] {
            assert!(json.contains(shown), "{shown} in {json}");
        }
        let ani = event.phone.unwrap().ani.unwrap().value;
        assert_eq!(Some(ani), event.factor.unwrap().target_hash);
    }

    #[test]
    fn one_address_in_two_spellings_is_one_value() {
        let ip = |text: &str| hash(b"k", "ip", &canonical_ip(text));
        assert_eq!(ip("::ffff:203.0.113.9"), ip("203.0.113.9"));
        assert_ne!(ip("203.0.113.9"), ip("203.0.113.10"));
    }
}
