//! How a case ends: by time or by a verdict.

use crate::collect::entity::Entity;
use crate::collect::time::Timestamp;
use crate::correlate::case::Revision;
use crate::correlate::engine::Effects;
use crate::correlate::entity_state::EntityState;
use crate::correlate::exempt::Disposition;
use crate::correlate::view::View;

use super::{Setting, alert, kept, own_ticket};

/// Closes a case whose time is over.
pub fn close(
    state: &mut EntityState,
    entity: &Entity,
    setting: &Setting<'_>,
    effects: &mut Effects,
) {
    let owed = state.obligations.values().any(|o| !o.decided);
    let Some((reason, time)) = state.cases.due(setting.marks.all, owed) else {
        return;
    };
    if let Some(revision) = state.cases.close(reason, &setting.end(entity, time)) {
        publish_end(state, entity, setting, &revision, effects);
    }
}

/// An analyst's verdict on a case.
pub fn dispose(
    state: &mut EntityState,
    entity: &Entity,
    setting: &Setting<'_>,
    disposition: &Disposition,
    effects: &mut Effects,
) {
    let end = setting.end(entity, setting.marks.all.max(disposition_floor(state)));
    if let Some(revision) = state.cases.dispose(disposition, &end) {
        publish_end(state, entity, setting, &revision, effects);
    }
}

/// A case never ends before its newest revision.
fn disposition_floor(state: &EntityState) -> Timestamp {
    state
        .cases
        .open
        .as_ref()
        .map_or(Timestamp::MIN, |case| case.time)
}

/// Publishes how a case ended by something else than its findings.
fn publish_end(
    state: &mut EntityState,
    entity: &Entity,
    setting: &Setting<'_>,
    revision: &Revision,
    effects: &mut Effects,
) {
    let own = own_ticket(&state.window, entity);
    let kept = kept(&state.window, entity);
    let tickets = state.tickets.values().chain(&own);
    let view = View::new(
        entity,
        kept,
        state.contacts.values(),
        tickets,
        &state.baseline,
    );
    effects
        .alerts
        .push(alert(state, setting, &view, revision, false));
    state.findings.clear();
}
