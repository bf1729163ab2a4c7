//! Hostile text in every field of a document: no message breaks, grows beyond its bounds or says what we
//! did not.

use deskwarden::deliver::encode::digest::Digest;
use deskwarden::deliver::encode::slack::bot::CaseMessage;
use deskwarden::deliver::encode::slack::{
    BLOCKS_MAX, FIELD_CHARS_MAX, FIELDS_MAX, HEADER_CHARS_MAX, SECTION_CHARS_MAX,
};
use deskwarden::deliver::encode::{pagerduty, slack, teams};
use deskwarden::deliver::notice::{Notice, SUMMARY_CHARS_MAX};
use deskwarden::deliver::pii::Masking;
use deskwarden::deliver::route::Decision;
use serde_json::Value;

use crate::goldens::{schema, validate};
use crate::receivers::{self, PUBLISHED, document, encode};

/// What attackers write into names, tickets and reasons.
fn poisons() -> Vec<String> {
    vec![
        String::new(),
        " ".into(),
        "\u{202E}gnp.exe\u{202C}\u{2066}x\u{2069}\u{200F}".into(),
        "a\u{0}b\u{7}c\u{1b}[31m\u{9b}d\u{7f}".into(),
        "line\r\nCEF:0|x|y|z|1|n|1|msg=owned\u{2028}next\u{85}more".into(),
        "</script><script>alert(1)</script>\"'`".into(),
        "<!channel> <!here> <@U024BE7LH> <#C024BE7LR> <https://evil.example.com|click>".into(),
        "@channel @here *bold* _it_ ~s~ `code` &lt;!channel&gt;".into(),
        "[click](https://evil.example.com) **b** <at>all</at> # h\n- item ![i](https://evil.example.com)".into(),
        "a|b|c\\|d".into(),
        "cs1=evil msg=owned duser=x\\=y suser\\".into(),
        "{{ secret }} {% raw %} ${env:X} %s%n".into(),
        "ä".repeat(100_000),
        "&<>".repeat(20_000),
        "👨\u{200D}👩\u{200D}👧".repeat(300),
        "\"\\".repeat(5_000),
        "\u{E0041}\u{E0042}tag\u{FEFF}\u{200B}zero".into(),
    ]
}

/// A document with one text in the place of every other.
fn poisoned(name: &str, poison: &str) -> Notice {
    let mut value: Value = serde_json::from_slice(&document(name)).unwrap();
    if poison.len() > 1_000 {
        // A record is bounded; what no message reads would only take time.
        value["finding_info"]["related_events"] = Value::Array(Vec::new());
        value["unmapped"]["explain"] = Value::Array(Vec::new());
        value["evidences"].as_array_mut().unwrap().truncate(2);
    }
    poison_all(&mut value, poison);
    Notice::read(value.to_string().as_bytes()).unwrap()
}

fn poison_all(value: &mut Value, poison: &str) {
    match value {
        Value::String(text) => poison.clone_into(text),
        Value::Array(rows) => rows.iter_mut().for_each(|row| poison_all(row, poison)),
        Value::Object(fields) => fields.values_mut().for_each(|v| poison_all(v, poison)),
        _ => {}
    }
}

const DECISIONS: [Decision; 3] = [Decision::Trigger, Decision::Update, Decision::Resolve];

/// Every poison in every document, with each decision.
fn for_each(mut check: impl FnMut(&Notice, Decision)) {
    for poison in poisons() {
        for name in ["created", "disposition", "ticket"] {
            let notice = poisoned(name, &poison);
            for decision in DECISIONS {
                check(&notice, decision);
            }
        }
    }
}

fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}'
            | '\u{2028}' | '\u{2029}' | '\u{200B}' | '\u{FEFF}' | '\u{E0000}'..='\u{E0FFF}')
}

#[test]
fn a_summary_is_one_short_line() {
    for_each(|notice, _| {
        let summary = notice.summary();
        assert!(summary.chars().count() <= SUMMARY_CHARS_MAX && summary.chars().all(is_shown));
        assert!(!summary.is_empty());
    });
}

