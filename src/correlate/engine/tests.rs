//! Obligations, retraction, duplicates, and that a cycle can be undone or restored.

use super::*;
use crate::collect::event::{Action, Device, Domain, Outcome, Role, TicketRef};
use crate::collect::time::{DAY_MS, HOUR_MS};
use crate::correlate::baseline;
use crate::correlate::case::QUIET_MS;
use crate::correlate::control::SourceDeclared;
use crate::correlate::entity_state::LATENESS_MS;
use crate::correlate::partition_state::RELAY_GRACE_MS;
use crate::correlate::rules::{self, rule::Evidence};

const START: Timestamp = Timestamp(1_772_442_000_000);
const TOPIC: &str = "tickets";

fn setup() -> Arc<Setup> {
    let rules = rules::embedded_set().unwrap_or_else(|faults| panic!("{}", faults[0]));
    Arc::new(Setup::new("test", Arc::new(rules)))
}

fn declared(engine: &mut Engine) {
    engine.declare(
        "desk",
        Some(&SourceDeclared::new("desk", TOPIC, &[Evidence::Ticket])),
    );
}

fn role(id: &str) -> Option<Box<Role>> {
    Some(Box::new(Role::resolved(id)))
}

fn reset() -> Event {
    let mut event = Event::new(Domain::Idp, Action::CredentialPasswordReset, START);
    event.event_id.0 = [1; 16];
    event.outcome = Outcome::Success;
    event.target = role("T");
    event.agent = role("A");
    event
}

fn person() -> Entity {
    Entity::new(EntityKind::Identity, "T")
}

fn state(engine: &Engine) -> EntityState {
    engine.state(&person()).unwrap().unwrap_or_default()
}

fn rules_of(engine: &Engine) -> Vec<String> {
    state(engine).findings.into_iter().map(|f| f.rule).collect()
}

fn watermark(engine: &mut Engine, watermark: Timestamp) {
    engine.handle_watermarks(&[SourceWatermark {
        topic: TOPIC.into(),
        partition: 0,
        domains: Vec::new(),
        watermark,
        at_end: false,
    }]);
}

fn advance(engine: &mut Engine, log_ts: Timestamp) -> Effects {
    let mut effects = Effects::default();
    engine.advance(log_ts, &mut effects);
    effects
}

fn event(engine: &mut Engine, entity: &Entity, event: &Event) -> Effects {
    let mut effects = Effects::default();
    engine.handle_event(entity, event, &mut effects);
    effects
}

fn relay(engine: &mut Engine, entity: &Entity, relay: Relay) -> Effects {
    let mut effects = Effects::default();
    engine.handle_relay(entity, relay, &mut effects);
    effects
}

fn commit(engine: &mut Engine) -> Vec<Change> {
    let changes = engine.changes();
    engine.commit(&changes);
    changes
}

/// An engine in which a reset without a ticket was just seen.
fn owed() -> Engine {
    let mut engine = Engine::new(setup());
    declared(&mut engine);
    advance(&mut engine, START);
    event(&mut engine, &person(), &reset());
    engine
}

#[test]
fn an_obligation_speaks_after_its_deadline_and_the_grace_for_relays() {
    let mut engine = owed();
    let deadline = START.plus(30 * MINUTE_MS);
    let mut login = Event::new(Domain::Idp, Action::AuthLogin, START.plus(1));
    login.event_id.0 = [3; 16];
    login.target = role("T");
    assert!(
        event(&mut engine, &person(), &login).is_empty(),
        "not decided yet"
    );
    watermark(&mut engine, deadline);
    let seen = START.plus(MINUTE_MS);
    assert!(advance(&mut engine, seen).is_empty(), "not passed yet");
    watermark(&mut engine, deadline.plus(1));
    let ripe = seen.plus(999 + RELAY_GRACE_MS);
    assert!(advance(&mut engine, ripe.minus(1)).is_empty());
    let effects = advance(&mut engine, ripe);
    assert_eq!(effects.alerts.len(), 1);
    assert_eq!(rules_of(&engine), ["HDT-01"]);
    let time = effects.alerts[0].revision.case.time;
    assert_eq!(time, deadline, "the deadline's time, no later one");
    assert!(advance(&mut engine, seen.plus(HOUR_MS)).is_empty(), "once");
    assert!(state(&engine).obligations.values().all(|o| !o.forced));
}

#[test]
fn a_stuck_source_does_not_mute_it_for_good() {
    let mut engine = owed();
    let longest = START.plus(30 * MINUTE_MS + MAX_WAIT_MS);
    assert!(advance(&mut engine, longest.minus(1)).is_empty());
    assert_eq!(advance(&mut engine, longest).alerts.len(), 1);
    assert!(
        state(&engine)
            .obligations
            .values()
            .all(|o| o.decided && o.forced)
    );
}

