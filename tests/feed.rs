//! A thousand clients of the live feed at 200 alerts a second: none misses or repeats one, whether it
//! follows, leaves and comes back, or takes nothing until it is cut off.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crowd::{Alerts, Client, PARTITIONS, Part, Progress, Want, partition};
use deskwarden::edge::clock::monotonic;
use deskwarden::edge::log::ProduceRecord;
use deskwarden::edge::log::memory::MemoryBroker;
use serving::{Serving, Setup, get};
use tokio::sync::watch;

#[path = "support/crowd.rs"]
mod crowd;
#[path = "support/serving.rs"]
mod serving;

const CLIENTS: usize = 1_000;
/// So many of them take nothing: half of them until the end, half of them until three quarters, so that
/// they catch up while alerts keep coming.
const STALLED: usize = 20;
/// Five seconds at 200 a second.
const ALERTS: u64 = 1_000;
const BETWEEN: Duration = Duration::from_millis(5);
const WAKES_AT: u64 = ALERTS / 4 * 3;
/// Events that a client may be behind: less than lies between the start and the end.
const QUEUE_MAX: u64 = 512;
/// The slowest of those who follow is never farther behind: on a busy machine, alerts wait for it.
const LEAD_MAX: u64 = QUEUE_MAX / 2;

/// A fifth wants all, and so on; half of them lines; some leave now and then. Those that stall want so
/// much that sockets do not hold it.
fn part(n: usize) -> Part {
    let stalls = n >= CLIENTS - STALLED;
    let wants = if stalls {
        &Want::ALL[..2]
    } else {
        &Want::ALL[..]
    };
    Part {
        want: wants[n % wants.len()],
        lines: n / wants.len() % 2 == 1,
        leaves_after: (n.is_multiple_of(7) && !stalls).then_some(60),
        stalls: stalls.then_some([WAKES_AT, ALERTS][n % 2]),
    }
}

fn publish(broker: &MemoryBroker, alerts: &Alerts, number: u64) {
    let record = ProduceRecord {
        topic: serving::TOPIC,
        partition: partition(number),
        key: Some(&number.to_be_bytes()),
        headers: &[],
        value: Some(&alerts.document(number, 0)),
    };
    broker
        .append(&record, deskwarden::collect::time::Timestamp(0))
        .unwrap();
}

/// Waits until something is so; `false` if that cannot be any more, because a client has failed.
fn until(over: &AtomicBool, is_so: impl Fn() -> bool) -> bool {
    while !is_so() {
        if over.load(Ordering::Acquire) {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
    true
}

fn have_reached(crowd: &[Arc<Progress>], number: u64) -> bool {
    let reached = |p: &Arc<Progress>| p.reached.load(Ordering::Acquire) >= number;
    crowd.iter().all(reached)
}

/// At its pace, while nobody who follows is too far behind.
fn publish_all(
    broker: &MemoryBroker,
    following: &[Arc<Progress>],
    published: &watch::Sender<u64>,
    over: &AtomicBool,
) -> bool {
    let (alerts, started) = (Alerts::default(), monotonic());
    for number in 0..ALERTS {
        let due = BETWEEN * u32::try_from(number).unwrap();
        let behind = number.saturating_sub(LEAD_MAX);
        if !until(over, || {
            started.elapsed() >= due && have_reached(following, behind)
        }) {
            return false;
        }
        publish(broker, &alerts, number);
        if number == WAKES_AT {
            published.send(number).unwrap();
        }
    }
    let millis = started.elapsed().as_millis();
    println!("{CLIENTS} clients, {ALERTS} alerts in {millis} ms");
    until(over, || have_reached(following, ALERTS)) && published.send(ALERTS).is_ok()
}

fn everybody(crowd: &[Arc<Progress>], of: fn(&Progress) -> u64) -> u64 {
    crowd.iter().map(|progress| of(progress)).sum()
}

#[test]
fn a_thousand_clients_are_each_given_every_event_once() {
    let setup = Setup {
        queue_max: usize::try_from(QUEUE_MAX).unwrap(),
        partitions: PARTITIONS,
        ..Setup::default()
    };
    let serving = Serving::start(MemoryBroker::default(), setup);
    let nothing = Rc::new(|_| ());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|n| Client::new(serving.api, part(n), ALERTS, Rc::clone(&nothing) as _))
        .collect();
    let crowd: Vec<_> = clients.iter().map(|c| Arc::clone(&c.progress)).collect();
    let (following, stalled) = crowd.split_at(CLIENTS - STALLED);
    let (published, wake) = watch::channel(0);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let is_there = |p: &Arc<Progress>| p.connects.load(Ordering::Relaxed) > 0;
            until(&over, || crowd.iter().all(is_there))
                && publish_all(&serving.broker, following, &published, &over)
        });
        crowd::follow(clients, &wake, &over);
    });
    let sum = |of| everybody(&crowd, of);
    let expected = (0..CLIENTS).map(|n| (0..ALERTS).filter(|a| part(n).want.takes(*a)).count());
    let events = sum(|p| p.events.load(Ordering::Relaxed));
    assert_eq!(events, expected.sum::<usize>() as u64);
    let is_told = |p: &Arc<Progress>| p.gaps.load(Ordering::Relaxed) > 0;
    assert!(stalled.iter().all(is_told), "each was told where to go on");
    let gaps = everybody(stalled, |p| p.gaps.load(Ordering::Relaxed));
    assert_eq!(everybody(following, |p| p.gaps.load(Ordering::Relaxed)), 0);
    let most = stalled.iter().map(|p| p.gaps.load(Ordering::Relaxed)).max();
    let connects = sum(|p| p.connects.load(Ordering::Relaxed));
    println!("{events} events, {connects} connections, {gaps} gaps ({most:?} at most)");
    let metrics = get(serving.ops, "/metrics", &[]).text();
    assert!(!metrics.contains("deskwarden_sse_dropped_total 0\n"));
}
