//! Random numbers for tests: a seed means the same numbers on every machine and in every version.
//!
//! A sequence that fails is repeated by its seed, so a library whose numbers may change does not do.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

/// The generator `SplitMix64`; the number is its state, and at first its seed.
#[derive(Debug, Clone)]
pub struct SeededRandom(pub u64);

impl SeededRandom {
    /// Returns a number of 64 bits.
    pub const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Returns a number from 0 up to `end`, without `end`. For 0, it returns 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.draw() % end.max(1)
    }

    /// Returns one of these, of which there must be at least one.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let at = self.below(choices.len() as u64);
        #[expect(clippy::cast_possible_truncation, reason = "it is below a length")]
        choices[at as usize]
    }

    /// Returns a number from 0 up to 1, without 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub const fn fraction(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the reference implementation in C.
    #[test]
    fn the_numbers_of_a_seed_never_change() {
        let mut random = SeededRandom(1_234_567);
        let numbers = [random.draw(), random.draw(), random.draw()];
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(numbers, expected);
    }

    #[test]
    fn a_number_is_below_its_end() {
        let mut random = SeededRandom(1);
        assert!((0..1_000).all(|_| random.below(3) < 3));
        assert!((0..1_000).all(|_| (0.0..1.0).contains(&random.fraction())));
        assert_eq!(random.below(0), 0);
    }
}
