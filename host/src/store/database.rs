//! The database file: opening, settings, format.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::migrations::MIGRATIONS;
use super::{StoreError, damage};

/// The format this synix writes: how many migrations have run.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a list in the source, far below 2^32"
)]
pub const SUPPORTED_FORMAT: u32 = MIGRATIONS.len() as u32;

/// How long a writer waits for another process to finish its transaction.
const PATIENCE: Duration = Duration::from_secs(120);

/// Pages that the writing connection keeps, in KiB: a transaction of thousands of units changes them again and again.
const WRITER_CACHE: i64 = 16 * 1024;

/// Pages that each reading connection keeps, in KiB. There is one for each core, and the system caches the file, too.
const READER_CACHE: i64 = 4 * 1024;

/// How long to leave the file alone where SQLite does not wait by itself.
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("state.sqlite3")
}

pub(super) fn failed(folder: &Path, source: rusqlite::Error) -> StoreError {
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            damage::found(folder, &source.to_string())
        }
        _ => StoreError::Database {
            path: path(folder),
            source,
        },
    }
}

pub(super) fn open_to_read(folder: &Path) -> Result<Connection, StoreError> {
    damage::refuse(folder)?;
    if !path(folder).exists() {
        return Err(StoreError::Absent {
            path: folder.to_owned(),
        });
    }
    let failed = |source| failed(folder, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path(folder), flags).map_err(failed)?;
    settle(&connection, READER_CACHE).map_err(failed)?;
    if !has_tables(&connection, folder)? {
        return Err(StoreError::Absent {
            path: folder.to_owned(),
        });
    }
    // Not opened read-only: a reader of a WAL database may have to create its shared memory.
    connection
        .pragma_update(None, "query_only", true)
        .map_err(failed)?;
    Ok(connection)
}

pub(super) fn open_to_write(folder: &Path) -> Result<Connection, StoreError> {
    damage::refuse(folder)?;
    let connection = connect(folder)?;
    has_tables(&connection, folder)?;
    migrate(&connection, folder)?;
    damage::remember(folder)?;
    Ok(connection)
}

/// Makes a new database in the place of one that was lost.
pub(super) fn create(folder: &Path) -> Result<Connection, StoreError> {
    let connection = connect(folder)?;
    migrate(&connection, folder)?;
    Ok(connection)
}

fn connect(folder: &Path) -> Result<Connection, StoreError> {
    let failed = |source| failed(folder, source);
    let connection = Connection::open(path(folder)).map_err(failed)?;
    connection
        .pragma_update(None, "page_size", 8192)
        .map_err(failed)?;
    settle(&connection, WRITER_CACHE).map_err(failed)?;
    use_wal(&connection).map_err(failed)?;
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(failed)?;
    Ok(connection)
}

/// Says whether the first writer has come to its tables; where some are gone, the state is damaged.
fn has_tables(connection: &Connection, folder: &Path) -> Result<bool, StoreError> {
    let failed = |source| failed(folder, source);
    // In this order: a first writer commits its tables before it leaves a trace.
    let was_used = damage::was_used(folder);
    if format(connection).map_err(failed)? == 0 && !was_used {
        return Ok(false);
    }
    match missing_tables(connection).map_err(failed)? {
        Some(missing) => Err(damage::found(folder, &missing)),
        None => Ok(true),
    }
}

/// Names the tables that a database of its format should have and has not.
pub(super) fn missing_tables(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let format = format(connection)?;
    if format == 0 {
        return Ok(Some("it is empty".to_owned()));
    }
    if format > SUPPORTED_FORMAT {
        // Which tables a later format has is not known here.
        return Ok(None);
    }
    let mut there = connection
        .prepare_cached("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1")?;
    let mut missing = Vec::new();
    for table in tables(format) {
        if !there.exists([table])? {
            missing.push(table);
        }
    }
    Ok((!missing.is_empty()).then(|| format!("it has no table {}", missing.join(", "))))
}

/// Returns the tables that the migrations up to `format` create.
fn tables(format: u32) -> impl Iterator<Item = &'static str> {
    let count = usize::try_from(format).unwrap_or(usize::MAX);
    MIGRATIONS
        .iter()
        .take(count)
        .flat_map(|migration| migration.split("CREATE TABLE ").skip(1))
        .filter_map(|rest| rest.split_whitespace().next())
}

fn settle(connection: &Connection, cache: i64) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -cache)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Without this SQLite plans a cached statement anew whenever a bound value might suit another
    // plan: a quarter of a build's time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Switches to a write-ahead log. SQLite does not wait for other processes here, as its busy handler
/// does elsewhere: two builds that start a project at once would refuse each other.
fn use_wal(connection: &Connection) -> rusqlite::Result<()> {
    let started = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && started.elapsed() < PATIENCE =>
            {
                thread::sleep(BETWEEN_TRIES);
            }
            done => return done,
        }
    }
}

fn format(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn migrate(connection: &Connection, folder: &Path) -> Result<(), StoreError> {
    let failed = |source| failed(folder, source);
    let found = format(connection).map_err(failed)?;
    if found > SUPPORTED_FORMAT {
        return Err(StoreError::FormatTooNew {
            path: path(folder),
            found,
            supported: SUPPORTED_FORMAT,
        });
    }
    if found == SUPPORTED_FORMAT {
        return Ok(());
    }
    connection
        .execute_batch("BEGIN EXCLUSIVE")
        .map_err(failed)?;
    // Another process may have migrated while this one waited.
    let found = format(connection).map_err(failed)?;
    for (migration, to) in MIGRATIONS
        .iter()
        .zip(1_u32..)
        .skip(usize::try_from(found).unwrap_or(usize::MAX))
    {
        connection.execute_batch(migration).map_err(failed)?;
        connection
            .pragma_update(None, "user_version", to)
            .map_err(failed)?;
    }
    connection.execute_batch("COMMIT").map_err(failed)
}
