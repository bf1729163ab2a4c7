//! Stories as lines of text: people, and what happens when. Inline tests of rules and scenario files
//! are written in them.
//!
//! ```text
//! T tier=executive manager=M          a person
//! -20d auth.login target=T device=d1  time from the start, action, fields
//! ```

use smol_str::SmolStr;
use std::collections::BTreeMap;

use crate::collect::event::{
    Action, AgentKind, AppClass, Band, Channel, Cue, CueSpan, Direction, Domain, Event, EventId,
    Handle, HandleKind, Outcome, PhoneOwner, RequestClass, ResolutionStatus, RiskKind, Role,
    Ternary, TicketStatus, Tier, VerificationMethod,
};
use crate::collect::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, TimeQuality, Timestamp};
use crate::correlate::rules::signal::unknown;

/// The start of every story: 2026-03-02T09:00:00Z, a Monday.
pub const START: Timestamp = Timestamp(1_772_442_000_000);

/// `key=value` words of a line.
type Fields = BTreeMap<String, String>;

/// Who is not ordinary, by name.
#[derive(Debug, Clone, Default)]
pub struct People(BTreeMap<String, Fields>);

/// A span such as `-20d`, `10m`, `1h30m`, `500ms`, `0`.
///
/// # Errors
/// Anything else.
pub fn offset(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no time from the start, such as 10m, -20d or 1h30m");
    let (sign, mut rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let mut total = 0_i64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = rest.split_at_checked(digits).ok_or_else(wrong)?;
        let letters = unit.bytes().take_while(u8::is_ascii_lowercase).count();
        let (unit, next) = unit.split_at_checked(letters).ok_or_else(wrong)?;
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let unit_ms = match unit {
            "ms" => 1,
            "s" => SECOND_MS,
            "m" => MINUTE_MS,
            "h" => HOUR_MS,
            "d" => DAY_MS,
            "" if number == 0 => 0,
            _ => return Err(wrong()),
        };
        let span = number.checked_mul(unit_ms).ok_or_else(wrong)?;
        total = total.checked_add(span).ok_or_else(wrong)?;
        rest = next;
    }
    Ok(sign * total)
}

/// A span as stories write it, in its largest whole unit.
#[must_use]
pub fn shown(ms: i64) -> String {
    let units = [
        (DAY_MS, "d"),
        (HOUR_MS, "h"),
        (MINUTE_MS, "m"),
        (SECOND_MS, "s"),
    ];
    let whole = units.iter().find(|(size, _)| ms != 0 && ms % size == 0);
    whole.map_or_else(
        || format!("{ms}ms"),
        |(size, name)| format!("{}{name}", ms / size),
    )
}

/// Whether a line tells an event; else it names a person.
#[must_use]
pub fn is_event(line: &str) -> bool {
    line.starts_with(|c: char| c == '-' || c.is_ascii_digit())
}

impl People {
    /// Takes in a line such as `T tier=executive manager=M`.
    ///
    /// # Errors
    /// A word that is no `key=value`, an unknown key, an unknown tier.
    pub fn read(&mut self, line: &str) -> Result<(), String> {
        let mut words = line.split_whitespace();
        let name = words.next().ok_or("expected the name of a person")?;
        let given = fields(words)?;
        for (key, value) in &given {
            match key.as_str() {
                "manager" | "delegate" | "weak" => {}
                "tier" => {
                    word(Tier::ALL, Tier::as_str, value)?;
                }
                other => {
                    return Err(unknown_word(
                        "key",
                        other,
                        &["tier", "manager", "delegate", "weak"],
                    ));
                }
            }
        }
        self.0.insert(name.to_owned(), given);
        Ok(())
    }

    /// The role of a person; `?` is somebody ambiguous.
    fn role(&self, name: &str) -> Option<Box<Role>> {
        let known = self.0.get(name);
        let of = |key: &str| known.and_then(|fields| fields.get(key));
        let mut role = Role {
            identity: Some(name.into()),
            manager: of("manager").map(SmolStr::from),
            delegates: of("delegate").into_iter().map(SmolStr::from).collect(),
            ..Role::default()
        };
        role.resolution.status = if name == "?" {
            ResolutionStatus::Ambiguous
        } else {
            ResolutionStatus::Resolved
        };
        role.resolution.strong = of("weak").is_none();
        let tier = of("tier").and_then(|tier| word(Tier::ALL, Tier::as_str, tier).ok());
        role.tier = tier.unwrap_or_default();
        Some(Box::new(role))
    }
}

