//! What every `Log` must do, as scenarios that do not know which one they run on.

use deskwarden::edge::log::{
    Assigned, Ends, ErrorClass, Log, LogError, OwnedRecord, Partition, Polled, ProduceRecord,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const WAIT: Duration = Duration::from_millis(100);
const TRIES: usize = 300;

/// Who a member is and what it reads.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub group: String,
    pub instance: String,
    pub transactional_id: String,
    pub topics: Vec<String>,
}

/// A place where logs can be had.
pub(crate) trait World {
    type L: Log;
    /// Creates a topic of its own for this scenario and tells its whole name.
    fn topic(&self, name: &str, partitions: i32) -> String;
    /// A new member.
    fn connect(&self, member: Member) -> Self::L;
}

/// Member `name` of group `g` that reads `topics`.
pub(crate) fn member(name: &str, topics: &[&str]) -> Member {
    Member {
        group: if topics.is_empty() {
            format!("none-{name}")
        } else {
            "g".to_owned()
        },
        instance: name.to_owned(),
        transactional_id: name.to_owned(),
        topics: topics.iter().map(|t| (*t).to_owned()).collect(),
    }
}

/// A record to partition 0.
pub(crate) fn record<'a>(
    topic: &'a str,
    key: &'a str,
    value: Option<&'a str>,
) -> ProduceRecord<'a> {
    ProduceRecord {
        topic,
        partition: 0,
        key: Some(key.as_bytes()),
        headers: &[("h", b"1")],
        value: value.map(str::as_bytes),
    }
}

/// Repeats what may be answered with "not yet".
pub(crate) fn patiently<T>(mut call: impl FnMut() -> Result<T, LogError>) -> Result<T, LogError> {
    for _ in 0..TRIES {
        match call() {
            Err(e) if e.class == ErrorClass::Retriable || e.class == ErrorClass::Noise => {}
            done => return done,
        }
    }
    call()
}

