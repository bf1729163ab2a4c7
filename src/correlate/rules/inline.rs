//! The tests that stand in rule files: a story and what the rule finds in it, run straight, shuffled
//! and doubled. The deadlines of obligations are taken to have passed.

mod world;

use std::fmt;

use serde_saphyr::Spanned;

use crate::collect::entity::{Entity, EntityKind};
use crate::collect::event::Event;
use crate::collect::time::Timestamp;
use crate::correlate::rules::origin::{Place, place_of};
use crate::correlate::rules::parse::TestFile;
use crate::correlate::rules::rule_set::RuleSet;
use crate::correlate::rules::story::{self, People, START};
use crate::correlate::rules::{Rule, rule::Status};
use world::World;

/// Orders of arrival tried per test.
const SHUFFLES: u64 = 8;

/// A finding that a test expects: where, at which anchor, for how many points with bonuses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expected {
    /// The entity.
    pub entity: Entity,
    /// Time of the anchor.
    pub anchor: Timestamp,
    /// Whole points with bonuses, before tier and counter-evidence.
    pub points: i64,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = story::shown(self.anchor.since(START));
        write!(f, "{} @{at} {}", self.entity, self.points)
    }
}

/// One test of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlineTest {
    /// What it shows.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// What happens.
    pub events: Vec<Event>,
    /// What is found, in order.
    pub expect: Vec<Expected>,
}

impl InlineTest {
    /// Reads a test as written.
    ///
    /// # Errors
    /// Place and fault of the first line that does not read.
    pub fn read(file: &Spanned<TestFile>) -> Result<Self, (Place, String)> {
        let mut people = People::default();
        for line in &file.value.people {
            people
                .read(&line.value)
                .map_err(|fault| (place_of(line), fault))?;
        }
        let mut events = Vec::new();
        for line in &file.value.events {
            let event = story::event(&line.value, &people, events.len());
            events.push(event.map_err(|fault| (place_of(line), fault))?);
        }
        let mut expect = Vec::new();
        for line in &file.value.expect {
            expect.push(expected(&line.value).map_err(|fault| (place_of(line), fault))?);
        }
        expect.sort();
        Ok(Self {
            name: file.value.name.clone(),
            place: place_of(file),
            events,
            expect,
        })
    }
}

/// `identity|T @10m 45`
fn expected(line: &str) -> Result<Expected, String> {
    let wrong = || format!("expected `identity|T @10m 45`, not `{line}`");
    let words: Vec<&str> = line.split_whitespace().collect();
    let [entity, at, points] = words.as_slice() else {
        return Err(wrong());
    };
    let (kind, id) = entity.split_once('|').ok_or_else(wrong)?;
    let kind = EntityKind::from_name(kind);
    let at = at.strip_prefix('@').ok_or_else(wrong)?;
    Ok(Expected {
        entity: Entity::new(kind.ok_or_else(wrong)?, id),
        anchor: START.plus(story::offset(at)?),
        points: points.parse().map_err(|_| wrong())?,
    })
}

/// A test that found something else than it expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Name of the file.
    pub file: String,
    /// Where the test stands.
    pub place: Place,
    /// Rule id.
    pub rule: String,
    /// Name of the test.
    pub test: String,
    /// `straight`, `shuffled` or `doubled`.
    pub life: &'static str,
    /// Expected and not found.
    pub missing: Vec<Expected>,
    /// Found and not expected.
    pub surplus: Vec<Expected>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            rule,
            test,
            life,
            ..
        } = self;
        let Place { line, column } = self.place;
        write!(f, "{file}:{line}:{column}: {rule}, `{test}`, {life}:")?;
        for expected in &self.missing {
            write!(f, "\n  expected, not found: {expected}")?;
        }
        for found in &self.surplus {
            write!(f, "\n  found, not expected: {found}")?;
        }
        Ok(())
    }
}

/// Runs every test of every rule that is not off. The failures, in the order of the rules.
#[must_use]
pub fn run(rules: &RuleSet) -> Vec<Failure> {
    let live = rules
        .rules()
        .iter()
        .filter(|rule| rule.status != Status::Off);
    live.flat_map(|rule| {
        let tests = rule.origin.tests.iter();
        tests.filter_map(|test| run_one(rule, test))
    })
    .collect()
}

/// The first life of a test in which it fails.
fn run_one(rule: &Rule, test: &InlineTest) -> Option<Failure> {
    let doubled: Vec<Event> = test
        .events
        .iter()
        .flat_map(|event| [event.clone(), event.clone()])
        .collect();
    let shuffled = (0..SHUFFLES).map(|seed| {
        let mut events = test.events.clone();
        story::shuffle(&mut events, seed);
        ("shuffled", events)
    });
    [("straight", test.events.clone()), ("doubled", doubled)]
        .into_iter()
        .chain(shuffled)
        .find_map(|(life, events)| {
            let found = World::of(&events).findings(rule);
            let (missing, surplus) = (less(&test.expect, &found), less(&found, &test.expect));
            (!missing.is_empty() || !surplus.is_empty()).then(|| Failure {
                file: rule.origin.file.name.clone(),
                place: test.place,
                rule: rule.id.clone(),
                test: test.name.clone(),
                life,
                missing,
                surplus,
            })
        })
}

/// What of `all` is not in `others`, each as often as it stands there.
fn less(all: &[Expected], others: &[Expected]) -> Vec<Expected> {
    let mut others = others.to_vec();
    all.iter()
        .filter(|one| {
            let at = others.iter().position(|other| other == *one);
            at.map(|at| others.remove(at)).is_none()
        })
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests;
