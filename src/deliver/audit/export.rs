//! Audit records in a file: one line a record with where it lies and its exact bytes, so that its hash
//! can be checked; and a last line that says what the file holds.
//!
//! A record is `{"partition":P,"offset":O,"record":…}`, or with `"hex":"…"` where its bytes do not
//! stand in a line as they are. The last line is `{"export":…}`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::collect::time::rfc3339;
use crate::correlate::audit::{ChainCheck, ChainFault, Checked, Wrong};
use crate::deliver::audit::Question;

/// The last line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// Event time, from this moment on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Event time, before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Whose account it was, or who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Who performed or approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Records in the file.
    pub records: u64,
    /// Numbers of the records of each partition, in ranges from first to last.
    pub numbers: BTreeMap<i32, Vec<(u64, u64)>>,
    /// SHA-256 of all lines before this one, with their ends, in hex.
    pub sha256: String,
}

#[derive(Serialize, Deserialize)]
struct LastLine {
    export: Manifest,
}

impl Manifest {
    /// The beginning of one: what was asked for.
    #[must_use]
    pub fn of(question: &Question) -> Self {
        Self {
            from: question.from.map(rfc3339),
            to: question.to.map(rfc3339),
            person: question.person.clone(),
            agent: question.agent.clone(),
            ticket: question.ticket.clone(),
            ..Self::default()
        }
    }

    /// Notes the numbers that are in the file, by partition.
    pub fn note(&mut self, mut numbers: Vec<(i32, u64)>) {
        numbers.sort_unstable();
        for (partition, number) in numbers {
            self.records += 1;
            let ranges = self.numbers.entry(partition).or_default();
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
                Some(_) | None => ranges.push((number, number)),
            }
        }
    }

    /// The line, without its end.
    #[must_use]
    pub fn line(self) -> String {
        // A struct of texts and numbers has a JSON form.
        serde_json::to_string(&LastLine { export: self }).unwrap_or_default()
    }
}

/// The line of a record, without its end.
#[must_use]
pub fn line(partition: i32, offset: i64, record: &[u8]) -> String {
    let as_is = std::str::from_utf8(record).ok().filter(|text| {
        let is_one_line = !text.contains(['\n', '\r']) && text.trim() == *text;
        is_one_line && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
    });
    match as_is {
        Some(text) => {
            format!("{{\"partition\":{partition},\"offset\":{offset},\"record\":{text}}}")
        }
        None => {
            let text = hex::encode(record);
            format!("{{\"partition\":{partition},\"offset\":{offset},\"hex\":\"{text}\"}}")
        }
    }
}

/// A line of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A record with its bytes.
    Record {
        /// Partition.
        partition: i32,
        /// Offset.
        offset: i64,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// The last line.
    Manifest(Manifest),
}

impl Line {
    /// Reads a line; `None` if it is none of an export.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.starts_with("{\"export\":") {
            let last: LastLine = serde_json::from_str(text).ok()?;
            return Some(Self::Manifest(last.export));
        }
        let (partition, rest) = text
            .strip_prefix("{\"partition\":")?
            .split_once(",\"offset\":")?;
        let (offset, rest) = rest.split_once(',')?;
        let bytes = match rest.strip_prefix("\"record\":") {
            Some(record) => record.strip_suffix('}')?.as_bytes().to_vec(),
            None => hex::decode(rest.strip_prefix("\"hex\":\"")?.strip_suffix("\"}")?).ok()?,
        };
        Some(Self::Record {
            partition: partition.parse().ok()?,
            offset: offset.parse().ok()?,
            bytes,
        })
    }
}

