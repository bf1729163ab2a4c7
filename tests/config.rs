//! What the program says of a wrong configuration: every fault at once, each with its place and its
//! remedy, and never a secret.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A folder of this test that is gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("config-{name}"));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Run {
    code: i32,
    out: String,
    errors: String,
}

impl Run {
    fn faults(&self) -> Vec<Value> {
        let report: Value = serde_json::from_str(&self.out).unwrap();
        report["faults"].as_array().unwrap().clone()
    }
}

fn run_with(args: &[&str], variables: &[(&str, &str)]) -> Run {
    let done = Command::new(env!("CARGO_BIN_EXE_deskwarden"))
        .args(args)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    Run {
        code: done.status.code().unwrap(),
        out: String::from_utf8(done.stdout).unwrap(),
        errors: String::from_utf8(done.stderr).unwrap(),
    }
}

const SET: [(&str, &str); 2] = [
    ("DESKWARDEN__KEY", KEY),
    ("DESKWARDEN__KAFKA__BROKERS", "127.0.0.1:9092"),
];

/// Checks a file as `check` does, with what has no default in the environment.
fn check(file: &str, format: &str) -> Run {
    run_with(&["check", "--config", file, "--format", format], &SET)
}

/// One wrong value: the setting; the value as it is written; the column of the fault within it; what
/// is said of it; the name that is offered.
type Wrong = (
    &'static str,
    &'static str,
    usize,
    &'static str,
    &'static str,
);

const NO_NAMES: &str = "neither a text nor a list";

