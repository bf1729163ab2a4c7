//! Contact centres.

pub mod connect;
mod connect_cases;
mod connect_records;
