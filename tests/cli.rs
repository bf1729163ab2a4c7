//! The program as people start it: what it prints, and how it exits.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic"
)]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

const HRIS: &str = r#"{"employee_id":"E1","legal_name":"Dana Cole","work_email":"dana.cole@corp.example","work_phone":"+14155551000","mobile_phone":"+14155550101","hire_date":"2019-02-01","status":"active"}
{"employee_id":"E2","legal_name":"Sam Lee","work_email":"sam.lee@corp.example","work_phone":"+14155551000","mobile_phone":"+14155550102","hire_date":"2020-02-01","status":"active"}
"#;

fn canonical(time: &str) -> String {
    format!(
        r#"{{"domain":"idp","action":"auth.login","time":"{time}","target":{{"handles":[{{"kind":"email","value":"dana.cole@corp.example"}}]}}}}"#
    )
}

fn okta(id: &str) -> String {
    format!(
        r#"{{"uuid":"{id}","published":"2024-05-06T10:00:00.000Z","eventType":"user.session.start","outcome":{{"result":"SUCCESS"}},"actor":{{"id":"00u1","type":"User","alternateId":"dana.cole@corp.example"}}}}"#
    )
}

/// The story brings its first paging alert after some seconds; a build without optimisation takes longer.
const DEMO_MAX: Duration = Duration::from_secs(60);

/// A folder of this test that is gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{name}"));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
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
    lines: Vec<String>,
    errors: String,
}

impl Run {
    fn json(&self) -> Vec<Value> {
        let lines = self.lines.iter();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn run_with(args: &[&str], input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_deskwarden"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments never reads.
    let _ = child.stdin.take().unwrap().write_all(input);
    let done = child.wait_with_output().unwrap();
    Run {
        code: done.status.code().unwrap(),
        lines: String::from_utf8(done.stdout)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect(),
        errors: String::from_utf8(done.stderr).unwrap(),
    }
}

fn run(args: &[&str]) -> Run {
    run_with(args, b"")
}

/// Reads all of a stream beside the test, and tells when it has ended.
fn reading(mut stream: impl Read + Send + 'static, ended: mpsc::Sender<()>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        // Nobody waits for it any more after the time is over.
        let _ = ended.send(());
        text
    })
}

/// Runs a command that is killed if it takes longer; `None` stands for its exit code then.
fn run_within(limit: Duration, args: &[&str]) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_deskwarden"))
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (ended, end) = mpsc::channel();
    let output = reading(child.stdout.take().unwrap(), ended.clone());
    let errors = reading(child.stderr.take().unwrap(), ended);
    if end.recv_timeout(limit).is_err() {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    (
        status.code(),
        output.join().unwrap(),
        errors.join().unwrap(),
    )
}

