//! The load, in the vendors' forms, the same for a seed: everyday events of an identity provider, and
//! among them a share that recovering an account, or hiding it, is made of: tickets with 600 bytes of
//! text, contacts, administration and interactive logins, as 20 : 12 : 8 : 5. At 45 % this is a help
//! desk's whole day, with 20 % tickets and 12 % contacts; at 5 % the log of a large identity provider.
//!
//! People are drawn by Zipf (0.99), attacks and their look-alikes evenly. One event in a hundred
//! comes twice; 5 % are up to 3 s late, 0.1 % up to a minute, 0.01 % up to ten. Everyday events open
//! applications and evaluate policies. Before all of it everybody was seen once, so that devices and
//! networks are usual; that is not measured.

use clap::Args;
use deskwarden::collect::time::{DAY_MS, MINUTE_MS, SECOND_MS, Timestamp};
use deskwarden::edge::story::connect::{Call, Speaker};
use deskwarden::edge::story::okta::{OktaEvent, Target};
use deskwarden::edge::story::people::{Device, Person, numbered};
use deskwarden::edge::story::rng::Rng;
use deskwarden::edge::story::servicenow::{State, Ticket};
use deskwarden::edge::story::texts::Language;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How long before everything else everybody was seen.
pub(crate) const HISTORY_MS: i64 = 20 * DAY_MS;
/// Size of a ticket's text in bytes.
const TEXT_BYTES: usize = 600;
/// Tickets, contacts, administration and logins among what is relevant.
const TICKETS: usize = 20;
const CONTACTS: usize = 12;
const ADMINISTRATION: usize = 8;
const LOGINS: usize = 5;
const RELEVANT: usize = TICKETS + CONTACTS + ADMINISTRATION + LOGINS;
/// Time between the steps of an attack.
const STEP_MS: i64 = 5 * SECOND_MS;
/// Desk agents among the identities.
const AGENTS: usize = 50;
/// Records from which a duplicate is drawn.
const RECENT_MAX: usize = 512;

/// How much, and of whom.
#[derive(Debug, Clone, Args)]
pub(crate) struct LoadOptions {
    /// Seed of everything.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Events.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) events: u64,
    /// People.
    #[arg(long, default_value_t = 50_000)]
    pub(crate) identities: usize,
    /// Events a second of event time.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) rate: u64,
    /// Share of tickets, contacts, administration and logins, in percent of all events.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) relevant: u8,
    /// One attack, and one look-alike, in so many events.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) attack_every: u64,
}

/// The sources, each with a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Okta,
    ServiceNow,
    Connect,
}

impl Source {
    pub(crate) const ALL: [Self; 3] = [Self::Okta, Self::ServiceNow, Self::Connect];

    /// Its name in topics and in the configuration.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Okta => "okta",
            Self::ServiceNow => "servicenow",
            Self::Connect => "amazon_connect",
        }
    }
}

/// A record to be produced.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) source: Source,
    pub(crate) key: String,
    /// When the feed delivers it.
    pub(crate) time: Timestamp,
    pub(crate) value: Vec<u8>,
    /// Step 1, 2 or 3 of an attack on this person.
    pub(crate) step: Option<(u8, usize)>,
}

/// What was made, for those who compare answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    pub(crate) by_source: [u64; 3],
    pub(crate) logins: u64,
    pub(crate) duplicates: u64,
    /// Of each of the three steps of an attack, whom it was taken against.
    pub(crate) attacked: [BTreeSet<usize>; 3],
}

/// The generator.
pub(crate) struct Load {
    options: LoadOptions,
    rng: Rng,
    start: Timestamp,
    pub(crate) counts: Counts,
    /// Steps of attacks and look-alikes, by when they are due.
    due: BTreeMap<(i64, u64), Step>,
    tickets: VecDeque<Made>,
    contacts: VecDeque<Made>,
    recent: VecDeque<Made>,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    who: usize,
    agent: usize,
    number: u8,
    benign: bool,
}

impl Load {
    pub(crate) fn new(options: &LoadOptions, start: Timestamp) -> Self {
        Self {
            options: options.clone(),
            rng: Rng::new(options.seed),
            start,
            counts: Counts::default(),
            due: BTreeMap::new(),
            tickets: VecDeque::new(),
            contacts: VecDeque::new(),
            recent: VecDeque::new(),
        }
    }

