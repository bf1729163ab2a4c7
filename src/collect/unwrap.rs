//! One record value → the items in it. A Kafka record is not an event: envelopes are opened before
//! anything looks for the source, arrays and lines are taken apart, and one bad line rejects itself
//! alone.

use crate::collect::parse::{Keys, Tape, Value, parse_text, well_formed};
use crate::collect::reject::{Reject, RejectReason};
use crate::collect::utf8::text_of;

/// Envelopes within envelopes that are opened.
pub const ENVELOPES_MAX: usize = 4;
/// Most items of one record.
pub const ITEMS_MAX: u32 = 10_000;

/// The reusable memory of [`unwrap`]: one tape for the record, one for each nested text.
#[derive(Debug, Default)]
pub struct Tapes {
    tapes: [Tape; ENVELOPES_MAX + 1],
}

/// What the outermost known envelopes say about the delivery of an item.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delivery<'t> {
    /// Id of the envelope.
    pub id: Option<&'t str>,
    /// Time of the envelope, as written.
    pub time: Option<&'t str>,
    /// EventBridge `detail-type`, CloudEvents `type`.
    pub kind: Option<&'t str>,
    /// EventBridge and CloudEvents `source`.
    pub source: Option<&'t str>,
}

/// One item of a record.
#[derive(Debug)]
pub struct Item<'t> {
    /// Its place after unwrapping, from 0.
    pub index: u32,
    /// The item itself, or why it cannot be read.
    pub value: Result<Value<'t>, Reject>,
    /// Delivery metadata of its envelope.
    pub delivery: Delivery<'t>,
}

/// Hands every item of a record value to `each` and returns how many there were.
pub fn unwrap(bytes: &[u8], tapes: &mut Tapes, each: &mut dyn FnMut(Item<'_>)) -> u32 {
    let mut opener = Opener { next: 0, each };
    opener.record(bytes, &mut tapes.tapes);
    opener.next
}

struct Opener<'e> {
    next: u32,
    each: &'e mut dyn FnMut(Item<'_>),
}

impl Opener<'_> {
    fn give(&mut self, value: Result<Value<'_>, Reject>, delivery: Delivery<'_>) {
        let index = self.next;
        if index > ITEMS_MAX {
            return;
        }
        self.next += 1;
        let value = if index == ITEMS_MAX {
            Err(Reject::new(
                RejectReason::Oversize,
                "more than 10,000 items in one record",
            ))
        } else {
            value
        };
        (self.each)(Item {
            index,
            value,
            delivery,
        });
    }

    fn refuse(&mut self, reject: Reject) {
        self.give(Err(reject), Delivery::default());
    }

    fn record(&mut self, bytes: &[u8], tapes: &mut [Tape]) {
        let body = match body_of(bytes) {
            Ok(body) => body,
            Err(reject) => return self.refuse(reject),
        };
        let Some((tape, rest)) = tapes.split_first_mut() else {
            return;
        };
        let failed = match text_of(body).and_then(|text| parse_text(tape, text)) {
            Ok(value) => return self.open(value, Delivery::default(), 0, rest),
            Err(reject) => reject,
        };
        if failed.reason == RejectReason::Oversize && text_of(body).is_err() || !is_lines(body) {
            return self.refuse(failed);
        }
        for line in body.split(|byte| *byte == b'\n') {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            match text_of(line).and_then(|text| parse_text(tape, text)) {
                Ok(value) => self.open(value, Delivery::default(), 0, rest),
                Err(reject) => self.refuse(reject),
            }
        }
    }

    fn open(&mut self, value: Value<'_>, delivery: Delivery<'_>, depth: usize, rest: &mut [Tape]) {
        let Some((inner, delivery)) = envelope(value, delivery) else {
            return self.give(Ok(value), delivery);
        };
        if depth >= ENVELOPES_MAX {
            return self.give(
                Err(Reject::new(
                    RejectReason::Depth,
                    "more than 4 envelopes within each other",
                )),
                delivery,
            );
        }
        match inner {
            Inner::One(value) => self.open(value, delivery, depth + 1, rest),
            Inner::Each(values) => {
                for value in values.items() {
                    self.open(value, delivery, depth + 1, rest);
                }
            }
            Inner::Text(text) => {
                let Some((tape, rest)) = rest.split_first_mut() else {
                    return self.give(Ok(value), delivery);
                };
                match parse_text(tape, text) {
                    Ok(value) => self.open(value, delivery, depth + 1, rest),
                    Err(reject) => self.give(Err(reject), delivery),
                }
            }
            Inner::Lines(text) => {
                let Some((tape, rest)) = rest.split_first_mut() else {
                    return self.give(Ok(value), delivery);
                };
                for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                    match parse_text(tape, line) {
                        Ok(value) => self.open(value, delivery, depth + 1, rest),
                        Err(reject) => self.give(Err(reject), delivery),
                    }
                }
            }
            Inner::Opaque => self.give(
                Err(Reject::new(
                    RejectReason::UnsupportedEncoding,
                    "binary data within the envelope",
                )),
                delivery,
            ),
        }
    }
}

