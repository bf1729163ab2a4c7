//! What a protocol asks beyond its schema: which alerts end, what is signed, how a line is framed.

use deskwarden::collect::time::Timestamp;
use deskwarden::deliver::encode::alertmanager::{self, Alertmanager, Change, Open};
use deskwarden::deliver::encode::cef;
use deskwarden::deliver::encode::digest::{Digest, WORST_MAX};
use deskwarden::deliver::encode::slack::bot::CaseMessage;
use deskwarden::deliver::encode::splunk::{self, Splunk};
use deskwarden::deliver::encode::syslog::{self, Syslog};
use deskwarden::deliver::encode::webhook::{self, Key, KeyFault, Webhook};
use deskwarden::deliver::notice::{Notice, Reached};
use deskwarden::deliver::pii::Masking;
use deskwarden::deliver::route::{Decision, Withheld};
use serde_json::{Value, json};

use crate::goldens::storm;
use crate::receivers::{self, HOLD_MS, NOW, PUBLISHED, document, encode, notice};

// --- Alertmanager -----------------------------------------------------------------------------

/// A revision by its severity now, before and at its peak.
fn at(now: u8, before: u8, peak: u8) -> Notice {
    let reached = |severity_id| Reached {
        severity_id,
        page: false,
    };
    let mut notice = notice("created");
    notice.alert.severity_id = now;
    (notice.before, notice.peak) = (reached(before), reached(peak));
    notice
}

fn change(notice: &Notice, decision: Decision, held: Option<&Open>) -> Change {
    Change::of(notice, decision, &Alertmanager::default(), held)
}

fn severities(ended: &[Open]) -> Vec<&'static str> {
    assert!(ended.iter().all(|open| !open.is_firing));
    ended.iter().map(|open| open.labels.severity).collect()
}

#[test]
fn another_severity_ends_the_alert_before_it() {
    let table: [(u8, u8, u8, &str, &[&str]); 8] = [
        (3, 0, 3, "warning", &[]),
        (5, 3, 5, "critical", &["warning"]),
        (5, 4, 5, "critical", &[]),
        (5, 5, 5, "critical", &[]),
        (3, 5, 5, "warning", &["critical"]),
        (1, 4, 4, "info", &["critical"]),
        (3, 1, 4, "warning", &["info", "critical"]),
        (2, 3, 3, "warning", &[]),
    ];
    for (now, before, peak, fires, ends) in table {
        let change = change(&at(now, before, peak), Decision::Update, None);
        let firing = change.firing.unwrap();
        assert!(firing.is_firing);
        assert_eq!(firing.labels.severity, fires, "{now} {before} {peak}");
        assert_eq!(severities(&change.ended), ends, "{now} {before} {peak}");
    }
}

#[test]
fn a_resolve_ends_what_fired() {
    let change_of = |before, peak| change(&at(1, before, peak), Decision::Resolve, None);
    let change_ = change_of(5, 5);
    assert_eq!(change_.firing, None);
    assert_eq!(severities(&change_.ended), ["critical"]);
    assert_eq!(severities(&change_of(3, 5).ended), ["warning", "critical"]);
}

#[test]
fn what_is_held_is_ended_under_its_own_labels() {
    let before = at(4, 0, 4);
    let held = change(&before, Decision::Trigger, None).firing.unwrap();
    let mut after = at(4, 4, 4);
    after.alert.subject.tier = "privileged".into();
    let change_ = change(&after, Decision::Update, Some(&held));
    assert_eq!(change_.firing.unwrap().labels.identity_tier, "privileged");
    assert_eq!(change_.ended.len(), 1);
    assert_eq!(change_.ended[0].labels, held.labels);
    let same = change(&at(5, 4, 5), Decision::Update, Some(&held));
    assert_eq!(same.ended, []);
    let over = change(&at(1, 5, 5), Decision::Resolve, Some(&held));
    assert_eq!((over.firing, over.ended.len()), (None, 1));
}

#[test]
fn what_is_withheld_changes_nothing() {
    let held = change(&at(4, 0, 4), Decision::Trigger, None).firing;
    let change = change(
        &at(5, 4, 4),
        Decision::Withhold(Withheld::Silenced),
        held.as_ref(),
    );
    assert_eq!(change, Change::default());
}

