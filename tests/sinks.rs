//! Sinks of the shipped binary on a real broker: a real Alertmanager, a real syslog server over TLS,
//! and stand-ins that misbehave. Nothing is missing, repeats have equal keys, and a receiver that is
//! slow or away is behind by itself.
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
use std::thread;
use std::time::{Duration, Instant};

use deskwarden::deliver::route::Floor;
use deskwarden::edge::log::topics::Topic;
use deskwarden::edge::sinks::http::{HttpClient, Request};
use deskwarden::edge::sinks::outcome::Outcome;
use deskwarden::edge::sinks::reach::Reach;
use revisions::{Alerts as _, Revision, id};
use serde_json::Value;
use servers::{alertmanager, certificates, free_port, get, program, rsyslog, until, wanted};
use stand_in::{Manner, StandIn, Taken};
use world::brokers::addresses;
use world::{PATIENCE, World};

#[path = "support/model.rs"]
mod model;
#[path = "simulation/random.rs"]
mod random;
#[path = "support/revisions.rs"]
mod revisions;
#[path = "support/servers.rs"]
mod servers;
#[path = "support/stand_in.rs"]
mod stand_in;
#[path = "support/world.rs"]
mod world;

/// A receiver that is given up by the test is told nothing within it.
const QUIET: Duration = Duration::from_secs(2);

#[test]
fn a_real_alertmanager_fires_rises_and_resolves() {
    let Some(brokers) = addresses() else { return };
    let names = ["prometheus-alertmanager", "alertmanager"];
    let Some(program) = program(&names, "prometheus-alertmanager") else {
        return;
    };
    let world = World::new("alertmanager", brokers);
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let mut server = alertmanager(&program, &world.folder, port);
    world.sinks(&format!(
        "  am: {{type: alertmanager, url: \"http://{address}/\", allow_private: true, \
         repeat_interval: 1s, resolve_timeout: 10s, retry_for: 60s}}\n"
    ));
    let mut instance = world.deliverer("a");
    // What is active, as Alertmanager tells it: case and severity.
    let active = || -> BTreeSet<(String, String)> {
        let alerts = get(&address, "/api/v2/alerts?active=true").unwrap_or_default();
        let alerts = alerts.as_array().cloned().unwrap_or_default();
        let label = |alert: &Value, name: &str| alert["labels"][name].as_str().unwrap().to_owned();
        let of = |alert: &Value| (label(alert, "alert_id"), label(alert, "severity"));
        alerts.iter().map(of).collect()
    };
    let shows = |what: &str, wanted: &[(u64, &str)]| {
        let wanted: BTreeSet<(String, String)> = wanted
            .iter()
            .map(|(case, severity)| (id(*case), (*severity).to_owned()))
            .collect();
        until(what, PATIENCE, || (active() == wanted).then_some(()));
    };

    world.publish(&Revision::new(1, 1, (3, false), (0, false), (3, false)));
    world.publish(&Revision::new(2, 1, (1, false), (0, false), (1, false)));
    world.publish(&Revision::first(3));
    shows("two cases fire", &[(1, "warning"), (3, "critical")]);
    world.publish(&Revision::new(1, 2, (5, true), (3, false), (5, true)));
    shows("the severity rises", &[(1, "critical"), (3, "critical")]);
    // Alertmanager forgets what is not said again, and an instance that starts must say it again.
    instance.kill();
    drop(server);
    fs::remove_dir_all(world.folder.join("data")).unwrap();
    server = alertmanager(&program, &world.folder, port);
    assert!(active().is_empty());
    let mut instance = world.deliverer("a");
    shows("said again", &[(1, "critical"), (3, "critical")]);
    world.publish(&Revision::new(1, 3, (5, true), (5, true), (5, true)).closing());
    shows("resolved", &[(3, "critical")]);
    world.publish(&Revision::new(3, 2, (2, false), (5, true), (5, true)));
    shows("the severity falls", &[(3, "warning")]);
    world.publish(&Revision::new(3, 3, (2, false), (2, false), (5, true)).closing());
    shows("all resolved", &[]);
    assert_eq!(instance.stop(), Some(0), "{}", world.log("a"));
    assert!(world.all(Topic::DeadLetter).is_empty());
    drop(server);
    fs::remove_dir_all(&world.folder).unwrap();
}

