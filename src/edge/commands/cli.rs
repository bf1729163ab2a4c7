//! The command line: every command with its arguments, and which function runs it.

use std::io::Write;

use clap::{Parser, Subcommand};

use crate::edge::commands::{
    CommandError, Ending, audit, check, config_show, dead_letter, deliver_test, demo,
    directory_import, events_tail, identity_resolve, map_test, replay, run as daemon, token,
    topics,
};

const EXAMPLES: &str = "\
Examples:
  What it does, in a minute, without Kafka:
    deskwarden demo
  What would it have caught in last month's exports?
    deskwarden replay --source okta=okta.jsonl.gz --directory hris=hris.jsonl --format table
  Is a configuration right, and does it fit the brokers?
    deskwarden check --config deskwarden.yaml --connect
  What becomes of every record of an Okta export, one JSON line per item:
    deskwarden map test --source okta okta.jsonl.gz
  Who an address meant at a moment:
    deskwarden identity resolve --directory hris=hris.jsonl --directory okta=okta_users.json \\
      --at 2024-05-06T10:00:00Z email:dana.cole@example.com
  Who recovered whose account, and is that record of it intact?
    deskwarden audit show --config deskwarden.yaml --person E10005
    deskwarden audit verify --config deskwarden.yaml

Exit codes: 0 done, 1 something was refused or failed, 2 the command could not be run as given, 64
the configuration is wrong, 75 start it again (see `deskwarden run --help`).";

/// Detects help-desk account takeovers in ticketing, identity-provider and contact-centre events.
#[derive(Debug, Parser)]
#[command(name = "deskwarden", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon.
    Run(daemon::Args),
    /// See a day with three takeovers, without Kafka and set-up.
    Demo(demo::Args),
    /// Read files and tell what would have been caught, without Kafka.
    Replay(replay::Args),
    /// Check configuration and rules, and with --connect the brokers.
    Check(check::Args),
    /// Work with the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Work with the topics of Deskwarden.
    #[command(subcommand)]
    Topics(TopicsCommand),
    /// Ask the audit trail who recovered whose account, and whether it is intact.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Work with the events topic.
    #[command(subcommand)]
    Events(EventsCommand),
    /// Work with records that could not be used.
    #[command(subcommand)]
    DeadLetter(DeadLetterCommand),
    /// Work with the directory topic.
    #[command(subcommand)]
    Directory(DirectoryCommand),
    /// Work with the receivers of alerts.
    #[command(subcommand)]
    Deliver(DeliverCommand),
    /// Work with the mapping of source records to events.
    #[command(subcommand)]
    Map(MapCommand),
    /// Work with the directory of persons.
    #[command(subcommand)]
    Identity(IdentityCommand),
    /// Work with the tokens of the HTTP side.
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Show every setting with its value and where that was said.
    Show(config_show::Args),
}

#[derive(Debug, Subcommand)]
enum TopicsCommand {
    /// Create and verify the topics, and declare the sources.
    Apply(topics::Args),
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Find what was removed, changed, inserted or moved in the audit topic, or in an export.
    Verify(audit::verify::Args),
    /// Write the records of a time into a file, as NDJSON or CSV.
    Export(audit::export::Args),
    /// Show what was done to a person, by an agent or for a ticket.
    Show(audit::show::Args),
}

#[derive(Debug, Subcommand)]
enum EventsCommand {
    /// Print the entries of the events topic as JSON, one a line.
    Tail(events_tail::Args),
}

#[derive(Debug, Subcommand)]
enum DeadLetterCommand {
    /// Show which there are, and why.
    List(dead_letter::ListArgs),
    /// Feed them in again, once their cause is mended.
    Replay(dead_letter::ReplayArgs),
}

#[derive(Debug, Subcommand)]
enum DirectoryCommand {
    /// Write the accounts of exports into the directory topic.
    Import(directory_import::Args),
}

#[derive(Debug, Subcommand)]
enum DeliverCommand {
    /// Send a marked test to one sink and show what came back.
    Test(deliver_test::Args),
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

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token, and print what to put into the configuration.
    New(token::Args),
}

/// Runs the command that the command line names.
///
/// # Errors
/// Whatever keeps it from being run as given.
pub fn run(cli: &Cli, out: &mut dyn Write, notes: &mut dyn Write) -> Result<Ending, CommandError> {
    match &cli.command {
        Command::Run(args) => daemon::run(args),
        Command::Demo(args) => demo::run(args, out, notes),
        Command::Replay(args) => replay::run(args, out, notes),
        Command::Check(args) => check::run(args, out, notes),
        Command::Config(ConfigCommand::Show(args)) => config_show::run(args, out),
        Command::Topics(TopicsCommand::Apply(args)) => topics::run(args, out, notes),
        Command::Audit(AuditCommand::Verify(args)) => audit::verify::run(args, out),
        Command::Audit(AuditCommand::Export(args)) => audit::export::run(args, out, notes),
        Command::Audit(AuditCommand::Show(args)) => audit::show::run(args, out, notes),
        Command::Events(EventsCommand::Tail(args)) => events_tail::run(args, out, notes),
        Command::DeadLetter(DeadLetterCommand::List(args)) => dead_letter::list(args, out, notes),
        Command::DeadLetter(DeadLetterCommand::Replay(args)) => {
            dead_letter::replay(args, out, notes)
        }
        Command::Directory(DirectoryCommand::Import(args)) => {
            directory_import::run(args, out, notes)
        }
        Command::Deliver(DeliverCommand::Test(args)) => deliver_test::run(args, out),
        Command::Map(MapCommand::Test(args)) => map_test::run(args, out),
        Command::Identity(IdentityCommand::Resolve(args)) => {
            identity_resolve::run(args, out, notes)
        }
        Command::Token(TokenCommand::New(args)) => token::run(args, out, notes),
    }
}
