//! Durations and sizes as people write them.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Unexpected};

/// A duration: `2ms`, `60s`, `15m`, `48h`, `14d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span(pub(super) Duration);

/// A size in bytes: `64KiB`, `2MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) u64);

const SPANS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

const SIZES: [(&str, u64); 4] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("B", 1),
];

fn count(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '_')?;
    let (number, unit) = text.split_at(end);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    let number: u64 = number.replace('_', "").parse().ok()?;
    number.checked_mul(*factor)
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let ms = count(&text, &SPANS).map(Duration::from_millis).map(Self);
        let wanted = "a duration such as `2ms`, `60s`, `15m`, `48h` or `14d`";
        ms.ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &wanted))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wanted = "a size such as `512KiB` or `2MiB`";
        count(&text, &SIZES)
            .map(Self)
            .ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &wanted))
    }
}

/// A duration as people write it.
pub(super) fn span_text(span: Duration) -> String {
    let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut units = SPANS.iter().rev();
    let (unit, factor) = units
        .find(|(_, factor)| ms >= *factor && ms.is_multiple_of(*factor))
        .unwrap_or(&("ms", 1));
    format!("{}{unit}", ms / factor)
}

/// A size as people write it.
pub(super) fn bytes_text(bytes: u64) -> String {
    let (unit, factor) = SIZES
        .iter()
        .filter(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor))
        .max_by_key(|(_, factor)| *factor)
        .unwrap_or(&("B", 1));
    format!("{}{unit}", bytes / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_read_as_they_are_written() {
        for text in ["2ms", "90s", "15m", "48h", "14d", "0ms"] {
            let ms = count(text, &SPANS).unwrap();
            let back = span_text(Duration::from_millis(ms));
            assert_eq!(count(&back, &SPANS), Some(ms), "{text}");
        }
        assert_eq!(span_text(Duration::from_secs(900)), "15m");
        assert_eq!(count(" 1_000 s ", &SPANS), Some(1_000_000));
        for text in [
            "",
            "15",
            "m",
            "15 min",
            "-1s",
            "1.5h",
            "99999999999999999999d",
        ] {
            assert_eq!(count(text, &SPANS), None, "{text}");
        }
        assert_eq!(count("2MiB", &SIZES), Some(2 << 20));
        assert_eq!(bytes_text(2 << 20), "2MiB");
        assert_eq!(bytes_text(1_500), "1500B");
    }
}
