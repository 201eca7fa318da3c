//! What answers on record say about the cost of the next ones.

use super::{Amount, Estimate, PriceError, Prices, Rate};
use synix_core::request::Usage;

/// A ratio of counted to estimated tokens beyond this, or below its inverse, says that something else was counted.
const MAX_RATIO: f64 = 10.0;

/// What answers on record say about the next answer of the same layer or model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Basis {
    /// The number of answers.
    pub answers: u64,
    /// The mean of their output tokens, rounded. Only means add up: the sum of many answers is near the sum of their
    /// means, and with lengths that are skewed far from that of their medians.
    pub mean: u64,
    /// The median of their output tokens.
    pub median: u64,
    /// The 90th percentile of their output tokens.
    pub p90: u64,
    /// How many input tokens their providers counted for each token that was estimated.
    pub input_ratio: f64,
}

/// The input tokens of answers on record: as their providers counted them, and as they are estimated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InputSums {
    /// As counted.
    pub counted: u64,
    /// As estimated.
    pub estimated: u64,
}

/// The expected cost of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedCost {
    /// If its answer is as long as the mean.
    pub mean: Amount,
    /// If its answer is as long as the median.
    pub median: Amount,
    /// If its answer is as long as the 90th percentile.
    pub p90: Amount,
}

impl Basis {
    /// Returns what answers with these output tokens say; `None` without an answer.
    pub fn of(mut outputs: Vec<u64>, inputs: InputSums) -> Option<Self> {
        outputs.sort_unstable();
        let at = |percent: usize| outputs.get(rank(outputs.len(), percent)).copied();
        Some(Self {
            answers: outputs.len() as u64,
            mean: mean(&outputs)?,
            median: at(50)?,
            p90: at(90)?,
            input_ratio: inputs.ratio(),
        })
    }

    /// Returns the input tokens that a provider will count for an estimate.
    fn input(&self, estimated: u64) -> u64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the product is positive, and a conversion saturates"
        )]
        let input = (estimated as f64 * self.input_ratio).round() as u64;
        input
    }
}

impl InputSums {
    fn ratio(self) -> f64 {
        if self.counted == 0 || self.estimated == 0 {
            return 1.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "the quotient needs few digits")]
        let ratio = self.counted as f64 / self.estimated as f64;
        ratio.clamp(1.0 / MAX_RATIO, MAX_RATIO)
    }
}

/// Returns the mean, rounded half up.
fn mean(values: &[u64]) -> Option<u64> {
    // A sum of counts that are not plausible could overflow in 64 bits.
    let sum: u128 = values.iter().copied().map(u128::from).sum();
    let count = values.len() as u128;
    let rounded = (sum + count / 2).checked_div(count)?;
    u64::try_from(rounded).ok()
}

/// Returns the index of a percentile among this many sorted values, by the nearest rank.
const fn rank(count: usize, percent: usize) -> usize {
    // `count * percent` could overflow.
    let (hundreds, rest) = (count / 100, count % 100);
    (hundreds * percent + (rest * percent).div_ceil(100)).saturating_sub(1)
}

