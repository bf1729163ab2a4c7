//! What `audit verify` found, for people and programs.

use std::io::Write;

use serde::Serialize;

use crate::collect::time::rfc3339;
use crate::correlate::audit::{At, ChainFault, Checked, Wrong};
use crate::edge::commands::CommandError;
use crate::edge::commands::config_show::Format;

/// Faults of a partition that people are shown; programs get all.
const FAULTS_SHOWN: usize = 20;

/// What was found.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    ok: bool,
    records: u64,
    /// What is wrong with a file as such.
    faults: Vec<String>,
    partitions: Vec<OfPartition>,
}

#[derive(Debug, Serialize)]
struct OfPartition {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    partition: i32,
    ok: bool,
    records: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Place>,
    /// Where the chain stands at its end.
    head_number: u64,
    head_hash: String,
    notes: Vec<String>,
    faults: Vec<OfRecord>,
    /// Records behind too many faults, which were not looked at.
    not_looked_at: u64,
}

#[derive(Debug, Serialize)]
struct Place {
    number: u64,
    offset: i64,
    time: Option<String>,
}

impl Place {
    fn of(at: At) -> Self {
        Self {
            number: at.number,
            offset: at.offset,
            time: at.time.map(rfc3339),
        }
    }
}

#[derive(Debug, Serialize)]
struct OfRecord {
    wrong: &'static str,
    /// The first record that is concerned; 0 where it says no number.
    number: u64,
    count: u64,
    /// The record itself; of missing ones the record behind the gap, or the last one.
    at: Option<Place>,
    meaning: String,
    text: String,
}

impl Report {
    pub(super) fn is_intact(&self) -> bool {
        self.faults.is_empty() && self.partitions.iter().all(|part| part.ok)
    }

    /// Something is wrong with a file as such.
    pub(super) fn fault(&mut self, text: String) {
        self.faults.push(text);
    }

    /// Adds a partition.
    pub(super) fn add(
        &mut self,
        file: Option<&str>,
        partition: i32,
        checked: Checked,
        notes: Vec<String>,
    ) {
        self.records += checked.records;
        let faults = checked.faults.iter().map(of_record);
        self.partitions.push(OfPartition {
            file: file.map(str::to_owned),
            partition,
            ok: checked.faults.is_empty() && checked.unseen == 0,
            records: checked.records,
            first: checked.first.map(Place::of),
            last: checked.last.map(Place::of),
            head_number: checked.head.count,
            head_hash: hex::encode(checked.head.hash),
            notes,
            faults: faults.collect(),
            not_looked_at: checked.unseen,
        });
    }
}

fn of_record(fault: &ChainFault) -> OfRecord {
    let named = |at: &At| match at.time {
        Some(time) => format!("{} (record {}, {})", at.offset, at.number, rfc3339(time)),
        None => at.offset.to_string(),
    };
    let place = match (fault.wrong, &fault.at) {
        (Wrong::Removed, Some(at)) => format!(" in front of offset {}", named(at)),
        (Wrong::CutShort, Some(at)) => format!(" behind offset {}", named(at)),
        (_, Some(at)) => match at.time {
            Some(time) => format!(" at offset {}, {}", at.offset, rfc3339(time)),
            None => format!(" at offset {}", at.offset),
        },
        (_, None) => String::new(),
    };
    let what = match (fault.number, fault.count) {
        (0, _) => "a record".to_owned(),
        (number, 0 | 1) => format!("record {number}"),
        (number, count) => format!(
            "records {number} to {}",
            number.saturating_add(count).saturating_sub(1)
        ),
    };
    let wrong = fault.wrong.as_str().replace('_', " ");
    let mut meaning = fault.wrong.meaning().to_owned();
    if let Some((partition, offset)) = fault.moved_to {
        meaning.push_str(&format!(
            "; it lies in partition {partition} at offset {offset} instead"
        ));
    }
    OfRecord {
        wrong: fault.wrong.as_str(),
        number: fault.number,
        count: fault.count,
        at: fault.at.map(Place::of),
        text: format!("{what}{place}, {wrong}: {meaning}"),
        meaning,
    }
}

/// Writes the report.
pub(super) fn show(
    mut report: Report,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    report.ok = report.is_intact();
    if format == Format::Json {
        serde_json::to_writer_pretty(&mut *out, &report).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(());
    }
    for fault in &report.faults {
        writeln!(out, "BROKEN {fault}")?;
    }
    for part in &report.partitions {
        let file = part
            .file
            .as_ref()
            .map_or_else(String::new, |f| format!("{f}, "));
        let state = if part.ok { "ok" } else { "BROKEN" };
        write!(
            out,
            "{file}partition {}: {state}, {} records",
            part.partition, part.records
        )?;
        if let (Some(first), Some(last)) = (&part.first, &part.last) {
            let time = |place: &Place| place.time.clone().unwrap_or_default();
            write!(
                out,
                ", {} ({}) to {} ({})",
                first.number,
                time(first),
                last.number,
                time(last)
            )?;
        }
        writeln!(out)?;
        for fault in part.faults.iter().take(FAULTS_SHOWN) {
            writeln!(out, "  {}", fault.text)?;
        }
        if let Some(more) = part.faults.len().checked_sub(FAULTS_SHOWN + 1) {
            writeln!(out, "  and {} more: --format json shows all", more + 1)?;
        }
        if part.not_looked_at > 0 {
            writeln!(
                out,
                "  {} records behind so many faults were not looked at",
                part.not_looked_at
            )?;
        }
        for note in &part.notes {
            writeln!(out, "  note: {note}")?;
        }
    }
    let broken = report.partitions.iter().filter(|part| !part.ok).count();
    let faults: usize = report.partitions.iter().map(|part| part.faults.len()).sum();
    let verdict = if report.ok {
        "intact".to_owned()
    } else {
        let faults = faults + report.faults.len();
        format!("BROKEN; faults: {faults}, broken partitions: {broken}")
    };
    writeln!(
        out,
        "{} records in {} partitions: {verdict}",
        report.records,
        report.partitions.len()
    )?;
    Ok(())
}
