//! The story of the demo with the shipped binary on a real Kafka, told to a real Alertmanager, a real
//! syslog server over TLS and a pager: takeovers arrive, rise and are resolved by a verdict, while the
//! process that tells of them is killed again and again.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a test may panic, and is told by the environment where brokers are"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use deskwarden::collect::time::{HOUR_MS, Timestamp};
use deskwarden::deliver::notice::Notice;
use deskwarden::deliver::route::{Decision, Floor};
use deskwarden::deliver::severity;
use deskwarden::edge::clock;
use deskwarden::edge::log::topics::{Names, Topic};
use deskwarden::edge::log::{OwnedRecord, Partition};
use deskwarden::edge::story::{Story, StoryRecord};
use rdkafka::producer::{BaseRecord, Producer as _};
use serde_json::{Value, json};
use servers::{
    Server, alertmanager, certificates, free_port, get, program, rsyslog, until, wanted,
};
use stand_in::{Manner, StandIn, Taken};
use world::brokers::addresses;
use world::{Instance, PARTITIONS, PATIENCE, World, read_all};

#[path = "support/model.rs"]
mod model;
#[path = "simulation/random.rs"]
mod random;
#[path = "support/servers.rs"]
mod servers;
#[path = "support/serving.rs"]
mod serving;
#[path = "support/stand_in.rs"]
mod stand_in;
#[path = "support/world.rs"]
mod world;

const SOURCES: [&str; 3] = ["okta", "servicenow", "amazon_connect"];
/// What each delivers, as in the demo.
const EVIDENCE: [(&str, &str); 3] = [
    ("okta", ""),
    ("servicenow", "ticket, approval, verify"),
    ("amazon_connect", "callback, transcript"),
];
/// What `demo` tells where nobody asks for another.
const SEED: u64 = 1;
const PEOPLE: usize = 400;
const KILLS: usize = 20;

/// The story of the demo, moved so that it ended an hour ago.
fn story() -> Story {
    let midnight = Timestamp(0);
    let last = Story::on(SEED, PEOPLE, midnight).records().last().unwrap();
    let day = clock::now().0 - HOUR_MS - last.time.0;
    Story::on(SEED, PEOPLE, Timestamp(day))
}

/// The configuration of a world, with the sinks if there are any.
fn configure(world: &World, sinks: &str) {
    let source = |(name, evidence): &(&str, &str)| {
        let topic = world.source(name);
        format!(
            "  {name}: {{product: {name}, topic: {topic}, bound: 1s, evidence: [{evidence}]}}\n"
        )
    };
    let sources: String = EVIDENCE.iter().map(source).collect();
    let text = format!(
        "version: 1\ntenant: acme\nprefix: {}\nkafka:\n  brokers: {}\n  partitions: {PARTITIONS}\n  \
         replication_factor: 1\n  consumer:\n    properties: {{session.timeout.ms: \"6000\"}}\n\
         sources:\n{sources}{sinks}",
        world.prefix, world.brokers
    );
    fs::write(world.config(), text).unwrap();
}

/// Imports the people of the story, as the exports that their systems write.
fn import(world: &World, story: &Story) {
    let mut files: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for (product, line) in story.directory() {
        let file = files.entry(product.directory_system()).or_default();
        file.extend(line);
        file.push(b'\n');
    }
    let mut words = vec!["directory".to_owned(), "import".to_owned()];
    for (system, lines) in files {
        let path = world.folder.join(format!("{system}.jsonl"));
        fs::write(&path, lines).unwrap();
        words.push(format!("{system}={}", path.display()));
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let imported = world.command(&words).output().unwrap();
    let told = String::from_utf8_lossy(&imported.stderr);
    assert!(imported.status.success(), "{told}");
}

fn send(world: &World, records: &[StoryRecord]) {
    for record in records {
        let topic = world.source(record.source);
        let record: BaseRecord<'_, (), [u8]> = BaseRecord::to(&topic)
            .partition(0)
            .timestamp(record.time.0)
            .payload(&record.value);
        world.producer.send(record).map_err(|(e, _)| e).unwrap();
    }
    world.producer.flush(PATIENCE).unwrap();
}

/// All that stands in the alerts topic, in the order of each case.
fn published(world: &World) -> Vec<OwnedRecord> {
    let name = Names::new(&world.prefix).of(Topic::Alerts).clone();
    let mut log = world.reader();
    let partitions = (0..PARTITIONS).map(|n| Partition::new(Arc::clone(&name), n));
    partitions.flat_map(|p| read_all(&mut log, &p)).collect()
}

fn notices(records: &[OwnedRecord]) -> Vec<Notice> {
    let read = |record: &OwnedRecord| Notice::read(record.value.as_deref().unwrap()).unwrap();
    records.iter().map(read).collect()
}

/// The newest revision of the case of each person whose account was taken over, once all patterns of
/// the story stand in it.
fn found(world: &World, story: &Story) -> Vec<Notice> {
    until("every takeover with all its patterns", 2 * PATIENCE, || {
        let all = notices(&published(world));
        let of = |identity: &str| {
            let own = all.iter().filter(|n| n.alert.subject.id == identity);
            own.max_by_key(|notice| (notice.alert.time, notice.alert.revision))
        };
        let has = |notice: &&Notice, patterns: &[&str]| {
            let active: Vec<&str> = notice.active_patterns().map(|p| p.id.as_str()).collect();
            let is = |want: &&str| active.iter().any(|id| id.starts_with(*want));
            patterns.iter().all(is)
        };
        let cases = story.expected().iter().map(|expected| {
            of(&expected.identity).filter(|notice| has(notice, &expected.patterns))
        });
        cases.map(|case| case.cloned()).collect()
    })
}

/// Revisions in the log of the syslog server, each with the lines that tell of it.
fn in_syslog(world: &World) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let text = fs::read_to_string(world.folder.join("syslog.out")).unwrap_or_default();
    for line in text.lines() {
        let (_, cef) = line.split_once("CEF:0|").unwrap();
        let field = |name: &str| {
            let (_, rest) = cef.split_once(&format!(" {name}=")).unwrap();
            rest.split(' ').next().unwrap().to_owned()
        };
        let revision = format!("{}:{}", field("externalId"), field("cn2"));
        found.entry(revision).or_default().insert(cef.to_owned());
    }
    found
}

