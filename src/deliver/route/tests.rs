//! Every row of the table of decisions, and the boundaries of floors.

use super::*;
use crate::deliver::alert::{AlertRecord, Subject};
use crate::deliver::notice::{Pattern, Standing, tests::sample};

fn reached(severity_id: u8, page: bool) -> Reached {
    Reached { severity_id, page }
}

/// A revision by severity and page now, before and at its peak.
fn notice(now: (u8, bool), before: (u8, bool), peak: (u8, bool)) -> Notice {
    let mut notice = sample();
    notice.alert = AlertRecord {
        activity: Activity::Updated,
        severity_id: now.0,
        page: now.1,
        subject: Subject {
            tier: "executive".into(),
            ..Subject::default()
        },
        ..notice.alert
    };
    notice.before = reached(before.0, before.1);
    notice.peak = reached(peak.0, peak.1);
    notice
}

fn route(floor: Floor) -> Route {
    Route {
        floor,
        tiers: Vec::new(),
        patterns: Vec::new(),
    }
}

const NOTHING: (u8, bool) = (0, false);

#[test]
fn a_floor_of_severity() {
    use Decision::{Trigger, Update, Withhold};
    use Withheld::{BelowFloor, Informational};
    let table = [
        // floor, now, before, peak
        (3, (3, false), NOTHING, (3, false), Trigger),
        (3, (2, false), NOTHING, (2, false), Withhold(BelowFloor)),
        (3, (4, false), (3, false), (4, false), Trigger),
        (3, (3, false), (3, false), (3, false), Update),
        (3, (3, false), (4, false), (4, false), Update),
        // From below the floor to it.
        (3, (3, false), (2, false), (3, false), Trigger),
        // The page turns true, the severity stays; it turns false.
        (3, (4, true), (4, false), (4, true), Trigger),
        (3, (4, true), (4, true), (4, true), Update),
        (3, (4, false), (4, true), (4, true), Update),
        // Below the floor: an update where the peak reached it.
        (3, (2, false), (3, false), (3, false), Update),
        (3, (1, false), (4, true), (5, true), Update),
        (4, (3, false), (2, false), (3, false), Withhold(BelowFloor)),
        // Informational never, whatever the floor says.
        (0, (1, false), NOTHING, (1, false), Withhold(Informational)),
        (1, (1, false), NOTHING, (1, false), Withhold(Informational)),
        (
            1,
            (1, false),
            (1, false),
            (1, false),
            Withhold(Informational),
        ),
        (1, (2, false), (1, false), (2, false), Trigger),
        (1, (1, false), (2, false), (2, false), Update),
        // The highest floor.
        (5, (5, true), (4, true), (5, true), Trigger),
        (5, (4, true), NOTHING, (4, true), Withhold(BelowFloor)),
    ];
    for (least, now, before, peak, expected) in table {
        let decision = route(Floor::Severity(least)).decide(&notice(now, before, peak));
        assert_eq!(decision, expected, "{least} {now:?} {before:?} {peak:?}");
    }
}

#[test]
fn a_floor_of_a_pager() {
    use Decision::{Trigger, Update, Withhold};
    use Withheld::BelowFloor;
    let table = [
        (5, (5, true), NOTHING, (5, true), Trigger),
        (5, (4, true), NOTHING, (4, true), Withhold(BelowFloor)),
        (5, (5, false), NOTHING, (5, false), Withhold(BelowFloor)),
        (4, (4, true), NOTHING, (4, true), Trigger),
        (4, (4, false), NOTHING, (4, false), Withhold(BelowFloor)),
        (4, (4, true), (4, false), (4, true), Trigger),
        (4, (5, true), (4, true), (5, true), Trigger),
        (4, (4, true), (5, true), (5, true), Update),
        (4, (4, false), (4, true), (4, true), Update),
        (5, (4, true), (5, true), (5, true), Update),
        (5, (5, true), (5, true), (5, true), Update),
    ];
    for (from, now, before, peak, expected) in table {
        let decision = route(Floor::Page(from)).decide(&notice(now, before, peak));
        assert_eq!(decision, expected, "{from} {now:?} {before:?} {peak:?}");
    }
}

