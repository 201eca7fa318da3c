//! The graph of a lineage while it is walked: each node and each edge once.

use std::collections::HashSet;

use super::lineage::{Edge, Lineage, Node, NodeKind};
use super::snapshot::StaleInfo;

pub(super) struct Graph {
    pub(super) lineage: Lineage,
    nodes: HashSet<String>,
    edges: HashSet<Edge>,
}

impl Graph {
    pub(super) fn new(build: String, stale: Option<StaleInfo>) -> Self {
        Self {
            lineage: Lineage {
                build,
                stale,
                is_truncated: false,
                nodes: Vec::new(),
                edges: Vec::new(),
            },
            nodes: HashSet::new(),
            edges: HashSet::new(),
        }
    }

    /// Adds a node; returns whether it is new.
    pub(super) fn add(&mut self, id: &str, kind: NodeKind) -> bool {
        let is_new = self.nodes.insert(id.to_owned());
        if is_new {
            self.lineage.nodes.push(Node {
                id: id.to_owned(),
                kind,
            });
        }
        is_new
    }

    pub(super) fn connect(&mut self, from: &str, to: &str, role: &str) {
        let edge = Edge {
            from: from.to_owned(),
            to: to.to_owned(),
            role: role.to_owned(),
        };
        if self.edges.insert(edge.clone()) {
            self.lineage.edges.push(edge);
        }
    }
}
