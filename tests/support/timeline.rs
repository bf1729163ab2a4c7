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
use deskwarden::collect::event::*;
use deskwarden::collect::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use deskwarden::correlate::case::Judgement;
use deskwarden::correlate::engine::{Effects, Engine, Setup};
use deskwarden::correlate::partition_state::Source;
use deskwarden::correlate::relay::Relay;
use deskwarden::correlate::rules::{self, rule::Evidence};

/// The start of every timeline: 2026-03-02T09:00:00Z, a Monday.
pub const START: Timestamp = Timestamp(1_772_442_000_000);

/// A parsed scenario.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Everything above `----`, as written.
    pub head: String,
    /// The events.
    pub events: Vec<Event>,
}

/// A span such as `-20d`, `10m`, `1h30m`, `0`.
fn offset(text: &str) -> i64 {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let mut number = 0;
    let mut total = 0;
    for c in text.chars() {
        match c {
            '0'..='9' => number = number * 10 + i64::from(c.to_digit(10).unwrap()),
            's' => (total, number) = (total + number * SECOND_MS, 0),
            'm' => (total, number) = (total + number * MINUTE_MS, 0),
            'h' => (total, number) = (total + number * HOUR_MS, 0),
            'd' => (total, number) = (total + number * DAY_MS, 0),
            other => panic!("no span: {text} ({other})"),
        }
    }
    sign * total
}

fn word<T: Copy>(all: &[T], name: impl Fn(&T) -> &'static str, wanted: &str) -> T {
    *all.iter()
        .find(|v| name(v) == wanted)
        .unwrap_or_else(|| panic!("unknown word `{wanted}`"))
}

type Fields = BTreeMap<String, String>;

fn fields(words: &[&str]) -> Fields {
    words
        .iter()
        .map(|word| {
            word.split_once('=')
                .unwrap_or_else(|| panic!("expected key=value: {word}"))
        })
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Parses everything above `----`.
pub fn parse(text: &str) -> Scenario {
    let head = text.split("----").next().unwrap_or_default().to_owned();
    let mut people: BTreeMap<String, Fields> = BTreeMap::new();
    let mut events = Vec::new();
    for line in head.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.split_first() {
            None => {}
            Some((first, rest)) if first.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                let number = events.len();
                events.push(event(first, rest, &people, number));
            }
            Some((name, rest)) => {
                people.insert((*name).to_owned(), fields(rest));
            }
        }
    }
    Scenario { head, events }
}

fn role(name: &str, people: &BTreeMap<String, Fields>) -> Option<Box<Role>> {
    let known = people.get(name).cloned().unwrap_or_default();
    let mut role = Role {
        identity: Some(name.to_owned()),
        ..Role::default()
    };
    role.resolution.status = ResolutionStatus::Resolved;
    role.resolution.strong = !known.contains_key("weak");
    if let Some(tier) = known.get("tier") {
        role.tier = word(Tier::ALL, |t| t.as_str(), tier);
    }
    role.manager = known.get("manager").cloned();
    role.delegates = known.get("delegate").cloned().into_iter().collect();
    Some(Box::new(role))
}

fn event(at: &str, words: &[&str], people: &BTreeMap<String, Fields>, number: usize) -> Event {
    let (action, rest) = words.split_first().expect("an action");
    let action = Action::from_name(action).unwrap_or_else(|| panic!("unknown action `{action}`"));
    let given = fields(rest);
    let time = START.plus(offset(at));
    let mut event = Event::new(Domain::Idp, action, time);
    let name = given
        .get("id")
        .cloned()
        .unwrap_or_else(|| format!("{number}"));
    let mut id = [0_u8; 16];
    for (to, from) in id.iter_mut().rev().zip(name.bytes().rev()) {
        *to = from;
    }
    event.event_id = EventId(id);
    event.outcome = Outcome::Success;
    event.source.topic = "story".into();
    event.source.offset = i64::try_from(number).unwrap();
    for (key, value) in &given {
        set(&mut event, key, value, people);
    }
    event
}

fn part<T: Default>(slot: &mut Option<Box<T>>) -> &mut T {
    slot.get_or_insert_with(Box::default)
}

