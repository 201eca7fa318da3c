//! A connection to a database file that a stranger may have made: nothing planted in it acts, and no statement is endless.
//!
//! A clone may hold a `.synix`, and a pull may add files to the user's own. SQLite is told to trust nothing of what
//! the file says; [`super::schema`] then compares the file with what the migrations make. Pages may still be wound up
//! so that a look-up never ends: each statement has as many steps as a file of that size could need.

use std::fmt;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

/// How long a writer waits for another process to finish its transaction.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// The longest text or content of a row, in bytes. What is longer stands in a file of its own, or was planted.
const VALUE_BYTES: i32 = 256 << 20;

/// Steps of SQLite's machine between two looks at the clock that counts them.
const STEPS_AT_ONCE: i32 = 100_000;

/// Steps that any statement may take, and those for each page of the file: many times what a full scan takes.
const LEAST_STEPS: u64 = 20_000_000;
const STEPS_PER_PAGE: u64 = 100_000;
const PAGE_BYTES: u64 = 8192;

/// What the connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Triggers write the steps of submissions.
    Write,
    /// Nothing is written, so no trigger has anything to do.
    Read,
}

/// A connection whose statements end. Each use of it begins a new count.
pub(super) struct Watched {
    connection: Connection,
    steps: Arc<AtomicU64>,
}

impl Deref for Watched {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.steps.store(0, Ordering::Relaxed);
        &self.connection
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.connection.fmt(f)
    }
}

impl Watched {
    /// Opens the file at `path` by `name`, which is that path or a URI of it. No part of it may be a link.
    pub(super) fn open(
        path: &Path,
        name: &Path,
        flags: OpenFlags,
        purpose: Purpose,
    ) -> rusqlite::Result<Self> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let mut connection = Connection::open_with_flags(name, flags)?;
        harden(&connection, purpose)?;
        let steps = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&steps);
        let path = path.to_owned();
        let is_endless = move || {
            let more = u64::from(STEPS_AT_ONCE.unsigned_abs());
            let taken = counter.fetch_add(more, Ordering::Relaxed) + more;
            taken > LEAST_STEPS && taken > most_steps(&path)
        };
        connection.progress_handler(STEPS_AT_ONCE, Some(is_endless))?;
        Ok(Self { connection, steps })
    }
}

fn harden(connection: &Connection, purpose: Purpose) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (
            DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER,
            purpose == Purpose::Write,
        ),
        // Without this SQLite plans a cached statement anew whenever a bound value might suit another
        // plan: a quarter of a build's time.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
    ] {
        connection.set_db_config(setting, on)?;
    }
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES)?;
    connection.pragma_update(None, "cell_size_check", true)
}

/// Returns how many steps a statement may take on a file of this size; it may have grown since it was opened.
fn most_steps(path: &Path) -> u64 {
    let bytes: u64 = [path, &with_suffix(path, "-wal")]
        .iter()
        .filter_map(|path| fs::metadata(path).ok())
        .map(|found| found.len())
        .sum();
    LEAST_STEPS.saturating_add((bytes / PAGE_BYTES).saturating_mul(STEPS_PER_PAGE))
}

/// Returns the path of a file that SQLite keeps beside the database.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
