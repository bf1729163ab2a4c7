//! What the help desk does all day, and does right: verified recoveries, ordinary calls and tickets,
//! access requests that a manager approves.

use super::connect::{Call, Speaker};
use super::okta::{OktaEvent, Target};
use super::people::{Device, Person, Place};
use super::script::Script;
use super::servicenow::{Approval, State, Ticket, moment};
use super::texts;
use crate::collect::time::{MINUTE_MS, SECOND_MS, Timestamp, rfc3339};

/// What somebody needs from the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matter {
    /// A forgotten password.
    Password,
    /// A new telephone in place of a lost one.
    Phone,
    /// A locked account.
    Locked,
}

/// A genuine recovery: call, ticket, proof, call-back to the number of record, then the act.
pub(super) struct Recovery<'a> {
    pub(super) who: &'a Person,
    pub(super) at: Timestamp,
    pub(super) matter: Matter,
    /// How the desk has the person prove who they are.
    pub(super) proof: &'static str,
    /// Where they sign in afterwards.
    pub(super) place: &'a Place,
    /// What they say.
    pub(super) said: &'static [&'static str],
}

fn customer(words: &'static [&'static str]) -> Vec<(Speaker, &'static str)> {
    let turns = words.iter().map(|words| (Speaker::Customer, *words));
    let mut said: Vec<_> = turns.collect();
    said.insert(0, (Speaker::Agent, "Service desk, how can I help you?"));
    said
}

/// Plays a genuine recovery.
pub(super) fn recovery(script: &mut Script<'_>, part: &Recovery<'_>) {
    let Recovery {
        who, at, matter, ..
    } = *part;
    let agent = script.agent();
    let class = match matter {
        Matter::Password => "password_reset",
        Matter::Phone => "mfa_reset",
        Matter::Locked => "account_unlock",
    };
    let proved = at.plus(3 * MINUTE_MS);
    let mut ticket = Ticket {
        table: "incident",
        id: script.rng.sys_id(),
        number: script.ticket_number("INC"),
        requester: who,
        channel: "phone",
        category: class,
        subject: "Sign-in problem",
        text: "Caller cannot sign in. Identity checked as described in the handbook, number of record called back.",
        opened: at.plus(2 * MINUTE_MS),
        writer: &agent.user,
        assignee: Some(agent),
        columns: Vec::new(),
    };
    script.row(ticket.opened, ticket.row(0, ticket.opened, State::New));
    ticket.columns = vec![
        ("u_verification_method", part.proof.to_owned()),
        ("u_verification_time", moment(proved)),
    ];
    let noted = at.plus(4 * MINUTE_MS);
    script.row(noted, ticket.row(1, noted, State::InProgress));
    let call = Call {
        id: script.rng.uuid(),
        outbound: false,
        number: &who.mobile,
        started: at,
        connected: Some((at.plus(35 * SECOND_MS), agent)),
        ended: at.plus(3 * MINUTE_MS + 30 * SECOND_MS),
        attributes: vec![
            ("employeeId", who.employee.clone()),
            ("requestClass", class.to_owned()),
            ("ticket", ticket.number.clone()),
            ("verification", part.proof.to_owned()),
            ("verification_time", rfc3339(proved)),
        ],
    };
    script.call(&call, &customer(part.said));
    call_back(script, who, agent, at.plus(4 * MINUTE_MS));
    let acted = at.plus(6 * MINUTE_MS);
    act(script, part, agent, acted);
    let done = at.plus(12 * MINUTE_MS);
    script.row(done, ticket.row(2, done, State::Resolved));
}

/// The desk calls the number of record.
fn call_back<'a>(script: &mut Script<'a>, who: &Person, agent: &'a Person, at: Timestamp) {
    let call = Call {
        id: script.rng.uuid(),
        outbound: true,
        number: &who.mobile,
        started: at,
        connected: Some((at.plus(10 * SECOND_MS), agent)),
        ended: at.plus(3 * MINUTE_MS),
        attributes: vec![("employeeId", who.employee.clone())],
    };
    script.call(&call, &[]);
}

