//! Whether the topics are there and fit the configuration; waits until they are.

use std::time::Duration;

use crate::edge::clock::Deadline;
use crate::edge::config::{Config, Stage};
use crate::edge::health::Worker;
use crate::edge::log::topics::{Names, Topic};
use crate::edge::log::{ErrorClass, Log, LogError};
use crate::edge::tasks::{Stop, TaskError};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two log lines that say the same.
const LOG_PAUSE: Duration = Duration::from_secs(30);

/// What a stage finds before it begins.
pub(super) struct Topology<'a> {
    pub(super) config: &'a Config,
    pub(super) names: &'a Names,
    pub(super) stage: Stage,
    pub(super) health: &'a Worker,
    pub(super) stop: &'a Stop,
}

/// Why a stage cannot begin.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Misfit {
    /// It waits, and this is what it waits for.
    NotYet(String),
    /// Waiting does not help.
    Wrong(String),
}

impl Topology<'_> {
    /// Waits until the topics are there and fit. False if it is to stop before.
    pub(super) fn wait<L: Log>(&self, log: &mut L) -> Result<bool, TaskError> {
        let mut told: Option<(String, Deadline)> = None;
        while !self.stop.is_set() {
            self.health.beat();
            match self.fits(log) {
                Ok(()) => {
                    if told.is_some() {
                        tracing::info!("the topics are there");
                    }
                    self.health.set_fault(None);
                    self.health.metadata_seen();
                    self.miss_sources(log);
                    return Ok(true);
                }
                Err(Misfit::Wrong(fault)) => {
                    return Err(TaskError {
                        fault,
                        is_fenced: false,
                    });
                }
                Err(Misfit::NotYet(why)) => {
                    let is_said = told
                        .as_ref()
                        .is_some_and(|(said, until)| *said == why && !until.has_passed());
                    if !is_said {
                        tracing::warn!(reason = %why, "waiting for the brokers and topics");
                        self.health.set_fault(Some(why.clone()));
                        told = Some((why, Deadline::after(LOG_PAUSE)));
                    }
                    std::thread::park_timeout(PAUSE);
                }
            }
        }
        Ok(false)
    }

    fn fits<L: Log>(&self, log: &mut L) -> Result<(), Misfit> {
        let wanted = self.config.kafka.partitions;
        for topic in Topic::ALL {
            let name = self.names.of(topic);
            let found = log
                .partition_count(name)
                .map_err(|error| self.misfit(name, &error))?;
            if topic.is_by_entity() && found != wanted {
                return Err(Misfit::Wrong(format!(
                    "topic {name} has {found} partitions, kafka.partitions says {wanted}: set \
                     kafka.partitions to {found}; their number never changes"
                )));
            }
        }
        Ok(())
    }

    fn misfit(&self, topic: &str, error: &LogError) -> Misfit {
        let detail = &error.detail;
        match error.class {
            ErrorClass::Fenced | ErrorClass::Fatal => Misfit::Wrong(error.to_string()),
            _ if error.is_denied() => Misfit::NotYet(format!(
                "not allowed to read topic {topic}: {detail}; grant this user Describe, Read and \
                 Write on it by the ACLs of the brokers"
            )),
            _ if is_missing(error) => Misfit::NotYet(format!(
                "topic {topic} does not exist; `deskwarden topics apply` creates it"
            )),
            ErrorClass::Retriable | ErrorClass::Abort | ErrorClass::Unknown | ErrorClass::Noise => {
                Misfit::NotYet(format!(
                    "the brokers at {} cannot be reached: {detail}; check that they run and that \
                 kafka.brokers names them as seen from this machine",
                    self.config.kafka.brokers
                ))
            }
        }
    }

    /// Tells of sources whose topic is not there. The others are read all the same, and these as soon
    /// as they are created.
    fn miss_sources<L: Log>(&self, log: &mut L) {
        if self.stage != Stage::Collect {
            return;
        }
        for source in &self.config.sources {
            match log.partition_count(&source.topic) {
                Err(error) if is_missing(&error) => tracing::warn!(
                    source = %source.setup.name,
                    topic = %source.topic,
                    "the topic of this source does not exist; it is read once it is created, then run \
                     `deskwarden topics apply` to declare it"
                ),
                Err(error) if error.is_denied() => tracing::error!(
                    source = %source.setup.name,
                    topic = %source.topic,
                    detail = %error.detail,
                    "not allowed to read the topic of this source; grant this user Describe and Read \
                     on it by the ACLs of the brokers"
                ),
                Ok(_) | Err(_) => {}
            }
        }
    }
}

fn is_missing(error: &LogError) -> bool {
    error.detail.contains("UnknownTopicOrPartition")
}
