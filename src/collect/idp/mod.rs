//! Identity providers.

pub mod duo;
mod duo_types;
pub mod entra;
pub mod google;
mod google_types;
pub mod okta;
mod okta_detail;
mod okta_parts;
mod okta_risk;
mod okta_types;
