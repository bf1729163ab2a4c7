//! Metrics: one registry, a small struct per component. Label values are registered at the start,
//! so that panels show zero, and bounded: what nobody registered counts as `other`. Never an
//! identity, an address or a text.

use prometheus::core::{AtomicI64, AtomicU64, GenericGauge, GenericGaugeVec};
use prometheus::core::{Collector, GenericCounter, GenericCounterVec};
use prometheus::{Error, GaugeVec, Histogram, HistogramOpts, HistogramVec, Opts, Registry};
use std::collections::BTreeSet;

mod collect;
mod correlate;
mod deliver;
mod kafka;
mod sink;
mod tls;

pub use collect::{CollectLabels, CollectMetrics, DeadLetterMetrics};
pub use correlate::{CorrelateLabels, CorrelateMetrics, StateMetrics};
pub use deliver::DeliverMetrics;
pub use kafka::KafkaMetrics;
pub use sink::{SinkMetrics, SinksMetrics};
pub use tls::TlsMetrics;

/// Counter of whole things.
type Counter = GenericCounter<AtomicU64>;
/// Counters by label.
type CounterVec = GenericCounterVec<AtomicU64>;
/// A number of whole things.
type Count = GenericGauge<AtomicI64>;
/// Numbers by label.
type CountVec = GenericGaugeVec<AtomicI64>;

/// Where a value that nobody registered is counted.
const OTHER: &str = "other";
/// Buckets of what takes milliseconds: a commit, a delivery.
const FAST_SECONDS: [f64; 12] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];
/// Buckets of what takes up to an hour: how old an event is when it is seen.
const SLOW_SECONDS: [f64; 12] = [
    0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0,
];

/// The registry of the process.
pub fn registry() -> Result<Registry, Error> {
    Registry::new_custom(Some("deskwarden".to_owned()), None)
}

/// The process itself.
#[derive(Debug, Clone)]
pub struct ProcessMetrics {
    patterns_loaded: Count,
}

impl ProcessMetrics {
    /// Registers them.
    pub fn register(registry: &Registry) -> Result<Self, Error> {
        let help = "What is running; always 1.";
        let build = counts(registry, "build_info", help, &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Ok(Self {
            patterns_loaded: count(registry, "patterns_loaded", "Patterns in force.")?,
        })
    }

    /// How many patterns are in force.
    pub fn patterns_loaded(&self, patterns: usize) {
        self.patterns_loaded.set(whole(patterns));
    }
}

fn registered<C: Collector + Clone + 'static>(
    registry: &Registry,
    made: Result<C, Error>,
) -> Result<C, Error> {
    let made = made?;
    registry.register(Box::new(made.clone()))?;
    Ok(made)
}

fn counter(registry: &Registry, name: &str, help: &str) -> Result<Counter, Error> {
    registered(registry, Counter::new(name, help))
}

fn count(registry: &Registry, name: &str, help: &str) -> Result<Count, Error> {
    registered(registry, Count::new(name, help))
}

fn counts(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<CountVec, Error> {
    registered(registry, CountVec::new(Opts::new(name, help), labels))
}

fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<GaugeVec, Error> {
    registered(registry, GaugeVec::new(Opts::new(name, help), labels))
}

fn histogram(registry: &Registry, name: &str, help: &str, at: &[f64]) -> Result<Histogram, Error> {
    let opts = HistogramOpts::new(name, help).buckets(at.to_vec());
    registered(registry, Histogram::with_opts(opts))
}

fn histograms(
    registry: &Registry,
    (name, help): (&str, &str),
    labels: &[&str],
    at: &[f64],
) -> Result<HistogramVec, Error> {
    let opts = HistogramOpts::new(name, help).buckets(at.to_vec());
    registered(registry, HistogramVec::new(opts, labels))
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// One label and the values it may have.
type Label<'a> = (&'a str, &'a [&'a str]);

/// Counters whose labels have registered values only.
#[derive(Debug, Clone)]
struct Counters {
    counters: CounterVec,
    known: Vec<BTreeSet<String>>,
}

