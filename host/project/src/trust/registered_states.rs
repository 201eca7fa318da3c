//! The states that synix created for this user, or that the user adopted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::files::{file_names, read, to_json, write};
use super::store::{TrustError, TrustStore};

/// A state that belongs to this user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RegisteredState {
    /// The folder `.synix`.
    pub(super) path: PathBuf,
    /// The inode of the folder: it stays the same when a project is moved, and a copy has another one.
    pub(super) inode: Option<u64>,
    /// Whether the user adopted it, instead of synix creating it.
    pub(super) adopted: bool,
}

impl TrustStore {
    pub(super) fn state_path(&self, id: &str) -> PathBuf {
        self.folder.join("states").join(format!("{id}.json"))
    }

    /// Returns the registered state with this id.
    pub(super) fn state(&self, id: &str) -> Option<RegisteredState> {
        let bytes = read(&self.state_path(id))?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Returns the registered states whose ids begin with `prefix`, with their ids.
    pub(super) fn states(&self, prefix: &str) -> Vec<(String, RegisteredState)> {
        let names = file_names(&self.folder.join("states")).into_iter();
        names
            .filter(|name| name.starts_with(prefix))
            .filter_map(|name| {
                let id = name.strip_suffix(".json")?.to_owned();
                let state = self.state(&id)?;
                Some((id, state))
            })
            .collect()
    }

    /// Registers a state as this user's.
    pub(super) fn register_state(
        &self,
        id: &str,
        state: &RegisteredState,
    ) -> Result<(), TrustError> {
        // Ids are random: one in 256 states is looked at each time, so a state costs the same however many there are.
        self.remove_stale_temporary_states(id.get(..2).unwrap_or(id));
        write(&self.state_path(id), &to_json(state))
    }

    pub(super) fn unregister_state(&self, id: &str) {
        synix_disk::discard(&self.state_path(id));
    }

    /// Unregisters states whose ids begin with `prefix`, of projects in the folder for temporary files that have not
    /// existed for a day.
    fn remove_stale_temporary_states(&self, prefix: &str) {
        let Ok(temporary) = std::env::temp_dir().canonicalize() else {
            return;
        };
        for (id, state) in self.states(prefix) {
            let project = state.path.parent().unwrap_or(&state.path);
            let path = self.state_path(&id);
            // The age protects a project that is being moved.
            if project.starts_with(&temporary) && !project.exists() && is_older(&path, DAY) {
                synix_disk::discard(&path);
            }
        }
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns whether the last change of a file is longer ago than this.
fn is_older(path: &Path, age: Duration) -> bool {
    let written = path.metadata().and_then(|found| found.modified());
    written.is_ok_and(|written| written.elapsed().is_ok_and(|since| since > age))
}
