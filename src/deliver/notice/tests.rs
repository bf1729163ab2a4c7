//! Real documents read, their summaries, and what hostile ones make of it.

use super::*;

const CREATED: &[u8] = include_bytes!("../../../tests/ocsf/created.json");
const AMENDED: &[u8] = include_bytes!("../../../tests/ocsf/amended.json");
const RETRACTED: &[u8] = include_bytes!("../../../tests/ocsf/retracted.json");
const DISPOSITION: &[u8] = include_bytes!("../../../tests/ocsf/disposition.json");
const TICKET: &[u8] = include_bytes!("../../../tests/ocsf/ticket.json");
const CALLER: &[u8] = include_bytes!("../../../tests/ocsf/caller.json");

/// A notice of a real document.
pub(in crate::deliver) fn sample() -> Notice {
    Notice::read(CREATED).unwrap()
}

fn read(value: &[u8]) -> Notice {
    Notice::read(value).unwrap()
}

#[test]
fn the_document_is_read() {
    let notice = sample();
    let id = "7d9c547f378fe9baccdb5eed1b819e72";
    assert_eq!(
        (notice.dedup_key.as_str(), notice.tenant.as_str()),
        (id, "acme")
    );
    assert_eq!(notice.revision_id(), format!("{id}:4"));
    assert_eq!(notice.title, "Help-desk takeover of an executive");
    assert_eq!((notice.before.severity_id, notice.peak.page), (5, true));
    assert_eq!(
        notice.missing_controls,
        ["call-back to a number of record", "ticket"]
    );
    let patterns: Vec<&str> = notice.patterns.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(
        patterns,
        ["HDT-05", "HDT-04b", "HDT-03a", "HDT-01", "HDT-15"]
    );
    assert_eq!(notice.patterns[1].title, "Full strip, two classes");
    assert_eq!(notice.patterns[0].points, 9375);
    let agents: Vec<&str> = notice.people.agents.iter().map(Named::shown).collect();
    assert_eq!(
        agents,
        ["a…@example.com"],
        "the target is not its own agent"
    );
    assert_eq!(notice.people.addresses[0].shown(), "203.0.113.•");
    assert_eq!(notice.people.devices[0].id, "phone2");
    assert!(notice.people.callers.is_empty());
    assert_eq!(notice.channels, ["admin_console"]);
    assert!(notice.link.as_deref().unwrap().ends_with(id));
    assert!(notice.remediation.starts_with("End the sessions"));
    assert!(!notice.is_suppressed && !notice.is_test && notice.campaign.is_none());
    assert_eq!(notice.document.as_bytes(), CREATED);
}

#[test]
fn retracted_patterns_are_kept_and_stand_last() {
    let amended = read(AMENDED);
    let last = amended.patterns.last().unwrap();
    assert_eq!(
        (last.id.as_str(), last.standing),
        ("HDT-03a", Standing::Retracted)
    );
    assert_eq!(amended.active_patterns().count(), 4);
    let retracted = read(RETRACTED);
    assert_eq!(retracted.patterns[0].standing, Standing::Retracted);
    assert_eq!(retracted.active_patterns().count(), 1);
    assert_eq!(retracted.people.agents[0].id, "A");
}

#[test]
fn a_summary_stands_alone() {
    let table = [
        (
            CREATED,
            "CRITICAL 99 t…@example.com: password and MFA reset in 3 min, new device signed in, no call-back, no ticket",
        ),
        (
            AMENDED,
            "INFORMATIONAL 24 (was HIGH) t…@example.com: password and MFA reset in 3 min, new device signed in, under pressure…",
        ),
        (
            RETRACTED,
            "RESOLVED t…@example.com: cleared by a ticket (INC-t9)",
        ),
        (
            DISPOSITION,
            "RESOLVED t…@example.com: closed by an analyst, true positive",
        ),
        (
            TICKET,
            "MEDIUM 65 INC-t1: the requester approved their own request",
        ),
        (CALLER, "RESOLVED +1•••0100: closed, nothing new for a day"),
    ];
    for (document, expected) in table {
        assert_eq!(read(document).summary(), expected);
    }
    let mut notice = sample();
    notice.is_test = true;
    notice.alert.tickets = vec!["INC0012".into(), "INC0013".into()];
    notice.message = "t…@example.com: 3 recoveries in 9 min".into();
    assert_eq!(
        notice.summary(),
        "TEST CRITICAL 99 t…@example.com: 3 recoveries in 9 min (INC0012 +1)"
    );
}

