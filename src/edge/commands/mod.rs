//! The commands of the program: each reads its arguments, calls the stages and writes what they say.

use std::path::PathBuf;

use crate::correlate::rules::RuleFault;
use crate::edge::config::{Fault, Faults, SinkSetup};
use crate::edge::http::HttpError;
use crate::edge::log::LogError;

pub mod alert_text;
pub mod audit;
pub mod check;
pub mod cli;
pub mod config_show;
pub mod dead_letter;
pub mod deliver_test;
pub mod demo;
pub mod directory_import;
pub mod events_tail;
pub mod identity_resolve;
pub mod input;
pub mod local;
pub mod map_test;
pub mod replay;
pub mod run;
pub mod token;
pub mod topics;

/// How a command ended that could be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing was refused.
    Clean,
    /// Something in the input was refused; the output says what.
    Refused,
    /// The configuration is wrong; the output says where.
    Misconfigured,
    /// Replaced by another process, failed again and again, or not drained in time: start it again.
    HardStop,
}

impl Ending {
    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Refused => 1,
            Self::Misconfigured => 64,
            Self::HardStop => 75,
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
    /// A configuration that cannot be used.
    #[error(transparent)]
    Config(#[from] Faults),
    /// Brokers that are away or refuse.
    #[error("{doing}: {detail}\n  remedy: {remedy}")]
    Kafka {
        /// What was tried.
        doing: String,
        /// What the client said.
        detail: String,
        /// What to do about it.
        remedy: String,
    },
    /// An address that is not to be had.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Rule files that cannot be used.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Rules(Vec<RuleFault>),
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),
}

impl CommandError {
    /// A call of the log that failed while something was done.
    #[must_use]
    pub fn kafka(doing: impl Into<String>, error: &LogError) -> Self {
        Self::Kafka {
            doing: doing.into(),
            detail: error.detail.clone(),
            remedy: remedy(error).to_owned(),
        }
    }

    /// A sink that cannot be set up as it is configured.
    #[must_use]
    pub fn sink(setup: &SinkSetup, fault: &dyn std::fmt::Display) -> Self {
        let subject = format!("sinks.{}", setup.name);
        let fault = Fault::about(&subject, fault.to_string(), "correct what it names");
        Self::Config(Faults(vec![fault]))
    }

    /// The exit code.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Config(_) => Ending::Misconfigured.code(),
            Self::Rules(_) => Ending::Misconfigured.code(),
            Self::Http(fault) if fault.is_configuration() => Ending::Misconfigured.code(),
            Self::Kafka { .. } => 1,
            Self::Read { .. }
            | Self::Unpack { .. }
            | Self::Usage(_)
            | Self::NoAccounts { .. }
            | Self::Http(_)
            | Self::Output(_) => 2,
        }
    }

    /// The error for people, in colour for a terminal.
    #[must_use]
    pub fn report(&self, colour: bool) -> String {
        if let Self::Config(faults) = self {
            faults.render(colour)
        } else {
            format!("error: {self}\n")
        }
    }
}

/// What to do about an error of the client.
#[must_use]
pub fn remedy(error: &LogError) -> &'static str {
    let detail = error.detail.to_lowercase();
    let says = |signs: &[&str]| signs.iter().any(|sign| detail.contains(sign));
    if says(&["authoriz"]) {
        "grant this user what the message names, by the ACLs of the brokers"
    } else if says(&["authentication", "sasl"]) {
        "check security.protocol, sasl.mechanism, sasl.username and sasl.password in `kafka.properties`"
    } else if says(&["ssl", "certificate"]) {
        "check security.protocol and the ssl.* properties in `kafka.properties`"
    } else if says(&["unknown topic", "unknowntopic"]) {
        "run `deskwarden topics apply`; topics of sources are created by whoever fills them"
    } else {
        "check that the brokers run and that `kafka.brokers` names them as seen from this machine"
    }
}
