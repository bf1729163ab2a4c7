//! Alert rules, dashboards and runbook: every metric and label exists, every rule has its entry and its
//! tests.

use std::collections::{BTreeMap, BTreeSet};

use deskwarden::edge::metrics::{
    CollectLabels, CollectMetrics, CorrelateLabels, CorrelateMetrics, DeadLetterMetrics,
    DeliverMetrics, KafkaMetrics, ProcessMetrics, SinksMetrics, StateMetrics, TlsMetrics, registry,
};
use serde_json::Value;

use super::{files, text, yaml};

/// What Prometheus itself adds.
const ADDED: [&str; 3] = ["job", "instance", "le"];

/// Every metric with its labels; those of a histogram under each of their names.
fn metrics() -> BTreeMap<String, BTreeSet<String>> {
    let registry = registry().unwrap();
    ProcessMetrics::register(&registry).unwrap();
    DeadLetterMetrics::register(&registry, &["decode"]).unwrap();
    let labels = CollectLabels {
        sources: &["okta"],
        rejects: &["decode"],
        ignored: &["audit_field"],
        resolutions: &["resolved"],
    };
    let collect = CollectMetrics::register(&registry, &labels).unwrap();
    let labels = CorrelateLabels {
        patterns: &["HDT-04"],
        relays: &["ticket_state"],
    };
    let correlate = CorrelateMetrics::register(&registry, &labels).unwrap();
    StateMetrics::register(&registry).unwrap();
    let kafka = KafkaMetrics::register(&registry, "collect").unwrap();
    DeliverMetrics::register(&registry).unwrap();
    TlsMetrics::register(&registry).unwrap();
    let sinks = SinksMetrics::register(&registry, &["on-call"]).unwrap();
    sinks.of("on-call").waiting(1);
    // These have no value before they are set.
    collect.event_time_lag("okta", 1.0);
    correlate.watermark_delay(0, "idp", 1.0);
    kafka.lag("okta.system-log", 0, 1);
    let mut found = BTreeMap::new();
    for family in registry.gather() {
        let labels = family.get_metric().iter().flat_map(|m| m.get_label());
        let labels: BTreeSet<String> = labels.map(|l| l.name().to_owned()).collect();
        let name = family.name();
        if family.get_field_type() == prometheus::proto::MetricType::HISTOGRAM {
            for part in ["bucket", "sum", "count"] {
                found.insert(format!("{name}_{part}"), labels.clone());
            }
        } else {
            found.insert(name.to_owned(), labels);
        }
    }
    found
}

/// A metric with the labels that its selector names.
fn selected(expression: &str) -> Vec<(&str, Vec<&str>)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in expression.match_indices("deskwarden_") {
        let rest = &expression[at..];
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let selector = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let matchers = selector.map_or("", |(selector, _)| selector).split(',');
        let labels = matchers.filter(|matcher| !matcher.is_empty());
        let labels = labels.map(|matcher| matcher.split(['=', '!']).next().unwrap().trim());
        found.push((name, labels.collect()));
    }
    found
}

/// The labels by which an expression groups.
fn grouped(expression: &str) -> Vec<&str> {
    let groups = expression.split(" by (").skip(1);
    let groups = groups.map(|rest| rest.split_once(')').unwrap().0);
    groups.flat_map(|group| group.split(", ")).collect()
}

#[track_caller]
fn check(place: &str, expression: &str, metrics: &BTreeMap<String, BTreeSet<String>>) {
    let mut known: BTreeSet<&str> = ADDED.into_iter().collect();
    for (name, labels) in selected(expression) {
        let Some(of_metric) = metrics.get(name) else {
            panic!("{place}: no metric {name}");
        };
        for label in labels {
            let is_known = of_metric.contains(label) || ADDED.contains(&label);
            assert!(is_known, "{place}: {name} has no label {label}");
        }
        known.extend(of_metric.iter().map(String::as_str));
    }
    for label in grouped(expression) {
        assert!(
            known.contains(label),
            "{place}: no label {label} in {expression}"
        );
    }
}