const WRONG: &[Wrong] = &[
    ("version", "2", 0, "version 2 is not known", ""),
    ("tenant", "a b", 0, "`a b` is no name", ""),
    ("prefix", "-x", 0, "`-x` is no name", ""),
    ("instance", "a/b", 0, "`a/b` is no name", ""),
    (
        "role",
        "colect",
        0,
        "`colect` is none of the values",
        "collect",
    ),
    (
        "kafka.partitions",
        "0",
        0,
        "`0` is not between 1 and 1024",
        "",
    ),
    (
        "kafka.partitions",
        "many",
        0,
        "`many` is not a whole number",
        "",
    ),
    (
        "kafka.replication_factor",
        "99",
        0,
        "is not between 1 and 15",
        "",
    ),
    ("kafka.failures_max", "0", 0, "is not between", ""),
    (
        "kafka.properties",
        "{ssl.ca.locaton: x}",
        1,
        "no property `ssl.ca.locaton`",
        "ssl.ca.location",
    ),
    (
        "kafka.properties",
        "{security.protocol: tls}",
        20,
        "does not take this value",
        "",
    ),
    (
        "kafka.properties",
        "{bootstrap.servers: a:1}",
        1,
        "is the setting `kafka.brokers`",
        "",
    ),
    (
        "kafka.consumer.properties",
        "{group.id: g}",
        1,
        "Deskwarden sets `group.id` itself",
        "",
    ),
    (
        "kafka.producer.properties",
        "{acks: 1}",
        1,
        "Deskwarden sets `acks` itself",
        "",
    ),
    (
        "kafka.producer.properties",
        "{transaction.timeout.ms: 5000}",
        25,
        "above transaction.timeout.ms",
        "",
    ),
    ("retention.events", "7d", 0, "`7d` is not between 14d", ""),
    ("retention.alerts", "1d", 0, "`1d` is not between 8d", ""),
    ("retention.audit", "1h", 0, "is not between 1d", ""),
    (
        "retention.shadow",
        "soon",
        0,
        "`soon` is not a duration",
        "",
    ),
    ("retention.dead_letter", "0s", 0, "is not between", ""),
    ("directory.roots", "[]", 0, "no system is named", ""),
    (
        "directory.roots",
        "[hris, octa]",
        7,
        "`octa` is no system",
        "okta",
    ),
    (
        "directory.roots",
        "[hris, hris]",
        7,
        "`hris` stands twice",
        "",
    ),
    (
        "directory.stale_after",
        "1s",
        0,
        "`1s` is not between 1h",
        "",
    ),
    (
        "directory.default_region",
        "USA",
        0,
        "`USA` is no country code",
        "",
    ),
    (
        "directory.own_domains",
        "[corp]",
        1,
        "`corp` is no mail domain",
        "",
    ),
    (
        "sources.okta.product",
        "octa",
        0,
        "`octa` is none of the values",
        "okta",
    ),
    (
        "sources.okta.topic",
        "a b",
        0,
        "`a b` is no name of a topic",
        "",
    ),
    (
        "sources.okta.topic",
        "deskwarden.alerts.v1",
        0,
        "as Deskwarden's own topics do",
        "",
    ),
    ("sources.okta.tenant", "\"\"", 0, "must not be empty", ""),
    ("sources.okta.issuer", "\" \"", 0, "must not be empty", ""),
    (
        "sources.okta.bound",
        "2h",
        0,
        "`2h` is not between 0ms and 1h",
        "",
    ),
    (
        "sources.okta.lateness",
        "8d",
        0,
        "`8d` is not between 0ms and 7d",
        "",
    ),
    (
        "sources.okta.domains",
        "[idp, ticked]",
        6,
        "`ticked` is none of the values",
        "ticket",
    ),
    (
        "sources.okta.domains",
        "[directory]",
        0,
        "is about idp, ticket, contact or mail",
        "",
    ),
    (
        "sources.okta.evidence",
        "[tickets]",
        1,
        "`tickets` is none of the values",
        "ticket",
    ),
    (
        "sources.okta.fields",
        "u_x",
        0,
        "a section with settings belongs here",
        "",
    ),
    (
        "sources.okta.fields.verification_method",
        "{a: b}",
        0,
        NO_NAMES,
        "",
    ),
    (
        "sources.okta.fields.verification_time",
        "[[a]]",
        0,
        NO_NAMES,
        "",
    ),
    (
        "sources.okta.fields.verification_result",
        "{}",
        0,
        NO_NAMES,
        "",
    ),
    ("sources.okta.fields.callback_done", "[{}]", 0, NO_NAMES, ""),
    ("sources.okta.fields.callback_time", "{}", 0, NO_NAMES, ""),
    ("sources.okta.fields.callback_number", "{}", 0, NO_NAMES, ""),
    ("sources.okta.fields.override_reason", "{}", 0, NO_NAMES, ""),
    ("sources.okta.fields.approver", "{}", 0, NO_NAMES, ""),
    ("sources.okta.fields.review", "{}", 0, NO_NAMES, ""),
    ("sources.okta.fields.request_class", "{}", 0, NO_NAMES, ""),
    ("sources.okta.fields.target", "{}", 0, NO_NAMES, ""),
    (
        "sources.okta.fields.ticket",
        "\" \"",
        0,
        "a field name must not be empty",
        "",
    ),
    (
        "sources.okta.fields.ticket_system",
        "\" \"",
        0,
        "must not be empty",
        "",
    ),
    (
        "sources.okta.fields.ticket_system",
        "okta2",
        0,
        "`okta2` is no source of tickets",
        "",
    ),
    (
        "sources.okta.fields.methods",
        "{SMS: otpsms}",
        6,
        "`otpsms` is none of the values",
        "otp_sms",
    ),
    (
        "sources.okta.fields.classes",
        "{x: mfaa}",
        4,
        "`mfaa` is none of the values",
        "mfa",
    ),
    (
        "sources.okta.fields.states",
        "{6: done}",
        4,
        "`done` is none of the values",
        "",
    ),
    (
        "sources.okta.fields.channels",
        "[x]",
        0,
        "a section with settings belongs here",
        "",
    ),
    (
        "sources.okta.fields.yes",
        "ja",
        0,
        "a list belongs here",
        "",
    ),
    ("collect.workers", "0", 0, "is not between 1 and 256", ""),
    ("collect.records_max", "-1", 0, "`-1` is not between", ""),
    ("collect.bytes_max", "2", 0, "`2` is not a size", ""),
    ("collect.gather_max", "1h", 0, "`1h` is not between", ""),
    (
        "correlate.workers",
        "1.5",
        0,
        "`1.5` is not a whole number",
        "",
    ),
    (
        "correlate.entries_max",
        "[1]",
        0,
        "a list where a whole number belongs",
        "",
    ),
    (
        "correlate.bytes_max",
        "1KiB",
        0,
        "`1KiB` is not between 64KiB and 256MiB",
        "",
    ),
    (
        "correlate.gather_max",
        "50",
        0,
        "`50` is not a duration",
        "",
    ),
    (
        "correlate.max_wait",
        "1s",
        0,
        "`1s` is not between 1m and 1d",
        "",
    ),
    (
        "correlate.max_entities.identity",
        "0",
        0,
        "is not between",
        "",
    ),
    (
        "correlate.max_entities.contact",
        "0",
        0,
        "is not between",
        "",
    ),
    (
        "correlate.max_entities.ticket",
        "0",
        0,
        "is not between",
        "",
    ),
    (
        "correlate.max_entities.agent",
        "x",
        0,
        "`x` is not a whole number",
        "",
    ),
    (
        "correlate.max_entities.caller",
        "0",
        0,
        "is not between",
        "",
    ),
    (
        "correlate.max_entities.device",
        "",
        0,
        "nothing where a whole number belongs",
        "",
    ),
    (
        "correlate.max_entities.address",
        "99999999999999999999",
        0,
        "is not a whole number",
        "",
    ),
    (
        "http.listen",
        "0.0.0.0:8040",
        0,
        "can be reached from outside",
        "",
    ),
    (
        "http.listen",
        "localhost",
        0,
        "`localhost` is no address with a port",
        "",
    ),
    (
        "http.ops_listen",
        "127.0.0.1:8040",
        0,
        "is http.listen already",
        "",
    ),
    ("http.cases_max", "0", 0, "is not between", ""),
    (
        "http.tls.certificate",
        "a.pem",
        0,
        "a certificate without its key",
        "",
    ),
    (
        "http.tls.key",
        "a.pem",
        0,
        "a key without its certificate",
        "",
    ),
    ("http.tls.client_ca", "a.pem", 0, "over TLS only", ""),
    (
        "http.client_certificates",
        "{siem.example.com: boss}",
        19,
        "`boss` is none of the values",
        "",
    ),
    (
        "http.oidc.issuer",
        "\"ftp://idp.example.com\"",
        0,
        "is no issuer",
        "",
    ),
    (
        "http.oidc.audience",
        "deskwarden",
        0,
        "no provider is named",
        "",
    ),
    ("http.oidc.name_claim", "[email]", 0, "", ""),
    ("http.oidc.roles_claim", "[groups]", 0, "", ""),
    (
        "http.oidc.roles",
        "{soc: boss}",
        6,
        "`boss` is none of the values",
        "",
    ),
    ("http.oidc.ca_file", "[a]", 0, "", ""),
    ("http.oidc.allow_private", "often", 0, "", ""),
    ("rules.folder", "nowhere", 0, "is no folder", ""),
    (
        "alerts.page_url",
        "ftp://x",
        0,
        "`ftp://x` is no web address",
        "",
    ),
    (
        "egress.proxy",
        "socks5://proxy.example.com:1080",
        0,
        "no address of a proxy",
        "",
    ),
    ("egress.username", "soc", 0, "no proxy is named", ""),
    ("egress.password", "x", 0, "no proxy is named", ""),
    (
        "egress.no_proxy",
        "[\"*.example.com\"]",
        1,
        "`*.example.com` is no domain, address or network",
        "",
    ),
    (
        "sinks.okta.type",
        "slak",
        0,
        "`slak` is none of the values",
        "slack",
    ),
    (
        "sinks.okta.min_severity",
        "hihg",
        0,
        "is none of the values",
        "high",
    ),
    (
        "sinks.okta.page_from",
        "urgent",
        0,
        "is none of the values",
        "",
    ),
    ("sinks.okta.tiers", "[vip]", 1, "`vip` is no tier", ""),
    (
        "sinks.okta.patterns",
        "[hdt-4]",
        1,
        "`hdt-4` is no id of a pattern",
        "",
    ),
    (
        "sinks.okta.url",
        "http://x.example.com/",
        0,
        "`http` is not encrypted",
        "",
    ),
    (
        "sinks.okta.url",
        "chat.example.com",
        0,
        "no web address",
        "",
    ),
    (
        "sinks.okta.bot_token",
        "xoxp-1-2",
        0,
        "no token of a bot",
        "",
    ),
    (
        "sinks.okta.channel",
        "\"#alerts\"",
        0,
        "`#alerts` is no id of a channel",
        "",
    ),
    (
        "sinks.okta.api_url",
        "http://slack.example.com/",
        0,
        "`http` is not encrypted",
        "",
    ),
    (
        "sinks.okta.address",
        "siem.example.com",
        0,
        "is no host with a port",
        "",
    ),
    (
        "sinks.okta.routing_key",
        "short",
        0,
        "not 32 letters and digits",
        "",
    ),
    (
        "sinks.okta.token",
        "${env:NOBODY_SETS_IT}",
        0,
        "no variable `NOBODY_SETS_IT`",
        "",
    ),
    (
        "sinks.okta.signing_secrets",
        "[whsec_c2hvcnQ=]",
        1,
        "has 24 to 64 bytes",
        "",
    ),
    ("sinks.okta.template", "nowhere.j2", 0, "is no file", ""),
    (
        "sinks.okta.tls",
        "false",
        0,
        "would cross the network unencrypted",
        "",
    ),
    (
        "sinks.okta.index",
        "[a]",
        0,
        "a list where a text belongs",
        "",
    ),
    ("sinks.okta.repeat_interval", "1h", 0, "is not between", ""),
    ("sinks.okta.resolve_timeout", "1s", 0, "is not between", ""),
    ("sinks.okta.ca_file", "nowhere.pem", 0, "is no file", ""),
    (
        "sinks.okta.allow_private",
        "maybe",
        0,
        "is not `true` or `false`",
        "",
    ),
    ("sinks.okta.timeout", "5", 0, "is not a duration", ""),
    ("sinks.okta.retry_for", "99d", 0, "is not between", ""),
    ("sinks.okta.group_wait", "6m", 0, "is not between", ""),
    ("sinks.okta.group_interval", "2h", 0, "is not between", ""),
    ("sinks.okta.since", "99d", 0, "is not between", ""),
    (
        "sinks.okta.rate_per_second",
        "0",
        0,
        "`0` is not between 1 and 10000",
        "",
    ),
    ("sinks.okta.storm_per_minute", "-1", 0, "is not between", ""),
    ("sinks.okta.pii", "full", 0, "is none of the values", ""),
    (
        "sinks.okta.dry_run",
        "yes",
        0,
        "is not `true` or `false`",
        "",
    ),
    ("log.level", "loud", 0, "`loud` is none of the values", ""),
    ("log", "info", 0, "a section with settings belongs here", ""),
    ("http", "[a]", 0, "a section with settings belongs here", ""),
    (
        "sources",
        "okta",
        0,
        "a section with settings belongs here",
        "",
    ),
];

