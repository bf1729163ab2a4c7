//! From the document to the notice.

use serde::Deserialize;
use std::collections::BTreeSet;

use crate::deliver::alert::{AlertFault, AlertRecord};
use crate::deliver::notice::{Named, Notice, Pattern, People, Reached, Standing};
use crate::deliver::text::line;

/// Characters of an id, a name or a word.
const NAME_CHARS_MAX: usize = 128;
/// Characters of a sentence.
const TEXT_CHARS_MAX: usize = 1_024;
/// Characters of a link. A longer one is not shown: a cut link leads nowhere.
const LINK_CHARS_MAX: usize = 2_048;
/// People, addresses or devices named of one role.
const NAMED_MAX: usize = 10;
/// OCSF `status_id` of what a silence holds back.
const STATUS_SUPPRESSED: u8 = 3;
/// OCSF `verdict_id` of a test.
const VERDICT_TEST: u8 = 6;

#[derive(Deserialize)]
struct Document {
    time: i64,
    start_time: Option<i64>,
    end_time: Option<i64>,
    #[serde(default)]
    status_id: u8,
    status_detail: Option<String>,
    #[serde(default)]
    confidence_score: u8,
    verdict_id: Option<u8>,
    comment: Option<String>,
    #[serde(default)]
    message: String,
    metadata: Metadata,
    finding_info: FindingInfo,
    #[serde(default)]
    evidences: Vec<Evidence>,
    #[serde(default)]
    remediation: Remediation,
    #[serde(default)]
    unmapped: Unmapped,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    tenant_uid: String,
    correlation_uid: String,
    event_code: String,
    product: Product,
    labels: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Product {
    version: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FindingInfo {
    uid: String,
    title: String,
    created_time: Option<i64>,
    first_seen_time: Option<i64>,
    last_seen_time: Option<i64>,
    src_url: Option<String>,
    analytic: Option<Analytic>,
    related_analytics: Vec<Analytic>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Analytic {
    uid: String,
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Evidence {
    name: String,
    user: Who,
    actor: Actor,
    src_endpoint: Who,
    device: Device,
    data: Data,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Actor {
    user: Who,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Who {
    uid: String,
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Device {
    uid: String,
    r#type: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Data {
    pattern: String,
    branch: String,
    points: i64,
    state: String,
    channel: String,
    roles: Roles,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Roles {
    agent: Who,
    requester: Who,
    approver: Who,
    caller: Who,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Remediation {
    desc: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Unmapped {
    dedup_key: String,
    page_reason: String,
    before: Said,
    peak: Said,
    missing_controls: Vec<String>,
    linked_identity: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Said {
    severity_id: u8,
    page: bool,
}

impl From<Said> for Reached {
    fn from(said: Said) -> Self {
        Self {
            severity_id: said.severity_id,
            page: said.page,
        }
    }
}

pub(super) fn notice(value: &[u8]) -> Result<Notice, AlertFault> {
    let mut alert = AlertRecord::read(value)?;
    let text = std::str::from_utf8(value).map_err(|fault| AlertFault::new(&fault))?;
    let document: Document =
        serde_json::from_slice(value).map_err(|fault| AlertFault::new(&fault))?;
    clean(&mut alert);
    let patterns = patterns(&document);
    let people = people(&document.evidences);
    let channels = words(document.evidences.iter().map(|e| e.data.channel.as_str()));
    let Document {
        metadata,
        finding_info: info,
        unmapped,
        ..
    } = document;
    let campaign = metadata.correlation_uid;
    let is_member = !campaign.is_empty() && campaign != info.uid;
    let dedup_key = name(&unmapped.dedup_key);
    Ok(Notice {
        dedup_key: if dedup_key.is_empty() {
            alert.id.clone()
        } else {
            dedup_key
        },
        tenant: name(&metadata.tenant_uid),
        version: name(&metadata.product.version),
        title: sentence(&info.title),
        message: sentence(&document.message),
        before: unmapped.before.into(),
        peak: unmapped.peak.into(),
        is_suppressed: document.status_id == STATUS_SUPPRESSED,
        is_test: document.verdict_id == Some(VERDICT_TEST)
            || metadata.labels.iter().any(|label| label == "test"),
        campaign: is_member.then(|| name(&campaign)),
        seen: (
            info.first_seen_time.unwrap_or(document.time),
            info.last_seen_time.unwrap_or(document.time),
        ),
        span: (
            document.start_time.unwrap_or(document.time),
            document.end_time.unwrap_or(document.time),
        ),
        created: info.created_time.unwrap_or(document.time),
        confidence: document.confidence_score.min(100),
        page_reason: sentence(&unmapped.page_reason),
        people,
        channels,
        missing_controls: words(unmapped.missing_controls.iter().map(String::as_str)),
        patterns,
        remediation: sentence(&document.remediation.desc),
        link: info.src_url.and_then(|url| link(&url)),
        status_detail: document.status_detail.as_deref().map(name),
        verdict: document.verdict_id.and_then(verdict),
        comment: document.comment.as_deref().map(sentence),
        linked_identity: unmapped.linked_identity.as_deref().map(name),
        document: text.to_owned(),
        alert,
    })
}

/// OCSF 1.5 `verdict_id`, profile `incident`.
const fn verdict(id: u8) -> Option<&'static str> {
    Some(match id {
        1 => "false positive",
        2 => "true positive",
        3 => "disregard",
        5 => "benign",
        6 => "test",
        7 => "insufficient data",
        10 => "duplicate",
        _ => return None,
    })
}

fn clean(alert: &mut AlertRecord) {
    let subject = &mut alert.subject;
    let own = [
        &mut alert.id,
        &mut subject.kind,
        &mut subject.id,
        &mut subject.name,
        &mut subject.tier,
    ];
    let lists = [&mut alert.patterns, &mut alert.families, &mut alert.tickets];
    for text in own.into_iter().chain(lists.into_iter().flatten()) {
        *text = name(text);
    }
}

fn name(text: &str) -> String {
    line(text, NAME_CHARS_MAX)
}

fn sentence(text: &str) -> String {
    line(text, TEXT_CHARS_MAX)
}

/// A link as it can stand in any message: only http, and no character that ends it early.
fn link(url: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_graphic() && !"<>\"\\^`{|}()[]*'".contains(c);
    let is_http = url.starts_with("https://") || url.starts_with("http://");
    (is_http && url.len() <= LINK_CHARS_MAX && url.chars().all(plain)).then(|| url.to_owned())
}

/// Each word once, in the order of their first sight.
fn words<'a>(all: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for word in all.filter(|word| !word.is_empty()).map(name) {
        if kept.len() < NAMED_MAX && !kept.contains(&word) {
            kept.push(word);
        }
    }
    kept
}

/// The patterns of the findings with their branches, the lead first, then as the document lists them;
/// then those that only the analytics name, since a document lists no more than 50 findings.
fn patterns(document: &Document) -> Vec<Pattern> {
    let mut kept: Vec<Pattern> = Vec::new();
    for evidence in &document.evidences {
        let data = &evidence.data;
        if data.pattern.is_empty() {
            continue;
        }
        let title = evidence
            .name
            .strip_prefix(&data.pattern)
            .unwrap_or(&evidence.name);
        let row = Pattern {
            id: name(&format!("{}{}", data.pattern, data.branch)),
            title: name(title),
            points: data.points,
            standing: match data.state.as_str() {
                "retracted" => Standing::Retracted,
                "suppressed" => Standing::Suppressed,
                _ => Standing::Active,
            },
        };
        match kept.iter_mut().find(|known| known.id == row.id) {
            None => kept.push(row),
            Some(known) => {
                known.points = known.points.max(row.points);
                known.standing = known.standing.min(row.standing);
            }
        }
    }
    let info = &document.finding_info;
    for analytic in info.analytic.iter().chain(&info.related_analytics) {
        let id = name(&analytic.uid);
        if !id.is_empty() && !kept.iter().any(|known| known.id.starts_with(&id)) {
            kept.push(Pattern {
                id,
                title: name(&analytic.name),
                points: 0,
                standing: Standing::Retracted,
            });
        }
    }
    let lead = &document.metadata.event_code;
    let is_lead = |p: &Pattern| !lead.is_empty() && p.id.starts_with(lead.as_str());
    kept.sort_by_key(|pattern| (pattern.standing, !is_lead(pattern)));
    kept
}

fn people(evidences: &[Evidence]) -> People {
    let any = evidences.iter().any(|e| e.data.state == "active");
    let told = || {
        evidences
            .iter()
            .filter(|e| !any || e.data.state == "active")
    };
    let all = |of: fn(&Evidence) -> Named| named(told().map(of));
    // A sign-in names its own person as the agent.
    let targets: BTreeSet<&str> = evidences.iter().map(|e| e.user.uid.as_str()).collect();
    let mut agents = all(|e| {
        let roles = &e.data.roles;
        let by_actor = [&roles.agent, &roles.approver, &roles.requester]
            .iter()
            .all(|who| who.uid.is_empty());
        who(if by_actor {
            &e.actor.user
        } else {
            &roles.agent
        })
    });
    agents.retain(|agent| !targets.contains(agent.id.as_str()));
    People {
        targets: all(|e| who(&e.user)),
        agents,
        requesters: all(|e| who(&e.data.roles.requester)),
        approvers: all(|e| who(&e.data.roles.approver)),
        callers: all(|e| who(&e.data.roles.caller)),
        addresses: named(
            told()
                .filter(|e| e.src_endpoint.uid != e.data.roles.caller.uid)
                .map(|e| who(&e.src_endpoint)),
        ),
        devices: all(|e| Named {
            id: name(&e.device.uid),
            name: match e.device.r#type.as_str() {
                "" => String::new(),
                platform => name(&format!("{} ({platform})", e.device.uid)),
            },
        }),
    }
}

fn who(who: &Who) -> Named {
    Named {
        id: name(&who.uid),
        name: name(&who.name),
    }
}

fn named(all: impl Iterator<Item = Named>) -> Vec<Named> {
    let mut kept: Vec<Named> = Vec::new();
    for one in all.filter(|one| !one.id.is_empty()) {
        if kept.len() < NAMED_MAX && !kept.iter().any(|known| known.id == one.id) {
            kept.push(one);
        }
    }
    kept
}
