//! Reads a state without write permission: that of another user, or one on a read-only disk.
//!
//! SQLite needs an index of the write-ahead log, in a file next to the database. If it cannot create that file, there
//! are two fallbacks: without a log, the database is read as an immutable file; with a log, both files are copied to a
//! temporary folder and read there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rusqlite::{ErrorCode, OpenFlags};
use tempfile::TempDir;

use super::connection::{BoundedConnection, Purpose};
use super::database::{self, FILE, format};
use super::{StoreError, files};
use synix_disk::{DiskError, Folder};

/// How often a copy is tried if the file changes in the meantime.
const MAX_ATTEMPTS: u32 = 10;

/// What a connection reads if the file cannot be opened normally.
#[derive(Debug)]
pub(super) enum ReadFallback {
    /// The file itself, opened as immutable.
    Immutable,
    /// A copy of the file and the log, which is deleted with this value.
    Copy(TempDir),
}

/// Opens a connection for reading. `kept` is what another connection to the same state reads.
pub(super) fn connect(
    state_folder: &Folder,
    fallback: Option<&Arc<ReadFallback>>,
) -> Result<(BoundedConnection, Option<Arc<ReadFallback>>), StoreError> {
    let failed = |source| database::failed(state_folder, source);
    if let Some(fallback) = fallback {
        return Ok((
            open_fallback(state_folder, fallback).map_err(failed)?,
            Some(Arc::clone(fallback)),
        ));
    }
    let path = database::canonical_path(state_folder);
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let connection = BoundedConnection::open(&path, &path, flags, Purpose::Read)?;
        // SQLite creates the index at the first read.
        format(&connection)?;
        Ok(connection)
    };
    let first_error: rusqlite::Error = match open() {
        Ok(connection) => return Ok((connection, None)),
        Err(error) => error,
    };
    let is_denied = matches!(
        first_error.sqlite_error_code(),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied)
    );
    if !is_denied {
        return Err(failed(first_error));
    }
    let fallback = if has_log(state_folder)? {
        ReadFallback::Copy(
            copy(state_folder).map_err(|error| files::file_error(state_folder, error))?,
        )
    } else {
        ReadFallback::Immutable
    };
    match open_fallback(state_folder, &fallback) {
        Ok(connection) => Ok((connection, Some(Arc::new(fallback)))),
        // The first error names the cause.
        Err(error) if error.sqlite_error_code() == first_error.sqlite_error_code() => {
            Err(failed(first_error))
        }
        Err(error) => Err(failed(error)),
    }
}

fn open_fallback(
    state_folder: &Folder,
    fallback: &ReadFallback,
) -> rusqlite::Result<BoundedConnection> {
    let connection = match fallback {
        ReadFallback::Immutable => {
            let path = database::canonical_path(state_folder);
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            BoundedConnection::open(&path, &immutable_uri(&path), flags, Purpose::Read)?
        }
        ReadFallback::Copy(folder) => {
            let path = fs::canonicalize(folder.path()).unwrap_or_else(|_| folder.path().to_owned());
            let path = path.join(FILE);
            BoundedConnection::open(
                &path,
                &path,
                OpenFlags::SQLITE_OPEN_READ_WRITE,
                Purpose::Read,
            )?
        }
    };
    format(&connection)?;
    Ok(connection)
}

fn has_log(state_folder: &Folder) -> Result<bool, StoreError> {
    let log = state_folder.open_file(format!("{FILE}-wal"))?;
    let length = log.map(|file| file.metadata().map(|found| found.len()));
    // If the size of the log is unknown, assume that it is not empty.
    Ok(length.is_some_and(|length| length.unwrap_or(1) > 0))
}

/// Returns the URI that opens a file of SQLite as immutable: without locks, and without its journal or log.
pub fn immutable_uri(path: &Path) -> PathBuf {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri.push_str("?immutable=1");
    PathBuf::from(uri)
}

/// Copies a consistent version of the database and its log.
pub(super) fn copy(state_folder: &Folder) -> Result<TempDir, DiskError> {
    let failed = |source| DiskError {
        action: "copy",
        path: state_folder.path().join(FILE),
        source,
    };
    for _ in 0..MAX_ATTEMPTS {
        let target = synix_disk::create_temporary_folder().map_err(failed)?;
        let before = file_version(state_folder)?;
        for name in [FILE.to_owned(), format!("{FILE}-wal")] {
            if let Some(mut from) = state_folder.open_file(&name)? {
                let mut copy = || {
                    let mut to = fs::File::create_new(target.path().join(&name))?;
                    io::copy(&mut from, &mut to)
                };
                copy().map_err(failed)?;
            }
        }
        if file_version(state_folder)? == before {
            return Ok(target);
        }
    }
    Err(failed(io::Error::other(
        "another process keeps changing it",
    )))
}

/// Sizes and times of the files, which differ after a write.
type FileVersion = Vec<Option<(u64, Option<SystemTime>)>>;

fn file_version(state_folder: &Folder) -> Result<FileVersion, DiskError> {
    let inspect = |suffix: &str| {
        let file = state_folder.open_file(format!("{FILE}{suffix}"))?;
        let found = file.and_then(|file| file.metadata().ok());
        Ok(found.map(|found| (found.len(), found.modified().ok())))
    };
    ["", "-wal"].into_iter().map(inspect).collect()
}