fn fields<'w>(words: impl Iterator<Item = &'w str>) -> Result<Fields, String> {
    words
        .map(|word| {
            let (key, value) = word
                .split_once('=')
                .ok_or_else(|| format!("expected key=value, not `{word}`"))?;
            Ok((key.to_owned(), value.to_owned()))
        })
        .collect()
}

fn unknown_word(what: &str, name: &str, known: &[&str]) -> String {
    let fault = unknown(what, name, known.iter().copied());
    match fault.did_you_mean {
        Some(right) => format!("{}; did you mean `{right}`?", fault.what),
        None => fault.what,
    }
}

fn word<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str, wanted: &str) -> Result<T, String> {
    let found = all.iter().copied().find(|value| name(*value) == wanted);
    found.ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|value| name(*value)).collect();
        unknown_word("word", wanted, &known)
    })
}

/// Reads a line such as `10m credential.password_reset target=T agent=A`. `number` is its place in
/// the story, and its id where it names none.
///
/// # Errors
/// No time, an unknown action, key or word.
pub fn event(line: &str, people: &People, number: usize) -> Result<Event, String> {
    let mut words = line.split_whitespace();
    let at = offset(words.next().unwrap_or_default())?;
    let action = words.next().ok_or("expected an action")?;
    let known: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
    let action = Action::from_name(action).ok_or_else(|| unknown_word("action", action, &known))?;
    let given = fields(words)?;
    let mut event = Event::new(Domain::Idp, action, START.plus(at));
    let name = given.get("id").cloned();
    let name = name.unwrap_or_else(|| number.to_string());
    let mut id = [0_u8; 16];
    for (to, from) in id.iter_mut().rev().zip(name.bytes().rev()) {
        *to = from;
    }
    event.event_id = EventId(id);
    event.outcome = Outcome::Success;
    event.source.topic = "story".into();
    event.source.offset = i64::try_from(number).unwrap_or(i64::MAX);
    for (key, value) in &given {
        if !set_who(&mut event, key, value, people)
            && !set_what(&mut event, key, value)?
            && !set_where(&mut event, key, value)?
        {
            return Err(unknown_word("key", key, &KEYS));
        }
    }
    Ok(event)
}

/// Every key of an event.
pub const KEYS: [&str; 33] = [
    "agent",
    "app",
    "approver",
    "asn",
    "call",
    "channel",
    "connected",
    "country",
    "cue",
    "device",
    "direction",
    "eligible",
    "factor",
    "id",
    "ip",
    "kind",
    "method",
    "number",
    "of_record",
    "opened",
    "outcome",
    "pressure",
    "proxy",
    "quality",
    "request",
    "requester",
    "score",
    "self_service",
    "status",
    "target",
    "ticket",
    "txn",
    "voice",
];

fn part<T: Default>(slot: &mut Option<Box<T>>) -> &mut T {
    slot.get_or_insert_with(Box::default)
}

fn set_who(event: &mut Event, key: &str, value: &str, people: &People) -> bool {
    let role = match key {
        "target" => &mut event.target,
        "requester" => &mut event.requester,
        "agent" => &mut event.agent,
        "approver" => &mut event.approver,
        _ => return false,
    };
    *role = people.role(value);
    true
}