/// The JSON of a record value: behind the header of the Confluent wire format, if there is one.
fn body_of(bytes: &[u8]) -> Result<&[u8], Reject> {
    let unsupported = |what| Err(Reject::new(RejectReason::UnsupportedEncoding, what));
    if bytes.is_empty() {
        return Err(Reject::new(RejectReason::Decode, "the record has no value"));
    }
    if bytes.starts_with(b"Obj\x01") {
        return unsupported("Avro container: send JSON");
    }
    if bytes.first() != Some(&0) {
        return Ok(bytes);
    }
    match bytes.get(5..) {
        Some(body) if matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) => Ok(body),
        Some(_) | None => unsupported("schema registry framing that is not JSON: Avro or Protobuf"),
    }
}

/// Several lines, at least one of them an object of its own: not one broken document.
fn is_lines(body: &[u8]) -> bool {
    let mut lines = 0;
    let mut objects = 0;
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        lines += usize::from(!line.is_empty());
        objects += usize::from(line.starts_with(b"{") && line.ends_with(b"}"));
    }
    lines > 1 && objects > 0
}

enum Inner<'t> {
    One(Value<'t>),
    Each(Value<'t>),
    Text(&'t str),
    Lines(&'t str),
    Opaque,
}

/// The value inside as it is, or as the JSON text it holds.
fn inner(value: Value<'_>) -> Inner<'_> {
    match value.as_str() {
        Some(text) if is_json(text) => Inner::Text(text),
        Some(_) | None => Inner::One(value),
    }
}

fn is_json(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with('{') && text.ends_with('}')) || (text.starts_with('[') && text.ends_with(']'))
}

/// Keys of which envelopes are known.
static ENVELOPE: Keys<12> = Keys::new([
    "eventType",
    "detail-type",
    "specversion",
    "records",
    "data",
    "schema",
    "payload",
    "result",
    "message",
    "_raw",
    "event",
    "sourcetype",
]);

fn words<'t>(value: Value<'t>, key: &str) -> Option<&'t str> {
    value.get_any_case(key).and_then(Value::as_str)
}

/// Opens one envelope; `None` where the value is not one.
fn envelope<'t>(value: Value<'t>, before: Delivery<'t>) -> Option<(Inner<'t>, Delivery<'t>)> {
    if value.is_array() {
        return Some((Inner::Each(value), before));
    }
    if !value.is_object() {
        return None;
    }
    let [hook, kind, specversion, records, data, carried @ ..] = value.pick(&ENVELOPE);
    if hook.and_then(Value::as_str) == Some("com.okta.event_hook") {
        let events = data?.get_any_case("events")?;
        let delivery = Delivery {
            id: words(value, "eventId"),
            time: words(value, "eventTime"),
            ..before
        };
        return events.is_array().then_some((Inner::Each(events), delivery));
    }
    if let (Some(kind), Some(detail)) = (kind, value.get("detail"))
        && value.get("source").is_some()
    {
        let delivery = Delivery {
            id: words(value, "id"),
            time: words(value, "time"),
            kind: kind.as_str(),
            source: words(value, "source"),
        };
        return Some((inner(detail), delivery));
    }
    if specversion.is_some() {
        return cloud_event(value);
    }
    if let Some(records) = records.filter(|v| v.is_array()) {
        return Some((Inner::Each(records), before));
    }
    if let (Some(data), Some(_)) = (data, data.and_then(|_| value.get("log_id"))) {
        return Some((inner(data), before));
    }
    let [schema, payload, rows, message, raw, event, source_type] = carried;
    match (value.entries().take(3).count(), schema, payload, rows) {
        (2, Some(_), Some(payload), _) => return Some((inner(payload), before)),
        // The reply of the ServiceNow table interface, kept as it came.
        (1, _, _, Some(rows)) => {
            let holds = rows.is_array() || rows.is_object();
            return holds.then_some((Inner::One(rows), before));
        }
        _ => {}
    }
    shipped([message, raw, event, source_type]).map(|inner| (inner, before))
}

/// What a log shipper wrapped: the event as JSON text in `message` (Vector, Logstash, Fluent Bit),
/// `_raw` (Cribl) or `event.original` (Elastic), one event a line perhaps; or in `event` beside a
/// `sourcetype` (Splunk HEC).
fn shipped<'t>(parts: [Option<Value<'t>>; 4]) -> Option<Inner<'t>> {
    let [message, raw, event, source_type] = parts;
    let event = event.filter(|event| event.is_object() || event.as_str().is_some());
    if let (Some(event), Some(_)) = (event, source_type) {
        return Some(inner(event));
    }
    let original = || event?.get("original");
    let text = [message, raw].into_iter().flatten().find_map(Value::as_str);
    let text = text.or_else(|| original()?.as_str())?;
    // A broken text is the item's own business: it may be an ordinary field.
    if !is_json(text) {
        None
    } else if well_formed(text) {
        Some(Inner::Text(text))
    } else {
        let lines = is_lines(text.as_bytes())
            && text
                .lines()
                .all(|line| line.is_empty() || well_formed(line));
        lines.then_some(Inner::Lines(text))
    }
}

