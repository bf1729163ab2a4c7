//! How soon the state of many people is back: the changelog is written once, in the form and by the
//! client of the program, which is then started several times.

use crate::child::Process;
use crate::drain::spread;
use crate::ops::{Ops, ms};
use crate::ours::{self, ENVIRONMENT};
use crate::{Place, broker};
use clap::Args;
use deskwarden::collect::entity::{Entity, EntityKind};
use deskwarden::collect::event::{Action, Device, Domain, Event, EventId, Network, Outcome, Role};
use deskwarden::collect::time::{DAY_MS, Timestamp};
use deskwarden::correlate::engine::{Change, Effects, Engine, Setup};
use deskwarden::correlate::rules;
use deskwarden::correlate::state_codec;
use deskwarden::edge::clock;
use deskwarden::edge::kafka::{KafkaLog, KafkaSettings};
use deskwarden::edge::log::topics::Topic;
use deskwarden::edge::log::{Log, records};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// What reading a million people back may take, ms.
const TARGET_MS: f64 = 3_000.0;
/// Records of one transaction, as many as the program's own cycles have at most.
const PER_TRANSACTION: u64 = 5_000;
/// When each person was seen, in days before now: then their window is empty and their habits are not.
const SEEN_DAYS: [i64; 3] = [40, 39, 38];

/// From the assignment to restored state.
#[derive(Debug, Clone, Args)]
pub(crate) struct Restore {
    #[command(flatten)]
    place: Place,
    /// People with state.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    people: u64,
    /// Starts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
}

/// What one start took, ms, and weighs, MiB.
#[derive(Debug, Clone, Copy)]
struct Run {
    ready: f64,
    restored: f64,
    resident: f64,
}

impl Restore {
    pub(crate) fn run(&self) {
        let Place {
            brokers,
            partitions,
            ours,
        } = &self.place;
        let name = format!("dwbench-{}-restore", clock::now().0);
        let sources = broker::sources(&name);
        broker::create(brokers, &sources, *partitions);
        let config = ours.configure(brokers, &name, &sources, *partitions);
        ours.apply_topics(&config);
        self.fill(&name);
        let command = ours.command(&config);
        let log = ours::folder().join(format!("{name}.log"));
        let mut runs = Vec::new();
        for number in 1..=self.runs {
            let begun = clock::monotonic();
            let mut process = Process::start(&command, &ENVIRONMENT, &log);
            runs.push(self.measure(number, &mut process, begun));
            process.stop();
        }
        let of = |value: fn(&Run) -> f64| {
            let mut values: Vec<f64> = runs.iter().map(value).collect();
            spread(&mut values, 0)
        };
        println!(
            "state of {} people in {partitions} partitions, median (least to most) of {} starts:",
            self.people, self.runs
        );
        println!(
            "  from assigned to restored, ms        {}, wanted at most {TARGET_MS} for a million",
            of(|r| r.restored)
        );
        println!("  from spawn to ready, ms              {}", of(|r| r.ready));
        println!(
            "  resident when idle, MiB              {}",
            of(|r| r.resident)
        );
    }

    fn measure(&self, number: u32, process: &mut Process, begun: Instant) -> Run {
        let mut ops = Ops::of(process, begun);
        let assigned = ops.until("/status", |status| correlator(status)["started"] == true);
        let restored = ops.until("/status", |status| {
            let worker = correlator(status);
            let partitions = worker["partitions"].as_object().unwrap();
            !partitions.is_empty() && partitions.values().all(|p| p["restored"] == true)
        });
        let ready = ops.until("/readyz", |_| true);
        let read = ops.sum("state_restore_records_total");
        let partitions = ops.sum("state_restore_seconds_count");
        let each = ops.sum("state_restore_seconds_sum") / partitions * 1_000.0;
        let mib = ops.sum("state_bytes") / f64::from(1 << 20);
        process.settle();
        process.must_live();
        let run = Run {
            ready: ms(ready),
            restored: ms(restored.saturating_sub(assigned)),
            resident: process.resident(),
        };
        println!(
            "{number}: restored {:.0} ms after the assignment, ready {:.0} ms after the spawn; {read} records in \
             {partitions} partitions, {each:.0} ms each by its own account, {mib:.0} MiB of state; {:.0} MiB \
             resident",
            run.restored, run.ready, run.resident
        );
        assert!(read >= self.people as f64, "of {} people", self.people);
        assert_eq!(partitions, f64::from(self.place.partitions), "partitions");
        run
    }

