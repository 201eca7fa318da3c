//! What a build records of its trial: enough to resume it, and to write its settings into the pipeline file later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::TrialOptions;
use crate::context::ProjectContext;
use crate::{Project, ProjectError};
use synix_core::digest::Digest;
use synix_engine::build::Selection;
use synix_manifest::{Overrides, PromptFile, current_values};
use synix_sources::{HiddenFiles, ProjectFolder};
use synix_store::{BuildRow, Reader, StoreError};

/// A trial, as the row of its build has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TrialRecord {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) selection: Selection,
    #[serde(flatten)]
    pub(crate) overrides: Overrides,
    /// The values that the settings replaced, by key; null if the pipeline file did not have the key.
    #[serde(default)]
    pub(crate) values: BTreeMap<String, Value>,
    /// The digests of the prompt files whose texts were replaced, by path.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, Digest>,
}

impl TrialRecord {
    /// Reads the trial of a build; `None` if it is a build of the whole pipeline.
    pub(crate) fn of(build: &BuildRow) -> Result<Option<Self>, StoreError> {
        let Some(text) = &build.trial else {
            return Ok(None);
        };
        let record = serde_json::from_str(text).map_err(|error| StoreError::Unusable {
            what: "build",
            detail: format!("the trial of {} is unreadable: {error}", build.id),
        })?;
        Ok(Some(record))
    }

    /// Returns the options of a command that continues the trial.
    pub(crate) fn options(self) -> TrialOptions {
        TrialOptions {
            name: Some(self.name),
            selection: self.selection,
            overrides: self.overrides,
        }
    }
}

impl Project {
    /// Describes the trial of a new build. The caller holds the transaction in which the build is opened.
    pub(crate) fn trial_record(
        &self,
        trial: &TrialOptions,
        reader: &Reader,
    ) -> Result<TrialRecord, ProjectError> {
        let name = match &trial.name {
            Some(name) => {
                self.context.refuse_running_trial(reader, name, None)?;
                name.clone()
            }
            None => next_name(reader, &self.context.file)?,
        };
        let text = self.context.pipeline_text()?;
        let invalid = |errors| self.context.pipeline_error(errors);
        let resolved = trial.overrides.resolve(&text).map_err(invalid)?;
        let values = current_values(&text, &resolved.settings).map_err(invalid)?;
        let keys = resolved.settings.iter().map(ToString::to_string);
        let mut files = BTreeMap::new();
        for (layer, PromptFile { path, .. }) in &resolved.files {
            let digest = self.context.prompt_digest(&self.folder, layer, path)?;
            files.extend(digest.map(|digest| (path.clone(), digest)));
        }
        Ok(TrialRecord {
            name,
            selection: trial.selection.clone(),
            overrides: trial.overrides.clone(),
            values: keys
                .zip(values.into_iter().map(Option::unwrap_or_default))
                .collect(),
            files,
        })
    }
}

impl ProjectContext {
    /// Returns the digest of a prompt file; `None` if it cannot be read.
    pub(crate) fn prompt_digest(
        &self,
        folder: &ProjectFolder,
        layer: &str,
        path: &str,
    ) -> Result<Option<Digest>, ProjectError> {
        let pipeline = self.pipeline()?;
        let mut layers = pipeline.layers.iter();
        let layer = layers.find(|known| known.name.as_str() == layer);
        let hidden =
            HiddenFiles::allowed_if(layer.is_some_and(synix_manifest::Layer::allow_hidden));
        let text = folder.read_text(path, hidden).ok();
        Ok(text.map(|text| Digest::of(text.as_bytes())))
    }
}

/// Returns the first name `trial-N` that no trial of this pipeline has had.
fn next_name(reader: &Reader, pipeline: &str) -> Result<String, ProjectError> {
    let mut next: u64 = 1;
    for build in reader.builds(None)? {
        // A build of another pipeline may use the same name.
        if build.pipeline != pipeline {
            continue;
        }
        // A trial that cannot be read has no name to avoid.
        let name = TrialRecord::of(&build)
            .ok()
            .flatten()
            .map(|trial| trial.name);
        let number = name.as_deref().and_then(|name| name.strip_prefix("trial-"));
        if let Some(number) = number.and_then(|number| number.parse::<u64>().ok()) {
            next = next.max(number.saturating_add(1));
        }
    }
    Ok(format!("trial-{next}"))
}
