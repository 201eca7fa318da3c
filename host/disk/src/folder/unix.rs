//! Operations on folders by handle: a name is resolved relative to the open folder.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};

use super::{EntryKind, Folder};
use crate::SymlinkPolicy;

fn open_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

fn private() -> Mode {
    Mode::RUSR | Mode::WUSR
}

pub(super) fn open(path: &Path, symlinks: SymlinkPolicy) -> io::Result<Folder> {
    let mut flags = open_flags();
    if symlinks == SymlinkPolicy::Refuse {
        flags |= OFlags::NOFOLLOW;
    }
    Ok(Folder {
        handle: rustix::fs::openat(CWD, path, flags, Mode::empty())?,
        path: path.to_owned(),
    })
}

pub(super) fn open_folder(folder: &Folder, name: &OsStr) -> io::Result<Folder> {
    let flags = open_flags() | OFlags::NOFOLLOW;
    Ok(Folder {
        handle: rustix::fs::openat(&folder.handle, name, flags, Mode::empty())?,
        path: folder.path.join(name),
    })
}

pub(super) fn create_folder(folder: &Folder, name: &OsStr) -> io::Result<()> {
    match rustix::fs::mkdirat(&folder.handle, name, Mode::RWXU) {
        Err(rustix::io::Errno::EXIST) => Ok(()),
        created => Ok(created?),
    }
}

pub(super) fn inspect(folder: &Folder, name: &OsStr) -> io::Result<(EntryKind, u64)> {
    let found = rustix::fs::statat(&folder.handle, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let kind = match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Folder,
        FileType::Symlink => EntryKind::Link,
        FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => EntryKind::Other,
    };
    Ok((kind, u64::try_from(found.st_size).unwrap_or_default()))
}

/// Opens without blocking, because opening a pipe would wait for its other end.
pub(super) fn open_file(folder: &Folder, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(&folder.handle, name, flags, Mode::empty())?;
    Ok(File::from(opened))
}

pub(super) fn open_for_writing(folder: &Folder, name: &OsStr) -> io::Result<File> {
    let flags =
        OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(&folder.handle, name, flags, private())?;
    Ok(File::from(opened))
}

pub(super) fn names(folder: &Folder) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(&folder.handle)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    Ok(names)
}

pub(super) fn remove(folder: &Folder, name: &OsStr) -> io::Result<()> {
    Ok(rustix::fs::unlinkat(
        &folder.handle,
        name,
        AtFlags::empty(),
    )?)
}

pub(super) fn rename(folder: &Folder, from: &OsStr, to: &OsStr) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::io::Errno;
        let flags = rustix::fs::RenameFlags::NOREPLACE;
        let handle = &folder.handle;
        match rustix::fs::renameat_with(handle, from, handle, to, flags) {
            // Not every file system supports this flag.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            renamed => return Ok(renamed?),
        }
    }
    if inspect(folder, to).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    Ok(rustix::fs::renameat(
        &folder.handle,
        from,
        &folder.handle,
        to,
    )?)
}
