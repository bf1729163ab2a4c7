//! Starts a thread for each sink: a member of a group of its own, so that each is behind by itself.

use std::sync::Arc;

use prometheus::Registry;
use tokio::runtime::{Builder, Runtime};

use super::with_chances;
use crate::edge::commands::CommandError;
use crate::edge::config::{Config, SinkSetup};
use crate::edge::health::Health;
use crate::edge::kafka::KafkaLog;
use crate::edge::log::Log as _;
use crate::edge::log::topics::{Names, Topic};
use crate::edge::metrics::{DeadLetterMetrics, SinksMetrics};
use crate::edge::sinks::{Sender, Sink, Wire};
use crate::edge::stages::sink::{SinkLoop, SinkParts};
use crate::edge::tasks::{Stop, TaskError, Tasks};

use super::topology::Topology;
use crate::edge::config::Stage;

/// What the sinks of a process share.
pub(super) struct Sinks<'a> {
    pub(super) config: &'a Arc<Config>,
    pub(super) names: &'a Names,
    pub(super) health: &'a Health,
    pub(super) registry: &'a Registry,
    pub(super) letters: &'a DeadLetterMetrics,
}

impl Sinks<'_> {
    /// Starts them all.
    ///
    /// # Errors
    /// A CA or template that cannot be used.
    pub(super) fn start(&self, tasks: &mut Tasks) -> Result<(), CommandError> {
        let setups = &self.config.sinks;
        if setups.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = setups.iter().map(|setup| setup.name.as_str()).collect();
        let metrics = SinksMetrics::register(self.registry, &names).map_err(super::unusual)?;
        // Sending is waiting: one thread does it for all of them.
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("sinks")
            .enable_all()
            .build()?;
        let runtime = Arc::new(runtime);
        for setup in setups {
            let metrics = metrics.of(&setup.name);
            let wire = Wire::new(setup).map_err(|fault| CommandError::sink(setup, &fault))?;
            let sender = Sender::new(setup, wire, metrics.clone());
            let member = Member {
                config: Arc::clone(self.config),
                names: self.names.clone(),
                setup: setup.clone(),
                health: self.health.clone(),
                runtime: Arc::clone(&runtime),
            };
            // Refused here once, so that it is told before anything runs.
            self.config
                .sink(setup)
                .map_err(|fault| CommandError::sink(setup, &fault))?;
            let sender = Arc::new(sender);
            let letters = self.letters.clone();
            tasks.thread(format!("sink-{}", setup.name), move |stop| {
                with_chances(&stop, || {
                    let parts = |sink| SinkParts {
                        dead_letters: Arc::clone(member.names.of(Topic::DeadLetter)),
                        sink,
                        sender: Arc::clone(&sender),
                        runtime: member.runtime.handle().clone(),
                        metrics: metrics.clone(),
                        letters: letters.clone(),
                    };
                    member.run(parts, &stop)
                })
            })?;
        }
        Ok(())
    }
}

/// One sink of this instance.
struct Member {
    config: Arc<Config>,
    names: Names,
    setup: SinkSetup,
    health: Health,
    runtime: Arc<Runtime>,
}

impl Member {
    fn run(&self, parts: impl Fn(Sink) -> SinkParts, stop: &Stop) -> Result<(), TaskError> {
        let worker = self.health.worker(format!("sink-{}", self.setup.name));
        let mut log = KafkaLog::connect(&self.config.sink_settings(&self.setup.name))?;
        let topology = Topology {
            config: &self.config,
            names: &self.names,
            stage: Stage::Deliver,
            health: &worker,
            stop,
        };
        if !topology.wait(&mut log)? {
            log.close()?;
            return Ok(());
        }
        let sink = self.config.sink(&self.setup).map_err(|fault| TaskError {
            fault: fault.to_string(),
            is_fenced: false,
        })?;
        SinkLoop::new(log, parts(sink), worker, KafkaLog::known_ends).run(stop)
    }
}
