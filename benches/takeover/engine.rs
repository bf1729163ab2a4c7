//! The engine alone: the load is collected and correlated once on the log in memory, which leaves the
//! events topic as it would lie on Kafka, relays included; then engines of their own apply it, entry by
//! entry, and nothing else is measured.

use crate::drain::spread;
use crate::load::{self, Load, LoadOptions, Made, Source};
use crate::ours;
use clap::Args;
use deskwarden::collect::block::{self, Entry};
use deskwarden::collect::directory::{ExportSetup, read_item};
use deskwarden::collect::identity::Settings;
use deskwarden::collect::keyed::Key;
use deskwarden::collect::parse::{Tape, parse};
use deskwarden::collect::setup::{Product, SourceSetup};
use deskwarden::collect::text::Lexicon;
use deskwarden::collect::time::{MINUTE_MS, SECOND_MS, Timestamp};
use deskwarden::correlate::engine::{AHEAD_MAX, Counts, Effects, Engine, Setup};
use deskwarden::correlate::rules;
use deskwarden::edge::commands::local::{Local, LocalSource};
use deskwarden::edge::log::topics::Topic;
use deskwarden::edge::log::{OwnedRecord, Partition};
use deskwarden::edge::story::DAY;
use std::sync::Arc;
use std::time::Duration;

/// Events that are fed before the loops work.
const FED_AT_ONCE: u64 = 2_000;
/// Entries of one cycle of an engine.
const CYCLE_ENTRIES: usize = 2_000;

/// The engine alone, on the same load, without Kafka.
#[derive(Debug, Clone, Args)]
pub(crate) struct EngineAlone {
    #[command(flatten)]
    load: LoadOptions,
    /// Runs.
    #[arg(long, default_value_t = 5)]
    runs: u32,
}

/// The time spent in one run, and what happened.
struct Run {
    seconds: f64,
    counts: Counts,
    alerts: usize,
}

/// CPU-seconds of this thread.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let ns: u64 = text.split(' ').next().unwrap().parse().unwrap();
    Duration::from_nanos(ns).as_secs_f64()
}

impl EngineAlone {
    pub(crate) fn run(&self) {
        let rules =
            Arc::new(rules::embedded_set().unwrap_or_else(|faults| panic!("{}", faults[0])));
        let (history, day) = self.collect(&rules);
        let mut rates: Vec<f64> = Vec::new();
        for number in 1..=self.runs {
            let run = apply(&rules, &history, &day);
            let rate = self.load.events as f64 / run.seconds;
            println!(
                "{number} {rate:>9.0} events per CPU-second; {} entries, {} of them everyday, {} alerts",
                run.counts.events, run.counts.everyday, run.alerts
            );
            rates.push(rate);
        }
        println!(
            "events per CPU-second, median (least to most): {}",
            spread(&mut rates, 0)
        );
    }

    /// The events topic of the history and of the day, by partition.
    fn collect(
        &self,
        rules: &Arc<rules::RuleSet>,
    ) -> (Vec<Vec<OwnedRecord>>, Vec<Vec<OwnedRecord>>) {
        let settings = Settings {
            key: Key::new(b"a key of this benchmark"),
            ..Settings::default()
        };
        let lexicon = Arc::new(Lexicon::embedded().unwrap());
        let products = [Product::Okta, Product::ServiceNow, Product::AmazonConnect];
        let sources = Source::ALL.iter().zip(products).map(|(source, product)| {
            let mut setup = SourceSetup::new(source.name(), product);
            setup.keep_unread = false;
            LocalSource::new(setup, Vec::new())
        });
        let mut load = Load::new(&self.load, DAY);
        let begun = DAY.minus(load::HISTORY_MS + MINUTE_MS);
        let rules = Arc::clone(rules);
        let names = settings.names.clone();
        let mut local = Local::new(
            "bench",
            rules,
            sources.collect(),
            (settings, lexicon),
            begun,
        )
        .unwrap();
        let mut tape = Tape::default();
        for (system, line) in ours::directory(&self.load) {
            let export = ExportSetup {
                issuer: None,
                names: names.clone(),
                read_at: begun,
            };
            let item = parse(&mut tape, line.as_bytes()).unwrap();
            local
                .account(&read_item(system, item, &export).unwrap())
                .unwrap();
        }
        local.work().unwrap();
        let history: Vec<_> = load.history().collect();
        feed(&mut local, history.into_iter());
        let history = events(&local);
        feed(&mut local, load.by_ref());
        local.pass(local.now().plus(SECOND_MS)).unwrap();
        local.work().unwrap();
        let day = events(&local);
        println!("{}", load::describe(&load.counts, &self.load));
        (history, day)
    }
}

