//! A bot in a channel of Slack: one message a case, kept up to date over restarts, by whoever has the
//! partition, without a store of its own.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a test may panic, and is told by the environment where brokers are"
)]

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use deskwarden::edge::log::topics::Topic;
use revisions::{Alerts as _, Revision, id};
use slack::{CHANNEL, Message, Slack, TOKEN, Trouble, key};
use world::brokers::addresses;
use world::{PATIENCE, World};

#[path = "support/model.rs"]
mod model;
#[path = "simulation/random.rs"]
mod random;
#[path = "support/revisions.rs"]
mod revisions;
#[path = "support/slack.rs"]
mod slack;
#[path = "support/world.rs"]
mod world;

/// Within it, nothing more may come.
const QUIET: Duration = Duration::from_secs(2);

fn bot(slack: &Slack, extra: &str) -> String {
    format!(
        "  chat: {{type: slack, bot_token: \"{TOKEN}\", channel: {CHANNEL}, min_severity: low, \
         api_url: \"http://{}/api\", allow_private: true, timeout: 1s{extra}}}\n",
        slack.address
    )
}

const FAST: &str = ", rate_per_second: 100, storm_per_minute: 0";

fn revision(message: &Message) -> u64 {
    message.body["metadata"]["event_payload"]["revision"]
        .as_u64()
        .unwrap()
}

/// The one message of a case, once it shows this revision.
fn shown(slack: &Slack, case: u64, number: u64) -> Message {
    let is_of = |message: &&Message| key(message) == Some(&id(case));
    let what = format!("case {case} at revision {number}");
    let all = slack.until(&what, PATIENCE, |all| {
        all.iter()
            .filter(is_of)
            .any(|message| revision(message) == number)
    });
    let of_case: Vec<&Message> = all.iter().filter(is_of).collect();
    assert_eq!(of_case.len(), 1, "{of_case:#?}");
    of_case[0].clone()
}

#[test]
fn a_case_is_one_message_and_its_thread() {
    let Some(brokers) = addresses() else { return };
    let world = World::new("slackbot", brokers);
    let slack = Slack::start();
    world.sinks(&bot(&slack, ""));
    let mut instance = world.deliverer("a");
    world.publish(&Revision::new(1, 1, (4, false), (0, false), (4, false)));
    let first = shown(&slack, 1, 1);
    assert!(first.text().starts_with("HIGH "), "{}", first.text());
    assert_eq!(slack.calls("chat.update"), 0);
    world.publish(&Revision::new(1, 2, (5, true), (4, false), (5, true)));
    let risen = shown(&slack, 1, 2);
    assert_eq!((&risen.ts, risen.edits), (&first.ts, 1));
    assert!(risen.text().starts_with("CRITICAL "), "{}", risen.text());
    let replies = slack.replies(&first);
    assert_eq!(replies.len(), 1);
    assert!(replies[0].text().contains("severity critical, was high"));
    assert_eq!(replies[0].body["reply_broadcast"], true);
    world.publish(&Revision::new(1, 3, (5, true), (5, true), (5, true)).closing());
    let closed = shown(&slack, 1, 3);
    assert_eq!((&closed.ts, closed.edits), (&first.ts, 2));
    assert!(closed.text().starts_with("RESOLVED "), "{}", closed.text());
    let replies = slack.replies(&first);
    assert_eq!(replies.len(), 2);
    assert!(
        replies[1].text().starts_with("RESOLVED: quiet period"),
        "{}",
        replies[1].text()
    );
    assert!(replies[1].body.get("reply_broadcast").is_none());
    // Three cases at once come a second apart, as Slack wants it.
    let before = slack.messages().len();
    for case in 2..5 {
        world.publish(&Revision::first(case));
    }
    let all = slack.until("three more", PATIENCE, |all| all.len() >= before + 3);
    let times: Vec<Instant> = all[before..].iter().map(|message| message.at).collect();
    for pair in times.windows(2) {
        let apart = pair[1] - pair[0];
        assert!(apart > Duration::from_millis(800), "{apart:?}");
    }
    slack.was_obeyed();
    for told in [world.log("a"), world.ask("a", "/status").1] {
        assert!(!told.contains("canary"), "{told}");
    }
    assert_eq!(instance.stop(), Some(0));
    fs::remove_dir_all(&world.folder).unwrap();
}

