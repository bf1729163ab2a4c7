//! The rows of the document: what happened, and the findings.

use crate::collect::event::EventId;
use crate::correlate::alert::{Happening, Item, State, Who};
use crate::correlate::finding::Cause;
use crate::correlate::ocsf::document::Product;
use crate::correlate::ocsf::finding::{
    Actor, Bounds, Counter, Data, Device, Evidence, RelatedEvent, Roles, Tag, Threshold, User,
};

/// Events that one finding names: its first and its last ones.
const FINDING_EVENTS_MAX: usize = 16;

pub(super) fn related_event(happening: &Happening) -> RelatedEvent<'_> {
    RelatedEvent {
        uid: happening.id.to_string(),
        kind: happening.action.as_str(),
        type_uid: happening.action.type_uid(),
        created_time: happening.time.0,
        title: &happening.title,
        product: Product {
            name: &happening.source.system,
            vendor_name: None,
            version: None,
        },
        tags: tags(happening),
    }
}

/// Everything of an event that a timeline shows, as name and value.
fn tags(happening: &Happening) -> Vec<Tag> {
    let mut tags = vec![
        tag("source", happening.source.to_string()),
        tag("lane", happening.lane.as_str()),
        tag("outcome", happening.outcome.as_str()),
    ];
    let mut add = |name: &'static str, value: Option<&str>| {
        tags.extend(value.map(|value| tag(name, value)));
    };
    let finding = match (happening.anchor, happening.cited) {
        (true, _) => Some("anchor"),
        (false, true) => Some("evidence"),
        (false, false) => None,
    };
    add("finding", finding);
    add("class", happening.class);
    add("ticket", happening.ticket.as_deref());
    add("call", happening.call.as_deref());
    add("channel", happening.channel);
    add("country", happening.country.as_deref());
    add("device", happening.device.as_deref());
    for (id, name, who) in [
        ("target", "target_name", &happening.target),
        ("agent", "agent_name", &happening.agent),
        ("requester", "requester_name", &happening.requester),
        ("approver", "approver_name", &happening.approver),
        ("caller", "caller_name", &happening.caller),
        ("address", "address_name", &happening.address),
    ] {
        add(id, who.as_ref().map(|who| who.uid.as_str()));
        add(name, who.as_ref().and_then(|who| who.name.as_deref()));
    }
    if let Some((method, strength)) = happening.proof {
        tags.push(tag("method", method));
        tags.push(tag("strength", strength.to_string()));
    }
    if let Some(until) = happening.until {
        tags.push(tag("until", until.0.to_string()));
    }
    if !happening.cues.is_empty() {
        tags.push(Tag {
            name: "cues",
            value: None,
            values: happening.cues.clone(),
        });
    }
    tags
}

fn tag(name: &'static str, value: impl Into<String>) -> Tag {
    Tag {
        name,
        value: Some(value.into()),
        values: Vec::new(),
    }
}

fn user(who: &Who) -> User<'_> {
    User {
        uid: &who.uid,
        name: who.name.as_deref(),
    }
}

pub(super) fn evidence(item: &Item) -> Evidence<'_> {
    let roles = &item.roles;
    let actor = roles
        .agent
        .as_ref()
        .or(roles.approver.as_ref())
        .or(roles.requester.as_ref());
    let endpoint = roles.address.as_ref().or(roles.caller.as_ref());
    Evidence {
        uid: item.finding.id.to_string(),
        name: format!("{} {}", item.finding.pattern, item.title),
        verdict_id: if item.state == State::Active { 4 } else { 3 },
        user: roles.target.as_ref().map(user),
        actor: actor.map(|who| Actor { user: user(who) }),
        src_endpoint: endpoint.map(user),
        device: roles.device.as_ref().map(|(uid, platform)| Device {
            uid,
            type_id: match platform.as_deref() {
                Some("ios" | "android") => 5,
                _ => 0,
            },
            kind: platform.as_deref(),
        }),
        data: data(item),
    }
}

fn data(item: &Item) -> Data<'_> {
    let finding = &item.finding;
    let roles = &item.roles;
    let ended_by = item.ended_by.as_ref().and_then(|cause| match cause {
        Cause::Event(id) => Some(id.to_string()),
        Cause::Exemption(_) => None,
    });
    Data {
        pattern: &finding.pattern,
        branch: finding
            .rule
            .strip_prefix(finding.pattern.as_str())
            .filter(|b| !b.is_empty()),
        version: finding.version,
        family: finding.family.as_str(),
        points: if item.state == State::Active {
            finding.value_cp
        } else {
            0
        },
        state: item.state.as_str(),
        time: finding.time.0,
        roles: Roles {
            target: roles.target.as_ref().map(user),
            agent: roles.agent.as_ref().map(user),
            requester: roles.requester.as_ref().map(user),
            approver: roles.approver.as_ref().map(user),
            caller: roles.caller.as_ref().map(user),
        },
        ticket: item.ticket.as_deref(),
        call: item.call.as_deref(),
        channel: item.channel,
        reason_code: item.reason_code.as_deref(),
        window: Bounds {
            start_time: finding.span.0.0,
            end_time: finding.span.1.0,
        },
        threshold: Threshold {
            have: finding.threshold.0,
            need: finding.threshold.1,
        },
        missing_controls: item.missing.into_iter().collect(),
        counters: finding
            .counters
            .iter()
            .map(|(kind, cause)| counter(kind.as_str(), cause))
            .collect(),
        ended_by,
        exemption: finding.suppressed.as_deref(),
        relayed_from: finding.relayed_from.as_ref().map(ToString::to_string),
        anchor: finding.anchor.to_string(),
        events: ends_of(&finding.evidence)
            .map(|id| id.to_string())
            .collect(),
        events_count: finding.evidence.len(),
    }
}

/// The first and last events of a long list.
fn ends_of(ids: &[EventId]) -> impl Iterator<Item = &EventId> {
    let over = ids.len().saturating_sub(FINDING_EVENTS_MAX);
    let half = FINDING_EVENTS_MAX / 2;
    ids.iter()
        .enumerate()
        .filter(move |(at, _)| *at < half || *at >= half + over)
        .map(|(_, id)| id)
}

fn counter<'a>(kind: &'static str, cause: &'a Cause) -> Counter<'a> {
    match cause {
        Cause::Event(id) => Counter {
            kind,
            event: Some(id.to_string()),
            exemption: None,
        },
        Cause::Exemption(id) => Counter {
            kind,
            event: None,
            exemption: Some(id),
        },
    }
}
