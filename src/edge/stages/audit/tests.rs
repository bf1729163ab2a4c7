//! What is read of the audit topic, on the in-memory log.

use super::*;
use crate::collect::time::Timestamp;
use crate::deliver::mention::Kind;
use crate::deliver::trail::tests::recovery;
use crate::deliver::trail::{BYTES_MAX, Trail};
use crate::edge::health::Health;
use crate::edge::log::memory::MemoryLog;
use crate::edge::log::topics::Topic;
use crate::edge::stages::tests::World;

fn audit(world: &World, records_max: usize) -> (Audit<MemoryLog>, SharedTrail) {
    let trail = SharedTrail::new(Trail::new(records_max, BYTES_MAX));
    let topic = Arc::clone(world.names.of(Topic::Audit));
    let worker = Health::default().worker("audit-0");
    let log = world.member("audit", Vec::new());
    (Audit::new(log, topic, trail.clone(), worker), trail)
}

fn write(world: &World, minute: i64) {
    let record = recovery(minute, "T", "A").to_string();
    world.append(world.names.of(Topic::Audit), record.as_bytes());
}

#[test]
fn the_topic_is_read_and_followed() {
    let world = World::new();
    write(&world, 1);
    world.append(world.names.of(Topic::Audit), b"no audit record");
    let (mut audit, trail) = audit(&world, 1_000);
    assert!(!trail.is_filled());
    while !trail.is_filled() {
        audit.cycle().unwrap();
    }
    write(&world, 2);
    audit.cycle().unwrap();
    assert_eq!(trail.read().of(Kind::Identity, "T").count(), 2);
    assert_eq!(trail.read().since(), Some(Timestamp(60_000)));
}

#[test]
fn of_a_long_topic_the_end_is_read() {
    let world = World::new();
    (1..=200).for_each(|minute| write(&world, minute));
    let (mut audit, trail) = audit(&world, 40);
    while !trail.is_filled() {
        audit.cycle().unwrap();
    }
    let held = trail.read();
    let count = held.of(Kind::Identity, "T").count();
    assert!((1..=40).contains(&count), "{count}");
    let since = held.since().unwrap();
    assert!(since >= Timestamp(160 * 60_000), "{since:?}");
}
