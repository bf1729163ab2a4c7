//! What people hand in, from the desk to the alerts, on the in-memory log.

use super::*;
use crate::collect::event::Action;
use crate::correlate::rules;
use crate::edge::control::{Desk, Held, desk};
use crate::edge::health::Health;
use crate::edge::log::Partition;
use crate::edge::log::memory::{Fault, MemoryLog};
use crate::edge::log::topics::Topic;
use crate::edge::stages::collect::Collect;
use crate::edge::stages::correlate::Correlate;
use crate::edge::stages::tests::{NOW, World, block_of};
use serde_json::{Value, json};
use tokio::sync::oneshot;

type Waiting = oneshot::Receiver<Result<Written, Unwritten>>;

const STRIP: [Action; 2] = [Action::CredentialPasswordReset, Action::MfaResetAll];
const DAY_MS: i64 = 24 * 3_600_000;

/// All three loops.
struct Stages {
    desk: Desk,
    control: Control<MemoryLog>,
    collect: Collect<MemoryLog>,
    correlate: Correlate<MemoryLog>,
}

impl Stages {
    fn on(world: &World) -> Self {
        let (desk, end) = desk();
        let log = world.member("control", Vec::new());
        let topic = Arc::clone(world.names.of(Topic::Control));
        let rules = rules::embedded_set().unwrap_or_else(|faults| panic!("{}", faults[0]));
        Self {
            desk,
            control: Control::new(log, topic, end, Health::default().worker("control-0")),
            collect: world.collect(),
            correlate: world.correlate_with(rules, Duration::ZERO),
        }
    }

    fn work(&mut self) {
        for _ in 0..20 {
            self.control.cycle().unwrap();
            self.collect.cycle(NOW).unwrap();
            self.correlate.cycle().unwrap();
        }
    }

    /// Leaves the groups, so that the next ones are given the partitions at once.
    fn stop(self) {
        self.collect.into_log().close().unwrap();
        self.correlate.into_log().close().unwrap();
    }

    fn hand_in(&self, key: &str, record: &Value) -> Waiting {
        let value = record.to_string().into_bytes();
        self.desk.hand_in(key.to_owned(), value).unwrap()
    }
}

/// Revisions of the case of a person, in order.
fn revisions(world: &World, person: &str) -> Vec<Value> {
    let alerts = Partition::new(Arc::clone(world.names.of(Topic::Alerts)), 0);
    let read = world.broker.read(&alerts);
    let read = read.iter().filter_map(|record| record.value.as_deref());
    let all = read.map(|value| serde_json::from_slice::<Value>(value).unwrap());
    all.filter(|alert| alert["resources"][0]["uid"] == person)
        .collect()
}

fn report(world: &World, person: &str) {
    world.append(world.names.of(Topic::Events), &block_of(person, &STRIP));
}

fn silence(entities: &[&str]) -> Value {
    json!({
        "kind": "silence", "scope": {"entities": entities}, "owner": "anna", "reason": "a drill",
        "valid_from": NOW.0 - DAY_MS, "valid_to": NOW.0 + DAY_MS,
    })
}

fn verdict(alert: &Value, person: &str) -> Value {
    json!({
        "kind": "disposition", "alert": alert["finding_info"]["uid"],
        "entity": format!("identity|{person}"), "revision": alert["metadata"]["sequence"],
        "verdict": "benign", "owner": "anna", "reason": "asked the manager",
    })
}

