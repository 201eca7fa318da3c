//! The current time, real or simulated.
//!
//! Times are stored as milliseconds since 1970 and shown as RFC 3339 in UTC. No fingerprint or request key contains one.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const MILLISECONDS_PER_DAY: u64 = 24 * 60 * 60 * 1000;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Returns the time since `earlier`, or zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Returns the first moment of the same day in UTC.
    pub const fn start_of_day(self) -> Self {
        Self(self.0 - self.0 % MILLISECONDS_PER_DAY)
    }

    /// Returns the first moment of the next day in UTC.
    pub const fn start_of_next_day(self) -> Self {
        Self(self.start_of_day().0.saturating_add(MILLISECONDS_PER_DAY))
    }

    /// Parses an RFC 3339 time such as `2026-11-24T00:26:05.5Z` or `…+02:00`.
    ///
    /// Returns `None` for anything else, and for times before 1970.
    pub fn parse(text: &str) -> Option<Self> {
        let parsed: jiff::Timestamp = text.parse().ok()?;
        u64::try_from(parsed.as_millisecond()).ok().map(Self)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A fraction is left out. A damaged state can hold a time that no calendar has.
        let shown = i64::try_from(self.0 / 1000)
            .ok()
            .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        fmt::Display::fmt(&shown.unwrap_or(jiff::Timestamp::MAX), f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not a time of RFC 3339"))
    }
}

/// A source of the current time.
#[derive(Debug)]
pub enum Clock {
    /// The system clock.
    Real,
    /// A simulated clock, in milliseconds since 1970. Each reading advances it by one second.
    Simulated(AtomicU64),
}

impl Clock {
    /// Returns a clock that starts at `start` and advances by one second at each reading.
    pub fn simulated(start: Timestamp) -> Self {
        Self::Simulated(AtomicU64::new(start.0))
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Real => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the only place that reads the system clock"
                )]
                let now = std::time::SystemTime::now();
                let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
            }
            Self::Simulated(next) => Timestamp(next.fetch_add(1000, Ordering::Relaxed)),
        }
    }

    /// Returns the current time without advancing a simulated clock.
    ///
    /// For times that are recorded as often as threads happen to finish: they must not change any other time.
    pub fn peek(&self) -> Timestamp {
        match self {
            Self::Real => self.now(),
            Self::Simulated(next) => Timestamp(next.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_shown_as_rfc_3339() {
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(
            Timestamp(951_827_696_000).to_string(),
            "2000-02-29T12:34:56Z"
        );
        assert_eq!(
            Timestamp(1_794_700_799_000).to_string(),
            "2026-11-14T23:59:59Z"
        );
    }

    #[test]
    fn a_day_begins_and_ends_at_midnight_utc() {
        let moment = Timestamp(1_794_700_799_000);
        assert_eq!(moment.start_of_day().to_string(), "2026-11-14T00:00:00Z");
        let next = moment.start_of_next_day();
        assert_eq!(next.to_string(), "2026-11-15T00:00:00Z");
        assert_eq!(next.start_of_day(), next);
    }

    #[test]
    fn a_timestamp_survives_a_round_trip_through_its_text() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2000-02-29T12:34:56Z",
            "2026-11-14T23:59:59Z",
        ] {
            assert_eq!(
                Timestamp::parse(text)
                    .map(|timestamp| timestamp.to_string())
                    .as_deref(),
                Some(text)
            );
        }
        for bad in [
            "",
            "2026",
            "2026-11-14",
            "2026-13-14T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-01-01T25:00:00Z",
            "2026-1-1T00:00:00Z",
            "2026-11-14T00:00:00",
            "2026-11-14T00:00:00+é",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_time_is_parsed_with_its_fraction_and_offset() {
        assert_eq!(
            Timestamp::parse("2026-11-15T01:59:59.250+02:00"),
            Some(Timestamp(1_794_700_799_250))
        );
    }

    #[test]
    fn a_time_that_no_calendar_has_is_shown_all_the_same() {
        assert!(Timestamp(u64::MAX).to_string().starts_with("9999-12-30T"));
    }

    proptest::proptest! {
        #[test]
        fn every_moment_survives_a_round_trip(seconds in 0_u64..200_000_000_000) {
            let moment = Timestamp(seconds * 1000);
            proptest::prop_assert_eq!(Timestamp::parse(&moment.to_string()), Some(moment));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = Timestamp::parse(&text);
        }
    }

    #[test]
    fn a_simulated_clock_advances_by_one_second_at_each_reading() {
        let clock = Clock::simulated(Timestamp(5000));
        assert_eq!(
            (clock.now(), clock.now()),
            (Timestamp(5000), Timestamp(6000))
        );
    }
}
