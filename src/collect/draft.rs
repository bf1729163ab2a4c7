//! What every mapper needs to draft an event: derived ids, times with their fall-back, roles, and
//! look-ups that forgive the case of keys.

use sha2::{Digest, Sha256};
use smol_str::SmolStr;

use crate::collect::event::{
    Agent, AgentKind, Correlation, Domain, Event, EventId, Handle, HandleKind, Reason,
    ReasonQuality, Role,
};
use crate::collect::mapped::{MappedEvent, TextPart};
use crate::collect::parse::Value;
use crate::collect::present::present;
use crate::collect::record::Record;
use crate::collect::setup::SourceSetup;
use crate::collect::time::{MINUTE_MS, TimeQuality, Timestamp, epoch, parse_time};
use crate::collect::unwrap::Delivery;

pub use crate::collect::action::Action;

/// Keys written by pipelines on the way: two deliveries of one event differ in them.
const RECEIVE_KEYS: [&str; 9] = [
    "@timestamp",
    "@version",
    "ingest_ts",
    "ingest_time",
    "ingested",
    "received_at",
    "receive_time",
    "event_received_time",
    "observed_time",
];
/// Longest free text kept in an event, in characters.
const KEPT_CHARS: usize = 256;

/// The value at a dotted path, ignoring the case of keys.
pub(crate) fn at<'t>(value: Value<'t>, path: &str) -> Option<Value<'t>> {
    path.split('.').try_fold(value, |value, key| {
        if value.is_array() {
            value.items().nth(key.parse().ok()?)
        } else {
            value.get_any_case(key)
        }
    })
}

/// The text at a dotted path; `None` for the words that mean nothing.
pub(crate) fn text(value: Value<'_>, path: &str) -> Option<SmolStr> {
    Some(at(value, path)?.text()?.into())
}

/// The text of a value, if there is one and it says something.
pub(crate) fn word(value: Option<Value<'_>>) -> Option<SmolStr> {
    Some(value?.text()?.into())
}

/// An address without port and brackets, where it has them: `203.0.113.9:8085`, `[2001:db8::1]:443`.
pub(crate) fn bare_ip(words: SmolStr) -> SmolStr {
    let bracketed = words.strip_prefix('[').and_then(|w| w.split_once(']'));
    let bare = match (bracketed, words.rsplit_once(':')) {
        (Some((inside, _)), _) => inside,
        (None, Some((front, port))) if port.bytes().all(|b| b.is_ascii_digit()) => front,
        (None, _) => return words,
    };
    let is_port = bracketed.is_some() || bare.parse::<core::net::Ipv4Addr>().is_ok();
    if is_port && bare.parse::<core::net::IpAddr>().is_ok() {
        bare.into()
    } else {
        words
    }
}

/// A struct of the values of an object that a mapper asks for, and its `of`, which finds them in one walk.
macro_rules! picked {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $key:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        struct $name<'t> {
            $($field: Option<Value<'t>>,)+
        }

        impl<'t> $name<'t> {
            fn of(value: Value<'t>) -> Self {
                static KEYS: Keys<{ [$($key),+].len() }> = Keys::new([$($key),+]);
                let [$($field),+] = value.pick(&KEYS);
                Self { $($field),+ }
            }
        }
    };
}
pub(crate) use picked;

/// What says something, boxed.
pub(crate) fn filled<T: Default + PartialEq>(value: T) -> Option<Box<T>> {
    (value != T::default()).then(|| Box::new(value))
}

/// What belongs to one transaction of the vendor.
pub(crate) fn transaction(native_txn: Option<SmolStr>) -> Option<Box<Correlation>> {
    filled(Correlation {
        native_txn,
        session: None,
    })
}

/// The time a value tells, as text or epoch number.
pub(crate) fn moment(value: Value<'_>) -> Option<(Timestamp, TimeQuality)> {
    match value.as_str() {
        Some(words) => parse_time(present(words)?),
        None => epoch(value.as_i64()?),
    }
}

/// The first 256 characters of a text.
pub(crate) fn cut(words: &str) -> SmolStr {
    if words.len() <= KEPT_CHARS {
        return words.into();
    }
    words.chars().take(KEPT_CHARS).collect()
}

/// Bytes of a short hash.
const SHORT_HASH_BYTES: usize = 8;

