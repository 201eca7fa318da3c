//! Stops the calls of a sandbox from outside, whatever time they have left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::limits::Breach;

/// A hand on the calls of one sandbox. Clones stop the same calls.
///
/// An endless guest ends within a tick of the sandbox's clock. Its call fails with
/// [`Fault::Interrupted`](super::Fault::Interrupted), which says nothing about the plugin and is never kept.
#[derive(Debug, Clone, Default)]
pub struct Interruption {
    stopped: Arc<AtomicBool>,
}

impl Interruption {
    /// Stops the calls that run, and all that begin until [`Interruption::lift`].
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Lets calls run again.
    pub fn lift(&self) {
        self.stopped.store(false, Ordering::Relaxed);
    }

    /// Says whether calls are stopped.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Ends a call that was stopped.
    pub(super) fn check(&self) -> Result<(), Breach> {
        if self.is_stopped() {
            Err(Breach::Interrupted)
        } else {
            Ok(())
        }
    }
}
