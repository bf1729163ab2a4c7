//! What collecting costs: events per CPU-second for each source, and nanoseconds of each step, on the
//! records of a seeded day. `cargo bench --bench collect`; CPU time, since machines are shared.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark may panic"
)]

use deskwarden::collect::directory::{ExportSetup, read_item};
use deskwarden::collect::entity::copies;
use deskwarden::collect::event::Event;
use deskwarden::collect::identity::{MemoryDirectory, Settings, identify};
use deskwarden::collect::keyed::{Key, key_event};
use deskwarden::collect::map::{MappedEvent, Outcome, map_record};
use deskwarden::collect::parse::{Tape, parse};
use deskwarden::collect::pipeline::{Collector, Scratch};
use deskwarden::collect::record::Record;
use deskwarden::collect::setup::{Product, SourceSetup};
use deskwarden::collect::text::{Lexicon, Speaker};
use deskwarden::collect::unwrap::Tapes;
use deskwarden::edge::story::{Story, StoryRecord};
use std::hint::black_box;

const SEED: u64 = 1;
const PEOPLE: usize = 400;
/// CPU time for each number: long enough that a tick of the scheduler does not show.
const SECONDS_MIN: f64 = 1.0;

/// CPU-seconds of this thread.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let ns: u64 = text.split(' ').next().unwrap().parse().unwrap();
    ns as f64 / 1e9
}

/// CPU-nanoseconds of one of `count` things; `prepare` is not timed, `step` does all of them.
fn ns_each<T>(count: usize, mut prepare: impl FnMut() -> T, mut step: impl FnMut(T)) -> f64 {
    step(prepare());
    let (mut spent, mut rounds) = (0.0, 0);
    while spent < SECONDS_MIN {
        let input = prepare();
        let begun = cpu();
        step(input);
        spent += cpu() - begun;
        rounds += 1;
    }
    spent * 1e9 / (f64::from(rounds) * count.max(1) as f64)
}

struct World {
    directory: MemoryDirectory,
    settings: Settings,
    lexicon: Lexicon,
}

impl World {
    fn of(story: &Story) -> Self {
        let settings = Settings {
            key: Key::new(b"a key of this benchmark"),
            ..Settings::default()
        };
        let mut tape = Tape::default();
        let mut records = Vec::new();
        for (product, line) in story.directory() {
            // A product is named for the system whose accounts it exports.
            let name = product.as_str();
            let system = name.trim_end_matches("_users").trim_end_matches("_agents");
            let setup = ExportSetup {
                issuer: None,
                names: settings.names.clone(),
                read_at: story.begins(),
            };
            let value = parse(&mut tape, &line).unwrap();
            records.push(read_item(system, value, &setup).unwrap());
        }
        Self {
            directory: MemoryDirectory::new(records, &settings.roots),
            settings,
            lexicon: Lexicon::embedded().unwrap(),
        }
    }

    fn collector(&self) -> Collector<'_, MemoryDirectory> {
        Collector {
            directory: &self.directory,
            settings: &self.settings,
            lexicon: &self.lexicon,
        }
    }
}

fn view(record: &StoryRecord) -> Record<'_> {
    Record {
        topic: record.source,
        partition: 0,
        offset: 0,
        ingest_ts: record.time,
        value: &record.value,
    }
}

fn mapped(records: &[StoryRecord], setup: &SourceSetup, tapes: &mut Tapes) -> Vec<MappedEvent> {
    let mut items = Vec::new();
    for record in records {
        map_record(&view(record), setup, tapes, &mut items);
    }
    let events = items.into_iter().flat_map(|item| match item.outcome {
        Outcome::Events(events) => events,
        Outcome::Ignored(_) | Outcome::Reject(_) => Vec::new(),
    });
    events.collect()
}

/// Measures one source and prints its row.
fn measure(world: &World, product: Product, records: &[StoryRecord]) {
    let mut setup = SourceSetup::new(product.as_str(), product);
    setup.keep_unread = false;
    let mut scratch = Scratch::default();
    let mut tape = Tape::default();
    let collector = world.collector();
    let count = records.len();
    let whole = ns_each(
        count,
        || (),
        |()| {
            for record in records {
                black_box(collector.collect(&view(record), &setup, &mut scratch));
            }
        },
    );
    let parsing = ns_each(
        count,
        || (),
        |()| {
            for record in records {
                black_box(parse(&mut tape, &record.value).is_ok());
            }
        },
    );
    let mapping = ns_each(
        count,
        || (),
        |()| {
            black_box(mapped(records, &setup, &mut scratch.tapes));
        },
    );
    let drafts = mapped(records, &setup, &mut scratch.tapes);
    let [identified, reading, keying] = after_mapping(world, &drafts, count);
    let bytes: usize = records.iter().map(|record| record.value.len()).sum();
    println!(
        "{:<15} {:>7} {:>6} {:>9.0} {:>8.0} {:>8.0} {:>8.0} {:>8.0} {:>8.0} {:>8.0}",
        product.as_str(),
        count,
        bytes / count.max(1),
        1e9 / whole,
        whole,
        parsing,
        (mapping - parsing).max(0.0),
        identified,
        reading,
        keying,
    );
}

/// CPU-nanoseconds per record of identifying, reading texts and keying.
fn after_mapping(world: &World, drafts: &[MappedEvent], count: usize) -> [f64; 3] {
    let events: Vec<Event> = drafts.iter().map(|draft| draft.event.clone()).collect();
    let identified = ns_each(
        count,
        || events.clone(),
        |mut events| {
            for event in &mut events {
                identify(event, &world.directory, &world.settings);
            }
            black_box(events);
        },
    );
    let texts: Vec<&str> = drafts
        .iter()
        .flat_map(|draft| &draft.texts)
        .map(|part| part.text.as_str())
        .collect();
    let reading = ns_each(
        count,
        || (),
        |()| {
            for text in &texts {
                black_box(world.lexicon.read(text, Speaker::Requester));
            }
        },
    );
    let mut known = events;
    for event in &mut known {
        identify(event, &world.directory, &world.settings);
    }
    let keying = ns_each(
        count,
        || known.clone(),
        |mut events| {
            for event in &mut events {
                key_event(event, &world.settings.key);
                black_box(copies(event));
            }
            black_box(events);
        },
    );
    [identified, reading, keying]
}

fn main() {
    let story = Story::new(SEED, PEOPLE);
    let world = World::of(&story);
    println!("records of a day of {PEOPLE} people (seed {SEED}); per record, CPU-nanoseconds:");
    println!(
        "{:<15} {:>7} {:>6} {:>9} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "source",
        "records",
        "bytes",
        "records/s",
        "whole",
        "parse",
        "map",
        "identify",
        "text",
        "key"
    );
    for product in [Product::Okta, Product::ServiceNow, Product::AmazonConnect] {
        let of_source = |record: &StoryRecord| record.source == product.as_str();
        let records: Vec<StoryRecord> = story.records().filter(of_source).collect();
        measure(&world, product, &records);
    }
}
