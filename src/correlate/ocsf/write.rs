//! From the alert to the document.

use crate::collect::event::Tier;
use crate::correlate::alert::{Alert, Item, State, Term};
use crate::correlate::case::Activity;
use crate::correlate::exempt::Kind;
use crate::correlate::ocsf::document::{
    ControlRow, Counts, Document, Enrichment, EnrichmentData, Metadata, Observable, Product,
    Remediation, Resource, TermRow, Ticket, Unmapped, Window,
};
use crate::correlate::ocsf::finding::{Analytic, Attack, FindingInfo, Uid};
use crate::correlate::ocsf::rows::{evidence, related_event};
use crate::correlate::ocsf::said;

/// Observables of an alert.
const OBSERVABLES_MAX: usize = 20;

/// What is left out so that the record fits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cut {
    pub enrichments: bool,
    pub observables: bool,
    /// Oldest events left out.
    pub events: usize,
    /// Findings with fewest points left out.
    pub findings: usize,
}

impl Cut {
    const fn any(self) -> bool {
        self.enrichments || self.observables || self.events > 0 || self.findings > 0
    }
}

pub(super) fn document(alert: &Alert, cut: Cut) -> Document<'_> {
    let case = &alert.revision.case;
    let shown = case.verdict;
    let activity_id: u8 = match alert.revision.activity {
        Activity::Create => 1,
        Activity::Update => 2,
        Activity::Close => 3,
    };
    let closed = case.closed.is_some();
    let severity_id = shown.severity.id();
    let items = alert.items.len().saturating_sub(cut.findings);
    Document {
        activity_id,
        category_uid: 2,
        class_uid: 2004,
        type_uid: 200_400 + u32::from(activity_id),
        time: case.time.0,
        start_time: case.first.0,
        end_time: case.last.0,
        severity_id,
        severity: caption(severity_id),
        status_id: match (closed, case.silenced) {
            (true, _) => 4,
            (false, true) => 3,
            (false, false) => 1,
        },
        status_detail: case.closed.map(crate::correlate::case::Closing::as_str),
        is_alert: !closed,
        priority_id: if shown.page {
            severity_id - 1
        } else {
            (severity_id - 1).clamp(1, 2)
        },
        risk_score: alert.revision.judgement.total.score(),
        risk_level_id: severity_id - 1,
        confidence_id: confidence(alert.certainty),
        confidence_score: alert.certainty,
        impact_id: impact(alert.tier),
        verdict_id: alert.revision.disposition.as_ref().map(|d| d.verdict.id()),
        comment: alert
            .revision
            .disposition
            .as_ref()
            .map(|d| d.reason.as_str()),
        message: &alert.message,
        metadata: metadata(alert),
        finding_info: finding_info(alert, cut),
        evidences: alert.items.iter().take(items).map(evidence).collect(),
        resources: [Resource {
            uid: &alert.entity.id,
            name: alert.name.as_deref(),
            kind: alert.entity.kind.as_str(),
            criticality: alert.tier.as_str(),
        }],
        tickets: alert.tickets.iter().map(|uid| Ticket { uid }).collect(),
        observables: if cut.observables {
            Vec::new()
        } else {
            observables(alert)
        },
        enrichments: if cut.enrichments {
            Vec::new()
        } else {
            enrichments(alert)
        },
        remediation: Remediation { desc: alert.advice },
        unmapped: unmapped(alert, cut, shown.page),
    }
}

const fn caption(severity_id: u8) -> &'static str {
    match severity_id {
        1 => "Informational",
        2 => "Low",
        3 => "Medium",
        4 => "High",
        _ => "Critical",
    }
}

const fn confidence(certainty: u8) -> u8 {
    match certainty {
        ..50 => 1,
        50..80 => 2,
        _ => 3,
    }
}

