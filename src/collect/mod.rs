//! Stage 1: one source record in; canonical events, rejects and counted "ignored" out.
//!
//! `parse → unwrap → map → identify → read the text`. Nothing here does I/O, asks the time or
//! remembers an earlier event.

pub mod record;
pub mod parse;
mod present;
pub mod unwrap;
mod utf8;
pub mod reject;
pub mod time;
pub mod action;
pub mod words;
pub mod event;
pub mod product;
pub mod setup;
mod setup_defaults;
pub mod mapped;
pub mod draft;
pub mod tape_de;
pub mod map;
pub mod canonical;
pub mod tickets;
pub mod idp;
pub mod contacts;
pub mod normalise;
pub mod directory;
pub mod identity;
pub mod text;
pub mod keyed;
pub mod entity;
pub mod pipeline;
pub mod glance;
pub mod block;
pub mod watermark;

pub use entity::{Entity, EntityKind};
pub use event::Event;
pub use record::Record;
pub use reject::{Reject, RejectReason};
pub use time::Timestamp;
