//! A channel of Slack that is strict about what it is sent, by the reference of `chat.postMessage`,
//! `chat.update` and `conversations.history`, and behaves as badly as it is told.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "shared by tests, each of which uses a part; a test may panic"
)]

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

pub const TOKEN: &str = "xoxb-1-canary-bot";
pub const CHANNEL: &str = "C024BE7LR";

/// What is wrong with the next calls, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// This status; with seconds to wait, where given.
    Status(u16, Option<u64>),
    /// 200 with this word; with seconds to wait, where given.
    Says(&'static str, Option<u64>),
    /// Does what is asked, and never answers.
    Hangs,
    /// Never answers, and does nothing.
    Deaf,
}

#[derive(Debug, Clone)]
pub struct Message {
    pub ts: String,
    pub body: Value,
    pub thread: Option<String>,
    pub edits: usize,
    pub at: Instant,
}

impl Message {
    pub fn text(&self) -> &str {
        self.body["text"].as_str().unwrap()
    }
}

#[derive(Debug, Default)]
struct State {
    messages: Vec<Message>,
    /// Calls by method, also those that were refused.
    calls: Vec<(String, String)>,
    troubles: BTreeMap<String, VecDeque<Trouble>>,
    /// What was against the reference.
    faults: Vec<String>,
    count: u64,
}

#[derive(Debug, Clone)]
pub struct Slack {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// `key` of the metadata of a message.
pub fn key(message: &Message) -> Option<&str> {
    message.body["metadata"]["event_payload"]["key"].as_str()
}

impl Slack {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let slack = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::default(),
        };
        let own = slack.clone();
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = own.clone();
                thread::spawn(move || drop(own.serve(stream)));
            }
        });
        slack
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn trouble(&self, method: &str, troubles: &[Trouble]) {
        self.with(|state| {
            let queue = state.troubles.entry(method.to_owned()).or_default();
            queue.extend(troubles);
        });
    }

    pub fn calls(&self, method: &str) -> usize {
        self.with(|state| state.calls.iter().filter(|call| call.0 == method).count())
    }

    pub fn messages(&self) -> Vec<Message> {
        self.with(|state| state.messages.clone())
    }

    /// Messages that begin a case or stand by themselves.
    pub fn firsts(&self) -> Vec<Message> {
        let all = self.messages().into_iter();
        all.filter(|message| message.thread.is_none()).collect()
    }

    pub fn replies(&self, of: &Message) -> Vec<Message> {
        let all = self.messages().into_iter();
        all.filter(|message| message.thread.as_ref() == Some(&of.ts))
            .collect()
    }

    pub fn delete(&self, ts: &str) {
        self.with(|state| state.messages.retain(|message| message.ts != ts));
    }

    /// People talk in the channel too.
    pub fn chatter(&self, count: usize) {
        self.with(|state| {
            for _ in 0..count {
                state.say(json!({"text": "hello", "user": "U1"}), None);
            }
        });
    }

    /// Nothing was against the reference.
    pub fn was_obeyed(&self) {
        let faults = self.with(|state| state.faults.clone());
        assert!(faults.is_empty(), "{faults:#?}");
    }

    pub fn until(
        &self,
        what: &str,
        patience: Duration,
        is_right: impl Fn(&[Message]) -> bool,
    ) -> Vec<Message> {
        let deadline = Instant::now() + patience;
        loop {
            let messages = self.messages();
            if is_right(&messages) {
                return messages;
            }
            assert!(
                Instant::now() < deadline,
                "{what}: never; {:#?}\nfaults: {:#?}",
                messages
                    .iter()
                    .map(|m| (&m.ts, &m.thread, m.text()))
                    .collect::<Vec<_>>(),
                self.with(|state| state.faults.clone()),
            );
            thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut stream = stream;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let words: Vec<&str> = line.split(' ').collect();
            let (verb, target) = (words[0].to_owned(), words[1].to_owned());
            let mut headers = BTreeMap::new();
            loop {
                let mut header = String::new();
                reader.read_line(&mut header)?;
                let Some((name, value)) = header.trim_end().split_once(':') else {
                    break;
                };
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
            let length = headers
                .get("content-length")
                .map_or(0, |l| l.parse().unwrap());
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            let (path, query) = target.split_once('?').unwrap_or((&target, ""));
            let method = path.strip_prefix("/api/").unwrap_or("?").to_owned();
            let trouble = self.with(|state| {
                state.calls.push((method.clone(), query.to_owned()));
                state
                    .troubles
                    .get_mut(&method)
                    .and_then(VecDeque::pop_front)
            });
            let mut limited = String::new();
            let mut status = 200;
            let answer = match trouble {
                Some(Trouble::Deaf) => return hang(&stream),
                Some(Trouble::Status(code, after)) => {
                    status = code;
                    limited = after.map_or_else(String::new, |s| format!("retry-after: {s}\r\n"));
                    json!({"ok": false, "error": "ratelimited"})
                }
                Some(Trouble::Says(word, after)) => {
                    limited = after.map_or_else(String::new, |s| format!("retry-after: {s}\r\n"));
                    json!({"ok": false, "error": word})
                }
                Some(Trouble::Hangs) | None => {
                    let asked = (verb.as_str(), method.as_str());
                    let answer = self.with(|state| state.answer(asked, query, &headers, &body));
                    if trouble == Some(Trouble::Hangs) {
                        return hang(&stream);
                    }
                    answer
                }
            };
            let text = answer.to_string();
            write!(
                stream,
                "HTTP/1.1 {status} X\r\n{limited}content-type: application/json\r\n\
                 content-length: {}\r\n\r\n{text}",
                text.len()
            )?;
        }
    }
}

