//! A folder held open: what stands below it is reached by single names and through no link.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

use super::{DiskError, FileLock, Links, failed, link_refused, read_bounded, sync_folder};

/// A folder that is open. Every name given to it is one part of a path; none of them may be a link.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    #[cfg(unix)]
    handle: rustix::fd::OwnedFd,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, wherever it leads.
    Link,
    /// A pipe, a socket or a device.
    Other,
}

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: OsString,
    /// What it stands for.
    pub kind: Kind,
    /// Its size in bytes.
    pub size: u64,
}

impl Folder {
    /// Opens a folder, or returns `None` where there is none. `links` is about the last part of the path.
    pub fn open(path: &Path, links: Links) -> Result<Option<Self>, DiskError> {
        match system::open(path, links) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("open", path)(explain(path, links, error))),
        }
    }

    /// Opens a folder, which is made where it is missing: its owner alone may enter it.
    pub fn make(path: &Path, links: Links) -> Result<Self, DiskError> {
        if let Some(folder) = Self::open(path, links)? {
            return Ok(folder);
        }
        super::create_private_folder(path)?;
        let missing = || failed("create", path)(io::ErrorKind::NotFound.into());
        Self::open(path, links)?.ok_or_else(missing)
    }

    /// Returns the path that the folder was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a folder in this one, or returns `None` where there is none.
    pub fn below(&self, name: impl AsRef<OsStr>) -> Result<Option<Self>, DiskError> {
        let path = self.path.join(name.as_ref());
        match single(name.as_ref()).and_then(|name| system::below(self, name)) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("open", &path)(explain(&path, Links::Refuse, error))),
        }
    }

    /// Opens a folder in this one, which is made where it is missing.
    pub fn make_below(&self, name: impl AsRef<OsStr>) -> Result<Self, DiskError> {
        let name = name.as_ref();
        if let Some(folder) = self.below(name)? {
            return Ok(folder);
        }
        let path = self.path.join(name);
        single(name)
            .and_then(|name| system::make(self, name))
            .map_err(failed("create", &path))?;
        let missing = || failed("create", &path)(io::ErrorKind::NotFound.into());
        self.below(name)?.ok_or_else(missing)
    }

    /// Says what a name stands for; `None` where nothing has it.
    pub fn kind(&self, name: impl AsRef<OsStr>) -> Result<Option<Kind>, DiskError> {
        let found = single(name.as_ref()).and_then(|name| system::look(self, name));
        match found {
            Ok((kind, _)) => Ok(Some(kind)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("look at", &self.path.join(name.as_ref()))(error)),
        }
    }

    /// Refuses a name that stands for anything but a regular file, and says whether there is one.
    pub fn has_file(&self, name: impl AsRef<OsStr>) -> Result<bool, DiskError> {
        let refused = |why| Err(failed("open", &self.path.join(name.as_ref()))(why));
        match self.kind(name.as_ref())? {
            None => Ok(false),
            Some(Kind::File) => Ok(true),
            Some(Kind::Link) => refused(link_refused()),
            Some(Kind::Folder | Kind::Other) => refused(super::not_regular()),
        }
    }

    /// Opens a regular file for reading, or returns `None` where there is none.
    pub fn open_file(&self, name: impl AsRef<OsStr>) -> Result<Option<File>, DiskError> {
        let path = self.path.join(name.as_ref());
        let opened = single(name.as_ref()).and_then(|name| {
            let file = system::open_file(self, name)?;
            if file.metadata()?.is_file() {
                Ok(file)
            } else {
                Err(super::not_regular())
            }
        });
        match opened {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path)(explain(&path, Links::Refuse, error))),
        }
    }

    /// Reads a regular file that has at most `most` bytes, or returns `None` where there is none.
    pub fn read(&self, name: impl AsRef<OsStr>, most: u64) -> Result<Option<Vec<u8>>, DiskError> {
        let Some(file) = self.open_file(name.as_ref())? else {
            return Ok(None);
        };
        read_bounded(file, most)
            .map(Some)
            .map_err(failed("read", &self.path.join(name.as_ref())))
    }

    /// Replaces a file by one that its owner alone may read, so that a crash leaves the old or the new one whole.
    pub fn replace(&self, name: impl AsRef<OsStr>, bytes: &[u8]) -> Result<(), DiskError> {
        let path = self.path.join(name.as_ref());
        single(name.as_ref()).map_err(failed("write", &path))?;
        super::replace_private(&path, bytes)
    }

    /// Opens a regular file for reading and writing; it is made where it is missing and never cut.
    pub fn open_to_write(&self, name: impl AsRef<OsStr>) -> Result<File, DiskError> {
        let path = self.path.join(name.as_ref());
        let opened = single(name.as_ref()).and_then(|name| {
            let file = system::open_to_write(self, name)?;
            if file.metadata()?.is_file() {
                Ok(file)
            } else {
                Err(super::not_regular())
            }
        });
        opened.map_err(|error| failed("write", &path)(explain(&path, Links::Refuse, error)))
    }

    /// Takes the lock on a file, or returns `None` where another process holds it.
    pub fn lock(&self, name: impl AsRef<OsStr>) -> Result<Option<FileLock>, DiskError> {
        let path = self.path.join(name.as_ref());
        FileLock::over(self.open_to_write(name)?, &path)
    }

    /// Returns what the folder holds.
    pub fn entries(&self) -> Result<Vec<Entry>, DiskError> {
        let names = system::names(self).map_err(failed("read", &self.path))?;
        let mut entries = Vec::with_capacity(names.len());
        for name in names {
            match system::look(self, &name) {
                Ok((kind, size)) => entries.push(Entry { name, kind, size }),
                // Another process has removed it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed("look at", &self.path.join(&name))(error)),
            }
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    /// Removes a file; a link is removed itself.
    pub fn remove(&self, name: impl AsRef<OsStr>) -> Result<(), DiskError> {
        single(name.as_ref())
            .and_then(|name| system::remove(self, name))
            .map_err(failed("remove", &self.path.join(name.as_ref())))
    }

    /// Gives a file another name in this folder. Says `false`, and does nothing, where that is taken or `from` is not there.
    pub fn rename(&self, from: &str, to: &str) -> Result<bool, DiskError> {
        let renamed = single(from.as_ref())
            .and_then(|from| Ok((from, single(to.as_ref())?)))
            .and_then(|(from, to)| system::rename(self, from, to));
        match renamed {
            Ok(()) => sync_folder(&self.path).map(|()| true),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed("rename", &self.path.join(from))(error)),
        }
    }
}

