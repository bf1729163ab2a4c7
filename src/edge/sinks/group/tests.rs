//! What waits, for how long, and what is told of it.

use super::*;
use crate::collect::time::Timestamp;
use crate::deliver::notice::Notice;
use crate::edge::clock;
use crate::edge::log::OwnedRecord;

const CREATED: &str = include_str!("../../../../tests/ocsf/created.json");
const WAIT: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_secs(60);

/// A revision of a case, at the offset of its number.
fn ready(case: &str, revision: u64, decision: Decision) -> Ready {
    let mut notice = Notice::read(CREATED.as_bytes()).unwrap();
    notice.dedup_key = case.to_owned();
    notice.alert.revision = revision;
    Ready {
        notice,
        decision,
        record: OwnedRecord {
            partition: Partition::new("alerts", 1),
            offset: i64::try_from(revision).unwrap(),
            timestamp: Timestamp(0),
            key: None,
            headers: Vec::new(),
            value: None,
        },
    }
}

fn told(ready: &[Ready]) -> Vec<(u64, Decision)> {
    ready
        .iter()
        .map(|one| (one.notice.alert.revision, one.decision))
        .collect()
}

#[test]
fn first_revisions_gather_and_the_newest_is_told_as_a_call() {
    let begun = clock::monotonic();
    let at = |seconds| begun + Duration::from_secs(seconds);
    let mut groups = Groups::new(WAIT, Duration::ZERO);
    let taken = groups.take(ready("a", 1, Decision::Trigger), at(0));
    assert!(taken.now.is_empty() && !taken.is_superseded);
    assert_eq!(groups.firsts()[&Partition::new("alerts", 1)], 1);
    // What comes meanwhile does not put it off, whatever it says.
    for (second, revision, decision) in [(3, 2, Decision::Trigger), (9, 3, Decision::Update)] {
        let taken = groups.take(ready("a", revision, decision), at(second));
        assert!(taken.now.is_empty() && taken.is_superseded);
    }
    assert_eq!(groups.firsts()[&Partition::new("alerts", 1)], 3);
    assert!(groups.due(at(9)).is_empty());
    assert_eq!(told(&groups.due(at(10))), [(3, Decision::Trigger)]);
    assert!(groups.is_empty() && groups.firsts().is_empty());
    // Once it is told, nothing gathers any more.
    let taken = groups.take(ready("a", 4, Decision::Update), at(11));
    assert_eq!(told(&taken.now), [(4, Decision::Update)]);
}

#[test]
fn between_two_notices_lies_the_interval_but_a_rise_never_waits() {
    let begun = clock::monotonic();
    let at = |seconds| begun + Duration::from_secs(seconds);
    let mut groups = Groups::new(Duration::ZERO, INTERVAL);
    let taken = groups.take(ready("a", 1, Decision::Trigger), at(0));
    assert_eq!(told(&taken.now), [(1, Decision::Trigger)]);
    assert!(
        groups
            .take(ready("a", 2, Decision::Update), at(5))
            .now
            .is_empty()
    );
    // Another case does not wait for it.
    let other = groups.take(ready("b", 1, Decision::Trigger), at(6));
    assert_eq!(told(&other.now), [(1, Decision::Trigger)]);
    let rise = groups.take(ready("a", 3, Decision::Trigger), at(7));
    assert!(rise.is_superseded);
    assert_eq!(told(&rise.now), [(3, Decision::Trigger)]);
    assert!(groups.is_empty());
    // From then on it is counted; the end waits as well, and takes the place of what waits.
    assert!(
        groups
            .take(ready("a", 4, Decision::Update), at(30))
            .now
            .is_empty()
    );
    assert!(
        groups
            .take(ready("a", 5, Decision::Resolve), at(40))
            .is_superseded
    );
    assert!(groups.due(at(66)).is_empty());
    assert_eq!(told(&groups.due(at(67))), [(5, Decision::Resolve)]);
    // It is over: told at once.
    let later = groups.take(ready("a", 6, Decision::Update), at(127));
    assert_eq!(told(&later.now), [(6, Decision::Update)]);
}

#[test]
fn without_either_nothing_is_held() {
    let now = clock::monotonic();
    let mut groups = Groups::new(Duration::ZERO, Duration::ZERO);
    for revision in 1..5 {
        let taken = groups.take(ready("a", revision, Decision::Update), now);
        assert_eq!(told(&taken.now), [(revision, Decision::Update)]);
        assert!(!taken.is_superseded && groups.is_empty());
    }
    assert!(groups.told.is_empty());
}

#[test]
fn what_waits_and_what_is_known_is_bounded() {
    let now = clock::monotonic();
    let mut groups = Groups::new(WAIT, INTERVAL);
    for n in 0..HELD_MAX {
        let taken = groups.take(ready(&format!("{n:05}"), 1, Decision::Trigger), now);
        assert!(taken.now.is_empty());
    }
    let later = now + Duration::from_secs(1);
    let taken = groups.take(ready("x", 2, Decision::Trigger), later);
    assert_eq!(told(&taken.now), [(1, Decision::Trigger)]);
    assert_eq!(groups.len(), HELD_MAX);
    assert_eq!(groups.all(later).len(), HELD_MAX);
    for n in 0..TOLD_MAX + 5 {
        groups.tell(n.to_string(), later);
    }
    assert_eq!(
        (groups.told.len(), groups.order.len()),
        (TOLD_MAX, TOLD_MAX)
    );
    assert!(!groups.told.contains_key("4") && groups.told.contains_key("5"));
}

#[test]
fn what_waits_goes_with_its_partition() {
    let now = clock::monotonic();
    let mut groups = Groups::new(WAIT, INTERVAL);
    groups.take(ready("a", 1, Decision::Trigger), now);
    groups.forget(&Partition::new("alerts", 2));
    assert_eq!(groups.len(), 1);
    groups.forget(&Partition::new("alerts", 1));
    assert!(groups.is_empty());
}
