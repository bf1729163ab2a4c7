//! The program: reads the command line, runs one command, turns its end into an exit code.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use deskwarden::edge::commands::{CommandError, Ending, identity_resolve, map_test};

const EXAMPLES: &str = "\
Examples:
  What becomes of every record of an Okta export, one JSON line per item:
    deskwarden map test --source okta okta.jsonl.gz
  Who an address meant at a moment:
    deskwarden identity resolve --directory hris=hris.jsonl --directory okta=okta_users.json \\
      --at 2024-05-06T10:00:00Z email:dana.cole@example.com

Exit codes: 0 done, 1 something in the input was refused, 2 the command could not be run as given.";

/// Detects help-desk account takeovers in ticketing, identity-provider and contact-centre events.
#[derive(Debug, Parser)]
#[command(name = "deskwarden", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Work with the mapping of source records to events.
    #[command(subcommand)]
    Map(MapCommand),
    /// Work with the directory of persons.
    #[command(subcommand)]
    Identity(IdentityCommand),
}

#[derive(Debug, Subcommand)]
enum MapCommand {
    /// Map the records of a file and print one JSON line per item.
    Test(map_test::Args),
}

#[derive(Debug, Subcommand)]
enum IdentityCommand {
    /// Tell which person names meant at a moment, as JSON.
    Resolve(identity_resolve::Args),
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(ending) => ExitCode::from(ending.code()),
        Err(fault) => {
            // Where even standard error is closed, the exit code is all that can be said.
            let _ = writeln!(std::io::stderr(), "error: {fault:#}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<Ending> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut notes = std::io::stderr();
    let ending = match &cli.command {
        Command::Map(MapCommand::Test(args)) => map_test::run(args, &mut out),
        Command::Identity(IdentityCommand::Resolve(args)) => {
            identity_resolve::run(args, &mut out, &mut notes)
        }
    };
    let ending = ending.and_then(|ending| {
        out.flush()?;
        Ok(ending)
    });
    match ending {
        // The reader had enough, as in `| head`.
        Err(CommandError::Output(fault)) if fault.kind() == std::io::ErrorKind::BrokenPipe => {
            Ok(Ending::Clean)
        }
        other => Ok(other?),
    }
}
