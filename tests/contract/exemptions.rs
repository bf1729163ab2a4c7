//! Exemptions on real stories: what they suppress, lower and leave out, and that nothing else does.

use deskwarden::collect::entity::{Entity, EntityKind};
use deskwarden::correlate::exempt::InForce;
use deskwarden::correlate::finding::{Cause, Finding};
use deskwarden::correlate::score::Counter;

use crate::alerts::{FIVE_PEOPLE, OWN_APPROVAL, TAKEOVER};
use crate::world::{World, person};

const MARCH: &str = r#""owner":"soc","reason":"agreed","valid_from":"2026-03-01T00:00:00Z","valid_to":"2026-03-05T00:00:00Z""#;

fn exemption(kind: &str, scope: &str) -> String {
    format!(r#"{{"kind":"{kind}","scope":{scope},{MARCH}}}"#)
}

/// The findings of an entity of a story under one exemption.
fn under(story: &str, entity: &Entity, entry: &str) -> Vec<Finding> {
    let mut world = World::told(story);
    world.permit("x", entry);
    let known = world.known(entity);
    let view = known.view(entity);
    let mut findings = Vec::new();
    for rule in world
        .rules
        .rules()
        .iter()
        .filter(|r| r.entities.contains(&entity.kind))
    {
        let out = world.in_force.left_out(entity, &rule.pattern, &view);
        let mut counted = known.view(entity);
        counted.seen.retain(|seen| !out.contains(&seen.fact.id));
        for found in rule.matches(&counted) {
            let mut finding = Finding::of("acme", rule, &found, entity, &counted);
            world
                .in_force
                .apply(&mut finding, (rule, &found), entity, &counted);
            findings.push(finding);
        }
    }
    findings
}

fn suppressed(findings: &[Finding]) -> Vec<&str> {
    let mut rules: Vec<&str> = findings
        .iter()
        .filter(|f| f.suppressed.is_some())
        .map(|f| f.rule.as_str())
        .collect();
    assert!(
        findings
            .iter()
            .all(|f| f.suppressed.is_none() || f.value_cp == 0)
    );
    rules.sort_unstable();
    rules.dedup();
    rules
}

#[test]
fn an_incident_covers_its_agents_only() {
    let scope =
        |agent: &str| format!(r#"{{"incident":"INC77","commander":"C","agents":["{agent}"]}}"#);
    let covered = under(TAKEOVER, &person("T"), &exemption("incident", &scope("A")));
    assert_eq!(suppressed(&covered), ["HDT-01", "HDT-03a", "HDT-04b"]);
    let other = under(TAKEOVER, &person("T"), &exemption("incident", &scope("B")));
    assert!(suppressed(&other).is_empty());
}

#[test]
fn a_batch_covers_its_job_and_its_list_only() {
    let scope = |job: &str, target: &str| {
        format!(r#"{{"principal":"{job}","targets":["{target}"],"budget_per_hour":9}}"#)
    };
    let of = |job, target| {
        let findings = under(
            TAKEOVER,
            &person("T"),
            &exemption("batch", &scope(job, target)),
        );
        suppressed(&findings).join(" ")
    };
    assert_eq!(of("A", "T"), "HDT-01 HDT-04b");
    assert_eq!((of("A", "U"), of("B", "T")), (String::new(), String::new()));
}

#[test]
fn a_journey_explains_its_countries_and_forgives_their_networks() {
    let of = |country: &str| {
        let scope = format!(r#"{{"person":"T","countries":["{country}"]}}"#);
        let findings = under(TAKEOVER, &person("T"), &exemption("travel", &scope));
        findings
            .into_iter()
            .find(|f| f.pattern == "HDT-05")
            .unwrap()
    };
    let (there, elsewhere) = (of("NL"), of("JP"));
    assert_eq!(
        (elsewhere.points, elsewhere.bonuses.as_slice()),
        (75, &[15][..])
    );
    assert_eq!(elsewhere.value_cp, 9_375);
    assert_eq!((there.points, there.bonuses.len()), (60, 0));
    assert_eq!(there.value_cp, 7_500 - 1_500);
    assert_eq!(
        there.counters,
        [(Counter::Expected, Cause::Exemption("x".into()))]
    );
}

#[test]
fn a_device_refresh_lowers_for_listed_people() {
    let worth = |who: &str| -> Vec<i64> {
        let scope = format!(r#"{{"persons":["{who}"]}}"#);
        let findings = under(TAKEOVER, &person("T"), &exemption("device_refresh", &scope));
        findings.iter().map(|f| f.value_cp).collect()
    };
    let (listed, other) = (worth("T"), worth("U"));
    let lowered: Vec<i64> = other.iter().map(|cp| (cp - 1_500).max(0)).collect();
    // HDT-05 is capped before anything is taken off.
    assert_eq!(listed, lowered);
}

#[test]
fn a_policy_covers_own_approvals_by_person_or_ticket_type() {
    let ticket = Entity::new(EntityKind::Ticket, "desk:t1");
    let of = |scope: &str| {
        suppressed(&under(OWN_APPROVAL, &ticket, &exemption("policy", scope))).join(" ")
    };
    assert_eq!(of(r#"{"persons":["R"]}"#), "HDT-12a");
    assert_eq!(of(r#"{"ticket_types":["incident"]}"#), "HDT-12a");
    assert_eq!(of(r#"{"persons":["Q"]}"#), "");
    assert_eq!(of(r#"{"ticket_types":["change"]}"#), "");
}

#[test]
fn a_shared_number_covers_up_to_its_maximum() {
    let caller = Entity::new(EntityKind::Caller, "n1");
    let of = |scope: &str| under(FIVE_PEOPLE, &caller, &exemption("allow_list", scope)).len();
    assert_eq!(of(r#"{"entity":"caller|n2","max":9}"#), 1);
    assert_eq!(of(r#"{"entity":"caller|n1","max":5}"#), 0);
    assert_eq!(of(r#"{"entity":"caller|n1","max":3}"#), 0, "two remain");
    assert_eq!(of(r#"{"entity":"caller|n1","max":2}"#), 1, "three remain");
    assert_eq!(of(r#"{"entity":"device|n1","max":9}"#), 1);
}

#[test]
fn a_delegate_is_left_out_of_the_count() {
    let story = "
T1
T2
T3
0 contact.started call=c0 channel=voice target=T1 requester=P request=mfa number=n1
1h contact.started call=c1 channel=voice target=T2 requester=P request=mfa number=n1
2h contact.started call=c2 channel=voice target=T3 requester=P request=mfa number=n1
";
    let caller = Entity::new(EntityKind::Caller, "n1");
    let of = |delegate: &str| {
        let scope = format!(r#"{{"person":"T2","delegates":["{delegate}"]}}"#);
        under(story, &caller, &exemption("delegation", &scope)).len()
    };
    assert_eq!((of("P"), of("Q")), (0, 1));
}

#[test]
fn outside_its_time_an_exemption_does_nothing() {
    let scope = r#"{"incident":"I","commander":"C","agents":["A"]}"#;
    let past = exemption("incident", scope).replace("2026-03-05", "2026-03-02");
    assert!(suppressed(&under(TAKEOVER, &person("T"), &past)).is_empty());
}

#[test]
fn a_suppressed_alert_shows_the_finding_and_names_the_exemption() {
    let mut world = World::told(TAKEOVER);
    let scope = r#"{"incident":"INC77","commander":"C","agents":["A"]}"#;
    world.permit("inc-77", &exemption("incident", scope));
    let mut revision = world.last(EntityKind::Identity, "T").alert.revision.clone();
    for finding in &mut revision.case.findings {
        if ["HDT-01", "HDT-03", "HDT-04"].contains(&finding.pattern.as_str()) {
            finding.suppressed = Some("inc-77".into());
            finding.value();
        }
    }
    revision.judgement = deskwarden::correlate::case::Judgement::of(
        EntityKind::Identity,
        &revision.case.findings,
        false,
    );
    let alert = world.alert(&person("T"), &revision);
    assert_eq!(alert.counts, [2, 5, 0]);
    let json: serde_json::Value =
        serde_json::from_slice(&deskwarden::correlate::ocsf::encode(&alert)).unwrap();
    let quiet = |row: &&serde_json::Value| row["data"]["state"] == "suppressed";
    let rows: Vec<_> = json["evidences"]
        .as_array()
        .unwrap()
        .iter()
        .filter(quiet)
        .collect();
    assert_eq!(rows.len(), 5);
    assert!(
        rows.iter()
            .all(|row| row["verdict_id"] == 3 && row["data"]["exemption"] == "inc-77")
    );
    let named = json["enrichments"].as_array().unwrap();
    assert!(
        named
            .iter()
            .any(|row| row["value"] == "inc-77" && row["data"]["kind"] == "incident")
    );
}

#[test]
fn nothing_in_force_changes_nothing() {
    let world = World::told(TAKEOVER);
    assert_eq!(world.in_force, InForce::new());
    assert!(
        world
            .last(EntityKind::Identity, "T")
            .alert
            .exempt
            .is_empty()
    );
}
