//! Whole folders: made durable, exchanged and removed.

use std::fs;
use std::io;
use std::path::Path;

use super::write::{parent, sync_folder};
use super::{DiskError, failed};

/// Makes everything in a folder durable: the contents of files, and the names in this folder and those inside.
///
/// No link is followed. The folder must not change at the same time.
pub fn sync_tree(path: &Path) -> Result<(), DiskError> {
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(failed("read", &folder))? {
            let entry = entry.map_err(failed("read", &folder))?;
            let kind = entry.file_type().map_err(failed("read", &folder))?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                // Windows syncs only what is open for writing.
                let mut options = fs::File::options();
                options.read(true).write(cfg!(windows));
                let path = entry.path();
                let synced = options.open(&path).and_then(|file| file.sync_all());
                synced.map_err(failed("sync", &path))?;
            }
        }
        sync_folder(&folder)?;
    }
    Ok(())
}

/// Renames a folder durably to a name that is free.
pub fn rename_folder(from: &Path, to: &Path) -> Result<(), DiskError> {
    fs::rename(from, to).map_err(failed("rename", from))?;
    sync_folder(parent(to))
}

/// Exchanges two folders atomically. Returns `false` if the file system cannot.
pub fn exchange(one: &Path, other: &Path) -> Result<bool, DiskError> {
    if !exchange_names(one, other).map_err(failed("exchange", other))? {
        return Ok(false);
    }
    sync_folder(parent(one))?;
    sync_folder(parent(other))?;
    Ok(true)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn exchange_names(one: &Path, other: &Path) -> io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;

    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
#[expect(clippy::unnecessary_wraps, reason = "as on Linux")]
const fn exchange_names(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Removes whatever is at a path, if there is something. Of a link only the link is removed.
pub fn remove_all(path: &Path) -> Result<(), DiskError> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(failed("inspect", path))?,
    };
    let removed = if found.is_dir() {
        // The standard library follows no link here either.
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    removed.map_err(failed("remove", path))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_removed_folder_takes_no_target_of_a_link_with_it() {
        let temporary = tempfile::tempdir().unwrap();
        let at = |name: &str| temporary.path().join(name);
        fs::create_dir_all(at("kept/inside")).unwrap();
        fs::create_dir_all(at("gone")).unwrap();
        symlink(at("kept"), at("gone/link")).unwrap();
        symlink(at("kept"), at("other")).unwrap();
        for name in ["gone", "other", "missing"] {
            remove_all(&at(name)).unwrap();
        }
        assert!(at("kept/inside").is_dir() && !at("gone").exists());
        assert!(fs::symlink_metadata(at("other")).is_err());
    }

    #[test]
    fn exchanged_folders_have_each_others_content() {
        let temporary = tempfile::tempdir().unwrap();
        let at = |name: &str| temporary.path().join(name);
        fs::create_dir_all(at("a/old")).unwrap();
        fs::create_dir_all(at("b/new")).unwrap();
        sync_tree(temporary.path()).unwrap();
        if exchange(&at("a"), &at("b")).unwrap() {
            assert!(at("a/new").is_dir() && at("b/old").is_dir());
        }
    }
}
