//! An open folder, whose entries are accessed by single names and never through a symbolic link.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

use super::read::{not_regular, read_bounded, symlink_refused};
use super::write::{create_private_folder, replace_private, sync_folder};
use super::{DiskError, FileLock, SymlinkPolicy, failed};

#[cfg(windows)]
#[path = "windows.rs"]
mod system;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(test)]
#[cfg(unix)]
mod tests;

/// An open folder. Each name passed to it must be a single component of a path and must not be a symbolic link.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    #[cfg(unix)]
    handle: rustix::fd::OwnedFd,
}

/// The kind of an entry of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link with any target.
    Link,
    /// A pipe, a socket or a device.
    Other,
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: OsString,
    /// The kind.
    pub kind: EntryKind,
    /// The size in bytes.
    pub size: u64,
}

impl Folder {
    /// Opens a folder, or returns `None` if it does not exist. `symlinks` applies to the last component of the path.
    pub fn open(path: &Path, symlinks: SymlinkPolicy) -> Result<Option<Self>, DiskError> {
        match system::open(path, symlinks) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("open", path)(explain(path, symlinks, error))),
        }
    }

    /// Opens a folder. Creates it if it does not exist, so that only its owner may enter it.
    pub fn open_or_create(path: &Path, symlinks: SymlinkPolicy) -> Result<Self, DiskError> {
        if let Some(folder) = Self::open(path, symlinks)? {
            return Ok(folder);
        }
        create_private_folder(path)?;
        let missing = || failed("create", path)(io::ErrorKind::NotFound.into());
        Self::open(path, symlinks)?.ok_or_else(missing)
    }

    /// Returns the path that was passed to open the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a folder inside this one, or returns `None` if it does not exist.
    pub fn open_folder(&self, name: impl AsRef<OsStr>) -> Result<Option<Self>, DiskError> {
        let path = self.path.join(name.as_ref());
        match single(name.as_ref()).and_then(|name| system::open_folder(self, name)) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("open", &path)(explain(
                &path,
                SymlinkPolicy::Refuse,
                error,
            ))),
        }
    }

    /// Opens a folder inside this one, and creates it if it does not exist.
    pub fn open_or_create_folder(&self, name: impl AsRef<OsStr>) -> Result<Self, DiskError> {
        let name = name.as_ref();
        if let Some(folder) = self.open_folder(name)? {
            return Ok(folder);
        }
        let path = self.path.join(name);
        single(name)
            .and_then(|name| system::create_folder(self, name))
            .map_err(failed("create", &path))?;
        let missing = || failed("create", &path)(io::ErrorKind::NotFound.into());
        self.open_folder(name)?.ok_or_else(missing)
    }

    /// Returns the kind of an entry, or `None` if it does not exist.
    pub fn kind(&self, name: impl AsRef<OsStr>) -> Result<Option<EntryKind>, DiskError> {
        let found = single(name.as_ref()).and_then(|name| system::inspect(self, name));
        match found {
            Ok((kind, _)) => Ok(Some(kind)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("inspect", &self.path.join(name.as_ref()))(error)),
        }
    }

    /// Returns whether the entry exists. Fails if it is anything other than a regular file.
    pub fn has_file(&self, name: impl AsRef<OsStr>) -> Result<bool, DiskError> {
        let refused = |why| Err(failed("open", &self.path.join(name.as_ref()))(why));
        match self.kind(name.as_ref())? {
            None => Ok(false),
            Some(EntryKind::File) => Ok(true),
            Some(EntryKind::Link) => refused(symlink_refused()),
            Some(EntryKind::Folder | EntryKind::Other) => refused(not_regular()),
        }
    }

    /// Opens a regular file for reading, or returns `None` if it does not exist.
    pub fn open_file(&self, name: impl AsRef<OsStr>) -> Result<Option<File>, DiskError> {
        let path = self.path.join(name.as_ref());
        let opened = single(name.as_ref()).and_then(|name| {
            let file = system::open_file(self, name)?;
            if file.metadata()?.is_file() {
                Ok(file)
            } else {
                Err(not_regular())
            }
        });
        match opened {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path)(explain(
                &path,
                SymlinkPolicy::Refuse,
                error,
            ))),
        }
    }

    /// Reads a regular file of at most `max_bytes` bytes, or returns `None` if it does not exist.
    pub fn read(
        &self,
        name: impl AsRef<OsStr>,
        max_bytes: u64,
    ) -> Result<Option<Vec<u8>>, DiskError> {
        let Some(file) = self.open_file(name.as_ref())? else {
            return Ok(None);
        };
        read_bounded(file, max_bytes)
            .map(Some)
            .map_err(failed("read", &self.path.join(name.as_ref())))
    }

    /// Replaces a file atomically by one that only its owner may read.
    pub fn replace(&self, name: impl AsRef<OsStr>, bytes: &[u8]) -> Result<(), DiskError> {
        let path = self.path.join(name.as_ref());
        single(name.as_ref()).map_err(failed("write", &path))?;
        replace_private(&path, bytes)
    }

    /// Opens a regular file for reading and writing. Creates it if it does not exist, and never truncates it.
    pub fn open_for_writing(&self, name: impl AsRef<OsStr>) -> Result<File, DiskError> {
        let path = self.path.join(name.as_ref());
        let opened = single(name.as_ref()).and_then(|name| {
            let file = system::open_for_writing(self, name)?;
            if file.metadata()?.is_file() {
                Ok(file)
            } else {
                Err(not_regular())
            }
        });
        opened.map_err(|error| failed("write", &path)(explain(&path, SymlinkPolicy::Refuse, error)))
    }

    /// Acquires the lock on a file, or returns `None` if another process holds it.
    pub fn lock(&self, name: impl AsRef<OsStr>) -> Result<Option<FileLock>, DiskError> {
        let path = self.path.join(name.as_ref());
        FileLock::try_lock_file(self.open_for_writing(name)?, &path)
    }

    /// Returns the entries of the folder, sorted by name.
    pub fn entries(&self) -> Result<Vec<Entry>, DiskError> {
        let names = system::names(self).map_err(failed("read", &self.path))?;
        let mut entries = Vec::with_capacity(names.len());
        for name in names {
            match system::inspect(self, &name) {
                Ok((kind, size)) => entries.push(Entry { name, kind, size }),
                // Another process has removed the entry in the meantime.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed("inspect", &self.path.join(&name))(error)),
            }
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    /// Removes a file or a symbolic link, but not the target of a link.
    pub fn remove(&self, name: impl AsRef<OsStr>) -> Result<(), DiskError> {
        single(name.as_ref())
            .and_then(|name| system::remove(self, name))
            .map_err(failed("remove", &self.path.join(name.as_ref())))
    }

    /// Renames a file within this folder. Returns `false` if `from` does not exist or `to` exists.
    pub fn rename(&self, from: &str, to: &str) -> Result<bool, DiskError> {
        let renamed = single(from.as_ref())
            .and_then(|from| Ok((from, single(to.as_ref())?)))
            .and_then(|(from, to)| system::rename(self, from, to));
        match renamed {
            Ok(()) => sync_folder(&self.path).map(|()| true),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed("rename", &self.path.join(from))(error)),
        }
    }
}

/// Returns the name if it is a single component of a path.
fn single(name: &OsStr) -> io::Result<&OsStr> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(part)), None) if part == name => Ok(name),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a single file name",
        )),
    }
}

/// Systems report a refused symbolic link by different errors, none of which mentions the link.
fn explain(path: &Path, symlinks: SymlinkPolicy, error: io::Error) -> io::Error {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() && symlinks == SymlinkPolicy::Refuse => symlink_refused(),
        Ok(_) | Err(_) => error,
    }
}
