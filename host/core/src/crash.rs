//! Crash points: places where a test can kill this process without warning.
//!
//! There is a crash point before and after every transaction, every provider call, and every object that is created in a
//! store of shared answers. A state that is valid at each of them is valid after any crash. Release builds have none.

#[cfg(debug_assertions)]
mod points {
    use std::sync::atomic::{AtomicU64, Ordering};

    static PASSED: AtomicU64 = AtomicU64::new(0);
    static FATAL: AtomicU64 = AtomicU64::new(0);

    /// Makes the process die at the `fatal`th crash point from now, counted from 1. Zero disables this.
    pub fn arm(fatal: u64) {
        PASSED.store(0, Ordering::SeqCst);
        FATAL.store(fatal, Ordering::SeqCst);
    }

    /// Kills the process if this is the armed crash point.
    pub fn point() {
        let fatal = FATAL.load(Ordering::Relaxed);
        if fatal > 0 && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == fatal {
            die();
        }
    }

    /// Sends SIGKILL, because an exit or an abort could run more code of this process.
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
    /// Does nothing in a release build.
    pub const fn arm(_: u64) {}

    /// Does nothing in a release build.
    pub const fn point() {}
}

pub use points::{arm, point};