/// Feeds records and lets the loops work, a few thousand at a time.
fn feed(local: &mut Local, made: impl Iterator<Item = Made>) {
    for (number, made) in (1_u64..).zip(made) {
        if made.time > local.now() {
            local.pass(made.time).unwrap();
        }
        local.feed(made.source.name(), &made.value).unwrap();
        if number.is_multiple_of(FED_AT_ONCE) {
            local.work().unwrap();
            forget(local, Topic::State);
        }
    }
    local.work().unwrap();
}

/// The partitions of a topic that goes by entity.
fn partitions(local: &Local, topic: Topic) -> Vec<Partition> {
    let name = local.names().of(topic);
    let all = (0..).map(|number| Partition::new(Arc::clone(name), number));
    all.take_while(|partition| local.broker().ends(partition).is_some())
        .collect()
}

fn forget(local: &Local, topic: Topic) {
    for partition in partitions(local, topic) {
        let ends = local.broker().ends(&partition).unwrap();
        local.broker().trim(&partition, ends.high);
    }
}

/// What lies on the events topic, which is empty then.
fn events(local: &Local) -> Vec<Vec<OwnedRecord>> {
    let all = partitions(local, Topic::Events);
    let records = all.iter().map(|partition| local.broker().read(partition));
    let records = records.collect();
    forget(local, Topic::Events);
    records
}

/// Applies the history and then the day, of which the time is taken.
fn apply(
    rules: &Arc<rules::RuleSet>,
    history: &[Vec<OwnedRecord>],
    day: &[Vec<OwnedRecord>],
) -> Run {
    let setup = Arc::new(Setup::new("bench", Arc::clone(rules)));
    let mut run = Run {
        seconds: 0.0,
        counts: Counts::NONE,
        alerts: 0,
    };
    for (history, day) in history.iter().zip(day) {
        let mut engine = Engine::new(Arc::clone(&setup));
        cycles(&mut engine, &decoded(history));
        engine.take_counts();
        let day = decoded(day);
        let begun = cpu();
        run.alerts += cycles(&mut engine, &day);
        run.seconds += cpu() - begun;
        run.counts.add(&engine.take_counts());
    }
    run
}

type Block<'a> = (Timestamp, i64, Vec<Entry<'a>>);

fn decoded(records: &[OwnedRecord]) -> Vec<Block<'_>> {
    let mut blocks = Vec::with_capacity(records.len());
    for record in records {
        let entries = block::decode(record.value.as_deref().unwrap()).unwrap();
        blocks.push((record.timestamp, record.offset, entries));
    }
    blocks
}

/// Applies blocks in cycles, as the loop does; how many alerts were published.
fn cycles(engine: &mut Engine, blocks: &[Block<'_>]) -> usize {
    let (mut effects, mut pending, mut alerts) = (Effects::default(), 0, 0);
    for (at, (log_ts, offset, entries)) in blocks.iter().enumerate() {
        engine.advance(*log_ts, &mut effects);
        for (index, entry) in entries.iter().enumerate() {
            if index.is_multiple_of(AHEAD_MAX) {
                engine.look_ahead(&entries[index..]);
            }
            engine.handle(entry, &mut effects).unwrap();
        }
        engine.read_to(offset + 1);
        pending += entries.len();
        if pending >= CYCLE_ENTRIES || at + 1 == blocks.len() {
            let changes = engine.changes();
            engine.commit(&changes);
            alerts += std::mem::take(&mut effects).alerts.len();
            pending = 0;
        }
    }
    alerts
}
