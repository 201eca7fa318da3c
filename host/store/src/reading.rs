//! Reading a state that may not be written: another user's, or one on a read-only disk.
//!
//! SQLite keeps an index of the write-ahead log in a file beside the database, and wants to make it. Where it
//! cannot, there are two other ways: without a log the file is all there is and is read as it stands; with one, both
//! are copied to a folder of this user's, and read there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rusqlite::{ErrorCode, OpenFlags};
use tempfile::TempDir;

use super::connection::{Purpose, Watched};
use super::database::{self, FILE, format};
use super::{StoreError, files};
use synix_disk::{DiskError, Folder};

/// How often a copy is begun again because the file changed meanwhile.
const TRIES: u32 = 10;

/// What a connection reads instead of the file itself.
#[derive(Debug)]
pub(super) enum Kept {
    /// The file, on the word that nobody writes it.
    AsItStands,
    /// A copy of file and log, which goes with this.
    Copy(TempDir),
}

/// Opens a connection for reading. `kept` is what another connection to the same state reads.
pub(super) fn connect(
    place: &Folder,
    kept: Option<&Arc<Kept>>,
) -> Result<(Watched, Option<Arc<Kept>>), StoreError> {
    let failed = |source| database::failed(place, source);
    if let Some(kept) = kept {
        return Ok((
            open_kept(place, kept).map_err(failed)?,
            Some(Arc::clone(kept)),
        ));
    }
    let path = database::true_path(place);
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let connection = Watched::open(&path, &path, flags, Purpose::Read)?;
        // The first look at the file is where SQLite wants to make what it lacks.
        format(&connection)?;
        Ok(connection)
    };
    let refused: rusqlite::Error = match open() {
        Ok(connection) => return Ok((connection, None)),
        Err(error) => error,
    };
    let is_closed = matches!(
        refused.sqlite_error_code(),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied)
    );
    if !is_closed {
        return Err(failed(refused));
    }
    let kept = if has_log(place)? {
        Kept::Copy(copy(place).map_err(|error| files::refused(place, error))?)
    } else {
        Kept::AsItStands
    };
    match open_kept(place, &kept) {
        Ok(connection) => Ok((connection, Some(Arc::new(kept)))),
        // The first refusal says why.
        Err(error) if error.sqlite_error_code() == refused.sqlite_error_code() => {
            Err(failed(refused))
        }
        Err(error) => Err(failed(error)),
    }
}

fn open_kept(place: &Folder, kept: &Kept) -> rusqlite::Result<Watched> {
    let connection = match kept {
        Kept::AsItStands => {
            let path = database::true_path(place);
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            Watched::open(&path, &immutable(&path), flags, Purpose::Read)?
        }
        Kept::Copy(folder) => {
            let path = fs::canonicalize(folder.path()).unwrap_or_else(|_| folder.path().to_owned());
            let path = path.join(FILE);
            Watched::open(
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

fn has_log(place: &Folder) -> Result<bool, StoreError> {
    let log = place.open_file(format!("{FILE}-wal"))?;
    let length = log.map(|file| file.metadata().map(|found| found.len()));
    // A log whose size is not told may hold something.
    Ok(length.is_some_and(|length| length.unwrap_or(1) > 0))
}

/// Returns the URI of a file that is read as it stands.
fn immutable(path: &Path) -> PathBuf {
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

/// Copies the database and its log so that both are of one moment.
pub(super) fn copy(place: &Folder) -> Result<TempDir, DiskError> {
    let failed = |source| DiskError {
        action: "copy",
        path: place.path().join(FILE),
        source,
    };
    for _ in 0..TRIES {
        let target = synix_disk::create_temporary_folder().map_err(failed)?;
        let before = stamp(place)?;
        for name in [FILE.to_owned(), format!("{FILE}-wal")] {
            if let Some(mut from) = place.open_file(&name)? {
                let mut copy = || {
                    let mut to = fs::File::create_new(target.path().join(&name))?;
                    io::copy(&mut from, &mut to)
                };
                copy().map_err(failed)?;
            }
        }
        if stamp(place)? == before {
            return Ok(target);
        }
    }
    Err(failed(io::Error::other(
        "another process writes it again and again",
    )))
}

/// What differs after a write.
type Stamp = Vec<Option<(u64, Option<SystemTime>)>>;

fn stamp(place: &Folder) -> Result<Stamp, DiskError> {
    let look = |suffix: &str| {
        let file = place.open_file(format!("{FILE}{suffix}"))?;
        let found = file.and_then(|file| file.metadata().ok());
        Ok(found.map(|found| (found.len(), found.modified().ok())))
    };
    ["", "-wal"].into_iter().map(look).collect()
}
