//! What is found, what goes, and what is said to be missing.

use super::*;
use serde_json::{Value, json};

/// A recovery of `target` by `agent` at a minute, as the topic has it.
pub(crate) fn recovery(minute: i64, target: &str, agent: &str) -> Value {
    json!({
        "id": format!("r{minute}"), "stage": "recorded", "version": 1, "event": format!("e{minute}"),
        "time": minute * 60_000, "action": "mfa.reset_all", "class": "mfa", "outcome": "success",
        "entity": format!("identity|{target}"),
        "target": {"uid": target, "name": format!("{target}…"), "tier": "executive"},
        "agent": {"uid": agent, "name": format!("{agent}…"), "tier": "standard"},
        "agent_kind": "human", "by_admin": target != agent, "ticket": format!("INC{minute}"),
        "call": "c1", "source": {"system": "okta", "topic": "t", "partition": 0, "offset": minute},
        "number": minute, "prev": "", "hash": "",
    })
}

pub(crate) fn put(trail: &mut Trail, offset: i64, record: &Value) {
    let put = trail.put(0, offset, record.to_string().into_bytes());
    assert!(put.is_some());
}

fn filled(records_max: usize) -> Trail {
    let mut trail = Trail::new(records_max, BYTES_MAX);
    for (minute, target, agent) in [(3, "T", "A"), (1, "T", "B"), (2, "U", "A"), (4, "T", "T")] {
        put(&mut trail, minute, &recovery(minute, target, agent));
    }
    trail
}

fn offsets(part: &Part) -> Vec<i64> {
    part.records.iter().map(|filed| filed.offset).collect()
}

const ALL: Range = Range {
    after: None,
    limit: 100,
};

#[test]
fn records_are_found_by_whom_and_what_they_mention() {
    let trail = filled(100);
    let table: [(Kind, &str, &[i64]); 6] = [
        (Kind::Identity, "T", &[4, 3, 1]),
        (Kind::Identity, "U", &[2]),
        (Kind::Agent, "A", &[3, 2]),
        (Kind::Ticket, "INC2", &[2]),
        (Kind::Contact, "c1", &[4, 3, 2, 1]),
        (Kind::Identity, "A", &[]),
    ];
    for (kind, id, want) in table {
        assert_eq!(offsets(&trail.part_of(kind, id, ALL)), want, "{kind} {id}");
        assert_eq!(trail.of(kind, id).count(), want.len());
        assert_eq!(trail.knows(kind, id), !want.is_empty());
    }
    let mut recoveries: Vec<_> = trail.recoveries().collect();
    recoveries.sort_unstable();
    assert_eq!(recoveries, [("A", 2), ("B", 1)], "none for oneself");
    let somebody = trail.somebody(Kind::Identity, "T").unwrap();
    assert_eq!((&*somebody.name, &*somebody.tier), ("T…", "executive"));
}

#[test]
fn questions_are_answered_in_parts() {
    let trail = filled(100);
    let at = |minute: i64| Some(Timestamp(minute * 60_000));
    let question = Question {
        from: at(1),
        to: at(4),
        ..Question::default()
    };
    assert_eq!(offsets(&trail.ask(&question, ALL)), [3, 2, 1]);
    let question = Question {
        agent: Some("A".into()),
        ..Question::default()
    };
    assert_eq!(offsets(&trail.ask(&question, ALL)), [3, 2]);
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let part = trail.ask(&Question::default(), Range { after, limit: 3 });
        assert_eq!(part.total, 4);
        found.extend(offsets(&part));
        let Some(next) = part.next else { break };
        after = Some(next.parse().unwrap());
    }
    assert_eq!(found, [4, 3, 2, 1]);
    for bad in ["", "1.2", "1.2.x", "1.2.3.4"] {
        assert!(bad.parse::<Place>().is_err(), "{bad}");
    }
}

#[test]
fn what_happened_first_goes_first_and_is_said_to_be_missing() {
    assert_eq!(filled(100).since(), Some(Timestamp(60_000)));
    let mut trail = filled(2);
    assert_eq!(trail.since(), Some(Timestamp(120_000)));
    assert!(!trail.knows(Kind::Identity, "U") && !trail.knows(Kind::Agent, "B"));
    assert_eq!(trail.recoveries().collect::<Vec<_>>(), [("A", 1)]);
    trail.begins(Timestamp(170_000));
    assert_eq!(trail.since(), Some(Timestamp(170_000)));
    let small = recovery(9, "T", "A").to_string().len();
    let mut trail = Trail::new(100, small * 2 + small / 2);
    (5..9).for_each(|minute| put(&mut trail, minute, &recovery(minute, "T", "A")));
    assert_eq!(trail.of(Kind::Identity, "T").count(), 2);
    assert_eq!(Trail::default().since(), None);
}

#[test]
fn a_record_counts_once_and_what_is_none_is_refused() {
    let mut trail = filled(100);
    put(&mut trail, 3, &recovery(3, "T", "A"));
    assert_eq!(trail.of(Kind::Agent, "A").count(), 2);
    for none in [&b"{}"[..], b"\xff", b""] {
        assert_eq!(trail.put(0, 9, none.to_vec()), None);
    }
}