/// What Alertmanager holds for active: incident and severity.
fn active(address: &str) -> BTreeSet<(String, String)> {
    let alerts = get(address, "/api/v2/alerts?active=true").unwrap_or_default();
    let alerts = alerts.as_array().cloned().unwrap_or_default();
    let label = |alert: &Value, name: &str| alert["labels"][name].as_str().unwrap().to_owned();
    let of = |alert: &Value| (label(alert, "alert_id"), label(alert, "severity"));
    alerts.iter().map(of).collect()
}

/// What it should: of each incident the newest revision that is told.
fn should_be_active(records: &[OwnedRecord]) -> BTreeSet<(String, String)> {
    let decided = wanted(records, Floor::Severity(3));
    let mut newest: BTreeMap<String, (Decision, u8)> = BTreeMap::new();
    for notice in notices(records) {
        if let Some((key, decision)) = decided.get(&notice.revision_id()) {
            newest.insert(key.clone(), (*decision, notice.alert.severity_id));
        }
    }
    let open = newest
        .into_iter()
        .filter(|(_, (decision, _))| *decision != Decision::Resolve);
    let open = open.map(|(key, (_, id))| (key, severity::of(id).alertmanager.to_owned()));
    open.collect()
}

/// An analyst confirms a takeover: the case is closed.
fn confirm(at: SocketAddr, id: &str) {
    let headers = [("content-type", "application/json")];
    until("the verdict closes the case", PATIENCE, || {
        let newest = serving::get(at, &format!("/api/v1/alerts/{id}"), &[]).json();
        if newest["activity_id"] == 3 {
            return Some(());
        }
        let verdict = json!({
            "revision": newest["metadata"]["sequence"], "verdict": "true_positive",
            "reason": "the person was called", "owner": "anna",
        });
        let path = format!("/api/v1/alerts/{id}/disposition");
        let body = verdict.to_string();
        let answer = serving::request(at, ("POST", &path), &headers, body.as_bytes());
        assert_eq!(answer.status, 201, "{}", answer.text());
        thread::park_timeout(Duration::from_millis(500));
        None
    });
}

/// Keys of what the pager was told, by what was to be done.
fn paged(taken: &[Taken], action: &str) -> BTreeSet<String> {
    let of = taken
        .iter()
        .map(Taken::json)
        .filter(|event| event["event_action"] == action);
    of.map(|event| event["dedup_key"].as_str().unwrap().to_owned())
        .collect()
}

/// An analyst confirms each takeover that Alertmanager shows, and it is resolved there.
fn confirmed(world: &World, am: &str, takeovers: &[Notice]) {
    let shown = active(am);
    for case in takeovers {
        let severity = severity::of(case.alert.severity_id).alertmanager.to_owned();
        let wanted = (case.dedup_key.clone(), severity);
        assert!(shown.contains(&wanted), "{wanted:?} of {shown:?}");
        confirm(world.api("sinks"), &case.alert.id);
    }
    until("they are resolved at Alertmanager", PATIENCE, || {
        let left = active(am);
        let is_left = |case: &Notice| left.iter().any(|(key, _)| *key == case.dedup_key);
        let is_right =
            !takeovers.iter().any(is_left) && left == should_be_active(&published(world));
        is_right.then_some(())
    });
}

