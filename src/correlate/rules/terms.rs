//! The terms of `where`: what a rule may ask beyond one fact, as calls with typed arguments, such as
//! `not in_baseline(enrol.device)` or `live_ticket(reset, -24h, 30m)`.

use crate::collect::event::Channel;
use crate::collect::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use crate::correlate::baseline::Kind;
use crate::correlate::fact::{Fact, Person};
use crate::correlate::rules::signal::{RowFault, Signal, unknown};
use crate::correlate::view::{Seen, View, of_record};

/// The facts a rule has bound to its signals, by the index of the signal.
#[derive(Debug, Clone, Default)]
pub struct Binding<'v, 'a> {
    steps: Vec<Option<&'v Seen<'a>>>,
}

impl<'v, 'a> Binding<'v, 'a> {
    /// Nothing bound yet.
    #[must_use]
    pub fn new(signals: usize) -> Self {
        Self {
            steps: vec![None; signals],
        }
    }

    /// The same with one more fact bound.
    #[must_use]
    pub fn with(&self, signal: usize, seen: &'v Seen<'a>) -> Self {
        let mut next = self.clone();
        if let Some(place) = next.steps.get_mut(signal) {
            *place = Some(seen);
        }
        next
    }

    /// The fact bound to a signal.
    #[must_use]
    pub fn get(&self, signal: usize) -> Option<&'v Seen<'a>> {
        self.steps.get(signal).copied().flatten()
    }

    /// All bound facts, in order of event time.
    #[must_use]
    pub fn facts(&self) -> Vec<&'v Seen<'a>> {
        let mut facts: Vec<_> = self.steps.iter().flatten().copied().collect();
        facts.sort_by_key(|seen| seen.order());
        facts.dedup_by_key(|seen| seen.order());
        facts
    }
}

/// A person named by a step of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who {
    step: usize,
    role: WhoRole,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WhoRole {
    Target,
    Requester,
    Agent,
    Approver,
    ApproverManager,
    TicketTarget,
    TicketRequester,
    TicketRequesterDelegates,
}

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

/// One term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// `in_baseline(step.device|asn|country)`: usual for the person at that time.
    InBaseline(usize, Kind),
    /// `short_baseline(step)`: too little is known of the person to tell new from known.
    ShortBaseline(usize),
    /// `same_device(a, b)`.
    SameDevice(usize, usize),
    /// `same_person(a.role, b.role)`: two resolved identities that are equal.
    SamePerson(Who, Who),
    /// `same_request(a, b)`: one call or ticket.
    SameRequest(usize, usize),
    /// `within(a, b, from, to)`: `a` lies in `(b + from, b + to]`.
    Within(usize, usize, i64, i64),
    /// `live_ticket(step, from, to)`: an open ticket names the person at some moment of it.
    LiveTicket(usize, i64, i64),
    /// `verified(step, strength, span)`.
    Verified(usize, u8, i64),
    /// `of_record(callback, recovery)`: a number of record of the person or their manager.
    OfRecord(usize, usize),
    /// `contact_by(channel, step, from, to)`: a contact to the desk started in it.
    ContactBy(Channel, usize, i64, i64),
    /// `ticket_by(channel, step, from, to)`: a live ticket opened through the channel.
    TicketBy(Channel, usize, i64, i64),
    /// `called_back(step, from, to)`: a call-back to a number of record.
    CalledBack(usize, i64, i64),
    /// `second_person(step, from, to)`.
    SecondPerson(usize, i64, i64),
    /// `is(step, signal)`.
    Is(usize, Signal),
    /// `exists(signal, step, from, to)`: some fact of that signal lies in it.
    Exists(Signal, usize, i64, i64),
}

/// A term, or its opposite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    negated: bool,
    term: Term,
}

