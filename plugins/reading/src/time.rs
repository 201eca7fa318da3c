//! Points in time as services write them, and as metadata have them.

use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

static PARSER: LazyLock<DateTimeParser> = LazyLock::new(DateTimeParser::new);

/// A point in time, in UTC, from the year 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Timestamp);

impl Time {
    /// Reads ISO 8601: `2026-01-02T03:04:05.678+01:00`, with a space for the `T`, without seconds, or as a date alone.
    ///
    /// A time without a zone is taken as UTC.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // A zone of hours alone, as databases write it, and a space before a zone.
        let text = text.strip_suffix(" UTC").unwrap_or(text);
        if let Ok(timestamp) = PARSER.parse_timestamp(text) {
            return Self::checked(timestamp);
        }
        if let Some((time, zone)) = text.rsplit_once(' ')
            && zone.starts_with(['+', '-'])
            && let Ok(timestamp) = PARSER.parse_timestamp(format!("{time}{zone}"))
        {
            return Self::checked(timestamp);
        }
        let civil = PARSER.parse_datetime(text).ok()?;
        Self::civil(civil, 0)
    }

    /// Makes a point in time of a date, a time of day and the seconds that its zone is east of UTC.
    pub fn of(date: [i64; 3], clock: [i64; 3], east: i64) -> Option<Self> {
        let [year, month, day] = date;
        let [hour, minute, second] = clock.map(|field| i8::try_from(field).ok());
        let civil = DateTime::new(
            i16::try_from(year).ok()?,
            i8::try_from(month).ok()?,
            i8::try_from(day).ok()?,
            hour?,
            minute?,
            // A leap second counts as the second before it.
            second?.min(if second? == 60 { 59 } else { i8::MAX }),
            0,
        )
        .ok()?;
        Self::civil(civil, east)
    }

    /// Takes a number as seconds, milliseconds, microseconds or nanoseconds since 1970, by its size.
    ///
    /// Seconds are meant up to the year 5138, so milliseconds before March 1973 are misread.
    pub fn from_number(number: f64) -> Option<Self> {
        let scale = match number.abs() {
            size if size < 1e11 => 1.0,
            size if size < 1e14 => 1e3,
            size if size < 1e17 => 1e6,
            _ => 1e9,
        };
        let duration = SignedDuration::try_from_secs_f64(number / scale).ok()?;
        Self::checked(Timestamp::from_duration(duration).ok()?)
    }

    /// Takes whole seconds since 1970.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        Self::checked(Timestamp::from_second(seconds).ok()?)
    }

    /// Takes whole milliseconds since 1970.
    pub fn from_milliseconds(milliseconds: i64) -> Option<Self> {
        Self::checked(Timestamp::from_millisecond(milliseconds).ok()?)
    }

    /// Takes whole microseconds since 1970.
    pub fn from_microseconds(microseconds: i64) -> Option<Self> {
        Self::checked(Timestamp::from_microsecond(microseconds).ok()?)
    }

    /// Takes what JSON has: a number, a text of one, or a text in ISO 8601.
    pub fn from_json(value: &serde_json::Value) -> Option<Self> {
        if let Some(text) = value.as_str() {
            return Self::parse(text).or_else(|| Self::from_number(text.trim().parse().ok()?));
        }
        match value.as_i64() {
            // A double has no room for microseconds with their last digits.
            Some(whole) if whole.unsigned_abs() >= 100_000_000_000_000 => {
                Self::from_microseconds(whole)
            }
            _ => Self::from_number(value.as_f64()?),
        }
    }

    /// Returns the seconds since 1970, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.as_second() - i64::from(self.0.subsec_nanosecond() < 0)
    }

    /// Returns `YYYY-MM-DDTHH:MM:SSZ`.
    pub fn iso(self) -> String {
        let [date, clock] = self.fields();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            date[0], date[1], date[2], clock[0], clock[1], clock[2]
        )
    }

    /// Returns `YYYY-MM-DD`.
    pub fn date(self) -> String {
        let [date, _] = self.fields();
        format!("{:04}-{:02}-{:02}", date[0], date[1], date[2])
    }

    /// Returns `YYYY-MM`.
    pub fn month(self) -> String {
        let [date, _] = self.fields();
        format!("{:04}-{:02}", date[0], date[1])
    }

    /// Returns `HH:MM`.
    pub fn clock(self) -> String {
        let [_, clock] = self.fields();
        format!("{:02}:{:02}", clock[0], clock[1])
    }

    fn fields(self) -> [[i16; 3]; 2] {
        let civil = Offset::UTC.to_datetime(self.0);
        let (date, time) = (civil.date(), civil.time());
        [
            [date.year(), date.month().into(), date.day().into()],
            [
                time.hour().into(),
                time.minute().into(),
                time.second().into(),
            ],
        ]
    }

    fn civil(civil: DateTime, east: i64) -> Option<Self> {
        let timestamp = TimeZone::UTC.to_timestamp(civil).ok()?;
        let timestamp = timestamp
            .checked_sub(SignedDuration::from_secs(east))
            .ok()?;
        Self::checked(timestamp)
    }

    fn checked(timestamp: Timestamp) -> Option<Self> {
        let time = Self(timestamp);
        (1..=9999).contains(&time.fields()[0][0]).then_some(time)
    }
}

