//! The rules of the house that no compiler or lint checks, as tests over the source tree.
//!
//! A rule is a function from a set of files to the places that break it. Each has a test here that
//! plants a violation in a made-up set of files and sees it reported; [`the_tree_is_clean`] runs all
//! of them over the real tree.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]
#![allow(
    unreachable_pub,
    missing_docs,
    reason = "the modules of a test have no other reader"
)]

use std::fs;
use std::path::Path;

use rules::{RULES, Rule, Violation};
use source::{File, Strings, heads, strip};

#[path = "tidy/source.rs"]
mod source;

#[path = "tidy/rules.rs"]
mod rules;

// --- The real tree --------------------------------------------------------------------------

/// What is read of the repository: folders whole, and files.
const FOLDERS: &[&str] = &[
    "src", "tests", "benches", "rules", "mappings", "deploy", ".ci",
];
const FILES: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "schemas/README.md",
    "Cargo.toml",
    "clippy.toml",
];

fn read_tree() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for path in FILES.iter().chain(FOLDERS) {
        read_into(&mut files, root, &root.join(path));
    }
    files
}

fn read_into(files: &mut Vec<File>, root: &Path, path: &Path) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            read_into(files, root, &entry.unwrap().path());
        }
    } else if path.is_file() {
        let name = path
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/");
        // Fixtures of broken input need not be UTF-8.
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        files.push(File { path: name, text });
    }
}

#[test]
fn the_tree_is_clean() {
    let files = read_tree();
    assert!(
        files.iter().any(|file| file.path == "src/lib.rs"),
        "the tree was not found"
    );
    let found: Vec<Violation> = RULES.iter().flat_map(|rule| rule(&files)).collect();
    let lines: Vec<String> = found
        .iter()
        .map(|at| format!("  {}:{}: {}", at.path, at.line, at.what))
        .collect();
    assert!(
        found.is_empty(),
        "{} violations:\n{}",
        found.len(),
        lines.join("\n")
    );
}

// --- Planted violations ---------------------------------------------------------------------

fn tree(files: &[(&str, &str)]) -> Vec<File> {
    files
        .iter()
        .map(|(path, text)| File::new(path, text))
        .collect()
}

/// The rule reports nothing but `path` at `line`, and once.
#[track_caller]
fn reports(rule: Rule, files: &[(&str, &str)], path: &str, line: usize) {
    let found = rule(&tree(files));
    let places: Vec<(&str, usize)> = found.iter().map(|at| (at.path.as_str(), at.line)).collect();
    assert_eq!(places, [(path, line)], "{found:?}");
}

#[track_caller]
fn accepts(rule: Rule, files: &[(&str, &str)]) {
    assert_eq!(rule(&tree(files)), []);
}

#[test]
fn impurity_is_seen_in_every_stage() {
    let planted = [
        "use tokio::time;",
        "use rdkafka::Message;",
        "type T = dashmap::DashSet<u8>;",
        "async fn f() {}",
        "let x = y.await;",
        "let now = SystemTime::now();",
        "let t: std::time::Instant;",
        "let t = std::fs::read(path);",
        "use std::{collections::{BTreeMap, HashMap}, net::TcpStream};",
        "let home = std::env::var(name);",
        "let x = rand::random();",
        "let id = Uuid::new_v4();",
    ];
    for stage in [
        "src/collect/a/b.rs",
        "src/correlate/a.rs",
        "src/deliver/mod.rs",
    ] {
        for line in planted {
            let text = format!("//! A job.\n\n{line}\n");
            reports(rules::stages_are_pure, &[(stage, &text)], stage, 3);
        }
    }
}

#[test]
fn purity_leaves_comments_strings_tests_and_the_edge_alone() {
    let text = "//! Needs no tokio.\n/// An Instant, /* async */\nfn f() { g(\"rand\", operand) }\n\
                use std::{collections::BTreeMap, fmt}; use core::net::IpAddr;\n\
                const V: &str = env!(\"X\");\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
    accepts(rules::stages_are_pure, &[("src/collect/a.rs", text)]);
    accepts(
        rules::stages_are_pure,
        &[("src/collect/a/tests.rs", "use std::fs;\n")],
    );
    accepts(
        rules::stages_are_pure,
        &[("src/edge/a.rs", "use tokio::time;\n")],
    );
}

