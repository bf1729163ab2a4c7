//! `deskwarden run`: the daemon. Starts the loops of its role, one thread each, and ends with them.

use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;

use crate::collect::text::Lexicon;
use crate::correlate::engine::Setup as EngineSetup;
use crate::correlate::rules::{self, RuleSet};
use crate::edge::clock::{self, Deadline};
use crate::edge::commands::{CommandError, Ending};
use crate::edge::config::{Config, ConfigArgs, Needs, Role, Stage, environment};
use crate::edge::health::{Health, Worker};
use crate::edge::http::{HttpSettings, bind};
use crate::edge::kafka::KafkaLog;
use crate::edge::log::Log as _;
use crate::edge::log::topics::{Names, Topic};
use crate::edge::metrics::{self, DeadLetterMetrics, ProcessMetrics};
use crate::edge::report::{
    CollectMeters, CollectReport, CorrelateMeters, CorrelateReport, dead_letters,
};
use crate::edge::stages::collect::{self, Collect, SourceTopic};
use crate::edge::stages::correlate::{self, Correlate, STORM_MAX};
use crate::edge::stages::{Pulse, SharedDirectory};
use crate::edge::tasks::{GRACE, Stop, TaskError, Tasks, signalled};
use crate::edge::telemetry::{self, Logs};
use topology::Topology;

mod serving;
mod sinks;
mod standing;
mod topology;

/// So often within so long a loop is begun anew; two processes of one name spend them in seconds.
const CHANCES: u32 = 3;
const CHANCES_SPAN: Duration = Duration::from_secs(300);
/// Before a loop is begun anew.
const CHANCE_PAUSE: Duration = Duration::from_secs(2);

/// What the command line says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deskwarden run --config deskwarden.yaml
  deskwarden run --config deskwarden.yaml --role correlate --set instance=node-2

SIGTERM and SIGINT end it: the cycle under way is committed, then it leaves.
Exit codes: 0 ended cleanly; 1 a thread failed; 2 it could not be started as given; 64 the
configuration is wrong; 75 it was replaced by another process of its name, failed again and again, or
did not end in time: start it again.")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// What this instance does; wins over the configuration.
    #[arg(long, value_enum)]
    role: Option<Role>,
}

/// Runs until a signal or a failure.
///
/// # Errors
/// A configuration that is wrong, an address that is not to be had.
pub fn run(args: &Args) -> Result<Ending, CommandError> {
    let config = args.config.load(Needs::Run)?;
    let logs = telemetry::start(
        environment().get("RUST_LOG").map(String::as_str),
        config.log_level.as_str(),
    )
    .map_err(|e| CommandError::Usage(e.to_string()))?;
    let role = args.role.unwrap_or(config.role);
    let texts = config.rule_texts()?;
    let (common, files) = texts.borrowed();
    let rules = rules::load(common, &files).map_err(CommandError::Rules)?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        role = ?role,
        instance = %config.instance,
        rules = rules.len(),
        "starting"
    );
    let daemon = Daemon {
        registry: metrics::registry().map_err(unusual)?,
        health: Health::default(),
        names: Names::new(&config.prefix),
        rules: Arc::new(RuleSet::new(rules)),
        logs,
        config: Arc::new(config),
    };
    daemon.run(role)
}

/// What cannot fail in a build that passed its tests.
fn unusual(error: impl std::fmt::Display) -> CommandError {
    CommandError::Usage(error.to_string())
}

struct Daemon {
    registry: Registry,
    config: Arc<Config>,
    names: Names,
    rules: Arc<RuleSet>,
    logs: Logs,
    health: Health,
}

