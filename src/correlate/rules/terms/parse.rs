//! Conditions as text, `not live_ticket(reset, -24h, 30m)`, read into terms with typed arguments.

use super::people::{Who, WhoRole};
use super::{Around, Condition, Term};
use crate::collect::event::Channel;
use crate::collect::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use crate::correlate::baseline::Kind;
use crate::correlate::rules::signal::{RowFault, Signal, unknown};

const ROLES: [(&str, WhoRole); 8] = [
    ("target", WhoRole::Target),
    ("requester", WhoRole::Requester),
    ("agent", WhoRole::Agent),
    ("approver", WhoRole::Approver),
    ("approver.manager", WhoRole::ApproverManager),
    ("ticket.target", WhoRole::TicketTarget),
    ("ticket.requester", WhoRole::TicketRequester),
    (
        "ticket.requester.delegates",
        WhoRole::TicketRequesterDelegates,
    ),
];

/// What a condition is compiled against: the signals of its rule, in order, and the named sets.
#[derive(Debug, Clone, Copy)]
pub struct Names<'n> {
    /// Signals of the rule.
    pub signals: &'n [(String, Signal)],
    /// Sets of `common.yaml`.
    pub sets: &'n [(String, Signal)],
}

impl Names<'_> {
    /// Index of a signal of the rule.
    ///
    /// # Errors
    /// Where the rule has no such signal.
    pub fn step(&self, name: &str) -> Result<usize, RowFault> {
        self.signals
            .iter()
            .position(|(known, _)| known == name)
            .ok_or_else(|| {
                unknown(
                    "signal",
                    name,
                    self.signals.iter().map(|(known, _)| known.as_str()),
                )
            })
    }

    fn signal(&self, name: &str) -> Result<Signal, RowFault> {
        let all = || self.signals.iter().chain(self.sets);
        let found = all()
            .find(|(known, _)| known == name)
            .map(|(_, signal)| signal.clone());
        found.ok_or_else(|| unknown("signal", name, all().map(|(known, _)| known.as_str())))
    }

    fn who(&self, text: &str) -> Result<Who, RowFault> {
        let (step, role) = text
            .split_once('.')
            .ok_or_else(|| fault("expected `signal.role`"))?;
        let known = ROLES.iter().find(|(name, _)| *name == role);
        let role = known
            .ok_or_else(|| unknown("role", role, ROLES.iter().map(|(n, _)| *n)))?
            .1;
        Ok(Who {
            step: self.step(step)?,
            role,
        })
    }
}

fn fault(what: &str) -> RowFault {
    RowFault::new(what)
}

/// A term and how it is called, for messages and schemas.
pub type Arity = (&'static str, &'static str);

/// Every term, with the arguments it takes.
pub const TERMS: [Arity; 18] = [
    ("in_baseline", "step.device|asn|country"),
    ("short_baseline", "step"),
    ("same_device", "step, step"),
    ("same_person", "step.role, step.role"),
    ("same_request", "step, step"),
    ("within", "step, step, from, to"),
    ("live_ticket", "step, from, to"),
    ("own_ticket_live", "step, step"),
    ("verified", "step, strength, span"),
    ("of_record", "step, step"),
    ("contact_by", "channel, step, from, to"),
    ("ticket_by", "channel, step, from, to"),
    ("called_back", "step, from, to"),
    ("second_person", "step, from, to"),
    ("is", "step, signal"),
    ("exists", "signal, step, from, to"),
    ("beside", "signal, step"),
    ("defends", "step, step, step"),
];

/// Compiles one condition.
///
/// # Errors
/// Unknown term, signal, role or word, a wrong number of arguments, or an argument of another type.
pub fn condition(text: &str, names: &Names<'_>) -> Result<Condition, RowFault> {
    let text = text.trim();
    let (negated, call) = text
        .strip_prefix("not ")
        .map_or((false, text), |rest| (true, rest));
    let (name, rest) = call
        .split_once('(')
        .ok_or_else(|| fault("expected `term(…)`"))?;
    let inside = rest
        .trim_end()
        .strip_suffix(')')
        .ok_or_else(|| fault("missing `)`"))?;
    let arguments: Vec<&str> = inside.split(',').map(str::trim).collect();
    let term = term(name.trim(), &arguments, names)?;
    Ok(Condition { negated, term })
}

