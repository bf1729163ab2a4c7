//! The engine alone: entries of blocks in memory through `Engine::handle`, with 5 % relevant events; and
//! what an idle identity costs in memory. `cargo bench --no-default-features --bench engine`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement may panic, and asks the clock"
)]

use std::sync::Arc;
use std::time::Instant;

use deskwarden::collect::block::{self, Entry, Writer};
use deskwarden::collect::entity::{Entity, EntityKind, copies};
use deskwarden::collect::event::*;
use deskwarden::collect::time::{DAY_MS, SECOND_MS, Timestamp};
use deskwarden::correlate::engine::{AHEAD_MAX, Effects, Engine, Setup};
use deskwarden::correlate::rules;

/// The allocator of the program.
#[cfg(feature = "edge")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Resident memory of this process, in bytes (Linux).
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

const IDENTITIES: u64 = 100_000;
const EVENTS: u64 = 2_000_000;
/// Records of one cycle of the loop.
const PER_CYCLE: u64 = 2_000;
const START: Timestamp = Timestamp(1_772_442_000_000);

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn role(id: u64) -> Option<Box<Role>> {
    Some(Box::new(Role {
        handles: vec![Handle {
            kind: HandleKind::Email,
            value: format!("{id:032x}").into(),
            masked: Some("a…@example.com".into()),
            issuer: None,
        }],
        account: Some(format!("okta:00u{id}").into()),
        ..Role::resolved(format!("hris:E{id}"))
    }))
}

fn event(number: u64, person: u64, action: Action, time: Timestamp) -> Event {
    let mut event = Event::new(Domain::Idp, action, time);
    event.event_id = EventId(u128::from(number + 1).to_be_bytes());
    event.outcome = Outcome::Success;
    event.source.system = "okta".into();
    event.source.product = "okta".into();
    event.source.topic = "okta.system-log".into();
    event.source.offset = i64::try_from(number).unwrap();
    event.vendor_action = "user.authentication.sso".into();
    event.target = role(person);
    event.agent = role(person);
    event.device = Some(Box::new(Device {
        id: Some(format!("{:032x}", person * 7).into()),
        fingerprint: Some(format!("{:032x}", person * 11).into()),
        ..Device::default()
    }));
    event.network = Some(Box::new(Network {
        ip: Some(format!("{:032x}", person * 13).into()),
        asn: Some(64_500),
        country: Some("DE".into()),
        ..Network::default()
    }));
    event
}

fn push(writer: &mut Writer, event: &Event) {
    let bytes = block::encode_event(event);
    let mut buffer = Vec::new();
    for entity in copies(event)
        .iter()
        .filter(|e| e.kind == EntityKind::Identity)
    {
        writer.push(&Entry::copy(event, &bytes, entity, &mut buffer));
    }
}

/// Applies blocks in cycles, as the loop does; revisions that were published.
fn apply(engine: &mut Engine, blocks: &[Vec<Entry<'_>>], log_ts: Timestamp) -> usize {
    let mut revisions = 0;
    for entries in blocks {
        let mut effects = Effects::default();
        engine.advance(log_ts, &mut effects);
        for (index, entry) in entries.iter().enumerate() {
            if index.is_multiple_of(AHEAD_MAX) {
                engine.look_ahead(&entries[index..]);
            }
            engine.handle(entry, &mut effects).unwrap();
        }
        let changes = engine.changes();
        engine.commit(&changes);
        revisions += effects.alerts.len();
    }
    revisions
}

/// Cuts a stream of events into cycles.
fn cycles(events: impl Iterator<Item = Event>) -> Vec<Vec<u8>> {
    let mut writer = Writer::default();
    let mut blocks = Vec::new();
    for (at, event) in events.enumerate() {
        push(&mut writer, &event);
        if (at as u64 + 1).is_multiple_of(PER_CYCLE) {
            blocks.extend(writer.take());
        }
    }
    blocks.extend(writer.take());
    blocks
}

fn decoded(blocks: &[Vec<u8>]) -> Vec<Vec<Entry<'_>>> {
    blocks
        .iter()
        .map(|block| block::decode(block).unwrap())
        .collect()
}