impl Daemon {
    fn run(&self, role: Role) -> Result<Ending, CommandError> {
        let delivers = role.stages().contains(&Stage::Deliver);
        let listen = delivers.then_some(self.config.http.listen);
        let http = &self.config.http;
        let bound = bind(&HttpSettings {
            listen,
            ops_listen: http.ops_listen,
            tls: http.tls.clone().filter(|_| delivers),
            authenticates: http.authenticates(),
        })?;
        tracing::info!(page = ?bound.api(), ops = ?bound.ops(), "listening");
        let mut tasks = Tasks::default();
        let process = ProcessMetrics::register(&self.registry).map_err(unusual)?;
        process.patterns_loaded(self.rules.patterns().len());
        let letters = dead_letters(&self.registry).map_err(unusual)?;
        let mut directory = None;
        for stage in role.stages() {
            match stage {
                Stage::Collect => {
                    let shared = SharedDirectory::new(&self.config.directory.roots);
                    self.collect(&mut tasks, &letters, &shared)?;
                    directory = Some(shared);
                }
                Stage::Correlate => self.correlate(&mut tasks, &letters)?,
                Stage::Deliver => sinks::Sinks {
                    config: &self.config,
                    names: &self.names,
                    health: &self.health,
                    registry: &self.registry,
                    letters: &letters,
                }
                .start(&mut tasks)?,
            }
        }
        serving::Serving {
            config: &self.config,
            names: &self.names,
            health: &self.health,
            registry: &self.registry,
            rules: &self.rules,
            logs: &self.logs,
            directory,
        }
        .start(&mut tasks, bound, delivers)?;
        let ending = tasks.run(signalled(), GRACE)?;
        let code = ending.exit_code();
        if code == 0 {
            tracing::info!(%ending, "ended");
        } else {
            tracing::error!(%ending, code, "ended");
        }
        Ok(match code {
            0 => Ending::Clean,
            75 => Ending::HardStop,
            _ => Ending::Refused,
        })
    }

    fn collect(
        &self,
        tasks: &mut Tasks,
        letters: &DeadLetterMetrics,
        directory: &SharedDirectory,
    ) -> Result<(), CommandError> {
        let config = &self.config;
        let named: Vec<&str> = config.sources.iter().map(|s| &*s.setup.name).collect();
        let meters = CollectMeters::register(&self.registry, letters, &named).map_err(unusual)?;
        let setup = Arc::new(collect::Setup {
            topics: self.names.clone(),
            partitions: config.kafka.partitions,
            sources: sources(config),
            settings: config.identity_settings(),
            lexicon: Arc::new(Lexicon::embedded().map_err(|e| CommandError::Usage(e.to_string()))?),
            idle_wait: collect::IDLE_WAIT,
            gather_max: config.collect.gather_max,
            records_max: config.collect.records_max,
            bytes_max: config.collect.bytes_max,
        });
        for number in 0..config.workers(Stage::Collect) {
            let name = format!("collect-{number}");
            let worker = Arc::new(self.health.worker(&name));
            let (setup, directory) = (Arc::clone(&setup), directory.clone());
            let mut report =
                CollectReport::new(Arc::clone(&worker), meters.clone(), KafkaLog::known_ends);
            let place = self.place(Stage::Collect, number);
            tasks.thread(name, move |stop| {
                with_chances(&stop, || {
                    let Some(log) = place.connect(&worker, &stop)? else {
                        return Ok(());
                    };
                    let pulse = Pulse::of(Arc::clone(&worker), stop.clone());
                    let collect = Collect::new(log, Arc::clone(&setup), directory.clone());
                    run_collect(collect.watched(pulse), &mut report, &stop)
                })
            })?;
        }
        Ok(())
    }

