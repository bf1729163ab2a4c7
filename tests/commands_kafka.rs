//! The operator's commands on a real broker, given by `DESKWARDEN_TEST_BROKERS`.
//!
//! Each test has a prefix of its own for topics, groups and transactional ids.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a test may panic"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use deskwarden::collect::block::{Body, Entry, SourceWatermark, Writer, encode_event};
use deskwarden::collect::directory::AccountRecord;
use deskwarden::collect::entity::{Entity, EntityKind};
use deskwarden::collect::event::{Action, Event};
use deskwarden::collect::glance::Glance;
use deskwarden::collect::time::Timestamp;
use deskwarden::collect::words::Domain;
use deskwarden::edge::clock;
use deskwarden::edge::kafka::{
    Admin, FoundTopic, KafkaLog, KafkaSettings, TopicReader, WantedTopic,
};
use deskwarden::edge::log::{Log, ProduceRecord};
use rdkafka::mocking::MockCluster;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use serde_json::Value;

#[path = "commands_kafka/audit.rs"]
mod audit;
#[path = "commands_kafka/dead_letters.rs"]
mod dead_letters;
#[path = "support/model.rs"]
mod model;
#[path = "simulation/random.rs"]
mod random;
#[path = "support/serving.rs"]
mod serving;
#[path = "support/world.rs"]
mod world;

use world::brokers::addresses;

struct Brokers {
    addresses: String,
    prefix: String,
    folder: PathBuf,
}

struct Run {
    code: i32,
    out: String,
    errors: String,
}

/// The brokers under test, or a visible skip, which is a failure where `CI=true`.
fn brokers(test: &str) -> Option<Brokers> {
    let addresses = addresses()?;
    let prefix = format!("dwtest-{test}-{}", clock::now().0);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&prefix);
    std::fs::create_dir_all(&folder).unwrap();
    Some(Brokers {
        addresses,
        prefix,
        folder,
    })
}

impl Drop for Brokers {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Brokers {
    fn settings(&self, name: &str) -> KafkaSettings {
        KafkaSettings {
            group: format!("{}.{name}", self.prefix),
            instance: "test-0".to_owned(),
            transactional_id: format!("{}-{name}", self.prefix),
            properties: BTreeMap::from([("bootstrap.servers".to_owned(), self.addresses.clone())]),
            ..KafkaSettings::default()
        }
    }

