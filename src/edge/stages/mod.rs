//! One run loop for each stage, generic over the log: what the simulation proves is the code that
//! ships.

pub mod audit;
pub mod collect;
pub mod control;
pub mod correlate;
mod cycle;
pub mod deliver;
mod directory;
mod follow;
pub mod sink;
#[cfg(test)]
pub(in crate::edge) mod tests;

pub use cycle::{LoopError, Progress, Pulse};
pub use directory::SharedDirectory;
