//! Whether a sink that is out of order is felt elsewhere: latency to the committed alert and peak memory
//! with three such sinks and without them, in turns.

use crate::latency::{Latency, Measured, Program};
use crate::ours;
use clap::Args;
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// The p99 may move by this share of itself.
const LATENCY_MOVES_MAX: f64 = 0.10;
/// And the peak by so many MiB.
const MEMORY_MOVES_MAX: f64 = 64.0;

/// With sinks that are out of order, and without.
#[derive(Debug, Clone, Args)]
pub(crate) struct Hung {
    #[command(flatten)]
    latency: Latency,
    /// Pairs of runs.
    #[arg(long, default_value_t = 3)]
    pairs: usize,
}

impl Hung {
    pub(crate) fn run(&self) {
        ours::write_directory(&self.latency.common.load);
        let sinks = sinks();
        println!(
            "{} events/s for {} s, in turns without sinks and with one that never answers, one that \
             refuses and one that reads a byte a second:",
            self.latency.common.load.rate, self.latency.seconds
        );
        let mut pairs: Vec<(f64, f64, f64)> = Vec::new();
        for pair in 0..self.pairs {
            let run = |sinks: &str| self.latency.measure_with(Program::Deskwarden, sinks);
            // Each is first in every other pair.
            let (without, with) = if pair.is_multiple_of(2) {
                let without = run("");
                (without, run(&sinks))
            } else {
                let with = run(&sinks);
                (run(""), with)
            };
            tell("without", &without);
            tell("with", &with);
            pairs.push((
                with.at(500) / without.at(500),
                with.at(990) / without.at(990),
                with.peak - without.peak,
            ));
        }
        let p50 = middle(pairs.iter().map(|pair| pair.0));
        let p99 = middle(pairs.iter().map(|pair| pair.1));
        let memory = middle(pairs.iter().map(|pair| pair.2));
        println!("the middle pair: p50 × {p50:.2}, p99 × {p99:.2}, {memory:+.0} MiB at the peak");
        assert!(
            p99 <= 1.0 + LATENCY_MOVES_MAX,
            "the latency moves with sinks that are out of order"
        );
        assert!(
            memory <= MEMORY_MOVES_MAX,
            "memory grows with sinks that are out of order"
        );
    }
}

fn tell(what: &str, measured: &Measured) {
    println!(
        "  {what:7} p50 {:.1}, p99 {:.1}, most {:.1} ms ({} alerts); peak {:.0} MiB",
        measured.at(500),
        measured.at(990),
        measured.at(1_000),
        measured.times.len(),
        measured.peak
    );
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Starts the receivers; the lines of the configuration that lead to them.
fn sinks() -> String {
    let silent = receiver(|stream| {
        // Held open: nothing is read, nothing answered.
        std::mem::forget(stream);
    });
    let slow = receiver(|mut stream| {
        let mut byte = [0];
        while stream.read(&mut byte).is_ok_and(|read| read > 0) {
            thread::sleep(Duration::from_secs(1));
        }
    });
    // Bound and let go: whoever connects there is refused.
    let refusing = TcpListener::bind("127.0.0.1:0")
        .and_then(|socket| socket.local_addr())
        .unwrap();
    let mut text = String::from("sinks:\n");
    for (name, at) in [("silent", silent), ("slow", slow), ("refusing", refusing)] {
        text.push_str(&format!(
            "  {name}: {{type: webhook, url: \"http://{at}/\", allow_private: true, \
             min_severity: low}}\n"
        ));
    }
    text
}

fn receiver(serve: fn(TcpStream)) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        for stream in socket.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    address
}
