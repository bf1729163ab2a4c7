//! The last step of `collect`: numbers, addresses and device ids are replaced by keyed hashes. Equal
//! values stay equal, and nobody without the key can tell what they were.

use core::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use smol_str::{SmolStr, ToSmolStr as _};

use crate::collect::event::{Event, Handle};
use crate::collect::normalise::{NameRules, mask_email, mask_ip, mask_name, mask_phone, normalise};
use crate::collect::words::HandleKind;

/// Bytes of a keyed value, which is written in hexadecimal.
const KEYED_BYTES: usize = 16;
/// Most values of one event that are remembered while it is keyed.
const SEEN_MAX: usize = 16;

/// The key of a deployment, ready for use: HMAC has to digest a key before the first byte of a value,
/// and does it here, once.
#[derive(Clone)]
pub struct Key {
    bytes: Vec<u8>,
    prepared: Option<Hmac<Sha256>>,
}

impl Key {
    /// A key of any length.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            prepared: Hmac::new_from_slice(bytes).ok(),
        }
    }

    /// True for the key that is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl Default for Key {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl From<Vec<u8>> for Key {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(&bytes)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Key {}

impl std::fmt::Debug for Key {
    /// Never shows the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// The keyed value of a normalised name: first 128 bits of HMAC-SHA256, in hex. Mail addresses,
/// logins and principal names are one kind here, so that one address has one value.
#[must_use]
pub fn keyed(key: &Key, kind: HandleKind, value: &str) -> SmolStr {
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
        HandleKind::DuoUser => "duo_user",
        HandleKind::DuoAdminName => "duo_admin",
    }
}

fn hash(key: &Key, label: &str, value: &str) -> SmolStr {
    let Some(mut mac) = key.prepared.clone() else {
        return SmolStr::default(); // HMAC takes a key of any length.
    };
    mac.update(label.as_bytes());
    mac.update(&[0]);
    mac.update(value.as_bytes());
    let digest: [u8; 32] = mac.finalize().into_bytes().into();
    let (front, _) = digest.split_at(KEYED_BYTES);
    let mut text = [0; 2 * KEYED_BYTES];
    // The text has room for it.
    let _ = hex::encode_to_slice(front, &mut text);
    str::from_utf8(&text).map_or_else(|_| SmolStr::default(), SmolStr::new)
}

/// What was keyed last: one event names the same address as target, agent and login.
struct Keying<'k> {
    key: &'k Key,
    seen: Vec<(&'static str, SmolStr, SmolStr)>,
}

impl Keying<'_> {
    fn hash(&mut self, label: &'static str, value: &mut SmolStr) {
        let known = self
            .seen
            .iter()
            .find(|(of, raw, _)| *of == label && raw == value);
        if let Some((_, _, keyed)) = known {
            value.clone_from(keyed);
            return;
        }
        let keyed = hash(self.key, label, value);
        if self.seen.len() < SEEN_MAX {
            let raw = std::mem::replace(value, keyed.clone());
            self.seen.push((label, raw, keyed));
        } else {
            *value = keyed;
        }
    }

    fn field(&mut self, field: &mut Option<SmolStr>, label: &'static str) {
        if let Some(value) = field {
            self.hash(label, value);
        }
    }
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
pub fn key_event(event: &mut Event, key: &Key) {
    let mut keying = Keying {
        key,
        seen: Vec::new(),
    };
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
            .for_each(|handle| key_handle(handle, &mut keying));
    }
    if let Some(phone) = &mut event.phone {
        let numbers = phone.ani.iter_mut().chain(&mut phone.callback_number);
        numbers.for_each(|handle| key_handle(handle, &mut keying));
    }
    if let Some(network) = &mut event.network
        && let Some(ip) = &mut network.ip
    {
        let address = ip.trim().parse().ok();
        network.ip_masked = address.map(mask_ip).or_else(|| network.ip_masked.take());
        *ip = canonical_ip(ip, address);
        keying.hash("ip", ip);
    }
    if let Some(device) = &mut event.device {
        keying.field(&mut device.id, "device");
        keying.field(&mut device.fingerprint, "fingerprint");
    }
    if let Some(factor) = &mut event.factor {
        keying.field(&mut factor.id, "factor");
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

fn key_handle(handle: &mut Handle, keying: &mut Keying<'_>) {
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
    keying.hash(label(handle.kind), &mut handle.value);
}

/// The number or address that a factor is bound to, in the value that a handle of it would have.
fn key_contact(text: &str, key: &Key) -> SmolStr {
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

/// An address in one spelling; `address` is what was read of it.
fn canonical_ip(text: &str, address: Option<IpAddr>) -> SmolStr {
    match address {
        // It has no other.
        None | Some(IpAddr::V4(_)) => text.trim().into(),
        Some(address @ IpAddr::V6(_)) => address.to_canonical().to_smolstr(),
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
            value: value.into(),
            masked: None,
            issuer: None,
        }
    }

    #[test]
    fn equal_values_stay_equal_and_keys_separate() {
        let mail = keyed(&Key::new(b"k"), HandleKind::Email, "a@x.example");
        assert_eq!(mail.len(), 32);
        assert_eq!(mail, keyed(&Key::new(b"k"), HandleKind::Upn, "a@x.example"));
        assert_ne!(
            mail,
            keyed(&Key::new(b"l"), HandleKind::Email, "a@x.example")
        );
        assert_ne!(
            mail,
            keyed(&Key::new(b"k"), HandleKind::ChatHandle, "a@x.example")
        );
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
            ip: Some("203.0.113.9".into()),
            ..Network::default()
        }));
        event.device = Some(Box::new(Device {
            id: Some("dev-77".into()),
            fingerprint: Some("print-77".into()),
            ..Device::default()
        }));
        event.factor = Some(Box::new(Factor {
            id: Some("fac-77".into()),
            target_hash: Some("+1 415 555 0100".into()),
            ..Factor::default()
        }));
        key_event(&mut event, &Key::new(b"k"));
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
        let ip = |text: &str| {
            hash(
                &Key::new(b"k"),
                "ip",
                &canonical_ip(text, text.parse().ok()),
            )
        };
        assert_eq!(ip("::ffff:203.0.113.9"), ip("203.0.113.9"));
        assert_ne!(ip("203.0.113.9"), ip("203.0.113.10"));
    }
}
