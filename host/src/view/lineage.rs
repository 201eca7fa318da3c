//! Everything an artifact was made from, down to bytes, prompts, code and answers.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::show::{AskedView, asked};
use crate::digest::Digest;
use crate::fingerprint::StoredParts;
use crate::price::Prices;
use crate::store::{Reader, SnapshotArtifact, StoreError, StoredArtifact, StoredUnit};

/// The graph of all that an artifact was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lineage {
    /// What there is, the artifact itself first.
    pub nodes: Vec<Node>,
    /// What came from what: `from` was used to make `to`.
    pub edges: Vec<Edge>,
}

/// A thing that an artifact was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Its name in the edges.
    pub id: String,
    /// What it is.
    #[serde(flatten)]
    pub kind: NodeKind,
}

/// What a node is.
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
    /// The code that ran.
    Component {
        /// Its digest.
        digest: Digest,
    },
    /// A request with its answer.
    Request(AskedView),
}

/// One thing used to make another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Edge {
    /// What was used.
    pub from: String,
    /// What was made with it.
    pub to: String,
    /// As what: `input`, `source`, `component`, `answer`, or the file's place in the config.
    pub role: String,
}

/// The parts that the store keeps of a source's unit.
#[derive(Deserialize)]
struct SourceParts {
    path: String,
    bytes: Digest,
}

impl Lineage {
    /// Returns the lineage of an artifact, with what its requests cost at `prices`.
    pub fn of(
        reader: &Reader,
        found: &SnapshotArtifact,
        prices: &Prices,
    ) -> Result<Self, StoreError> {
        let lineage = Self {
            nodes: Vec::new(),
            edges: Vec::new(),
        };
        let mut walk = Walk {
            reader,
            prices,
            lineage,
            nodes: HashSet::new(),
            edges: HashSet::new(),
        };
        walk.down_from(&found.artifact)?;
        Ok(walk.lineage)
    }
}

struct Walk<'a> {
    reader: &'a Reader,
    prices: &'a Prices,
    lineage: Lineage,
    nodes: HashSet<String>,
    edges: HashSet<Edge>,
}

impl Walk<'_> {
    /// Adds `artifact` and all that it was made from, without recursion: pipelines may be deep.
    fn down_from(&mut self, artifact: &StoredArtifact) -> Result<(), StoreError> {
        let unit = self.reader.unit(artifact.unit)?;
        let (id, kind) = artifact_node(&unit, artifact);
        self.add(&id, kind);
        let mut open = vec![(id, unit)];
        while let Some((id, unit)) = open.pop() {
            self.add_origins(&id, &unit)?;
            let mut new = Vec::new();
            for input in self.reader.inputs(unit.id)? {
                let maker = self.reader.unit(input.unit)?;
                let (from, kind) = artifact_node(&maker, &input);
                self.connect(&from, &id, "input");
                if self.add(&from, kind) {
                    new.push((from, maker));
                }
            }
            open.extend(new.into_iter().rev());
        }
        Ok(())
    }

    fn add_origins(&mut self, id: &str, unit: &StoredUnit) -> Result<(), StoreError> {
        if let Ok(source) = serde_json::from_str::<SourceParts>(&unit.parts) {
            let from = format!("source_file:{}", source.path);
            self.add(
                &from,
                NodeKind::SourceFile {
                    path: source.path,
                    digest: source.bytes,
                },
            );
            self.connect(&from, id, "source");
        } else if let Some(parts) = StoredParts::read(&unit.parts) {
            let digest = parts.layer.component;
            let from = format!("component:{digest}");
            self.add(&from, NodeKind::Component { digest });
            self.connect(&from, id, "component");
            for (place, file) in parts.layer.files {
                let from = format!("file:{}:{}", file.path, file.digest.short());
                self.add(
                    &from,
                    NodeKind::File {
                        path: file.path,
                        digest: file.digest,
                    },
                );
                self.connect(&from, id, &place);
            }
        }
        for request in asked(self.reader, unit, self.prices)? {
            let from = format!("request:{}", request.key);
            self.add(&from, NodeKind::Request(request));
            self.connect(&from, id, "answer");
        }
        Ok(())
    }

    /// Adds a node and says whether it is new.
    fn add(&mut self, id: &str, kind: NodeKind) -> bool {
        let new = self.nodes.insert(id.to_owned());
        if new {
            self.lineage.nodes.push(Node {
                id: id.to_owned(),
                kind,
            });
        }
        new
    }

    fn connect(&mut self, from: &str, to: &str, role: &str) {
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

fn artifact_node(unit: &StoredUnit, artifact: &StoredArtifact) -> (String, NodeKind) {
    let kind = NodeKind::Artifact {
        layer: unit.layer.clone(),
        label: artifact.label.to_string(),
        kind: artifact.kind.to_string(),
        digest: artifact.digest,
        unit: unit.key.clone(),
    };
    (format!("artifact:{}/{}", unit.layer, artifact.label), kind)
}
