//! What is detected: rule files, compiled into operators over what is seen of one entity.

pub mod signal;
pub mod terms;
