//! An open source file, read in parts.

use std::io::{self, Read as _, Seek as _, SeekFrom};

use cap_std::fs::{File, Metadata};

use crate::SourceError;
use crate::folder::io_error;
use synix_core::digest::Digest;
use synix_core::file_stamp::FileStamp;

/// The part of a file that is hashed at once.
const HASH_BYTES: usize = 256 * 1024;

/// An open source file. It stays the same file if another one takes its path.
#[derive(Debug)]
pub struct OpenFile {
    path: String,
    file: File,
    /// The stamp when the file was opened.
    stamp: FileStamp,
}

impl OpenFile {
    pub(super) fn new(path: &str, file: File) -> Result<Self, SourceError> {
        let metadata = file.metadata().map_err(io_error(path))?;
        if !metadata.is_file() {
            return Err(SourceError::NotAFile {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            stamp: stamp_of(&metadata),
        })
    }

    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    /// Returns the path relative to the project folder.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns what the file system said of the file when it was opened.
    pub const fn stamp(&self) -> FileStamp {
        self.stamp
    }

    /// Returns the digest of all bytes, or `None` if `is_stopped` became true before the end of the file.
    pub fn digest(&mut self, is_stopped: &dyn Fn() -> bool) -> Result<Option<Digest>, SourceError> {
        let Self { path, file, .. } = self;
        file.seek(SeekFrom::Start(0)).map_err(io_error(path))?;
        let mut file = StoppableFile {
            file,
            is_stopped,
            was_stopped: false,
        };
        let digest = Digest::of_reader(&mut file, HASH_BYTES).map_err(io_error(path))?;
        Ok((!file.was_stopped).then_some(digest))
    }

    /// Reads up to `length` bytes from `offset`; the result is shorter only at the end of the file.
    pub fn read_at(&mut self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let left = self.stamp.size.saturating_sub(offset);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(length);
        // No file system seeks to any offset.
        if length == 0 {
            return Ok(Vec::new());
        }
        let mut bytes = Vec::with_capacity(length);
        self.file.seek(SeekFrom::Start(offset))?;
        let part = self.file.by_ref().take(length as u64);
        { part }.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Returns an error if the file changed since it was opened.
    pub fn check_unchanged(&self) -> Result<(), SourceError> {
        let metadata = self.file.metadata().map_err(io_error(&self.path))?;
        if stamp_of(&metadata) == self.stamp {
            return Ok(());
        }
        Err(SourceError::Changed {
            path: self.path.clone(),
        })
    }
}

/// A file that ends early if the build is interrupted: a large one takes minutes to hash.
struct StoppableFile<'a> {
    file: &'a mut File,
    is_stopped: &'a dyn Fn() -> bool,
    was_stopped: bool,
}

impl io::Read for StoppableFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if (self.is_stopped)() {
            self.was_stopped = true;
            return Ok(0);
        }
        self.file.read(buffer)
    }
}

pub(super) fn stamp_of(metadata: &Metadata) -> FileStamp {
    let modified = metadata.modified().ok();
    let since = modified.map(|time| {
        let epoch = std::time::SystemTime::UNIX_EPOCH;
        let nanos =
            |duration: std::time::Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        match time.into_std().duration_since(epoch) {
            Ok(after) => nanos(after),
            Err(before) => -nanos(before.duration()),
        }
    });
    FileStamp {
        size: metadata.len(),
        // A file system without times proves nothing: such a stamp is never settled.
        modified_ns: since.unwrap_or(i64::MAX),
        inode: inode_of(metadata),
    }
}

#[cfg(unix)]
fn inode_of(metadata: &Metadata) -> u64 {
    use cap_std::fs::MetadataExt as _;
    metadata.ino()
}

#[cfg(not(unix))]
fn inode_of(_: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::HASH_BYTES;
    use crate::ProjectFolder;
    use synix_core::digest::Digest;

    #[test]
    fn a_file_is_read_in_parts() {
        let temp = tempfile::tempdir().unwrap();
        synix_disk::replace(&temp.path().join("a"), b"0123456789").unwrap();
        let folder = ProjectFolder::open(temp.path()).unwrap();
        let mut file = folder.open_source("a").unwrap();
        assert_eq!(file.stamp().size, 10);
        assert_eq!(
            file.digest(&|| false).unwrap(),
            Some(Digest::of(b"0123456789"))
        );
        for (offset, length, expected) in [
            (0, 4, "0123"),
            (8, 4, "89"),
            (10, 4, ""),
            (u64::MAX, 1, ""),
            (2, usize::MAX, "23456789"),
        ] {
            assert_eq!(file.read_at(offset, length).unwrap(), expected.as_bytes());
        }
        assert!(file.check_unchanged().is_ok());
    }

    /// The digest of a part of the file must not be taken for that of the file.
    #[test]
    fn a_file_that_is_no_longer_hashed_has_no_digest() {
        let temp = tempfile::tempdir().unwrap();
        synix_disk::replace(&temp.path().join("a"), &vec![b'x'; 3 * HASH_BYTES]).unwrap();
        let folder = ProjectFolder::open(temp.path()).unwrap();
        let mut file = folder.open_source("a").unwrap();
        let looks = Cell::new(0);
        let is_stopped = || looks.replace(looks.get() + 1) == 2;
        assert_eq!(file.digest(&is_stopped).unwrap(), None);
        assert_eq!(looks.get(), 3, "it was read on");
    }

    /// The digest would be that of other bytes than the reader saw.
    #[test]
    fn a_file_that_grows_while_it_is_read_is_an_error() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a");
        synix_disk::replace(&path, b"one").unwrap();
        let folder = ProjectFolder::open(temp.path()).unwrap();
        let file = folder.open_source("a").unwrap();
        let mut same = std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap();
        std::io::Write::write_all(&mut same, b" two").unwrap();
        let message = file.check_unchanged().unwrap_err().to_string();
        assert!(message.starts_with("a: changed while synix was using it"));
    }
}
