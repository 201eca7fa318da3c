//! Seeded text of made-up words: the same in every run, and packed about as well as what people write.

const SYLLABLES: [&str; 24] = [
    "an", "be", "co", "da", "el", "fi", "go", "hu", "in", "jo", "ka", "lo", "mi", "ne", "or", "pa",
    "qui", "ré", "sä", "ti", "un", "ver", "we", "zo",
];

/// A source of text.
pub(crate) struct Words {
    state: u64,
}

impl Words {
    pub(crate) const fn new(seed: u64) -> Self {
        // A state of 0 would stay 0.
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    /// Returns a number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).unwrap_or_default() % end
    }

    /// Returns paragraphs of about this size.
    pub(crate) fn text(&mut self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 16);
        while text.len() < bytes {
            // Few words are frequent and many are rare, as in every language.
            let rank = self.below(40) * self.below(40);
            let mut rest = rank * 7 + 11;
            while rest > 0 {
                text.push_str(SYLLABLES[rest % SYLLABLES.len()]);
                rest /= SYLLABLES.len();
            }
            text.push_str(match self.below(60) {
                0 => ".\n\n",
                1..=5 => ". ",
                6..=8 => ", ",
                _ => " ",
            });
        }
        text
    }

    /// Returns one line of about this size.
    pub(crate) fn line(&mut self, bytes: usize) -> String {
        self.text(bytes).replace('\n', " ").trim_end().to_owned()
    }
}
