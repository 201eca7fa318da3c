//! How long to wait: what a provider's headers ask for, and our own back-off.
//!
//! Only reads and computes; [`super::transport`] and [`super::pace`] wait.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{Duration, UNIX_EPOCH};

use reqwest::header::HeaderMap;

use synix_core::clock::Moment;

/// Told to wait longer than this, synix gives up instead.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(120);

const LONGEST_BACKOFF: Duration = Duration::from_secs(8);

/// The groups that OpenAI and its likes count, as `x-ratelimit-{remaining,reset}-…`.
const OPENAI_GROUPS: [&str; 2] = ["requests", "tokens"];

/// The groups that Anthropic counts, as `anthropic-ratelimit-…-{remaining,reset}`.
const ANTHROPIC_GROUPS: [&str; 4] = ["requests", "tokens", "input-tokens", "output-tokens"];

/// Returns what `retry-after-ms` or `retry-after` says: milliseconds, seconds or a date.
pub(super) fn told(headers: &HeaderMap, now: Moment) -> Option<Duration> {
    if let Some(wait) = text(headers, "retry-after-ms").and_then(|text| scaled(text, 0.001)) {
        return Some(wait);
    }
    let text = text(headers, "retry-after")?;
    scaled(text, 1.0).or_else(|| {
        let date = httpdate::parse_http_date(text).ok()?;
        let millis = date.duration_since(UNIX_EPOCH).ok()?.as_millis();
        Some(Moment(u64::try_from(millis).ok()?).since(now))
    })
}

/// Returns how long until every exhausted rate limit is reset; `None` where none is exhausted.
pub(super) fn until_reset(headers: &HeaderMap, now: Moment) -> Option<Duration> {
    let openai = OPENAI_GROUPS.into_iter().filter_map(|group| {
        exhausted(headers, &format!("x-ratelimit-remaining-{group}"))?;
        go_duration(text(headers, &format!("x-ratelimit-reset-{group}"))?)
    });
    let anthropic = ANTHROPIC_GROUPS.into_iter().filter_map(|group| {
        exhausted(headers, &format!("anthropic-ratelimit-{group}-remaining"))?;
        let reset = rfc_3339(text(
            headers,
            &format!("anthropic-ratelimit-{group}-reset"),
        )?)?;
        Some(reset.since(now))
    });
    openai.chain(anthropic).max()
}

/// Returns our own wait before try number `retry` (from 0): doubled each time, less up to a quarter.
pub(super) fn backoff(first: Duration, retry: u32) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(retry.min(16)));
    doubled
        .min(LONGEST_BACKOFF.max(first))
        .mul_f64(1.0 - jitter() / 4.0)
}

/// Returns a number from 0 to 1 that differs from call to call.
pub(super) fn jitter() -> f64 {
    // The standard library's hash keys are random; no more is needed here.
    let random = RandomState::new().build_hasher().finish();
    f64::from(u16::try_from(random & 0xffff).unwrap_or(0)) / 65_535.0
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn exhausted(headers: &HeaderMap, name: &str) -> Option<()> {
    let remaining: f64 = text(headers, name)?.parse().ok()?;
    (remaining <= 0.0).then_some(())
}

fn scaled(text: &str, unit: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse::<f64>().ok()? * unit).ok()
}

/// Reads durations such as `6ms`, `1m30s` and `2h0m1.5s`.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (digits, after) = rest.split_at(number);
        let end = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let seconds = match unit {
            "d" => 86_400.0,
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" | "μs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        sum = sum.checked_add(scaled(digits, seconds)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

/// Reads a time such as `2026-11-24T00:26:05.5Z` or `…+02:00`.
pub(super) fn rfc_3339(text: &str) -> Option<Moment> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, offset_seconds) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => (&time[..at], offset_seconds(&time[at..])?),
        None => return None,
    };
    let mut time = time.splitn(3, ':');
    let hour: i64 = time.next()?.parse().ok()?;
    let minute: i64 = time.next()?.parse().ok()?;
    let second = scaled(time.next()?, 1.0)?;
    let in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute);
    if !in_range || second.as_secs() > 60 {
        return None;
    }
    let seconds =
        days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 - offset_seconds;
    let millis = u64::try_from(seconds)
        .ok()?
        .checked_mul(1000)?
        .checked_add(u64::try_from(second.as_millis()).ok()?)?;
    Some(Moment(millis))
}

