//! The outputs of a trial beside those of the newest snapshot of the whole pipeline.

use serde::Serialize;

use super::text_diff::TextDiff;
use synix_core::artifact::Content;
use synix_store::{BuildRow, Reader, Snapshot, SnapshotArtifact, StoreError};

/// An output of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialOutput {
    /// Its layer.
    pub layer: String,
    /// Its label.
    pub label: String,
    /// Its kind.
    pub kind: String,
    /// What the trial made.
    pub trial: OutputContent,
    /// What the newest snapshot has under the same label; `None` if it has nothing.
    pub main: Option<OutputContent>,
    /// How the texts differ; `None` if there are not two texts, or if they are equal.
    pub diff: Option<TextDiff>,
}

/// The content of an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutputContent {
    /// Its digest in hex.
    pub id: String,
    /// The text; `None` if the content is no text.
    pub content: Option<String>,
    /// The media type of content that is no text.
    pub media_type: Option<String>,
}

impl TrialOutput {
    /// Returns the outputs of the transforms of a trial, by layer and label.
    pub fn of(
        reader: &Reader,
        trial: &Snapshot,
        main: Option<&Snapshot>,
    ) -> Result<Vec<Self>, StoreError> {
        let mut outputs = Vec::new();
        for layer in trial.layers() {
            // The units of a source have no inputs.
            let units = reader.snapshot_units(trial, layer)?;
            let Some(unit) = units.first() else { continue };
            if !reader.has_inputs(unit.id)? {
                continue;
            }
            for found in reader.snapshot_artifacts(trial, layer)? {
                outputs.push(Self::beside(reader, &found, main)?);
            }
        }
        Ok(outputs)
    }

    fn beside(
        reader: &Reader,
        found: &SnapshotArtifact,
        main: Option<&Snapshot>,
    ) -> Result<Self, StoreError> {
        let label = found.artifact.label.as_str();
        let mains = match main {
            Some(main) => reader.labelled_artifacts(main, &found.layer, label)?,
            None => Vec::new(),
        };
        let main = mains.first().map(|main| OutputContent::of(reader, main));
        let (trial, main) = (OutputContent::of(reader, found)?, main.transpose()?);
        let main_text = main.as_ref().and_then(|main| main.content.as_deref());
        let diff = match (main_text, &trial.content) {
            (Some(before), Some(after)) if before != after => Some(TextDiff::of(before, after)),
            _ => None,
        };
        Ok(Self {
            layer: found.layer.clone(),
            label: label.to_owned(),
            kind: found.artifact.kind.to_string(),
            trial,
            main,
            diff,
        })
    }
}

impl OutputContent {
    fn of(reader: &Reader, found: &SnapshotArtifact) -> Result<Self, StoreError> {
        let artifact = reader.artifact(found.artifact.id)?;
        let media_type = artifact.content.media_type().map(str::to_owned);
        Ok(Self {
            id: found.artifact.digest.to_string(),
            content: match artifact.content {
                Content::Text(text) => Some(text),
                Content::Bytes { .. } => None,
            },
            media_type,
        })
    }
}

/// Returns the name of the trial that a build is; `None` if it builds the whole pipeline.
pub(super) fn trial_name(build: &BuildRow) -> Option<String> {
    let trial: serde_json::Value = serde_json::from_str(build.trial.as_deref()?).ok()?;
    trial["name"].as_str().map(str::to_owned)
}
