//! A small seeded generator, so that every run of a seed is the same.

use std::time::Duration;

use synix_test_random::SeededRandom;

#[derive(Debug, Clone)]
pub(crate) struct Random(SeededRandom);

impl Random {
    /// Returns a generator whose numbers depend on the seed and the stream only.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = SeededRandom(seed ^ stream.wrapping_mul(0xD1B5_4A32_D192_ED03));
        random.draw();
        Self(random)
    }

    /// Returns a number from 0 up to 1, without 1.
    pub(crate) const fn fraction(&mut self) -> f64 {
        self.0.fraction()
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0.below(limit)
    }

    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }

    /// Returns a time with this median; one in six is longer than `median` × e^`spread`.
    pub(crate) fn log_normal(&mut self, median: Duration, spread: f64) -> Duration {
        let radius = (-2.0 * (1.0 - self.fraction()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.fraction()).cos();
        median.mul_f64((normal * spread).exp())
    }

    /// Returns a time until an event that happens once in `mean` on average.
    pub(crate) fn exponential(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(-(1.0 - self.fraction()).ln())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_stream_decide_every_number() {
        let numbers = |seed, stream| {
            let mut random = Random::new(seed, stream);
            [(); 3].map(|()| random.fraction().to_bits())
        };
        assert_eq!(numbers(1, 2), numbers(1, 2));
        assert_ne!(numbers(1, 2), numbers(1, 3));
        assert_ne!(numbers(1, 2), numbers(2, 2));
    }

    #[test]
    fn the_median_and_the_mean_are_as_asked_for() {
        let mut random = Random::new(7, 0);
        let hour = Duration::from_secs(3600);
        let mut times: Vec<Duration> = (0..10_001).map(|_| random.log_normal(hour, 1.0)).collect();
        times.sort_unstable();
        let median = times[5_000].as_secs_f64() / 3600.0;
        assert!((0.95..1.05).contains(&median), "{median}");
        let sum: Duration = (0..10_000).map(|_| random.exponential(hour)).sum();
        let mean = sum.as_secs_f64() / 3600.0 / 10_000.0;
        assert!((0.95..1.05).contains(&mean), "{mean}");
    }
}
