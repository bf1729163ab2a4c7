//! What "Update user" changed: one action per class of property, found by comparing the JSON in
//! `oldValue` and `newValue`. What differs in a counter alone is no change.

use std::collections::BTreeSet;

use crate::collect::action::Action;
use crate::collect::draft::{short_hash, text};
use crate::collect::event::Change;
use crate::collect::parse::{Keys, Tape, Value, parse_text};

/// Most properties looked at; real events have up to some thirty.
const PROPERTIES_MAX: usize = 128;
/// Most entries of a list that are compared.
const ENTRIES_MAX: usize = 256;

/// The fields of `StrongAuthenticationUserDetails` that a code or a link is sent to.
const CONTACTS: [&str; 4] = [
    "PhoneNumber",
    "AlternativePhoneNumber",
    "VoiceOnlyPhoneNumber",
    "Email",
];

/// Actions, each with what it changed, in the order in which the properties stand.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes(pub(super) Vec<(Action, Vec<Change>)>);

impl Changes {
    /// Of the properties of a target.
    pub(super) fn of<'t>(properties: impl Iterator<Item = Value<'t>>) -> Self {
        let mut changes = Self::default();
        for property in properties.take(PROPERTIES_MAX) {
            // The audit log and the unified audit log write the same in other letters.
            static KEYS: Keys<4> = Keys::new(["displayName", "Name", "oldValue", "newValue"]);
            let [shown, named, old, new] = property.pick(&KEYS);
            let name = shown.or(named).and_then(Value::as_str);
            changes.compare(name.unwrap_or_default(), side(old), side(new));
        }
        changes
    }

    fn compare(&mut self, name: &str, old: &str, new: &str) {
        let is = |side: &str, word: &str| side.to_ascii_lowercase().contains(word);
        let becomes = |word: &str| is(new, word) && !is(old, word);
        let (action, class) = match name {
            "StrongAuthenticationMethod" => return self.sets(old, new, "MethodType", true),
            "StrongAuthenticationPhoneAppDetail" => return self.sets(old, new, "Id", false),
            "StrongAuthenticationUserDetails" if contacts(old) != contacts(new) => {
                (Action::AccountRecoveryChanged, "recovery_phone")
            }
            "Mobile" | "MobilePhone" if old != new => {
                (Action::AccountRecoveryChanged, "recovery_phone")
            }
            "OtherMail" | "OtherMails" if old != new => {
                (Action::AccountRecoveryChanged, "recovery_email")
            }
            "AccountEnabled" if becomes("true") => (Action::AccountEnabled, "state"),
            "AccountEnabled" if becomes("false") => (Action::AccountDisabled, "state"),
            _ => return,
        };
        self.add(action, class, old, new);
    }

    /// Compares two lists by a key: what is new, what is gone, and, where `by_rest`, what changed beside.
    fn sets(&mut self, old: &str, new: &str, key: &str, by_rest: bool) {
        let (before, after) = (ids(old, key), ids(new, key));
        let mut found = false;
        for (is_new, action) in [(true, Action::MfaEnrolled), (false, Action::MfaRemoved)] {
            let (this, other) = if is_new {
                (&after, &before)
            } else {
                (&before, &after)
            };
            if this.difference(other).next().is_some() {
                self.add(action, "mfa_device", old, new);
                found = true;
            }
        }
        if by_rest && !found && squeezed(old) != squeezed(new) {
            self.add(Action::MfaChanged, "mfa_device", old, new);
        }
    }

    /// One action for all properties of its class.
    fn add(&mut self, action: Action, class: &str, old: &str, new: &str) {
        let hash = |side: &str| (!side.is_empty()).then(|| short_hash(side));
        let change = Change {
            field_class: class.into(),
            old_hash: hash(old),
            new_hash: hash(new),
        };
        match self.0.iter_mut().find(|(known, _)| *known == action) {
            Some((_, changes)) => changes.push(change),
            None => self.0.push((action, vec![change])),
        }
    }
}

fn side(value: Option<Value<'_>>) -> &str {
    value.and_then(Value::as_str).map_or("", str::trim)
}

