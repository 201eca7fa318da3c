//! The file of an index: found or made in the state folder, and never trusted.
//!
//! A cloned project may contain an index, so nothing in it is shown: an index only says where to look, and what is found
//! there is checked. A file with another schema, with other objects, or that SQLite finds damaged is deleted and made
//! again. If the folder cannot be written, the index is made in a temporary file for one command.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use synix_core::digest::Digest;
use synix_disk::{DiskError, EntryKind, Folder, SymlinkPolicy};
use synix_store::check_database_files;

use crate::error::{SearchError, Trouble};
use crate::schema::{self, Found};

/// The folder of indexes in the state folder.
pub(crate) const FOLDER: &str = "index";

/// How long a command waits for another one that updates the index.
const BUSY_TIMEOUT: Duration = Duration::from_secs(120);

/// The page cache of a connection, in KiB.
const CACHE: i64 = 64 * 1024;

/// The maximum size of a value in an index, in bytes.
const MAX_VALUE_BYTES: i32 = 256 << 20;

/// What an index is for. Each sort has a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Words,
    Vectors,
}

impl Sort {
    fn tables(self) -> String {
        match self {
            Self::Words => schema::words(),
            Self::Vectors => schema::vectors(),
        }
    }

    /// Chunks of vectors are read from one end to the other, which is twice as fast with large pages.
    const fn page_bytes(self) -> u32 {
        match self {
            Self::Words => 8192,
            Self::Vectors => 65536,
        }
    }

    fn file_name(self, pipeline: &str) -> String {
        let digits = Digest::of(pipeline.as_bytes()).short();
        match self {
            Self::Words => format!("words-{digits}.sqlite3"),
            Self::Vectors => format!("vectors-{digits}.sqlite3"),
        }
    }
}

/// Where the index of a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the state folder.
    State,
    /// In the state folder, which this user cannot write.
    ReadOnly,
    /// In a temporary file, for this command only.
    Temporary,
}

/// An open index.
#[derive(Debug)]
pub(crate) struct IndexFile {
    pub(crate) connection: Connection,
    pub(crate) place: Place,
    pub(crate) path: PathBuf,
}

impl IndexFile {
    /// Opens the index of a pipeline, and makes it if there is none that synix can use.
    pub(crate) fn open(state: &Path, pipeline: &str, sort: Sort) -> Result<Self, SearchError> {
        let path = state.join(FOLDER).join(sort.file_name(pipeline));
        match Self::open_in_state(state, pipeline, sort) {
            Ok(connection) => Ok(Self {
                connection,
                place: Place::State,
                path,
            }),
            Err(Trouble::Denied(error)) => {
                tracing::debug!(path = %path.display(), %error, "cannot write the index");
                match open_read_only(state, pipeline, sort) {
                    Some(connection) => Ok(Self {
                        connection,
                        place: Place::ReadOnly,
                        path,
                    }),
                    None => Self::temporary(sort, path),
                }
            }
            Err(Trouble::Other(error)) => Err(error),
            Err(Trouble::Damaged(source)) => Err(SearchError::Database { path, source }),
        }
    }

    /// Makes an index in a temporary file, which SQLite deletes when it is closed.
    pub(crate) fn temporary(sort: Sort, path: PathBuf) -> Result<Self, SearchError> {
        let open = || {
            let connection = Connection::open("")?;
            configure(&connection, sort)?;
            schema::create(&connection, &sort.tables())?;
            Ok(connection)
        };
        match open() {
            Ok(connection) => Ok(Self {
                connection,
                place: Place::Temporary,
                path,
            }),
            Err(source) => Err(SearchError::Database { path, source }),
        }
    }

    fn open_in_state(state: &Path, pipeline: &str, sort: Sort) -> Result<Connection, Trouble> {
        let name = sort.file_name(pipeline);
        let state = Folder::open(state, SymlinkPolicy::Refuse).map_err(disk_trouble)?;
        let Some(state) = state else {
            return Err(denied());
        };
        let kind = state.kind(FOLDER).map_err(disk_trouble)?;
        if matches!(
            kind,
            Some(EntryKind::File | EntryKind::Link | EntryKind::Other)
        ) {
            state.remove(FOLDER).map_err(disk_trouble)?;
        }
        let folder = state.open_or_create_folder(FOLDER).map_err(disk_trouble)?;
        if check_database_files(&folder, &name).is_err() {
            remove_files(&folder, &name)?;
        }
        match open_file(&folder, &name, sort) {
            Ok(Some(connection)) => return Ok(connection),
            Ok(None) => tracing::debug!(name, "the index is not one that this synix makes"),
            Err(Trouble::Damaged(error)) => tracing::debug!(name, %error, "the index is damaged"),
            Err(other) => return Err(other),
        }
        remove_files(&folder, &name)?;
        match open_file(&folder, &name, sort)? {
            Some(connection) => Ok(connection),
            None => Err(denied()),
        }
    }

