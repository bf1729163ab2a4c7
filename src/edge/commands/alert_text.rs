//! Alerts as text for a terminal, from the published document alone.

use std::fmt::Write as _;

use serde_json::Value;

use crate::collect::time::{Timestamp, rfc3339};

/// Widest title in a table.
const TITLE_CHARS: usize = 72;

const fn severity(id: i64) -> &'static str {
    match id {
        5 => "CRITICAL",
        4 => "HIGH",
        3 => "MEDIUM",
        2 => "LOW",
        _ => "INFO",
    }
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn number(value: &Value, pointer: &str) -> i64 {
    value.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    let found = value.pointer(pointer).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

/// The patterns of an alert that are active, each once.
#[must_use]
pub fn patterns(alert: &Value) -> Vec<String> {
    let active = list(alert, "/evidences")
        .iter()
        .filter(|finding| text(finding, "/data/state") == "active");
    let mut patterns: Vec<String> = active
        .map(|finding| text(finding, "/data/pattern").to_owned())
        .collect();
    patterns.sort();
    patterns.dedup();
    patterns
}

/// Whether it pages.
#[must_use]
pub fn pages(alert: &Value) -> bool {
    alert.pointer("/unmapped/page").and_then(Value::as_bool) == Some(true)
}

fn who(alert: &Value) -> String {
    let (name, uid) = (
        text(alert, "/resources/0/name"),
        text(alert, "/resources/0/uid"),
    );
    if name.is_empty() || name == uid {
        uid.to_owned()
    } else {
        format!("{name} ({uid})")
    }
}

/// One row for each alert, the worst first.
#[must_use]
pub fn table(alerts: &[Value]) -> String {
    let mut rows: Vec<&Value> = alerts.iter().collect();
    rows.sort_by_key(|alert| {
        (
            std::cmp::Reverse(number(alert, "/severity_id")),
            std::cmp::Reverse(number(alert, "/risk_score")),
            number(alert, "/time"),
        )
    });
    let mut out = format!(
        "{:<9} {:>5} {:<5} {:<24} {:<34} {}\n",
        "SEVERITY", "SCORE", "PAGE", "TIME", "WHO", "WHAT"
    );
    for alert in rows {
        let message: String = text(alert, "/message").chars().take(TITLE_CHARS).collect();
        let _ = writeln!(
            out,
            "{:<9} {:>5} {:<5} {:<24} {:<34} {} [{}]",
            severity(number(alert, "/severity_id")),
            number(alert, "/risk_score"),
            if pages(alert) { "page" } else { "" },
            rfc3339(Timestamp(number(alert, "/time"))),
            who(alert),
            message,
            patterns(alert).join(" ")
        );
    }
    out
}

/// One alert: what is said, what happened in order, what was missing, how the score came about.
#[must_use]
pub fn timeline(alert: &Value) -> String {
    let mut out = format!(
        "{} {} {}\n  {}\n",
        severity(number(alert, "/severity_id")),
        number(alert, "/risk_score"),
        who(alert),
        text(alert, "/message")
    );
    let mut events: Vec<&Value> = list(alert, "/finding_info/related_events").iter().collect();
    events.sort_by_key(|event| (number(event, "/created_time"), text(event, "/uid")));
    for event in events {
        let source = list(event, "/tags")
            .iter()
            .find(|tag| text(tag, "/name") == "source")
            .map_or("", |tag| text(tag, "/value"));
        let _ = writeln!(
            out,
            "  {}  {:<28} {:<16} {}",
            rfc3339(Timestamp(number(event, "/created_time"))),
            text(event, "/type"),
            text(event, "/product/name"),
            source
        );
    }
    for finding in list(alert, "/evidences") {
        let _ = writeln!(
            out,
            "  {:<44} {:>3}.{:02} points {}",
            text(finding, "/name"),
            number(finding, "/data/points") / 100,
            number(finding, "/data/points") % 100,
            text(finding, "/data/state")
        );
    }
    let missing: Vec<&str> = list(alert, "/unmapped/missing_controls")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    if !missing.is_empty() {
        let _ = writeln!(out, "  missing: {}", missing.join(", "));
    }
    let advice = text(alert, "/remediation/desc");
    if !advice.is_empty() {
        let _ = writeln!(out, "  do: {advice}");
    }
    out.push('\n');
    out
}