/// Each revision that is wanted, no other, and repeats that say the same; how many.
fn syslog_has_all(world: &World, records: &[OwnedRecord]) -> usize {
    let siem = wanted(records, Floor::Severity(2));
    let lines = until("every revision at the syslog server", PATIENCE, || {
        let lines = in_syslog(world);
        let has_all = siem.keys().all(|id| lines.contains_key(id));
        has_all.then_some(lines)
    });
    assert!(lines.keys().eq(siem.keys()), "none that was not wanted");
    let differing = lines.values().filter(|lines| lines.len() > 1).count();
    assert_eq!(differing, 0, "repeats that say something else");
    siem.len()
}

/// One incident for each case, opened and resolved; their keys, and how many events it took.
fn pager_has_all(pager: &StandIn, records: &[OwnedRecord]) -> (BTreeSet<String>, usize) {
    let told = wanted(records, Floor::Page(5));
    let keys = |wanted: Decision| -> BTreeSet<String> {
        let of = told.values().filter(|(_, decision)| *decision == wanted);
        of.map(|(key, _)| key.clone()).collect()
    };
    let (opened, resolved) = (keys(Decision::Trigger), keys(Decision::Resolve));
    let events = pager.until("every case at the pager", PATIENCE, |taken| {
        paged(taken, "trigger") == opened && paged(taken, "resolve") == resolved
    });
    (opened, events.len())
}

/// Kills and starts the process that tells, while the story goes on.
fn told_by_one_that_is_killed(world: &mut World, story: &Story) -> Instance {
    let settings = ["role=deliver".to_owned()];
    let mut instance = world.start_with("sinks", &settings);
    let records: Vec<StoryRecord> = story.records().collect();
    for part in records.chunks(records.len().div_ceil(KILLS)) {
        send(world, part);
        thread::park_timeout(Duration::from_millis(50 + world.random.below(900)));
        instance.kill();
        // Its addresses are read from its log: what the one before said is no longer true.
        let log = world.folder.join("sinks.log");
        fs::rename(&log, log.with_extension("before")).unwrap();
        instance = world.start_with("sinks", &settings);
    }
    world.until_ready("sinks");
    instance
}

#[test]
fn the_story_of_the_demo_arrives_rises_and_is_resolved() {
    let Some(brokers) = addresses() else { return };
    let names = ["prometheus-alertmanager", "alertmanager"];
    let Some(am) = program(&names, "prometheus-alertmanager") else {
        return;
    };
    let Some(syslog) = program(&["rsyslogd"], "rsyslog rsyslog-gnutls") else {
        return;
    };
    let mut world = World::bare("story", brokers);
    let story = story();
    world.create_sources(&SOURCES);
    configure(&world, "");
    world.apply();
    import(&world, &story);
    let (ca, ..) = certificates(&world.folder);
    let (am_port, syslog_port) = (free_port(), free_port());
    let servers: [Server; 2] = [
        alertmanager(&am, &world.folder, am_port),
        rsyslog(&syslog, &world.folder, syslog_port),
    ];
    let am = format!("127.0.0.1:{am_port}");
    let pager = StandIn::start(Manner::Takes);
    let mut core = world.start("core");
    world.until_ready("core");
    let sinks = format!(
        "sinks:\n  am: {{type: alertmanager, url: \"http://{am}/\", allow_private: true, \
         min_severity: medium, repeat_interval: 1s, resolve_timeout: 60s}}\n  \
         siem: {{type: syslog, address: \"localhost:{syslog_port}\", allow_private: true, \
         min_severity: low, ca_file: {}}}\n  \
         pager: {{type: pagerduty, url: \"{}\", allow_private: true, page_from: critical, \
         storm_per_minute: 0, routing_key: 0123456789abcdef0123456789abcdef}}\n",
        ca.display(),
        pager.url()
    );
    configure(&world, &sinks);
    let mut instance = told_by_one_that_is_killed(&mut world, &story);
    world.wait_until_read(&SOURCES);
    let takeovers = found(&world, &story);
    until("Alertmanager shows what is open", PATIENCE, || {
        (active(&am) == should_be_active(&published(&world))).then_some(())
    });
    confirmed(&world, &am, &takeovers);

    // The end is stopped before its sinks are counted: nothing comes after.
    assert_eq!(core.stop(), Some(0));
    let records = published(&world);
    let revisions = syslog_has_all(&world, &records);
    let (cases, events) = pager_has_all(&pager, &records);
    for case in &takeovers {
        assert!(cases.contains(&case.dedup_key), "{}", case.message);
    }
    println!(
        "{revisions} revisions at the syslog server; {} cases paged by {events} events; {KILLS} kills: \
         0 missing, 0 differing",
        cases.len(),
    );
    instance.stop();
    drop(servers);
    fs::remove_dir_all(&world.folder).unwrap();
}
