//! Cuts a list into parts of a bounded size, so that a change moves few boundaries.
//!
//! Counting from the start would move every boundary after a change. Here each element has a priority that follows from
//! itself, and a range that is too large is cut before its element of the highest priority. So an element that is
//! added or removed changes the part that it is in, and rarely a neighbour.

use std::ops::Range;

/// An element of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element {
    /// Its size.
    pub size: usize,
    /// Its rank as the start of a part, as [`priority`] makes it.
    pub priority: u64,
}

/// Returns the priority of an element with this name.
pub fn priority(name: &str) -> u64 {
    // FNV-1a. Its last step spreads similar names over all bits.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// Cuts a list into parts of at most `limit`, in order. An element that exceeds the limit is a part of its own.
pub fn parts(elements: &[Element], limit: usize) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut waiting = Vec::from_iter([Range {
        start: 0,
        end: elements.len(),
    }]);
    while let Some(range) = waiting.pop() {
        if range.is_empty() {
            continue;
        }
        let inner = range.start + 1..range.end;
        let cut = match size(&elements[range.clone()]) {
            size if size <= limit => None,
            // Of equal priorities, the first decides.
            _ => inner.rev().max_by_key(|at| elements[*at].priority),
        };
        match cut {
            Some(cut) => {
                waiting.push(cut..range.end);
                waiting.push(range.start..cut);
            }
            None => parts.push(range),
        }
    }
    join_small(elements, limit, parts)
}

/// Joins a part that is small with its neighbour, because each part costs a request.
///
/// A joined part is not joined again: otherwise each join would depend on the one before, from the start of the list.
fn join_small(elements: &[Element], limit: usize, parts: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(parts.len());
    let mut may_join = false;
    for part in parts {
        let own = size(&elements[part.clone()]);
        if may_join && let Some(last) = joined.last_mut() {
            let before = size(&elements[last.clone()]);
            let is_small = before.min(own) <= limit / 4;
            if is_small && before.saturating_add(own) <= limit {
                last.end = part.end;
                may_join = false;
                continue;
            }
        }
        joined.push(part);
        may_join = true;
    }
    joined
}

fn size(elements: &[Element]) -> usize {
    let sizes = elements.iter().map(|element| element.size);
    sizes.fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn named(names: &[String], size: usize) -> Vec<Element> {
        let element = |name: &String| Element {
            size,
            priority: priority(name),
        };
        names.iter().map(element).collect()
    }

    fn contents(names: &[String], limit: usize) -> BTreeSet<Vec<String>> {
        parts(&named(names, 10), limit)
            .into_iter()
            .map(|part| names[part].to_vec())
            .collect()
    }

    fn names(count: usize) -> Vec<String> {
        (0..count)
            .map(|number| format!("note-{number:04}"))
            .collect()
    }

    #[test]
    fn what_fits_is_one_part_and_nothing_is_none() {
        assert_eq!(
            parts(&named(&names(10), 10), 100),
            [Range { start: 0, end: 10 }]
        );
        assert!(parts(&[], 100).is_empty());
    }

    #[test]
    fn an_added_or_removed_name_changes_its_own_part_and_at_most_a_neighbour() {
        let before = names(1000);
        let old = contents(&before, 200);
        let mut changed = 0;
        for at in (0..1000).step_by(7) {
            let mut without = before.clone();
            without.remove(at);
            let mut with = before.clone();
            with.insert(at, format!("note-{at:04}-more"));
            for names in [without, with] {
                let new = contents(&names, 200);
                let differing = new.difference(&old).count();
                assert!(
                    differing <= 4,
                    "{differing} parts differ after a change at {at}"
                );
                changed += differing;
            }
        }
        // Of 286 changes.
        assert!(changed < 480, "{changed}");
    }

    #[test]
    fn parts_are_at_least_half_full_on_average() {
        let made = parts(&named(&names(1000), 10), 200).len();
        assert!((50..=100).contains(&made), "{made}");
    }

    proptest! {
        #[test]
        fn parts_are_the_list_and_only_single_elements_exceed_the_limit(
            sizes in prop::collection::vec(0..50_usize, 0..200),
            seed in any::<u64>(),
            limit in 1..120_usize,
        ) {
            let elements: Vec<Element> = sizes
                .iter()
                .enumerate()
                .map(|(number, size)| Element { size: *size, priority: priority(&format!("{seed}-{number}")) })
                .collect();
            let mut end = 0;
            for part in parts(&elements, limit) {
                prop_assert_eq!(part.start, end);
                prop_assert!(part.end > part.start);
                let within = size(&elements[part.clone()]) <= limit;
                prop_assert!(within || part.len() == 1);
                end = part.end;
            }
            prop_assert_eq!(end, elements.len());
        }
    }
}
