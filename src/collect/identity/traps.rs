//! The collisions that real directories hold, one test each.

use super::tests::{NOW, ask, at, directory, settings, who};
use super::*;

const ANN: (&str, &str) = (
    "hris",
    r#"{"employee_id":"E1","work_email":"ann.lee@corp.example","mobile_phone":"+14155550101","hire_date":"2019-01-01","status":"active"}"#,
);

#[test]
fn a_number_that_changed_hands_is_asked_at_its_time() {
    // Without an HRIS: the account that was closed no longer owns the number.
    let directory = directory(&[
        (
            "okta",
            r#"{"id":"00uold","status":"DEPROVISIONED","created":"2018-01-01T00:00:00Z","statusChanged":"2022-01-01T00:00:00Z","profile":{"login":"old@corp.example","mobilePhone":"+14155550120"}}"#,
        ),
        (
            "okta",
            r#"{"id":"00unew","status":"ACTIVE","created":"2023-01-01T00:00:00Z","profile":{"login":"new@corp.example","mobilePhone":"(415) 555-0120"}}"#,
        ),
    ]);
    let number = "phone:+14155550120";
    let before = who(&directory, number, "2021-01-01T00:00:00Z");
    assert_eq!(before.as_deref(), Some("okta:00uold"));
    assert_eq!(who(&directory, number, "2022-06-01T00:00:00Z"), None);
    let unread = who(&directory, number, NOW);
    assert_eq!(
        unread, None,
        "a local number needs a region to be anybody's"
    );
}

#[test]
fn somebody_renamed_is_found_by_the_old_address_while_it_is_an_alias() {
    let directory = directory(&[
        (
            "hris",
            r#"{"employee_id":"E5","work_email":"ann.new@corp.example","previous_emails":["ann.old@corp.example"],"status":"active"}"#,
        ),
        (
            "entra",
            r#"{"id":"a5","userPrincipalName":"ann.new@corp.example","mail":"ann.new@corp.example","proxyAddresses":["SMTP:ann.new@corp.example","smtp:ann.old@corp.example"],"employeeId":"E5"}"#,
        ),
        (
            "servicenow",
            r#"{"sys_id":"0123456789abcdef0123456789abcdef","user_name":"ann.old","email":"ann.old@corp.example","active":"true"}"#,
        ),
    ]);
    for name in [
        "email:ann.old@corp.example",
        "upn:ann.new@corp.example",
        "snow_user:ann.old",
        "snow_sys_id:0123456789ABCDEF0123456789abcdef",
    ] {
        assert_eq!(who(&directory, name, NOW).as_deref(), Some("E5"), "{name}");
    }
}

#[test]
fn an_admin_account_is_its_holder_only_where_something_says_so() {
    let directory = directory(&[
        ANN,
        (
            "okta",
            r#"{"id":"00uadm","status":"ACTIVE","profile":{"login":"adm-ann@corp.example","email":"adm-ann@corp.example","employeeNumber":"E1"}}"#,
        ),
        (
            "okta",
            r#"{"id":"00ulone","status":"ACTIVE","profile":{"login":"adm-lee@corp.example","email":"adm-lee@corp.example"}}"#,
        ),
    ]);
    assert_eq!(
        who(&directory, "okta_id:00uadm", NOW).as_deref(),
        Some("E1")
    );
    let lone = who(&directory, "login:adm-lee@corp.example", NOW);
    assert_eq!(lone.as_deref(), Some("okta:00ulone"));
    let tier = directory.person("okta:00ulone", at(NOW)).unwrap().tier;
    assert_eq!(tier, Tier::Privileged);
}

#[test]
fn a_guest_with_an_employees_private_address_is_told_apart() {
    let directory = directory(&[
        (
            "hris",
            r#"{"employee_id":"E4","work_email":"pri@corp.example","personal_email":"pri@mail.example","status":"active"}"#,
        ),
        (
            "entra",
            r#"{"id":"g4","userPrincipalName":"pri_mail.example#EXT#@t.onmicrosoft.com","mail":"pri@mail.example","userType":"Guest"}"#,
        ),
    ]);
    let private = ask(&directory, &["email:pri@mail.example"], NOW);
    assert_eq!(private.status, ResolutionStatus::Ambiguous);
    assert_eq!(private.candidates, ["E4", "entra:g4"]);
    let guest = "upn:pri_mail.example#EXT#@t.onmicrosoft.com";
    assert_eq!(who(&directory, guest, NOW).as_deref(), Some("entra:g4"));
}