const fn impact(tier: Tier) -> u8 {
    match tier {
        Tier::Standard => 1,
        Tier::Contractor => 2,
        Tier::Executive => 3,
        Tier::Privileged | Tier::BreakGlass | Tier::Machine => 4,
    }
}

fn metadata(alert: &Alert) -> Metadata<'_> {
    let case = &alert.revision.case;
    Metadata {
        version: "1.5.0",
        profiles: ["incident"],
        uid: format!("{}:{}", case.alert_id, case.revision),
        sequence: case.revision,
        tenant_uid: &alert.tenant,
        event_code: alert
            .lead
            .as_ref()
            .map(|item| item.finding.pattern.as_str()),
        correlation_uid: case.alert_id.to_string(),
        product: Product {
            name: "Deskwarden",
            vendor_name: Some("Deskwarden"),
            version: Some(env!("CARGO_PKG_VERSION")),
        },
        log_name: &alert.topic,
        labels: &alert.labels,
    }
}

fn finding_info(alert: &Alert, cut: Cut) -> FindingInfo<'_> {
    let case = &alert.revision.case;
    let mut related: Vec<&Item> = Vec::new();
    for item in &alert.items {
        let known = alert.lead.iter().chain(related.iter().copied());
        if !known.map(pattern).any(|known| known == pattern(item)) {
            related.push(item);
        }
    }
    let mut attacks: Vec<&str> = alert
        .items
        .iter()
        .flat_map(|item| item.attacks.iter().map(String::as_str))
        .collect();
    attacks.sort_unstable();
    attacks.dedup();
    FindingInfo {
        uid: case.alert_id.to_string(),
        title: &alert.title,
        desc: &alert.description,
        types: alert
            .families
            .iter()
            .map(|family| family.as_str())
            .collect(),
        analytic: alert.lead.as_ref().map(analytic),
        related_analytics: related.into_iter().map(analytic).collect(),
        attacks: attacks.into_iter().map(attack).collect(),
        created_time: case.created.0,
        modified_time: case.time.0,
        first_seen_time: case.first.0,
        last_seen_time: case.last.0,
        related_events: alert
            .happenings
            .iter()
            .skip(cut.events)
            .map(related_event)
            .collect(),
        related_events_count: alert.happenings_count,
        data_sources: &alert.sources,
        src_url: alert.link.as_deref(),
    }
}

fn pattern(item: &Item) -> &str {
    &item.finding.pattern
}

fn analytic(item: &Item) -> Analytic<'_> {
    Analytic {
        uid: &item.finding.pattern,
        name: &item.title,
        version: item.finding.version.to_string(),
        type_id: 1,
    }
}

/// `T1556.006` is a sub-technique of `T1556`.
fn attack(id: &str) -> Attack<'_> {
    let technique = id.split_once('.').map_or(id, |(technique, _)| technique);
    Attack {
        technique: Uid { uid: technique },
        sub_technique: (technique != id).then_some(Uid { uid: id }),
    }
}

/// People, numbers, addresses and devices of the listed findings, each once. OCSF 1.5 has no type for
/// a number, a keyed address or a device id.
fn observables(alert: &Alert) -> Vec<Observable<'_>> {
    let mut rows: Vec<Observable<'_>> = vec![Observable {
        name: "resources[0].uid",
        kind: "Resource UID",
        type_id: 10,
        value: &alert.entity.id,
    }];
    for item in &alert.items {
        let roles = &item.roles;
        let people = [
            ("evidences[].user.uid", &roles.target),
            ("evidences[].actor.user.uid", &roles.agent),
            ("evidences[].data.roles.requester.uid", &roles.requester),
            ("evidences[].data.roles.approver.uid", &roles.approver),
        ];
        let people = people.into_iter().filter_map(|(name, who)| {
            who.as_ref()
                .map(|who| (name, "User UID", 31, who.uid.as_str()))
        });
        let caller = roles.caller.as_ref().map(|who| {
            let shown = who.name.as_deref().unwrap_or(&who.uid);
            ("evidences[].data.roles.caller", "Phone Number", 99, shown)
        });
        let address = roles.address.as_ref().map(|who| {
            let shown = who.name.as_deref().unwrap_or(&who.uid);
            ("evidences[].src_endpoint", "Masked IP Address", 99, shown)
        });
        let device = roles
            .device
            .as_ref()
            .map(|(uid, _)| ("evidences[].device.uid", "Device UID", 99, uid.as_str()));
        for (name, kind, type_id, value) in people.chain(caller).chain(address).chain(device) {
            let known = |row: &Observable<'_>| row.kind == kind && row.value == value;
            if rows.len() < OBSERVABLES_MAX && !rows.iter().any(known) {
                rows.push(Observable {
                    name,
                    kind,
                    type_id,
                    value,
                });
            }
        }
    }
    rows
}

