//! An audit record as a row of a table.

use crate::collect::time::{Timestamp, rfc3339};
use crate::deliver::audit::{Placed, Who};

/// The columns.
pub const COLUMNS: [&str; 51] = [
    "time",
    "stage",
    "version",
    "action",
    "class",
    "outcome",
    "target",
    "target_name",
    "target_tier",
    "requester",
    "requester_name",
    "agent",
    "agent_name",
    "agent_kind",
    "by_admin",
    "approver",
    "approver_name",
    "eligible",
    "channel",
    "ticket",
    "call",
    "verification_method",
    "verification_strength",
    "reason_code",
    "reason_quality",
    "control_ticket",
    "control_ticket_detail",
    "control_verify",
    "control_verify_detail",
    "control_callback",
    "control_callback_detail",
    "control_approval",
    "control_approval_detail",
    "decision",
    "decision_id",
    "owner",
    "decision_reason",
    "alert",
    "verdict",
    "assignee",
    "valid_from",
    "valid_to",
    "source_system",
    "source_topic",
    "source_partition",
    "source_offset",
    "event",
    "record_id",
    "partition",
    "offset",
    "number",
];

/// With one of these at its front a spreadsheet takes a text for a formula. The wide forms are
/// narrowed by some on import.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// A text that no spreadsheet takes for a formula: one that it could gets an apostrophe in front, with
/// which spreadsheets mark a text.
#[must_use]
pub fn inert(text: &str) -> String {
    let begins = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    let is_formula = begins.starts_with(FORMULA) || text.starts_with(['\t', '\r', '\n']);
    if is_formula {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn person(who: Option<&Who>) -> [String; 3] {
    let (uid, name, tier) = match who {
        Some(who) => (
            who.uid.as_str(),
            who.name.as_deref().unwrap_or(""),
            who.tier.as_str(),
        ),
        None => ("", "", ""),
    };
    [inert(uid), inert(name), inert(tier)]
}

/// The fields of a record, as many as there are [`COLUMNS`] and in their order. Nothing in them is a
/// formula.
#[must_use]
pub fn row(placed: &Placed) -> Vec<String> {
    let record = &placed.record;
    let text = |text: &Option<String>| inert(text.as_deref().unwrap_or(""));
    let [target, target_name, target_tier] = person(record.target.as_ref());
    let [requester, requester_name, _] = person(record.requester.as_ref());
    let [agent, agent_name, _] = person(record.agent.as_ref());
    let [approver, approver_name, _] = person(record.approver.as_ref());
    let proof = record.verification.as_ref();
    let reason = record.reason.clone().unwrap_or_default();
    let decision = record.decision.clone().unwrap_or_default();
    let moment = |time: Option<Timestamp>| time.map_or_else(String::new, rfc3339);
    let mut row = vec![
        rfc3339(record.time),
        inert(&record.stage),
        record.version.to_string(),
        inert(&record.action),
        text(&record.class),
        inert(&record.outcome),
        target,
        target_name,
        target_tier,
        requester,
        requester_name,
        agent,
        agent_name,
        inert(&record.agent_kind),
        record.by_admin.to_string(),
        approver,
        approver_name,
        text(&record.eligible),
        text(&record.channel),
        text(&record.ticket),
        text(&record.call),
        proof.map_or_else(String::new, |proof| inert(&proof.method)),
        proof.map_or_else(String::new, |proof| proof.strength.to_string()),
        text(&reason.code),
        text(&reason.quality),
    ];
    match &record.controls {
        Some(controls) => row.extend(
            controls
                .named()
                .iter()
                .flat_map(|(_, control)| [inert(&control.state), text(&control.detail)]),
        ),
        None => row.extend((0..8).map(|_| String::new())),
    }
    row.extend([
        inert(&decision.kind),
        inert(&decision.id),
        text(&decision.owner),
        text(&decision.reason),
        text(&decision.alert),
        text(&decision.verdict),
        text(&decision.assignee),
        moment(decision.valid_from),
        moment(decision.valid_to),
        inert(&record.source.system),
        inert(&record.source.topic),
        record.source.partition.to_string(),
        record.source.offset.to_string(),
        inert(&record.event),
        inert(&record.id),
        placed.partition.to_string(),
        placed.offset.to_string(),
        record.number.to_string(),
    ]);
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_taken_for_a_formula() {
        for text in [
            "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", "  =1", "＝1+1", "\u{a0}=1",
            "\u{0}=1",
        ] {
            assert_eq!(inert(text), format!("'{text}"));
        }
        for text in ["", "INC0010001", "hris:E1", "d…@example.com", "a=1", "'=1"] {
            assert_eq!(inert(text), text);
        }
    }
}
