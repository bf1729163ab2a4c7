//! Exports of every system, in the spellings their products use.

use super::*;
use crate::collect::parse::{Tape, parse_text};
use crate::collect::reject::RejectReason;
use crate::collect::time::parse_time;

fn read(system: &str, json: &str) -> AccountRecord {
    let mut tape = Tape::default();
    read_item(
        system,
        parse_text(&mut tape, json).unwrap(),
        &ExportSetup::default(),
    )
    .unwrap()
}

fn names(record: &AccountRecord) -> Vec<(HandleKind, &str, Strength)> {
    record
        .handles
        .iter()
        .map(|h| (h.kind, h.value.as_str(), h.strength))
        .collect()
}

#[test]
fn hris_exports_differ_in_their_keys_alone() {
    use HandleKind::{Email, EmployeeId, Phone};
    for json in [
        r#"{"employee_id":"E1","work_email":"a@corp.example","personal_email":"a@mail.example","mobile_phone":"+14155550101","manager_employee_id":"E9","hire_date":"2015-01-05","termination_date":"2020-02-29","worker_type":"contractor","status":"terminated"}"#,
        r#"{"Employee_ID":"E1","Email_-_Work":"A@corp.example","Personal Email":"a@mail.example","Phone - Mobile":"+1 415-555-0101","Manager_ID":"E9","Hire_Date":"2015-01-05-08:00","Termination_Date":"2020-02-29","Worker_Type":"Contingent Worker","Worker_Status":"Terminated"}"#,
        r#"{"id":"117","employeeNumber":"E1","workEmail":"a@corp.example","homeEmail":"a@mail.example","mobilePhone":"+14155550101","supervisorEId":"E9","hireDate":"01/05/2015","terminationDate":"02/29/2020","employmentType":"Contractor","status":"Inactive"}"#,
    ] {
        let record = read("hris", json);
        assert_eq!(record.key(), "hris:E1", "{json}");
        let names = names(&record);
        for want in [
            (EmployeeId, "E1", Strength::S2),
            (Email, "a@corp.example", Strength::S2),
            (Email, "a@mail.example", Strength::S1),
            (Phone, "+14155550101", Strength::S1),
        ] {
            assert!(names.contains(&want), "{want:?} in {json}");
        }
        assert_eq!(record.managers[0].name, "E9", "{json}");
        assert_eq!(record.tier, Tier::Contractor, "{json}");
        assert_eq!(
            record.hired,
            parse_time("2015-01-05T00:00:00Z").map(|t| t.0),
            "{json}"
        );
        assert_eq!(
            record.left,
            parse_time("2020-03-01T00:00:00Z").map(|t| t.0),
            "{json}"
        );
        assert_eq!(record.lifecycle, Lifecycle::Leaver);
    }
}

#[test]
fn vendor_exports_are_read() {
    let okta = read(
        "okta",
        r#"{"id":"00u1","status":"DEPROVISIONED","created":"2020-01-01T00:00:00.000Z","statusChanged":"2023-01-01T00:00:00.000Z","profile":{"login":"a@corp.example","email":"a@corp.example","secondEmail":"a@mail.example","title":"VP Sales"}}"#,
    );
    assert_eq!(
        (okta.tier, okta.lifecycle),
        (Tier::Executive, Lifecycle::Leaver)
    );
    assert_eq!(okta.left, parse_time("2023-01-01T00:00:00Z").map(|t| t.0));
    let snow = read(
        "servicenow",
        r#"{"sys_id":{"value":"AB","display_value":"AB"},"user_name":{"value":"a.b"},"email":{"value":"a@corp.example"},"manager":{"link":"https://x","value":"CD"},"vip":{"value":"true"},"active":{"value":"true"}}"#,
    );
    assert_eq!(
        (snow.id.as_str(), snow.vip, snow.tier),
        ("AB", true, Tier::Executive)
    );
    assert_eq!(snow.managers[0].name, "CD");
    assert_eq!(snow.user_name.as_deref(), Some("a.b"));
    let zendesk = read(
        "zendesk",
        r#"{"user":{"id":42,"email":"a@corp.example","role":"agent","identities":[{"type":"phone_number","value":"+14155550101","verified":true},{"type":"email","value":"b@corp.example","verified":false}]}}"#,
    );
    assert_eq!(
        (zendesk.key().as_str(), zendesk.tier, zendesk.desk),
        ("zendesk:42", Tier::Privileged, true)
    );
    assert!(names(&zendesk).contains(&(HandleKind::Email, "b@corp.example", Strength::S1)));
    let svc = read(
        "entra",
        r#"{"id":"s","userPrincipalName":"svc-backup@corp.example"}"#,
    );
    assert_eq!(svc.tier, Tier::Machine);
}