fn set_what(event: &mut Event, key: &str, value: &str) -> Result<bool, String> {
    match key {
        "id" => {}
        "kind" => {
            part(&mut event.agent_facts).kind = word(AgentKind::ALL, AgentKind::as_str, value)?
        }
        "eligible" => {
            part(&mut event.approval).eligible = word(Ternary::ALL, Ternary::as_str, value)?;
        }
        "outcome" => event.outcome = word(Outcome::ALL, Outcome::as_str, value)?,
        "self_service" => event.self_service = Some(value == "true"),
        "request" => {
            let class = word(RequestClass::ALL, RequestClass::as_str, value)?;
            part(&mut event.request).class = class;
        }
        "method" => {
            let method = word(VerificationMethod::ALL, VerificationMethod::as_str, value)?;
            part(&mut event.verification).method = Some(method);
        }
        "pressure" => {
            part(&mut event.text).pressure.band = word(Band::ALL, Band::as_str, value)?;
        }
        "score" => part(&mut event.text).pressure.score_pct = number(value)?,
        "cue" => {
            let span = CueSpan {
                cue: Some(word(Cue::ALL, Cue::as_str, value)?),
                phrase_id: "p".into(),
                start: 0,
                end: 1,
            };
            part(&mut event.text).pressure.cues.push(span);
        }
        "voice" => {
            let risk = part(&mut event.risk);
            (risk.kind, risk.score) = (Some(RiskKind::Voice), Some(number(value)?));
        }
        "app" => {
            part(&mut event.app).class = Some(word(AppClass::ALL, AppClass::as_str, value)?);
        }
        "txn" => part(&mut event.correlation).native_txn = Some(value.into()),
        "quality" => {
            event.time_quality = match value {
                "exact" => TimeQuality::Exact,
                "second" => TimeQuality::Second,
                "minute" => TimeQuality::Minute,
                other => {
                    return Err(unknown_word(
                        "quality",
                        other,
                        &["exact", "second", "minute"],
                    ));
                }
            };
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn number<T: std::str::FromStr>(value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("`{value}` is no number that fits"))
}

fn set_where(event: &mut Event, key: &str, value: &str) -> Result<bool, String> {
    let owned = || Some(value.into());
    match key {
        "channel" => event.channel = Some(word(Channel::ALL, Channel::as_str, value)?),
        "direction" => {
            let direction = word(Direction::ALL, Direction::as_str, value)?;
            part(&mut event.contact).direction = Some(direction);
        }
        "call" => {
            let call = part(&mut event.call_ref);
            (call.system, call.id, call.root_id) = ("cc".into(), value.into(), value.into());
        }
        "connected" => part(&mut event.call_ref).connected_s = Some(number(value)?),
        "ticket" => {
            let ticket = part(&mut event.ticket_ref);
            (ticket.system, ticket.id) = ("desk".into(), value.into());
        }
        "opened" => part(&mut event.ticket_ref).opened_at = Some(START.plus(offset(value)?)),
        "status" => {
            let status = word(TicketStatus::ALL, TicketStatus::as_str, value)?;
            part(&mut event.ticket_ref).status = Some(status);
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
            let owner = match value.split_once(':') {
                None => None,
                Some((who, since)) => Some(PhoneOwner {
                    identity: who.into(),
                    since: Some(START.plus(offset(since)?)),
                }),
            };
            part(&mut event.phone).of_record = Some(owner.into_iter().collect());
        }
        "device" => part(&mut event.device).id = owned(),
        "factor" => part(&mut event.factor).id = owned(),
        "ip" => part(&mut event.network).ip = owned(),
        "asn" => part(&mut event.network).asn = Some(number(value)?),
        "country" => part(&mut event.network).country = owned(),
        "proxy" => part(&mut event.network).is_proxy = Some(value == "true"),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Fisher–Yates with a small generator of its own (splitmix64), so that a seed is a story for good.
pub fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for at in (1..items.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let among = u64::try_from(at).unwrap_or(u64::MAX).saturating_add(1);
        let pick = usize::try_from((z ^ (z >> 31)) % among).unwrap_or(at);
        items.swap(at, pick);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_shown() {
        for (text, ms) in [
            ("-20d", -20 * DAY_MS),
            ("1h30m", 90 * MINUTE_MS),
            ("0", 0),
            ("0h", 0),
            ("250ms", 250),
        ] {
            assert_eq!(offset(text), Ok(ms), "{text}");
        }
        assert!(offset("5").is_err() && offset("m").is_err() && offset("1x").is_err());
        assert_eq!(
            (shown(90 * MINUTE_MS), shown(-DAY_MS)),
            ("90m".into(), "-1d".into())
        );
        assert_eq!((shown(0), shown(1)), ("0ms".into(), "1ms".into()));
    }

    #[test]
    fn faults_name_what_would_be_right() {
        let fault = |line: &str| event(line, &People::default(), 0).unwrap_err();
        assert!(fault("1m mfa.enroled target=T").contains("mfa.enrolled"));
        assert!(fault("1m mfa.enrolled targt=T").contains("target"));
        assert!(fault("1m auth.login outcome=sucess").contains("success"));
        assert!(fault("soon auth.login").contains("no time"));
        assert!(
            People::default()
                .read("T teir=executive")
                .unwrap_err()
                .contains("tier")
        );
    }

    #[test]
    fn every_key_is_understood() {
        for key in KEYS {
            let line = format!("1m auth.login {key}=T");
            let fault = event(&line, &People::default(), 0)
                .err()
                .unwrap_or_default();
            assert!(!fault.contains("unknown key"), "{key}: {fault}");
        }
    }
}
