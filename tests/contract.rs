//! What others read and write: alerts, audit records, control entries, accounts and canonical events. Real
//! stories through the engine, their documents compared with golden files, checked against the schemas, and
//! added up again from the JSON alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    clippy::too_many_lines,
    unreachable_pub,
    missing_docs,
    dead_code,
    reason = "a test may panic"
)]

mod support;

#[path = "contract/world.rs"]
mod world;

#[path = "contract/alerts.rs"]
mod alerts;

#[path = "contract/schemas.rs"]
mod schemas;

#[path = "contract/vocabulary.rs"]
mod vocabulary;

#[path = "contract/exemptions.rs"]
mod exemptions;

#[path = "contract/audit.rs"]
mod audit;

#[path = "contract/audit_chain.rs"]
mod audit_chain;

#[path = "contract/audit_views.rs"]
mod audit_views;

#[path = "simulation/random.rs"]
mod random;