#[test]
fn what_opens_after_the_watermark_still_gets_its_grace() {
    let mut engine = Engine::new(setup());
    declared(&mut engine);
    advance(&mut engine, START);
    watermark(&mut engine, START.plus(DAY_MS));
    let late = START.plus(HOUR_MS);
    advance(&mut engine, late);
    event(&mut engine, &person(), &reset());
    assert!(advance(&mut engine, late.plus(RELAY_GRACE_MS - 1)).is_empty());
    assert_eq!(
        advance(&mut engine, late.plus(RELAY_GRACE_MS)).alerts.len(),
        1
    );
}

#[test]
fn what_nobody_records_is_not_missing() {
    let mut engine = Engine::new(setup());
    advance(&mut engine, START);
    event(&mut engine, &person(), &reset());
    watermark(&mut engine, START.plus(DAY_MS));
    assert!(advance(&mut engine, START.plus(100 * HOUR_MS)).is_empty());
    assert!(rules_of(&engine).is_empty());
}

#[test]
fn late_evidence_takes_the_finding_back_under_the_same_alert() {
    let mut engine = owed();
    let first = advance(&mut engine, START.plus(HOUR_MS))
        .alerts
        .remove(0)
        .revision;
    assert_eq!((first.case.revision, first.case.is_closed()), (1, false));
    let mut opened = Event::new(Domain::Ticket, Action::TicketOpened, START.minus(MINUTE_MS));
    opened.event_id.0 = [2; 16];
    opened.requester = role("T");
    opened.ticket_ref = Some(Box::new(TicketRef {
        system: "d".into(),
        id: "t".into(),
        ..Default::default()
    }));
    let ticket = Entity::new(EntityKind::Ticket, "d:t");
    let told = event(&mut engine, &ticket, &opened).relays;
    assert_eq!(told.len(), 1);
    let (to, told) = told.into_iter().next().unwrap();
    let second = relay(&mut engine, &to, told.clone())
        .alerts
        .remove(0)
        .revision;
    assert_eq!(second.case.alert_id, first.case.alert_id);
    assert_eq!((second.case.revision, second.case.is_closed()), (2, true));
    assert!(
        relay(&mut engine, &to, told).is_empty(),
        "no news, no revision"
    );
    let mut again = opened.clone();
    again.event_id.0 = [4; 16];
    assert!(
        event(&mut engine, &ticket, &again).is_empty(),
        "an equal relay is not sent"
    );
}

#[test]
fn a_duplicate_has_no_effect() {
    let mut engine = owed();
    let effects = event(&mut engine, &person(), &reset());
    assert!(effects.is_empty());
    assert_eq!(effects.counts.duplicates, 1);
}

#[test]
fn a_case_closes_when_it_was_quiet_and_its_anchor_opens_no_second_one() {
    let mut engine = owed();
    advance(&mut engine, START.plus(HOUR_MS));
    let ends = START.plus(QUIET_MS);
    watermark(&mut engine, ends);
    assert!(advance(&mut engine, START.plus(2 * HOUR_MS)).is_empty());
    watermark(&mut engine, ends.plus(1));
    let closed = advance(&mut engine, START.plus(3 * HOUR_MS))
        .alerts
        .remove(0)
        .revision;
    assert!(closed.case.is_closed() && closed.case.revision == 2);
    let mut login = Event::new(Domain::Idp, Action::AuthLogin, ends);
    login.event_id.0 = [3; 16];
    login.target = role("T");
    assert!(event(&mut engine, &person(), &login).is_empty());
    assert!(rules_of(&engine).is_empty());
}

#[test]
fn an_undone_cycle_leaves_nothing_behind() {
    let mut engine = owed();
    commit(&mut engine);
    let (before, position) = (engine.entities(), engine.partition().clone());
    let saved = state(&engine);
    let due = START.plus(30 * MINUTE_MS + MAX_WAIT_MS);
    let first = advance(&mut engine, due);
    let mut other = reset();
    other.event_id.0 = [9; 16];
    other.target = role("U");
    event(&mut engine, &Entity::new(EntityKind::Identity, "U"), &other);
    watermark(&mut engine, START);
    engine.declare("desk", None);
    engine.take_counts();
    engine.handle_control(
        "exemption/x",
        Some(b"no JSON"),
        None,
        &mut Effects::default(),
    );
    engine.read_to(77);
    engine.rollback();
    assert_eq!(engine.take_counts(), Counts::NONE, "it is counted again");
    assert_eq!((engine.entities(), engine.partition()), (before, &position));
    assert_eq!(state(&engine), saved);
    assert_eq!(advance(&mut engine, due), first, "the alarms are set again");
}

