//! The current time, real or simulated.
//!
//! Times are stored as milliseconds since 1970 and shown as RFC 3339 in UTC. No fingerprint or request key contains one.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Serialize, Serializer};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Returns the time since `earlier`, or zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Parses `YYYY-MM-DDTHH:MM:SSZ`; returns `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let fields: Vec<u64> = text
            .strip_suffix('Z')?
            .split(['-', 'T', ':'])
            .map(str::parse)
            .collect::<Result<_, _>>()
            .ok()?;
        let [year, month, day, hour, minute, second] = fields[..] else {
            return None;
        };
        // A year has few enough days to try each of them.
        let earliest = year.checked_sub(1970)?.checked_mul(365)?;
        let days = (earliest..earliest.checked_add(1000)?)
            .find(|days| date_of(*days) == (year, month, day))?;
        let timestamp = Self(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000);
        (timestamp.to_string() == text).then_some(timestamp)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1000;
        let (year, month, day) = date_of(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Returns the Gregorian date of the day that is `days` after 1970-01-01.
fn date_of(days: u64) -> (u64, u64, u64) {
    // A year that starts in March ends with the leap day, so the first day of
    // a month depends only on the number of the month.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
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
            "2026-02-30T00:00:00Z",
            "2026-01-01T25:00:00Z",
            "2026-1-1T00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
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
