//! Every scenario file, in every life: straight, shuffled, doubled, restarted after each event. The
//! active findings, their worth, the score and the page must be the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    clippy::too_many_lines,
    unreachable_pub,
    reason = "a test may panic"
)]

mod support;

use std::path::{Path, PathBuf};

use support::timeline::{Life, parse, play};

/// Orders of arrival tried per story.
const SHUFFLES: u64 = 25;

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no scenario files");
    files
}

#[test]
fn every_story_in_every_life() {
    let mut faults = Vec::new();
    for path in scenarios() {
        let text = std::fs::read_to_string(&path).unwrap();
        let scenario = parse(&text);
        let straight = play(&scenario, Life::Straight);
        let page = format!("{}----\n{straight}", scenario.head);
        faults.extend(support::golden::check(&path, &page).err());
        let mut lives = vec![Life::Doubled, Life::Restarted];
        lives.extend((0..SHUFFLES).map(Life::Shuffled));
        for life in lives {
            let other = play(&scenario, life);
            if other != straight {
                let name = path.display();
                faults.push(format!(
                    "{name} {life:?}\n--- straight\n{straight}--- now\n{other}"
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// What every pattern is shown to do, at least.
const KINDS: [&str; 7] = [
    "duplicate",
    "fires",
    "just-above",
    "just-below",
    "late",
    "privileged",
    "twin",
];

#[test]
fn every_pattern_has_every_kind_of_story() {
    let rules = deskwarden::correlate::rules::embedded().unwrap();
    let names: Vec<String> = scenarios()
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut missing: Vec<String> = Vec::new();
    for rule in &rules {
        for kind in KINDS {
            let name = format!("{}-{kind}", rule.pattern.to_lowercase());
            if !names.contains(&name) && !missing.contains(&name) {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "no story: {}", missing.join(", "));
}
