//! Golden alerts, the score added up from the JSON alone, bounds, headers, words.

use std::path::{Path, PathBuf};

use deskwarden::collect::entity::EntityKind;
use deskwarden::collect::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use deskwarden::correlate::alert::MESSAGE_CHARS_MAX;
use deskwarden::correlate::exempt::{Disposition, Opinion};
use deskwarden::correlate::rules::Rule;
use deskwarden::correlate::{case, ocsf};
use serde_json::Value;

use crate::support::golden;
use crate::world::{Published, World, events, person};
use deskwarden::correlate::rules::story::START;

/// A pressed call; password and factors reset; a new phone enrolled and used; no ticket, no call-back.
pub const TAKEOVER: &str = "
T tier=executive
A tier=privileged
-30d auth.login target=T agent=T device=laptop asn=100 country=US
-2d auth.login target=T agent=T device=laptop asn=100 country=US
-5m contact.started call=c1 channel=voice target=T number=n1 request=mfa
-4m contact.utterance call=c1 pressure=high cue=urgency cue=authority
6m credential.password_reset target=T agent=A channel=admin_console
9m mfa.reset_all target=T agent=A
13m mfa.enrolled target=T agent=T device=phone2 asn=900 country=NL
15m auth.login target=T agent=T device=phone2 asn=900 country=NL
";

/// Whoever asked for it approved it, and it was carried out.
pub const OWN_APPROVAL: &str = "
T
R
A tier=privileged
0 ticket.opened ticket=t1 requester=R target=T channel=portal request=mfa
10m approval.granted ticket=t1 approver=R eligible=no
20m mfa.reset_all target=T agent=A
";

/// One number speaks for five people.
pub const FIVE_PEOPLE: &str = "
T1
T2
T3 tier=executive
T4
T5
0 contact.started call=c0 channel=voice target=T1 request=mfa number=n1
1h contact.started call=c1 channel=voice target=T2 request=mfa number=n1
2h contact.started call=c2 channel=voice target=T3 request=password number=n1
3h contact.started call=c3 channel=voice target=T4 request=mfa number=n1
4h contact.started call=c4 channel=voice target=T5 request=unlock number=n1
";

/// Seventy resets of one account.
fn flood() -> String {
    let mut story = String::from("T tier=privileged\nA tier=privileged\n");
    for n in 0..70 {
        story += &format!("{n}m credential.password_reset target=T agent=A id=r{n}\n");
    }
    story
}

