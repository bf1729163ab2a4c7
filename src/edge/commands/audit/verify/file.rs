//! Checks an exported file.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::deliver::audit::export::{Line, Manifest, check};
use crate::edge::commands::CommandError;
use crate::edge::commands::audit::verify::report::Report;
use crate::edge::commands::input::Input;

/// Adds to the report what a file holds.
pub(super) fn check_file(path: &Path, report: &mut Report) -> Result<(), CommandError> {
    let input = Input::read(path)?;
    let name = path.display().to_string();
    let mut records: BTreeMap<i32, Vec<(i64, Vec<u8>)>> = BTreeMap::new();
    let mut manifest: Option<Manifest> = None;
    let mut hash = Sha256::new();
    for (index, line) in input
        .bytes
        .split_inclusive(|byte| *byte == b'\n')
        .enumerate()
    {
        let at = index + 1;
        if manifest.is_some() {
            report.fault(format!(
                "{name}:{at}: stands behind the last line of the export"
            ));
        }
        let text = std::str::from_utf8(line).ok().map(str::trim_end);
        match text.and_then(Line::read) {
            Some(Line::Record {
                partition,
                offset,
                bytes,
            }) => records.entry(partition).or_default().push((offset, bytes)),
            Some(Line::Manifest(last)) => {
                manifest = Some(last);
                continue;
            }
            None => report.fault(format!("{name}:{at}: is no line of an export")),
        }
        hash.update(line);
    }
    let Some(manifest) = manifest else {
        report.fault(format!(
            "{name}: its last line, which says what it holds, is not there: the end was cut off, or it \
             is no NDJSON export"
        ));
        check_records(&name, records, None, report);
        return Ok(());
    };
    if manifest.sha256 != hex::encode(hash.finalize()) {
        report.fault(format!(
            "{name}: its lines are not those that were exported: their SHA-256 is not that of its last line"
        ));
    }
    check_records(&name, records, Some(&manifest), report);
    Ok(())
}

fn check_records(
    name: &str,
    mut records: BTreeMap<i32, Vec<(i64, Vec<u8>)>>,
    manifest: Option<&Manifest>,
    report: &mut Report,
) {
    for partition in manifest.iter().flat_map(|manifest| manifest.numbers.keys()) {
        records.entry(*partition).or_default();
    }
    for (partition, mut lines) in records {
        lines.sort();
        let numbers = manifest.and_then(|manifest| manifest.numbers.get(&partition));
        let numbers = numbers.map_or(&[][..], Vec::as_slice);
        let lines = lines
            .iter()
            .map(|(offset, bytes)| (*offset, bytes.as_slice()));
        let checked = check(lines, numbers);
        let gaps = numbers.len().saturating_sub(1);
        let mut notes = Vec::new();
        if gaps > 0 {
            notes.push(format!(
                "{gaps} gaps: what lies there was not exported, so that nothing links the two sides"
            ));
        }
        report.add(Some(name), partition, checked, notes);
    }
}
