//! Which texts are alike: an exact search that compares few pairs.
//!
//! Two texts are as similar as the shingles they share are many of those that either has (Jaccard). If that is to reach
//! the threshold, they share one of their rarest, so only texts that do are compared: the prefix filter of Chaudhuri,
//! Ganti and Kaushik. Nothing is estimated; each pair at or over the threshold is found.

use crate::sets::Sets;

/// Bounds are lowered by this, so that rounding lets a pair through to the comparison and never the reverse.
const SLACK: f64 = 1e-6;

impl Sets {
    /// Returns for each text the one that stands for it, itself where it is like none before.
    ///
    /// Each is held against those that stand for themselves so far, and goes to the most similar, of equals to the
    /// first, that is at least `threshold` similar.
    pub(crate) fn keepers(&self, threshold: f64) -> Vec<usize> {
        let mut keepers = Vec::with_capacity(self.lists.len());
        let mut index = Index::new((self.ranks - self.shared) as usize);
        let mut asked = vec![usize::MAX; self.lists.len()];
        for (text, list) in self.lists.iter().enumerate() {
            let prefix = &list[..prefix(list.len(), threshold)];
            let rare = prefix
                .iter()
                .filter_map(|rank| rank.checked_sub(self.shared));
            let mut best: Option<(f64, usize)> = None;
            for shingle in rare.clone() {
                for other in index.having(shingle) {
                    if std::mem::replace(&mut asked[other], text) == text {
                        continue;
                    }
                    let Some(similarity) = similarity(list, &self.lists[other], threshold) else {
                        continue;
                    };
                    if best.is_none_or(|(most, first)| {
                        similarity > most || (similarity == most && other < first)
                    }) {
                        best = Some((similarity, other));
                    }
                }
            }
            keepers.push(best.map_or(text, |(_, keeper)| keeper));
            if best.is_none() {
                rare.for_each(|shingle| index.add(shingle, text));
            }
        }
        keepers
    }
}

/// Which texts have a shingle among their rarest.
struct Index {
    /// The last entry of each shingle, from 1 on.
    last: Vec<u32>,
    /// Texts, each with the entry before.
    entries: Vec<(u32, u32)>,
}

impl Index {
    fn new(shingles: usize) -> Self {
        Self {
            last: vec![0; shingles],
            entries: vec![(0, 0)],
        }
    }

    fn add(&mut self, shingle: u32, text: usize) {
        let last = &mut self.last[shingle as usize];
        let entry = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let text = u32::try_from(text).unwrap_or(u32::MAX);
        self.entries.push((text, *last));
        *last = entry;
    }

    fn having(&self, shingle: u32) -> impl Iterator<Item = usize> {
        let mut at = self.last[shingle as usize];
        std::iter::from_fn(move || {
            let (text, before) = self.entries[at as usize];
            (std::mem::replace(&mut at, before) != 0).then_some(text as usize)
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "sizes are far below 2^52 and the bound lies between 0 and one of them"
)]
fn at_least(part: f64, whole: usize) -> usize {
    (part * whole as f64 - SLACK).ceil().max(0.0) as usize
}

/// How many of the rarest of `length` shingles a similar text must share one of.
fn prefix(length: usize, threshold: f64) -> usize {
    length.min(length - at_least(threshold, length) + 1)
}

/// Returns how similar two sets are, or none below `threshold`.
#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
pub(crate) fn similarity(left: &[u32], right: &[u32], threshold: f64) -> Option<f64> {
    let both = left.len() + right.len();
    let needed = at_least(threshold / (1.0 + threshold), both);
    let (mut at, mut other, mut common) = (0, 0, 0);
    while let (Some(one), Some(two)) = (left.get(at), right.get(other)) {
        if common + (left.len() - at).min(right.len() - other) < needed {
            return None;
        }
        common += usize::from(one == two);
        at += usize::from(one <= two);
        other += usize::from(two <= one);
    }
    let similarity = common as f64 / (both - common) as f64;
    (similarity >= threshold).then_some(similarity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_similarity_is_what_two_have_in_common_of_what_either_has() {
        assert_eq!(similarity(&[1, 2, 3, 4], &[2, 3, 4, 5], 0.6), Some(0.6));
        assert_eq!(similarity(&[1, 2, 3, 4], &[2, 3, 4, 5], 0.61), None);
        assert_eq!(similarity(&[1], &[2], 0.1), None);
    }

    #[test]
    fn a_text_goes_to_the_most_similar_and_of_equals_to_the_first() {
        let of = |texts: [&str; 3]| Sets::new(texts.into_iter()).keepers(0.4);
        assert_eq!(of(["abcdefgh", "efghijklm", "defghijklm"]), [0, 1, 1]);
        assert_eq!(of(["abcdefgh", "stuvwxyz", "abcdefghstuvwxyz"]), [0, 1, 2]);
        assert_eq!(
            of(["abcdefghij", "ghijklmnop", "abcdefghijklmnop"]),
            [0, 1, 0]
        );
    }

    #[test]
    fn few_or_no_texts_are_no_special_case() {
        assert!(Sets::new(std::iter::empty()).keepers(0.8).is_empty());
        assert_eq!(Sets::new(["a"].into_iter()).keepers(0.8), [0]);
    }
}
