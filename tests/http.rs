//! The API, the live feed, health and metrics over real sockets, on the in-memory log.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

use std::collections::BTreeSet;
use std::time::Duration;

use deskwarden::edge::http::feed::CLIENTS_MAX;
use deskwarden::edge::log::memory::MemoryBroker;
use serde_json::{Value, json};
use serving::{Serving, Setup, get, publish, trim};

#[path = "support/serving.rs"]
mod serving;

/// A small alert with everything that filters read.
fn alert(id: &str, revision: u64, activity: u8, time: i64) -> Value {
    json!({
        "activity_id": activity, "class_uid": 2004, "time": time, "severity_id": 4, "risk_score": 71,
        "status_id": if activity == 3 { 4 } else { 1 },
        "metadata": {"uid": format!("{id}:{revision}"), "sequence": revision},
        "finding_info": {"uid": id, "types": ["sequence"], "analytic": {"uid": "HDT-04"}},
        "evidences": [{"data": {"pattern": "HDT-04", "state": "active"}}],
        "resources": [{"uid": format!("id-{id}"), "name": "a…@x.example", "type": "identity", "criticality": "executive"}],
        "tickets": [{"uid": "INC7"}],
    })
}

fn with(mut alert: Value, path: &str, value: Value) -> Value {
    *alert.pointer_mut(path).unwrap() = value;
    alert
}

fn fixtures() -> Value {
    let text = include_str!("page/alerts.json");
    serde_json::from_str(text).unwrap()
}

fn ids(list: &Value) -> Vec<String> {
    let alerts = list["alerts"].as_array().unwrap();
    let uid = |a: &Value| a["metadata"]["uid"].as_str().unwrap().to_owned();
    alerts.iter().map(uid).collect()
}

/// A partition for an alert: by its first letter, as by entity.
fn lane(n: usize) -> i32 {
    i32::try_from(n % 3).unwrap()
}