/// The file with one wrong value, and the line and column where it begins.
fn written(setting: &str, value: &str) -> (String, usize, usize) {
    let mut text = String::new();
    let keys: Vec<&str> = setting.split('.').collect();
    let mut line = 0;
    for (depth, key) in keys.iter().enumerate() {
        line += 1;
        let indent = "  ".repeat(depth);
        if depth + 1 == keys.len() {
            text.push_str(&format!("{indent}{key}: {value}\n"));
            return (text, line, indent.len() + key.len() + 3);
        }
        text.push_str(&format!("{indent}{key}:\n"));
        if setting.starts_with("sources.okta.") && depth == 1 && keys[2] != "topic" {
            line += 1;
            text.push_str("    topic: okta.log\n");
        }
        if setting.starts_with("sinks.okta.") && depth == 1 {
            for beside in beside(keys[2]) {
                line += 1;
                text.push_str(&format!("    {beside}\n"));
            }
        }
    }
    unreachable!("a setting has a key")
}

/// What a sink needs beside a setting.
fn beside(key: &str) -> &'static [&'static str] {
    match key {
        "type" => &["url: https://a.example.com/"],
        "url" => &["type: slack"],
        "bot_token" => &["type: slack", "channel: C024BE7LR"],
        "channel" => &["type: slack", "bot_token: xoxb-1"],
        "api_url" => &["type: slack", "channel: C024BE7LR", "bot_token: xoxb-1"],
        "address" => &["type: syslog"],
        "tls" => &["type: syslog", "address: siem.example.com:6514"],
        "routing_key" => &["type: pagerduty"],
        "token" => &["type: splunk", "url: https://a.example.com/"],
        "index" => &["type: splunk", "url: https://a.example.com/", "token: x"],
        "signing_secrets" | "template" => &["type: webhook", "url: https://a.example.com/"],
        "repeat_interval" | "resolve_timeout" => {
            &["type: alertmanager", "url: https://a.example.com/"]
        }
        _ => &["type: slack", "url: https://a.example.com/"],
    }
}