fn act(script: &mut Script<'_>, part: &Recovery<'_>, agent: &Person, at: Timestamp) {
    let Recovery { who, place, .. } = *part;
    let back = at.plus(4 * MINUTE_MS);
    match part.matter {
        Matter::Password => {
            let reset = (
                "user.account.reset_password",
                "Reset user password by admin",
            );
            script.admin(at, agent, who, reset);
            let change = (
                "user.account.update_password",
                "User update password for Okta",
            );
            script.okta(&OktaEvent::own(change.0, change.1, back, who, place));
            script.sign_in(back.plus(20 * SECOND_MS), who, place);
        }
        Matter::Phone => {
            remove_factors(script, at, agent, who);
            let phone = Device::new(&mut script.rng, who.first, true);
            enrol(script, back, who, &phone, place);
        }
        Matter::Locked => {
            let unlock = ("user.account.unlock", "Unlock user account");
            script.admin(at, agent, who, unlock);
            script.sign_in(back, who, place);
        }
    }
}

/// One authenticator taken off: three records of one action.
pub(super) fn remove_factors(script: &mut Script<'_>, at: Timestamp, agent: &Person, who: &Person) {
    let transaction = format!("{:016x}", script.rng.next_u64());
    let targets = [Target::User(who)];
    let factors = ["SIGNED_NONCE", "OKTA_VERIFY_PUSH", "OKTA_SOFT_TOKEN"];
    for (after, factor) in (0..).zip(factors) {
        let event = OktaEvent {
            targets: &targets,
            device: None,
            factor: Some(factor),
            transaction: Some(&transaction),
            ..OktaEvent::own(
                "user.mfa.factor.deactivate",
                "Reset factor for user",
                at.plus(after * 40),
                agent,
                &agent.office,
            )
        };
        script.okta(&event);
    }
}

/// A telephone becomes the second factor, and a session begins on it.
pub(super) fn enrol(
    script: &mut Script<'_>,
    at: Timestamp,
    who: &Person,
    phone: &Device,
    place: &Place,
) {
    let id = format!("pfd{:017x}", script.rng.next_u64() >> 1);
    let targets = [Target::User(who), Target::Factor(&id)];
    let enrolled = OktaEvent {
        targets: &targets,
        device: Some(phone),
        factor: Some("OKTA_VERIFY_PUSH"),
        ..OktaEvent::own(
            "user.mfa.factor.activate",
            "Activate factor or authenticator enrollment method for user",
            at,
            who,
            place,
        )
    };
    script.okta(&enrolled);
    let session = OktaEvent {
        device: Some(phone),
        ..OktaEvent::own(
            "user.session.start",
            "User login to Okta",
            at.plus(70 * SECOND_MS),
            who,
            place,
        )
    };
    script.okta(&session);
}

/// A new telephone by way of the portal: the manager approves, a video call proves.
pub(super) fn approved_phone(script: &mut Script<'_>, who: &Person, at: Timestamp) {
    let agent = script.agent();
    let manager = who.manager.unwrap_or(0);
    let manager = script.person(manager);
    let mut ticket = Ticket {
        table: "sc_req_item",
        id: script.rng.sys_id(),
        number: script.ticket_number("RITM"),
        requester: who,
        channel: "self-service",
        category: "",
        subject: "New telephone for sign-in",
        text: "I got a new telephone and would like to use it for signing in.",
        opened: at,
        writer: &who.user,
        assignee: None,
        columns: vec![("u_request_class", "mfa_reset".to_owned())],
    };
    script.row(at, ticket.row(0, at, State::New));
    approve(script, &ticket, manager, at.plus(MINUTE_MS));
    let proved = at.plus(50 * MINUTE_MS);
    ticket.writer = &agent.user;
    ticket.assignee = Some(agent);
    ticket
        .columns
        .push(("u_verification_method", "video".to_owned()));
    ticket.columns.push(("u_verification_time", moment(proved)));
    let noted = proved.plus(MINUTE_MS);
    script.row(noted, ticket.row(1, noted, State::InProgress));
    remove_factors(script, at.plus(55 * MINUTE_MS), agent, who);
    let phone = Device::new(&mut script.rng, who.first, true);
    enrol(script, at.plus(58 * MINUTE_MS), who, &phone, &who.home);
    let done = at.plus(65 * MINUTE_MS);
    script.row(done, ticket.row(2, done, State::Resolved));
}

