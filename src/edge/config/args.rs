//! The part of a command line that names the configuration.

use std::path::PathBuf;

use super::{Config, Faults, Given, Needs, environment};

/// Files and settings, as every command that has a configuration takes them.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ConfigArgs {
    /// A configuration file; a later one wins over an earlier one.
    #[arg(long = "config", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One setting, such as kafka.partitions=8; it wins over files and environment.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

impl ConfigArgs {
    /// The configuration of these files and settings, and of the environment.
    ///
    /// # Errors
    /// Every fault of it.
    pub fn load(&self, needs: Needs) -> Result<Config, Faults> {
        let given = Given {
            files: self.files.clone(),
            environment: environment(),
            settings: self.settings.clone(),
        };
        Config::load(&given, needs)
    }

    /// The files, in the order in which they were named.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}