fn cloud_event(value: Value<'_>) -> Option<(Inner<'_>, Delivery<'_>)> {
    let delivery = Delivery {
        id: words(value, "id"),
        time: words(value, "time"),
        kind: words(value, "type"),
        source: words(value, "source"),
    };
    if let Some(data) = value.get("data") {
        let twilio = delivery
            .kind
            .is_some_and(|kind| kind.starts_with("com.twilio."));
        let payload = data.get("payload").filter(|_| twilio);
        return Some((inner(payload.unwrap_or(data)), delivery));
    }
    value.get("data_base64").map(|_| (Inner::Opaque, delivery))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(bytes: &[u8]) -> Vec<Result<String, RejectReason>> {
        let mut found = Vec::new();
        unwrap(bytes, &mut Tapes::default(), &mut |item| {
            found.push(match item.value {
                Ok(v) => Ok(v
                    .get("n")
                    .and_then(|n| n.text().map(|t| t.into_owned()))
                    .unwrap_or_else(|| v.kind().to_owned())),
                Err(reject) => Err(reject.reason),
            });
        });
        found
    }

    fn one(json: &str) -> String {
        let found = items(json.as_bytes());
        assert_eq!(found.len(), 1, "{json}");
        found.into_iter().next().unwrap().unwrap()
    }

    #[test]
    fn every_envelope_form_is_opened() {
        for json in [
            r#"{"n":1}"#,
            r#"[{"n":1}]"#,
            r#"{"records":[{"n":1}]}"#,
            r#"{"eventType":"com.okta.event_hook","data":{"events":[{"n":1}]}}"#,
            r#"{"detail-type":"SystemLog","source":"aws.partner/okta.com/x","detail":{"n":1}}"#,
            r#"{"specversion":"1.0","data":{"n":1}}"#,
            r#"{"specversion":"1.0","type":"com.twilio.task","data":{"payload":{"n":1}}}"#,
            r#"{"schema":{"type":"struct"},"payload":{"n":1}}"#,
            r#"{"schema":null,"payload":"{\"n\":1}"}"#,
            r#"{"log_id":"9","data":{"n":1}}"#,
            r#"{"@timestamp":"x","message":"{\"n\":1}"}"#,
            r#"{"result":[{"n":1}]}"#,
            r#"{"_time":1,"_raw":"{\"n\":1}"}"#,
            r#"{"event":{"original":"{\"n\":1}"}}"#,
            r#"{"time":1,"sourcetype":"x:log","event":{"n":1}}"#,
            r#"{"time":1,"sourcetype":"x:log","event":"{\"n\":1}"}"#,
            r#"[{"message":"{\"schema\":{},\"payload\":{\"n\":1}}"}]"#,
        ] {
            assert_eq!(one(json), "1", "{json}");
        }
        assert_eq!(one(r#"{"n":2,"message":"{broken}"}"#), "2");
        assert_eq!(one(r#"{"n":2,"message":"{\"n\":1}\n{broken}"}"#), "2");
        assert_eq!(one(r#"{"n":2,"event":{"kind":"x"}}"#), "2");
        let two = items(br#"{"message":"{\"n\":1}\n{\"n\":2}\n"}"#);
        assert_eq!(two, [Ok("1".into()), Ok("2".into())]);
        assert!(items(br#"{"records":[]}"#).is_empty());
    }

    #[test]
    fn one_bad_line_rejects_itself_alone() {
        let found = items(b"{\"n\":1}\nnot json\n\n{\"n\":\"\xff\"}\r\n{\"n\":3}\n");
        let bad = Err(RejectReason::Decode);
        assert_eq!(found, [Ok("1".into()), bad.clone(), bad, Ok("3".into())]);
        assert_eq!(items(b"{\n\"n\":\n}").len(), 1);
    }

    #[test]
    fn wire_format_and_depth_are_bounded() {
        assert_eq!(items(b"\0\0\0\0\x07{\"n\":1}"), [Ok("1".into())]);
        let foreign = [Err(RejectReason::UnsupportedEncoding)];
        assert_eq!(items(b"\0\0\0\0\x07\x02\x04ab"), foreign);
        assert_eq!(items(b"\0\x01"), foreign);
        assert_eq!(items(b""), [Err(RejectReason::Decode)]);
        assert_eq!(items(b"[[[[{\"n\":1}]]]]"), [Ok("1".into())]);
        assert_eq!(items(b"[[[[[{\"n\":1}]]]]]"), [Err(RejectReason::Depth)]);
    }
}
