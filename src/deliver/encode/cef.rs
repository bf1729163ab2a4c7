//! CEF: one line for ArcSight, Sentinel and whoever reads syslog.
//!
//! Source: "Implementing ArcSight Common Event Format", version 25: header and extension escaping, and
//! the dictionary of extension keys with their lengths.

use crate::collect::time::Timestamp;
use crate::deliver::notice::{Named, Notice};
use crate::deliver::pii::Masking;
use crate::deliver::route::Decision;
use crate::deliver::text::line;

/// Characters of `externalId`.
const ID_CHARS_MAX: usize = 40;
/// Characters of a field of the header.
const NAME_CHARS_MAX: usize = 512;
/// Characters of most values.
const TEXT_CHARS_MAX: usize = 1_023;

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

/// Keys with their values, escaped.
fn extension(
    notice: &Notice,
    decision: Decision,
    published: Timestamp,
) -> Vec<(&'static str, String)> {
    let alert = &notice.alert;
    let reason = notice.status_detail.as_deref();
    let mut pairs = vec![
        ("rt", published.0.to_string()),
        ("start", notice.span.0.to_string()),
        ("end", notice.span.1.to_string()),
        ("externalId", value(&alert.id, ID_CHARS_MAX)),
        ("act", decision.as_str().to_owned()),
        ("cat", "account takeover".to_owned()),
        ("reason", text(reason.unwrap_or(&notice.page_reason))),
    ];
    pairs.extend(people(notice));
    pairs.extend([
        ("request", text(notice.link.as_deref().unwrap_or_default())),
        ("msg", text(&notice.summary())),
        ("cn1", alert.score.to_string()),
        ("cn1Label", "riskScore".to_owned()),
        ("cn2", alert.revision.to_string()),
        ("cn2Label", "revision".to_owned()),
    ]);
    for (key, label_key, label, words) in labelled(notice) {
        if !words.is_empty() {
            pairs.push((key, text(&words)));
            pairs.push((label_key, label.to_owned()));
        }
    }
    pairs
}

/// Who did it to whom, and where from.
fn people(notice: &Notice) -> [(&'static str, String); 5] {
    let people = &notice.people;
    let subject = &notice.alert.subject;
    let own = Named {
        id: subject.id.clone(),
        name: subject.name.clone(),
    };
    let target = if subject.kind == "identity" {
        Some(&own)
    } else {
        people.targets.first()
    };
    let agent = people.agents.first();
    let id = |who: Option<&Named>| who.map(|who| text(&who.id)).unwrap_or_default();
    let name = |who: Option<&Named>| who.map(|who| text(who.shown())).unwrap_or_default();
    // Only an address is an address: a masked one would be refused, and stands in `cs6`.
    let is_address = |who: &&Named| who.shown().parse::<core::net::IpAddr>().is_ok();
    let address = people.addresses.first().filter(is_address);
    [
        ("suser", name(agent)),
        ("suid", id(agent)),
        ("duser", name(target)),
        ("duid", id(target)),
        ("src", name(address)),
    ]
}

/// Custom strings: key, key of the label, label, value.
type Labelled = (&'static str, &'static str, &'static str, String);

fn labelled(notice: &Notice) -> [Labelled; 8] {
    let alert = &notice.alert;
    let patterns: Vec<&str> = notice.active_patterns().map(|p| p.id.as_str()).collect();
    let missing = notice.missing_controls.join(",");
    let address = notice.people.addresses.first();
    let address = address.map_or_else(String::new, |a| a.shown().to_owned());
    let tier = alert.subject.tier.clone();
    let tenant = notice.tenant.clone();
    [
        ("cs1", "cs1Label", "patterns", patterns.join(",")),
        ("cs2", "cs2Label", "families", alert.families.join(",")),
        ("cs3", "cs3Label", "tickets", alert.tickets.join(",")),
        ("cs4", "cs4Label", "channels", notice.channels.join(",")),
        ("cs5", "cs5Label", "missingControls", missing),
        ("cs6", "cs6Label", "sourceAddress", address),
        ("flexString1", "flexString1Label", "tier", tier),
        ("flexString2", "flexString2Label", "tenant", tenant),
    ]
}

/// A value of most keys.
fn text(words: &str) -> String {
    value(words, TEXT_CHARS_MAX)
}

/// A field of the header: one line, `\` and `|` escaped.
fn header(text: &str) -> String {
    line(text, NAME_CHARS_MAX)
        .replace('\\', "\\\\")
        .replace('|', "\\|")
}

/// A value of the extension: one line, `\` and `=` escaped.
fn value(text: &str, max: usize) -> String {
    line(text, max).replace('\\', "\\\\").replace('=', "\\=")
}
