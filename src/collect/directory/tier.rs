//! How much harm a takeover of an account does, from what an export says of it.

use crate::collect::directory::fields::{flag, text, texts};
use crate::collect::parse::Value;
use crate::collect::words::Tier;

/// Words of job titles that mean somebody who leads the organisation.
const EXECUTIVE: [&str; 15] = [
    "chief",
    "ceo",
    "cfo",
    "coo",
    "cto",
    "cio",
    "ciso",
    "cmo",
    "cpo",
    "president",
    "vp",
    "svp",
    "evp",
    "director",
    "board",
];
/// Phrases of job titles that mean somebody who can reset others.
const PRIVILEGED: [&str; 13] = [
    "service desk",
    "servicedesk",
    "help desk",
    "helpdesk",
    "it support",
    "desktop support",
    "administrator",
    "sysadmin",
    "system admin",
    "systems engineer",
    "identity engineer",
    "security engineer",
    "site reliability",
];
/// Words that mean staff of somebody else.
const CONTRACTOR: [&str; 12] = [
    "contractor",
    "contingent",
    "external",
    "vendor",
    "agency",
    "guest",
    "temp",
    "temporary",
    "freelancer",
    "consultant",
    "bpo",
    "outsourced",
];

/// The tier that an item states or implies; the highest reason wins.
pub(super) fn tier_of(item: Value<'_>, name: &str) -> Tier {
    if let Some(tier) = stated(item) {
        return tier;
    }
    let user_type = text(
        item,
        &[
            "workertype",
            "usertype",
            "employeetype",
            "employmenttype",
            "workersubtype",
            "type",
        ],
    );
    let kind = user_type.unwrap_or_default().to_ascii_lowercase();
    if is_machine(&kind, name)
        || flag(item, &["webserviceaccessonly", "internalintegrationuser"]) == Some(true)
    {
        return Tier::Machine;
    }
    if has_phrase(&kind, &["break glass", "break_glass", "emergency"]) || is_break_glass(name) {
        return Tier::BreakGlass;
    }
    let title = text(
        item,
        &[
            "jobtitle",
            "title",
            "businesstitle",
            "position",
            "jobprofile",
        ],
    )
    .unwrap_or_default()
    .to_ascii_lowercase();
    if is_privileged(item, &title, name) {
        return Tier::Privileged;
    }
    if flag(item, &["vip", "isvip", "executive", "isexecutive"]) == Some(true)
        || is_executive(&title)
    {
        return Tier::Executive;
    }
    if has_word(&kind, &CONTRACTOR) || name.contains("#ext#") {
        return Tier::Contractor;
    }
    Tier::Standard
}

/// A tier by its own name.
pub(super) fn tier_named(name: &str) -> Option<Tier> {
    match name
        .trim()
        .to_ascii_lowercase()
        .replace(['-', ' '], "_")
        .as_str()
    {
        "standard" => Some(Tier::Standard),
        "contractor" => Some(Tier::Contractor),
        "executive" => Some(Tier::Executive),
        "privileged" => Some(Tier::Privileged),
        "break_glass" => Some(Tier::BreakGlass),
        "machine" => Some(Tier::Machine),
        _ => None,
    }
}

/// True where the title or the roles mean help-desk staff.
pub(super) fn is_desk(item: Value<'_>) -> bool {
    let title = text(item, &["jobtitle", "title", "businesstitle", "department"]);
    has_phrase(
        &title.unwrap_or_default().to_ascii_lowercase(),
        &[
            "service desk",
            "servicedesk",
            "help desk",
            "helpdesk",
            "it support",
            "desktop support",
        ],
    ) || roles(item)
        .iter()
        .any(|role| matches!(role.as_str(), "itil" | "agent" | "sn_incident_write"))
}

fn stated(item: Value<'_>) -> Option<Tier> {
    text(item, &["tier", "accounttier", "risktier", "deskwardentier"]).and_then(|t| tier_named(&t))
}

fn roles(item: Value<'_>) -> Vec<String> {
    let mut roles = texts(
        item,
        &[
            "role",
            "roles",
            "adminroles",
            "assignedroles",
            "directoryroles",
        ],
    );
    roles
        .iter_mut()
        .for_each(|role| role.make_ascii_lowercase());
    roles
}

fn is_privileged(item: Value<'_>, title: &str, name: &str) -> bool {
    let by_role = roles(item).iter().any(|role| {
        role.contains("admin") || matches!(role.as_str(), "agent" | "itil" | "security")
    });
    by_role
        || has_phrase(title, &PRIVILEGED)
        || ["adm-", "adm.", "adm_", "admin-", "admin.", "admin_"]
            .iter()
            .any(|p| name.starts_with(p))
        || ["-adm@", "-admin@", ".adm@", ".admin@"]
            .iter()
            .any(|p| name.contains(p))
}

fn is_machine(kind: &str, name: &str) -> bool {
    has_word(
        kind,
        &[
            "service",
            "machine",
            "integration",
            "robot",
            "application",
            "serviceprincipal",
        ],
    ) || ["svc-", "svc_", "svc.", "service-account", "srv-"]
        .iter()
        .any(|p| name.starts_with(p))
}

fn is_break_glass(name: &str) -> bool {
    [
        "breakglass",
        "break-glass",
        "break_glass",
        "emergency-access",
        "emergencyaccess",
    ]
    .iter()
    .any(|p| name.starts_with(p))
}

fn is_executive(title: &str) -> bool {
    // An assistant of the chief is not the chief.
    let helper = has_word(title, &["assistant", "secretary", "associate", "to"]);
    !helper && (has_word(title, &EXECUTIVE) || title.contains("vice president"))
}

fn has_word(text: &str, words: &[&str]) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|word| words.contains(&word))
}

fn has_phrase(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| text.contains(phrase))
}