#[test]
fn a_restored_engine_goes_on_as_if_nothing_had_been() {
    let mut engine = owed();
    engine.read_to(5);
    let mut restore = Engine::restore(setup());
    for change in commit(&mut engine) {
        restore
            .take(change.key.as_bytes(), change.value.as_deref())
            .unwrap();
    }
    let mut back = restore.finish().unwrap();
    assert_eq!(back.partition(), engine.partition());
    assert_eq!(back.controls(), engine.controls());
    assert_eq!(state(&back), state(&engine));
    let due = START.plus(30 * MINUTE_MS + MAX_WAIT_MS);
    assert_eq!(advance(&mut back, due), advance(&mut engine, due));
}

#[test]
fn damaged_or_newer_records_refuse_the_partition() {
    for (key, value) in [
        ("identity|T", &b"\x09"[..]),
        ("identity|T", b""),
        ("nothing", b"\x01"),
        (POSITION_KEY, b"\x07"),
        (POSITION_KEY, b"\x01"),
        ("__control/x", b"\xff"),
    ] {
        let mut restore = Engine::restore(setup());
        assert!(
            restore.take(key.as_bytes(), Some(value)).is_err(),
            "{key} {value:?}"
        );
    }
}

fn use_of_app(time: Timestamp, id: u8) -> Event {
    let mut event = Event::new(Domain::Idp, Action::AuthAppAccess, time);
    event.event_id.0 = [id; 16];
    event.outcome = Outcome::Success;
    event.target = role("T");
    event.device = Some(Box::new(Device {
        id: Some("d".into()),
        ..Device::default()
    }));
    event
}

/// Applies an event as a block would bring it.
fn entry(engine: &mut Engine, event: &Event) -> Effects {
    entry_of(engine, &person(), event)
}

fn entry_of(engine: &mut Engine, entity: &Entity, event: &Event) -> Effects {
    let mut buffer = Vec::new();
    let encoded = block::encode_event(event);
    let entry = Entry::copy(event, &encoded, entity, &mut buffer);
    let mut effects = Effects::default();
    engine.handle(&entry, &mut effects).unwrap();
    effects
}

#[test]
fn everyday_traffic_writes_state_once_a_day() {
    let mut engine = Engine::new(setup());
    let mut written = 0;
    for n in 0..50_u8 {
        let time = START.plus(i64::from(n) * 2 * HOUR_MS);
        entry(&mut engine, &use_of_app(time, n));
        written += commit(&mut engine).len() - 1;
    }
    // Until the device has settled each use is kept; from then on each day is noted once.
    assert_eq!(written, 12 + 3, "{:?}", engine.take_counts());
    let held = state(&engine);
    assert_eq!(held.window.facts().len(), 12);
    assert!(
        held.baseline
            .has(baseline::Kind::Device, "d", START.plus(2 * DAY_MS))
    );
}

/// What shows at a glance is remembered as if the event had been decoded: days of use and of another
/// device, in one cycle or many, and after a cycle that was undone.
#[test]
fn what_shows_at_a_glance_is_remembered_as_if_it_had_been_decoded() {
    let used = |days: i64, device: &str, id: u8| {
        let mut event = use_of_app(START.plus(days * DAY_MS + i64::from(id)), id);
        event.device.get_or_insert_default().id = Some(device.into());
        event
    };
    let days = [
        used(0, "d", 1),
        used(9, "d", 2),
        used(20, "d", 3),
        used(22, "d", 4),
        used(21, "d", 5),
        used(41, "e", 6),
        used(55, "e", 7),
        used(56, "d", 8),
    ];
    for cycle_len in 1..=days.len() {
        let (mut glancing, mut decoding) = (Engine::new(setup()), Engine::new(setup()));
        for engine in [&mut glancing, &mut decoding] {
            declared(engine);
            commit(engine);
        }
        for (number, cycle) in days.chunks(cycle_len).enumerate() {
            for undone in [true, false] {
                for day in cycle {
                    for engine in [&mut glancing, &mut decoding] {
                        watermark(engine, day.time.minus(DAY_MS));
                        advance(engine, day.time);
                    }
                    entry(&mut glancing, day);
                    event(&mut decoding, &person(), day);
                }
                if undone {
                    glancing.rollback();
                    decoding.rollback();
                }
            }
            let (one, other) = (commit(&mut glancing), commit(&mut decoding));
            assert_eq!(one, other, "cycle {number} of {cycle_len}");
        }
    }
}