#[test]
fn a_stage_that_looks_rightwards_is_seen() {
    let planted = [
        ("src/collect/a.rs", "use crate::correlate::Alert;\n"),
        (
            "src/collect/a.rs",
            "use crate::{collect::Event, deliver::Delivery};\n",
        ),
        (
            "src/correlate/a.rs",
            "fn f(d: crate::deliver::Delivery) {}\n",
        ),
        ("src/correlate/mod.rs", "use super::edge::clock;\n"),
        ("src/deliver/a.rs", "use crate::edge::clock;\n"),
    ];
    for (path, text) in planted {
        reports(rules::stages_look_leftwards, &[(path, text)], path, 1);
    }
    accepts(
        rules::stages_look_leftwards,
        &[
            (
                "src/collect/a.rs",
                "use crate::collect::Event; // not crate::edge::x\n",
            ),
            (
                "src/correlate/a.rs",
                "use crate::collect::Event; use super::relay;\n",
            ),
            (
                "src/deliver/a.rs",
                "use crate::{collect::Event, correlate::Alert};\n",
            ),
            (
                "src/edge/a.rs",
                "use crate::deliver::Delivery; use crate::edge::clock;\n",
            ),
        ],
    );
}

#[test]
fn a_second_json_parser_is_seen() {
    let text = "//! A job.\nuse serde_json::Value;\n";
    let rule = rules::source_json_has_one_parser;
    reports(
        rule,
        &[("src/collect/idp/okta.rs", text)],
        "src/collect/idp/okta.rs",
        2,
    );
    reports(
        rule,
        &[("src/collect/mapping/parse.rs", text)],
        "src/collect/mapping/parse.rs",
        2,
    );
    accepts(
        rule,
        &[
            ("src/collect/parse.rs", text),
            ("src/collect/block.rs", text),
        ],
    );
    accepts(rule, &[("src/correlate/ocsf.rs", text)]);
}

#[test]
fn unsafe_outside_of_its_home_is_seen() {
    let text = "//! A job.\nfn f() {\n    unsafe { g() }\n}\n";
    let rule = rules::unsafe_has_one_home;
    for path in [
        "src/collect/a.rs",
        "src/edge/kafka/consumer.rs",
        "tests/kafka.rs",
    ] {
        reports(rule, &[(path, text)], path, 3);
    }
    accepts(rule, &[("src/edge/kafka/batch.rs", text)]);
    accepts(
        rule,
        &[("src/lib.rs", "//! No unsafe.\n#![deny(unsafe_code)]\n")],
    );
}

#[test]
fn a_long_file_is_seen() {
    let rule = rules::files_are_short;
    let lines = |count: usize| "fn f() {}\n".repeat(count);
    let with_tests = lines(400) + "#[cfg(test)]\nmod tests {\n" + &lines(400) + "}\n";
    accepts(
        rule,
        &[
            ("src/edge/a.rs", &with_tests),
            ("src/edge/tests.rs", &lines(900)),
        ],
    );
    // A test-only item in the middle does not hide what follows it.
    let hidden = String::from("#[cfg(test)]\nuse std::fs;\n") + &lines(399);
    reports(rule, &[("src/edge/a.rs", &hidden)], "src/edge/a.rs", 0);
    reports(rule, &[("src/edge/a.rs", &lines(401))], "src/edge/a.rs", 0);
    reports(rule, &[("src/main.rs", &lines(131))], "src/main.rs", 0);
    for (path, most, reason) in rules::LONG_FILES {
        assert!(!reason.is_empty());
        accepts(rule, &[(path, &lines(*most))]);
        reports(rule, &[(path, &lines(*most + 1))], path, 0);
        // An exception that is needed no more.
        reports(rule, &[(path, &lines(400))], path, 0);
    }
}

#[test]
fn a_file_without_its_job_is_seen() {
    let rule = rules::files_open_with_their_job;
    for text in ["use std::fmt;\n", "// A job.\n", ""] {
        reports(rule, &[("src/collect/a.rs", text)], "src/collect/a.rs", 0);
        reports(rule, &[("tests/a.rs", text)], "tests/a.rs", 0);
    }
    accepts(
        rule,
        &[
            ("src/collect/a.rs", "//! A job.\n"),
            ("README.md", "# Deskwarden\n"),
        ],
    );
}

