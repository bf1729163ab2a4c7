//! The directory exports of the story: personnel system, identity provider, ticketing system and
//! contact centre, a line each person.

use serde_json::json;

use super::people::{Person, Post};
use crate::collect::setup::Product;

/// The lines of all exports, each with the product that it is an export of.
pub(super) fn lines(people: &[Person]) -> Vec<(Product, Vec<u8>)> {
    let manager = |person: &Person| person.manager.and_then(|number| people.get(number));
    let mut lines = Vec::new();
    for person in people {
        let contractor = person.post == Post::Contractor;
        let line = json!({
            "employee_id": person.employee,
            "legal_name": person.name(),
            "work_email": person.mail,
            "mobile_phone": person.mobile,
            "mobile_phone_since": "2023-05-02",
            "manager_employee_id": manager(person).map(|m| &m.employee),
            "hire_date": "2021-02-01",
            "termination_date": null,
            "worker_type": if contractor { "contractor" } else { "employee" },
            "job_title": person.title,
            "status": "active",
        });
        lines.push((Product::Hris, line));
    }
    for person in people {
        let line = json!({
            "id": person.okta_id,
            "status": "ACTIVE",
            "created": "2021-02-01T08:00:00.000Z",
            "profile": {
                "login": person.mail, "email": person.mail, "secondEmail": null,
                "firstName": person.first, "lastName": person.last,
                "mobilePhone": person.mobile, "employeeNumber": person.employee,
                "manager": manager(person).map(|m| &m.mail),
            },
        });
        lines.push((Product::OktaUsers, line));
    }
    for person in people {
        let vip = person.post == Post::Executive;
        let line = json!({
            "sys_id": person.sys_id, "user_name": person.user, "name": person.name(),
            "email": person.mail, "employee_number": person.employee,
            "mobile_phone": person.mobile, "title": person.title,
            "manager": {"value": manager(person).map(|m| &m.sys_id)},
            "active": "true", "vip": vip.to_string(),
        });
        lines.push((Product::ServiceNowUsers, line));
    }
    for agent in people.iter().filter(|person| person.post == Post::Desk) {
        let line = json!({
            "system": "amazon_connect", "agent_arn": agent.agent_arn(), "username": agent.user,
        });
        lines.push((Product::ContactCentreAgents, line));
    }
    let encoded = lines
        .into_iter()
        .map(|(product, line)| (product, line.to_string().into_bytes()));
    encoded.collect()
}