/// Returns the date at the start of a file name, as in `2026-01-02 Visit.md`, if it is one.
pub fn date_at_start(name: &str) -> Option<&str> {
    let date = name.get(..10)?;
    let is_shape = date.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let goes_on = name[10..].starts_with(|next: char| next.is_ascii_digit());
    (is_shape && !goes_on && Time::parse(date).is_some()).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn iso(text: &str) -> Option<String> {
        Time::parse(text).map(Time::iso)
    }

    #[test]
    fn iso_8601_is_read_in_the_forms_that_services_write() {
        for (text, expected) in [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
            ("2026-01-02T03:04:05.678901Z", "2026-01-02T03:04:05Z"),
            ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"),
            ("2026-01-02T03:04:05-0800", "2026-01-02T11:04:05Z"),
            ("2026-01-02 03:04:05+00", "2026-01-02T03:04:05Z"),
            ("2026-01-02 03:04:05 +0100", "2026-01-02T02:04:05Z"),
            ("2026-01-02 03:04:05 UTC", "2026-01-02T03:04:05Z"),
            (" 2026-01-02T03:04 ", "2026-01-02T03:04:00Z"),
            ("2026-01-02T03:04:05", "2026-01-02T03:04:05Z"),
            ("2026-01-02", "2026-01-02T00:00:00Z"),
            ("20260102T030405Z", "2026-01-02T03:04:05Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(iso(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "x",
            "2026-13-01",
            "2026-02-30",
            "12:30",
            "2026",
            "-000001-01-01T00:00:00Z",
            "tomorrow",
        ] {
            assert_eq!(iso(text), None, "{text}");
        }
        assert_eq!(Time::from_number(f64::NAN), None);
        assert_eq!(Time::from_number(f64::INFINITY), None);
        assert_eq!(Time::from_seconds(i64::MAX), None);
        assert_eq!(Time::of([2026, 2, 30], [0; 3], 0), None);
        assert_eq!(Time::of([2026, 1, 1], [24, 0, 0], 0), None);
    }

    #[test]
    fn the_unit_of_a_number_is_known_by_its_size() {
        for number in [
            json!(1_767_323_045),
            json!(1_767_323_045.678),
            json!(1_767_323_045_678_i64),
            json!(1_767_323_045_678_901_i64),
            json!("1767323045.678"),
            json!("1767323045678"),
            json!("2026-01-02T03:04:05Z"),
        ] {
            let time = Time::from_json(&number).map(Time::iso);
            assert_eq!(time.as_deref(), Some("2026-01-02T03:04:05Z"), "{number}");
        }
        assert_eq!(Time::from_json(&json!(null)), None);
        assert_eq!(Time::from_json(&json!({})), None);
    }

    #[test]
    fn a_time_has_a_date_a_month_and_an_order() {
        let time = Time::of([2026, 3, 1], [0, 30, 0], 3600).unwrap();
        assert_eq!(time.date(), "2026-02-28");
        assert_eq!(time.month(), "2026-02");
        assert_eq!(time.clock(), "23:30");
        assert_eq!(time.seconds(), 1_772_321_400);
        assert!(Time::from_number(0.5) > Time::from_seconds(0));
        assert!(Time::of([2026, 12, 31], [23, 59, 60], 0).is_some());
    }

    #[test]
    fn a_date_at_the_start_of_a_name_is_found() {
        for (name, date) in [
            ("2026-01-02.md", Some("2026-01-02")),
            ("2026-01-02 Visit.md", Some("2026-01-02")),
            ("2026-01-023.md", None),
            ("2026-13-02.md", None),
            ("2026-01-2.md", None),
            ("x2026-01-02.md", None),
            ("日本日本日本", None),
        ] {
            assert_eq!(date_at_start(name), date, "{name}");
        }
    }
}
