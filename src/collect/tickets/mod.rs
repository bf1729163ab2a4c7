//! Ticketing systems.

mod controls;
pub mod servicenow;
mod snow_fields;
mod snow_rows;
