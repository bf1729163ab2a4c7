//! The parts of the document that tell the findings and what happened.

use serde::Serialize;
use smol_str::SmolStr;

use crate::correlate::ocsf::document::Product;

/// `finding_info`: the case.
#[derive(Debug, Serialize)]
pub(super) struct FindingInfo<'a> {
    pub uid: String,
    pub title: &'a str,
    pub desc: &'a str,
    pub types: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analytic: Option<Analytic<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_analytics: Vec<Analytic<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attacks: Vec<Attack<'a>>,
    pub created_time: i64,
    pub modified_time: i64,
    pub first_seen_time: i64,
    pub last_seen_time: i64,
    pub related_events: Vec<RelatedEvent<'a>>,
    pub related_events_count: usize,
    pub data_sources: &'a [SmolStr],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_url: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Analytic<'a> {
    pub uid: &'a str,
    pub name: &'a str,
    pub version: String,
    pub type_id: u8,
}

#[derive(Debug, Serialize)]
pub(super) struct Attack<'a> {
    pub technique: Uid<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_technique: Option<Uid<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Uid<'a> {
    pub uid: &'a str,
}

/// One event of the case.
#[derive(Debug, Serialize)]
pub(super) struct RelatedEvent<'a> {
    pub uid: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub type_uid: u32,
    pub created_time: i64,
    pub title: &'a str,
    pub product: Product<'a>,
    pub tags: Vec<Tag>,
}

/// A name with one value or several.
#[derive(Debug, Serialize)]
pub(super) struct Tag {
    pub name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<&'static str>,
}

/// One finding.
#[derive(Debug, Serialize)]
pub(super) struct Evidence<'a> {
    pub uid: String,
    pub name: String,
    pub verdict_id: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_endpoint: Option<User<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Device<'a>>,
    pub data: Data<'a>,
}

/// Somebody or something by id and masked name.
#[derive(Debug, Serialize)]
pub(super) struct User<'a> {
    pub uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Actor<'a> {
    pub user: User<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct Device<'a> {
    pub uid: &'a str,
    pub type_id: u8,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'a str>,
}

/// What a finding says beyond OCSF's fields.
#[derive(Debug, Serialize)]
pub(super) struct Data<'a> {
    pub pattern: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<&'a str>,
    pub version: u32,
    pub family: &'static str,
    pub points: i64,
    pub state: &'static str,
    pub time: i64,
    pub roles: Roles<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<&'a str>,
    pub window: Bounds,
    pub threshold: Threshold,
    pub missing_controls: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub counters: Vec<Counter<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exemption: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relayed_from: Option<String>,
    pub anchor: String,
    pub events: Vec<String>,
    pub events_count: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Roles<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<User<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<User<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester: Option<User<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<User<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<User<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Bounds {
    pub start_time: i64,
    pub end_time: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct Threshold {
    pub have: usize,
    pub need: usize,
}

/// One kind of counter-evidence.
#[derive(Debug, Serialize)]
pub(super) struct Counter<'a> {
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exemption: Option<&'a str>,
}
