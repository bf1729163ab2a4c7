//! `deskwarden audit verify`: whether anybody removed, changed, inserted or moved audit records.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use crate::collect::time::rfc3339;
use crate::correlate::audit::{AuditHead, ChainCheck, Checked, Known, name_moved};
use crate::edge::commands::audit::{AuditTopic, failed};
use crate::edge::commands::config_show::Format;
use crate::edge::commands::{CommandError, Ending};
use crate::edge::config::{Config, ConfigArgs, Needs};
use crate::edge::kafka::TopicReader;
use crate::edge::log::topics::Topic;

mod file;
mod heads;
mod report;

use report::{Report, show};

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden audit verify --config deskwarden.yaml
  deskwarden audit verify --config deskwarden.yaml --format json
  deskwarden audit verify --file may.ndjson

Each audit record carries the hash of the one before it in its partition, and the correlator keeps the
last hash and number with its state. From the first record that is kept to that head, every record must
have the hash of its content and follow the one before it. Faults are told with partition, offset,
number and event time. Records that retention deleted cannot be checked: it is said how many.

Of a file, an NDJSON export, is checked that it holds the records that its last line names, that each
has the hash of its content, and that those which are neighbours follow each other. What was not
exported cannot be checked, and whoever can write the whole file can make it agree with itself: compare
its SHA-256 with that which the export told, or export again.
Exit codes: 0 intact, 1 broken, or the brokers are away, 2 not as given, 64 the configuration is wrong.")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// Check exports instead of the topic.
    #[arg(long = "file", value_name = "FILE", num_args = 1..)]
    exports: Vec<PathBuf>,
    /// How the result is shown.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Verifies, and reports.
///
/// # Errors
/// A configuration that is wrong, a file that cannot be read, brokers that are away, an output that
/// cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<Ending, CommandError> {
    let report = if args.exports.is_empty() {
        of_topic(&args.config.load(Needs::Brokers)?)?
    } else {
        let mut report = Report::default();
        for path in &args.exports {
            file::check_file(path, &mut report)?;
        }
        report
    };
    let is_intact = report.is_intact();
    show(report, args.format, out)?;
    Ok(if is_intact {
        Ending::Clean
    } else {
        Ending::Refused
    })
}

/// The heads are read first: what they vouch for is then in the audit topic. They are read again at
/// the end: what came meanwhile follows on, and nothing lies beyond them.
fn of_topic(config: &Config) -> Result<Report, CommandError> {
    let mut audit = AuditTopic::connect(config)?;
    let state = config.topic(Topic::State);
    let mut reader =
        TopicReader::connect(&config.command_settings("audit")).map_err(failed(&state))?;
    let mut heads = |count| heads::read(&mut reader, &state, count).map_err(failed(&state));
    let before = heads(audit.count)?;
    let spans = audit.spans()?;
    let mut checks: BTreeMap<i32, ChainCheck> = BTreeMap::new();
    for (partition, span) in &spans {
        let head = before.get(&partition.number).copied();
        let known = Known {
            // Retention moves the first offset on.
            is_whole: span.start == 0,
            head: Some(head.unwrap_or_default()),
        };
        checks.insert(partition.number, ChainCheck::new(known));
    }
    audit.read(&spans, |record| {
        if let Some(check) = checks.get_mut(&record.partition.number) {
            check.take(record.offset, record.value.as_deref().unwrap_or_default());
        }
    })?;
    let after = heads(audit.count)?;
    let mut checked: Vec<(i32, Checked)> = Vec::new();
    for (number, check) in checks {
        let limit = after.get(&number).copied();
        checked.push((number, check.finish(limit)));
    }
    name_moved(&mut checked);
    let mut report = Report::default();
    for (number, checked) in checked {
        let mut notes = Vec::new();
        let head = before.get(&number).copied();
        notes.extend(unkept(&checked, head));
        if head.is_none() && checked.records > 0 && !after.contains_key(&number) {
            notes.push(format!(
                "{state}/{number} says nothing of this chain: no correlator vouches for its records"
            ));
        }
        let later = head.map_or(0, |head| checked.head.count.saturating_sub(head.count));
        if later > 0 {
            notes.push(format!("{later} records that came meanwhile follow on"));
        }
        report.add(None, number, checked, notes);
    }
    Ok(report)
}

/// What is said of a chain whose beginning is gone.
fn unkept(checked: &Checked, head: Option<AuditHead>) -> Option<String> {
    match checked.first {
        Some(first) if first.number > 1 => {
            let time = first.time.map(rfc3339).unwrap_or_default();
            let before = first.number - 1;
            Some(format!(
                "begins at record {} of {time}: the {before} before it are no longer kept and cannot be \
                 checked",
                first.number
            ))
        }
        None if head.is_some_and(|head| head.count > 0) => {
            let count = head.map_or(0, |head| head.count);
            Some(format!("none of its {count} records is kept"))
        }
        Some(_) | None => None,
    }
}
