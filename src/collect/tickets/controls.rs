//! Evidence in a customer's own fields: verification, call-back, override, review. Each value of a
//! field is one event, whatever snapshot shows it.

use crate::collect::action::Action;
use crate::collect::draft::{Around, handle, mapped, moment, reason_of, role};
use crate::collect::event::{Event, HandleKind, Outcome as Ended, Phone, Verification};
use crate::collect::mapped::MappedEvent;
use crate::collect::setup::FieldMap;
use crate::collect::tickets::snow_fields::{field, known_as, value};
use crate::collect::time::{TimeQuality, Timestamp};
use crate::collect::words::VerificationMethod;
use smol_str::SmolStr;

/// The events of the control fields that are filled in.
pub(super) fn events(around: &Around<'_>, snapshot: &Event, ticket: &str) -> Vec<MappedEvent> {
    let row = around.item;
    let fields = &around.setup.fields;
    let first = |names: &[String]| {
        names
            .iter()
            .find_map(|name| Some((name.clone(), value(row, name)?)))
    };
    let when = |names: &[String]| {
        names.iter().find_map(|name| {
            let field = field(row, name)?;
            moment(field.get("value").unwrap_or(field))
        })
    };
    let mut out = Vec::new();
    let mut add =
        |action: Action, found: &(String, SmolStr), at: Option<(Timestamp, TimeQuality)>| {
            let (name, said) = found;
            let native = format!("{ticket}/{name}/{said}");
            let mut event = snapshot.clone();
            event.event_id = around.id(&native, 0);
            event.action = action;
            event.vendor_action = name.as_str().into();
            if let Some((time, quality)) = at {
                event.time = time;
                event.time_quality = quality;
                around.clamp(&mut event);
            }
            if let Some(ticket) = &mut event.ticket_ref {
                ticket.snapshot = false;
            }
            apply(&mut event, around, said, at.map(|(time, _)| time));
            out.push(mapped(event, Some(&native), Vec::new()));
        };
    if let Some(found) = first(&fields.verification_method) {
        add(
            Action::VerifyResult,
            &found,
            when(&fields.verification_time),
        );
    }
    if let Some(found) = first(&fields.callback_done).filter(|(_, v)| fields.is_yes(v)) {
        add(
            Action::CallbackCompleted,
            &found,
            when(&fields.callback_time),
        );
    }
    if let Some(found) = first(&fields.override_reason) {
        add(Action::TicketOverride, &found, None);
    }
    let no = |said: &str| {
        said.eq_ignore_ascii_case("false") || said.eq_ignore_ascii_case("no") || said == "0"
    };
    if let Some(found) = first(&fields.review).filter(|(_, v)| !no(v)) {
        add(Action::ReviewCompleted, &found, None);
    }
    out
}

/// The action of a control field that got a value, where it proves something.
pub(super) fn action_of(fields: &FieldMap, name: &str, said: &str) -> Option<Action> {
    let is = |names: &[String]| names.iter().any(|mapped| mapped == name);
    let no = ["false", "no", "0"]
        .iter()
        .any(|word| said.eq_ignore_ascii_case(word));
    if said.is_empty() {
        None
    } else if is(&fields.verification_method) {
        Some(Action::VerifyResult)
    } else if is(&fields.callback_done) {
        fields.is_yes(said).then_some(Action::CallbackCompleted)
    } else if is(&fields.override_reason) {
        Some(Action::TicketOverride)
    } else {
        (is(&fields.review) && !no).then_some(Action::ReviewCompleted)
    }
}

/// Fills in what the value of a control field says.
pub(super) fn apply(event: &mut Event, around: &Around<'_>, said: &str, at: Option<Timestamp>) {
    let fields = &around.setup.fields;
    let first = |names: &[String]| names.iter().find_map(|name| value(around.item, name));
    if event.action == Action::VerifyResult {
        let method = fields.method(said);
        event.outcome = match first(&fields.verification_result) {
            Some(result) if fields.is_yes(&result) || result.eq_ignore_ascii_case("success") => {
                Ended::Success
            }
            Some(_) => Ended::Failure,
            None if method == VerificationMethod::None => Ended::Unknown,
            None => Ended::Success,
        };
        event.verification = Some(Box::new(Verification {
            method: Some(method),
            time: at,
            ..Verification::default()
        }));
    } else if event.action == Action::CallbackCompleted {
        event.outcome = Ended::Success;
        let number = first(&fields.callback_number).map(|n| handle(HandleKind::Phone, n));
        event.phone = number.map(|number| {
            Box::new(Phone {
                callback_number: Some(number),
                ..Phone::default()
            })
        });
    } else if event.action == Action::TicketOverride {
        event.reason = Some(reason_of(said));
        let approver = first(&fields.approver);
        event.approver = approver.and_then(|who| role(vec![known_as(around, who)]));
    } else if !fields.is_yes(said) {
        event.approver = role(vec![known_as(around, said.into())]);
    }
}
