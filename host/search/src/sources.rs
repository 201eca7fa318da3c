//! The source artifacts behind an artifact.

use std::collections::{HashSet, VecDeque};

use synix_store::{ArtifactId, Reader, StoreError, StoredArtifact};

/// The maximum number of labels that are shown for an artifact, and of artifacts that are read to find them.
const MAX_LABELS: usize = 100;
const MAX_READ: usize = 10_000;

/// The source artifacts behind an artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Their labels, the nearest first.
    pub labels: Vec<String>,
    /// Whether there are more.
    pub has_more: bool,
}

impl Sources {
    /// Follows the inputs of an artifact to the artifacts that were made from files. These have no inputs.
    pub fn of(reader: &Reader, artifact: ArtifactId) -> Result<Self, StoreError> {
        let mut found = Self::default();
        let Some(artifact) = reader.find_artifact(artifact)? else {
            return Ok(found);
        };
        let mut seen: HashSet<ArtifactId> = HashSet::from([artifact.id]);
        let mut open: VecDeque<StoredArtifact> = VecDeque::from([artifact]);
        while let Some(artifact) = open.pop_front() {
            if found.labels.len() == MAX_LABELS || seen.len() > MAX_READ {
                found.has_more = true;
                break;
            }
            let inputs = reader.first_inputs(artifact.unit, MAX_READ)?;
            if inputs.is_empty() {
                let label = artifact.label.to_string();
                if !found.labels.contains(&label) {
                    found.labels.push(label);
                }
            }
            open.extend(inputs.into_iter().filter(|input| seen.insert(input.id)));
        }
        Ok(found)
    }
}
