//! Sends of processes that died: they are marked as unclear, so that their requests are free again.

use crate::build::BuildError;
use crate::build::event::{Event, Observer};
use synix_core::clock::Timestamp;
use synix_store::{BuildId, Store};

/// Marks the sends of builds that no process drives as unclear, so that their requests are free again.
///
/// Skips those of `own`, because they include the calls of this process.
pub(in crate::build) fn take_over_orphans(
    store: &Store,
    own: BuildId,
    now: Timestamp,
    observer: Observer<'_>,
) -> Result<(), BuildError> {
    for build in store.builds_in_flight()? {
        if build == own {
            continue;
        }
        // The process that drives a build holds its lock until its last call has ended.
        let Some(_lock) = store.lock_build(build)? else {
            continue;
        };
        close_orphaned_sends(store, build, now, observer)?;
    }
    Ok(())
}

/// Marks the sends of `build` as unclear. The caller holds its lock and has none of its calls in flight.
pub(in crate::build) fn close_orphaned_sends(
    store: &Store,
    build: BuildId,
    now: Timestamp,
    observer: Observer<'_>,
) -> Result<(), BuildError> {
    let orphans = store.write(|tx| tx.close_orphaned_sends(build, now))?;
    if orphans > 0 {
        observer(&Event::Unclear { requests: orphans });
    }
    Ok(())
}
