//! What stands in a configuration file, exactly as it stands there; unknown keys are refused.
//!
//! What has a default in the shipped file is required here: the defaults are the lowest layer of
//! every configuration and are written nowhere else.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::collect::setup::{FieldsFile, Product};
use crate::collect::words::Domain;
use crate::edge::http::Access;

use super::egress::EgressFile;
use super::http::{TlsFile, TokenFile};
use super::oidc::OidcFile;
use super::sink::SinkFile;
use super::source::EvidenceName;
use super::units::{Bytes, Span};
use super::{LogLevel, Role};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    pub(super) version: i64,
    pub(super) tenant: String,
    pub(super) prefix: String,
    #[serde(default)]
    pub(super) instance: Option<String>,
    pub(super) role: Role,
    #[serde(default)]
    pub(super) key: Option<String>,
    pub(super) kafka: KafkaFile,
    pub(super) retention: RetentionFile,
    pub(super) directory: DirectoryFile,
    pub(super) sources: BTreeMap<String, SourceFile>,
    pub(super) sinks: BTreeMap<String, SinkFile>,
    pub(super) egress: EgressFile,
    pub(super) collect: CollectFile,
    pub(super) correlate: CorrelateFile,
    pub(super) http: HttpFile,
    pub(super) rules: RulesFile,
    pub(super) alerts: AlertsFile,
    pub(super) log: LogFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KafkaFile {
    #[serde(default)]
    pub(super) brokers: Option<String>,
    pub(super) partitions: i64,
    pub(super) replication_factor: i64,
    pub(super) failures_max: i64,
    pub(super) properties: BTreeMap<String, String>,
    pub(super) consumer: ClientFile,
    pub(super) producer: ClientFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientFile {
    pub(super) properties: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RetentionFile {
    pub(super) events: Span,
    pub(super) alerts: Span,
    pub(super) audit: Span,
    pub(super) shadow: Span,
    pub(super) dead_letter: Span,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DirectoryFile {
    pub(super) roots: Vec<String>,
    pub(super) stale_after: Span,
    #[serde(default)]
    pub(super) default_region: Option<String>,
    pub(super) own_domains: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SourceFile {
    pub(super) product: Option<Product>,
    pub(super) topic: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) bound: Option<Span>,
    pub(super) lateness: Option<Span>,
    pub(super) domains: Option<Vec<Domain>>,
    pub(super) evidence: Option<Vec<EvidenceName>>,
    pub(super) fields: FieldsFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CollectFile {
    pub(super) workers: i64,
    pub(super) records_max: i64,
    pub(super) bytes_max: Bytes,
    pub(super) gather_max: Span,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CorrelateFile {
    pub(super) workers: i64,
    pub(super) entries_max: i64,
    pub(super) bytes_max: Bytes,
    pub(super) gather_max: Span,
    pub(super) max_wait: Span,
    pub(super) max_entities: EntitiesFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntitiesFile {
    pub(super) identity: i64,
    pub(super) contact: i64,
    pub(super) ticket: i64,
    pub(super) agent: i64,
    pub(super) caller: i64,
    pub(super) device: i64,
    pub(super) address: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpFile {
    pub(super) listen: String,
    pub(super) ops_listen: String,
    pub(super) cases_max: i64,
    pub(super) tokens: BTreeMap<String, TokenFile>,
    pub(super) tls: TlsFile,
    pub(super) client_certificates: BTreeMap<String, Access>,
    pub(super) oidc: OidcFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulesFile {
    #[serde(default)]
    pub(super) folder: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertsFile {
    #[serde(default)]
    pub(super) page_url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogFile {
    pub(super) level: LogLevel,
}
