//! Identity providers.

pub mod okta;
mod okta_detail;
mod okta_types;
