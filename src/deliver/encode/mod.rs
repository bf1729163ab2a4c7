//! One file a receiver: from the notice to the bytes it takes. What is withheld is not to be encoded;
//! where it is nevertheless, it reads as an update.

pub mod alertmanager;
pub mod cef;
pub mod digest;
pub mod ecs;
mod facts;
pub mod pagerduty;
pub mod slack;
pub mod splunk;
pub mod syslog;
pub mod teams;
pub mod webhook;
