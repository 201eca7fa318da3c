//! Points where a test kills this process, for good and without warning.
//!
//! A point stands before and after every transaction and every call to a
//! provider: whatever is true of the state at each of them is true after any
//! crash. A release has none.

#[cfg(debug_assertions)]
mod points {
    use std::sync::atomic::{AtomicU64, Ordering};

    static PASSED: AtomicU64 = AtomicU64::new(0);
    static FATAL: AtomicU64 = AtomicU64::new(0);

    /// Kills the process at the `fatal`th point from now, counted from 1; at none for 0.
    pub fn arm(fatal: u64) {
        PASSED.store(0, Ordering::SeqCst);
        FATAL.store(fatal, Ordering::SeqCst);
    }

    /// Dies here if this is the one.
    pub fn point() {
        let fatal = FATAL.load(Ordering::Relaxed);
        if fatal > 0 && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == fatal {
            die();
        }
    }

    /// Not an exit or an abort: nothing of this process may run on.
    fn die() {
        let own = std::process::id().to_string();
        let killed = std::process::Command::new("kill")
            .args(["-KILL", &own])
            .status();
        drop(killed);
        std::process::abort();
    }
}

#[cfg(not(debug_assertions))]
mod points {
    /// Does nothing in a release.
    pub const fn arm(_: u64) {}

    /// Does nothing in a release.
    pub const fn point() {}
}

pub use points::{arm, point};
