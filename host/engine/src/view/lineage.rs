//! The lineage of an artifact: inputs, files, prompts, components and answers.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::find::FoundArtifact;
use super::graph::Graph;
use super::show::{RequestView, request_views};
use super::snapshot::StaleInfo;
use super::unit_origin::UnitOrigin;
use synix_core::digest::Digest;
use synix_prices::Prices;
use synix_store::{Reader, StoreError, StoredArtifact, StoredUnit};

/// The graph of everything that an artifact was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lineage {
    /// The build whose snapshot has the artifact.
    pub build: String,
    /// Why the newest snapshot does not have it; `None` if it does.
    pub stale: Option<StaleInfo>,
    /// Whether the requested depth excludes something.
    #[serde(rename = "cut")]
    pub is_truncated: bool,
    /// The nodes, starting with the artifact itself.
    pub nodes: Vec<Node>,
    /// The edges: `from` was used to make `to`.
    pub edges: Vec<Edge>,
}

/// A node of a lineage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Its name in the edges.
    pub id: String,
    /// Its kind.
    #[serde(flatten)]
    pub kind: NodeKind,
}

/// The kind of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NodeKind {
    /// An artifact.
    Artifact {
        /// Its layer.
        layer: String,
        /// Its label.
        label: String,
        /// Its kind.
        kind: String,
        /// Its digest.
        digest: Digest,
        /// The unit that made it.
        unit: String,
    },
    /// A raw file.
    SourceFile {
        /// Its path relative to the project.
        path: String,
        /// The digest of its bytes.
        digest: Digest,
    },
    /// A file that a layer's config names.
    File {
        /// Its path relative to the project.
        path: String,
        /// The digest of its bytes.
        digest: Digest,
    },
    /// A component that ran.
    Component {
        /// Its digest.
        digest: Digest,
        /// Its name, if it is known.
        name: Option<String>,
        /// `transform` or `reader`.
        kind: &'static str,
    },
    /// A request with its answer.
    Request(RequestView),
}

/// An edge of a lineage.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Edge {
    /// The id of the node that was used.
    pub from: String,
    /// The id of the node that was made with it.
    pub to: String,
    /// Its role: `input`, `source`, `component`, `answer`, or the file's pointer in the config.
    pub role: String,
}

impl Lineage {
    /// Returns the lineage of an artifact, with the cost of its requests at `prices` and the `names` of its components.
    ///
    /// A depth limits the number of steps from artifact to artifact.
    pub fn of(
        reader: &Reader,
        found: &FoundArtifact,
        prices: &Prices,
        names: &BTreeMap<Digest, String>,
        depth: Option<usize>,
    ) -> Result<Self, StoreError> {
        let mut walk = Walk {
            reader,
            prices,
            names,
            graph: Graph::new(found.build.to_string(), found.stale.clone()),
            max_nodes: usize::MAX,
        };
        walk.trace(&found.artifact.artifact, depth.unwrap_or(usize::MAX))?;
        Ok(walk.graph.lineage)
    }

    /// Returns the beginning of the lineage of an artifact: it ends once it has `max_nodes` nodes.
    pub fn bounded(
        reader: &Reader,
        found: &FoundArtifact,
        prices: &Prices,
        names: &BTreeMap<Digest, String>,
        max_nodes: usize,
    ) -> Result<Self, StoreError> {
        let mut walk = Walk {
            reader,
            prices,
            names,
            graph: Graph::new(found.build.to_string(), found.stale.clone()),
            max_nodes,
        };
        walk.trace(&found.artifact.artifact, usize::MAX)?;
        Ok(walk.graph.lineage)
    }

    /// Keeps the artifact and the source files that it was made from.
    #[must_use]
    pub fn roots(mut self) -> Self {
        let Some(artifact) = self.nodes.first().map(|node| node.id.clone()) else {
            return self;
        };
        let is_file = |node: &Node| matches!(node.kind, NodeKind::SourceFile { .. });
        self.nodes
            .retain(|node| node.id == artifact || is_file(node));
        let files = self.nodes.iter().filter(|node| is_file(node));
        self.edges = files
            .map(|file| Edge {
                from: file.id.clone(),
                to: artifact.clone(),
                role: "source".to_owned(),
            })
            .collect();
        self
    }
}

