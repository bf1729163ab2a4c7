//! Where no name may leave, none does: names are planted wherever a document can hold one.

use deskwarden::deliver::notice::Notice;
use deskwarden::deliver::pii::Masking;
use deskwarden::deliver::route::Decision;
use serde_json::{Value, json};

use crate::receivers::{RECEIVERS, document, encode};

/// Gives everybody in a document a name that can be found again; returns how many.
fn plant(value: &mut Value, key: &str, planted: &mut usize, name: &dyn Fn(usize) -> String) {
    let mut next = || {
        *planted += 1;
        Value::from(name(*planted))
    };
    match value {
        Value::Object(fields) => {
            let people = [
                "user",
                "src_endpoint",
                "target",
                "agent",
                "requester",
                "approver",
                "caller",
                "resources",
            ];
            if people.contains(&key) {
                fields.insert("name".into(), next());
            }
            for (key, value) in fields.iter_mut() {
                plant(value, key, planted, name);
            }
        }
        Value::Array(rows) => {
            if key == "tags" {
                for who in [
                    "target",
                    "agent",
                    "requester",
                    "approver",
                    "caller",
                    "address",
                ] {
                    rows.push(json!({"name": format!("{who}_name"), "value": next()}));
                }
            }
            if key == "observables" {
                for place in ["evidences[].data.roles.caller", "evidences[].src_endpoint"] {
                    rows.push(json!({"name": place, "type": "x", "type_id": 99, "value": next()}));
                }
            }
            if key == "enrichments" {
                rows.push(json!({"name": "exemption", "value": "ex1", "data": {"owner": next()}}));
            }
            for row in rows {
                plant(row, key, planted, name);
            }
        }
        _ => {}
    }
}

fn planted(document_name: &str, name: &dyn Fn(usize) -> String) -> Notice {
    let mut value: Value = serde_json::from_slice(&document(document_name)).unwrap();
    if value.get("observables").is_none() {
        value["observables"] = json!([]);
    }
    let mut count = 0;
    plant(&mut value, "", &mut count, name);
    assert!(count > 10, "{count}");
    value["comment"] = name(0).into();
    let subject = value["resources"][0]["name"].as_str().unwrap().to_owned();
    let sentence = format!("{subject}: password reset by {}", name(1));
    let sentence: String = sentence.chars().take(106).collect();
    value["message"] = sentence.into();
    Notice::read(value.to_string().as_bytes()).unwrap()
}

const DECISIONS: [Decision; 3] = [Decision::Trigger, Decision::Update, Decision::Resolve];

#[test]
fn none_names_nobody() {
    let forms: [&dyn Fn(usize) -> String; 4] = [
        &|n| format!("Planted Person {n}"),
        &|n| format!("planted.{n}@example.com"),
        &|n| format!("\u{202E}Planted\n{n}"),
        &|n| format!("Planted{}{n}", "x".repeat(300)),
    ];
    for form in forms {
        for name in ["created", "disposition", "caller", "retracted"] {
            let notice = planted(name, form);
            for receiver in RECEIVERS {
                for decision in DECISIONS {
                    let message = encode(receiver, &notice, decision, Masking::None);
                    let found = message.to_lowercase().contains("planted");
                    assert!(!found, "{receiver}, {name}:\n{message}");
                }
            }
            let kept = encode("webhook", &notice, Decision::Trigger, Masking::Mask);
            assert!(kept.to_lowercase().contains("planted"));
        }
    }
}

#[test]
fn none_still_says_who_by_id_and_what() {
    let notice = planted("created", &|n| format!("Planted Person {n}"));
    let bare = Masking::None.apply(&notice);
    assert!(
        bare.summary()
            .starts_with("CRITICAL 99 account T: password reset")
    );
    assert_eq!(bare.alert.subject.id, "T");
    assert_eq!(bare.people.agents[0].shown(), "A");
    let document: Value = serde_json::from_str(&bare.document).unwrap();
    assert_eq!(
        document["evidences"][1]["actor"]["user"],
        json!({"uid": "A"})
    );
    assert_eq!(
        document["finding_info"]["title"],
        "Help-desk takeover of an executive"
    );
    // All else is as it was: the same number of findings and events.
    let before: Value = serde_json::from_str(&notice.document).unwrap();
    let events = |d: &Value| {
        d["finding_info"]["related_events"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(events(&document), events(&before));
    assert_eq!(document["unmapped"], before["unmapped"]);
}

#[test]
fn the_number_of_a_ticket_is_nobodys_name() {
    let notice = crate::receivers::notice("ticket");
    let bare = Masking::None.apply(&notice);
    assert_eq!(bare.summary(), notice.summary());
    assert_eq!(bare.alert.subject.name, "INC-t1");
}

#[test]
fn mask_and_full_are_as_the_document_has_it() {
    let notice = crate::receivers::notice("created");
    for masking in [Masking::Mask, Masking::Full] {
        assert_eq!(*masking.apply(&notice), notice);
    }
    assert_eq!(Masking::default(), Masking::Mask);
}
