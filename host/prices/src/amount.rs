//! Amounts of money in whole picodollars, so that sums are exact.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A non-negative amount of money in units of 10⁻¹² US dollars.
///
/// If a price per million tokens has at most 6 decimals, the price of a token is a whole number of these units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(u128);

const PER_DOLLAR: u128 = 1_000_000_000_000;

impl Amount {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// Converts from picodollars.
    pub const fn from_pico(pico: u128) -> Self {
        Self(pico)
    }

    /// Converts from US dollars and rounds. Returns `None` unless the number is between 0 and 10¹².
    pub fn from_usd(usd: f64) -> Option<Self> {
        if !(0.0..=1e12).contains(&usd) {
            return None;
        }
        // The shortest decimal text for this double is the one that the user wrote.
        let text = usd.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let digits: String = fraction
            .chars()
            .chain("000000000000".chars())
            .take(12)
            .collect();
        let round_up = fraction
            .as_bytes()
            .get(12)
            .is_some_and(|digit| *digit >= b'5');
        let whole: u128 = whole.parse().ok()?;
        let pico: u128 = digits.parse().ok()?;
        Some(Self(whole * PER_DOLLAR + pico + u128::from(round_up)))
    }

    /// Converts to US dollars and rounds to the nearest double.
    pub fn usd(self) -> f64 {
        let text = format!("{}.{:012}", self.0 / PER_DOLLAR, self.0 % PER_DOLLAR);
        text.parse().unwrap_or(f64::MAX)
    }

    /// Returns whether the amount is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Amount {
    type Output = Self;

    /// Saturates at zero.
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Amount {
    /// Rounds to a hundredth of a cent. A smaller amount is shown as `<$0.0001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: u128 = 10_000;
        const UNIT: u128 = PER_DOLLAR / SHOWN;
        if self.0 > 0 && self.0 < UNIT {
            return f.pad("<$0.0001");
        }
        let units = self.0.saturating_add(UNIT / 2) / UNIT;
        f.pad(&format!("${}.{:04}", units / SHOWN, units % SHOWN))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.usd())
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let usd = f64::deserialize(deserializer)?;
        Self::from_usd(usd).ok_or_else(|| de::Error::custom("not an amount of money"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_survive_a_round_trip() {
        for usd in [0.0, 0.1, 0.15, 1.25, 0.000_000_000_001, 123_456.789] {
            assert_eq!(
                Amount::from_usd(usd).unwrap().usd().to_string(),
                usd.to_string()
            );
        }
        assert_eq!(Amount::from_usd(0.1), Some(Amount(100_000_000_000)));
        assert_eq!(Amount::from_usd(0.000_000_000_000_5), Some(Amount(1)));
    }

    #[test]
    fn numbers_out_of_range_are_rejected() {
        for usd in [-0.01, f64::NAN, f64::INFINITY, 1e13] {
            assert_eq!(Amount::from_usd(usd), None, "{usd}");
        }
    }

    /// M11: 10 times 10 cents are 1 dollar.
    #[test]
    fn a_sum_is_exact() {
        let dime = Amount::from_usd(0.1).unwrap();
        let sum: Amount = std::iter::repeat_n(dime, 10).sum();
        assert_eq!(sum, Amount::from_usd(1.0).unwrap());
    }

    #[test]
    fn a_tiny_amount_is_not_shown_as_zero() {
        let shown = |usd| Amount::from_usd(usd).unwrap().to_string();
        assert_eq!(shown(0.0), "$0.0000");
        assert_eq!(shown(0.000_09), "<$0.0001");
        assert_eq!(shown(0.000_15), "$0.0002");
        assert_eq!(shown(12.345_649), "$12.3456");
    }
}
