//! Trials: what the user tries, how a build records it, and how it goes into the pipeline file.

mod promote;
mod promote_error;
mod prompt_file;
mod record;
mod running;

use std::sync::Arc;

use super::{Project, ProjectError};
use synix_core::ids::check_name;
use synix_engine::build::{self, ReadyPipeline, Selection, Trial};
use synix_manifest::Overrides;
use synix_providers::Cassette;
use synix_store::{BuildId, Reader, SnapshotId, StoreError};

pub use promote::{PromotedChange, Promotion, promote};
pub use promote_error::PromoteError;
pub use prompt_file::read_prompt;

pub(super) use record::TrialRecord;

/// What the user tries: some units, other settings, or both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrialOptions {
    /// The name of the trial. `None`: `trial-1`, or the next number.
    pub name: Option<String>,
    /// The units to build.
    pub selection: Selection,
    /// The changes of the pipeline file.
    pub overrides: Overrides,
}

impl TrialOptions {
    /// Refuses a layer or a name that cannot be tried.
    pub(super) fn check(&self, pipeline: &ReadyPipeline) -> Result<(), ProjectError> {
        self.check_own_name()?;
        Ok(self.selection.check(pipeline)?)
    }

    /// Refuses a name that could mean another snapshot.
    fn check_own_name(&self) -> Result<(), ProjectError> {
        let Some(name) = &self.name else {
            return Ok(());
        };
        check_name("trial", name).map_err(|error| ProjectError::Usage(error.to_string()))?;
        let is_snapshot = name
            .strip_prefix("snapshot-")
            .is_some_and(|number| number.parse().map(SnapshotId).is_ok());
        if is_snapshot || name.parse::<BuildId>().is_ok() {
            return Err(ProjectError::Usage(format!(
                "trial {name:?} would be mistaken for a snapshot or a build; use another name"
            )));
        }
        Ok(())
    }

    /// Returns the trial as a build needs it.
    pub(super) fn named(&self, name: String) -> Trial {
        Trial {
            name,
            selection: self.selection.clone(),
        }
    }
}

impl Project {
    /// Refuses a selection of nothing before a build is on record.
    pub(super) fn check_selection(
        &self,
        cassette: Option<&Arc<Cassette>>,
    ) -> Result<(), ProjectError> {
        let Some(trial) = &self.trial else {
            return Ok(());
        };
        let reader = match Reader::open(&self.context.state()) {
            Ok(reader) => Some(reader),
            Err(StoreError::Absent { .. }) => None,
            // The build itself reports what is wrong with the state, or replaces it.
            Err(_) => return Ok(()),
        };
        let trial = trial.named(String::new());
        let context = self.build_context(cassette, Some(&trial));
        Ok(build::check_selection(context, reader.as_ref())?)
    }
}
