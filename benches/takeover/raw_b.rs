//! RAW-B: what somebody would write by hand in a day. Consume, parse with serde into borrowed
//! structs of exactly the fields needed, one keyed pattern of three steps in a hash map, a
//! transaction every 100 ms with the offsets, no changelog. Texts are read by the same scorer.

use crate::broker::{MARK, QUERY_TIMEOUT};
use clap::Args;
use deskwarden::collect::text::{Lexicon, Speaker};
use deskwarden::collect::time::MINUTE_MS;
use deskwarden::edge::clock;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::{ClientConfig, Message};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;
use std::thread;
use std::time::Duration;

/// The steps must follow each other within this.
const WITHIN_MS: i64 = 30 * MINUTE_MS;
/// Messages between two looks at the clock.
const LOOK_EVERY: u32 = 64;

/// Options of the process.
#[derive(Debug, Args)]
pub(crate) struct RawB {
    #[arg(long)]
    brokers: String,
    /// Consumer group, and transactional id.
    #[arg(long)]
    group: String,
    /// Topic of the alerts.
    #[arg(long)]
    output: String,
    /// Source topics.
    #[arg(long = "topic", required = true)]
    topics: Vec<String>,
    #[arg(long, default_value_t = 100)]
    commit_ms: u64,
    /// Only the hop: parse nothing, forward what is marked, commit as soon as something was.
    #[arg(long)]
    bare: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Okta<'a> {
    #[serde(borrow)]
    uuid: Cow<'a, str>,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    published: Cow<'a, str>,
    #[serde(borrow)]
    actor: Named<'a>,
    #[serde(borrow)]
    target: Option<Vec<Named<'a>>>,
    #[serde(borrow)]
    outcome: Outcome<'a>,
    #[serde(borrow)]
    client: Client<'a>,
    #[serde(borrow)]
    device: Option<Thing<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    alternate_id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Outcome<'a> {
    #[serde(borrow)]
    result: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Client<'a> {
    #[serde(borrow)]
    ip_address: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Thing<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Incident<'a> {
    #[serde(borrow)]
    caller_id: Reference<'a>,
    #[serde(borrow)]
    short_description: Cow<'a, str>,
    #[serde(borrow)]
    description: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow)]
    value: Cow<'a, str>,
}

/// A contact event, a transcript or a contact record.
#[derive(Deserialize)]
struct Contact<'a> {
    #[serde(borrow)]
    detail: Option<Detail<'a>>,
    #[serde(rename = "ContactId", borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(rename = "Segments", borrow, default)]
    segments: Vec<Segment<'a>>,
    #[serde(rename = "Attributes", borrow)]
    attributes: Option<Attributes<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    #[serde(borrow)]
    contact_id: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes<'a> {
    #[serde(borrow)]
    employee_id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Segment<'a> {
    #[serde(rename = "Transcript", borrow)]
    transcript: Option<Transcript<'a>>,
}

#[derive(Deserialize)]
struct Transcript<'a> {
    #[serde(rename = "Content", borrow)]
    content: Cow<'a, str>,
}

/// What is remembered of an identity.
#[derive(Default)]
struct State {
    step: u8,
    since_ms: i64,
    pressure_pct: u8,
    ip: String,
}

/// The pattern over all identities.
struct Pattern {
    states: HashMap<String, State>,
    lexicon: Lexicon,
}

/// Milliseconds of `2026-03-02T09:00:00.000Z`; the form never varies.
fn millis(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    // Days since 1970-03-01 in years that begin with March.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let clock = (number(11, 13)? * 60 + number(14, 16)?) * 60 + number(17, 19)?;
    Some((days * 86_400 + clock) * 1_000 + number(20, 23)?)
}

impl Pattern {
    fn state(&mut self, identity: &str) -> &mut State {
        if !self.states.contains_key(identity) {
            self.states.insert(identity.to_owned(), State::default());
        }
        self.states.get_mut(identity).unwrap()
    }

    fn read(&mut self, identity: &str, text: &str) {
        let pressure = self
            .lexicon
            .read(text, Speaker::Requester)
            .pressure
            .score_pct;
        let state = self.state(identity);
        state.pressure_pct = state.pressure_pct.max(pressure);
    }

    /// The alert of an event that completes the pattern.
    fn okta(&mut self, json: &[u8]) -> Option<(String, String)> {
        let event: Okta<'_> = serde_json::from_slice(json).ok()?;
        let targets = event.target.as_deref().unwrap_or_default();
        let user = targets.iter().find(|target| target.kind == "User");
        let who = &user.unwrap_or(&event.actor).alternate_id;
        let by_other = *who != event.actor.alternate_id;
        let at = millis(&event.published)?;
        let state = self.state(who);
        if state.ip != event.client.ip_address {
            state.ip.clear();
            state.ip.push_str(&event.client.ip_address);
        }
        let wanted = match &*event.event_type {
            "user.account.reset_password" if by_other => 1,
            "user.mfa.factor.reset_all" if by_other => 2,
            "user.mfa.factor.activate" => 3,
            _ => 0,
        };
        if event.outcome.result != "SUCCESS" || wanted == 0 {
            return None;
        }
        let follows = wanted == state.step + 1 && at - state.since_ms <= WITHIN_MS;
        if wanted == 1 {
            (state.step, state.since_ms) = (1, at);
        } else if follows {
            state.step = wanted;
        }
        if !follows || wanted != 3 {
            return None;
        }
        state.step = 0;
        let device = event.device.as_ref().map_or("", |device| &device.id);
        let alert = format!(
            r#"{{"identity":"{who}","evidence":"{}","device":"{device}","pressure":{}}}"#,
            event.uuid, state.pressure_pct,
        );
        Some((who.clone().into_owned(), alert))
    }

