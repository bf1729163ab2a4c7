//! `deskwarden check`: is everything right before anything is started?

use std::io::{IsTerminal, Write};

use serde::Serialize;

use crate::correlate::rules::rule::{Evidence, Operator, Rule};
use crate::correlate::rules::{self, Declared, RuleSet, lint};
use crate::edge::commands::config_show::Format;
use crate::edge::commands::{CommandError, Ending};
use crate::edge::config::{Config, ConfigArgs, Fault, Faults, Needs, Stage};

mod connect;

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden check --config deskwarden.yaml
  deskwarden check --config deskwarden.yaml --connect
  deskwarden check --config deskwarden.yaml --format json

Without --connect nothing is opened but the files. With it, brokers, topics, transactions and
permissions are looked at; nothing is changed.
Exit codes: 0 all is right, 1 the brokers or topics are not, 64 configuration or rules are not.")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// Look at brokers and topics, too.
    #[arg(long)]
    connect: bool,
    /// How the result is shown.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What was looked at.
#[derive(Debug, Default, Serialize)]
struct Report {
    ok: bool,
    /// What is right.
    passed: Vec<String>,
    /// What is allowed, and worth knowing.
    notes: Vec<String>,
    /// What may be wrong.
    warnings: Vec<Fault>,
    /// What is wrong.
    faults: Vec<Fault>,
}

/// Checks, and reports.
///
/// # Errors
/// An output that cannot be written.
pub fn run(
    args: &Args,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Ending, CommandError> {
    let mut report = Report::default();
    let config = match checked(&args.config, &mut report) {
        Ok(config) => Some(config),
        Err(Faults(faults)) => {
            report.faults = faults;
            None
        }
    };
    let mut ending = Ending::Misconfigured;
    if let Some(config) = config {
        ending = Ending::Clean;
        if args.connect {
            connect::check(&config, &mut report);
            if !report.faults.is_empty() {
                ending = Ending::Refused;
            }
        }
    }
    report.ok = ending == Ending::Clean;
    show(&report, args.format, out, notes)?;
    Ok(ending)
}

/// Configuration and rules.
fn checked(args: &ConfigArgs, report: &mut Report) -> Result<Config, Faults> {
    let config = args.load(Needs::Run)?;
    let files: Vec<String> = args
        .files()
        .iter()
        .map(|f| f.display().to_string())
        .collect();
    let files = if files.is_empty() {
        "no file".to_owned()
    } else {
        files.join(", ")
    };
    let settings = config.shown().len();
    report
        .passed
        .push(format!("configuration: {settings} settings from {files}"));
    let texts = config.rule_texts()?;
    let (common, files) = texts.borrowed();
    let rules = rules::load(common, &files)
        .map_err(|faults| Faults(faults.into_iter().map(Fault::from).collect()))?;
    report.passed.push(format!(
        "rules: {} rules in {} files",
        rules.len(),
        files.len()
    ));
    topology(&config, &rules, report);
    let found = lint(&RuleSet::new(rules), &assumed(&config));
    let (warnings, faults): (Vec<Fault>, Vec<Fault>) = found
        .into_iter()
        .map(Fault::from)
        .partition(|fault| fault.warning);
    report.warnings = warnings;
    if faults.is_empty() {
        Ok(config)
    } else {
        Err(Faults(faults))
    }
}

/// The declared sources, with one that is always in time for evidence that none delivers: that its
/// rules are silent then is no fault of theirs.
fn assumed(config: &Config) -> Declared {
    let mut assumed = Declared::everything();
    let declared = config.declared().evidence.into_iter();
    assumed
        .evidence
        .extend(declared.filter(|(_, sources)| !sources.is_empty()));
    assumed
}

/// What follows from sources and rules together.
fn topology(config: &Config, rules: &[Rule], report: &mut Report) {
    let names: Vec<&str> = config
        .sources
        .iter()
        .map(|s| s.setup.name.as_str())
        .collect();
    if names.is_empty() {
        let note = "no source is configured: nothing is collected";
        report.notes.push(note.to_owned());
    } else {
        report.passed.push(format!("sources: {}", names.join(", ")));
    }
    if !config
        .sources
        .iter()
        .any(|source| source.setup.product.is_directory())
    {
        let note = "no source is a directory export: people are known only from \
                    `deskwarden directory import`";
        report.notes.push(note.to_owned());
    }
    for (name, evidence) in Evidence::ALL {
        let delivered = config
            .sources
            .iter()
            .any(|source| source.evidence.contains(&evidence));
        let waiting: Vec<&str> = rules
            .iter()
            .filter(|rule| rule.evidence == Some(evidence))
            .filter(|rule| matches!(rule.operator, Operator::Absence(_)))
            .map(|rule| rule.id.as_str())
            .collect();
        if !delivered && !waiting.is_empty() {
            let waiting = waiting.join(", ");
            let note = format!(
                "no source delivers `{name}`, so these rules are silent: {waiting}; a source that \
                 does lists it under `evidence`"
            );
            report.notes.push(note);
        }
    }
    let partitions = usize::try_from(config.kafka.partitions).unwrap_or(0);
    let workers = config.workers(Stage::Correlate);
    if workers > partitions {
        let note = format!(
            "correlate.workers is {workers}, but there are {partitions} partitions: the others idle"
        );
        report.notes.push(note);
    }
}

fn show(
    report: &Report,
    format: Format,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<(), CommandError> {
    if format == Format::Json {
        serde_json::to_writer_pretty(&mut *out, report).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(());
    }
    for line in &report.passed {
        writeln!(out, "ok: {line}")?;
    }
    for line in &report.notes {
        writeln!(out, "note: {line}")?;
    }
    out.flush()?;
    let colour = std::io::stderr().is_terminal();
    for fault in report.warnings.iter().chain(&report.faults) {
        writeln!(notes, "{}", fault.render(colour))?;
    }
    if let Some(count) = std::num::NonZero::new(report.faults.len()) {
        let s = if count.get() == 1 { "" } else { "s" };
        writeln!(notes, "{count} fault{s}")?;
    }
    Ok(())
}
