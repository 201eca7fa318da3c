//! `gc`: lets old bodies of the state go.

use std::time::Duration;

use super::ProjectError;
use super::context::{Options, ProjectContext};
use super::execute::take_lock;
use synix_core::clock::Timestamp;
use synix_disk::FileLock;
use synix_store::{BuildId, GcReport, GcRules, Store};

/// The age from which things go where neither age nor size is said.
const OLD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What [`gc`] may let go.
#[derive(Debug, Clone, Copy)]
pub struct GcOrder {
    /// What is older; `None`: 30 days, or nothing for its age alone where a size is said.
    pub older_than: Option<Duration>,
    /// The size in bytes that the state should come down to.
    pub max_size: Option<u64>,
    /// How many snapshots of each pipeline stay.
    pub keep_snapshots: u32,
    /// Answers that nothing names may go.
    pub answers: bool,
    /// Only count.
    pub dry_run: bool,
}

/// Lets go what nothing kept or young stands on, and returns what went.
pub fn gc(options: &Options, order: &GcOrder) -> Result<GcReport, ProjectError> {
    let context = ProjectContext::with_state(options)?;
    let store = context.store()?;
    let now = context.clock.now();
    let before = match (order.older_than, order.max_size) {
        (Some(age), _) => earlier(now, age),
        (None, None) => earlier(now, OLD),
        (None, Some(_)) => Timestamp(0),
    };
    let rules = GcRules {
        before,
        max_bytes: order.max_size,
        snapshots: order.keep_snapshots,
        answers: order.answers,
        dry_run: order.dry_run,
    };
    loop {
        let (builds, locks) = lock_open_builds(&store)?;
        // Another build was opened meanwhile: it is locked too, or the command is refused.
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

/// Takes the locks of all open builds, so that nobody drives one.
pub(super) fn lock_open_builds(
    store: &Store,
) -> Result<(Vec<BuildId>, Vec<FileLock>), ProjectError> {
    let builds = store.open_builds()?;
    let locks: Result<_, _> = builds
        .iter()
        .map(|build| take_lock(store, *build))
        .collect();
    Ok((builds, locks?))
}
