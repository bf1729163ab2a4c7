//! Declared exceptions: exemptions say that an action was expected, silences stop deliveries. Both
//! have a scope, an owner, a reason and an end, and are looked up by scope and event time.

mod apply;
mod control;
mod in_force;
mod read;

#[cfg(test)]
mod tests;

pub use control::{
    Assignment, ControlEntry, Disposition, Exemption, Kind, Opinion, SPAN_MS_MAX, Scope, Silence,
    SourceRemoved,
};
pub use in_force::{CONTROLS_MAX, Full, InForce, Subject};
pub use read::{ControlFault, control, entity_of};
