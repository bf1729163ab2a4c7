//! The three takeovers.

use super::Expected;
use super::connect::{Call, Speaker};
use super::desk::{enrol, remove_factors};
use super::okta::OktaEvent;
use super::people::{Device, Person, Place};
use super::script::Script;
use super::servicenow::{Approval, State, Ticket};
use super::texts;
use crate::collect::time::{MINUTE_MS, SECOND_MS, Timestamp};

const RESET_PASSWORD: (&str, &str) = (
    "user.account.reset_password",
    "Reset user password by admin",
);
const RESET_FACTORS: (&str, &str) = ("user.mfa.factor.reset_all", "Reset all factors for user");
/// Numbers that belong to nobody in the firm.
const STRANGERS: [&str; 2] = ["+19175550142", "+19175550178"];

fn network(ip: &str, asn: u32, org: &'static str, city: &'static str, proxy: bool) -> Place {
    Place {
        ip: ip.to_owned(),
        asn,
        org,
        city,
        country: "Netherlands",
        proxy,
    }
}

/// After the enrolment: a look around with the new telephone.
fn look_around(
    script: &mut Script<'_>,
    at: Timestamp,
    who: &Person,
    phone: &Device,
    place: &Place,
) {
    for (after, app) in (1..).zip(["Example Mail", "Example Payroll", "Example Files"]) {
        let targets = [super::okta::Target::App(app)];
        let event = OktaEvent {
            targets: &targets,
            device: Some(phone),
            ..OktaEvent::own(
                "user.authentication.sso",
                "User single sign on to app",
                at.plus(after * 40 * SECOND_MS),
                who,
                place,
            )
        };
        script.okta(&event);
    }
}

/// An executive's account falls in one call: pressed, no ticket, no call-back, everything reset, a
/// new telephone, a session from it.
pub(super) fn pressed_call(script: &mut Script<'_>, who: &Person, at: Timestamp) -> Expected {
    let agent = script.agent();
    let call = Call {
        id: script.rng.uuid(),
        outbound: false,
        number: STRANGERS[0],
        started: at,
        connected: Some((at.plus(40 * SECOND_MS), agent)),
        ended: at.plus(6 * MINUTE_MS),
        attributes: vec![
            ("employeeId", who.employee.clone()),
            ("requestClass", "mfa_reset".to_owned()),
        ],
    };
    let [first, second, third] = texts::PRESSED;
    let said = [
        (Speaker::Agent, "Service desk, how can I help you?"),
        (Speaker::Customer, first),
        (
            Speaker::Agent,
            "I would have to call you back on your number first.",
        ),
        (Speaker::Customer, second),
        (Speaker::Customer, third),
    ];
    script.call(&call, &said);
    script.admin(at.plus(3 * MINUTE_MS), agent, who, RESET_PASSWORD);
    script.admin(at.plus(4 * MINUTE_MS), agent, who, RESET_FACTORS);
    let place = network("203.0.113.24", 64_510, "Example Proxies", "Amsterdam", true);
    let phone = Device::new(&mut script.rng, "iPhone", true);
    let enrolled = at.plus(5 * MINUTE_MS + 20 * SECOND_MS);
    enrol(script, enrolled, who, &phone, &place);
    look_around(script, enrolled.plus(90 * SECOND_MS), who, &phone, &place);
    Expected {
        identity: who.identity(),
        patterns: vec!["HDT-01", "HDT-03", "HDT-04", "HDT-05", "HDT-15"],
    }
}