/// The ids in a list of objects; a text that is no list has none.
fn ids(json: &str, key: &str) -> BTreeSet<String> {
    let mut tape = Tape::default();
    let Ok(list) = parse_text(&mut tape, json) else {
        return BTreeSet::new();
    };
    let entries = list.items().take(ENTRIES_MAX);
    entries
        .filter_map(|entry| text(entry, key))
        .map(|id| id.to_string())
        .collect()
}

/// Whom codes are sent to, of the one entry or of all.
fn contacts(json: &str) -> Vec<Option<String>> {
    let mut tape = Tape::default();
    let Ok(value) = parse_text(&mut tape, json) else {
        return Vec::new();
    };
    let all: Vec<Value<'_>> = if value.is_array() {
        value.items().take(ENTRIES_MAX).collect()
    } else {
        vec![value]
    };
    let told = all
        .into_iter()
        .flat_map(|entry| CONTACTS.map(|key| text(entry, key).map(|contact| contact.to_string())));
    told.filter(Option::is_some).collect()
}

/// Without white space: the two sides are laid out differently.
fn squeezed(json: &str) -> String {
    json.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::parse::parse;

    fn actions(properties: &str) -> Vec<Action> {
        let mut tape = Tape::default();
        let list = parse(&mut tape, properties.as_bytes()).unwrap();
        Changes::of(list.items())
            .0
            .into_iter()
            .map(|(a, _)| a)
            .collect()
    }

    fn property(name: &str, old: &str, new: &str) -> String {
        serde_json::json!([{ "displayName": name, "oldValue": old, "newValue": new }]).to_string()
    }

    #[test]
    fn methods_are_compared_by_their_type() {
        let name = "StrongAuthenticationMethod";
        let both = r#"[{"MethodType":6,"Default":true},{"MethodType":7,"Default":false}]"#;
        let one = "[\r\n {\r\n \"MethodType\": 6,\r\n \"Default\": true\r\n }\r\n]";
        let other = r#"[{"MethodType":0,"Default":true}]"#;
        let table = [
            (one, both, vec![Action::MfaEnrolled]),
            (both, one, vec![Action::MfaRemoved]),
            (one, other, vec![Action::MfaEnrolled, Action::MfaRemoved]),
            (one, r#"[{"MethodType":6,"Default":true}]"#, vec![]),
            (
                one,
                r#"[{"MethodType":6,"Default":false}]"#,
                vec![Action::MfaChanged],
            ),
            ("", one, vec![Action::MfaEnrolled]),
        ];
        for (old, new, expected) in table {
            assert_eq!(actions(&property(name, old, new)), expected, "{old} {new}");
        }
    }

    #[test]
    fn a_drifting_clock_of_a_device_is_no_new_device() {
        let name = "StrongAuthenticationPhoneAppDetail";
        let device = |id: &str, drift: u8| {
            format!(r#"[{{"DeviceName":"NO_DEVICE","OathTokenTimeDrift":{drift},"Id":"{id}"}}]"#)
        };
        let (old, drifted) = (device("a", 2), device("a", 3));
        assert_eq!(actions(&property(name, &old, &drifted)), []);
        let swapped = actions(&property(name, &old, &device("b", 2)));
        assert_eq!(swapped, [Action::MfaEnrolled, Action::MfaRemoved]);
    }

    #[test]
    fn contacts_and_states_are_their_own_actions() {
        let details = |phone: &str| format!(r#"[{{"PhoneNumber":"{phone}","Preferred":1}}]"#);
        let name = "StrongAuthenticationUserDetails";
        let old = details("+1 4255550100");
        let moved = actions(&property(name, &old, &details("+1 4255550199")));
        assert_eq!(moved, [Action::AccountRecoveryChanged]);
        assert_eq!(actions(&property(name, &old, &old)), []);
        let enabled = actions(&property("AccountEnabled", "[false]", "[true]"));
        assert_eq!(enabled, [Action::AccountEnabled]);
        assert_eq!(actions(&property("Department", "\"a\"", "\"b\"")), []);
    }
}