#[test]
fn firing_alerts_are_held_open_and_none_ends_before_it_began() {
    let mut notice = at(3, 5, 5);
    let posted = |notice: &Notice| -> Vec<Value> {
        let change = change(notice, Decision::Update, None);
        let posts = change.firing.iter().chain(&change.ended);
        serde_json::from_str(&alertmanager::alerts(posts, NOW, HOLD_MS)).unwrap()
    };
    let rows = posted(&notice);
    assert_eq!(rows[0]["startsAt"], "2026-03-02T09:06:00.000Z");
    assert_eq!(
        rows[0]["endsAt"], "2026-03-04T04:57:20.000Z",
        "as long as it is held"
    );
    assert_eq!(rows[1]["endsAt"], "2026-03-04T04:53:20.000Z", "now");
    assert_eq!(rows[1]["labels"]["severity"], "critical");
    // An event of tomorrow: our clock or theirs is wrong.
    notice.created = NOW.0 + 86_400_000;
    for row in posted(&notice) {
        assert_eq!(row["startsAt"], "2026-03-04T04:53:20.000Z");
        assert!(row["startsAt"].as_str() <= row["endsAt"].as_str());
    }
    assert_eq!(alertmanager::alerts([], NOW, HOLD_MS), "[]");
}

#[test]
fn the_label_set_outlives_what_changes_in_a_case() {
    let mut notice = at(5, 5, 5);
    let labels = |notice: &Notice| {
        change(notice, Decision::Update, None)
            .firing
            .unwrap()
            .labels
    };
    let before = labels(&notice);
    notice.patterns.clear();
    notice.alert.revision += 1;
    notice.alert.score = 86;
    notice.title = "another".into();
    notice.message = "another".into();
    assert_eq!(labels(&notice), before);
    assert_eq!(before.alertname, "HelpDeskTakeover");
    assert_eq!(before.alert_id, notice.dedup_key);
}

// --- Standard Webhooks ------------------------------------------------------------------------

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The vector of the project's own tests: `standard-webhooks/standard-webhooks`,
/// `libraries/go/webhook_test.go`, `TestWebhookSign`.
#[test]
fn the_published_vector_is_signed() {
    let headers = webhook::headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        Timestamp(1_614_265_330_999),
        br#"{"test": 2432232314}"#,
        &[Key::read(KEY).unwrap()],
    );
    let expected = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        (
            "webhook-signature",
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ];
    assert_eq!(
        headers.map(|(k, v)| (k, v)),
        expected.map(|(k, v)| (k, v.to_owned()))
    );
}

