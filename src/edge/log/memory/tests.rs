//! The in-memory log: what a broker would do, fault by fault.

use super::*;
use crate::edge::log::{Assigned, ErrorClass, Log, OwnedRecord, Polled};
use std::collections::BTreeSet;

fn settings(name: &str, topics: &[&str]) -> MemberSettings {
    MemberSettings {
        group: "g".into(),
        instance: None,
        transactional_id: name.into(),
        topics: topics.iter().map(|t| (*t).to_owned()).collect(),
    }
}

fn record<'a>(partition: i32, key: &'a str, value: Option<&'a str>) -> ProduceRecord<'a> {
    ProduceRecord {
        topic: "t",
        partition,
        key: Some(key.as_bytes()),
        headers: &[],
        value: value.map(str::as_bytes),
    }
}

fn broker(partitions: i32) -> MemoryBroker {
    let broker = MemoryBroker::default();
    broker.create_topic("t", partitions);
    broker
}

fn t(number: i32) -> Partition {
    Partition::new("t", number)
}

fn poll(log: &mut MemoryLog) -> Polled {
    log.poll(Duration::ZERO).unwrap()
}

/// Polls until idle; starts what is assigned where its group stands.
fn drain(log: &mut MemoryLog) -> Vec<Polled> {
    let mut polled = Vec::new();
    loop {
        let next = poll(log);
        match &next {
            Polled::Idle => return polled,
            Polled::Assigned(given) => {
                for one in given {
                    log.seek(&one.partition, one.group_offset.unwrap_or(0))
                        .unwrap();
                    log.resume(std::slice::from_ref(&one.partition)).unwrap();
                }
            }
            Polled::Revoked { .. } | Polled::Record(_) | Polled::End { .. } => {}
        }
        polled.push(next);
    }
}

fn all(log: &mut MemoryLog, number: i32) -> Vec<OwnedRecord> {
    log.reader_add(&[(t(number), 0)]).unwrap();
    let mut records = Vec::new();
    while let polled @ (Polled::Record(_) | Polled::End { .. }) =
        log.reader_poll(Duration::ZERO).unwrap()
    {
        if let Polled::Record(record) = polled {
            records.push(record);
        }
    }
    log.reader_remove(&[t(number)]).unwrap();
    records
}

fn keys(records: &[OwnedRecord]) -> Vec<String> {
    let key = |r: &OwnedRecord| String::from_utf8(r.key.clone().unwrap()).unwrap();
    records.iter().map(key).collect()
}

/// Begins, writes one record with this key and offset 1 of partition 0.
fn prepare(log: &mut MemoryLog, key: &str) {
    log.begin().unwrap();
    log.produce(&record(0, key, Some("v"))).unwrap();
    log.send_offsets(&[(t(0), 1)]).unwrap();
}

#[test]
fn records_carry_the_time_they_were_appended_at() {
    let broker = broker(1);
    broker.set_now(Timestamp(7));
    let mut log = broker.connect(settings("a", &["t"]));
    drain(&mut log);
    prepare(&mut log, "k");
    log.commit().unwrap();
    broker
        .append(&record(0, "source", None), Timestamp(3))
        .unwrap();
    let times: Vec<i64> = all(&mut log, 0).iter().map(|r| r.timestamp.0).collect();
    assert_eq!(times, [7, 3]);
}

#[test]
fn the_open_transaction_of_a_dead_member_holds_readers_back() {
    let broker = broker(1);
    let mut dead = broker.connect(settings("dead", &[]));
    dead.begin().unwrap();
    dead.produce(&record(0, "dead", Some("v"))).unwrap();
    drop(dead);
    broker
        .append(&record(0, "later", Some("v")), Timestamp(0))
        .unwrap();
    let mut log = broker.connect(settings("alive", &[]));
    let ends = log.ends(&t(0)).unwrap();
    assert_eq!((ends.stable, ends.high), (0, 2));
    assert_eq!(all(&mut log, 0), []);
    broker.expire_transaction("dead");
    assert_eq!(keys(&all(&mut log, 0)), ["later"]);
    assert_eq!(log.ends(&t(0)).unwrap().stable, 3);
}

