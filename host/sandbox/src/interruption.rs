//! Interrupts the calls of a sandbox from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::limits::Abort;

/// Interrupts the calls of one sandbox. Clones interrupt the same calls.
///
/// Even an endless loop ends at the next tick of the sandbox. The call fails with
/// [`Fault::Interrupted`](super::Fault::Interrupted), which says nothing about the plugin and is never stored.
#[derive(Debug, Clone, Default)]
pub struct InterruptHandle {
    stopped: Arc<AtomicBool>,
}

impl InterruptHandle {
    /// Interrupts the running calls, and all calls until [`InterruptHandle::resume`].
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Allows calls again.
    pub fn resume(&self) {
        self.stopped.store(false, Ordering::Relaxed);
    }

    /// Returns whether calls are interrupted now.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Fails if calls are interrupted.
    pub(super) fn check(&self) -> Result<(), Abort> {
        if self.is_stopped() {
            Err(Abort::Interrupted)
        } else {
            Ok(())
        }
    }
}
