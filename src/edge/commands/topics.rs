//! `deskwarden topics apply`: creates and verifies our topics, and declares the sources.

use std::collections::BTreeMap;
use std::io::Write;

use crate::edge::commands::{CommandError, Ending};
use crate::edge::config::{Config, ConfigArgs, Fault, Needs};
use crate::edge::kafka::{Admin, KafkaLog, TopicReader};
use crate::edge::log::topics::Topic;
use crate::edge::log::{Log, LogError, ProduceRecord, key_partition};

pub(super) mod declare;
pub(super) mod plan;

use declare::{Change, changes, declared};
use plan::faults_of;
pub use plan::wanted;

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden topics apply --config deskwarden.yaml --dry-run
  deskwarden topics apply --config deskwarden.yaml

Creates the topics of Deskwarden that are missing, refuses those with wrong settings, and writes into
the control topic which sources there are, with what they vouch for and which evidence they deliver.
Topics of sources are never created or changed. Run it again after every change of `sources`.
Exit codes: 0 done, 1 refused, or the brokers are away, 64 the configuration is wrong.")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// Tell what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Creates what is missing, refuses what is wrong, declares the sources.
///
/// # Errors
/// A configuration that is wrong, brokers that are away or refuse, an output that cannot be written.
pub fn run(
    args: &Args,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Ending, CommandError> {
    let config = args.config.load(Needs::Brokers)?;
    let settings = config.command_settings("topics");
    let admin = connect(&config)?;
    let failed = |doing: &str| {
        let doing = doing.to_owned();
        move |error: LogError| CommandError::kafka(doing.clone(), &error)
    };
    let state = inspect(&config, &admin)?;
    if !state.faults.is_empty() {
        for fault in &state.faults {
            write!(notes, "{fault}")?;
        }
        let count = state.faults.len();
        writeln!(
            notes,
            "{count} topics are not as they must be; nothing was changed"
        )?;
        return Ok(Ending::Refused);
    }
    let (create, declare) = if args.dry_run {
        ("would create", "would declare")
    } else {
        ("created", "declared")
    };
    for topic in &state.missing {
        let wanted = wanted(&config, *topic);
        if !args.dry_run {
            let doing = format!("cannot create {}", wanted.name);
            admin.create(&wanted).map_err(failed(&doing))?;
        }
        let (name, partitions, copies) = (&wanted.name, wanted.partitions, wanted.replication);
        writeln!(
            out,
            "{create} {name}: {partitions} partitions, {copies} copies"
        )?;
    }
    for topic in Topic::ALL
        .iter()
        .filter(|topic| !state.missing.contains(topic))
    {
        writeln!(out, "verified {}", config.topic(*topic))?;
    }
    let control = config.topic(Topic::Control);
    let present = if state.missing.contains(&Topic::Control) {
        BTreeMap::new()
    } else {
        let mut reader = TopicReader::connect(&settings).map_err(failed("cannot read"))?;
        let doing = format!("cannot read {control}");
        declared(&mut reader, &control).map_err(failed(&doing))?
    };
    let changes = changes(&config, &state.partitions, &present);
    if !args.dry_run && !changes.is_empty() {
        let log = KafkaLog::connect(&settings).map_err(failed("cannot connect"))?;
        let doing = format!("cannot write to {control}");
        write_changes(log, &control, &changes).map_err(failed(&doing))?;
    }
    for change in &changes {
        match change.value {
            Some(_) => writeln!(out, "{declare} source {}", change.name)?,
            None => writeln!(out, "{declare} source {} as removed", change.name)?,
        }
    }
    if changes.is_empty() {
        writeln!(
            out,
            "verified the declarations of {} sources",
            config.sources.len()
        )?;
    }
    Ok(Ending::Clean)
}

/// A client for questions, once the brokers were reached.
pub(super) fn connect(config: &Config) -> Result<Admin, CommandError> {
    let settings = config.command_settings("topics");
    let doing = format!("cannot reach the brokers at {}", config.kafka.brokers);
    let reached = Admin::connect(&settings).and_then(|admin| {
        admin.reach()?;
        Ok(admin)
    });
    reached.map_err(|error| CommandError::kafka(doing, &error))
}

/// What there is of our topics and those of the sources.
pub(super) struct State {
    /// Topics of ours that are not there.
    pub(super) missing: Vec<Topic>,
    /// What is wrong with those that are, and with those of the sources.
    pub(super) faults: Vec<Fault>,
    /// Partitions of the topic of each source, by its name.
    pub(super) partitions: BTreeMap<String, i32>,
}

/// Looks at all topics that the configuration names.
pub(super) fn inspect(config: &Config, admin: &Admin) -> Result<State, CommandError> {
    let look = |name: &str| {
        let doing = format!("cannot look at {name}");
        let found = admin.topic(name);
        found.map_err(|error| CommandError::kafka(doing, &error))
    };
    let mut state = State {
        missing: Vec::new(),
        faults: Vec::new(),
        partitions: BTreeMap::new(),
    };
    for topic in Topic::ALL {
        let wanted = wanted(config, topic);
        match look(&wanted.name)? {
            None => state.missing.push(topic),
            Some(found) => state
                .faults
                .extend(faults_of(config, topic, &wanted, &found)),
        }
    }
    for source in &config.sources {
        let name = &source.setup.name;
        match look(&source.topic)? {
            Some(found) => drop(state.partitions.insert(name.clone(), found.partitions)),
            None => {
                let subject = format!("topic {}", source.topic);
                let remedy =
                    format!("let whoever fills it create it, or correct `sources.{name}.topic`");
                let what = format!("the topic of source `{name}` does not exist");
                state.faults.push(Fault::about(&subject, what, remedy));
            }
        }
    }
    Ok(state)
}

fn write_changes(mut log: KafkaLog, topic: &str, changes: &[Change]) -> Result<(), LogError> {
    let partitions = log.partition_count(topic)?;
    log.begin()?;
    for change in changes {
        let key = change.key.as_bytes();
        log.produce(&ProduceRecord {
            topic,
            partition: key_partition(key, partitions),
            key: Some(key),
            headers: &[],
            value: change.value.as_deref().map(str::as_bytes),
        })?;
    }
    log.commit()?;
    log.close()
}
