//! The files of the state folder, before SQLite sees them: regular ones, and none that would act on another.
//!
//! A clone may hold a state folder with links, pipes and planted journals in it; see [`synix_disk::Folder`].

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::database::FILE;
use super::{Refusal, StoreError};
use synix_disk::{DiskError, Folder, SymlinkPolicy};

/// The last bytes of a rollback journal that names a second one. SQLite before 3.54 deletes that file, whatever it
/// is, when it plays such a journal back. A state is one database, so none of its journals ever names one.
const NAMES_ANOTHER: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// Opens a state folder, or returns `None` where there is none.
pub(super) fn open(folder: &Path) -> Result<Option<Folder>, StoreError> {
    refuse_link(folder)?;
    Folder::open(folder, SymlinkPolicy::Refuse).map_err(|error| shut(folder, error))
}

/// Opens a state folder; a new one can be entered by its owner alone.
pub(super) fn make(folder: &Path) -> Result<Folder, StoreError> {
    refuse_link(folder)?;
    Folder::open_or_create(folder, SymlinkPolicy::Refuse).map_err(|error| shut(folder, error))
}

fn refuse_link(folder: &Path) -> Result<(), StoreError> {
    match std::fs::symlink_metadata(folder) {
        Ok(found) if found.is_symlink() => Err(StoreError::Linked {
            path: folder.to_owned(),
        }),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Says whether there is a database; refuses links, pipes and journals that synix did not write.
pub(super) fn check(place: &Folder) -> Result<bool, StoreError> {
    let name = |suffix: &str| format!("{FILE}{suffix}");
    let is_there = place.has_file(FILE)?;
    for suffix in ["-wal", "-shm"] {
        place.has_file(name(suffix))?;
    }
    let journal = name("-journal");
    if let Some(mut file) = place.open_file(&journal)? {
        let what = if names_another(&mut file) {
            Some("it names another file, to be deleted")
        } else if is_beyond(&mut file, place.open_file(FILE)?.as_ref()) {
            Some("it belongs to a larger database")
        } else {
            None
        };
        if let Some(what) = what {
            return Err(StoreError::Foreign {
                path: place.path().join(journal),
                what: what.to_owned(),
            });
        }
    }
    Ok(is_there)
}

/// Says whether a journal ends as one that names another; what is shorter names nothing.
fn names_another(journal: &mut File) -> bool {
    let mut end = [0; 8];
    let read = journal.seek(SeekFrom::End(-8));
    let read = read.and_then(|_| journal.read_exact(&mut end));
    read.is_ok() && end == NAMES_ANOTHER
}

/// Says whether playing a journal back would make the database larger than it ever was.
///
/// Whatever the database lost since the journal was begun stands in the journal, so the size at its head is at most
/// that of both files together. SQLite takes that size on trust.
fn is_beyond(journal: &mut File, database: Option<&File>) -> bool {
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
    // No size of a page is that of the database's own, which is at most 64 KiB.
    let page = match number(24) {
        0 => 1 << 16,
        page => u64::from(page),
    };
    let before = u64::from(number(16)).saturating_mul(page);
    let size = |file: &File| file.metadata().map_or(0, |found| found.len());
    before > size(journal) + database.map_or(0, size)
}

/// Says that a state cannot be read or written, and whose it is.
pub(super) fn closed(place: &Folder, source: Refusal) -> StoreError {
    let path = place.path().join(FILE);
    let owner = synix_disk::owner_of(&path).or_else(|| synix_disk::owner_of(place.path()));
    StoreError::Closed {
        path: place.path().to_owned(),
        owner: owner.unwrap_or_else(|| "somebody else".to_owned()),
        source,
    }
}

/// The same for what the file system refused.
pub(super) fn refused(place: &Folder, error: DiskError) -> StoreError {
    if error.is_denied() {
        closed(place, error.into())
    } else {
        error.into()
    }
}

fn shut(folder: &Path, error: DiskError) -> StoreError {
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
            .unwrap_or_else(|| "somebody else".to_owned()),
        source: error.into(),
    }
}

/// Lets nobody else into the folder of a state that an earlier synix left open to all.
///
/// It happens once, with a migration: whoever opens the folder later does so on purpose.
#[cfg(unix)]
pub(super) fn close_to_others(place: &Folder) {
    use std::os::unix::fs::PermissionsExt as _;
    let closed = std::fs::Permissions::from_mode(0o700);
    if let Err(error) = std::fs::set_permissions(place.path(), closed) {
        tracing::debug!(path = %place.path().display(), %error, "cannot close the folder to others");
    }
}

#[cfg(not(unix))]
pub(super) fn close_to_others(_: &Folder) {}
