//! What receivers get of real documents: golden messages, the vendors' schemas and limits, hostile text
//! in every field, and no name where none may leave.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    clippy::too_many_lines,
    unreachable_pub,
    missing_docs,
    reason = "a test may panic"
)]

#[path = "support/golden.rs"]
mod golden;

#[path = "deliver/receivers.rs"]
mod receivers;

#[path = "deliver/goldens.rs"]
mod goldens;

#[path = "deliver/hostile.rs"]
mod hostile;

#[path = "deliver/names.rs"]
mod names;

#[path = "deliver/protocols.rs"]
mod protocols;
