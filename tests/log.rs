//! The scenarios of `support/conformance.rs` on the log in memory.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

#[path = "support/conformance.rs"]
mod conformance;

use conformance::{Member, World};
use deskwarden::edge::log::memory::{MemberSettings, MemoryBroker, MemoryLog};

impl World for MemoryBroker {
    type L = MemoryLog;

    fn topic(&self, name: &str, partitions: i32) -> String {
        self.create_topic(name, partitions);
        name.to_owned()
    }

    fn connect(&self, member: Member) -> MemoryLog {
        Self::connect(
            self,
            MemberSettings {
                group: member.group,
                instance: Some(member.instance),
                transactional_id: member.transactional_id,
                topics: member.topics,
            },
        )
    }
}

#[test]
fn committed_is_seen_and_aborted_is_not() {
    conformance::committed_is_seen_and_aborted_is_not(&MemoryBroker::default());
}

#[test]
fn offsets_move_with_their_transaction() {
    conformance::offsets_move_with_their_transaction(&MemoryBroker::default());
}

#[test]
fn a_restore_ends_at_the_high_watermark() {
    conformance::a_restore_ends_at_the_high_watermark(&MemoryBroker::default());
}

#[test]
fn a_second_producer_fences_the_first() {
    conformance::a_second_producer_fences_the_first(&MemoryBroker::default());
}

#[test]
fn renewal_takes_back_what_was_open() {
    conformance::renewal_takes_back_what_was_open(&MemoryBroker::default());
}

#[test]
fn a_pause_loses_nothing() {
    conformance::a_pause_loses_nothing(&MemoryBroker::default());
}

#[test]
fn partitions_are_handed_over() {
    conformance::partitions_are_handed_over(&MemoryBroker::default());
}

#[test]
fn ends_are_told_for_each_topic() {
    conformance::ends_are_told_for_each_topic(&MemoryBroker::default());
}

#[test]
fn a_replaced_member_commits_nothing() {
    conformance::a_replaced_member_commits_nothing(&MemoryBroker::default());
}
