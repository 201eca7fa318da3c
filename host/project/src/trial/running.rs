//! Trials of one name: one of them runs at a time, because they share a snapshot.

use super::TrialRecord;
use crate::ProjectError;
use crate::context::ProjectContext;
use synix_store::{BuildId, BuildRow, Reader, StoreError};

impl ProjectContext {
    /// Refuses to run a trial while another process runs one of the same name. `own` is the build that will run.
    ///
    /// A new build takes its lock in the transaction that opens it. A caller that holds a transaction misses none.
    pub(crate) fn refuse_running_trial(
        &self,
        reader: &Reader,
        name: &str,
        own: Option<BuildId>,
    ) -> Result<(), ProjectError> {
        let others = self.trials(reader, name)?.into_iter();
        let mut others = others.filter(|(build, _)| Some(build.id) != own);
        match others.find(|(build, _)| reader.is_driven(build.id)) {
            Some((build, _)) => Err(ProjectError::TrialRuns {
                name: name.to_owned(),
                build: build.id,
                holder: reader.build_holder(build.id),
            }),
            None => Ok(()),
        }
    }

    /// Returns the trials of this name, the newest first.
    pub(super) fn trials(
        &self,
        reader: &Reader,
        name: &str,
    ) -> Result<Vec<(BuildRow, TrialRecord)>, StoreError> {
        let mut trials = Vec::new();
        for build in reader.builds(None)? {
            if build.pipeline != self.file {
                continue;
            }
            // A trial that cannot be read has no name.
            let Some(record) = TrialRecord::of(&build).ok().flatten() else {
                continue;
            };
            if record.name == name {
                trials.push((build, record));
            }
        }
        Ok(trials)
    }
}