struct Walk<'a> {
    reader: &'a Reader,
    prices: &'a Prices,
    names: &'a BTreeMap<Digest, String>,
    graph: Graph,
    /// The number of nodes from which the walk ends.
    max_nodes: usize,
}

impl Walk<'_> {
    /// Adds `artifact` and everything that it was made from, breadth first, at most `max_depth` steps back.
    fn trace(&mut self, artifact: &StoredArtifact, max_depth: usize) -> Result<(), StoreError> {
        let unit = self.reader.unit(artifact.unit)?;
        let (id, kind) = artifact_node(&unit, artifact);
        self.graph.add(&id, kind);
        let mut open = VecDeque::from([(id, unit, 0)]);
        while let Some((id, unit, depth_of_unit)) = open.pop_front() {
            if self.is_full() {
                self.graph.lineage.is_truncated = true;
                break;
            }
            // A unit may have a million inputs.
            let inputs = if self.max_nodes == usize::MAX {
                self.reader.inputs(unit.id)?
            } else {
                self.reader.first_inputs(unit.id, self.max_nodes)?
            };
            self.add_origins(&id, &unit)?;
            if depth_of_unit == max_depth {
                self.graph.lineage.is_truncated |= !inputs.is_empty();
                continue;
            }
            for input in inputs {
                if self.is_full() {
                    self.graph.lineage.is_truncated = true;
                    break;
                }
                let maker = self.reader.unit(input.unit)?;
                let (from, kind) = artifact_node(&maker, &input);
                self.graph.connect(&from, &id, "input");
                if self.graph.add(&from, kind) {
                    open.push_back((from, maker, depth_of_unit + 1));
                }
            }
        }
        Ok(())
    }

    const fn is_full(&self) -> bool {
        self.graph.lineage.nodes.len() >= self.max_nodes
    }

    fn add_origins(&mut self, id: &str, unit: &StoredUnit) -> Result<(), StoreError> {
        let origin = UnitOrigin::of(self.reader, unit)?;
        for file in origin.files() {
            self.add_source_file(id, file.path, file.digest);
        }
        let is_reader = matches!(origin, UnitOrigin::Files(_));
        if let Some(parts) = origin.into_parts() {
            let digest = parts.layer.component;
            let from = format!("component:{digest}");
            let component = NodeKind::Component {
                digest,
                name: self.names.get(&digest).cloned(),
                kind: if is_reader { "reader" } else { "transform" },
            };
            self.graph.add(&from, component);
            self.graph.connect(&from, id, "component");
            for (pointer, file) in parts.layer.files {
                let from = format!("file:{}:{}", file.path, file.digest.short());
                self.graph.add(
                    &from,
                    NodeKind::File {
                        path: file.path,
                        digest: file.digest,
                    },
                );
                self.graph.connect(&from, id, &pointer);
            }
        }
        for request in request_views(self.reader, unit, self.prices)? {
            let from = format!("request:{}", request.key);
            self.graph.add(&from, NodeKind::Request(request));
            self.graph.connect(&from, id, "answer");
        }
        Ok(())
    }

    fn add_source_file(&mut self, id: &str, path: String, digest: Digest) {
        let (from, kind) = file_node(path, digest);
        self.graph.add(&from, kind);
        self.graph.connect(&from, id, "source");
    }
}

pub(super) fn artifact_node(unit: &StoredUnit, artifact: &StoredArtifact) -> (String, NodeKind) {
    let kind = NodeKind::Artifact {
        layer: unit.layer.clone(),
        label: artifact.label.to_string(),
        kind: artifact.kind.to_string(),
        digest: artifact.digest,
        unit: unit.key.clone(),
    };
    (format!("artifact:{}/{}", unit.layer, artifact.label), kind)
}

pub(super) fn file_node(path: String, digest: Digest) -> (String, NodeKind) {
    let id = format!("source_file:{path}");
    (id, NodeKind::SourceFile { path, digest })
}
