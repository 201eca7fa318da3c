//! How many sync calls a build sent and settled over time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use synix_core::clock::Timestamp;

/// The maximum number of intervals.
const MAX_INTERVALS: u64 = 120;

/// The lengths of an interval in seconds. Longer builds have whole days.
const LENGTHS: [u64; 9] = [1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400];

/// The sync calls of a build over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRates {
    /// The length of an interval in seconds.
    pub seconds: u64,
    /// The intervals in which something was sent or settled, the oldest first.
    pub intervals: Vec<Interval>,
}

/// The sync calls of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// When it begins.
    pub at: Timestamp,
    /// The calls that were sent in it.
    pub sent: u64,
    /// The calls that were answered or failed in it.
    pub settled: u64,
}

/// The numbers of calls that were sent and settled in each second.
#[derive(Debug, Default)]
pub(super) struct CallTimes {
    seconds: BTreeMap<u64, (u64, u64)>,
}

impl CallTimes {
    /// Adds a call. A time that is not recorded is not counted.
    pub(super) fn add(&mut self, sent: Option<Timestamp>, settled: Option<Timestamp>) {
        if let Some(sent) = sent {
            self.seconds.entry(sent.0 / 1000).or_default().0 += 1;
        }
        if let Some(settled) = settled {
            self.seconds.entry(settled.0 / 1000).or_default().1 += 1;
        }
    }

    /// Returns the calls in intervals, of which there are at most [`MAX_INTERVALS`].
    pub(super) fn rates(&self) -> Option<CallRates> {
        let (first, _) = self.seconds.first_key_value()?;
        let (last, _) = self.seconds.last_key_value()?;
        let fits = |length: u64| last / length - first / length < MAX_INTERVALS;
        let length = LENGTHS.into_iter().find(|length| fits(*length));
        let seconds = length.unwrap_or_else(|| {
            let day = LENGTHS[LENGTHS.len() - 1];
            // One more, because the first and the last interval are not whole.
            ((last - first) / (MAX_INTERVALS - 1)).div_ceil(day) * day
        });
        let mut intervals: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        for (second, (sent, settled)) in &self.seconds {
            let interval = intervals.entry(second / seconds * seconds).or_default();
            interval.0 += sent;
            interval.1 += settled;
        }
        let intervals = intervals.into_iter().map(|(at, (sent, settled))| Interval {
            at: Timestamp(at.saturating_mul(1000)),
            sent,
            settled,
        });
        Some(CallRates {
            seconds,
            intervals: intervals.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(calls: &[(u64, Option<u64>)]) -> CallTimes {
        let mut times = CallTimes::default();
        for (sent, settled) in calls {
            let at = |second: u64| Timestamp(second * 1000 + 999);
            times.add(Some(at(*sent)), settled.map(at));
        }
        times
    }

    #[test]
    fn calls_without_times_have_no_rates() {
        let mut calls = CallTimes::default();
        calls.add(None, None);
        assert_eq!(calls.rates(), None);
    }

    #[test]
    fn each_call_counts_when_it_is_sent_and_when_it_is_settled() {
        let rates = times(&[(100, Some(101)), (100, Some(103)), (101, None)]).rates();
        let interval = |second: u64, sent, settled| Interval {
            at: Timestamp(second * 1000),
            sent,
            settled,
        };
        let expected = CallRates {
            seconds: 1,
            intervals: vec![
                interval(100, 2, 0),
                interval(101, 1, 1),
                interval(103, 0, 1),
            ],
        };
        assert_eq!(rates, Some(expected));
    }

    #[test]
    fn there_are_few_intervals_however_long_a_build_took() {
        for last in [
            1,
            119,
            120,
            7_199,
            7_200,
            864_000,
            10_368_001,
            2_000_000_000,
            u64::MAX / 1001,
        ] {
            let calls: Vec<_> = (0..=1000)
                .map(|at| (last / 1000 * at, Some(last)))
                .collect();
            let rates = times(&calls).rates().unwrap();
            let count = rates.intervals.len() as u64;
            assert!(count <= MAX_INTERVALS, "{last}: {count}");
            let sent: u64 = rates.intervals.iter().map(|one| one.sent).sum();
            let settled: u64 = rates.intervals.iter().map(|one| one.settled).sum();
            assert_eq!((sent, settled), (1001, 1001), "{last}");
        }
    }
}
