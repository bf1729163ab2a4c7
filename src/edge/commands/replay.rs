//! `deskwarden replay`: both stages over files, without any broker: what would have been caught.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::collect::map::{Tapes, map_record};
use crate::collect::record::Record;
use crate::collect::setup::{Product, SourceSetup};
use crate::collect::text::Lexicon;
use crate::collect::time::{HOUR_MS, SECOND_MS, Timestamp};
use crate::correlate::rules::RuleSet;
use crate::correlate::rules::rule::Evidence;
use crate::edge::clock::monotonic;
use crate::edge::commands::identity_resolve::{Export, export_named, read_export};
use crate::edge::commands::input::Input;
use crate::edge::commands::local::{Local, LocalSource};
use crate::edge::commands::{CommandError, Ending, alert_text};
use crate::edge::config::{Config, ConfigArgs, Needs, product_named, usual};
use crate::edge::log::OwnedRecord;

mod order;

use order::{Contacts, Fed, Found, in_order};

/// Records between two looks at the clock of the story.
const BATCH_RECORDS: usize = 500;
/// Records of one batch lie within so much time.
const BATCH_MS: i64 = 5 * SECOND_MS;
/// After the last record every deadline is over, and no case is closed for being quiet yet.
const AFTER_MS: i64 = 3 * HOUR_MS;

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden replay --source okta=okta.jsonl.gz --source servicenow=incidents.json \\
    --source amazon_connect=ctr.jsonl --directory hris=hris.jsonl --format table
  deskwarden replay --config deskwarden.yaml --source helpdesk=incidents.json --format timeline
  zcat okta.jsonl.gz | deskwarden replay --source okta=- --directory hris=hris.jsonl

A source is named after its product, or, with --config, as it is configured there: then its own fields
and the evidence it delivers hold. Files hold one record a line, one array, or one document after the
other; they are merged by time. People are resolved with the directory as it is now. Alerts go to
standard output, the summary to standard error.
Exit codes: 0 everything was read, whatever was found; 1 some record was rejected; 2 the command could
not be run as given; 64 the configuration is wrong.")]
pub struct Args {
    /// Records of a source; as often as there are files.
    #[arg(long, value_name = "NAME=FILE", required = true, value_parser = source_named)]
    source: Vec<(String, PathBuf)>,
    /// An export of a system: hris, okta, entra, servicenow, zendesk, jira, contact_centre.
    #[arg(long, value_name = "SYSTEM=FILE", value_parser = export_named)]
    directory: Vec<Export>,
    #[command(flatten)]
    config: ConfigArgs,
    /// How alerts are printed.
    #[arg(long, value_enum, default_value_t = Format::Ocsf)]
    format: Format,
    /// Every revision of an alert, not only the last.
    #[arg(long)]
    all_revisions: bool,
}

/// How alerts are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// OCSF Detection Findings, one a line.
    Ocsf,
    /// One row for each alert.
    Table,
    /// Each alert with what happened, in order.
    Timeline,
}

fn source_named(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text
        .split_once('=')
        .filter(|(name, path)| !name.is_empty() && !path.is_empty())
        .ok_or_else(|| "write NAME=FILE, such as `okta=okta.jsonl`".to_owned())?;
    Ok((name.to_owned(), path.into()))
}

