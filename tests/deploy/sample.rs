//! The sample: its records are read whole and yield the alert, also after they were moved in time.

use std::path::{Path, PathBuf};
use std::process::Command;

use deskwarden::edge::clock::now;
use serde_json::Value;

use super::{daemon, root, service};

/// The last moment of the sample as it lies in the repository: 2026-03-02 09:56:46 UTC.
const LAST_MS: i64 = 1_772_445_406_000;
/// The script is done, and its records replayed, within so much time.
const PATIENCE_MS: i64 = 60_000;

/// What `replay` finds in the records of a folder, with the people and the configuration of the kit.
fn replay(records: &Path) -> Vec<Value> {
    let daemon = daemon();
    let config = daemon.config();
    let mut command = Command::new(env!("CARGO_BIN_EXE_deskwarden"));
    command.arg("replay").envs(daemon.environment());
    let file = daemon.file("/etc/deskwarden/deskwarden.yaml").unwrap();
    command.arg("--config").arg(root().join(file));
    for source in &config.sources {
        let path = records.join(format!("{}.jsonl", source.topic));
        command
            .arg("--source")
            .arg(format!("{}={}", source.setup.name, path.display()));
    }
    let import = service("directory");
    for word in import.list("command") {
        if let Some((system, inside)) = word.split_once('=') {
            let path = root().join(import.file(inside).unwrap());
            command
                .arg("--directory")
                .arg(format!("{system}={}", path.display()));
        }
    }
    let done = command.output().unwrap();
    let notes = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{notes}");
    let lines = String::from_utf8(done.stdout).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn patterns(alert: &Value) -> Vec<String> {
    let mut found = deskwarden::edge::commands::alert_text::patterns(alert);
    found.sort_unstable();
    found.dedup();
    found
}

fn one_takeover(alerts: &[Value]) -> &Value {
    let paging = |alert: &&Value| deskwarden::edge::commands::alert_text::pages(alert);
    let paging: Vec<&Value> = alerts.iter().filter(paging).collect();
    assert_eq!(paging.len(), 1, "{alerts:#?}");
    assert_eq!(paging[0]["severity"], "Critical");
    assert_eq!(
        patterns(paging[0]),
        ["HDT-01", "HDT-03", "HDT-04", "HDT-05"]
    );
    paging[0]
}

#[test]
fn the_sample_yields_one_takeover() {
    one_takeover(&replay(&root().join("deploy/sample/records")));
}

/// Programs that stand where those of Kafka do: topics are files of a folder.
const KAFKA: [(&str, &str); 3] = [
    ("kafka-topics.sh", "touch \"$BROKERS/$6.jsonl\""),
    (
        "kafka-get-offsets.sh",
        "echo \"$4:0:$(wc -l <\"$BROKERS/$4.jsonl\")\"",
    ),
    ("kafka-console-producer.sh", "cat >>\"$BROKERS/$4.jsonl\""),
];

fn produce(folder: &Path) -> String {
    let done = Command::new("bash")
        .arg(root().join("deploy/sample/produce"))
        .env("BROKERS", folder)
        .env("KAFKA_BIN", folder)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap()
}

fn folder_with_kafka() -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("deploy-sample");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    for (name, does) in KAFKA {
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\nset -eu\n{does}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

#[test]
fn the_sample_is_moved_to_the_time_of_the_start() {
    let folder = folder_with_kafka();
    let said = produce(&folder);
    let alerts = replay(&folder);
    let still = replay(&root().join("deploy/sample/records"));
    // It was found as long after the last record as before: that one is now.
    let found_ms = |alerts: &[Value]| one_takeover(alerts)["time"].as_i64().unwrap();
    let last_ms = LAST_MS + found_ms(&alerts) - found_ms(&still);
    let ago_ms = now().0 - last_ms;
    assert!((0..PATIENCE_MS).contains(&ago_ms), "{ago_ms}");
    // A second start changes nothing.
    assert!(!said.contains("already"), "{said}");
    assert_eq!(produce(&folder).matches("holds records already").count(), 3);
    assert_eq!(replay(&folder), alerts);
}