impl Counters {
    fn register(
        registry: &Registry,
        name: &str,
        help: &str,
        labels: &[Label<'_>],
    ) -> Result<Self, Error> {
        let names: Vec<&str> = labels.iter().map(|(name, _)| *name).collect();
        let counters = registered(registry, CounterVec::new(Opts::new(name, help), &names))?;
        let known = labels.iter().map(|(_, values)| {
            let values = values.iter().map(|value| (*value).to_owned());
            values.collect::<BTreeSet<_>>()
        });
        let known = known.collect();
        let metric = Self { counters, known };
        metric.show_zero(&mut Vec::new(), labels);
        Ok(metric)
    }

    fn show_zero<'a>(&self, chosen: &mut Vec<&'a str>, rest: &[Label<'a>]) {
        let Some(((_, values), rest)) = rest.split_first() else {
            self.counters.with_label_values(chosen).reset();
            return;
        };
        for value in *values {
            chosen.push(value);
            self.show_zero(chosen, rest);
            chosen.pop();
        }
    }

    fn add(&self, values: &[&str], number: u64) {
        if number == 0 {
            return;
        }
        let known = values.iter().zip(&self.known);
        let bounded: Vec<&str> = known
            .map(|(value, known)| if known.contains(*value) { value } else { OTHER })
            .collect();
        self.counters.with_label_values(&bounded).inc_by(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::TextEncoder;

    fn text(registry: &Registry) -> String {
        TextEncoder::new()
            .encode_to_string(&registry.gather())
            .unwrap()
    }

    #[test]
    fn labels_show_zero_and_stay_bounded() {
        let registry = registry().unwrap();
        let labels: [Label<'_>; 2] = [("source", &["okta", "connect"]), ("reason", &["decode"])];
        let counters = Counters::register(&registry, "x_total", "X.", &labels).unwrap();
        assert!(
            text(&registry).contains("deskwarden_x_total{reason=\"decode\",source=\"okta\"} 0")
        );
        for n in 0..100 {
            counters.add(&["okta", &format!("made-up-{n}")], 1);
        }
        counters.add(&["connect", "decode"], 3);
        let text = text(&registry);
        assert!(
            text.contains("{reason=\"other\",source=\"okta\"} 100"),
            "{text}"
        );
        assert!(text.contains("{reason=\"decode\",source=\"connect\"} 3"));
        assert!(!text.contains("made-up"));
    }

    #[test]
    fn every_component_registers_beside_the_others() {
        let registry = registry().unwrap();
        let process = ProcessMetrics::register(&registry).unwrap();
        process.patterns_loaded(8);
        let collect = CollectMetrics::register(
            &registry,
            &CollectLabels {
                sources: &["okta"],
                rejects: &["decode"],
                ignored: &["audit_field"],
                resolutions: &["resolved"],
            },
        )
        .unwrap();
        collect.consumed("okta", 7);
        collect.degraded("okta", true);
        collect.degraded("nobody", true);
        collect.event_time_lag("okta", 1.5);
        let correlate = CorrelateMetrics::register(
            &registry,
            &CorrelateLabels {
                patterns: &["HDT-04"],
                relays: &["ticket_state"],
            },
        );
        correlate.unwrap().alert("HDT-04", "critical", "created", 1);
        StateMetrics::register(&registry).unwrap();
        DeadLetterMetrics::register(&registry, &["decode", "panic"]).unwrap();
        let kafka = KafkaMetrics::register(&registry, "correlate").unwrap();
        kafka.committed(0.004);
        DeliverMetrics::register(&registry).unwrap();
        let text = text(&registry);
        for line in [
            "deskwarden_patterns_loaded 8",
            "deskwarden_events_consumed_total{source=\"okta\"} 7",
            "deskwarden_pipeline_degraded{source=\"okta\"} 1",
            "deskwarden_dead_letter_records_total{reason=\"panic\"} 0",
            "deskwarden_event_time_lag_seconds_count{source=\"okta\"} 1",
            "deskwarden_alerts_total{activity=\"created\",pattern=\"HDT-04\",severity=\"critical\"} 1",
            "deskwarden_alerts_total{activity=\"closed\",pattern=\"HDT-04\",severity=\"high\"} 0",
            "deskwarden_txn_commit_seconds_count{stage=\"correlate\"} 1",
            "deskwarden_sse_clients 0",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        // Two stages of one process share the registry.
        KafkaMetrics::register(&registry, "collect").unwrap();
    }
}
