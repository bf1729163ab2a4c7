//! Everything that touches the world: it does, it never decides.

pub mod archive;
mod assigned;
pub mod audit_table;
pub mod clock;
pub mod commands;
pub mod config;
pub mod control;
pub mod dead_letters;
pub mod health;
pub mod http;
pub mod kafka;
pub mod log;
pub mod metrics;
pub mod pipeline;
pub mod read_model;
pub mod records;
pub mod report;
pub mod sinks;
pub mod stages;
pub mod story;
pub mod tasks;
pub mod telemetry;
pub mod trail;
