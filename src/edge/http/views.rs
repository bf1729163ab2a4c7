//! The API: what is held of people, agents, tickets, calls, callers, devices and addresses, of a word,
//! and of the patterns.

use super::access::Caller;
use super::api::{Parameters, Part, filled, json, pairs, part, short};
use super::problem::Problem;
use super::serve::ApiParts;
use crate::deliver::alert::AlertRecord;
use crate::deliver::mention::Kind;
use crate::deliver::trail::{Range, Trail};
use crate::deliver::view::identity::IdentityView;
use crate::deliver::view::{agent, identity, pattern, pivot, search};
use crate::edge::clock;
use crate::edge::read_model::Revision;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use std::sync::Arc;

/// Records of a part.
pub(super) const LIMIT_DEFAULT: usize = 100;
/// Characters of what is searched for.
const WORD_CHARS_MAX: usize = 120;

/// `GET /api/v1/me`
pub(super) async fn me(Extension(caller): Extension<Caller>) -> Result<Response, Problem> {
    let Caller { name, access } = caller;
    json(&serde_json::json!({ "name": name.as_deref(), "role": access.as_str() }))
}

/// `GET /api/v1/identities/{id}`
pub(super) async fn identity(
    State(parts): State<ApiParts>,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    // An import holds the directory for a while: not on the threads that answer everybody else.
    let asked = parts.directory.clone().map(|directory| {
        let id = id.clone();
        tokio::task::spawn_blocking(move || directory.read().known(&id, clock::now()))
    });
    let known = match asked {
        Some(asked) => {
            let known = asked.await;
            known.map_err(|fault| Problem::unavailable(fault.to_string()))?
        }
        None => None,
    };
    one(&parts, parameters, &id, |trail, alerts, range| {
        let view = identity::identity(trail, alerts, &id, range)?;
        Some(json(&IdentityView {
            directory: known,
            ..view
        }))
    })
}

/// `GET /api/v1/agents/{id}`
pub(super) async fn agent(
    State(parts): State<ApiParts>,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    one(&parts, parameters, &id, |trail, alerts, range| {
        agent::agent(trail, alerts, &id, range).map(|view| json(&view))
    })
}

/// `GET /api/v1/pivots/{kind}/{id}`
pub(super) async fn pivot(
    State(parts): State<ApiParts>,
    Path((kind, id)): Path<(String, String)>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let kinds = [
        Kind::Ticket,
        Kind::Contact,
        Kind::Caller,
        Kind::Device,
        Kind::Address,
    ];
    let kind = kind.parse().ok().filter(|kind| kinds.contains(kind));
    let kind = kind.ok_or_else(|| {
        let names = kinds.map(Kind::as_str).join(", ");
        Problem::not_found(format!("kinds of pivot are {names}"))
    })?;
    one(&parts, parameters, &id, |trail, alerts, range| {
        pivot::pivot(trail, alerts, (kind, &id), range).map(|view| json(&view))
    })
}

/// `GET /api/v1/search`
pub(super) async fn search(
    State(parts): State<ApiParts>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let mut word = String::new();
    for (name, value) in pairs(parameters)? {
        if name != "q" {
            return Err(Problem::parameters(vec![format!(
                "{name}: unknown; it is q"
            )]));
        }
        word = value;
    }
    if word.trim().is_empty() || word.chars().count() > WORD_CHARS_MAX {
        let fault = format!("q: 1 to {WORD_CHARS_MAX} characters");
        return Err(Problem::parameters(vec![fault]));
    }
    held(&parts)?;
    let revisions = parts.model.all();
    let trail = parts.trail.read();
    let results = search::search(&trail, &alerts(&revisions), &word);
    json(&serde_json::json!({ "results": results }))
}

/// `GET /api/v1/patterns`
pub(super) async fn patterns(State(parts): State<ApiParts>) -> Result<Response, Problem> {
    filled(&parts)?;
    let revisions = parts.model.all();
    let patterns = pattern::patterns(parts.rules.rules(), &alerts(&revisions));
    json(&serde_json::json!({ "patterns": patterns }))
}

/// The answer of one of the views.
fn one(
    parts: &ApiParts,
    parameters: Parameters,
    id: &str,
    view: impl FnOnce(&Trail, &[&AlertRecord], Range) -> Option<Result<Response, Problem>>,
) -> Result<Response, Problem> {
    let Part {
        after,
        limit,
        rest,
        mut faults,
    } = part(parameters, LIMIT_DEFAULT)?;
    let unknown =
        |(name, _): &(String, String)| format!("{name}: unknown; parameters are limit, cursor");
    faults.extend(rest.iter().map(unknown));
    if !faults.is_empty() {
        return Err(Problem::parameters(faults));
    }
    held(parts)?;
    let revisions = parts.model.all();
    let found = view(
        &parts.trail.read(),
        &alerts(&revisions),
        Range { after, limit },
    );
    found.unwrap_or_else(|| {
        let id = short(id);
        Err(Problem::not_found(format!("nothing is held of {id}")))
    })
}

fn alerts(revisions: &[Arc<Revision>]) -> Vec<&AlertRecord> {
    revisions.iter().map(|revision| &revision.alert).collect()
}

/// Until both topics have been read, any answer would be a wrong one.
pub(super) fn held(parts: &ApiParts) -> Result<(), Problem> {
    filled(parts)?;
    if parts.trail.is_filled() {
        Ok(())
    } else {
        Err(Problem::unavailable(
            "the audit topic is still being read; try again in a moment",
        ))
    }
}