/// First 16 hexadecimal characters of the SHA-256 of a text.
pub(crate) fn short_hash(words: &str) -> SmolStr {
    let digest: [u8; 32] = Sha256::digest(words.as_bytes()).into();
    let (front, _) = digest.split_at(SHORT_HASH_BYTES);
    hex::encode(front).into()
}

/// The id of an event: the first 128 bits of SHA-256 over its parts, each length-prefixed.
#[must_use]
pub fn event_id(tenant: &str, product: &str, native: &str, part: u32) -> EventId {
    let mut hash = Sha256::new();
    let part = part.to_string();
    for piece in [tenant, product, native, part.as_str()] {
        hash.update(u64::try_from(piece.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(piece.as_bytes());
    }
    let digest = hash.finalize();
    let mut id = [0_u8; 16];
    for (to, from) in id.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    EventId(id)
}

/// One rendering of a value for all its deliveries: keys sorted, receive-time fields left out.
#[must_use]
pub fn canonical_text(value: Value<'_>) -> String {
    let mut out = String::new();
    render(value, &mut out);
    out
}

fn render(value: Value<'_>, out: &mut String) {
    if value.is_object() {
        let mut entries: Vec<_> = value
            .entries()
            .filter(|(key, _)| !RECEIVE_KEYS.contains(key))
            .collect();
        entries.sort_by_key(|(key, _)| *key);
        entries.dedup_by_key(|(key, _)| *key);
        out.push('{');
        for (key, value) in entries {
            quote(key, out);
            out.push(':');
            render(value, out);
            out.push(',');
        }
        out.push('}');
    } else if value.is_array() {
        out.push('[');
        for item in value.items() {
            render(item, out);
            out.push(',');
        }
        out.push(']');
    } else if let Some(words) = value.as_str() {
        quote(words, out);
    } else {
        out.push_str(value.text().as_deref().unwrap_or("null"));
    }
}

fn quote(words: &str, out: &mut String) {
    out.push_str(&words.len().to_string());
    out.push('"');
    out.push_str(words);
}

/// Everything known around one item while it is mapped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) record: &'a Record<'a>,
    pub(crate) setup: &'a SourceSetup,
    pub(crate) delivery: Delivery<'a>,
    pub(crate) item: Value<'a>,
}

impl Around<'_> {
    /// An event without what the vendor says: id, source and time.
    pub(crate) fn event(
        &self,
        what: (Domain, Action, &str),
        native: Option<&str>,
        part: u32,
        time: Option<(Timestamp, TimeQuality)>,
    ) -> Event {
        let (domain, action, feed) = what;
        let ingest_ts = self.record.ingest_ts;
        let (said, quality) = time.unwrap_or((ingest_ts, TimeQuality::RecordFallback));
        let mut event = Event::new(domain, action, said);
        event.time_quality = quality;
        event.ingest_ts = ingest_ts;
        self.clamp(&mut event);
        self.stamp(&mut event, feed);
        event.observed_time = self.envelope_time().map(|(time, _)| time);
        event.event_id = match native {
            Some(native) => self.id(native, part),
            None => self.id(&canonical_text(self.item), part),
        };
        event
    }

    /// The id of one event of this source.
    pub(crate) fn id(&self, native: &str, part: u32) -> EventId {
        let product = self.setup.product.as_str();
        event_id(&self.setup.tenant, product, native, part)
    }

    /// The time of the envelope.
    pub(crate) fn envelope_time(&self) -> Option<(Timestamp, TimeQuality)> {
        self.delivery.time.and_then(parse_time)
    }

    /// Puts a time more than 5 min ahead of its record back to that of the record.
    pub(crate) fn clamp(&self, event: &mut Event) {
        let ingest = self.record.ingest_ts;
        if ingest.0 > 0 && event.time > ingest.plus(5 * MINUTE_MS) {
            event.time = ingest;
            event.clock_clamped = true;
        }
    }

    /// Writes where the event came from.
    pub(crate) fn stamp(&self, event: &mut Event, feed: &str) {
        let source = &mut event.source;
        source.system = self.setup.name.as_str().into();
        source.product = self.setup.product.as_str().into();
        source.feed = feed.into();
        source.topic = self.record.topic.into();
        source.partition = self.record.partition;
        source.offset = self.record.offset;
    }

    /// A handle whose kind is issued by this source.
    pub(crate) fn issued(&self, kind: HandleKind, value: impl Into<SmolStr>) -> Handle {
        Handle {
            issuer: Some(self.setup.issuer().into()),
            ..handle(kind, value)
        }
    }
}

