//! How soon Deskwarden is ready: each run on new topics, with empty state. What the brokers take to let
//! a member into a group is not ours: a bare consumer joins beside it, and its time is told apart.

use crate::child::Process;
use crate::drain::spread;
use crate::ops::{Ops, ms};
use crate::ours::{self, ENVIRONMENT};
use crate::{Place, broker};
use clap::Args;
use deskwarden::edge::clock;
use deskwarden::edge::log::topics::Topic;
use std::thread;

/// What a start may take beside the group join, ms.
const TARGET_MS: f64 = 500.0;

/// From the start of the program to its readiness.
#[derive(Debug, Clone, Args)]
pub(crate) struct Start {
    #[command(flatten)]
    place: Place,
    /// Starts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
}

/// What one start took, ms, and weighs, MiB.
#[derive(Debug, Clone, Copy)]
struct Run {
    ready: f64,
    assigned: f64,
    join: f64,
    resident: f64,
}

impl Start {
    pub(crate) fn run(&self) {
        let runs: Vec<Run> = (1..=self.runs).map(|number| self.measure(number)).collect();
        let of = |value: fn(&Run) -> f64| {
            let mut values: Vec<f64> = runs.iter().map(value).collect();
            spread(&mut values, 0)
        };
        println!(
            "empty state, median (least to most) of {} starts:",
            self.runs
        );
        println!("  from spawn to ready, ms              {}", of(|r| r.ready));
        println!(
            "  from spawn to assigned, ms           {}",
            of(|r| r.assigned)
        );
        println!("  a bare consumer's group join, ms     {}", of(|r| r.join));
        println!(
            "  ready, less that join, ms            {}, wanted at most {TARGET_MS}",
            of(|r| r.ready - r.join)
        );
        println!(
            "  resident when idle, MiB              {}",
            of(|r| r.resident)
        );
    }

    fn measure(&self, number: u32) -> Run {
        let Place {
            brokers,
            partitions,
            ours,
        } = &self.place;
        let name = format!("dwbench-{}-start", clock::now().0);
        let sources = broker::sources(&name);
        broker::create(brokers, &sources, *partitions);
        let config = ours.configure(brokers, &name, &sources, *partitions);
        ours.apply_topics(&config);
        let join = self.join(&name, &sources);
        let log = ours::folder().join(format!("{name}.log"));
        let begun = clock::monotonic();
        let mut process = Process::start(&ours.command(&config), &ENVIRONMENT, &log);
        let mut ops = Ops::of(&mut process, begun);
        let assigned = ops.until("/startupz", |_| true);
        let ready = ops.until("/readyz", |_| true);
        process.settle();
        process.must_live();
        let run = Run {
            ready: ms(ready),
            assigned: ms(assigned),
            join,
            resident: process.resident(),
        };
        println!(
            "{number}: ready after {:.0} ms, assigned after {:.0}, a bare consumer after {:.0}; {:.0} MiB",
            run.ready, run.assigned, run.join, run.resident
        );
        run
    }

    /// How long bare consumers take to join, one for each of our groups, at once as ours do; the slower
    /// one, ms.
    fn join(&self, name: &str, sources: &[String]) -> f64 {
        let brokers = &self.place.brokers;
        let events = vec![Topic::Events.name(name).to_string()];
        let took = thread::scope(|scope| {
            let collect = scope.spawn(|| broker::join(brokers, &format!("{name}.bare-1"), sources));
            let correlate = broker::join(brokers, &format!("{name}.bare-2"), &events);
            correlate.max(collect.join().unwrap())
        });
        ms(took)
    }
}
