//! `deskwarden dead-letter`: what could not be used, and feeding it in again.

use std::collections::BTreeMap;
use std::io::Write;

use clap::ValueEnum;

use crate::collect::time::{Timestamp, rfc3339};
use crate::edge::commands::audit::from_named;
use crate::edge::commands::{CommandError, Ending};
use crate::edge::config::{Config, ConfigArgs, Needs};
use crate::edge::dead_letters::{DeadLetter, DeadLetters, Found, Keep, Left, Question};
use crate::edge::log::LogError;
use crate::edge::log::topics::Topic;
use crate::edge::telemetry::shown;

/// Bytes of what was wrong with a record.
const ERROR_BYTES_MAX: usize = 160;

/// Bytes of letters that one command holds.
const BYTES_MAX: usize = 256 << 20;

/// Which letters are meant.
#[derive(Debug, clap::Args)]
struct Selection {
    /// Written from this moment on: a date (UTC) or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = from_named)]
    since: Option<Timestamp>,
    /// Why they are letters: decode, schema, oversize, depth, …
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// Of one source, by its name in the configuration.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

/// What the command line says of `list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden dead-letter list --config deskwarden.yaml --since 2024-05-06
  deskwarden dead-letter list --config deskwarden.yaml --reason schema --format json --values

Each line tells when, why, where the record lies (topic/partition/offset) and what was wrong with it.
Values hold what the source wrote, personal data too; they are shown only with --values, as JSON. How
many there are of each reason goes to standard error.
Exit codes: 0 listed, 1 the brokers are away, or a record is no dead letter, 2 not as given, 64 the
configuration is wrong.")]
pub struct ListArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    selection: Selection,
    /// For people, or for programs.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    /// The records themselves too; only as JSON.
    #[arg(long)]
    values: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A line each.
    Text,
    /// A JSON object a line.
    Json,
}

/// What the command line says of `replay`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden dead-letter replay --config deskwarden.yaml --since 2024-05-06 --dry-run
  deskwarden dead-letter replay --config deskwarden.yaml --since 2024-05-06 --source okta --reason schema

Mend the cause first: the mapping, the version, the size. Records of `collect` are written again to the
topic and partition that they came from, each once; their events have the ids that they would have had,
and what was used before counts once. What cannot be used still is a dead letter again. The user needs
WRITE on the topics of the sources, and the transactional id <prefix>-dead-letter-<instance>.
Exit codes: 0 fed in, 1 the brokers are away or refuse, 2 not as given, 64 the configuration is wrong.")]
pub struct ReplayArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    selection: Selection,
    /// Only tell what would be fed in.
    #[arg(long)]
    dry_run: bool,
}