    /// When the `n`th record is delivered.
    pub(crate) fn delivery(&self, n: u64) -> Timestamp {
        let ms = n.saturating_mul(1_000) / self.options.rate.max(1);
        self.start.plus(i64::try_from(ms).unwrap())
    }

    fn person(&self, number: usize) -> Person {
        numbered(self.options.seed, number)
    }

    /// Somebody, by Zipf: the inverse of its distribution, then scattered over the numbers.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank within the number of people"
    )]
    fn anybody(&mut self) -> usize {
        let people = self.options.identities.max(1);
        let rest = 1.0 - 0.99;
        let top = (people as f64).powf(rest) - 1.0;
        let rank = (top * self.rng.fraction() + 1.0).powf(1.0 / rest) as usize;
        // A prime, so that neighbours in rank are no neighbours in number.
        rank.wrapping_mul(1_000_003) % people
    }

    /// How much later than it happened a record is delivered.
    fn lag(&mut self) -> i64 {
        match self.rng.below(10_000) {
            0 => self.rng.between(MINUTE_MS, 10 * MINUTE_MS),
            1..=10 => self.rng.between(3 * SECOND_MS, MINUTE_MS),
            11..=510 => self.rng.between(300, 3 * SECOND_MS),
            _ => self.rng.between(50, 300),
        }
    }

    fn okta(&mut self, event: &OktaEvent<'_>, key: &str, time: Timestamp) -> Made {
        let mut text = String::with_capacity(2_048);
        event.render(&mut self.rng, &mut text);
        Made {
            source: Source::Okta,
            key: key.to_owned(),
            time,
            value: text.into_bytes(),
            step: None,
        }
    }

    /// Everybody's device and network as they were seen long before, so that they are usual: one record
    /// each, ahead of all others.
    pub(crate) fn history(&mut self) -> impl Iterator<Item = Made> + use<'_> {
        let begun = self.start.minus(HISTORY_MS);
        (0..self.options.identities).map(move |number| {
            let at = begun.plus(i64::try_from(number).unwrap());
            let who = self.person(number);
            let targets = [Target::App("Example Mail")];
            let opened = OktaEvent {
                targets: &targets,
                ..OktaEvent::own(
                    "user.authentication.sso",
                    "User single sign on to app",
                    at,
                    &who,
                    &who.office,
                )
            };
            self.okta(&opened, &who.mail, at)
        })
    }

    fn everyday(&mut self, time: Timestamp) -> Made {
        let number = self.anybody();
        let who = self.person(number);
        let at = time.minus(self.lag());
        let own = |kind, message| OktaEvent::own(kind, message, at, &who, &who.office);
        if self.rng.chance(250) {
            let decided = own("policy.evaluate_sign_on", "Evaluation of sign-on policy");
            let decided = OktaEvent {
                result: "ALLOW",
                ..decided
            };
            return self.okta(&decided, &who.mail, time);
        }
        let targets = [Target::App(
            self.rng.pick::<&str>(&["Example Mail", "Example Files"]),
        )];
        let opened = own("user.authentication.sso", "User single sign on to app");
        let opened = OktaEvent {
            targets: &targets,
            ..opened
        };
        self.okta(&opened, &who.mail, time)
    }

    fn login(&mut self, time: Timestamp) -> Made {
        let number = self.anybody();
        let who = self.person(number);
        let at = time.minus(self.lag());
        self.counts.logins += 1;
        let login = OktaEvent::own(
            "user.session.start",
            "User login to Okta",
            at,
            &who,
            &who.office,
        );
        self.okta(&login, &who.mail, time)
    }

    /// Administration: nothing that recovers an account.
    fn administration(&mut self, time: Timestamp) -> Made {
        let (number, agent) = (self.anybody(), self.rng.below(AGENTS));
        let (who, agent) = (self.person(number), self.person(agent));
        let at = time.minus(self.lag());
        let targets = [Target::User(&who), Target::Group("Example Readers")];
        let kinds = [
            "group.user_membership.add",
            "application.user_membership.add",
            "user.account.update_profile",
        ];
        let kind = *self.rng.pick(&kinds);
        let event = OktaEvent {
            targets: &targets,
            ..OktaEvent::own(
                kind,
                "Change by an administrator",
                at,
                &agent,
                &agent.office,
            )
        };
        self.okta(&event, &who.mail, time)
    }

    fn ticket(&mut self, time: Timestamp) -> Made {
        if let Some(next) = self.tickets.pop_front() {
            return Made { time, ..next };
        }
        let (number, agent) = (self.anybody(), self.rng.below(AGENTS));
        let (who, agent) = (self.person(number), self.person(agent));
        let language = Language::of(self.rng.below(100));
        let (subject, mut text) = language.ticket(&mut self.rng);
        while text.len() < TEXT_BYTES {
            text.push(' ');
            text.push_str(&language.ticket(&mut self.rng).1);
        }
        text.truncate(text.floor_char_boundary(TEXT_BYTES));
        let opened = time.minus(self.lag());
        let ticket = Ticket {
            table: "incident",
            id: self.rng.sys_id(),
            number: format!("INC{:07}", self.rng.below(10_000_000)),
            requester: &who,
            channel: "self-service",
            category: "software",
            subject,
            text: &text,
            opened,
            writer: &agent.user,
            assignee: Some(&agent),
            columns: Vec::new(),
        };
        for (version, state) in [
            (0, State::New),
            (1, State::InProgress),
            (2, State::Resolved),
        ] {
            let at = opened.plus(i64::from(version) * SECOND_MS);
            self.tickets.push_back(Made {
                source: Source::ServiceNow,
                key: ticket.id.clone(),
                time,
                value: ticket.row(version, at, state),
                step: None,
            });
        }
        self.ticket(time)
    }

    fn contact(&mut self, time: Timestamp) -> Made {
        if let Some(next) = self.contacts.pop_front() {
            return Made { time, ..next };
        }
        let (number, agent) = (self.anybody(), self.rng.below(AGENTS));
        let (who, agent) = (self.person(number), self.person(agent));
        let started = time.minus(self.lag());
        let call = Call {
            id: self.rng.uuid(),
            outbound: false,
            number: &who.mobile,
            started,
            connected: Some((started.plus(200), &agent)),
            ended: started.plus(900),
            attributes: vec![
                ("employeeId", who.employee.clone()),
                ("requestClass", "other".to_owned()),
            ],
        };
        let mut values = Vec::new();
        for (kind, after) in [
            ("INITIATED", 0),
            ("QUEUED", 100),
            ("CONNECTED_TO_AGENT", 200),
        ] {
            values.push(call.event(&self.rng.uuid(), kind, started.plus(after)));
        }
        let said = "Hello, the projector in the large meeting room does not show my screen.";
        values.push(call.segment(&self.rng.uuid(), 300, Speaker::Customer, said));
        values.push(call.event(&self.rng.uuid(), "DISCONNECTED", call.ended));
        values.push(call.record(call.ended.plus(SECOND_MS)));
        let made = values.into_iter().map(|value| Made {
            source: Source::Connect,
            key: call.id.clone(),
            time,
            value,
            step: None,
        });
        self.contacts.extend(made);
        self.contact(time)
    }

    /// Sets an attack and its look-alike in motion.
    fn plan(&mut self, n: u64, time: Timestamp) {
        for benign in [false, true] {
            let who = AGENTS
                + self
                    .rng
                    .below(self.options.identities.saturating_sub(AGENTS));
            let agent = self.rng.below(AGENTS);
            for number in 1..=4 {
                let at = time.plus(i64::from(number - 1) * STEP_MS);
                let step = Step {
                    who,
                    agent,
                    number,
                    benign,
                };
                let place = n * 10 + u64::from(number) + if benign { 5 } else { 0 };
                self.due.insert((at.0, place), step);
            }
        }
    }

    fn play(&mut self, step: Step, time: Timestamp) -> Made {
        let (who, agent) = (self.person(step.who), self.person(step.agent));
        let phone = Device::new(&mut Rng::new(step.who as u64), "Pixel", true);
        let at = time.minus(40);
        let targets = [Target::User(&who)];
        let by_desk = |kind, message| OktaEvent {
            targets: &targets,
            device: None,
            ..OktaEvent::own(kind, message, at, &agent, &agent.office)
        };
        let own = |kind, message| OktaEvent::own(kind, message, at, &who, &who.home);
        let event = match (step.number, step.benign) {
            (1, _) => by_desk(
                "user.account.reset_password",
                "Reset user password by admin",
            ),
            (2, false) => by_desk("user.mfa.factor.reset_all", "Reset all factors for user"),
            (3, false) => OktaEvent {
                targets: &targets,
                device: Some(&phone),
                factor: Some("OKTA_VERIFY_PUSH"),
                ..own("user.mfa.factor.activate", "Activate factor for user")
            },
            (4, false) => OktaEvent {
                device: Some(&phone),
                ..own("user.session.start", "User login to Okta")
            },
            (2, true) => own(
                "user.account.update_password",
                "User update password for Okta",
            ),
            _ => own("user.session.start", "User login to Okta"),
        };
        let mut made = self.okta(&event, &who.mail, time);
        if !step.benign && step.number <= 3 {
            made.step = Some((step.number, step.who));
            let people = &mut self.counts.attacked[usize::from(step.number - 1)];
            people.insert(step.who);
        }
        made
    }

    fn relevant(&mut self, time: Timestamp) -> Made {
        let drawn = self.rng.below(RELEVANT);
        if drawn < TICKETS {
            self.ticket(time)
        } else if drawn < TICKETS + CONTACTS {
            self.contact(time)
        } else if drawn < TICKETS + CONTACTS + ADMINISTRATION {
            self.administration(time)
        } else {
            self.login(time)
        }
    }

    fn make(&mut self, n: u64) -> Made {
        let time = self.delivery(n);
        if n.is_multiple_of(self.options.attack_every) {
            self.plan(n, time);
        }
        if let Some(entry) = self
            .due
            .first_entry()
            .filter(|entry| entry.key().0 <= time.0)
        {
            let step = entry.remove();
            return self.play(step, time);
        }
        if n % 100 == 99 {
            self.counts.duplicates += 1;
            let at = self.rng.below(self.recent.len());
            if let Some(again) = self.recent.get(at) {
                return Made {
                    time,
                    ..again.clone()
                };
            }
        }
        let made = if self.rng.below(100) >= usize::from(self.options.relevant) {
            self.everyday(time)
        } else {
            self.relevant(time)
        };
        self.recent.push_back(made.clone());
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
        }
        made
    }
}