#[test]
fn each_active_key_signs() {
    let other = Key::read("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
    let keys = [other, Key::read(KEY).unwrap()];
    let [.., (_, both)] = webhook::headers("a", Timestamp(1_000), b"x", &keys);
    let signatures: Vec<&str> = both.split(' ').collect();
    assert_eq!(signatures.len(), 2);
    assert!(signatures.iter().all(|one| one.starts_with("v1,")));
    let [.., (_, second)] = webhook::headers("a", Timestamp(1_000), b"x", &keys[1..]);
    assert_eq!(signatures[1], second);
    for other in [
        webhook::headers("b", Timestamp(1_000), b"x", &keys[1..]),
        webhook::headers("a", Timestamp(2_000), b"x", &keys[1..]),
        webhook::headers("a", Timestamp(1_000), b"y", &keys[1..]),
    ] {
        assert_ne!(other[2].1, second);
    }
}

#[test]
fn a_key_is_checked_and_never_printed() {
    let table = [
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", KeyFault::Prefix),
        ("whsec_not base64", KeyFault::Base64),
        ("whsec_AAAA", KeyFault::Length),
        ("whsec_", KeyFault::Length),
    ];
    for (text, expected) in table {
        assert_eq!(Key::read(text), Err(expected), "{text}");
    }
    let long = format!("whsec_{}", "A".repeat(88));
    assert_eq!(Key::read(&long), Err(KeyFault::Length));
    assert_eq!(format!("{:?}", Key::read(KEY).unwrap()), "Key(***)");
    let settings = format!("{:?}", receivers::pagerduty(Masking::Mask));
    assert!(!settings.contains("0123456789abcdef"));
}

#[test]
fn an_id_is_the_revision_and_fits_a_header() {
    assert_eq!(
        webhook::id(&notice("created")),
        "7d9c547f378fe9baccdb5eed1b819e72:4"
    );
    let mut odd = notice("created");
    odd.alert.id = "a.b\r\nc é".into();
    assert_eq!(webhook::id(&odd), "abc:4");
}

#[test]
fn a_body_holds_the_published_bytes() {
    let notice = notice("created");
    let body = webhook::body(&notice, Decision::Trigger, &Webhook::default());
    let published = String::from_utf8(document("created")).unwrap();
    let published = published.trim();
    assert!(body.contains(&format!(",\"alert\":{published}}}")));
    let context = webhook::context(&notice, Decision::Trigger, &Webhook::default());
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(context, body, "a template sees what the body says");
    assert_eq!(context["decision"], "trigger");
    assert_eq!(context["subject"]["tier"], "executive");
}

// --- Syslog, CEF, Splunk ----------------------------------------------------------------------

#[test]
fn a_line_of_syslog_has_its_parts() {
    let line = syslog::line(
        &notice("created"),
        "CEF:0|x",
        &receivers::syslog(),
        PUBLISHED,
    );
    assert_eq!(
        line,
        "<82>1 2026-03-02T09:40:00.250Z desk1.example.com deskwarden - updated - CEF:0|x"
    );
    let odd = Syslog {
        facility: 200,
        hostname: "ü \n".into(),
    };
    let line = syslog::line(&notice("retracted"), "x", &odd, PUBLISHED);
    assert_eq!(
        line,
        "<190>1 2026-03-02T09:40:00.250Z - deskwarden - closed - x"
    );
}

#[test]
fn a_frame_counts_bytes() {
    assert_eq!(syslog::framed("ab…"), "5 ab…".as_bytes());
    let line = encode(
        "syslog",
        &notice("created"),
        Decision::Trigger,
        Masking::Mask,
    );
    let framed = syslog::framed(&line);
    let space = framed.iter().position(|b| *b == b' ').unwrap();
    let length: usize = std::str::from_utf8(&framed[..space])
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(length, framed.len() - space - 1);
}

#[test]
fn only_an_address_is_a_cef_source() {
    let message =
        |notice: &Notice| cef::message(notice, Decision::Trigger, &cef::Cef::default(), PUBLISHED);
    let mut notice = notice("created");
    assert!(!message(&notice).contains(" src="));
    assert!(message(&notice).contains(" cs6=203.0.113.• "));
    notice.people.addresses[0].name = "203.0.113.7".into();
    assert!(message(&notice).contains(" src=203.0.113.7 "));
}

#[test]
fn cef_escapes_header_and_extension_each_in_its_way() {
    let mut notice = notice("created");
    notice.title = "a|b\\c=d".into();
    notice.alert.tickets = vec!["x=1|\\".into()];
    let line = cef::message(&notice, Decision::Trigger, &cef::Cef::default(), PUBLISHED);
    assert!(line.contains("|a\\|b\\\\c=d|10|"), "{line}");
    assert!(line.contains(" cs3=x\\=1|\\\\ cs3Label=tickets"), "{line}");
}

#[test]
fn an_event_of_splunk_holds_time_and_the_published_bytes() {
    let mut settings = Splunk {
        source: "deskwarden".into(),
        ..Splunk::default()
    };
    let mut notice = notice("created");
    notice.alert.time = 1_772_444_340_007;
    let document = notice.document.trim().to_owned();
    assert_eq!(
        splunk::event(&notice, &settings),
        format!(
            "{{\"time\":1772444340.007,\"source\":\"deskwarden\",\
             \"sourcetype\":\"ocsf:detection_finding\",\"event\":{document}}}"
        )
    );
    settings.host = Some("h".into());
    settings.index = Some("i".into());
    settings.fields.insert("env".into(), "prod".into());
    let event: Value = serde_json::from_str(&splunk::event(&notice, &settings)).unwrap();
    assert_eq!(
        (&event["host"], &event["index"], &event["fields"]),
        (&json!("h"), &json!("i"), &json!({"env": "prod"}))
    );
}

// --- Slack and digests ------------------------------------------------------------------------

#[test]
fn a_bot_names_its_channel_and_what_a_message_is_found_again_by() {
    let bot = receivers::slack_bot(Masking::Mask);
    let ts = "1503435956.000247";
    let mut notice = notice("created");
    notice.dedup_key = "k1".to_owned();
    notice.alert.revision = 7;
    let parse = |text: String| -> Value { serde_json::from_str(&text).unwrap() };
    let case = CaseMessage::of(&notice, Decision::Update, &bot);
    let (first, update) = (parse(case.first()), parse(case.update(ts)));
    let reply = parse(case.reply(ts).unwrap());
    for body in [&first, &update, &reply] {
        assert_eq!(body["channel"], "C024BE7LR");
    }
    let payload = json!({"sink": "chat", "key": "k1", "revision": 7});
    let metadata = json!({"event_type": "deskwarden_case", "event_payload": payload});
    assert_eq!(
        (&first["metadata"], &update["metadata"]),
        (&metadata, &metadata)
    );
    assert_eq!(
        (&update["ts"], &reply["thread_ts"]),
        (&json!(ts), &json!(ts))
    );
    // A reply is no case, and shows in the channel only where it calls for attention.
    assert!(reply.get("metadata").is_none() && reply.get("reply_broadcast").is_none());
    assert!(first.get("ts").is_none() && first.get("thread_ts").is_none());
    let called = CaseMessage::of(&notice, Decision::Trigger, &bot);
    assert_eq!(parse(called.reply(ts).unwrap())["reply_broadcast"], true);
}

#[test]
fn a_thread_says_what_changed() {
    let bot = receivers::slack_bot(Masking::Mask);
    let said = |notice: &Notice, decision| -> String {
        let reply = CaseMessage::of(notice, decision, &bot).reply("1.000001");
        let reply: Value = serde_json::from_str(&reply.unwrap()).unwrap();
        reply["text"].as_str().unwrap().to_owned()
    };
    let reached = |severity_id, page| Reached { severity_id, page };
    let mut notice = notice("created");
    notice.alert.severity_id = 5;
    notice.alert.page = true;
    notice.page_reason = "two families".to_owned();
    notice.before = reached(4, false);
    let rose = said(&notice, Decision::Trigger);
    assert!(
        rose.contains(": severity critical, was high; it pages: two families. "),
        "{rose}"
    );
    notice.before = reached(5, true);
    let same = said(&notice, Decision::Update);
    assert!(same.contains(": its findings changed. "), "{same}");
    notice.alert.page = false;
    assert!(said(&notice, Decision::Update).contains(": it no longer pages. "));
    let closed = said(&receivers::notice("disposition"), Decision::Resolve);
    assert!(closed.starts_with("RESOLVED: disposition, "), "{closed}");
}

#[test]
fn a_digest_counts_each_alert_once_and_names_the_worst() {
    let digest = storm();
    let (open, resolved) = digest.counts();
    assert_eq!((open.iter().sum::<u64>(), resolved), (39, 1));
    assert_eq!(digest.worst().len(), WORST_MAX);
    let scores: Vec<(u8, u8)> = digest
        .worst()
        .iter()
        .map(|row| (row.severity_id, row.score))
        .collect();
    let mut sorted = scores.clone();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(scores, sorted);
    assert_eq!(digest.severity().name, "critical");
    assert!(digest.worst().iter().all(|row| row.link.is_some()));
}

#[test]
fn a_digest_forgets_what_was_resolved() {
    let mut digest = Digest::new("d", Timestamp(0), None, Masking::Mask);
    assert_eq!(digest.summary(), "STORM 0 more alerts in 1 s: none open");
    let notice = notice("created");
    digest.add(&notice, Decision::Trigger, Timestamp(30_000));
    digest.add(&notice, Decision::Update, Timestamp(45_000));
    assert_eq!(digest.summary(), "STORM 1 more alert in 45 s: 1 critical");
    digest.add(&notice, Decision::Resolve, Timestamp(60_000));
    assert_eq!(
        digest.summary(),
        "STORM 0 more alerts in 60 s: none open; 1 resolved"
    );
    assert!(digest.worst().is_empty());
}

#[test]
fn a_digest_keeps_to_the_masking() {
    let mut digest = Digest::new("d", Timestamp(0), None, Masking::None);
    digest.add(&notice("created"), Decision::Trigger, Timestamp(1_000));
    assert!(
        digest.worst()[0]
            .summary
            .starts_with("CRITICAL 99 account T: ")
    );
}