#[test]
fn a_real_syslog_server_has_every_revision_over_tls() {
    let Some(brokers) = addresses() else { return };
    let Some(program) = program(&["rsyslogd"], "rsyslog rsyslog-gnutls") else {
        return;
    };
    let world = World::new("syslog", brokers);
    let (ca, ..) = certificates(&world.folder);
    let port = free_port();
    let server = rsyslog(&program, &world.folder, port);
    let sink = |ca: &str| {
        format!(
            "  siem: {{type: syslog, address: \"localhost:{port}\", allow_private: true, \
             min_severity: low{ca}}}\n"
        )
    };
    // Without its authority it is refused: nothing is sent to whoever answers.
    world.sinks(&sink(""));
    let mut instance = world.deliverer("a");
    world.publish(&Revision::first(1));
    world.until_logged("a", "not delivered yet");
    assert!(
        world.log("a").contains("invalid peer certificate"),
        "{}",
        world.log("a")
    );
    instance.stop();

    world.sinks(&sink(&format!(", ca_file: {}", ca.display())));
    let mut instance = world.deliverer("a");
    let lines = || fs::read_to_string(world.folder.join("syslog.out")).unwrap_or_default();
    let has = |cases: &[u64]| {
        let ids: Vec<String> = cases.iter().map(|case| id(*case)).collect();
        until("all lines", PATIENCE, || {
            let text = lines();
            ids.iter().all(|id| text.contains(id)).then_some(())
        });
    };
    has(&[1]);
    for case in 2..20 {
        world.publish(&Revision::first(case));
    }
    has(&(1..20).collect::<Vec<_>>());
    // A server that is away for a while has everything once it is back.
    drop(server);
    for case in 20..40 {
        world.publish(&Revision::first(case));
    }
    world.until_logged("a", "Connection refused");
    let server = rsyslog(&program, &world.folder, port);
    has(&(1..40).collect::<Vec<_>>());
    for line in lines().lines() {
        // RFC 5424: priority, version, time, host, app, process, message id.
        assert!(line.starts_with("<130>1 "), "{line}");
        assert!(line.contains(" deskwarden "), "{line}");
        assert!(line.contains("CEF:0|Deskwarden|Deskwarden|"), "{line}");
        assert!(line.contains("externalId="), "{line}");
    }
    assert_eq!(instance.stop(), Some(0));
    drop(server);
    fs::remove_dir_all(&world.folder).unwrap();
}

/// A webhook and a pager at stand-ins; extra settings for both.
fn hooks(hook: &StandIn, pager: &StandIn, extra: &str) -> String {
    format!(
        "  hook: {{type: webhook, url: \"{}\", allow_private: true, min_severity: low, \
         signing_secrets: [\"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"]{extra}}}\n  \
         pager: {{type: pagerduty, url: \"{}\", allow_private: true, page_from: high, \
         storm_per_minute: 0, routing_key: 0123456789abcdef0123456789abcdef{extra}}}\n",
        hook.url(),
        pager.url()
    )
}

/// Repeats of one key say the same: the bodies under each key.
fn by_key(taken: &[Taken]) -> BTreeMap<String, BTreeSet<Vec<u8>>> {
    let mut keys: BTreeMap<String, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for one in taken {
        let key = one.headers["webhook-id"].clone();
        keys.entry(key).or_default().insert(one.body.clone());
    }
    keys
}

