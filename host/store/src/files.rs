//! Checks the files of the state folder before SQLite opens them.
//!
//! A cloned project may contain a state folder with links, pipes or manipulated journals; see [`synix_disk::Folder`].

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::database::FILE;
use super::{StoreError, SystemError};
use synix_disk::{DiskError, Folder, SymlinkPolicy};

/// The last bytes of a rollback journal that names a super-journal. SQLite before 3.54 deletes the named file, whatever
/// it is, when it replays such a journal. A state is one database, so its journals never name one.
const SUPER_JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// Opens a state folder; returns `None` if it does not exist.
pub(super) fn open(folder: &Path) -> Result<Option<Folder>, StoreError> {
    refuse_link(folder)?;
    Folder::open(folder, SymlinkPolicy::Refuse).map_err(|error| folder_error(folder, error))
}

/// Opens or creates a state folder; only the owner can enter a new one.
pub(super) fn open_or_create(folder: &Path) -> Result<Folder, StoreError> {
    refuse_link(folder)?;
    Folder::open_or_create(folder, SymlinkPolicy::Refuse)
        .map_err(|error| folder_error(folder, error))
}

fn refuse_link(folder: &Path) -> Result<(), StoreError> {
    match std::fs::symlink_metadata(folder) {
        Ok(found) if found.is_symlink() => Err(StoreError::SymbolicLink {
            path: folder.to_owned(),
        }),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Returns whether the database exists; refuses links, pipes and journals that synix did not write.
pub(super) fn check(state_folder: &Folder) -> Result<bool, StoreError> {
    check_database_files(state_folder, FILE)
}

/// Returns whether a database of SQLite exists in a folder; refuses links, pipes and journals that synix did not write,
/// in place of the database or beside it. Call this before SQLite opens a database of somebody else.
pub fn check_database_files(folder: &Folder, database: &str) -> Result<bool, StoreError> {
    let name = |suffix: &str| format!("{database}{suffix}");
    let exists = folder.has_file(database)?;
    for suffix in ["-wal", "-shm"] {
        folder.has_file(name(suffix))?;
    }
    let journal = name("-journal");
    if let Some(mut file) = folder.open_file(&journal)? {
        let what = if names_super_journal(&mut file) {
            Some("it names another file that SQLite would delete")
        } else if would_grow_database(&mut file, folder.open_file(database)?.as_ref()) {
            Some("it belongs to a larger database")
        } else {
            None
        };
        if let Some(what) = what {
            return Err(StoreError::Foreign {
                path: folder.path().join(journal),
                what: what.to_owned(),
            });
        }
    }
    Ok(exists)
}

/// Returns whether a journal names a super-journal.
fn names_super_journal(journal: &mut File) -> bool {
    let mut end = [0; 8];
    let read = journal.seek(SeekFrom::End(-8));
    let read = read.and_then(|_| journal.read_exact(&mut end));
    read.is_ok() && end == SUPER_JOURNAL_MAGIC
}

/// Returns whether replaying a journal would make the database larger than it ever was.
///
/// The journal contains every page that the database lost since the journal was created, so the size in its header is
/// at most the size of both files together. SQLite does not check that size.
fn would_grow_database(journal: &mut File, database: Option<&File>) -> bool {
    let mut head = [0; 28];
    let read = journal.seek(SeekFrom::Start(0));
    if read.and_then(|_| journal.read_exact(&mut head)).is_err() {
        return false;
    }
    let number = |at: usize| {
        head[at..]
            .first_chunk()
            .map_or(0, |bytes| u32::from_be_bytes(*bytes))
    };
    // A page size of 0 means that of the database, which is at most 64 KiB.
    let page = match number(24) {
        0 => 1 << 16,
        page => u64::from(page),
    };
    let before = u64::from(number(16)).saturating_mul(page);
    let size = |file: &File| file.metadata().map_or(0, |found| found.len());
    before > size(journal) + database.map_or(0, size)
}

/// Returns the error for a state without permission to read or write it, with its owner.
pub(super) fn access_denied(state_folder: &Folder, source: SystemError) -> StoreError {
    let path = state_folder.path().join(FILE);
    let owner = synix_disk::owner_of(&path).or_else(|| synix_disk::owner_of(state_folder.path()));
    StoreError::Closed {
        path: state_folder.path().to_owned(),
        owner: owner.unwrap_or_else(|| "another user".to_owned()),
        source,
    }
}

/// Converts an error of the file system.
pub(super) fn file_error(state_folder: &Folder, error: DiskError) -> StoreError {
    if error.is_denied() {
        access_denied(state_folder, error.into())
    } else {
        error.into()
    }
}

fn folder_error(folder: &Path, error: DiskError) -> StoreError {
    if !error.is_denied() {
        return error.into();
    }
    let nearest: Option<PathBuf> = folder
        .ancestors()
        .map(|path| {
            if path.as_os_str().is_empty() {
                Path::new(".")
            } else {
                path
            }
        })
        .find(|path| path.exists())
        .map(Path::to_owned);
    StoreError::Closed {
        path: folder.to_owned(),
        owner: nearest
            .and_then(|path| synix_disk::owner_of(&path))
            .unwrap_or_else(|| "another user".to_owned()),
        source: error.into(),
    }
}

/// Removes the access of other users to the state folder of an early synix, which gave access to everybody.
///
/// This happens only in a migration, so a user can give access to others later.
#[cfg(unix)]
pub(super) fn remove_access_of_others(state_folder: &Folder) {
    use std::os::unix::fs::PermissionsExt as _;
    let access_denied = std::fs::Permissions::from_mode(0o700);
    if let Err(error) = std::fs::set_permissions(state_folder.path(), access_denied) {
        tracing::debug!(path = %state_folder.path().display(), %error, "cannot remove the access of others to the folder");
    }
}

#[cfg(not(unix))]
pub(super) fn remove_access_of_others(_: &Folder) {}
