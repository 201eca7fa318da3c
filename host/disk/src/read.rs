//! Reads files of bounded size, and only regular ones.

#[cfg(unix)]
use std::fs;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::{DiskError, failed};

/// The maximum size of a file from one of the user's own tools.
const MAX_TRUSTED_BYTES: u64 = 4 << 30;

/// Reads a regular file.
pub fn read(path: &Path) -> Result<Vec<u8>, DiskError> {
    read_limited(path, MAX_TRUSTED_BYTES)
}

/// Reads a regular file of at most `max_bytes` bytes. The path may be a symbolic link.
pub fn read_limited(path: &Path, max_bytes: u64) -> Result<Vec<u8>, DiskError> {
    let missing = || failed("read", path)(io::ErrorKind::NotFound.into());
    read_limited_if_exists(path, max_bytes, SymlinkPolicy::Follow)?.ok_or_else(missing)
}

/// Reads a regular file, or returns `None` if there is no file.
pub fn read_if_exists(path: &Path) -> Result<Option<Vec<u8>>, DiskError> {
    read_limited_if_exists(path, MAX_TRUSTED_BYTES, SymlinkPolicy::Follow)
}

/// Whether the last component of a path may be a symbolic link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymlinkPolicy {
    /// For paths that the user passed: a symbolic link there is the user's own.
    Follow,
    /// For paths inside a project, which a stranger may have written.
    Refuse,
}

/// Reads a regular file of at most `max_bytes` bytes, or returns `None` if there is no file.
///
/// Pipes and devices are rejected, because reading them may never end.
pub fn read_limited_if_exists(
    path: &Path,
    max_bytes: u64,
    symlinks: SymlinkPolicy,
) -> Result<Option<Vec<u8>>, DiskError> {
    let file = match open_for_reading(path, symlinks) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path)(error)),
    };
    read_bounded(file, max_bytes)
        .map(Some)
        .map_err(failed("read", path))
}

pub(super) fn read_bounded(file: File, max_bytes: u64) -> io::Result<Vec<u8>> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(not_regular());
    }
    if metadata.len() > max_bytes {
        return Err(too_long(max_bytes));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
    // The metadata may contain a wrong size: files in /proc have size 0.
    file.take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(too_long(max_bytes));
    }
    Ok(bytes)
}

fn too_long(max_bytes: u64) -> io::Error {
    io::Error::other(format!("it has more than {max_bytes} bytes"))
}

pub(super) fn not_regular() -> io::Error {
    io::Error::other("it is not a regular file")
}

#[cfg(unix)]
fn open_for_reading(path: &Path, symlinks: SymlinkPolicy) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;
    // Opening a pipe without this flag would block until its other end is opened.
    let mut flags = OFlags::NONBLOCK;
    if symlinks == SymlinkPolicy::Refuse {
        flags |= OFlags::NOFOLLOW;
    }
    let opened = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    opened.map_err(|error| {
        // Systems report a refused symbolic link by different errors.
        let is_link = || fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        if symlinks == SymlinkPolicy::Refuse && is_link() {
            symlink_refused()
        } else {
            error
        }
    })
}

#[cfg(windows)]
fn open_for_reading(path: &Path, symlinks: SymlinkPolicy) -> io::Result<File> {
    match symlinks {
        SymlinkPolicy::Follow => File::open(path),
        SymlinkPolicy::Refuse => super::windows::open_no_follow(path, File::options().read(true)),
    }
}

pub(super) fn symlink_refused() -> io::Error {
    io::Error::other("it is a symbolic link, which is not followed here")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replace;

    #[test]
    fn a_file_over_the_limit_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert_eq!(
            read_limited_if_exists(&path, 3, SymlinkPolicy::Refuse).unwrap(),
            None
        );
        replace(&path, b"abc").unwrap();
        let read = |most| read_limited_if_exists(&path, most, SymlinkPolicy::Refuse);
        assert_eq!(read(3).unwrap().as_deref(), Some(b"abc".as_slice()));
        assert!(read(2).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn only_regular_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, pipe] = ["file", "link", "pipe"].map(|name| folder.path().join(name));
        replace(&file, b"abc").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        assert!(
            read_limited_if_exists(&link, 9, SymlinkPolicy::Follow)
                .unwrap()
                .is_some()
        );
        assert!(read_limited_if_exists(&link, 9, SymlinkPolicy::Refuse).is_err());
        for other in [pipe.as_path(), folder.path(), Path::new("/dev/zero")] {
            assert!(
                read_limited_if_exists(other, 9, SymlinkPolicy::Follow).is_err(),
                "{other:?}"
            );
        }
    }
}