/// One caller asks for three people; the third agent gives in.
pub(super) fn one_caller<'a>(
    script: &mut Script<'a>,
    asked_for: [&'a Person; 3],
    at: Timestamp,
) -> Expected {
    let [first, second, who] = asked_for;
    let refusal = [
        (Speaker::Agent, "Service desk, how can I help you?"),
        (
            Speaker::Customer,
            "I got a new telephone, please move my sign-in to it.",
        ),
        (
            Speaker::Agent,
            "Gladly. I will call you back on the number that we have on file.",
        ),
        (
            Speaker::Customer,
            "That one is the telephone that I lost. Then I will come by.",
        ),
    ];
    let calls = [(first, 0, 3), (second, 21, 4), (who, 44, 9)];
    for (person, after, minutes) in calls {
        let agent = script.agent();
        let started = at.plus(after * MINUTE_MS);
        let call = Call {
            id: script.rng.uuid(),
            outbound: false,
            number: STRANGERS[1],
            started,
            connected: Some((started.plus(30 * SECOND_MS), agent)),
            ended: started.plus(minutes * MINUTE_MS),
            attributes: vec![
                ("employeeId", person.employee.clone()),
                ("requestClass", "mfa_reset".to_owned()),
            ],
        };
        script.call(&call, &refusal);
    }
    let agent = script.agent();
    let place = network(
        "203.0.113.77",
        64_511,
        "Example Hosting",
        "Rotterdam",
        false,
    );
    let phone = Device::new(&mut script.rng, "Pixel", true);
    remove_factors(script, at.plus(49 * MINUTE_MS), agent, who);
    let enrolled = at.plus(52 * MINUTE_MS);
    enrol(script, enrolled, who, &phone, &place);
    look_around(script, enrolled.plus(90 * SECOND_MS), who, &phone, &place);
    Expected {
        identity: who.identity(),
        patterns: vec!["HDT-01", "HDT-03", "HDT-05", "HDT-09"],
    }
}

/// A colleague asks for the recovery of somebody else's account and approves it himself.
pub(super) fn own_approval(
    script: &mut Script<'_>,
    (who, colleague): (&Person, &Person),
    at: Timestamp,
) -> Expected {
    let agent = script.agent();
    let mut ticket = Ticket {
        table: "sc_req_item",
        id: script.rng.sys_id(),
        number: script.ticket_number("RITM"),
        requester: colleague,
        channel: "self-service",
        category: "",
        subject: "Sign-in of a colleague",
        text: "My colleague works on a new telephone and asks for a fresh password and sign-in.",
        opened: at,
        writer: &colleague.user,
        assignee: None,
        columns: vec![
            ("u_request_class", "mfa_reset".to_owned()),
            ("u_target_user", who.sys_id.clone()),
        ],
    };
    script.row(at, ticket.row(0, at, State::New));
    let asked = at.plus(MINUTE_MS);
    let approval = Approval {
        id: script.rng.sys_id(),
        ticket: &ticket.id,
        table: ticket.table,
        approver: colleague,
        asked,
    };
    script.row(asked, approval.row(0, asked));
    let granted = at.plus(3 * MINUTE_MS);
    script.row(granted, approval.row(1, granted));
    ticket.writer = &agent.user;
    ticket.assignee = Some(agent);
    let taken = at.plus(8 * MINUTE_MS);
    script.row(taken, ticket.row(1, taken, State::InProgress));
    script.admin(at.plus(10 * MINUTE_MS), agent, who, RESET_PASSWORD);
    script.admin(at.plus(11 * MINUTE_MS), agent, who, RESET_FACTORS);
    let place = network(
        "203.0.113.130",
        64_509,
        "Example Mobile Abroad",
        "Utrecht",
        false,
    );
    let phone = Device::new(&mut script.rng, "Galaxy", true);
    let enrolled = at.plus(16 * MINUTE_MS);
    enrol(script, enrolled, who, &phone, &place);
    look_around(script, enrolled.plus(90 * SECOND_MS), who, &phone, &place);
    let done = at.plus(25 * MINUTE_MS);
    script.row(done, ticket.row(2, done, State::Resolved));
    Expected {
        identity: who.identity(),
        patterns: vec!["HDT-04", "HDT-05", "HDT-12"],
    }
}
