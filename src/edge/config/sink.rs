//! The section `sinks`: who is told of which alerts, and how they are reached.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::deliver::pii::Masking;
use crate::deliver::route::{Floor, Route};

use super::egress::Egress;
use super::secret::Secret;
use super::units::Span;

mod check;
mod slack;
mod values;

/// Kinds of receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SinkType {
    Pagerduty,
    Alertmanager,
    Slack,
    Teams,
    Webhook,
    Syslog,
    Splunk,
}

/// A severity by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SeverityName {
    Low,
    Medium,
    High,
    Critical,
}

impl SeverityName {
    const fn id(self) -> u8 {
        match self {
            Self::Low => 2,
            Self::Medium => 3,
            Self::High => 4,
            Self::Critical => 5,
        }
    }
}

/// What is shown of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PiiName {
    Mask,
    None,
}

/// One sink, as it stands in a file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SinkFile {
    r#type: Option<SinkType>,
    min_severity: Option<SeverityName>,
    page_from: Option<SeverityName>,
    tiers: Vec<String>,
    patterns: Vec<String>,
    url: Option<String>,
    bot_token: Option<String>,
    channel: Option<String>,
    api_url: Option<String>,
    address: Option<String>,
    routing_key: Option<String>,
    token: Option<String>,
    signing_secrets: Vec<String>,
    template: Option<String>,
    tls: Option<bool>,
    index: Option<String>,
    repeat_interval: Option<Span>,
    resolve_timeout: Option<Span>,
    ca_file: Option<String>,
    allow_private: Option<bool>,
    timeout: Option<Span>,
    retry_for: Option<Span>,
    group_wait: Option<Span>,
    group_interval: Option<Span>,
    since: Option<Span>,
    rate_per_second: Option<i64>,
    storm_per_minute: Option<i64>,
    pii: Option<PiiName>,
    dry_run: Option<bool>,
}

/// One sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkSetup {
    /// Its name: of its group, its metrics and its logs.
    pub name: String,
    /// Who is told.
    pub receiver: Receiver,
    /// Of what.
    pub route: Route,
    /// What is shown of people.
    pub masking: Masking,
    /// A CA to trust beside those of the system, PEM.
    pub ca_file: Option<PathBuf>,
    /// Whether private addresses and unencrypted HTTP are meant.
    pub allow_private: bool,
    /// Over what receivers of the web are reached; syslog is not.
    pub egress: Option<Egress>,
    /// Longest time of one attempt.
    pub timeout: Duration,
    /// After so long a message is given up.
    pub retry_for: Duration,
    /// So long the first revisions of a case gather; zero: each is told.
    pub group_wait: Duration,
    /// Between two notices about a case lies so much; zero: each is told.
    pub group_interval: Duration,
    /// A new sink is told of what is not older than this.
    pub since: Duration,
    /// Most messages a second.
    pub rate_per_second: Option<NonZeroU32>,
    /// With more calls a minute one digest takes their place; `None` is never.
    pub storm_per_minute: Option<usize>,
    /// Only log what would be sent.
    pub dry_run: bool,
}

/// Who is told, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the setting of its name")]
pub enum Receiver {
    /// PagerDuty Events API v2.
    PagerDuty {
        url: Secret<Url>,
        routing_key: Secret<String>,
    },
    /// Prometheus Alertmanager, API v2.
    Alertmanager {
        url: Secret<Url>,
        token: Option<Secret<String>>,
        repeat_interval: Duration,
        resolve_timeout: Duration,
    },
    /// A Slack incoming webhook.
    Slack { url: Secret<Url> },
    /// A channel of Slack, as a bot; `api` ends with a slash.
    SlackBot {
        api: Url,
        token: Secret<String>,
        channel: String,
    },
    /// A Teams workflow.
    Teams { url: Secret<Url> },
    /// Any URL, signed as Standard Webhooks says.
    Webhook {
        url: Secret<Url>,
        token: Option<Secret<String>>,
        signing_secrets: Vec<Secret<String>>,
        template: Option<String>,
    },
    /// A syslog server: RFC 5424 lines with CEF.
    Syslog { host: String, port: u16, tls: bool },
    /// Splunk's HTTP Event Collector.
    Splunk {
        url: Secret<Url>,
        token: Secret<String>,
        index: Option<String>,
    },
}

impl Receiver {
    /// Host and port at which it is reached.
    #[must_use]
    pub fn place(&self) -> (String, u16) {
        match (self.url(), self) {
            (Some(url), _) => host_and_port(url),
            (None, Self::Syslog { host, port, .. }) => (host.clone(), *port),
            (None, _) => Default::default(),
        }
    }

    /// Its address, where that is one of the web.
    #[must_use]
    pub const fn url(&self) -> Option<&Url> {
        match self {
            Self::PagerDuty { url, .. }
            | Self::Alertmanager { url, .. }
            | Self::Slack { url }
            | Self::Teams { url }
            | Self::Webhook { url, .. }
            | Self::Splunk { url, .. } => Some(url.expose()),
            Self::SlackBot { api, .. } => Some(api),
            Self::Syslog { .. } => None,
        }
    }

    /// The word of the configuration.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::PagerDuty { .. } => "pagerduty",
            Self::Alertmanager { .. } => "alertmanager",
            Self::Slack { .. } | Self::SlackBot { .. } => "slack",
            Self::Teams { .. } => "teams",
            Self::Webhook { .. } => "webhook",
            Self::Syslog { .. } => "syslog",
            Self::Splunk { .. } => "splunk",
        }
    }
}

/// Host and port of an address of the web.
pub(in crate::edge) fn host_and_port(url: &Url) -> (String, u16) {
    let host = url.host_str().unwrap_or_default().to_owned();
    (host, url.port_or_known_default().unwrap_or_default())
}

/// Which settings a kind has beside those of every sink, and what it does by itself.
struct Kind {
    keys: &'static [&'static str],
    floor: Floor,
    storm: Option<usize>,
    rate: Option<NonZeroU32>,
}

const fn kind(of: SinkType) -> Kind {
    let (high, low) = (Floor::Severity(4), Floor::Severity(2));
    let (keys, floor, storm, rate): (&[&str], _, _, _) = match of {
        SinkType::Pagerduty => (&["url", "routing_key"], Floor::Page(5), Some(30), None),
        SinkType::Alertmanager => (
            &["url", "token", "repeat_interval", "resolve_timeout"],
            low,
            None,
            None,
        ),
        // Slack takes one message a second and channel; Teams four.
        SinkType::Slack => (
            &["url", "bot_token", "channel", "api_url"],
            high,
            Some(20),
            NonZeroU32::new(1),
        ),
        SinkType::Teams => (&["url"], high, Some(20), NonZeroU32::new(4)),
        SinkType::Webhook => (
            &["url", "token", "signing_secrets", "template"],
            high,
            None,
            None,
        ),
        SinkType::Syslog => (&["address", "tls"], low, None, None),
        SinkType::Splunk => (&["url", "token", "index"], low, None, None),
    };
    Kind {
        keys,
        floor,
        storm,
        rate,
    }
}

/// Settings that only some kinds have.
const PARTICULAR: [&str; 13] = [
    "url",
    "bot_token",
    "channel",
    "api_url",
    "address",
    "routing_key",
    "token",
    "signing_secrets",
    "template",
    "tls",
    "index",
    "repeat_interval",
    "resolve_timeout",
];
