//! Moments and spans: milliseconds since 1970 UTC, with arithmetic that cannot wrap.

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// Milliseconds of a second.
pub const SECOND_MS: i64 = 1_000;
/// Milliseconds of a minute.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds of a UTC day.
pub const DAY_MS: i64 = 24 * HOUR_MS;

impl Timestamp {
    /// Before everything.
    pub const MIN: Self = Self(i64::MIN);
    /// After everything.
    pub const MAX: Self = Self(i64::MAX);

    /// This moment moved by a span in ms; stops at the ends of the range.
    #[must_use]
    pub const fn plus(self, span_ms: i64) -> Self {
        Self(self.0.saturating_add(span_ms))
    }

    /// This moment moved back by a span in ms; stops at the ends of the range.
    #[must_use]
    pub const fn minus(self, span_ms: i64) -> Self {
        Self(self.0.saturating_sub(span_ms))
    }

    /// Milliseconds from `earlier` to this moment; negative if this one is earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Number of the UTC day, counted from 1970-01-01.
    #[must_use]
    pub const fn utc_day(self) -> i64 {
        self.0.div_euclid(DAY_MS)
    }
}

/// How exactly a source told the time of an event.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum TimeQuality {
    /// To the millisecond, or finer.
    #[default]
    Exact,
    /// To the second.
    Second,
    /// To the minute.
    Minute,
    /// Computed from an offset within a call or chat.
    DerivedOffset,
    /// The source named no time: the Kafka timestamp of the record stands in.
    RecordFallback,
}

impl TimeQuality {
    /// Span in ms within which the order of two events is not known.
    #[must_use]
    pub const fn unit_ms(self) -> i64 {
        match self {
            Self::Exact | Self::DerivedOffset | Self::RecordFallback => 0,
            Self::Second => SECOND_MS,
            Self::Minute => MINUTE_MS,
        }
    }
}

/// A moment as people and scripts ask for it: milliseconds since 1970 as digits, or a time as
/// [`parse_time`] takes it.
#[must_use]
pub fn moment(text: &str) -> Option<Timestamp> {
    let number = text.parse().ok().map(Timestamp);
    number.or_else(|| parse_time(text).map(|(time, _)| time))
}

/// Parses a time as sources write it; `None` if nothing fits.
///
/// Accepted: RFC 3339 with 0–9 digits of fraction, `T` or a space, with `Z`, `±hh:mm`, `±hhmm` or
/// no zone (UTC); a leap second `:60` and a broken `:65` as the last second of that minute;
/// `m/d/yyyy h:mm:ss AM|PM` (Microsoft); `dd-mm-yyyy hh:mm[:ss]`; epoch seconds (≤ 11 digits) and
/// milliseconds as digits.
#[must_use]
pub fn parse_time(text: &str) -> Option<(Timestamp, TimeQuality)> {
    let text = text.trim();
    if text.is_empty() || text.len() > 40 || !text.is_ascii() {
        return None;
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok().and_then(epoch);
    }
    iso(text)
        .or_else(|| slashed(text))
        .or_else(|| day_first(text))
}

/// An epoch number as a moment: up to 11 digits are seconds, more are milliseconds. Zero and
/// negative numbers mean "unset" in every source we know.
#[must_use]
pub fn epoch(number: i64) -> Option<(Timestamp, TimeQuality)> {
    match number {
        ..=0 => None,
        1..=99_999_999_999 => Some((Timestamp(number.saturating_mul(1_000)), TimeQuality::Second)),
        _ => Some((Timestamp(number), TimeQuality::Exact)),
    }
}

/// Renders a moment as RFC 3339 in UTC with milliseconds, for people and for JSON.
#[must_use]
pub fn rfc3339(moment: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(moment.0)
        .map_or_else(|_| moment.0.to_string(), |t| format!("{t:.3}"))
}

fn civil(date: [i64; 3], clock: [i64; 3], fraction_ms: i64, offset_min: i64) -> Option<Timestamp> {
    let [year, month, day] = date;
    let [hour, minute, second] = clock;
    let in_range = (0..=23).contains(&hour) && (0..=59).contains(&minute) && second < 100;
    let date = jiff::civil::Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()?;
    let days = date
        .to_datetime(jiff::civil::Time::midnight())
        .to_zoned(jiff::tz::TimeZone::UTC);
    let midnight = days.ok()?.timestamp().as_millisecond();
    in_range.then_some(Timestamp(
        midnight
            + hour * HOUR_MS
            + (minute - offset_min) * MINUTE_MS
            + second.min(59) * SECOND_MS
            + fraction_ms,
    ))
}

/// Reads numbers from the front of a text.
struct Scan<'a>(&'a str);

