//! Cases that are held no more, from the alerts topic on real brokers: by id, and by time in parts.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a test may panic, and is told by the environment where brokers are"
)]

use std::collections::{BTreeMap, BTreeSet};

use deskwarden::edge::archive::Archive;
use deskwarden::edge::clock;
use deskwarden::edge::kafka::{Admin, KafkaLog, KafkaSettings, WantedTopic};
use deskwarden::edge::log::memory::MemoryBroker;
use deskwarden::edge::log::{Log as _, ProduceRecord};
use serde_json::{Value, json};
use serving::{Serving, Setup};

#[path = "support/brokers.rs"]
mod brokers;
#[path = "support/serving.rs"]
mod serving;

const PARTITIONS: i32 = 3;
/// So many cases are held of those that there are.
const HELD: usize = 3;

fn settings(brokers: String) -> KafkaSettings {
    let name = format!("dwtest-older-{}", clock::now().0);
    KafkaSettings {
        group: name.clone(),
        instance: "test".to_owned(),
        transactional_id: name,
        properties: BTreeMap::from([("bootstrap.servers".to_owned(), brokers)]),
        ..KafkaSettings::default()
    }
}

/// A topic of alerts.
fn create(settings: &KafkaSettings) -> String {
    let topic = settings.group.clone();
    let admin = Admin::connect(settings).unwrap();
    let wanted = WantedTopic {
        name: topic.clone(),
        partitions: PARTITIONS,
        replication: 1,
        settings: Vec::new(),
    };
    admin.create(&wanted).unwrap();
    topic
}

/// A case as the correlator would publish it, in minute `n` of an hour that has just ended.
fn alert(n: i64, revision: i64, closed: bool) -> Value {
    let text = include_str!("ocsf/amended.json");
    let mut alert: Value = serde_json::from_str(text).unwrap();
    let id = format!("{n:032x}");
    alert["finding_info"]["uid"] = json!(id);
    alert["metadata"]["uid"] = json!(format!("{id}:{revision}"));
    alert["metadata"]["sequence"] = json!(revision);
    alert["activity_id"] = json!(if closed { 3 } else { 1 });
    alert["status_id"] = json!(if closed { 4 } else { 1 });
    alert["time"] = json!(begun() + n * 60_000);
    alert
}

fn begun() -> i64 {
    1_772_442_000_000
}

/// A record of the topic; no value is the erasure of a person.
fn publish(topic: &str, records: &[(i64, Option<Value>)], settings: &KafkaSettings) {
    let mut log = KafkaLog::connect(settings).unwrap();
    log.begin().unwrap();
    for (n, alert) in records {
        let key = format!("{n:032x}");
        let value = alert.as_ref().map(|alert| alert.to_string().into_bytes());
        let record = ProduceRecord {
            topic,
            partition: i32::try_from(*n).unwrap() % PARTITIONS,
            key: Some(key.as_bytes()),
            headers: &[],
            value: value.as_deref(),
        };
        log.produce(&record).unwrap();
    }
    log.commit().unwrap();
    log.close().unwrap();
}

#[test]
fn what_is_held_no_more_is_read_from_the_topic() {
    let Some(brokers) = brokers::addresses() else {
        return;
    };
    let settings = settings(brokers);
    let topic = create(&settings);
    let mut records: Vec<(i64, Option<Value>)> = (1..=9)
        .flat_map(|n| {
            let closed = (n % 2 == 0).then(|| (n, Some(alert(n, 2, true))));
            [(n, Some(alert(n, 1, false)))].into_iter().chain(closed)
        })
        .collect();
    records.push((1, None));
    publish(&topic, &records, &settings);
    let setup = Setup {
        cases_max: HELD,
        older: Some(Archive::new(settings, topic.into())),
        ..Setup::default()
    };
    let serving = Serving::start(MemoryBroker::default(), setup);
    for (n, alert) in &records {
        if let Some(alert) = alert {
            serving.publish(i32::try_from(*n).unwrap() % PARTITIONS, alert);
        }
    }
    let held = serving.settled("", HELD as u64);
    let since = held["held_since"].as_i64().unwrap();
    assert!(since > begun() + 60_000, "{since}");

    // By id, with all revisions; a case whose person was erased is none.
    let old = format!("/api/v1/alerts/{:032x}", 2);
    let newest = serving.get(&old);
    assert_eq!(newest.json(), alert(2, 2, true));
    let revisions = serving.get(&format!("{old}/revisions")).json();
    assert_eq!(
        revisions["alerts"],
        json!([alert(2, 1, false), alert(2, 2, true)])
    );
    for gone in [1, 77] {
        let answer = serving.get(&format!("/api/v1/alerts/{gone:032x}"));
        assert_eq!(answer.status, 404, "{gone}");
    }

    // By time: in parts that join, each case with its newest revision alone.
    let ids = |query: &str| {
        let (mut ids, mut next) = (Vec::new(), String::new());
        loop {
            let list = serving
                .get(&format!("/api/v1/alerts?limit=2&{query}{next}"))
                .json();
            let alerts = list["alerts"].as_array().unwrap();
            ids.extend(alerts.iter().map(|alert| alert["time"].as_i64().unwrap()));
            let Some(cursor) = list["next"].as_str() else {
                assert_eq!(list["total"], ids.len());
                return ids
                    .iter()
                    .map(|time| (time - begun()) / 60_000)
                    .collect::<Vec<_>>();
            };
            next = format!("&cursor={cursor}");
        }
    };
    let from = format!("from={}", begun());
    assert_eq!(ids(&from), [9, 8, 7, 6, 5, 4, 3, 2]);
    assert_eq!(ids(&format!("{from}&status=open")), [9, 7, 5, 3]);
    let part = format!("from={}&to={}", begun() + 180_000, begun() + 300_000);
    assert_eq!(ids(&part), [4, 3]);
    // What is held needs no topic, and without a time only that is listed.
    let recent: BTreeSet<i64> = ids(&format!("from={since}")).into_iter().collect();
    assert!(recent.len() <= HELD && recent.contains(&9));
    assert_eq!(ids("").len(), HELD);
    serving.stop();
}
