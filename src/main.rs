//! The program: reads the command line, runs one command, turns its end into an exit code.

use std::io::{BufWriter, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use deskwarden::edge::commands::{CommandError, Ending, cli};

// Entities are made of many small strings: with the system's allocator half of the time goes there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(&cli::Cli::parse()) {
        Ok(ending) => ExitCode::from(ending.code()),
        // The reader had enough, as in `| head`.
        Err(CommandError::Output(fault)) if fault.kind() == ErrorKind::BrokenPipe => {
            ExitCode::from(Ending::Clean.code())
        }
        Err(fault) => {
            let colour = std::io::stderr().is_terminal();
            // Where even standard error is closed, the exit code is all that can be said.
            let _ = write!(std::io::stderr(), "{}", fault.report(colour));
            ExitCode::from(fault.code())
        }
    }
}

fn run(cli: &cli::Cli) -> Result<Ending, CommandError> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let ending = cli::run(cli, &mut out, &mut std::io::stderr())?;
    out.flush()?;
    Ok(ending)
}
