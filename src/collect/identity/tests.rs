//! Every rule of resolution, on directories written as exports.

use super::*;
use crate::collect::directory::{AccountRecord, ExportSetup, read_item};
use crate::collect::event::{
    Action, Agent, AgentKind, Domain, Event, Phone, Role, Ternary, TicketRef,
};
use crate::collect::parse::{Tape, parse_text};
use crate::collect::time::parse_time;

pub(super) fn at(text: &str) -> Timestamp {
    parse_time(text).unwrap().0
}

pub(super) fn settings() -> Settings {
    Settings {
        names: NameRules {
            default_region: None,
            own_domains: vec!["corp.example".to_owned()],
        },
        key: Key::new(b"key"),
        ..Settings::default()
    }
}

fn record(system: &str, json: &str) -> AccountRecord {
    let mut tape = Tape::default();
    let item = parse_text(&mut tape, json).unwrap();
    read_item(system, item, &ExportSetup::default()).unwrap()
}

pub(super) fn directory(items: &[(&str, &str)]) -> MemoryDirectory {
    let records = items
        .iter()
        .map(|(system, json)| record(system, json))
        .collect();
    MemoryDirectory::new(records, &settings().roots)
}

pub(super) fn ask(directory: &MemoryDirectory, names: &[&str], time: &str) -> Answer {
    let question = Question::new(names.iter().copied(), at(time)).unwrap();
    resolve_query(&question, directory, &settings())
}

pub(super) fn who(directory: &MemoryDirectory, name: &str, time: &str) -> Option<String> {
    ask(directory, &[name], time).identity
}

pub(super) const NOW: &str = "2024-05-06T10:00:00Z";
const DANA: (&str, &str) = (
    "hris",
    r#"{"employee_id":"E3","work_email":"dana.cole@corp.example","mobile_phone":"+14155550103","manager_employee_id":"E2","status":"active","hire_date":"2019-06-10","job_title":"Accountant"}"#,
);
const BOB: (&str, &str) = (
    "hris",
    r#"{"employee_id":"E2","work_email":"bob@corp.example","mobile_phone":"+14155550102","status":"active","hire_date":"2016-03-01","job_title":"CFO"}"#,
);
const MEI: (&str, &str) = (
    "hris",
    r#"{"employee_id":"E6","work_email":"mei.tan@corp.example","mobile_phone":"+6581230106","status":"active","job_title":"Service desk agent"}"#,
);

#[test]
fn the_samples_get_ten_of_ten() {
    let roots = ["../shared", "../../shared"].map(|up| {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(up)
            .join("samples/identity")
    });
    let Some(samples) = roots.iter().find(|dir| dir.join("queries.jsonl").exists()) else {
        println!("skipped: samples/identity is not beside the repository");
        return;
    };
    let lines = |file: &str| -> Vec<String> {
        let text = std::fs::read_to_string(samples.join(file)).unwrap();
        text.lines()
            .filter(|line| !line.trim().is_empty())
            .map(str::to_owned)
            .collect()
    };
    let files = [
        ("hris", "hris.jsonl"),
        ("okta", "okta_users.jsonl"),
        ("entra", "entra_users.jsonl"),
        ("servicenow", "servicenow_sys_user.jsonl"),
        ("zendesk", "zendesk_users.jsonl"),
        ("jira", "jira_users.jsonl"),
        ("contact_centre", "contact_centre_agents.jsonl"),
    ];
    let records = files.iter().flat_map(|(system, file)| {
        lines(file)
            .into_iter()
            .map(|line| record(system, &line))
            .collect::<Vec<_>>()
    });
    let directory = MemoryDirectory::new(records.collect(), &settings().roots);
    let mut right = 0;
    for line in lines("queries.jsonl") {
        let mut tape = Tape::default();
        let item = parse_text(&mut tape, &line).unwrap();
        let question = Question::read(item).unwrap();
        let answer = resolve_query(&question, &directory, &settings());
        let answer: serde_json::Value = serde_json::to_value(&answer).unwrap();
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        for (key, want) in line["expect"].as_object().unwrap() {
            if key != "note" {
                assert_eq!(&answer[key], want, "{key} of {line}: {answer}");
            }
        }
        right += 1;
    }
    assert_eq!(right, 10);
}

