//! The question of `deskwarden identity resolve`: names as `kind:value`, a moment, an answer as JSON.

use serde::de::IntoDeserializer;
use serde::{Deserialize, Serialize};

use crate::collect::event::Handle;
use crate::collect::identity::{Directory, Settings, resolve};
use crate::collect::parse::Value;
use crate::collect::reject::{Reject, RejectReason};
use crate::collect::time::{Timestamp, parse_time};
use crate::collect::words::{HandleKind, ResolutionStatus};

/// Names and the moment at which they were used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Names.
    pub handles: Vec<Handle>,
    /// Moment.
    pub at: Timestamp,
    /// Region for numbers without country code; over that of the settings.
    pub default_region: Option<String>,
}

/// Who the names meant. People are named by employee id where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// `resolved`, `ambiguous`, `unresolved` or `conflict`.
    pub status: ResolutionStatus,
    /// The person, where resolved.
    pub identity: Option<String>,
    /// What decided.
    pub via: Option<String>,
    /// `strong` or `weak`, where resolved or a conflict.
    pub strength: Option<&'static str>,
    /// Candidates, where ambiguous.
    pub candidates: Vec<String>,
    /// The person kept in a conflict.
    pub primary: Option<String>,
    /// The other person of a conflict.
    pub other: Option<String>,
}

impl Question {
    /// A question from names written `kind:value`.
    ///
    /// # Errors
    /// `Schema` for a kind that does not exist.
    pub fn new<'q>(
        names: impl IntoIterator<Item = &'q str>,
        at: Timestamp,
    ) -> Result<Self, Reject> {
        let handles = names.into_iter().map(handle_of).collect::<Result<_, _>>()?;
        Ok(Self {
            handles,
            at,
            default_region: None,
        })
    }

    /// A question from a line of a queries file: `{"q":["kind:value"],"at":"…","default_region":"US"}`.
    ///
    /// # Errors
    /// `Schema` for what is no such line.
    pub fn read(line: Value<'_>) -> Result<Self, Reject> {
        let at = line.get("at").and_then(Value::text);
        let at = at.and_then(|at| parse_time(&at));
        let (at, _) = at.ok_or_else(|| Reject::new(RejectReason::Schema, "`at` is not a time"))?;
        let names = line.get("q").into_iter().flat_map(Value::items);
        let mut question = Self::new(names.filter_map(Value::as_str), at)?;
        let region = line.get("default_region").and_then(Value::text);
        question.default_region = region.map(|region| region.into_owned());
        Ok(question)
    }
}

fn handle_of(name: &str) -> Result<Handle, Reject> {
    let kind_and_value = name.split_once([':', '=']);
    let handle = kind_and_value.and_then(|(kind, value)| {
        Some(Handle {
            kind: kind_named(kind)?,
            value: value.into(),
            masked: None,
            issuer: None,
        })
    });
    handle.ok_or_else(|| {
        let detail = "a name is `kind:value` with a known kind, such as `email:a@example.com`";
        Reject::new(RejectReason::Schema, detail)
    })
}

/// The kind of that name in snake case.
#[must_use]
pub fn kind_named(name: &str) -> Option<HandleKind> {
    let name = name.trim().to_ascii_lowercase();
    let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
        name.as_str().into_deserializer();
    HandleKind::deserialize(name).ok()
}

/// Answers one question.
#[must_use]
pub fn resolve_query(
    question: &Question,
    directory: &impl Directory,
    settings: &Settings,
) -> Answer {
    let mut settings = settings.clone();
    if question.default_region.is_some() {
        settings
            .names
            .default_region
            .clone_from(&question.default_region);
    }
    let resolved = resolve(&question.handles, question.at, directory, &settings);
    let bare = |identity: &str| {
        let facts = directory.person(identity, question.at);
        facts
            .and_then(|facts| facts.employee_id)
            .map_or_else(|| identity.to_owned(), str::to_owned)
    };
    let status = resolved.resolution.status;
    let person = resolved.identity().map(bare);
    let candidates = resolved.resolution.candidates.iter();
    let mut candidates: Vec<String> = candidates.map(|id| bare(id)).collect();
    candidates.sort();
    let conflict = status == ResolutionStatus::Conflict;
    let strength = if resolved.resolution.strong {
        "strong"
    } else {
        "weak"
    };
    Answer {
        status,
        identity: person.clone(),
        via: resolved.via.map(str::to_owned),
        strength: person.is_some().then_some(strength),
        primary: person.filter(|_| conflict),
        other: if conflict { candidates.pop() } else { None },
        candidates,
    }
}
