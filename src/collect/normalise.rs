//! Names of people in one spelling, so that two systems that mean the same address or number agree,
//! and the short form of them that people may read.

use smol_str::{SmolStr, format_smolstr};
use std::borrow::Cow;

use rlibphonenumber::{PhoneNumber, Region};
use unicode_normalization::UnicodeNormalization;
use unicode_security::MixedScript;

use crate::collect::event::Handle;
use crate::collect::present::present;
use crate::collect::words::HandleKind;

/// Fewest digits of a number that may belong to one person; less is an extension.
const PHONE_DIGITS_MIN: usize = 7;
/// Most digits of a number (E.164 allows 15; some carriers add a prefix).
const PHONE_DIGITS_MAX: usize = 18;
/// Longest name looked up, in bytes; an address has at most 254.
const NAME_BYTES_MAX: usize = 512;
/// What networks write in place of a number that is withheld.
const WITHHELD: [&str; 14] = [
    "anonymous",
    "withheld",
    "restricted",
    "private",
    "privatenumber",
    "unknown",
    "unavailable",
    "blocked",
    "nocallerid",
    "norecord",
    "266696687",
    "86282452253",
    "7378742833",
    "8656696",
];

/// What an organisation says about its own names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameRules {
    /// ISO country that a number without country code is read in, e.g. `US`.
    pub default_region: Option<String>,
    /// Own mail domains, lower case: only there may a `+tag` be left out in a second try.
    pub own_domains: Vec<String>,
}

/// A name in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalised {
    /// The spelling that is compared.
    pub value: String,
    /// The form for people.
    pub masked: SmolStr,
    /// The letters come from several scripts, as in an imitation of somebody's address.
    pub lookalike: bool,
}

/// Brings one name into its spelling; `None` for what names nobody: empty, withheld, too short.
#[must_use]
pub fn normalise(kind: HandleKind, text: &str, rules: &NameRules) -> Option<Normalised> {
    let value = spelling(kind, text, rules)?.into_owned();
    Some(Normalised {
        masked: mask(kind, &value),
        lookalike: is_lookalike(kind, &value),
        value,
    })
}

/// The one spelling of a name, borrowed where it is written so already.
fn spelling<'t>(kind: HandleKind, text: &'t str, rules: &NameRules) -> Option<Cow<'t, str>> {
    let text = present(text).filter(|text| text.len() <= NAME_BYTES_MAX)?;
    match kind {
        HandleKind::Email
        | HandleKind::Login
        | HandleKind::Upn
        | HandleKind::EntraId
        | HandleKind::SnowSysId
        | HandleKind::GenesysUserId
        | HandleKind::SnowUser
        | HandleKind::DuoUser
        | HandleKind::ConnectUsername => email(text),
        HandleKind::Phone => phone(text, rules).map(Cow::Owned),
        HandleKind::EmployeeId => Some(Cow::Owned(text.to_ascii_uppercase())),
        HandleKind::OktaId
        | HandleKind::ZendeskId
        | HandleKind::AtlassianId
        | HandleKind::ConnectAgentArn
        | HandleKind::Principal
        | HandleKind::DuoAdminName
        | HandleKind::DisplayName => Some(composed(text)),
        HandleKind::ChatHandle | HandleKind::Voiceprint => Some(lower(composed(text))),
    }
}

/// The form for people.
fn mask(kind: HandleKind, value: &str) -> SmolStr {
    match kind {
        HandleKind::Email | HandleKind::Login | HandleKind::Upn => mask_email(value),
        HandleKind::Phone => mask_phone(value),
        HandleKind::ChatHandle | HandleKind::Voiceprint => mask_name(value),
        HandleKind::EmployeeId
        | HandleKind::OktaId
        | HandleKind::EntraId
        | HandleKind::SnowSysId
        | HandleKind::SnowUser
        | HandleKind::ZendeskId
        | HandleKind::AtlassianId
        | HandleKind::ConnectAgentArn
        | HandleKind::ConnectUsername
        | HandleKind::GenesysUserId
        | HandleKind::DisplayName
        | HandleKind::DuoUser
        | HandleKind::DuoAdminName
        | HandleKind::Principal => value.into(),
    }
}