#[test]
fn of_an_event_that_no_rule_reads_its_day_is_remembered() {
    let rules = &setup().rules;
    let pairs = EntityKind::ALL
        .into_iter()
        .flat_map(|kind| Action::ALL.map(|action| (kind, action)));
    let unread: Vec<_> = pairs
        .filter(|(kind, action)| {
            *kind != EntityKind::Identity
                && !concerns_nobody(*action)
                && !rules.may_keep(*kind, *action, Outcome::Success)
        })
        .collect();
    assert!(!unread.is_empty());
    for (kind, action) in unread {
        let (mut glancing, mut decoding) = (Engine::new(setup()), Engine::new(setup()));
        let entity = Entity::new(kind, "x");
        for (day, id) in [(0, 1), (2, 2), (1, 3)] {
            let mut seen = use_of_app(START.plus(day * DAY_MS), id);
            seen.action = action;
            entry_of(&mut glancing, &entity, &seen);
            event(&mut decoding, &entity, &seen);
        }
        let changes = commit(&mut glancing);
        assert_eq!(changes.len(), 2, "{kind:?} {action:?}");
        assert_eq!(changes, commit(&mut decoding), "{kind:?} {action:?}");
    }
}

/// A busy person is in nearly every cycle: their everyday traffic is passed over there, too.
#[test]
fn everyday_traffic_is_passed_over_within_a_cycle() {
    let mut engine = Engine::new(setup());
    entry(&mut engine, &use_of_app(START, 0));
    commit(&mut engine);
    let later = START.plus(3 * DAY_MS);
    engine.take_counts();
    for n in 1..=5_u8 {
        entry(&mut engine, &use_of_app(later.plus(i64::from(n)), n));
    }
    let mut other = use_of_app(later.plus(9), 9);
    other.device.get_or_insert_default().id = Some("another".into());
    entry(&mut engine, &other);
    let counts = engine.take_counts();
    assert_eq!(
        (counts.events, counts.everyday),
        (6, 4),
        "the first of the day is noted"
    );
    assert_eq!(
        state(&engine).window.facts().len(),
        2,
        "before the device settled, and another one"
    );
}

#[test]
fn what_no_window_reads_any_more_is_forgotten() {
    let mut engine = owed();
    advance(&mut engine, START.plus(HOUR_MS));
    watermark(&mut engine, START.plus(QUIET_MS + HOUR_MS));
    advance(&mut engine, START.plus(2 * HOUR_MS));
    watermark(&mut engine, START.plus(9 * DAY_MS + LATENESS_MS));
    event(
        &mut engine,
        &person(),
        &use_of_app(START.plus(9 * DAY_MS), 8),
    );
    let held = state(&engine);
    assert_eq!(held.window.facts().len(), 1);
    assert!(held.obligations.is_empty() && held.cases.is_empty());
}

#[test]
fn an_expired_person_is_as_good_as_new_and_taken_away() {
    let mut engine = Engine::new(setup());
    declared(&mut engine);
    advance(&mut engine, START);
    event(&mut engine, &person(), &use_of_app(START, 1));
    commit(&mut engine);
    watermark(&mut engine, START.plus(92 * DAY_MS));
    commit(&mut engine);
    let later = START.plus(92 * DAY_MS);
    let mut restarted = Engine::new(setup());
    std::mem::swap(&mut restarted.store, &mut engine.store);
    restarted.partition = engine.partition.clone();
    event(&mut restarted, &person(), &use_of_app(later, 2));
    assert_eq!(
        state(&restarted).window.facts().len(),
        1,
        "before it was taken away"
    );
    restarted.rollback();
    advance(&mut restarted, later);
    let changes = commit(&mut restarted);
    assert_eq!(
        changes[0],
        Change {
            key: "identity|T".into(),
            value: None
        }
    );
    assert!(restarted.entities().is_empty());
}

#[test]
fn of_too_many_the_coldest_go_and_never_who_is_in_a_case() {
    let mut limited = (*setup()).clone();
    limited.entities_max = [3; 7];
    let mut engine = Engine::new(Arc::new(limited));
    declared(&mut engine);
    advance(&mut engine, START);
    event(&mut engine, &person(), &reset());
    for n in 0..5_u8 {
        let mut other = use_of_app(START.plus(i64::from(n) * DAY_MS), 10 + n);
        other.target = role(&format!("U{n}"));
        let entity = Entity::new(EntityKind::Identity, format!("U{n}"));
        event(&mut engine, &entity, &other);
        commit(&mut engine);
    }
    let held: Vec<String> = engine.entities().into_iter().map(|e| e.id).collect();
    assert_eq!(held, ["T", "U3", "U4"]);
    assert_eq!(engine.take_counts().evicted.iter().sum::<usize>(), 3);
}
