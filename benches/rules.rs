//! What one evaluation of the shipped rules costs: on a quiet person, on a flooded one, with a match
//! and without. Prints nanoseconds per evaluation; `cargo bench --bench rules`.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a measurement asks the clock and may panic"
)]

use std::hint::black_box;
use std::time::Instant;

use deskwarden::collect::entity::{Entity, EntityKind};
use deskwarden::collect::glance::sightings;
use deskwarden::correlate::baseline::Baseline;
use deskwarden::correlate::fact::Fact;
use deskwarden::correlate::rules::story::{People, event};
use deskwarden::correlate::rules::{Rule, embedded};
use deskwarden::correlate::view::View;

/// Time spent on one measurement.
const MEASURED_MS: u128 = 400;
/// Measurements, of which the best is told: the others were disturbed.
const TRIES: usize = 5;

fn main() {
    let rules = embedded().unwrap_or_else(|faults| panic!("{}", faults[0]));
    let rules: Vec<Rule> = rules
        .into_iter()
        .filter(|rule| rule.is_on(EntityKind::Identity))
        .collect();
    println!("{:<44}{:>12}{:>12}", "identity", "ns, view", "ns, rules");
    for (name, lines) in people() {
        let facts = facts(&lines);
        let mut baseline = Baseline::default();
        let known = "-30d auth.login target=T agent=T device=old asn=1 country=US";
        let known = event(known, &People::default(), 0).unwrap();
        baseline.note(sightings(&known), known.time);
        let entity = Entity::new(EntityKind::Identity, "T");
        let view = || View::new(&entity, &facts, &[], &[], &baseline);
        let viewed = best(|| {
            black_box(view());
        });
        let seen = view();
        let judged = best(|| {
            for rule in &rules {
                black_box(rule.matches(black_box(&seen)));
            }
        });
        println!("{name:<44}{viewed:>12}{judged:>12}");
    }
}

/// Nanoseconds of one call, the best of some measurements.
fn best(call: impl Fn()) -> u128 {
    let measure = || {
        let (begun, mut calls) = (Instant::now(), 0_u128);
        while begun.elapsed().as_millis() < MEASURED_MS / TRIES as u128 {
            for _ in 0..64 {
                call();
            }
            calls += 64;
        }
        begun.elapsed().as_nanos() / calls
    };
    (0..TRIES).map(|_| measure()).min().unwrap()
}

fn facts(lines: &[String]) -> Vec<Fact> {
    let read = |(number, line): (usize, &String)| {
        Fact::of(&event(line, &People::default(), number + 1).unwrap())
    };
    let mut facts: Vec<Fact> = lines.iter().enumerate().map(read).collect();
    facts.sort_by_key(Fact::order);
    facts
}

fn logins(number: usize, every_s: usize) -> impl Iterator<Item = String> {
    (0..number).map(move |n| {
        let at = n * every_s;
        format!("{at}s auth.login target=T agent=T device=old asn=1 country=US")
    })
}

fn resets(number: usize, agent: &str) -> Vec<String> {
    let reset = |n: usize| format!("{}s mfa.reset_all target=T agent={agent}", n * 60);
    (0..number).map(reset).collect()
}

/// People, by what they are a measure of.
fn people() -> Vec<(&'static str, Vec<String>)> {
    let takeover = [
        "900s mfa.reset_all target=T agent=A",
        "960s mfa.enrolled target=T agent=T device=new asn=2",
        "990s auth.login target=T agent=T device=new asn=2",
    ];
    let with = |number: usize| {
        let takeover = takeover.iter().map(|line| (*line).to_owned());
        logins(number, 30).chain(takeover).collect()
    };
    let changes = (0..128_usize).flat_map(|n| {
        let at = n * 60;
        [
            format!("{at}s mfa.enrolled target=T agent=T device=old asn=1"),
            format!("{}s mfa.removed target=T agent=T", at + 30),
        ]
    });
    vec![
        ("10 sign-ins, no match", logins(10, 600).collect()),
        ("7 sign-ins and a takeover, match", with(7)),
        ("256 sign-ins, no match", logins(256, 30).collect()),
        ("253 sign-ins and a takeover, match", with(253)),
        ("256 own changes of factors, no strip", changes.collect()),
        ("256 resets by the desk, match", resets(256, "A")),
        ("256 resets by the person, match of one", resets(256, "T")),
    ]
}