#[test]
fn every_setting_refuses_a_wrong_value_at_its_place() {
    let folder = Folder::new("wrong");
    for (setting, value, offset, what, near) in WRONG {
        let (text, line, column) = written(setting, value);
        let file = folder.file("wrong.yaml", &text);
        let run = check(&file, "json");
        assert_eq!(run.code, 64, "{setting}: {value}\n{}", run.out);
        let faults = run.faults();
        assert_eq!(faults.len(), 1, "{setting}: {value}\n{}", run.out);
        let fault = &faults[0];
        let said = fault["what"].as_str().unwrap();
        assert!(said.contains(what), "{setting}: {value}: {said}");
        assert!(!fault["remedy"].as_str().unwrap().is_empty(), "{setting}");
        assert!(
            fault["setting"].as_str().unwrap().starts_with(setting),
            "{fault}"
        );
        assert_eq!(
            fault["did_you_mean"].as_str().unwrap_or_default(),
            *near,
            "{setting}"
        );
        let column = if value.is_empty() {
            column
        } else {
            column + offset
        };
        let place = (fault["line"].as_u64(), fault["column"].as_u64());
        let wanted = (Some(line as u64), Some(column as u64));
        // Nothing stands where a value is missing: its place is near.
        if !value.is_empty() {
            assert_eq!(place, wanted, "{setting}: {value}");
        }
        shows_caret(&check(&file, "text"), &file, fault);
    }
}

/// The text for people names file, line and column, and its carets stand under that column.
fn shows_caret(run: &Run, file: &str, fault: &Value) {
    let text = &run.errors;
    assert_eq!(run.code, 64);
    assert!(run.out.is_empty() && !text.contains('\x1b'), "{text}");
    let (line, column) = (
        fault["line"].as_u64().unwrap(),
        fault["column"].as_u64().unwrap(),
    );
    assert!(
        text.contains(&format!("error: {file}:{line}:{column}: ")),
        "{text}"
    );
    assert!(text.contains("\n  remedy: "), "{text}");
    let caret = text
        .lines()
        .find(|line| line.contains(" | ") && line.ends_with('^'))
        .unwrap();
    let at = caret.find('^').unwrap() - caret.find(" | ").unwrap() - 3;
    assert_eq!(at as u64 + 1, column, "{text}");
}

// --- The schema and the example ---------------------------------------------------------------

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/config.v1.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The settings that a schema names; the sources as `sources.okta`.
fn settings_of(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    let join = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    if let Some(properties) = schema["properties"].as_object() {
        for (key, inner) in properties {
            settings_of(inner, &join(key), found);
        }
    } else if schema["additionalProperties"]["properties"].is_object() {
        settings_of(&schema["additionalProperties"], &join("okta"), found);
    } else {
        found.insert(path.to_owned());
    }
}

fn all_settings() -> BTreeSet<String> {
    let mut settings = BTreeSet::new();
    settings_of(&schema(), "", &mut settings);
    settings
}

#[test]
fn the_table_of_wrong_values_knows_every_setting() {
    let mut tried: BTreeSet<String> = WRONG.iter().map(|row| row.0.to_owned()).collect();
    // These have tests of their own.
    let elsewhere = [
        "key",
        "kafka.brokers",
        "http.tokens.okta.role",
        "http.tokens.okta.sha256",
    ];
    tried.extend(elsewhere.map(str::to_owned));
    for setting in all_settings() {
        assert!(
            tried.contains(&setting),
            "no wrong value of {setting} is tried"
        );
    }
}

#[test]
fn schema_defaults_and_program_know_the_same_settings() {
    let shown = run_with(&["config", "show", "--format", "json"], &[]);
    assert_eq!(shown.code, 0, "{}", shown.errors);
    let shown: Vec<Value> = serde_json::from_str(&shown.out).unwrap();
    let with_default: BTreeSet<String> = shown
        .iter()
        .map(|line| line["setting"].as_str().unwrap().to_owned())
        .collect();
    let mut named = all_settings();
    assert!(named.remove("key") && named.remove("kafka.brokers"));
    let is_of_map = |setting: &String| {
        let mut maps = ["sources.", "sinks."].iter();
        maps.any(|map| setting.starts_with(map))
    };
    let sources: BTreeSet<String> = named.iter().filter(|s| is_of_map(s)).cloned().collect();
    // What stands under a name of the customer has no default.
    named = named
        .iter()
        .map(|setting| setting.split(".okta").next().unwrap().to_owned())
        .collect();
    assert_eq!(named, with_default);
    // What is listed where a key is unknown is what the program knows.
    let folder = Folder::new("known");
    let text = "x: 1\nkafka: {x: 1}\nsources:\n  okta: {topic: t, x: 1, fields: {x: 1}}\n\
                sinks:\n  okta: {type: slack, url: \"https://a.example.com/\", x: 1}\n";
    let run = check(&folder.file("a.yaml", text), "json");
    let mut known = BTreeSet::new();
    for fault in run.faults() {
        let setting = fault["setting"].as_str().unwrap();
        let section = setting.strip_suffix('x').unwrap();
        let listed = fault["remedy"]
            .as_str()
            .unwrap()
            .split_once(": ")
            .unwrap()
            .1;
        known.extend(listed.split(", ").map(|key| format!("{section}{key}")));
    }
    for setting in sources.iter().chain(
        ["kafka.brokers", "kafka.consumer", "key"]
            .map(str::to_owned)
            .iter(),
    ) {
        assert!(known.contains(setting), "{setting}");
    }
    let of_sources = known.iter().filter(|key| is_of_map(key));
    for setting in of_sources.filter(|key| *key != "sources.okta.fields") {
        assert!(sources.contains(setting), "the schema lacks {setting}");
    }
}

