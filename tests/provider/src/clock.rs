//! The clock of the server, and its ids.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::Offset;

/// Returns the time in nanoseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the provider has a clock of its own; nothing it says about time is compared"
)]
fn now() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_nanos())
}

/// Returns the time in seconds since 1970.
pub(crate) fn seconds() -> u64 {
    u64::try_from(now() / 1_000_000_000).unwrap_or(u64::MAX)
}

/// Writes a time as RFC 3339, with the fraction and the offset that Anthropic writes.
pub(crate) fn rfc3339(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    format!("{:.6}", time.display_with_offset(Offset::UTC))
}

/// Mixes a number so that near inputs give far outputs.
pub(crate) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Generates ids that are unique among all servers.
#[derive(Debug)]
pub(crate) struct Ids {
    start: u64,
    given: AtomicU64,
}

impl Ids {
    pub(crate) fn new() -> Self {
        let nanoseconds = u64::try_from(now() & u128::from(u64::MAX)).unwrap_or(0);
        Self {
            start: mix(nanoseconds ^ u64::from(std::process::id()).rotate_left(32)),
            given: AtomicU64::new(0),
        }
    }

    /// Returns the next id: 32 hex digits.
    pub(crate) fn next(&self) -> String {
        let count = self.given.fetch_add(1, Ordering::Relaxed);
        format!(
            "{:016x}{:016x}",
            mix(self.start.wrapping_add(count)),
            mix(count ^ self.start.rotate_left(17))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000000+00:00");
        assert_eq!(rfc3339(1_709_210_096), "2024-02-29T12:34:56.000000+00:00");
        assert_eq!(rfc3339(1_767_225_599), "2025-12-31T23:59:59.000000+00:00");
    }

    #[test]
    fn ids_differ() {
        let ids = Ids::new();
        assert_ne!(ids.next(), ids.next());
    }
}
