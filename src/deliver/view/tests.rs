//! Each view on a few cases and records.

use serde_json::{Value, json};

use super::*;
use crate::collect::time::Timestamp;
use crate::deliver::trail::tests::{put, recovery};
use crate::deliver::trail::{Range, Trail};

const ALL: Range = Range {
    after: None,
    limit: 100,
};

/// A case of a person, of `T` or another, in which an agent, a ticket and a device are named.
fn alert(id: &str, target: &str, verdict: Value) -> AlertRecord {
    let document = json!({
        "activity_id": 1, "severity_id": 5, "time": 9, "status_id": 1, "risk_score": 90,
        "verdict_id": verdict, "metadata": {"sequence": 1},
        "finding_info": {"uid": id, "title": "Takeover of the treasurer", "related_events": [
            {"tags": [{"name": "agent", "value": "A"}, {"name": "agent_name", "value": "a…"},
                      {"name": "device", "value": "phone-2"}, {"name": "ticket", "value": "INC7"},
                      {"name": "cues", "values": ["urgent"]}]},
            {"tags": [{"name": "caller", "value": "k1"}, {"name": "caller_name", "value": "+49•••7"}]}]},
        "evidences": [{"data": {"pattern": "HDT-04", "branch": "b", "state": "active",
                                "roles": {"target": {"uid": "V", "name": "v…"}}}}],
        "resources": [{"uid": target, "name": "t…", "type": "identity", "criticality": "executive"}],
    });
    AlertRecord::read(document.to_string().as_bytes()).unwrap()
}

fn alerts() -> [AlertRecord; 2] {
    [alert("c2", "T", json!(1)), alert("c1", "U", Value::Null)]
}

fn trail() -> Trail {
    let mut trail = Trail::default();
    for (minute, target, agent) in [(1, "T", "A"), (2, "T", "A"), (3, "T", "B"), (4, "U", "A")] {
        put(&mut trail, minute, &recovery(minute, target, agent));
    }
    trail
}

fn merged(mut record: Value, more: &Value) -> Value {
    let fields = record.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    record
}

#[test]
fn a_person_has_those_who_recovered_the_account() {
    let (trail, alerts) = (trail(), alerts());
    let alerts: Vec<&AlertRecord> = alerts.iter().collect();
    let view = identity::identity(&trail, &alerts, "T", ALL).unwrap();
    assert_eq!((view.counts.recoveries, view.counts.by_admin), (3, 3));
    assert_eq!((view.counts.tickets, view.counts.contacts), (3, 1));
    let agents: Vec<_> = view
        .agents
        .iter()
        .map(|a| (&*a.uid, a.recoveries, a.last.0))
        .collect();
    assert_eq!(agents, [("A", 2, 120_000), ("B", 1, 180_000)]);
    assert_eq!(view.cases.iter().map(|c| c.id).collect::<Vec<_>>(), ["c2"]);
    assert_eq!(view.part.records.len(), 3);
    // Named in a case, and nothing is recorded.
    let named = identity::identity(&trail, &alerts, "V", ALL).unwrap();
    assert_eq!(
        (&*named.identity.name, named.cases.len(), named.part.total),
        ("v…", 2, 0)
    );
    assert!(identity::identity(&trail, &alerts, "A", ALL).is_none());
    let json = serde_json::to_value(&view).unwrap();
    assert_eq!(json["records"][0]["record"]["event"], "e3");
    assert_eq!(json["identity"]["tier"], "executive");
}

