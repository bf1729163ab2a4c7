//! Everything that touches the world: it does, it never decides.

pub mod clock;
pub mod commands;
pub mod kafka;
pub mod log;
pub mod stages;
