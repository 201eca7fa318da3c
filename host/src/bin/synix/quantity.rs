//! Times and sizes as a person writes them.

use std::time::Duration;

const TIMES: [(&str, u64); 5] = [
    ("s", 1),
    ("m", 60),
    ("h", 3600),
    ("d", 24 * 3600),
    ("w", 7 * 24 * 3600),
];

const SIZES: [(&str, u64); 4] = [
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// Reads a time such as `30d`.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    read(text, &TIMES, "30d; the units are s, m, h, d and w").map(Duration::from_secs)
}

/// Reads a size such as `2GB`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    read(text, &SIZES, "2GB; the units are B, KB, MB and GB")
}

fn read(text: &str, units: &[(&str, u64)], example: &str) -> Result<u64, String> {
    units
        .iter()
        .find_map(|(unit, worth)| {
            let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
            number.checked_mul(*worth)
        })
        .ok_or_else(|| format!("write it like {example}"))
}

/// Writes a size for a person.
pub(crate) fn bytes(count: u64) -> String {
    let unit = SIZES
        .iter()
        .take(3)
        .rev()
        .find(|(_, worth)| count >= *worth);
    match unit {
        Some((unit, worth)) => {
            let tenths = count / (worth / 10);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{count} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(time("2d"), Ok(Duration::from_secs(172_800)));
        assert_eq!(time("90m"), Ok(Duration::from_secs(5400)));
        for bad in [
            "2",
            "d",
            "-1d",
            "1.5h",
            "99999999999999999999w",
            "18446744073709551615w",
        ] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_size_has_a_unit() {
        assert_eq!(size("2GB"), Ok(2_000_000_000));
        assert_eq!(size("7B"), Ok(7));
        assert!(size("2").is_err());
    }

    #[test]
    fn bytes_are_shown_in_the_largest_unit_that_fits() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_250_000), "1.2 MB");
    }
}
