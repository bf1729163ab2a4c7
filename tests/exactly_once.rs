//! The shipped binary on a real broker, killed again and again: every alert revision is published once
//! to a `read_committed` reader, byte for byte as the single-threaded model of the events topic says,
//! and every source record arrives once.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a test may panic, and is told by the environment where brokers are"
)]

use std::thread;
use std::time::{Duration, Instant};

use deskwarden::edge::kafka::KafkaLog;
use world::brokers::{addresses, own_process};
use world::{Instance, World, finish, signal};

#[path = "support/model.rs"]
mod model;
#[path = "simulation/random.rs"]
mod random;
#[path = "support/world.rs"]
mod world;

/// Feeds people and waits until a random number of alerts more is there, or the daemon is just busy
/// with something else for a moment: then is when it is killed.
fn until_some_moment(world: &mut World, log: &mut KafkaLog) {
    let before = world.alerts_so_far(log);
    world.feed(60);
    let wanted = before + i64::try_from(world.random.below(80)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while world.alerts_so_far(log) < wanted && Instant::now() < deadline {
        thread::yield_now();
    }
}

#[test]
fn one_instance_killed_twenty_times() {
    let Some(brokers) = addresses() else { return };
    let mut world = World::new("kill1", brokers);
    let mut log = world.reader();
    let mut instance = world.start("a");
    for _ in 0..20 {
        until_some_moment(&mut world, &mut log);
        instance.kill();
        instance = world.start("a");
    }
    finish("1 instance, kill -9", world, "20", vec![instance]);
}

#[test]
fn three_instances_killed_twelve_times() {
    let Some(brokers) = addresses() else { return };
    let mut world = World::new("kill3", brokers);
    let mut log = world.reader();
    let mut instances: Vec<Instance> = ["a", "b", "c"].iter().map(|n| world.start(n)).collect();
    for _ in 0..12 {
        until_some_moment(&mut world, &mut log);
        let at = usize::try_from(world.random.below(3)).unwrap();
        instances[at].kill();
        let name = instances[at].name.clone();
        instances[at] = world.start(&name);
    }
    finish("3 instances, kill -9", world, "12", instances);
}

/// The broker stands still around commits: outcomes are unknown, and nothing is lost or repeated.
#[test]
fn the_broker_stands_still_three_times() {
    let Some(brokers) = addresses() else { return };
    let Some(broker) = own_process() else { return };
    let mut world = World::new("pause", brokers);
    let mut log = world.reader();
    let instance = world.start("a");
    for round in 0..3 {
        until_some_moment(&mut world, &mut log);
        signal(broker, "STOP");
        // Long enough that calls time out in one round, short in the others.
        let pause = Duration::from_millis(if round == 1 { 9_000 } else { 2_000 });
        thread::park_timeout(pause);
        signal(broker, "CONT");
    }
    finish("1 instance, broker stopped", world, "3", vec![instance]);
}
