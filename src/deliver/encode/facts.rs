//! What every message for people tells beside its sentence, most useful first.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::collect::time::Timestamp;
use crate::correlate::alert::spell;
use crate::deliver::alert::Activity;
use crate::deliver::notice::{Named, Notice, Pattern, Standing};
use crate::deliver::severity::of;
use crate::deliver::text::line;

/// Characters of a value.
const VALUE_CHARS_MAX: usize = 300;

/// One fact: its key for machines, its label for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub key: &'static str,
    pub label: &'static str,
    pub value: String,
}

/// Facts as a JSON object in their order.
pub(super) struct Object<'a>(pub &'a [Fact]);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for fact in self.0 {
            map.serialize_entry(fact.key, &fact.value)?;
        }
        map.end()
    }
}

/// The facts of a notice; what is empty is left out.
pub(super) fn facts(notice: &Notice) -> Vec<Fact> {
    let alert = &notice.alert;
    let people = &notice.people;
    let is_person = alert.subject.kind == "identity";
    let targets: &[Named] = if is_person { &[] } else { &people.targets };
    let rows = [
        ("subject", "Whom", subject(notice)),
        ("targets", "Accounts", names(targets)),
        ("when", "When", when(notice.span)),
        ("score", "Severity", severity(notice)),
        ("patterns", "Patterns", patterns(notice)),
        (
            "missing_controls",
            "Missing",
            notice.missing_controls.join(", "),
        ),
        ("agent", "Done by", names(&people.agents)),
        ("requester", "Asked for by", names(&people.requesters)),
        ("approver", "Approved by", names(&people.approvers)),
        ("caller", "Caller", names(&people.callers)),
        ("address", "From", names(&people.addresses)),
        ("device", "Device", names(&people.devices)),
        (
            "channel",
            "Channel",
            notice.channels.join(", ").replace('_', " "),
        ),
        ("tickets", "Tickets", alert.tickets.join(", ")),
        ("closed", "Closed", closed(notice)),
        (
            "campaign",
            "Campaign",
            notice.campaign.clone().unwrap_or_default(),
        ),
        ("tenant", "Tenant", notice.tenant.clone()),
        ("alert_id", "Alert", alert.id.clone()),
    ];
    let rows = rows.into_iter().map(|(key, label, value)| Fact {
        key,
        label,
        value: line(&value, VALUE_CHARS_MAX),
    });
    rows.filter(|fact| !fact.value.is_empty()).collect()
}

/// `t…@example.com, executive`.
fn subject(notice: &Notice) -> String {
    let subject = &notice.alert.subject;
    let who = match subject.kind.as_str() {
        "identity" if subject.name.is_empty() => format!("account {}", subject.id),
        "identity" => subject.name.clone(),
        kind if subject.name.is_empty() => format!("{kind} {}", subject.id),
        kind => format!("{kind} {}", subject.name),
    };
    if subject.tier.is_empty() {
        return who;
    }
    format!("{who}, {}", subject.tier.replace('_', " "))
}

fn names(all: &[Named]) -> String {
    let shown: Vec<&str> = all.iter().map(Named::shown).collect();
    shown.join(", ")
}

/// `critical, 99 of 100; pages: two families`, and of a closed case `critical at its worst`.
fn severity(notice: &Notice) -> String {
    if notice.alert.activity == Activity::Closed {
        return format!("{} at its worst", of(notice.peak.severity_id).name);
    }
    let name = notice.severity().name;
    let score = notice.alert.score;
    if notice.page_reason.is_empty() {
        return format!("{name}, {score} of 100");
    }
    let pages = if notice.alert.page {
        "pages"
    } else {
        "no page"
    };
    format!("{name}, {score} of 100; {pages}: {}", notice.page_reason)
}

fn patterns(notice: &Notice) -> String {
    let row = |pattern: &Pattern| {
        let state = match pattern.standing {
            Standing::Active => "",
            Standing::Suppressed => " (expected)",
            Standing::Retracted => " (taken back)",
        };
        format!("{} {}{state}", pattern.id, pattern.title)
    };
    let rows: Vec<String> = notice.patterns.iter().map(row).collect();
    rows.join("; ")
}

fn closed(notice: &Notice) -> String {
    if notice.alert.is_open {
        return String::new();
    }
    let reason = notice.status_detail.as_deref().unwrap_or_default();
    let mut text = reason.replace('_', " ");
    for more in notice.verdict.into_iter().chain(notice.comment.as_deref()) {
        text = format!("{text}, {more}");
    }
    if let Some(id) = &notice.linked_identity {
        text = format!("{text}, now {id}");
    }
    text.trim_start_matches(", ").to_owned()
}

/// `2026-03-02 08:56 UTC, over 19 min`.
pub(super) fn when((first, last): (i64, i64)) -> String {
    let start = minute(Timestamp(first));
    match last.saturating_sub(first) {
        ..=0 => start,
        ms => format!("{start}, over {}", spell(ms)),
    }
}

fn minute(moment: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(moment.0).map_or_else(
        |_| moment.0.to_string(),
        |t| t.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}

/// JSON text. Writing to memory cannot fail, and every type here has a fixed form.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
