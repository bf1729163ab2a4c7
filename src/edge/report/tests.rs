//! When the loops say how they are.

use super::*;
use crate::collect::time::Timestamp;
use crate::edge::health::Health;
use crate::edge::log::memory::MemoryLog;
use crate::edge::metrics::registry;
use crate::edge::stages::tests::World;

const NOW: Timestamp = Timestamp(1_780_000_000_000);

fn no_ends(_: &MemoryLog) -> BTreeMap<Partition, i64> {
    BTreeMap::new()
}

/// The next look is not a second away: readiness is told soon after it is there.
fn looks_soon(member: &Member) -> bool {
    member.look.left() <= WAITING_PAUSE
}

#[test]
fn a_collector_that_waits_for_partitions_is_looked_at_soon() {
    let world = World::new();
    let (registry, health) = (registry().unwrap(), Health::default());
    let letters = dead_letters(&registry).unwrap();
    let meters = CollectMeters::register(&registry, &letters, &["idp"]).unwrap();
    let worker = Arc::new(health.worker("collect-0"));
    let mut report = CollectReport::new(worker, meters, no_ends);
    let mut collect = world.collect();
    let mut cycle = || {
        let progress = collect.cycle(NOW).unwrap();
        report.cycle(&mut collect, &progress, NOW);
        looks_soon(&report.member)
    };
    // Assigned now, read with the next cycle.
    assert!(cycle());
    assert_eq!(health.ready(), ["collect-0: 2 partitions not restored"]);
    while !health.ready().is_empty() {
        cycle();
    }
}

#[test]
fn a_correlator_that_restores_is_looked_at_soon() {
    let world = World::new();
    let (registry, health) = (registry().unwrap(), Health::default());
    let letters = dead_letters(&registry).unwrap();
    let meters = CorrelateMeters::register(&registry, &letters, &[]).unwrap();
    let worker = Arc::new(health.worker("correlate-0"));
    let mut report = CorrelateReport::new(worker, meters, no_ends);
    let mut correlate = world.correlate();
    let mut cycle = || {
        let progress = correlate.cycle().unwrap();
        report.cycle(&mut correlate, &progress, NOW);
        looks_soon(&report.member)
    };
    // Assigned now, restored with the next cycle.
    assert!(cycle());
    assert_eq!(health.ready(), ["correlate-0: 1 partitions not restored"]);
    while !health.ready().is_empty() {
        cycle();
    }
}