#[test]
fn each_fault_leaves_what_it_says() {
    use ErrorClass::{Abort, Unknown};
    // (fault, class, whether the records and offsets are there after recovery)
    let cases = [
        (Fault::ProduceRefused, Abort, false),
        (Fault::DeliveryFailed, Abort, false),
        (Fault::OffsetsRefused, Abort, false),
        (Fault::OffsetsTimedOut, Unknown, false),
        (Fault::CommitRefused, Abort, false),
        (Fault::CommitLost, Unknown, false),
        (Fault::CommitUnacknowledged, Unknown, true),
        (Fault::CommitLate, Unknown, false),
    ];
    for (fault, class, took_effect) in cases {
        let broker = broker(1);
        let mut log = broker.connect(settings("a", &["t"]));
        drain(&mut log);
        broker.inject("a", fault);
        log.begin().unwrap();
        let error = log
            .produce(&record(0, "k", Some("v")))
            .and_then(|()| log.send_offsets(&[(t(0), 1)]))
            .and_then(|()| log.commit())
            .unwrap_err();
        assert_eq!(error.class, class, "{fault:?}");
        if error.requires_abort() {
            log.abort().unwrap();
        } else {
            assert!(log.begin().unwrap_err().requires_renewal(), "{fault:?}");
            log.renew().unwrap();
        }
        broker.deliver_late();
        assert_eq!(
            all(&mut log, 0).len(),
            usize::from(took_effect),
            "{fault:?}"
        );
        let stands = log.committed(&[t(0)]).unwrap().get(&t(0)).copied();
        assert_eq!(stands, took_effect.then_some(1), "{fault:?}");
        prepare(&mut log, "again");
        log.commit().unwrap();
    }
}

#[test]
fn an_abort_that_times_out_needs_a_new_producer() {
    let broker = broker(1);
    let mut log = broker.connect(settings("a", &["t"]));
    drain(&mut log);
    prepare(&mut log, "k");
    broker.inject("a", Fault::AbortTimedOut);
    assert!(log.abort().unwrap_err().requires_renewal());
    assert!(log.abort().unwrap_err().requires_renewal());
    assert!(
        log.committed(&[t(0)]).unwrap_err().is_retriable(),
        "offsets are not stable"
    );
    log.renew().unwrap();
    assert_eq!(all(&mut log, 0), []);
    assert!(log.committed(&[t(0)]).unwrap().is_empty());
}

#[test]
fn a_late_commit_tears_a_transaction_only_without_renewal() {
    let broker = broker(1);
    broker.inject("a", Fault::CommitLate);
    let mut log = broker.connect(settings("a", &["t"]));
    drain(&mut log);
    prepare(&mut log, "first");
    log.commit().unwrap_err();
    // What a client that reused its producer would suffer: the broker finishes what is open.
    broker.deliver_late();
    assert_eq!(keys(&all(&mut log, 0)), ["first"]);

    broker.inject("a", Fault::CommitLate);
    log.renew().unwrap();
    prepare(&mut log, "second");
    log.commit().unwrap_err();
    log.renew().unwrap();
    prepare(&mut log, "third");
    broker.deliver_late();
    assert_eq!(
        keys(&all(&mut log, 0)),
        ["first"],
        "an old epoch is refused"
    );
    log.abort().unwrap();
}

#[test]
fn a_moved_generation_refuses_the_running_cycle() {
    let broker = broker(2);
    let mut first = broker.connect(settings("a", &["t"]));
    drain(&mut first);
    first.begin().unwrap();
    let before = broker.generation("g");
    let mut second = broker.connect(settings("b", &["t"]));
    assert_eq!(broker.generation("g"), before + 1);
    let refused = first.send_offsets(&[(t(0), 1)]).unwrap_err();
    assert!(
        refused.requires_abort() && refused.detail == "IllegalGeneration",
        "{refused}"
    );
    first.abort().unwrap();
    // The second gets nothing before the first has given something up.
    assert_eq!(poll(&mut second), Polled::Idle);
    let given_up = drain(&mut first);
    let is_revoked = |p: &Polled| matches!(p, Polled::Revoked { lost: false, .. });
    assert!(given_up.iter().any(is_revoked), "{given_up:?}");
    let told = drain(&mut second);
    assert!(
        matches!(told.first(), Some(Polled::Assigned(a)) if a.len() == 1),
        "{told:?}"
    );
    drain(&mut first);
    prepare(&mut first, "k");
    first.commit().unwrap();
}

