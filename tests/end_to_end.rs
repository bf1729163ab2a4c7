//! Raw records of three vendors and a directory, through both stages: a takeover is found, its quiet
//! twin is not, in any order of arrival.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::too_many_arguments,
    clippy::too_many_lines,
    reason = "a test may panic"
)]

use std::collections::VecDeque;
use std::sync::Arc;

use deskwarden::collect::block::SourceWatermark;
use deskwarden::collect::directory::{ExportSetup, read_item};
use deskwarden::collect::entity::{Entity, EntityKind};
use deskwarden::collect::identity::{MemoryDirectory, Settings};
use deskwarden::collect::parse::{Tape, parse};
use deskwarden::collect::pipeline::{Collector, Scratch};
use deskwarden::collect::record::Record;
use deskwarden::collect::setup::{Product, SourceSetup};
use deskwarden::collect::text::Lexicon;
use deskwarden::collect::time::{MINUTE_MS, SECOND_MS, Timestamp};
use deskwarden::correlate::control::SourceDeclared;
use deskwarden::correlate::engine::{Effects, Engine, Setup};
use deskwarden::correlate::rules::{self, rule::Evidence};

/// 2026-03-02T12:00:00Z: later than every event of the stories.
const INGESTED: Timestamp = Timestamp(1_772_452_800_000);
const EVIDENCE: [Evidence; 4] = [
    Evidence::Ticket,
    Evidence::Callback,
    Evidence::Verify,
    Evidence::Approval,
];

const HRIS: [&str; 3] = [
    r#"{"employee_id":"E1","legal_name":"Nora Winter","work_email":"nora.winter@firm.example","mobile_phone":"+14155550111","manager_employee_id":"E2","hire_date":"2019-01-01","worker_type":"employee","status":"active"}"#,
    r#"{"employee_id":"E2","legal_name":"Otto Krall","work_email":"otto.krall@firm.example","mobile_phone":"+14155550122","hire_date":"2015-01-01","worker_type":"employee","status":"active"}"#,
    r#"{"employee_id":"E3","legal_name":"Ida Moor","work_email":"ida.moor@firm.example","mobile_phone":"+14155550133","hire_date":"2018-01-01","worker_type":"employee","status":"active"}"#,
];

fn okta(uuid: &str, minute: u32, kind: &str, actor: &str, target: &str, device: &str) -> String {
    format!(
        r#"{{"uuid":"{uuid}","published":"2026-03-02T09:{minute:02}:00.000Z","eventType":"{kind}","actor":{{"id":"00u{actor}","type":"User","alternateId":"{actor}@firm.example"}},"target":[{{"id":"00u{target}","type":"User","alternateId":"{target}@firm.example"}}],"outcome":{{"result":"SUCCESS"}},"transaction":{{"id":"t{uuid}","type":"WEB","detail":{{}}}},"client":{{"ipAddress":"198.51.100.7"}},"device":{{"id":"{device}"}},"debugContext":{{"debugData":{{"dtHash":"{device}"}}}}}}"#
    )
}

/// Sign-ins from the usual laptop a month and two days before, so that a new phone is new.
fn past() -> Vec<String> {
    ["2026-01-30", "2026-02-27"]
        .iter()
        .map(|day| {
            okta(
                &format!("p{day}"),
                0,
                "user.session.start",
                "nora.winter",
                "nora.winter",
                "lap",
            )
            .replace("2026-03-02T", &format!("{day}T"))
        })
        .collect()
}