/// Until the other side gives up.
fn hang(stream: &TcpStream) -> std::io::Result<()> {
    let mut stream = stream.try_clone()?;
    let mut byte = [0];
    drop(stream.read(&mut byte));
    Ok(())
}

fn no(word: &str) -> Value {
    json!({"ok": false, "error": word})
}

impl State {
    fn answer(
        &mut self,
        (verb, method): (&str, &str),
        query: &str,
        headers: &BTreeMap<String, String>,
        body: &[u8],
    ) -> Value {
        if headers.get("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return no("invalid_auth");
        }
        let result = match (verb, method) {
            ("GET", "conversations.history") => self.history(query),
            ("POST", "chat.postMessage" | "chat.update") => {
                let kind = headers.get("content-type").map(String::as_str);
                if kind == Some("application/json; charset=utf-8") {
                    self.write(method, body)
                } else {
                    Err("missing_charset".to_owned())
                }
            }
            _ => Err("unknown_method".to_owned()),
        };
        result.unwrap_or_else(|word| {
            if !word.ends_with("_not_found") {
                self.faults.push(format!("{method} {query}: {word}"));
            }
            no(&word)
        })
    }

    fn say(&mut self, body: Value, thread: Option<String>) -> String {
        self.count += 1;
        let second = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        let ts = format!("{}.{:06}", second.as_secs(), self.count);
        self.messages.push(Message {
            ts: ts.clone(),
            body,
            thread,
            edits: 0,
            at: Instant::now(),
        });
        ts
    }

    fn write(&mut self, method: &str, body: &[u8]) -> Result<Value, String> {
        let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let allowed: &[&str] = match method {
            "chat.update" => &["channel", "ts", "text", "blocks", "parse", "metadata"],
            _ => &[
                "channel",
                "text",
                "mrkdwn",
                "unfurl_links",
                "unfurl_media",
                "blocks",
                "metadata",
                "thread_ts",
                "reply_broadcast",
            ],
        };
        let fields = body.as_object().ok_or("no object")?;
        if let Some(key) = fields.keys().find(|key| !allowed.contains(&key.as_str())) {
            return Err(format!("invalid_arguments: {key}"));
        }
        if body["channel"] != CHANNEL {
            return Err("channel_not_found".to_owned());
        }
        blocks(&body)?;
        metadata(&body["metadata"])?;
        let known = |ts: &str| self.messages.iter().position(|message| message.ts == ts);
        if method == "chat.update" {
            let at = known(body["ts"].as_str().ok_or("no ts")?).ok_or("message_not_found")?;
            let message = &mut self.messages[at];
            message.body = body;
            message.edits += 1;
            return Ok(json!({"ok": true, "channel": CHANNEL, "ts": message.ts}));
        }
        let thread = body["thread_ts"].as_str().map(str::to_owned);
        if let Some(thread) = &thread {
            known(thread).ok_or("thread_not_found")?;
        }
        let ts = self.say(body, thread);
        Ok(json!({"ok": true, "channel": CHANNEL, "ts": ts, "message": {"ts": ts}}))
    }

