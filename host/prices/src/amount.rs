//! Money in whole picodollars: sums never drift.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde::{Serialize, Serializer};

/// An amount of money in units of 10⁻¹² US dollars; never negative.
///
/// A price per million tokens with up to six decimals is a whole number of them for one token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(u128);

const PER_DOLLAR: u128 = 1_000_000_000_000;

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Returns the amount of so many picodollars.
    pub const fn from_pico(pico: u128) -> Self {
        Self(pico)
    }

    /// Returns the amount nearest to so many dollars; `None` unless that is a number from 0 to 10¹².
    pub fn from_usd(usd: f64) -> Option<Self> {
        if !(0.0..=1e12).contains(&usd) {
            return None;
        }
        // The shortest decimal that means this double is what the user wrote.
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

    /// Returns the double nearest to the amount in dollars.
    pub fn usd(self) -> f64 {
        let text = format!("{}.{:012}", self.0 / PER_DOLLAR, self.0 % PER_DOLLAR);
        text.parse().unwrap_or(f64::MAX)
    }

    /// Returns whether it is nothing.
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

    /// Stops at zero.
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
    /// Rounds to a hundredth of a cent, and says where something is less than that.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_kept_as_they_are_written() {
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
    fn what_is_no_amount_is_refused() {
        for usd in [-0.01, f64::NAN, f64::INFINITY, 1e13] {
            assert_eq!(Amount::from_usd(usd), None, "{usd}");
        }
    }

    /// M11: ten times ten cents are a dollar.
    #[test]
    fn a_sum_does_not_drift() {
        let dime = Amount::from_usd(0.1).unwrap();
        let sum: Amount = std::iter::repeat_n(dime, 10).sum();
        assert_eq!(sum, Amount::from_usd(1.0).unwrap());
    }

    #[test]
    fn little_is_not_shown_as_nothing() {
        let shown = |usd| Amount::from_usd(usd).unwrap().to_string();
        assert_eq!(shown(0.0), "$0.0000");
        assert_eq!(shown(0.000_09), "<$0.0001");
        assert_eq!(shown(0.000_15), "$0.0002");
        assert_eq!(shown(12.345_649), "$12.3456");
    }
}
