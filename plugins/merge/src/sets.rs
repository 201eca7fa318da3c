//! Represents texts as sets of shingles, the rarest first.
//!
//! A unit may have millions of shingles, so each step takes linear time and nothing is sorted.

use crate::normal::{self, mix};

/// Sets of shingles. Each is a list of ranks in ascending order; the rarest shingle of all texts has the lowest rank.
#[derive(Debug)]
pub(crate) struct Sets {
    /// One list for each text.
    pub(crate) lists: Vec<Vec<u32>>,
    /// Lower ranks belong to shingles that only one text has.
    pub(crate) shared: u32,
    /// The number of ranks.
    pub(crate) ranks: u32,
}

impl Sets {
    /// Ranks the shingles of texts in normal form.
    ///
    /// A repeated shingle counts as a different shingle, so a text is not similar to ten copies of it.
    pub(crate) fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut names = Names::default();
        let mut lists: Vec<Vec<u32>> = Vec::new();
        for (text, normal) in (1_u32..).zip(texts) {
            let mut list = Vec::with_capacity(normal.len());
            normal::shingles(normal, |digest| list.push(names.of(digest, text)));
            list.shrink_to_fit();
            lists.push(list);
        }
        let (order, shared) = names.rarest_first(lists.len());
        let owners = names.owners(&mut lists);
        for (rank, &name) in (0_u32..).zip(&order) {
            for &text in owners.of(name) {
                lists[text as usize].push(rank);
            }
        }
        Self {
            lists,
            shared,
            ranks: u32::try_from(order.len()).unwrap_or(u32::MAX),
        }
    }
}

/// Numbers the digests from 0 on, and counts the texts that have each.
#[derive(Default)]
struct Names {
    found: Vec<Name>,
    /// A hash table: the number of a digest plus 1, at or after the slot of the digest; 0 for a free slot.
    slots: Vec<u32>,
}

#[derive(Default)]
struct Name {
    digest: u64,
    texts: u32,
    /// The last text that had the shingle, and how often it had it.
    last: u32,
    times: u32,
}

impl Names {
    /// Returns the number of a shingle for its next occurrence in `text`.
    fn of(&mut self, digest: u64, text: u32) -> u32 {
        let number = self.number(digest);
        let name = &mut self.found[number as usize];
        if name.last != text {
            (name.last, name.times) = (text, 1);
            name.texts += 1;
            return number;
        }
        let again = mix(digest.wrapping_add(u64::from(name.times)));
        name.times += 1;
        let number = self.number(again);
        self.found[number as usize].texts += 1;
        number
    }

    fn number(&mut self, digest: u64) -> u32 {
        if self.found.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let at = self.place(digest);
        if self.slots[at] == 0 {
            self.found.push(Name {
                digest,
                ..Name::default()
            });
            self.slots[at] = u32::try_from(self.found.len()).unwrap_or(u32::MAX);
        }
        self.slots[at] - 1
    }

    /// Returns the slot of a digest, or the free slot for it.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the low bits are those that are wanted"
    )]
    fn place(&self, digest: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = digest as usize & mask;
        while let Some(taken) = self.slots[at].checked_sub(1) {
            if self.found[taken as usize].digest == digest {
                break;
            }
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        self.slots = vec![0; (self.slots.len() * 2).max(1 << 10)];
        for (number, name) in (1_u32..).zip(&self.found) {
            let at = self.place(name.digest);
            self.slots[at] = number;
        }
    }

    /// Returns all numbers, the rarest first, and how many of them only one text has.
    fn rarest_first(&self, texts: usize) -> (Vec<u32>, u32) {
        let mut next = vec![0_u32; texts + 2];
        for name in &self.found {
            next[name.texts as usize + 1] += 1;
        }
        for count in 1..next.len() {
            next[count] += next[count - 1];
        }
        let shared = next.get(2).copied().unwrap_or(0);
        let mut order = vec![0; self.found.len()];
        for (number, name) in (0_u32..).zip(&self.found) {
            let place = &mut next[name.texts as usize];
            order[*place as usize] = number;
            *place += 1;
        }
        (order, shared)
    }

    /// Converts the lists of names for each text into one list of texts for each name.
    fn owners(self, lists: &mut [Vec<u32>]) -> Owners {
        let mut ends = Vec::with_capacity(self.found.len());
        let mut end = 0;
        for name in &self.found {
            ends.push(end);
            end += name.texts;
        }
        drop(self);
        let mut texts = vec![0; end as usize];
        for (text, list) in (0_u32..).zip(lists) {
            for number in list.drain(..) {
                let end = &mut ends[number as usize];
                texts[*end as usize] = text;
                *end += 1;
            }
        }
        Owners { texts, ends }
    }
}

struct Owners {
    texts: Vec<u32>,
    ends: Vec<u32>,
}

impl Owners {
    fn of(&self, name: u32) -> &[u32] {
        let before = (name as usize).checked_sub(1);
        let start = before.map_or(0, |before| self.ends[before]);
        &self.texts[start as usize..self.ends[name as usize] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_shingles_have_low_ranks_and_unique_ones_the_lowest() {
        let sets = Sets::new(["abcdefg", "bcdefg", "xcdefg"].into_iter());
        assert_eq!((sets.ranks, sets.shared), (4, 2));
        let mut lists = sets.lists;
        assert_eq!(
            (lists[0][1..].to_vec(), lists[1].clone()),
            (vec![2, 3], vec![2, 3])
        );
        lists.iter_mut().for_each(|list| list.truncate(1));
        assert!(lists[0][0] < 2 && lists[2][0] < 2);
    }

    #[test]
    fn a_repeated_shingle_counts_as_a_different_one() {
        let sets = Sets::new(["a".repeat(10), "a".repeat(7)].iter().map(String::as_str));
        assert_eq!((sets.ranks, sets.shared), (6, 3));
        assert_eq!(sets.lists[0], [0, 1, 2, 3, 4, 5]);
        assert_eq!(sets.lists[1], [3, 4, 5]);
    }

    #[test]
    fn many_shingles_have_different_numbers() {
        let text: String = (0..50_000_u32)
            .filter_map(|at| char::from_u32(0x4e00 + at))
            .collect();
        let sets = Sets::new([text.as_str(), text.as_str()].into_iter());
        assert_eq!(sets.lists[0].len(), text.chars().count() - 4);
        assert!(sets.lists[0].is_sorted() && sets.lists[0] == sets.lists[1]);
        assert_eq!(sets.shared, 0);
    }
}
