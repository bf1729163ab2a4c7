//! Reading fields of directory exports, whose spelling of keys differs by product and by customer.

use std::borrow::Cow;

use crate::collect::parse::Value;
use crate::collect::present::present;
use crate::collect::time::{DAY_MS, Timestamp, epoch, parse_time};

/// The first field of those names that says something. Keys are compared without case and
/// punctuation, so `Employee_ID`, `employeeId` and `employee id` are one.
pub(super) fn field<'t>(item: Value<'t>, names: &[&str]) -> Option<Value<'t>> {
    names.iter().find_map(|name| {
        item.entries()
            .filter(|(key, _)| squeezed_eq(key, name))
            .map(|(_, value)| value)
            .find(|value| value.is_object() || value.is_array() || value.text().is_some())
    })
}

/// The text of the first such field.
pub(super) fn text<'t>(item: Value<'t>, names: &[&str]) -> Option<Cow<'t, str>> {
    field(item, names).and_then(scalar)
}

/// A scalar, or what stands for one: the `value` of ServiceNow, the `id` of a reference, the first
/// item of a list.
pub(super) fn scalar(value: Value<'_>) -> Option<Cow<'_, str>> {
    const INNER: [&str; 9] = [
        "value",
        "employeeid",
        "employeenumber",
        "userprincipalname",
        "email",
        "mail",
        "id",
        "userid",
        "displayvalue",
    ];
    if value.is_object() {
        return INNER.iter().find_map(|name| {
            let (_, inner) = value.entries().find(|(key, _)| squeezed_eq(key, name))?;
            inner.text()
        });
    }
    if value.is_array() {
        return value.items().find_map(scalar);
    }
    value.text()
}

/// Every text of a field that is a list, or a list written with `,` or `;`.
pub(super) fn texts(item: Value<'_>, names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for name in names {
        for (_, value) in item.entries().filter(|(key, _)| squeezed_eq(key, name)) {
            if value.is_array() {
                found.extend(value.items().filter_map(scalar).map(Cow::into_owned));
            } else if let Some(text) = scalar(value) {
                let parts = text.split([',', ';']).filter_map(present);
                found.extend(parts.map(ToOwned::to_owned));
            }
        }
    }
    found
}

/// A yes or no, also written as `1`, `t`, `yes`, `active`.
pub(super) fn flag(item: Value<'_>, names: &[&str]) -> Option<bool> {
    let value = field(item, names)?;
    let text = scalar(value)?.to_ascii_lowercase();
    match text.as_str() {
        "true" | "1" | "t" | "y" | "yes" | "on" | "active" => Some(true),
        "false" | "0" | "f" | "n" | "no" | "off" | "inactive" => Some(false),
        _ => None,
    }
}

/// A moment; a date alone is its midnight UTC.
pub(super) fn moment(item: Value<'_>, names: &[&str]) -> Option<Timestamp> {
    let text = text(item, names)?;
    parse_moment(&text).map(|(moment, _)| moment)
}

/// The end of a span named by its last day: the midnight after it, or the moment itself.
pub(super) fn end_of(item: Value<'_>, names: &[&str]) -> Option<Timestamp> {
    let text = text(item, names)?;
    let (moment, is_day) = parse_moment(&text)?;
    // Dates far away stand for "no end" in several products.
    let open_end = Timestamp(4_000_000_000_000);
    let end = if is_day { moment.plus(DAY_MS) } else { moment };
    (end < open_end).then_some(end)
}

fn parse_moment(text: &str) -> Option<(Timestamp, bool)> {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix("/Date(") {
        let digits = inner.split(['+', '-', ')']).next()?;
        return Some((epoch(digits.parse().ok()?)?.0, true));
    }
    if let Some((moment, _)) = parse_time(text) {
        return Some((moment, moment.0.rem_euclid(DAY_MS) == 0));
    }
    // A date with or without a zone, as Workday writes `2015-01-05-08:00`.
    let day = text.get(..10).unwrap_or(text).trim_end_matches('Z');
    let with_clock = if day.contains('/') {
        format!("{} 00:00:00", padded(day))
    } else {
        format!("{day}T00:00:00Z")
    };
    parse_time(&with_clock).map(|(moment, _)| (moment, true))
}

fn padded(day: &str) -> String {
    day.split('/')
        .map(|part| format!("{part:0>2}"))
        .collect::<Vec<_>>()
        .join("/")
}

/// True where two keys are one but for case and punctuation. `name` is already bare and lower.
pub(super) fn squeezed_eq(key: &str, name: &str) -> bool {
    let bare = key
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|b| b.to_ascii_lowercase());
    bare.eq(name.bytes())
}