#[test]
fn whoever_comes_next_goes_on_with_the_same_message() {
    let Some(brokers) = addresses() else { return };
    let world = World::new("slackmove", brokers);
    let slack = Slack::start();
    world.sinks(&bot(&slack, FAST));
    let mut instance = world.deliverer("a");
    for case in 1..=6 {
        world.publish(&Revision::first(case));
    }
    let firsts: Vec<Message> = (1..=6).map(|case| shown(&slack, case, 1)).collect();
    // More is said than one page holds.
    slack.chatter(250);
    instance.kill();
    let mut instance = world.deliverer("b");
    for case in 1..=6 {
        world.publish(&Revision::new(case, 2, (3, false), (5, true), (5, true)));
    }
    for (case, first) in (1..=6).zip(&firsts) {
        assert_eq!(shown(&slack, case, 2).ts, first.ts);
    }
    // Killed right after a message was taken, before that was committed: it is not posted again.
    slack.trouble("chat.postMessage", &[Trouble::Hangs]);
    world.publish(&Revision::first(7));
    shown(&slack, 7, 1);
    instance.kill();
    let mut instance = world.deliverer("c");
    world.publish(&Revision::new(7, 2, (5, true), (5, true), (5, true)));
    shown(&slack, 7, 2);
    // It hangs while nobody is killed: the next attempt finds what was posted.
    slack.trouble("chat.postMessage", &[Trouble::Hangs]);
    world.publish(&Revision::first(8));
    world.publish(&Revision::new(8, 2, (5, true), (5, true), (5, true)));
    shown(&slack, 8, 2);
    thread::park_timeout(QUIET);
    for case in 1..=8 {
        shown(&slack, case, 2);
    }
    slack.was_obeyed();
    assert!(world.all(Topic::DeadLetter).is_empty());
    assert_eq!(instance.stop(), Some(0));
    fs::remove_dir_all(&world.folder).unwrap();
}

/// Method, what goes wrong with it once, and how long the case waits for that at least, s.
const TROUBLES: [(&str, Trouble, u64); 11] = [
    ("conversations.history", Trouble::Status(429, Some(2)), 2),
    (
        "conversations.history",
        Trouble::Says("internal_error", None),
        0,
    ),
    ("conversations.history", Trouble::Deaf, 1),
    ("chat.postMessage", Trouble::Status(429, Some(2)), 2),
    ("chat.postMessage", Trouble::Says("ratelimited", Some(2)), 2),
    (
        "chat.postMessage",
        Trouble::Says("service_unavailable", None),
        0,
    ),
    ("chat.postMessage", Trouble::Status(503, None), 0),
    ("chat.postMessage", Trouble::Deaf, 1),
    ("chat.update", Trouble::Says("ratelimited", Some(2)), 2),
    ("chat.update", Trouble::Hangs, 1),
    ("chat.update", Trouble::Deaf, 1),
];

#[test]
fn what_passes_is_tried_again_and_what_does_not_is_a_dead_letter() {
    let Some(brokers) = addresses() else { return };
    let world = World::new("slacktrouble", brokers);
    let slack = Slack::start();
    world.sinks(&bot(&slack, FAST));
    let mut instance = world.deliverer("a");
    let mut case = 0;
    for (method, trouble, waits_s) in TROUBLES {
        case += 1;
        let is_update = method == "chat.update";
        if is_update {
            world.publish(&Revision::first(case));
            shown(&slack, case, 1);
        }
        slack.trouble(method, &[trouble]);
        let begun = Instant::now();
        let number = if is_update { 2 } else { 1 };
        let again = Revision::new(case, 2, (5, true), (5, true), (5, true));
        world.publish(&if is_update {
            again
        } else {
            Revision::first(case)
        });
        let message = if trouble == Trouble::Hangs {
            // Done at once, and not known.
            let message = shown(&slack, case, number);
            thread::park_timeout(QUIET);
            message
        } else {
            shown(&slack, case, number)
        };
        let waited = begun.elapsed();
        assert!(
            waited >= Duration::from_secs(waits_s),
            "{method} {trouble:?}: {waited:?}"
        );
        // A reply that is known to be there is not repeated.
        assert_eq!(
            slack.replies(&message).len(),
            usize::from(is_update),
            "{method} {trouble:?}"
        );
    }
    assert!(world.all(Topic::DeadLetter).is_empty());
    gone(&world, &slack);
    // Refused for good: a dead letter with the word, and the next one is told.
    slack.trouble("chat.postMessage", &[Trouble::Says("not_in_channel", None)]);
    world.publish(&Revision::first(90));
    world.until_logged("a", "chat.postMessage: not_in_channel");
    world.publish(&Revision::first(91));
    shown(&slack, 91, 1);
    assert_eq!(world.all(Topic::DeadLetter).len(), 1);
    slack.was_obeyed();
    assert_eq!(instance.stop(), Some(0));
    fs::remove_dir_all(&world.folder).unwrap();
}

