//! What the read model, the live feed and the API count.

use super::{Count, CountVec, Counter, Counters, count, counter, counts, whole};
use crate::edge::read_model::Counts;
use prometheus::{Error, Registry};

/// Classes of answers.
const STATUSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// Metrics of `deliver` and the HTTP side.
#[derive(Debug, Clone)]
pub struct DeliverMetrics {
    records: Counter,
    unreadable: Counter,
    cases: CountVec,
    bytes: Count,
    evicted: Count,
    clients: Count,
    dropped: Counter,
    requests: Counters,
}

impl DeliverMetrics {
    /// Registers them.
    pub fn register(registry: &Registry) -> Result<Self, Error> {
        let metrics = Self {
            records: counter(
                registry,
                "read_model_records_total",
                "Records of the alerts topic.",
            )?,
            unreadable: counter(
                registry,
                "read_model_unreadable_total",
                "Records of the alerts topic that are no alert.",
            )?,
            cases: counts(registry, "read_model_cases", "Cases held.", &["status"])?,
            bytes: count(registry, "read_model_bytes", "Bytes of the documents held.")?,
            evicted: count(
                registry,
                "read_model_evicted",
                "Cases that went because a bound was reached.",
            )?,
            clients: count(registry, "sse_clients", "Clients of the live feed.")?,
            dropped: counter(
                registry,
                "sse_dropped_total",
                "Clients of the live feed that were too slow.",
            )?,
            requests: Counters::register(
                registry,
                "http_requests_total",
                "Requests answered, by class of the status.",
                &[("status", &STATUSES)],
            )?,
        };
        metrics.cases(Counts::default());
        Ok(metrics)
    }

    /// Records read.
    pub fn records(&self, records: u64) {
        self.records.inc_by(records);
    }

    /// A record that is no alert.
    pub fn unreadable(&self) {
        self.unreadable.inc();
    }

    /// What the read model holds.
    pub fn cases(&self, counts: Counts) {
        self.cases
            .with_label_values(&["open"])
            .set(whole(counts.open));
        self.cases
            .with_label_values(&["closed"])
            .set(whole(counts.closed));
        self.bytes.set(whole(counts.bytes));
        self.evicted
            .set(i64::try_from(counts.evicted).unwrap_or(i64::MAX));
    }

    /// Clients of the live feed.
    pub fn clients(&self, clients: usize) {
        self.clients.set(whole(clients));
    }

    /// A client that was too slow was cut off.
    pub fn dropped(&self) {
        self.dropped.inc();
    }

    /// A request was answered.
    pub fn answered(&self, status: u16) {
        let class = match status {
            ..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            500.. => "5xx",
        };
        self.requests.add(&[class], 1);
    }
}