/// Checks the records of one partition in a file, given with their offsets in the order of these,
/// against each other and against the numbers that the file says it holds. Gaps between those say
/// nothing: what was not asked for is not in the file.
#[must_use]
pub fn check<'r>(
    records: impl IntoIterator<Item = (i64, &'r [u8])>,
    numbers: &[(u64, u64)],
) -> Checked {
    let mut check = ChainCheck::of_file();
    for (offset, record) in records {
        check.take(offset, record);
    }
    let present = merged(check.numbers().collect());
    let numbers = merged(numbers.to_vec());
    let mut checked = check.finish(None);
    let is_gap = |fault: &ChainFault| matches!(fault.wrong, Wrong::Removed | Wrong::CutShort);
    checked.faults.retain(|fault| !is_gap(fault));
    let told: BTreeSet<u64> = checked.faults.iter().map(|fault| fault.number).collect();
    let fault = |wrong, (from, to): (u64, u64)| ChainFault {
        wrong,
        number: from,
        count: to.saturating_sub(from).saturating_add(1),
        at: None,
        hash: None,
        moved_to: None,
    };
    let removed = minus(&numbers, &present).into_iter();
    checked
        .faults
        .extend(removed.map(|range| fault(Wrong::Removed, range)));
    let inserted = minus(&present, &numbers).into_iter();
    let inserted = inserted.filter(|(from, _)| !told.contains(from));
    checked
        .faults
        .extend(inserted.map(|range| fault(Wrong::Inserted, range)));
    checked
}

/// Ranges in order, none of which meets another.
fn merged(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.retain(|(from, to)| from <= to);
    ranges.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (from, to) in ranges {
        match merged.last_mut() {
            Some((_, last)) if from <= last.saturating_add(1) => *last = to.max(*last),
            Some(_) | None => merged.push((from, to)),
        }
    }
    merged
}

/// What is in some ranges and not in others; both in order.
fn minus(ranges: &[(u64, u64)], others: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut left = Vec::new();
    for (from, to) in ranges {
        let mut from = Some(*from);
        let first = others.partition_point(|other| Some(other.1) < from);
        let meeting = others.iter().skip(first).take_while(|other| other.0 <= *to);
        for (other_from, other_to) in meeting {
            if let Some(from) = from.filter(|from| from < other_from) {
                left.push((from, other_from.saturating_sub(1)));
            }
            from = other_to.checked_add(1);
        }
        left.extend(from.filter(|from| from <= to).map(|from| (from, *to)));
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_taken_from_ranges() {
        assert_eq!(
            merged(vec![(5, 6), (1, 2), (3, 3), (9, 8)]),
            [(1, 3), (5, 6)]
        );
        assert_eq!(
            minus(&[(1, 9)], &[(2, 3), (5, 5)]),
            [(1, 1), (4, 4), (6, 9)]
        );
        assert_eq!(minus(&[(1, 3), (5, 9)], &[(2, 7)]), [(1, 1), (8, 9)]);
        assert_eq!(minus(&[(1, u64::MAX)], &[(1, u64::MAX)]), []);
        assert_eq!(minus(&[(4, 4)], &[]), [(4, 4)]);
    }

    #[test]
    fn a_line_keeps_every_byte() {
        let records: [&[u8]; 6] = [
            b"{\"a\":1,\"hash\":\"x\"}",
            b"{\"a\":1} ",
            b"{\"a\":\n1}",
            b"\xff\x00",
            b"",
            b"{\"a\":",
        ];
        for bytes in records {
            let line = line(3, 17, bytes);
            assert!(!line.contains('\n'));
            assert!(
                serde_json::from_str::<serde_json::Value>(&line).is_ok(),
                "{line}"
            );
            let read = Line::read(&line).unwrap();
            let bytes = bytes.to_vec();
            let (partition, offset) = (3, 17);
            assert_eq!(
                read,
                Line::Record {
                    partition,
                    offset,
                    bytes
                }
            );
        }
        assert_eq!(Line::read("{}"), None);
        assert_eq!(
            Line::read("{\"partition\":1,\"offset\":x,\"record\":{}}"),
            None
        );
    }

    #[test]
    fn a_manifest_tells_numbers_in_ranges() {
        let mut manifest = Manifest::default();
        manifest.note(vec![(1, 4), (0, 2), (0, 1), (1, 5), (0, 9)]);
        assert_eq!(manifest.records, 5);
        assert_eq!(manifest.numbers[&0], [(1, 2), (9, 9)]);
        assert_eq!(manifest.numbers[&1], [(4, 5)]);
        let read = Line::read(&manifest.clone().line()).unwrap();
        assert_eq!(read, Line::Manifest(manifest));
    }
}
