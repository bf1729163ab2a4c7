//! Tests of the life of a case.

use super::*;
use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::Tier;
use crate::collect::time::MINUTE_MS;
use crate::correlate::exempt::{Disposition, InForce, Opinion, control};
use crate::correlate::score::Family;

const T0: Timestamp = Timestamp(1_772_442_000_000);

fn person() -> Entity {
    Entity::new(EntityKind::Identity, "T")
}

/// A finding `n` minutes after the start, worth `points`, that cites its anchor `n` and event `n + 100`.
fn finding(n: u8, pattern: &str, points: i64) -> Finding {
    let time = T0.plus(i64::from(n) * MINUTE_MS);
    let mut finding = Finding {
        id: EventId([n; 16]),
        pattern: pattern.into(),
        rule: pattern.into(),
        version: 1,
        family: Family::Sequence,
        anchor: EventId([n; 16]),
        anchor_time: time,
        time,
        evidence: vec![EventId([n; 16]), EventId([n + 100; 16])],
        span: (time, time.plus(1)),
        tier: Tier::Standard,
        points,
        bonuses: Vec::new(),
        lowers: true,
        counters: Vec::new(),
        one_call: false,
        value_cp: 0,
        threshold: (1, 1),
        suppressed: None,
        forced: false,
        relayed_from: None,
    };
    finding.value();
    finding
}

struct World {
    entity: Entity,
    cases: Cases,
    in_force: InForce,
    horizon: Timestamp,
    cause: Option<(EventId, Timestamp)>,
}

impl World {
    fn new() -> Self {
        Self {
            entity: person(),
            cases: Cases::default(),
            in_force: InForce::new(),
            horizon: Timestamp::MIN,
            cause: None,
        }
    }

    fn judge(&mut self, findings: &[Finding]) -> Option<Revision> {
        self.cases.revise(&Judged {
            entity: &self.entity,
            findings,
            only_weak: false,
            cause: self.cause,
            horizon: self.horizon,
            in_force: &self.in_force,
        })
    }

    fn close(&mut self, reason: Closing, time: Timestamp) -> Option<Revision> {
        self.cases.close(
            reason,
            &End {
                entity: &self.entity,
                in_force: &self.in_force,
                time,
            },
        )
    }

    fn dispose(&mut self, alert: EventId, revision: u32) -> Option<Revision> {
        let disposition = Disposition {
            alert,
            entity: person(),
            revision,
            verdict: Opinion::Benign,
            owner: "soc".into(),
            reason: "known".into(),
        };
        self.cases.dispose(
            &disposition,
            &End {
                entity: &self.entity,
                in_force: &self.in_force,
                time: T0,
            },
        )
    }
}

fn told(revision: &Revision) -> (u8, u32, Activity, i64) {
    (
        revision.case.alert_id.0[0],
        revision.case.revision,
        revision.activity,
        revision.judgement.total.score(),
    )
}

#[test]
fn a_revision_needs_a_change_that_counts() {
    let mut world = World::new();
    assert_eq!(world.judge(&[]), None);
    let first = world.judge(&[finding(2, "HDT-04", 45)]).unwrap();
    assert_eq!(told(&first), (2, 1, Activity::Create, 45));
    assert_eq!(
        (first.before, first.case.created),
        (None, finding(2, "HDT-04", 45).time)
    );

    // More evidence, no more points: nothing is published, but the quiet period begins anew.
    let mut grown = finding(2, "HDT-04", 45);
    grown.evidence.push(EventId([250; 16]));
    grown.span.1 = T0.plus(5 * HOUR_MS);
    assert_eq!(world.judge(&[grown.clone()]), None);
    let open = world.cases.open.as_ref().unwrap();
    assert_eq!(open.closes_at(), T0.plus(33 * HOUR_MS));
    assert!(open.cites(EventId([250; 16])) && !open.cites(EventId([251; 16])));

    // An earlier finding joins: the alert keeps its id.
    let second = world.judge(&[finding(1, "HDT-05", 60), grown]).unwrap();
    assert_eq!(told(&second), (2, 2, Activity::Update, 70));
    assert_eq!(second.case.first, T0.plus(MINUTE_MS));
    assert_eq!(second.before, Some(first.case.verdict));
}

#[test]
fn a_struck_finding_stays_listed_with_what_ended_it() {
    let mut world = World::new();
    world.judge(&[finding(1, "HDT-01", 45), finding(2, "HDT-04", 45)]);
    let ender = (EventId([9; 16]), T0.plus(9 * MINUTE_MS));
    world.cause = Some(ender);
    let revision = world.judge(&[finding(2, "HDT-04", 45)]).unwrap();
    assert_eq!(told(&revision), (1, 2, Activity::Update, 45));
    assert_eq!(revision.case.struck.len(), 1);
    assert_eq!(revision.case.struck[0].by, Some(ender.0));
    assert_eq!(revision.case.time, ender.1, "the time of what ended it");
    assert!(revision.case.cites(ender.0));

    // It holds again: active, not struck.
    world.cause = None;
    let back = world
        .judge(&[finding(1, "HDT-01", 45), finding(2, "HDT-04", 45)])
        .unwrap();
    assert!(back.case.struck.is_empty() && back.case.findings.len() == 2);
}

