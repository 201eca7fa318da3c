//! Operations on folders for Windows, by paths: the standard library has none that are relative to an open folder.
//!
//! The last component of a path is never followed. Whoever may exchange the folder itself is its owner, or somebody to
//! whom its access control list gives that right.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::{EntryKind, Folder, SymlinkPolicy};
use crate::windows::open_no_follow;

pub(super) fn open(path: &Path, symlinks: SymlinkPolicy) -> io::Result<Folder> {
    let found = match symlinks {
        SymlinkPolicy::Follow => fs::metadata(path)?,
        SymlinkPolicy::Refuse => open_no_follow(path, File::options().read(true))?.metadata()?,
    };
    if !found.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(Folder {
        path: path.to_owned(),
    })
}

pub(super) fn open_folder(folder: &Folder, name: &OsStr) -> io::Result<Folder> {
    open(&folder.path.join(name), SymlinkPolicy::Refuse)
}

pub(super) fn create_folder(folder: &Folder, name: &OsStr) -> io::Result<()> {
    match fs::create_dir(folder.path.join(name)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created,
    }
}

pub(super) fn inspect(folder: &Folder, name: &OsStr) -> io::Result<(EntryKind, u64)> {
    let found = fs::symlink_metadata(folder.path.join(name))?;
    let kind = if found.is_symlink() {
        EntryKind::Link
    } else if found.is_dir() {
        EntryKind::Folder
    } else if found.is_file() {
        EntryKind::File
    } else {
        EntryKind::Other
    };
    Ok((kind, found.len()))
}

pub(super) fn open_file(folder: &Folder, name: &OsStr) -> io::Result<File> {
    open_no_follow(&folder.path.join(name), File::options().read(true))
}

pub(super) fn open_for_writing(folder: &Folder, name: &OsStr) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    open_no_follow(&folder.path.join(name), &mut options)
}

pub(super) fn names(folder: &Folder) -> io::Result<Vec<OsString>> {
    fs::read_dir(&folder.path)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect()
}

pub(super) fn remove(folder: &Folder, name: &OsStr) -> io::Result<()> {
    fs::remove_file(folder.path.join(name))
}

pub(super) fn rename(folder: &Folder, from: &OsStr, to: &OsStr) -> io::Result<()> {
    if inspect(folder, to).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(folder.path.join(from), folder.path.join(to))
}
