//! The takeover benchmark on a real Kafka: a hand-written baseline and Deskwarden drain the same
//! topics in turn, or meet an open-loop load; and how soon Deskwarden is ready.
//!
//! ```text
//! cargo bench --bench takeover -- drain --events 1000000 --pairs 5
//! cargo bench --bench takeover -- latency --seconds 30
//! cargo bench --bench takeover -- hung --seconds 30 --pairs 3
//! cargo bench --bench takeover -- start --runs 5
//! cargo bench --bench takeover -- restore --people 1000000 --runs 3
//! cargo bench --bench takeover -- engine --runs 5
//! ```
//!
//! `engine` needs none; for the others brokers are those of `--brokers` or `DESKWARDEN_TEST_BROKERS`; `tests/run --bench takeover drain`
//! starts one. Machines are shared and noisy: what counts is the ratio of interleaved runs, and
//! events per CPU-second of the process under test.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark may panic"
)]

mod broker;
mod child;
mod drain;
mod engine;
mod hung;
mod latency;
mod load;
mod ops;
mod ours;
mod raw_b;
mod restore;
mod start;

/// The baseline has the allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use clap::{Args, Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    about = "Drains the same topics with RAW-B and Deskwarden, measures their latency, or how soon Deskwarden is ready"
)]
struct Options {
    /// `cargo bench` passes it.
    #[arg(long = "bench", hide = true, global = true)]
    _bench: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Events per CPU-second over a backlog, in interleaved pairs.
    Drain(drain::Drain),
    /// From a scheduled event to its committed alert, at a steady rate.
    Latency(latency::Latency),
    /// The same with sinks that are out of order, and without.
    Hung(hung::Hung),
    /// From the start of the program with empty state until it is ready.
    Start(start::Start),
    /// From the assignment until the state of many people is read back.
    Restore(restore::Restore),
    /// The engine alone, in memory: events per CPU-second.
    Engine(engine::EngineAlone),
    /// Prints what the generator makes, without Kafka.
    Load(load::LoadOptions),
    /// The baseline itself; the others start it as a process of its own.
    #[command(hide = true)]
    RawB(raw_b::RawB),
}

/// What the comparisons with the baseline share.
#[derive(Debug, Clone, Args)]
struct Common {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    load: load::LoadOptions,
}

/// Where Deskwarden runs, and how.
#[derive(Debug, Clone, Args)]
struct Place {
    /// Brokers, `host:port` with commas between them.
    #[arg(long, env = "DESKWARDEN_TEST_BROKERS")]
    brokers: String,
    /// Partitions of each source topic, and of those that go by entity.
    #[arg(long, default_value_t = 4)]
    partitions: i32,
    #[command(flatten)]
    ours: ours::Ours,
}

/// The command line of the baseline: this program again, so that its CPU is measured alike.
fn raw_b_command(brokers: &str, group: &str, output: &str, sources: &[String]) -> Vec<String> {
    let program = std::env::current_exe().unwrap();
    let mut words = vec![program.display().to_string(), "raw-b".to_owned()];
    for (option, value) in [
        ("--brokers", brokers),
        ("--group", group),
        ("--output", output),
    ] {
        words.extend([option.to_owned(), value.to_owned()]);
    }
    for source in sources {
        words.extend(["--topic".to_owned(), source.clone()]);
    }
    words
}

fn main() {
    let options = Options::parse();
    match options.command {
        Command::Drain(drain) => drain.run(),
        Command::Latency(latency) => latency.run(),
        Command::Hung(hung) => hung.run(),
        Command::Start(start) => start.run(),
        Command::Restore(restore) => restore.run(),
        Command::Engine(engine) => engine.run(),
        Command::Load(load) => load::print(&load),
        Command::RawB(raw) => raw.run(),
    }
}