impl Scan<'_> {
    fn number(&mut self, most_digits: usize) -> Option<i64> {
        let end = self
            .0
            .bytes()
            .take(most_digits)
            .take_while(u8::is_ascii_digit)
            .count();
        let (digits, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        digits.parse().ok()
    }

    fn skip(&mut self, one_of: &[u8]) -> Option<()> {
        let first = *self.0.as_bytes().first()?;
        one_of.contains(&first).then_some(())?;
        self.0 = self.0.get(1..)?;
        Some(())
    }

    fn clock(&mut self) -> Option<([i64; 3], bool)> {
        let hour = self.number(2)?;
        self.skip(b":")?;
        let minute = self.number(2)?;
        if self.skip(b":").is_none() {
            return Some(([hour, minute, 0], false));
        }
        Some(([hour, minute, self.number(2)?], true))
    }

    /// Milliseconds of a fraction of 1 to 9 digits, and how many digits there were.
    fn fraction(&mut self) -> Option<(i64, usize)> {
        if self.skip(b".,").is_none() {
            return Some((0, 0));
        }
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let value = self.number(9)?;
        let scale = 10_i64.checked_pow(u32::try_from(9_usize.checked_sub(digits)?).ok()?)?;
        Some((value.checked_mul(scale)? / 1_000_000, digits))
    }

    fn offset_min(&mut self) -> Option<i64> {
        if self.0.is_empty() || self.0.eq_ignore_ascii_case("z") || self.0 == " UTC" {
            return Some(0);
        }
        let sign = if self.0.starts_with('-') { -1 } else { 1 };
        self.skip(b"+-")?;
        let hours = self.number(2)?;
        let _colon_is_optional = self.skip(b":");
        let minutes = if self.0.is_empty() {
            0
        } else {
            self.number(2)?
        };
        (self.0.is_empty() && hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
    }
}

fn iso(text: &str) -> Option<(Timestamp, TimeQuality)> {
    let mut scan = Scan(text);
    let year = scan
        .number(4)
        .filter(|_| text.as_bytes().get(4) == Some(&b'-'))?;
    scan.skip(b"-")?;
    let month = scan.number(2)?;
    scan.skip(b"-")?;
    let day = scan.number(2)?;
    scan.skip(b"Tt ")?;
    let (clock, with_seconds) = scan.clock()?;
    let (fraction, digits) = scan.fraction()?;
    let offset = scan.offset_min()?;
    let quality = match (with_seconds, digits) {
        (false, _) => TimeQuality::Minute,
        (true, 0..=2) => TimeQuality::Second,
        (true, _) => TimeQuality::Exact,
    };
    Some((civil([year, month, day], clock, fraction, offset)?, quality))
}

fn slashed(text: &str) -> Option<(Timestamp, TimeQuality)> {
    let mut scan = Scan(text);
    let month = scan.number(2)?;
    scan.skip(b"/")?;
    let day = scan.number(2)?;
    scan.skip(b"/")?;
    let year = scan.number(4)?;
    scan.skip(b" ")?;
    let (mut clock, _) = scan.clock()?;
    match scan.0 {
        " PM" | " pm" if clock[0] < 12 => clock[0] += 12,
        " AM" | " am" if clock[0] == 12 => clock[0] = 0,
        "" | " AM" | " am" | " PM" | " pm" => {}
        _ => return None,
    }
    Some((civil([year, month, day], clock, 0, 0)?, TimeQuality::Second))
}

fn day_first(text: &str) -> Option<(Timestamp, TimeQuality)> {
    let mut scan = Scan(text);
    let day = scan.number(2)?;
    scan.skip(b"-")?;
    let month = scan.number(2)?;
    scan.skip(b"-")?;
    let year = scan.number(4)?;
    scan.skip(b" T")?;
    let (clock, with_seconds) = scan.clock()?;
    let quality = if with_seconds {
        TimeQuality::Second
    } else {
        TimeQuality::Minute
    };
    scan.0.is_empty().then_some(())?;
    Some((civil([year, month, day], clock, 0, 0)?, quality))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> Option<i64> {
        parse_time(text).map(|(t, _)| t.0)
    }

    #[test]
    fn reads_the_forms_that_sources_write() {
        let want = Some(1_647_958_913_225);
        for text in [
            "2022-03-22T14:21:53.225Z",
            "2022-03-22 14:21:53.2250000",
            "2022-03-22T14:21:53.225000000Z",
            "2022-03-22T06:21:53.225-0800",
            "2022-03-22T06:21:53.225-08:00",
            "1647958913225",
        ] {
            assert_eq!(ms(text), want, "{text}");
        }
        assert_eq!(ms("3/24/2022 2:42:35 PM"), Some(1_648_132_955_000));
        assert_eq!(ms("24-03-2022 14:42"), Some(1_648_132_920_000));
        assert_eq!(ms("1648132955"), Some(1_648_132_955_000));
        assert_eq!(ms("2022-03-22T14:21:65Z"), ms("2022-03-22T14:21:59Z"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "0",
            "-1",
            "soon",
            "2022-13-01T00:00:00Z",
            "2022-02-30T00:00:00Z",
            "2022-03-22T25:00:00Z",
            "99999999999999999999",
            "2022-03-22T14:21:53+99:00",
            "٣",
        ] {
            assert_eq!(ms(text), None, "{text}");
        }
    }

    #[test]
    fn quality_says_how_exact_the_source_was() {
        let quality = |text| parse_time(text).map(|(_, q)| q);
        assert_eq!(
            quality("2022-03-22T14:21:53.225Z"),
            Some(TimeQuality::Exact)
        );
        assert_eq!(quality("2022-03-22 14:21:53"), Some(TimeQuality::Second));
        assert_eq!(quality("24-03-2022 14:42"), Some(TimeQuality::Minute));
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(Timestamp::MAX.plus(1), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.minus(1), Timestamp::MIN);
        assert_eq!(Timestamp(-1).utc_day(), -1);
        assert_eq!(
            rfc3339(Timestamp(1_647_958_913_225)),
            "2022-03-22T14:21:53.225Z"
        );
    }
}
