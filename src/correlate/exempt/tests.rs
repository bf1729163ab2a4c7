//! Tests of control entries: what is read, what is refused, what is in force.

use super::*;
use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::{EventId, Tier};
use crate::collect::time::{DAY_MS, Timestamp};
use crate::correlate::rules::rule::Evidence;
use crate::correlate::score::Severity;

const FROM: Timestamp = Timestamp(1_772_409_600_000);

/// A control record of a kind with a scope, valid for two days from 2026-03-02.
fn limited(kind: &str, scope: &str) -> String {
    format!(
        r#"{{"kind":"{kind}","scope":{scope},"owner":"soc-lead","reason":"agreed","valid_from":"2026-03-02T00:00:00Z","valid_to":"2026-03-04T00:00:00Z"}}"#
    )
}

fn read(json: &str) -> Result<ControlEntry, String> {
    control("x", json.as_bytes()).map_err(|fault| fault.to_string())
}

/// One valid record of every kind of exemption and silence.
fn valid() -> Vec<(&'static str, &'static str)> {
    vec![
        ("travel", r#"{"person":"hris:E1","countries":["JP","KR"]}"#),
        ("device_refresh", r#"{"persons":["hris:E1","hris:E2"]}"#),
        (
            "incident",
            r#"{"incident":"INC77","commander":"hris:C","agents":["hris:A"]}"#,
        ),
        ("maintenance", r#"{"feed":"verify"}"#),
        (
            "batch",
            r#"{"principal":"svc","targets":["hris:E1"],"budget_per_hour":500}"#,
        ),
        ("allow_list", r#"{"entity":"caller|ab12","max":40}"#),
        ("shared_device", r#"{"entity":"device|ab12","max":2}"#),
        (
            "delegation",
            r#"{"person":"hris:E1","delegates":["hris:E9"]}"#,
        ),
        ("drill", r#"{"account":"okta:bg"}"#),
        (
            "policy",
            r#"{"persons":["hris:E1"],"ticket_types":["sc_req_item"]}"#,
        ),
        (
            "silence",
            r#"{"patterns":["HDT-04"],"entities":["identity|hris:E1"],"tiers":["standard"],"severities":["low"]}"#,
        ),
    ]
}

#[test]
fn every_kind_is_read() {
    for (kind, scope) in valid() {
        let entry = read(&limited(kind, scope)).unwrap();
        assert_eq!(entry.valid(), Some((FROM, FROM.plus(2 * DAY_MS))), "{kind}");
        let ControlEntry::Exemption(exemption) = entry else {
            assert_eq!(kind, "silence");
            continue;
        };
        assert_eq!(exemption.kind.as_str(), kind);
    }
    let disposition = read(
        r#"{"kind":"disposition","alert":"9f1c4e0b7a5d4c3e8b2a6d1f00c4e7a9","entity":"identity|hris:E1","revision":2,"verdict":"true_positive","owner":"o","reason":"r"}"#,
    );
    let Ok(ControlEntry::Disposition(disposition)) = disposition else {
        panic!("{disposition:?}");
    };
    assert_eq!(
        disposition.entity,
        Entity::new(EntityKind::Identity, "hris:E1")
    );
    assert_eq!((disposition.revision, disposition.verdict.id()), (2, 2));
    let declared = read(
        r#"{"kind":"source.declared","name":"okta","product":"okta","topic":"t","partitions":4,"domains":["idp"],"bound_ms":60000,"lateness_ms":300000,"evidence":["verify","callback"]}"#,
    );
    let Ok(ControlEntry::SourceDeclared(declared)) = declared else {
        panic!("{declared:?}");
    };
    assert_eq!(declared.evidence, [Evidence::Verify, Evidence::Callback]);
    let removed = read(r#"{"kind":"source.removed","name":"okta"}"#);
    assert!(matches!(removed, Ok(ControlEntry::SourceRemoved(_))));
}

#[test]
fn what_is_missing_unknown_or_too_long_is_refused_with_its_remedy() {
    let good = limited("travel", r#"{"person":"hris:E1","countries":["JP"]}"#);
    for field in ["scope", "owner", "reason", "valid_from", "valid_to", "kind"] {
        let without = good.replace(&format!("\"{field}\":"), "\"other\":");
        let fault = read(&without).unwrap_err();
        assert!(
            fault.contains(field) || fault.contains("other"),
            "{field}: {fault}"
        );
    }
    for (broken, remedy) in [
        ("[]".to_owned(), "not a JSON object"),
        (
            "{\"kind\":\"trip\"}".to_owned(),
            "it is one of travel, device_refresh",
        ),
        (good.replace("hris:E1\"", "\""), "`scope.person` is empty"),
        (good.replace("\"JP\"", "\"Japan\""), "no ISO country code"),
        (good.replace("[\"JP\"]", "[]"), "at least one entry"),
        (good.replace("agreed", " "), "`reason` is empty"),
        (good.replace("03-04T", "03-02T"), "must be later"),
        (good.replace("2026-03-04", "2026-06-04"), "at most 90 days"),
        (
            limited("silence", r#"{"patterns":["HDT-03a"]}"#),
            "`HDT-03a` is no pattern",
        ),
        (limited("silence", r#"{"patterns":[""]}"#), "is no pattern"),
        (
            good.replace("2026-03-04T00:00:00Z", "soon"),
            "a time is written as",
        ),
        (good.replace("\"person\"", "\"who\""), "unknown field `who`"),
        (
            limited("shared_device", r#"{"entity":"caller","max":1}"#),
            "`<kind>|<id>`",
        ),
        (
            limited("shared_device", r#"{"entity":"ticket|t","max":1}"#),
            "caller, device or address",
        ),
        (
            limited("shared_device", r#"{"entity":"caller|t","max":0}"#),
            "at least 1",
        ),
        (
            limited("maintenance", r#"{"feed":"phone"}"#),
            "unknown variant `phone`",
        ),
        (limited("policy", "{}"), "needs `persons` or `ticket_types`"),
        (limited("silence", "{}"), "a silence of everything"),
        (
            limited("silence", r#"{"tiers":["vip"]}"#),
            "unknown variant `vip`",
        ),
    ] {
        let fault = read(&broken).unwrap_err();
        assert!(fault.starts_with("control entry `x`: "), "{fault}");
        assert!(fault.contains(remedy), "{broken}\n{fault}");
    }
}

#[test]
fn ninety_days_are_the_most() {
    let entry = |to: i64| {
        let json = limited("drill", r#"{"account":"a"}"#);
        read(&json.replace("\"2026-03-04T00:00:00Z\"", &to.to_string()))
    };
    assert!(entry(FROM.plus(SPAN_MS_MAX).0).is_ok());
    assert!(entry(FROM.plus(SPAN_MS_MAX).0 + 1).is_err());
}

#[test]
fn places_are_counted_by_listed_person_and_given_back() {
    let many = |n: usize| {
        let people: Vec<String> = (0..n).map(|i| format!("\"p{i}\"")).collect();
        let scope = format!("{{\"persons\":[{}]}}", people.join(","));
        read(&limited("device_refresh", &scope)).unwrap()
    };
    let mut in_force = InForce::new();
    in_force.put("a", many(CONTROLS_MAX - 1)).unwrap();
    in_force
        .put("b", read(&limited("drill", r#"{"account":"x"}"#)).unwrap())
        .unwrap();
    assert_eq!(in_force.put("c", many(1)), Err(Full));
    assert_eq!(
        in_force.put("a", many(5)),
        Ok(()),
        "in place of the one with its id"
    );
    assert_eq!(in_force.put("c", many(CONTROLS_MAX - 6)), Ok(()));
    assert!(in_force.remove("c").is_some() && in_force.remove("c").is_none());
    assert_eq!(in_force.put("c", many(CONTROLS_MAX - 5)), Err(Full));
    assert_eq!(
        in_force.entries().map(|(id, _)| id).collect::<Vec<_>>(),
        ["a", "b"]
    );
}

#[test]
fn an_end_is_the_first_moment_without() {
    let mut in_force = InForce::new();
    in_force
        .put(
            "m",
            read(&limited("maintenance", r#"{"feed":"verify"}"#)).unwrap(),
        )
        .unwrap();
    let end = FROM.plus(2 * DAY_MS);
    let at = |time| in_force.maintenance(Evidence::Verify, time);
    assert_eq!((at(FROM.minus(1)), at(FROM)), (None, Some("m")));
    assert_eq!((at(end.minus(1)), at(end)), (Some("m"), None));
    assert_eq!(in_force.maintenance(Evidence::Ticket, FROM), None);
    let mut later = in_force.clone();
    assert!(later.expire(end.minus(1)).is_empty());
    assert_eq!(later.expire(end), ["m"]);
    assert_eq!(later, InForce::new());
}

#[test]
fn a_silence_matches_on_every_list_that_names_something() {
    let entity = Entity::new(EntityKind::Identity, "hris:E1");
    let other = Entity::new(EntityKind::Identity, "hris:E2");
    let subject = Subject {
        entity: &entity,
        patterns: &["HDT-04"],
        tier: Tier::Standard,
        severity: Severity::Low,
        time: FROM,
    };
    let mut in_force = InForce::new();
    let (kind, scope) = valid().pop().unwrap();
    in_force
        .put("s", read(&limited(kind, scope)).unwrap())
        .unwrap();
    let silenced = |subject: &Subject<'_>| in_force.silence_of(subject) == Some("s");
    assert!(silenced(&subject));
    assert!(!silenced(&Subject {
        patterns: &[],
        ..subject
    }));
    assert!(!silenced(&Subject {
        patterns: &["HDT-04", "HDT-05"],
        ..subject
    }));
    assert!(!silenced(&Subject {
        entity: &other,
        ..subject
    }));
    assert!(!silenced(&Subject {
        tier: Tier::Executive,
        ..subject
    }));
    assert!(!silenced(&Subject {
        severity: Severity::High,
        ..subject
    }));
    assert!(!silenced(&Subject {
        time: FROM.minus(1),
        ..subject
    }));
}

#[test]
fn a_record_of_state_comes_back_as_it_was() {
    for (kind, scope) in valid() {
        let entry = read(&limited(kind, scope)).unwrap();
        let bytes = postcard::to_stdvec(&entry).unwrap();
        assert_eq!(postcard::from_bytes::<ControlEntry>(&bytes).unwrap(), entry);
    }
    let disposition = ControlEntry::Disposition(Disposition {
        alert: EventId([1; 16]),
        entity: Entity::new(EntityKind::Caller, "c"),
        revision: 1,
        verdict: Opinion::Duplicate,
        owner: "o".into(),
        reason: "r".into(),
    });
    let bytes = postcard::to_stdvec(&disposition).unwrap();
    assert_eq!(
        postcard::from_bytes::<ControlEntry>(&bytes).unwrap(),
        disposition
    );
}
