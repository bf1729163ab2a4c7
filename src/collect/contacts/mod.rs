//! Contact centres.

pub mod connect;
mod connect_records;
