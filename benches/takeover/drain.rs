//! Draining a backlog: both programs read the same topics, one after the other, several times.

use crate::broker::{self, Progress};
use crate::child::{IDLE_SHARE, Process, pause};
use crate::load::{self, Load};
use crate::ours::{self, ENVIRONMENT};
use crate::{Common, Place, raw_b_command};
use clap::Args;
use deskwarden::collect::time::{MINUTE_MS, SECOND_MS};
use deskwarden::edge::clock;
use deskwarden::edge::log::topics::{Topic, group};
use std::collections::BTreeSet;
use std::time::Duration;

/// Nothing moved for so long: it never will.
const STUCK: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK_MS: u64 = 100;

/// Events per CPU-second over a backlog.
#[derive(Debug, Clone, Args)]
pub(crate) struct Drain {
    #[command(flatten)]
    common: Common,
    /// Pairs of runs.
    #[arg(long, default_value_t = 5)]
    pairs: u32,
    /// Nobody was seen before: the first day of an installation, on which nothing is usual yet.
    #[arg(long)]
    first_day: bool,
}

/// What one run gave.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Events per CPU-second.
    rate: f64,
    cpu_seconds: f64,
    seconds: f64,
    alerts: usize,
    revisions: usize,
}

impl Drain {
    pub(crate) fn run(&self) {
        let name = format!("dwbench-{}", clock::now().0);
        let sources = broker::sources(&name);
        broker::create(
            &self.common.place.brokers,
            &sources,
            self.common.place.partitions,
        );
        let attacked = self.fill(&name);
        let compared = !self.common.place.ours.without;
        if compared {
            ours::write_directory(&self.common.load);
        }
        let (mut raw, mut own, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for pair in 1..=self.pairs {
            let baseline = self.raw_b(&name, pair, &sources);
            println!("{pair} RAW-B       {}", baseline.line());
            baseline.check(&attacked[2]);
            raw.push(baseline.rate);
            if compared {
                let run = self.deskwarden(&name, pair, &sources);
                println!("{pair} Deskwarden  {}", run.line());
                run.check(&attacked[1]);
                own.push(run.rate);
                ratios.push(run.rate / baseline.rate);
            }
        }
        println!(
            "events per CPU-second, median (least to most) of {} pairs:",
            self.pairs
        );
        println!("  RAW-B       {}", spread(&mut raw, 0));
        if compared {
            println!("  Deskwarden  {}", spread(&mut own, 0));
            println!("  ratio       {}", spread(&mut ratios, 2));
        }
    }

    /// Produces the load; whom it attacked, by step.
    fn fill(&self, name: &str) -> [BTreeSet<usize>; 3] {
        let Common {
            place: Place { brokers, .. },
            load: options,
        } = &self.common;
        let span_ms = i64::try_from(options.events * 1_000 / options.rate.max(1)).unwrap();
        // The last event lies a minute back: nothing is ahead of the clock.
        let start = clock::now().minus(span_ms + MINUTE_MS);
        let producer = broker::producer(brokers, 20);
        let mut load = Load::new(options, start);
        let begun = clock::monotonic();
        if !self.first_day {
            for made in load.history() {
                broker::send(&producer, name, &made);
            }
            broker::flush(&producer);
        }
        for made in load.by_ref() {
            broker::send(&producer, name, &made);
        }
        broker::flush(&producer);
        println!("{}", load::describe(&load.counts, options));
        println!("produced in {:.1} s", begun.elapsed().as_secs_f64());
        load.counts.attacked
    }

    fn raw_b(&self, name: &str, pair: u32, sources: &[String]) -> Run {
        let brokers = &self.common.place.brokers;
        let group = format!("{name}.raw-b-{pair}");
        let output = format!("{group}.alerts");
        broker::create(brokers, std::slice::from_ref(&output), 1);
        let command = raw_b_command(brokers, &group, &output, sources);
        let run = self.measure(&command, &group, sources);
        let (alerts, revisions) = broker::count(brokers, &output);
        Run {
            alerts,
            revisions,
            ..run
        }
    }

    fn deskwarden(&self, name: &str, pair: u32, sources: &[String]) -> Run {
        let Place {
            brokers,
            ours,
            partitions,
        } = &self.common.place;
        // A prefix of its own gives topics and groups of its own; the sources are shared.
        let prefix = format!("{name}-{pair}");
        let config = ours.configure(brokers, &prefix, sources, *partitions);
        ours.prepare(&config);
        let command = ours.command(&config);
        let run = self.measure(&command, &group(&prefix, "collect"), sources);
        let (alerts, revisions) = broker::count(brokers, &Topic::Alerts.name(&prefix));
        Run {
            alerts,
            revisions,
            ..run
        }
    }

    /// Starts a process and watches it until its group has read everything and it has nothing left
    /// to do. Events and CPU count from the first commit after the history, so that starting and learning
    /// what is usual do not count, to the beginning of the first idle second.
    fn measure(&self, command: &[String], group: &str, sources: &[String]) -> Run {
        let Place {
            brokers,
            partitions,
            ..
        } = &self.common.place;
        let history = if self.first_day {
            1
        } else {
            i64::try_from(self.common.load.identities).unwrap()
        };
        let progress = Progress::of(brokers, group, sources, *partitions);
        let ends = progress.ends();
        let log = ours::folder().join(format!("{group}.log"));
        let mut process = Process::start(command, &ENVIRONMENT, &log);
        let begun = clock::monotonic();
        let (mut moved, mut last) = (begun, 0);
        let mut first = None;
        // Seconds and CPU-seconds at each look.
        let mut looks: Vec<(f64, f64)> = Vec::new();
        loop {
            process.must_live();
            let (now, cpu) = (begun.elapsed().as_secs_f64(), process.cpu());
            let committed = progress.committed();
            if committed > last {
                (moved, last) = (clock::monotonic(), committed);
            }
            if committed >= history {
                first.get_or_insert((now, cpu, committed));
            }
            assert!(
                moved.elapsed() < STUCK,
                "{group} stands at {last} of {ends}: see {}",
                log.display()
            );
            if committed >= ends {
                looks.push((now, cpu));
                let window =
                    usize::try_from(SECOND_MS).unwrap() / usize::try_from(LOOK_MS).unwrap();
                if let Some(at) = looks.len().checked_sub(window + 1) {
                    let (then, before) = looks[at];
                    if cpu - before < IDLE_SHARE * (now - then) {
                        let (start, start_cpu, read) = first.unwrap_or_default();
                        return Run {
                            rate: (ends - read) as f64 / (before - start_cpu),
                            cpu_seconds: before - start_cpu,
                            seconds: then - start,
                            alerts: 0,
                            revisions: 0,
                        };
                    }
                }
            }
            pause(LOOK_MS);
        }
    }
}

impl Run {
    /// The baseline alerts on the third step of an attack, Deskwarden on the second: two classes of
    /// recovery. Nothing else in the load is worth an alert, and each person has one.
    fn check(&self, attacked: &BTreeSet<usize>) {
        if self.alerts != attacked.len() {
            let (have, want) = (self.alerts, attacked.len());
            println!("  WRONG: {have} people alerted, {want} attacked");
        }
    }

    fn line(&self) -> String {
        format!(
            "{:>9.0} events per CPU-second ({:.2} CPU-seconds, {:.1} s), {} alerts in {} records",
            self.rate, self.cpu_seconds, self.seconds, self.alerts, self.revisions
        )
    }
}

/// Median, least and most.
pub(crate) fn spread(values: &mut [f64], digits: usize) -> String {
    values.sort_by(f64::total_cmp);
    let (least, most) = (values[0], values[values.len() - 1]);
    let median = values[values.len() / 2];
    format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
}