/// Refuses what is more than one part of a path.
fn single(name: &OsStr) -> io::Result<&OsStr> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(part)), None) if part == name => Ok(name),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no name of a file",
        )),
    }
}

/// The system's words for a link that it did not follow differ, and name no link.
fn explain(path: &Path, links: Links, error: io::Error) -> io::Error {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() && links == Links::Refuse => link_refused(),
        Ok(_) | Err(_) => error,
    }
}

#[cfg(unix)]
mod system {
    use std::ffi::{OsStr, OsString};
    use std::fs::File;
    use std::io;
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::Path;

    use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};

    use super::{Folder, Kind, Links};

    fn open_flags() -> OFlags {
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
    }

    fn private() -> Mode {
        Mode::RUSR | Mode::WUSR
    }

    pub(super) fn open(path: &Path, links: Links) -> io::Result<Folder> {
        let mut flags = open_flags();
        if links == Links::Refuse {
            flags |= OFlags::NOFOLLOW;
        }
        Ok(Folder {
            handle: rustix::fs::openat(CWD, path, flags, Mode::empty())?,
            path: path.to_owned(),
        })
    }

    pub(super) fn below(folder: &Folder, name: &OsStr) -> io::Result<Folder> {
        let flags = open_flags() | OFlags::NOFOLLOW;
        Ok(Folder {
            handle: rustix::fs::openat(&folder.handle, name, flags, Mode::empty())?,
            path: folder.path.join(name),
        })
    }

    pub(super) fn make(folder: &Folder, name: &OsStr) -> io::Result<()> {
        match rustix::fs::mkdirat(&folder.handle, name, Mode::RWXU) {
            Err(rustix::io::Errno::EXIST) => Ok(()),
            made => Ok(made?),
        }
    }

    pub(super) fn look(folder: &Folder, name: &OsStr) -> io::Result<(Kind, u64)> {
        let found = rustix::fs::statat(&folder.handle, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Symlink => Kind::Link,
            FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => Kind::Other,
        };
        Ok((kind, u64::try_from(found.st_size).unwrap_or_default()))
    }

    /// Opening a pipe would wait for its other end, so nothing is opened blocking.
    pub(super) fn open_file(folder: &Folder, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&folder.handle, name, flags, Mode::empty())?;
        Ok(File::from(opened))
    }

    pub(super) fn open_to_write(folder: &Folder, name: &OsStr) -> io::Result<File> {
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
                // Not every file system knows it.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
                renamed => return Ok(renamed?),
            }
        }
        if look(folder, to).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(rustix::fs::renameat(
            &folder.handle,
            from,
            &folder.handle,
            to,
        )?)
    }
}