    /// Deletes an index that turned out to be damaged, so that the next one to open it makes it again.
    pub(crate) fn discard(self, state: &Path, pipeline: &str, sort: Sort) {
        drop(self.connection);
        if self.place == Place::State
            && let Ok(Some(state)) = Folder::open(state, SymlinkPolicy::Refuse)
            && let Ok(Some(folder)) = state.open_folder(FOLDER)
        {
            let _ = remove_files(&folder, &sort.file_name(pipeline));
        }
    }
}

/// Deletes all indexes in a state folder. They contain the words of its artifacts.
pub fn remove_indexes(state: &Path) -> Result<(), DiskError> {
    let Some(state) = Folder::open(state, SymlinkPolicy::Refuse)? else {
        return Ok(());
    };
    let Some(folder) = state.open_folder(FOLDER)? else {
        return Ok(());
    };
    for entry in folder.entries()? {
        let name = entry.name.to_string_lossy();
        let is_ours = name.starts_with("words-") || name.starts_with("vectors-");
        if is_ours && matches!(entry.kind, EntryKind::File | EntryKind::Link) {
            folder.remove(&entry.name)?;
        }
    }
    Ok(())
}

/// Opens an index for writing; returns `None` if it has another schema.
fn open_file(folder: &Folder, name: &str, sort: Sort) -> Result<Option<Connection>, Trouble> {
    // SQLite would create a file that others can read.
    folder.open_for_writing(name).map_err(disk_trouble)?;
    let path = canonical(folder.path()).join(name);
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection = Connection::open_with_flags(&path, flags)?;
        configure(&connection, sort)?;
        let tables = sort.tables();
        if schema::inspect(&connection, &tables)? == Found::Empty {
            connection.execute_batch("BEGIN EXCLUSIVE")?;
            // Another command may have created the tables in the meantime.
            if schema::inspect(&connection, &tables)? == Found::Empty {
                schema::create(&connection, &tables)?;
            }
            connection.execute_batch("COMMIT")?;
        }
        let is_complete = schema::inspect(&connection, &tables)? == Found::Complete;
        // SQLite opens a file that this user may only read without an error.
        if is_complete && connection.is_readonly("main")? {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY),
                None,
            ));
        }
        Ok(is_complete.then_some(connection))
    };
    open().map_err(|error| Trouble::of(&path, error))
}

/// Opens an index that this user may only read, if it is one.
fn open_read_only(state: &Path, pipeline: &str, sort: Sort) -> Option<Connection> {
    let name = sort.file_name(pipeline);
    let state = Folder::open(state, SymlinkPolicy::Refuse).ok()??;
    let folder = state.open_folder(FOLDER).ok()??;
    if !check_database_files(&folder, &name).ok()? {
        return None;
    }
    let path = canonical(folder.path()).join(&name);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(&path, flags).ok()?;
    configure(&connection, sort).ok()?;
    let found = schema::inspect(&connection, &sort.tables()).ok()?;
    (found == Found::Complete).then_some(connection)
}

/// Makes SQLite distrust the file.
pub(crate) fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
    ] {
        connection.set_db_config(setting, on)?;
    }
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.pragma_update(None, "cell_size_check", true)
}

fn configure(connection: &Connection, sort: Sort) -> rusqlite::Result<()> {
    harden(connection)?;
    connection.pragma_update(None, "page_size", sort.page_bytes())?;
    connection.pragma_update(None, "cache_size", -CACHE)?;
    // A lost update is made again, so the disk need not confirm each one before the next.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn remove_files(folder: &Folder, name: &str) -> Result<(), Trouble> {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let name = format!("{name}{suffix}");
        if let Ok(Some(EntryKind::File | EntryKind::Link | EntryKind::Other)) = folder.kind(&name) {
            folder.remove(&name).map_err(disk_trouble)?;
        }
    }
    Ok(())
}

fn canonical(folder: &Path) -> PathBuf {
    fs::canonicalize(folder)
        .or_else(|_| std::path::absolute(folder))
        .unwrap_or_else(|_| folder.to_owned())
}

fn denied() -> Trouble {
    Trouble::Denied(rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
        None,
    ))
}

fn disk_trouble(error: DiskError) -> Trouble {
    if error.is_denied() {
        denied()
    } else {
        Trouble::Other(error.into())
    }
}