    fn topic(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    fn create(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) {
        let admin = Admin::connect(&self.settings("admin")).unwrap();
        let settings = settings.iter();
        let wanted = WantedTopic {
            name: name.to_owned(),
            partitions,
            replication: 1,
            settings: settings
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        };
        admin.create(&wanted).unwrap();
    }

    fn look(&self, name: &str) -> Option<FoundTopic> {
        let admin = Admin::connect(&self.settings("admin")).unwrap();
        admin.topic(name).unwrap()
    }

    /// Runs the program with two partitions, one copy and these further settings.
    fn run(&self, args: &[&str], settings: &[String]) -> Run {
        let mut common = vec![
            format!("kafka.brokers={}", self.addresses),
            format!("prefix={}", self.prefix),
            "kafka.replication_factor=1".to_owned(),
            "kafka.partitions=2".to_owned(),
            "instance=test".to_owned(),
        ];
        common.extend_from_slice(settings);
        let common: Vec<&str> = common.iter().map(String::as_str).collect();
        run_program(args, &common)
    }

    fn source(&self, name: &str, topic: &str) -> String {
        format!("sources.{name}.topic={}-{topic}", self.prefix)
    }

    fn write(&self, topic: &str, partition: i32, value: &[u8]) {
        let mut log = KafkaLog::connect(&self.settings("writer")).unwrap();
        log.begin().unwrap();
        log.produce(&ProduceRecord {
            topic,
            partition,
            key: None,
            headers: &[],
            value: Some(value),
        })
        .unwrap();
        log.commit().unwrap();
        log.close().unwrap();
    }

    fn read(&self, topic: &str) -> Vec<(String, Option<String>)> {
        let mut reader = TopicReader::connect(&self.settings("reader")).unwrap();
        let mut records = Vec::new();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let take = |record: deskwarden::edge::log::OwnedRecord| {
            records.push((text(record.key.unwrap()), record.value.map(text)));
        };
        reader.read_all(topic, take).unwrap();
        records
    }
}

fn run_program(args: &[&str], settings: &[&str]) -> Run {
    let set = settings.iter().flat_map(|setting| ["--set", setting]);
    let done = Command::new(env!("CARGO_BIN_EXE_deskwarden"))
        .args(args)
        .args(set)
        .env_clear()
        .env("DESKWARDEN__KEY", "0123456789abcdef0123456789abcdef")
        .output()
        .unwrap();
    Run {
        code: done.status.code().unwrap(),
        out: String::from_utf8(done.stdout).unwrap(),
        errors: String::from_utf8(done.stderr).unwrap(),
    }
}

const APPLY: [&str; 2] = ["topics", "apply"];
const CHECK: [&str; 2] = ["check", "--connect"];

#[test]
fn topics_are_created_verified_and_sources_declared() {
    let Some(brokers) = brokers("apply") else {
        return;
    };
    let (okta, desk) = (
        brokers.source("okta", "o"),
        brokers.source("servicenow", "s"),
    );
    let both = [okta.clone(), desk.clone()];
    brokers.create(&format!("{}-o", brokers.prefix), 3, &[]);
    brokers.create(&format!("{}-s", brokers.prefix), 1, &[]);
    let control = brokers.topic("control.v1");

    let dry = brokers.run(&["topics", "apply", "--dry-run"], &both);
    assert_eq!(dry.code, 0, "{}", dry.errors);
    assert_eq!(dry.out.matches("would create").count(), 8, "{}", dry.out);
    assert_eq!(
        dry.out.matches("would declare source").count(),
        2,
        "{}",
        dry.out
    );
    assert_eq!(brokers.look(&control), None);

    let first = brokers.run(&APPLY, &both);
    assert_eq!(
        (first.code, first.out.matches("created").count()),
        (0, 8),
        "{}",
        first.errors
    );
    let events = brokers.look(&brokers.topic("events.v1")).unwrap();
    assert_eq!((events.partitions, events.replication), (2, 1));
    assert_eq!(events.settings["message.timestamp.type"], "LogAppendTime");
    let alerts = brokers.look(&brokers.topic("alerts.v1")).unwrap();
    assert_eq!(alerts.settings["min.compaction.lag.ms"], "86400000");
    let declared = brokers.read(&control);
    let okta_record: Value = serde_json::from_str(declared[0].1.as_deref().unwrap()).unwrap();
    assert_eq!((declared.len(), declared[0].0.as_str()), (2, "source/okta"));
    assert_eq!(
        (&okta_record["partitions"], &okta_record["bound_ms"]),
        (&3.into(), &60_000.into())
    );

    let again = brokers.run(&APPLY, &both);
    assert_eq!(
        (again.code, again.out.matches("verified").count()),
        (0, 9),
        "{}",
        again.out
    );
    assert_eq!(brokers.read(&control).len(), 2, "nothing is written twice");
    let checked = brokers.run(&CHECK, &both);
    assert_eq!(checked.code, 0, "{}{}", checked.out, checked.errors);

    // A source that is gone is not declared as it is configured, until it is removed.
    let stale = brokers.run(&CHECK, std::slice::from_ref(&desk));
    assert_eq!(stale.code, 1, "{}", stale.out);
    assert!(
        stale
            .errors
            .contains("source okta: the control topic does not"),
        "{}",
        stale.errors
    );
    let removed = brokers.run(&APPLY, std::slice::from_ref(&desk));
    assert!(
        removed.out.contains("declared source okta as removed"),
        "{}",
        removed.out
    );
    assert_eq!(
        brokers.read(&control).last().unwrap(),
        &("source/okta".to_owned(), None)
    );
    assert_eq!(brokers.run(&CHECK, &[desk]).code, 0);
}

#[test]
fn a_topic_with_wrong_settings_is_refused_with_the_command_that_mends_it() {
    let Some(brokers) = brokers("wrong") else {
        return;
    };
    let events = brokers.topic("events.v1");
    brokers.create(&events, 3, &[("cleanup.policy", "compact")]);
    for args in [&APPLY[..], &CHECK] {
        let run = brokers.run(args, &[]);
        assert_eq!(run.code, 1, "{}", run.out);
        for part in [
            "it has 3 partitions and must have 2".to_owned(),
            "cleanup.policy is `compact` and must be `delete`".to_owned(),
            "message.timestamp.type is `CreateTime` and must be `LogAppendTime`".to_owned(),
            format!(
                "kafka-configs.sh --bootstrap-server {} --alter --entity-type topics \
                 --entity-name {events} --add-config 'cleanup.policy=[delete]'",
                brokers.addresses
            ),
        ] {
            assert!(run.errors.contains(&part), "{part}\n{}", run.errors);
        }
    }
    assert_eq!(
        brokers.look(&brokers.topic("state.v1")),
        None,
        "nothing is created"
    );
}

#[test]
fn a_missing_topic_is_told_with_what_creates_it() {
    let Some(brokers) = brokers("missing") else {
        return;
    };
    let settings = [brokers.source("okta", "nowhere")];
    let run = brokers.run(&["check", "--connect", "--format", "json"], &settings);
    assert_eq!(run.code, 1, "{}", run.errors);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let faults = report["faults"].as_array().unwrap();
    assert_eq!(
        (faults.len(), &report["ok"]),
        (9, &false.into()),
        "{}",
        run.out
    );
    let remedies = faults.iter().map(|fault| fault["remedy"].as_str().unwrap());
    let apply = remedies.filter(|remedy| remedy.contains("deskwarden topics apply"));
    assert_eq!(apply.count(), 8);
    assert!(
        run.out
            .contains("the topic of source `okta` does not exist"),
        "{}",
        run.out
    );
    let apply = brokers.run(&APPLY, &settings);
    assert_eq!(apply.code, 1, "{}", apply.out);
    assert_eq!(brokers.look(&brokers.topic("events.v1")), None);
}

/// Needs no broker: nobody listens there.
#[test]
fn brokers_that_are_away_are_told_within_ten_seconds() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join("away-people.jsonl");
    std::fs::write(
        &file,
        r#"{"employee_id":"E1","work_email":"a@example.com"}"#,
    )
    .unwrap();
    let export = format!("hris={}", file.display());
    let commands: [&[&str]; 7] = [
        &CHECK,
        &APPLY,
        &["audit", "verify"],
        &["audit", "show", "--ticket", "INC1"],
        &[
            "audit",
            "export",
            "--from",
            "2024-05-06",
            "--to",
            "2024-05-06",
        ],
        &["events", "tail"],
        &["directory", "import", &export],
    ];
    let runs: Vec<_> = commands
        .into_iter()
        .map(|args| {
            let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
            std::thread::spawn(move || {
                let began = clock::monotonic();
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                let run = run_program(&args, &["kafka.brokers=127.0.0.1:1"]);
                (run, began.elapsed())
            })
        })
        .collect();
    for run in runs {
        let (run, took) = run.join().unwrap();
        assert_eq!(run.code, 1, "{}", run.errors);
        assert!(took < Duration::from_secs(10), "{took:?}");
        for part in [
            "cannot reach the brokers at 127.0.0.1:1",
            "refused",
            "remedy: check that",
        ] {
            assert!(run.errors.contains(part), "{part}\n{}", run.errors);
        }
    }
    std::fs::remove_file(&file).unwrap();
}

/// Needs no broker: librdkafka's own stands in, which refuses what it is told to.
#[test]
fn what_is_not_allowed_is_told_with_what_to_grant() {
    let cluster = MockCluster::new(1).unwrap();
    let refused = [
        (
            RDKafkaApiKey::InitProducerId,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        ),
        (
            RDKafkaApiKey::OffsetFetch,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
        ),
    ];
    for (request, error) in refused {
        cluster.request_errors(request, &[error; 20]);
    }
    let brokers = format!("kafka.brokers={}", cluster.bootstrap_servers());
    let run = run_program(&CHECK, &[&brokers, "role=correlate"]);
    assert_eq!(run.code, 1, "{}", run.out);
    for part in [
        "error: transactions: ",
        "ransactional Id authorization failed",
        "error: group deskwarden.correlate: ",
        "roup authorization failed",
        "remedy: grant this user what the message names",
    ] {
        assert!(run.errors.contains(part), "{part}\n{}", run.errors);
    }
}

#[test]
fn a_directory_is_imported_once() {
    let Some(brokers) = brokers("import") else {
        return;
    };
    assert_eq!(brokers.run(&APPLY, &[]).code, 0);
    let file = brokers.folder.join("people.jsonl");
    let person = |id: u32, mail: &str| {
        format!(
            "{{\"employee_id\":\"E{id}\",\"legal_name\":\"P {id}\",\"work_email\":\"{mail}{id}@corp.example\",\
             \"hire_date\":\"2019-02-01\",\"status\":\"active\"}}\n"
        )
    };
    let written = |text: String, at: u64| {
        std::fs::write(&file, text).unwrap();
        let at = std::time::UNIX_EPOCH + Duration::from_secs(at);
        let handle = std::fs::File::options().write(true).open(&file).unwrap();
        handle.set_modified(at).unwrap();
    };
    let people = |seventh: &str| -> String {
        let mail = |id| if id == 7 { seventh } else { "p" };
        (0..1_500).map(|id| person(id, mail(id))).collect()
    };
    let export = format!("hris={}", file.display());
    let import = || brokers.run(&["directory", "import", &export], &[]);
    let directory = brokers.topic("directory.v1");

    written(people("p"), 1_700_000_000);
    let first = import();
    assert_eq!(first.code, 0, "{}", first.errors);
    assert!(
        first
            .out
            .contains("1500 accounts, 1500 new, 0 changed, 0 unchanged"),
        "{}",
        first.out
    );
    assert_eq!(brokers.read(&directory).len(), 1_500);

    let again = import();
    assert!(again.out.contains("0 records written"), "{}", again.out);

    written(people("new"), 1_700_086_400);
    let newer = import();
    assert!(
        newer.out.contains("1500 accounts, 0 new, 1500 changed"),
        "{}",
        newer.out
    );
    let records = brokers.read(&directory);
    let seven = records.iter().rfind(|(key, _)| key == "hris:E7").unwrap();
    let seven: AccountRecord = serde_json::from_str(seven.1.as_deref().unwrap()).unwrap();
    let gone = seven
        .handles
        .iter()
        .find(|handle| handle.value == "p7@corp.example")
        .unwrap();
    assert_eq!(
        gone.to,
        Some(Timestamp(1_700_086_400_000)),
        "closed, not forgotten"
    );

    written("{\"x\":1}\n".to_owned(), 1_700_086_500);
    let nobody = import();
    assert_eq!(nobody.code, 2, "{}", nobody.out);
    assert!(
        nobody.errors.contains("no account in it"),
        "{}",
        nobody.errors
    );
}

/// A block with an event about somebody, a control entry and a watermark.
fn block_about(entity: &Entity) -> Vec<u8> {
    let event = Event::new(Domain::Idp, Action::MfaEnrolled, Timestamp(5));
    let encoded = encode_event(&event);
    let mut buffer = Vec::new();
    let watermark = SourceWatermark {
        topic: "o".to_owned(),
        partition: 0,
        domains: vec![Domain::Idp],
        watermark: Timestamp(7),
        at_end: true,
    };
    let bodies = [
        Body::Event {
            glance: Glance::of(&event, entity, &mut buffer),
            event: &encoded,
        },
        Body::Control {
            id: "source/x",
            json: Some(b"{\"kind\":\"x\"}"),
            place: None,
        },
        Body::Watermarks(vec![watermark]),
    ];
    let mut block = Writer::default();
    for body in bodies {
        let is_event = matches!(body, Body::Event { .. });
        block.push(&Entry {
            entity: is_event.then_some((entity.kind, entity.id.as_str())),
            traceparent: None,
            body,
        });
    }
    block.take().remove(0)
}

/// The events topic with that block in both partitions; the partition of its entity.
fn with_blocks(test: &str) -> Option<(Brokers, i32)> {
    let brokers = brokers(test)?;
    assert_eq!(brokers.run(&APPLY, &[]).code, 0);
    let dana = Entity::new(EntityKind::Identity, "hris:E1");
    for partition in [0, 1] {
        brokers.write(&brokers.topic("events.v1"), partition, &block_about(&dana));
    }
    Some((brokers, dana.partition(2)))
}

fn tail(brokers: &Brokers, args: &[&str]) -> Run {
    let args = [&["events", "tail", "--from-beginning"], args].concat();
    brokers.run(&args, &[])
}

#[test]
fn the_events_topic_is_shown_entry_by_entry() {
    let Some((brokers, _)) = with_blocks("tail") else {
        return;
    };
    let all = tail(&brokers, &["--until-end"]);
    assert_eq!(all.code, 0, "{}", all.errors);
    let lines = all.out.lines();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kinds: Vec<&str> = lines
        .iter()
        .map(|line| line["kind"].as_str().unwrap())
        .collect();
    let block = ["event", "control", "watermarks"];
    assert_eq!(kinds, [block, block].concat());
    assert_eq!(lines[0]["body"]["action"], "mfa.enrolled");
    assert_eq!(
        (&lines[1]["index"], &lines[1]["offset"]),
        (&1.into(), &0.into())
    );
    assert!(lines[0]["log_ts"].as_i64().unwrap() > 1_700_000_000_000);

    brokers.write(&brokers.topic("events.v1"), 0, b"\x07nonsense");
    let broken = tail(&brokers, &["--until-end", "--partition", "0"]);
    assert_eq!(
        (broken.code, broken.out.lines().count()),
        (1, 3),
        "{}",
        broken.errors
    );
    assert!(broken.errors.contains("has version 7"), "{}", broken.errors);
    // From the present end nothing has come yet.
    let fresh = brokers.run(&["events", "tail", "--until-end"], &[]);
    assert_eq!(
        (fresh.code, fresh.out.as_str()),
        (0, ""),
        "{}",
        fresh.errors
    );
}

#[test]
fn the_events_topic_is_narrowed_to_what_is_asked_for() {
    let Some((brokers, own)) = with_blocks("narrow") else {
        return;
    };
    let of_dana = tail(&brokers, &["--until-end", "--entity", "identity|hris:E1"]);
    let line: Value = serde_json::from_str(of_dana.out.trim()).unwrap();
    assert_eq!(line["partition"], own);
    assert_eq!(line["entity"], "identity|hris:E1");
    let two = tail(&brokers, &["--limit", "2", "--partition", "1"]);
    assert_eq!(
        (two.code, two.out.lines().count()),
        (0, 2),
        "{}",
        two.errors
    );
    let other = (1 - own).to_string();
    for args in [
        &["--partition", "2"][..],
        &["--partition", &other, "--entity", "identity|hris:E1"],
        &["--entity", "person|hris:E1"],
    ] {
        assert_eq!(tail(&brokers, args).code, 2, "{args:?}");
    }
}