    fn correlate(
        &self,
        tasks: &mut Tasks,
        letters: &DeadLetterMetrics,
    ) -> Result<(), CommandError> {
        let config = &self.config;
        let patterns: Vec<&str> = self.rules.patterns().iter().map(|p| &**p).collect();
        let meters =
            CorrelateMeters::register(&self.registry, letters, &patterns).map_err(unusual)?;
        let setup = Arc::new(correlate::Setup {
            topics: self.names.clone(),
            partitions: config.kafka.partitions,
            engine: Arc::new(EngineSetup {
                tenant: config.tenant.clone(),
                rules: Arc::clone(&self.rules),
                alerts_topic: self.names.of(Topic::Alerts).to_string(),
                page: config.page_url.clone(),
                max_wait_ms: i64::try_from(config.correlate.max_wait.as_millis())
                    .unwrap_or(i64::MAX),
                entities_max: config.entities_max(),
            }),
            idle_wait: correlate::IDLE_WAIT,
            gather_max: config.correlate.gather_max,
            storm_max: STORM_MAX,
            entries_max: config.correlate.entries_max,
            bytes_max: config.correlate.bytes_max,
        });
        for number in 0..config.workers(Stage::Correlate) {
            let name = format!("correlate-{number}");
            let worker = Arc::new(self.health.worker(&name));
            let setup = Arc::clone(&setup);
            let mut report =
                CorrelateReport::new(Arc::clone(&worker), meters.clone(), KafkaLog::known_ends);
            let place = self.place(Stage::Correlate, number);
            tasks.thread(name, move |stop| {
                with_chances(&stop, || {
                    let Some(log) = place.connect(&worker, &stop)? else {
                        return Ok(());
                    };
                    let pulse = Pulse::of(Arc::clone(&worker), stop.clone());
                    let correlate = Correlate::new(log, Arc::clone(&setup));
                    run_correlate(correlate.watched(pulse), &mut report, &stop)
                })
            })?;
        }
        Ok(())
    }

    fn place(&self, stage: Stage, number: usize) -> Place {
        Place {
            config: Arc::clone(&self.config),
            names: self.names.clone(),
            stage,
            number,
        }
    }
}

/// Which worker it is, and what it needs to connect.
struct Place {
    config: Arc<Config>,
    names: Names,
    stage: Stage,
    number: usize,
}

impl Place {
    /// A log, once the topics are there; `None` if it is to stop before.
    fn connect(&self, worker: &Worker, stop: &Stop) -> Result<Option<KafkaLog>, TaskError> {
        let settings = self.config.kafka_settings(self.stage, self.number);
        let mut log = KafkaLog::connect(&settings)?;
        let topology = Topology {
            config: &self.config,
            names: &self.names,
            stage: self.stage,
            health: worker,
            stop,
        };
        Ok(topology.wait(&mut log)?.then_some(log))
    }
}

/// Runs a loop, and begins it anew where its clients lost their name: after an outage longer than its
/// session the brokers take a member for somebody else. A second process of that name would take it
/// away again and again, so the chances are few.
fn with_chances(
    stop: &Stop,
    mut body: impl FnMut() -> Result<(), TaskError>,
) -> Result<(), TaskError> {
    let mut left = CHANCES;
    let mut since = Deadline::after(CHANCES_SPAN);
    loop {
        match body() {
            Err(error) if error.is_fenced && !stop.is_set() => {
                if since.has_passed() {
                    left = CHANCES;
                    since = Deadline::after(CHANCES_SPAN);
                }
                if left == 0 {
                    return Err(error);
                }
                left -= 1;
                tracing::warn!(detail = %error, chances_left = left, "connecting anew");
                std::thread::park_timeout(CHANCE_PAUSE);
            }
            other => return other,
        }
    }
}

/// The sources as the loop reads them.
#[must_use]
pub fn sources(config: &Config) -> Vec<SourceTopic> {
    let of = |source: &crate::edge::config::Source| {
        let mut setup = source.setup.clone();
        // What is known and of no interest is not mapped in full.
        setup.keep_unread = false;
        SourceTopic {
            setup,
            topic: source.topic.clone(),
            domains: source.domains.clone(),
            bound_ms: source.bound_ms,
        }
    };
    config.sources.iter().map(of).collect()
}

fn run_collect(
    mut collect: Collect<KafkaLog>,
    report: &mut CollectReport<KafkaLog>,
    stop: &Stop,
) -> Result<(), TaskError> {
    while !stop.is_set() {
        let progress = collect
            .cycle(clock::now())
            .inspect_err(|e| report.failed(e))?;
        report.cycle(&mut collect, &progress, clock::now());
    }
    collect.into_log().close()?;
    Ok(())
}

fn run_correlate(
    mut correlate: Correlate<KafkaLog>,
    report: &mut CorrelateReport<KafkaLog>,
    stop: &Stop,
) -> Result<(), TaskError> {
    while !stop.is_set() {
        let progress = correlate.cycle().inspect_err(|e| report.failed(e))?;
        report.cycle(&mut correlate, &progress, clock::now());
    }
    correlate.into_log().close()?;
    Ok(())
}
