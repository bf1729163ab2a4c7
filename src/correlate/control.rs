//! Records of the control topic, as they reach every partition as entries.

use serde::{Deserialize, Serialize};

use crate::collect::event::Domain;
use crate::correlate::partition_state::Source;
use crate::correlate::rules::rule::Evidence;

/// A record of the control topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields)]
pub enum Control {
    /// A source of the configuration.
    #[serde(rename = "source.declared")]
    SourceDeclared(SourceDeclared),
    /// A source is no longer configured.
    #[serde(rename = "source.removed")]
    SourceRemoved {
        /// Its name.
        name: String,
    },
}

/// A source as the configuration has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceDeclared {
    /// Configured name.
    pub name: String,
    /// Product.
    pub product: String,
    /// Topic.
    pub topic: String,
    /// Partitions of the topic.
    pub partitions: i32,
    /// What it is about.
    pub domains: Vec<Domain>,
    /// How much later than its successors an event of this feed may arrive.
    pub bound_ms: i64,
    /// From how late on an event is labelled late.
    pub lateness_ms: i64,
    /// What its mapping delivers.
    pub evidence: Vec<Evidence>,
}

impl SourceDeclared {
    /// A source of one partition whose events come in order.
    #[must_use]
    pub fn new(name: &str, topic: &str, evidence: &[Evidence]) -> Self {
        Self {
            name: name.to_owned(),
            product: "canonical".to_owned(),
            topic: topic.to_owned(),
            partitions: 1,
            domains: Vec::new(),
            bound_ms: 0,
            lateness_ms: 0,
            evidence: evidence.to_vec(),
        }
    }

    /// What the correlator keeps of it.
    #[must_use]
    pub fn source(&self) -> Source {
        Source {
            topic: self.topic.clone(),
            partitions: self.partitions,
            bound_ms: self.bound_ms.max(0),
            lateness_ms: self.lateness_ms.max(0),
            evidence: self.evidence.clone(),
        }
    }
}
