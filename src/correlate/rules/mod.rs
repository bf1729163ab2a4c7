//! What is detected: rule files, compiled into operators over what is seen of one entity.

pub mod absence;
pub mod count;
pub mod distinct;
pub mod first_seen;
pub mod rule;
pub mod sequence;
pub mod set;
pub mod signal;
pub mod single;
pub mod terms;
