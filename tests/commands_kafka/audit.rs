//! The auditor's commands: a takeover through the shipped daemon, then what they say of its records,
//! and of one that somebody else wrote.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use deskwarden::collect::entity::{Entity, EntityKind};
use deskwarden::collect::event::{Action, Event, TicketRef, TicketStatus};
use deskwarden::collect::time::{HOUR_MS, MINUTE_MS};
use deskwarden::collect::words::Domain;
use deskwarden::correlate::audit::{AuditHead, Body, Entry, Link, Stage};
use deskwarden::correlate::fact::Fact;
use deskwarden::edge::clock;
use deskwarden::edge::log::topics::{Names, Topic};
use deskwarden::edge::log::{Log, OwnedRecord, Partition, ProduceRecord};
use rdkafka::producer::Producer;
use serde_json::Value;

use crate::world::{PARTITIONS, PATIENCE, World, brokers::addresses, read_all, role};

/// Half a minute of log time, and the daemon's own pace on a busy machine.
const SETTLED_WITHIN: Duration = Duration::from_secs(180);
const FIRST_DAY: &str = "2020-01-01";
const LAST_DAY: &str = "2099-12-31";

/// One person is recovered twice and another once, all without a ticket; beside it one is opened.
fn takeover(world: &mut World) {
    let reset = clock::now().minus(3 * HOUR_MS);
    for (minute, action) in [
        (0, Action::CredentialPasswordReset),
        (4, Action::MfaResetAll),
    ] {
        let mut event = world.event(Domain::Idp, action, reset.plus(minute * MINUTE_MS));
        event.target = role("victim");
        event.agent = role("agent");
        world.send("idp", &event);
    }
    let mut opened = world.event(Domain::Ticket, Action::TicketOpened, reset.minus(MINUTE_MS));
    opened.requester = role("other");
    opened.ticket_ref = Some(Box::new(TicketRef {
        system: "desk".into(),
        id: "t1".into(),
        key: Some("INC0010001".into()),
        status: Some(TicketStatus::Open),
        ..TicketRef::default()
    }));
    world.send("desk", &opened);
    let mut unlocked = world.event(Domain::Idp, Action::AccountUnlocked, reset);
    unlocked.target = role("other");
    unlocked.agent = role("agent");
    world.send("idp", &unlocked);
    world.producer.flush(PATIENCE).unwrap();
}

fn audit_records(world: &World) -> Vec<OwnedRecord> {
    let topic = Arc::clone(Names::new(&world.prefix).of(Topic::Audit));
    let mut log = world.reader();
    let partitions = (0..PARTITIONS).map(|n| Partition::new(Arc::clone(&topic), n));
    partitions
        .flat_map(|partition| read_all(&mut log, &partition))
        .collect()
}

fn json(record: &OwnedRecord) -> Value {
    serde_json::from_slice(record.value.as_deref().unwrap()).unwrap()
}

/// Waits until the controls of the three recoveries are decided; all records.
fn settled(world: &World) -> Vec<OwnedRecord> {
    let deadline = Instant::now() + SETTLED_WITHIN;
    loop {
        let records = audit_records(world);
        let settled = records.iter().filter(|r| json(r)["stage"] == "settled");
        if settled.count() >= 3 {
            return records;
        }
        assert!(
            Instant::now() < deadline,
            "{} records\n{}",
            records.len(),
            world.log("a")
        );
        thread::park_timeout(Duration::from_secs(1));
    }
}

struct Told {
    code: i32,
    out: String,
    errors: String,
}

