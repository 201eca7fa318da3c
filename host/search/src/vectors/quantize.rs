//! Vectors rounded to one byte for each number, with a bound of what the rounding changes.

/// What is added to each bound for the rounding of the arithmetic itself.
const EPSILON: f32 = 1e-5;

/// The greatest number of a rounded vector.
const MAX_BYTE: f32 = 127.0;

/// A vector of length 1, rounded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rounded {
    /// What a number is multiplied with.
    pub(crate) scale: f32,
    /// The distance from the exact vector.
    pub(crate) error: f32,
    /// The numbers as bytes with a sign.
    pub(crate) numbers: Vec<u8>,
}

impl Rounded {
    pub(crate) fn of(vector: &[f32]) -> Self {
        let largest = vector.iter().fold(0.0_f32, |most, one| most.max(one.abs()));
        let scale = (largest / MAX_BYTE).max(f32::MIN_POSITIVE);
        let mut squares = 0.0_f64;
        let numbers = vector
            .iter()
            .map(|one| {
                let rounded = (one / scale).round().clamp(-MAX_BYTE, MAX_BYTE);
                let rest = f64::from(*one) - f64::from(rounded) * f64::from(scale);
                squares += rest * rest;
                #[expect(clippy::cast_possible_truncation, reason = "clamped to a byte")]
                let byte = rounded as i8;
                byte.cast_unsigned()
            })
            .collect();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a bound that is rounded up below"
        )]
        let error = squares.sqrt() as f32;
        Self {
            scale,
            error: error + EPSILON,
            numbers,
        }
    }
}

/// A query of length 1, rounded to two bytes for each number.
#[derive(Debug)]
pub(crate) struct RoundedQuery {
    scale: f32,
    error: f32,
    numbers: Vec<i16>,
}

impl RoundedQuery {
    pub(crate) fn of(vector: &[f32]) -> Self {
        // A sum of products must fit into 32 bits.
        #[expect(
            clippy::cast_precision_loss,
            reason = "a limit, far below the precision of 32 bits"
        )]
        let limit = (2.0e9 / (MAX_BYTE * vector.len().max(1) as f32)).min(32_000.0);
        let largest = vector.iter().fold(0.0_f32, |most, one| most.max(one.abs()));
        let scale = (largest / limit).max(f32::MIN_POSITIVE);
        let mut squares = 0.0_f64;
        let numbers = vector
            .iter()
            .map(|one| {
                let rounded = (one / scale).round().clamp(-limit, limit);
                let rest = f64::from(*one) - f64::from(rounded) * f64::from(scale);
                squares += rest * rest;
                #[expect(clippy::cast_possible_truncation, reason = "clamped to 32,000")]
                let number = rounded as i16;
                number
            })
            .collect();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a bound that is rounded up below"
        )]
        let error = squares.sqrt() as f32;
        Self {
            scale,
            error: error + EPSILON,
            numbers,
        }
    }

    pub(crate) fn dimensions(&self) -> usize {
        self.numbers.len()
    }

    /// Returns the greatest cosine that the exact vector can have.
    pub(crate) fn upper_bound(&self, numbers: &[u8], scale: f32, error: f32) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "covered by the bound")]
        let product = dot(numbers, &self.numbers) as f32 * scale * self.scale;
        product + self.error * (1.0 + error) + error * (1.0 + EPSILON) + EPSILON
    }
}

/// Returns the product of a rounded vector and a query. The compiler makes instructions of it that take 8 numbers at once.
fn dot(numbers: &[u8], query: &[i16]) -> i32 {
    numbers
        .iter()
        .zip(query)
        .map(|(number, of)| i32::from(number.cast_signed()) * i32::from(*of))
        .sum()
}

/// Returns the product of two vectors.
pub(crate) fn exact_dot(one: &[f32], other: &[f32]) -> f64 {
    one.iter()
        .zip(other)
        .map(|(one, other)| f64::from(*one) * f64::from(*other))
        .sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::embedding::normalized;

    proptest! {
        #[test]
        fn the_bound_is_never_below_the_exact_cosine(
            one in prop::collection::vec(-1.0_f32..1.0, 1..300),
            seed: u64,
        ) {
            let mut state = seed | 1;
            let other: Vec<f32> = one.iter().map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state % 2001) as f32 / 1000.0 - 1.0
            }).collect();
            let (Some(one), Some(other)) = (normalized(&one), normalized(&other)) else { return Ok(()); };
            let rounded = Rounded::of(&one);
            let query = RoundedQuery::of(&other);
            let bound = query.upper_bound(&rounded.numbers, rounded.scale, rounded.error);
            let exact = exact_dot(&one, &other);
            prop_assert!(f64::from(bound) >= exact, "{bound} {exact}");
            prop_assert!(f64::from(bound) - exact < 0.2, "{bound} {exact}");
        }
    }

    #[test]
    fn many_dimensions_do_not_overflow() {
        let vector = normalized(&[1.0; 16_384]).unwrap();
        let rounded = Rounded::of(&vector);
        let bound =
            RoundedQuery::of(&vector).upper_bound(&rounded.numbers, rounded.scale, rounded.error);
        assert!((1.0..1.1).contains(&bound), "{bound}");
    }
}