/// Normalises a handle in place and masks it; `None` where it names nobody, else whether it mixes
/// scripts.
#[must_use]
pub fn normalise_handle(handle: &mut Handle, rules: &NameRules) -> Option<bool> {
    let rewritten = match spelling(handle.kind, &handle.value, rules)? {
        Cow::Owned(value) => Some(value),
        Cow::Borrowed(part) if part.len() != handle.value.len() => Some(part.to_owned()),
        Cow::Borrowed(_) => None,
    };
    if let Some(value) = rewritten {
        handle.value = value.into();
    }
    if handle.masked.is_none() {
        handle.masked = Some(mask(handle.kind, &handle.value));
    }
    Some(is_lookalike(handle.kind, &handle.value))
}

/// Composed letters (NFC).
fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// ASCII letters in lower case.
fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        text
    }
}

/// Mail addresses and logins: without `mailto:`, `smtp:` and brackets, composed, ASCII letters lower.
/// A guest name (`…#EXT#@…`) stays what it is, but for its case.
fn email(text: &str) -> Option<Cow<'_, str>> {
    let mut text = text.trim();
    for prefix in ["mailto:", "smtp:"] {
        if let Some((front, rest)) = text.split_at_checked(prefix.len())
            && front.eq_ignore_ascii_case(prefix)
        {
            text = rest.trim();
        }
    }
    if let (true, Some(open)) = (text.ends_with('>'), text.rfind('<')) {
        text = text.get(open + 1..text.len() - 1).unwrap_or(text).trim();
    }
    (!text.is_empty()).then(|| lower(composed(text)))
}

/// True for a guest account's name, which is never taken for its home address.
#[must_use]
pub fn is_guest_name(name: &str) -> bool {
    name.to_ascii_lowercase().contains("#ext#")
}

/// The address without its `+tag`, if the domain is one of our own.
#[must_use]
pub fn without_tag(address: &str, rules: &NameRules) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let (name, _) = local.split_once('+')?;
    let own = rules
        .own_domains
        .iter()
        .any(|own| own.eq_ignore_ascii_case(domain));
    (own && !name.is_empty()).then(|| format!("{name}@{domain}"))
}

/// True where one part of the name mixes scripts that are not written together.
fn is_lookalike(kind: HandleKind, name: &str) -> bool {
    let compared = matches!(
        kind,
        HandleKind::Email
            | HandleKind::Login
            | HandleKind::Upn
            | HandleKind::ChatHandle
            | HandleKind::Voiceprint
    );
    compared
        && !name.is_ascii()
        && name
            .split(['@', '.', '-', '_', '+'])
            .any(|part| !part.is_single_script())
}

/// A number as E.164, or as its digits alone where its country cannot be told. `None` for withheld
/// numbers, extensions and what is no number.
#[must_use]
pub fn phone(text: &str, rules: &NameRules) -> Option<String> {
    let bare = bare_number(text);
    let squeezed: String = bare
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if WITHHELD.contains(&squeezed.as_str()) {
        return None;
    }
    let digits: String = bare.chars().filter(char::is_ascii_digit).collect();
    let letters = bare
        .chars()
        .any(|c| c.is_alphanumeric() && !c.is_ascii_digit());
    if letters || digits.len() < PHONE_DIGITS_MIN || digits.len() > PHONE_DIGITS_MAX {
        return None;
    }
    let region = rules.default_region.as_deref().and_then(region);
    let long_enough = |number: &String| number.len() > PHONE_DIGITS_MIN;
    if let Some(number) = e164(bare, region).filter(long_enough) {
        return Some(number);
    }
    if bare.starts_with('+') {
        return Some(format!("+{digits}"));
    }
    let international = digits.strip_prefix("00").unwrap_or(&digits);
    e164_valid(&format!("+{international}")).or(Some(digits))
}

