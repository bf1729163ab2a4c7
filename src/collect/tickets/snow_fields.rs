//! Fields of a ServiceNow row: references in their four forms, display values, times, people.

use crate::collect::draft::{Around, address_or, handle, moment};
use crate::collect::event::{Handle, HandleKind};
use crate::collect::parse::{Value, present};
use crate::collect::time::{TimeQuality, Timestamp};

/// A field, or a catalogue variable of that name.
pub(super) fn field<'t>(row: Value<'t>, name: &str) -> Option<Value<'t>> {
    let variable = || {
        let nested = row
            .get_any_case("variables")
            .and_then(|v| v.get_any_case(name));
        nested.or_else(|| row.get_any_case(&format!("variables.{name}")))
    };
    row.get_any_case(name).or_else(variable)
}

/// The stored value of a field: `"x"`, `{link, value}` or `{display_value, value}`; `None` if unset.
pub(super) fn value(row: Value<'_>, name: &str) -> Option<String> {
    stored(field(row, name)?)
}

fn stored(field: Value<'_>) -> Option<String> {
    if !field.is_object() {
        return Some(field.text()?.into_owned());
    }
    if let Some(value) = field.get("value") {
        return Some(value.text()?.into_owned());
    }
    let link = field.get("link").and_then(Value::as_str);
    let id = link
        .and_then(|link| link.rsplit('/').next())
        .and_then(present);
    id.map(str::to_owned)
        .or_else(|| Some(field.get("display_value")?.text()?.into_owned()))
}

/// The time of a field; 0 and empty are unset.
pub(super) fn time(row: Value<'_>, name: &str) -> Option<(Timestamp, TimeQuality)> {
    let field = field(row, name)?;
    if field.is_object() {
        return field.get("value").and_then(moment);
    }
    moment(field)
}

/// A person a field refers to.
pub(super) fn person(around: &Around<'_>, row: Value<'_>, name: &str) -> Vec<Handle> {
    value(row, name).map_or_else(Vec::new, |id| vec![known_as(around, id)])
}

/// A `sys_id`, an address, or a user name.
pub(super) fn known_as(around: &Around<'_>, id: String) -> Handle {
    if id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) {
        around.issued(HandleKind::SnowSysId, id)
    } else if id.contains(' ') {
        handle(HandleKind::DisplayName, id)
    } else {
        match address_or(HandleKind::SnowUser, id) {
            named if named.kind == HandleKind::SnowUser => around.issued(named.kind, named.value),
            named => named,
        }
    }
}
