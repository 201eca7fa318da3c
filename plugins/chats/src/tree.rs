//! The active branch of a conversation whose messages name their parents.
//!
//! Only links decide: a time may run backwards and an array may mix the edits of a message. A link may lead nowhere or
//! in a circle.

use std::collections::{HashMap, HashSet};

/// A message as a node.
#[derive(Debug, Default)]
pub(crate) struct Node<'a> {
    pub(crate) id: &'a str,
    pub(crate) parent: Option<&'a str>,
    /// Some writers name the children only.
    pub(crate) children: Vec<&'a str>,
    /// Seconds.
    pub(crate) at: Option<f64>,
    /// Whether it has a message, so that it counts as a leaf.
    pub(crate) is_message: bool,
    /// Whether the message is complete; of several leaves such a one is preferred.
    pub(crate) is_finished: bool,
}

/// What is shown, and what is not.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Active {
    /// Places of nodes, from the root to the leaf.
    pub(crate) path: Vec<usize>,
    /// Places of the leaves of the other branches.
    pub(crate) others: Vec<usize>,
}

/// Finds the branch that ends at `current`, or where there is no such node, at the newest leaf.
pub(crate) fn active(nodes: &[Node<'_>], current: Option<&str>) -> Active {
    let mut places = HashMap::with_capacity(nodes.len());
    for (place, node) in nodes.iter().enumerate() {
        places.entry(node.id).or_insert(place);
    }
    let mut parents: Vec<Option<usize>> = nodes
        .iter()
        .map(|node| node.parent.and_then(|parent| places.get(parent).copied()))
        .collect();
    for (place, node) in nodes.iter().enumerate() {
        let children = node.children.iter().filter_map(|child| places.get(child));
        for &child in children {
            if child != place {
                parents[child].get_or_insert(place);
            }
        }
    }
    let mut is_leaf = vec![true; nodes.len()];
    for parent in parents.iter().flatten() {
        is_leaf[*parent] = false;
    }

    let named = current.and_then(|id| places.get(id).copied());
    let mut path = named.map(|place| walk(&parents, place)).unwrap_or_default();
    if !path.iter().any(|&place| nodes[place].is_message) {
        path = newest(nodes, &parents, &is_leaf)
            .map(|place| walk(&parents, place))
            .unwrap_or_default();
    }
    let on_path: HashSet<usize> = path.iter().copied().collect();
    let others = (0..nodes.len())
        .filter(|place| is_leaf[*place] && nodes[*place].is_message && !on_path.contains(place))
        .collect();
    Active { path, others }
}

fn newest(nodes: &[Node<'_>], parents: &[Option<usize>], is_leaf: &[bool]) -> Option<usize> {
    // In a circle nothing is a leaf.
    let has_leaf = (0..nodes.len()).any(|place| is_leaf[place] && nodes[place].is_message);
    let candidates =
        (0..nodes.len()).filter(|&place| nodes[place].is_message && (is_leaf[place] || !has_leaf));
    let rank = |place: usize| {
        let parent_at = || parents[place].and_then(|parent| nodes[parent].at);
        let at = nodes[place].at.or_else(parent_at).unwrap_or(f64::MIN);
        (nodes[place].is_finished, at)
    };
    candidates.max_by(|&a, &b| {
        let ((a_finished, a_at), (b_finished, b_at)) = (rank(a), rank(b));
        let by_time = a_at.total_cmp(&b_at);
        a_finished.cmp(&b_finished).then(by_time).then(a.cmp(&b))
    })
}

/// Returns the places from the root to `leaf`. A cycle ends at its first repetition.
pub(crate) fn walk(parents: &[Option<usize>], leaf: usize) -> Vec<usize> {
    let mut path = vec![leaf];
    let mut seen = HashSet::from([leaf]);
    let mut at = leaf;
    while let Some(parent) = parents[at] {
        if !seen.insert(parent) {
            break;
        }
        path.push(parent);
        at = parent;
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node<'a>(id: &'a str, parent: &'a str, at: f64) -> Node<'a> {
        Node {
            id,
            parent: Some(parent).filter(|parent| !parent.is_empty()),
            at: Some(at),
            is_message: true,
            is_finished: true,
            ..Node::default()
        }
    }

    #[test]
    fn the_named_leaf_decides_and_the_others_are_counted() {
        let nodes = [
            node("r", "", 0.0),
            node("a", "r", 1.0),
            node("b", "r", 2.0),
            node("c", "b", 3.0),
        ];
        let found = active(&nodes, Some("a"));
        assert_eq!(
            found,
            Active {
                path: vec![0, 1],
                others: vec![3]
            }
        );
    }

    #[test]
    fn without_a_named_leaf_the_newest_finished_one_counts() {
        let mut nodes = [
            node("r", "", 0.0),
            node("a", "r", 9.0),
            node("b", "r", 2.0),
            node("c", "b", 3.0),
        ];
        assert_eq!(active(&nodes, None).path, [0, 1]);
        assert_eq!(active(&nodes, Some("gone")).path, [0, 1]);
        nodes[1].is_finished = false;
        assert_eq!(active(&nodes, None).path, [0, 2, 3]);
    }

    #[test]
    fn a_circle_and_a_missing_parent_end_the_walk() {
        let nodes = [
            node("a", "b", 1.0),
            node("b", "a", 2.0),
            node("c", "lost", 0.0),
        ];
        assert_eq!(active(&nodes, Some("a")).path, [1, 0]);
        assert_eq!(active(&nodes[..2], None).path, [0, 1]);
        assert_eq!(active(&nodes, Some("c")).path, [2]);
        assert_eq!(active(&[node("a", "a", 1.0)], None).path, [0]);
    }

    #[test]
    fn children_alone_are_links_too() {
        let mut nodes = [node("r", "", 0.0), node("a", "", 1.0), node("b", "", 2.0)];
        nodes[0].children = vec!["a"];
        nodes[1].children = vec!["b", "gone"];
        assert_eq!(active(&nodes, Some("b")).path, [0, 1, 2]);
    }

    #[test]
    fn a_named_node_above_all_messages_is_none() {
        let mut nodes = [node("r", "", 0.0), node("a", "r", 1.0)];
        nodes[0].is_message = false;
        assert_eq!(active(&nodes, Some("r")).path, [0, 1]);
    }
}