/// What stands between `tel:`, `sip:` and the first `@`, `;` or extension.
fn bare_number(text: &str) -> &str {
    let mut text = text.trim();
    if let (Some(open), true) = (text.rfind('<'), text.ends_with('>')) {
        text = text.get(open + 1..text.len() - 1).unwrap_or(text);
    }
    for prefix in ["tel:", "sips:", "sip:", "callto:", "whatsapp:", "sms:"] {
        if let Some((front, rest)) = text.split_at_checked(prefix.len())
            && front.eq_ignore_ascii_case(prefix)
        {
            text = rest;
        }
    }
    // An extension (`x5`, `ext. 5`, `#5`) names a desk of the same line.
    let end = text.find(['@', ';', ',', '#', 'x', 'X', 'e', 'E']);
    let end = end.unwrap_or(text.len());
    text.get(..end).unwrap_or(text).trim()
}

fn region(code: &str) -> Option<Region> {
    Region::try_from(code.trim().to_ascii_uppercase().as_str()).ok()
}

fn e164(text: &str, region: Option<Region>) -> Option<String> {
    let number = PhoneNumber::parse(text, region).ok()?;
    let plain = number.to_string();
    let end = plain.find([';', ' ']).unwrap_or(plain.len());
    plain.get(..end).map(ToOwned::to_owned)
}

fn e164_valid(text: &str) -> Option<String> {
    let number = PhoneNumber::parse(text, None).ok()?;
    number.is_valid().then(|| number.to_string())
}

/// `+1•••0100`: the country code and the last four digits.
#[must_use]
pub fn mask_phone(number: &str) -> SmolStr {
    let last: String = tail(number, 4);
    let code = PhoneNumber::parse(number, None)
        .ok()
        .map(|number| format!("+{}", number.country_code));
    match code {
        Some(code) => format_smolstr!("{code}•••{last}"),
        None => format_smolstr!("•••{last}"),
    }
}

/// `a…@example.com`: the first letter and the domain.
#[must_use]
pub fn mask_email(address: &str) -> SmolStr {
    match address.rsplit_once('@') {
        Some((local, domain)) => {
            let first = local.chars().next().map_or(0, char::len_utf8);
            let first = local.get(..first).unwrap_or_default();
            SmolStr::from_iter([first, "…@", domain])
        }
        None => mask_name(address),
    }
}

/// `j…`: the first letter.
#[must_use]
pub fn mask_name(name: &str) -> SmolStr {
    let first: String = name.chars().take(1).collect();
    format_smolstr!("{first}…")
}

/// `203.0.113.•`, `2001:db8:1:•`: the network that an address lies in.
#[must_use]
pub fn mask_ip(address: core::net::IpAddr) -> SmolStr {
    match address.to_canonical() {
        core::net::IpAddr::V4(v4) => {
            let mut shown = v4.to_string();
            shown.truncate(shown.rfind('.').map_or(0, |dot| dot + 1));
            shown.push('•');
            shown.into()
        }
        core::net::IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format_smolstr!("{a:x}:{b:x}:{c:x}:•")
        }
    }
}