    fn history(&self, query: &str) -> Result<Value, String> {
        let url = reqwest::Url::parse(&format!("http://x/?{query}")).unwrap();
        let pairs: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let allowed = [
            "channel",
            "oldest",
            "limit",
            "include_all_metadata",
            "cursor",
        ];
        if let Some(key) = pairs.keys().find(|key| !allowed.contains(&key.as_str())) {
            return Err(format!("invalid_arguments: {key}"));
        }
        if pairs["channel"] != CHANNEL {
            return Err("channel_not_found".to_owned());
        }
        let limit: usize = pairs["limit"].parse().map_err(|_| "invalid_limit")?;
        if !(1..=999).contains(&limit) {
            return Err("invalid_limit".to_owned());
        }
        let oldest: u64 = pairs["oldest"].parse().map_err(|_| "invalid_ts_oldest")?;
        let second = |ts: &str| -> u64 { ts.split_once('.').unwrap().0.parse().unwrap() };
        let from: usize = match pairs.get("cursor") {
            Some(cursor) => cursor.parse().map_err(|_| "invalid_cursor")?,
            None => 0,
        };
        let shown = |message: &&Message| {
            let is_shown = message.thread.is_none() || message.body["reply_broadcast"] == true;
            is_shown && second(&message.ts) >= oldest
        };
        let all: Vec<&Message> = self.messages.iter().rev().filter(shown).collect();
        let page: Vec<Value> = all
            .iter()
            .skip(from)
            .take(limit)
            .map(|message| {
                let mut told = json!({"type": "message", "ts": message.ts,
                    "text": message.body["text"]});
                let has_replies = self
                    .messages
                    .iter()
                    .any(|m| m.thread.as_ref() == Some(&message.ts));
                if let Some(thread) = &message.thread {
                    told["thread_ts"] = json!(thread);
                } else if has_replies {
                    told["thread_ts"] = json!(message.ts);
                }
                let wanted = pairs.get("include_all_metadata").map(String::as_str) == Some("true");
                if wanted && message.body["metadata"].is_object() {
                    told["metadata"] = message.body["metadata"].clone();
                }
                told
            })
            .collect();
        let next = from + page.len();
        let has_more = next < all.len();
        let cursor = if has_more {
            next.to_string()
        } else {
            String::new()
        };
        Ok(json!({"ok": true, "messages": page, "has_more": has_more,
            "response_metadata": {"next_cursor": cursor}}))
    }
}

/// The limits of Block Kit.
fn blocks(body: &Value) -> Result<(), String> {
    let text = |text: &Value, most: usize| -> Result<(), String> {
        let count = text["text"].as_str().ok_or("no text")?.chars().count();
        let fields = text.as_object().ok_or("no text")?;
        let is_known = fields
            .keys()
            .all(|key| ["type", "text", "emoji"].contains(&key.as_str()));
        if !(1..=most).contains(&count) || !is_known {
            return Err(format!("invalid_blocks: {text}"));
        }
        Ok(())
    };
    let blocks = body["blocks"].as_array().ok_or("no_blocks")?;
    if !(1..=50).contains(&blocks.len()) || body["text"].as_str().is_none_or(str::is_empty) {
        return Err("invalid_blocks".to_owned());
    }
    for block in blocks {
        match (block["type"].as_str(), block["fields"].as_array()) {
            (Some("header"), None) => text(&block["text"], 150)?,
            (Some("section"), None) => text(&block["text"], 3_000)?,
            (Some("section"), Some(fields)) if (1..=10).contains(&fields.len()) => {
                fields.iter().try_for_each(|field| text(field, 2_000))?;
            }
            (Some("context"), None) => {
                let elements = block["elements"].as_array().ok_or("no elements")?;
                if !(1..=10).contains(&elements.len()) {
                    return Err("invalid_blocks: elements".to_owned());
                }
                elements
                    .iter()
                    .try_for_each(|element| text(element, 2_000))?;
            }
            _ => return Err(format!("invalid_blocks: {block}")),
        }
    }
    Ok(())
}

/// A type and a flat payload, where there is any.
fn metadata(metadata: &Value) -> Result<(), String> {
    if metadata.is_null() {
        return Ok(());
    }
    let wrong = || "invalid_metadata_format".to_owned();
    let fields = metadata.as_object().ok_or_else(wrong)?;
    let is_known = fields
        .keys()
        .all(|key| ["event_type", "event_payload"].contains(&key.as_str()));
    let kind = metadata["event_type"].as_str().ok_or_else(wrong)?;
    let payload = metadata["event_payload"].as_object().ok_or_else(wrong)?;
    let is_flat = payload
        .values()
        .all(|value| value.is_string() || value.is_number());
    if is_known && is_flat && kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        Ok(())
    } else {
        Err(wrong())
    }
}
