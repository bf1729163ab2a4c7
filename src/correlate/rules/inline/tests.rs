//! The shipped tests pass, and one that is wrong says what, where and in which life.

use super::*;
use crate::correlate::rules::{COMMON, embedded, load};

#[test]
fn the_shipped_tests_pass() {
    let rules = RuleSet::new(embedded().unwrap_or_else(|faults| panic!("{}", faults[0])));
    let failures: Vec<String> = run(&rules).iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    for rule in rules.rules() {
        let tests = &rule.origin.tests;
        let fires = tests.iter().filter(|test| !test.expect.is_empty()).count();
        assert!(
            fires > 0 && fires < tests.len(),
            "{}: one that fires and one that is quiet",
            rule.id
        );
    }
}

const RULE: &str = "\
id: HDT-77
title: Test
version: 1
description: Test.
signals: {reset: {set: $admin_recovery}}
match: {single: {signal: reset}}
score: {points: 10, family: sequence}
tests:
  - name: too early, too few
    people: [T tier=executive]
    events: [10m mfa.reset_all target=T agent=A, 20m mfa.reset_all target=T agent=A]
    expect: [\"identity|T @9m 10\", \"identity|T @20m 10\"]
";

#[test]
fn a_failure_names_rule_test_place_and_difference() {
    let rules = load(COMMON, &[("hdt-77.yaml", RULE)]).unwrap_or_else(|f| panic!("{}", f[0]));
    let failures = run(&RuleSet::new(rules));
    assert_eq!(failures.len(), 1);
    assert_eq!(
        failures[0].to_string(),
        "hdt-77.yaml:9:5: HDT-77, `too early, too few`, straight:\
         \n  expected, not found: identity|T @9m 10\
         \n  found, not expected: identity|T @10m 10"
    );
}

#[test]
fn a_line_that_does_not_read_is_a_fault_at_its_place() {
    for (wrong, what) in [
        ("mfa.reset_all", "mfa.reset_al target"),
        ("target=T agent=A, 20m", "target=T agnt=A, 20m"),
        ("@9m 10", "@9m"),
        ("tier=executive", "tier=exec"),
    ] {
        let text = RULE.replacen(wrong, what, 1);
        let faults = load(COMMON, &[("hdt-77.yaml", &text)]).unwrap_err();
        assert_eq!(faults.len(), 1, "{what}");
        assert!((10..=12).contains(&faults[0].line), "{}", faults[0]);
    }
}