#[test]
fn a_verdict_closes_and_a_silence_quiets_also_after_a_restart() {
    let world = World::new();
    let mut stages = Stages::on(&world);
    stages.work();
    report(&world, "T");
    stages.work();
    let open = revisions(&world, "T");
    let newest = open.last().unwrap();
    assert_eq!(
        (&newest["activity_id"], &newest["status_id"]),
        (&json!(1), &json!(1))
    );

    let mut written = stages.hand_in("disposition/t", &verdict(newest, "T"));
    stages.work();
    let (partition, offset) = (0, 0);
    assert_eq!(
        written.try_recv().unwrap(),
        Ok(Written { partition, offset })
    );
    let closed = revisions(&world, "T");
    assert_eq!(closed.len(), open.len() + 1);
    let newest = closed.last().unwrap();
    assert_eq!(newest["activity_id"], 3);
    assert_eq!(newest["verdict_id"], 5, "{newest}");

    let quiet = silence(&["identity|U", "identity|V"]);
    let mut written = stages.hand_in("silence/s", &quiet);
    stages.work();
    // The record that ends a transaction takes an offset too.
    let (partition, offset) = (0, 2);
    assert_eq!(
        written.try_recv().unwrap(),
        Ok(Written { partition, offset })
    );
    report(&world, "U");
    stages.work();
    let silenced = |person: &str| {
        let all = revisions(&world, person);
        all.last().unwrap()["status_id"] == 3
    };
    assert!(silenced("U"));

    stages.stop();
    let mut stages = Stages::on(&world);
    stages.work();
    report(&world, "V");
    report(&world, "W");
    // What is known already of T changes nothing.
    report(&world, "T");
    stages.work();
    assert!(silenced("V"));
    assert!(!silenced("W"), "only what the silence names");
    assert_eq!(revisions(&world, "T").len(), closed.len());
    let listed = stages.desk.list(Held::Silences, NOW);
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["id"], &listed[0]["holds"]),
        (&json!("silence/s"), &json!(true))
    );
    assert_eq!(stages.desk.list(Held::Exemptions, NOW), [] as [Value; 0]);
}

/// What people decided, as the audit topic has it.
fn decisions(world: &World) -> Vec<Value> {
    let audit = world.names.of(Topic::Audit);
    let of = |number| {
        world
            .broker
            .read(&Partition::new(Arc::clone(audit), number))
    };
    let records = of(0).into_iter();
    let read = records.filter_map(|record| record.value);
    let all = read.map(|value| serde_json::from_slice::<Value>(&value).unwrap());
    all.filter(|record| record["stage"] == "decided").collect()
}

#[test]
fn what_people_decide_is_recorded_once_with_who_and_why() {
    let world = World::new();
    let mut stages = Stages::on(&world);
    stages.work();
    report(&world, "T");
    stages.work();
    let alert = revisions(&world, "T").pop().unwrap();
    stages.hand_in("disposition/t", &verdict(&alert, "T"));
    stages.hand_in("silence/s", &silence(&["identity|U"]));
    stages.work();
    // The same again decides nothing.
    stages.hand_in("silence/s", &silence(&["identity|U"]));
    stages.work();
    stages.stop();
    let mut stages = Stages::on(&world);
    let mut ended = silence(&["identity|U"]);
    ended["valid_to"] = json!(NOW.0);
    ended["owner"] = json!("bea");
    ended["reason"] = json!("it is over");
    stages.hand_in("silence/s", &ended);
    stages.work();
    let mut found: Vec<[String; 4]> = decisions(&world)
        .iter()
        .map(|record| {
            let said = &record["decision"];
            assert_eq!(record["source"]["topic"], &**world.names.of(Topic::Control));
            [
                &record["action"],
                &record["entity"],
                &said["owner"],
                &said["reason"],
            ]
            .map(|field| field.as_str().unwrap().to_owned())
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            [
                "control.disposition",
                "identity|T",
                "anna",
                "asked the manager"
            ],
            ["control.silence", "control|silence/s", "anna", "a drill"],
            ["control.silence", "control|silence/s", "bea", "it is over"],
        ]
    );
}