fn term(name: &str, arguments: &[&str], names: &Names<'_>) -> Result<Term, RowFault> {
    match (name, arguments) {
        ("in_baseline", [what]) => {
            let (step, part) = what.split_once('.').unwrap_or((what, "device"));
            let kind = match part {
                "device" => Kind::Device,
                "asn" => Kind::Asn,
                "country" => Kind::Country,
                other => {
                    return Err(unknown(
                        "part",
                        other,
                        ["device", "asn", "country"].into_iter(),
                    ));
                }
            };
            Ok(Term::InBaseline(names.step(step)?, kind))
        }
        ("short_baseline", [step]) => Ok(Term::ShortBaseline(names.step(step)?)),
        ("same_device", [a, b]) => Ok(Term::SameDevice(names.step(a)?, names.step(b)?)),
        ("same_person", [a, b]) => Ok(Term::SamePerson(names.who(a)?, names.who(b)?)),
        ("same_request", [a, b]) => Ok(Term::SameRequest(names.step(a)?, names.step(b)?)),
        ("within", [a, b, from, to]) => Ok(Term::Within(
            names.step(a)?,
            names.step(b)?,
            around(from, to)?,
        )),
        ("live_ticket", [step, from, to]) => {
            Ok(Term::LiveTicket(names.step(step)?, around(from, to)?))
        }
        ("own_ticket_live", [a, b]) => Ok(Term::OwnTicketLive(names.step(a)?, names.step(b)?)),
        ("verified", [step, strength, within]) => {
            let strength = strength.parse().ok().filter(|s| (1..=4).contains(s));
            let strength = strength.ok_or_else(|| fault("expected a strength from 1 to 4"))?;
            Ok(Term::Verified(names.step(step)?, strength, span(within)?))
        }
        ("of_record", [callback, recovery]) => {
            Ok(Term::OfRecord(names.step(callback)?, names.step(recovery)?))
        }
        ("contact_by", [by, step, from, to]) => Ok(Term::ContactBy(
            channel(by)?,
            names.step(step)?,
            around(from, to)?,
        )),
        ("ticket_by", [by, step, from, to]) => Ok(Term::TicketBy(
            channel(by)?,
            names.step(step)?,
            around(from, to)?,
        )),
        ("called_back", [step, from, to]) => {
            Ok(Term::CalledBack(names.step(step)?, around(from, to)?))
        }
        ("second_person", [step, from, to]) => {
            Ok(Term::SecondPerson(names.step(step)?, around(from, to)?))
        }
        ("is", [step, signal]) => Ok(Term::Is(names.step(step)?, names.signal(signal)?)),
        ("exists", [signal, step, from, to]) => Ok(Term::Exists(
            names.signal(signal)?,
            names.step(step)?,
            around(from, to)?,
        )),
        ("beside", [signal, step]) => Ok(Term::Beside(names.signal(signal)?, names.step(step)?)),
        ("defends", [step, a, b]) => Ok(Term::Defends(
            names.step(step)?,
            [names.step(a)?, names.step(b)?],
        )),
        (known, _) => Err(TERMS.iter().find(|(name, _)| *name == known).map_or_else(
            || unknown("term", known, TERMS.iter().map(|(name, _)| *name)),
            |(name, arguments)| fault(&format!("expected `{name}({arguments})`")),
        )),
    }
}

/// A span `(from, to]` around a step; one that contains nothing is a mistake, but for a moment.
fn around(from: &str, to: &str) -> Result<Around, RowFault> {
    let (start, end) = (span(from)?, span(to)?);
    if start > end {
        return Err(fault(&format!("`{from}` lies after `{to}`")));
    }
    Ok((start, end))
}

fn channel(word: &str) -> Result<Channel, RowFault> {
    let known = || Channel::ALL.iter().map(|channel| channel.as_str());
    let found = Channel::ALL.iter().find(|channel| channel.as_str() == word);
    found
        .copied()
        .ok_or_else(|| unknown("channel", word, known()))
}

/// A span such as `-24h`, `30m`, `10s`, `7d` or `0`, in ms.
///
/// # Errors
/// Anything else.
pub fn span(text: &str) -> Result<i64, RowFault> {
    let wrong = || {
        fault(&format!(
            "expected a span such as 30m, -24h or 7d, not `{text}`"
        ))
    };
    let (number, unit) = match text.char_indices().last() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => {
            (text.get(..at).ok_or_else(wrong)?, Some(unit))
        }
        _ => (text, None),
    };
    let number: i64 = number.parse().map_err(|_| wrong())?;
    let unit_ms = match unit {
        Some('s') => SECOND_MS,
        Some('m') => MINUTE_MS,
        Some('h') => HOUR_MS,
        Some('d') => DAY_MS,
        None if number == 0 => 0,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit_ms).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::rules::terms::Needs;

    fn names() -> Vec<(String, Signal)> {
        vec![
            ("reset".into(), Signal::all(vec![])),
            ("login".into(), Signal::all(vec![])),
        ]
    }

    fn fault_of(text: &str) -> RowFault {
        let signals = names();
        condition(
            text,
            &Names {
                signals: &signals,
                sets: &[],
            },
        )
        .unwrap_err()
    }

    #[test]
    fn conditions_compile_with_typed_arguments() {
        let signals = names();
        let names = Names {
            signals: &signals,
            sets: &[],
        };
        let compiled = condition("not live_ticket(reset, -24h, 30m)", &names).unwrap();
        assert!(compiled.negated);
        assert_eq!(
            compiled.term,
            Term::LiveTicket(0, (-24 * HOUR_MS, 30 * MINUTE_MS))
        );
        assert_eq!(compiled.needs(), Needs::One(0));
        assert!(condition("same_person(reset.agent, login.approver.manager)", &names).is_ok());
        assert!(condition("contact_by(voice, reset, -2h, 0)", &names).is_ok());
    }

    #[test]
    fn faults_name_what_would_be_right() {
        assert_eq!(
            fault_of("live_tickets(reset, 0, 1h)").did_you_mean.unwrap(),
            "live_ticket"
        );
        assert_eq!(
            fault_of("live_ticket(resett, 0, 1h)").did_you_mean.unwrap(),
            "reset"
        );
        assert_eq!(
            fault_of("same_person(reset.agnt, login.agent)")
                .did_you_mean
                .unwrap(),
            "agent"
        );
        assert!(
            fault_of("live_ticket(reset)")
                .what
                .contains("live_ticket(step, from, to)")
        );
        assert!(fault_of("verified(reset, 9, 1h)").what.contains("1 to 4"));
        assert!(
            fault_of("live_ticket(reset, 0, soon)")
                .what
                .contains("span")
        );
        assert!(fault_of("live_ticket").what.contains("term"));
    }
}
