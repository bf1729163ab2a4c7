//! `deskwarden identity resolve`: who names meant at a moment, as the directory exports tell it.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::collect::directory::{AccountRecord, ExportSetup, read_item};
use crate::collect::identity::{MemoryDirectory, Question, Settings, resolve_query};
use crate::collect::map::Tapes;
use crate::collect::parse::{Tape, parse};
use crate::collect::reject::Reject;
use crate::collect::time::{Timestamp, parse_time};
use crate::collect::unwrap::unwrap;
use crate::edge::commands::input::Input;
use crate::edge::commands::{CommandError, Ending};

/// Most items of one file whose fault is told one by one.
const FAULTS_TOLD: usize = 20;

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden identity resolve --directory hris=hris.jsonl --at 2024-05-06T10:00:00Z \\
    email:dana.cole@example.com
  deskwarden identity resolve --directory hris=hris.jsonl --directory okta=users.json.gz \\
    --at 2024-05-06T10:00:00Z --default-region US 'phone:(415) 555-0102' employee_id:E10005
  deskwarden identity resolve --directory hris=hris.jsonl --queries queries.jsonl

A line of a queries file: {\"q\":[\"email:a@example.com\"],\"at\":\"2024-05-06T10:00:00Z\"}, and
\"default_region\":\"US\" where wanted. Every line gets a line of answer.
Exit codes: 0 answered, whatever the answer; 1 a line of the queries is no question; 2 the command
could not be run as given.")]
pub struct Args {
    /// An export of a system; as often as there are exports.
    #[arg(long, value_name = "SYSTEM=FILE", required = true, value_parser = export_named)]
    directory: Vec<Export>,
    /// The moment at which the names were used, such as 2024-05-06T10:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment_named, required_unless_present = "queries")]
    at: Option<Timestamp>,
    /// Questions, one a line; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["at", "names"])]
    queries: Option<PathBuf>,
    /// Country in which numbers without country code are read, such as US.
    #[arg(long, value_name = "REGION", value_parser = region_named)]
    default_region: Option<String>,
    /// A mail domain of the organisation: there, `+tag` may be left out.
    #[arg(long, value_name = "DOMAIN")]
    own_domain: Vec<String>,
    /// Names of one person, such as email:dana.cole@example.com or phone:+14155550102.
    #[arg(value_name = "KIND:VALUE", required_unless_present = "queries")]
    names: Vec<String>,
}

/// The systems whose exports make up the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum System {
    Hris,
    Okta,
    Entra,
    #[value(name = "servicenow")]
    ServiceNow,
    Zendesk,
    Jira,
    ContactCentre,
}

impl System {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Hris => "hris",
            Self::Okta => "okta",
            Self::Entra => "entra",
            Self::ServiceNow => "servicenow",
            Self::Zendesk => "zendesk",
            Self::Jira => "jira",
            Self::ContactCentre => "contact_centre",
        }
    }
}

/// A file and the system it comes from.
#[derive(Debug, Clone)]
pub(super) struct Export {
    pub(super) system: System,
    pub(super) path: PathBuf,
}

/// `SYSTEM=FILE` of a command line.
pub(super) fn export_named(text: &str) -> Result<Export, String> {
    let systems = "hris, okta, entra, servicenow, zendesk, jira, contact_centre";
    let (system, path) = text
        .split_once('=')
        .filter(|(_, path)| !path.is_empty())
        .ok_or_else(|| "write SYSTEM=FILE, such as `hris=hris.jsonl`".to_owned())?;
    let system = System::from_str(system, false)
        .map_err(|_| format!("`{system}` is no directory system; there are {systems}"))?;
    Ok(Export {
        system,
        path: path.into(),
    })
}

fn moment_named(text: &str) -> Result<Timestamp, String> {
    let moment = parse_time(text).map(|(moment, _)| moment);
    moment.ok_or_else(|| "not a time; write it as 2024-05-06T10:00:00Z".to_owned())
}

fn region_named(text: &str) -> Result<String, String> {
    let is_region = text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
    let region = is_region.then(|| text.to_ascii_uppercase());
    region.ok_or_else(|| "not a country code of two letters, such as US or GB".to_owned())
}

