//! Reads files of strangers with care, writes files whole, and holds locks that end with the process.
//!
//! [`Folder`] is for all that stands below a folder which a stranger may have filled: it follows no link.
//!
//! ```
//! use synix_disk::{Folder, Links, replace};
//!
//! let parent = tempfile::tempdir()?;
//! // Written whole: a reader sees the old file or the new one.
//! replace(&parent.path().join("note.txt"), b"hello")?;
//! let folder = Folder::open(parent.path(), Links::Refuse)?.expect("the folder is there");
//! assert_eq!(folder.read("note.txt", 1024)?.as_deref(), Some(&b"hello"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod copy;
mod folder;
mod lock;
mod owner;

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

pub use copy::{CopyError, CopyLimits, copy_tree};
pub use folder::{Entry, Folder, Kind};
pub use lock::FileLock;
pub use owner::owner;

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

impl DiskError {
    /// Says whether this user may not do it there, or nobody may.
    pub fn is_denied(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
        )
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError {
    move |source| DiskError {
        action,
        path: path.to_owned(),
        source,
    }
}

/// Replaces the file at `path` by `bytes`, so that a crash leaves the old or the new file whole.
///
/// A link at `path` is replaced itself; what it leads to stays as it is.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let folder = parent(path);
    create_folder(folder)?;
    write_beside(path, bytes, Mode::AsUsual)?;
    sync_folder(folder)
}

/// Replaces a file that its owner alone may read. The folder must be there.
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    write_beside(path, bytes, Mode::Private)?;
    sync_folder(parent(path))
}

fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Others too, as far as the user's mask allows.
    AsUsual,
    /// Its owner alone.
    Private,
}

fn write_beside(path: &Path, bytes: &[u8], mode: Mode) -> Result<(), DiskError> {
    let write = || {
        let mut file = temporary(parent(path), mode)?;
        // Nobody else reads a file that is half there.
        let usual = file.as_file().metadata()?.permissions();
        if mode == Mode::AsUsual {
            close_to_others(file.as_file())?;
        }
        file.write_all(bytes)?;
        file.as_file().set_permissions(usual)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)
    };
    write().map(drop).map_err(failed("write", path))
}

/// Makes a file under a name that nobody else has; the default of the crate is a private one.
fn temporary(folder: &Path, mode: Mode) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    if mode == Mode::AsUsual {
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(unix)]
fn close_to_others(file: &File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn close_to_others(_: &File) -> io::Result<()> {
    Ok(())
}

/// Makes an empty file that its owner alone may read, in the place of whatever had the name.
pub fn create_private(path: &Path) -> Result<File, DiskError> {
    discard(path);
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(failed("create", path))
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

/// Creates a folder that its owner alone may enter, and those above it as usual.
pub fn create_private_folder(path: &Path) -> Result<(), DiskError> {
    create_folder(parent(path))?;
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(failed("create", path)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The most that is read of a file that a tool of the user made.
const LARGE_BYTES: u64 = 4 << 30;

/// Reads the whole file, which must be a regular one.
pub fn read(path: &Path) -> Result<Vec<u8>, DiskError> {
    read_at_most(path, LARGE_BYTES)
}

/// Reads a file that the user named: a regular one, perhaps behind a link, that has at most `most` bytes.
pub fn read_at_most(path: &Path, most: u64) -> Result<Vec<u8>, DiskError> {
    let missing = || failed("read", path)(io::ErrorKind::NotFound.into());
    read_small(path, most, Links::Follow)?.ok_or_else(missing)
}

/// Reads the whole file, which must be a regular one, or returns `None` where there is none.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, DiskError> {
    read_small(path, LARGE_BYTES, Links::Follow)
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
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(not_regular());
    }
    if metadata.len() > most {
        return Err(too_long(most));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
    // The size on record may be wrong: such files as those in /proc state none.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(too_long(most));
    }
    Ok(bytes)
}

fn too_long(most: u64) -> io::Error {
    io::Error::other(format!("it has more than {most} bytes"))
}

fn not_regular() -> io::Error {
    io::Error::other("it is not a regular file")
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
    opened.map_err(|error| {
        // Some systems have another word for a link that was refused.
        let is_link = || fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        if links == Links::Refuse && is_link() {
            link_refused()
        } else {
            error
        }
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
        replace(&path, b"abc").unwrap();
        let read = |most| read_small(&path, most, Links::Refuse);
        assert_eq!(read(3).unwrap().as_deref(), Some(b"abc".as_slice()));
        assert!(read(2).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, pipe] = ["file", "link", "pipe"].map(|name| folder.path().join(name));
        replace(&file, b"abc").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        assert!(read_small(&link, 9, Links::Follow).unwrap().is_some());
        assert!(read_small(&link, 9, Links::Refuse).is_err());
        for other in [pipe.as_path(), folder.path(), Path::new("/dev/zero")] {
            assert!(read_small(other, 9, Links::Follow).is_err(), "{other:?}");
        }
    }
}
