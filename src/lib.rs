//! Deskwarden catches help-desk account takeovers.
//!
//! It reads ticketing, identity-provider and contact-centre events from Kafka, works out which
//! person each one is about, correlates them per person in event-time windows and publishes
//! alerts. Data flows left to right, and the modules stand in that order:
//!
//! ```text
//! source topics ─► collect ─► events topic ─► correlate ─► alerts topic ─► deliver ─► people
//! ```
//!
//! [`collect`], [`correlate`] and [`deliver`] are pure: no I/O, no clock, no async, no randomness.
//! Time, look-ups and identifiers are parameters; what should happen is a return value. [`edge`]
//! (feature `edge`, on by default) is everything that touches the world.

pub mod collect;
pub mod correlate;
pub mod deliver;
#[cfg(feature = "edge")]
pub mod edge;