#[test]
fn a_contractor_and_the_employee_of_later_are_never_one_at_a_time() {
    let directory = directory(&[
        (
            "hris",
            r#"{"employee_id":"C1","work_email":"li@ext.corp.example","mobile_phone":"+14155550107","hire_date":"2021-01-01","termination_date":"2023-03-31","worker_type":"contractor"}"#,
        ),
        (
            "hris",
            r#"{"employee_id":"E7","work_email":"li@corp.example","mobile_phone":"+14155550107","hire_date":"2023-04-01","worker_type":"employee"}"#,
        ),
    ]);
    let number = "phone:+14155550107";
    for (time, id) in [("2022-01-01T00:00:00Z", "C1"), (NOW, "E7")] {
        assert_eq!(who(&directory, number, time).as_deref(), Some(id), "{time}");
    }
    let owners = directory.phone_owners("+14155550107", at(NOW)).unwrap();
    assert_eq!(owners.len(), 1);
}

#[test]
fn an_account_made_again_is_another_account() {
    let directory = directory(&[
        (
            "entra",
            r#"{"id":"k1","userPrincipalName":"kim@corp.example","employeeId":"E8","createdDateTime":"2019-01-01T00:00:00Z","deletedDateTime":"2023-01-01T00:00:00Z"}"#,
        ),
        (
            "entra",
            r#"{"id":"k2","userPrincipalName":"kim@corp.example","employeeId":"E9","createdDateTime":"2023-02-01T00:00:00Z","accountEnabled":true}"#,
        ),
    ]);
    let then = who(&directory, "upn:kim@corp.example", "2020-01-01T00:00:00Z");
    assert_eq!(then.as_deref(), Some("E8"));
    assert_eq!(
        who(&directory, "upn:kim@corp.example", NOW).as_deref(),
        Some("E9")
    );
    assert_eq!(
        who(&directory, "upn:kim@corp.example", "2023-01-15T00:00:00Z"),
        None
    );
    // An event about the old account still means the person whose it was.
    assert_eq!(who(&directory, "entra_id:k1", NOW).as_deref(), Some("E8"));
}

