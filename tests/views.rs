//! What the API answers of people, agents, tickets and the like, of a word, of the patterns, and of the
//! audit records.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use deskwarden::collect::time::Timestamp;
use deskwarden::edge::http::{Access, Credentials, Gate, Limits, Token, token_hash};
use deskwarden::edge::log::ProduceRecord;
use deskwarden::edge::log::memory::MemoryBroker;
use serde_json::{Value, json};
use serving::{AUDIT, Answer, OKTA, Serving, Setup, get, okta_record, request};

#[path = "support/serving.rs"]
mod serving;

/// A recovery of an account by an agent at a minute of a day.
fn recovery(minute: i64, target: &str, agent: &str) -> Value {
    json!({
        "id": format!("r{minute}"), "stage": "recorded", "version": 1, "event": format!("e{minute}"),
        "time": 1_772_442_000_000_i64 + minute * 60_000, "action": "mfa.reset_all", "class": "mfa",
        "outcome": "success", "entity": format!("identity|{target}"),
        "target": {"uid": target, "name": "t…@example.com", "tier": "executive"},
        "agent": {"uid": agent, "name": "a…@example.com", "tier": "standard"},
        "agent_kind": "human", "by_admin": true, "ticket": "INC0042",
        "source": {"system": "okta", "topic": "okta.events", "partition": 0, "offset": minute},
        "number": minute, "prev": "", "hash": "",
    })
}

fn start(records: &[Value]) -> Serving {
    let broker = MemoryBroker::default();
    broker.create_topic(AUDIT, 1);
    for record in records {
        let value = record.to_string().into_bytes();
        let record = ProduceRecord {
            topic: AUDIT,
            partition: 0,
            key: Some(b"T"),
            headers: &[],
            value: Some(&value),
        };
        broker.append(&record, Timestamp(0)).unwrap();
    }
    let serving = Serving::start(broker, Setup::default());
    let text = include_str!("ocsf/amended.json");
    serving.publish(1, &serde_json::from_str(text).unwrap());
    serving.settled("", 1);
    serving
}

fn ask(serving: &Serving, path: &str) -> Answer {
    get(serving.api, &format!("/api/v1{path}"), &[])
}

