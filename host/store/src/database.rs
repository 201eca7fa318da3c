//! The database file: how it is opened, configured and migrated.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::connection::{BUSY_TIMEOUT, BoundedConnection, Purpose};
use super::migrations::MIGRATIONS;
use super::read_only::{self, ReadFallback};
use super::recovery::damage;
use super::schema_check::{self, Schema};
use super::{StoreError, files, statement};
use synix_disk::Folder;

/// The format that this synix writes, which is the number of migrations.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a list in the source, far below 2^32"
)]
pub const SUPPORTED_FORMAT: u32 = MIGRATIONS.len() as u32;

/// The page cache of the writing connection, in KiB. A transaction of thousands of units changes the same pages many
/// times.
const WRITER_CACHE: i64 = 16 * 1024;

/// The page cache of each reading connection, in KiB. There is one for each core, and the system caches the file, too.
const READER_CACHE: i64 = 4 * 1024;

/// The interval between attempts if SQLite does not wait for a lock.
const RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// The file name of the database.
pub(super) const FILE: &str = "state.sqlite3";

pub(super) fn path(state_folder: &Folder) -> PathBuf {
    state_folder.path().join(FILE)
}

/// Returns the path for SQLite, which must not contain a link. The state folder itself was checked before.
pub(super) fn canonical_path(state_folder: &Folder) -> PathBuf {
    let folder = fs::canonicalize(state_folder.path())
        .or_else(|_| std::path::absolute(state_folder.path()))
        .unwrap_or_else(|_| state_folder.path().to_owned());
    folder.join(FILE)
}

pub(super) fn failed(state_folder: &Folder, source: rusqlite::Error) -> StoreError {
    let path = || path(state_folder);
    if let Some(error) = statement::bad_value(&path(), &source) {
        return error;
    }
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            damage::report(state_folder, &source.to_string())
        }
        Some(ErrorCode::OperationInterrupted) => StoreError::StepLimit { path: path() },
        Some(ErrorCode::DiskFull) => StoreError::Full {
            path: path(),
            source,
        },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            files::access_denied(state_folder, source.into())
        }
        _ => StoreError::Database {
            path: path(),
            source,
        },
    }
}

/// Opens the database for reading. If the file itself cannot be opened, also returns the fallback, which must live as
/// long as the connection.
pub(super) fn open_to_read(
    state_folder: &Folder,
    fallback: Option<&Arc<ReadFallback>>,
) -> Result<(BoundedConnection, Option<Arc<ReadFallback>>), StoreError> {
    let absent = || StoreError::Absent {
        path: state_folder.path().to_owned(),
    };
    damage::refuse_damaged(state_folder)?;
    if !files::check(state_folder)? {
        return Err(absent());
    }
    let failed = |source| failed(state_folder, source);
    let (connection, fallback) = read_only::connect(state_folder, fallback)?;
    configure(&connection, READER_CACHE).map_err(failed)?;
    if !has_tables(&connection, state_folder)? {
        return Err(absent());
    }
    // The file is not opened read-only: a reader of a WAL database may have to create its shared memory.
    connection
        .pragma_update(None, "query_only", true)
        .map_err(failed)?;
    Ok((connection, fallback))
}

pub(super) fn open_for_writing(state_folder: &Folder) -> Result<BoundedConnection, StoreError> {
    damage::refuse_damaged(state_folder)?;
    let connection = connect(state_folder)?;
    // This comes before any write: the file may belong to another program.
    has_tables(&connection, state_folder)?;
    prepare_for_writing(&connection, state_folder)?;
    damage::mark_as_used(state_folder)?;
    Ok(connection)
}

/// Creates a new database in place of one that was lost.
pub(super) fn create(state_folder: &Folder) -> Result<BoundedConnection, StoreError> {
    let connection = connect(state_folder)?;
    prepare_for_writing(&connection, state_folder)?;
    Ok(connection)
}

fn connect(state_folder: &Folder) -> Result<BoundedConnection, StoreError> {
    let failed = |source| failed(state_folder, source);
    if !files::check(state_folder)? {
        // SQLite would create a file that others can read. Its log has the same mode as the file.
        state_folder
            .open_for_writing(FILE)
            .map_err(|error| files::file_error(state_folder, error))?;
    }
    let path = canonical_path(state_folder);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection =
        BoundedConnection::open(&path, &path, flags, Purpose::Write).map_err(failed)?;
    connection
        .pragma_update(None, "page_size", 8192)
        .map_err(failed)?;
    configure(&connection, WRITER_CACHE).map_err(failed)?;
    Ok(connection)
}

/// Prepares the database for writing: migrates it to the current format.
fn prepare_for_writing(
    connection: &BoundedConnection,
    state_folder: &Folder,
) -> Result<(), StoreError> {
    let failed = |source| failed(state_folder, source);
    refuse_newer(connection, state_folder)?;
    use_wal(connection).map_err(failed)?;
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(failed)?;
    migrate(connection, state_folder)
}

/// Returns whether the first writer has created the tables. If a table is missing, the state is damaged. If there is
/// something else, synix does not use the file.
fn has_tables(connection: &Connection, state_folder: &Folder) -> Result<bool, StoreError> {
    // The order matters: a first writer commits its tables before it marks the state as used.
    let is_marked_as_used = damage::is_marked_as_used(state_folder)?;
    match schema_check::compare_schema(connection).map_err(|source| failed(state_folder, source))? {
        Schema::Empty if !is_marked_as_used => Ok(false),
        Schema::Empty => Err(damage::report(state_folder, "it is empty")),
        Schema::Complete => Ok(true),
        Schema::Incomplete(what) => Err(damage::report(state_folder, &what)),
        Schema::Foreign(what) => Err(StoreError::Foreign {
            path: path(state_folder),
            what,
        }),
    }
}

fn configure(connection: &Connection, cache: i64) -> rusqlite::Result<()> {
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -cache)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

/// Switches to a write-ahead log. SQLite does not call its busy handler here, so this function waits: otherwise one of
/// two builds that start a project at the same time would fail.
fn use_wal(connection: &BoundedConnection) -> rusqlite::Result<()> {
    let started = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && started.elapsed() < BUSY_TIMEOUT =>
            {
                thread::sleep(RETRY_INTERVAL);
            }
            done => return done,
        }
    }
}

pub(super) fn format(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Refuses a state of a newer synix, and returns the format.
fn refuse_newer(connection: &Connection, state_folder: &Folder) -> Result<u32, StoreError> {
    let found = format(connection).map_err(|source| failed(state_folder, source))?;
    if found > SUPPORTED_FORMAT {
        return Err(StoreError::FormatTooNew {
            path: path(state_folder),
            found,
            supported: SUPPORTED_FORMAT,
        });
    }
    Ok(found)
}

fn migrate(connection: &Connection, state_folder: &Folder) -> Result<(), StoreError> {
    let failed = |source| failed(state_folder, source);
    if refuse_newer(connection, state_folder)? == SUPPORTED_FORMAT {
        return Ok(());
    }
    files::remove_access_of_others(state_folder);
    connection
        .execute_batch("BEGIN EXCLUSIVE")
        .map_err(failed)?;
    // Another process may have migrated the database while this one waited.
    let found = refuse_newer(connection, state_folder)?;
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
