//! Audit records of real stories: who writes what, what is settled, and that a chain shows every
//! manipulation.

use deskwarden::collect::block::ControlPlace;
use deskwarden::collect::entity::{Entity, EntityKind, copies};
use deskwarden::collect::event::{Event, EventId};
use deskwarden::collect::time::Timestamp;
use deskwarden::correlate::audit::{
    AuditHead, ChainCheck, Checked, Entry, Known, Settled, Wrong, decided, recorded, settled,
    writes,
};
use deskwarden::correlate::exempt::control;
use deskwarden::correlate::fact::Fact;
use deskwarden::correlate::rules::rule::Evidence;
use deskwarden::correlate::ticket;
use deskwarden::deliver::audit::row::{COLUMNS, row};
use deskwarden::deliver::audit::timeline::timeline;
use deskwarden::deliver::audit::{AuditRecord, Placed};
use serde_json::{Value, json};

use crate::world::{EVIDENCE, World, events, person};

pub const STORY: &str = "
T tier=executive manager=M
A tier=privileged
S tier=privileged
-5m contact.started call=c1 channel=voice target=T number=n1 request=mfa
-4m ticket.opened ticket=t1 call=c1 requester=T channel=voice request=mfa
-3m verify.result call=c1 target=T agent=A method=video
-2m callback.completed call=c2 target=T agent=A connected=40 of_record=T:-400d
2m approval.granted ticket=t1 approver=S eligible=yes
6m mfa.reset_all target=T agent=A
7m mfa.enrolled target=T agent=T device=phone2
20m ticket.closed ticket=t1 requester=T
";

pub fn all_recorded(story: &str) -> Vec<(Event, Vec<Entry>)> {
    events(story)
        .into_iter()
        .map(|event| {
            let fact = Fact::of(&event);
            let entries = copies(&event)
                .iter()
                .filter_map(|entity| recorded(entity, &fact, before(entity, &event).as_ref()))
                .collect();
            (event, entries)
        })
        .collect()
}

/// What a ticket of the story knew before an event.
fn before(entity: &Entity, event: &Event) -> Option<ticket::TicketState> {
    let facts: Vec<Fact> = events(STORY)
        .iter()
        .filter(|other| other.time < event.time && copies(other).contains(entity))
        .map(Fact::of)
        .collect();
    (entity.kind == EntityKind::Ticket)
        .then(|| ticket::fold(&facts))
        .flatten()
}