impl Condition {
    /// Whether it holds for what is bound. Where a step is not bound, or a person not known, neither
    /// the term nor its opposite holds.
    #[must_use]
    pub fn holds(&self, view: &View<'_>, bound: &Binding<'_, '_>) -> bool {
        evaluate(&self.term, view, bound).is_some_and(|truth| truth != self.negated)
    }

    /// The steps it looks at.
    #[must_use]
    pub fn steps(&self) -> Vec<usize> {
        match &self.term {
            Term::InBaseline(a, _)
            | Term::ShortBaseline(a)
            | Term::LiveTicket(a, ..)
            | Term::Verified(a, ..)
            | Term::ContactBy(_, a, ..)
            | Term::TicketBy(_, a, ..)
            | Term::CalledBack(a, ..)
            | Term::SecondPerson(a, ..)
            | Term::Is(a, _)
            | Term::Exists(_, a, ..) => vec![*a],
            Term::SameDevice(a, b)
            | Term::SameRequest(a, b)
            | Term::Within(a, b, ..)
            | Term::OfRecord(a, b) => vec![*a, *b],
            Term::SamePerson(a, b) => vec![a.step, b.step],
        }
    }
}

fn evaluate(term: &Term, view: &View<'_>, bound: &Binding<'_, '_>) -> Option<bool> {
    let fact = |step: &usize| bound.get(*step).map(|seen| seen.fact);
    match term {
        Term::InBaseline(step, kind) => fact(step).and_then(|f| in_baseline(view, f, *kind)),
        Term::ShortBaseline(step) => fact(step).map(|f| view.baseline.short(f.time)),
        Term::SameDevice(a, b) => Some(fact(a)?.same_device(fact(b)?)),
        Term::SamePerson(a, b) => same_person(bound, *a, *b),
        Term::SameRequest(a, b) => {
            Some(bound.get(*a)?.request_key() == bound.get(*b)?.request_key())
        }
        Term::Within(a, b, from, to) => {
            let (a, b) = (fact(a)?.time, fact(b)?.time);
            Some(a > b.plus(*from) && a <= b.plus(*to))
        }
        Term::LiveTicket(step, from, to) => {
            let r = fact(step)?.time;
            Some(view.live_ticket(r.plus(*from), r.plus(*to)).is_some())
        }
        Term::Verified(step, strength, within) => {
            Some(view.verified(fact(step)?, *strength, *within).is_some())
        }
        Term::OfRecord(callback, recovery) => of_record(fact(callback)?, fact(recovery)?),
        Term::ContactBy(channel, step, from, to) => {
            let r = fact(step)?.time;
            let contact = view.contacts.iter().any(|contact| {
                contact.item.channel == Some(*channel)
                    && contact.item.time > r.plus(*from)
                    && contact.item.time <= r.plus(*to)
                    && contact.to_desk()
            });
            Some(contact)
        }
        Term::TicketBy(channel, step, from, to) => {
            let r = fact(step)?.time;
            let ticket = view.tickets.iter().any(|ticket| {
                ticket.item.channel == Some(*channel)
                    && ticket.live_for(view.id, r.plus(*from), r.plus(*to))
            });
            Some(ticket)
        }
        Term::CalledBack(step, from, to) => {
            Some(view.called_back(fact(step)?, *from, *to).is_some())
        }
        Term::SecondPerson(step, from, to) => {
            Some(view.second_person(fact(step)?, *from, *to).is_some())
        }
        Term::Is(step, signal) => Some(signal.matches(bound.get(*step)?)),
        Term::Exists(signal, step, from, to) => {
            let r = fact(step)?.time;
            let (first, last) = (r.plus(*from), r.plus(*to));
            let inside = |seen: &&Seen<'_>| seen.fact.time > first && seen.fact.time <= last;
            Some(
                view.seen
                    .iter()
                    .filter(inside)
                    .any(|seen| signal.matches(seen)),
            )
        }
    }
}