fn tail(text: &str, chars: usize) -> String {
    let skip = text.chars().count().saturating_sub(chars);
    text.chars().skip(skip).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> NameRules {
        NameRules {
            default_region: Some("US".to_owned()),
            own_domains: vec!["corp.example".to_owned()],
        }
    }

    fn value(kind: HandleKind, text: &str) -> Option<String> {
        normalise(kind, text, &rules()).map(|n| n.value)
    }

    #[test]
    fn addresses_have_one_spelling() {
        for text in [
            " Robert.Nguyen@Corp.Example ",
            "mailto:robert.nguyen@corp.example",
            "SMTP:Robert.Nguyen@corp.example",
            "Bob <robert.nguyen@corp.example>",
        ] {
            let got = value(HandleKind::Email, text);
            assert_eq!(got.as_deref(), Some("robert.nguyen@corp.example"), "{text}");
        }
        let composed = value(HandleKind::Email, "jose\u{301}@corp.example");
        assert_eq!(composed.as_deref(), Some("jos\u{e9}@corp.example"));
        assert_eq!(value(HandleKind::Email, "null"), None);
    }

    #[test]
    fn lookalikes_stay_apart_and_are_told() {
        let name = normalise(HandleKind::Email, "d\u{430}na@corp.example", &rules()).unwrap();
        assert!(name.lookalike);
        assert_ne!(name.value, "dana@corp.example");
        for honest in [
            "dana@corp.example",
            "jos\u{e9}@corp.example",
            "山田@corp.example",
        ] {
            assert!(
                !normalise(HandleKind::Email, honest, &rules())
                    .unwrap()
                    .lookalike,
                "{honest}"
            );
        }
    }

    #[test]
    fn tags_are_left_out_for_own_domains_alone() {
        let own = without_tag("dana+it@corp.example", &rules());
        assert_eq!(own.as_deref(), Some("dana@corp.example"));
        assert_eq!(without_tag("dana+it@mail.example", &rules()), None);
        assert_eq!(without_tag("+it@corp.example", &rules()), None);
        assert_eq!(without_tag("dana@corp.example", &rules()), None);
    }

    #[test]
    fn guests_keep_their_names() {
        let guest = "dana_home.example#EXT#@tenant.onmicrosoft.com";
        assert!(is_guest_name(guest));
        assert_eq!(
            value(HandleKind::Upn, guest),
            Some(guest.to_ascii_lowercase())
        );
    }

    #[test]
    fn numbers_become_e164() {
        for text in [
            "(415) 555-0102",
            "+1 415-555-0102",
            "tel:+14155550102",
            "tel:+1-415-555-0102;ext=5",
            "sip:+14155550102@sbc.example;user=phone",
            "sip:4155550102@10.0.0.1",
            "14155550102",
            "415.555.0102",
        ] {
            assert_eq!(
                value(HandleKind::Phone, text).as_deref(),
                Some("+14155550102"),
                "{text}"
            );
        }
        assert_eq!(
            value(HandleKind::Phone, "+44 (0)7700 900104").as_deref(),
            Some("+447700900104")
        );
        let nowhere = phone("14155550102", &NameRules::default());
        assert!(nowhere.is_some());
    }

    #[test]
    fn withheld_numbers_and_extensions_name_nobody() {
        for text in [
            "anonymous",
            "Anonymous",
            "sip:anonymous@anonymous.invalid",
            "+266696687",
            "Restricted",
            "PRIVATE",
            "Private Number",
            "unknown",
            "x1234",
            "123456",
            "",
            "client:alice",
            "1234567890123456789",
        ] {
            assert_eq!(value(HandleKind::Phone, text), None, "{text}");
        }
    }

    #[test]
    fn masks_show_little() {
        assert_eq!(mask_phone("+14155550100"), "+1•••0100");
        assert_eq!(mask_phone("+447700900104"), "+44•••0104");
        assert_eq!(mask_phone("5550100"), "•••0100");
        assert_eq!(mask_email("amelia@example.com"), "a…@example.com");
        assert_eq!(mask_email("short.login"), "s…");
        for (address, masked) in [
            ("203.0.113.9", "203.0.113.•"),
            ("::ffff:203.0.113.9", "203.0.113.•"),
            ("2001:db8:1::9", "2001:db8:1:•"),
        ] {
            assert_eq!(mask_ip(address.parse().unwrap()), masked);
        }
    }

    #[test]
    fn ids_are_compared_as_their_systems_do() {
        assert_eq!(
            value(HandleKind::EmployeeId, " e10001 ").as_deref(),
            Some("E10001")
        );
        assert_eq!(
            value(HandleKind::OktaId, "00uAbC").as_deref(),
            Some("00uAbC")
        );
        assert_eq!(value(HandleKind::EntraId, "0A-B").as_deref(), Some("0a-b"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_name_or_none(text in "\\PC{0,40}", digits in "[+(]?[0-9٣ ()./-]{0,24}(;ext=|x)?[0-9]{0,4}") {
            for text in [text, digits] {
                for kind in [HandleKind::Phone, HandleKind::Email, HandleKind::ChatHandle] {
                    let Some(name) = normalise(kind, &text, &rules()) else { continue };
                    proptest::prop_assert!(!name.value.is_empty() && !name.masked.is_empty());
                    let again = normalise(kind, &name.value, &rules());
                    proptest::prop_assert_eq!(again.map(|n| n.value), Some(name.value));
                }
            }
        }
    }
}
