//! Which lines of a session are shown, and in which order.
//!
//! Each line names its parent. A prompt that was edited leaves a branch behind, which is not shown; the results of tools
//! that ran at the same time look like branches and are none. A prompt that was typed while tools ran may name a parent
//! but has no identifier: it belongs to the branch of its parent. A session that was compacted or resumed has several
//! roots, which follow each other.

use std::collections::{HashMap, HashSet};

use super::line::{Kind, Line};
use crate::tree::walk;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Order {
    /// Places of the lines of the active branch.
    pub(super) active: Vec<usize>,
    /// Places of the leaves of other branches.
    pub(super) others: Vec<usize>,
}

pub(super) fn order(lines: &[Line]) -> Order {
    let mut places = HashMap::new();
    for (place, line) in lines.iter().enumerate() {
        if !line.uuid.is_empty() {
            places.insert(line.uuid.as_str(), place);
        }
    }
    let parents: Vec<Option<usize>> = lines
        .iter()
        .map(|line| places.get(line.parent.as_deref()?).copied())
        .collect();
    let roots = roots(&parents);

    // Nothing can follow a line without an identifier, so it says nothing about which branch is active.
    let is_aside = |place: usize| lines[place].uuid.is_empty() && parents[place].is_some();

    // The later leaf of each tree is the active one.
    let mut leaves: HashMap<usize, usize> = HashMap::new();
    for (place, line) in lines.iter().enumerate() {
        if line.kind == Kind::Link {
            continue;
        }
        let leaf = leaves.entry(roots[place]).or_insert(place);
        if !is_aside(place) {
            *leaf = place;
        }
    }
    let mut ends: Vec<usize> = leaves.into_values().collect();
    ends.sort_unstable();
    let mut keys: Vec<Option<usize>> = vec![None; lines.len()];
    let mut active = Vec::new();
    for end in ends {
        let mut key = 0;
        for place in walk(&parents, end) {
            key = place.max(key);
            if keys[place].is_none() {
                keys[place] = Some(key);
                active.push(place);
            }
        }
    }
    let message = |place: usize| lines[place].message.as_deref();
    let messages: HashSet<_> = active.iter().filter_map(|&place| message(place)).collect();
    for (place, line) in lines.iter().enumerate() {
        let Some(key) = parents[place].and_then(|parent| keys[parent]) else {
            continue;
        };
        let is_same = message(place).is_some_and(|message| messages.contains(message));
        let is_no_branch =
            is_same || is_aside(place) || matches!(line.kind, Kind::Result | Kind::Link);
        if keys[place].is_none() && is_no_branch {
            keys[place] = Some(place.max(key));
            active.push(place);
        }
    }
    active.sort_by_key(|&place| keys[place]);

    let mut has_child = vec![false; lines.len()];
    for (place, parent) in parents.iter().enumerate() {
        if let Some(parent) = parent
            && lines[place].kind != Kind::Link
            && !is_aside(place)
        {
            has_child[*parent] = true;
        }
    }
    let is_other = |&place: &usize| {
        let is_leaf = !has_child[place] && !is_aside(place) && lines[place].kind != Kind::Link;
        is_leaf && keys[place].is_none()
    };
    Order {
        others: (0..lines.len()).filter(is_other).collect(),
        active,
    }
}

/// Returns the root of each line. Lines in a circle have one of them as the root.
fn roots(parents: &[Option<usize>]) -> Vec<usize> {
    let mut roots: Vec<Option<usize>> = vec![None; parents.len()];
    for start in 0..parents.len() {
        let mut way = Vec::new();
        let mut seen = HashSet::new();
        let mut at = start;
        let root = loop {
            if let Some(root) = roots[at] {
                break root;
            }
            if !seen.insert(at) {
                break at;
            }
            way.push(at);
            match parents[at] {
                Some(parent) => at = parent,
                None => break at,
            }
        };
        for place in way {
            roots[place] = Some(root);
        }
    }
    roots.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(uuid: &str, parent: &str, kind: Kind, message: &str) -> Line {
        Line {
            uuid: uuid.to_owned(),
            parent: Some(parent.to_owned()),
            kind,
            message: Some(message.to_owned()).filter(|message| !message.is_empty()),
            ..Line::default()
        }
    }

    #[test]
    fn the_later_branch_is_active_and_the_other_is_counted() {
        let lines = [
            line("u1", "", Kind::User, ""),
            line("a1", "u1", Kind::Assistant, "m1"),
            line("u2", "a1", Kind::User, ""),
            line("a2", "u2", Kind::Assistant, "m2"),
            line("u3", "a1", Kind::User, ""),
        ];
        assert_eq!(
            order(&lines),
            Order {
                active: vec![0, 1, 4],
                others: vec![3]
            }
        );
    }

    #[test]
    fn tools_that_ran_at_the_same_time_are_no_branches() {
        let lines = [
            line("u1", "", Kind::User, ""),
            line("a1", "u1", Kind::Assistant, "m1"),
            line("a2", "a1", Kind::Assistant, "m1"),
            line("r2", "a2", Kind::Result, ""),
            line("r1", "a1", Kind::Result, ""),
            line("a3", "r1", Kind::Assistant, "m2"),
        ];
        assert_eq!(
            order(&lines),
            Order {
                active: vec![0, 1, 2, 3, 4, 5],
                others: vec![]
            }
        );
    }

    #[test]
    fn several_roots_follow_each_other_and_a_prompt_without_links_keeps_its_place() {
        let lines = [
            line("u1", "gone", Kind::User, ""),
            line("", "", Kind::User, ""),
            line("a1", "u1", Kind::Assistant, "m1"),
            line("u2", "", Kind::User, ""),
        ];
        assert_eq!(order(&lines).active, [0, 1, 2, 3]);
    }

    #[test]
    fn a_prompt_without_an_identifier_follows_its_parent_and_ends_no_branch() {
        let mut lines = vec![
            line("u1", "", Kind::User, ""),
            line("a1", "u1", Kind::Assistant, "m1"),
            line("", "a1", Kind::User, ""),
            line("r1", "a1", Kind::Result, ""),
            line("a2", "r1", Kind::Assistant, "m2"),
            line("", "r1", Kind::User, ""),
        ];
        let all = Order {
            active: vec![0, 1, 2, 3, 4, 5],
            others: vec![],
        };
        assert_eq!(order(&lines), all);
        // On a branch that was left it is left as well, and the branch counts once.
        lines.push(line("u2", "u1", Kind::User, ""));
        assert_eq!(
            order(&lines),
            Order {
                active: vec![0, 6],
                others: vec![4]
            }
        );
    }

    #[test]
    fn a_prompt_below_a_link_alone_is_shown() {
        let lines = [
            line("b", "", Kind::Link, ""),
            line("", "b", Kind::User, ""),
            line("", "b", Kind::User, ""),
        ];
        assert_eq!(order(&lines).active, [0, 1, 2]);
        assert!(order(&lines).others.is_empty());
    }

    #[test]
    fn circles_end() {
        let lines = [
            line("a", "b", Kind::User, ""),
            line("b", "a", Kind::Assistant, ""),
            line("c", "c", Kind::User, ""),
        ];
        assert_eq!(order(&lines).active.len(), 3);
    }
}