#[test]
fn an_agent_has_controls_that_are_missing_and_peers() {
    let mut trail = trail();
    let controls = |ticket: &str| {
        let of = |state: &str| json!({"state": state});
        json!({"ticket": of(ticket), "verify": of("missing"), "callback": of("present"),
               "approval": of("not_due")})
    };
    for (offset, version, ticket) in [(11, 1, "missing"), (12, 2, "present")] {
        let settled = json!({"stage": "settled", "version": version, "controls": controls(ticket)});
        put(&mut trail, offset, &merged(recovery(2, "T", "A"), &settled));
    }
    let person = json!({"uid": "A", "tier": "standard"});
    for (offset, quality) in [(20, json!("short")), (21, json!("text")), (22, Value::Null)] {
        let stated = json!({"action": "ticket.override", "class": null, "by_admin": false,
            "reason": {"quality": quality}});
        put(
            &mut trail,
            offset,
            &merged(recovery(offset, "T", "A"), &stated),
        );
    }
    for (offset, action, requester) in
        [(30, "approval.granted", "A"), (31, "approval.granted", "T")]
    {
        let approved = json!({"action": action, "class": null, "by_admin": false, "agent": person,
            "approver": person, "requester": {"uid": requester, "tier": "standard"}});
        put(
            &mut trail,
            offset,
            &merged(recovery(offset, "T", "A"), &approved),
        );
    }
    let view = agent::agent(&trail, &[], "A", ALL).unwrap();
    let counts = view.counts;
    assert_eq!((counts.recoveries, counts.identities), (3, 2));
    assert_eq!((counts.overrides, counts.overrides_without_reason), (3, 2));
    assert_eq!(
        counts.self_approved, 1,
        "what somebody else asked for is none"
    );
    let missing = (
        counts.ticket_missing,
        counts.verify_missing,
        counts.callback_missing,
    );
    assert_eq!(
        (counts.settled, missing),
        (1, (0, 1, 0)),
        "the newest version counts"
    );
    assert_eq!(
        (
            view.days.len(),
            view.days[29].recoveries,
            view.days[0].recoveries
        ),
        (30, 3, 0)
    );
    let peers = view.peers;
    assert_eq!((peers.agents, peers.rank), (2, Some(1)));
    assert_eq!((peers.recoveries_median, peers.recoveries_p95), (1, 3));
    assert_eq!(view.identities[0].uid, "T");
    assert!(agent::agent(&trail, &[], "T", ALL).is_none());
}

#[test]
fn a_device_or_a_call_connects_people() {
    let (trail, alerts) = (trail(), alerts());
    let alerts: Vec<&AlertRecord> = alerts.iter().collect();
    let people = |kind, id| {
        let view = pivot::pivot(&trail, &alerts, (kind, id), ALL)?;
        let people = view.identities.iter();
        Some(
            people
                .map(|p| (p.uid.clone(), p.cases.len(), p.records))
                .collect::<Vec<_>>(),
        )
    };
    let one = |uid: &str, cases, records| (uid.to_owned(), cases, records);
    let device = people(Kind::Device, "phone-2").unwrap();
    assert_eq!(device, [one("V", 2, 0), one("T", 1, 0), one("U", 1, 0)]);
    let call = people(Kind::Contact, "c1").unwrap();
    assert_eq!(call, [one("T", 0, 3), one("U", 0, 1)]);
    assert_eq!(people(Kind::Device, "phone-3"), None);
    let caller = pivot::pivot(&trail, &alerts, (Kind::Caller, "k1"), ALL).unwrap();
    assert_eq!(
        (&*caller.name, caller.since),
        ("+49•••7", Some(Timestamp(60_000)))
    );
}

#[test]
fn a_word_finds_what_is_it_before_what_holds_it() {
    let (trail, alerts) = (trail(), alerts());
    let alerts: Vec<&AlertRecord> = alerts.iter().collect();
    let ids = |word: &str| {
        let found = search::search(&trail, &alerts, word);
        let found = found.into_iter();
        found
            .map(|one| format!("{} {}", one.kind, one.id))
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("inc7"), ["ticket INC7"]);
    assert_eq!(ids(" TREASURER "), ["alert c2", "alert c1"]);
    assert_eq!(ids("c1"), ["alert c1", "contact c1", "ticket INC1"]);
    assert_eq!(ids("+49"), ["caller k1"]);
    assert!(ids("t")[0].starts_with("identity T"));
    assert!(ids("nobody").is_empty());
}

#[test]
fn a_pattern_has_its_cases_and_what_was_said_of_them() {
    let alerts = alerts();
    let alerts: Vec<&AlertRecord> = alerts.iter().collect();
    let rules = crate::correlate::rules::embedded_set().unwrap_or_else(|_| panic!("rules"));
    let views = pattern::patterns(rules.rules(), &alerts);
    let view = views.iter().find(|view| view.id == "HDT-04b").unwrap();
    assert_eq!((view.cases, view.open, view.last), (2, 2, Some(9)));
    assert_eq!(
        (view.verdicts.false_positive, view.verdicts.true_positive),
        (1, 0)
    );
    assert!(views.iter().any(|view| view.waits_for == Some("callback")));
    assert!(
        views
            .iter()
            .filter(|view| view.id != "HDT-04b")
            .all(|view| view.cases == 0)
    );
}
