//! Locks on files. A lock ends with its process, even after a crash.
//!
//! The file says who holds the lock. On Windows, a lock keeps all others from reading the file, so there the text is in
//! a file of its own beside it.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::write::{discard, parent, replace_private};
use super::{DiskError, Folder, SymlinkPolicy, failed};

/// The maximum size of the text that describes a holder, in bytes.
const MAX_HOLDER_BYTES: u64 = 256;

/// The start of every text that describes a holder.
const HOLDER_PREFIX: &str = "process ";

/// The ending of the file beside a lock that says who holds it, on Windows.
const HOLDER_ENDING: &str = ".holder";

/// A lock on a file. It is released when this value is dropped or the process ends.
#[derive(Debug)]
pub struct FileLock {
    file: File,
    /// The file beside the lock, on Windows.
    beside: Option<PathBuf>,
}

impl FileLock {
    /// Acquires the lock on the file at `path`, or returns `None` if another process holds it.
    ///
    /// A missing folder is created. The file must not be a symbolic link.
    pub fn try_acquire(path: &Path) -> Result<Option<Self>, DiskError> {
        let name = path.file_name().unwrap_or_default();
        Folder::open_or_create(parent(path), SymlinkPolicy::Follow)?.lock(name)
    }

    /// Acquires the lock on an open file.
    pub(super) fn try_lock_file(mut file: File, path: &Path) -> Result<Option<Self>, DiskError> {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed("lock", path)(error)),
        }
        let beside = cfg!(windows).then(|| holder_beside(path));
        // A crash leaves it.
        beside.iter().for_each(|path| discard(path));
        // The text of the last holder is obsolete, but a file that synix did not write must not be truncated.
        let content = read_holder(&mut file).map_err(failed("lock", path))?;
        if content.is_empty() {
            return Ok(Some(Self { file, beside }));
        }
        if !content.starts_with(HOLDER_PREFIX.as_bytes()) {
            let why =
                "it contains data that synix did not write; remove the file if you do not need it";
            return Err(failed("lock", path)(io::Error::other(why)));
        }
        file.set_len(0).map_err(failed("lock", path))?;
        Ok(Some(Self { file, beside }))
    }

    /// Writes a description of the holder to the file: `process`, the process id, and further details.
    pub fn write_holder(&mut self, holder: &str) -> Result<(), DiskError> {
        match &self.beside {
            Some(path) => replace_private(path, holder.as_bytes()),
            None => self
                .write(holder)
                .map_err(failed("write", Path::new("lock file"))),
        }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Before the lock ends, so that it is not that of the next holder.
        self.beside.iter().for_each(|path| discard(path));
    }
}

fn holder_beside(lock: &Path) -> PathBuf {
    let mut name = lock.file_name().unwrap_or_default().to_owned();
    name.push(HOLDER_ENDING);
    lock.with_file_name(name)
}

/// Reads the description of the holder, or some other text if the file contains something else.
fn read_holder(file: &mut File) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.rewind()?;
    file.take(MAX_HOLDER_BYTES + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_HOLDER_BYTES {
        // A description is never so long, whatever the start of the file is.
        return Ok(b"not a holder".to_vec());
    }
    Ok(content)
}

fn is_this_process(holder: &str) -> bool {
    holder.starts_with(&format!("{HOLDER_PREFIX}{} ", std::process::id()))
}

impl Folder {
    /// Returns the description of a lock's holder, or an empty text if the holder wrote none.
    pub fn holder(&self, name: &str) -> String {
        let beside = cfg!(windows).then(|| format!("{name}{HOLDER_ENDING}"));
        let file = beside.as_deref().unwrap_or(name);
        let content = self.read(file, MAX_HOLDER_BYTES).ok().flatten();
        String::from_utf8_lossy(&content.unwrap_or_default()).into_owned()
    }

    /// Returns whether a process holds the lock on a file, or `true` if this is unknown.
    ///
    /// During the check no other process can acquire the lock. The file is not changed.
    pub fn is_locked(&self, name: &str) -> bool {
        match self.open_file(name) {
            Ok(Some(file)) => file.try_lock_shared().is_err(),
            Ok(None) => false,
            Err(_) => true,
        }
    }

    /// Returns whether a process other than this one holds the lock on a file.
    pub fn is_locked_by_another_process(&self, name: &str) -> bool {
        self.is_locked(name) && !is_this_process(&self.holder(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let temp = tempfile::tempdir().unwrap();
        let folder =
            Folder::open_or_create(&temp.path().join("locks"), SymlinkPolicy::Refuse).unwrap();
        (temp, folder)
    }

    #[test]
    fn a_lock_has_one_holder_and_names_it() {
        let (_temp, folder) = folder();
        let mut first = folder.lock("lock").unwrap().unwrap();
        first.write_holder("process 7 since then").unwrap();
        assert!(folder.lock("lock").unwrap().is_none());
        assert!(folder.is_locked("lock"));
        assert_eq!(folder.holder("lock"), "process 7 since then");
        drop(first);
        assert!(!folder.is_locked("lock"));
        let second = folder.lock("lock").unwrap();
        assert!(second.is_some());
        assert_eq!(folder.holder("lock"), "");
    }

    #[test]
    fn a_released_lock_leaves_no_other_file() {
        let (_temp, folder) = folder();
        let mut lock = folder.lock("lock").unwrap().unwrap();
        lock.write_holder("process 7 since then").unwrap();
        drop(lock);
        let entries = folder.entries().unwrap();
        assert_eq!(entries.len(), 1, "{entries:?}");
    }

    #[test]
    fn data_of_other_programs_in_a_lock_file_is_kept() {
        let (_temp, folder) = folder();
        let long = [&b"process 1 since "[..], &[b'x'; 300]].concat();
        for text in [b"my diary".as_slice(), &long] {
            folder.replace("lock", text).unwrap();
            assert!(folder.lock("lock").is_err());
            assert_eq!(folder.read("lock", 1000).unwrap().unwrap(), text);
        }
    }
}
