//! Slack with a bot token: a case is one message, found again in the channel itself. Nothing of it is
//! kept elsewhere: whoever takes a partition over, or starts again, reads the channel back.
//!
//! Of one key the oldest message counts, so that one who was quicker is not written over. What is told is
//! marked in the message by the revision, and last: after a crash a reply may stand there twice, the
//! message may not.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::sync::Mutex;

use super::http::{Answer, HttpClient, Request};
use super::outcome::Outcome;
use crate::deliver::encode::slack::bot::{CaseMessage, Mark};
use crate::edge::clock::{self, Deadline};

mod book;

use book::{Book, Look, Page, Shown, Ts};

/// With the charset: Slack warns of its absence.
const JSON: &str = "application/json; charset=utf-8";
/// So far back a message is looked for: a case lives for a week at most.
const HISTORY_S: i64 = 8 * 24 * 60 * 60;
/// What was read is read again so far back: what came at the same time may show later, s.
const OVERLAP_S: i64 = 60;
/// Messages of a page; of ours each has some KiB.
const PAGE_MESSAGES_MAX: usize = 100;
/// Pages of a look back: in a channel with more, older messages are taken for gone.
const PAGES_MAX: usize = 50;
/// Bytes of a page.
const PAGE_BYTES_MAX: usize = 8 << 20;
/// A look back pauses after so long, and goes on with the next attempt.
const LOOK_TIME: Duration = Duration::from_secs(60);
/// Of an answer so much is shown.
const SHOWN_CHARS_MAX: usize = 2_000;

/// What Slack says where it may pass by itself.
const PASSING: [&str; 12] = [
    "ratelimited",
    "rate_limited",
    "message_limit_exceeded",
    "internal_error",
    "service_unavailable",
    "fatal_error",
    "request_timeout",
    "update_failed",
    "team_added_to_org",
    "external_channel_migrating",
    "org_login_required",
    "invalid_cursor",
];
/// What Slack says where a message is no longer there or not ours to change, or a look back has to begin
/// again.
const GONE: [&str; 6] = [
    "invalid_cursor",
    "message_not_found",
    "thread_not_found",
    "cannot_reply_to_message",
    "cant_update_message",
    "edit_window_closed",
];

/// A channel.
#[derive(Debug)]
pub struct SlackClient {
    http: HttpClient,
    /// Address of the API, with a slash at its end.
    api: Url,
    channel: String,
    sink: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    book: Mutex<Book>,
}

/// One call and its answer, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Which method.
    pub method: &'static str,
    /// Status of the answer.
    pub status: u16,
    /// The beginning of the answer.
    pub answer: String,
}

/// Whose channel it is.
#[derive(Debug)]
pub struct Place<'a> {
    /// Address of the API.
    pub api: &'a Url,
    /// Bot token.
    pub token: &'a str,
    /// Id of the channel.
    pub channel: &'a str,
    /// Name of the sink.
    pub sink: &'a str,
}

/// Why a call was not answered as it should be.
struct Failed {
    outcome: Outcome,
    is_gone: bool,
}

impl SlackClient {
    /// A client that has read nothing yet; `None` if a header cannot hold the token.
    #[must_use]
    pub fn new(http: HttpClient, place: &Place<'_>) -> Option<Self> {
        let mut token = HeaderValue::from_str(&format!("Bearer {}", place.token)).ok()?;
        token.set_sensitive(true);
        Some(Self {
            http,
            api: place.api.clone(),
            channel: place.channel.to_owned(),
            sink: place.sink.to_owned(),
            headers: vec![(AUTHORIZATION, token)],
            book: Mutex::default(),
        })
    }

    /// Sees to it that the channel shows a revision, and what was said on the way.
    pub async fn tell(&self, message: &CaseMessage) -> (Outcome, Vec<Exchange>) {
        let mut said = Vec::new();
        let outcome = match self.show(message, &mut said).await {
            Ok(()) => Outcome::Delivered,
            Err(failed) => failed.outcome,
        };
        (outcome, said)
    }

    async fn show(&self, message: &CaseMessage, said: &mut Vec<Exchange>) -> Result<(), Failed> {
        let Some(shown) = self.find(&message.mark, said).await? else {
            return self.begin(message, said).await;
        };
        if shown.revision >= message.mark.revision {
            // By somebody who ended before that was committed.
            return Ok(());
        }
        match self.go_on(message, &shown, said).await {
            Err(failed) if failed.is_gone => {
                self.book.lock().await.forget(&message.mark.key);
                self.begin(message, said).await
            }
            other @ (Ok(()) | Err(_)) => other,
        }
    }

    /// The first message of a case.
    async fn begin(&self, message: &CaseMessage, said: &mut Vec<Exchange>) -> Result<(), Failed> {
        let answer = self.post("chat.postMessage", message.first(), said).await?;
        let Some(ts) = answer.get("ts").and_then(Value::as_str).and_then(Ts::read) else {
            return Err(Failed::passing("its answer names no message"));
        };
        let mut book = self.book.lock().await;
        book.keep(&message.mark.key, Shown::own(ts, message.mark.revision));
        Ok(())
    }

