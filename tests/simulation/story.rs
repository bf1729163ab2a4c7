//! A seeded stream of canonical events about a few people: recoveries, tickets, calls, devices,
//! approvals, proofs, in an order and density that makes patterns fire, clear and come back.

use deskwarden::collect::directory::{AccountRecord, ExportSetup, read_item};
use deskwarden::collect::event::*;
use deskwarden::collect::parse::{Tape, parse};
use deskwarden::collect::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

use crate::random::Random;

/// The start of every story: 2026-03-02T09:00:00Z.
pub const START: Timestamp = Timestamp(1_772_442_000_000);
const PEOPLE: u64 = 5;
/// Length of a story.
const SPAN_MS: i64 = 3 * HOUR_MS;

/// One record of a source.
#[derive(Debug, Clone)]
pub struct SourceRecord {
    /// `idp` or `desk`.
    pub topic: &'static str,
    /// Event time.
    pub time: Timestamp,
    /// Canonical JSON.
    pub value: Vec<u8>,
}

/// The people, as their directory has them.
pub fn directory() -> Vec<AccountRecord> {
    let mut tape = Tape::default();
    let setup = ExportSetup {
        read_at: START.minus(DAY_MS),
        ..ExportSetup::default()
    };
    (0..PEOPLE + 2)
        .map(|n| {
            let kind = if n == 1 { "contractor" } else { "employee" };
            let row = format!(
                r#"{{"employee_id":"E{n}","legal_name":"P {n}","work_email":"p{n}@firm.example","mobile_phone":"+1415555010{n}","manager_employee_id":"E0","hire_date":"2015-01-01","worker_type":"{kind}","status":"active"}}"#
            );
            read_item("hris", parse(&mut tape, row.as_bytes()).unwrap(), &setup).unwrap()
        })
        .collect()
}

fn role(number: u64) -> Option<Box<Role>> {
    Some(Box::new(Role {
        handles: vec![Handle {
            kind: HandleKind::Email,
            value: format!("p{number}@firm.example").into(),
            masked: None,
            issuer: None,
        }],
        ..Role::default()
    }))
}

struct Maker<'r> {
    random: &'r mut Random,
    records: Vec<SourceRecord>,
}