fn attack() -> Vec<(Product, String)> {
    let mut story: Vec<(Product, String)> = past()
        .into_iter()
        .map(|record| (Product::Okta, record))
        .collect();
    story.push((Product::AmazonConnect, r#"{"version":"0","id":"e1","detail-type":"Amazon Connect Contact Event","source":"aws.connect","time":"2026-03-02T09:02:00Z","region":"eu-central-1","detail":{"eventType":"INITIATED","contactId":"c-1","initialContactId":"c-1","channel":"VOICE","instanceArn":"arn:aws:connect:eu-central-1:1:instance/i","initiationMethod":"INBOUND","initiationTimestamp":"2026-03-02T09:02:00.000Z"}}"#.into()));
    story.push((Product::AmazonConnect, r#"{"Version":"1.0.0","Channel":"VOICE","InstanceId":"i","ContactId":"c-1","EventType":"SEGMENTS","Segments":[{"Transcript":{"Id":"u1","ParticipantId":"CUSTOMER","ParticipantRole":"CUSTOMER","Content":"I need my MFA reset immediately, I am the vice president and there is no time for a call back, just skip the verification this once.","BeginOffsetMillis":60000,"EndOffsetMillis":66000,"AbsoluteTime":"2026-03-02T09:03:00.000Z"}}]}"#.into()));
    story.push((
        Product::Okta,
        okta(
            "k1",
            8,
            "user.account.reset_password",
            "ida.moor",
            "nora.winter",
            "",
        ),
    ));
    story.push((
        Product::Okta,
        okta(
            "k2",
            10,
            "user.mfa.factor.reset_all",
            "ida.moor",
            "nora.winter",
            "",
        ),
    ));
    story.push((
        Product::Okta,
        okta(
            "k3",
            13,
            "user.mfa.factor.activate",
            "nora.winter",
            "nora.winter",
            "phone2",
        ),
    ));
    story.push((
        Product::Okta,
        okta(
            "k4",
            15,
            "user.session.start",
            "nora.winter",
            "nora.winter",
            "phone2",
        ),
    ));
    story.push((Product::AmazonConnect, r#"{"AWSContactTraceRecordFormatVersion":"2017-03-10","Agent":{"ARN":"arn:aws:connect:eu-central-1:1:instance/i/agent/a","Username":"ida.moor","ConnectedToAgentTimestamp":"2026-03-02T09:02:30Z","AgentInteractionDuration":600},"Attributes":{"employeeId":"E1"},"Channel":"VOICE","ContactId":"c-1","CustomerEndpoint":{"Address":"+14155550199","Type":"TELEPHONE_NUMBER"},"DisconnectTimestamp":"2026-03-02T09:14:00Z","InitialContactId":null,"InitiationMethod":"INBOUND","InitiationTimestamp":"2026-03-02T09:02:00Z","InstanceARN":"arn:aws:connect:eu-central-1:1:instance/i","LastUpdateTimestamp":"2026-03-02T09:16:00Z"}"#.into()));
    story
}

/// The same work with a ticket and nothing but the password.
fn quiet() -> Vec<(Product, String)> {
    let mut story: Vec<(Product, String)> = past()
        .into_iter()
        .map(|record| (Product::Okta, record))
        .collect();
    story.push((Product::ServiceNow, r#"{"sys_class_name":"incident","sys_id":"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a01","number":"INC0001","caller_id":"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b01","contact_type":"self-service","short_description":"Forgot my password","category":"password_reset","state":"1","opened_at":"2026-03-02 08:50:00","sys_created_on":"2026-03-02 08:50:00","sys_updated_on":"2026-03-02 08:50:00","sys_updated_by":"nora.winter","sys_mod_count":"0"}"#.into()));
    story.push((
        Product::Okta,
        okta(
            "q1",
            8,
            "user.account.reset_password",
            "ida.moor",
            "nora.winter",
            "",
        ),
    ));
    story
}

fn directory(settings: &Settings) -> MemoryDirectory {
    let mut records = Vec::new();
    let mut tape = Tape::default();
    let export = |system: &str, rows: &[&str], tape: &mut Tape, out: &mut Vec<_>| {
        for row in rows {
            let value = parse(tape, row.as_bytes()).unwrap();
            let setup = ExportSetup {
                issuer: None,
                names: settings.names.clone(),
                read_at: INGESTED,
            };
            out.push(read_item(system, value, &setup).unwrap());
        }
    };
    export("hris", &HRIS, &mut tape, &mut records);
    let snow = [
        r#"{"sys_id":"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b01","user_name":"nora.winter","email":"nora.winter@firm.example","employee_number":"E1","active":"true"}"#,
    ];
    export("servicenow", &snow, &mut tape, &mut records);
    MemoryDirectory::new(records, &settings.roots)
}

/// Active patterns of the person, the score and whether it pages.
fn play(story: &[(Product, String)]) -> (Vec<String>, i64, bool) {
    let settings = Settings {
        key: b"a key of this test".to_vec().into(),
        ..Settings::default()
    };
    let directory = directory(&settings);
    let lexicon = Lexicon::embedded().unwrap();
    let collector = Collector {
        directory: &directory,
        settings: &settings,
        lexicon: &lexicon,
    };
    let rules = rules::embedded_set().unwrap_or_else(|faults| panic!("{}", faults[0]));
    let mut engine = Engine::new(Arc::new(Setup::new("test", Arc::new(rules))));
    engine.declare(
        "all",
        Some(&SourceDeclared::new("all", "source", &EVIDENCE)),
    );
    let mut scratch = Scratch::default();
    let mut log_ts = INGESTED;
    for (offset, (product, record)) in story.iter().enumerate() {
        let setup = SourceSetup::new("source", *product);
        let record = Record {
            topic: "source",
            partition: 0,
            offset: i64::try_from(offset).unwrap(),
            ingest_ts: INGESTED,
            value: record.as_bytes(),
        };
        let collected = collector.collect(&record, &setup, &mut scratch);
        assert!(collected.rejects.is_empty(), "{:?}", collected.rejects);
        assert!(
            !collected.events.is_empty(),
            "{:?} {:?}",
            product,
            collected.ignored
        );
        log_ts = log_ts.plus(SECOND_MS);
        let mut effects = Effects::default();
        engine.advance(log_ts, &mut effects);
        for (event, copies) in &collected.events {
            for entity in copies {
                engine.handle_event(entity, event, &mut effects);
            }
        }
        relay(&mut engine, effects);
    }
    engine.handle_watermarks(&[SourceWatermark {
        topic: "source".into(),
        partition: 0,
        domains: Vec::new(),
        watermark: INGESTED,
        at_end: false,
    }]);
    let mut effects = Effects::default();
    engine.advance(log_ts.plus(MINUTE_MS), &mut effects);
    relay(&mut engine, effects);
    let person = Entity::new(EntityKind::Identity, "hris:E1");
    let state = engine.state(&person).unwrap().unwrap_or_default();
    let mut patterns: Vec<String> = state
        .findings
        .iter()
        .map(|finding| finding.rule.clone())
        .collect();
    patterns.sort();
    patterns.dedup();
    let judgement =
        deskwarden::correlate::case::Judgement::of(EntityKind::Identity, &state.findings, false);
    (
        patterns,
        judgement.total.score(),
        state.cases.open.is_some_and(|case| case.verdict.page),
    )
}

fn relay(engine: &mut Engine, effects: Effects) {
    let mut relays: VecDeque<_> = effects.relays.into();
    while let Some((to, relay)) = relays.pop_front() {
        let mut effects = Effects::default();
        engine.handle_relay(&to, relay, &mut effects);
        relays.extend(effects.relays);
    }
}

#[test]
fn a_takeover_across_three_systems_pages() {
    let (patterns, score, page) = play(&attack());
    assert_eq!(
        patterns,
        ["HDT-01", "HDT-03a", "HDT-04b", "HDT-05", "HDT-15"]
    );
    assert!(score >= 85 && page, "score {score}, page {page}");
}

#[test]
fn arrival_order_makes_no_difference() {
    let straight = play(&attack());
    let mut story = attack();
    for _ in 0..story.len() {
        story.rotate_left(1);
        assert_eq!(play(&story), straight);
    }
    story.reverse();
    assert_eq!(play(&story), straight);
}

#[test]
fn an_ordinary_reset_stays_quiet() {
    assert_eq!(play(&quiet()), (Vec::new(), 0, false));
}