/// Writes records in one transaction of their own.
pub(crate) fn write(log: &mut impl Log, records: &[ProduceRecord<'_>]) -> Result<(), LogError> {
    log.begin()?;
    for record in records {
        log.produce(record)?;
    }
    log.commit()
}

/// The ends of a partition once no transaction is open. The answer to a commit or abort comes
/// before its markers are written, so a reader that asks at once may still see the old end.
pub(crate) fn settled(log: &mut impl Log, partition: &Partition) -> Ends {
    for _ in 0..TRIES {
        let ends = patiently(|| log.ends(partition)).unwrap();
        if ends.stable == ends.high {
            return ends;
        }
    }
    panic!("a transaction stays open in {partition}");
}

/// What the reader sees from `from` until an end, and the position there.
pub(crate) fn read_from(
    log: &mut impl Log,
    partition: &Partition,
    from: i64,
) -> (Vec<OwnedRecord>, i64) {
    patiently(|| log.reader_add(&[(partition.clone(), from)])).unwrap();
    let mut records = Vec::new();
    for _ in 0..TRIES {
        match patiently(|| log.reader_poll(WAIT)).unwrap() {
            Polled::Record(record) => records.push(record),
            Polled::End { position, .. } => {
                log.reader_remove(std::slice::from_ref(partition)).unwrap();
                return (records, position);
            }
            Polled::Idle => {}
            other @ (Polled::Assigned(_) | Polled::Revoked { .. }) => {
                panic!("a reader is no member: {other:?}")
            }
        }
    }
    panic!("no end of {partition} after {records:?}");
}

fn values(records: &[OwnedRecord]) -> Vec<String> {
    let value = |r: &OwnedRecord| String::from_utf8(r.value.clone().unwrap_or_default()).unwrap();
    records.iter().map(value).collect()
}

/// Polls until partitions are assigned.
pub(crate) fn assigned(log: &mut impl Log) -> Vec<Assigned> {
    for _ in 0..TRIES {
        if let Polled::Assigned(partitions) = patiently(|| log.poll(WAIT)).unwrap() {
            return partitions;
        }
    }
    panic!("nothing was assigned");
}

/// Polls for the next `count` records.
pub(crate) fn records(log: &mut impl Log, count: usize) -> Vec<OwnedRecord> {
    let mut records = Vec::new();
    for _ in 0..TRIES {
        if records.len() == count {
            return records;
        }
        if let Polled::Record(record) = patiently(|| log.poll(WAIT)).unwrap() {
            records.push(record);
        }
    }
    panic!("only {records:?}");
}

/// Only what was committed is seen, in whole transactions; markers move the position.
pub(crate) fn committed_is_seen_and_aborted_is_not(world: &impl World) {
    let topic = world.topic("visible", 1);
    let partition = Partition::new(topic.as_str(), 0);
    let mut writer = world.connect(member("writer", &[]));
    let mut other = world.connect(member("other", &[]));

    writer.begin().unwrap();
    writer.produce(&record(&topic, "a", Some("1"))).unwrap();
    writer.produce(&record(&topic, "b", Some("2"))).unwrap();
    // Delivery happens at the latest with the offsets; none here, so wait for the high watermark.
    let mut ends = other.ends(&partition).unwrap();
    for _ in 0..TRIES {
        if ends.high == 2 {
            break;
        }
        ends = other.ends(&partition).unwrap();
    }
    assert_eq!((ends.low, ends.stable), (0, 0), "{ends:?}");
    assert_eq!(read_from(&mut other, &partition, 0), (vec![], 0));

    writer.commit().unwrap();
    settled(&mut other, &partition);
    let (seen, position) = read_from(&mut other, &partition, 0);
    assert_eq!(values(&seen), ["1", "2"]);
    assert_eq!(seen[0].key.as_deref(), Some(&b"a"[..]));
    assert_eq!(position, 3, "two records and a marker");

    writer.begin().unwrap();
    writer.produce(&record(&topic, "c", Some("3"))).unwrap();
    writer.abort().unwrap();
    write(&mut writer, &[record(&topic, "d", Some("4"))]).unwrap();
    let ends = settled(&mut other, &partition);
    let (seen, position) = read_from(&mut other, &partition, 3);
    assert_eq!(values(&seen), ["4"]);
    assert_eq!(position, ends.high);
}

/// Offsets move with the records of their transaction, or not at all.
pub(crate) fn offsets_move_with_their_transaction(world: &impl World) {
    let (input, output) = (world.topic("in", 1), world.topic("out", 1));
    let mut log = world.connect(member("mover", &[&input]));
    let mut writer = world.connect(member("feeder", &[]));
    let lines = ["1", "2", "3"].map(|v| record(&input, v, Some(v)));
    write(&mut writer, &lines).unwrap();

    let given = assigned(&mut log);
    let partition = Partition::new(input.as_str(), 0);
    assert_eq!(
        given,
        [Assigned {
            partition: partition.clone(),
            group_offset: None
        }]
    );
    log.seek(&partition, 0).unwrap();
    log.resume(std::slice::from_ref(&partition)).unwrap();
    let read = records(&mut log, 2);
    assert_eq!(values(&read), ["1", "2"]);

    log.begin().unwrap();
    log.produce(&record(&output, "x", Some("aborted"))).unwrap();
    log.send_offsets(&[(partition.clone(), 2)]).unwrap();
    log.abort().unwrap();
    let asked = std::slice::from_ref(&partition);
    assert_eq!(patiently(|| log.committed(asked)).unwrap(), BTreeMap::new());

    // What was undone is read again.
    log.seek(&partition, 0).unwrap();
    log.resume(std::slice::from_ref(&partition)).unwrap();
    assert_eq!(values(&records(&mut log, 3)), ["1", "2", "3"]);
    log.begin().unwrap();
    log.produce(&record(&output, "x", Some("committed")))
        .unwrap();
    log.send_offsets(&[(partition.clone(), 3)]).unwrap();
    log.commit().unwrap();
    let stands = BTreeMap::from([(partition.clone(), 3)]);
    assert_eq!(patiently(|| log.committed(asked)).unwrap(), stands);
    let output = Partition::new(output.as_str(), 0);
    settled(&mut log, &output);
    let (seen, _) = read_from(&mut log, &output, 0);
    assert_eq!(values(&seen), ["committed"]);

    // A successor begins where the group stands.
    log.close().unwrap();
    drop(log);
    let mut log = world.connect(member("mover", &[&input]));
    let given = assigned(&mut log);
    assert_eq!(
        given,
        [Assigned {
            partition,
            group_offset: Some(3)
        }]
    );
    log.close().unwrap();
}

/// A restore ends at the high watermark, whatever lies at the end of the partition.
pub(crate) fn a_restore_ends_at_the_high_watermark(world: &impl World) {
    let topic = world.topic("state", 2);
    let partition = Partition::new(topic.as_str(), 0);
    let mut log = world.connect(member("keeper", &[]));
    for round in ["1", "2", "3"] {
        let changes = [
            record(&topic, "a", Some(round)),
            record(&topic, "b", Some(round)),
        ];
        write(&mut log, &changes).unwrap();
    }
    write(&mut log, &[record(&topic, "b", None)]).unwrap();
    log.begin().unwrap();
    log.produce(&record(&topic, "a", Some("never"))).unwrap();
    log.abort().unwrap();

    let ends = settled(&mut log, &partition);
    let (read, position) = read_from(&mut log, &partition, 0);
    assert_eq!(position, ends.high);
    let mut state = BTreeMap::new();
    for record in read {
        match record.value {
            Some(value) => state.insert(record.key, value),
            None => state.remove(&record.key),
        };
    }
    assert_eq!(
        state,
        BTreeMap::from([(Some(b"a".to_vec()), b"3".to_vec())])
    );
    let empty = Partition::new(topic.as_str(), 1);
    assert_eq!(read_from(&mut log, &empty, 0), (vec![], 0));
    assert_eq!(log.partition_count(&topic).unwrap(), 2);
}

/// The second producer with an id fences the first and ends its transaction.
pub(crate) fn a_second_producer_fences_the_first(world: &impl World) {
    let topic = world.topic("fenced", 1);
    let partition = Partition::new(topic.as_str(), 0);
    let mut first = world.connect(member("twin", &[]));
    first.begin().unwrap();
    first.produce(&record(&topic, "a", Some("zombie"))).unwrap();
    let mut second = world.connect(member("twin", &[]));
    write(&mut second, &[record(&topic, "a", Some("heir"))]).unwrap();
    let refused = first
        .produce(&record(&topic, "a", Some("zombie")))
        .and_then(|()| first.commit())
        .unwrap_err();
    // A real zombie may first hear that its epoch is invalid; its abort then tells it the rest.
    let refused = if refused.requires_abort() {
        first.abort().unwrap_err()
    } else {
        refused
    };
    assert!(refused.is_fenced(), "{refused}");
    let ends = settled(&mut second, &partition);
    let (seen, position) = read_from(&mut second, &partition, 0);
    assert_eq!(values(&seen), ["heir"]);
    assert_eq!(position, ends.high);
}

/// A renewed producer leaves nothing of what was open, and works.
pub(crate) fn renewal_takes_back_what_was_open(world: &impl World) {
    let topic = world.topic("renewed", 1);
    let partition = Partition::new(topic.as_str(), 0);
    let mut log = world.connect(member("phoenix", &[]));
    log.begin().unwrap();
    log.produce(&record(&topic, "a", Some("lost"))).unwrap();
    log.renew().unwrap();
    write(&mut log, &[record(&topic, "a", Some("kept"))]).unwrap();
    settled(&mut log, &partition);
    assert_eq!(values(&read_from(&mut log, &partition, 0).0), ["kept"]);
    log.abort().unwrap();
}

/// Paused partitions are silent, others go on, and nothing is lost or repeated afterwards.
pub(crate) fn a_pause_loses_nothing(world: &impl World) {
    let input = world.topic("paused", 2);
    let mut writer = world.connect(member("pourer", &[]));
    let mut log = world.connect(member("sipper", &[&input]));
    let both = [0, 1].map(|n| Partition::new(input.as_str(), n));
    assert_eq!(assigned(&mut log).len(), 2);
    for partition in &both {
        log.seek(partition, 0).unwrap();
    }
    log.resume(&both).unwrap();
    let line = |number| ProduceRecord {
        partition: number,
        ..record(&input, "k", Some("v"))
    };
    write(&mut writer, &[line(0), line(1)]).unwrap();
    let first: BTreeSet<i32> = records(&mut log, 2)
        .iter()
        .map(|r| r.partition.number)
        .collect();
    assert_eq!(first, BTreeSet::from([0, 1]));

    log.pause(&both[..1]).unwrap();
    write(&mut writer, &[line(0), line(1), line(0), line(1)]).unwrap();
    let heard: Vec<i32> = records(&mut log, 2)
        .iter()
        .map(|r| r.partition.number)
        .collect();
    assert_eq!(heard, [1, 1]);
    log.resume(&both[..1]).unwrap();
    let late: Vec<i64> = records(&mut log, 2).iter().map(|r| r.offset).collect();
    assert_eq!(late, [2, 3], "behind one record and its marker");
    log.close().unwrap();
}

/// Ends are told with the right topic, also where topics share partition numbers.
pub(crate) fn ends_are_told_for_each_topic(world: &impl World) {
    let names = [world.topic("full", 1), world.topic("empty", 1)];
    let topics: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut writer = world.connect(member("filler", &[]));
    let mut log = world.connect(member("ender", &topics));
    write(&mut writer, &[record(&names[0], "a", Some("1"))]).unwrap();
    let [full, empty] = [0, 1].map(|n| Partition::new(topics[n], 0));
    settled(&mut writer, &full);
    let mut ends = BTreeMap::new();
    for _ in 0..TRIES {
        match patiently(|| log.poll(WAIT)).unwrap() {
            Polled::Assigned(given) => {
                for one in given {
                    log.seek(&one.partition, 0).unwrap();
                    log.resume(&[one.partition]).unwrap();
                }
            }
            Polled::End {
                partition,
                position,
            } => {
                ends.insert(partition, position);
            }
            Polled::Idle | Polled::Record(_) | Polled::Revoked { .. } => {}
        }
        if ends.len() == 2 && ends.get(&full) != Some(&0) {
            assert_eq!(ends, BTreeMap::from([(full, 2), (empty, 0)]));
            log.close().unwrap();
            return;
        }
    }
    panic!("ends missing: {ends:?}");
}

/// A member that was replaced under its name commits nothing any more.
pub(crate) fn a_replaced_member_commits_nothing(world: &impl World) {
    let (input, output) = (world.topic("in", 1), world.topic("out", 1));
    let partition = Partition::new(input.as_str(), 0);
    let mut ghost = world.connect(member("name", &[&input]));
    assigned(&mut ghost);
    let heir = Member {
        transactional_id: "heir".to_owned(),
        ..member("name", &[&input])
    };
    let mut heir = world.connect(heir);
    assert_eq!(assigned(&mut heir).len(), 1);
    ghost.begin().unwrap();
    ghost.produce(&record(&output, "a", Some("ghost"))).unwrap();
    let refused = ghost.send_offsets(&[(partition.clone(), 1)]).unwrap_err();
    println!("replaced member: {refused}");
    assert!(refused.requires_abort() || refused.is_fenced(), "{refused}");
    write(&mut heir, &[record(&output, "a", Some("heir"))]).unwrap();
    if refused.requires_abort() {
        ghost.abort().unwrap();
    } else {
        ghost.renew().unwrap();
    }
    let output = Partition::new(output.as_str(), 0);
    settled(&mut heir, &output);
    assert_eq!(values(&read_from(&mut heir, &output, 0).0), ["heir"]);
    assert_eq!(
        patiently(|| heir.committed(std::slice::from_ref(&partition))).unwrap(),
        BTreeMap::new()
    );
    heir.close().unwrap();
}

/// Two members share the partitions; each is owned once, also while they move.
pub(crate) fn partitions_are_handed_over(world: &impl World) {
    let input = world.topic("shared", 4);
    let mut first = world.connect(member("first", &[&input]));
    let mut held: [BTreeSet<Partition>; 2] = [BTreeSet::new(), BTreeSet::new()];
    held[0].extend(assigned(&mut first).into_iter().map(|a| a.partition));
    assert_eq!(held[0].len(), 4);
    let mut logs = [first, world.connect(member("second", &[&input]))];
    for _ in 0..TRIES {
        for (log, held) in logs.iter_mut().zip(&mut held) {
            match patiently(|| log.poll(WAIT)).unwrap() {
                Polled::Assigned(new) => held.extend(new.into_iter().map(|a| a.partition)),
                Polled::Revoked { partitions, lost } => {
                    assert!(!lost);
                    held.retain(|p| !partitions.contains(p));
                }
                Polled::Idle | Polled::Record(_) | Polled::End { .. } => {}
            }
        }
        assert!(held[0].is_disjoint(&held[1]));
        if held[0].len() == 2 && held[1].len() == 2 {
            for log in &mut logs {
                log.close().unwrap();
            }
            return;
        }
    }
    panic!("never shared: {held:?}");
}