/// The example as people would use it: with what has no default, and with the source it shows.
#[test]
fn the_example_equals_the_defaults() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/config.example.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("# yaml-language-server: $schema=../schemas/config.v1.json\n"));
    let shown = |args: &[&str]| -> Vec<(String, String)> {
        let run = run_with(
            &[&["config", "show", "--format", "json"], args].concat(),
            &[],
        );
        assert_eq!(run.code, 0, "{}", run.errors);
        let lines: Vec<Value> = serde_json::from_str(&run.out).unwrap();
        let pair = |key: &str, line: &Value| line[key].as_str().unwrap().to_owned();
        lines
            .iter()
            .map(|line| (pair("setting", line), pair("value", line)))
            .collect()
    };
    assert_eq!(shown(&["--config", path.to_str().unwrap()]), shown(&[]));
    let folder = Folder::new("example");
    let uncommented: String = text
        .lines()
        .filter(|line| !["sources: {}", "sinks: {}"].contains(line))
        .map(|line| {
            let bare = line.trim_start();
            let is_source = ["# sources:", "# sinks:", "#   "]
                .iter()
                .any(|b| line.starts_with(b));
            let is_setting = bare.starts_with("# brokers:");
            match line.strip_prefix("# ") {
                Some(rest) if is_source => format!("{rest}\n"),
                _ if is_setting => line.replacen("# ", "", 1) + "\n",
                _ => format!("{line}\n"),
            }
        })
        .collect();
    let file = folder.file("own.yaml", &uncommented);
    let variables = [
        SET[0],
        ("PAGERDUTY_ROUTING_KEY", "0123456789abcdef0123456789abcdef"),
        ("ALERTMANAGER_TOKEN", "x"),
        ("SLACK_WEBHOOK_URL", "https://hooks.example.com/x"),
        ("SLACK_BOT_TOKEN", "xoxb-1"),
        ("TEAMS_WORKFLOW_URL", "https://flows.example.com/x"),
        ("SOAR_TOKEN", "x"),
        (
            "SOAR_SIGNING_SECRET",
            "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        ),
        ("SPLUNK_HEC_TOKEN", "x"),
    ];
    let run = run_with(&["check", "--config", &file], &variables);
    assert_eq!(run.code, 0, "{}", run.errors);
    assert!(run.out.contains("ok: sources: okta"), "{}", run.out);
}

// --- All at once --------------------------------------------------------------------------------