#[test]
fn accounts_with_one_employee_id_are_one_person() {
    let directory = directory(&[
        DANA,
        (
            "okta",
            r#"{"id":"00u3","status":"ACTIVE","profile":{"login":"dana.cole@corp.example","employeeNumber":"E3"}}"#,
        ),
        (
            "okta",
            r#"{"id":"00ua","status":"ACTIVE","profile":{"login":"adm-dana@corp.example","employeeNumber":"e3"}}"#,
        ),
    ]);
    for name in [
        "okta_id:00u3",
        "okta_id:00ua",
        "login:adm-dana@corp.example",
        "employee_id:e3",
    ] {
        assert_eq!(who(&directory, name, NOW).as_deref(), Some("E3"), "{name}");
    }
    assert_eq!(directory.identity_of("okta:00ua"), Some("hris:E3"));
    // Whoever holds an admin account is privileged.
    let person = directory.person("hris:E3", at(NOW)).unwrap();
    assert_eq!(person.tier, Tier::Privileged);
}

#[test]
fn accounts_without_employee_id_join_by_verified_mail() {
    let directory = directory(&[
        DANA,
        (
            "servicenow",
            r#"{"sys_id":{"value":"0A","display_value":"0A"},"user_name":"dcole","email":"Dana.Cole@corp.example","active":"true"}"#,
        ),
        (
            "zendesk",
            r#"{"id":7,"email":"dana.cole@corp.example","verified":false,"role":"end-user"}"#,
        ),
        (
            "jira",
            r#"{"accountId":"5c","emailAddress":"dana.cole@corp.example"}"#,
        ),
        (
            "zendesk",
            r#"{"id":8,"external_id":"crm-77","email":"dana.cole@corp.example"}"#,
        ),
    ]);
    for name in [
        "snow_sys_id:0a",
        "snow_user:dcole",
        "atlassian_id:5c",
        "zendesk_id:8",
    ] {
        assert_eq!(who(&directory, name, NOW).as_deref(), Some("E3"), "{name}");
    }
    assert_eq!(
        ask(&directory, &["zendesk_id:7"], NOW).status,
        ResolutionStatus::Unresolved
    );
}

#[test]
fn without_an_hris_the_first_root_names_the_person() {
    let directory = directory(&[
        (
            "okta",
            r#"{"id":"00u9","status":"ACTIVE","profile":{"login":"jo@corp.example","email":"jo@corp.example"}}"#,
        ),
        (
            "entra",
            r#"{"id":"AAAA-1","userPrincipalName":"jo@corp.example","mail":"jo@corp.example","accountEnabled":true,"userType":"Member"}"#,
        ),
        (
            "zendesk",
            r#"{"id":9,"email":null,"phone":"+14155550199","name":"Caller"}"#,
        ),
    ]);
    assert_eq!(
        who(&directory, "upn:jo@corp.example", NOW).as_deref(),
        Some("okta:00u9")
    );
    assert_eq!(
        who(&directory, "entra_id:aaaa-1", NOW).as_deref(),
        Some("okta:00u9")
    );
    assert_eq!(who(&directory, "phone:+14155550199", NOW), None);
}