fn offset_seconds(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let seconds =
        i64::from(hours.parse::<u8>().ok()?) * 3600 + i64::from(minutes.parse::<u8>().ok()?) * 60;
    Some(if text.starts_with('-') {
        -seconds
    } else {
        seconds
    })
}

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years counted from March end with the leap day.
    let (year, month_from_march) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (153 * month_from_march + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const NOW: Moment = Moment(1_794_700_799_000); // 2026-11-14T23:59:59Z

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn retry_after_is_read_in_each_of_its_forms() {
        let wait = |name, value| told(&headers(&[(name, value)]), NOW);
        assert_eq!(wait("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(
            wait("retry-after", "Sun, 15 Nov 2026 00:00:09 GMT"),
            Some(Duration::from_secs(10))
        );
        assert_eq!(
            wait("retry-after", "Sun, 15 Nov 2020 00:00:09 GMT"),
            Some(Duration::ZERO)
        );
        assert_eq!(
            wait("retry-after-ms", "250"),
            Some(Duration::from_millis(250))
        );
    }

    #[test]
    fn a_retry_after_that_means_nothing_is_ignored() {
        for value in ["", "soon", "-5", "NaN", "inf", "1e300"] {
            assert_eq!(
                told(&headers(&[("retry-after", value)]), NOW),
                None,
                "{value:?}"
            );
        }
    }

    #[test]
    fn milliseconds_win_over_seconds() {
        let both = headers(&[("retry-after", "1"), ("retry-after-ms", "20")]);
        assert_eq!(told(&both, NOW), Some(Duration::from_millis(20)));
    }

    #[test]
    fn openai_durations_are_read() {
        let read = |text| go_duration(text).map(|duration| duration.as_millis());
        assert_eq!(read("6ms"), Some(6));
        assert_eq!(read("1m30s"), Some(90_000));
        assert_eq!(read("2h0m1.5s"), Some(7_201_500));
        assert_eq!(read("0s"), Some(0));
        for bad in ["", "5", "s", "1x", "1.2.3s", "-1s"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn times_are_read_with_fraction_and_offset() {
        assert_eq!(rfc_3339("2026-11-14T23:59:59Z"), Some(NOW));
        assert_eq!(
            rfc_3339("2026-11-15T01:59:59.250+02:00"),
            Some(Moment(NOW.0 + 250))
        );
        for bad in [
            "",
            "2026-11-14",
            "2026-13-14T00:00:00Z",
            "2026-11-14T00:00Z",
            "2026-11-14T00:00:00",
            "2026-11-14T00:00:00+é",
        ] {
            assert_eq!(rfc_3339(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn only_exhausted_limits_ask_for_a_wait() {
        let some_left = headers(&[
            ("x-ratelimit-remaining-requests", "3"),
            ("x-ratelimit-reset-requests", "9s"),
        ]);
        assert_eq!(until_reset(&some_left, NOW), None);
    }

    #[test]
    fn the_longest_reset_of_all_exhausted_limits_counts() {
        let openai = headers(&[
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "6ms"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-reset-tokens", "1m30s"),
        ]);
        assert_eq!(until_reset(&openai, NOW), Some(Duration::from_secs(90)));
        let anthropic = headers(&[
            ("anthropic-ratelimit-output-tokens-remaining", "0"),
            (
                "anthropic-ratelimit-output-tokens-reset",
                "2026-11-15T00:00:04Z",
            ),
        ]);
        assert_eq!(until_reset(&anthropic, NOW), Some(Duration::from_secs(5)));
    }

    #[test]
    fn no_backoff_means_no_waiting() {
        assert_eq!(backoff(Duration::ZERO, 9), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn backoff_stays_between_its_bounds(retry in 0_u32..40) {
            let wait = backoff(Duration::from_millis(500), retry);
            prop_assert!(wait >= Duration::from_millis(375) && wait <= Duration::from_secs(8));
        }

        #[test]
        fn every_moment_reads_back(millis in 0_u64..4_000_000_000_000) {
            let whole_second = Moment(millis / 1000 * 1000);
            prop_assert_eq!(rfc_3339(&whole_second.to_string()), Some(whole_second));
        }

        #[test]
        fn no_text_makes_the_readers_panic(text in "\\PC*") {
            let _ = (go_duration(&text), rfc_3339(&text));
        }
    }
}