#[test]
fn schemas_and_sizes_hold() {
    let schemas = ["pagerduty", "alertmanager", "teams"].map(schema);
    for_each(|notice, decision| {
        // An id of nothing is our fault, not an attacker's.
        let mut notice = notice.clone();
        notice.dedup_key = "9f".into();
        for masking in [Masking::Mask, Masking::None] {
            let event = encode("pagerduty", &notice, decision, masking);
            assert!(event.len() <= pagerduty::EVENT_BYTES_MAX);
            validate(&schemas[0], &event);
            validate(
                &schemas[1],
                &encode("alertmanager", &notice, decision, masking),
            );
            let card = encode("teams", &notice, decision, masking);
            assert!(card.len() <= teams::MESSAGE_BYTES_MAX, "{}", card.len());
            validate(&schemas[2], &card);
        }
    });
}

/// The texts of a Slack message by the type of their object.
fn texts<'a>(value: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
    if let (Some(kind), Some(text)) = (value["type"].as_str(), value["text"].as_str()) {
        found.push((kind, text));
    }
    match value {
        Value::Array(rows) => rows.iter().for_each(|row| texts(row, found)),
        Value::Object(fields) => fields.values().for_each(|v| texts(v, found)),
        _ => {}
    }
}

#[track_caller]
fn slack_holds(message: &str) {
    let value: Value = serde_json::from_str(message).unwrap();
    let blocks = value["blocks"].as_array().unwrap();
    assert!(blocks.len() <= BLOCKS_MAX);
    let count = |text: &Value| text["text"].as_str().unwrap().chars().count();
    for block in blocks {
        match block["type"].as_str().unwrap() {
            "header" => assert!((1..=HEADER_CHARS_MAX).contains(&count(&block["text"]))),
            "section" => {
                if let Some(fields) = block["fields"].as_array() {
                    assert!((1..=FIELDS_MAX).contains(&fields.len()));
                    assert!(
                        fields
                            .iter()
                            .all(|f| (1..=FIELD_CHARS_MAX).contains(&count(f)))
                    );
                } else {
                    assert!((1..=SECTION_CHARS_MAX).contains(&count(&block["text"])));
                }
            }
            "context" => assert_eq!(block["elements"].as_array().unwrap().len(), 1),
            other => panic!("{other}"),
        }
    }
    let mut all = Vec::new();
    texts(&value["blocks"], &mut all);
    assert!(
        all.iter()
            .map(|(_, text)| text.chars().count())
            .sum::<usize>()
            <= 13_200
    );
    all.push(("fall-back", value["text"].as_str().unwrap()));
    for (kind, text) in all {
        let text = match kind {
            // Our own link, and nothing else in a text that is read as markup.
            "mrkdwn" => {
                let inner = text.strip_prefix("<http").and_then(|t| t.strip_suffix('>'));
                inner.expect("a link of ours")
            }
            _ => text,
        };
        assert!(!text.contains('<') && !text.contains('>'), "{kind}: {text}");
        let known = ["&amp;", "&lt;", "&gt;"];
        let bare = text
            .match_indices('&')
            .any(|(at, _)| !known.iter().any(|entity| text[at..].starts_with(entity)));
        assert!(!bare, "{kind}: {text}");
    }
}

#[test]
fn slack_reads_no_markup_of_others() {
    for_each(|notice, decision| {
        slack_holds(&encode("slack", notice, decision, Masking::Mask));
        let mut digest = Digest::new("d", PUBLISHED, notice.link.clone(), Masking::Mask);
        digest.add(notice, decision, PUBLISHED);
        slack_holds(&slack::digest(&digest));
        let bot = receivers::slack_bot(Masking::Mask);
        let message = CaseMessage::of(notice, decision, &bot);
        slack_holds(&message.first());
        slack_holds(&message.update("1.000001"));
        slack_holds(&message.reply("1.000001").unwrap());
        slack_holds(&CaseMessage::digest(&digest, &bot).first());
    });
}

/// The fields of a CEF header and the pairs of its extension, read as a receiver would.
fn cef_of(line: &str) -> (Vec<String>, Vec<(String, String)>) {
    let cef = &line[line.find("CEF:").unwrap()..];
    let mut header = vec![String::new()];
    let mut chars = cef.char_indices();
    let mut rest = "";
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => header.last_mut().unwrap().push(chars.next().unwrap().1),
            '|' if header.len() == 7 => {
                rest = &cef[at + 1..];
                break;
            }
            '|' => header.push(String::new()),
            c => header.last_mut().unwrap().push(c),
        }
    }
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut text = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(chars.next().unwrap()),
            '=' => {
                let (before, key) = text.rsplit_once(' ').unwrap_or(("", &text));
                let key = key.to_owned();
                if let Some((_, value)) = pairs.last_mut() {
                    before.clone_into(value);
                }
                pairs.push((key, String::new()));
                text.clear();
            }
            c => text.push(c),
        }
    }
    if let Some((_, value)) = pairs.last_mut() {
        *value = text;
    }
    (header, pairs)
}

