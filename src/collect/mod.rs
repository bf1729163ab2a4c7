//! Stage 1: one source record in; canonical events, rejects and counted "ignored" out.
//!
//! `parse → unwrap → map → identify → read the text`. Nothing here does I/O, asks the time or
//! remembers an earlier event.

pub mod record;
pub mod parse;
pub mod reject;
pub mod time;
pub mod action;
pub mod words;
pub mod event;
pub mod entity;
pub mod unwrap;
pub mod setup;
mod setup_defaults;
pub mod draft;
pub mod tape_de;
pub mod canonical;
pub mod idp;
pub mod tickets;
pub mod contacts;
pub mod map;

pub use entity::{Entity, EntityKind};
pub use event::Event;
pub use record::Record;
pub use reject::{Reject, RejectReason};
pub use time::Timestamp;