fn told(output: Output) -> Told {
    Told {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

fn audit(world: &World, args: &[&str]) -> Told {
    told(
        world
            .command(&[&["audit"], args].concat())
            .output()
            .unwrap(),
    )
}

fn verify_file(world: &World, path: &Path) -> Told {
    audit(world, &["verify", "--file", path.to_str().unwrap()])
}

fn export(world: &World, name: &str, more: &[&str]) -> (PathBuf, String) {
    let path = world.folder.join(name);
    let time = ["export", "--from", FIRST_DAY, "--to", LAST_DAY, "--output"];
    let told = audit(
        world,
        &[&time[..], &[path.to_str().unwrap()], more].concat(),
    );
    assert_eq!(told.code, 0, "{}", told.errors);
    (path, told.errors)
}

#[test]
fn an_auditor_asks_exports_and_finds_what_was_forged() {
    let Some(brokers) = addresses() else { return };
    let mut world = World::new("audit", brokers);
    let mut instance = world.start("a");
    world.until_ready("a");
    takeover(&mut world);
    let records = settled(&world);

    // Also while the daemon goes on.
    let intact = audit(&world, &["verify"]);
    assert_eq!(intact.code, 0, "{}{}", intact.out, intact.errors);
    let total = format!(
        "{} records in {PARTITIONS} partitions: intact",
        records.len()
    );
    assert!(intact.out.contains(&total), "{total}\n{}", intact.out);

    is_shown(&world, &records);
    is_exported(&world, &records);
    assert_eq!(instance.stop(), Some(0), "{}", world.log("a"));
    is_found(&world, &records);
    std::fs::remove_dir_all(&world.folder).unwrap();
}

fn is_shown(world: &World, records: &[OwnedRecord]) {
    let of = |action: &str| {
        let mut found = records.iter().map(json);
        found.find(|record| record["action"] == action).unwrap()
    };
    let victim = of("mfa.reset_all");
    let person = victim["target"]["uid"].as_str().unwrap();
    let shown = audit(world, &["show", "--person", person]);
    assert_eq!(shown.code, 0, "{}", shown.errors);
    let lines: Vec<&str> = shown.out.lines().collect();
    let is_right = lines.len() == 4
        && lines[0].contains("credential.password_reset [password]")
        && lines[1].contains("settled, version 1: ticket MISSING")
        && lines[2].contains("mfa.reset_all")
        && lines[3].contains("ticket MISSING");
    assert!(is_right, "{}", shown.out);
    assert!(
        !shown.out.contains('\u{1b}'),
        "no colours but on a terminal"
    );

    let by_ticket = audit(world, &["show", "--ticket", "INC0010001"]);
    let lines: Vec<&str> = by_ticket.out.lines().collect();
    let is_right = lines.len() == 1 && lines[0].contains("ticket.opened  ticket INC0010001");
    assert!(is_right, "{}", by_ticket.out);
    let agent = victim["agent"]["uid"].as_str().unwrap();
    let by_agent = audit(world, &["show", "--agent", agent, "--from", FIRST_DAY]);
    assert_eq!(
        by_agent.out.matches("settled, version").count(),
        3,
        "{}",
        by_agent.out
    );
    let later = audit(world, &["show", "--agent", agent, "--from", LAST_DAY]);
    assert_eq!((later.code, later.out.as_str()), (0, ""));
    assert!(later.errors.contains("no record"), "{}", later.errors);
}

fn is_exported(world: &World, records: &[OwnedRecord]) {
    let (path, summary) = export(world, "all.ndjson", &[]);
    let said = format!(
        "{} records: 3 recoveries, 3 times their controls",
        records.len()
    );
    assert!(summary.contains(&said), "{summary}");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), records.len() + 1);
    let intact = verify_file(world, &path);
    assert_eq!(intact.code, 0, "{}{}", intact.out, intact.errors);

    let broken = |name: &str, lines: &[&str], what: &str| {
        let path = world.folder.join(name);
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        let found = verify_file(world, &path);
        assert_eq!(found.code, 1, "{name}: {}", found.out);
        assert!(found.out.contains(what), "{name}: {what}\n{}", found.out);
    };
    let at = lines
        .iter()
        .position(|line| line.contains("mfa.reset_all"))
        .unwrap();
    let first: Value = serde_json::from_str(lines[at]).unwrap();
    let (partition, offset) = (&first["partition"], &first["offset"]);
    let changed = lines[at].replace("mfa.reset_all", "mfa.enrolled");
    let mut other = lines.clone();
    other[at] = &changed;
    broken(
        "changed.ndjson",
        &other,
        &format!("partition {partition}: BROKEN"),
    );
    broken("changed.ndjson", &other, &format!("offset {offset}, "));
    broken("changed.ndjson", &other, "changed: its hash");
    let mut fewer = lines.clone();
    fewer.remove(at);
    broken("fewer.ndjson", &fewer, "removed");
    broken(
        "cut.ndjson",
        &lines[..lines.len() - 1],
        "the end was cut off",
    );
    broken("cut.ndjson", &lines[..1], "the end was cut off");
    let swapped: Vec<&str> = lines.iter().rev().copied().collect();
    broken("swapped.ndjson", &swapped, "behind the last line");
    let mut strange = lines.clone();
    strange.insert(0, "{}");
    broken("strange.ndjson", &strange, "strange.ndjson:1: is no line");

    let victim = first["record"]["target"]["uid"].as_str().unwrap();
    let (path, _) = export(world, "victim.ndjson", &["--person", victim]);
    let part = std::fs::read_to_string(&path).unwrap();
    assert_eq!(part.lines().count(), 5, "{part}");
    assert_eq!(verify_file(world, &path).code, 0);

    let (path, _) = export(world, "all.csv", &["--format", "csv"]);
    let table = std::fs::read(&path).unwrap();
    let mut table = csv::Reader::from_reader(table.as_slice());
    let column = table
        .headers()
        .unwrap()
        .iter()
        .position(|h| h == "control_ticket");
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), records.len());
    let states = |state: &str| rows.iter().filter(|r| &r[column.unwrap()] == state).count();
    assert_eq!((states("missing"), states("")), (3, rows.len() - 3));
}

