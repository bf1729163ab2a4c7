//! One seed, one life: the shipped loops on the in-memory log, with crashes between any two calls,
//! transactions that fail in every way, late, doubled and shuffled input, hand-overs, compaction, and
//! any number of partitions. The active findings must be those of the straight life, and every alert
//! must be published once, byte for byte as a single-threaded model of the same events topic says.
//!
//! `DESKWARDEN_SIM_SEEDS=N` runs N seeds, `DESKWARDEN_SIM_SEED=S` one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    clippy::disallowed_methods,
    dead_code,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    reason = "a test may panic, and reads its seeds from the environment"
)]

#[path = "simulation/crashing.rs"]
mod crashing;
#[path = "simulation/life.rs"]
mod life;
#[path = "simulation/model.rs"]
mod model;
#[path = "support/model.rs"]
mod oracle;
#[path = "simulation/random.rs"]
mod random;
#[path = "simulation/story.rs"]
mod story;

use life::{Kind, Shared};

/// Seeds that every run plays.
const SEEDS: u64 = 1_000;
/// Seeds that once found something.
const FOUND: [u64; 0] = [];

fn variable(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().expect(name))
}

/// What differs between a life and the straight one; `None` if nothing does.
fn play(shared: &Shared, seed: u64) -> Option<String> {
    let straight = life::live(shared, seed, Kind::Straight);
    let wild = life::live(shared, seed, Kind::Wild);
    for (name, lived) in [("straight", &straight), ("wild", &wild)] {
        if let Some(fault) = model::differs(shared, lived) {
            return Some(format!("seed {seed}, {name}: {fault} ({})", lived.told));
        }
    }
    (straight.findings != wild.findings).then(|| {
        let only = |these: &str, others: &str| -> String {
            let lines = these
                .lines()
                .filter(|line| !others.lines().any(|other| other == *line));
            lines.map(|line| format!("{line}\n")).collect()
        };
        format!(
            "seed {seed}: findings differ ({})\n--- straight\n{}--- wild\n{}",
            wild.told,
            only(&straight.findings, &wild.findings),
            only(&wild.findings, &straight.findings)
        )
    })
}

#[test]
fn every_life_finds_the_same() {
    let shared = Shared::new();
    let seeds: Vec<u64> = match variable("DESKWARDEN_SIM_SEED") {
        Some(seed) => vec![seed],
        None => {
            let count = variable("DESKWARDEN_SIM_SEEDS").unwrap_or(SEEDS);
            FOUND.into_iter().chain(0..count).collect()
        }
    };
    let halves: Vec<Vec<u64>> = (0..2)
        .map(|part| seeds.iter().copied().filter(|s| s % 2 == part).collect())
        .collect();
    let faults: Vec<String> = std::thread::scope(|scope| {
        let run = |seeds: Vec<u64>| {
            let shared = &shared;
            scope.spawn(move || seeds.into_iter().find_map(|seed| play(shared, seed)))
        };
        let running: Vec<_> = halves.into_iter().map(run).collect();
        running
            .into_iter()
            .filter_map(|half| half.join().unwrap())
            .collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    println!("{} seeds", seeds.len());
}

/// The story generator is worth its while: over some seeds every pattern is found.
#[test]
fn the_stories_are_not_all_quiet() {
    let shared = Shared::new();
    let all: String = (0..40)
        .map(|seed| life::live(&shared, seed, Kind::Straight).findings)
        .collect();
    for pattern in [
        "HDT-01", "HDT-03", "HDT-04", "HDT-05", "HDT-07", "HDT-09", "HDT-12", "HDT-15",
    ] {
        assert!(all.contains(pattern), "{pattern} is never found:\n{all}");
    }
}