/// Somebody is asked for approval, and gives it a while later.
pub(super) fn approve(script: &mut Script<'_>, ticket: &Ticket<'_>, by: &Person, at: Timestamp) {
    let approval = Approval {
        id: script.rng.sys_id(),
        ticket: &ticket.id,
        table: ticket.table,
        approver: by,
        asked: at,
    };
    script.row(at, approval.row(0, at));
    let granted = at.plus(script.rng.between(2 * MINUTE_MS, 30 * MINUTE_MS));
    script.row(granted, approval.row(1, granted));
}

/// A request for access, approved by the manager.
pub(super) fn access_request(script: &mut Script<'_>, who: &Person, at: Timestamp) {
    let Some(manager) = who.manager else { return };
    let ticket = Ticket {
        table: "sc_req_item",
        id: script.rng.sys_id(),
        number: script.ticket_number("RITM"),
        requester: who,
        channel: "self-service",
        category: "",
        subject: "Access to the planning folder",
        text: "Please add me to the group that can read the planning folder of the project.",
        opened: at,
        writer: &who.user,
        assignee: None,
        columns: vec![("u_request_class", "access".to_owned())],
    };
    script.row(at, ticket.row(0, at, State::New));
    approve(script, &ticket, script.person(manager), at.plus(MINUTE_MS));
    let done = at.plus(script.rng.between(40 * MINUTE_MS, 90 * MINUTE_MS));
    script.row(done, ticket.row(1, done, State::Resolved));
}

/// An ordinary ticket in the person's language.
pub(super) fn ordinary_ticket(script: &mut Script<'_>, who: &Person, at: Timestamp) {
    let agent = script.agent();
    let (subject, text) = who.language.ticket(&mut script.rng);
    let category = *script
        .rng
        .pick(&["software", "hardware", "network", "inquiry"]);
    let channel = *script
        .rng
        .pick(&["self-service", "self-service", "email", "walk-in"]);
    let mut ticket = Ticket {
        table: "incident",
        id: script.rng.sys_id(),
        number: script.ticket_number("INC"),
        requester: who,
        channel,
        category,
        subject,
        text: &text,
        opened: at,
        writer: &who.user,
        assignee: None,
        columns: Vec::new(),
    };
    script.row(at, ticket.row(0, at, State::New));
    ticket.writer = &agent.user;
    ticket.assignee = Some(agent);
    let taken = at.plus(script.rng.between(5 * MINUTE_MS, 60 * MINUTE_MS));
    script.row(taken, ticket.row(1, taken, State::InProgress));
    let done = taken.plus(script.rng.between(10 * MINUTE_MS, 180 * MINUTE_MS));
    script.row(done, ticket.row(2, done, State::Resolved));
}

/// A call about something else; one in five gives up in the queue.
pub(super) fn ordinary_call(script: &mut Script<'_>, who: &Person, at: Timestamp) {
    let agent = script.agent();
    let answered = !script.rng.chance(200);
    let call = Call {
        id: script.rng.uuid(),
        outbound: false,
        number: &who.mobile,
        started: at,
        connected: answered.then(|| (at.plus(50 * SECOND_MS), agent)),
        ended: at.plus(script.rng.between(2 * MINUTE_MS, 9 * MINUTE_MS)),
        attributes: if answered {
            vec![
                ("employeeId", who.employee.clone()),
                ("requestClass", "other".to_owned()),
            ]
        } else {
            Vec::new()
        },
    };
    let said = if answered {
        customer(&texts::ORDINARY)
    } else {
        Vec::new()
    };
    script.call(&call, &said);
}
