//! Fields of a ServiceNow row: references in their four forms, display values, times, people.

use crate::collect::draft::{Around, address_or, handle, moment};
use crate::collect::event::{Handle, HandleKind};
use crate::collect::parse::Value;
use crate::collect::present::present;
use crate::collect::time::{TimeQuality, Timestamp};
use smol_str::SmolStr;

/// A field, or a catalogue variable of that name: in `variables`, or as `variables.<name>`. One walk,
/// for a row has a few hundred columns and few of those it is asked for.
pub(super) fn field<'t>(row: Value<'t>, name: &str) -> Option<Value<'t>> {
    const VARIABLES: &str = "variables";
    let mut alike = None;
    let mut variables = None;
    let mut dotted = None;
    for (key, value) in row.entries() {
        if key.len() == name.len() {
            if key == name {
                return Some(value);
            }
            if alike.is_none() && key.eq_ignore_ascii_case(name) {
                alike = Some(value);
            }
        } else if key.len() == VARIABLES.len() {
            if variables.is_none() && key.eq_ignore_ascii_case(VARIABLES) {
                variables = Some(value);
            }
        } else if key.len() == VARIABLES.len() + 1 + name.len() && dotted.is_none() {
            let parts = key.split_once('.').filter(|(front, rest)| {
                front.eq_ignore_ascii_case(VARIABLES) && rest.eq_ignore_ascii_case(name)
            });
            dotted = parts.map(|_| value);
        }
    }
    let nested = || variables?.get_any_case(name);
    alike.or_else(nested).or(dotted)
}

/// The stored value of a field: `"x"`, `{link, value}` or `{display_value, value}`; `None` if unset.
pub(super) fn value(row: Value<'_>, name: &str) -> Option<SmolStr> {
    stored(field(row, name)?)
}

fn stored(field: Value<'_>) -> Option<SmolStr> {
    if !field.is_object() {
        return Some(field.text()?.into());
    }
    if let Some(value) = field.get("value") {
        return Some(value.text()?.into());
    }
    let link = field.get("link").and_then(Value::as_str);
    let id = link
        .and_then(|link| link.rsplit('/').next())
        .and_then(present);
    id.map(SmolStr::from)
        .or_else(|| Some(field.get("display_value")?.text()?.into()))
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
pub(super) fn known_as(around: &Around<'_>, id: SmolStr) -> Handle {
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