#[test]
fn all_faults_of_all_layers_come_together() {
    let folder = Folder::new("together");
    let base = "tennant: acme\nkafka:\n  partitions: none\n  properties: {group.id: g}\n\
                http:\n  listen: 1.2.3.4:80\n  lissten: x\nhttp: {}\nlog: {level: lod}\n";
    let site = "sources:\n  okta: {bound: 99d}\n  desk: {product: servicnow, topic: t}\n  \
                hris: {topic: t, evidence: [ticket]}\n  \
                crm: {topic: t}\nkey: short\ndirectory: {default_region: \"${env:HOME}\"}\n";
    let (base, site) = (
        folder.file("base.yaml", base),
        folder.file("site.yaml", site),
    );
    let args = [
        "check", "--config", &base, "--config", &site, "--format", "json", "--set", "role=x",
    ];
    let variables = [
        ("DESKWARDEN__COLLECT__WORKERS", "0"),
        ("DESKWARDEN__KAFKA__BROKRES", "a:1"),
    ];
    let run = run_with(&args, &variables);
    assert_eq!(run.code, 64);
    let told: BTreeSet<(String, String)> = run
        .faults()
        .iter()
        .map(|fault| {
            let file = fault["file"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned();
            (file, fault["setting"].as_str().unwrap().to_owned())
        })
        .collect();
    let wanted = [
        ("base.yaml", "tennant"),
        ("base.yaml", "kafka.partitions"),
        ("base.yaml", "kafka.properties.group.id"),
        ("base.yaml", "http.listen"),
        ("base.yaml", "http.lissten"),
        ("base.yaml", ""),
        ("base.yaml", "log.level"),
        ("site.yaml", "sources.okta.bound"),
        ("site.yaml", "sources.okta.topic"),
        ("site.yaml", "sources.desk.product"),
        ("site.yaml", "sources.hris.evidence"),
        ("site.yaml", "sources.crm.product"),
        ("site.yaml", "key"),
        ("site.yaml", "directory.default_region"),
        (
            "environment DESKWARDEN__COLLECT__WORKERS",
            "collect.workers",
        ),
        ("environment DESKWARDEN__KAFKA__BROKRES", "kafka.brokres"),
        ("command line --set role", "role"),
        ("base.yaml", "kafka.brokers"),
    ];
    let wanted: BTreeSet<(String, String)> = wanted
        .iter()
        .map(|(file, setting)| ((*file).to_owned(), (*setting).to_owned()))
        .collect();
    assert_eq!(told, wanted);
    for (wrong, right) in [("tennant", "tenant"), ("kafka.brokres", "brokers")] {
        let faults = run.faults();
        let fault = faults
            .iter()
            .find(|fault| fault["setting"] == wrong)
            .unwrap();
        assert_eq!(fault["did_you_mean"], right);
    }
}

#[test]
fn what_is_no_yaml_is_told_with_its_line() {
    let folder = Folder::new("syntax");
    for (text, line) in [
        ("tenant: a\nhttp: [1\nlog: x\n", 3),
        ("tenant: \"a\nhttp:\n  listen: x\n", 1),
        ("a: 1\n---\nb: 2\n", 3),
        ("- a\n- b\n", 1),
        ("just text\n", 1),
        ("tenant: &t acme\nprefix: *t\n", 2),
    ] {
        let run = check(&folder.file("a.yaml", text), "json");
        assert_eq!((run.code, run.faults().len()), (64, 1), "{text}{}", run.out);
        assert_eq!(run.faults()[0]["line"], line, "{text}{}", run.out);
    }
    let missing = check("no/such/file.yaml", "json");
    assert_eq!(
        (missing.code, missing.faults().len()),
        (64, 1),
        "{}",
        missing.out
    );
    let path = folder.0.join("latin1.yaml");
    std::fs::write(&path, b"tenant: a\nprefix: M\xfcnchen\n").unwrap();
    let latin1 = check(path.to_str().unwrap(), "json");
    assert!(latin1.out.contains("line 2 is not UTF-8"), "{}", latin1.out);
    let empty = check(&folder.file("empty.yaml", "# nothing\n"), "json");
    assert_eq!(empty.code, 0, "{}", empty.out);
}

#[test]
fn a_rule_file_of_the_customer_is_checked_too() {
    let folder = Folder::new("rules");
    let file = folder.file("deskwarden.yaml", "rules:\n  folder: own\n");
    folder.file("own/mine.yaml", "id: X-1\ntitle: T\nversion: one\n");
    let run = check(&file, "text");
    assert_eq!(run.code, 64, "{}", run.out);
    assert!(run.errors.contains("own/mine.yaml:3:"), "{}", run.errors);
    std::fs::remove_file(folder.0.join("own/mine.yaml")).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/hdt-03.yaml");
    let shipped = std::fs::read_to_string(shipped).unwrap();
    folder.file("own/hdt-03.yaml", &shipped);
    let run = check(&file, "text");
    assert_eq!(run.code, 0, "{}", run.errors);
    // It takes the place of the shipped one.
    assert!(run.out.contains(" rules in 8 files"), "{}", run.out);
}

// --- Secrets ------------------------------------------------------------------------------------

const CANARIES: [&str; 7] = [
    "canary-sink",
    "canary-key-plain",
    "canary-property",
    "canary-misspelt",
    "canary-environment",
    "canary-file",
    "canary-broken",
];

/// A sink of Slack is told by a webhook or as a bot: by exactly one of them, and wholly.
#[test]
fn a_sink_of_slack_goes_by_one_of_two_ways() {
    let folder = Folder::new("slack");
    let hook = "url: https://hooks.example.com/x";
    let (token, channel) = ("bot_token: xoxb-1", "channel: C024BE7LR");
    let both = [hook, token, channel].join(", ");
    for (settings, setting, what) in [
        ("", "url", "not set"),
        (token, "channel", "not set"),
        (channel, "bot_token", "not set"),
        (
            "api_url: https://slack-gov.com/api/",
            "bot_token",
            "not set",
        ),
        (&both, "url", "an incoming webhook is set too"),
    ] {
        let text = format!("sinks:\n  chat: {{type: slack, {settings}}}\n");
        let run = check(&folder.file("a.yaml", &text), "json");
        let faults = run.faults();
        let of = |fault: &&Value| fault["setting"] == format!("sinks.chat.{setting}");
        let fault = faults.iter().find(of).expect(settings);
        assert!(fault["what"].as_str().unwrap().contains(what), "{fault}");
    }
    for settings in [hook, &[token, channel].join(", ")] {
        let text = format!("sinks:\n  chat: {{type: slack, {settings}}}\n");
        let file = folder.file("a.yaml", &text);
        let run = run_with(&["config", "show", "--config", &file], &[]);
        assert_eq!(run.code, 0, "{}", run.errors);
        assert!(
            !run.out.contains("xoxb-1") && !run.out.contains("hooks.example"),
            "{}",
            run.out
        );
    }
}

#[test]
fn a_proxy_is_named_whole_and_its_password_is_hidden() {
    let folder = Folder::new("egress");
    let wrong = [
        (
            "proxy: \"http://soc:canary@p.example.com:3128\"",
            "holds credentials",
        ),
        (
            "proxy: \"http://p.example.com/canary\"",
            "a proxy has no path",
        ),
        ("proxy: \"canary\"", "no address of a proxy"),
        (
            "username: soc, password: canary",
            "no proxy is named that would ask for it",
        ),
        (
            "proxy: \"http://p.example.com\", username: \"a:b\", password: canary",
            "no name of a user",
        ),
        (
            "proxy: \"http://p.example.com\", username: soc",
            "has no password",
        ),
        (
            "proxy: \"http://p.example.com\", password: canary",
            "belongs to nobody",
        ),
    ];
    for (settings, what) in wrong {
        let file = folder.file("a.yaml", &format!("egress: {{{settings}}}\n"));
        let run = check(&file, "json");
        let said = |fault: &Value| fault["what"].as_str().unwrap().contains(what);
        assert!(run.faults().iter().any(said), "{settings}: {}", run.out);
        let told = run.out + &run.errors + &check(&file, "text").errors;
        assert!(!told.contains("canary"), "{told}");
    }
    let right = "egress: {proxy: \"http://p.example.com:3128\", username: soc, \
                 password: \"${env:SECRET}\", no_proxy: [corp.example.com, 10.0.0.0/8]}\n";
    let file = folder.file("a.yaml", right);
    let shown = run_with(
        &["config", "show", "--config", &file],
        &[("SECRET", "canary")],
    );
    assert_eq!(shown.code, 0, "{}", shown.errors);
    assert!(
        shown.out.contains("http://p.example.com:3128"),
        "{}",
        shown.out
    );
    let hidden = ["canary", "env:SECRET"];
    assert!(
        !hidden.iter().any(|text| shown.out.contains(text)),
        "{}",
        shown.out
    );
}

#[test]
fn alertmanager_gathers_by_itself() {
    let folder = Folder::new("gathers");
    let text = "sinks:\n  am: {type: alertmanager, url: \"https://am.example.com/\", group_wait: 10s, \
                group_interval: 5m}\n  chat: {type: teams, url: \"https://t.example.com/\", \
                group_wait: 10s, group_interval: 5m}\n";
    let run = check(&folder.file("a.yaml", text), "json");
    let faults = run.faults();
    let told: Vec<&str> = faults
        .iter()
        .filter(|fault| fault["what"] == "Alertmanager gathers by itself")
        .map(|fault| fault["setting"].as_str().unwrap())
        .collect();
    assert_eq!(
        told,
        ["sinks.am.group_wait", "sinks.am.group_interval"],
        "{}",
        run.out
    );
    assert_eq!(faults.len(), told.len(), "{}", run.out);
}

#[test]
fn no_secret_is_ever_printed() {
    let folder = Folder::new("secrets");
    let file = folder.file("key.txt", "canary-file-0123456789abcdef0123456789abcdef\n");
    let faulty = folder.file(
        "faulty.yaml",
        "key: canary-key-plain\nkye: canary-misspelt\nkafka:\n  properties:\n    \
         sasl.password: canary-property\n    sasl.passwrod: canary-misspelt\n    \
         group.id: canary-property\n    security.protocol: canary-property\n\
         sinks:\n  chat:\n    type: slack\n    url: ftp://canary-sink/\n  pager:\n    type: pagerduty\n    \
         routing_key: canary-sink\n    routing_kye: canary-sink\n  hook:\n    type: webhook\n    \
         url: not an address canary-sink\n    signing_secrets: [canary-sink]\n",
    );
    let broken = folder.file(
        "broken.yaml",
        "key: canary-broken\nb: [\nsasl.password: canary-broken]x\n",
    );
    let good = folder.file(
        "good.yaml",
        &format!(
            "key: ${{file:{file}}}\nkafka:\n  brokers: a:1\n  properties:\n    sasl.password: canary-property\n    \
             sasl.username: ${{env:SECRET}}\nsinks:\n  chat:\n    type: slack\n    \
             url: https://hooks.example.com/canary-sink\n  bot:\n    type: slack\n    \
             bot_token: xoxb-canary-sink\n    channel: C024BE7LR\n  siem:\n    type: splunk\n    \
             url: https://hec.example.com/\n    token: canary-sink\n"
        ),
    );
    let variables = [("SECRET", "canary-environment"), ("PATH", "")];
    let mut printed = String::new();
    let mut codes = Vec::new();
    for path in [&faulty, &broken, &good] {
        for args in [
            &["check", "--config", path][..],
            &["check", "--format", "json", "--config", path],
            &["config", "show", "--config", path],
            &["config", "show", "--format", "json", "--config", path],
            &[
                "topics",
                "apply",
                "--dry-run",
                "--config",
                path,
                "--set",
                "kafka.brokers=x",
            ],
            &["check", "--config", path, "--set", "key=canary-key-plain"],
            &["check", "--config", path, "--set", "canary-key-plain"],
        ] {
            let run = run_with(args, &variables);
            codes.push(run.code);
            printed = printed + &run.out + &run.errors;
        }
    }
    for canary in CANARIES {
        assert!(!printed.contains(canary), "{canary} in:\n{printed}");
    }
    assert_eq!(codes[14..18], [0, 0, 0, 0], "{printed}");
    assert!(codes[..14].iter().all(|code| *code == 64), "{codes:?}");
    assert!(
        printed.contains("key") && printed.contains("***"),
        "{printed}"
    );
}

#[test]
fn a_secret_that_cannot_be_had_is_a_fault_of_its_line() {
    let folder = Folder::new("references");
    let text = "key: ${file:/no/such/file}\nkafka:\n  properties:\n    sasl.password: ${env:NOT_SET}\n    \
                ssl.key.password: ${vault:x}\n  brokers: nohost\n";
    let run = run_with(&["check", "--config", &folder.file("a.yaml", text)], &[]);
    assert_eq!(run.code, 64);
    for part in [
        "a.yaml:1:6: key: cannot read `/no/such/file`",
        "a.yaml:4:20: kafka.properties.sasl.password: the environment has no variable `NOT_SET`",
        "a.yaml:5:23: kafka.properties.ssl.key.password: a reference of an unknown kind",
        "a.yaml:6:12: kafka.brokers: `nohost` is not host:port",
        "4 faults",
    ] {
        assert!(run.errors.contains(part), "{part}\n{}", run.errors);
    }
}

// --- Who may ask --------------------------------------------------------------------------------

const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

#[test]
fn every_fault_of_a_token_is_told_and_no_token() {
    let folder = Folder::new("tokens");
    let token = format!("dw_{}", "canary".repeat(9));
    let text = format!(
        "http:\n  tokens:\n    an na: {{role: viewer, sha256: {HASH}}}\n    \
         bea:\n      role: boss\n      sha256: {token}\n    \
         cem:\n      role: admin\n      sha256: {HASH}\n    \
         dan: {{sha256: {token}}}\n    eva: {{role: viewer, sha265: {token}}}\n"
    );
    let file = folder.file("a.yaml", &text);
    let run = check(&file, "json");
    assert_eq!(run.code, 64, "{}", run.out);
    let told: Vec<(String, u64)> = run
        .faults()
        .iter()
        .map(|fault| {
            assert!(!fault["remedy"].as_str().unwrap().is_empty(), "{fault}");
            let setting = fault["setting"].as_str().unwrap();
            (setting.to_owned(), fault["line"].as_u64().unwrap())
        })
        .collect();
    let wanted = [
        ("http.tokens.an na", 3),
        ("http.tokens.bea.role", 5),
        ("http.tokens.bea.sha256", 6),
        ("http.tokens.cem.sha256", 9),
        ("http.tokens.dan.role", 10),
        ("http.tokens.dan.sha256", 10),
        ("http.tokens.eva.sha256", 11),
        ("http.tokens.eva.sha265", 11),
    ];
    let mut told = told;
    told.sort();
    assert_eq!(
        told,
        wanted.map(|(setting, line)| (setting.to_owned(), line))
    );
    let printed = run.out + &check(&file, "text").errors;
    assert!(!printed.contains("canary"), "{printed}");
}

#[test]
fn another_address_needs_more_than_a_token() {
    let folder = Folder::new("listen");
    let text = format!(
        "http:\n  listen: 0.0.0.0:8040\n  tokens:\n    anna: {{role: viewer, sha256: {HASH}}}\n"
    );
    let run = check(&folder.file("a.yaml", &text), "text");
    assert_eq!(run.code, 64);
    assert!(
        run.errors
            .contains("can be reached from outside, without TLS"),
        "{}",
        run.errors
    );
    let text = text.replace("0.0.0.0", "127.0.0.1");
    let run = check(&folder.file("b.yaml", &text), "text");
    assert_eq!(run.code, 0, "{}", run.errors);
}

#[test]
fn files_that_a_sink_names_are_read_with_the_configuration() {
    let folder = Folder::new("sinkfiles");
    folder.file("body.j2", "{\"id\": {{ id }},\n \"x\": {{ }\n");
    folder.file("ca.pem", "no certificate\n");
    let text = "sinks:\n  soar:\n    type: webhook\n    url: https://soar.example.com/\n    \
                template: body.j2\n  siem:\n    type: syslog\n    \
                address: siem.example.com:6514\n    ca_file: ca.pem\n";
    let run = check(&folder.file("a.yaml", text), "json");
    assert_eq!(run.code, 64, "{}", run.out);
    let told: BTreeMap<String, String> = run
        .faults()
        .iter()
        .map(|fault| {
            let part = |key: &str| fault[key].as_str().unwrap().to_owned();
            (part("setting"), part("what"))
        })
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told["sinks.soar.template"].contains("template:2"),
        "{told:?}"
    );
    assert!(
        told["sinks.siem.ca_file"].contains("holds no certificate"),
        "{told:?}"
    );
}

