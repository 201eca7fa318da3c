//! Locks on files. They end with the process, however that ends.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use super::{DiskError, Folder, Links, failed, parent};

/// The most that a holder says of itself, in bytes.
const SIGNATURE_BYTES: u64 = 256;

/// What every signature begins with.
const SIGNATURE: &str = "process ";

/// A lock on a file. It ends when this is dropped or the process dies.
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

impl FileLock {
    /// Takes the lock on the file at `path`, or returns `None` where another process holds it.
    ///
    /// Its folder is made where it is missing; no link is followed to the file.
    pub fn try_take(path: &Path) -> Result<Option<Self>, DiskError> {
        let name = path.file_name().unwrap_or_default();
        Folder::make(parent(path), Links::Follow)?.lock(name)
    }

    /// Takes the lock on an open file.
    pub(super) fn over(mut file: File, path: &Path) -> Result<Option<Self>, DiskError> {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed("lock", path)(error)),
        }
        // What the last holder wrote is about nobody now. What nobody here wrote is not ours to remove.
        let said = read(&mut file).map_err(failed("lock", path))?;
        if said.is_empty() {
            return Ok(Some(Self { file }));
        }
        if !said.starts_with(SIGNATURE.as_bytes()) {
            let why = "it holds something that synix did not write; remove it if it is not needed";
            return Err(failed("lock", path)(io::Error::other(why)));
        }
        file.set_len(0).map_err(failed("lock", path))?;
        Ok(Some(Self { file }))
    }

    /// Writes who holds the lock into its file, for [`Folder::holder`]: `process`, its number, and what else helps.
    pub fn sign(&mut self, holder: &str) -> Result<(), DiskError> {
        self.write(holder)
            .map_err(failed("write", Path::new("lock file")))
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())
    }
}

/// Reads a signature, and one byte more of what is none.
fn read(file: &mut File) -> io::Result<Vec<u8>> {
    let mut said = Vec::new();
    file.rewind()?;
    file.take(SIGNATURE_BYTES + 1).read_to_end(&mut said)?;
    if said.len() as u64 > SIGNATURE_BYTES {
        // Too long to be one, whatever it begins with.
        return Ok(b"no signature".to_vec());
    }
    Ok(said)
}

/// Says whether a signature is this process's own.
fn is_own(signature: &str) -> bool {
    signature.starts_with(&format!("{SIGNATURE}{} ", std::process::id()))
}

impl Folder {
    /// Returns what the holder of a lock wrote; empty where it wrote nothing yet.
    pub fn holder(&self, name: &str) -> String {
        let said = self.read(name, SIGNATURE_BYTES).ok().flatten();
        String::from_utf8_lossy(&said.unwrap_or_default()).into_owned()
    }

    /// Says whether a process holds the lock on a file; where that cannot be seen, that one does.
    ///
    /// For the moment of the look nobody else gets the lock. The file is not changed.
    pub fn is_locked(&self, name: &str) -> bool {
        match self.open_file(name) {
            Ok(Some(file)) => file.try_lock_shared().is_err(),
            Ok(None) => false,
            Err(_) => true,
        }
    }

    /// Says whether another process than this one holds the lock on a file.
    pub fn is_held_elsewhere(&self, name: &str) -> bool {
        self.is_locked(name) && !is_own(&self.holder(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::make(&temp.path().join("locks"), Links::Refuse).unwrap();
        (temp, folder)
    }

    #[test]
    fn a_lock_is_held_once_and_names_its_holder() {
        let (_temp, folder) = folder();
        let mut first = folder.lock("lock").unwrap().unwrap();
        first.sign("process 7 since then").unwrap();
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
    fn what_another_wrote_into_a_lock_file_stays() {
        let (_temp, folder) = folder();
        let long = [&b"process 1 since "[..], &[b'x'; 300]].concat();
        for text in [b"my diary".as_slice(), &long] {
            folder.replace("lock", text).unwrap();
            assert!(folder.lock("lock").is_err());
            assert_eq!(folder.read("lock", 1000).unwrap().unwrap(), text);
        }
    }
}