/// Lists dead letters.
///
/// # Errors
/// A configuration that is wrong, brokers that are away, an output that cannot be written.
pub fn list(
    args: &ListArgs,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Ending, CommandError> {
    if args.values && args.format != Form::Json {
        let what = "--values needs --format json: a record is no line";
        return Err(CommandError::Usage(what.to_owned()));
    }
    let config = args.config.load(Needs::Brokers)?;
    let (_, found) = find(&config, &args.selection, args.values)?;
    for letter in &found.letters {
        match args.format {
            Form::Text => writeln!(out, "{}", line(letter))?,
            Form::Json => writeln!(out, "{}", json(letter, args.values))?,
        }
    }
    summarise(&found, notes)?;
    Ok(if found.unreadable > 0 {
        Ending::Refused
    } else {
        Ending::Clean
    })
}

/// Feeds dead letters in again.
///
/// # Errors
/// A configuration that is wrong, brokers that are away or refuse, an output that cannot be written.
pub fn replay(
    args: &ReplayArgs,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Ending, CommandError> {
    if args.selection.since.is_none() {
        let what = "say from when on: --since, a date such as 2024-05-06 or a moment (RFC 3339)";
        return Err(CommandError::Usage(what.to_owned()));
    }
    let config = args.config.load(Needs::Brokers)?;
    let (letters, found) = find(&config, &args.selection, true)?;
    summarise(&found, notes)?;
    let fed = if args.dry_run {
        letters.would_feed(&found.letters)
    } else {
        letters.feed_in(&found.letters)
    };
    let fed = fed.map_err(failed("cannot feed in"))?;
    let verb = if args.dry_run { "would be" } else { "are" };
    writeln!(out, "{} records {verb} fed in", fed.fed)?;
    for (why, count) in &fed.left {
        writeln!(out, "{count} left: {}", reason(*why))?;
    }
    Ok(Ending::Clean)
}

/// What is asked of the brokers, and what they have.
fn find(
    config: &Config,
    selection: &Selection,
    values: bool,
) -> Result<(DeadLetters, Found), CommandError> {
    let topic = match &selection.source {
        Some(name) => Some(topic_of(config, name)?),
        None => None,
    };
    super::topics::connect(config)?;
    let letters = dead_letters(config);
    let question = Question {
        since: selection.since,
        reason: selection.reason.clone(),
        topic,
    };
    let keep = Keep {
        values,
        bytes_max: BYTES_MAX,
    };
    let found = letters.find(&question, keep);
    let found = found.map_err(failed("cannot read the dead letters"))?;
    Ok((letters, found))
}

/// The topic of a source.
fn topic_of(config: &Config, name: &str) -> Result<String, CommandError> {
    let mut sources = config.sources.iter();
    let found = sources.find(|source| &*source.setup.name == name);
    found.map(|source| source.topic.clone()).ok_or_else(|| {
        let names = config.sources.iter().map(|source| &*source.setup.name);
        let names: Vec<&str> = names.collect();
        CommandError::Usage(format!("no source {name}: there are {}", names.join(", ")))
    })
}

/// The dead letters of a configuration.
pub(super) fn dead_letters(config: &Config) -> DeadLetters {
    let sources = config.sources.iter().map(|source| source.topic.clone());
    DeadLetters::new(
        config.command_settings("dead-letter"),
        config.topic(Topic::DeadLetter).into(),
        sources.collect(),
    )
}

fn failed(doing: &'static str) -> impl Fn(LogError) -> CommandError {
    move |error| CommandError::kafka(doing.to_owned(), &error)
}

fn line(letter: &DeadLetter) -> String {
    format!(
        "{}  {:12}  {}/{}/{}  {}",
        rfc3339(letter.time),
        letter.reason,
        letter.topic,
        letter.partition,
        letter.offset,
        shown(&letter.error, ERROR_BYTES_MAX)
    )
}

/// A letter as JSON; what is no text of its value is replaced.
fn json(letter: &DeadLetter, with_value: bool) -> serde_json::Value {
    let mut json = serde_json::to_value(letter).unwrap_or_default();
    if let Some(object) = json.as_object_mut().filter(|_| with_value) {
        let value = String::from_utf8_lossy(&letter.value).into_owned();
        object.insert("value".to_owned(), value.into());
    }
    json
}

fn summarise(found: &Found, notes: &mut dyn Write) -> Result<(), CommandError> {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for letter in &found.letters {
        *counts.entry((&letter.topic, &letter.reason)).or_default() += 1;
    }
    writeln!(notes, "{} dead letters", found.letters.len())?;
    for ((topic, reason), count) in counts {
        writeln!(notes, "  {count} of {topic}: {reason}")?;
    }
    if found.unreadable > 0 {
        writeln!(
            notes,
            "  {} records of the topic are no dead letters",
            found.unreadable
        )?;
    }
    Ok(())
}

const fn reason(why: Left) -> &'static str {
    match why {
        Left::OtherStage => "of another stage than collect, which had used the record",
        Left::Cut => "too long, only the beginning was kept: send them again from the source",
        Left::NoSource => "of a topic or partition that is no source in this configuration",
        Left::Repeated => "the same record as another one",
    }
}
