//! What is known of a channel, and how answers of Slack are sorted.

use super::book::{Found, KEPT_MAX};
use super::*;
use crate::deliver::encode::slack::bot::EVENT_TYPE;
use serde_json::json;

fn found(ts: &str, key: &str, revision: u64) -> (String, Shown) {
    let message = json!({"ts": ts, "metadata": {"event_type": EVENT_TYPE,
        "event_payload": {"sink": "chat", "key": key, "revision": revision}}});
    let message: Found = serde_json::from_value(message).unwrap();
    message.of("chat").unwrap()
}

#[test]
fn of_one_key_the_oldest_message_counts() {
    let mut book = Book::default();
    for (ts, revision) in [("20.000005", 3), ("20.000004", 1), ("21.000001", 9)] {
        let (key, shown) = found(ts, "a", revision);
        book.found(&key, shown);
    }
    assert_eq!(book.shown["a"].ts.text, "20.000004");
    assert_eq!(book.shown["a"].revision, 1);
    // Seen again, it shows more; what is known to be told is not taken back.
    for (revision, known) in [(2, 2), (1, 2)] {
        let (key, shown) = found("20.000004", "a", revision);
        book.found(&key, shown);
        assert_eq!(book.shown["a"].revision, known);
    }
    // Posted from here, because the old one was gone: an old one that shows is not the right one.
    book.keep("a", Shown::own(Ts::read("30.000001").unwrap(), 4));
    let (key, shown) = found("20.000004", "a", 2);
    book.found(&key, shown);
    assert_eq!(book.shown["a"].ts.text, "30.000001");
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut book = Book::default();
    for n in 0..KEPT_MAX + 10 {
        let ts = Ts::read(&format!("{n}.000001")).unwrap();
        book.keep(&n.to_string(), Shown::own(ts, 1));
    }
    assert_eq!((book.shown.len(), book.order.len()), (KEPT_MAX, KEPT_MAX));
    assert!(!book.shown.contains_key("9") && book.shown.contains_key("10"));
    book.forget("10");
    assert_eq!(
        (book.shown.len(), book.order.len()),
        (KEPT_MAX - 1, KEPT_MAX - 1)
    );
}

#[test]
fn replies_and_messages_of_others_are_no_cases() {
    let payload = json!({"sink": "chat", "key": "a", "revision": 1});
    let ours = json!({"event_type": EVENT_TYPE, "event_payload": payload});
    let message = |ts: &str, thread: Option<&str>, metadata: &Value| -> Found {
        let message = json!({"ts": ts, "thread_ts": thread, "metadata": metadata, "text": "x"});
        serde_json::from_value(message).unwrap()
    };
    assert!(message("1.000001", None, &ours).of("chat").is_some());
    // A message that has a thread names itself.
    assert!(
        message("1.000001", Some("1.000001"), &ours)
            .of("chat")
            .is_some()
    );
    assert!(
        message("1.000002", Some("1.000001"), &ours)
            .of("chat")
            .is_none()
    );
    assert!(message("1.000001", None, &ours).of("other").is_none());
    for strange in [
        json!(null),
        json!({"event_type": "x", "event_payload": payload}),
        json!({"event_type": EVENT_TYPE}),
        json!({"event_type": EVENT_TYPE, "event_payload": {"sink": "chat", "key": 1, "revision": 1}}),
        json!({"event_type": EVENT_TYPE, "event_payload": {"sink": "chat", "key": "a", "revision": -1}}),
    ] {
        assert!(
            message("1.000001", None, &strange).of("chat").is_none(),
            "{strange}"
        );
    }
}

#[test]
fn what_slack_refuses_is_sorted() {
    let answer = |status, body: Value, retry_after: Option<&str>| Answer {
        status,
        retry_after: retry_after.map(str::to_owned),
        body: body.to_string().into_bytes(),
    };
    let sorted = |answer: &Answer| {
        let failed = taken("chat.update", answer, &mut Vec::new()).err();
        let failed = failed.expect("it says no");
        (failed.outcome, failed.is_gone)
    };
    for word in PASSING {
        let (outcome, _) = sorted(&answer(200, json!({"ok": false, "error": word}), Some("7")));
        let after = Some(Duration::from_secs(7));
        let why = format!("chat.update: {word}");
        assert_eq!(outcome, Outcome::Passing { why, after });
    }
    for word in [
        "invalid_auth",
        "not_in_channel",
        "missing_scope",
        "invalid_blocks",
        "new_word",
    ] {
        let (outcome, is_gone) = sorted(&answer(200, json!({"ok": false, "error": word}), None));
        assert!(
            matches!(outcome, Outcome::Permanent { .. }) && !is_gone,
            "{word}"
        );
    }
    for word in ["message_not_found", "cant_update_message"] {
        let (_, is_gone) = sorted(&answer(200, json!({"ok": false, "error": word}), None));
        assert!(is_gone, "{word}");
    }
    for strange in [json!("ok"), json!({"ok": "true"}), json!({}), json!(null)] {
        let (outcome, _) = sorted(&answer(200, strange, None));
        assert!(matches!(outcome, Outcome::Permanent { .. }), "{outcome:?}");
    }
    let limited = sorted(&answer(
        429,
        json!({"ok": false, "error": "ratelimited"}),
        Some("3"),
    ))
    .0;
    assert!(
        matches!(&limited, Outcome::Passing { after: Some(after), .. } if after.as_secs() == 3),
        "{limited:?}"
    );
    let page = Answer {
        status: 200,
        retry_after: None,
        body: b"<html>".to_vec(),
    };
    assert!(matches!(sorted(&page).0, Outcome::Passing { .. }));
}
