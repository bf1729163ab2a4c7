//! `deskwarden audit export`: audit records of a time as a file for an auditor.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use sha2::{Digest, Sha256};

use crate::collect::time::rfc3339;
use crate::deliver::audit::export::{Manifest, line};
use crate::deliver::audit::{Placed, Question};
use crate::edge::audit_table;
use crate::edge::commands::audit::{AuditTopic, Selection, unreadable};
use crate::edge::commands::{CommandError, Ending};
use crate::edge::config::{ConfigArgs, Needs};

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden audit export --config deskwarden.yaml --from 2024-05-01 --to 2024-05-31 \\
    --output may.ndjson
  deskwarden audit export --config deskwarden.yaml --from 2024-05-01 --to 2024-05-31 \\
    --format csv --output may.csv
  deskwarden audit export --config deskwarden.yaml --from 2024-05-06T10:00:00Z \\
    --to 2024-05-06T12:00:00Z --person E10005 --format csv

NDJSON holds a line {\"partition\":…,\"offset\":…,\"record\":…} for each record, with its exact bytes, and a
last line {\"export\":…} with what was asked for, the numbers of the records and the SHA-256 of the lines:
`deskwarden audit verify --file` checks all of it. CSV holds a row for each record; a text that a
spreadsheet could take for a formula begins with an apostrophe. Both are in the order of event time,
partition and offset. A summary goes to standard error.
Exit codes: 0 exported, 1 the brokers are away, or a record is no audit record, 2 not as given, 64 the
configuration is wrong.")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    selection: Selection,
    /// The form of the file.
    #[arg(long, value_enum, default_value = "ndjson")]
    format: FileFormat,
    /// Where it goes; standard output if it is left out.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FileFormat {
    /// Records as they are, for programs and `audit verify --file`.
    Ndjson,
    /// A table.
    Csv,
}

/// Exports.
///
/// # Errors
/// A configuration that is wrong, brokers that are away, an output that cannot be written.
pub fn run(
    args: &Args,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Ending, CommandError> {
    let question = args.selection.question()?;
    if question.from.is_none() || question.to.is_none() {
        let what = "an export is of a time: name it with --from and --to";
        return Err(CommandError::Usage(what.to_owned()));
    }
    let config = args.config.load(Needs::Brokers)?;
    let is_with_bytes = args.format == FileFormat::Ndjson;
    let answer = AuditTopic::connect(&config)?.ask(&question, is_with_bytes)?;
    let found = answer.records;
    let digest = match &args.output {
        Some(path) => {
            let mut file = BufWriter::new(File::create(path)?);
            let digest = write(args.format, &found, &question, &mut file)?;
            file.flush()?;
            digest
        }
        None => write(args.format, &found, &question, out)?,
    };
    summarise(&found, &digest, notes)?;
    if answer.unreadable > 0 {
        writeln!(notes, "{}", unreadable(answer.unreadable))?;
        return Ok(Ending::Refused);
    }
    Ok(Ending::Clean)
}

/// A writer that hashes what goes through it.
struct Hashed<'w> {
    to: &'w mut dyn Write,
    hash: Sha256,
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

/// Writes the file; the SHA-256 of all of it, in hex.
fn write(
    format: FileFormat,
    found: &[(Placed, Vec<u8>)],
    question: &Question,
    to: &mut dyn Write,
) -> Result<String, CommandError> {
    let mut file = Hashed {
        to,
        hash: Sha256::new(),
    };
    match format {
        FileFormat::Ndjson => {
            for (placed, bytes) in found {
                writeln!(file, "{}", line(placed.partition, placed.offset, bytes))?;
            }
            let mut manifest = Manifest::of(question);
            let numbers = found.iter().map(|(p, _)| (p.partition, p.record.number));
            manifest.note(numbers.collect());
            manifest.sha256 = hex::encode(file.hash.clone().finalize());
            writeln!(file, "{}", manifest.line())?;
        }
        FileFormat::Csv => {
            audit_table::write(found.iter().map(|(placed, _)| placed), &mut file)?;
        }
    }
    Ok(hex::encode(file.hash.finalize()))
}

fn summarise(
    found: &[(Placed, Vec<u8>)],
    digest: &str,
    notes: &mut dyn Write,
) -> Result<(), CommandError> {
    let settled = found.iter().filter(|(p, _)| p.record.is_settled()).count();
    let recoveries = found
        .iter()
        .filter(|(p, _)| !p.record.is_settled() && p.record.class.is_some())
        .count();
    write!(
        notes,
        "{} records: {recoveries} recoveries, {settled} times their controls, {} others",
        found.len(),
        found.len() - recoveries - settled
    )?;
    if let (Some((first, _)), Some((last, _))) = (found.first(), found.last()) {
        let (from, to) = (rfc3339(first.record.time), rfc3339(last.record.time));
        write!(notes, "; from {from} to {to}")?;
    }
    writeln!(notes, "\nSHA-256 of the file: {digest}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::audit::AuditRecord;

    #[test]
    fn a_table_has_a_line_for_each_record_and_nothing_that_acts() {
        let record = r#"{"id":"i","stage":"recorded","version":1,"event":"e","time":1714989600000,
            "action":"ticket.opened","outcome":"success","entity":"ticket|x","agent_kind":"desk",
            "by_admin":false,"ticket":"=1+1\r\n\u001b[31m\u202e\"","call":"\t@x",
            "source":{"system":"s","topic":"t","partition":0,"offset":1},"number":7,
            "prev":"","hash":""}"#;
        let record = AuditRecord::read(record.as_bytes()).unwrap();
        let placed = Placed {
            record,
            partition: 2,
            offset: 9,
        };
        let mut table = Vec::new();
        let found = [(placed, Vec::new())];
        let question = Question::default();
        let digest = write(FileFormat::Csv, &found, &question, &mut table).unwrap();
        assert_eq!(digest, hex::encode(Sha256::digest(&table)));
        let text = String::from_utf8(table).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        let row = text.lines().last().unwrap();
        assert!(
            row.starts_with("2024-05-06T10:00:00.000Z,recorded,1,"),
            "{row}"
        );
        assert!(
            row.contains(r#","'=1+1\u{d}\u{a}\u{1b}[31m\u{202e}""",'\u{9}@x,"#),
            "{row}"
        );
        assert!(row.ends_with(",2,9,7"), "{row}");
    }
}
