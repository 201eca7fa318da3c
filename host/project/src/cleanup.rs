//! `gc` and `clean`: commands that delete from the state.

use std::time::Duration;

use super::ProjectError;
use super::build_lock::take_build_lock;
use super::context::{Options, ProjectContext};
use synix_core::clock::Timestamp;
use synix_core::printable;
use synix_disk::FileLock;
use synix_store::{BuildId, GcReport, GcRules, Store, StoreError};

/// The default of [`GcOptions::older_than`].
const DEFAULT_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What [`gc`] may delete.
#[derive(Debug, Clone, Copy)]
pub struct GcOptions {
    /// The age from which data may be deleted. `None`: 30 days or, with a maximum size, any age.
    pub older_than: Option<Duration>,
    /// The size in bytes to which the state should shrink.
    pub max_size: Option<u64>,
    /// The number of snapshots to retain for each pipeline.
    pub keep_snapshots: u32,
    /// Whether to delete answers that no retained unit uses.
    pub answers: bool,
    /// Whether to count only.
    pub dry_run: bool,
}

/// Deletes old data that no retained snapshot uses, and returns what was deleted.
pub fn gc(options: &Options, gc: &GcOptions) -> Result<GcReport, ProjectError> {
    let context = ProjectContext::with_state(options)?;
    let store = context.store()?;
    let now = context.clock.now();
    let before = match (gc.older_than, gc.max_size) {
        (Some(age), _) => earlier(now, age),
        (None, None) => earlier(now, DEFAULT_AGE),
        (None, Some(_)) => Timestamp(0),
    };
    let rules = GcRules {
        before,
        max_bytes: gc.max_size,
        snapshots: gc.keep_snapshots,
        answers: gc.answers,
        dry_run: gc.dry_run,
    };
    loop {
        let (builds, locks) = lock_open_builds(&store)?;
        // `None`: another build was opened since, whose lock is needed as well.
        if let Some(freed) = store.collect_garbage(&rules, &builds)? {
            return Ok(freed);
        }
        drop(locks);
    }
}

fn earlier(now: Timestamp, age: Duration) -> Timestamp {
    let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    Timestamp(now.0.saturating_sub(age))
}

/// The result of [`clean`].
#[derive(Debug, Default)]
pub struct CleanReport {
    /// A description of each thing that was deleted.
    pub removed: Vec<String>,
}

/// Deletes all units and artifacts. The next build makes them again from the stored answers.
///
/// Answers, batches and builds are retained, because they cost money.
pub fn clean(options: &Options) -> Result<CleanReport, ProjectError> {
    let context = ProjectContext::with_state(options)?;
    let store = context.store()?;
    // With the locks, because a running build would lose the units that it needs.
    let units = loop {
        let (builds, locks) = lock_open_builds(&store)?;
        let deleted = store.write(|tx| -> Result<_, StoreError> {
            // If another build was opened since, its lock is needed as well.
            if tx.open_builds()?.iter().all(|open| builds.contains(open)) {
                tx.delete_units().map(Some)
            } else {
                Ok(None)
            }
        })?;
        drop(locks);
        if let Some(units) = deleted {
            break units;
        }
    };
    synix_search::remove_indexes(store.folder()).map_err(StoreError::from)?;
    let removed = if units == 0 {
        Vec::new()
    } else {
        vec![format!(
            "{} with their artifacts",
            printable::pluralize(units as u64, "unit")
        )]
    };
    Ok(CleanReport { removed })
}

/// Takes the locks of all open builds, so that no other process can run one.
fn lock_open_builds(store: &Store) -> Result<(Vec<BuildId>, Vec<FileLock>), ProjectError> {
    let builds = store.open_builds()?;
    let locks: Result<_, _> = builds
        .iter()
        .map(|build| take_build_lock(store, *build))
        .collect();
    Ok((builds, locks?))
}
