//! `deskwarden config show`: every setting with its value and where that was said.

use std::io::Write;

use clap::ValueEnum;

use crate::edge::commands::{CommandError, Ending};
use crate::edge::config::{ConfigArgs, Needs};

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden config show --config deskwarden.yaml
  deskwarden config show --config base.yaml --config site.yaml --format json

Secrets are shown as stars. What has no default and is not set is not a fault here.
Exit codes: 0 shown, 64 the configuration is wrong.")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// How it is shown.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// How a command shows what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Shows the configuration.
///
/// # Errors
/// A configuration that is wrong, an output that cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<Ending, CommandError> {
    let config = args.config.load(Needs::Nothing)?;
    let shown = config.shown();
    if args.format == Format::Json {
        serde_json::to_writer_pretty(&mut *out, shown).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(Ending::Clean);
    }
    let width = |of: fn(&crate::edge::config::Shown) -> &str, most: usize| {
        let widths = shown.iter().map(|line| of(line).chars().count());
        widths.max().unwrap_or(0).min(most)
    };
    let setting = width(|line| &line.setting, 60);
    let value = width(|line| &line.value, 40);
    for line in shown {
        writeln!(
            out,
            "{:setting$}  {:value$}  {}",
            line.setting, line.value, line.origin
        )?;
    }
    Ok(Ending::Clean)
}
