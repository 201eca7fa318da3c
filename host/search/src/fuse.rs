//! Combines rankings: reciprocal rank fusion.
//!
//! An artifact gets `1 / (60 + rank)` for each ranking that has it. So scores of different scales need not be compared.
//! <https://plg.uwaterloo.ca/~gvcormac/cormacksigir09-rrf.pdf> found 60 to be a good constant.

use std::collections::BTreeMap;

/// How much the first ranks differ from the later ones.
const K: f64 = 60.0;

/// Returns the keys of several rankings with their scores, the best first, and equal ones in the order of the keys.
pub(crate) fn fuse<T: Ord + Clone>(rankings: &[Vec<T>]) -> Vec<(T, f64)> {
    let mut scores: BTreeMap<&T, f64> = BTreeMap::new();
    for ranking in rankings {
        for (rank, key) in (1_u32..).zip(ranking) {
            *scores.entry(key).or_default() += 1.0 / (K + f64::from(rank));
        }
    }
    let mut fused: Vec<(T, f64)> = scores
        .into_iter()
        .map(|(key, score)| (key.clone(), score))
        .collect();
    fused.sort_by(|one, other| other.1.total_cmp(&one.1));
    fused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_rankings_have_comes_first() {
        let fused = fuse(&[vec!["a", "b", "c"], vec!["d", "c"]]);
        let keys: Vec<&str> = fused.iter().map(|(key, _)| *key).collect();
        // c: 1/63 + 1/62; a and d: 1/61; b: 1/62.
        assert_eq!(keys, ["c", "a", "d", "b"]);
        assert!((fused[0].1 - (1.0 / 63.0 + 1.0 / 62.0)).abs() < 1e-12);
    }
}
