//! Which messages belong together.
//!
//! Gmail says it in a header. Otherwise a message names those that it answers: what names the same message, or is named
//! by the same, is one thread. Only digests of the names are kept, so that the memory of a large mailbox is small.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

/// The most names of a message that are followed: the first, which is the root, and the last.
const NAMES: usize = 64;

/// What a name of a message is kept as.
pub(crate) type Name = [u8; 16];

/// Returns the name of the message with an identifier.
pub(crate) fn id(text: &str) -> Name {
    first(Sha256::new().chain_update([0]).chain_update(text))
}

/// Returns the name of a thread of Gmail.
pub(crate) fn gmail(text: &str) -> Name {
    first(Sha256::new().chain_update([1]).chain_update(text))
}

/// Returns the name of a message without an identifier, from what it says.
pub(crate) fn anonymous(text: Sha256) -> Name {
    first(
        Sha256::new()
            .chain_update([2])
            .chain_update(text.finalize()),
    )
}

fn first(digest: Sha256) -> Name {
    let mut name = Name::default();
    for (to, from) in name.iter_mut().zip(digest.finalize()) {
        *to = from;
    }
    name
}

/// Sets of names that belong together.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    nodes: HashMap<Name, u32>,
    parents: Vec<u32>,
}

impl Threads {
    /// Joins a message with what it names, and returns its place for [`Self::root`].
    pub(crate) fn join(&mut self, message: Name, named: &[Name]) -> u32 {
        let own = self.node(message);
        let split = named.len().saturating_sub(NAMES);
        let last = named.iter().skip(split.max(1));
        for name in named.iter().take(1).chain(last) {
            let (one, other) = (self.root(own), self.node(*name));
            let other = self.root(other);
            // The lower one stays the root: the result does not depend on the order of the names.
            let (low, high) = (one.min(other), one.max(other));
            if let Some(parent) = self.parents.get_mut(high as usize) {
                *parent = low;
            }
        }
        own
    }

    /// Returns what is the same for all members of a thread.
    pub(crate) fn root(&mut self, node: u32) -> u32 {
        let mut node = node;
        while let Some(&parent) = self.parents.get(node as usize) {
            if parent == node {
                break;
            }
            // Each step halves the path, so that a long one is walked once.
            let above = self.parents.get(parent as usize).copied().unwrap_or(parent);
            if let Some(parent) = self.parents.get_mut(node as usize) {
                *parent = above;
            }
            node = above;
        }
        node
    }

    fn node(&mut self, name: Name) -> u32 {
        let next = u32::try_from(self.parents.len()).unwrap_or(u32::MAX);
        let node = *self.nodes.entry(name).or_insert(next);
        if node == next {
            self.parents.push(next);
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(number: u32) -> Name {
        id(&number.to_string())
    }

    #[test]
    fn what_names_the_same_message_is_one_thread() {
        let mut threads = Threads::default();
        let (a, b) = (
            threads.join(of(1), &[of(9)]),
            threads.join(of(2), &[of(9), of(8)]),
        );
        let (c, d) = (threads.join(of(3), &[of(8)]), threads.join(of(4), &[]));
        assert_eq!(threads.root(a), threads.root(b));
        assert_eq!(threads.root(a), threads.root(c));
        assert_ne!(threads.root(a), threads.root(d));
    }

    #[test]
    fn a_long_chain_is_one_thread_and_takes_no_deep_recursion() {
        let mut threads = Threads::default();
        let nodes: Vec<u32> = (1..20_000)
            .map(|number| threads.join(of(number), &[of(number - 1)]))
            .collect();
        assert!(
            nodes.iter().all(
                |&node| threads.root(node) == 0 || threads.root(node) == threads.root(nodes[0])
            )
        );
    }

    proptest! {
        #[test]
        fn threads_are_the_connected_sets(edges in proptest::collection::vec((0..20_u32, 0..20_u32), 0..30)) {
            let mut threads = Threads::default();
            let nodes: Vec<u32> = (0..20).map(|number| threads.join(of(number), &[])).collect();
            // The slow way: spread the lowest number until nothing changes.
            let mut marks: Vec<u32> = (0..20).collect();
            for (a, b) in &edges {
                threads.join(of(*a), &[of(*b)]);
            }
            for _ in 0..20 {
                for (a, b) in &edges {
                    let low = marks[*a as usize].min(marks[*b as usize]);
                    (marks[*a as usize], marks[*b as usize]) = (low, low);
                }
            }
            for a in 0..20 {
                for b in 0..20 {
                    prop_assert_eq!(threads.root(nodes[a]) == threads.root(nodes[b]), marks[a] == marks[b]);
                }
            }
        }
    }
}