/// A message that somebody deleted is posted anew; one that never was, too.
fn gone(world: &World, slack: &Slack) {
    world.publish(&Revision::first(80));
    let first = shown(slack, 80, 1);
    slack.delete(&first.ts);
    world.publish(&Revision::new(80, 2, (5, true), (5, true), (5, true)));
    let anew = shown(slack, 80, 2);
    assert_ne!(anew.ts, first.ts);
    slack.trouble("chat.update", &[Trouble::Says("message_not_found", None)]);
    world.publish(&Revision::new(80, 3, (4, false), (5, true), (5, true)));
    let of_case = slack.until("posted anew", PATIENCE, |all| {
        let of_case = all.iter().filter(|message| key(message) == Some(&id(80)));
        of_case.clone().any(|message| revision(message) == 3)
    });
    let newest = of_case
        .iter()
        .rfind(|message| key(message) == Some(&id(80)))
        .unwrap();
    assert_eq!(revision(newest), 3);
    // It goes on with that one.
    world.publish(&Revision::new(80, 4, (4, false), (4, false), (5, true)).closing());
    slack.until("closed there", PATIENCE, |all| {
        all.iter()
            .any(|message| message.ts == newest.ts && revision(message) == 4)
    });
    world.publish(&Revision::new(81, 2, (5, true), (5, true), (5, true)));
    assert!(slack.replies(&shown(slack, 81, 2)).is_empty());
}

#[test]
fn a_storm_is_one_message_of_the_bot() {
    let Some(brokers) = addresses() else { return };
    let world = World::new("slackstorm", brokers);
    let slack = Slack::start();
    world.sinks(&bot(&slack, ", rate_per_second: 100, storm_per_minute: 5"));
    let mut instance = world.deliverer("a");
    for case in 1..=40 {
        world.publish(&Revision::first(case));
    }
    let digests = |all: &[Message]| all.iter().filter(|m| m.text().contains("STORM ")).count();
    slack.until("a digest", PATIENCE, |all| digests(all) >= 1);
    thread::park_timeout(QUIET);
    let all = slack.messages();
    assert_eq!(all.len() - digests(&all), 5, "{all:#?}");
    assert!(digests(&all) <= 3);
    slack.was_obeyed();
    assert_eq!(instance.stop(), Some(0));
    fs::remove_dir_all(&world.folder).unwrap();
}

#[test]
fn a_test_message_is_posted_and_taken_back() {
    let Some(brokers) = addresses() else { return };
    let world = World::new("slacktest", brokers);
    let slack = Slack::start();
    world.sinks(&bot(&slack, FAST));
    let test = |extra: &[&str]| {
        let words = [&["deliver", "test", "chat"], extra].concat();
        let output = world.command(&words).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains(TOKEN), "{text}");
        (output.status.code(), text)
    };
    let (code, text) = test(&["--dry-run"]);
    assert!(
        code == Some(0) && text.contains("\"event_type\": \"deskwarden_case\""),
        "{text}"
    );
    assert!(slack.messages().is_empty() && slack.calls("conversations.history") == 0);
    let (code, text) = test(&["--resolve"]);
    assert_eq!(code, Some(0), "{text}");
    let firsts = slack.firsts();
    assert_eq!(firsts.len(), 1, "{text}");
    assert!(
        firsts[0].text().starts_with("TEST RESOLVED"),
        "{}",
        firsts[0].text()
    );
    assert_eq!((firsts[0].edits, slack.replies(&firsts[0]).len()), (1, 1));
    slack.trouble(
        "conversations.history",
        &[Trouble::Says("missing_scope", None)],
    );
    let (code, text) = test(&[]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("failed: conversations.history: missing_scope"),
        "{text}"
    );
    slack.was_obeyed();
    fs::remove_dir_all(&world.folder).unwrap();
}
