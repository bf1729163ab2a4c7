//! Slack with a bot token: one message a case, which is kept up to date, and a thread below it that says
//! what changed. The message holds what it is found again by.
//!
//! Source: `docs.slack.dev/reference/methods` (`chat.postMessage`, `chat.update`) and
//! `docs.slack.dev/messaging/message-metadata`.

use serde_json::{Value, json};

use super::{SECTION_CHARS_MAX, Slack, Told, context, escaped, place, posted, section};
use crate::deliver::alert::Activity;
use crate::deliver::encode::digest::Digest;
use crate::deliver::encode::facts::facts;
use crate::deliver::notice::Notice;
use crate::deliver::route::Decision;
use crate::deliver::severity::of;

/// `event_type` of the metadata of a case's first message; replies have none.
pub const EVENT_TYPE: &str = "deskwarden_case";

/// Whose channel it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// Id of the channel.
    pub channel: String,
    /// Name of the sink: two of them in one channel have messages of their own.
    pub sink: String,
    /// What is said.
    pub slack: Slack,
}

/// Which message is meant, and how new it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Dedup key of the case, or id of the digest.
    pub key: String,
    /// Revision of the alert; 0 for a digest.
    pub revision: u64,
}

/// What is to be seen of a case from a revision on: as a new message, as a change of the one that is
/// there, and as a reply below that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseMessage {
    /// What it is found again by.
    pub mark: Mark,
    channel: String,
    metadata: Value,
    message: Value,
    reply: Option<Value>,
}

impl CaseMessage {
    /// That of a revision.
    #[must_use]
    pub fn of(notice: &Notice, decision: Decision, bot: &Bot) -> Self {
        let told = super::told(notice, decision, bot.slack.masking);
        let masked = &*bot.slack.masking.apply(notice);
        let mark = Mark {
            key: notice.dedup_key.clone(),
            revision: notice.alert.revision,
        };
        let mut message = Self::new(mark, &told, bot);
        message.reply = Some(reply(masked, decision, &bot.channel));
        message
    }

    /// That of a digest: there is nothing to reply to it.
    #[must_use]
    pub fn digest(digest: &Digest, bot: &Bot) -> Self {
        let mark = Mark {
            key: digest.id.clone(),
            revision: 0,
        };
        Self::new(mark, &super::told_together(digest), bot)
    }

    fn new(mark: Mark, told: &Told, bot: &Bot) -> Self {
        let payload = json!({"sink": bot.sink, "key": mark.key, "revision": mark.revision});
        Self {
            metadata: json!({"event_type": EVENT_TYPE, "event_payload": payload}),
            channel: bot.channel.clone(),
            message: posted(told),
            reply: None,
            mark,
        }
    }

    /// The body of `chat.postMessage` that begins it.
    #[must_use]
    pub fn first(&self) -> String {
        let mut body = self.message.clone();
        put(&mut body, "channel", &self.channel);
        put(&mut body, "metadata", &self.metadata);
        body.to_string()
    }

    /// The body of `chat.update` for the message with this `ts`.
    #[must_use]
    pub fn update(&self, ts: &str) -> String {
        // It knows no `mrkdwn`, and reads names and links into a text unless told not to.
        let body = json!({
            "channel": self.channel,
            "ts": ts,
            "text": self.message.get("text"),
            "blocks": self.message.get("blocks"),
            "parse": "none",
            "metadata": self.metadata,
        });
        body.to_string()
    }

    /// The body of `chat.postMessage` that says what changed, below the message with this `ts`.
    #[must_use]
    pub fn reply(&self, ts: &str) -> Option<String> {
        let mut body = self.reply.clone()?;
        put(&mut body, "thread_ts", &ts);
        Some(body.to_string())
    }
}

fn put(body: &mut Value, key: &str, value: &impl serde::Serialize) {
    if let Value::Object(fields) = body {
        fields.insert(key.to_owned(), json!(value));
    }
}

/// What changed with a revision. One that calls for attention is shown in the channel too: nobody is
/// told of a message that changes, nor of a reply.
fn reply(notice: &Notice, decision: Decision, channel: &str) -> Value {
    let told = Told {
        text: escaped(&changes(notice), SECTION_CHARS_MAX),
        blocks: vec![section(&changes(notice)), context(&place(notice))],
    };
    let mut body = posted(&told);
    put(&mut body, "channel", &channel);
    if decision == Decision::Trigger {
        put(&mut body, "reply_broadcast", &true);
    }
    body
}

/// `CRITICAL 98: severity critical, was high; it pages: two families. MFA off …`
fn changes(notice: &Notice) -> String {
    if notice.alert.activity == Activity::Closed {
        let facts = facts(notice);
        let why = facts.iter().find(|fact| fact.key == "closed");
        let why = why.map_or("closed", |fact| fact.value.as_str());
        return format!("{}: {why}", notice.head());
    }
    let (before, now) = (notice.before, notice.now());
    let mut parts = Vec::new();
    if before.severity_id != now.severity_id && before.severity_id > 0 {
        let (is, was) = (of(now.severity_id).name, of(before.severity_id).name);
        parts.push(format!("severity {is}, was {was}"));
    }
    match (before.page, now.page) {
        (false, true) => parts.push(format!("it pages: {}", notice.page_reason)),
        (true, false) => parts.push("it no longer pages".to_owned()),
        (true, true) | (false, false) => {}
    }
    if parts.is_empty() {
        parts.push("its findings changed".to_owned());
    }
    format!(
        "{}: {}. {}",
        notice.head(),
        parts.join("; "),
        notice.message
    )
}