#[test]
fn the_list_shows_the_newest_revisions_in_order() {
    let serving = Serving::start(MemoryBroker::default(), Setup::default());
    assert_eq!(serving.get("/api/v1/alerts").json()["total"], 0);
    for alert in fixtures()["start"].as_array().unwrap() {
        serving.publish(1, alert);
    }
    let list = serving.settled("", 6);
    let times: Vec<i64> = list["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["time"].as_i64().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    let newest: BTreeSet<String> = ids(&list).iter().map(|uid| uid[33..].to_owned()).collect();
    assert_eq!(newest, ["1", "2", "3"].map(str::to_owned).into());
    serving.stop();
}

#[test]
fn an_alert_is_given_as_it_lies_in_the_topic() {
    let serving = Serving::start(MemoryBroker::default(), Setup::default());
    let (first, second) = (alert("a1", 1, 1, 5), alert("a1", 2, 2, 6));
    serving.publish(0, &first);
    serving.publish(0, &second);
    serving.settled("text=a1", 1);
    let newest = serving.get("/api/v1/alerts/a1");
    assert_eq!(newest.status, 200);
    assert_eq!(newest.body, serde_json::to_vec(&second).unwrap());
    assert_eq!(newest.header("content-type"), "application/json");
    let revisions = serving.get("/api/v1/alerts/a1/revisions").json();
    assert_eq!(revisions["alerts"], json!([first, second]));
    let missing = serving.get("/api/v1/alerts/nobody");
    assert_eq!(
        (missing.status, missing.json()["status"].as_u64()),
        (404, Some(404))
    );
    assert_eq!(serving.get("/api/v1/alerts/nobody/revisions").status, 404);
}

#[test]
fn filters_take_and_leave() {
    let serving = Serving::start(MemoryBroker::default(), Setup::default());
    serving.publish(0, &alert("a1", 1, 1, 5));
    serving.publish(1, &with(alert("a2", 1, 1, 6), "/severity_id", json!(5)));
    serving.publish(2, &alert("a3", 1, 3, 7));
    serving.settled("", 3);
    let table = [
        ("severity=critical", "a2"),
        ("min_severity=high&status=open", "a2 a1"),
        ("status=closed", "a3"),
        ("pattern=HDT-04", "a3 a2 a1"),
        ("pattern=HDT-05,HDT-12", ""),
        ("family=sequence&tier=executive&text=a2", "a2"),
        ("entity=identity%7Cid-a1", "a1"),
        ("text=inc7&severity=high", "a3 a1"),
    ];
    for (query, expected) in table {
        let list = serving.get(&format!("/api/v1/alerts?{query}")).json();
        let found: Vec<String> = ids(&list).iter().map(|uid| uid[..2].to_owned()).collect();
        assert_eq!(found.join(" "), expected, "{query}");
        assert_eq!(list["total"].as_u64().unwrap(), found.len() as u64);
    }
}

#[test]
fn parts_of_the_list_join() {
    let serving = Serving::start(MemoryBroker::default(), Setup::default());
    for n in 0..7 {
        serving.publish(
            lane(n),
            &alert(&format!("a{n}"), 1, 1, 100 + i64::from(lane(n))),
        );
    }
    let whole = ids(&serving.settled("", 7));
    let (mut joined, mut query) = (Vec::new(), "limit=3".to_owned());
    loop {
        let part = serving.get(&format!("/api/v1/alerts?{query}")).json();
        joined.extend(ids(&part));
        let Some(next) = part["next"].as_str() else {
            break;
        };
        query = format!("limit=3&cursor={next}");
    }
    assert_eq!(joined, whole);
}

#[test]
fn faults_are_problem_documents() {
    let serving = Serving::start(MemoryBroker::default(), Setup::default());
    let fault = serving.get("/api/v1/alerts?severity=loud&colour=red&limit=0&cursor=x");
    assert_eq!(fault.status, 400);
    assert_eq!(fault.header("content-type"), "application/problem+json");
    let body = fault.json();
    assert_eq!(body["errors"].as_array().unwrap().len(), 4, "{body}");
    assert!(body["type"].as_str().unwrap().ends_with(":parameter"));
    for (path, status) in [
        ("/api/v1/alerts/stream?tier=none", 400),
        ("/api/v2", 404),
        ("/ui/none.js", 404),
        ("/ui/alerts/%2e%2e", 404),
    ] {
        let answer = serving.get(path);
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.json()["status"], status, "{path}");
    }
    let bad = get(
        serving.api,
        "/api/v1/alerts/stream",
        &[("last-event-id", "0:-1")],
    );
    assert_eq!(bad.status, 400);
}

