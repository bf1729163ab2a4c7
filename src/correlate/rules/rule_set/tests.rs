//! What is not kept is not read, and what is not touched does not change, over random streams.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::collect::entity::{Entity, copies};
use crate::collect::event::{
    AgentKind, Band, Channel, Cue, CueSpan, Domain, Event, EventId, Role, Tier,
};
use crate::collect::glance::sightings;
use crate::collect::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::correlate::baseline::Baseline;
use crate::correlate::contact::{self, ContactState};
use crate::correlate::finding::Finding;
use crate::correlate::rules::embedded;
use crate::correlate::rules::story::{People, START, event};
use crate::correlate::ticket::{self, TicketState};
use crate::correlate::view::View;

fn rules() -> RuleSet {
    RuleSet::new(embedded().unwrap_or_else(|faults| panic!("{}", faults[0])))
}

fn fact(line: &str) -> Fact {
    Fact::of(&event(line, &People::default(), 1).unwrap_or_else(|fault| panic!("{fault}")))
}

fn keeps(kind: EntityKind, line: &str) -> Option<i64> {
    rules().keeps(kind, &fact(line))
}

#[test]
fn what_no_rule_reads_is_not_kept() {
    use EntityKind::{Address, Agent, Caller, Device, Identity};
    for line in [
        "0 auth.login target=T agent=T outcome=failure",
        "0 auth.policy_decision target=T",
        "0 session.revoked target=T agent=A outcome=failure",
        "0 mfa.removed target=T agent=A outcome=failure",
        "0 account.locked target=T",
        "0 other target=T",
    ] {
        assert_eq!(keeps(Identity, line), None, "{line}");
    }
    assert_eq!(keeps(Agent, "0 mfa.reset_all target=T agent=A"), None);
    assert_eq!(keeps(Device, "0 mfa.enrolled target=T agent=T"), None);
    assert_eq!(keeps(Caller, "0 mfa.enrolled target=T agent=T"), None);
    assert_eq!(keeps(Address, "0 auth.login target=T agent=T"), None);
}

#[test]
fn facts_are_kept_as_long_as_the_longest_window_that_reads_them() {
    use EntityKind::{Address, Contact, Identity, Ticket};
    let longest = Some(7 * DAY_MS);
    let evidence = Some(7 * DAY_MS + 2 * HOUR_MS);
    assert_eq!(
        keeps(Identity, "0 auth.login target=T agent=T"),
        Some(DAY_MS)
    );
    assert_eq!(
        keeps(Identity, "0 mfa.enrolled target=T agent=T"),
        Some(DAY_MS)
    );
    assert_eq!(keeps(Identity, "0 mfa.enrolled target=T agent=A"), longest);
    assert_eq!(keeps(Identity, "0 mfa.removed target=T agent=T"), longest);
    assert_eq!(keeps(Address, "0 mfa.enrolled target=T agent=T"), longest);
    assert_eq!(
        keeps(Identity, "0 verify.result target=T method=video"),
        evidence
    );
    assert_eq!(
        keeps(Identity, "0 callback.completed target=T connected=1"),
        evidence
    );
    assert_eq!(
        keeps(Identity, "0 approval.granted target=T approver=A"),
        evidence
    );
    assert_eq!(
        keeps(Identity, "0 approval.rejected target=T approver=A"),
        evidence
    );
    assert_eq!(
        keeps(Identity, "0 review.completed target=T approver=A"),
        evidence
    );
    assert_eq!(keeps(Contact, "0 contact.utterance call=c"), evidence);
    assert_eq!(keeps(Ticket, "0 ticket.commented ticket=t"), evidence);
    let revoked = keeps(Identity, "0 session.revoked target=T agent=A");
    assert_eq!(
        revoked,
        Some(60 * MINUTE_MS),
        "read by the full strip alone"
    );
}

#[test]
fn a_fact_touches_only_what_can_read_it() {
    let rules = rules();
    let touched = |line: &str| -> Vec<&str> {
        let mask = rules.touched(EntityKind::Identity, &fact(line));
        mask.iter()
            .map(|at| rules.patterns()[at].as_str())
            .collect()
    };
    assert_eq!(touched("0 auth.login target=T agent=T"), ["HDT-05"]);
    assert_eq!(
        touched("0 auth.login target=T agent=T outcome=failure"),
        ["HDT-05"]
    );
    assert_eq!(touched("0 session.revoked target=T agent=A"), ["HDT-04"]);
    assert!(touched("0 account.locked target=T").is_empty());
    assert_eq!(
        touched("0 mfa.reset_all target=T agent=A"),
        [
            "HDT-01", "HDT-03", "HDT-04", "HDT-05", "HDT-07", "HDT-12", "HDT-15"
        ]
    );
    assert_eq!(
        touched("0 verify.result target=T method=video"),
        ["HDT-01", "HDT-03", "HDT-04", "HDT-05", "HDT-07", "HDT-15"]
    );
    let caller = rules.touched_by(EntityKind::Caller, Told::Contact);
    assert_eq!(caller, rules.all(EntityKind::Caller));
    assert!(!caller.is_empty());
}