const KNOWN_RULE: [(&str, &str); 4] = [
    ("rules/hdt-03.yaml", "id: HDT-03\n"),
    (
        "src/correlate/rules/mod.rs",
        "include_str!(\"../../../rules/hdt-03.yaml\")",
    ),
    ("tests/scenarios/hdt-03_fires.txt", "----\n"),
    ("README.md", "| HDT-03 | missing call-back |\n"),
];

#[test]
fn a_forgotten_rule_file_is_seen() {
    let rule = rules::rule_files_are_known;
    accepts(rule, &KNOWN_RULE);
    accepts(rule, &[("rules/common.yaml", "")]);
    for forgotten in 1..KNOWN_RULE.len() {
        let mut files = KNOWN_RULE.to_vec();
        files.remove(forgotten);
        reports(rule, &files, "rules/hdt-03.yaml", 0);
    }
    // Named in a comment only; a longer number is another pattern.
    for (at, text) in [(1, "// rules/hdt-03.yaml\n"), (3, "HDT-031\n")] {
        let mut files = KNOWN_RULE;
        files[at].1 = text;
        reports(rule, &files, "rules/hdt-03.yaml", 0);
    }
}

#[test]
fn a_forgotten_mapping_file_is_seen() {
    let rule = rules::mapping_files_are_known;
    let known = [
        ("mappings/auth0.yaml", "source: auth0\n"),
        (
            "src/collect/mapping/mod.rs",
            "include_str!(\"../../../mappings/auth0.yaml\")",
        ),
        ("tests/vendors/auth0/login.json", "{}"),
    ];
    accepts(rule, &known);
    reports(rule, &[known[0], known[1]], "mappings/auth0.yaml", 0);
    reports(rule, &[known[0], known[2]], "mappings/auth0.yaml", 0);
}

#[test]
fn an_orphan_fixture_is_seen() {
    let rule = rules::fixtures_have_their_pair;
    let (input, event) = (
        "tests/vendors/okta/a.json",
        "tests/vendors/okta/a.event.json",
    );
    accepts(
        rule,
        &[
            (input, "{}"),
            (event, "{}"),
            ("tests/vendors/README.md", ""),
        ],
    );
    reports(rule, &[(input, "{}")], input, 0);
    reports(rule, &[(event, "{}")], event, 0);
}

#[test]
fn a_mark_of_something_to_mend_is_seen() {
    let mark = ["// FIX", "ME: later\n"].concat();
    let rule = rules::nothing_is_left_to_mend;
    for path in [
        "src/edge/a.rs",
        "tests/a.rs",
        "rules/hdt-01.yaml",
        "README.md",
    ] {
        reports(rule, &[(path, &mark)], path, 1);
    }
}

#[test]
fn a_document_that_is_not_there_is_seen() {
    let rule = rules::documents_are_there;
    let absent = "/// See `GUIDE.md`.\n";
    let readme = ("README.md", "# A\n");
    reports(
        rule,
        &[("src/edge/a.rs", absent), readme],
        "src/edge/a.rs",
        1,
    );
    reports(rule, &[readme, ("deploy/a.yml", absent)], "deploy/a.yml", 1);
    let named = "//! As `README.md` says; *.md, a.md, docs/README.md#a.\n";
    let files = [("src/edge/a.rs", named), readme, ("docs/README.md", "")];
    accepts(rule, &files);
}

// --- How source is read ---------------------------------------------------------------------

#[test]
fn comments_and_strings_are_taken_out_and_lines_stay() {
    let text =
        "a // b\n/* c\n /* d */ */ e\n'\"' \"f\\\"// g\" 'h' &'i j r\"k\" br#\"l\"m\"# '\\'' n";
    assert_eq!(
        strip(text, Strings::Blank),
        "a \n\n e\n'\"'  'h' &'i j  b '\\'' n"
    );
    assert_eq!(
        strip(text, Strings::Keep),
        "a \n\n e\n'\"' \"f\\\"// g\" 'h' &'i j r\"k\" br#\"l\"m\"# '\\'' n"
    );
    assert_eq!(strip("\"two\nlines", Strings::Blank), "\n");
}

#[test]
fn paths_are_found_alone_and_in_groups() {
    let code = "use std::fs::read;\nuse std::{\n    fmt::{self, env},\n    net,\n};\nmystd::io";
    assert_eq!(heads(code, "std"), [(1, "fs"), (2, "fmt"), (2, "net")]);
}