#[test]
fn answers_carry_the_protective_headers() {
    let serving = Serving::start(MemoryBroker::default(), Setup::default());
    for (at, path) in [
        (serving.api, "/"),
        (serving.api, "/ui/main.js"),
        (serving.api, "/api/v1/alerts"),
        (serving.api, "/none"),
        (serving.ops, "/metrics"),
    ] {
        let answer = get(at, path, &[]);
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
             connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
    let link = serving.get("/ui/alerts/9f1c");
    assert_eq!(
        (link.status, link.header("location")),
        (307, "/#/alerts/9f1c")
    );
}

#[test]
fn a_name_of_a_stranger_is_not_answered() {
    let serving = Serving::start(MemoryBroker::default(), Setup::default());
    let port = serving.api.port();
    for (host, status) in [
        (format!("localhost:{port}"), 200),
        ("127.0.0.1".to_owned(), 200),
        ("[::1]:8040".to_owned(), 200),
        (format!("evil.example:{port}"), 421),
        ("127.0.0.1.evil.example".to_owned(), 421),
        (String::new(), 421),
    ] {
        let answer = get(serving.api, "/api/v1/alerts", &[("host", &host)]);
        assert_eq!(answer.status, status, "{host}");
    }
}

#[test]
fn the_stream_tells_what_happens() {
    let serving = Serving::start(MemoryBroker::default(), Setup::default());
    serving.publish(0, &alert("old", 1, 1, 1));
    serving.settled("", 1);
    let mut stream = serving.stream("min_severity=high", &[]);
    assert_eq!(stream.status, 200);
    let kind = stream.headers.iter().find(|(n, _)| n == "content-type");
    assert_eq!(kind.unwrap().1, "text/event-stream");
    let low = with(alert("low", 1, 1, 2), "/severity_id", json!(2));
    let steps = [
        (0, alert("a", 1, 1, 2), "created"),
        (0, alert("a", 2, 2, 3), "updated"),
        (1, alert("b", 1, 1, 4), "created"),
        (0, alert("a", 3, 3, 5), "closed"),
    ];
    serving.publish(2, &low);
    for (partition, alert, name) in steps {
        serving.publish(partition, &alert);
        let event = stream.event().unwrap();
        assert_eq!(event.name, name);
        assert_eq!(serde_json::from_str::<Value>(&event.data).unwrap(), alert);
    }
    serving.stop();
    // A stop ends the stream, without a gap.
    assert_eq!(stream.event(), None);
}

#[test]
fn clients_that_have_gone_make_room() {
    let serving = Serving::start(MemoryBroker::default(), Setup::default());
    for _ in 0..2 {
        let many: Vec<_> = (0..CLIENTS_MAX).map(|_| serving.stream("", &[])).collect();
        assert!(many.iter().all(|stream| stream.status == 200));
        assert_eq!(serving.stream("", &[]).status, 503);
        drop(many);
        serving.until("/metrics", |m| {
            m.text().contains("deskwarden_sse_clients 0")
        });
    }
}

#[test]
fn lines_are_json_too() {
    let serving = Serving::start(MemoryBroker::default(), Setup::default());
    let mut stream = serving.stream("", &[("accept", "application/x-ndjson")]);
    let document = alert("a", 1, 1, 2);
    serving.publish(0, &document);
    let line = loop {
        let line = stream.line().unwrap();
        if !line.is_empty() {
            break line;
        }
    };
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&line["event"], &line["alert"]),
        (&json!("created"), &document)
    );
    let id = line["id"].as_str().unwrap();
    serving.publish(1, &alert("b", 1, 1, 3));
    let mut stream = serving.stream("", &[("last-event-id", id)]);
    assert_eq!(stream.event().unwrap().uid(), "b:1");
}

#[test]
fn a_heartbeat_comes_when_nothing_else_does() {
    let heartbeat = Duration::from_millis(5);
    let setup = Setup {
        heartbeat,
        ..Setup::default()
    };
    let serving = Serving::start(MemoryBroker::default(), setup);
    let mut stream = serving.stream("", &[]);
    let mut comments = 0;
    while comments < 3 {
        comments += usize::from(stream.line().unwrap().starts_with(':'));
    }
}

/// Everything behind a place, nothing twice. Who cannot keep up with a log that is read again is cut
/// off, and goes on.
fn check_resume(serving: &Serving, from: &str, expected: &[String]) {
    let mut stream = serving.stream("", &[("last-event-id", from)]);
    let mut seen = Vec::new();
    while seen.len() < expected.len() {
        let event = stream.event().unwrap();
        if event.name == "gap" {
            assert_eq!(stream.event(), None, "disconnected");
            stream = serving.stream("", &[("last-event-id", &event.id)]);
        } else {
            seen.push(event.uid());
        }
    }
    let sorted = |list: &[String]| list.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(sorted(&seen), sorted(expected));
    assert_eq!(sorted(&seen).len(), seen.len(), "nothing twice");
}

#[test]
fn who_was_away_goes_on_without_gap_or_repeat() {
    let serving = Serving::start(MemoryBroker::default(), Setup::default());
    let mut stream = serving.stream("", &[]);
    let uid = |n: usize| format!("a{n}:1");
    let publish = |n: usize| {
        serving.publish(lane(n), &alert(&format!("a{n}"), 1, 1, 1));
    };
    (0..5).for_each(publish);
    let mut last = String::new();
    for n in 0..5 {
        let event = stream.event().unwrap();
        assert!(!event.id.is_empty(), "{n}");
        last = event.id;
    }
    drop(stream);
    (5..20).for_each(publish);
    serving.settled("", 20);
    let rest: Vec<String> = (5..20).map(uid).collect();
    check_resume(&serving, &last, &rest);
    // From the very beginning, and from a place that names no partition.
    let all: Vec<String> = (0..20).map(uid).collect();
    check_resume(&serving, "0:0,1:0,2:0", &all);
    check_resume(&serving, ",", &all);
}