impl Maker<'_> {
    fn event(&mut self, domain: Domain, action: Action, time: Timestamp) -> Event {
        let mut event = Event::new(domain, action, time);
        let number = u128::try_from(self.records.len() + 1).unwrap();
        event.event_id = EventId(number.to_be_bytes());
        event.outcome = Outcome::Success;
        event
    }

    fn push(&mut self, event: &Event) {
        let topic = if event.domain == Domain::Idp {
            "idp"
        } else {
            "desk"
        };
        self.records.push(SourceRecord {
            topic,
            time: event.time,
            value: serde_json::to_vec(event).unwrap(),
        });
    }

    fn login(&mut self, person: u64, device: u64, time: Timestamp) {
        let mut event = self.event(Domain::Idp, Action::AuthLogin, time);
        event.target = role(person);
        event.agent = role(person);
        event.device = Some(Box::new(Device {
            id: Some(format!("device-{device}").into()),
            ..Device::default()
        }));
        event.network = Some(Box::new(Network {
            asn: Some(64_500),
            country: Some("DE".into()),
            ..Network::default()
        }));
        self.push(&event);
    }

    fn step(&mut self, person: u64) {
        let time = START.plus(self.random.span(SPAN_MS));
        let agent = PEOPLE + self.random.below(2);
        match self.random.below(12) {
            0 | 1 => self.recovery(Action::CredentialPasswordReset, person, agent, time),
            2 => self.recovery(Action::MfaResetAll, person, agent, time),
            3 => self.recovery(Action::AccountUnlocked, person, agent, time),
            4 => self.takeover(person, agent, time),
            5 | 6 => self.ticket(person, agent, time),
            7 | 8 => self.call(person, time),
            9 => self.proof(person, agent, time),
            10 => self.login(person, person, time),
            _ => {
                let mut event = self.event(Domain::Idp, Action::AuthAppAccess, time);
                event.target = role(person);
                event.device = Some(Box::new(Device {
                    id: Some(format!("device-{person}").into()),
                    ..Device::default()
                }));
                self.push(&event);
            }
        }
    }

    fn recovery(&mut self, action: Action, person: u64, agent: u64, time: Timestamp) {
        let mut event = self.event(Domain::Idp, action, time);
        event.target = role(person);
        event.agent = role(agent);
        self.push(&event);
    }

    fn takeover(&mut self, person: u64, agent: u64, time: Timestamp) {
        self.recovery(Action::MfaResetAll, person, agent, time);
        let device = 900 + self.random.below(3);
        let enrolled = time.plus(5 * MINUTE_MS);
        let mut event = self.event(Domain::Idp, Action::MfaEnrolled, enrolled);
        event.target = role(person);
        event.agent = role(person);
        event.self_service = Some(true);
        event.device = Some(Box::new(Device {
            id: Some(format!("device-{device}").into()),
            ..Device::default()
        }));
        self.push(&event);
        self.login(person, device, time.plus(9 * MINUTE_MS));
    }

    fn ticket(&mut self, person: u64, agent: u64, time: Timestamp) {
        let id = format!("t{}", self.random.below(6));
        let reference = |status| {
            Some(Box::new(TicketRef {
                system: "desk".into(),
                id: id.clone().into(),
                status: Some(status),
                ..TicketRef::default()
            }))
        };
        let mut event = self.event(Domain::Ticket, Action::TicketOpened, time);
        event.requester = role(person);
        event.target = role(person);
        event.channel = Some(Channel::Email);
        event.request = Some(Box::new(Request {
            class: RequestClass::Password,
            claims: Vec::new(),
        }));
        event.ticket_ref = reference(TicketStatus::Open);
        self.push(&event);
        if self.random.one_in(2) {
            let approver = if self.random.one_in(2) { person } else { agent };
            let mut event = self.event(
                Domain::Ticket,
                Action::ApprovalGranted,
                time.plus(MINUTE_MS),
            );
            event.approver = role(approver);
            event.ticket_ref = reference(TicketStatus::Open);
            self.push(&event);
        }
        if self.random.one_in(2) {
            let closed = time.plus(self.random.span(2 * HOUR_MS));
            let mut event = self.event(Domain::Ticket, Action::TicketClosed, closed);
            event.ticket_ref = reference(TicketStatus::Closed);
            self.push(&event);
        }
    }

    fn call(&mut self, person: u64, time: Timestamp) {
        let id = format!("c{}", self.records.len());
        let number = self.random.below(2);
        let reference = || {
            Some(Box::new(CallRef {
                system: "cc".into(),
                id: id.clone().into(),
                root_id: id.clone().into(),
                ..CallRef::default()
            }))
        };
        let mut started = self.event(Domain::Contact, Action::ContactStarted, time);
        started.channel = Some(Channel::Voice);
        started.call_ref = reference();
        self.push(&started);
        // Who called, and about whom, often comes with the record after the call.
        let after = time.plus(10 * MINUTE_MS);
        let mut wrapup = self.event(Domain::Contact, Action::ContactWrapup, after);
        wrapup.channel = Some(Channel::Voice);
        wrapup.call_ref = reference();
        wrapup.target = role(person);
        wrapup.request = Some(Box::new(Request {
            class: RequestClass::Mfa,
            claims: Vec::new(),
        }));
        wrapup.phone = Some(Box::new(Phone {
            ani: Some(Handle {
                kind: HandleKind::Phone,
                value: format!("+1415555099{number}").into(),
                masked: None,
                issuer: None,
            }),
            ..Phone::default()
        }));
        if self.random.one_in(2) {
            wrapup.text = Some(Box::new(Text {
                pressure: Pressure {
                    score_pct: 80,
                    band: Band::High,
                    ..Pressure::default()
                },
                ..Text::default()
            }));
        }
        self.push(&wrapup);
    }

    fn proof(&mut self, person: u64, agent: u64, time: Timestamp) {
        let mut event = self.event(Domain::Ticket, Action::VerifyResult, time);
        event.target = role(person);
        event.agent = role(agent);
        event.verification = Some(Box::new(Verification {
            method: Some(VerificationMethod::Video),
            ..Verification::default()
        }));
        self.push(&event);
    }
}

/// The records of a story in order of event time, the past first.
pub fn story(random: &mut Random) -> Vec<SourceRecord> {
    let steps = 6 + random.below(18);
    let mut maker = Maker {
        random,
        records: Vec::new(),
    };
    for person in 0..PEOPLE {
        for days in [30, 3] {
            maker.login(person, person, START.minus(days * DAY_MS));
        }
    }
    for _ in 0..steps {
        // Most of it is about two people, so that it meets.
        let person = if maker.random.one_in(3) {
            maker.random.below(PEOPLE)
        } else {
            maker.random.below(2)
        };
        maker.step(person);
    }
    let mut records = maker.records;
    records.sort_by_key(|record| record.time);
    records
}
