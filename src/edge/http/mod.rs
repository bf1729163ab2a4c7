//! The HTTP side: the API, the live feed and the page on one listener, health and metrics on
//! another.

mod api;
pub mod feed;
mod ops;
mod page;
mod problem;
mod serve;
mod server;
mod stream;

pub use serve::{ApiParts, Bound, HttpError, HttpParts, HttpSettings, bind};