#[test]
fn a_test_of_a_sink_shows_what_would_go_out_without_secrets() {
    let folder = Folder::new("sinktest");
    let text = "sinks:\n  on-call:\n    type: pagerduty\n    \
                routing_key: 0123456789abcdefCANARY9abcdef012\n  soar:\n    type: webhook\n    \
                url: https://soar.example.com/canary\n    token: canary\n  siem:\n    \
                type: syslog\n    address: siem.example.com:6514\n";
    let file = folder.file("a.yaml", text);
    let test = |sink: &str| {
        run_with(
            &["deliver", "test", sink, "--config", &file, "--dry-run"],
            &[],
        )
    };
    let pager = test("on-call");
    assert_eq!(pager.code, 0, "{}", pager.errors);
    for part in [
        "> POST https://events.pagerduty.com/***",
        "\"event_action\": \"trigger\"",
        "\"routing_key\": \"***\"",
        "not sent: a dry run",
    ] {
        assert!(pager.out.contains(part), "{part}\n{}", pager.out);
    }
    assert!(
        !pager.out.contains("taken back") && !pager.out.contains("\"closed\""),
        "{}",
        pager.out
    );
    let hook = test("soar");
    assert!(hook.out.contains("> authorization: ***"), "{}", hook.out);
    let siem = test("siem");
    assert!(siem.out.contains("CEF:0|Deskwarden|"), "{}", siem.out);
    let all = pager.out + &hook.out + &siem.out;
    assert!(!all.contains("CANARY") && !all.contains("canary"), "{all}");
    let unknown = test("chat");
    assert_eq!(unknown.code, 2);
    assert!(
        unknown
            .errors
            .contains("the configuration has on-call, siem, soar"),
        "{}",
        unknown.errors
    );
}