/// Systems without handles of folders: each path is looked at before it is used.
#[cfg(not(unix))]
mod system {
    use std::ffi::{OsStr, OsString};
    use std::fs::{self, File};
    use std::io;
    use std::path::Path;

    use super::super::link_refused;
    use super::{Folder, Kind, Links};

    fn refuse_link(path: &Path) -> io::Result<()> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => Err(link_refused()),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    pub(super) fn open(path: &Path, links: Links) -> io::Result<Folder> {
        if links == Links::Refuse {
            refuse_link(path)?;
        }
        if !fs::metadata(path)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Folder {
            path: path.to_owned(),
        })
    }

    pub(super) fn below(folder: &Folder, name: &OsStr) -> io::Result<Folder> {
        open(&folder.path.join(name), Links::Refuse)
    }

    pub(super) fn make(folder: &Folder, name: &OsStr) -> io::Result<()> {
        match fs::create_dir(folder.path.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    }

    pub(super) fn look(folder: &Folder, name: &OsStr) -> io::Result<(Kind, u64)> {
        let found = fs::symlink_metadata(folder.path.join(name))?;
        let kind = if found.is_symlink() {
            Kind::Link
        } else if found.is_dir() {
            Kind::Folder
        } else if found.is_file() {
            Kind::File
        } else {
            Kind::Other
        };
        Ok((kind, found.len()))
    }

    pub(super) fn open_file(folder: &Folder, name: &OsStr) -> io::Result<File> {
        let path = folder.path.join(name);
        refuse_link(&path)?;
        File::open(path)
    }

    pub(super) fn open_to_write(folder: &Folder, name: &OsStr) -> io::Result<File> {
        let path = folder.path.join(name);
        refuse_link(&path)?;
        File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
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
        if look(folder, to).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(folder.path.join(from), folder.path.join(to))
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    /// A folder to work in, and beside it a file and a folder of somebody else.
    fn place() -> (tempfile::TempDir, Folder) {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir_all(temp.path().join("theirs/deep")).unwrap();
        super::super::replace(&temp.path().join("theirs/file"), b"theirs").unwrap();
        let folder = Folder::make(&temp.path().join("ours"), Links::Refuse).unwrap();
        (temp, folder)
    }

    fn theirs(temp: &tempfile::TempDir) -> Vec<u8> {
        fs::read(temp.path().join("theirs/file")).unwrap()
    }

    #[test]
    fn nothing_is_reached_through_a_link() {
        let (temp, folder) = place();
        symlink("../theirs", folder.path().join("linked")).unwrap();
        symlink("../theirs/file", folder.path().join("file")).unwrap();
        let said = [
            folder.below("linked").unwrap_err(),
            folder.make_below("linked").unwrap_err(),
            folder.read("file", 100).unwrap_err(),
            folder.open_to_write("file").unwrap_err(),
            folder.lock("file").unwrap_err(),
        ];
        for error in said {
            assert!(
                error.source.to_string().contains("symbolic link"),
                "{error:?}"
            );
        }
        assert_eq!(theirs(&temp), b"theirs");
    }

    #[test]
    fn a_link_in_the_place_of_the_folder_is_refused() {
        let (temp, _) = place();
        let link = temp.path().join("link");
        symlink("theirs", &link).unwrap();
        assert!(Folder::open(&link, Links::Refuse).is_err());
        assert!(Folder::make(&link, Links::Refuse).is_err());
        assert!(Folder::open(&link, Links::Follow).unwrap().is_some());
    }

    #[test]
    fn a_link_is_replaced_and_removed_itself() {
        let (temp, folder) = place();
        for name in ["replaced", "removed"] {
            symlink("../theirs/file", folder.path().join(name)).unwrap();
        }
        folder.replace("replaced", b"ours").unwrap();
        folder.remove("removed").unwrap();
        assert_eq!(folder.read("replaced", 9).unwrap().unwrap(), b"ours");
        assert_eq!(theirs(&temp), b"theirs");
    }

    #[test]
    fn a_name_is_one_part_of_a_path() {
        let (temp, folder) = place();
        let absolute = temp.path().join("theirs/file");
        for name in [
            "../theirs/file",
            "..",
            ".",
            "",
            "a/b",
            "a/",
            absolute.to_str().unwrap(),
        ] {
            assert!(folder.read(name, 9).is_err(), "{name}");
            assert!(folder.replace(name, b"x").is_err(), "{name}");
            assert!(folder.remove(name).is_err(), "{name}");
            assert!(folder.rename("x", name).is_err(), "{name}");
        }
        assert_eq!(theirs(&temp), b"theirs");
    }

    #[test]
    fn a_rename_overwrites_nothing() {
        let (_temp, folder) = place();
        folder.replace("a", b"a").unwrap();
        folder.replace("b", b"b").unwrap();
        assert!(!folder.rename("a", "b").unwrap());
        assert!(!folder.rename("nothing", "c").unwrap());
        assert!(folder.rename("a", "c").unwrap());
        assert_eq!(folder.read("b", 9).unwrap().unwrap(), b"b");
        assert_eq!(folder.read("c", 9).unwrap().unwrap(), b"a");
    }

    #[test]
    fn pipes_devices_and_folders_are_no_files() {
        let (_temp, folder) = place();
        rustix::fs::mkfifoat(&folder.handle, "pipe", rustix::fs::Mode::RWXU).unwrap();
        folder.make_below("folder").unwrap();
        for name in ["pipe", "folder"] {
            assert!(folder.read(name, 9).is_err(), "{name}");
            assert!(folder.has_file(name).is_err(), "{name}");
            assert!(folder.lock(name).is_err(), "{name}");
        }
    }

    #[test]
    fn what_is_made_is_its_owner_s_alone() {
        let (_temp, folder) = place();
        folder.replace("file", b"x").unwrap();
        folder.make_below("below").unwrap();
        drop(folder.lock("lock").unwrap().unwrap());
        let mode = |name: &str| {
            let path = folder.path().join(name);
            fs::metadata(path).unwrap().permissions().mode() & 0o777
        };
        let modes = ["", "below", "file", "lock"].map(mode);
        assert_eq!(modes, [0o700, 0o700, 0o600, 0o600]);
    }
}
