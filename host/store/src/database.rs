//! The database file: opening, settings, format.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::connection::{PATIENCE, Purpose, Watched};
use super::migrations::MIGRATIONS;
use super::reading::{self, Kept};
use super::recovery::{damage, seal};
use super::schema_check::{self, Schema};
use super::{StoreError, files, statement};
use synix_disk::Folder;

/// The format this synix writes: how many migrations have run.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a list in the source, far below 2^32"
)]
pub const SUPPORTED_FORMAT: u32 = MIGRATIONS.len() as u32;

/// Pages that the writing connection keeps, in KiB: a transaction of thousands of units changes them again and again.
const WRITER_CACHE: i64 = 16 * 1024;

/// Pages that each reading connection keeps, in KiB. There is one for each core, and the system caches the file, too.
const READER_CACHE: i64 = 4 * 1024;

/// How long to leave the file alone where SQLite does not wait by itself.
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// The name of the database in its folder.
pub(super) const FILE: &str = "state.sqlite3";

pub(super) fn path(place: &Folder) -> PathBuf {
    place.path().join(FILE)
}

/// Returns the path that SQLite is given: it may hold no link, and the folder's own was looked at.
pub(super) fn true_path(place: &Folder) -> PathBuf {
    let folder = fs::canonicalize(place.path())
        .or_else(|_| std::path::absolute(place.path()))
        .unwrap_or_else(|_| place.path().to_owned());
    folder.join(FILE)
}

pub(super) fn failed(place: &Folder, source: rusqlite::Error) -> StoreError {
    let path = || path(place);
    if let Some(error) = statement::bad_value(&path(), &source) {
        return error;
    }
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            damage::found(place, &source.to_string())
        }
        Some(ErrorCode::OperationInterrupted) => StoreError::Endless { path: path() },
        Some(ErrorCode::DiskFull) => StoreError::Full {
            path: path(),
            source,
        },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            files::closed(place, source.into())
        }
        _ => StoreError::Database {
            path: path(),
            source,
        },
    }
}

/// Opens the database for reading, and says what must be kept as long as the connection.
pub(super) fn open_to_read(
    place: &Folder,
    kept: Option<&Arc<Kept>>,
) -> Result<(Watched, Option<Arc<Kept>>), StoreError> {
    let absent = || StoreError::Absent {
        path: place.path().to_owned(),
    };
    damage::refuse(place)?;
    if !files::check(place)? {
        return Err(absent());
    }
    let failed = |source| failed(place, source);
    let (connection, kept) = reading::connect(place, kept)?;
    settle(&connection, READER_CACHE).map_err(failed)?;
    if !has_tables(&connection, place)? {
        return Err(absent());
    }
    // Not opened read-only: a reader of a WAL database may have to create its shared memory.
    connection
        .pragma_update(None, "query_only", true)
        .map_err(failed)?;
    Ok((connection, kept))
}

pub(super) fn open_for_writing(place: &Folder) -> Result<Watched, StoreError> {
    damage::refuse(place)?;
    let connection = connect(place)?;
    // Before anything is written: the file may be another program's.
    has_tables(&connection, place)?;
    begin(&connection, place)?;
    damage::remember(place)?;
    Ok(connection)
}

/// Makes a new database in the place of one that was lost.
pub(super) fn create(place: &Folder) -> Result<Watched, StoreError> {
    let connection = connect(place)?;
    begin(&connection, place)?;
    Ok(connection)
}

fn connect(place: &Folder) -> Result<Watched, StoreError> {
    let failed = |source| failed(place, source);
    if !files::check(place)? {
        // SQLite would let others read it. It gives its log the same mode.
        place
            .open_for_writing(FILE)
            .map_err(|error| files::refused(place, error))?;
    }
    let path = true_path(place);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = Watched::open(&path, &path, flags, Purpose::Write).map_err(failed)?;
    connection
        .pragma_update(None, "page_size", 8192)
        .map_err(failed)?;
    settle(&connection, WRITER_CACHE).map_err(failed)?;
    Ok(connection)
}

/// Makes the database ready to be written, in the present format.
fn begin(connection: &Watched, place: &Folder) -> Result<(), StoreError> {
    let failed = |source| failed(place, source);
    refuse_newer(connection, place)?;
    use_wal(connection).map_err(failed)?;
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(failed)?;
    migrate(connection, place)
}

/// Returns whether the first writer has made its tables. If some are missing, the state is damaged; if there is more
/// than those, synix does not use it.
fn has_tables(connection: &Connection, place: &Folder) -> Result<bool, StoreError> {
    // In this order: a first writer commits its tables before it leaves a trace.
    let was_used = damage::was_used(place)?;
    match schema_check::look(connection).map_err(|source| failed(place, source))? {
        Schema::Empty if !was_used => Ok(false),
        Schema::Empty => Err(damage::found(place, "it is empty")),
        Schema::Whole => Ok(true),
        Schema::Lacking(what) => Err(damage::found(place, &what)),
        Schema::Foreign(what) => Err(StoreError::Foreign {
            path: path(place),
            what,
        }),
    }
}

fn settle(connection: &Connection, cache: i64) -> rusqlite::Result<()> {
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -cache)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

/// Switches to a write-ahead log. SQLite does not wait for other processes here, as its busy handler
/// does elsewhere: two builds that start a project at once would refuse each other.
fn use_wal(connection: &Watched) -> rusqlite::Result<()> {
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

/// Says whether the rows of a table have seals.
pub(super) fn has_seals(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    connection
        .prepare("SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2")?
        .exists([table, seal::COLUMN])
}

pub(super) fn format(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Refuses a state that a later synix wrote, and returns the format.
fn refuse_newer(connection: &Connection, place: &Folder) -> Result<u32, StoreError> {
    let found = format(connection).map_err(|source| failed(place, source))?;
    if found > SUPPORTED_FORMAT {
        return Err(StoreError::FormatTooNew {
            path: path(place),
            found,
            supported: SUPPORTED_FORMAT,
        });
    }
    Ok(found)
}

fn migrate(connection: &Connection, place: &Folder) -> Result<(), StoreError> {
    let failed = |source| failed(place, source);
    if refuse_newer(connection, place)? == SUPPORTED_FORMAT {
        return Ok(());
    }
    files::close_to_others(place);
    connection
        .execute_batch("BEGIN EXCLUSIVE")
        .map_err(failed)?;
    // Another process may have migrated while this one waited.
    let found = refuse_newer(connection, place)?;
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
