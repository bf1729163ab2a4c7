//! The document, field by field, in the order in which it is written.

use serde::Serialize;
use smol_str::SmolStr;

/// The root: class 2004.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    pub activity_id: u8,
    pub category_uid: u8,
    pub class_uid: u16,
    pub type_uid: u32,
    pub time: i64,
    pub start_time: i64,
    pub end_time: i64,
    pub severity_id: u8,
    pub severity: &'static str,
    pub status_id: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_detail: Option<&'static str>,
    pub is_alert: bool,
    pub priority_id: u8,
    pub risk_score: i64,
    pub risk_level_id: u8,
    pub confidence_id: u8,
    pub confidence_score: u8,
    pub impact_id: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict_id: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<&'a str>,
    pub message: &'a str,
    pub metadata: Metadata<'a>,
    pub finding_info: super::finding::FindingInfo<'a>,
    pub evidences: Vec<super::finding::Evidence<'a>>,
    pub resources: [Resource<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tickets: Vec<Ticket<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub observables: Vec<Observable<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enrichments: Vec<Enrichment<'a>>,
    pub remediation: Remediation,
    pub unmapped: Unmapped<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct Metadata<'a> {
    pub version: &'static str,
    pub profiles: [&'static str; 1],
    pub uid: String,
    pub sequence: u32,
    pub tenant_uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_code: Option<&'a str>,
    pub correlation_uid: String,
    pub product: Product<'a>,
    pub log_name: &'a str,
    pub labels: &'a [String],
}

#[derive(Debug, Serialize)]
pub(super) struct Product<'a> {
    pub name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Resource<'a> {
    pub uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub criticality: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Ticket<'a> {
    pub uid: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Observable<'a> {
    pub name: &'static str,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub type_id: u8,
    pub value: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Enrichment<'a> {
    pub name: &'static str,
    pub value: &'a str,
    pub data: EnrichmentData<'a>,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct EnrichmentData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multiplier_x100: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub countries: Option<&'a [SmolStr]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Remediation {
    pub desc: &'static str,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Said {
    pub severity_id: u8,
    pub page: bool,
}

/// What OCSF has no field for.
#[derive(Debug, Serialize)]
pub(super) struct Unmapped<'a> {
    pub dedup_key: String,
    pub page: bool,
    pub page_reason: &'static str,
    pub rule_of_two: bool,
    pub before: Said,
    pub peak: Said,
    pub missing_controls: &'a [&'static str],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<ControlRow<'a>>,
    pub explain: Vec<TermRow<'a>>,
    pub windows: Vec<Window<'a>>,
    pub counts: Counts,
    pub evidence_truncated: bool,
    pub bounds_reached: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_case: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linked_identity: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct ControlRow<'a> {
    pub control: &'static str,
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct TermRow<'a> {
    pub term: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier_x100: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patterns: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub largest: Option<i64>,
    pub value: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exemption: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Window<'a> {
    pub pattern: &'a str,
    pub start_time: i64,
    pub end_time: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct Counts {
    pub findings_active: usize,
    pub findings_suppressed: usize,
    pub findings_retracted: usize,
    pub events: usize,
}