#[test]
fn a_line_of_several_people_names_nobody_but_those_gone_do_not_count() {
    let line = |id: &str, more: &str| {
        format!(
            r#"{{"employee_id":"{id}","work_email":"{id}@corp.example","work_phone":"+14155551000"{more}}}"#
        )
    };
    let (a, b) = (
        line("E11", r#","status":"active""#),
        line("E12", r#","status":"active","hire_date":"2023-01-01""#),
    );
    let gone = line(
        "E13",
        r#","status":"terminated","termination_date":"2020-01-31""#,
    );
    let directory = directory(&[("hris", &a), ("hris", &b), ("hris", &gone)]);
    let number = "phone:+14155551000";
    let early = ask(&directory, &[number], "2022-01-01T00:00:00Z");
    assert_eq!(
        (early.identity.as_deref(), early.strength),
        (Some("E11"), Some("weak"))
    );
    assert_eq!(ask(&directory, &[number], NOW).candidates, ["E11", "E12"]);
}

#[test]
fn an_address_that_looks_like_anothers_is_nobodys() {
    let directory = directory(&[ANN]);
    for imitation in [
        "email:ann.l\u{435}e@corp.example",
        "email:ann.lee@c\u{43e}rp.example",
        "email:ann.lee@corp.example.evil.example",
        "email:ann-lee@corp.example",
        "email:ann.1ee@corp.example",
        "email:ann.lee@corp.exampl\u{435}",
    ] {
        assert_eq!(who(&directory, imitation, NOW), None, "{imitation}");
    }
    let composed = "email:ANN.LEE@CORP.EXAMPLE";
    assert_eq!(who(&directory, composed, NOW).as_deref(), Some("E1"));
}

#[test]
fn a_tag_is_left_out_for_own_domains_and_proves_little() {
    let directory = directory(&[
        ANN,
        (
            "hris",
            r#"{"employee_id":"E2","work_email":"ann.lee+sales@corp.example","status":"active"}"#,
        ),
    ]);
    let own = ask(&directory, &["email:ann.lee+news@corp.example"], NOW);
    assert_eq!(
        (own.identity.as_deref(), own.strength, own.via.as_deref()),
        (Some("E1"), Some("weak"), Some("plus tag"))
    );
    // Somebody's very address is that, tag and all.
    let exact = ask(&directory, &["email:ann.lee+sales@corp.example"], NOW);
    assert_eq!(
        (exact.identity.as_deref(), exact.strength),
        (Some("E2"), Some("strong"))
    );
    // A tag never outweighs an id.
    let both = ask(
        &directory,
        &["email:ann.lee+x@corp.example", "employee_id:E2"],
        NOW,
    );
    assert_eq!(
        (both.status, both.primary.as_deref()),
        (ResolutionStatus::Conflict, Some("E2"))
    );
    assert_eq!(who(&directory, "email:ann.lee+x@mail.example", NOW), None);
}

#[test]
fn two_people_of_one_name_stay_two() {
    let sam = |id: &str, mail: &str| {
        format!(
            r#"{{"employee_id":"{id}","preferred_name":"Sam Lee","work_email":"{mail}@corp.example","status":"active"}}"#
        )
    };
    let (a, b) = (sam("E21", "sam.lee"), sam("E22", "sam.lee2"));
    let directory = directory(&[
        ("hris", &a),
        ("hris", &b),
        (
            "jira",
            r#"{"accountId":"5c1","displayName":"Sam Lee","emailAddress":"sam.lee2@corp.example"}"#,
        ),
    ]);
    let name = ask(&directory, &["display_name:Sam Lee"], NOW);
    assert_eq!(
        (name.status, name.candidates.len()),
        (ResolutionStatus::Unresolved, 0)
    );
    let with = ask(
        &directory,
        &["display_name:Sam Lee", "email:sam.lee2@corp.example"],
        NOW,
    );
    assert_eq!(
        (with.status, with.identity.as_deref()),
        (ResolutionStatus::Resolved, Some("E22"))
    );
    assert_eq!(
        who(&directory, "atlassian_id:5c1", NOW).as_deref(),
        Some("E22")
    );
}

#[test]
fn a_caller_whom_the_desk_made_up_is_nobody_yet() {
    let directory = directory(&[
        ANN,
        (
            "zendesk",
            r#"{"id":9,"email":null,"phone":"+14155550199","name":"Caller +1 415-555-0199"}"#,
        ),
        (
            "zendesk",
            r#"{"id":10,"email":"ann.lee@corp.example","verified":false,"phone":"+14155550198"}"#,
        ),
    ]);
    for name in [
        "phone:+14155550199",
        "zendesk_id:9",
        "zendesk_id:10",
        "phone:+14155550198",
    ] {
        assert_eq!(who(&directory, name, NOW), None, "{name}");
    }
}

#[test]
fn a_shared_mailbox_and_a_service_account_are_no_person_of_the_staff() {
    let directory = directory(&[
        ANN,
        (
            "entra",
            r#"{"id":"m1","userPrincipalName":"helpdesk@corp.example","mail":"helpdesk@corp.example","accountEnabled":false,"userType":"Member"}"#,
        ),
        (
            "okta",
            r#"{"id":"00usvc","status":"ACTIVE","profile":{"login":"svc-sync@corp.example","email":"svc-sync@corp.example","manager":"E1"}}"#,
        ),
    ]);
    let mailbox = directory.person("entra:m1", at(NOW)).unwrap();
    assert_eq!(mailbox.lifecycle, Lifecycle::Leaver);
    let service = directory.person("okta:00usvc", at(NOW)).unwrap();
    assert_eq!(
        (service.tier, service.manager),
        (Tier::Machine, Some("hris:E1"))
    );
}

#[test]
fn the_stronger_name_wins_and_a_weaker_one_never_overrides() {
    let directory = directory(&[
        ANN,
        (
            "hris",
            r#"{"employee_id":"E3","work_email":"bo@corp.example","mobile_phone":"+14155550103","status":"active"}"#,
        ),
        (
            "okta",
            r#"{"id":"00u3","status":"ACTIVE","profile":{"login":"bo@corp.example","employeeNumber":"E3"}}"#,
        ),
    ]);
    let id = ask(
        &directory,
        &["email:ann.lee@corp.example", "okta_id:00u3"],
        NOW,
    );
    assert_eq!(
        (id.primary.as_deref(), id.other.as_deref()),
        (Some("E3"), Some("E1"))
    );
    let question = Question::new(["okta_id:00u3", "phone:+14155550101"], at(NOW)).unwrap();
    let found = resolve(&question.handles, question.at, &directory, &settings());
    assert_eq!(found.identity(), Some("hris:E3"));
    assert!(found.number_mismatch);
}
