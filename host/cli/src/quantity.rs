//! Parses durations and sizes from arguments, and formats numbers for text output.

use std::time::Duration;

/// A duration without a unit is in seconds.
const TIMES: [(&str, u64); 6] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60 * 1_000),
    ("h", 3_600 * 1_000),
    ("d", 24 * 3_600 * 1_000),
    ("w", 7 * 24 * 3_600 * 1_000),
];

const SIZES: [(&str, u64); 5] = [
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// Parses a duration: `45`, `45s`, `1.5h`, `15m`, `2d` or `1w`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        "write a number of seconds, or a number with ms, s, m, h, d or w, such as 45s, 1.5h or 2d"
            .to_owned()
    };
    let (number, factor) = TIMES
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))
        .filter(|(number, _)| number.ends_with(|one: char| one.is_ascii_digit()))
        .unwrap_or((text, 1_000));
    scaled(number, factor)
        .map(Duration::from_millis)
        .ok_or_else(wrong)
}

/// Parses a size such as `500MB` or `1.5GB`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let upper = text.to_ascii_uppercase();
    SIZES
        .iter()
        .find_map(|(unit, factor)| scaled(upper.strip_suffix(unit)?, *factor))
        .ok_or_else(|| "write a number with B, KB, MB, GB or TB, such as 500MB or 1.5GB".to_owned())
}

/// Multiplies a decimal number such as `1.5`; `None` if the text is not one or the result is too large.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|one| one.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    // Nine digits are finer than any unit.
    let fraction = &fraction[..fraction.len().min(9)];
    let parts = u128::from(fraction.parse::<u64>().ok()?) * u128::from(factor);
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    whole
        .checked_mul(factor)?
        .checked_add(u64::try_from(parts / scale).ok()?)
}

/// Formats a large number: `950`, `12.3k`, `1.2M`.
pub(crate) fn short(count: u64) -> String {
    const SCALES: [(u64, &str); 3] = [(1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k")];
    match SCALES.iter().find(|(from, _)| count >= *from) {
        None => count.to_string(),
        Some((from, unit)) => {
            let tenth = if *unit == "k" { 100 } else { from / 10 };
            let tenths = count / tenth;
            format!("{}.{}{unit}", tenths / 10, tenths % 10)
        }
    }
}

/// Formats a size.
pub(crate) fn bytes(count: u64) -> String {
    let unit = SIZES
        .iter()
        .take(4)
        .rev()
        .find(|(_, factor)| count >= *factor);
    match unit {
        Some((unit, factor)) => {
            let tenths = count / (factor / 10);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{count} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_with_an_optional_unit() {
        let cases = [
            ("0", 0),
            ("45", 45_000),
            ("0.05", 50),
            ("250ms", 250),
            ("45s", 45_000),
            ("15m", 900_000),
            ("1.5h", 5_400_000),
            ("2d", 172_800_000),
            ("1w", 604_800_000),
        ];
        for (text, millis) in cases {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in [
            "",
            "h",
            "-1s",
            "+1",
            "1e3",
            "inf",
            "nan",
            "1 h",
            "1.h",
            ".5h",
            "1y",
            "1H",
            "soon",
            "99999999999999999999w",
            "18446744073709551615w",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_size_has_a_unit() {
        let cases = [
            ("7B", 7),
            ("2GB", 2_000_000_000),
            ("1.5gb", 1_500_000_000),
            ("500MB", 500_000_000),
        ];
        for (text, count) in cases {
            assert_eq!(size(text), Ok(count), "{text}");
        }
        for bad in ["2", "", "GB", "-1GB", "1.GB", "99999999999TB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_large_number_is_shown_in_short() {
        let shown = [0, 9_999, 10_000, 12_345, 999_999, 1_234_567, 2_000_000_000].map(short);
        assert_eq!(
            shown,
            ["0", "9999", "10.0k", "12.3k", "999.9k", "1.2M", "2.0G"]
        );
    }

    #[test]
    fn bytes_are_shown_in_the_largest_unit_that_fits() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_250_000), "1.2 MB");
    }
}
