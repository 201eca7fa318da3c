//! The artifacts of the newest snapshot, and finding one by its name.

use std::collections::HashSet;

use serde::Serialize;

use crate::pipeline::nearest;
use crate::store::{Reader, SnapshotArtifact, StoreError};

/// An artifact in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its layer.
    pub layer: String,
    /// Its label.
    pub label: String,
    /// Its kind.
    pub kind: String,
    /// Its digest in hex.
    pub id: String,
}

/// Why a name leads to no artifact.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// No artifact has the name.
    #[error("there is no artifact {name:?}{}", .nearest.as_ref().map_or_else(String::new, |name| format!("; did you mean `{name}`?")))]
    NotFound {
        /// The name.
        name: String,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// Several layers have it.
    #[error("{name:?} is in several layers; name one of {}", .candidates.join(", "))]
    Ambiguous {
        /// The name.
        name: String,
        /// `layer/label` of each.
        candidates: Vec<String>,
    },
    /// The state failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<&SnapshotArtifact> for Listed {
    fn from(found: &SnapshotArtifact) -> Self {
        Self {
            layer: found.layer.clone(),
            label: found.artifact.label.to_string(),
            kind: found.artifact.kind.to_string(),
            id: found.artifact.digest.to_string(),
        }
    }
}

/// Returns the artifacts of the newest snapshot, or of one layer of it, by layer and label.
pub fn list(reader: &Reader, layer: Option<&str>) -> Result<Vec<Listed>, FindError> {
    let Some(snapshot) = reader.newest_snapshot()? else {
        return Ok(Vec::new());
    };
    if let Some(name) = layer
        && !snapshot.layers().any(|known| known == name)
    {
        let nearest = nearest(name, snapshot.layers()).map(str::to_owned);
        return Err(FindError::NotFound {
            name: name.to_owned(),
            nearest,
        });
    }
    let mut listed = Vec::new();
    for name in snapshot
        .layers()
        .filter(|name| layer.is_none_or(|layer| layer == *name))
    {
        listed.extend(
            reader
                .snapshot_artifacts(&snapshot, name)?
                .iter()
                .map(Listed::from),
        );
    }
    Ok(listed)
}

/// Returns the artifacts of the newest snapshot that nothing in it was made from.
pub fn final_artifacts(reader: &Reader) -> Result<Vec<Listed>, StoreError> {
    let Some(snapshot) = reader.newest_snapshot()? else {
        return Ok(Vec::new());
    };
    let (mut made, mut used) = (Vec::new(), HashSet::new());
    for layer in snapshot.layers() {
        made.extend(reader.snapshot_artifacts(&snapshot, layer)?);
        for unit in reader.snapshot_units(&snapshot, layer)? {
            used.extend(reader.inputs(unit.id)?.into_iter().map(|input| input.id));
        }
    }
    Ok(made
        .iter()
        .filter(|found| !used.contains(&found.artifact.id))
        .map(Listed::from)
        .collect())
}

/// Finds the artifact of the newest snapshot that `LAYER/LABEL` or `LABEL` names.
///
/// A label may itself hold a `/`, so a name is read in both ways.
pub fn find(reader: &Reader, name: &str) -> Result<SnapshotArtifact, FindError> {
    let mut all = Vec::new();
    if let Some(snapshot) = reader.newest_snapshot()? {
        for layer in snapshot.layers() {
            all.extend(reader.snapshot_artifacts(&snapshot, layer)?);
        }
    }
    let full = |found: &SnapshotArtifact| format!("{}/{}", found.layer, found.artifact.label);
    let (mut exact, rest): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|found| full(found) == name);
    if exact.len() == 1 {
        return Ok(exact.remove(0));
    }
    let (mut named, rest): (Vec<_>, Vec<_>) = rest
        .into_iter()
        .partition(|found| found.artifact.label.as_str() == name);
    named.append(&mut exact);
    match named.len() {
        1 => Ok(named.remove(0)),
        0 => {
            let names: Vec<String> = if name.contains('/') {
                rest.iter().map(full).collect()
            } else {
                rest.iter()
                    .map(|found| found.artifact.label.to_string())
                    .collect()
            };
            let nearest = nearest(name, names.iter().map(String::as_str)).map(str::to_owned);
            Err(FindError::NotFound {
                name: name.to_owned(),
                nearest,
            })
        }
        _ => Err(FindError::Ambiguous {
            name: name.to_owned(),
            candidates: named.iter().map(full).collect(),
        }),
    }
}