/// Somebody who may write to the topic seals a record as the correlator would.
fn is_found(world: &World, records: &[OwnedRecord]) {
    let last = records.last().unwrap();
    let link = Link::read(last.value.as_deref().unwrap()).unwrap();
    let mut head = AuditHead {
        hash: link.hash,
        count: link.number,
    };
    let mut event = Event::new(Domain::Idp, Action::MfaResetAll, link.time.plus(MINUTE_MS));
    event.target = role("victim");
    let entity = Entity::new(EntityKind::Identity, "victim");
    let body = Body::of(&entity, &Fact::of(&event), Stage::Recorded, 1);
    let key = "victim".into();
    let sealed = head.seal(&Entry { key, body });
    let mut log = world.reader();
    log.begin().unwrap();
    log.produce(&ProduceRecord {
        topic: &last.partition.topic,
        partition: last.partition.number,
        key: Some(sealed.key.as_bytes()),
        headers: &[],
        value: Some(&sealed.value),
    })
    .unwrap();
    log.commit().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while audit_records(world).len() == records.len() {
        assert!(Instant::now() < deadline, "the forged record never came");
        thread::park_timeout(Duration::from_millis(100));
    }
    let found = audit(world, &["verify"]);
    assert_eq!(found.code, 1, "{}{}", found.out, found.errors);
    let number = last.partition.number;
    for part in [
        format!("partition {number}: BROKEN"),
        format!("record {} at offset ", link.number + 1),
        "inserted: the chain goes on without it".to_owned(),
        "BROKEN; faults: 1, broken partitions: 1".to_owned(),
    ] {
        assert!(found.out.contains(&part), "{part}\n{}", found.out);
    }
    assert_eq!(found.out.matches(": ok, ").count(), 5, "{}", found.out);
    let found = audit(world, &["verify", "--format", "json"]);
    let report: Value = serde_json::from_str(&found.out).unwrap();
    let partition = &report["partitions"][usize::try_from(number).unwrap()];
    let fault = &partition["faults"][0];
    assert_eq!((found.code, &report["ok"]), (1, &false.into()));
    assert_eq!(fault["wrong"], "inserted");
    assert_eq!(fault["at"]["number"], link.number + 1);
    assert!(fault["at"]["offset"].as_i64().unwrap() > last.offset);
    assert!(fault["at"]["time"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn what_is_not_given_right_exits_2_and_64() {
    let Some(brokers) = addresses() else { return };
    let world = World::bare("auditargs", brokers);
    world.write_config(&[]);
    for args in [
        &["export"][..],
        &["export", "--from", "2024-05-06"],
        &["export", "--from", "2024-05-06", "--to", "2024-05-05"],
        &["export", "--from", "yesterday", "--to", "2024-05-06"],
        &["show"],
        &["show", "--from", "2024-05-06"],
        &["verify", "--file", "/no/such/file"],
    ] {
        let told = audit(&world, args);
        assert_eq!(told.code, 2, "{args:?}: {}", told.errors);
    }
    let none = world
        .command(&["audit", "verify", "--set", "kafka.brokers="])
        .output()
        .unwrap();
    assert_eq!(none.status.code(), Some(64));
    // The topics are not there.
    assert_eq!(audit(&world, &["verify"]).code, 1);
    std::fs::remove_dir_all(&world.folder).unwrap();
}
