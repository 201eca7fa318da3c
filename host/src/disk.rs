//! Writes files whole and holds locks that end with the process.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Something the file system refused.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", .path.display())]
pub struct DiskError {
    /// What was tried, such as `write`.
    pub action: &'static str,
    /// On which path.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError {
    move |source| DiskError {
        action,
        path: path.to_owned(),
        source,
    }
}

/// Replaces the file at `path` by `bytes`, so that a crash leaves the old or the new file whole.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    create_folder(folder)?;
    let mut file = temporary(folder).map_err(failed("write", path))?;
    file.write_all(bytes).map_err(failed("write", path))?;
    file.as_file().sync_all().map_err(failed("write", path))?;
    file.persist(path)
        .map_err(|error| failed("write", path)(error.error))?;
    sync_folder(folder)
}

/// Makes a file that others may read as far as the user's mask allows; the default is the owner alone.
fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Gives a file that is complete its name, durably.
pub fn rename(from: &Path, to: &Path) -> Result<(), DiskError> {
    let sync = |file: File| file.sync_all();
    File::open(from)
        .and_then(sync)
        .map_err(failed("sync", from))?;
    fs::rename(from, to).map_err(failed("write", to))?;
    to.parent().map_or(Ok(()), sync_folder)
}

/// Removes a file that has served; one that stays is only clutter.
pub fn discard(path: &Path) {
    let _ = fs::remove_file(path);
}

/// Creates the folder and those above it.
pub fn create_folder(path: &Path) -> Result<(), DiskError> {
    fs::create_dir_all(path).map_err(failed("create", path))
}

/// Reads the whole file.
pub fn read(path: &Path) -> Result<Vec<u8>, DiskError> {
    fs::read(path).map_err(failed("read", path))
}

/// Reads the whole file, or returns `None` where there is none.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, DiskError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// Whether the last part of a path may be a symbolic link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// The user named the path, so a link there is the user's own.
    Follow,
    /// The path follows from a project's folder, which may be a stranger's.
    Refuse,
}

/// Reads a file that has at most `most` bytes, or returns `None` where there is none.
///
/// Only a regular file is read: a pipe would never end and a device may be endless.
pub fn read_small(path: &Path, most: u64, links: Links) -> Result<Option<Vec<u8>>, DiskError> {
    let file = match open_to_read(path, links) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path)(error)),
    };
    read_bounded(file, most)
        .map(Some)
        .map_err(failed("read", path))
}

fn read_bounded(file: File, most: u64) -> io::Result<Vec<u8>> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    // The size on record may be wrong: such files as those in /proc state none.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(unix)]
fn open_to_read(path: &Path, links: Links) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;
    // Opening a pipe would wait for its other end.
    let mut flags = OFlags::NONBLOCK;
    if links == Links::Refuse {
        flags |= OFlags::NOFOLLOW;
    }
    let opened = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    opened.map_err(|error| match error.raw_os_error() {
        Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => link_refused(),
        _ => error,
    })
}

#[cfg(not(unix))]
fn open_to_read(path: &Path, links: Links) -> io::Result<File> {
    if links == Links::Refuse && fs::symlink_metadata(path)?.is_symlink() {
        return Err(link_refused());
    }
    File::open(path)
}

fn link_refused() -> io::Error {
    io::Error::other("it is a symbolic link, which is not followed here")
}

/// Makes the names in a folder durable; a file's own sync does not.
fn sync_folder(path: &Path) -> Result<(), DiskError> {
    if cfg!(unix) {
        File::open(path)
            .and_then(|folder| folder.sync_all())
            .map_err(failed("sync", path))?;
    }
    Ok(())
}

/// A lock on a file. It ends when this is dropped or the process dies.
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

impl FileLock {
    /// Takes the lock, or returns `None` where another process holds it.
    pub fn try_take(path: &Path) -> Result<Option<Self>, DiskError> {
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(failed("lock", path))?;
        match file.try_lock() {
            Ok(()) => {
                // What the last holder wrote is about nobody now.
                file.set_len(0).map_err(failed("lock", path))?;
                Ok(Some(Self { file }))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed("lock", path)(error)),
        }
    }

    /// Writes who holds the lock into its file, for [`holder`].
    pub fn sign(&mut self, holder: &str) -> Result<(), DiskError> {
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.write_all(holder.as_bytes())
        };
        write(&mut self.file).map_err(failed("write", Path::new("lock file")))
    }
}

/// Says whether a process holds the lock on a file; where that cannot be seen, that one does.
///
/// For the moment of the look nobody else gets the lock.
pub fn is_locked(path: &Path) -> bool {
    match open_to_read(path, Links::Refuse) {
        Ok(file) => file.try_lock_shared().is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Returns what the holder of a lock wrote; empty where it wrote nothing yet.
pub fn holder(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replace_leaves_no_other_file_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.txt");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1);
    }

    #[test]
    fn a_small_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert_eq!(read_small(&path, 3, Links::Refuse).unwrap(), None);
        fs::write(&path, "abc").unwrap();
        let read = |most| read_small(&path, most, Links::Refuse);
        assert_eq!(read(3).unwrap().as_deref(), Some(b"abc".as_slice()));
        assert!(read(2).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, pipe] = ["file", "link", "pipe"].map(|name| folder.path().join(name));
        fs::write(&file, "abc").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        assert!(read_small(&link, 9, Links::Follow).unwrap().is_some());
        assert!(read_small(&link, 9, Links::Refuse).is_err());
        for other in [pipe.as_path(), folder.path(), Path::new("/dev/zero")] {
            assert!(read_small(other, 9, Links::Follow).is_err(), "{other:?}");
        }
    }

    #[test]
    fn a_lock_is_held_once_and_names_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let mut first = FileLock::try_take(&path).unwrap().unwrap();
        first.sign("process 7").unwrap();
        assert!(FileLock::try_take(&path).unwrap().is_none());
        assert!(is_locked(&path));
        assert_eq!(holder(&path), "process 7");
        drop(first);
        assert!(!is_locked(&path));
        assert!(FileLock::try_take(&path).unwrap().is_some());
    }
}
