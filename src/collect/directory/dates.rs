//! When an account began and ended, and where its owner stands in their employment.

use crate::collect::directory::AccountRecord;
use crate::collect::directory::fields::{end_of, flag, moment, text};
use crate::collect::directory::keys::{ACTIVE, CREATED, HIRED, LEFT, STATUS};
use crate::collect::parse::Value;
use crate::collect::words::Lifecycle;

/// Fills dates and employment.
pub(super) fn dates(record: &mut AccountRecord, item: Value<'_>, body: Value<'_>) {
    record.hired = moment(body, HIRED);
    record.left = end_of(body, LEFT);
    if record.system != "hris" {
        record.created = moment(item, CREATED);
        record.deleted = moment(item, &["deleteddatetime", "deletedat"]);
        if record.deleted.is_none() && flag(item, &["deleted"]) == Some(true) {
            record.deleted = moment(item, &["updatedat", "lastmodifieddatetime"]);
        }
    }
    let status = text(item, STATUS);
    record.lifecycle = status
        .as_deref()
        .map_or(Lifecycle::Unknown, lifecycle_named);
    let at_work = matches!(record.lifecycle, Lifecycle::Unknown | Lifecycle::Active);
    let active = flag(item, ACTIVE);
    if flag(item, &["terminated"]) == Some(true) || (at_work && active == Some(false)) {
        record.lifecycle = Lifecycle::Leaver;
    } else if record.lifecycle == Lifecycle::Unknown && active == Some(true) {
        record.lifecycle = Lifecycle::Active;
    }
    if record.lifecycle == Lifecycle::Leaver && record.left.is_none() {
        record.left = moment(item, &["statuschanged", "deactivateddatetime"]);
    }
}

fn lifecycle_named(status: &str) -> Lifecycle {
    let status = status.to_ascii_lowercase().replace(['-', '_', ' '], "");
    match status.as_str() {
        "active" | "a" | "t" | "employed" | "current" | "fulltime" | "parttime" | "working"
        | "provisioned" | "recovery" | "passwordexpired" | "lockedout" => Lifecycle::Active,
        "prehire" | "staged" | "pending" | "onboarding" | "futurehire" | "hired" => {
            Lifecycle::PreHire
        }
        "onleave" | "leave" | "leaveofabsence" | "loa" | "sabbatical" | "parentalleave" => {
            Lifecycle::OnLeave
        }
        "terminated" | "inactive" | "leaver" | "deprovisioned" | "left" | "resigned"
        | "retired" | "deleted" | "former" | "f" | "separated" => Lifecycle::Leaver,
        _ => Lifecycle::Unknown,
    }
}