fn map(source: &str, file: &str) -> Run {
    run(&["map", "test", "--source", source, file])
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

fn places(run: &Run) -> Vec<(u64, u64)> {
    run.json()
        .iter()
        .map(|line| {
            (
                line["line"].as_u64().unwrap(),
                line["item"].as_u64().unwrap(),
            )
        })
        .collect()
}

#[test]
fn help_and_version_are_there() {
    let help = run(&["--help"]);
    assert_eq!(help.code, 0);
    assert!(help.lines.iter().any(|line| line.contains("Examples:")));
    let version = run(&["--version"]);
    assert_eq!(
        version.lines,
        [format!("deskwarden {}", env!("CARGO_PKG_VERSION"))]
    );
    for args in [
        &["map", "test", "--help"][..],
        &["identity", "resolve", "--help"],
        &["audit", "verify", "--help"],
        &["audit", "export", "--help"],
        &["audit", "show", "--help"],
    ] {
        let text = run(args).lines.join("\n");
        assert!(
            text.contains("Examples:") && text.contains("Exit codes:"),
            "{text}"
        );
    }
}

#[test]
fn every_form_of_file_gives_the_same_events() {
    let folder = Folder::new("forms");
    let (a, b) = (okta("a"), okta("b"));
    let ids = |run: &Run| -> Vec<Value> {
        assert_eq!(run.code, 0, "{}", run.errors);
        run.json().iter().map(|l| l["native_id"].clone()).collect()
    };
    let lines = format!("{a}\n\n{b}\n");
    let by_line = map("okta", &folder.file("lines.jsonl", &lines));
    assert_eq!(ids(&by_line), ["a", "b"]);
    assert_eq!(places(&by_line), [(1, 0), (3, 0)]);
    let array = map("okta", &folder.file("array.json", format!("[{a},\n{b}]")));
    assert_eq!(ids(&array), ["a", "b"]);
    assert_eq!(places(&array), [(1, 0), (1, 1)]);
    let glued = map("okta", &folder.file("glued.json", format!("{a}{b}")));
    assert_eq!(ids(&glued), ["a", "b"]);
    let value: Value = serde_json::from_str(&a).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    let pretty = map(
        "okta",
        &folder.file("pretty.json", format!("{pretty}\n{pretty}")),
    );
    assert_eq!(ids(&pretty), ["a", "a"]);
    let packed = map("okta", &folder.file("lines.jsonl.gz", gzip(&lines)));
    assert_eq!(packed.lines, by_line_as(&by_line, &packed));
    let piped = run_with(&["map", "test", "--source", "okta", "-"], lines.as_bytes());
    assert_eq!(ids(&piped), ["a", "b"]);
    let other_name = ["map", "test", "--source", "sso", "--product", "okta", "-"];
    let named = run_with(&other_name, lines.as_bytes());
    assert_eq!(named.json()[0]["event"]["source"]["system"], "sso");
}

/// The lines of one run with the arrival times of another: two files are never written at once.
fn by_line_as(run: &Run, like: &Run) -> Vec<String> {
    let same = run.lines.iter().zip(run.json()).zip(like.json());
    same.map(|((line, own), like)| {
        let stamp = |value: &Value| value["event"]["ingest_ts"].to_string();
        line.replace(&stamp(&own), &stamp(&like))
    })
    .collect()
}

#[test]
fn a_broken_line_is_refused_alone() {
    let folder = Folder::new("broken");
    let text = format!("{}\n{{\"uuid\":\n{}\n[]\n", okta("a"), okta("b"));
    let found = map("okta", &folder.file("x.jsonl", text));
    assert_eq!(found.code, 1);
    assert_eq!(places(&found), [(1, 0), (2, 0), (3, 0), (4, 0)]);
    let lines = found.json();
    assert_eq!(lines[1]["reject"]["reason"], "decode");
    assert!(lines[1]["reject"]["detail"].is_string());
    assert_eq!(lines[3]["ignored"], "empty_envelope");
    assert!(lines[0]["event"]["action"].is_string());
}

#[test]
fn events_are_pruned_and_an_absent_time_is_not_1970() {
    let folder = Folder::new("times");
    let text = okta("a").replace(r#""published":"2024-05-06T10:00:00.000Z","#, "");
    let found = map("okta", &folder.file("x.jsonl", text));
    let line = &found.json()[0];
    assert!(line["event"]["time"].as_i64().unwrap() > 1_700_000_000_000);
    assert_eq!(line["event"]["time_quality"], "record_fallback");
    // A copy keeps an old time: events younger than their file stay where they are.
    let path = folder.file("y.jsonl", canonical("2024-05-06T10:00:00Z"));
    let copy = std::fs::File::options().write(true).open(&path).unwrap();
    let long_ago = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    copy.set_modified(long_ago).unwrap();
    let timed = map("canonical", &path);
    assert_eq!(timed.code, 0, "{:?}", timed.lines);
    assert_eq!(timed.json()[0]["event"]["time"], 1_714_989_600_000_i64);
    let shown = timed.lines.join("\n");
    assert!(!shown.contains("null") && !shown.contains("[]"), "{shown}");
}

#[test]
fn large_arrays_are_read_item_by_item() {
    let folder = Folder::new("large");
    let items: Vec<String> = (0..6_000).map(|n| okta(&n.to_string())).collect();
    let text = format!("[{}]", items.join(","));
    assert!(text.len() > 1 << 20);
    let found = map("okta", &folder.file("x.json", text));
    assert_eq!((found.code, found.lines.len()), (0, 6_000));
    assert_eq!(places(&found)[5_999], (1, 5_999));
}

#[test]
fn wrong_usage_exits_2_and_names_the_remedy() {
    let folder = Folder::new("usage");
    let file = folder.file("x.jsonl", okta("a"));
    let hris = format!("hris={}", folder.file("hris.jsonl", HRIS));
    let broken = folder.file("broken.gz", &gzip(HRIS)[..40]);
    let nobody = format!("hris={}", folder.file("none.jsonl", "{\"a\":1}\n"));
    let resolve = ["identity", "resolve", "--directory"];
    let at = ["--at", "2024-05-06T10:00:00Z"];
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (vec!["map", "test", "--source", "sso", &file], "--product"),
        (
            vec!["map", "test", "--source", "okta", "/no/such"],
            "/no/such",
        ),
        (vec!["audit", "verify", "--file", "/no/such"], "/no/such"),
        (vec!["audit", "show"], "--ticket"),
        (vec!["audit", "show", "--from", "noon"], "2024-05-06T"),
        (vec!["audit", "export", "--to", "2024-05-06"], "--from"),
        (vec!["map", "test", "--source", "okta", &broken], "gzip"),
        (vec!["map", "test", &file], "--source"),
        (
            [&resolve[..], &["ldap=x"], &at, &["email:a@b.c"]].concat(),
            "contact_centre",
        ),
        (
            [&resolve[..], &["hris"], &at, &["email:a@b.c"]].concat(),
            "SYSTEM=FILE",
        ),
        (
            [&resolve[..], &[&hris], &at, &["mail-a@b.c"]].concat(),
            "kind:value",
        ),
        (
            [&resolve[..], &[&hris, "--at", "noon", "email:a@b.c"]].concat(),
            "2024-05-06T",
        ),
        ([&resolve[..], &[&hris, "email:a@b.c"]].concat(), "--at"),
        ([&resolve[..], &[&hris], &at].concat(), "KIND:VALUE"),
        (
            [&resolve[..], &[&nobody], &at, &["email:a@b.c"]].concat(),
            "no account",
        ),
    ];
    for (args, remedy) in cases {
        let found = run(&args);
        assert_eq!(found.code, 2, "{args:?}");
        assert!(found.errors.contains(remedy), "{args:?}: {}", found.errors);
        assert!(found.lines.is_empty(), "{args:?}");
    }
}

fn resolve(hris: &str, more: &[&str]) -> Run {
    let at = ["--at", "2024-05-06T10:00:00Z"];
    let directory = ["identity", "resolve", "--directory", hris];
    run(&[&directory[..], &at, more].concat())
}

#[test]
fn names_are_resolved() {
    let folder = Folder::new("resolve");
    let hris = format!("hris={}", folder.file("hris.jsonl", HRIS));
    let one = resolve(&hris, &["email:Dana.Cole@Corp.Example"]);
    assert_eq!(one.code, 0, "{}", one.errors);
    let answer = &one.json()[0];
    assert_eq!(answer["status"], "resolved");
    assert_eq!(answer["identity"], "E1");
    assert_eq!(answer["strength"], "strong");
    for key in ["via", "candidates", "primary", "other"] {
        assert!(answer.get(key).is_some(), "{key}");
    }
    let shared = resolve(&hris, &["phone:+14155551000"]);
    assert_eq!(shared.json()[0]["candidates"], json!(["E1", "E2"]));
    let conflict = resolve(
        &hris,
        &["email:dana.cole@corp.example", "phone:+14155550102"],
    );
    assert_eq!(conflict.json()[0]["primary"], "E1");
    assert_eq!(conflict.json()[0]["other"], "E2");
    let local = resolve(&hris, &["--default-region", "us", "phone:(415) 555-0102"]);
    assert_eq!(local.json()[0]["identity"], "E2");
    let empty = format!("jira={}", folder.file("jira.json", "[]"));
    let with_empty = resolve(&hris, &["--directory", &empty, "employee_id:E2"]);
    assert_eq!((with_empty.code, with_empty.lines.len()), (0, 1));
    assert!(with_empty.errors.contains("jira.json"));
    let packed = format!("hris={}", folder.file("hris.json.gz", gzip(HRIS)));
    assert_eq!(
        resolve(&packed, &["employee_id:E2"]).json()[0]["identity"],
        "E2"
    );
}

#[test]
fn bad_lines_of_a_directory_and_of_queries_are_told() {
    let folder = Folder::new("lines");
    let export = folder.file("hris.jsonl", format!("{HRIS}oops\n"));
    let queries = r#"{"q":["employee_id:E1"],"at":"2024-05-06T10:00:00Z"}
{"q":["employee_id:E1"]}
{"q":["employee_id:E2"],"at":"2024-05-06T10:00:00Z"}
"#;
    let queries = folder.file("queries.jsonl", queries);
    let directory = format!("hris={export}");
    let found = run(&[
        "identity",
        "resolve",
        "--directory",
        &directory,
        "--queries",
        &queries,
    ]);
    assert_eq!(found.code, 1);
    let answers = found.json();
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[0]["identity"], "E1");
    assert_eq!(answers[1]["line"], 2);
    assert_eq!(answers[2]["identity"], "E2");
    assert!(
        found.errors.contains(&format!("{export}:3:")),
        "{}",
        found.errors
    );
    assert!(
        found.errors.contains(&format!("{queries}:2:")),
        "{}",
        found.errors
    );
}