#[test]
fn what_is_remembered_no_more_is_read_from_the_log_again() {
    let broker = MemoryBroker::default();
    broker.create_topic(serving::TOPIC, 3);
    // More than the feed remembers.
    let count = 3_000;
    for n in 0..count {
        publish(&broker, lane(n), &alert(&format!("a{n}"), 1, 1, 1));
    }
    let serving = Serving::start(broker, Setup::default());
    let mut live = serving.stream("", &[]);
    let uid = |n: usize| format!("a{n}:1");
    // Two who go back to different places at once, while something new comes.
    let (early, late) = ("0:10,1:10,2:10", "0:600,1:600,2:600");
    std::thread::scope(|scope| {
        let early: Vec<String> = (30..count + 3).map(uid).collect();
        let later: Vec<String> = (1_800..count + 3).map(uid).collect();
        let serving = &serving;
        let first = scope.spawn(move || check_resume(serving, "0:10,1:10,2:10", &early));
        let second = scope.spawn(move || check_resume(serving, late, &later));
        for n in count..count + 3 {
            serving.publish(lane(n), &alert(&format!("a{n}"), 1, 1, 1));
        }
        first.join().unwrap();
        second.join().unwrap();
    });
    assert!(!early.is_empty());
    // Who was there all the time has had the new ones, once.
    let seen: BTreeSet<String> = (0..3).map(|_| live.event().unwrap().uid()).collect();
    assert_eq!(seen, (count..count + 3).map(uid).collect());
    serving.publish(0, &alert("end", 1, 1, 1));
    assert_eq!(live.event().unwrap().uid(), "end:1");
}

#[test]
fn what_the_log_has_forgotten_is_a_gap() {
    let broker = MemoryBroker::default();
    broker.create_topic(serving::TOPIC, 3);
    for n in 0..9 {
        publish(&broker, lane(n), &alert(&format!("a{n}"), 1, 1, 1));
    }
    trim(&broker, 1, 2);
    let serving = Serving::start(broker, Setup::default());
    let mut stream = serving.stream("", &[("last-event-id", "0:1,1:1,2:3")]);
    let gap = stream.event().unwrap();
    assert_eq!((gap.name.as_str(), gap.id.as_str()), ("gap", "0:1,1:2,2:3"));
    let rest: BTreeSet<String> = (0..3).map(|_| stream.event().unwrap().uid()).collect();
    assert_eq!(rest, ["a3:1", "a6:1", "a7:1"].map(str::to_owned).into());
    // A place behind the end is one of another topic.
    let mut stream = serving.stream("", &[("last-event-id", "0:99,1:3,2:3")]);
    assert_eq!(stream.event().unwrap().name, "gap");
}

#[test]
fn what_was_compacted_away_is_replaced_by_what_still_comes() {
    let broker = MemoryBroker::default();
    broker.create_topic(serving::TOPIC, 3);
    for revision in 1..=4 {
        publish(&broker, 0, &alert("a", revision, 2, 1));
        publish(&broker, 0, &alert("b", revision, 2, 1));
    }
    broker.compact(serving::TOPIC, true);
    let serving = Serving::start(broker, Setup::default());
    // After a:1 and b:1. Revisions 2 and 3 are no more; what is newest of each case comes, without a gap.
    let mut stream = serving.stream("", &[("last-event-id", "0:2,1:0,2:0")]);
    let events = [(); 2].map(|()| stream.event().unwrap());
    assert!(events.iter().all(|event| event.name == "updated"));
    assert_eq!(events.map(|event| event.uid()), ["a:4", "b:4"]);
}