impl Prices {
    /// Returns the cost that a request is expected to have, which lies between its minimum and its maximum. Without a
    /// basis it is the maximum.
    pub fn expected_cost(
        &self,
        model: &str,
        estimate: &Estimate,
        rate: Rate,
        basis: Option<&Basis>,
    ) -> Result<ExpectedCost, PriceError> {
        let max = self.max_cost(model, estimate, rate);
        let Some(basis) = basis else {
            return max.map(|max| ExpectedCost {
                mean: max,
                median: max,
                p90: max,
            });
        };
        let min = self.min_cost(model, estimate, rate)?;
        let input = estimate
            .input_tokens
            .map_err(|uncounted| uncounted.of(model))?;
        let cost = |output: u64| {
            let usage = Usage {
                input_tokens: basis.input(input),
                output_tokens: estimate.output_tokens.map_or(output, |max| max.min(output)),
                ..Usage::default()
            };
            let cost = self.cost(model, &usage, rate)?.max(min);
            Ok(max.as_ref().map_or(cost, |max| cost.min(*max)))
        };
        Ok(ExpectedCost {
            mean: cost(basis.mean)?,
            median: cost(basis.median)?,
            p90: cost(basis.p90)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MODEL: &str = "gpt-4o-mini";

    fn estimate(input: u64, output: Option<u64>) -> Estimate {
        Estimate {
            input_tokens: Ok(input),
            input_estimated: true,
            output_tokens: output,
            may_write_cache: true,
        }
    }

    fn basis(outputs: &[u64]) -> Option<Basis> {
        Basis::of(outputs.to_vec(), InputSums::default())
    }

    #[test]
    fn percentiles_are_values_on_record() {
        assert_eq!(basis(&[]), None);
        let found = |outputs: &[u64]| basis(outputs).map(|found| (found.median, found.p90));
        assert_eq!(found(&[7]), Some((7, 7)));
        assert_eq!(found(&[9, 1]), Some((1, 9)));
        assert_eq!(found(&[3, 1, 2]), Some((2, 3)));
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(found(&hundred), Some((50, 90)));
    }

    #[test]
    fn the_mean_counts_the_few_long_answers() {
        let mean = |outputs: &[u64]| basis(outputs).map(|found| found.mean);
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[10, 10, 10, 90]), Some(30));
        assert_eq!(mean(&[1, 2]), Some(2));
        assert_eq!(mean(&[u64::MAX, u64::MAX]), Some(u64::MAX));
    }

    #[test]
    fn the_estimate_of_the_input_is_corrected_within_limits() {
        let ratio = |counted, estimated| InputSums { counted, estimated }.ratio();
        assert!((ratio(150, 100) - 1.5).abs() < 1e-12);
        assert!((ratio(0, 100) - 1.0).abs() < 1e-12);
        assert!((ratio(u64::MAX, 1) - MAX_RATIO).abs() < 1e-12);
        let prices = Prices::default();
        let expected = |counted| {
            let inputs = InputSums {
                counted,
                estimated: 1000,
            };
            let basis = Basis::of(vec![10], inputs);
            let estimate = estimate(10_000, Some(100_000));
            let cost = prices.expected_cost(MODEL, &estimate, Rate::Sync, basis.as_ref());
            cost.unwrap().mean
        };
        assert!(expected(2000) > expected(1000));
        // It is never below the minimum, which assumes the estimate.
        assert_eq!(expected(1), expected(500));
    }

    #[test]
    fn without_a_basis_the_maximum_is_expected() {
        let prices = Prices::default();
        let request = estimate(100, Some(50));
        let expected = prices
            .expected_cost(MODEL, &request, Rate::Batch, None)
            .unwrap();
        let max = prices.max_cost(MODEL, &request, Rate::Batch).unwrap();
        assert_eq!(
            (expected.mean, expected.median, expected.p90),
            (max, max, max)
        );
        let unlimited = estimate(100, None);
        assert!(
            prices
                .expected_cost(MODEL, &unlimited, Rate::Sync, None)
                .is_err()
        );
        let basis = basis(&[20]);
        assert!(
            prices
                .expected_cost(MODEL, &unlimited, Rate::Sync, basis.as_ref())
                .is_ok()
        );
        assert!(
            prices
                .expected_cost("unknown", &request, Rate::Sync, basis.as_ref())
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn an_expected_cost_lies_between_the_bounds(
            outputs in prop::collection::vec(any::<u32>().prop_map(u64::from), 0..50),
            (input, max) in (0_u64..10_000_000, 0_u64..1_000_000),
            (counted, estimated) in (any::<u64>(), any::<u64>()),
        ) {
            let prices = Prices::default();
            let basis = Basis::of(outputs, InputSums { counted, estimated });
            let request = estimate(input, Some(max));
            let expected = prices.expected_cost(MODEL, &request, Rate::Sync, basis.as_ref()).unwrap();
            let least = prices.min_cost(MODEL, &request, Rate::Sync).unwrap();
            let most = prices.max_cost(MODEL, &request, Rate::Sync).unwrap();
            prop_assert!(least <= expected.mean && expected.mean <= most);
            prop_assert!(least <= expected.median);
            prop_assert!(expected.median <= expected.p90);
            prop_assert!(expected.p90 <= most);
        }

        #[test]
        fn longer_answers_are_never_expected_to_cost_less(
            outputs in prop::collection::vec(0_u64..100_000, 1..50),
            more in 0_u64..100_000,
            at in any::<prop::sample::Index>(),
        ) {
            let prices = Prices::default();
            let cost = |outputs: Vec<u64>| {
                let basis = Basis::of(outputs, InputSums::default());
                prices.expected_cost(MODEL, &estimate(500, None), Rate::Sync, basis.as_ref()).unwrap()
            };
            let before = cost(outputs.clone());
            let mut longer = outputs;
            let at = at.index(longer.len());
            longer[at] += more;
            let after = cost(longer);
            prop_assert!(before.mean <= after.mean);
            prop_assert!(before.median <= after.median && before.p90 <= after.p90);
        }

        #[test]
        fn extreme_counts_do_not_overflow(outputs in prop::collection::vec(any::<u64>(), 1..5)) {
            let basis = Basis::of(outputs, InputSums { counted: u64::MAX, estimated: 1 });
            let request = estimate(u64::MAX, None);
            let expected = Prices::default().expected_cost(MODEL, &request, Rate::Sync, basis.as_ref());
            prop_assert!(expected.is_ok());
        }
    }
}
