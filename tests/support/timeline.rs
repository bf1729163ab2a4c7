//! Scenarios as text: people, a timeline, `----`, the expected findings and scores.
//!
//! ```text
//! T tier=executive manager=M          a person
//! -20d auth.login target=T device=d1  time from the start, action, fields
//! ----
//! identity|T HDT-01 @10m 4500         finding: anchor, worth in hundredths of a point
//! identity|T score 45 low             the case
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use deskwarden::collect::block::SourceWatermark;
use deskwarden::collect::entity::{Entity, copies};
use deskwarden::collect::event::Event;
use deskwarden::collect::time::{HOUR_MS, MINUTE_MS, SECOND_MS};
use deskwarden::correlate::case::Judgement;
use deskwarden::correlate::control::SourceDeclared;
use deskwarden::correlate::engine::{Effects, Engine, Setup};
use deskwarden::correlate::relay::Relay;
use deskwarden::correlate::rules::story::{self, People, START, shown, shuffle};
use deskwarden::correlate::rules::{self, rule::Evidence};

/// A parsed scenario.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Everything above `----`, as written.
    pub head: String,
    /// The events.
    pub events: Vec<Event>,
}

/// Parses everything above `----`.
pub fn parse(text: &str) -> Scenario {
    let head = text.split("----").next().unwrap_or_default().to_owned();
    let mut people = People::default();
    let mut events = Vec::new();
    for line in head.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let read = if line.is_empty() {
            Ok(())
        } else if story::is_event(line) {
            story::event(line, &people, events.len()).map(|event| events.push(event))
        } else {
            people.read(line)
        };
        read.unwrap_or_else(|fault| panic!("{line}: {fault}"));
    }
    Scenario { head, events }
}

/// What happens to the entries on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// As written.
    Straight,
    /// In another order of arrival, by a seed.
    Shuffled(u64),
    /// Every event twice.
    Doubled,
    /// State encoded and restored after every event.
    Restarted,
}

/// All evidence that an obligation can wait for.
const EVIDENCE: [Evidence; 6] = [
    Evidence::Ticket,
    Evidence::Verify,
    Evidence::Callback,
    Evidence::Approval,
    Evidence::Override,
    Evidence::Transcript,
];

const TOPIC: &str = "story";

fn setup() -> Arc<Setup> {
    let rules = rules::embedded_set().unwrap_or_else(|faults| panic!("{}", faults[0]));
    Arc::new(Setup::new("test", Arc::new(rules)))
}

fn engine() -> Engine {
    let mut engine = Engine::new(setup());
    engine.declare(
        "story",
        Some(&SourceDeclared::new("story", TOPIC, &EVIDENCE)),
    );
    engine
}

/// Applies a story in one life and prints active findings and scores, as the scenario files do.
pub fn play(scenario: &Scenario, life: Life) -> String {
    let mut engine = engine();
    let mut events = scenario.events.clone();
    match life {
        Life::Straight | Life::Restarted => {}
        Life::Doubled => events = events.iter().flat_map(|e| [e.clone(), e.clone()]).collect(),
        Life::Shuffled(seed) => shuffle(&mut events, seed),
    }
    let mut log_ts = START;
    let mut changelog = Changelog::new();
    for event in &events {
        log_ts = log_ts.plus(SECOND_MS);
        let mut effects = Effects::default();
        engine.advance(log_ts, &mut effects);
        for entity in copies(event) {
            engine.handle_event(&entity, event, &mut effects);
        }
        deliver(&mut engine, effects);
        if life == Life::Restarted {
            engine = restart(engine, &mut changelog);
        }
    }
    let last = scenario
        .events
        .iter()
        .map(|e| e.time)
        .max()
        .unwrap_or(START);
    engine.handle_watermarks(&[SourceWatermark {
        topic: TOPIC.into(),
        partition: 0,
        domains: Vec::new(),
        watermark: last.plus(2 * HOUR_MS),
        at_end: false,
    }]);
    let mut effects = Effects::default();
    engine.advance(log_ts.plus(MINUTE_MS), &mut effects);
    deliver(&mut engine, effects);
    print(&engine, &scenario.events)
}

fn deliver(engine: &mut Engine, effects: Effects) {
    let mut relays: std::collections::VecDeque<(Entity, Relay)> = effects.relays.into();
    while let Some((to, relay)) = relays.pop_front() {
        let mut effects = Effects::default();
        engine.handle_relay(&to, relay, &mut effects);
        relays.extend(effects.relays);
    }
}

type Changelog = BTreeMap<String, Option<Vec<u8>>>;

/// Ends the engine and brings another one back from the changelog.
fn restart(mut engine: Engine, changelog: &mut Changelog) -> Engine {
    let changes = engine.changes();
    engine.commit(&changes);
    changelog.extend(changes.into_iter().map(|change| (change.key, change.value)));
    let mut restore = Engine::restore(setup());
    for (key, value) in changelog {
        restore.take(key.as_bytes(), value.as_deref()).unwrap();
    }
    restore.finish().unwrap()
}

fn print(engine: &Engine, events: &[Event]) -> String {
    let mut out = String::new();
    for entity in engine.entities() {
        let state = engine.state(&entity).unwrap().unwrap();
        for finding in &state.findings {
            let anchor = events
                .iter()
                .find(|e| e.event_id == finding.anchor)
                .map(|e| e.time);
            let at = anchor.map_or_else(|| "?".to_owned(), |t| shown(t.since(START)));
            out += &format!("{entity} {} @{at} {}\n", finding.rule, finding.value_cp);
        }
        // A case whose last finding was retracted says nothing any more.
        if let Some(case) = &state.cases.open {
            let total = Judgement::of(entity.kind, &state.findings, false).total;
            let severity = format!("{:?}", case.verdict.severity).to_lowercase();
            let page = if case.verdict.page { " page" } else { "" };
            out += &format!("{entity} score {} {severity}{page}\n", total.score());
        }
    }
    if out.is_empty() {
        out.push_str("quiet\n");
    }
    out
}
