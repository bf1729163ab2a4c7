//! What `audit verify` says of chains in which somebody changed something: five hundred planted
//! manipulations are found, each with its place and what was done, and nothing else is.

use deskwarden::collect::event::EventId;
use deskwarden::collect::time::{MINUTE_MS, Timestamp};
use deskwarden::correlate::audit::{
    AuditHead, ChainCheck, ChainFault, Checked, Entry, Known, PIECES_MAX, Stage, Wrong, name_moved,
    record_id,
};
use deskwarden::deliver::audit::export::{self, Line, Manifest, line};

use crate::audit::{STORY, all_recorded};
use crate::random::Random;

const PLANTED: usize = 500;
const PARTITIONS: usize = 4;

/// Entries of the story, each of an event and a time of its own.
fn entries(seed: u64, n: usize) -> Vec<Entry> {
    let told: Vec<Entry> = all_recorded(STORY)
        .into_iter()
        .flat_map(|(_, e)| e)
        .collect();
    let mut entries = Vec::new();
    for (index, entry) in told.iter().cycle().take(n).enumerate() {
        let mut entry = entry.clone();
        let own = u128::from(seed) << 64 | index as u128;
        entry.body.event = EventId(own.to_be_bytes());
        entry.body.id = record_id(entry.body.event, Stage::Recorded, 1);
        entry.body.time += i64::try_from(index).unwrap() * MINUTE_MS;
        entries.push(entry);
    }
    entries
}

/// A partition: its records with their offsets, and the head that the correlator keeps.
#[derive(Clone)]
struct Chain {
    records: Vec<(i64, Vec<u8>)>,
    head: AuditHead,
    is_whole: bool,
}

impl Chain {
    /// Sealed by the correlator; of every second one retention has deleted the beginning. Markers of
    /// transactions leave holes between the offsets.
    fn new(random: &mut Random) -> Self {
        let n = 5 + usize::try_from(random.below(40)).unwrap();
        let mut head = AuditHead::default();
        let mut offset = 0;
        let mut records = Vec::new();
        for entry in entries(random.next(), n) {
            records.push((offset, head.seal(&entry).value));
            offset += 1 + i64::try_from(random.below(3)).unwrap();
        }
        let is_whole = random.one_in(2);
        if !is_whole {
            records.drain(..1 + at(random, n - 4));
        }
        Self {
            records,
            head,
            is_whole,
        }
    }

    fn check(&self, limit: Option<AuditHead>) -> Checked {
        let mut check = ChainCheck::new(Known {
            is_whole: self.is_whole,
            head: Some(self.head),
        });
        for (offset, record) in &self.records {
            check.take(*offset, record);
        }
        check.finish(limit)
    }

    /// Values in the order of this partition, at the offsets that it has and as many more as it needs.
    fn set(&mut self, values: Vec<Vec<u8>>) {
        let mut offsets: Vec<i64> = self.records.iter().map(|(offset, _)| *offset).collect();
        while offsets.len() < values.len() {
            offsets.push(offsets.last().unwrap() + 1);
        }
        self.records = offsets.into_iter().zip(values).collect();
    }