#[test]
fn one_entity_writes_each_record() {
    let told: Vec<(String, Vec<String>)> = all_recorded(STORY)
        .into_iter()
        .map(|(event, entries)| {
            let by = entries.into_iter().map(|entry| entry.body.entity).collect();
            (event.action.as_str().to_owned(), by)
        })
        .collect();
    let expected: [(&str, &[&str]); 8] = [
        ("contact.started", &[]),
        ("ticket.opened", &["ticket|desk:t1"]),
        ("verify.result", &["contact|cc:c1"]),
        ("callback.completed", &["contact|cc:c2"]),
        ("approval.granted", &["ticket|desk:t1"]),
        ("mfa.reset_all", &["identity|T"]),
        ("mfa.enrolled", &[]),
        ("ticket.closed", &["ticket|desk:t1"]),
    ];
    let expected: Vec<(String, Vec<String>)> = expected
        .iter()
        .map(|(a, by)| {
            (
                (*a).to_owned(),
                by.iter().map(|e| (*e).to_owned()).collect(),
            )
        })
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn snapshots_open_and_close_a_ticket_once() {
    let story = "
T
0 ticket.updated ticket=t1 requester=T status=open
1m ticket.updated ticket=t1 requester=T status=pending
2m ticket.updated ticket=t1 requester=T status=resolved
3m ticket.updated ticket=t1 requester=T status=closed
4m ticket.updated ticket=t1 requester=T status=open
";
    let ticket = Entity::new(EntityKind::Ticket, "desk:t1");
    let mut facts: Vec<Fact> = Vec::new();
    let mut actions = Vec::new();
    for event in events(story) {
        let fact = Fact::of(&event);
        let before = ticket::fold(&facts);
        actions.push(recorded(&ticket, &fact, before.as_ref()).map(|entry| entry.body.action));
        facts.push(fact);
    }
    let expected = [
        Some("ticket.opened"),
        None,
        Some("ticket.closed"),
        None,
        Some("ticket.reopened"),
    ];
    assert_eq!(actions, expected);
}

#[test]
fn a_recovery_is_settled_with_its_controls() {
    let world = World::told(STORY);
    let known = world.known(&person("T"));
    let owner = person("T");
    let view = known.view(&owner);
    let reset = events(STORY).remove(5);
    let fact = Fact::of(&reset);
    let (entry, mark) = settled(&owner, &fact, &view, &EVIDENCE, None).unwrap();
    let body: Value = serde_json::to_value(&entry.body).unwrap();
    assert_eq!((entry.key.as_str(), mark.version), ("T", 1));
    assert_eq!(body["stage"], "settled");
    assert_eq!(body["requester"]["uid"], "T");
    assert_eq!(body["approver"]["uid"], "S");
    assert_eq!(body["agent"]["name"], "a…@example.com");
    assert_eq!(
        (&body["channel"], &body["ticket"]),
        (&"voice".into(), &"INC-t1".into())
    );
    for control in ["ticket", "verify", "callback", "approval"] {
        assert_eq!(
            body["controls"][control]["state"], "present",
            "{control} in {body}"
        );
        assert!(body["controls"][control]["event"].is_string());
    }
    assert_eq!(body["controls"]["verify"]["detail"], "video");
    assert_eq!(
        settled(&owner, &fact, &view, &EVIDENCE, Some(&mark)),
        None,
        "nothing new"
    );

    // Without the evidence it says what is missing, what nobody could see, and what was not due.
    let bare =
        World::told("T\nA tier=privileged\n0 credential.password_reset target=T agent=A id=p");
    let reset = Fact::of(
        &events("T\nA tier=privileged\n0 credential.password_reset target=T agent=A id=p")[0],
    );
    let known = bare.known(&owner);
    let (entry, first) = settled(
        &owner,
        &reset,
        &known.view(&owner),
        &[Evidence::Ticket],
        None,
    )
    .unwrap();
    let body: Value = serde_json::to_value(&entry.body).unwrap();
    let state = |control: &str| {
        body["controls"][control]["state"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        ["ticket", "verify", "callback", "approval"].map(state),
        ["missing", "no_evidence_source", "not_due", "not_due"]
    );
    // Later evidence changes it: another version under another id.
    let mut bare = bare;
    bare.take(&events("T\n-1m ticket.opened ticket=t9 requester=T request=password id=t")[0]);
    let known = bare.known(&owner);
    let again = settled(
        &owner,
        &reset,
        &known.view(&owner),
        &[Evidence::Ticket],
        Some(&first),
    );
    let (second, Settled { version, .. }) = again.unwrap();
    assert_eq!(version, 2);
    assert_ne!(second.body.id, entry.body.id);
    assert_eq!(second.body.event, entry.body.event);
}

#[test]
fn what_a_person_does_alone_is_recorded_and_not_settled() {
    let story = "T\n0 credential.password_reset target=T agent=T id=s";
    let fact = Fact::of(&events(story)[0]);
    let world = World::told(story);
    let known = world.known(&person("T"));
    let owner = person("T");
    assert!(recorded(&owner, &fact, None).is_some());
    assert!(settled(&owner, &fact, &known.view(&owner), &EVIDENCE, None).is_none());
    assert!(writes(&owner, &fact) && !writes(&person("A"), &fact));
}

fn chain(n: usize) -> (Vec<Vec<u8>>, AuditHead) {
    let mut head = AuditHead::default();
    let entries: Vec<Entry> = all_recorded(STORY)
        .into_iter()
        .flat_map(|(_, e)| e)
        .collect();
    let mut records = Vec::new();
    for entry in entries.iter().cycle().take(n) {
        records.push(head.seal(entry).value);
    }
    (records, head)
}

fn check(records: &[Vec<u8>], head: &AuditHead) -> Checked {
    let mut check = ChainCheck::new(Known {
        is_whole: true,
        head: Some(*head),
    });
    for (offset, record) in (0..).zip(records) {
        check.take(offset, record);
    }
    check.finish(None)
}

fn wrong(records: &[Vec<u8>], head: &AuditHead) -> Vec<(Wrong, u64)> {
    let faults = check(records, head).faults;
    faults.iter().map(|f| (f.wrong, f.number)).collect()
}

#[test]
fn what_people_decide_is_valid_and_read_by_people() {
    let place = ControlPlace {
        topic: "deskwarden.control.v1",
        partition: 0,
        offset: 7,
        time: Timestamp(1_772_442_000_000),
    };
    let controls = [
        (
            "disposition/x",
            json!({"kind": "disposition", "alert": "00000000000000000000000000000001",
                "entity": "identity|T", "revision": 3, "verdict": "benign", "owner": "anna",
                "reason": "asked"}),
            "[benign]  by anna, on alert 00000000000000000000000000000001, of T, reason asked",
        ),
        (
            "silence/y",
            json!({"kind": "silence", "scope": {"patterns": ["HDT-01"]}, "owner": "=anna",
                "reason": "moves", "valid_from": "2026-03-02T09:00:00Z",
                "valid_to": "2026-03-03T09:00:00Z"}),
            "[silence]  by =anna, from 2026-03-02T09:00:00.000Z, until 2026-03-03T09:00:00.000Z",
        ),
        (
            "assignment/x",
            json!({"kind": "assignment", "alert": "00000000000000000000000000000001",
                "entity": "identity|T", "revision": 3, "assignee": "bea", "owner": "anna"}),
            "[assignment]  by anna, on alert 00000000000000000000000000000001, to bea, of T, record",
        ),
        ("silence/y", Value::Null, "[removed]  record silence/y"),
    ];
    let mut head = AuditHead::default();
    for (id, json, says) in controls {
        let bytes = (!json.is_null()).then(|| json.to_string().into_bytes());
        let entry = bytes.as_deref().map(|bytes| control(id, bytes).unwrap());
        let sealed = head.seal(&decided(id, bytes.as_deref(), entry.as_ref(), &place));
        crate::schemas::valid(
            "audit.v1.json",
            &serde_json::from_slice(&sealed.value).unwrap(),
        );
        let record = AuditRecord::read(&sealed.value).unwrap();
        let placed = Placed {
            record,
            partition: 0,
            offset: 1,
        };
        let line = &timeline(std::slice::from_ref(&placed))[0].text;
        assert!(line.contains(says), "{line}");
        let row = row(&placed);
        assert_eq!(row.len(), COLUMNS.len());
        let at = |name: &str| &row[COLUMNS.iter().position(|c| *c == name).unwrap()];
        if id == "silence/y" && !json.is_null() {
            assert_eq!(
                (at("owner").as_str(), at("decision_reason").as_str()),
                ("'=anna", "moves")
            );
            assert_eq!(at("valid_to"), "2026-03-03T09:00:00.000Z");
        }
    }
}

#[test]
fn a_record_is_valid_and_carries_its_place() {
    let (records, head) = chain(5);
    let checked = check(&records, &head);
    assert_eq!((checked.faults, checked.head), (Vec::new(), head));
    assert_eq!(head.count, 5);
    for record in &records {
        crate::schemas::valid("audit.v1.json", &serde_json::from_slice(record).unwrap());
    }
    let last: Value = serde_json::from_slice(&records[4]).unwrap();
    let before: Value = serde_json::from_slice(&records[3]).unwrap();
    assert_eq!(
        (&last["number"], &last["prev"]),
        (&5.into(), &before["hash"])
    );
}

#[test]
fn every_manipulation_shows() {
    let (records, head) = chain(12);
    let mut planted = 0;
    let mut refuse = |changed: Vec<Vec<u8>>, what: &str| {
        planted += 1;
        assert_ne!(wrong(&changed, &head), [], "{what}");
    };
    for n in 0..records.len() {
        let mut removed = records.clone();
        removed.remove(n);
        refuse(removed, "removed");
        let mut doubled = records.clone();
        doubled.insert(n, records[n].clone());
        refuse(doubled, "doubled");
        for m in 0..n {
            let mut swapped = records.clone();
            swapped.swap(n, m);
            refuse(swapped, "swapped");
        }
        // Every byte matters.
        for at in 0..records[n].len() {
            let mut changed = records.clone();
            changed[n][at] ^= 1;
            refuse(changed, "one bit");
        }
        let mut longer = records.clone();
        longer[n].push(b' ');
        refuse(longer, "one byte more");
    }
    // Somebody who can write rewrites one record with a hash that fits it.
    let mut forged = records.clone();
    let mut other = AuditHead::default();
    let entries: Vec<Entry> = all_recorded(STORY)
        .into_iter()
        .flat_map(|(_, e)| e)
        .collect();
    for n in 0..6 {
        let mut entry = entries[n % entries.len()].clone();
        if n == 5 {
            entry.body.event = EventId([9; 16]);
        }
        forged[n] = other.seal(&entry).value;
    }
    assert_eq!(wrong(&forged, &head), [(Wrong::Replaced, 6)]);
    // And cuts the end off.
    assert_eq!(wrong(&records[..11], &head), [(Wrong::CutShort, 12)]);
    let nothing = [b"{}".to_vec()];
    assert_eq!(
        wrong(&nothing, &AuditHead::default()),
        [(Wrong::Inserted, 0)]
    );
    assert!(planted > 5_000, "{planted}");
}
