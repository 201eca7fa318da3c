//! The locks in the state folder: of each build, for the process that drives it, and of the project's files.

use super::build::BuildId;
use super::{Reader, Store, StoreError};
use synix_disk::FileLock;

/// The folder of the locks.
pub(super) const LOCKS: &str = "locks";

/// The lock of the process that writes the settings of a trial into the project's files.
const PROMOTION: &str = "promote";

fn lock_name(build: BuildId) -> String {
    format!("build-{}", build.0)
}

impl Reader {
    /// Returns whether a process drives `build` now. If that cannot be found out, returns true.
    pub fn is_driven(&self, build: BuildId) -> bool {
        match self.state_folder.open_folder(LOCKS) {
            Ok(Some(locks)) => locks.is_locked(&lock_name(build)),
            Ok(None) => false,
            Err(_) => true,
        }
    }

    /// Returns what the process that drives `build` wrote about itself.
    pub fn build_holder(&self, build: BuildId) -> String {
        let locks = self.state_folder.open_folder(LOCKS).ok().flatten();
        locks.map_or_else(String::new, |locks| locks.holder(&lock_name(build)))
    }

    /// Takes the lock for writing the settings of a trial; returns `None` if another process has it.
    pub fn lock_promotion(&self) -> Result<Option<FileLock>, StoreError> {
        let locks = self.state_folder.open_or_create_folder(LOCKS)?;
        Ok(locks.lock(PROMOTION)?)
    }
}

impl Store {
    /// Takes the lock for driving a build; returns `None` if another process has it.
    pub fn lock_build(&self, build: BuildId) -> Result<Option<FileLock>, StoreError> {
        let locks = self.state_folder.open_or_create_folder(LOCKS)?;
        Ok(locks.lock(lock_name(build))?)
    }
}