    fn values(&self) -> Vec<Vec<u8>> {
        self.records
            .iter()
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// The head in front of a record.
    fn head_before(&self, index: usize) -> AuditHead {
        let record: serde_json::Value = serde_json::from_slice(&self.records[index].1).unwrap();
        let mut hash = [0; 32];
        hex::decode_to_slice(record["prev"].as_str().unwrap(), &mut hash).unwrap();
        AuditHead {
            hash,
            count: record["number"].as_u64().unwrap() - 1,
        }
    }

    fn number(&self, index: usize) -> u64 {
        self.head_before(index).count + 1
    }
}

fn at(random: &mut Random, below: usize) -> usize {
    usize::try_from(random.below(below as u64)).unwrap()
}

/// Removes a record: of a chain whose beginning is gone not the first, whose absence says nothing.
fn remove(chain: &mut Chain, random: &mut Random) -> (Vec<u8>, Vec<(Wrong, u64)>) {
    let first = usize::from(!chain.is_whole);
    let n = first + at(random, chain.records.len() - first);
    let expected = if n + 1 == chain.records.len() {
        Wrong::CutShort
    } else {
        Wrong::Removed
    };
    let number = chain.number(n);
    (chain.records.remove(n).1, vec![(expected, number)])
}

/// What must be found, by partition.
type Expected = Vec<(usize, Vec<(Wrong, u64)>)>;

/// Plants the manipulation of a kind; what must be found of it.
fn plant(kind: usize, chains: &mut [Chain], random: &mut Random) -> Expected {
    let p = at(random, chains.len());
    let other = (p + 1 + at(random, chains.len() - 1)) % chains.len();
    // In front of a chain whose beginning is gone it could be all that is kept of that.
    let first = usize::from(!chains[other].is_whole);
    let moved_to = first + at(random, chains[other].records.len() + 1 - first);
    let chain = &mut chains[p];
    let len = chain.records.len();
    let n = at(random, len);
    let mut values = chain.values();
    let mut forged = entries(random.next(), len + 3);
    let found = match kind {
        0 => remove(chain, random).1,
        1 => {
            let number = chain.number(n);
            let byte = at(random, values[n].len());
            values[n][byte] ^= u8::try_from(1 + random.below(255)).unwrap();
            chain.set(values);
            vec![(Wrong::Changed, number)]
        }
        2 => {
            let m = (n + 1 + at(random, len - 1)) % len;
            values.swap(n, m);
            chain.set(values);
            // One or both, depending on what lies between.
            vec![(Wrong::Reordered, 0)]
        }
        3 => {
            let number = chain.number(n);
            values.insert(at(random, len + 1), values[n].clone());
            chain.set(values);
            vec![(Wrong::Inserted, number)]
        }
        4 => {
            // As the correlator would have sealed it at this place.
            let mut head = chain.head_before(n);
            values.insert(n, head.seal(&forged.remove(0)).value);
            let number = head.count;
            chain.set(values);
            vec![(Wrong::Inserted, number)]
        }
        5 => {
            // And in place of the one that stood there.
            let mut head = chain.head_before(n);
            values[n] = head.seal(&forged.remove(0)).value;
            chain.set(values);
            vec![(Wrong::Replaced, head.count)]
        }
        6 => {
            let (record, found) = remove(chain, random);
            let number: serde_json::Value = serde_json::from_slice(&record).unwrap();
            let number = number["number"].as_u64().unwrap();
            let mut values = chains[other].values();
            values.insert(moved_to, record);
            chains[other].set(values);
            return vec![(p, found), (other, vec![(Wrong::Inserted, number)])];
        }
        7 => {
            let keep = 1 + at(random, len - 1);
            let number = chain.number(keep);
            chain.records.truncate(keep);
            vec![(Wrong::CutShort, number)]
        }
        _ => {
            // The end anew, as long as it was, shorter or longer.
            let mut head = chain.head_before(n);
            values.truncate(n);
            let many = 1 + at(random, len - n + 2);
            for entry in forged.iter().take(many) {
                values.push(head.seal(entry).value);
            }
            let longer = chain.head.count;
            chain.set(values);
            match head.count.cmp(&longer) {
                std::cmp::Ordering::Less => vec![(Wrong::CutShort, head.count + 1)],
                std::cmp::Ordering::Equal => vec![(Wrong::Replaced, longer)],
                std::cmp::Ordering::Greater => {
                    vec![(Wrong::Replaced, longer), (Wrong::Inserted, longer + 1)]
                }
            }
        }
    };
    vec![(p, found)]
}

fn told(faults: &[ChainFault]) -> Vec<(Wrong, u64)> {
    let is_moved = faults.iter().any(|f| f.wrong == Wrong::Reordered);
    let mut told: Vec<(Wrong, u64)> = faults
        .iter()
        .map(|f| (f.wrong, if is_moved { 0 } else { f.number }))
        .collect();
    told.dedup();
    told
}

#[test]
fn five_hundred_planted_manipulations_are_found() {
    let mut random = Random::new(20);
    let mut kinds = [0; 9];
    for round in 0..PLANTED {
        let mut chains: Vec<Chain> = (0..PARTITIONS).map(|_| Chain::new(&mut random)).collect();
        for chain in &chains {
            let checked = chain.check(None);
            assert_eq!(checked.faults, [], "round {round}: nothing was done yet");
            assert_eq!((checked.head, checked.unseen), (chain.head, 0));
        }
        let kind = round % kinds.len();
        let expected = plant(kind, &mut chains, &mut random);
        let mut checked: Vec<(i32, Checked)> = (0..)
            .zip(chains.iter().map(|chain| chain.check(None)))
            .collect();
        name_moved(&mut checked);
        for (index, (_, checked)) in checked.iter().enumerate() {
            let expected = expected.iter().find(|(at, _)| *at == index);
            let expected = expected.map_or(&[][..], |(_, wrong)| wrong.as_slice());
            assert_eq!(
                told(&checked.faults),
                expected,
                "round {round}, kind {kind}, partition {index}: {:?}",
                checked.faults
            );
        }
        if kind == 6 {
            let (from, to) = (expected[0].0, expected[1].0);
            let fault = checked[from].1.faults[0];
            let at = checked[to].1.faults[0].at.unwrap().offset;
            let named = Some((i32::try_from(to).unwrap(), at));
            assert_eq!(fault.moved_to, named, "round {round}");
        }
        kinds[kind] += 1;
    }
    assert_eq!(kinds.iter().sum::<usize>(), PLANTED);
    assert!(kinds.iter().all(|many| *many > 50), "{kinds:?}");
}

/// One with its place: offset, number and event time.
#[test]
fn a_fault_says_where_it_is() {
    let mut head = AuditHead::default();
    let told = entries(1, 9);
    let mut check = ChainCheck::new(Known {
        is_whole: true,
        head: None,
    });
    for (offset, entry) in (100..).zip(&told) {
        let record = head.seal(entry).value;
        if offset != 104 {
            check.take(offset, &record);
        }
    }
    let checked = check.finish(None);
    let [fault] = checked.faults[..] else {
        panic!("{:?}", checked.faults);
    };
    let at = fault.at.unwrap();
    assert_eq!(
        (fault.wrong, fault.number, fault.count),
        (Wrong::Removed, 5, 1)
    );
    assert_eq!((at.offset, at.number), (105, 6));
    assert_eq!(at.time, Some(Timestamp(told[5].body.time)));
}

/// What comes while it is read follows on; what lies beyond the head of the correlator is not its own.
#[test]
fn records_behind_the_head_are_the_correlators_own_up_to_its_next_head() {
    let mut head = AuditHead::default();
    let mut values = Vec::new();
    let mut heads = Vec::new();
    for entry in entries(3, 8) {
        values.push(head.seal(&entry).value);
        heads.push(head);
    }
    let check = |head: AuditHead, limit: Option<AuditHead>, values: &[Vec<u8>]| {
        let mut check = ChainCheck::new(Known {
            is_whole: true,
            head: Some(head),
        });
        for (offset, value) in (0..).zip(values) {
            check.take(offset, value);
        }
        let checked = check.finish(limit);
        (told(&checked.faults), checked.head.count)
    };
    for limit in [7, 6] {
        let fine = check(heads[4], Some(heads[limit]), &values[..7]);
        assert_eq!(fine, (Vec::new(), 7), "the limit is {limit}");
    }
    let beyond = check(heads[4], Some(heads[4]), &values[..7]);
    assert_eq!(beyond, (vec![(Wrong::Inserted, 6)], 5));
    let nothing = check(AuditHead::default(), None, &values);
    assert_eq!(nothing.0, [(Wrong::Inserted, 1)]);
    // At the end stands another one than that which the newest head names.
    let mut other = heads[4];
    let mut forged = values[..5].to_vec();
    forged.push(other.seal(&entries(4, 1)[0]).value);
    assert_eq!(
        check(heads[4], Some(heads[5]), &forged).0,
        [(Wrong::Inserted, 6)]
    );
    assert_eq!(
        check(heads[6], None, &values[..6]).0,
        [(Wrong::CutShort, 7)]
    );
}

#[test]
fn so_many_breaks_are_told_and_the_rest_is_counted() {
    let mut head = AuditHead::default();
    let mut check = ChainCheck::new(Known {
        is_whole: true,
        head: None,
    });
    let told = entries(5, 3);
    for offset in 0..3 * i64::try_from(PIECES_MAX).unwrap() {
        let mut value = head.seal(&told[0]).value;
        if offset % 2 == 1 {
            value[10] ^= 1;
        }
        check.take(offset, &value);
    }
    let checked = check.finish(Some(head));
    assert!(
        checked.faults.len() > PIECES_MAX / 3,
        "{}",
        checked.faults.len()
    );
    assert_eq!(checked.unseen, 2 * PIECES_MAX as u64);
    assert_eq!(checked.records, 3 * PIECES_MAX as u64);
}

/// A file holds what was asked for, not a chain: gaps are no faults, everything else is.
#[test]
fn a_file_is_checked_against_what_it_says_it_holds() {
    let mut head = AuditHead::default();
    let values: Vec<Vec<u8>> = entries(6, 30).iter().map(|e| head.seal(e).value).collect();
    let asked: Vec<usize> = (3..9).chain(12..13).chain(20..30).collect();
    let mut manifest = Manifest::default();
    manifest.note(asked.iter().map(|n| (0, *n as u64 + 1)).collect());
    let numbers = manifest.numbers[&0].clone();
    let lines: Vec<String> = asked
        .iter()
        .map(|n| line(0, *n as i64, &values[*n]))
        .collect();
    let check = |lines: &[String]| {
        let mut records: Vec<(i64, Vec<u8>)> = Vec::new();
        for line in lines {
            let Some(Line::Record { offset, bytes, .. }) = Line::read(line) else {
                panic!("{line}");
            };
            records.push((offset, bytes));
        }
        let records = records
            .iter()
            .map(|(offset, bytes)| (*offset, bytes.as_slice()));
        told(&export::check(records, &numbers).faults)
    };
    assert_eq!(check(&lines), []);
    for n in 0..lines.len() {
        let mut fewer = lines.clone();
        fewer.remove(n);
        assert_eq!(check(&fewer), [(Wrong::Removed, asked[n] as u64 + 1)]);
        let mut changed = lines.clone();
        changed[n] = changed[n].replace("success", "failure");
        if changed[n] != lines[n] {
            assert_eq!(
                check(&changed),
                [(Wrong::Changed, asked[n] as u64 + 1)],
                "{n}"
            );
        }
        let mut doubled = lines.clone();
        doubled.insert(n, lines[n].clone());
        assert_eq!(
            check(&doubled),
            [(Wrong::Inserted, asked[n] as u64 + 1)],
            "{n}"
        );
        let mut more = lines.clone();
        more.insert(n, line(0, 10, &values[10]));
        assert!(!check(&more).is_empty(), "{n}");
        let mut forged = lines.clone();
        let mut other = AuditHead::default();
        forged[n] = line(0, asked[n] as i64, &other.seal(&entries(7, 1)[0]).value);
        assert!(!check(&forged).is_empty(), "{n}");
    }
}
