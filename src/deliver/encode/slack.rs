//! Slack, in Block Kit: the body of an incoming webhook, and the messages of a bot ([`bot`]).
//!
//! Source: `docs.slack.dev/reference/block-kit/blocks` (header, section, context) and
//! `docs.slack.dev/messaging/formatting-message-text` (escaping). Texts of others stand in `plain_text`
//! only, where nothing is a link or a mention; the fall-back text, which is not, is escaped.

use serde_json::{Value, json};

use crate::deliver::alert::Activity;
use crate::deliver::encode::digest::Digest;
use crate::deliver::encode::facts::{Fact, facts};
use crate::deliver::notice::Notice;
use crate::deliver::pii::Masking;
use crate::deliver::route::Decision;
use crate::deliver::text::cut;

pub mod bot;

/// Most blocks of a message.
pub const BLOCKS_MAX: usize = 50;
/// Characters of a header.
pub const HEADER_CHARS_MAX: usize = 150;
/// Characters of the text of a section.
pub const SECTION_CHARS_MAX: usize = 3_000;
/// Fields of a section.
pub const FIELDS_MAX: usize = 10;
/// Characters of a field.
pub const FIELD_CHARS_MAX: usize = 2_000;
/// Characters of a field that we write: about 13,200 make a message.
const VALUE_CHARS_MAX: usize = 320;

/// How Slack is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slack {
    /// How people are named.
    pub masking: Masking,
}

/// The message of a revision, for an incoming webhook.
#[must_use]
pub fn message(notice: &Notice, decision: Decision, settings: &Slack) -> String {
    posted(&told(notice, decision, settings.masking)).to_string()
}

/// What a message says: the fall-back text, and its blocks.
struct Told {
    text: String,
    blocks: Vec<Value>,
}

/// What the message of a revision says.
fn told(notice: &Notice, decision: Decision, masking: Masking) -> Told {
    let notice = &*masking.apply(notice);
    let summary = notice.summary();
    let mut blocks = vec![header(&format!("{} {summary}", mark(notice)))];
    if decision != Decision::Resolve {
        let advice = format!("{}\n\nWhat to do: {}", notice.message, notice.remediation);
        blocks.push(section(&advice));
    }
    let facts = facts(notice);
    let shown: Vec<&Fact> = facts
        .iter()
        .filter(|fact| !IN_CONTEXT.contains(&fact.key))
        .take(FIELDS_MAX)
        .collect();
    let fields: Vec<Value> = shown.into_iter().map(field).collect();
    if !fields.is_empty() {
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    blocks.extend(link(notice.link.as_deref(), "Open the case"));
    blocks.push(context(&place(notice)));
    let text = escaped(&summary, SECTION_CHARS_MAX);
    Told { text, blocks }
}

/// Which revision of which alert it is.
fn place(notice: &Notice) -> String {
    let alert = &notice.alert;
    format!(
        "Alert {}, revision {}, tenant {}",
        alert.id, alert.revision, notice.tenant
    )
}

/// The message of a digest, for an incoming webhook.
#[must_use]
pub fn digest(digest: &Digest) -> String {
    posted(&told_together(digest)).to_string()
}

/// What the message of a digest says.
fn told_together(digest: &Digest) -> Told {
    let summary = digest.summary();
    let mut blocks = vec![header(&format!("{STORM} {summary}"))];
    for row in digest.worst() {
        blocks.push(section(&row.summary));
        blocks.extend(link(row.link.as_deref(), "Open the case"));
    }
    blocks.extend(link(digest.link.as_deref(), "Open all alerts"));
    let text = escaped(&summary, SECTION_CHARS_MAX);
    Told { text, blocks }
}

/// Facts that stand in the last line.
const IN_CONTEXT: [&str; 2] = ["tenant", "alert_id"];
const STORM: &str = "🌩️";

/// One sign before the words, by severity.
const fn mark(notice: &Notice) -> &'static str {
    if matches!(notice.alert.activity, Activity::Closed) {
        return "✅";
    }
    match notice.alert.severity_id {
        5.. => "🔴",
        4 => "🟠",
        3 => "🟡",
        _ => "🔵",
    }
}

/// A new message.
fn posted(told: &Told) -> Value {
    json!({
        "text": told.text,
        "mrkdwn": false,
        "unfurl_links": false,
        "unfurl_media": false,
        "blocks": told.blocks,
    })
}

fn plain(text: &str, max: usize) -> Value {
    json!({"type": "plain_text", "text": escaped(text, max), "emoji": false})
}

fn header(text: &str) -> Value {
    json!({"type": "header", "text": plain(text, HEADER_CHARS_MAX)})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": plain(text, SECTION_CHARS_MAX)})
}

fn field(fact: &Fact) -> Value {
    plain(&format!("{}\n{}", fact.label, fact.value), VALUE_CHARS_MAX)
}

fn context(text: &str) -> Value {
    json!({"type": "context", "elements": [plain(text, FIELD_CHARS_MAX)]})
}

/// A link of ours in a line of its own; its words are constant.
fn link(url: Option<&str>, words: &'static str) -> Option<Value> {
    let url = escaped(url?, usize::MAX);
    let text = format!("<{url}|{words}>");
    Some(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}))
}

/// `&`, `<` and `>` as Slack wants them, in at most `max` characters, none of them cut.
fn escaped(text: &str, max: usize) -> String {
    let mut room = max;
    loop {
        let out = cut(text, room)
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let over = out.chars().count().saturating_sub(max);
        if over == 0 || room == 0 {
            return out;
        }
        // One character less saves up to five.
        room = room.min(text.len()) - over.div_ceil(5).min(room.min(text.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_never_cut() {
        assert_eq!(escaped("a<b>&c", 100), "a&lt;b&gt;&amp;c");
        assert_eq!(escaped("<!channel>", 18), "&lt;!channel&gt;");
        for max in 1..60 {
            let out = escaped(&"&<>x".repeat(20), max);
            assert!(out.chars().count() <= max, "{max}: {out}");
            let rest = out
                .replace("&amp;", "")
                .replace("&lt;", "")
                .replace("&gt;", "");
            assert!(!rest.contains('&') && !rest.contains('<'), "{max}: {out}");
        }
        let full = escaped(&"&".repeat(5_000), 3_000);
        assert!(full.chars().count() > 2_980, "as much as there is room for");
        assert_eq!(escaped("ab", 2), "ab");
        assert_eq!(escaped("abc", 2), "a…");
    }
}
