//! What Windows does in other ways than Unix: links are found at the open file, and a lock keeps others from reading.
//!
//! Windows gives a new file the access control list of its folder. So what synix creates below a user's profile is that
//! user's alone, and elsewhere it is open to whom the folder is open. synix sets no lists of its own.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;

use super::read::symlink_refused;

/// `FILE_FLAG_OPEN_REPARSE_POINT`: opens a link itself and not its target.
const OPEN_LINK: u32 = 0x0020_0000;

/// `FILE_FLAG_BACKUP_SEMANTICS`: without it, neither a folder nor a link to one can be opened.
const OPEN_FOLDER: u32 = 0x0200_0000;

/// Opens a file or a folder, but neither a symbolic link nor a junction.
///
/// The open file is inspected, and not its path, which somebody could exchange between two calls.
pub(super) fn open_no_follow(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let file = options.custom_flags(OPEN_LINK | OPEN_FOLDER).open(path)?;
    if file.metadata()?.is_symlink() {
        return Err(symlink_refused());
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_a_folder_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        crate::replace(&path, b"abc").unwrap();
        let opened = |path: &Path| open_no_follow(path, File::options().read(true)).unwrap();
        assert!(opened(&path).metadata().unwrap().is_file());
        assert!(opened(folder.path()).metadata().unwrap().is_dir());
    }

    /// Without developer mode, Windows lets only administrators create links.
    #[test]
    fn a_link_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("file"), folder.path().join("link"));
        crate::replace(&path, b"abc").unwrap();
        if std::os::windows::fs::symlink_file(&path, &link).is_ok() && link.is_symlink() {
            assert!(open_no_follow(&link, File::options().read(true)).is_err());
        }
    }
}
