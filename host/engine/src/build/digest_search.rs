//! Finds a digest among sorted ones.
//!
//! Digests are evenly distributed, so their place can be estimated from their value. Among a million, a few estimates
//! find it, where a binary search reads twenty places of memory, most of which are not in a cache.

use std::cmp::Ordering;

use synix_core::digest::Digest;

/// The maximum number of estimates. Whoever chose the digests in a file may have chosen them close together; then a
/// binary search finds the rest.
const MAX_ESTIMATES: u32 = 8;

/// Returns a position of `wanted` among `count` sorted digests, which `at` returns by position.
pub(super) fn position(
    wanted: Digest,
    count: usize,
    at: impl Fn(usize) -> Digest,
) -> Option<usize> {
    let target = prefix(wanted);
    // The place is in `start..end`, and the prefixes there are in `least..=most`.
    let (mut start, mut end) = (0, count);
    let (mut least, mut most) = (0, u64::MAX);
    for _ in 0..MAX_ESTIMATES {
        if start >= end {
            return None;
        }
        let estimate = start + share(end - start, target.checked_sub(least)?, most - least);
        let found = at(estimate);
        match found.cmp(&wanted) {
            Ordering::Equal => return Some(estimate),
            Ordering::Less => (start, least) = (estimate + 1, prefix(found)),
            Ordering::Greater => (end, most) = (estimate, prefix(found)),
        }
        if target > most {
            return None;
        }
    }
    while start < end {
        let middle = start + (end - start) / 2;
        match at(middle).cmp(&wanted) {
            Ordering::Equal => return Some(middle),
            Ordering::Less => start = middle + 1,
            Ordering::Greater => end = middle,
        }
    }
    None
}

/// Returns the place in `0..count` that is as far from the start as `part` is of `whole`.
fn share(count: usize, part: u64, whole: u64) -> usize {
    let place = count as u128 * u128::from(part) / (u128::from(whole) + 1);
    usize::try_from(place).unwrap_or(usize::MAX).min(count - 1)
}

fn prefix(digest: Digest) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&digest.as_bytes()[..8]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    fn search(sorted: &[Digest], wanted: Digest) -> Option<usize> {
        position(wanted, sorted.len(), |position| sorted[position])
    }

    /// Digests whose bytes are few different values, so that they are close together and prefixes repeat.
    fn clustered() -> impl Strategy<Value = Digest> {
        (0_u8..3, prop::sample::select(vec![0, 7, 8, 31])).prop_map(|(value, place)| {
            let mut bytes = [0; 32];
            bytes[place] = value * 127;
            Digest::from_bytes(bytes)
        })
    }

    proptest! {
        #[test]
        fn finds_what_is_there_and_nothing_else(
            mut digests in prop::collection::vec(clustered(), 0..40),
            even in prop::collection::vec(any::<[u8; 32]>().prop_map(Digest::from_bytes), 0..200),
            wanted in clustered(),
        ) {
            digests.extend(even);
            digests.sort_unstable();
            for digest in &digests {
                let found = search(&digests, *digest);
                prop_assert_eq!(found.map(|position| digests[position]), Some(*digest));
            }
            let is_there = digests.binary_search(&wanted).is_ok();
            prop_assert_eq!(search(&digests, wanted).is_some(), is_there);
        }
    }

    #[test]
    fn a_few_estimates_are_enough_among_many() {
        let mut digests: Vec<Digest> = (0..20_000_u32)
            .map(|number| Digest::of(&number.to_le_bytes()))
            .collect();
        digests.sort_unstable();
        let looks = Cell::new(0_u32);
        for wanted in &digests {
            position(*wanted, digests.len(), |position| {
                looks.set(looks.get() + 1);
                digests[position]
            })
            .unwrap();
        }
        assert!(looks.get() < 5 * 20_000, "{}", looks.get());
    }

    /// A file may contain digests that nobody computed: no look-up may then read all of them.
    #[test]
    fn digests_that_are_close_together_are_found_as_fast() {
        let digest = |number: u32| {
            let mut bytes = [0xff; 32];
            bytes[28..].copy_from_slice(&number.to_be_bytes());
            Digest::from_bytes(bytes)
        };
        let count = 1 << 16;
        let looks = Cell::new(0);
        for wanted in [0, 1, 30_000, count - 1] {
            looks.set(0);
            let found = position(digest(wanted), count as usize, |position| {
                looks.set(looks.get() + 1);
                digest(u32::try_from(position).unwrap())
            });
            assert_eq!(found, Some(wanted as usize));
            assert!(looks.get() <= MAX_ESTIMATES + 17, "{}", looks.get());
        }
    }
}