fn rules() -> Vec<Value> {
    let file = yaml("deploy/prometheus/rules.yml");
    let groups = file["groups"].as_array().unwrap().iter();
    let rules: Vec<Value> = groups
        .flat_map(|group| group["rules"].as_array().unwrap().clone())
        .collect();
    assert!(!rules.is_empty());
    rules
}

fn name(rule: &Value) -> &str {
    rule["alert"].as_str().unwrap()
}

#[test]
fn every_metric_exists() {
    let metrics = metrics();
    for rule in rules() {
        check(name(&rule), rule["expr"].as_str().unwrap(), &metrics);
        // Labels that texts name are left by the expression.
        let texts = rule["annotations"].to_string();
        let left = grouped(rule["expr"].as_str().unwrap());
        for label in texts.split("$labels.").skip(1) {
            let label = label.split([' ', '}']).next().unwrap();
            let is_left = left.contains(&label) || left.is_empty() && ADDED.contains(&label);
            assert!(is_left, "{}: the expression leaves no {label}", name(&rule));
        }
    }
    let boards = files("deploy/grafana/dashboards");
    assert!(!boards.is_empty());
    for path in boards {
        let board: Value = serde_json::from_str(&text(&path)).unwrap();
        for panel in board["panels"].as_array().unwrap() {
            let place = format!("{}: {}", path.display(), panel["title"]);
            for target in panel["targets"].as_array().unwrap() {
                let expression = target["expr"].as_str().unwrap();
                assert!(expression.contains("deskwarden_"), "{place}");
                check(&place, expression, &metrics);
                let legend = target["legendFormat"].as_str().unwrap();
                for label in legend.split("{{").skip(1) {
                    let label = label.split_once("}}").unwrap().0;
                    let left = grouped(expression);
                    let is_left = left.contains(&label) || left.is_empty();
                    assert!(is_left, "{place}: the expression leaves no {label}");
                }
            }
        }
    }
    for file in ["deploy/RUNBOOK.md", "deploy/prometheus/rules.test.yml"] {
        for (metric, _) in selected(&text(file)) {
            let parts = metrics
                .keys()
                .any(|known| known.strip_suffix("_count") == Some(metric));
            assert!(
                metrics.contains_key(metric) || parts,
                "{file}: no metric {metric}"
            );
        }
    }
}

#[test]
fn every_rule_says_what_to_do() {
    let runbook = text("deploy/RUNBOOK.md");
    let entries: Vec<&str> = runbook.split("\n## ").skip(1).collect();
    let titles: Vec<&str> = entries.iter().map(|e| e.lines().next().unwrap()).collect();
    let rules = rules();
    let names: Vec<&str> = rules.iter().map(name).collect();
    assert_eq!(titles, names, "one entry for each rule, in their order");
    for (rule, entry) in rules.iter().zip(entries) {
        let said = |key: &str| {
            rule["annotations"][key]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        assert!(
            !said("summary").is_empty() && !said("description").is_empty(),
            "{}",
            name(rule)
        );
        let link = format!("deploy/RUNBOOK.md#{}", name(rule).to_lowercase());
        assert_eq!(said("runbook_url"), link);
        let severity = rule["labels"]["severity"].as_str();
        assert!(
            matches!(severity, Some("critical" | "warning")),
            "{}",
            name(rule)
        );
        for part in ["**Means.**", "**Look first.**", "**Do.**"] {
            assert!(entry.contains(part), "{}: {part}", name(rule));
        }
    }
}

#[test]
fn every_rule_is_tested_both_ways() {
    let file = yaml("deploy/prometheus/rules.test.yml");
    let mut tested: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for test in file["tests"].as_array().unwrap() {
        for case in test["alert_rule_test"].as_array().unwrap() {
            let alert = case["alertname"].as_str().unwrap();
            let fires = !case["exp_alerts"].as_array().unwrap().is_empty();
            tested.entry(alert.to_owned()).or_default().push(fires);
        }
    }
    let rules = rules();
    let names: BTreeSet<&str> = rules.iter().map(name).collect();
    assert_eq!(
        tested.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        names
    );
    for (alert, fires) in tested {
        assert_eq!(
            fires,
            [true, false],
            "{alert}: fires, and is silent in its twin"
        );
    }
}