#[test]
fn an_assignment_is_recorded_and_changes_no_alert() {
    let world = World::new();
    let mut stages = Stages::on(&world);
    stages.work();
    report(&world, "T");
    stages.work();
    let open = revisions(&world, "T");
    let mut taken = verdict(open.last().unwrap(), "T");
    let fields = taken.as_object_mut().unwrap();
    fields.remove("verdict");
    fields.remove("reason");
    fields.insert("kind".to_owned(), json!("assignment"));
    fields.insert("assignee".to_owned(), json!("bea"));
    stages.hand_in("assignment/t", &taken);
    stages.work();
    assert_eq!(revisions(&world, "T"), open);
    let decided = decisions(&world);
    let found: Vec<_> = decided
        .iter()
        .map(|record| {
            (
                &record["action"],
                &record["entity"],
                &record["decision"]["assignee"],
            )
        })
        .collect();
    assert_eq!(
        found,
        [(
            &json!("control.assignment"),
            &json!("identity|T"),
            &json!("bea")
        )]
    );
    let alert = taken["alert"].as_str().unwrap();
    assert_eq!(stages.desk.assignee(alert).as_deref(), Some("bea"));
    // A tombstone under the key of the alert releases it.
    let control = Arc::clone(world.names.of(Topic::Control));
    let key = format!("assignment/{alert}");
    let removed = ProduceRecord {
        topic: &control,
        partition: 0,
        key: Some(key.as_bytes()),
        headers: &[],
        value: None,
    };
    world.broker.append(&removed, NOW).unwrap();
    stages.work();
    assert_eq!(stages.desk.assignee(alert), None);
}

#[test]
fn a_verdict_on_an_older_revision_is_written_and_closes_nothing() {
    let world = World::new();
    let mut stages = Stages::on(&world);
    stages.work();
    report(&world, "T");
    stages.work();
    let open = revisions(&world, "T");
    let mut old = verdict(open.last().unwrap(), "T");
    old["revision"] = json!(99);
    let mut written = stages.hand_in("disposition/t", &old);
    stages.work();
    assert!(written.try_recv().unwrap().is_ok());
    assert_eq!(revisions(&world, "T"), open);
}

#[test]
fn who_hands_in_is_told_what_became_of_it() {
    let world = World::new();
    let mut stages = Stages::on(&world);
    assert!(!stages.desk.is_filled());
    stages.work();
    assert!(stages.desk.is_filled());
    // Taken back: nothing is there.
    world.broker.inject("control", Fault::CommitRefused);
    let mut refused = stages.hand_in("silence/a", &silence(&["identity|A"]));
    stages.work();
    assert_eq!(refused.try_recv().unwrap(), Err(Unwritten::Refused));
    assert_eq!(stages.desk.list(Held::Silences, NOW).len(), 0);
    // Unknown, but it took effect: the topic says so.
    world.broker.inject("control", Fault::CommitUnacknowledged);
    let mut unknown = stages.hand_in("silence/b", &silence(&["identity|B"]));
    stages.work();
    assert!(unknown.try_recv().unwrap().is_ok());
    // The next goes its way.
    let mut fine = stages.hand_in("silence/c", &silence(&["identity|C"]));
    stages.work();
    assert!(fine.try_recv().unwrap().is_ok());
    assert_eq!(stages.desk.list(Held::Silences, NOW).len(), 2);
    // What is over is not listed, what is to come is.
    assert_eq!(
        stages.desk.list(Held::Silences, NOW.plus(2 * DAY_MS)).len(),
        0
    );
    let early = stages.desk.list(Held::Silences, NOW.minus(2 * DAY_MS));
    assert!(early.len() == 2 && early.iter().all(|one| one["holds"] == false));
}

#[test]
fn a_full_desk_refuses_and_does_not_wait() {
    let (desk, end) = desk();
    let hand_in = || desk.hand_in("silence/x".to_owned(), Vec::new());
    let mut waiting = Vec::new();
    while let Ok(written) = hand_in() {
        waiting.push(written);
        assert!(waiting.len() <= 1_000, "no bound");
    }
    assert_eq!(hand_in().unwrap_err(), Unwritten::Busy);
    drop(end);
    assert_eq!(hand_in().unwrap_err(), Unwritten::Busy);
    assert!(
        waiting
            .iter_mut()
            .all(|written| written.try_recv().is_err())
    );
}
