//! Token counts of a reply. A count that is not reported is unknown, never zero.

use serde_json::Value;

use synix_core::request::Usage;

/// A double cannot represent every whole number above this one.
const MAX_EXACT_DOUBLE: f64 = 9_007_199_254_740_992.0;

/// JSON pointers to the counts of a dialect, below `usage`. The first valid one is used.
#[derive(Debug)]
pub(super) struct UsagePaths {
    pub(super) input: &'static [&'static str],
    pub(super) output: &'static [&'static str],
    pub(super) cached: &'static [&'static str],
    pub(super) cache_write: &'static [&'static str],
    pub(super) reasoning: &'static [&'static str],
    /// Whether the input excludes the cached tokens.
    pub(super) excludes_cached: bool,
}

/// Reads the member `usage` of a reply.
pub(super) fn read_usage(body: &Value, paths: &UsagePaths) -> Usage {
    let usage = body.get("usage").unwrap_or(&Value::Null);
    let find = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| usage.pointer(name).and_then(parse_count))
    };
    let total = find(&["/total_tokens", "/totalTokens"]);
    let rest = |known: Option<u64>| total?.checked_sub(known?);
    let (mut input, mut output) = (find(paths.input), find(paths.output));
    if !paths.excludes_cached {
        // Two of the three counts determine the third.
        (input, output) = (
            input.or_else(|| rest(output)),
            output.or_else(|| rest(input)),
        );
    }
    let cached = find(paths.cached).unwrap_or(0);
    let written = find(paths.cache_write).unwrap_or(0);
    let uncached = input.unwrap_or(0);
    let all_input = if paths.excludes_cached {
        uncached.saturating_add(cached).saturating_add(written)
    } else {
        uncached
    };
    // Every request has tokens: a server that reports none does not count them.
    let are_all_zero = all_input == 0 && output.unwrap_or(0) == 0;
    Usage {
        input_tokens: all_input,
        cached_tokens: cached.min(all_input),
        cache_write_tokens: written.min(all_input),
        output_tokens: output.unwrap_or(0),
        reasoning_tokens: find(paths.reasoning).unwrap_or(0),
        uncounted: input.is_none() || output.is_none() || are_all_zero,
    }
}

/// Reads a whole number, also in the form `12.0` or as a string of digits.
pub(super) fn parse_count(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| whole_number(number.as_f64()?)),
        Value::String(text) => {
            let text = text.trim();
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            match text.split_once('.') {
                Some((whole, zeros)) if digits(whole) && zeros.bytes().all(|byte| byte == b'0') => {
                    whole.parse().ok()
                }
                None if digits(text) => text.parse().ok(),
                _ => None,
            }
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn whole_number(number: f64) -> Option<u64> {
    let fits = number.fract() == 0.0 && (0.0..=MAX_EXACT_DOUBLE).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, not negative, and small enough"
    )]
    fits.then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const USAGE_PATHS: UsagePaths = UsagePaths {
        input: &["/prompt_tokens", "/input_tokens"],
        output: &["/completion_tokens"],
        cached: &["/cached"],
        cache_write: &["/written"],
        reasoning: &[],
        excludes_cached: false,
    };

    fn read(counts: &Value) -> Usage {
        read_usage(&json!({ "usage": counts }), &USAGE_PATHS)
    }

    /// X2
    #[test]
    fn whole_floats_and_strings_of_digits_are_read() {
        for (value, expected) in [
            (json!(12), Some(12)),
            (json!(12.0), Some(12)),
            (json!(1.2e1), Some(12)),
            (json!("12"), Some(12)),
            (json!(" 12.0 "), Some(12)),
            (json!(12.5), None),
            (json!(-1), None),
            (json!("12.5"), None),
            (json!("twelve"), None),
            (json!(""), None),
            (json!("."), None),
            (json!("1e3"), None),
            (json!(1e300), None),
            (json!(null), None),
            (json!([12]), None),
        ] {
            assert_eq!(parse_count(&value), expected, "{value}");
        }
        let usage = read(&json!({"prompt_tokens": "10", "completion_tokens": 12.0}));
        assert_eq!(
            (usage.input_tokens, usage.output_tokens, usage.uncounted),
            (10, 12, false)
        );
    }

    /// X2
    #[test]
    fn a_count_that_is_not_reported_is_unknown() {
        for counts in [
            json!(null),
            json!("10"),
            json!({}),
            json!({"prompt_tokens": null, "completion_tokens": 3}),
            json!({"prompt_tokens": 3}),
            json!({"prompt_tokens": 3, "completion_tokens": "many"}),
            json!({"prompt_tokens": 0, "completion_tokens": 0}),
        ] {
            assert!(read(&counts).uncounted, "{counts}");
        }
        assert!(read_usage(&json!({}), &USAGE_PATHS).uncounted);
    }

    #[test]
    fn two_counts_determine_the_third() {
        let counted = read(&json!({"prompt_tokens": 7, "total_tokens": 10}));
        assert_eq!((counted.output_tokens, counted.uncounted), (3, false));
        let absurd = read(&json!({"prompt_tokens": 7, "total_tokens": 3}));
        assert!(absurd.uncounted);
    }

    #[test]
    fn other_names_are_known() {
        let counted = read(&json!({"input_tokens": 7, "completion_tokens": 1}));
        assert_eq!((counted.input_tokens, counted.uncounted), (7, false));
    }
}
