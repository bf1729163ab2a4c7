//! Stage 2: the entries of one partition in; alerts, audit records, relays and state changes out.

pub mod alert;
pub mod audit;
pub mod baseline;
pub mod case;
pub mod contact;
pub mod control;
pub mod controls;
pub mod engine;
pub mod entity_state;
pub mod exempt;
pub mod fact;
pub mod finding;
pub mod judge;
pub mod ocsf;
pub mod partition_state;
pub mod recovery_controls;
pub mod relay;
pub mod rules;
pub mod score;
pub mod state_codec;
pub mod store;
pub mod ticket;
pub mod timers;
pub mod view;
pub mod window;