// --- Random streams -------------------------------------------------------------------------

/// Actions that some rule reads, and some that none does.
const ACTIONS_TRIED: [Action; 25] = [
    Action::AuthLogin,
    Action::AuthAppAccess,
    Action::AuthMfaVerify,
    Action::CredentialPasswordReset,
    Action::CredentialTempIssued,
    Action::CredentialResetRequested,
    Action::MfaEnrolled,
    Action::MfaResetAll,
    Action::MfaRemoved,
    Action::AccountUnlocked,
    Action::AccountRecoveryChanged,
    Action::AccountLocked,
    Action::SessionRevoked,
    Action::SessionChallengeDisabled,
    Action::DeviceRegistered,
    Action::VerifyResult,
    Action::CallbackCompleted,
    Action::ApprovalGranted,
    Action::ApprovalRejected,
    Action::ReviewCompleted,
    Action::ContactStarted,
    Action::ContactUtterance,
    Action::TicketOpened,
    Action::TicketClosed,
    Action::RiskDetected,
];

fn role(name: &str, tier: Tier) -> Option<Box<Role>> {
    Some(Box::new(Role {
        tier,
        ..Role::resolved(name)
    }))
}

/// What a random event is made of.
type Dice = (u8, u8, u8, u8, u32);

fn random(number: usize, dice: Dice) -> Event {
    let (action, outcome, agent, detail, time) = dice;
    let action = ACTIONS_TRIED[usize::from(action) % ACTIONS_TRIED.len()];
    let spread = if detail.is_multiple_of(3) {
        60_000
    } else {
        1_000
    };
    let time = START.plus(i64::from(time % 2_000) * spread);
    let mut event = Event::new(Domain::Idp, action, time);
    event.event_id = EventId((number as u128 + 1).to_be_bytes());
    event.outcome = Outcome::ALL[usize::from(outcome.saturating_sub(150)) % Outcome::ALL.len()];
    let tier = if detail.is_multiple_of(5) {
        Tier::Privileged
    } else {
        Tier::Standard
    };
    event.target = role("T", tier);
    event.agent = role(["A", "B", "T"][usize::from(agent) % 3], Tier::Standard);
    event.approver = role(["A", "C"][usize::from(agent) % 2], Tier::Standard);
    event.requester = agent
        .is_multiple_of(7)
        .then(|| role("C", Tier::Standard))
        .flatten();
    event.channel = detail.is_multiple_of(2).then_some(Channel::Voice);
    event.agent_facts.get_or_insert_default().kind = AgentKind::Desk;
    event.device.get_or_insert_default().id = Some(format!("d{}", detail % 3).into());
    event.network.get_or_insert_default().asn = Some(u32::from(detail % 2));
    let text = event.text.get_or_insert_default();
    if detail.is_multiple_of(4) {
        text.pressure.band = Band::High;
        text.pressure.cues = vec![CueSpan {
            cue: Some(Cue::Authority),
            phrase_id: "p".into(),
            start: 0,
            end: 1,
        }];
    }
    event.request.get_or_insert_default().class = crate::collect::event::RequestClass::Mfa;
    event.verification.get_or_insert_default().strength = Some(3);
    event.call_ref.get_or_insert_default().connected_s = Some(30);
    event.call_ref = event
        .call_ref
        .filter(|_| action == Action::CallbackCompleted);
    event.phone.get_or_insert_default().of_record = Some(Vec::new());
    event
}

/// One person with what was told.
#[derive(Default)]
struct Person {
    facts: Vec<Fact>,
    calls: BTreeMap<String, Vec<Fact>>,
    tickets: BTreeMap<String, Vec<Fact>>,
    baseline: Baseline,
}

