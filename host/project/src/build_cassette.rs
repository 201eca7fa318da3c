//! The cassette of a project: which file it is, how a build records into it, and what a replay reads.

use std::path::PathBuf;
use std::sync::Arc;

use super::context::CassetteMode;
use super::{Project, ProjectError};
use synix_disk::{Folder, SymlinkPolicy};
use synix_engine::build::Trial;
use synix_providers::Cassette;
use synix_store::{AnswerOrigin, Store};

impl Project {
    /// Refuses a damaged cassette before the build pays for the answers that it should hold.
    pub(super) fn check_recording(&self) -> Result<(), ProjectError> {
        if self.context.cassette_mode == CassetteMode::Record {
            Cassette::load_if_exists(&self.cassette_path()?)?;
        }
        Ok(())
    }

    /// Writes every answer that the snapshot uses to the cassette, including those of earlier builds.
    pub(super) fn record(&self, store: &Store, trial: Option<&Trial>) -> Result<(), ProjectError> {
        let path = self.cassette_path()?;
        let mut cassette = Cassette::load_if_exists(&path)?.unwrap_or_default();
        let file = &self.context.file;
        let snapshot = match trial {
            Some(trial) => store.trial_snapshot(file, &trial.name)?,
            None => store.newest_snapshot_of(file)?,
        };
        let Some(snapshot) = snapshot else {
            return Ok(());
        };
        for layer in snapshot.layers() {
            for unit in store.snapshot_units(&snapshot, layer)? {
                for entry in store.transcript(unit.id)? {
                    if let Some(answer) = entry.answer {
                        let (answer, _) = store.transcript_answer(answer)?;
                        cassette.insert(store.request(entry.request)?, answer)?;
                    }
                }
            }
        }
        Ok(cassette.save(&path)?)
    }

    pub(super) fn cassette_path(&self) -> Result<PathBuf, ProjectError> {
        let folder = &self.context.cassette_dir;
        // A folder that the user named may be a link. The default folder may not, because a clone could contain the link.
        if *folder == self.context.root.join("cassettes") {
            Folder::open(folder, SymlinkPolicy::Refuse)?;
        }
        Ok(folder.join(format!("{}.json", self.pipeline.name)))
    }

    pub(super) fn replay(&self) -> Result<Option<Arc<Cassette>>, ProjectError> {
        if self.context.cassette_mode != CassetteMode::Replay {
            return Ok(None);
        }
        Ok(Some(Arc::new(Cassette::load(&self.cassette_path()?)?)))
    }
}

/// Returns where the answers of a build come from, as the state records it.
pub(super) fn answer_source(cassette: Option<&Arc<Cassette>>) -> AnswerOrigin {
    cassette.map_or(AnswerOrigin::Live, |cassette| {
        AnswerOrigin::Replay(cassette.digest())
    })
}
