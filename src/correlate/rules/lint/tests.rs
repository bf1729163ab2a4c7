//! Each fault is planted once and found where it stands; the shipped rules have none.

use super::*;
use crate::collect::time::HOUR_MS;
use crate::correlate::rules::fault::Gravity;
use crate::correlate::rules::{COMMON, embedded, load};

fn faults_of(text: &str, declared: &Declared) -> Vec<RuleFault> {
    let rules = load(COMMON, &[("hdt-77.yaml", text)]).unwrap_or_else(|f| panic!("{}", f[0]));
    lint(&RuleSet::new(rules), declared)
}

#[test]
fn the_shipped_rules_have_no_fault() {
    let rules = RuleSet::new(embedded().unwrap_or_else(|faults| panic!("{}", faults[0])));
    let faults: Vec<String> = lint(&rules, &Declared::everything())
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// A rule without a fault, to plant one in.
const RULE: &str = "\
id: HDT-77
title: Test
version: 1
description: Test.
evidence: callback
signals:
  reset: {set: $admin_recovery}
  callback: {set: $callback}
match:
  absence:
    after: reset
    expect: callback
    such_that: [\"of_record(callback, reset)\"]
    lookback: 60m
    deadline: 15m
    missing: call-back
when: [\"live_ticket(reset, -24h, 0)\"]
score: {points: 10, family: governance}
tests:
  - {name: a, events: [0 ticket.opened ticket=t requester=T, 1m mfa.removed target=T agent=A], expect: [\"identity|T @1m 10\"]}
  - {name: b, events: [1m mfa.removed target=T agent=T], expect: []}
";

const COUNT: &str = "\
id: HDT-78
title: Test
version: 1
description: Test.
signals:
  reset: {set: $admin_recovery}
  login: {set: $login}
match: {count: {signal: reset, any: [{gte: 3, within: 24h}]}}
score: {points: 10, family: velocity}
tests:
  - {name: a, events: [1m mfa.removed target=T agent=A], expect: [\"identity|T @1m 10\"]}
  - {name: b, events: [1m mfa.removed target=T agent=T], expect: []}
";

#[test]
fn the_rules_to_plant_in_have_no_fault() {
    for text in [RULE, COUNT] {
        assert_eq!(faults_of(text, &Declared::everything()), []);
    }
}

/// Plants one fault and expects one at the line and column where it stands, that says `what`.
#[track_caller]
fn plant(text: &str, (right, wrong): (&str, &str), (line, column): (u64, u64), what: &str) {
    assert!(text.contains(right), "{right}");
    let faults = faults_of(&text.replacen(right, wrong, 1), &Declared::everything());
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 1, "{shown:#?}");
    assert_eq!(
        (faults[0].line, faults[0].column),
        (line, column),
        "{}",
        shown[0]
    );
    assert!(faults[0].what.contains(what), "{}", shown[0]);
    assert!(
        faults[0].remedy.is_some() && faults[0].snippet.ends_with('^'),
        "{}",
        shown[0]
    );
    assert_eq!(faults[0].gravity, Gravity::Error);
}

#[test]
fn a_signal_whose_rows_contradict_each_other() {
    let set = "{set: $admin_recovery}";
    for wrong in [
        "{set: $admin_recovery, action: auth.login}",
        "{set: $admin_recovery, outcome: failure}",
        "{recovery: password, outcome: denied}",
        "{item: contact, action: ticket.opened}",
        "{callback: true, action: verify.result}",
        "{item: ticket, recovery: any}",
    ] {
        plant(RULE, (set, wrong), (7, 10), "can never match");
    }
}

#[test]
fn a_term_on_a_step_that_is_never_bound() {
    plant(
        RULE,
        (
            "live_ticket(reset, -24h, 0)",
            "within(callback, reset, 0, 5m)",
        ),
        (17, 8),
        "`callback` is never bound",
    );
    plant(
        COUNT,
        ("score:", "unless: [\"short_baseline(login)\"]\nscore:"),
        (9, 10),
        "`login` is never bound",
    );
}

#[test]
fn windows_that_hold_nothing_or_more_than_is_kept() {
    let when = "live_ticket(reset, -24h, 0)";
    let at = (17, 8);
    plant(
        RULE,
        (when, "live_ticket(reset, -8d, 0)"),
        at,
        "longest span kept",
    );
    plant(
        RULE,
        (when, "verified(reset, 1, 30d)"),
        at,
        "longest span kept",
    );
    plant(
        RULE,
        (when, "contact_by(voice, reset, 0, 0)"),
        at,
        "without length",
    );
}

#[test]
fn thresholds_that_are_never_reached() {
    let any = "[{gte: 3, within: 24h}]";
    let at = (8, 55);
    plant(
        COUNT,
        (any, "[{gte: 300, within: 24h}]"),
        (8, 57),
        "never reached",
    );
    plant(COUNT, (any, "[{gte: 0, within: 24h}]"), at, "`gte: 0`");
    plant(
        COUNT,
        (any, "[{gte: 3, within: 24h}, {gte: 4, within: 12h}]"),
        (8, 78),
        "`gte: 4` never decides",
    );
    plant(
        COUNT,
        (
            "count: {signal: reset, any: [{gte: 3, within: 24h}]}",
            "set: {signals: [reset, login], min: 3, within: 1h}",
        ),
        (8, 8),
        "`min: 3` of 2",
    );
}

#[test]
fn conditions_that_contradict_each_other() {
    plant(
        RULE,
        (
            "score:",
            "unless: [\"live_ticket(reset, -24h, 0)\"]\nscore:",
        ),
        (18, 10),
        "the opposite",
    );
    plant(
        RULE,
        ("0)\"]", "0)\", \"not live_ticket(reset, -24h, 0)\"]"),
        (17, 39),
        "the opposite",
    );
}

#[test]
fn missing_texts_tests_entities_and_points() {
    plant(
        RULE,
        ("description: Test.", "description: \"\""),
        (4, 14),
        "no description",
    );
    plant(RULE, ("points: 10", "points: 0"), (1, 5), "worth 0 points");
    plant(
        RULE,
        ("signals:", "entities: [contact]\nsignals:"),
        (1, 5),
        "never evaluated",
    );
    plant(
        RULE,
        ("signals:", "entities: []\nsignals:"),
        (1, 5),
        "no entity",
    );
    let fires = RULE
        .lines()
        .find(|line| line.contains("name: a"))
        .unwrap_or_default();
    plant(RULE, (fires, ""), (1, 5), "in which it fires");
    let quiet = RULE
        .lines()
        .find(|line| line.contains("name: b"))
        .unwrap_or_default();
    plant(RULE, (quiet, ""), (1, 5), "stays quiet");
    plant(
        COUNT,
        (
            "score:",
            "entities: [ticket]\nwhen: [\"not short_baseline(reset)\"]\nscore:",
        ),
        (10, 8),
        "only an identity has a baseline",
    );
    plant(
        RULE,
        ("evidence: callback\n", ""),
        (9, 3),
        "without `evidence` never opens",
    );
}

#[test]
fn an_id_used_twice() {
    let both = format!("{COUNT}---\n{COUNT}");
    let faults = faults_of(&both, &Declared::everything());
    assert_eq!(faults.len(), 1);
    assert_eq!((faults[0].line, faults[0].column), (14, 5));
    assert!(
        faults[0]
            .what
            .contains("`HDT-78` stands in hdt-77.yaml already")
    );
}

#[test]
fn evidence_that_nobody_delivers_or_delivers_late() {
    let mut declared = Declared::everything();
    declared.evidence.remove(&Evidence::Callback);
    let faults = faults_of(RULE, &declared);
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0]
            .what
            .contains("no declared source delivers `callback`")
    );
    assert_eq!((faults[0].line, faults[0].column), (5, 11));

    let late = |lateness_ms| {
        let mut declared = Declared::everything();
        let source = DeclaredSource {
            name: "calls".into(),
            lateness_ms,
        };
        declared.evidence.insert(Evidence::Callback, vec![source]);
        faults_of(RULE, &declared)
    };
    assert_eq!(late(HOUR_MS / 4), []);
    let faults = late(HOUR_MS);
    assert_eq!(faults[0].gravity, Gravity::Warning);
    assert!(
        faults[0]
            .to_string()
            .contains("warning: the deadline is shorter")
    );
    assert!(faults[0].what.contains("`calls`") && faults[0].what.contains("60 min"));
    assert_eq!((faults[0].line, faults[0].column), (15, 15));
}

#[test]
fn a_step_that_nobody_delivers() {
    let mut declared = Declared::everything();
    declared.evidence.remove(&Evidence::Callback);
    let counted = COUNT.replace("reset: {set: $admin_recovery}", "reset: {set: $callback}");
    let faults = faults_of(&counted, &declared);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].what.contains("`reset`: the rule can never fire"));
    assert_eq!(faults_of(&counted, &Declared::everything()), []);
}

#[test]
fn a_rule_that_is_off_is_left_alone() {
    let off = RULE
        .replace("version: 1", "version: 1\nstatus: \"off\"")
        .replace("points: 10", "points: 0");
    assert_eq!(faults_of(&off, &Declared::everything()), []);
}