/// Reads the exports, answers the question or the lines of the queries file.
///
/// # Errors
/// A file that cannot be read or holds no account, a name of an unknown kind, an output that cannot
/// be written.
pub fn run(
    args: &Args,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Ending, CommandError> {
    let mut settings = Settings::default();
    settings
        .names
        .default_region
        .clone_from(&args.default_region);
    let domains = args.own_domain.iter();
    settings.names.own_domains = domains.map(|d| d.to_lowercase()).collect();
    let question = match (&args.queries, args.at) {
        (None, Some(at)) => Some(question(&args.names, at)?),
        _ => None,
    };
    let mut records = Vec::new();
    for export in &args.directory {
        read_export(export, &settings, &mut records, notes)?;
    }
    let directory = MemoryDirectory::new(records, &settings.roots);
    if let Some(question) = question {
        answer(&question, &directory, &settings, out)?;
        return Ok(Ending::Clean);
    }
    let path = args.queries.as_deref().unwrap_or_else(|| Path::new("-"));
    answer_file(path, &directory, &settings, out, notes)
}

fn question(names: &[String], at: Timestamp) -> Result<Question, CommandError> {
    for name in names {
        Question::new([name.as_str()], at)
            .map_err(|reject| CommandError::Usage(format!("`{name}`: {}", reject.detail)))?;
    }
    Question::new(names.iter().map(String::as_str), at)
        .map_err(|reject| CommandError::Usage(reject.detail))
}

/// Reads the accounts of an export; what is none is told.
pub(super) fn read_export(
    export: &Export,
    settings: &Settings,
    records: &mut Vec<AccountRecord>,
    notes: &mut dyn Write,
) -> Result<(), CommandError> {
    let input = Input::read(&export.path)?;
    let setup = ExportSetup {
        issuer: None,
        names: settings.names.clone(),
        read_at: input.written,
    };
    let system = export.system.as_str();
    let mut tapes = Tapes::default();
    let mut faults: Vec<(usize, Reject)> = Vec::new();
    let (mut items, before) = (0, records.len());
    for chunk in input.chunks() {
        unwrap(chunk.bytes, &mut tapes, &mut |item| {
            items += 1;
            match item
                .value
                .and_then(|value| read_item(system, value, &setup))
            {
                Ok(record) => records.push(record),
                Err(reject) => faults.push((chunk.line, reject)),
            }
        });
    }
    let path = export.path.display();
    for (line, reject) in faults.iter().take(FAULTS_TOLD) {
        writeln!(
            notes,
            "warning: {path}:{line}: left out: {reject}; correct the line or the system `{system}`"
        )?;
    }
    if let Some(more) = faults.len().checked_sub(FAULTS_TOLD).filter(|n| *n > 0) {
        writeln!(notes, "warning: {path}: {more} more items left out")?;
    }
    if items == 0 {
        writeln!(
            notes,
            "warning: {path}: empty, nobody is known from `{system}`"
        )?;
    } else if records.len() == before {
        return Err(CommandError::NoAccounts {
            path: export.path.clone(),
            system,
            items,
        });
    }
    Ok(())
}

fn answer(
    question: &Question,
    directory: &MemoryDirectory,
    settings: &Settings,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let answer = resolve_query(question, directory, settings);
    serde_json::to_writer(&mut *out, &answer).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// Answers line for line: a line that is no question gets an answer that says so.
fn answer_file(
    path: &Path,
    directory: &MemoryDirectory,
    settings: &Settings,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Ending, CommandError> {
    let input = Input::read(path)?;
    let mut tape = Tape::default();
    let mut ending = Ending::Clean;
    for chunk in input.chunks() {
        match parse(&mut tape, chunk.bytes).and_then(Question::read) {
            Ok(question) => answer(&question, directory, settings, out)?,
            Err(reject) => {
                ending = Ending::Refused;
                let (path, line) = (path.display(), chunk.line);
                let fault = serde_json::json!({"line": line, "error": reject.to_string()});
                writeln!(out, "{fault}")?;
                writeln!(
                    notes,
                    "error: {path}:{line}: {reject}; write {{\"q\":[\"kind:value\"],\"at\":\"TIME\"}}"
                )?;
            }
        }
    }
    Ok(ending)
}