#[test]
fn killed_at_random_moments_nothing_is_missing() {
    let Some(brokers) = addresses() else { return };
    let mut world = World::new("sinkkill", brokers);
    let (hook, pager) = (StandIn::start(Manner::Takes), StandIn::start(Manner::Takes));
    let mut core = world.start("core");
    world.until_ready("core");
    world.sinks(&hooks(&hook, &pager, ""));
    let mut instance = world.deliverer("sinks");
    for round in 0..20 {
        world.feed(12);
        let pause = 50 + world.random.below(900);
        thread::park_timeout(Duration::from_millis(pause));
        if round % 5 == 4 {
            // Also while the receivers are in trouble.
            hook.behave(Manner::Refuses(503, None));
            pager.behave(Manner::Hangs);
        } else {
            hook.behave(Manner::Takes);
            pager.behave(Manner::Takes);
        }
        instance.kill();
        instance = world.start_with("sinks", &["role=deliver".to_owned()]);
    }
    hook.behave(Manner::Takes);
    pager.behave(Manner::Takes);
    world.wait_until_done();
    assert_eq!(core.stop(), Some(0));
    let records = world.all(Topic::Alerts);
    let hooked = wanted(&records, Floor::Severity(2));
    let paged = wanted(&records, Floor::Page(4));
    assert!(hooked.len() > 100, "too quiet: {}", hooked.len());

    let has_all = |taken: &[Taken]| {
        let ids: BTreeSet<&str> = taken
            .iter()
            .map(|t| t.headers["webhook-id"].as_str())
            .collect();
        hooked.keys().all(|id| ids.contains(id.as_str()))
    };
    let taken = hook.until("every revision at the webhook", PATIENCE, has_all);
    let keys = by_key(&taken);
    assert_eq!(
        keys.keys().collect::<Vec<_>>(),
        hooked.keys().collect::<Vec<_>>()
    );
    let differing = keys.values().filter(|bodies| bodies.len() > 1).count();
    assert_eq!(differing, 0, "repeats that say something else");

    // One page for each case, and none for another.
    let keys: BTreeSet<&String> = paged.values().map(|(key, _)| key).collect();
    let paged_keys = |taken: &[Taken]| -> BTreeSet<String> {
        let keys = taken
            .iter()
            .map(|t| t.json()["dedup_key"].as_str().unwrap().to_owned());
        keys.collect()
    };
    let at_pager = pager.until("every case at the pager", PATIENCE, |taken| {
        paged_keys(taken).len() >= keys.len()
    });
    assert_eq!(paged_keys(&at_pager).iter().collect::<BTreeSet<_>>(), keys);
    println!(
        "20 kills: {} revisions for the webhook, {} deliveries; {} cases paged by {} events; \
         0 missing, 0 differing",
        hooked.len(),
        taken.len(),
        keys.len(),
        at_pager.len()
    );
    assert!(world.all(Topic::DeadLetter).is_empty());
    instance.stop();
    fs::remove_dir_all(&world.folder).unwrap();
}

#[test]
fn receivers_in_trouble_have_everything_once_they_are_back() {
    let Some(brokers) = addresses() else { return };
    let world = World::new("trouble", brokers);
    let (hook, pager) = (StandIn::start(Manner::Takes), StandIn::start(Manner::Takes));
    world.sinks(&hooks(&hook, &pager, ", timeout: 1s"));
    let mut instance = world.deliverer("a");
    let troubles = [
        Manner::Refuses(500, None),
        Manner::Hangs,
        Manner::Resets,
        Manner::Drips,
        Manner::Refuses(429, Some(3)),
    ];
    for (case, trouble) in (1..).zip(troubles) {
        hook.behave(trouble);
        let before = hook.taken().len();
        world.publish(&Revision::first(case));
        // The pager does not wait for the webhook.
        pager.until("the pager has it", PATIENCE, |taken| {
            taken.iter().any(|t| t.json()["dedup_key"] == id(case))
        });
        let refused = until("tried", PATIENCE, || {
            let taken = hook.taken();
            (taken.len() > before).then(|| taken[before].clone())
        });
        assert!(!refused.is_accepted);
        let asked = Instant::now();
        hook.behave(Manner::Takes);
        let taken = hook.until("delivered in the end", PATIENCE, |taken| {
            taken
                .iter()
                .any(|t| t.headers["webhook-id"] == format!("{}:1", id(case)))
        });
        if trouble == Manner::Refuses(429, Some(3)) {
            let waited = asked.elapsed();
            assert!(
                waited > Duration::from_secs(2),
                "Retry-After was ignored: {waited:?}"
            );
        }
        let own = taken.last().unwrap();
        assert_eq!(own.body, refused.body, "a retry says the same");
        assert_eq!(own.headers["webhook-id"], refused.headers["webhook-id"]);
    }
    refused_for_good(&world, &hook);
    not_called_again(&world, &pager);
    secrets_are_not_told(&world);
    assert_eq!(instance.stop(), Some(0));
    fs::remove_dir_all(&world.folder).unwrap();
}