#[test]
fn an_alert_is_one_line_of_cef() {
    let (_, plain) = cef_of(&encode(
        "syslog",
        &receivers::notice("created"),
        Decision::Trigger,
        Masking::Mask,
    ));
    assert!(plain.contains(&("cn1".into(), "99".into())));
    for_each(|notice, decision| {
        let line = encode("syslog", notice, decision, Masking::Mask);
        assert!(line.chars().all(is_shown), "{line}");
        assert!(line.len() < 64 << 10, "{}", line.len());
        let (header, pairs) = cef_of(&line);
        assert_eq!(header.len(), 7, "{line}");
        assert_eq!(&header[..3], ["CEF:0", "Deskwarden", "Deskwarden"]);
        assert!(header[6].parse::<u8>().unwrap() <= 10);
        let mut keys: Vec<&str> = pairs.iter().map(|(key, _)| key.as_str()).collect();
        assert!(keys.iter().all(|key| KEYS.contains(key)), "{keys:?}");
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all, "a key stands twice: {line}");
        let act = pairs.iter().find(|(key, _)| key == "act");
        assert_eq!(act.unwrap().1, decision.as_str());
    });
}

const KEYS: [&str; 34] = [
    "rt",
    "start",
    "end",
    "externalId",
    "act",
    "cat",
    "reason",
    "suser",
    "suid",
    "duser",
    "duid",
    "src",
    "request",
    "msg",
    "cn1",
    "cn1Label",
    "cn2",
    "cn2Label",
    "cs1",
    "cs1Label",
    "cs2",
    "cs2Label",
    "cs3",
    "cs3Label",
    "cs4",
    "cs4Label",
    "cs5",
    "cs5Label",
    "cs6",
    "cs6Label",
    "flexString1",
    "flexString1Label",
    "flexString2",
    "flexString2Label",
];

#[test]
fn documents_pass_through_unharmed() {
    for_each(|notice, decision| {
        let document: Value = serde_json::from_str(&notice.document).unwrap();
        let body: Value =
            serde_json::from_str(&encode("webhook", notice, decision, Masking::Mask)).unwrap();
        assert_eq!(body["alert"], document);
        let event: Value =
            serde_json::from_str(&encode("splunk", notice, decision, Masking::Mask)).unwrap();
        assert_eq!(event["event"], document);
    });
}

#[test]
fn a_card_leaves_out_facts_that_have_no_room() {
    let mut notice = receivers::notice("created");
    let long = |c: &str| c.repeat(1_024);
    (notice.message, notice.remediation) = (long("💥"), long("\u{1F9EF}"));
    notice.alert.tickets = vec![long("🎫")];
    notice.missing_controls = vec![long("🔑")];
    notice.channels = vec![long("📞")];
    notice.tenant = long("🏢");
    notice.alert.subject.name = long("🧑");
    notice.alert.id = long("🆔");
    notice.patterns[0].title = long("🧩");
    notice.status_detail = Some(long("🚪"));
    notice.page_reason = long("📟");
    notice.campaign = Some(long("🪤"));
    for named in [
        &mut notice.people.agents,
        &mut notice.people.requesters,
        &mut notice.people.approvers,
        &mut notice.people.callers,
        &mut notice.people.addresses,
        &mut notice.people.devices,
    ] {
        *named = vec![deskwarden::deliver::notice::Named {
            id: long("👤"),
            name: String::new(),
        }];
    }
    notice.link = Some(format!("https://desk.example.com/{}", "x".repeat(2_000)));
    let card = encode("teams", &notice, Decision::Trigger, Masking::Mask);
    assert!(card.len() <= teams::MESSAGE_BYTES_MAX, "{}", card.len());
    assert!(card.contains("Open the case") && card.contains("What to do"));
}