#[test]
fn a_close_resolves_where_the_peak_reached_the_floor() {
    let table = [
        (Floor::Severity(3), (3, false), true),
        (Floor::Severity(3), (2, false), false),
        (Floor::Severity(3), NOTHING, false),
        (Floor::Severity(1), (1, false), false),
        (Floor::Severity(1), (2, false), true),
        (Floor::Page(4), (4, true), true),
        (Floor::Page(4), (4, false), false),
        (Floor::Page(5), (4, true), false),
    ];
    for (floor, peak, resolves) in table {
        let mut closed = notice((1, false), (1, false), peak);
        closed.alert.activity = Activity::Closed;
        let decision = route(floor).decide(&closed);
        assert_eq!(
            decision == Decision::Resolve,
            resolves,
            "{floor:?} {peak:?}"
        );
        assert_eq!(matches!(decision, Decision::Withhold(_)), !resolves);
        // A silence and a campaign change nothing of it.
        closed.is_suppressed = true;
        closed.campaign = Some("9f".into());
        assert_eq!(route(floor).decide(&closed), decision);
    }
}

#[test]
fn silences_and_campaigns_keep_still() {
    let route = route(Floor::Severity(2));
    for activity in [Activity::Created, Activity::Updated] {
        let mut notice = notice((5, true), NOTHING, NOTHING);
        notice.alert.activity = activity;
        assert_eq!(route.decide(&notice), Decision::Trigger);
        notice.is_suppressed = true;
        assert_eq!(
            route.decide(&notice),
            Decision::Withhold(Withheld::Silenced)
        );
        notice.is_suppressed = false;
        notice.campaign = Some("9f".into());
        assert_eq!(route.decide(&notice), Decision::Withhold(Withheld::Member));
    }
    // What was withheld is a trigger with the next revision after the silence.
    let after = notice((5, true), NOTHING, (5, true));
    assert_eq!(route.decide(&after), Decision::Trigger);
}

#[test]
fn tiers_and_patterns_select() {
    let mut notice = notice((5, true), NOTHING, (5, true));
    let pattern = |id: &str, standing| Pattern {
        id: id.into(),
        title: String::new(),
        points: 0,
        standing,
    };
    notice.patterns = vec![
        pattern("HDT-04b", Standing::Active),
        pattern("HDT-01", Standing::Retracted),
    ];
    let with = |tiers: &[&str], patterns: &[&str]| Route {
        floor: Floor::Severity(2),
        tiers: tiers.iter().map(ToString::to_string).collect(),
        patterns: patterns.iter().map(ToString::to_string).collect(),
    };
    let table = [
        (with(&["executive"], &[]), Decision::Trigger),
        (with(&["standard", "executive"], &[]), Decision::Trigger),
        (with(&["standard"], &[]), Decision::Withhold(Withheld::Tier)),
        (with(&[], &["HDT-04"]), Decision::Trigger),
        (with(&[], &["hdt-04B"]), Decision::Trigger),
        (
            with(&[], &["HDT-04a"]),
            Decision::Withhold(Withheld::Pattern),
        ),
        (with(&[], &["HDT-0"]), Decision::Withhold(Withheld::Pattern)),
        (with(&[], &["HDT-12", "HDT-01"]), Decision::Trigger),
        (
            with(&[], &["HDT-12"]),
            Decision::Withhold(Withheld::Pattern),
        ),
    ];
    for (route, expected) in table {
        assert_eq!(route.decide(&notice), expected, "{route:?}");
    }
    // A pattern that was taken back still brings the end of what it began.
    notice.alert.activity = Activity::Closed;
    let by_retracted = with(&[], &["HDT-01"]);
    assert_eq!(by_retracted.decide(&notice), Decision::Resolve);
}

#[test]
fn words_are_distinct() {
    let words: std::collections::BTreeSet<&str> =
        Withheld::ALL.iter().map(|w| w.as_str()).collect();
    assert_eq!(words.len(), Withheld::ALL.len());
}