fn refused_for_good(world: &World, hook: &StandIn) {
    // Refused for good: a dead letter with the reason, and the next one is delivered.
    hook.behave(Manner::Refuses(400, None));
    world.publish(&Revision::first(77));
    let letter = until("a dead letter", PATIENCE, || {
        world.all(Topic::DeadLetter).pop()
    });
    let document: Value = serde_json::from_slice(letter.value.as_deref().unwrap()).unwrap();
    assert_eq!(document["finding_info"]["uid"], id(77));
    world.until_logged("a", "HTTP 400 no");
    // No redirect is followed, whatever it leads to.
    hook.behave(Manner::Redirects);
    world.publish(&Revision::first(78));
    until("a second letter", PATIENCE, || {
        (world.all(Topic::DeadLetter).len() == 2).then_some(())
    });
    assert!(hook.taken().iter().all(|taken| taken.path == "/in"));
    hook.behave(Manner::Takes);
    // What is no alert is put aside too, and does not stop what follows.
    world.publish_bytes(3, "x", b"{ no alert \xe2\x80\xae");
    world.publish(&Revision::first(81));
    hook.until("the next one", PATIENCE, |taken| {
        taken
            .iter()
            .any(|t| t.headers["webhook-id"] == format!("{}:1", id(81)))
    });
    let letters = until("of both sinks", PATIENCE, || {
        let letters = world.all(Topic::DeadLetter);
        (letters.len() == 4).then_some(letters)
    });
    assert_eq!(letters.len(), 4);
}

