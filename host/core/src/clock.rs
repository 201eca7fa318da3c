//! What time it is, real or pinned.
//!
//! Times are kept as milliseconds since 1970 and shown as RFC 3339 in UTC.
//! No time enters a fingerprint or a request key.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Serialize, Serializer};

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// Returns how long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Reads `YYYY-MM-DDTHH:MM:SSZ`; `None` for anything else.
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
        // The days of a year are few enough to be tried.
        let earliest = year.checked_sub(1970)?.checked_mul(365)?;
        let days = (earliest..earliest.checked_add(1000)?)
            .find(|days| civil(*days) == (year, month, day))?;
        let moment = Self(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000);
        (moment.to_string() == text).then_some(moment)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1000;
        let (year, month, day) = civil(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Returns the date of a day counted from 1970-01-01, in the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years counted from March end with the leap day, so a month's first day
    // follows from its number alone.
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

/// Tells the time.
#[derive(Debug)]
pub enum Clock {
    /// The machine's time.
    Real,
    /// A pinned time that goes on by one second at each look.
    Pinned(AtomicU64),
}

impl Clock {
    /// Returns a clock that starts at `start` and goes on by one second at each look.
    pub fn pinned(start: Moment) -> Self {
        Self::Pinned(AtomicU64::new(start.0))
    }

    /// Returns the time.
    pub fn now(&self) -> Moment {
        match self {
            Self::Real => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the one place that asks the machine"
                )]
                let now = std::time::SystemTime::now();
                let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
                Moment(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
            }
            Self::Pinned(next) => Moment(next.fetch_add(1000, Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_show_as_rfc_3339() {
        assert_eq!(Moment(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Moment(951_827_696_000).to_string(), "2000-02-29T12:34:56Z");
        assert_eq!(
            Moment(1_794_700_799_000).to_string(),
            "2026-11-14T23:59:59Z"
        );
    }

    #[test]
    fn a_moment_reads_back_from_its_text() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2000-02-29T12:34:56Z",
            "2026-11-14T23:59:59Z",
        ] {
            assert_eq!(
                Moment::parse(text)
                    .map(|moment| moment.to_string())
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
            assert_eq!(Moment::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_pinned_clock_goes_on_by_a_second() {
        let clock = Clock::pinned(Moment(5000));
        assert_eq!((clock.now(), clock.now()), (Moment(5000), Moment(6000)));
    }
}
