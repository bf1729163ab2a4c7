//! Helpers shared by the test programs.

pub mod golden;
pub mod timeline;