#[test]
fn a_recycled_number_belongs_to_whoever_had_it_then() {
    let directory = directory(&[
        (
            "hris",
            r#"{"employeeNumber":"E20","workEmail":"al@corp.example","mobilePhone":"+14155550120","hireDate":"2018-01-01","terminationDate":"2022-06-30","status":"Inactive"}"#,
        ),
        (
            "hris",
            r#"{"employeeNumber":"E21","workEmail":"zoe@corp.example","mobilePhone":"+14155550120","hireDate":"2023-01-09","status":"Active"}"#,
        ),
    ]);
    let phone = "phone:+14155550120";
    assert_eq!(
        who(&directory, phone, "2020-01-01T00:00:00Z").as_deref(),
        Some("E20")
    );
    assert_eq!(
        who(&directory, phone, "2022-06-30T20:00:00Z").as_deref(),
        Some("E20")
    );
    assert_eq!(who(&directory, phone, "2022-09-01T00:00:00Z"), None);
    assert_eq!(who(&directory, phone, NOW).as_deref(), Some("E21"));
    assert_eq!(
        directory
            .phone_owners("+14155550120", at(NOW))
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_leaver_is_found_and_marked_until_the_address_is_used_again() {
    let leaver = (
        "hris",
        r#"{"Employee_ID":"E30","Email_-_Work":"sam@corp.example","Hire_Date":"2018-01-01","Termination_Date":"2022-06-30","Worker_Status":"Terminated"}"#,
    );
    let alone = directory(&[leaver]);
    assert_eq!(
        who(&alone, "email:sam@corp.example", NOW).as_deref(),
        Some("E30")
    );
    let facts = |time| alone.person("hris:E30", at(time)).unwrap().lifecycle;
    assert_eq!(facts(NOW), Lifecycle::Leaver);
    assert_eq!(facts("2020-01-01T00:00:00Z"), Lifecycle::Active);
    assert_eq!(facts("2017-01-01T00:00:00Z"), Lifecycle::PreHire);
    let reused = directory(&[
        leaver,
        (
            "hris",
            r#"{"Employee_ID":"E31","Email_-_Work":"sam@corp.example","Hire_Date":"2023-04-03","Worker_Status":"Active"}"#,
        ),
    ]);
    assert_eq!(
        who(&reused, "email:sam@corp.example", NOW).as_deref(),
        Some("E31")
    );
    assert_eq!(
        who(&reused, "email:sam@corp.example", "2021-01-01T00:00:00Z").as_deref(),
        Some("E30")
    );
}

#[test]
fn a_contractor_who_is_hired_has_two_ids_one_after_the_other() {
    let directory = directory(&[
        (
            "hris",
            r#"{"employee_id":"C7","work_email":"li@corp.example","hire_date":"2021-01-01","termination_date":"2023-03-31","worker_type":"contractor","status":"terminated"}"#,
        ),
        (
            "hris",
            r#"{"employee_id":"E40","work_email":"li@corp.example","hire_date":"2023-04-01","worker_type":"employee","status":"active"}"#,
        ),
        (
            "okta",
            r#"{"id":"00u40","status":"ACTIVE","created":"2021-01-01T00:00:00Z","profile":{"login":"li@corp.example","employeeNumber":"E40"}}"#,
        ),
    ]);
    assert_eq!(
        who(&directory, "email:li@corp.example", "2022-01-01T00:00:00Z").as_deref(),
        Some("C7")
    );
    assert_eq!(
        who(&directory, "email:li@corp.example", NOW).as_deref(),
        Some("E40")
    );
    assert_eq!(
        who(&directory, "okta_id:00u40", NOW).as_deref(),
        Some("E40")
    );
}

#[test]
fn a_rename_closes_the_old_name_and_event_time_decides() {
    let setup = |text| ExportSetup {
        read_at: at(text),
        ..ExportSetup::default()
    };
    let read = |json: &str, time| {
        let mut tape = Tape::default();
        read_item("entra", parse_text(&mut tape, json).unwrap(), &setup(time)).unwrap()
    };
    let before = r#"{"id":"a1","userPrincipalName":"ann.old@corp.example","mail":"ann.old@corp.example","mobilePhone":"+14155550140","employeeId":"E50","manager":{"id":"m1"}}"#;
    let after = r#"{"id":"a1","userPrincipalName":"ann.new@corp.example","mail":"ann.new@corp.example","proxyAddresses":["SMTP:ann.new@corp.example","smtp:ann.alias@corp.example"],"mobilePhone":"+14155550141","employeeId":"E50","manager":{"id":"m2"}}"#;
    let mut directory = MemoryDirectory::new(vec![], &settings().roots);
    let first = directory.put(read(before, "2024-01-01T00:00:00Z"));
    assert!(!first.concerns_person() && first.new_names.len() >= 3);
    let second = directory.put(read(after, "2024-03-01T00:00:00Z"));
    assert!(second.phone && second.manager && !second.email && !second.lifecycle);
    assert!(
        second
            .new_names
            .contains(&(HandleKind::Email, "ann.alias@corp.example".to_owned()))
    );
    assert_eq!(
        directory.put(read(after, "2024-03-02T00:00:00Z")),
        Default::default()
    );
    assert_eq!(
        directory.put(read(before, "2024-02-01T00:00:00Z")),
        Default::default()
    );
    directory.join();
    let old = "email:ann.old@corp.example";
    assert_eq!(
        who(&directory, old, "2024-02-01T00:00:00Z").as_deref(),
        Some("E50")
    );
    assert_eq!(who(&directory, old, NOW), None);
    assert_eq!(
        who(
            &directory,
            "email:ann.new@corp.example",
            "2024-02-01T00:00:00Z"
        ),
        None
    );
    let alias = ask(&directory, &["email:ann.alias@corp.example"], NOW);
    assert_eq!(
        (alias.identity.as_deref(), alias.via.as_deref()),
        (Some("E50"), Some("alias"))
    );
    let facts = directory.person("entra:a1", at(NOW)).unwrap();
    assert_eq!(facts.phone_at, Some(at("2024-03-01T00:00:00Z")));
    assert_eq!(facts.manager_at, Some(at("2024-03-01T00:00:00Z")));
    let owners = directory.phone_owners("+14155550141", at(NOW)).unwrap();
    assert_eq!(owners[0].since, Some(at("2024-03-01T00:00:00Z")));
}

#[test]
fn a_recreated_account_has_a_new_id_and_the_old_one_ends() {
    let directory = directory(&[
        (
            "entra",
            r#"{"id":"old","userPrincipalName":"kim@corp.example","createdDateTime":"2019-01-01T00:00:00Z","deletedDateTime":"2023-01-01T00:00:00Z"}"#,
        ),
        (
            "entra",
            r#"{"id":"new","userPrincipalName":"kim@corp.example","createdDateTime":"2023-02-01T00:00:00Z","accountEnabled":true}"#,
        ),
        (
            "hris",
            r#"{"employee_id":"E60","work_email":"kim@corp.example","status":"active"}"#,
        ),
    ]);
    let resolved = |time| {
        let question = Question::new(["upn:kim@corp.example"], at(time)).unwrap();
        resolve(&question.handles, question.at, &directory, &settings())
    };
    assert_eq!(resolved(NOW).identity(), Some("hris:E60"));
    assert_eq!(
        directory.identity_of("entra:old"),
        directory.identity_of("entra:new")
    );
}

#[test]
fn a_reused_address_joins_accounts_to_whoever_is_at_work() {
    let directory = directory(&[
        (
            "hris",
            r#"{"employee_id":"E80","work_email":"kay@corp.example","hire_date":"2015-01-01","termination_date":"2020-01-31","status":"terminated"}"#,
        ),
        (
            "hris",
            r#"{"employee_id":"E81","work_email":"kay@corp.example","hire_date":"2021-01-01","status":"active"}"#,
        ),
        (
            "servicenow",
            r#"{"sys_id":"0c","user_name":"kay","email":"kay@corp.example","active":"true"}"#,
        ),
        (
            "okta",
            r#"{"id":"00u81","status":"ACTIVE","profile":{"login":"kay@corp.example","email":"k.ay@corp.example"}}"#,
        ),
    ]);
    assert_eq!(
        who(&directory, "snow_user:kay", NOW).as_deref(),
        Some("E81")
    );
    assert_eq!(
        who(&directory, "okta_id:00u81", NOW).as_deref(),
        Some("E81")
    );
}

#[test]
fn a_guest_is_never_the_employee_of_the_home_address() {
    let directory = directory(&[
        DANA,
        (
            "entra",
            r#"{"id":"g1","userPrincipalName":"dana.cole_corp.example#EXT#@t.onmicrosoft.com","mail":"dana.cole@corp.example","userType":"Guest"}"#,
        ),
    ]);
    let guest = "upn:dana.cole_corp.example#EXT#@t.onmicrosoft.com";
    assert_eq!(who(&directory, guest, NOW).as_deref(), Some("entra:g1"));
    assert_eq!(
        who(&directory, "email:dana.cole@corp.example", NOW).as_deref(),
        Some("E3")
    );
    assert_eq!(
        directory.person("entra:g1", at(NOW)).unwrap().tier,
        Tier::Contractor
    );
}

#[test]
fn a_shared_line_names_nobody() {
    let directory = directory(&[
        DANA,
        (
            "hris",
            r#"{"employee_id":"E70","work_email":"x@corp.example","work_phone":"+14155551000","status":"active"}"#,
        ),
        (
            "hris",
            r#"{"employee_id":"E71","work_email":"y@corp.example","work_phone":"+1 415 555 1000","status":"active"}"#,
        ),
        (
            "hris",
            r#"{"employee_id":"E72","work_email":"z@corp.example","work_phone":"+14155551000","status":"terminated","termination_date":"2020-01-01"}"#,
        ),
        (
            "zendesk",
            r#"{"id":3,"external_id":"E3","phone":"+14155551999","shared_phone_number":true}"#,
        ),
    ]);
    let answer = ask(&directory, &["phone:+14155551000"], NOW);
    assert_eq!(answer.status, ResolutionStatus::Ambiguous);
    assert_eq!(answer.candidates, ["E70", "E71"]);
    let with_id = ask(&directory, &["phone:+14155551000", "employee_id:E3"], NOW);
    assert_eq!(
        with_id.status,
        ResolutionStatus::Resolved,
        "a shared line contradicts nobody"
    );
    let declared = ask(&directory, &["phone:+14155551999"], NOW);
    assert_eq!(declared.status, ResolutionStatus::Unresolved);
}

#[test]
fn strong_names_win_and_weak_ones_contradict() {
    let directory = directory(&[DANA, BOB, MEI]);
    let answer = ask(
        &directory,
        &["phone:+14155550102", "email:dana.cole@corp.example"],
        NOW,
    );
    assert_eq!(answer.status, ResolutionStatus::Conflict);
    assert_eq!(
        (answer.primary.as_deref(), answer.other.as_deref()),
        (Some("E3"), Some("E2"))
    );
    let agree = ask(
        &directory,
        &["phone:+14155550103", "email:dana.cole@corp.example"],
        NOW,
    );
    assert_eq!(
        (agree.status, agree.strength),
        (ResolutionStatus::Resolved, Some("strong"))
    );
    let weak = ask(&directory, &["phone:+14155550103"], NOW);
    assert_eq!(
        (weak.status, weak.strength),
        (ResolutionStatus::Resolved, Some("weak"))
    );
    let two = ask(
        &directory,
        &[
            "email:bob@corp.example",
            "employee_id:E3",
            "phone:+14155550103",
        ],
        NOW,
    );
    assert_eq!(two.status, ResolutionStatus::Ambiguous);
    assert_eq!(two.candidates, ["E2", "E3"]);
}

#[test]
fn tags_are_a_weak_second_try() {
    let directory = directory(&[DANA]);
    let tag = ask(&directory, &["email:dana.cole+it@corp.example"], NOW);
    assert_eq!(
        (tag.identity.as_deref(), tag.strength),
        (Some("E3"), Some("weak"))
    );
    assert_eq!(
        who(&directory, "email:dana.cole+it@mail.example", NOW),
        None
    );
}

#[test]
fn names_lookalikes_and_withheld_numbers_name_nobody() {
    let directory = directory(&[DANA]);
    for name in [
        "display_name:Dana Cole",
        "phone:anonymous",
        "phone:+266696687",
        "phone:1234",
        "email:d\u{430}na.cole@corp.example",
    ] {
        let answer = ask(&directory, &[name], NOW);
        assert_eq!(answer.status, ResolutionStatus::Unresolved, "{name}");
        assert!(answer.candidates.is_empty());
    }
    assert!(Question::new(["shoe_size:44"], at(NOW)).is_err());
    assert!(Question::new(["nothing"], at(NOW)).is_err());
}

#[test]
fn ids_are_scoped_by_their_issuer_where_both_are_known() {
    let mut account = record(
        "okta",
        r#"{"id":"00u3","profile":{"login":"dana.cole@corp.example","employeeNumber":"E3"}}"#,
    );
    account.issuer = Some("org-a".to_owned());
    let directory = MemoryDirectory::new(vec![record(DANA.0, DANA.1), account], &settings().roots);
    let found = |issuer| {
        directory
            .look_up(HandleKind::OktaId, issuer, "00u3", at(NOW))
            .len()
    };
    assert_eq!(
        (found(None), found(Some("org-a")), found(Some("org-b"))),
        (1, 1, 0)
    );
}

#[test]
fn agents_of_a_contact_centre_join_by_user_name() {
    let directory = directory(&[
        MEI,
        DANA,
        (
            "servicenow",
            r#"{"sys_id":"0b","user_name":"mtan","email":"mei.tan@corp.example","active":"true"}"#,
        ),
        (
            "contact_centre",
            r#"{"AgentARN":"arn:aws:connect:x/agent/1","CurrentAgentSnapshot":{"Configuration":{"Username":"MTan"}}}"#,
        ),
        (
            "contact_centre",
            r#"{"Arn":"arn:aws:connect:x/agent/2","Username":"dana.cole"}"#,
        ),
        (
            "contact_centre",
            r#"{"Arn":"arn:aws:connect:x/agent/4","Username":"nobody"}"#,
        ),
        (
            "contact_centre",
            r#"{"id":"G-3","email":"dana.cole@corp.example","name":"Dana"}"#,
        ),
    ]);
    let arn = |n: u8| format!("connect_agent_arn:arn:aws:connect:x/agent/{n}");
    assert_eq!(who(&directory, &arn(1), NOW).as_deref(), Some("E6"));
    assert_eq!(who(&directory, &arn(2), NOW).as_deref(), Some("E3"));
    assert_eq!(who(&directory, &arn(4), NOW), None);
    assert_eq!(
        who(&directory, "connect_username:mtan", NOW).as_deref(),
        Some("E6")
    );
    assert_eq!(
        who(&directory, "genesys_user_id:g-3", NOW).as_deref(),
        Some("E3")
    );
}

fn role(kind: HandleKind, value: &str) -> Option<Box<Role>> {
    let handles = vec![Handle {
        kind,
        value: value.into(),
        masked: None,
        issuer: None,
    }];
    Some(Box::new(Role {
        handles,
        ..Role::default()
    }))
}

#[test]
fn an_event_is_stamped_with_its_people() {
    let directory = directory(&[
        DANA,
        BOB,
        (
            "hris",
            r#"{"employee_id":"E6","work_email":"mei.tan@corp.example","status":"active","job_title":"Service desk agent","on_shift":true,"may_act_on":"executive","budget_per_hour":12,"may_override":"false"}"#,
        ),
        (
            "okta",
            r#"{"id":"00u3","status":"ACTIVE","created":"2020-02-02T00:00:00Z","profile":{"login":"dana.cole@corp.example","employeeNumber":"E3"}}"#,
        ),
    ]);
    let mut event = Event::new(Domain::Idp, Action::MfaResetAll, at(NOW));
    event.target = role(HandleKind::OktaId, "00u3");
    event.agent = role(HandleKind::Login, "Mei.Tan@corp.example");
    event.approver = role(HandleKind::Email, "bob@corp.example");
    event.caller = role(HandleKind::Phone, "+1 415 555 0102");
    event.phone = Some(Box::new(Phone {
        ani: role(HandleKind::Phone, "+1 415 555 0102").map(|mut r| r.handles.remove(0)),
        ..Phone::default()
    }));
    event.ticket_ref = Some(Box::new(TicketRef {
        assignee: vec!["mei.tan@corp.example".into(), "employee_id:E99".into()],
        ..TicketRef::default()
    }));
    identify(&mut event, &directory, &settings());
    let target = event.target.unwrap();
    assert_eq!(target.identity.as_deref(), Some("hris:E3"));
    assert_eq!(target.account.as_deref(), Some("okta:00u3"));
    assert_eq!(target.account_since, Some(at("2020-02-02T00:00:00Z")));
    assert_eq!(target.manager.as_deref(), Some("hris:E2"));
    assert_eq!(
        (target.lifecycle, target.tier),
        (Lifecycle::Active, Tier::Standard)
    );
    assert!(target.resolution.strong && event.target_facts.is_some());
    let agent = event.agent.unwrap();
    assert_eq!(
        (agent.identity.as_deref(), agent.tier),
        (Some("hris:E6"), Tier::Privileged)
    );
    assert_eq!(agent.handles[0].masked.as_deref(), Some("m…@corp.example"));
    let facts = event.agent_facts.unwrap();
    assert_eq!(
        (facts.on_shift, facts.may_override),
        (Ternary::Yes, Ternary::No)
    );
    assert_eq!(
        (facts.may_act_on, facts.budget_per_hour),
        (Some(Tier::Executive), Some(12))
    );
    assert_eq!(
        event.approval.unwrap().eligible,
        Ternary::Yes,
        "Bob leads Dana"
    );
    assert_eq!(event.approver.unwrap().tier, Tier::Executive);
    assert_eq!(event.self_service, Some(false));
    let owners = event.phone.unwrap().of_record.unwrap();
    assert_eq!(owners[0].identity, "hris:E2");
    assert_eq!(
        event.ticket_ref.unwrap().assignee,
        ["hris:E6", "employee_id:E99"]
    );
    assert_eq!(event.risk.unwrap().reasons, ["caller_number_mismatch"]);
}

#[test]
fn accounts_nobody_knows_stand_under_a_pseudo_identity() {
    let directory = directory(&[DANA]);
    let mut event = Event::new(Domain::Idp, Action::AuthLogin, at(NOW));
    event.target = role(HandleKind::Login, "ghost@corp.example");
    event.agent = role(HandleKind::Email, "GHOST@corp.example");
    event.agent_facts = Some(Box::new(Agent {
        kind: AgentKind::Desk,
        ..Agent::default()
    }));
    identify(&mut event, &directory, &settings());
    let target = event.target.unwrap().identity.unwrap();
    assert!(
        target.starts_with("pseudo:") && target.len() == 39,
        "{target}"
    );
    assert!(event.self_service.is_none_or(|own| own));
    assert_eq!(event.risk.unwrap().reasons, ["unknown_support_staff"]);
    let mut ticket = Event::new(Domain::Ticket, Action::TicketOpened, at(NOW));
    ticket.requester = role(HandleKind::Email, "ghost@corp.example");
    identify(&mut ticket, &directory, &settings());
    assert_eq!(ticket.requester.unwrap().identity, None);
}

#[test]
fn withheld_numbers_leave_the_event_and_lookalikes_are_raised() {
    let directory = directory(&[DANA]);
    let mut event = Event::new(Domain::Contact, Action::ContactStarted, at(NOW));
    event.caller = role(HandleKind::Phone, "anonymous");
    event.requester = role(HandleKind::Email, "d\u{430}na.cole@corp.example");
    event.phone = Some(Box::new(Phone {
        ani: role(HandleKind::Phone, "anonymous").map(|mut r| r.handles.remove(0)),
        ..Phone::default()
    }));
    identify(&mut event, &directory, &settings());
    assert!(event.caller.unwrap().handles.is_empty());
    let phone = event.phone.unwrap();
    assert!(phone.ani.is_none() && phone.of_record.is_none());
    assert_eq!(event.risk.unwrap().reasons, ["lookalike_handle"]);
}

#[test]
fn an_old_directory_is_told() {
    let mut account = record(DANA.0, DANA.1);
    account.read_at = at("2024-05-01T00:00:00Z");
    let directory = MemoryDirectory::new(vec![account], &settings().roots);
    let mut event = Event::new(Domain::Idp, Action::AuthLogin, at(NOW));
    event.target = role(HandleKind::EmployeeId, "E3");
    identify(&mut event, &directory, &settings());
    let target = event.target.unwrap();
    assert!(target.resolution.stale && target.identity.is_some());
}
