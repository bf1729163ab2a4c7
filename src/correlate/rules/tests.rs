//! The shipped rules load, and faults of a rule file name their place and remedy.

use super::{COMMON, embedded, load};
use crate::correlate::rules::rule::Operator;

#[test]
fn the_shipped_rules_load() {
    let rules = embedded().unwrap_or_else(|faults| {
        panic!(
            "{}",
            faults
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        )
    });
    let mut patterns: Vec<_> = rules.iter().map(|rule| rule.pattern.as_str()).collect();
    patterns.dedup();
    assert_eq!(
        patterns,
        [
            "HDT-01", "HDT-03", "HDT-04", "HDT-05", "HDT-07", "HDT-09", "HDT-12", "HDT-15"
        ]
    );
    for rule in &rules {
        let waits = matches!(rule.operator, Operator::Absence(_));
        assert_eq!(
            waits,
            rule.evidence.is_some(),
            "{}: an obligation names its evidence",
            rule.id
        );
    }
}

#[test]
fn all_faults_of_a_file_come_at_once_with_place_and_remedy() {
    let text = "\
id: HDT-77
title: Test
version: 1
description: Test.
signals:
  reset: {set: $admin_recoverie}
  login: {acton: auth.login, outcome: sucess}
match:
  sequence: {steps: [reset, logn], within: 9d}
when: [\"same_devise(reset, login)\"]
score: {points: 10, family: sequence}
";
    let faults = load(COMMON, &[("hdt-77.yaml", text)]).unwrap_err();
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let remedies: Vec<_> = faults
        .iter()
        .filter_map(|f| f.did_you_mean.as_deref())
        .collect();
    assert_eq!(
        remedies,
        [
            "action",
            "success",
            "$admin_recovery",
            "login",
            "same_device"
        ]
    );
    assert_eq!(faults.len(), 6, "{shown:#?}");
    assert!(shown[0].starts_with("hdt-77.yaml:7:"), "{}", shown[0]);
    assert!(
        shown
            .iter()
            .any(|fault| fault.contains("longest span kept"))
    );
    assert!(faults.iter().all(|fault| fault.snippet.contains('^')));
}

#[test]
fn an_unknown_key_is_refused_where_it_stands() {
    let text = "id: HDT-77\ntitle: T\nversion: 1\nlevel: high\n";
    let faults = load(COMMON, &[("hdt-77.yaml", text)]).unwrap_err();
    assert!(faults[0].what.contains("level"), "{}", faults[0]);
    assert_eq!(faults[0].line, 4);
}

#[test]
fn more_patterns_than_a_mask_has_bits_are_refused() {
    let one = |number: usize| {
        format!(
            "id: X-{number}\ntitle: T\nversion: 1\ndescription: T.\n\
             signals: {{a: {{set: $login}}}}\nmatch: {{single: {{signal: a}}}}\n\
             score: {{points: 1, family: sequence}}\n"
        )
    };
    let all = |number: usize| (0..number).map(one).collect::<Vec<_>>().join("---\n");
    assert!(load(COMMON, &[("x.yaml", &all(64))]).is_ok());
    let faults = load(COMMON, &[("x.yaml", &all(65))]).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].to_string().contains("more than 64 patterns"),
        "{}",
        faults[0]
    );
}