fn not_called_again(world: &World, pager: &StandIn) {
    // PagerDuty knows no update: a case that calls for nobody any more does not call again, and ends.
    world.publish(&Revision::new(81, 2, (2, false), (5, true), (5, true)));
    world.publish(&Revision::new(81, 3, (2, false), (2, false), (5, true)).closing());
    let told = pager.until("the end at the pager", PATIENCE, |taken| {
        let last = taken.last().map(Taken::json);
        last.is_some_and(|last| last["event_action"] == "resolve")
    });
    let of_case: Vec<Value> = told.iter().map(Taken::json).collect();
    let of_case = of_case.iter().filter(|event| event["dedup_key"] == id(81));
    let actions: Vec<&str> = of_case
        .map(|e| e["event_action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["trigger", "resolve"]);
}

fn secrets_are_not_told(world: &World) {
    // Secrets stand in no log and no status.
    let (_, status) = world.ask("a", "/status");
    let (_, metrics) = world.ask("a", "/metrics");
    let told = world.log("a") + &status + &metrics;
    for secret in ["0123456789abcdef0123456789abcdef", "MDEyMzQ1Njc4", "/in"] {
        assert!(!told.contains(secret), "{secret} was told");
    }
    assert!(
        metrics.contains("deskwarden_deliveries_total{outcome=\"given_up\",sink=\"hook\"} 2"),
        "{metrics}"
    );
}

#[test]
fn one_that_is_refused_takes_no_other_with_it() {
    let Some(brokers) = addresses() else { return };
    let world = World::new("refused", brokers);
    const CASE: u64 = 5;
    const ID: &str = "00000000000000000000000000000005";
    assert_eq!(id(CASE), ID);
    let (hec, am) = (
        StandIn::start(Manner::Dislikes(ID)),
        StandIn::start(Manner::Dislikes(ID)),
    );
    world.sinks(&format!(
        "  hec: {{type: splunk, url: \"{}\", token: x, allow_private: true}}\n  \
         am: {{type: alertmanager, url: \"{}\", allow_private: true, repeat_interval: 3m}}\n",
        hec.url(),
        am.url()
    ));
    // All are there before it starts, so that they go out together.
    for case in 1..=12 {
        world.publish(&Revision::first(case));
    }
    let mut instance = world.deliverer("a");
    for receiver in [&hec, &am] {
        let taken = receiver.until("all but one", PATIENCE, |taken| {
            let bodies: String = taken
                .iter()
                .map(|t| String::from_utf8_lossy(&t.body))
                .collect();
            (1..=12)
                .filter(|case| *case != CASE)
                .all(|case| bodies.contains(&id(case)))
        });
        assert!(
            taken
                .iter()
                .all(|t| !String::from_utf8_lossy(&t.body).contains(ID))
        );
    }
    let letters = until("a dead letter of each", PATIENCE, || {
        let letters = world.all(Topic::DeadLetter);
        (letters.len() == 2).then_some(letters)
    });
    for letter in letters {
        let document: Value = serde_json::from_slice(letter.value.as_deref().unwrap()).unwrap();
        assert_eq!(document["finding_info"]["uid"], ID);
    }
    assert_eq!(instance.stop(), Some(0));
    fs::remove_dir_all(&world.folder).unwrap();
}

/// What a webhook was told of a case: revisions, and what was asked of it.
fn told(hook: &StandIn, case: u64) -> Vec<(u64, String)> {
    let taken = hook.accepted();
    let bodies = taken.iter().map(Taken::json);
    let of_case = bodies.filter(|body| body["id"] == id(case));
    of_case
        .map(|body| {
            let decision = body["decision"].as_str().unwrap().to_owned();
            (body["revision"].as_u64().unwrap(), decision)
        })
        .collect()
}

fn until_told(hook: &StandIn, case: u64, wanted: &[(u64, &str)]) {
    let wanted: Vec<(u64, String)> = wanted
        .iter()
        .map(|(revision, action)| (*revision, (*action).to_owned()))
        .collect();
    until(&format!("{wanted:?} of {case}"), PATIENCE, || {
        (told(hook, case) == wanted).then_some(())
    });
}

#[test]
fn first_revisions_gather_and_only_the_newest_is_told() {
    let Some(brokers) = addresses() else { return };
    let world = World::new("groupwait", brokers);
    let (hook, pager) = (StandIn::start(Manner::Takes), StandIn::start(Manner::Takes));
    world.sinks(&hooks(&hook, &pager, ", group_wait: 4s"));
    let mut instance = world.deliverer("a");
    let begun = Instant::now();
    world.publish(&Revision::new(1, 1, (4, false), (0, false), (4, false)));
    world.publish(&Revision::new(1, 2, (5, true), (4, false), (5, true)));
    world.publish(&Revision::new(1, 3, (5, true), (5, true), (5, true)));
    until_told(&hook, 1, &[(3, "trigger")]);
    assert!(
        begun.elapsed() >= Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    // Known now: the next one does not wait, nor does another case that ends.
    world.publish(&Revision::new(1, 4, (5, true), (5, true), (5, true)));
    until_told(&hook, 1, &[(3, "trigger"), (4, "update")]);
    let metrics = world.ask("a", "/metrics").1;
    let counted = "deskwarden_deliveries_total{outcome=\"superseded\",sink=\"hook\"} 2";
    assert!(metrics.contains(counted), "{metrics}");
    // Killed while it waits: nothing is lost.
    world.publish(&Revision::first(2));
    world.publish(&Revision::new(2, 2, (5, true), (5, true), (5, true)));
    until("it waits", PATIENCE, || {
        let metrics = world.ask("a", "/metrics").1;
        let waits = "deskwarden_delivery_queue_depth{sink=\"hook\"} 1";
        metrics.contains(waits).then_some(())
    });
    assert!(told(&hook, 2).is_empty());
    instance.kill();
    let mut instance = world.deliverer("a");
    until_told(&hook, 2, &[(2, "trigger")]);
    assert!(world.all(Topic::DeadLetter).is_empty());
    assert_eq!(instance.stop(), Some(0));
    fs::remove_dir_all(&world.folder).unwrap();
}

#[test]
fn between_two_notices_about_a_case_lies_the_interval() {
    let Some(brokers) = addresses() else { return };
    let world = World::new("groupinterval", brokers);
    let (hook, pager) = (StandIn::start(Manner::Takes), StandIn::start(Manner::Takes));
    world.sinks(&hooks(&hook, &pager, ", group_interval: 6s"));
    let mut instance = world.deliverer("a");
    let high = |number| Revision::new(1, number, (4, false), (4, false), (4, false));
    world.publish(&Revision::new(1, 1, (4, false), (0, false), (4, false)));
    until_told(&hook, 1, &[(1, "trigger")]);
    let begun = Instant::now();
    world.publish(&high(2));
    world.publish(&high(3));
    // Of the same partition, and not held up.
    let beside = 1 + u64::try_from(world::PARTITIONS).unwrap();
    world.publish(&Revision::first(beside));
    until_told(&hook, beside, &[(1, "trigger")]);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    until_told(&hook, 1, &[(1, "trigger"), (3, "update")]);
    assert!(
        begun.elapsed() > Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    // A rise does not wait, and takes the place of what does.
    world.publish(&high(4));
    world.publish(&Revision::new(1, 5, (5, true), (4, false), (5, true)));
    let mut all = vec![(1, "trigger"), (3, "update"), (5, "trigger")];
    until_told(&hook, 1, &all);
    // At a normal stop what waits is told, and nothing again afterwards.
    world.publish(&Revision::new(1, 6, (5, true), (5, true), (5, true)).closing());
    world.publish(&Revision::first(beside + 1));
    until_told(&hook, beside + 1, &[(1, "trigger")]);
    until("it waits", PATIENCE, || {
        let metrics = world.ask("a", "/metrics").1;
        let waits = "deskwarden_delivery_queue_depth{sink=\"hook\"} 1";
        metrics.contains(waits).then_some(())
    });
    assert_eq!(instance.stop(), Some(0));
    all.push((6, "resolve"));
    assert_eq!(told(&hook, 1).len(), all.len());
    let mut instance = world.deliverer("a");
    world.publish(&Revision::first(beside + 2));
    until_told(&hook, beside + 2, &[(1, "trigger")]);
    until_told(&hook, 1, &all);
    until_told(&hook, beside, &[(1, "trigger")]);
    assert_eq!(instance.stop(), Some(0));
    fs::remove_dir_all(&world.folder).unwrap();
}

#[test]
fn a_storm_is_one_digest() {
    let Some(brokers) = addresses() else { return };
    let world = World::new("storm", brokers);
    let chat = StandIn::start(Manner::Takes);
    world.sinks(&format!(
        "  chat: {{type: slack, url: \"{}\", allow_private: true, storm_per_minute: 5, \
         rate_per_second: 100}}\n",
        chat.url()
    ));
    let mut instance = world.deliverer("a");
    for case in 1..=60 {
        world.publish(&Revision::first(case));
    }
    // Those in the batch with the fifth are told one by one or in its digest; the rest in one more.
    let told = |taken: &[Taken]| {
        taken
            .iter()
            .map(|t| String::from_utf8_lossy(&t.body).into_owned())
            .collect::<Vec<_>>()
    };
    let digests = |taken: &[Taken]| told(taken).iter().filter(|t| t.contains("STORM ")).count();
    chat.until("a digest", PATIENCE, |taken| digests(taken) >= 1);
    thread::park_timeout(QUIET);
    let all = chat.accepted();
    assert!(all.len() <= 5 + 3, "{} messages for 60 alerts", all.len());
    assert_eq!(all.len() - digests(&all), 5);
    assert_eq!(instance.stop(), Some(0));
    fs::remove_dir_all(&world.folder).unwrap();
}

#[test]
fn a_new_sink_is_told_of_what_is_young() {
    let Some(brokers) = addresses() else { return };
    let world = World::new("newsink", brokers);
    let (hook, pager) = (StandIn::start(Manner::Takes), StandIn::start(Manner::Takes));
    world.publish(&Revision::first(1));
    thread::park_timeout(QUIET);
    world.sinks(&hooks(&hook, &pager, ", since: 1s"));
    let mut instance = world.deliverer("a");
    world.publish(&Revision::first(2));
    hook.until("the young one", PATIENCE, |taken| !taken.is_empty());
    // By then it has a place in every partition.
    thread::park_timeout(QUIET);
    instance.kill();
    // While it is away one more comes; its place is kept.
    world.publish(&Revision::first(3));
    thread::park_timeout(QUIET);
    let mut instance = world.deliverer("a");
    let taken = hook.until("the missed one", PATIENCE, |taken| {
        taken
            .iter()
            .any(|t| t.headers["webhook-id"] == format!("{}:1", id(3)))
    });
    assert!(
        taken
            .iter()
            .all(|t| t.headers["webhook-id"] != format!("{}:1", id(1)))
    );
    assert_eq!(instance.stop(), Some(0));
    fs::remove_dir_all(&world.folder).unwrap();
}

/// Ways to write an address of this machine, of a private network or of a cloud's metadata, as hosts
/// of a URL.
const INWARD: [&str; 46] = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.127.127.127",
    "127.000.000.001",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:1:2:3:4:80ff:fffe]",
    "0.0.0.0",
    "0",
    "[::]",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[fc00::1]",
    "[fd12:3456:789a::1]",
    "[ff02::1]",
    "100.100.100.200",
    "192.0.0.192",
    "example.com@127.0.0.1",
    "user:word@127.0.0.1",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
];

#[test]
fn no_way_of_writing_it_leads_inward() {
    let stand_in = StandIn::start(Manner::Takes);
    let port = stand_in.address.port();
    let reach = Reach {
        allow_private: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = HttpClient::new(reach, None, Duration::from_secs(2), None).unwrap();
    for host in INWARD {
        let url = reqwest::Url::parse(&format!("http://{host}:{port}/in")).unwrap();
        let request = Request {
            url,
            content_type: "application/json",
            headers: Vec::new(),
            signing: None,
            body: b"{}".to_vec(),
        };
        let begun = Instant::now();
        let outcome = runtime.block_on(client.post(&request));
        let why = match outcome {
            Outcome::Passing { why, .. } => why,
            other @ (Outcome::Delivered | Outcome::Permanent { .. }) => panic!("{host}: {other:?}"),
        };
        assert!(why.contains("address"), "{host}: {why}");
        assert!(begun.elapsed() < Duration::from_secs(1), "{host} was tried");
    }
    assert_eq!(stand_in.connections(), 0);
    // What is meant is reached, and the stand-in is one.
    let open = HttpClient::new(
        Reach {
            allow_private: true,
        },
        None,
        Duration::from_secs(2),
        None,
    )
    .unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let url = reqwest::Url::parse(&format!("http://{host}:{port}/in")).unwrap();
        let request = Request {
            url,
            content_type: "application/json",
            headers: Vec::new(),
            signing: None,
            body: b"{}".to_vec(),
        };
        assert_eq!(runtime.block_on(open.post(&request)), Outcome::Delivered);
    }
}
