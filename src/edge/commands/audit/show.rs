//! `deskwarden audit show`: who recovered whose account, as a timeline.

use std::io::{IsTerminal, Write};

use crate::deliver::audit::timeline::{Tone, timeline};
use crate::edge::commands::audit::{AuditTopic, Selection, unreadable};
use crate::edge::commands::{CommandError, Ending};
use crate::edge::config::{ConfigArgs, Needs};
use crate::edge::telemetry::shown;

/// Longest line that is shown: many times what a record of honest sources gives.
const LINE_BYTES_MAX: usize = 4_096;

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(
    group(clap::ArgGroup::new("whom").args(["person", "agent", "ticket"]).required(true).multiple(true)),
    after_help = "\
Examples:
  deskwarden audit show --config deskwarden.yaml --person E10005
  deskwarden audit show --config deskwarden.yaml --agent E10017 --from 2024-05-01 --to 2024-05-31
  deskwarden audit show --config deskwarden.yaml --ticket INC0010001

A line for each action, by event time; under a recovery by the desk its controls, as they were decided
last: present, missing, not due, or not to be seen because no source delivers their evidence. Versions
that later evidence superseded stand below. `deskwarden identity resolve` tells the id of a person.
Exit codes: 0 shown, 1 the brokers are away, or a record is no audit record, 2 not as given, 64 the
configuration is wrong."
)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    selection: Selection,
}

/// Shows the timeline.
///
/// # Errors
/// A configuration that is wrong, brokers that are away, an output that cannot be written.
pub fn run(
    args: &Args,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Ending, CommandError> {
    let question = args.selection.question()?;
    let config = args.config.load(Needs::Brokers)?;
    let answer = AuditTopic::connect(&config)?.ask(&question, false)?;
    let records: Vec<_> = answer
        .records
        .into_iter()
        .map(|(placed, _)| placed)
        .collect();
    let is_coloured = std::io::stdout().is_terminal();
    for line in timeline(&records) {
        // Ticket numbers and names were written by whoever wrote the ticket.
        let text = shown(&line.text, LINE_BYTES_MAX);
        match colour(line.tone).filter(|_| is_coloured) {
            Some(colour) => writeln!(out, "\x1b[{colour}m{text}\x1b[0m")?,
            None => writeln!(out, "{text}")?,
        }
    }
    if records.is_empty() {
        writeln!(
            notes,
            "no record of this; the ids are those of `deskwarden identity resolve`"
        )?;
    }
    if answer.unreadable > 0 {
        writeln!(notes, "{}", unreadable(answer.unreadable))?;
        return Ok(Ending::Refused);
    }
    Ok(Ending::Clean)
}

const fn colour(tone: Tone) -> Option<&'static str> {
    match tone {
        Tone::Action => None,
        Tone::Settled => Some("32"),
        Tone::Missing => Some("31"),
        Tone::Faint => Some("2"),
    }
}
