//! `schemas/asyncapi.yaml` against the program: every topic with its name, partitions and settings as
//! `topics apply` creates it, who reads in which group, what is written, and keys, headers and examples as
//! the loops write them. `tests/asyncapi/run` asks the parser of AsyncAPI.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    missing_docs,
    reason = "a test may panic"
)]

#[path = "asyncapi/document.rs"]
mod document;
#[path = "asyncapi/life.rs"]
mod life;
#[path = "asyncapi/records.rs"]
mod records;
#[path = "asyncapi/topics.rs"]
mod topics;

use std::collections::BTreeMap;

use deskwarden::edge::config::{Config, Given, Needs};

/// The defaults, with the brokers, sources and the sink that examples are of.
fn config(more: &[&str]) -> Config {
    let settings = [
        "kafka.brokers=kafka.example.com:9093",
        "sources.okta.topic=okta.system-log",
        "sources.servicenow.topic=servicenow.tables",
        "sources.amazon_connect.topic=amazon-connect.contacts",
        "sources.canonical.topic=canonical.events",
        "sources.hris.topic=hris.people",
        "sources.okta_users.topic=okta.users",
        "sinks.on-call.type=syslog",
        "sinks.on-call.address=siem.example.com:6514",
    ];
    let key = "0123456789abcdef0123456789abcdef".to_owned();
    let given = Given {
        environment: BTreeMap::from([("DESKWARDEN__KEY".to_owned(), key)]),
        settings: settings
            .iter()
            .chain(more)
            .map(|s| (*s).to_owned())
            .collect(),
        ..Given::default()
    };
    Config::load(&given, Needs::Run).unwrap_or_else(|faults| panic!("{}", faults.render(false)))
}