fn set(event: &mut Event, key: &str, value: &str, people: &BTreeMap<String, Fields>) {
    let owned = || Some(value.to_owned());
    match key {
        "id" => {}
        "target" => event.target = role(value, people),
        "requester" => event.requester = role(value, people),
        "agent" => event.agent = role(value, people),
        "approver" => event.approver = role(value, people),
        "eligible" => {
            part(&mut event.approval).eligible = word(Ternary::ALL, |v| v.as_str(), value);
        }
        "outcome" => event.outcome = word(Outcome::ALL, |v| v.as_str(), value),
        "channel" => event.channel = Some(word(Channel::ALL, |v| v.as_str(), value)),
        "self_service" => event.self_service = Some(value == "true"),
        "call" => {
            let call = part(&mut event.call_ref);
            (call.system, call.id, call.root_id) = ("cc".into(), value.into(), value.into());
        }
        "ticket" => {
            let ticket = part(&mut event.ticket_ref);
            (ticket.system, ticket.id) = ("desk".into(), value.into());
        }
        "status" => {
            let status = word(TicketStatus::ALL, |v| v.as_str(), value);
            part(&mut event.ticket_ref).status = Some(status);
        }
        "request" => {
            part(&mut event.request).class = word(RequestClass::ALL, |v| v.as_str(), value);
        }
        "number" => {
            part(&mut event.phone).ani = Some(Handle {
                kind: HandleKind::Phone,
                value: value.into(),
                masked: None,
                issuer: None,
            });
        }
        "of_record" => {
            // `T:-400d` = T's number for 400 days; `nobody`.
            let owners = value.split_once(':').map(|(who, since)| PhoneOwner {
                identity: who.into(),
                since: Some(START.plus(offset(since))),
            });
            part(&mut event.phone).of_record = Some(owners.into_iter().collect());
        }
        "connected" => part(&mut event.call_ref).connected_s = value.parse().ok(),
        "device" => part(&mut event.device).id = owned(),
        "asn" => part(&mut event.network).asn = value.parse().ok(),
        "country" => part(&mut event.network).country = owned(),
        "proxy" => part(&mut event.network).is_proxy = Some(value == "true"),
        "txn" => part(&mut event.correlation).native_txn = owned(),
        "method" => {
            let method = word(VerificationMethod::ALL, |v| v.as_str(), value);
            part(&mut event.verification).method = Some(method);
        }
        "pressure" => part(&mut event.text).pressure.band = word(Band::ALL, |v| v.as_str(), value),
        "cue" => {
            let cue = word(Cue::ALL, |v| v.as_str(), value);
            let span = CueSpan {
                cue: Some(cue),
                phrase_id: "p".into(),
                start: 0,
                end: 1,
            };
            part(&mut event.text).pressure.cues.push(span);
        }
        other => panic!("unknown field `{other}`"),
    }
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
    let rules = rules::embedded().unwrap_or_else(|faults| panic!("{}", faults[0]));
    Arc::new(Setup::new("test", Arc::from(rules)))
}

fn engine() -> Engine {
    let mut engine = Engine::new(setup());
    let source = Source {
        topic: TOPIC.into(),
        partitions: 1,
        bound_ms: 0,
        evidence: EVIDENCE.to_vec(),
    };
    engine.declare("story", Some(source));
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

/// Fisher–Yates with a small generator of its own (splitmix64), so that a seed is a story for good.
fn shuffle(events: &mut [Event], seed: u64) {
    let mut state = seed;
    for at in (1..events.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let pick = usize::try_from((z ^ (z >> 31)) % (at as u64 + 1)).unwrap();
        events.swap(at, pick);
    }
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
        if let Some(case) = state.case.filter(|_| !state.findings.is_empty()) {
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

fn shown(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.abs();
    let unit = [
        (DAY_MS, "d"),
        (HOUR_MS, "h"),
        (MINUTE_MS, "m"),
        (SECOND_MS, "s"),
    ];
    let whole = unit.iter().find(|(size, _)| ms > 0 && ms % size == 0);
    whole.map_or_else(
        || format!("{ms}ms"),
        |(size, name)| format!("{sign}{}{name}", ms / size),
    )
}