fn found(serving: &Serving, path: &str) -> Value {
    let answer = ask(serving, path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()
}

/// The person and agent of the golden alert are `T` and `A`.
fn filled() -> Serving {
    start(&[
        recovery(1, "T", "A"),
        recovery(2, "T/2", "A"),
        recovery(3, "T", "B"),
    ])
}

#[test]
fn a_case_is_found_by_agent_ticket_and_time_and_explained() {
    let serving = filled();
    let total = |filter: &str| found(&serving, &format!("/alerts?{filter}"))["total"].clone();
    let alert: Value = serde_json::from_str(include_str!("ocsf/amended.json")).unwrap();
    let time = alert["time"].as_i64().unwrap();
    for (filter, count) in [
        ("agent=A".to_owned(), 1),
        ("agent=B".to_owned(), 0),
        ("ticket=INC9".to_owned(), 0),
        (format!("from={time}&to={}", time + 1), 1),
        (format!("from={}", time + 1), 0),
        ("to=2026-01-01T00:00:00Z".to_owned(), 0),
    ] {
        assert_eq!(total(&filter), json!(count), "{filter}");
    }
    assert_eq!(ask(&serving, "/alerts?from=yesterday").status, 400);
    let id = alert["finding_info"]["uid"].as_str().unwrap();
    let answer = ask(&serving, &format!("/alerts/{id}/explain"));
    assert_eq!(
        answer.header("content-type"),
        "text/markdown; charset=utf-8"
    );
    let text = answer.text();
    assert!(
        text.contains("- call-back: present (number of record)\n"),
        "{text}"
    );
    assert_eq!(ask(&serving, "/alerts/none/explain").status, 404);
}

#[test]
fn the_level_of_the_logs_is_changed_and_told() {
    let serving = filled();
    let put = |body: &str| {
        let headers = [("content-type", "application/json")];
        let line = ("PUT", "/api/v1/log-level");
        request(serving.api, line, &headers, body.as_bytes())
    };
    let changed = put(r#"{"level": "deskwarden=debug,warn"}"#);
    assert_eq!(changed.json(), json!({"level": "deskwarden=debug,warn"}));
    for wrong in [
        r#"{"level": "loud"}"#,
        r#"{"level": "deskwarden"}"#,
        r#"{"level": "INFO"}"#,
        r#"{"level": 3}"#,
        r#"{"level": "info", "for": "ever"}"#,
        "{}",
        "info",
    ] {
        assert_eq!(put(wrong).status, 400, "{wrong}");
    }
    let level = found(&serving, "/log-level");
    assert_eq!(level, changed.json());
    assert_eq!(put(r#"{"level": "error"}"#).status, 200);
}

#[test]
fn each_view_joins_cases_and_audit_records() {
    let serving = filled();
    let person = found(&serving, "/identities/T");
    assert_eq!(
        (&person["identity"]["tier"], &person["counts"]["recoveries"]),
        (&json!("executive"), &json!(2))
    );
    assert_eq!(person["cases"][0]["subject"]["id"], "T");
    assert_eq!(
        person["records"][0]["record"],
        recovery(3, "T", "B"),
        "as it lies in the topic"
    );
    assert_eq!(
        found(&serving, "/identities/T%2F2")["total"],
        1,
        "an id may hold a slash"
    );
    let agent = found(&serving, "/agents/A");
    assert_eq!(
        (&agent["counts"]["identities"], &agent["peers"]["rank"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(agent["cases"].as_array().unwrap().len(), 1);
    let ticket = found(&serving, "/pivots/ticket/INC0042");
    assert_eq!(ticket["identities"].as_array().unwrap().len(), 2);
    let device = found(&serving, "/pivots/device/phone2");
    assert_eq!(
        device["identities"][0]["cases"].as_array().unwrap().len(),
        1
    );
    let results = found(&serving, "/search?q=inc00");
    assert_eq!(results["results"][0]["kind"], "ticket");
    let patterns = found(&serving, "/patterns");
    let of = |id: &str| {
        patterns["patterns"]
            .as_array()
            .unwrap()
            .iter()
            .find(|p| p["id"] == id)
            .unwrap()
            .clone()
    };
    assert_eq!(
        (&of("HDT-05")["open"], &of("HDT-07a")["open"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(
        found(&serving, "/me"),
        json!({"name": null, "role": "admin"})
    );
}

#[test]
fn audit_records_come_in_parts_and_as_a_table() {
    let serving = filled();
    let first = found(&serving, "/audit?person=T&limit=1");
    assert_eq!(
        (&first["total"], &first["records"][0]["offset"]),
        (&json!(2), &json!(2))
    );
    let next = first["next"].as_str().unwrap();
    let second = found(&serving, &format!("/audit?person=T&limit=1&cursor={next}"));
    assert_eq!(
        (&second["records"][0]["offset"], &second["next"]),
        (&json!(0), &Value::Null)
    );
    let between = "/audit?from=2026-03-02T09:01:30Z&to=1772442180000";
    assert_eq!(found(&serving, between)["total"], 1);
    let headers = [("accept", "text/csv")];
    let table = get(serving.api, "/api/v1/audit?agent=A", &headers);
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    let text = table.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[1].starts_with("2026-03-02T09:01:00.000Z,recorded,1,mfa.reset_all"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_answered_says_what_would_be_right() {
    let serving = filled();
    for (path, status, says) in [
        ("/identities/nobody", 404, "nothing is held of nobody"),
        ("/agents/nobody", 404, "nothing is held"),
        ("/pivots/device/nothing", 404, "nothing is held"),
        (
            "/pivots/planet/mars",
            404,
            "ticket, contact, caller, device, address",
        ),
        ("/identities/T?limit=0", 400, "limit: 1 to 200"),
        ("/identities/T?cursor=x", 400, "take `next`"),
        (
            "/identities/T?colour=red",
            400,
            "parameters are limit, cursor",
        ),
        ("/search", 400, "q: 1 to 120"),
        ("/search?q=%20", 400, "q: 1 to 120"),
        ("/search?word=x", 400, "it is q"),
        (
            "/audit?from=yesterday&limit=x",
            400,
            "limit: 1 to 200; from: RFC 3339",
        ),
    ] {
        let answer = ask(&serving, path);
        assert_eq!(answer.status, status, "{path}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says), "{path}: {detail}");
    }
}

#[test]
fn who_asks_is_told_who_that_is() {
    let token = Token {
        name: "vera".into(),
        access: Access::Viewer,
        sha256: token_hash("dw_vera"),
    };
    let credentials = Credentials {
        tokens: vec![token],
        ..Credentials::default()
    };
    let gate = Gate::new(credentials, Limits::default());
    let serving = Serving::guarded(MemoryBroker::default(), Setup::default(), gate);
    let headers = [("authorization", "Bearer dw_vera")];
    let me = get(serving.api, "/api/v1/me", &headers).json();
    assert_eq!(me, json!({"name": "vera", "role": "viewer"}));
}

/// As [`filled`], with a record of a source.
#[test]
fn the_record_behind_an_event_is_read_again_and_names_nobody() {
    let broker = MemoryBroker::default();
    let setup = Setup {
        records: Some(okta_record(&broker)),
        ..Setup::default()
    };
    let serving = Serving::start(broker, setup);
    let record = found(&serving, &format!("/records/{OKTA}/0/0"));
    assert_eq!(record["source"], "okta");
    assert_eq!(record["timestamp"], 1_772_442_000_000_i64);
    let items = record["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let event = &items[0]["event"];
    assert_eq!(event["action"], "mfa.reset_all");
    let handles = event["target"]["handles"].as_array().unwrap();
    let shown = |handle: &&Value| handle["masked"] == "t…@example.com";
    assert_eq!(handles.iter().filter(shown).count(), 1);
    for (role, told) in [
        ("target", "handles"),
        ("agent", "handles"),
        ("agent_facts", "kind"),
    ] {
        let fields: Vec<&String> = event[role].as_object().unwrap().keys().collect();
        assert_eq!(fields, [told], "{role}: nobody was looked up");
    }
    assert_eq!(items[1]["reject"]["reason"], "schema");
    let text = record.to_string();
    for personal in ["blake", "adams", "203.0.113.77"] {
        assert!(!text.contains(personal), "{personal}");
    }
    let none = [
        format!("{OKTA}/0/1"),
        format!("{OKTA}/1/0"),
        format!("{OKTA}/0/-1"),
        format!("{OKTA}/x/0"),
        "deskwarden.alerts.v1/0/0".to_owned(),
        "deskwarden.audit.v1/0/0".to_owned(),
    ];
    for place in none {
        let answer = ask(&serving, &format!("/records/{place}"));
        assert_eq!(answer.status, 404, "{place}");
    }
    serving.stop();
    let serving = filled();
    let answer = ask(&serving, &format!("/records/{OKTA}/0/0"));
    assert_eq!(answer.status, 503, "without topics");
    serving.stop();
}

#[test]
fn an_alert_is_answered_in_the_form_that_is_asked_for() {
    let serving = filled();
    let id = found(&serving, "/alerts")["alerts"][0]["finding_info"]["uid"].clone();
    let id = id.as_str().unwrap();
    let one = |format: &str| ask(&serving, &format!("/alerts/{id}?format={format}"));
    let ocsf = one("ocsf");
    assert_eq!(ocsf.body, ask(&serving, &format!("/alerts/{id}")).body);
    let ecs = one("ecs");
    assert_eq!(ecs.header("content-type"), "application/json");
    assert_eq!(ecs.json()["deskwarden"]["alert_id"], id);
    let cef = one("cef");
    assert_eq!(cef.header("content-type"), "text/plain; charset=utf-8");
    assert!(cef.text().starts_with("CEF:0|Deskwarden|"));
    assert!(cef.text().contains(&format!("externalId={id} act=update")));
    let markdown = one("markdown");
    let explained = ask(&serving, &format!("/alerts/{id}/explain"));
    assert_eq!(markdown.body, explained.body);
    assert_eq!(
        markdown.header("content-type"),
        explained.header("content-type")
    );
    for path in ["/alerts", &format!("/alerts/{id}/revisions")] {
        let of =
            |format: &str| found(&serving, &format!("{path}?format={format}"))["alerts"][0].clone();
        assert_eq!(of("cef"), cef.text());
        assert_eq!(of("markdown"), markdown.text());
        assert_eq!(of("ecs"), ecs.json());
        assert_eq!(of("ocsf"), ocsf.json());
    }
    for wrong in ["?format=leef", "?format=", "?form=cef"] {
        let answer = ask(&serving, &format!("/alerts/{id}{wrong}"));
        assert_eq!(answer.status, 400, "{wrong}");
    }
    serving.stop();
}
