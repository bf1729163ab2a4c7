//! Stage 3: one alert in, documents for people and systems out.
//!
//! What is decided here is decided from the alert record alone: it carries the severity and the
//! page verdict of its previous revision and of its peak.

pub mod alert;
pub mod audit;
pub mod encode;
pub mod filter;
pub mod mention;
pub mod notice;
pub mod pii;
pub mod route;
pub mod severity;
pub mod text;
pub mod trail;
pub mod view;
