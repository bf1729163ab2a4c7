//! Configuration: defaults, files, environment and command line, read once and checked completely.
//!
//! [`Config::load`] opens nothing but the files it is given. Whatever is wrong is told in one go,
//! each fault with its place and its remedy; a [`Config`] that exists is right.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::collect::identity;
use crate::collect::setup::SourceSetup;
use crate::collect::words::Domain;
use crate::correlate::rules::rule::Evidence;

mod args;
mod check;
mod egress;
mod fault;
mod file;
mod http;
mod kafka;
mod layer;
mod node;
mod oidc;
mod read;
mod rules;
mod secret;
mod show;
mod sink;
mod source;
mod stage;
mod units;
mod yaml;

pub use args::ConfigArgs;
pub use egress::Egress;
pub use fault::{Fault, Faults};
pub use http::Http;
pub use kafka::Kafka;
pub use layer::{DEFAULTS, Given};
pub use rules::RuleTexts;
pub use secret::Secret;
pub use show::Shown;
pub(in crate::edge) use sink::host_and_port;
pub use sink::{Receiver, SinkSetup};
pub use source::{Usual, product_named, usual};
pub use stage::{Role, Stage};

/// The checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Name of the deployment, part of every derived id.
    pub tenant: String,
    /// What the names of topics, groups and transactional ids begin with.
    pub prefix: String,
    /// Name of this instance, stable and unique.
    pub instance: String,
    /// What this instance does.
    pub role: Role,
    /// Key of the deployment for keyed values; there if [`Needs::Run`] was asked for.
    pub key: Option<Secret<String>>,
    /// Brokers and clients.
    pub kafka: Kafka,
    /// How long our topics keep their records.
    pub retention: Retention,
    /// How people are found.
    pub directory: Directory,
    /// What is read, by name.
    pub sources: Vec<Source>,
    /// Who is told of alerts, by name.
    pub sinks: Vec<SinkSetup>,
    /// Settings of `collect`.
    pub collect: Collect,
    /// Settings of `correlate`.
    pub correlate: Correlate,
    /// Settings of the HTTP side.
    pub http: Http,
    /// Folder of the customer's own rule files.
    pub rules_folder: Option<PathBuf>,
    /// Address of the page for people, without a slash at its end.
    pub page_url: Option<String>,
    /// What is logged.
    pub log_level: LogLevel,
    shown: Vec<Shown>,
}

/// What must be set beside what has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: no Kafka is used.
    Nothing,
    /// Brokers.
    Brokers,
    /// Brokers and the deployment's key.
    Run,
}

/// Retention of the topics that delete by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is that of the topic of its name")]
pub struct Retention {
    pub events: Duration,
    pub alerts: Duration,
    pub audit: Duration,
    pub shadow: Duration,
    pub dead_letter: Duration,
}

/// How people are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Systems whose accounts may name a person, first the one preferred.
    pub roots: Vec<String>,
    /// A directory older than this against the event is stale.
    pub stale_after: Duration,
    /// Country of numbers without country code.
    pub default_region: Option<String>,
    /// Mail domains of the organisation, in lower case.
    pub own_domains: Vec<String>,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// How its records become events.
    pub setup: SourceSetup,
    /// Its topic.
    pub topic: String,
    /// The watermark stays so far behind its newest event, ms.
    pub bound_ms: i64,
    /// An event may come so late and still be on time, ms.
    pub lateness_ms: i64,
    /// What it is about. Empty for directory exports: nothing waits for them.
    pub domains: Vec<Domain>,
    /// Evidence it delivers.
    pub evidence: Vec<Evidence>,
}

/// Settings of `collect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collect {
    /// Threads.
    pub workers: usize,
    /// Most records of a transaction.
    pub records_max: usize,
    /// Most bytes of the records of a transaction.
    pub bytes_max: usize,
    /// Longest time a transaction gathers.
    pub gather_max: Duration,
}

/// Settings of `correlate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correlate {
    /// Threads.
    pub workers: usize,
    /// Most entries of a transaction.
    pub entries_max: usize,
    /// Most bytes of the blocks of a transaction.
    pub bytes_max: usize,
    /// Longest time a transaction gathers.
    pub gather_max: Duration,
    /// Longest time a deadline waits for a source that stands still.
    pub max_wait: Duration,
    /// Most entities of each kind over all partitions; [`Config::entities_max`] has the shares.
    pub max_entities: Entities,
}

/// A number for each kind of entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is that of the kind of its name")]
pub struct Entities {
    pub identity: u64,
    pub contact: u64,
    pub ticket: u64,
    pub agent: u64,
    pub caller: u64,
    pub device: u64,
    pub address: u64,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the levels that everybody knows")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl Config {
    /// Reads and checks all layers.
    ///
    /// # Errors
    /// Every fault of every layer.
    pub fn load(given: &Given, needs: Needs) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let mut broken = Vec::new();
        let mut config = None;
        if let Some(mut tree) = layer::merged(given, &mut faults) {
            let defaults = layer::defaults();
            if let Some(file) = read::read(&mut tree, &defaults, &mut faults, &mut broken) {
                let checker = check::Checker::new(&tree, &broken, &given.environment);
                let (checked, found) = checker.config(file, needs);
                faults.extend(found);
                config = Some(checked);
            }
        }
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => {
                let files: Vec<String> = given
                    .files
                    .iter()
                    .map(|f| f.display().to_string())
                    .collect();
                let rank = |fault: &Fault| files.iter().position(|file| *file == fault.file);
                faults.sort_by_key(|fault| {
                    (rank(fault).unwrap_or(usize::MAX), fault.line, fault.column)
                });
                Err(Faults(faults))
            }
        }
    }

    /// Every setting with its value and where that was said; secrets as stars.
    #[must_use]
    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }

    /// What resolution of names depends on. Without a key, nothing is keyed.
    #[must_use]
    pub fn identity_settings(&self) -> identity::Settings {
        let mut settings = identity::Settings {
            roots: self.directory.roots.clone(),
            key: self.key_bytes().to_vec().into(),
            stale_after_ms: ms(self.directory.stale_after),
            ..identity::Settings::default()
        };
        let names = &mut settings.names;
        names
            .default_region
            .clone_from(&self.directory.default_region);
        names.own_domains.clone_from(&self.directory.own_domains);
        settings
    }

    /// The key of the deployment.
    #[must_use]
    pub fn key_bytes(&self) -> &[u8] {
        self.key.as_ref().map_or(&[], |key| key.expose().as_bytes())
    }

    /// The source that a topic belongs to.
    #[must_use]
    pub fn source_of(&self, topic: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.topic == topic)
    }
}

fn ms(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// The whole environment, read once. A variable that is not UTF-8 is none of ours.
#[must_use]
pub fn environment() -> BTreeMap<String, String> {
    let pairs = std::env::vars_os();
    pairs
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests;
