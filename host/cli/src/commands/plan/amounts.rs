//! Rounds amounts so that a bound stays a bound.

use synix_prices::Amount;

/// Formats a lower bound: rounded down, but never to zero.
pub(super) fn at_least(amount: Amount) -> String {
    let text = format!("{:.12}", amount.usd());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let zeros = fraction.len() - fraction.trim_start_matches('0').len();
    let digits = if whole == "0" && zeros >= 4 && zeros < fraction.len() {
        zeros + 2
    } else {
        4
    };
    let fraction: String = fraction.chars().take(digits).collect();
    format!("${whole}.{fraction}")
}

/// Formats an upper bound: rounded up.
pub(super) fn at_most(amount: Amount) -> String {
    let text = format!("{:.12}", amount.usd());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let (shown, rest) = fraction.split_at(fraction.len().min(4));
    let units: u128 = format!("{whole}{shown}").parse().unwrap_or(u128::MAX);
    let more = rest.bytes().any(|digit| digit != b'0');
    let units = units.saturating_add(more.into());
    format!("${}.{:04}", units / 10_000, units % 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// U2: a lower bound is never shown as zero, and never rounded up.
    #[test]
    fn a_small_lower_bound_keeps_its_digits() {
        let shown = |usd| at_least(Amount::from_usd(usd).unwrap());
        assert_eq!(shown(0.000_007_8), "$0.0000078");
        assert_eq!(shown(0.000_15), "$0.0001");
        assert_eq!(shown(1.234_59), "$1.2345");
        assert_eq!(shown(0.000_000_000_1), "$0.00000000010");
    }

    /// A bound that is rounded down would not be a bound.
    #[test]
    fn an_upper_bound_is_rounded_up() {
        let shown = |usd| at_most(Amount::from_usd(usd).unwrap());
        assert_eq!(shown(0.0), "$0.0000");
        assert_eq!(shown(0.000_000_1), "$0.0001");
        assert_eq!(shown(0.000_2), "$0.0002");
        assert_eq!(shown(1.999_91), "$2.0000");
    }
}
