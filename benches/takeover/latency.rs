//! Open-loop latency: every event is sent when its schedule says, whether or not the program keeps
//! up, and each alert is timed from the scheduled moment of the event that completes it to its
//! arrival at a reader of committed records.

use crate::broker::{self, Progress};
use crate::child::{Process, pause};
use crate::load::{Load, Made};
use crate::ours::{self, ENVIRONMENT};
use crate::{Common, Place, raw_b_command};
use clap::Args;
use deskwarden::edge::clock::{self, Deadline};
use deskwarden::edge::log::topics::{Topic, group};
use rdkafka::Message;
use rdkafka::error::KafkaError;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Events sent before the measurement, until the program commits.
const WARM_EVENTS: u64 = 2_000;
/// How long the reader waits for the last alerts: one that comes so late is late, not missing.
const TAIL: Duration = Duration::from_secs(60);

/// How long the sources' producer gathers: librdkafka's own default.
const LINGER_MS: u32 = 5;

/// Latency at a steady rate.
#[derive(Debug, Clone, Args)]
pub(crate) struct Latency {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Length of the measurement.
    #[arg(long, default_value_t = 30)]
    pub(crate) seconds: u64,
    /// Attacks begun in a second; one in so many completes an alert as it is measured.
    #[arg(long, default_value_t = 10)]
    attacks: u64,
}

/// What was measured of one program.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Milliseconds from the scheduled event to the committed alert, in rising order.
    pub(crate) times: Vec<f64>,
    /// Resident memory at its peak, MiB.
    pub(crate) peak: f64,
}

impl Measured {
    /// The time that so many in a thousand do not exceed.
    pub(crate) fn at(&self, per_mille: usize) -> f64 {
        self.times[(self.times.len() - 1) * per_mille / 1_000]
    }
}

/// Which program, and which step of an attack completes its alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// The bare hop.
    Hop,
    /// The baseline, which commits every 100 ms.
    RawB,
    /// Deskwarden: two classes of recovery at once.
    Deskwarden,
}

impl Latency {
    pub(crate) fn run(&self) {
        let mut programs = vec![Program::Hop, Program::RawB];
        if !self.common.place.ours.without {
            ours::write_directory(&self.common.load);
            programs.push(Program::Deskwarden);
        }
        println!(
            "{} events/s for {} s; from the scheduled event to the committed alert, ms:",
            self.common.load.rate, self.seconds
        );
        let mut hop = None;
        for program in programs {
            let measured = self.measure(program);
            let (p50, p99) = (measured.at(500), measured.at(990));
            let (hop50, hop99) = *hop.get_or_insert((p50, p99));
            println!(
                "  {program:?}: p50 {p50:.1}, p99 {p99:.1}, most {:.1} ({} alerts); ÷ hop {:.2}, {:.2}",
                measured.at(1_000),
                measured.times.len(),
                p50 / hop50,
                p99 / hop99
            );
        }
    }

    /// Latencies of one program, each run on topics of its own.
    pub(crate) fn measure(&self, program: Program) -> Measured {
        self.measure_with(program, "")
    }

    /// As [`Self::measure`], with lines added to the configuration.
    pub(crate) fn measure_with(&self, program: Program, more: &str) -> Measured {
        let Place {
            brokers,
            partitions,
            ours,
        } = &self.common.place;
        let ours = ours.with(more);
        let name = format!("dwbench-{}-{program:?}", clock::now().0).to_lowercase();
        let sources = broker::sources(&name);
        broker::create(brokers, &sources, *partitions);
        let (command, group, output) = if program == Program::Deskwarden {
            let config = ours.configure(brokers, &name, &sources, *partitions);
            ours.prepare(&config);
            let output = Topic::Alerts.name(&name).to_string();
            (ours.command(&config), group(&name, "collect"), output)
        } else {
            let output = format!("{name}.alerts");
            broker::create(brokers, std::slice::from_ref(&output), 1);
            let mut command = raw_b_command(brokers, &name, &output, &sources);
            if program == Program::Hop {
                command.push("--bare".to_owned());
            }
            (command, name.clone(), output)
        };
        let log = ours::folder().join(format!("{name}.log"));
        let mut process = Process::start(&command, &ENVIRONMENT, &log);
        let done = AtomicBool::new(false);
        let seen = Mutex::new(BTreeMap::new());
        let sent = thread::scope(|scope| {
            let reader = scope.spawn(|| read(brokers, &output, &done, &seen));
            // Also where the program fails: the reader would wait for ever, and the scope for it.
            let over = Over(&done);
            let progress = Progress::of(brokers, &group, &sources, *partitions);
            let sent = self.drive(&name, (&progress, &mut process), program);
            let deadline = Deadline::after(TAIL);
            while !deadline.has_passed()
                && !sent
                    .keys()
                    .all(|who| seen.lock().unwrap().contains_key(who))
            {
                process.must_live();
                pause(100);
            }
            drop(over);
            reader.join().unwrap();
            sent
        });
        let seen = seen.into_inner().unwrap();
        process.must_live();
        let found = between(&sent, &seen);
        if found.len() < sent.len() {
            println!(
                "  WRONG: {program:?}: {} of {} alerts missing",
                sent.len() - found.len(),
                sent.len()
            );
        }
        assert!(
            !found.is_empty(),
            "{program:?}: no alert; see {}",
            log.display()
        );
        Measured {
            times: found,
            peak: process.peak(),
        }
    }

