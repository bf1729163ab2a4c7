//! CEF: one line for ArcSight, Sentinel and whoever reads syslog.
//!
//! Source: "Implementing ArcSight Common Event Format", version 25: header and extension escaping, and
//! the dictionary of extension keys with their lengths.

use crate::collect::time::Timestamp;
use crate::deliver::notice::{Named, Notice};
use crate::deliver::pii::Masking;
use crate::deliver::route::Decision;
use crate::deliver::text::line;

/// How a CEF receiver is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cef {
    /// How people are named.
    pub masking: Masking,
}

/// The line of a revision; `published` is the time of its record, the only one that is not event time.
#[must_use]
pub fn message(
    notice: &Notice,
    decision: Decision,
    settings: &Cef,
    published: Timestamp,
) -> String {
    let notice = &*settings.masking.apply(notice);
    let lead = notice.active_patterns().next();
    let mut text = String::from("CEF:0");
    for field in [
        "Deskwarden",
        "Deskwarden",
        &notice.version,
        lead.map_or("none", |pattern| &pattern.id),
        &notice.title,
        &notice.severity().cef.to_string(),
    ] {
        text.push('|');
        text.push_str(&header(field));
    }
    text.push('|');
    let pairs = extension(notice, decision, published);
    let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<String> = pairs.map(|(k, v)| format!("{k}={v}")).collect();
    text.push_str(&pairs.join(" "));
    text
}

/// Keys with their values, escaped; empty ones are left out.
fn extension(
    notice: &Notice,
    decision: Decision,
    published: Timestamp,
) -> Vec<(&'static str, String)> {
    let alert = &notice.alert;
    let people = &notice.people;
    let subject = Named {
        id: alert.subject.id.clone(),
        name: alert.subject.name.clone(),
    };
    let is_person = alert.subject.kind == "identity";
    let target = if is_person {
        Some(&subject)
    } else {
        people.targets.first()
    };
    let agent = people.agents.first();
    let address = people.addresses.first();
    let patterns: Vec<&str> = notice.active_patterns().map(|p| p.id.as_str()).collect();
    let text = |text: &str| value(text, 1_023);
    let id = |who: Option<&Named>| who.map(|who| text(&who.id)).unwrap_or_default();
    let name = |who: Option<&Named>| who.map(|who| text(who.shown())).unwrap_or_default();
    let mut pairs = vec![
        ("rt", published.0.to_string()),
        ("start", notice.span.0.to_string()),
        ("end", notice.span.1.to_string()),
        ("externalId", value(&alert.id, 40)),
        ("act", decision.as_str().to_owned()),
        ("cat", text("account takeover")),
        (
            "reason",
            text(
                notice
                    .status_detail
                    .as_deref()
                    .unwrap_or(&notice.page_reason),
            ),
        ),
        ("suser", name(agent)),
        ("suid", id(agent)),
        ("duser", name(target)),
        ("duid", id(target)),
        // Only an address is an address: a masked one would be refused.
        (
            "src",
            address
                .filter(|a| is_address(a.shown()))
                .map(|a| text(a.shown()))
                .unwrap_or_default(),
        ),
        ("request", text(notice.link.as_deref().unwrap_or_default())),
        ("msg", text(&notice.summary())),
        ("cn1", alert.score.to_string()),
        ("cn1Label", "riskScore".to_owned()),
        ("cn2", alert.revision.to_string()),
        ("cn2Label", "revision".to_owned()),
    ];
    let labelled = [
        ("cs1", "cs1Label", "patterns", patterns.join(",")),
        ("cs2", "cs2Label", "families", alert.families.join(",")),
        ("cs3", "cs3Label", "tickets", alert.tickets.join(",")),
        ("cs4", "cs4Label", "channels", notice.channels.join(",")),
        (
            "cs5",
            "cs5Label",
            "missingControls",
            notice.missing_controls.join(","),
        ),
        (
            "cs6",
            "cs6Label",
            "sourceAddress",
            address.map(|a| a.shown().to_owned()).unwrap_or_default(),
        ),
        (
            "flexString1",
            "flexString1Label",
            "tier",
            alert.subject.tier.clone(),
        ),
        (
            "flexString2",
            "flexString2Label",
            "tenant",
            notice.tenant.clone(),
        ),
    ];
    for (key, label_key, label, text) in labelled {
        if !text.is_empty() {
            pairs.push((key, value(&text, 1_023)));
            pairs.push((label_key, label.to_owned()));
        }
    }
    pairs
}

fn is_address(text: &str) -> bool {
    text.parse::<core::net::IpAddr>().is_ok()
}

/// A field of the header: one line, `\` and `|` escaped.
fn header(text: &str) -> String {
    line(text, 512).replace('\\', "\\\\").replace('|', "\\|")
}

/// A value of the extension: one line, `\` and `=` escaped.
fn value(text: &str, max: usize) -> String {
    line(text, max).replace('\\', "\\\\").replace('=', "\\=")
}