#[test]
fn a_slow_client_is_cut_off_and_told_where_to_go_on() {
    let setup = Setup {
        queue_max: 64,
        partitions: 1,
        ..Setup::default()
    };
    let serving = Serving::start(MemoryBroker::default(), setup);
    let mut stream = serving.stream("", &[]);
    // More than the sockets take on the way, and then more than the feed remembers.
    let filler = "x".repeat(40_000);
    let count = 1_000;
    for n in 0..count {
        let mut document = alert(&format!("a{n}"), 1, 1, n);
        document["filler"] = json!(filler);
        serving.publish(0, &document);
    }
    serving.settled("", 1_000);
    let mut seen = Vec::new();
    let resume = loop {
        let event = stream.event().unwrap();
        if event.name == "gap" {
            break event;
        }
        seen.push(event.uid());
    };
    assert_eq!(stream.event(), None, "disconnected");
    let data: Value = serde_json::from_str(&resume.data).unwrap();
    assert_eq!(data["resume"], resume.id);
    drop(stream);
    // Goes on from there, as often as it takes.
    let mut from = resume.id;
    while i64::try_from(seen.len()).unwrap() < count {
        let mut stream = serving.stream("", &[("last-event-id", &from)]);
        while let Some(event) = stream.event() {
            from = event.id.clone();
            if event.name == "gap" {
                break;
            }
            seen.push(event.uid());
            if i64::try_from(seen.len()).unwrap() == count {
                break;
            }
        }
    }
    let expected: Vec<String> = (0..count).map(|n| format!("a{n}:1")).collect();
    assert_eq!(seen, expected);
}

#[test]
fn health_and_metrics_have_a_listener_of_their_own() {
    let serving = Serving::start(MemoryBroker::default(), Setup::default());
    for path in ["/livez", "/readyz", "/startupz"] {
        assert_eq!(get(serving.ops, path, &[]).text(), "ok\n", "{path}");
        assert_eq!(serving.get(path).status, 404, "{path}");
    }
    serving.publish(0, &alert("a", 1, 1, 1));
    serving.settled("", 1);
    let metrics = serving.until("/metrics", |m| {
        m.text()
            .contains("deskwarden_read_model_cases{status=\"open\"} 1")
    });
    assert!(metrics.header("content-type").starts_with("text/plain"));
    assert!(
        !metrics.text().contains("id-a"),
        "no person is in the metrics"
    );
    let status = get(serving.ops, "/status", &[]).json();
    let partitions = &status["workers"]["deliver-0"]["partitions"];
    assert_eq!(partitions["deskwarden.alerts.v1/2"]["restored"], true);
    assert_eq!(get(serving.ops, "/api/v1/alerts", &[]).status, 404);

    let worker = serving.health.worker("correlate-0");
    let waiting = get(serving.ops, "/readyz", &[]);
    assert_eq!(
        (waiting.status, get(serving.ops, "/livez", &[]).status),
        (503, 200)
    );
    assert!(waiting.text().contains("correlate-0: no assignment yet"));
    worker.fatal("fenced");
    assert_eq!(get(serving.ops, "/livez", &[]).status, 503);
}

#[test]
fn records_that_are_no_alerts_are_passed_over() {
    let broker = MemoryBroker::default();
    broker.create_topic(serving::TOPIC, 3);
    let serving = Serving::start(broker, Setup::default());
    serving.publish(0, &json!({"finding_info": {"uid": "x"}}));
    serving.publish(0, &alert("a", 1, 1, 1));
    serving.settled("", 1);
    serving.until("/metrics", |m| {
        m.text().contains("read_model_unreadable_total 1")
    });
    let erased = deskwarden::edge::log::ProduceRecord {
        topic: serving::TOPIC,
        partition: 0,
        key: Some(b"a"),
        headers: &[],
        value: None,
    };
    serving
        .broker
        .append(&erased, deskwarden::collect::time::Timestamp(0))
        .unwrap();
    serving.settled("", 0);
    assert_eq!(serving.get("/api/v1/alerts/a").status, 404);
}