#[test]
fn a_summary_is_never_longer_than_a_lock_screen() {
    for length in [1, 90, 105, 106, 107, 119, 120, 121, 5_000] {
        let mut notice = sample();
        notice.message = "ü".repeat(length);
        notice.alert.tickets = vec!["INC0012".into()];
        assert!(notice.summary().chars().count() <= SUMMARY_CHARS_MAX);
        assert!(notice.summary().starts_with("CRITICAL 99 ü"));
    }
    let mut notice = sample();
    notice.message = format!(
        "{}then, much more of it than anybody reads",
        "word ".repeat(19)
    );
    assert!(
        notice.summary().ends_with(" word then…"),
        "{}",
        notice.summary()
    );
    notice.message = format!("one, two {}", "word ".repeat(40));
    assert!(notice.summary().ends_with(" word…"), "{}", notice.summary());
    // Rather no ticket than a part of the sentence.
    let mut notice = sample();
    notice.message = format!("{}.", "word ".repeat(20));
    notice.alert.tickets = vec!["INC0012".into()];
    assert!(
        notice.summary().ends_with(" word ."),
        "{}",
        notice.summary()
    );
    let mut notice = sample();
    notice.message = String::new();
    assert_eq!(
        notice.summary(),
        "CRITICAL 99 Help-desk takeover of an executive"
    );
}

/// The sample with one value changed, by its JSON pointer.
fn with(pointer: &str, value: serde_json::Value) -> Notice {
    let mut document: serde_json::Value = serde_json::from_slice(CREATED).unwrap();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[key] = value;
    read(document.to_string().as_bytes())
}

#[test]
fn silences_tests_and_campaigns_are_seen() {
    assert!(with("/status_id", 3.into()).is_suppressed);
    assert!(!with("/status_id", 4.into()).is_suppressed);
    assert!(with("/verdict_id", 6.into()).is_test);
    assert!(!with("/verdict_id", 2.into()).is_test);
    assert!(with("/metadata/labels", serde_json::json!(["tier:x", "test"])).is_test);
    let campaign = with("/metadata/correlation_uid", "9f".into()).campaign;
    assert_eq!(campaign.as_deref(), Some("9f"));
    assert_eq!(with("/metadata/correlation_uid", "".into()).campaign, None);
    assert_eq!(with("/unmapped/dedup_key", "d".into()).dedup_key, "d");
}

#[test]
fn a_link_is_http_or_none() {
    for link in [
        "javascript:alert(1)",
        "https://x/> <https://evil",
        "https://x/\u{202E}",
        "https://x/](evil)",
        "",
    ] {
        assert_eq!(
            with("/finding_info/src_url", link.into()).link,
            None,
            "{link}"
        );
    }
    let long = format!("https://desk.example.com/{}", "x".repeat(3_000));
    assert_eq!(with("/finding_info/src_url", long.into()).link, None);
}

#[test]
fn texts_are_one_bounded_line() {
    let name = format!("\u{202E}a\nb\u{0}{}", "x".repeat(100_000));
    let notice = with("/message", name.as_str().into());
    assert_eq!(notice.message.chars().count(), 1_024);
    assert!(notice.message.starts_with("a bxxx"));
    let notice = with("/metadata/tenant_uid", name.into());
    assert_eq!(notice.tenant.chars().count(), 128);
}

#[test]
fn the_least_document_is_enough() {
    let least = br#"{"activity_id":1,"severity_id":3,"time":7,"metadata":{"sequence":1},"finding_info":{"uid":"9f"}}"#;
    let notice = read(least);
    assert_eq!((notice.dedup_key.as_str(), notice.created), ("9f", 7));
    assert_eq!(notice.campaign, None);
    assert!(Notice::read(b"{}").is_err() && Notice::read(b"\xff").is_err());
}