#[test]
fn an_evicted_member_loses_all_and_comes_back_as_another() {
    let broker = broker(2);
    let mut log = broker.connect(settings("a", &["t"]));
    drain(&mut log);
    let id = broker.members("g")[0].0;
    log.begin().unwrap();
    broker.evict("g", id);
    let refused = log.send_offsets(&[(t(0), 1)]).unwrap_err();
    assert!(
        refused.requires_abort() && refused.detail == "UnknownMemberId",
        "{refused}"
    );
    log.abort().unwrap();
    let partitions = vec![t(0), t(1)];
    assert_eq!(
        poll(&mut log),
        Polled::Revoked {
            partitions,
            lost: true
        }
    );
    assert!(matches!(poll(&mut log), Polled::Assigned(a) if a.len() == 2));
    assert_ne!(broker.members("g")[0].0, id);
}

#[test]
fn a_static_member_returns_without_a_new_generation_and_fences_its_ghost() {
    let broker = broker(2);
    let named = || MemberSettings {
        instance: Some("0-0".into()),
        ..settings("a", &["t"])
    };
    let mut ghost = broker.connect(named());
    drain(&mut ghost);
    prepare(&mut ghost, "k");
    ghost.commit().unwrap();
    let generation = broker.generation("g");
    let mut heir = broker.connect(named());
    assert_eq!(broker.generation("g"), generation);
    let group_offset = |n| (n == 0).then_some(1);
    let given = [0, 1].map(|n| Assigned {
        partition: t(n),
        group_offset: group_offset(n),
    });
    assert_eq!(poll(&mut heir), Polled::Assigned(given.to_vec()));
    assert!(ghost.poll(Duration::ZERO).unwrap_err().is_fenced());
    ghost.begin().unwrap();
    assert!(
        ghost
            .produce(&record(0, "k", None))
            .unwrap_err()
            .is_fenced()
    );
}

#[test]
fn members_share_evenly_and_little_moves() {
    let broker = broker(7);
    let mut logs: Vec<MemoryLog> = Vec::new();
    let mut held: Vec<BTreeSet<Partition>> = Vec::new();
    for (name, moved_at_most) in [("a", 7), ("b", 3), ("c", 2)] {
        logs.push(broker.connect(settings(name, &["t"])));
        held.push(BTreeSet::new());
        let mut moved = 0;
        for _ in 0..10 {
            for (log, held) in logs.iter_mut().zip(&mut held) {
                for polled in drain(log) {
                    match polled {
                        Polled::Assigned(given) => {
                            moved += given.len();
                            held.extend(given.into_iter().map(|a| a.partition));
                        }
                        Polled::Revoked { partitions, .. } => {
                            held.retain(|p| !partitions.contains(p));
                        }
                        Polled::Idle | Polled::Record(_) | Polled::End { .. } => {}
                    }
                }
            }
            assert_eq!(
                held.iter().map(BTreeSet::len).sum::<usize>(),
                held.iter().flatten().collect::<BTreeSet<_>>().len()
            );
        }
        assert!(moved <= moved_at_most, "{name}: {moved}");
        assert_eq!(held.iter().map(BTreeSet::len).sum::<usize>(), 7);
        let (least, most) = (
            held.iter().map(BTreeSet::len).min(),
            held.iter().map(BTreeSet::len).max(),
        );
        assert!(most.unwrap() - least.unwrap() <= 1, "{held:?}");
    }
}

