//! The commands of the program: each reads its arguments, calls the stages and writes what they say.

use std::path::PathBuf;

pub mod identity_resolve;
pub mod input;
pub mod map_test;

/// How a command ended that could be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing was refused.
    Clean,
    /// Something in the input was refused; the output says what.
    Refused,
}

impl Ending {
    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Refused => 1,
        }
    }
}

/// Why a command could not be run. Every message names the place and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A file that cannot be read.
    #[error(
        "cannot read {path}: {cause}; check the path and its permissions (`-` is standard input)"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A file that ends or breaks off within its compression.
    #[error("cannot unpack {path}: {cause}; the gzip data is broken, fetch the file again")]
    Unpack {
        /// The file.
        path: PathBuf,
        /// What is broken.
        cause: std::io::Error,
    },
    /// Arguments that do not fit each other.
    #[error("{0}\n\nFor more information, try '--help'.")]
    Usage(String),
    /// A directory file in which nothing is an account.
    #[error(
        "{path}: no account in it ({items} items); is it the JSON export of `{system}`? \
         The systems are hris, okta, entra, servicenow, zendesk, jira, contact_centre"
    )]
    NoAccounts {
        /// The file.
        path: PathBuf,
        /// The system it was given for.
        system: &'static str,
        /// Items found.
        items: usize,
    },
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),
}
