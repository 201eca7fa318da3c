//! Times and durations in the forms that providers write them.

use std::time::Duration;

use synix_core::clock::Timestamp;

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

/// Reads a time such as `2026-11-24T00:26:05.5Z` or `…+02:00`.
pub(super) fn parse_rfc_3339(text: &str) -> Option<Timestamp> {
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
    let second = scale(time.next()?, 1.0)?;
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
    Some(Timestamp(millis))
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
    // If years begin in March, the leap day is their last day.
    let (year, month_from_march) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (153 * month_from_march + 2) / 5 + day - 1 - 719_468
}

/// Reads a number of units of `unit` seconds.
pub(super) fn scale(text: &str, unit: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse::<f64>().ok()? * unit).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_794_700_799_000); // 2026-11-14T23:59:59Z

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

    #[test]
    fn times_are_read_with_fraction_and_offset() {
        assert_eq!(parse_rfc_3339("2026-11-14T23:59:59Z"), Some(NOW));
        assert_eq!(
            parse_rfc_3339("2026-11-15T01:59:59.250+02:00"),
            Some(Timestamp(NOW.0 + 250))
        );
        for bad in [
            "",
            "2026-11-14",
            "2026-13-14T00:00:00Z",
            "2026-11-14T00:00Z",
            "2026-11-14T00:00:00",
            "2026-11-14T00:00:00+é",
        ] {
            assert_eq!(parse_rfc_3339(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_reads_back(millis in 0_u64..4_000_000_000_000) {
            let whole_second = Timestamp(millis / 1000 * 1000);
            prop_assert_eq!(parse_rfc_3339(&whole_second.to_string()), Some(whole_second));
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC*") {
            let _ = (parse_duration(&text), parse_rfc_3339(&text));
        }
    }
}
