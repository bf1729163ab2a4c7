//! Stage 2: the entries of one partition in; alerts, audit records, relays and state changes out.

pub mod baseline;
pub mod case;
pub mod contact;
pub mod engine;
pub mod entity_state;
pub mod fact;
pub mod finding;
pub mod rules;
pub mod score;
pub mod ticket;
pub mod view;
pub mod window;