fn enrichments(alert: &Alert) -> Vec<Enrichment<'_>> {
    let mut rows = vec![Enrichment {
        name: "tier",
        value: alert.tier.as_str(),
        data: EnrichmentData {
            multiplier_x100: Some(alert.tier.multiplier_x100()),
            ..EnrichmentData::default()
        },
    }];
    rows.extend(alert.countries.first().map(|country| Enrichment {
        name: "geo",
        value: country,
        data: EnrichmentData {
            countries: Some(&alert.countries),
            ..EnrichmentData::default()
        },
    }));
    rows.extend(alert.exempt.iter().map(|exempt| Enrichment {
        name: "exemption",
        value: &exempt.id,
        data: EnrichmentData {
            kind: exempt.kind.map(Kind::as_str),
            owner: exempt.owner.as_deref(),
            ..EnrichmentData::default()
        },
    }));
    rows
}

fn unmapped(alert: &Alert, cut: Cut, page: bool) -> Unmapped<'_> {
    let case = &alert.revision.case;
    let [active, suppressed, retracted] = alert.counts;
    let controls = alert.controls.iter().flat_map(|controls| controls.named());
    let mut windows: Vec<Window<'_>> = Vec::new();
    for item in alert
        .items
        .iter()
        .filter(|item| item.state == State::Active)
    {
        let window = Window {
            pattern: &item.finding.pattern,
            start_time: item.finding.span.0.0,
            end_time: item.finding.span.1.0,
        };
        if !windows.iter().any(|known| known.pattern == window.pattern) {
            windows.push(window);
        }
    }
    Unmapped {
        dedup_key: case.alert_id.to_string(),
        page,
        page_reason: alert.page_reason,
        rule_of_two: alert.revision.judgement.rule_of_two,
        before: said(alert.revision.before),
        peak: said(case.peak),
        missing_controls: &alert.missing,
        controls: controls
            .map(|(name, control)| ControlRow {
                control: name,
                state: control.state.as_str(),
                detail: control.detail.as_deref(),
                event: control.event.map(|id| id.to_string()),
            })
            .collect(),
        explain: alert.explain.iter().map(term).collect(),
        windows,
        counts: Counts {
            findings_active: active,
            findings_suppressed: suppressed,
            findings_retracted: retracted,
            events: alert.happenings_count,
        },
        evidence_truncated: alert.truncated || cut.any(),
        bounds_reached: &alert.bounds,
        previous_case: case.previous.map(|id| id.to_string()),
        linked_identity: alert.revision.linked.as_deref(),
    }
}

fn term(term: &Term) -> TermRow<'_> {
    TermRow {
        term: term.term,
        pattern: term.pattern.as_deref(),
        finding: term.finding.map(|id| id.to_string()),
        family: term.family,
        kind: term.kind,
        points: term.points,
        tier_x100: term.tier_x100,
        patterns: term.patterns,
        largest: term.largest,
        value: term.value,
        event: term.event.map(|id| id.to_string()),
        at: term.at.as_deref(),
        exemption: term.exemption.as_deref(),
    }
}
