//! Writing the story down: every record with the moment at which its feed delivers it.

use super::StoryRecord;
use super::connect::{Call, Speaker};
use super::okta::{OktaEvent, Target};
use super::people::{Person, Place, Post};
use super::rng::Rng;
use crate::collect::setup::Product;
use crate::collect::time::{MINUTE_MS, SECOND_MS, Timestamp};

/// How often the connector polls the tables of the ticketing system.
const POLL_MS: i64 = 20 * SECOND_MS;
/// Of a thousand Okta events, how many come minutes late, and how many come twice.
const LATE_PER_MILLE: usize = 10;
const TWICE_PER_MILLE: usize = 10;

/// The story while it is written.
#[derive(Debug)]
pub(super) struct Script<'a> {
    pub(super) rng: Rng,
    pub(super) people: &'a [Person],
    pub(super) records: Vec<StoryRecord>,
    desk: Vec<usize>,
    numbers: u32,
}

impl<'a> Script<'a> {
    pub(super) fn new(rng: Rng, people: &'a [Person]) -> Self {
        let desk =
            (0..people.len()).filter(|&n| people.get(n).is_some_and(|p| p.post == Post::Desk));
        Self {
            rng,
            people,
            records: Vec::new(),
            desk: desk.collect(),
            numbers: 10_000,
        }
    }

    /// A person by their number.
    #[expect(
        clippy::indexing_slicing,
        reason = "numbers of people come from the list of people"
    )]
    pub(super) fn person(&self, number: usize) -> &'a Person {
        &self.people[number]
    }

    /// Somebody at the desk.
    pub(super) fn agent(&mut self) -> &'a Person {
        let number = *self.rng.pick(&self.desk);
        self.person(number)
    }

    /// The next number of a ticket.
    pub(super) fn ticket_number(&mut self, prefix: &str) -> String {
        self.numbers += 1;
        format!("{prefix}00{}", self.numbers)
    }

    fn put(&mut self, product: Product, time: Timestamp, value: Vec<u8>) {
        self.records.push(StoryRecord {
            source: product.as_str(),
            time,
            value,
        });
    }

    /// An event of the identity provider: some seconds later, rarely minutes, rarely twice.
    pub(super) fn okta(&mut self, event: &OktaEvent<'_>) {
        let mut text = String::with_capacity(2_048);
        event.render(&mut self.rng, &mut text);
        let mut lag = self.rng.between(SECOND_MS, 12 * SECOND_MS);
        if self.rng.chance(LATE_PER_MILLE) {
            lag += self.rng.between(MINUTE_MS, 4 * MINUTE_MS);
        }
        let delivered = event.at.plus(lag);
        if self.rng.chance(TWICE_PER_MILLE) {
            let again = delivered.plus(self.rng.between(20 * SECOND_MS, 90 * SECOND_MS));
            self.put(Product::Okta, again, text.clone().into_bytes());
        }
        self.put(Product::Okta, delivered, text.into_bytes());
    }

    /// An act of the desk on somebody's account, from the administrator's console.
    pub(super) fn admin(&mut self, at: Timestamp, agent: &Person, who: &Person, act: (&str, &str)) {
        let (kind, message) = act;
        let targets = [Target::User(who)];
        let event = OktaEvent {
            targets: &targets,
            device: None,
            ..OktaEvent::own(kind, message, at, agent, &agent.office)
        };
        self.okta(&event);
    }

    /// A row of a table: with the next poll.
    pub(super) fn row(&mut self, written: Timestamp, row: Vec<u8>) {
        let poll = written.0.div_euclid(POLL_MS) * POLL_MS + POLL_MS;
        let delivered = Timestamp(poll).plus(self.rng.between(200, 2_000));
        self.put(Product::ServiceNow, delivered, row);
    }

    /// A call with all its records; the contact record comes a minute or two after its end.
    pub(super) fn call(&mut self, call: &Call<'_>, said: &[(Speaker, &str)]) {
        let mut events = vec![("INITIATED", call.started)];
        if !call.outbound {
            events.push(("QUEUED", call.started.plus(5 * SECOND_MS)));
        }
        if let Some((connected, _)) = call.connected {
            events.push(("CONNECTED_TO_AGENT", connected));
        }
        events.push(("DISCONNECTED", call.ended));
        for (kind, at) in events {
            let delivery = self.rng.uuid();
            let value = call.event(&delivery, kind, at);
            let delivered = at.plus(self.rng.between(300, 2_500));
            self.put(Product::AmazonConnect, delivered, value);
        }
        let answered = call.connected.map_or(call.started, |(at, _)| at);
        for (turn, (who, words)) in (1..).zip(said) {
            let spoken = answered.plus(turn * 12 * SECOND_MS);
            let id = self.rng.uuid();
            let value = call.segment(&id, spoken.since(call.started), *who, words);
            let delivered = spoken.plus(self.rng.between(5 * SECOND_MS, 9 * SECOND_MS));
            self.put(Product::AmazonConnect, delivered, value);
        }
        let lag = self.rng.between(50 * SECOND_MS, 110 * SECOND_MS);
        let written = call.ended.plus(lag);
        self.put(Product::AmazonConnect, written, call.record(written));
    }

    /// An ordinary sign-in: policy, password, second factor.
    pub(super) fn sign_in(&mut self, at: Timestamp, who: &Person, place: &Place) {
        let policy = OktaEvent::own(
            "policy.evaluate_sign_on",
            "Evaluation of sign-on policy",
            at,
            who,
            place,
        );
        self.okta(&OktaEvent {
            result: "ALLOW",
            ..policy
        });
        self.session(at.plus(700), who, place);
        let targets = [Target::Factor(&who.factor)];
        let verified = OktaEvent {
            targets: &targets,
            factor: Some("OKTA_VERIFY_PUSH"),
            ..OktaEvent::own(
                "user.authentication.auth_via_mfa",
                "Authentication of user via MFA",
                at.plus(6 * SECOND_MS),
                who,
                place,
            )
        };
        self.okta(&verified);
    }

    /// A session with the person's laptop.
    pub(super) fn session(&mut self, at: Timestamp, who: &Person, place: &Place) {
        let kind = ("user.session.start", "User login to Okta");
        self.okta(&OktaEvent::own(kind.0, kind.1, at, who, place));
    }

    /// An application opened with single sign-on.
    pub(super) fn open_app(&mut self, at: Timestamp, who: &Person, place: &Place, app: &str) {
        let targets = [Target::App(app)];
        let event = OktaEvent {
            targets: &targets,
            ..OktaEvent::own(
                "user.authentication.sso",
                "User single sign on to app",
                at,
                who,
                place,
            )
        };
        self.okta(&event);
    }
}
