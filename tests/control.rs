//! Dispositions, silences and exemptions over HTTP: what is taken, what is refused, and what lies in
//! the control topic then.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::sync::Arc;

use deskwarden::collect::time::Timestamp;
use deskwarden::correlate::exempt;
use deskwarden::edge::clock;
use deskwarden::edge::http::{Access, Credentials, Gate, Limits, Token, token_hash};
use deskwarden::edge::log::memory::MemoryBroker;
use deskwarden::edge::log::{OwnedRecord, Partition, ProduceRecord};
use serde_json::{Value, json};
use serving::{Answer, CONTROL, Serving, Setup, request};

#[path = "support/serving.rs"]
mod serving;

const ALERT: &str = "0123456789abcdef0123456789abcdef";
const DAY_MS: i64 = 24 * 3_600_000;

fn gate() -> Gate {
    let credentials = Credentials {
        tokens: vec![Token {
            name: "anna@example.com".into(),
            access: Access::Analyst,
            sha256: token_hash("dw_anna"),
        }],
        ..Credentials::default()
    };
    let limits = Limits {
        requests_per_second: 100_000,
        streams: 10,
    };
    Gate::new(credentials, limits)
}

fn start(broker: MemoryBroker) -> Serving {
    Serving::guarded(broker, Setup::default(), gate())
}

fn post(serving: &Serving, path: &str, body: &Value) -> Answer {
    let headers = [
        ("authorization", "Bearer dw_anna"),
        ("content-type", "application/json; charset=utf-8"),
    ];
    let body = body.to_string();
    request(serving.api, ("POST", path), &headers, body.as_bytes())
}