    /// Sends the load on schedule; when the completing event of each person was due. The name of
    /// the person is as the program writes it.
    fn drive(
        &self,
        name: &str,
        (progress, process): (&Progress, &mut Process),
        program: Program,
    ) -> BTreeMap<String, Instant> {
        let mut options = self.common.load.clone();
        options.attack_every = (options.rate / self.attacks).max(1);
        options.events = WARM_EVENTS + options.rate * self.seconds;
        let producer = broker::producer(&self.common.place.brokers, LINGER_MS);
        let start = clock::now();
        let mut load = Load::new(&options, start);
        for made in load.history() {
            broker::send(&producer, name, &made);
        }
        broker::flush(&producer);
        for made in load.by_ref().take(usize::try_from(WARM_EVENTS).unwrap()) {
            broker::send(&producer, name, &made);
        }
        broker::flush(&producer);
        while progress.committed() < i64::try_from(options.identities).unwrap() {
            process.must_live();
            pause(100);
        }
        process.settle();
        let completing = if program == Program::RawB { 3 } else { 2 };
        let begun = clock::monotonic();
        let spacing = Duration::from_secs(1) / u32::try_from(options.rate).unwrap();
        let mut sent = BTreeMap::new();
        for (n, made) in (0_u32..).zip(load) {
            let due = begun + spacing * n;
            loop {
                let left = due.saturating_duration_since(clock::monotonic());
                if left.is_zero() {
                    break;
                }
                producer.poll(Duration::ZERO);
                thread::sleep(left.min(Duration::from_millis(1)));
            }
            if let Some((_, who)) = made.step.filter(|(number, _)| *number == completing) {
                sent.entry(named(&made, who, program)).or_insert(due);
            }
            // Event times follow the real clock, which the schedule is tied to.
            broker::send(&producer, name, &made);
        }
        broker::flush(&producer);
        sent
    }
}

/// Milliseconds between what was due and what was seen of it, in rising order.
fn between(due: &BTreeMap<String, Instant>, seen: &BTreeMap<String, Instant>) -> Vec<f64> {
    let both = due
        .iter()
        .filter_map(|(who, due)| Some((due, seen.get(who)?)));
    let mut times: Vec<f64> = both
        .map(|(due, seen)| seen.saturating_duration_since(*due).as_secs_f64() * 1_000.0)
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

/// Ends the reader when dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A person as the alerts of a program name them.
fn named(made: &Made, who: usize, program: Program) -> String {
    if program == Program::Deskwarden {
        format!("hris:E{}", 10_001 + who)
    } else {
        made.key.clone()
    }
}

/// Notes when each person was first seen in a committed alert.
fn read(brokers: &str, output: &str, done: &AtomicBool, seen: &Mutex<BTreeMap<String, Instant>>) {
    let client = broker::reader(brokers, output);
    while !done.load(Ordering::Relaxed) {
        match client.poll(Duration::from_millis(50)) {
            Some(Ok(message)) => {
                let now = clock::monotonic();
                let key = String::from_utf8_lossy(message.key().unwrap_or_default());
                let value = String::from_utf8_lossy(message.payload().unwrap_or_default());
                let mut seen = seen.lock().unwrap();
                for who in people(&key, &value) {
                    seen.entry(who).or_insert(now);
                }
            }
            Some(Err(KafkaError::PartitionEOF(_))) | None => {}
            Some(Err(error)) => panic!("{output}: {error}"),
        }
    }
}

/// Whom an alert names: by its key, or by employee ids in its text.
fn people(key: &str, value: &str) -> Vec<String> {
    let mut found = vec![key.to_owned()];
    for (at, _) in value.match_indices("hris:E") {
        let rest = value.get(at..).unwrap_or_default();
        let name = rest.split(['"', '|', ' ', ',']).next();
        found.extend(name.map(str::to_owned));
    }
    found
}