    fn incident(&mut self, json: &[u8]) {
        let Ok(row) = serde_json::from_slice::<Incident<'_>>(json) else {
            return;
        };
        self.read(&row.caller_id.value, &row.short_description);
        self.read(&row.caller_id.value, &row.description);
    }

    fn contact(&mut self, json: &[u8]) {
        let Ok(record) = serde_json::from_slice::<Contact<'_>>(json) else {
            return;
        };
        let event = record.detail.as_ref().map(|detail| &detail.contact_id);
        let Some(id) = event.or(record.id.as_ref()) else {
            return;
        };
        for said in record.segments.iter().filter_map(|s| s.transcript.as_ref()) {
            self.read(id, &said.content);
        }
        let about = record
            .attributes
            .as_ref()
            .and_then(|a| a.employee_id.as_ref());
        self.state(about.unwrap_or(id));
    }
}

fn consumer(options: &RawB) -> BaseConsumer {
    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &options.brokers)
        .set("group.id", &options.group)
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("fetch.queue.backoff.ms", "2")
        .set("queued.max.messages.kbytes", "16384")
        .set("queued.min.messages", "10000")
        .set("fetch.message.max.bytes", "1048576")
        .create()
        .unwrap();
    let topics: Vec<&str> = options.topics.iter().map(String::as_str).collect();
    client.subscribe(&topics).unwrap();
    client
}

fn producer(options: &RawB) -> BaseProducer {
    let client: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &options.brokers)
        .set("transactional.id", &options.group)
        .set("linger.ms", "0")
        .set("retry.backoff.ms", "10")
        .set("compression.type", "zstd")
        .create()
        .unwrap();
    client.init_transactions(QUERY_TIMEOUT).unwrap();
    client
}

/// What goes into the open transaction.
struct Output {
    producer: BaseProducer,
    /// Topic, partition and next offset; a handful, so a list is fastest.
    offsets: Vec<(String, i32, i64)>,
    alerts: u32,
}

impl Output {
    fn emit(&mut self, topic: &str, key: &str, value: &str) {
        let record = BaseRecord::to(topic).key(key).payload(value);
        let sent = self.producer.send(record);
        sent.map_err(|(error, _)| error).unwrap();
        self.alerts += 1;
    }

    fn note(&mut self, message: &BorrowedMessage<'_>) {
        let (topic, number) = (message.topic(), message.partition());
        let next = message.offset() + 1;
        let known = self
            .offsets
            .iter_mut()
            .find(|(t, n, _)| *n == number && t == topic);
        match known {
            Some((.., offset)) => *offset = next,
            None => self.offsets.push((topic.to_owned(), number, next)),
        }
    }

    /// Commits what was produced and the offsets. Drained first: the client would poll in slices of
    /// 100 ms.
    fn commit(&mut self, consumer: &BaseConsumer) {
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::ZERO);
            thread::sleep(Duration::from_micros(200));
        }
        let mut list = TopicPartitionList::new();
        for (topic, number, next) in self.offsets.drain(..) {
            list.add_partition_offset(&topic, number, Offset::Offset(next))
                .unwrap();
        }
        let group = consumer.group_metadata().unwrap();
        self.producer
            .send_offsets_to_transaction(&list, &group, QUERY_TIMEOUT)
            .unwrap();
        self.producer.commit_transaction(QUERY_TIMEOUT).unwrap();
        self.producer.begin_transaction().unwrap();
        self.alerts = 0;
    }
}

impl RawB {
    /// Runs until it is killed.
    pub(crate) fn run(&self) {
        let consumer = consumer(self);
        let mut output = Output {
            producer: producer(self),
            offsets: Vec::new(),
            alerts: 0,
        };
        let mut pattern = Pattern {
            states: HashMap::new(),
            lexicon: Lexicon::embedded().unwrap(),
        };
        let every = Duration::from_millis(self.commit_ms);
        let mut committed = clock::monotonic();
        let mut unseen = 0;
        output.producer.begin_transaction().unwrap();
        loop {
            let hurry = self.bare && output.alerts > 0;
            let wait = if hurry { 0 } else { 2 };
            match consumer.poll(Duration::from_millis(wait)) {
                Some(message) => {
                    let message = message.unwrap();
                    if let Some((key, value)) = self.handle(&mut pattern, &message) {
                        output.emit(&self.output, &key, &value);
                    }
                    output.note(&message);
                    unseen += 1;
                    if unseen < LOOK_EVERY {
                        continue;
                    }
                }
                // What was there is gathered: nobody waits for more.
                None if hurry => {
                    output.commit(&consumer);
                    committed = clock::monotonic();
                }
                None => {}
            }
            unseen = 0;
            if committed.elapsed() >= every && !output.offsets.is_empty() {
                output.commit(&consumer);
                committed = clock::monotonic();
            }
        }
    }

    fn handle(
        &self,
        pattern: &mut Pattern,
        message: &BorrowedMessage<'_>,
    ) -> Option<(String, String)> {
        let value = message.payload().unwrap_or_default();
        if self.bare {
            let headers = message.headers()?;
            headers.iter().find(|header| header.key == MARK)?;
            let key = String::from_utf8_lossy(message.key()?).into_owned();
            return Some((key, "{}".to_owned()));
        }
        let topic = message.topic();
        if topic.ends_with("-okta") {
            return pattern.okta(value);
        }
        if topic.ends_with("-servicenow") {
            pattern.incident(value);
        } else {
            pattern.contact(value);
        }
        None
    }
}