impl Person {
    /// Takes an event in, wherever its copies go. What it touches.
    fn take(&mut self, rules: &RuleSet, event: &Event, way: u8) -> PatternMask {
        let mut event = event.clone();
        if way.is_multiple_of(3) {
            let call = event.call_ref.get_or_insert_default();
            call.root_id = format!("c{}", way % 4).into();
        }
        if way.is_multiple_of(4) {
            event.ticket_ref.get_or_insert_default().id = format!("t{}", way % 5).into();
        }
        let fact = Fact::of(&event);
        let into = |list: &mut Vec<Fact>| {
            let at = list.partition_point(|kept| kept.order() < fact.order());
            list.insert(at, fact.clone());
        };
        let mut touched = PatternMask::NONE;
        for entity in copies(&event) {
            touched = touched.or(match entity.kind {
                EntityKind::Contact => {
                    into(self.calls.entry(entity.id).or_default());
                    rules.touched_by(EntityKind::Identity, Told::Contact)
                }
                EntityKind::Ticket => {
                    into(self.tickets.entry(entity.id).or_default());
                    rules.touched_by(EntityKind::Identity, Told::Ticket)
                }
                EntityKind::Identity if entity.id == "T" => {
                    if rules.keeps(EntityKind::Identity, &fact).is_some() {
                        into(&mut self.facts);
                    }
                    if shows_what_is_usual(fact.action) {
                        self.baseline.note(sightings(&event), fact.time);
                    }
                    rules.touched(EntityKind::Identity, &fact)
                }
                EntityKind::Identity
                | EntityKind::Agent
                | EntityKind::Caller
                | EntityKind::Device
                | EntityKind::Address => PatternMask::NONE,
            });
        }
        touched
    }

    fn findings(&self, rules: &RuleSet, patterns: PatternMask) -> BTreeMap<usize, Vec<Finding>> {
        let entity = Entity::new(EntityKind::Identity, "T");
        let contacts: Vec<ContactState> = self
            .calls
            .values()
            .filter_map(|facts| contact::fold(facts))
            .collect();
        let tickets: Vec<TicketState> = self
            .tickets
            .values()
            .filter_map(|facts| ticket::fold(facts))
            .collect();
        let view = View::new(&entity, &self.facts, &contacts, &tickets, &self.baseline);
        let mut findings: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
        for pattern in patterns.iter() {
            let found = findings.entry(pattern).or_default();
            for rule in rules.rules_of(EntityKind::Identity, PatternMask::of(pattern)) {
                let matches = rule.matches(&view);
                let of = |one| Finding::of("t", rule, one, &entity, &view);
                found.extend(matches.iter().map(of));
            }
        }
        findings
    }
}

fn an_old_login(person: &mut Person) {
    let mut login = random(9_999, (0, 0, 2, 1, 0));
    login.time = START.minus(40 * DAY_MS);
    login.device.get_or_insert_default().id = Some("old".into());
    person.baseline.note(sightings(&login), login.time);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn evaluating_what_is_touched_is_evaluating_all(
        dice in prop::collection::vec((any::<Dice>(), any::<u8>()), 1..60)
    ) {
        let rules = rules();
        let all = rules.all(EntityKind::Identity);
        let mut person = Person::default();
        an_old_login(&mut person);
        let mut held = person.findings(&rules, all);
        for (number, (dice, way)) in dice.into_iter().enumerate() {
            let touched = person.take(&rules, &random(number, dice), way);
            held.extend(person.findings(&rules, touched));
            prop_assert_eq!(&held, &person.findings(&rules, all));
        }
    }

    #[test]
    fn the_table_says_yes_to_all_that_is_kept(dice in any::<Dice>(), kind in 0_usize..KINDS) {
        let rules = rules();
        let event = random(1, dice);
        let fact = Fact::of(&event);
        let kind = EntityKind::ALL[kind];
        if rules.keeps(kind, &fact).is_some() {
            prop_assert!(rules.may_keep(kind, fact.action, fact.outcome));
        }
    }
}

#[test]
fn the_random_streams_find_every_pattern_of_a_person() {
    let rules = rules();
    let mut found: Vec<String> = Vec::new();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec((any::<Dice>(), any::<u8>()), 20..60);
    for _ in 0..40 {
        use proptest::strategy::ValueTree;
        let tree = strategy
            .new_tree(&mut runner)
            .unwrap_or_else(|fault| panic!("{fault}"));
        let mut person = Person::default();
        an_old_login(&mut person);
        for (number, (dice, way)) in tree.current().into_iter().enumerate() {
            person.take(&rules, &random(number, dice), way);
        }
        let findings = person.findings(&rules, rules.all(EntityKind::Identity));
        found.extend(
            findings
                .into_values()
                .flatten()
                .map(|finding| finding.pattern),
        );
    }
    found.sort();
    found.dedup();
    assert_eq!(
        found,
        [
            "HDT-01", "HDT-03", "HDT-04", "HDT-05", "HDT-07", "HDT-12", "HDT-15"
        ]
    );
}