// --- Origins ------------------------------------------------------------------------------------

#[test]
fn every_value_is_shown_with_its_origin() {
    let folder = Folder::new("origins");
    let base = folder.file(
        "base.yaml",
        "tenant: acme\nhttp:\n  cases_max: 5\nlog:\n  level: warn\n",
    );
    let site = folder.file("site.yaml", "http:\n  cases_max: 6\n");
    let args = [
        "config",
        "show",
        "--format",
        "json",
        "--config",
        &base,
        "--config",
        &site,
        "--set",
        "kafka.partitions=3",
    ];
    let run = run_with(&args, &[("DESKWARDEN__LOG__LEVEL", "debug")]);
    assert_eq!(run.code, 0, "{}", run.errors);
    let lines: Vec<Value> = serde_json::from_str(&run.out).unwrap();
    let shown = |setting: &str| {
        let line = lines
            .iter()
            .find(|line| line["setting"] == setting)
            .unwrap();
        (
            line["value"].as_str().unwrap(),
            line["origin"].as_str().unwrap(),
        )
    };
    assert_eq!(shown("tenant"), ("acme", format!("{base}:1").as_str()));
    assert_eq!(shown("http.cases_max"), ("6", format!("{site}:2").as_str()));
    assert_eq!(
        shown("log.level"),
        ("debug", "environment DESKWARDEN__LOG__LEVEL")
    );
    assert_eq!(
        shown("kafka.partitions"),
        ("3", "command line --set kafka.partitions")
    );
    assert_eq!(shown("correlate.max_wait"), ("15m", "default"));
    let text = run_with(&["config", "show", "--config", &base], &[]);
    assert!(
        text.out
            .lines()
            .any(|line| line.starts_with("tenant ") && line.ends_with(":1"))
    );
}
