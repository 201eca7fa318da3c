//! Random numbers and texts that a seed determines.

pub(crate) use synix_test_random::SeededRandom;

/// Returns a number whose logarithm is normally distributed, with a median of 40 and a mean of 45: most answers are
/// short, and few are long.
pub(crate) fn skewed_length(random: &mut SeededRandom) -> u64 {
    let mut uniform = || random.fraction().max(1e-12);
    let normal = (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small positive number"
    )]
    let length = (40.0 * (0.5 * normal).exp()).round() as u64;
    length.clamp(1, 400)
}

/// Returns random words that are the same in every run for a seed.
pub(crate) fn random_text(seed: u64, length: usize) -> String {
    let mut state = seed;
    let mut text = String::new();
    while text.len() < length {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let letters = 2 + (state >> 60) % 7;
        for at in 0..letters {
            text.push(char::from(
                b'a' + u8::try_from((state >> (5 * at + 7)) % 23).unwrap(),
            ));
        }
        text.push(' ');
    }
    text.truncate(length);
    text
}
