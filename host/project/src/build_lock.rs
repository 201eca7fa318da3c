//! The lock of a build: only one process may run a build at a time.

use std::time::Duration;

use super::{Project, ProjectError};
use synix_disk::FileLock;
use synix_engine::build::BuildError;
use synix_store::{BuildId, Store};

impl Project {
    pub(super) fn lock(&self, store: &Store, build: BuildId) -> Result<FileLock, ProjectError> {
        let mut lock = take_build_lock(store, build)?;
        lock.write_holder(&format!(
            "process {} since {}",
            std::process::id(),
            self.context.clock.now()
        ))?;
        Ok(lock)
    }
}

/// How often a lock is tried: another process may hold it only to look at the build.
const LOCK_ATTEMPTS: u32 = 5;

const LOCK_RETRY_PAUSE: Duration = Duration::from_millis(20);

/// Takes the lock of a build, or reports which process holds it.
pub(super) fn take_build_lock(store: &Store, build: BuildId) -> Result<FileLock, ProjectError> {
    for attempt in 1..=LOCK_ATTEMPTS {
        if let Some(lock) = store.lock_build(build)? {
            return Ok(lock);
        }
        if attempt < LOCK_ATTEMPTS {
            std::thread::sleep(LOCK_RETRY_PAUSE);
        }
    }
    let holder = store.build_holder(build);
    let holder = if holder.is_empty() {
        holder
    } else {
        format!(" ({holder})")
    };
    Err(BuildError::Busy { build, holder }.into())
}
