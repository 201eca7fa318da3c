//! Tokens as providers count them. What is not told is unknown, never zero.

use serde_json::Value;

use synix_core::request::Usage;

/// Whole numbers above cannot be told apart in a double.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Where a dialect keeps its counts, below `usage`. The first that can be read counts.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) input: &'static [&'static str],
    pub(super) output: &'static [&'static str],
    pub(super) cached: &'static [&'static str],
    pub(super) cache_write: &'static [&'static str],
    pub(super) reasoning: &'static [&'static str],
    /// Whether the cached tokens stand beside the input instead of being part of it.
    pub(super) beside: bool,
}

/// Reads the member `usage` of a reply.
pub(super) fn usage(body: &Value, places: &Places) -> Usage {
    let usage = body.get("usage").unwrap_or(&Value::Null);
    let find = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| usage.pointer(name).and_then(number))
    };
    let total = find(&["/total_tokens", "/totalTokens"]);
    let rest = |known: Option<u64>| total?.checked_sub(known?);
    let (mut input, mut output) = (find(places.input), find(places.output));
    if !places.beside {
        // Two of three tell the third.
        (input, output) = (
            input.or_else(|| rest(output)),
            output.or_else(|| rest(input)),
        );
    }
    let cached = find(places.cached).unwrap_or(0);
    let written = find(places.cache_write).unwrap_or(0);
    let fresh = input.unwrap_or(0);
    let whole = if places.beside {
        fresh.saturating_add(cached).saturating_add(written)
    } else {
        fresh
    };
    // No question has no tokens: a server that says so does not count.
    let nothing = whole == 0 && output.unwrap_or(0) == 0;
    Usage {
        input_tokens: whole,
        cached_tokens: cached.min(whole),
        cache_write_tokens: written.min(whole),
        output_tokens: output.unwrap_or(0),
        reasoning_tokens: find(places.reasoning).unwrap_or(0),
        uncounted: input.is_none() || output.is_none() || nothing,
    }
}

/// Reads a count: a whole number, also where it is written as `12.0` or as a text of digits.
pub(super) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
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

fn whole(number: f64) -> Option<u64> {
    let fits = number.fract() == 0.0 && (0.0..=LARGEST_WHOLE).contains(&number);
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

    const PLACES: Places = Places {
        input: &["/prompt_tokens", "/input_tokens"],
        output: &["/completion_tokens"],
        cached: &["/cached"],
        cache_write: &["/written"],
        reasoning: &[],
        beside: false,
    };

    fn read(counts: &Value) -> Usage {
        usage(&json!({ "usage": counts }), &PLACES)
    }

    /// X2
    #[test]
    fn whole_floats_and_texts_of_digits_are_read() {
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
            assert_eq!(number(&value), expected, "{value}");
        }
        let usage = read(&json!({"prompt_tokens": "10", "completion_tokens": 12.0}));
        assert_eq!(
            (usage.input_tokens, usage.output_tokens, usage.uncounted),
            (10, 12, false)
        );
    }

    /// X2
    #[test]
    fn what_is_not_told_is_unknown() {
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
        assert!(usage(&json!({}), &PLACES).uncounted);
    }

    #[test]
    fn two_counts_of_three_tell_the_third() {
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