impl Iterator for Load {
    type Item = Made;

    fn next(&mut self) -> Option<Made> {
        if self.counts.events == self.options.events {
            return None;
        }
        let made = self.make(self.counts.events);
        self.counts.events += 1;
        self.counts.bytes += made.value.len() as u64;
        self.counts.by_source[made.source as usize] += 1;
        Some(made)
    }
}

/// What a run says of its input.
pub(crate) fn describe(counts: &Counts, options: &LoadOptions) -> String {
    let [okta, tickets, contacts] = counts.by_source;
    let share = |part: u64| part as f64 * 100.0 / counts.events.max(1) as f64;
    format!(
        "{} events of {} people ({:.1} each), {} bytes each; {} % relevant: identity provider {:.1} %, tickets \
         {:.1} %, contacts {:.1} %; interactive logins {:.1} %, duplicates {:.1} %, {} attacks (seed {})",
        counts.events,
        options.identities,
        counts.events as f64 / options.identities.max(1) as f64,
        counts.bytes / counts.events.max(1),
        options.relevant,
        share(okta),
        share(tickets),
        share(contacts),
        share(counts.logins),
        share(counts.duplicates),
        counts.attacked[2].len(),
        options.seed,
    )
}

/// Makes the load and says how it is composed.
pub(crate) fn print(options: &LoadOptions) {
    let begun = deskwarden::edge::clock::monotonic();
    let mut load = Load::new(options, deskwarden::edge::story::DAY);
    let mut first = [true; 3];
    for made in load.by_ref() {
        if std::mem::replace(&mut first[made.source as usize], false) {
            println!(
                "{}: {}",
                made.source.name(),
                String::from_utf8_lossy(&made.value)
            );
        }
    }
    println!("{}", describe(&load.counts, options));
    println!("made in {:.1} s", begun.elapsed().as_secs_f64());
}