    /// Writes what is remembered of everybody.
    fn fill(&self, name: &str) {
        let begun = clock::monotonic();
        let settings = KafkaSettings {
            group: format!("{name}.fill"),
            instance: "fill".to_owned(),
            transactional_id: format!("{name}-fill"),
            properties: BTreeMap::from([(
                "bootstrap.servers".to_owned(),
                self.place.brokers.clone(),
            )]),
            ..KafkaSettings::default()
        };
        let mut log = KafkaLog::connect(&settings).unwrap();
        let rules = rules::embedded_set().unwrap_or_else(|faults| panic!("{}", faults[0]));
        let setup = Arc::new(Setup::new("bench", Arc::new(rules)));
        let topic = Topic::State.name(name);
        let now = clock::now();
        let mut bytes = 0;
        let mut first = 0;
        while first < self.people {
            let end = self.people.min(first + PER_TRANSACTION);
            log.begin().unwrap();
            for number in first..end {
                let entity = Entity::new(EntityKind::Identity, format!("hris:E{number:07}"));
                let change = remembered(&setup, &entity, number, now);
                let partition = entity.partition(self.place.partitions);
                let record = records::change(&topic, partition, &change);
                let parts = [record.key, record.value];
                bytes += parts.into_iter().flatten().map(<[u8]>::len).sum::<usize>();
                log.produce(&record).unwrap();
            }
            log.commit().unwrap();
            first = end;
        }
        log.close().unwrap();
        println!(
            "wrote the state of {} people, {} bytes each with the key, in {:.1} s",
            self.people,
            bytes as u64 / self.people,
            begun.elapsed().as_secs_f64()
        );
    }
}

/// What the only correlator says of itself in `/status`.
fn correlator(status: &str) -> Value {
    let mut status: Value = serde_json::from_str(status).unwrap();
    status["workers"]["correlate-0"].take()
}

/// What the changelog has of somebody who was seen some weeks ago: the usual device, networks and
/// country.
fn remembered(setup: &Arc<Setup>, entity: &Entity, number: u64, now: Timestamp) -> Change {
    let mut engine = Engine::new(Arc::clone(setup));
    for (nth, days) in (0..).zip(SEEN_DAYS) {
        let event = seen(entity, (number, nth), now.minus(days * DAY_MS));
        engine.handle_event(entity, &event, &mut Effects::default());
    }
    let mut state = engine.state(entity).unwrap().unwrap();
    // A window of days has passed since.
    state.window = Default::default();
    Change {
        key: entity.to_string(),
        value: Some(state_codec::encode(entity.kind, &state)),
    }
}

/// Somebody opens an application, with their device, each time from another network.
fn seen(entity: &Entity, (number, nth): (u64, u32), time: Timestamp) -> Event {
    let mut event = Event::new(Domain::Idp, Action::AuthAppAccess, time);
    event.event_id = EventId((u128::from(number) << 8 | u128::from(nth)).to_be_bytes());
    event.outcome = Outcome::Success;
    event.source.system = "okta".into();
    event.source.product = "okta".into();
    event.target = Some(Box::new(Role::resolved(entity.id.as_str())));
    // As keyed values lie there: no two alike, and nothing to compress.
    let keyed = |what: u64| format!("{:032x}", mixed(number * 8 + what));
    event.device = Some(Box::new(Device {
        id: Some(keyed(0).into()),
        fingerprint: Some(keyed(1).into()),
        ..Device::default()
    }));
    event.network = Some(Box::new(Network {
        ip: Some(keyed(2 + u64::from(nth)).into()),
        asn: Some(64_500 + nth),
        country: Some("DE".into()),
        ..Network::default()
    }));
    event
}

/// A number without a pattern.
fn mixed(number: u64) -> u128 {
    let low = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let high = (low ^ (low >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    u128::from(high ^ (high >> 32)) << 64 | u128::from(low ^ (low >> 31))
}