fn list(serving: &Serving, path: &str) -> Value {
    let headers = [("authorization", "Bearer dw_anna")];
    let answer = serving::get(serving.api, path, &headers);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn records(broker: &MemoryBroker) -> Vec<OwnedRecord> {
    broker.read(&Partition::new(CONTROL, 0))
}

fn publish(serving: &Serving, revision: u64, activity: u8) {
    serving.publish(
        1,
        &json!({
            "activity_id": activity, "class_uid": 2004, "time": 5, "severity_id": 4,
            "status_id": if activity == 3 { 4 } else { 1 },
            "metadata": {"uid": format!("{ALERT}:{revision}"), "sequence": revision},
            "finding_info": {"uid": ALERT},
            "resources": [{"uid": "hris:E1", "name": "a…@x.example", "type": "identity"}],
        }),
    );
    let is_there = || {
        let newest = list_alert(serving);
        newest["metadata"]["sequence"] == revision
    };
    assert!((0..10_000).any(|_| is_there()));
}

fn list_alert(serving: &Serving) -> Value {
    let headers = [("authorization", "Bearer dw_anna")];
    serving::get(serving.api, &format!("/api/v1/alerts/{ALERT}"), &headers).json()
}

fn silence(to: i64) -> Value {
    json!({
        "scope": {"patterns": ["HDT-04"]}, "reason": "a drill", "valid_to": clock::now().0 + to,
    })
}

fn travel() -> Value {
    json!({
        "kind": "travel", "scope": {"person": "hris:E1", "countries": ["JP"]},
        "reason": "a fair", "valid_from": "2026-03-02T09:00:00Z", "valid_to": "2026-03-09T09:00:00Z",
    })
}

fn delete(serving: &Serving, path: &str) -> Answer {
    let headers = [("authorization", "Bearer dw_anna")];
    request(serving.api, ("DELETE", path), &headers, b"")
}

#[test]
fn a_silence_is_ended_by_somebody_who_says_why() {
    let broker = MemoryBroker::default();
    let serving = start(broker.clone());
    let told = post(&serving, "/api/v1/silences", &silence(DAY_MS)).json();
    let id = told["id"].as_str().unwrap();
    let path = format!("/api/v1/silences/{}", id.replace('/', "%2F"));
    let asks = |query: &str| delete(&serving, &format!("{path}?{query}"));
    for (query, fault) in [
        ("", "reason: missing"),
        ("why=x", "why: unknown"),
        ("reason=x&owner=b", "owner: "),
    ] {
        let answer = asks(query);
        assert_eq!(answer.status, 400, "{query}");
        assert!(
            answer.json()["errors"][0]
                .as_str()
                .unwrap()
                .starts_with(fault),
            "{query}"
        );
    }
    let other = delete(&serving, "/api/v1/exemptions/silence%2F00?reason=x");
    assert_eq!(other.status, 404);
    let ended = asks("reason=the+drill+is+over");
    assert_eq!(ended.status, 201, "{}", ended.text());
    assert_eq!(list(&serving, "/api/v1/silences")["total"], 0);
    let written = records(&broker);
    let last: Value = serde_json::from_slice(written[1].value.as_deref().unwrap()).unwrap();
    assert_eq!((&written[0].key, written.len()), (&written[1].key, 2));
    assert_eq!(
        (&last["reason"], &last["owner"]),
        (&json!("the drill is over"), &json!("anna@example.com"))
    );
    assert_eq!(last["scope"], told["record"]["scope"]);
    assert!(last["valid_to"].as_i64().unwrap() <= clock::now().0);
    assert_eq!(
        asks("reason=again").status,
        404,
        "what is over holds no more"
    );
    // One that has not begun yet.
    let mut later = silence(2 * DAY_MS);
    later["valid_from"] = json!(clock::now().0 + DAY_MS);
    let told = post(&serving, "/api/v1/silences", &later).json();
    let path = told["id"].as_str().unwrap().replace('/', "%2F");
    let answer = delete(&serving, &format!("/api/v1/silences/{path}?reason=no"));
    assert_eq!(answer.status, 201, "{}", answer.text());
    serving.stop();
    let serving = start(broker);
    assert_eq!(list(&serving, "/api/v1/silences")["total"], 0);
}

fn faults(answer: &Answer) -> String {
    assert_eq!(answer.status, 400, "{}", answer.text());
    let body = answer.json();
    assert!(
        body["type"].as_str().unwrap().ends_with(":record"),
        "{body}"
    );
    body["errors"][0].as_str().unwrap().to_owned()
}

#[test]
fn a_silence_is_written_with_its_owner_and_listed_also_after_a_restart() {
    let broker = MemoryBroker::default();
    let serving = start(broker.clone());
    let answer = post(&serving, "/api/v1/silences", &silence(DAY_MS));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let told = answer.json();
    let written = records(&broker);
    assert_eq!(written.len(), 1);
    let (record, id) = (&written[0], told["id"].as_str().unwrap());
    assert_eq!(record.key.as_deref(), Some(id.as_bytes()));
    assert!(id.starts_with("silence/") && id.len() == 40, "{id}");
    assert_eq!(
        (&told["partition"], &told["offset"]),
        (&json!(0), &json!(record.offset))
    );
    let value = record.value.as_deref().unwrap();
    let read: Value = serde_json::from_slice(value).unwrap();
    assert_eq!(read, told["record"]);
    assert_eq!(read["owner"], "anna@example.com");
    assert!(exempt::control(id, value).is_ok());
    let listed = list(&serving, "/api/v1/silences");
    assert_eq!(listed["total"], 1);
    assert_eq!(listed["silences"][0]["id"], id);
    assert_eq!(listed["silences"][0]["holds"], true);
    assert_eq!(list(&serving, "/api/v1/exemptions")["total"], 0);
    serving.stop();
    let serving = start(broker);
    assert_eq!(list(&serving, "/api/v1/silences"), listed);
}

#[test]
fn an_exemption_is_written_as_the_kind_it_is() {
    let broker = MemoryBroker::default();
    let serving = start(broker.clone());
    let mut ahead = travel();
    ahead["valid_from"] = json!(clock::now().0 + DAY_MS);
    ahead["valid_to"] = json!(clock::now().0 + 2 * DAY_MS);
    assert_eq!(post(&serving, "/api/v1/exemptions", &travel()).status, 201);
    assert_eq!(post(&serving, "/api/v1/exemptions", &ahead).status, 201);
    assert_eq!(records(&broker).len(), 2);
    // The first is over, the other to come.
    let listed = list(&serving, "/api/v1/exemptions");
    assert_eq!(listed["total"], 1, "{listed}");
    assert_eq!(listed["exemptions"][0]["holds"], false);
    assert_eq!(listed["exemptions"][0]["kind"], "travel");
}

#[test]
fn what_no_correlator_would_take_is_refused_with_the_reason() {
    let broker = MemoryBroker::default();
    let serving = start(broker.clone());
    let with = |mut body: Value, name: &str, value: Value| {
        body[name] = value;
        body
    };
    let without = |mut body: Value, name: &str| {
        body.as_object_mut().unwrap().remove(name);
        body
    };
    let (silences, exemptions) = ("/api/v1/silences", "/api/v1/exemptions");
    for (path, body, says) in [
        (silences, without(silence(DAY_MS), "reason"), "reason"),
        (
            silences,
            with(silence(DAY_MS), "reason", json!(" ")),
            "`reason` is empty",
        ),
        (silences, without(silence(DAY_MS), "valid_to"), "valid_to"),
        (silences, silence(91 * DAY_MS), "at most 90 days"),
        (silences, silence(-DAY_MS), "later than `valid_from`"),
        (
            silences,
            with(silence(DAY_MS), "scope", json!({})),
            "a silence of everything",
        ),
        (
            silences,
            with(silence(DAY_MS), "kind", json!("travel")),
            "kind: it is \"silence\"",
        ),
        (
            silences,
            with(silence(DAY_MS), "owner", json!("bea")),
            "owner: it is \"anna@example.com\"",
        ),
        (
            silences,
            with(silence(DAY_MS), "colour", json!("red")),
            "colour",
        ),
        (silences, json!([]), "not a JSON object"),
        (exemptions, without(travel(), "kind"), "`kind` is missing"),
        (
            exemptions,
            with(travel(), "kind", json!("holiday")),
            "unknown `kind`",
        ),
        (exemptions, without(travel(), "valid_to"), "valid_to"),
        (
            exemptions,
            with(silence(DAY_MS), "kind", json!("silence")),
            "addresses of their own",
        ),
        (
            exemptions,
            json!({"kind": "source.removed", "name": "okta"}),
            "unknown field `owner`",
        ),
    ] {
        let fault = faults(&post(&serving, path, &body));
        assert!(fault.contains(says), "{body}: {fault}");
    }
    assert!(records(&broker).is_empty(), "nothing was written");
}

fn put(serving: &Serving, body: &Value) -> Answer {
    let headers = [
        ("authorization", "Bearer dw_anna"),
        ("content-type", "application/json"),
    ];
    let path = format!("/api/v1/alerts/{ALERT}/assignee");
    let body = body.to_string();
    request(serving.api, ("PUT", &path), &headers, body.as_bytes())
}

#[test]
fn a_case_is_taken_given_away_and_released_also_after_a_restart() {
    let broker = MemoryBroker::default();
    let serving = start(broker.clone());
    publish(&serving, 1, 1);
    publish(&serving, 2, 2);
    let before = list_alert(&serving);
    let total = |filter: &str| {
        let path = format!("/api/v1/alerts?assignee={filter}");
        list(&serving, &path)["total"].clone()
    };
    assert_eq!((total("none"), total("anna")), (json!(1), json!(0)));
    let taken = put(&serving, &json!({"assignee": "anna"}));
    assert_eq!(taken.status, 201, "{}", taken.text());
    let wanted = json!({
        "kind": "assignment", "alert": ALERT, "entity": "identity|hris:E1", "revision": 2,
        "assignee": "anna", "owner": "anna@example.com",
    });
    assert_eq!(taken.json()["record"], wanted);
    assert_eq!(
        put(&serving, &json!({"assignee": "bea", "revision": 1})).status,
        201
    );
    let shown = |serving: &Serving| {
        let path = format!("/api/v1/alerts/{ALERT}/revisions");
        let revisions = list(serving, &path);
        let listed = list(serving, "/api/v1/alerts?assignee=bea");
        let newest = list_alert(serving);
        assert_eq!(listed["alerts"][0], newest);
        assert_eq!(revisions["alerts"][1], newest);
        assert_eq!(revisions["alerts"][0]["status_id"], 1, "what was, was");
        newest
    };
    let mut with = before.clone();
    with["status_id"] = json!(2);
    with["assignee"] = json!({"name": "bea"});
    assert_eq!(shown(&serving), with);
    assert_eq!(
        list(&serving, "/api/v1/assignments")["assignments"],
        json!([{"alert": ALERT, "assignee": "bea"}])
    );
    assert_eq!((total("none"), total("anna")), (json!(0), json!(0)));
    let keys: Vec<_> = records(&broker).iter().map(|r| r.key.clone()).collect();
    let key = format!("assignment/{ALERT}").into_bytes();
    assert_eq!(keys, [Some(key.clone()), Some(key)], "the newest is kept");
    serving.stop();

    let serving = start(broker.clone());
    publish(&serving, 2, 2);
    let is_there = || list_alert(&serving)["status_id"] == 2;
    assert!((0..10_000).any(|_| is_there()));
    assert_eq!(shown(&serving), with);
    assert_eq!(put(&serving, &json!({"assignee": null})).status, 201);
    assert_eq!(list_alert(&serving), before);
    assert_eq!(list(&serving, "/api/v1/assignments")["total"], 0);
}

#[test]
fn an_assignment_that_says_nothing_is_refused() {
    let broker = MemoryBroker::default();
    let serving = start(broker.clone());
    publish(&serving, 2, 1);
    let none = json!([]);
    for (body, says) in [
        (json!({}), "assignee"),
        (json!({"assignee": " "}), "`assignee` is empty"),
        (json!({"assignee": "none"}), "not `none`"),
        (json!({"assignee": "x".repeat(257)}), "at most 256"),
        (json!({"assignee": none}), "expected a string"),
        (json!({"assignee": "bea", "revision": 3}), "the newest is 2"),
        (json!({"assignee": "bea", "owner": "bea"}), "owner: it is"),
        (json!({"assignee": "bea", "reason": "why"}), "reason"),
    ] {
        let fault = faults(&put(&serving, &body));
        assert!(fault.contains(says), "{body}: {fault}");
    }
    publish(&serving, 3, 3);
    let fault = faults(&put(&serving, &json!({"assignee": "anna"})));
    assert!(fault.contains("closed"), "{fault}");
    assert!(records(&broker).is_empty(), "nothing was written");
    let bad = serving::get(
        serving.api,
        "/api/v1/alerts?assignee=",
        &[("authorization", "Bearer dw_anna")],
    );
    assert_eq!(bad.status, 400);
}

#[test]
fn a_verdict_names_the_revision_that_was_seen() {
    let broker = MemoryBroker::default();
    let serving = start(broker.clone());
    publish(&serving, 1, 1);
    publish(&serving, 2, 2);
    let path = format!("/api/v1/alerts/{ALERT}/disposition");
    let verdict =
        |revision: u64| json!({"revision": revision, "verdict": "benign", "reason": "asked"});
    let newest = post(&serving, &path, &verdict(2));
    assert_eq!(newest.status, 201, "{}", newest.text());
    let newest = newest.json();
    let wanted = json!({
        "kind": "disposition", "alert": ALERT, "entity": "identity|hris:E1", "revision": 2,
        "verdict": "benign", "reason": "asked", "owner": "anna@example.com",
    });
    assert_eq!(newest["record"], wanted);
    assert_eq!(
        (&newest["closes"], &newest["newest_revision"]),
        (&json!(true), &json!(2))
    );
    let older = post(&serving, &path, &verdict(1)).json();
    assert_eq!(
        (&older["closes"], &older["newest_revision"]),
        (&json!(false), &json!(2))
    );
    assert_eq!(records(&broker).len(), 2);
    let mut elsewhere = verdict(2);
    elsewhere["entity"] = json!("identity|hris:E2");
    for (body, says) in [
        (verdict(3), "the newest is 2"),
        (verdict(0), "`revision` counts from 1"),
        (json!({"verdict": "benign", "reason": "asked"}), "revision"),
        (
            json!({"revision": 2, "verdict": "fine", "reason": "asked"}),
            "fine",
        ),
        (json!({"revision": 2, "verdict": "benign"}), "reason"),
        (elsewhere, "entity: it is \"identity|hris:E1\""),
    ] {
        let fault = faults(&post(&serving, &path, &body));
        assert!(fault.contains(says), "{body}: {fault}");
    }
    let unknown = post(&serving, "/api/v1/alerts/none/disposition", &verdict(1));
    assert_eq!(unknown.status, 404);
    assert_eq!(records(&broker).len(), 2);
}

#[test]
fn a_body_that_another_page_could_send_is_not_read() {
    let broker = MemoryBroker::default();
    let serving = Serving::start(broker.clone(), Setup::default());
    let mut body = silence(DAY_MS);
    body["owner"] = json!("anna");
    let body = body.to_string();
    let host = serving.api.to_string();
    let send = |headers: &[(&str, &str)]| {
        let line = ("POST", "/api/v1/silences");
        request(serving.api, line, headers, body.as_bytes()).status
    };
    let json = ("content-type", "application/json");
    let own = format!("http://{host}");
    assert_eq!(send(&[("content-type", "text/plain")]), 415);
    assert_eq!(
        send(&[("content-type", "application/x-www-form-urlencoded")]),
        415
    );
    assert_eq!(send(&[]), 415);
    assert_eq!(send(&[json, ("origin", "https://evil.example")]), 403);
    assert_eq!(send(&[json, ("origin", "null")]), 403);
    assert_eq!(send(&[json, ("host", "evil.example")]), 421);
    assert!(records(&broker).is_empty());
    // Our own page, and programs, which say no origin.
    assert_eq!(send(&[json, ("origin", &own)]), 201);
    assert_eq!(send(&[json]), 201);
    assert_eq!(records(&broker).len(), 2);
}

#[test]
fn where_nobody_has_a_name_the_body_says_who_answers() {
    let serving = Serving::start(MemoryBroker::default(), Setup::default());
    let mut body = silence(DAY_MS);
    assert!(faults(&post(&serving, "/api/v1/silences", &body)).contains("owner"));
    body["owner"] = json!("bea");
    let answer = post(&serving, "/api/v1/silences", &body);
    assert_eq!(answer.json()["record"]["owner"], "bea");
}

#[test]
fn a_large_body_is_refused() {
    let serving = start(MemoryBroker::default());
    let mut body = silence(DAY_MS);
    body["reason"] = json!("x".repeat(256 << 10));
    let answer = post(&serving, "/api/v1/silences", &body);
    assert_eq!(answer.status, 413);
}

#[test]
fn there_is_room_for_so_many() {
    let broker = MemoryBroker::default();
    broker.create_topic(CONTROL, 1);
    let persons: Vec<String> = (0..9_999).map(|n| format!("hris:E{n}")).collect();
    let many = json!({
        "kind": "device_refresh", "scope": {"persons": persons}, "owner": "o", "reason": "r",
        "valid_from": clock::now().0, "valid_to": clock::now().0 + DAY_MS,
    });
    let value = many.to_string();
    let record = ProduceRecord {
        topic: CONTROL,
        partition: 0,
        key: Some(b"exemption/many"),
        headers: &[],
        value: Some(value.as_bytes()),
    };
    broker.append(&record, Timestamp(0)).unwrap();
    let serving = start(broker.clone());
    assert_eq!(
        post(&serving, "/api/v1/silences", &silence(DAY_MS)).status,
        201
    );
    let full = post(&serving, "/api/v1/silences", &silence(DAY_MS));
    assert_eq!(full.status, 409, "{}", full.text());
    // What lies in the topic is what all correlators hold.
    assert_eq!(records(&broker).len(), 2);
}

#[test]
fn many_at_once_are_all_written_or_told_to_come_again() {
    let broker = MemoryBroker::default();
    let serving = Arc::new(start(broker.clone()));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let serving = Arc::clone(&serving);
            std::thread::spawn(move || {
                let one = || post(&serving, "/api/v1/silences", &silence(DAY_MS)).status;
                let statuses: Vec<u16> = (0..5).map(|_| one()).collect();
                statuses
            })
        })
        .collect();
    let statuses: Vec<u16> = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect();
    assert!(
        statuses.iter().all(|status| matches!(status, 201 | 503)),
        "{statuses:?}"
    );
    let written = statuses.iter().filter(|status| **status == 201).count();
    assert!(written > 0);
    assert_eq!(records(&broker).len(), written);
}