/// A handle of a kind.
pub(crate) fn handle(kind: HandleKind, value: impl Into<SmolStr>) -> Handle {
    Handle {
        kind,
        value: value.into(),
        masked: None,
        issuer: None,
    }
}

/// An address where it looks like one, else a name of kind `other`.
pub(crate) fn address_or(kind: HandleKind, value: SmolStr) -> Handle {
    if value.contains('@') {
        handle(HandleKind::Email, value)
    } else {
        handle(kind, value)
    }
}

/// What a customer's field says of a person: address, number of a telephone, employee id.
pub(crate) fn stated_person(value: SmolStr) -> Handle {
    if value.starts_with('+') {
        handle(HandleKind::Phone, value)
    } else {
        address_or(HandleKind::EmployeeId, value)
    }
}

/// A role with these handles; `None` without any.
pub(crate) fn role(handles: Vec<Handle>) -> Option<Box<Role>> {
    (!handles.is_empty()).then(|| {
        Box::new(Role {
            handles,
            ..Role::default()
        })
    })
}

/// Facts of an agent of a kind.
pub(crate) fn agent_kind(kind: AgentKind) -> Box<Agent> {
    Box::new(Agent {
        kind,
        ..Agent::default()
    })
}

/// What is kept of a stated reason: a code where it is one, else only its hash and how good it is.
pub(crate) fn reason_of(words: &str) -> Box<Reason> {
    const EMPTY_PHRASES: [&str; 10] = [
        "per user request",
        "user request",
        "as requested",
        "see ticket",
        "see notes",
        "urgent",
        "override",
        "approved",
        "test",
        "n.a.",
    ];
    let words = words.trim();
    let is_code = words.len() <= 40
        && words.contains(['_', '-'])
        && words
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    let quality = match words.chars().count() {
        0 => ReasonQuality::Empty,
        _ if EMPTY_PHRASES.iter().any(|p| words.eq_ignore_ascii_case(p)) => {
            ReasonQuality::StopListed
        }
        _ if is_code => ReasonQuality::Structured,
        1..12 => ReasonQuality::Short,
        _ => ReasonQuality::Text,
    };
    Box::new(Reason {
        code: is_code.then(|| words.into()),
        quality: Some(quality),
        hash: Some(short_hash(words)),
    })
}

/// An event with its native id and the texts to be read beside it.
pub(crate) fn mapped(event: Event, native: Option<&str>, texts: Vec<TextPart>) -> MappedEvent {
    MappedEvent {
        event,
        native_id: native.map(SmolStr::from),
        texts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::parse::{Tape, parse};

    fn canonical(json: &str) -> String {
        canonical_text(parse(&mut Tape::default(), json.as_bytes()).unwrap())
    }

    #[test]
    fn ids_are_length_prefixed_and_stable() {
        assert_eq!(event_id("a", "b", "c", 0), event_id("a", "b", "c", 0));
        assert_ne!(event_id("a", "bc", "", 0), event_id("ab", "c", "", 0));
        assert_ne!(event_id("a", "b", "c", 0), event_id("a", "b", "c", 1));
    }

    #[test]
    fn one_event_renders_alike_however_it_came() {
        let first = canonical(r#"{"b":[1,"x"],"a":null,"@timestamp":"1"}"#);
        assert_eq!(
            first,
            canonical(r#"{"a":null,"@timestamp":"2","b":[1,"\u0078"]}"#)
        );
        assert_ne!(first, canonical(r#"{"a":null,"b":["1","x"]}"#));
    }

    #[test]
    fn addresses_lose_their_ports_alone() {
        for (written, bare) in [
            ("203.0.113.9:8085", "203.0.113.9"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:db8::443", "2001:db8::443"),
            ("203.0.113.9", "203.0.113.9"),
            ("host.example:443", "host.example:443"),
        ] {
            assert_eq!(bare_ip(written.into()), bare);
        }
    }

    #[test]
    fn reasons_are_graded() {
        let quality = |words| reason_of(words).quality.unwrap();
        assert_eq!(quality("VIP_ESCALATION"), ReasonQuality::Structured);
        assert_eq!(quality("see ticket"), ReasonQuality::StopListed);
        assert_eq!(quality("hurry"), ReasonQuality::Short);
        assert_eq!(quality("manager confirmed by video"), ReasonQuality::Text);
    }
}
