//! `deskwarden directory import`: the accounts of exports into the directory topic.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use indicatif::{ProgressBar, ProgressStyle};

use crate::collect::directory::AccountRecord;
use crate::edge::commands::identity_resolve::{Export, export_named, read_export};
use crate::edge::commands::{CommandError, Ending};
use crate::edge::config::{Config, ConfigArgs, Needs};
use crate::edge::kafka::{KafkaLog, TopicReader};
use crate::edge::log::topics::Topic;
use crate::edge::log::{Log, LogError, ProduceRecord, key_partition};

/// Records of one transaction: enough that its commit does not show, few enough for its timeout.
const BATCH_RECORDS: usize = 1_000;

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden directory import --config deskwarden.yaml hris=people.jsonl okta=users.json.gz

The systems are hris, okta, entra, servicenow, zendesk, jira and contact_centre. An account that is
known is laid over what is known of it, by the time at which its file was written: what is gone is
closed, not forgotten, and the same file twice changes nothing.
Exit codes: 0 imported, 1 the brokers are away, 2 a file cannot be read or holds no account, 64 the
configuration is wrong.")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// Exports, as JSON lines or arrays, also packed by gzip.
    #[arg(value_name = "SYSTEM=FILE", required = true, value_parser = export_named)]
    exports: Vec<Export>,
}

/// How the accounts of one file compare to what was known.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    accounts: usize,
    new: usize,
    changed: usize,
}

/// Imports.
///
/// # Errors
/// A configuration that is wrong, a file that cannot be read or holds no account, brokers that are
/// away, an output that cannot be written.
pub fn run(
    args: &Args,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Ending, CommandError> {
    let config = args.config.load(Needs::Brokers)?;
    let mut exports = Vec::new();
    for export in &args.exports {
        let mut records = Vec::new();
        read_export(export, &config.identity_settings(), &mut records, notes)?;
        exports.push((export, records));
    }
    let topic = config.topic(Topic::Directory);
    super::topics::connect(&config)?;
    let failed = |doing: &'static str| {
        let doing = format!("{doing} {topic}");
        move |error: LogError| CommandError::kafka(doing, &error)
    };
    let mut known = known(&config, &topic).map_err(failed("cannot read"))?;
    let mut changed = BTreeSet::new();
    for (export, records) in exports {
        let counts = merge(&mut known, records, &mut changed);
        let unchanged = counts.accounts - counts.new - counts.changed;
        writeln!(
            out,
            "{} ({}): {} accounts, {} new, {} changed, {unchanged} unchanged",
            export.path.display(),
            export.system.as_str(),
            counts.accounts,
            counts.new,
            counts.changed,
        )?;
    }
    let records = known.iter().filter(|(key, _)| changed.contains(*key));
    let records: Vec<(&String, &AccountRecord)> = records.collect();
    write_records(&config, &topic, &records).map_err(failed("cannot write to"))?;
    writeln!(out, "{} records written to {topic}", records.len())?;
    Ok(Ending::Clean)
}

/// What the directory topic holds now.
fn known(config: &Config, topic: &str) -> Result<BTreeMap<String, AccountRecord>, LogError> {
    let mut reader = TopicReader::connect(&config.command_settings("directory-import"))?;
    let mut known = BTreeMap::new();
    let mut unreadable = None;
    reader.read_all(topic, |record| {
        let Some(key) = record.key.and_then(|key| String::from_utf8(key).ok()) else {
            return;
        };
        match record.value.as_deref().map(serde_json::from_slice) {
            None => drop(known.remove(&key)),
            Some(Ok(account)) => drop(known.insert(key, account)),
            Some(Err(error)) => {
                let at = format!("{}, offset {}", record.partition, record.offset);
                unreadable.get_or_insert_with(|| format!("{at}: {error}"));
            }
        }
    })?;
    match unreadable {
        // Overwriting what a newer version wrote would lose what it knew.
        Some(detail) => {
            let class = crate::edge::log::ErrorClass::Fatal;
            Err(LogError::new(class, "read", detail))
        }
        None => Ok(known),
    }
}

/// Lays records over what is known; notes the keys of those that are now different.
fn merge(
    known: &mut BTreeMap<String, AccountRecord>,
    records: Vec<AccountRecord>,
    changed: &mut BTreeSet<String>,
) -> Counts {
    let mut counts = Counts::default();
    for record in records {
        counts.accounts += 1;
        let key = record.key();
        match known.get_mut(&key) {
            None => {
                counts.new += 1;
                known.insert(key.clone(), record);
                changed.insert(key);
            }
            Some(old) => {
                let before = old.clone();
                old.merge(record);
                if *old != before {
                    counts.changed += 1;
                    changed.insert(key);
                }
            }
        }
    }
    counts
}

fn write_records(
    config: &Config,
    topic: &str,
    records: &[(&String, &AccountRecord)],
) -> Result<(), LogError> {
    if records.is_empty() {
        return Ok(());
    }
    let mut log = KafkaLog::connect(&config.command_settings("directory-import"))?;
    let partitions = log.partition_count(topic)?;
    // Shown on a terminal only.
    let progress = ProgressBar::new(u64::try_from(records.len()).unwrap_or(0));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} records, {eta} left") {
        progress.set_style(style);
    }
    for batch in records.chunks(BATCH_RECORDS) {
        log.begin()?;
        for (key, record) in batch {
            // A struct of texts, numbers and lists has a JSON form.
            let value = serde_json::to_vec(record).unwrap_or_default();
            log.produce(&ProduceRecord {
                topic,
                partition: key_partition(key.as_bytes(), partitions),
                key: Some(key.as_bytes()),
                headers: &[],
                value: Some(&value),
            })?;
        }
        log.commit()?;
        progress.inc(u64::try_from(batch.len()).unwrap_or(0));
    }
    progress.finish_and_clear();
    log.close()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::time::Timestamp;

    fn account(id: &str, employee: &str, read_at: i64) -> AccountRecord {
        AccountRecord {
            system: "hris".to_owned(),
            id: id.to_owned(),
            employee_id: Some(employee.to_owned()),
            read_at: Timestamp(read_at),
            ..AccountRecord::default()
        }
    }

    #[test]
    fn the_same_records_twice_change_nothing() {
        let mut known = BTreeMap::new();
        let mut changed = BTreeSet::new();
        let records = vec![account("1", "E1", 5), account("2", "E2", 5)];
        let counts = merge(&mut known, records.clone(), &mut changed);
        assert_eq!((counts.accounts, counts.new, changed.len()), (2, 2, 2));
        changed.clear();
        let counts = merge(&mut known, records, &mut changed);
        assert_eq!((counts.new, counts.changed, changed.len()), (0, 0, 0));
        let newer = vec![account("1", "E9", 6), account("2", "E8", 4)];
        let counts = merge(&mut known, newer, &mut changed);
        assert_eq!((counts.new, counts.changed), (0, 1));
        assert_eq!(known["hris:1"].employee_id.as_deref(), Some("E9"));
        assert_eq!(known["hris:2"].employee_id.as_deref(), Some("E2"));
    }
}
