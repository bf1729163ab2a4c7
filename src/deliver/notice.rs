//! What messages tell of one revision. Every text here is one line and bounded: names in it were
//! written by others.

use crate::deliver::alert::{Activity, AlertFault, AlertRecord};
use crate::deliver::severity;
use crate::deliver::text::{cut, line};

mod read;

/// Longest summary, in characters: what a lock screen shows.
pub const SUMMARY_CHARS_MAX: usize = 120;

/// Severity and page verdict of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reached {
    /// OCSF `severity_id`; 0 where there was no revision.
    pub severity_id: u8,
    /// Whether it called for a person.
    pub page: bool,
}

/// Somebody or something, by id and by the masked name that people know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Named {
    /// Its id: an identity, a keyed number or address, a device.
    pub id: String,
    /// Masked name; empty where there is none.
    pub name: String,
}

impl Named {
    /// The name, else the id.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.name.is_empty() {
            &self.id
        } else {
            &self.name
        }
    }
}

/// How the findings of a pattern stand: the best of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It counts.
    Active,
    /// An exemption sets it aside.
    Suppressed,
    /// Its condition no longer holds.
    Retracted,
}

/// A pattern of the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Its id with its branch: `HDT-04b`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Points of its best finding, in hundredths.
    pub points: i64,
    /// How it stands.
    pub standing: Standing,
}

/// Who took part, over the findings that count; where none does, over all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct People {
    /// Whose accounts.
    pub targets: Vec<Named>,
    /// Who performed it, other than the target itself.
    pub agents: Vec<Named>,
    /// Who asked.
    pub requesters: Vec<Named>,
    /// Who approved.
    pub approvers: Vec<Named>,
    /// Whose number it was.
    pub callers: Vec<Named>,
    /// Where it came from.
    pub addresses: Vec<Named>,
    /// Devices and factors.
    pub devices: Vec<Named>,
}

/// One revision, as messages tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What lists and filters read of it.
    pub alert: AlertRecord,
    /// The document itself, as it was published.
    pub document: String,
    /// What a pager takes for one incident.
    pub dedup_key: String,
    /// The tenant.
    pub tenant: String,
    /// Version of the daemon that published it.
    pub version: String,
    /// Title of the case.
    pub title: String,
    /// What happened, in one sentence.
    pub message: String,
    /// What the revision before had said.
    pub before: Reached,
    /// The most that was said so far, with this revision.
    pub peak: Reached,
    /// Whether a silence is in force.
    pub is_suppressed: bool,
    /// Whether it is a test.
    pub is_test: bool,
    /// Alert id of the campaign it is a member of.
    pub campaign: Option<String>,
    /// First and last evidence, ms.
    pub seen: (i64, i64),
    /// First and last contributing event, ms.
    pub span: (i64, i64),
    /// Event time of the first revision, ms.
    pub created: i64,
    /// Certainty of the identity, 0–100.
    pub confidence: u8,
    /// Why it pages, or does not.
    pub page_reason: String,
    /// Who took part.
    pub people: People,
    /// How it was asked for.
    pub channels: Vec<String>,
    /// Controls that are missing.
    pub missing_controls: Vec<String>,
    /// The patterns of all findings, also of those taken back; the lead first.
    pub patterns: Vec<Pattern>,
    /// What to do now.
    pub remediation: String,
    /// Where the case is shown.
    pub link: Option<String>,
    /// Why it was closed.
    pub status_detail: Option<String>,
    /// The analyst's verdict, in words.
    pub verdict: Option<&'static str>,
    /// The analyst's reason.
    pub comment: Option<String>,
    /// Whom the directory names since it was closed as linked.
    pub linked_identity: Option<String>,
}

impl Notice {
    /// Reads the value of a record of the alerts topic.
    pub fn read(value: &[u8]) -> Result<Self, AlertFault> {
        read::notice(value)
    }

    /// What this revision says.
    #[must_use]
    pub const fn now(&self) -> Reached {
        Reached {
            severity_id: self.alert.severity_id,
            page: self.alert.page,
        }
    }

    /// The id of the revision: `<alert id>:<revision>`, the idempotency key of a delivery.
    #[must_use]
    pub fn revision_id(&self) -> String {
        format!("{}:{}", self.alert.id, self.alert.revision)
    }

    /// The row of its severity.
    #[must_use]
    pub const fn severity(&self) -> &'static severity::Severity {
        severity::of(self.alert.severity_id)
    }

    /// The case in one line that stands alone on a lock screen: how bad, who, what, under which ticket.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut text = String::new();
        if self.is_test {
            text.push_str("TEST ");
        }
        text.push_str(&self.head());
        text.push(' ');
        let message = line(&self.message, SUMMARY_CHARS_MAX);
        text.push_str(if message.is_empty() {
            &self.title
        } else {
            &message
        });
        let closed = self.alert.activity == Activity::Closed;
        if let Some(verdict) = self.verdict.filter(|_| closed) {
            text.push_str(&format!(", {verdict}"));
        }
        if let Some(tickets) = self.tickets_short() {
            let whole = text.chars().count() + tickets.chars().count() + 1;
            if whole <= SUMMARY_CHARS_MAX {
                text.push_str(&format!(" {tickets}"));
            }
        }
        shorten(&text)
    }

    /// `CRITICAL 98`, `LOW 31 (was HIGH)`, `RESOLVED`.
    #[must_use]
    pub fn head(&self) -> String {
        if self.alert.activity == Activity::Closed {
            return "RESOLVED".to_owned();
        }
        let name = self.severity().name.to_uppercase();
        let head = format!("{name} {}", self.alert.score);
        if self.before.severity_id > self.alert.severity_id {
            let was = severity::of(self.before.severity_id).name.to_uppercase();
            return format!("{head} (was {was})");
        }
        head
    }

    /// The tickets in brackets, where the sentence does not name them.
    fn tickets_short(&self) -> Option<String> {
        let unnamed = |ticket: &&String| !self.message.contains(ticket.as_str());
        let mut tickets = self.alert.tickets.iter().filter(unnamed);
        let first = line(tickets.next()?, 24);
        Some(match tickets.count() {
            0 => format!("({first})"),
            more => format!("({first} +{more})"),
        })
    }

    /// The patterns that count, else all.
    pub fn active_patterns(&self) -> impl Iterator<Item = &Pattern> {
        let any = self.patterns.iter().any(|p| p.standing == Standing::Active);
        self.patterns
            .iter()
            .filter(move |p| !any || p.standing == Standing::Active)
    }
}

/// A summary that fits: without its last clause where that is short, else without its last words.
fn shorten(text: &str) -> String {
    let fits = cut(text, SUMMARY_CHARS_MAX);
    if fits == text {
        return fits;
    }
    let is_most = |head: &&str| head.chars().count() >= SUMMARY_CHARS_MAX * 3 / 4;
    let clause = fits.rsplit_once(", ").map(|(head, _)| head);
    let words = fits.rsplit_once(' ').map(|(head, _)| head);
    match clause.filter(is_most).or_else(|| words.filter(is_most)) {
        Some(head) => format!("{head}…"),
        None => fits,
    }
}

#[cfg(test)]
pub(in crate::deliver) mod tests;