fn in_baseline(view: &View<'_>, fact: &Fact, kind: Kind) -> Option<bool> {
    match kind {
        Kind::Device => {
            fact.device
                .as_ref()
                .filter(|device| device.keys().next().is_some())?;
            Some(view.baseline.has_device(fact))
        }
        Kind::Asn => Some(view.baseline.has(kind, &fact.asn?.to_string(), fact.time)),
        Kind::Country => Some(view.baseline.has(kind, fact.country.as_deref()?, fact.time)),
    }
}

fn same_person(bound: &Binding<'_, '_>, a: Who, b: Who) -> Option<bool> {
    let (a, b) = (people(bound, a)?, people(bound, b)?);
    Some(a.iter().any(|person| b.contains(person)))
}

/// The identity ids a reference stands for; `None` where nobody is known there.
fn people(bound: &Binding<'_, '_>, who: Who) -> Option<Vec<String>> {
    let seen = bound.get(who.step)?;
    let fact = seen.fact;
    let one = |person: Option<&Person>| person.map(|p| vec![p.identity.clone()]);
    let asked = || {
        let by_ticket = seen.ticket.and_then(|t| t.requester_at(fact.time));
        by_ticket.or(fact.requester.as_ref())
    };
    match who.role {
        WhoRole::Target => one(fact.target.as_ref()),
        WhoRole::Requester => one(fact.requester.as_ref()),
        WhoRole::Agent => one(fact.agent.as_ref()),
        WhoRole::Approver => one(fact.approver.as_ref()),
        WhoRole::ApproverManager => fact
            .approver
            .as_ref()
            .and_then(|p| p.manager.clone())
            .map(|manager| vec![manager]),
        WhoRole::TicketTarget => one(seen
            .ticket
            .and_then(|t| t.target_at(fact.time))
            .or(fact.target.as_ref())),
        WhoRole::TicketRequester => one(asked()),
        WhoRole::TicketRequesterDelegates => asked().map(|person| person.delegates.clone()),
    }
}

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
    RowFault {
        what: what.to_owned(),
        did_you_mean: None,
    }
}

const TERMS: [&str; 15] = [
    "in_baseline",
    "short_baseline",
    "same_device",
    "same_person",
    "same_request",
    "within",
    "live_ticket",
    "verified",
    "of_record",
    "contact_by",
    "ticket_by",
    "called_back",
    "second_person",
    "is",
    "exists",
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
            span(from)?,
            span(to)?,
        )),
        ("live_ticket", [step, from, to]) => {
            Ok(Term::LiveTicket(names.step(step)?, span(from)?, span(to)?))
        }
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
            span(from)?,
            span(to)?,
        )),
        ("ticket_by", [by, step, from, to]) => Ok(Term::TicketBy(
            channel(by)?,
            names.step(step)?,
            span(from)?,
            span(to)?,
        )),
        ("called_back", [step, from, to]) => {
            Ok(Term::CalledBack(names.step(step)?, span(from)?, span(to)?))
        }
        ("second_person", [step, from, to]) => Ok(Term::SecondPerson(
            names.step(step)?,
            span(from)?,
            span(to)?,
        )),
        ("is", [step, signal]) => Ok(Term::Is(names.step(step)?, names.signal(signal)?)),
        ("exists", [signal, step, from, to]) => Ok(Term::Exists(
            names.signal(signal)?,
            names.step(step)?,
            span(from)?,
            span(to)?,
        )),
        (known, _) if TERMS.contains(&known) => Err(fault(&format!(
            "`{known}` takes another number of arguments"
        ))),
        (other, _) => Err(unknown("term", other, TERMS.into_iter())),
    }
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

    fn names() -> Vec<(String, Signal)> {
        vec![
            ("reset".into(), Signal::All(vec![])),
            ("login".into(), Signal::All(vec![])),
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
            Term::LiveTicket(0, -24 * HOUR_MS, 30 * MINUTE_MS)
        );
        assert_eq!(compiled.steps(), [0]);
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
                .contains("number of arguments")
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