/// JSON with one value a line, in its own order: as unique as the bytes, and readable.
fn lines(json: &[u8]) -> String {
    let text = std::str::from_utf8(json).unwrap();
    let (mut out, mut depth, mut quoted, mut escaped) = (String::new(), 0, false, false);
    for c in text.chars() {
        let structural = !quoted;
        if quoted {
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            out.push(c);
            continue;
        }
        let feed = |out: &mut String, depth: usize| {
            out.push('\n');
            out.push_str(&" ".repeat(depth));
        };
        match c {
            '{' | '[' if structural => {
                out.push(c);
                depth += 1;
                feed(&mut out, depth);
            }
            '}' | ']' => {
                depth -= 1;
                feed(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                feed(&mut out, depth);
            }
            '"' => {
                quoted = true;
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out.push('\n');
    out
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ocsf")
}

fn golden_is(name: &str, published: &Published) {
    let path = folder().join(format!("{name}.json"));
    golden::check(&path, &lines(&published.bytes)).unwrap_or_else(|fault| panic!("{fault}"));
    checked(published);
}

/// What holds for every alert.
pub fn checked(published: &Published) {
    let json = published.json();
    assert_eq!(recomputed(&json), json["risk_score"], "{json}");
    assert!(published.bytes.len() <= ocsf::RECORD_BYTES_MAX);
    let text = String::from_utf8(published.bytes.clone()).unwrap();
    assert!(!text.contains("canary"), "a personal value in {text}");
    let message = json["message"].as_str().unwrap();
    assert!(message.chars().count() <= MESSAGE_CHARS_MAX, "{message}");
    assert!(!json["remediation"]["desc"].as_str().unwrap().is_empty());
    crate::schemas::valid("alert.v1.json", &json);
    let page = json["unmapped"]["page"].as_bool().unwrap();
    assert_eq!(page, json["priority_id"].as_i64().unwrap() >= 3, "{json}");
}

/// The score, from the terms in the document and the published rules of the arithmetic.
fn recomputed(json: &Value) -> Value {
    let terms = json["unmapped"]["explain"].as_array().unwrap();
    let number = |term: &Value, key: &str| term[key].as_i64().unwrap();
    let mut rest = 10_000;
    for family in ["governance", "sequence", "velocity", "impersonation"] {
        let own = |term: &&Value| term["family"] == family;
        let mut patterns: Vec<(String, i64)> = Vec::new();
        for term in terms.iter().filter(own) {
            let Some(pattern) = term["pattern"].as_str() else {
                continue;
            };
            match term["term"].as_str().unwrap() {
                "points" | "bonus" => {
                    let worth = number(term, "points") * number(term, "tier_x100");
                    assert_eq!(worth, number(term, "value"));
                    assert!(
                        term["event"].is_string() && term["at"].is_string(),
                        "{term}"
                    );
                }
                "counter" => {
                    assert!(term["event"].is_string() != term["exemption"].is_string());
                }
                "cap" | "floor" | "suppressed" => {}
                other => panic!("unknown term {other}"),
            }
            match patterns.iter_mut().find(|(known, _)| known == pattern) {
                Some((_, sum)) => *sum += number(term, "value"),
                None => patterns.push((pattern.to_owned(), number(term, "value"))),
            }
        }
        let counted: Vec<i64> = patterns
            .iter()
            .map(|(_, sum)| *sum)
            .filter(|sum| *sum >= 100)
            .collect();
        let further = 1_000 * (i64::try_from(counted.len()).unwrap() - 1).max(0);
        let value = counted
            .iter()
            .max()
            .map_or(0, |max| (max + further).min(9_500));
        let row = |name: &str| {
            let row = terms.iter().filter(own).find(|term| term["term"] == name);
            number(row.unwrap(), "value")
        };
        assert_eq!(value, row("family"), "{family} in {json}");
        rest = (rest * (10_000 - value) + 5_000) / 10_000;
        assert_eq!(rest, row("rest"), "{family} in {json}");
    }
    let total = terms.iter().find(|term| term["term"] == "total").unwrap();
    assert_eq!(10_000 - rest, number(total, "value"));
    ((10_000 - rest + 50) / 100).into()
}

#[test]
fn a_takeover_is_created_and_amended() {
    let mut world = World::new();
    for event in events(TAKEOVER) {
        world.take(&event);
    }
    world.pass(START.plus(2 * HOUR_MS));
    let created = world.last(EntityKind::Identity, "T");
    golden_is("created", created);
    assert_eq!(
        created.alert.message,
        "t…@example.com: password and MFA reset in 3 min, new device signed in, no call-back, no ticket"
    );

    // Video and call-back were done, but reported late.
    for event in events(
        "T tier=executive manager=M\nA tier=privileged\n
        5m verify.result call=c1 target=T agent=A method=video id=v
        4m callback.completed call=c2 target=T agent=A connected=40 of_record=T:-400d id=cb",
    ) {
        world.take(&event);
    }
    let amended = world.last(EntityKind::Identity, "T");
    golden_is("amended", amended);
    let struck: Vec<&str> = amended
        .alert
        .items
        .iter()
        .filter(|item| item.ended_by.is_some())
        .map(|item| item.finding.rule.as_str())
        .collect();
    assert_eq!(struck, ["HDT-03a", "HDT-03a"]);
    for published in &world.published {
        checked(published);
    }
}

#[test]
fn the_worked_example_from_facts_to_the_published_score() {
    let story = std::fs::read_to_string(folder().join("../scenarios/takeover.txt")).unwrap();
    let mut world = World::told(&story);
    let json = world.last(EntityKind::Identity, "T").json();
    // Governance 5175 + 1000, sequence 5175, impersonation 2875.
    assert_eq!(json["risk_score"], 87);
    assert_eq!(
        (&json["severity_id"], &json["unmapped"]["page"]),
        (&5.into(), &true.into())
    );
    assert_eq!(json["priority_id"], 4);
    let late = "T tier=contractor\nA tier=privileged\n-2m verify.result call=c1 target=T agent=A method=video id=v";
    let before = world.published.len();
    world.take(&events(late)[0]);
    assert_eq!(world.published.len(), before + 1, "one revision");
    let json = world.last(EntityKind::Identity, "T").json();
    assert_eq!(
        (&json["risk_score"], &json["severity_id"]),
        (&31.into(), &2.into())
    );
    assert_eq!(json["unmapped"]["before"]["severity_id"], 5);
    assert_eq!(json["unmapped"]["peak"]["page"], true);
    let why = json["unmapped"]["explain"].to_string();
    let proof = events(late)[0].event_id.to_string();
    assert!(
        why.contains(&proof),
        "the verification is named as the reason"
    );
}

#[test]
fn late_evidence_closes_what_it_contradicts() {
    let mut world = World::told(
        "T\nA tier=privileged\n
        0 credential.password_reset target=T agent=A",
    );
    let ticket = "T\n0 ticket.opened ticket=t9 requester=T channel=portal request=password id=late";
    world.take(&events(ticket)[0]);
    let closed = world.last(EntityKind::Identity, "T");
    golden_is("retracted", closed);
    let json = closed.json();
    assert_eq!(
        (&json["activity_id"], &json["status_id"]),
        (&3.into(), &4.into())
    );
    assert_eq!(json["status_detail"], "retracted");
    assert_eq!(json["message"], "t…@example.com: cleared by a ticket");
    let ended = &json["evidences"][0]["data"]["ended_by"];
    assert_eq!(*ended, events(ticket)[0].event_id.to_string());
}

#[test]
fn a_ticket_and_its_person() {
    let world = World::told(OWN_APPROVAL);
    golden_is("ticket", world.last(EntityKind::Ticket, "desk:t1"));
    let json = world.last(EntityKind::Identity, "T").json();
    let relayed = &json["evidences"][0]["data"];
    assert_eq!(relayed["relayed_from"], "ticket|desk:t1", "{json}");
    let approval = &relayed["anchor"];
    let events = json["finding_info"]["related_events"].as_array().unwrap();
    assert!(
        events.iter().any(|event| event["uid"] == *approval),
        "what it rests on is shown"
    );
}

#[test]
fn a_caller_for_five_people() {
    let mut world = World::told(FIVE_PEOPLE);
    let json = world.last(EntityKind::Caller, "n1").json();
    assert_eq!(json["message"], "+1•••0100: asked for 3 people in 2 h");
    assert_eq!(json["resources"][0]["name"], "+1•••0100");
    // Two more people add no points: they show with the next revision, here the last one.
    world.pass(START.plus(3 * DAY_MS));
    let caller = world.last(EntityKind::Caller, "n1");
    golden_is("caller", caller);
    let json = caller.json();
    assert_eq!(json["evidences"][0]["data"]["threshold"]["have"], 5);
    assert_eq!(json["unmapped"]["page"], false);
}

#[test]
fn a_flood_stays_in_bounds_and_says_so() {
    let world = World::told(&flood());
    let last = world.last(EntityKind::Identity, "T");
    golden_is("flood", last);
    let json = last.json();
    assert_eq!(json["evidences"].as_array().unwrap().len(), 50);
    assert_eq!(json["unmapped"]["evidence_truncated"], true);
    assert_eq!(json["unmapped"]["counts"]["findings_active"], 71);
    assert!(
        json["finding_info"]["related_events"]
            .as_array()
            .unwrap()
            .len()
            <= 100
    );
    assert_eq!(json["finding_info"]["related_events_count"], 70);
}

#[test]
fn what_does_not_fit_goes_in_order() {
    let world = World::told(&flood());
    let mut alert = world.last(EntityKind::Identity, "T").alert.clone();
    let row = alert.happenings[0].clone();
    while alert.happenings.len() < 100 {
        alert.happenings.push(row.clone());
    }
    for happening in &mut alert.happenings {
        happening.title = "x".repeat(400);
    }
    let json: Value = serde_json::from_slice(&ocsf::encode(&alert)).unwrap();
    assert!(json["enrichments"].is_null() && json["observables"].is_null());
    let left = json["finding_info"]["related_events"]
        .as_array()
        .unwrap()
        .len();
    assert!((1..100).contains(&left), "{left} events");
    let last = json["finding_info"]["related_events"][left - 1]["uid"].clone();
    assert_eq!(last, alert.happenings[99].id.to_string(), "the oldest went");
    assert_eq!(json["evidences"].as_array().unwrap().len(), 50);
    let size = ocsf::encode(&alert).len();
    assert!(
        (ocsf::RECORD_BYTES_MAX - 2_000..=ocsf::RECORD_BYTES_MAX).contains(&size),
        "{size}"
    );
}

#[test]
fn an_analysts_verdict_closes_the_alert() {
    let world = World::told(TAKEOVER);
    let newest = world
        .last(EntityKind::Identity, "T")
        .alert
        .revision
        .case
        .clone();
    let mut cases = case::Cases {
        open: Some(newest.clone()),
        ..case::Cases::default()
    };
    let disposition = Disposition {
        alert: newest.alert_id,
        entity: person("T"),
        revision: newest.revision,
        verdict: Opinion::TruePositive,
        owner: "hris:S1".into(),
        reason: "confirmed by call".into(),
    };
    let end = case::End {
        entity: &person("T"),
        in_force: &world.in_force,
        time: START.plus(3 * HOUR_MS),
    };
    let revision = cases.dispose(&disposition, &end).unwrap();
    let alert = world.alert(&person("T"), &revision);
    let published = Published {
        entity: person("T"),
        bytes: ocsf::encode(&alert),
        alert,
    };
    golden_is("disposition", &published);
    let json = published.json();
    assert_eq!(
        (&json["verdict_id"], &json["status_detail"]),
        (&2.into(), &"disposition".into())
    );
    assert_eq!(
        (&json["is_alert"], &json["risk_score"]),
        (&false.into(), &99.into())
    );
}

#[test]
fn a_quiet_day_closes_the_case() {
    let mut world = World::told(TAKEOVER);
    world.pass(START.plus(2 * DAY_MS));
    let closed = world.last(EntityKind::Identity, "T");
    let json = closed.json();
    assert_eq!(json["status_detail"], "quiet_period");
    assert_eq!(json["time"], START.plus(15 * MINUTE_MS + 28 * HOUR_MS).0);
    let events = json["finding_info"]["related_events"].as_array().unwrap();
    assert!(events.len() >= 6, "what findings cite is still shown");
    checked(closed);
}

#[test]
fn key_and_headers_name_the_revision() {
    let world = World::told(TAKEOVER);
    let published = world.last(EntityKind::Identity, "T");
    let case = &published.alert.revision.case;
    let headers = ocsf::headers(&published.alert);
    let id = case.alert_id.to_string();
    assert_eq!(ocsf::key(&published.alert), id);
    let expected = [
        ("ce_specversion", "1.0"),
        ("ce_id", &format!("{id}:{}", case.revision)),
        ("ce_source", "/deskwarden/acme"),
        ("ce_type", "io.deskwarden.alert.updated.v1"),
        ("ce_subject", "identity|T"),
        ("ce_time", "2026-03-02T09:39:00.000Z"),
        ("content-type", "application/json"),
    ];
    let expected = expected.map(|(name, value)| (name, value.to_owned()));
    assert_eq!(headers, expected);
}

#[test]
fn equal_alerts_are_equal_bytes() {
    let bytes = |story: &str| -> Vec<Vec<u8>> {
        World::told(story)
            .published
            .into_iter()
            .map(|p| p.bytes)
            .collect()
    };
    for story in [TAKEOVER, OWN_APPROVAL, FIVE_PEOPLE] {
        assert_eq!(bytes(story), bytes(story));
    }
}

/// Every revision of every scenario file: valid, within bounds, and its score adds up.
#[test]
fn every_scenario_makes_sound_alerts() {
    let mut seen = 0;
    for file in std::fs::read_dir(folder().join("../scenarios")).unwrap() {
        let story = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let story = story.split("----").next().unwrap();
        let world = World::told(story);
        for published in &world.published {
            checked(published);
            seen += 1;
            // Every rule has words of its own: its title is only for those that nobody worded.
            let message = published.alert.message.as_str();
            let bare = |rule: &&Rule| message.contains(&rule.title.to_lowercase());
            let unworded = world.rules.rules().iter().find(bare).map(|rule| &rule.id);
            assert_eq!(unworded, None, "{message}");
        }
    }
    assert!(seen > 50, "{seen} alerts");
}
