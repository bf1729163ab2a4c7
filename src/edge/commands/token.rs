//! `deskwarden token new`: a random token, and the lines of the configuration that let it in.

use std::io::Write;

use crate::edge::commands::{CommandError, Ending};
use crate::edge::http::{Access, BEARER_CHARS_MAX, TOKEN_PREFIX, is_bearer, token_hash};

/// 256 bits: nobody guesses one, so its hash needs no salt.
const TOKEN_BYTES: usize = 32;

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden token new --name anna --role analyst

The token goes to standard output, the lines for the configuration to standard error. The token is not
kept anywhere: give it to its bearer, and make a new one when it is lost. Taking its lines out of the
configuration and starting anew ends it.")]
pub struct Args {
    /// Whose it is: stands in the records of what its bearer decides.
    #[arg(long, value_parser = bearer)]
    name: String,
    /// What its bearer may do.
    #[arg(long, value_enum)]
    role: Access,
}

fn bearer(name: &str) -> Result<String, String> {
    is_bearer(name).then(|| name.to_owned()).ok_or_else(|| {
        format!("write at most {BEARER_CHARS_MAX} letters, digits, `.`, `_`, `-` and `@`")
    })
}

/// Makes one.
///
/// # Errors
/// A system without random numbers, an output that cannot be written.
pub fn run(
    args: &Args,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<Ending, CommandError> {
    let mut random = [0; TOKEN_BYTES];
    getrandom::fill(&mut random).map_err(std::io::Error::from)?;
    let token = format!("{TOKEN_PREFIX}{}", hex::encode(random));
    writeln!(out, "{token}")?;
    out.flush()?;
    let (name, role) = (&args.name, args.role.as_str());
    let hash = hex::encode(token_hash(&token));
    writeln!(
        notes,
        "# Shown this once. Into the configuration goes its hash only:\n\
         http:\n  tokens:\n    {name}:\n      role: {role}\n      sha256: {hash}"
    )?;
    Ok(Ending::Clean)
}
