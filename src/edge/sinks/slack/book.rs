//! What is known of a channel of Slack: the messages of cases, and how far it was read.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;
use serde_json::Value;

use crate::deliver::encode::slack::bot::EVENT_TYPE;

/// Messages that are remembered: a day of them at three a minute.
pub(super) const KEPT_MAX: usize = 5_000;

/// What is known of the channel.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) shown: BTreeMap<String, Shown>,
    /// Keys in the order in which they came to be known: the first are forgotten first.
    pub(super) order: VecDeque<String>,
    /// Up to when the channel was read, s.
    pub(super) read_to_s: Option<i64>,
    /// A look back that is not at its end.
    pub(super) look: Option<Look>,
}

/// A look back, the newest first.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) oldest_s: i64,
    pub(super) newest_s: Option<i64>,
    pub(super) cursor: String,
    pub(super) pages: usize,
}

/// The message of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) ts: Ts,
    /// What it shows.
    pub(super) revision: u64,
    /// Up to which revision there are replies.
    pub(super) replied: u64,
    /// Whether it was posted from here: then it is the right one.
    pub(super) is_own: bool,
}

/// A moment as Slack writes it, which is the id of a message in its channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ts {
    pub(super) text: String,
    pub(super) second: i64,
    pub(super) rest: i64,
}

impl Ts {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (second, rest) = text.split_once('.')?;
        Some(Self {
            text: text.to_owned(),
            second: second.parse().ok()?,
            rest: rest.parse().ok()?,
        })
    }
}

impl Shown {
    pub(super) const fn own(ts: Ts, revision: u64) -> Self {
        Self {
            ts,
            revision,
            replied: revision,
            is_own: true,
        }
    }
}

impl Book {
    pub(super) fn keep(&mut self, key: &str, shown: Shown) {
        if self.shown.insert(key.to_owned(), shown).is_none() {
            self.order.push_back(key.to_owned());
        }
        while self.order.len() > KEPT_MAX {
            let oldest = self.order.pop_front();
            oldest.and_then(|oldest| self.shown.remove(&oldest));
        }
    }

    /// Takes in what stands in the channel.
    pub(super) fn found(&mut self, key: &str, found: Shown) {
        let age = |shown: &Shown| (shown.ts.second, shown.ts.rest);
        match self.shown.get_mut(key) {
            Some(known) if known.ts == found.ts => {
                known.revision = known.revision.max(found.revision);
            }
            Some(known) if known.is_own || age(known) < age(&found) => {}
            Some(_) | None => self.keep(key, found),
        }
    }

    pub(super) fn change(&mut self, key: &str, change: impl FnOnce(&mut Shown)) {
        self.shown.get_mut(key).map(change);
    }

    pub(super) fn forget(&mut self, key: &str) {
        self.shown.remove(key);
        self.order.retain(|kept| kept != key);
    }
}

/// A page of `conversations.history`, of which the rest is not read.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    pub(super) messages: Vec<Found>,
    pub(super) response_metadata: Option<Paging>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Paging {
    pub(super) next_cursor: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Found {
    pub(super) ts: String,
    pub(super) thread_ts: Option<String>,
    pub(super) metadata: Option<Value>,
}

impl Found {
    pub(super) fn second(&self) -> Option<i64> {
        Ts::read(&self.ts).map(|ts| ts.second)
    }

    /// The case whose message it is, if it is one of this sink.
    pub(super) fn of(&self, sink: &str) -> Option<(String, Shown)> {
        let is_reply = self.thread_ts.as_ref().is_some_and(|of| *of != self.ts);
        let metadata = self.metadata.as_ref()?;
        let payload = metadata.get("event_payload")?;
        let is_ours = metadata.get("event_type")? == EVENT_TYPE && payload.get("sink")? == sink;
        if is_reply || !is_ours {
            return None;
        }
        let revision = payload.get("revision")?.as_u64()?;
        let shown = Shown {
            ts: Ts::read(&self.ts)?,
            revision,
            replied: revision,
            is_own: false,
        };
        Some((payload.get("key")?.as_str()?.to_owned(), shown))
    }
}