#[test]
fn a_finding_whose_anchor_moved_is_replaced() {
    let mut world = World::new();
    world.judge(&[finding(2, "HDT-04", 45)]);
    let mut moved = finding(1, "HDT-04", 45);
    moved.evidence = vec![EventId([1; 16]), EventId([2; 16])];
    let revision = world.judge(&[moved]).unwrap();
    assert!(revision.case.struck.is_empty());
    assert_eq!(told(&revision), (2, 2, Activity::Update, 45));
    // Without common evidence it is another finding.
    let other = world.judge(&[finding(7, "HDT-04", 45)]).unwrap();
    assert_eq!(other.case.struck.len(), 1);
}

#[test]
fn a_retracted_case_can_be_open_again_under_its_id() {
    let mut world = World::new();
    world.judge(&[finding(1, "HDT-01", 45)]);
    let closed = world.judge(&[]).unwrap();
    assert_eq!(told(&closed), (1, 2, Activity::Close, 0));
    assert_eq!(closed.case.closed, Some(Closing::Retracted));
    assert_eq!(world.judge(&[]), None);

    let again = world.judge(&[finding(1, "HDT-01", 45)]).unwrap();
    assert_eq!(told(&again), (1, 3, Activity::Update, 45));
    assert_eq!(again.case.closed, None);
    assert!(world.cases.retracted.is_empty());

    // Closed again; then another anchor opens another case, and the first finding joins that.
    world.judge(&[]);
    let other = world.judge(&[finding(5, "HDT-04", 45)]).unwrap();
    assert_eq!(told(&other), (5, 1, Activity::Create, 45));
    assert_eq!(other.case.previous, Some(EventId([1; 16])));
    let joined = world
        .judge(&[finding(1, "HDT-01", 45), finding(5, "HDT-04", 45)])
        .unwrap();
    assert_eq!(
        (joined.case.alert_id.0[0], joined.case.findings.len()),
        (5, 2)
    );
}

#[test]
fn after_a_final_closing_its_anchors_open_nothing() {
    let mut world = World::new();
    world.judge(&[finding(1, "HDT-01", 45), finding(2, "HDT-04", 45)]);
    world.judge(&[finding(2, "HDT-04", 45)]);
    let open = world.cases.open.clone().unwrap();
    let end = open.closes_at();
    assert_eq!(world.cases.due(end, false), None, "not passed yet");
    assert_eq!(
        world.cases.due(end.plus(1), true),
        None,
        "something is still owed"
    );
    assert_eq!(
        world.cases.due(end.plus(1), false),
        Some((Closing::QuietPeriod, end))
    );
    let closed = world.close(Closing::QuietPeriod, end).unwrap();
    assert_eq!(told(&closed), (1, 3, Activity::Close, 45));
    assert_eq!((closed.case.time, closed.case.verdict), (end, open.verdict));
    assert_eq!(world.close(Closing::QuietPeriod, end), None);

    // Neither the active nor the struck one comes back, whatever pattern stands on the anchor.
    let mut worse = finding(1, "HDT-03", 75);
    worse.id = EventId([77; 16]);
    assert_eq!(world.judge(&[worse, finding(2, "HDT-04", 70)]), None);
    let new = world
        .judge(&[finding(2, "HDT-04", 70), finding(3, "HDT-05", 60)])
        .unwrap();
    assert_eq!(told(&new), (3, 1, Activity::Create, 60));
    assert_eq!(new.case.previous, Some(EventId([1; 16])));
    world.cases.forget(T0.plus(HOUR_MS));
    assert!(world.cases.done.is_empty() && world.cases.last.is_some());
    world.judge(&[]);
    world.cases.forget(T0.plus(HOUR_MS));
    assert!(world.cases.is_empty(), "nothing is left to remember");
}

#[test]
fn a_week_ends_a_case_that_never_rests() {
    let mut world = World::new();
    let mut restless = finding(1, "HDT-07", 45);
    restless.span = (T0, T0.plus(6 * DAY_MS));
    world.judge(&[restless]);
    let end = T0.plus(AGE_MS_MAX);
    assert_eq!(
        world.cases.due(end.plus(1), false),
        Some((Closing::MaxAge, end))
    );
}