fn main() {
    // First: what was freed before would be used again.
    idle();
    let rules = rules::embedded_set().unwrap_or_else(|faults| panic!("{}", faults[0]));
    let mut setup = Setup::new("bench", Arc::new(rules));
    setup.entities_max = [usize::MAX; 7];
    let mut engine = Engine::new(Arc::new(setup));

    // Everybody was seen a month ago and yesterday: what they use is usual.
    for days in [30, 1] {
        let time = START.minus(days * DAY_MS + DAY_MS / 2);
        let number = |n: u64| u64::try_from(days).unwrap() * 1_000_000_000 + n;
        let seen = (0..IDENTITIES).map(|n| event(number(n), n, Action::AuthAppAccess, time));
        apply(&mut engine, &decoded(&cycles(seen)), START);
    }

    for relevant_pct in [0, 5, 20] {
        let mut state = 7;
        let day = START.plus(DAY_MS);
        let events = (0..EVENTS).map(|n| {
            let person = next(&mut state) % IDENTITIES;
            let time = day.plus(i64::try_from(n / 50).unwrap());
            let action = match next(&mut state) % 100 {
                p if p >= relevant_pct => Action::AuthAppAccess,
                p if p % 5 == 0 => Action::CredentialPasswordReset,
                p if p % 5 == 1 => Action::MfaEnrolled,
                _ => Action::AuthLogin,
            };
            let mut event = event(relevant_pct * 100_000_000 + n, person, action, time);
            if action == Action::CredentialPasswordReset {
                event.agent = role(IDENTITIES + n % 20);
            }
            event
        });
        let blocks = cycles(events);
        // The first use of the day is noted once; that is not what is measured.
        let first =
            (0..IDENTITIES).map(|n| event(n + 9_000_000_000, n, Action::AuthAppAccess, day));
        apply(&mut engine, &decoded(&cycles(first)), START);
        let blocks = decoded(&blocks);
        let began = Instant::now();
        let revisions = apply(&mut engine, &blocks, START.plus(SECOND_MS));
        let took = began.elapsed();
        println!(
            "engine: {relevant_pct:>2} % relevant: {:.2} M events/s, {:.0} ns an event, {revisions} revisions",
            EVENTS as f64 / took.as_secs_f64() / 1e6,
            took.as_nanos() as f64 / EVENTS as f64
        );
    }
}

/// What an idle identity with nine usual things costs: one million of them.
fn idle() {
    const MANY: u64 = 1_000_000;
    let rules = rules::embedded_set().unwrap_or_else(|faults| panic!("{}", faults[0]));
    let mut setup = Setup::new("bench", Arc::new(rules));
    setup.entities_max = [usize::MAX; 7];
    let mut engine = Engine::new(Arc::new(setup));
    let person = Entity::new(EntityKind::Identity, "hris:E100000");
    for n in 0..3_u64 {
        let time = START.minus((40 - i64::try_from(n).unwrap()) * DAY_MS);
        let mut seen = event(n, n, Action::AuthAppAccess, time);
        seen.target = role(100_000);
        let network = seen.network.as_mut().unwrap();
        network.asn = Some(64_500 + u32::try_from(n).unwrap());
        network.country = None;
        let mut effects = Effects::default();
        engine.handle_event(&person, &seen, &mut effects);
    }
    // Time passes, and nothing but the baseline is left.
    let mut state = engine.state(&person).unwrap().unwrap();
    state.window = Default::default();
    let record = deskwarden::correlate::state_codec::encode(EntityKind::Identity, &state);
    let before = resident();
    let began = Instant::now();
    let mut restore = Engine::restore(Arc::new(Setup::new(
        "bench",
        Arc::new(rules::RuleSet::new(Vec::new())),
    )));
    let mut key = String::new();
    for n in 0..MANY {
        key.clear();
        std::fmt::Write::write_fmt(&mut key, format_args!("identity|hris:E{n:06}")).unwrap();
        restore.take(key.as_bytes(), Some(&record)).unwrap();
    }
    let engine = restore.finish().unwrap();
    let took = began.elapsed();
    let bytes = resident() - before;
    println!(
        "idle identity: {} bytes of state record, {:.0} bytes in memory (resident, of {MANY}); restored in {:.2} s",
        record.len(),
        bytes as f64 / MANY as f64,
        took.as_secs_f64()
    );
    drop(engine);
}
