//! What was made from an artifact or a source file.

use std::collections::{HashMap, VecDeque};

use super::find::FoundArtifact;
use super::find_error::FindError;
use super::graph::Graph;
use super::lineage::{Lineage, artifact_node, file_node};
use super::snapshot::{SnapshotView, StaleInfo};
use super::unit_origin::UnitOrigin;
use synix_core::digest::Digest;
use synix_store::{Reader, Snapshot, StoreError, StoredArtifact, StoredUnit, UnitId};

/// The units of a snapshot that use an artifact, by its layer and digest.
///
/// A unit that is fresh keeps its input, even if an equal artifact has replaced it since, so ids do not identify inputs.
type Users = HashMap<(String, Digest), Vec<UnitId>>;

impl Lineage {
    /// Returns what was made from an artifact, at most `depth` steps on.
    pub fn downstream(
        view: &SnapshotView<'_>,
        found: &FoundArtifact,
        depth: Option<usize>,
    ) -> Result<Self, FindError> {
        let mut walk = Walk::from(view, found)?;
        walk.follow(depth.unwrap_or(usize::MAX))?;
        Ok(walk.graph.lineage)
    }

    /// Returns the beginning of what was made from an artifact: it ends once it has `max_nodes` nodes.
    pub fn downstream_bounded(
        view: &SnapshotView<'_>,
        found: &FoundArtifact,
        max_nodes: usize,
    ) -> Result<Self, FindError> {
        let mut walk = Walk::from(view, found)?;
        walk.max_nodes = max_nodes;
        walk.follow(usize::MAX)?;
        Ok(walk.graph.lineage)
    }

    /// Returns what was made from a source file; `None` if the snapshot has no such file.
    pub fn downstream_of_file(
        view: &SnapshotView<'_>,
        path: &str,
        depth: Option<usize>,
    ) -> Result<Option<Self>, FindError> {
        let snapshot = view.required()?;
        let mut walk = Walk::new(view, snapshot.build.to_string(), None)?;
        for layer in snapshot.layers() {
            for unit in view.reader.snapshot_units(snapshot, layer)? {
                let unit = view.reader.unit(unit.id)?;
                let Some(digest) = file_digest(view.reader, &unit, path)? else {
                    continue;
                };
                let (file, kind) = file_node(path.to_owned(), digest);
                walk.graph.add(&file, kind);
                for artifact in view.reader.outputs(unit.id)? {
                    let id = walk.start(&unit, &artifact);
                    walk.graph.connect(&file, &id, "source");
                }
            }
        }
        walk.follow(depth.unwrap_or(usize::MAX))?;
        Ok(Some(walk.graph.lineage).filter(|lineage| !lineage.nodes.is_empty()))
    }
}

/// Returns the digest of the file at `path` if the unit was made from it.
fn file_digest(
    reader: &Reader,
    unit: &StoredUnit,
    path: &str,
) -> Result<Option<Digest>, StoreError> {
    let files = UnitOrigin::of(reader, unit)?.files();
    let file = files.into_iter().find(|file| file.path == path);
    Ok(file.map(|file| file.digest))
}

struct Walk<'r> {
    reader: &'r Reader,
    users: Users,
    graph: Graph,
    open: VecDeque<(String, (String, Digest), usize)>,
    /// The number of nodes from which the walk ends.
    max_nodes: usize,
}

impl<'r> Walk<'r> {
    /// Begins at an artifact.
    fn from(view: &SnapshotView<'r>, found: &FoundArtifact) -> Result<Self, FindError> {
        let mut walk = Self::new(view, found.build.to_string(), found.stale.clone())?;
        let artifact = &found.artifact.artifact;
        let unit = view.reader.unit(artifact.unit)?;
        walk.start(&unit, artifact);
        Ok(walk)
    }

    fn new(
        view: &SnapshotView<'r>,
        build: String,
        stale: Option<StaleInfo>,
    ) -> Result<Self, FindError> {
        Ok(Self {
            reader: view.reader,
            users: users(view.reader, view.required()?)?,
            graph: Graph::new(build, stale),
            open: VecDeque::new(),
            max_nodes: usize::MAX,
        })
    }

    /// Adds an artifact that the walk begins at, and returns the id of its node.
    fn start(&mut self, unit: &StoredUnit, artifact: &StoredArtifact) -> String {
        self.reach(unit, artifact, 0)
    }

    fn reach(&mut self, unit: &StoredUnit, artifact: &StoredArtifact, steps: usize) -> String {
        let (id, kind) = artifact_node(unit, artifact);
        if self.graph.add(&id, kind) {
            let key = (unit.layer.clone(), artifact.digest);
            self.open.push_back((id.clone(), key, steps));
        }
        id
    }

    /// Adds everything that was made from the open artifacts, breadth first.
    fn follow(&mut self, max_depth: usize) -> Result<(), StoreError> {
        while let Some((from, key, steps)) = self.open.pop_front() {
            let units = self.users.get(&key).cloned().unwrap_or_default();
            if steps == max_depth {
                self.graph.lineage.is_truncated |= !units.is_empty();
                continue;
            }
            for unit in units {
                if self.graph.lineage.nodes.len() >= self.max_nodes {
                    self.graph.lineage.is_truncated = true;
                    return Ok(());
                }
                let unit = self.reader.unit(unit)?;
                for output in self.reader.outputs(unit.id)? {
                    let to = self.reach(&unit, &output, steps + 1);
                    self.graph.connect(&from, &to, "input");
                }
            }
        }
        Ok(())
    }
}

fn users(reader: &Reader, snapshot: &Snapshot) -> Result<Users, StoreError> {
    let mut users = Users::new();
    for layer in snapshot.layers() {
        reader.for_each_use(snapshot, layer, |unit, layer, digest| {
            let of_input = users.entry((layer, digest)).or_default();
            if of_input.last() != Some(&unit) {
                of_input.push(unit);
            }
        })?;
    }
    Ok(users)
}