#[test]
fn what_is_not_judged_any_more_stays_as_it_was() {
    let mut world = World::new();
    world.judge(&[finding(1, "HDT-01", 45)]);
    world.horizon = T0.plus(HOUR_MS);
    assert_eq!(
        world.judge(&[]),
        None,
        "its evidence is forgotten, not contradicted"
    );
    assert_eq!(world.judge(&[finding(1, "HDT-01", 10)]), None);
    assert_eq!(
        world.judge(&[finding(3, "HDT-04", 45)]),
        None,
        "too old to be new"
    );
    let late = finding(90, "HDT-04", 45);
    assert_eq!(world.judge(&[late]).unwrap().case.findings.len(), 2);
}

#[test]
fn a_disposition_counts_for_the_revision_it_was_given_on() {
    let mut world = World::new();
    world.judge(&[finding(1, "HDT-01", 45)]);
    world.judge(&[finding(1, "HDT-01", 50)]);
    assert_eq!(world.dispose(EventId([1; 16]), 1), None, "an older one");
    assert_eq!(world.dispose(EventId([2; 16]), 2), None, "another alert");
    let closed = world.dispose(EventId([1; 16]), 2).unwrap();
    assert_eq!(closed.case.closed, Some(Closing::Disposition));
    assert_eq!(closed.disposition.unwrap().verdict, Opinion::Benign);
    assert_eq!(world.judge(&[finding(1, "HDT-01", 45)]), None);
}

#[test]
fn a_silence_keeps_a_revision_out_of_before_and_peak() {
    let silence =
        br#"{"kind":"silence","scope":{"patterns":["HDT-04"]},"owner":"soc","reason":"exercise",
        "valid_from":"2026-03-01T00:00:00Z","valid_to":"2026-03-03T00:00:00Z"}"#;
    let mut world = World::new();
    world
        .in_force
        .put("s", control("s", silence).unwrap())
        .unwrap();
    let first = world.judge(&[finding(1, "HDT-04", 90)]).unwrap();
    assert!(first.case.silenced);
    assert_eq!(
        (first.before, first.case.said, first.case.peak),
        (None, None, None)
    );
    // A pattern that nobody silenced breaks the silence, and rises from nothing.
    let second = world
        .judge(&[finding(1, "HDT-04", 90), finding(2, "HDT-15", 25)])
        .unwrap();
    assert!(!second.case.silenced);
    assert_eq!(second.before, None);
    assert_eq!(second.case.peak, Some(second.case.verdict));
}

#[test]
fn a_suppressed_finding_is_shown_and_worth_nothing() {
    let mut world = World::new();
    let mut quiet = finding(1, "HDT-01", 45);
    quiet.suppressed = Some("inc".into());
    quiet.value();
    let first = world.judge(&[quiet.clone()]).unwrap();
    assert_eq!(told(&first), (1, 1, Activity::Create, 0));
    let second = world.judge(&[finding(1, "HDT-01", 45)]).unwrap();
    assert_eq!(told(&second), (1, 2, Activity::Update, 45));
    let third = world.judge(&[quiet]).unwrap();
    assert_eq!(third.case.closed, None, "suppressed is not retracted");
}

#[test]
fn everything_remembered_is_bounded() {
    let mut world = World::new();
    let mut findings: Vec<Finding> = (0..100).map(|n| finding(n, "HDT-07", 45)).collect();
    for (n, finding) in findings.iter_mut().enumerate() {
        finding.evidence = vec![EventId([u8::try_from(n).unwrap(); 16])];
    }
    world.judge(&findings);
    let revision = world.judge(&findings[..1]).unwrap();
    assert_eq!(revision.case.struck.len(), STRUCK_MAX);
    assert_eq!(revision.case.struck_dropped, 67);
    assert_eq!(
        revision.case.struck[0].finding.id.0[0], 68,
        "the newest stay"
    );

    let mut world = World::new();
    for n in 0..10 {
        world.judge(&[finding(n, "HDT-01", 45)]);
        world.judge(&[]);
    }
    assert_eq!(world.cases.retracted.len(), RETRACTED_MAX);
    assert_eq!(
        world.judge(&[finding(0, "HDT-01", 45)]),
        None,
        "an id is never used twice"
    );
    assert!(world.judge(&[finding(9, "HDT-01", 45)]).is_some());
}

#[test]
fn a_weak_identity_and_a_pivot_never_page() {
    let strong = [finding(1, "HDT-04", 90), {
        let mut other = finding(2, "HDT-01", 90);
        other.family = Family::Governance;
        other
    }];
    let of = |kind, weak| Judgement::of(kind, &strong, weak).verdict.page;
    assert!(of(EntityKind::Identity, false));
    assert!(!of(EntityKind::Identity, true));
    assert!(!of(EntityKind::Ticket, false) && !of(EntityKind::Caller, false));
}