#[test]
fn compaction_keeps_the_newest_and_leaves_gaps() {
    let broker = broker(1);
    for (key, value) in [
        ("a", Some("1")),
        ("b", Some("1")),
        ("a", Some("2")),
        ("b", None),
    ] {
        broker.append(&record(0, key, value), Timestamp(0)).unwrap();
    }
    let mut open = broker.connect(settings("open", &[]));
    let mut log = broker.connect(settings("a", &[]));
    open.begin().unwrap();
    open.produce(&record(0, "a", Some("3"))).unwrap();
    broker.compact("t", false);
    assert_eq!(keys(&all(&mut log, 0)), ["a", "b"]);
    assert_eq!(log.ends(&t(0)).unwrap().high, 5, "nothing moves");
    open.commit().unwrap();
    broker.compact("t", true);
    let left = all(&mut log, 0);
    assert_eq!(left.iter().map(|r| r.offset).collect::<Vec<_>>(), [4]);
    broker.trim(&t(0), 100);
    let ends = log.ends(&t(0)).unwrap();
    assert_eq!((ends.low, ends.high), (6, 6));
    assert_eq!(all(&mut log, 0), []);
}

#[test]
fn ends_are_told_once_for_each_time_they_are_reached() {
    let broker = broker(1);
    let mut log = broker.connect(settings("a", &["t"]));
    let is_end = |p: &&Polled| matches!(p, Polled::End { .. });
    assert_eq!(drain(&mut log).iter().filter(is_end).count(), 1);
    assert_eq!(drain(&mut log), []);
    broker.append(&record(0, "k", None), Timestamp(0)).unwrap();
    broker.hold_fetch(&t(0), Some(0));
    assert_eq!(drain(&mut log), [], "a delayed fetch is no end");
    broker.hold_fetch(&t(0), None);
    assert_eq!(drain(&mut log).iter().filter(is_end).count(), 1);
}

#[test]
fn every_partition_has_its_turn() {
    let broker = broker(3);
    for round in 0..2 {
        for number in 0..3 {
            let key = format!("{round}-{number}");
            broker
                .append(&record(number, &key, None), Timestamp(0))
                .unwrap();
        }
    }
    let mut log = broker.connect(settings("a", &["t"]));
    let polled = drain(&mut log).into_iter().filter_map(|p| match p {
        Polled::Record(record) => Some(record),
        Polled::Idle | Polled::Assigned(_) | Polled::Revoked { .. } | Polled::End { .. } => None,
    });
    let polled: Vec<OwnedRecord> = polled.collect();
    assert_eq!(keys(&polled), ["0-0", "0-1", "0-2", "1-0", "1-1", "1-2"]);
}

#[test]
#[should_panic(expected = "never polled while a transaction is open")]
fn polling_inside_a_transaction_is_our_own_mistake() {
    let mut log = broker(1).connect(settings("a", &["t"]));
    log.begin().unwrap();
    poll(&mut log);
}

#[test]
fn a_waiting_poll_wakes_up_for_a_write() {
    let broker = broker(1);
    broker.set_waiting(true);
    let mut log = broker.connect(settings("a", &["t"]));
    assert!(matches!(poll(&mut log), Polled::Assigned(_)));
    log.resume(&[t(0)]).unwrap();
    assert!(matches!(poll(&mut log), Polled::End { .. }));
    let writer = std::thread::spawn({
        let broker = broker.clone();
        move || broker.append(&record(0, "k", None), Timestamp(0)).unwrap()
    });
    assert!(matches!(
        log.poll(Duration::from_secs(60)).unwrap(),
        Polled::Record(_)
    ));
    assert_eq!(writer.join().unwrap(), 0);
}

#[test]
fn what_is_not_there_is_said() {
    let broker = broker(1);
    let mut log = broker.connect(settings("a", &["t"]));
    assert!(log.partition_count("nothing").unwrap_err().is_retriable());
    assert!(
        log.seek(&t(0), 0).unwrap_err().is_retriable(),
        "not assigned yet"
    );
    assert!(log.ends(&t(9)).is_err());
    assert!(
        log.commit().unwrap_err().requires_renewal(),
        "nothing is open"
    );
    assert_eq!(log.abort(), Ok(()));
    log.close().unwrap();
    assert_eq!(broker.members("g"), []);
}
