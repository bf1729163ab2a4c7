//! Which groups and sources there are, for whoever asks how they stand.

use prometheus::Registry;

use crate::edge::config::{Config, Stage};
use crate::edge::pipeline::{ConfiguredSource, Group, Pipeline};

/// The groups of both stages and of every sink, and the configured sources.
pub(super) fn pipeline(config: &Config, registry: &Registry) -> Pipeline {
    let stages = [Stage::Collect, Stage::Correlate].into_iter();
    let stages = stages.map(|stage| (stage.as_str().to_owned(), config.kafka_settings(stage, 0)));
    let sinks = config.sinks.iter();
    let sinks = sinks.map(|sink| {
        let settings = config.sink_settings(&sink.name);
        (format!("sink {}", sink.name), settings)
    });
    let groups = stages.chain(sinks).map(|(stage, settings)| Group {
        stage,
        topics: settings.topics.clone(),
        settings,
    });
    let sources = config.sources.iter().map(|source| ConfiguredSource {
        name: source.setup.name.clone(),
        product: source.setup.product.as_str().to_owned(),
        topic: source.topic.clone(),
        domains: source
            .domains
            .iter()
            .map(|domain| domain.as_str())
            .collect(),
        evidence: source
            .evidence
            .iter()
            .map(|evidence| evidence.as_str())
            .collect(),
    });
    Pipeline::new(groups.collect(), sources.collect(), registry.clone())
}
