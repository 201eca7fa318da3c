//! Durations in the forms that providers write them. Times in RFC 3339 are read by `Timestamp`.

use std::time::Duration;

/// Reads a duration such as `6ms`, `1m30s` or `2h0m1.5s`.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
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
        sum = sum.checked_add(scale(digits, seconds)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

/// Reads a number of units of `unit` seconds.
pub(super) fn scale(text: &str, unit: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse::<f64>().ok()? * unit).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn openai_durations_are_read() {
        let read = |text| parse_duration(text).map(|duration| duration.as_millis());
        assert_eq!(read("6ms"), Some(6));
        assert_eq!(read("1m30s"), Some(90_000));
        assert_eq!(read("2h0m1.5s"), Some(7_201_500));
        assert_eq!(read("0s"), Some(0));
        for bad in ["", "5", "s", "1x", "1.2.3s", "-1s"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = parse_duration(&text);
        }
    }
}