#[test]
fn the_sample_queries_get_ten_of_ten() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = [
        "../shared/samples/identity",
        "../../shared/samples/identity",
    ];
    let Some(samples) = places.iter().map(|p| root.join(p)).find(|p| p.is_dir()) else {
        println!("left out: there is no shared/samples beside the repository");
        return;
    };
    let systems = [
        ("hris", "hris"),
        ("okta", "okta_users"),
        ("entra", "entra_users"),
        ("servicenow", "servicenow_sys_user"),
        ("zendesk", "zendesk_users"),
        ("jira", "jira_users"),
        ("contact_centre", "contact_centre_agents"),
    ];
    let mut args = vec!["identity".to_owned(), "resolve".to_owned()];
    for (system, file) in systems {
        let path = samples.join(format!("{file}.jsonl"));
        args.extend([
            "--directory".to_owned(),
            format!("{system}={}", path.display()),
        ]);
    }
    let queries = samples.join("queries.jsonl");
    args.extend(["--queries".to_owned(), queries.display().to_string()]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let found = run(&args);
    assert_eq!(found.code, 0, "{}", found.errors);
    let text = std::fs::read_to_string(queries).unwrap();
    let answers = found.json();
    assert_eq!((answers.len(), text.lines().count()), (10, 10));
    for (line, answer) in text.lines().zip(answers) {
        let line: Value = serde_json::from_str(line).unwrap();
        for (key, want) in line["expect"].as_object().unwrap() {
            assert!(
                key == "note" || answer[key] == *want,
                "{key} of {line}: {answer}"
            );
        }
    }
}

/// The first command that people try: the loops on the in-memory log, the page beside them.
#[test]
fn the_demo_shows_an_alert() {
    let args = [
        "demo",
        "--listen",
        "127.0.0.1:0",
        "--ops-listen",
        "127.0.0.1:0",
        "--exit-after-alerts",
        "1",
    ];
    let (code, output, errors) = run_within(DEMO_MAX, &args);
    let told = format!("within {DEMO_MAX:?}: exit code {code:?}\n{output}\n{errors}");
    assert_eq!(code, Some(0), "{told}");
    assert!(errors.contains("http://127.0.0.1:"), "{told}");
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 1, "{told}");
    let alert: Value = serde_json::from_str(lines[0]).unwrap();
    assert!(alert["message"].is_string(), "{told}");
    assert_eq!(alert["unmapped"]["page"], true, "{told}");
}
