//! The page, the API and the live feed, and the loops that fill them from the topics.

use std::sync::Arc;

use prometheus::Registry;

use super::{standing, unusual};
use crate::correlate::rules::RuleSet;
use crate::edge::archive::Archive;
use crate::edge::commands::CommandError;
use crate::edge::commands::dead_letter::dead_letters;
use crate::edge::config::{Config, Stage};
use crate::edge::control;
use crate::edge::health::Health;
use crate::edge::http::feed::Feed;
use crate::edge::http::{ApiParts, Bound, Gate, HttpParts, Limits};
use crate::edge::kafka::KafkaLog;
use crate::edge::log::topics::{Names, Topic};
use crate::edge::metrics::DeliverMetrics;
use crate::edge::read_model::ReadModel;
use crate::edge::records::{Records, Shelf};
use crate::edge::stages::SharedDirectory;
use crate::edge::stages::audit::Audit;
use crate::edge::stages::control::Control;
use crate::edge::stages::deliver::{Deliver, DeliverParts};
use crate::edge::tasks::Tasks;
use crate::edge::telemetry::Logs;

/// So many alerts may a client of the live feed be behind: a busy hour. They are remembered once for all
/// clients; the topic is the buffer beyond them.
const FEED_QUEUE_MAX: usize = 1_024;

/// What they share with the daemon.
pub(super) struct Serving<'a> {
    pub config: &'a Arc<Config>,
    pub names: &'a Names,
    pub health: &'a Health,
    pub registry: &'a Registry,
    pub rules: &'a Arc<RuleSet>,
    pub logs: &'a Logs,
    /// Where this process collects.
    pub directory: Option<SharedDirectory>,
}

impl Serving<'_> {
    /// Starts them: health and metrics in any case, all else where it `serves`.
    pub(super) fn start(
        self,
        tasks: &mut Tasks,
        bound: Bound,
        serves: bool,
    ) -> Result<(), CommandError> {
        let registry = self.registry.clone();
        let counted = DeliverMetrics::register(&registry).map_err(unusual)?;
        let model = Arc::new(ReadModel::new(self.config.http.cases_max));
        let feed = Feed::new(FEED_QUEUE_MAX, counted.clone());
        let mut api = ApiParts::new(Arc::clone(&model), feed.clone(), counted.clone());
        let credentials = self.config.http.credentials().map_err(unusual)?;
        api.gate = Gate::new(credentials, Limits::default());
        let (desk, desk_end) = control::desk();
        api.desk = Some(desk);
        api.rules = Arc::clone(self.rules);
        api.pipeline = Some(standing::pipeline(self.config, &registry));
        let alerts = Arc::clone(self.names.of(Topic::Alerts));
        let settings = self.config.command_settings("archive");
        api.older = Some(Archive::new(settings, alerts));
        api.directory = self.directory;
        api.records = Some(records(self.config));
        api.letters = Some(dead_letters(self.config));
        api.settings = self.config.shown().into();
        api.logs = Some(self.logs.clone());
        let trail = api.trail.clone();
        let parts = HttpParts {
            api: serves.then_some(api),
            health: self.health.clone(),
            registry,
        };
        tasks.thread("http", move |stop| bound.serve(parts, stop))?;
        if !serves {
            return Ok(());
        }
        let health = self.health.worker("deliver-0");
        let config = Arc::clone(self.config);
        let parts = DeliverParts {
            topic: Arc::clone(self.names.of(Topic::Alerts)),
            model,
            feed,
            metrics: counted,
        };
        tasks.thread("deliver-0", move |stop| {
            let log = KafkaLog::connect(&config.kafka_settings(Stage::Deliver, 0))?;
            Deliver::new(log, parts, health).run(&stop)
        })?;
        let worker = self.health.worker("control-0");
        let (config, names) = (Arc::clone(self.config), self.names.clone());
        tasks.thread("control-0", move |stop| {
            let log = KafkaLog::connect(&config.command_settings("control"))?;
            let topic = Arc::clone(names.of(Topic::Control));
            Control::new(log, topic, desk_end, worker).run(&stop)
        })?;
        let worker = self.health.worker("audit-0");
        let (config, names) = (Arc::clone(self.config), self.names.clone());
        tasks.thread("audit-0", move |stop| {
            let log = KafkaLog::connect(&config.command_settings("audit"))?;
            let topic = Arc::clone(names.of(Topic::Audit));
            Audit::new(log, topic, trail, worker).run(&stop)
        })?;
        Ok(())
    }
}

/// The records of the sources that are configured.
fn records(config: &Config) -> Records {
    let sources = config.sources.iter();
    let sources = sources.map(|source| (source.topic.clone(), source.setup.clone()));
    let shelf = Shelf::Kafka(config.command_settings("records"));
    Records::new(shelf, sources.collect(), config.identity_settings())
}
