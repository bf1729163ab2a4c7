//! Audit records as auditors and people see them: rows and lines compared with golden files, and what
//! is asked for.

use std::path::Path;

use deskwarden::collect::time::Timestamp;
use deskwarden::correlate::audit::{AuditHead, Entry, settled};
use deskwarden::correlate::fact::Fact;
use deskwarden::correlate::rules::rule::Evidence;
use deskwarden::deliver::audit::row::{COLUMNS, row};
use deskwarden::deliver::audit::timeline::timeline;
use deskwarden::deliver::audit::{AuditRecord, Placed, Question};

use crate::audit::{STORY, all_recorded};
use crate::support::golden;
use crate::world::{EVIDENCE, World, events, person};

const BARE: &str = "
T
A tier=privileged
60m credential.password_reset target=T agent=A id=p
";

/// A verified recovery with its controls; one without, settled again when a ticket turned up; and one
/// with texts that a spreadsheet would calculate and a terminal obey.
fn records() -> Vec<Placed> {
    let mut entries: Vec<Entry> = all_recorded(STORY)
        .into_iter()
        .flat_map(|(_, e)| e)
        .collect();
    let owner = person("T");
    let of = |world: &World, story: &str, action: &str| {
        let event = events(story)
            .into_iter()
            .find(|e| e.action.as_str() == action);
        let fact = Fact::of(&event.unwrap());
        let known = world.known(&owner);
        let declared = if story == BARE {
            &[Evidence::Ticket][..]
        } else {
            &EVIDENCE[..]
        };
        settled(&owner, &fact, &known.view(&owner), declared, None).unwrap()
    };
    entries.push(of(&World::told(STORY), STORY, "mfa.reset_all").0);
    entries.extend(all_recorded(BARE).into_iter().flat_map(|(_, e)| e));
    let mut bare = World::told(BARE);
    let (first, mark) = of(&bare, BARE, "credential.password_reset");
    entries.push(first);
    bare.take(&events("T\n59m ticket.opened ticket=t9 requester=T request=password id=t")[0]);
    let fact = Fact::of(&events(BARE)[0]);
    let known = bare.known(&owner);
    let declared = [Evidence::Ticket];
    let second = settled(&owner, &fact, &known.view(&owner), &declared, Some(&mark));
    entries.push(second.unwrap().0);
    let mut evil = all_recorded(BARE).remove(0).1.remove(0);
    evil.body.time += 60_000;
    evil.body.event = deskwarden::collect::event::EventId([7; 16]);
    evil.body.ticket = Some("=HYPERLINK(\"https://example.com\",\"INC1\")".into());
    evil.body.call = Some("+1".into());
    evil.body.target.as_mut().unwrap().name = Some("@SUM(1,2)".into());
    evil.body.agent.as_mut().unwrap().uid = "-2+3\r\n=4".into();
    entries.push(evil);
    let mut head = AuditHead::default();
    let mut placed = Vec::new();
    for (offset, entry) in (0..).zip(&entries) {
        let record = AuditRecord::read(&head.seal(entry).value).unwrap();
        placed.push(Placed {
            record,
            partition: 3,
            offset,
        });
    }
    placed.sort_by_key(Placed::order);
    placed
}

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/contract")
        .join(name);
    golden::check(&path, text).unwrap();
}

/// Quoted wherever a field could be taken for more than one.
fn csv(rows: &[Vec<String>]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

#[test]
fn rows_are_as_auditors_expect_them() {
    let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
    rows.extend(records().iter().map(row));
    for row in &rows {
        assert_eq!(row.len(), COLUMNS.len());
        for field in row {
            let first = field.trim_start().chars().next();
            assert!(
                !first.is_some_and(|c| "=+-@".contains(c)),
                "a formula: {field:?}"
            );
        }
    }
    golden("audit.csv", &csv(&rows));
}

#[test]
fn the_timeline_reads_as_a_person_would_tell_it() {
    let lines = timeline(&records());
    let shown = |text: &str| text.escape_debug().to_string();
    let text: String = lines
        .iter()
        .map(|line| format!("{:<8} {}\n", format!("{:?}", line.tone), shown(&line.text)))
        .collect();
    golden("audit_timeline.txt", &text);
}

#[test]
fn questions_narrow_by_role_ticket_and_event_time() {
    let records = records();
    let count = |question: Question| {
        let asked = records.iter().filter(|p| question.asks_for(&p.record));
        asked.count()
    };
    let all = records.len();
    assert_eq!(count(Question::default()), all);
    let id = |id: &str| Some(id.to_owned());
    let by_person = Question {
        person: id("T"),
        ..Question::default()
    };
    let by_agent = Question {
        agent: id("A"),
        ..Question::default()
    };
    let by_approver = Question {
        agent: id("S"),
        ..Question::default()
    };
    let by_ticket = Question {
        ticket: id("inc-T1"),
        ..Question::default()
    };
    let nobody = Question {
        person: id("A"),
        ..Question::default()
    };
    assert!(count(by_person.clone()) > 5 && count(by_agent.clone()) > 3);
    assert_eq!(
        count(by_approver),
        2,
        "the approval and what was settled by it"
    );
    assert!((3..all).contains(&count(by_ticket)));
    assert_eq!(count(nobody), 0);
    // From a moment on, and before another one.
    let time = records[4].record.time;
    let from = count(Question {
        from: Some(time),
        ..by_person.clone()
    });
    let to = count(Question {
        to: Some(time),
        ..by_person.clone()
    });
    assert_eq!(from + to, count(by_person));
    let at = Question {
        from: Some(time),
        to: Some(Timestamp(time.0 + 1)),
        ..Question::default()
    };
    assert_eq!(
        count(at),
        records.iter().filter(|p| p.record.time == time).count()
    );
}

#[test]
fn what_is_no_audit_record_is_not_read() {
    for value in [&b""[..], b"{}", b"null", b"[]", b"\xff", b"{\"id\":1}"] {
        assert_eq!(AuditRecord::read(value), None);
    }
}
