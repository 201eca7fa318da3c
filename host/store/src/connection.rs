//! A connection to an untrusted database file: no code in the file runs, and no statement is endless.
//!
//! A cloned project may contain a `.synix` folder, and a pull may add files to an existing one. The settings of the
//! connection make SQLite distrust the schema in the file, and [`super::schema_check`] compares the schema with that of
//! the migrations. Manipulated pages could still form a cycle, so each statement has a limit of steps that follows from
//! the size of the file.

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

/// How long a writer waits for the transaction of another process.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(120);

/// The maximum size of a text or content in a row, in bytes. synix stores longer contents in separate files.
pub(crate) const MAX_VALUE_BYTES: i32 = 256 << 20;

/// The number of steps of SQLite's virtual machine between two calls of the progress handler.
const PROGRESS_INTERVAL: i32 = 100_000;

/// The steps that every statement may take, and the steps for each page of the file: many times those of a full scan.
const MIN_STEP_LIMIT: u64 = 20_000_000;
const STEPS_PER_PAGE: u64 = 100_000;
const PAGE_BYTES: u64 = 8192;

/// What a connection is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Triggers are enabled: they record the states of submissions.
    Write,
    /// Triggers are disabled.
    Read,
}

/// A connection whose statements have a limit of steps. Each access resets the count.
pub(super) struct BoundedConnection {
    connection: Connection,
    steps: Arc<AtomicU64>,
}

impl Deref for BoundedConnection {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.steps.store(0, Ordering::Relaxed);
        &self.connection
    }
}

impl fmt::Debug for BoundedConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.connection.fmt(f)
    }
}

impl BoundedConnection {
    /// Opens the file at `path` under `name`, which is the path or a URI of it. No part of the path may be a link.
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
        let exceeds_limit = move || {
            let more = u64::from(PROGRESS_INTERVAL.unsigned_abs());
            let steps = counter.fetch_add(more, Ordering::Relaxed) + more;
            steps > MIN_STEP_LIMIT && steps > step_limit(&path)
        };
        connection.progress_handler(PROGRESS_INTERVAL, Some(exceeds_limit))?;
        Ok(Self { connection, steps })
    }
}

fn harden(connection: &Connection, purpose: Purpose) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (
            DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER,
            purpose == Purpose::Write,
        ),
        // Without this, SQLite plans a cached statement again whenever a bound value might suit another plan. That took
        // a quarter of the time of a build.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
    ] {
        connection.set_db_config(setting, on)?;
    }
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)?;
    connection.pragma_update(None, "cell_size_check", true)
}

/// Returns the step limit for the current size of the file, which may have grown since it was opened.
fn step_limit(path: &Path) -> u64 {
    let bytes: u64 = [path, &with_suffix(path, "-wal")]
        .iter()
        .filter_map(|path| fs::metadata(path).ok())
        .map(|found| found.len())
        .sum();
    MIN_STEP_LIMIT.saturating_add((bytes / PAGE_BYTES).saturating_mul(STEPS_PER_PAGE))
}

/// Returns the path of a file that SQLite creates next to the database.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
