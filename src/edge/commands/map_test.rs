//! `deskwarden map test`: what becomes of every item of a file, one JSON line each.

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use crate::collect::map::{Mapped, Outcome, Tapes, map_record};
use crate::collect::record::Record;
use crate::collect::setup::{Product, SourceSetup};
use crate::collect::time::Timestamp;
use crate::edge::clock;
use crate::edge::commands::input::{Chunk, Input};
use crate::edge::commands::{CommandError, Ending};
use crate::edge::records::without_absent;

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden map test --source okta okta.jsonl
  deskwarden map test --source helpdesk --product servicenow incidents.json.gz
  zcat ctr.jsonl.gz | deskwarden map test --source amazon_connect -

The file holds one record a line, one array, or one document after the other. An event without a
time gets the modification time of the file; from standard input, the present.
Exit codes: 0 nothing was rejected, 1 something was, 2 the command could not be run as given.")]
pub struct Args {
    /// Name of the source; one of the products, unless --product says which.
    #[arg(long, value_name = "NAME")]
    source: String,
    /// The product, if the source is not named after it.
    #[arg(long, value_enum)]
    product: Option<ProductName>,
    /// The records; `-` is standard input. May be gzip.
    file: PathBuf,
}

/// Products with a mapper, as the command line writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum ProductName {
    Okta,
    Entra,
    GoogleWorkspace,
    Duo,
    #[value(name = "servicenow")]
    ServiceNow,
    AmazonConnect,
    Canonical,
}

impl From<ProductName> for Product {
    fn from(name: ProductName) -> Self {
        match name {
            ProductName::Okta => Self::Okta,
            ProductName::Entra => Self::Entra,
            ProductName::GoogleWorkspace => Self::GoogleWorkspace,
            ProductName::Duo => Self::Duo,
            ProductName::ServiceNow => Self::ServiceNow,
            ProductName::AmazonConnect => Self::AmazonConnect,
            ProductName::Canonical => Self::Canonical,
        }
    }
}

/// One line of the output.
#[derive(Serialize)]
struct Line<'o> {
    line: usize,
    item: u32,
    /// Place among the events of one item, where it became several.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<usize>,
    /// The vendor's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    native_id: Option<&'o str>,
    #[serde(flatten)]
    end: End<'o>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum End<'o> {
    Event(Value),
    Ignored(&'static str),
    Reject {
        reason: &'static str,
        detail: &'o str,
    },
}

/// Maps the file and writes a line for every item.
///
/// # Errors
/// A file that cannot be read, a source that is no product, an output that cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<Ending, CommandError> {
    let setup = SourceSetup::new(&args.source, product(args)?);
    let input = Input::read(&args.file)?;
    let mut tapes = Tapes::default();
    let mut ending = Ending::Clean;
    let mut items = 0;
    for chunk in input.chunks() {
        let before = if chunk.continues { items } else { 0 };
        items = before;
        for mut mapped in map_chunk(chunk, &setup, input.written, &mut tapes) {
            mapped.item += before;
            items = mapped.item + 1;
            if matches!(mapped.outcome, Outcome::Reject(_)) {
                ending = Ending::Refused;
            }
            write_mapped(chunk.record_line, &mapped, out)?;
        }
    }
    Ok(ending)
}

fn product(args: &Args) -> Result<Product, CommandError> {
    if args.source.is_empty() {
        let what = "--source is empty; name the source, such as `--source okta`";
        return Err(CommandError::Usage(what.to_owned()));
    }
    if let Some(product) = args.product {
        return Ok(product.into());
    }
    let named = ProductName::from_str(&args.source, false);
    named.map(Product::from).map_err(|_| {
        CommandError::Usage(format!(
            "--source `{}` is no product; add --product okta, entra, google_workspace, duo, servicenow, amazon_connect or canonical",
            args.source
        ))
    })
}

fn map_chunk(
    chunk: Chunk<'_>,
    setup: &SourceSetup,
    written: Timestamp,
    tapes: &mut Tapes,
) -> Vec<Mapped> {
    let mut record = Record {
        topic: &setup.name,
        partition: 0,
        offset: i64::try_from(chunk.record_line - 1).unwrap_or(i64::MAX),
        ingest_ts: written,
        value: chunk.bytes,
    };
    let mut mapped = Vec::new();
    map_record(&record, setup, tapes, &mut mapped);
    if mapped.iter().any(is_clamped) {
        // Events younger than their file: its time is that of a copy, not that of their arrival.
        record.ingest_ts = written.max(clock::now());
        mapped.clear();
        map_record(&record, setup, tapes, &mut mapped);
    }
    mapped
}

fn is_clamped(mapped: &Mapped) -> bool {
    match &mapped.outcome {
        Outcome::Events(events) => events.iter().any(|e| e.event.clock_clamped),
        Outcome::Ignored(_) | Outcome::Reject(_) => false,
    }
}

fn write_mapped(line: usize, mapped: &Mapped, out: &mut dyn Write) -> Result<(), CommandError> {
    let item = mapped.item;
    let mut write = |part, native_id, end| {
        let line = Line {
            line,
            item,
            part,
            native_id,
            end,
        };
        serde_json::to_writer(&mut *out, &line).map_err(std::io::Error::from)?;
        out.write_all(b"\n")
    };
    match &mapped.outcome {
        Outcome::Events(events) => {
            for (part, event) in events.iter().enumerate() {
                let part = (events.len() > 1).then_some(part);
                let json = serde_json::to_value(&event.event).map_err(std::io::Error::from)?;
                let end = End::Event(without_absent(json));
                write(part, event.native_id.as_deref(), end)?;
            }
        }
        Outcome::Ignored(reason) => write(None, None, End::Ignored(reason))?,
        Outcome::Reject(reject) => {
            let end = End::Reject {
                reason: reject.reason.as_str(),
                detail: &reject.detail,
            };
            write(None, None, end)?;
        }
    }
    Ok(())
}
