//! The waits that a provider's reply headers ask for.

use std::time::{Duration, UNIX_EPOCH};

use reqwest::header::HeaderMap;

use super::durations::{parse_duration, scale};
use synix_core::clock::Timestamp;

/// The limits in the headers of OpenAI and compatible servers, as `x-ratelimit-{remaining,reset}-…`.
const OPENAI_LIMITS: [&str; 2] = ["requests", "tokens"];

/// The limits in Anthropic's headers, as `anthropic-ratelimit-…-{remaining,reset}`.
const ANTHROPIC_LIMITS: [&str; 4] = ["requests", "tokens", "input-tokens", "output-tokens"];

/// Reads `retry-after-ms`, else `retry-after`: milliseconds, seconds or a date.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if let Some(wait) = text(headers, "retry-after-ms").and_then(|text| scale(text, 0.001)) {
        return Some(wait);
    }
    let text = text(headers, "retry-after")?;
    scale(text, 1.0).or_else(|| {
        let date = httpdate::parse_http_date(text).ok()?;
        let millis = date.duration_since(UNIX_EPOCH).ok()?.as_millis();
        Some(Timestamp(u64::try_from(millis).ok()?).since(now))
    })
}

/// Returns the time until every exhausted rate limit is reset; `None` if no limit is exhausted.
pub(super) fn until_reset(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let openai = OPENAI_LIMITS.into_iter().filter_map(|limit| {
        check_exhausted(headers, &format!("x-ratelimit-remaining-{limit}"))?;
        parse_duration(text(headers, &format!("x-ratelimit-reset-{limit}"))?)
    });
    let anthropic = ANTHROPIC_LIMITS.into_iter().filter_map(|limit| {
        check_exhausted(headers, &format!("anthropic-ratelimit-{limit}-remaining"))?;
        let reset = format!("anthropic-ratelimit-{limit}-reset");
        Some(Timestamp::parse(text(headers, &reset)?)?.since(now))
    });
    openai.chain(anthropic).max()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn check_exhausted(headers: &HeaderMap, name: &str) -> Option<()> {
    let remaining: f64 = text(headers, name)?.parse().ok()?;
    (remaining <= 0.0).then_some(())
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const NOW: Timestamp = Timestamp(1_794_700_799_000); // 2026-11-14T23:59:59Z

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
        let wait = |name, value| retry_after(&headers(&[(name, value)]), NOW);
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
    fn an_invalid_retry_after_is_ignored() {
        for value in ["", "soon", "-5", "NaN", "inf", "1e300"] {
            assert_eq!(
                retry_after(&headers(&[("retry-after", value)]), NOW),
                None,
                "{value:?}"
            );
        }
    }

    #[test]
    fn retry_after_ms_takes_precedence() {
        let both = headers(&[("retry-after", "1"), ("retry-after-ms", "20")]);
        assert_eq!(retry_after(&both, NOW), Some(Duration::from_millis(20)));
    }

    #[test]
    fn a_limit_that_is_not_exhausted_asks_for_no_wait() {
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
}
