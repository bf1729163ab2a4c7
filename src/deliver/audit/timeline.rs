//! Audit records as a timeline that people read: a line for each action, under a recovery its controls.

use std::collections::BTreeMap;

use crate::collect::time::rfc3339;
use crate::deliver::audit::{AuditRecord, Controls, Decision, Placed, Who};

/// What a line says, so that a terminal can colour it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// An action.
    Action,
    /// Controls of which none is missing.
    Settled,
    /// Controls of which one is missing.
    Missing,
    /// What a later version replaced, or is not decided yet.
    Faint,
}

/// A line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it says.
    pub tone: Tone,
    /// The text. Names and numbers in it are as the sources wrote them.
    pub text: String,
}

/// The lines of records in any order: actions by event time, and under each recovery the versions of
/// its controls, the newest first.
#[must_use]
pub fn timeline(records: &[Placed]) -> Vec<Line> {
    let mut by_event: BTreeMap<&str, Vec<&Placed>> = BTreeMap::new();
    for placed in records {
        by_event
            .entry(&placed.record.event)
            .or_default()
            .push(placed);
    }
    let mut events: Vec<Vec<&Placed>> = by_event.into_values().collect();
    for event in &mut events {
        event.sort_by_key(|placed| placed.order());
    }
    events.sort_by_key(|event| event.first().map(|placed| placed.order()));
    events.iter().flat_map(|event| lines_of(event)).collect()
}

/// The lines of the records about one event.
fn lines_of(event: &[&Placed]) -> Vec<Line> {
    let mut settled: Vec<&AuditRecord> = event
        .iter()
        .map(|placed| &placed.record)
        .filter(|record| record.is_settled())
        .collect();
    settled.sort_by_key(|record| std::cmp::Reverse(record.version));
    // A replay of the log writes the same record again only as the same version.
    settled.dedup_by_key(|record| record.version);
    let recorded = event.iter().find(|placed| !placed.record.is_settled());
    let newest = settled.first().copied();
    let Some(action) = recorded.map(|placed| &placed.record).or(newest) else {
        return Vec::new();
    };
    let mut lines = vec![Line {
        tone: Tone::Action,
        text: action_line(action, newest),
    }];
    for (place, record) in settled.iter().enumerate() {
        lines.extend(record.controls.as_ref().map(|controls| {
            let is_newest = place == 0;
            settled_line(record.version, controls, is_newest)
        }));
    }
    if settled.is_empty() && action.class.is_some() && action.by_admin {
        lines.push(Line {
            tone: Tone::Faint,
            text: "    controls not decided yet".to_owned(),
        });
    }
    lines
}

fn named(who: &Who) -> String {
    let tier = match who.tier.as_str() {
        "standard" => String::new(),
        tier => format!(", {tier}"),
    };
    match &who.name {
        Some(name) if *name != who.uid => format!("{name} ({}{tier})", who.uid),
        Some(_) | None if tier.is_empty() => who.uid.clone(),
        Some(_) | None => format!("{} ({})", who.uid, tier.trim_start_matches(", ")),
    }
}

/// What happened; who asked and approved is said with what the newest settled record knows of it.
fn action_line(action: &AuditRecord, newest: Option<&AuditRecord>) -> String {
    let known = newest.unwrap_or(action);
    let mut parts = Vec::new();
    if let Some(decision) = &action.decision {
        return decision_line(action, decision);
    }
    let mut say = |what: &str, text: Option<String>| {
        parts.extend(text.map(|text| format!("{what} {text}")));
    };
    let who = |own: &Option<Who>, later: &Option<Who>| own.as_ref().or(later.as_ref()).map(named);
    say("of", who(&action.target, &known.target));
    say("by", who(&action.agent, &known.agent));
    say("asked by", who(&action.requester, &known.requester));
    say("approved by", who(&action.approver, &known.approver));
    let eligible = action.eligible.as_ref().or(known.eligible.as_ref());
    say("eligible:", eligible.cloned());
    say(
        "over",
        action.channel.clone().or_else(|| known.channel.clone()),
    );
    say(
        "ticket",
        action.ticket.clone().or_else(|| known.ticket.clone()),
    );
    say("call", action.call.clone().or_else(|| known.call.clone()));
    let proof = action.verification.as_ref();
    say(
        "verified by",
        proof.map(|proof| format!("{} (strength {})", proof.method, proof.strength)),
    );
    let reason = action.reason.as_ref().or(known.reason.as_ref());
    say("reason", reason.and_then(|reason| reason.code.clone()));
    let quality = reason.and_then(|reason| reason.quality.clone());
    say("reason text:", quality);
    let class = action.class.as_ref();
    let what = class.map_or_else(
        || action.action.clone(),
        |class| format!("{} [{class}]", action.action),
    );
    let outcome = match action.outcome.as_str() {
        "success" | "unknown" => String::new(),
        outcome => format!(" {}", outcome.to_uppercase()),
    };
    let time = rfc3339(action.time);
    format!("{time}  {what}{outcome}  {}", parts.join(", "))
        .trim_end()
        .to_owned()
}

/// What somebody decided, of what, until when, and why.
fn decision_line(action: &AuditRecord, decision: &Decision) -> String {
    let mut parts = Vec::new();
    let mut say = |what: &str, text: Option<String>| {
        parts.extend(text.map(|text| format!("{what} {text}")));
    };
    say("by", decision.owner.clone());
    say("on alert", decision.alert.clone());
    say("to", decision.assignee.clone());
    say("of", action.decided_on().map(str::to_owned));
    say("from", decision.valid_from.map(rfc3339));
    say("until", decision.valid_to.map(rfc3339));
    say("reason", decision.reason.clone());
    say("record", Some(decision.id.clone()));
    let said = decision.verdict.as_ref().unwrap_or(&decision.kind);
    let time = rfc3339(action.time);
    format!("{time}  {} [{said}]  {}", action.action, parts.join(", "))
}

fn settled_line(version: u32, controls: &Controls, is_newest: bool) -> Line {
    let mut is_missing = false;
    let parts = controls.named().map(|(name, control)| {
        is_missing |= control.state == "missing";
        let state = match control.state.as_str() {
            "missing" => "MISSING",
            "not_due" => "not due",
            "no_evidence_source" => "not to be seen (no source)",
            other => other,
        };
        match &control.detail {
            Some(detail) => format!("{name} {state} ({detail})"),
            None => format!("{name} {state}"),
        }
    });
    let superseded = if is_newest { "" } else { ", superseded" };
    Line {
        tone: match (is_newest, is_missing) {
            (false, _) => Tone::Faint,
            (true, true) => Tone::Missing,
            (true, false) => Tone::Settled,
        },
        text: format!(
            "    settled, version {version}{superseded}: {}",
            parts.join("; ")
        ),
    }
}