/// What the summary says.
#[derive(Default)]
struct Summary {
    records: usize,
    events: usize,
    ignored: BTreeMap<(String, &'static str), usize>,
    rejected: BTreeMap<(String, &'static str), usize>,
}

/// Replays.
///
/// # Errors
/// A file that cannot be read, a source that is no product, an output that cannot be written.
pub fn run(
    args: &Args,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Ending, CommandError> {
    let config = args.config.load(Needs::Nothing)?;
    let sources = sources(args, &config)?;
    let fed = read(args, &sources)?;
    let mut settings = config.identity_settings();
    if settings.key.is_empty() {
        // Nothing leaves this process that another one would have to match.
        settings.key = b"deskwarden replay".to_vec().into();
    }
    let texts = config.rule_texts()?;
    let (common, files) = texts.borrowed();
    let rules = crate::correlate::rules::load(common, &files).map_err(CommandError::Rules)?;
    let mut accounts = Vec::new();
    for export in &args.directory {
        read_export(export, &settings, &mut accounts, notes)?;
    }
    if args.directory.is_empty() {
        writeln!(
            notes,
            "note: without --directory nobody's accounts are joined"
        )?;
    }
    let start = fed.first().map_or(Timestamp(0), |first| first.time);
    let lexicon = Lexicon::embedded().map_err(|e| CommandError::Usage(e.to_string()))?;
    let tools = (settings, Arc::new(lexicon));
    let mut local = Local::new(
        &config.tenant,
        Arc::new(RuleSet::new(rules)),
        sources.clone(),
        tools,
        start,
    )
    .map_err(|e| CommandError::Usage(e.to_string()))?;
    // The directory is the present one, whatever the moment: no record of it is too new.
    for account in &accounts {
        local
            .account(account)
            .map_err(|e| CommandError::Usage(e.to_string()))?;
    }
    let began = monotonic();
    let (alerts, summary) = play(&mut local, &sources, fed)?;
    let seconds = began.elapsed().as_secs_f64();
    let shown = if args.all_revisions {
        alerts
    } else {
        newest(alerts)
    };
    print(args.format, &shown, out)?;
    tell(&summary, &shown, seconds, notes)?;
    Ok(if summary.rejected.is_empty() {
        Ending::Clean
    } else {
        Ending::Refused
    })
}

fn sources(args: &Args, config: &Config) -> Result<Vec<LocalSource>, CommandError> {
    let mut sources: Vec<LocalSource> = Vec::new();
    for (name, _) in &args.source {
        if sources.iter().any(|s| s.source.setup.name == *name) {
            continue;
        }
        let configured = config.sources.iter().find(|s| s.setup.name == *name);
        if let Some(configured) = configured {
            let mut local = LocalSource::new(configured.setup.clone(), configured.evidence.clone());
            local.source.domains.clone_from(&configured.domains);
            local.lateness_ms = configured.lateness_ms;
            sources.push(local);
            continue;
        }
        let (product, evidence) = product(name)?;
        let mut setup = SourceSetup::new(name, product);
        setup.keep_unread = false;
        sources.push(LocalSource::new(setup, evidence));
    }
    Ok(sources)
}

/// A product by its name. An export of one holds all that it can tell: who called back is among the
/// contacts, and a canonical event may be evidence of anything.
fn product(name: &str) -> Result<(Product, Vec<Evidence>), CommandError> {
    let named = product_named(name).filter(|product| !product.is_directory());
    let product = named.ok_or_else(|| {
        CommandError::Usage(format!(
            "`{name}` is no product (okta, entra, google_workspace, duo, servicenow, amazon_connect, \
             canonical) and, without --config, no configured source"
        ))
    })?;
    let evidence = if product == Product::Canonical {
        Evidence::ALL.iter().map(|(_, one)| *one).collect()
    } else {
        let usual = usual(product).evidence.iter().copied();
        let calls_back = product == Product::AmazonConnect;
        usual
            .chain(calls_back.then_some(Evidence::Callback))
            .collect()
    };
    Ok((product, evidence))
}

/// Reads the files and puts their records in order of time.
fn read(args: &Args, sources: &[LocalSource]) -> Result<Vec<Fed>, CommandError> {
    let mut found = Vec::new();
    let mut contacts = Contacts::default();
    let mut tapes = Tapes::default();
    let mut mapped = Vec::new();
    for (file, (name, path)) in args.source.iter().enumerate() {
        let input = Input::read(path)?;
        let of_name = |s: &LocalSource| s.source.setup.name == *name;
        let Some(source) = sources.iter().position(of_name) else {
            continue;
        };
        let Some(setup) = sources.get(source).map(|s| &s.source.setup) else {
            continue;
        };
        for chunk in input.chunks() {
            let record = Record {
                topic: name,
                partition: 0,
                offset: 0,
                ingest_ts: input.written,
                value: chunk.bytes,
            };
            mapped.clear();
            map_record(&record, setup, &mut tapes, &mut mapped);
            found.push(Found {
                source,
                file,
                written: input.written,
                place: contacts.place(&mapped),
                bytes: chunk.bytes.to_vec(),
            });
        }
    }
    Ok(in_order(found, &contacts))
}

fn play(
    local: &mut Local,
    sources: &[LocalSource],
    fed: Vec<Fed>,
) -> Result<(Vec<OwnedRecord>, Summary), CommandError> {
    let progress = progress(fed.len());
    let mut alerts = Vec::new();
    let mut summary = Summary {
        records: fed.len(),
        ..Summary::default()
    };
    let broken = |e: &dyn std::fmt::Display| CommandError::Usage(e.to_string());
    let mut in_batch = 0;
    let mut begins = local.now();
    for record in fed {
        if record.time.since(begins) > BATCH_MS || in_batch >= BATCH_RECORDS {
            local.work().map_err(|e| broken(&e))?;
            alerts.extend(local.take_alerts());
            progress.inc(u64::try_from(in_batch).unwrap_or(0));
            in_batch = 0;
            begins = record.time;
        }
        local.pass(record.time).map_err(|e| broken(&e))?;
        if let Some(source) = sources.get(record.source) {
            let name = &source.source.setup.name;
            local.feed(name, &record.bytes).map_err(|e| broken(&e))?;
        }
        in_batch += 1;
    }
    local.work().map_err(|e| broken(&e))?;
    let end = local.now().plus(AFTER_MS);
    local.pass(end).map_err(|e| broken(&e))?;
    local.work().map_err(|e| broken(&e))?;
    alerts.extend(local.take_alerts());
    progress.finish_and_clear();
    let counts = local.take_counts();
    summary.events = counts.events.values().sum();
    summary.ignored = counts.ignored;
    summary.rejected = counts.rejected;
    Ok((alerts, summary))
}

/// A bar on a terminal; nothing elsewhere.
fn progress(records: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(records).unwrap_or(u64::MAX));
    let style = "{bar:40} {pos}/{len} records, {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

/// The last revision of each alert, in order of its first.
fn newest(alerts: Vec<OwnedRecord>) -> Vec<OwnedRecord> {
    let mut order: Vec<Vec<u8>> = Vec::new();
    let mut newest: BTreeMap<Vec<u8>, OwnedRecord> = BTreeMap::new();
    for alert in alerts {
        let key = alert.key.clone().unwrap_or_default();
        if newest.insert(key.clone(), alert).is_none() {
            order.push(key);
        }
    }
    order.iter().filter_map(|key| newest.remove(key)).collect()
}

fn print(format: Format, alerts: &[OwnedRecord], out: &mut dyn Write) -> Result<(), CommandError> {
    let documents = alerts.iter().filter_map(|alert| alert.value.as_deref());
    match format {
        Format::Ocsf => {
            for document in documents {
                out.write_all(document)?;
                out.write_all(b"\n")?;
            }
        }
        Format::Table | Format::Timeline => {
            let parsed: Vec<Value> = documents
                .filter_map(|d| serde_json::from_slice(d).ok())
                .collect();
            if format == Format::Table {
                out.write_all(alert_text::table(&parsed).as_bytes())?;
            } else {
                for alert in &parsed {
                    out.write_all(alert_text::timeline(alert).as_bytes())?;
                }
            }
        }
    }
    Ok(())
}

fn tell(
    summary: &Summary,
    alerts: &[OwnedRecord],
    seconds: f64,
    notes: &mut dyn Write,
) -> Result<(), CommandError> {
    let rate = f64::from(u32::try_from(summary.events).unwrap_or(u32::MAX)) / seconds.max(0.001);
    writeln!(
        notes,
        "{} records, {} events, {:.1} s, {:.0} events/s",
        summary.records, summary.events, seconds, rate
    )?;
    for (what, counts) in [
        ("ignored", &summary.ignored),
        ("rejected", &summary.rejected),
    ] {
        for ((source, reason), count) in counts {
            writeln!(notes, "{what}: {count} of {source}: {reason}")?;
        }
    }
    let ids: BTreeSet<&Option<Vec<u8>>> = alerts.iter().map(|alert| &alert.key).collect();
    let mut patterns: BTreeMap<String, usize> = BTreeMap::new();
    for alert in newest(alerts.to_vec()) {
        let document: Option<Value> = alert
            .value
            .as_deref()
            .and_then(|d| serde_json::from_slice(d).ok());
        for pattern in document.iter().flat_map(alert_text::patterns) {
            *patterns.entry(pattern).or_default() += 1;
        }
    }
    writeln!(notes, "{} alerts", ids.len())?;
    for (pattern, count) in patterns {
        writeln!(notes, "  {pattern}: {count}")?;
    }
    Ok(())
}