    /// The reply first, the mark last.
    async fn go_on(
        &self,
        message: &CaseMessage,
        shown: &Shown,
        said: &mut Vec<Exchange>,
    ) -> Result<(), Failed> {
        let revision = message.mark.revision;
        if let Some(reply) = message.reply(&shown.ts.text)
            && shown.replied < revision
        {
            self.post("chat.postMessage", reply, said).await?;
            let mut book = self.book.lock().await;
            book.change(&message.mark.key, |shown| shown.replied = revision);
        }
        let update = message.update(&shown.ts.text);
        self.post("chat.update", update, said).await?;
        let mut book = self.book.lock().await;
        book.change(&message.mark.key, |shown| shown.revision = revision);
        Ok(())
    }

    /// The message of a case; looks in the channel where it is not known here.
    async fn find(&self, mark: &Mark, said: &mut Vec<Exchange>) -> Result<Option<Shown>, Failed> {
        // Held while reading: others would read the same.
        let mut book = self.book.lock().await;
        if !book.shown.contains_key(&mark.key) {
            self.read_on(&mut book, said).await?;
        }
        Ok(book.shown.get(&mark.key).cloned())
    }

    /// Reads what the channel holds beyond what was read.
    async fn read_on(&self, book: &mut Book, said: &mut Vec<Exchange>) -> Result<(), Failed> {
        let end = Deadline::after(LOOK_TIME);
        let start = clock::now().0 / 1_000 - HISTORY_S;
        let mut look = book.look.take().unwrap_or_else(|| Look {
            oldest_s: book.read_to_s.map_or(start, |at| at - OVERLAP_S).max(start),
            ..Look::default()
        });
        loop {
            let page = match self.page(&look, said).await {
                Ok(page) => page,
                Err(failed) => {
                    // It goes on there; where the cursor is no longer good, from the beginning.
                    book.look = Some(look).filter(|_| !failed.is_gone);
                    return Err(failed);
                }
            };
            for found in &page.messages {
                look.newest_s = look.newest_s.max(found.second());
                if let Some((key, shown)) = found.of(&self.sink) {
                    book.found(&key, shown);
                }
            }
            look.pages += 1;
            let next = page.response_metadata.unwrap_or_default().next_cursor;
            if next.is_empty() {
                break;
            }
            if look.pages >= PAGES_MAX {
                tracing::warn!(sink = %self.sink, pages = PAGES_MAX,
                    "the channel holds more than is looked through; older cases get a new message");
                break;
            }
            look.cursor = next;
            if end.has_passed() {
                book.look = Some(look);
                return Err(Failed::passing("looking through the channel takes long"));
            }
        }
        book.read_to_s = look.newest_s.or(book.read_to_s);
        Ok(())
    }

    async fn page(&self, look: &Look, said: &mut Vec<Exchange>) -> Result<Page, Failed> {
        const METHOD: &str = "conversations.history";
        let mut url = self.method(METHOD)?;
        url.query_pairs_mut()
            .append_pair("channel", &self.channel)
            .append_pair("oldest", &look.oldest_s.to_string())
            .append_pair("limit", &PAGE_MESSAGES_MAX.to_string())
            .append_pair("include_all_metadata", "true");
        if !look.cursor.is_empty() {
            url.query_pairs_mut().append_pair("cursor", &look.cursor);
        }
        let answer = self.http.read(url, &self.headers, PAGE_BYTES_MAX).await;
        let answer = answer.map_err(Failed::from)?;
        let value = taken(METHOD, &answer, said)?;
        serde_json::from_value(value).map_err(|error| Failed::passing(format!("{METHOD}: {error}")))
    }

    fn method(&self, name: &str) -> Result<Url, Failed> {
        self.api.join(name).map_err(Failed::passing)
    }

    async fn post(
        &self,
        method: &'static str,
        body: String,
        said: &mut Vec<Exchange>,
    ) -> Result<Value, Failed> {
        let request = Request {
            url: self.method(method)?,
            content_type: JSON,
            headers: self.headers.clone(),
            signing: None,
            body: body.into_bytes(),
        };
        let answer = self.http.exchange(&request).await.map_err(Failed::from)?;
        taken(method, &answer, said)
    }
}

impl Failed {
    fn passing(why: impl ToString) -> Self {
        Self::from(Outcome::passing(why))
    }
}

impl From<Outcome> for Failed {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            is_gone: false,
        }
    }
}

/// The document of an answer that says `ok`. Most refusals come with status 200.
fn taken(method: &'static str, answer: &Answer, said: &mut Vec<Exchange>) -> Result<Value, Failed> {
    let text = answer.text();
    said.push(Exchange {
        method,
        status: answer.status,
        answer: text.chars().take(SHOWN_CHARS_MAX).collect(),
    });
    let sorted = Outcome::of_status(answer.status, answer.retry_after.as_deref(), &text);
    if sorted != Outcome::Delivered {
        return Err(Failed::from(sorted));
    }
    let Ok(document) = serde_json::from_slice::<Value>(&answer.body) else {
        return Err(Failed::passing(format!("{method}: the answer is no JSON")));
    };
    if document.get("ok") == Some(&Value::Bool(true)) {
        return Ok(document);
    }
    let word = document.get("error").and_then(Value::as_str);
    let word = word.unwrap_or("no reason");
    let why = format!("{method}: {word}");
    let outcome = if PASSING.contains(&word) {
        Outcome::later(why, answer.retry_after.as_deref())
    } else {
        Outcome::permanent(why)
    };
    Err(Failed {
        outcome,
        is_gone: GONE.contains(&word),
    })
}

#[cfg(test)]
mod tests;