#[test]
fn tiers_follow_title_and_role() {
    let tier = |title: &str| {
        read(
            "hris",
            &format!(r#"{{"employee_id":"E1","job_title":"{title}"}}"#),
        )
        .tier
    };
    for (title, want) in [
        ("CEO", Tier::Executive),
        ("Senior Vice President, Finance", Tier::Executive),
        ("Executive Assistant to the CEO", Tier::Standard),
        ("Service Desk Agent", Tier::Privileged),
        ("Identity Engineer", Tier::Privileged),
        ("Accountant", Tier::Standard),
    ] {
        assert_eq!(tier(title), want, "{title}");
    }
    assert_eq!(
        read("hris", r#"{"employee_id":"E1","tier":"break-glass"}"#).tier,
        Tier::BreakGlass
    );
}

#[test]
fn what_is_no_account_is_a_reject() {
    for (system, json) in [
        ("hris", "[]"),
        ("hris", r#"{"name":"nobody"}"#),
        ("okta", r#"{"profile":{}}"#),
        ("payroll", r#"{"id":"1"}"#),
        ("jira", r#"{"accountId":null}"#),
    ] {
        let mut tape = Tape::default();
        let item = parse_text(&mut tape, json).unwrap();
        let reject = read_item(system, item, &ExportSetup::default()).unwrap_err();
        assert_eq!(reject.reason, RejectReason::Schema, "{json}");
    }
}

#[test]
fn a_record_is_json_and_comes_back() {
    let record = read(
        "hris",
        r#"{"employee_id":"E1","work_email":"a@corp.example","mobile_phone":"+14155550101"}"#,
    );
    let json = serde_json::to_string(&record).unwrap();
    assert_eq!(
        serde_json::from_str::<AccountRecord>(&json).unwrap(),
        record
    );
}

#[test]
fn only_the_newest_intervals_are_kept() {
    let with_phone = |n: i64| {
        let json = format!(
            r#"{{"employee_id":"E1","mobile_phone":"+1415555{:04}"}}"#,
            1000 + n
        );
        let mut record = read("hris", &json);
        record.read_at = Timestamp(n * 1_000);
        record
    };
    let mut record = with_phone(0);
    for n in 1..60 {
        let changes = record.merge(with_phone(n));
        assert!(changes.phone && changes.new_names.len() == 1);
    }
    let phones: Vec<_> = record
        .handles
        .iter()
        .filter(|h| h.kind == HandleKind::Phone)
        .collect();
    assert_eq!(phones.len(), INTERVALS_MAX);
    assert_eq!(phones.last().unwrap().value, "+14155551059");
    assert_eq!(phones.last().unwrap().to, None);
    assert_eq!(phones[0].to, Some(Timestamp(29_000)));
    assert!(
        record
            .handles
            .iter()
            .any(|h| h.kind == HandleKind::EmployeeId)
    );
}

#[test]
fn a_leaver_without_a_last_day_left_when_the_export_first_said_so() {
    let mut record = read(
        "servicenow",
        r#"{"sys_id":"a","user_name":"a","active":"true"}"#,
    );
    let mut gone = read(
        "servicenow",
        r#"{"sys_id":"a","user_name":"a","active":"false"}"#,
    );
    gone.read_at = Timestamp(5_000);
    assert!(record.merge(gone.clone()).lifecycle);
    assert_eq!(record.lifecycle_at(Timestamp(4_999)), Lifecycle::Active);
    gone.read_at = Timestamp(9_000);
    assert!(!record.merge(gone).lifecycle);
    assert_eq!(record.left, Some(Timestamp(5_000)));
}
