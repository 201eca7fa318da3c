//! Finds similar texts: an exact search that compares few pairs.
//!
//! The similarity of two texts is the Jaccard index of their shingles. Two texts that reach the threshold share one of
//! their rarest shingles, so only such texts are compared. This is the prefix filter of Chaudhuri, Ganti and Kaushik.
//! Nothing is estimated: every pair at or above the threshold is found.

use crate::sets::Sets;

/// Bounds are lowered by this amount, so that rounding can only add pairs to compare.
const SLACK: f64 = 1e-6;

impl Sets {
    /// Returns the representative of each text: an earlier similar text, or the text itself.
    ///
    /// Each text is compared with the representatives so far. Its representative is the most similar one that reaches
    /// `threshold`, and the first of equally similar ones.
    pub(crate) fn representatives(&self, threshold: f64) -> Vec<usize> {
        let mut representatives = Vec::with_capacity(self.lists.len());
        let mut index = Index::new((self.ranks - self.shared) as usize);
        let mut compared_with = vec![usize::MAX; self.lists.len()];
        for (text, list) in self.lists.iter().enumerate() {
            let prefix = &list[..prefix(list.len(), threshold)];
            let rare = prefix
                .iter()
                .filter_map(|rank| rank.checked_sub(self.shared));
            let mut best: Option<(f64, usize)> = None;
            for shingle in rare.clone() {
                for other in index.having(shingle) {
                    if std::mem::replace(&mut compared_with[other], text) == text {
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
            representatives.push(best.map_or(text, |(_, representative)| representative));
            if best.is_none() {
                rare.for_each(|shingle| index.add(shingle, text));
            }
        }
        representatives
    }
}

/// An index from a shingle to the texts that have it among their rarest.
struct Index {
    /// The last entry of each shingle, counted from 1.
    last: Vec<u32>,
    /// Texts, each with the previous entry of the shingle.
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

/// Returns how many of the rarest of `length` shingles to index: a similar text shares at least one of them.
fn prefix(length: usize, threshold: f64) -> usize {
    length.min(length - at_least(threshold, length) + 1)
}

/// Returns the similarity of two sets; `None` if it is below `threshold`.
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
    fn a_similarity_is_the_jaccard_index() {
        assert_eq!(similarity(&[1, 2, 3, 4], &[2, 3, 4, 5], 0.6), Some(0.6));
        assert_eq!(similarity(&[1, 2, 3, 4], &[2, 3, 4, 5], 0.61), None);
        assert_eq!(similarity(&[1], &[2], 0.1), None);
    }

    #[test]
    fn a_text_goes_to_the_most_similar_and_of_equals_to_the_first() {
        let of = |texts: [&str; 3]| Sets::new(texts.into_iter()).representatives(0.4);
        assert_eq!(of(["abcdefgh", "efghijklm", "defghijklm"]), [0, 1, 1]);
        assert_eq!(of(["abcdefgh", "stuvwxyz", "abcdefghstuvwxyz"]), [0, 1, 2]);
        assert_eq!(
            of(["abcdefghij", "ghijklmnop", "abcdefghijklmnop"]),
            [0, 1, 0]
        );
    }

    #[test]
    fn zero_and_one_texts_are_merged_like_many() {
        assert!(
            Sets::new(std::iter::empty())
                .representatives(0.8)
                .is_empty()
        );
        assert_eq!(Sets::new(["a"].into_iter()).representatives(0.8), [0]);
    }
}
