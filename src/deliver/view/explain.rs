//! Why a case fired, for people: the sentence, what happened, which controls are missing, how the
//! score is reckoned, what to do. As Markdown that reads as plain text too, for a terminal or a ticket.
//!
//! All words of it but the headings were written by others: they are one line each, and nothing in
//! them is markup.

use serde::Deserialize;
use std::fmt::{self, Write};

use crate::collect::time::Timestamp;
use crate::deliver::alert::AlertFault;
use crate::deliver::notice::{Notice, Standing};
use crate::deliver::text::line;

/// Characters of a value.
const VALUE_CHARS_MAX: usize = 512;
/// Tags of an event that are told elsewhere in its row, or by another tag.
const TOLD: [&str; 5] = ["source", "lane", "outcome", "finding", "until"];

#[derive(Deserialize)]
struct Document {
    finding_info: FindingInfo,
    #[serde(default)]
    evidences: Vec<Evidence>,
    #[serde(default)]
    unmapped: Unmapped,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FindingInfo {
    related_events: Vec<Event>,
    related_events_count: usize,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Event {
    r#type: String,
    title: String,
    created_time: i64,
    product: Product,
    tags: Vec<Tag>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Product {
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Tag {
    name: String,
    value: String,
    values: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Evidence {
    uid: String,
    name: String,
    data: Data,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Data {
    threshold: Threshold,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Threshold {
    have: i64,
    need: i64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Unmapped {
    controls: Vec<Control>,
    explain: Vec<Term>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Control {
    control: String,
    state: String,
    detail: String,
}

/// A term of the score, in hundredths of a point.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Term {
    term: String,
    pattern: String,
    finding: String,
    family: String,
    kind: String,
    exemption: String,
    points: i64,
    tier_x100: i64,
    patterns: i64,
    largest: i64,
    value: i64,
}

/// The explanation of a revision.
///
/// # Errors
/// The value is no alert.
pub fn explain(value: &[u8]) -> Result<String, AlertFault> {
    let notice = Notice::read(value)?;
    let document: Document =
        serde_json::from_slice(value).map_err(|fault| AlertFault::new(&fault))?;
    let mut text = String::new();
    let written = write(&mut text, &notice, &document);
    written.map_err(|fault| AlertFault::new(&fault))?;
    Ok(text)
}

fn write(text: &mut String, notice: &Notice, document: &Document) -> fmt::Result {
    head(text, notice)?;
    controls(text, notice, &document.unmapped.controls)?;
    happened(text, &document.finding_info)?;
    reckoned(text, notice, document)?;
    taken_back(text, notice)?;
    writeln!(text, "\n## What to do\n\n{}", plain(&notice.remediation))
}

fn head(text: &mut String, notice: &Notice) -> fmt::Result {
    let alert = &notice.alert;
    let subject = &alert.subject;
    writeln!(text, "# {}\n", plain(&notice.message))?;
    let pages = if alert.page { "pages" } else { "does not page" };
    let reason = Some(plain(&notice.page_reason)).filter(|reason| !reason.is_empty());
    let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
    let state = match &notice.status_detail {
        Some(why) if !alert.is_open => format!("closed: {}", word(why)),
        None | Some(_) if alert.is_open => "open".to_owned(),
        None | Some(_) => "closed".to_owned(),
    };
    let severity = notice.severity().name;
    writeln!(
        text,
        "- Score {} of 100, {severity}; {pages}{reason}; {state}",
        alert.score
    )?;
    let tier = Some(word(&subject.tier)).filter(|tier| !tier.is_empty());
    let tier = tier.map_or_else(String::new, |tier| format!(", {tier}"));
    let (kind, id) = (word(&subject.kind), plain(&subject.id));
    writeln!(text, "- {kind} {id} {}{tier}", plain(&subject.name))?;
    let (first, last) = notice.span;
    writeln!(text, "- {} to {} UTC", moment(first), moment(last))?;
    let (id, revision) = (plain(&alert.id), alert.revision);
    writeln!(text, "- Case {id}, revision {revision}")?;
    // It was looked at when the alert was read.
    if let Some(link) = &notice.link {
        writeln!(text, "- {link}")?;
    }
    Ok(())
}

fn controls(text: &mut String, notice: &Notice, controls: &[Control]) -> fmt::Result {
    writeln!(text, "\n## Controls\n")?;
    for control in controls {
        let detail = plain(&control.detail);
        let detail = if detail.is_empty() {
            detail
        } else {
            format!(" ({detail})")
        };
        let (name, state) = (word(&control.control), word(&control.state));
        writeln!(text, "- {name}: {state}{detail}")?;
    }
    if controls.is_empty() {
        for missing in &notice.missing_controls {
            writeln!(text, "- {}: missing", plain(missing))?;
        }
        if notice.missing_controls.is_empty() {
            writeln!(text, "None that this case stands on.")?;
        }
    }
    Ok(())
}

fn happened(text: &mut String, info: &FindingInfo) -> fmt::Result {
    writeln!(text, "\n## What happened\n")?;
    writeln!(text, "| Time (UTC) | System | What | Details | Record |")?;
    writeln!(text, "|---|---|---|---|---|")?;
    let mut events: Vec<&Event> = info.related_events.iter().collect();
    events.sort_by_key(|event| event.created_time);
    for event in events {
        let title = plain(if event.title.is_empty() {
            &event.r#type
        } else {
            &event.title
        });
        writeln!(
            text,
            "| {} | {} | {title} | {} | {} |",
            moment(event.created_time),
            plain(&event.product.name),
            details(&event.tags),
            plain(&shown(&event.tags, "source").unwrap_or_default()),
        )?;
    }
    let more = info
        .related_events_count
        .saturating_sub(info.related_events.len());
    if more > 0 {
        writeln!(text, "\n{more} more are not in the alert.")?;
    }
    Ok(())
}

/// `caller +1•••0100, channel voice`.
fn details(tags: &[Tag]) -> String {
    let told = tags
        .iter()
        .filter(|tag| !TOLD.contains(&tag.name.as_str()) && !tag.name.ends_with("_name"));
    let told = told.filter_map(|tag| {
        let named = shown(tags, &format!("{}_name", tag.name));
        let value = named.or_else(|| shown(tags, &tag.name))?;
        Some(format!("{} {}", word(&tag.name), plain(&value)))
    });
    let told: Vec<String> = told.collect();
    told.join(", ")
}

fn shown(tags: &[Tag], name: &str) -> Option<String> {
    let tag = tags.iter().find(|tag| tag.name == name)?;
    let value = if tag.values.is_empty() {
        tag.value.clone()
    } else {
        tag.values.join(" ")
    };
    Some(value).filter(|value| !value.is_empty())
}

fn reckoned(text: &mut String, notice: &Notice, document: &Document) -> fmt::Result {
    writeln!(text, "\n## Why {}\n", notice.alert.score)?;
    let terms = &document.unmapped.explain;
    let is_worth = |term: &&Term| term.term == "family" && term.patterns > 0;
    let mut left = 10_000;
    for family in terms.iter().filter(is_worth) {
        let rest = terms
            .iter()
            .find(|term| term.term == "rest" && term.family == family.family);
        let rest = rest.map_or(left, |term| term.value);
        let further = (family.patterns - 1).max(0);
        let further = if further > 0 {
            format!(
                ": {} the largest, 10 for each of {further} more",
                points(family.largest)
            )
        } else {
            String::new()
        };
        writeln!(
            text,
            "- {} {}{further}; adds {}",
            plain(&family.family),
            points(family.value),
            points(left - rest)
        )?;
        left = rest;
        let own = |term: &&Term| !term.finding.is_empty() && term.family == family.family;
        for term in terms.iter().filter(own) {
            writeln!(text, "  - {}", reason(term, &document.evidences))?;
        }
    }
    let total = terms.iter().find(|term| term.term == "total");
    let total = total.map_or(0, |term| term.value);
    writeln!(text, "- together {}", points(total))
}

/// One term in words: `HDT-05 Reset, new device, session (3 of 3): 60 × 1.25 = 75.00`.
fn reason(term: &Term, evidences: &[Evidence]) -> String {
    let (worth, times) = (points(term.value), points(term.tier_x100));
    let product = format!("{} × {times} = {worth}", term.points);
    match term.term.as_str() {
        "points" => {
            let found = evidences.iter().find(|one| one.uid == term.finding);
            let name = found.map_or_else(|| plain(&term.pattern), |one| plain(&one.name));
            let met = found.map(|one| &one.data.threshold);
            let met = met.filter(|met| met.need > 0);
            let met = met.map_or_else(String::new, |met| {
                format!(" (has {}, needs {})", met.have, met.need)
            });
            format!("{name}{met}: {product}")
        }
        "bonus" => format!("a worse circumstance: {product}"),
        "cap" => format!("nothing alone is certain: {worth}"),
        "counter" if term.exemption.is_empty() => format!("{}: {worth}", plain(&term.kind)),
        "counter" | "suppressed" => format!("exemption {}: {worth}", plain(&term.exemption)),
        "floor" => format!("not below zero: {worth}"),
        other => format!("{}: {worth}", plain(other)),
    }
}

/// Patterns that count no longer.
fn taken_back(text: &mut String, notice: &Notice) -> fmt::Result {
    let gone = |standing| match standing {
        Standing::Active => None,
        Standing::Suppressed => Some("expected, by an exemption"),
        Standing::Retracted => Some("taken back: later evidence ended it"),
    };
    for pattern in &notice.patterns {
        if let Some(why) = gone(pattern.standing) {
            let (id, title) = (plain(&pattern.id), plain(&pattern.title));
            writeln!(text, "- ~~{id} {title}~~ {why}")?;
        }
    }
    Ok(())
}

/// Hundredths of a point as points.
fn points(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "−" } else { "" };
    let whole = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", whole / 100, whole % 100)
}

/// `2026-03-02 08:56:00`, without markup: hyphens between digits are none.
fn moment(ms: i64) -> String {
    let shown = jiff::Timestamp::from_millisecond(Timestamp(ms).0);
    shown.map_or_else(
        |_| ms.to_string(),
        |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// A word of a vocabulary, as people write it.
fn word(name: &str) -> String {
    plain(&name.replace('_', " "))
}

/// Words of others: one line in which Markdown finds no markup and no address.
fn plain(words: &str) -> String {
    let words = line(words, VALUE_CHARS_MAX);
    let mut safe = String::with_capacity(words.len());
    let mut chars = words.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let is_within =
            before.is_alphanumeric() && chars.peek().is_some_and(|next| next.is_alphanumeric());
        // An underscore within a word marks nothing.
        if "\\`*[]<>#|~@$&!".contains(c) || (c == '_' && !is_within) {
            safe.push('\\');
        }
        safe.push(c);
        before = c;
    }
    // No reader makes a link of it.
    safe.replace("://", ":\\//")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden(name: &str) -> Vec<u8> {
        let path = format!("{}/tests/ocsf/{name}.json", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(path).unwrap()
    }

    #[test]
    fn a_case_is_explained_whole() {
        let text = explain(&golden("created")).unwrap();
        for part in [
            "# t…\\@example.com: password and MFA reset in 3 min",
            "- Score 99 of 100, critical; pages (two families); open\n",
            "- identity T t…\\@example.com, executive\n",
            "- ticket: missing\n",
            "| 2026-03-02 09:06:00 | okta | password reset | class password, channel admin_console, agent a…\\@example.com | okta.events/3/4 |",
            "- governance 66.25: 56.25 the largest, 10 for each of 1 more; adds 66.25\n",
            "  - HDT-05 Reset, new device, session (has 3, needs 3): 60 × 1.25 = 75.00\n",
            "  - a worse circumstance: 15 × 1.25 = 18.75\n",
            "- together 99.05\n",
            "## What to do\n\nEnd the sessions",
        ] {
            assert!(text.contains(part), "{part}\n\n{text}");
        }
    }

    #[test]
    fn what_was_taken_back_and_what_speaks_against_it_is_told() {
        let text = explain(&golden("amended")).unwrap();
        assert!(
            text.contains("- call-back: present (number of record)\n"),
            "{text}"
        );
        assert!(text.contains("  - verified: −40.00\n"), "{text}");
        assert!(text.contains("~~ taken back"), "{text}");
        let closed = explain(&golden("disposition")).unwrap();
        assert!(closed.contains("; closed: disposition\n"), "{closed}");
    }

    #[test]
    fn words_of_others_are_no_markup() {
        let hostile =
            "<img src=x> [a](javascript:1) `x` | y\n# z http://evil.example *b* ~~c~~ _d_ e_f";
        let safe = plain(hostile);
        assert!(!safe.contains('\n') && !safe.contains("://"), "{safe}");
        let mut escaped = false;
        for c in safe.chars() {
            let is_markup = "`*[]<>#|~".contains(c);
            assert!(!is_markup || escaped, "{c} in {safe}");
            escaped = c == '\\' && !escaped;
        }
        assert!(safe.ends_with("\\_d\\_ e_f"), "{safe}");
    }
}
