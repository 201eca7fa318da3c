//! Writes files atomically, and creates files and folders that only their owner may access.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{DiskError, failed};

/// Replaces the file at `path` atomically: after a crash, either the old or the new file is there.
///
/// If `path` is a symbolic link, the link is replaced and its target is unchanged. Missing folders are created.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let folder = parent(path);
    create_folder(folder)?;
    write_and_rename(path, bytes, Mode::Default)?;
    sync_folder(folder)
}

/// Like [`replace`], but only the owner may read the file, and its folder must exist.
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    write_and_rename(path, bytes, Mode::Private)?;
    sync_folder(parent(path))
}

/// Like [`replace`], for what is too large to be held in memory: `fill` writes it. The folder must exist.
///
/// If `fill` fails, the file at `path` stays as it was.
pub fn replace_with<T, E: From<DiskError>>(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> Result<T, E>,
) -> Result<T, E> {
    let mut file = Incomplete::create(path, Mode::Default).map_err(failed("write", path))?;
    let mut out = BufWriter::new(&mut file.temporary);
    let filled = fill(&mut out)?;
    out.flush().map_err(failed("write", path))?;
    drop(out);
    file.complete(path).map_err(failed("write", path))?;
    sync_folder(parent(path))?;
    Ok(filled)
}

pub(super) fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Everyone whom the user's umask allows.
    Default,
    /// Only the owner.
    Private,
}

fn write_and_rename(path: &Path, bytes: &[u8], mode: Mode) -> Result<(), DiskError> {
    let write = || {
        let mut file = Incomplete::create(path, mode)?;
        file.temporary.write_all(bytes)?;
        file.complete(path)
    };
    write().map_err(failed("write", path))
}

/// A file that is being written beside its place.
struct Incomplete {
    temporary: tempfile::NamedTempFile,
    final_permissions: Permissions,
}

impl Incomplete {
    fn create(path: &Path, mode: Mode) -> io::Result<Self> {
        let temporary = create_temporary(parent(path), mode)?;
        // While the file is incomplete, nobody else may read it.
        let final_permissions = temporary.as_file().metadata()?.permissions();
        if mode == Mode::Default {
            make_private(temporary.as_file())?;
        }
        Ok(Self {
            temporary,
            final_permissions,
        })
    }

    fn complete(self, path: &Path) -> io::Result<()> {
        let file = self.temporary.as_file();
        file.set_permissions(self.final_permissions)?;
        file.sync_all()?;
        self.temporary.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Creates a file with a unique name. `tempfile` creates private files by default.
#[cfg(unix)]
fn create_temporary(folder: &Path, mode: Mode) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    if mode == Mode::Default {
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Creates a file with a unique name, for whom the access control list of the folder allows.
#[cfg(windows)]
fn create_temporary(folder: &Path, _: Mode) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().tempfile_in(folder)
}

#[cfg(unix)]
fn make_private(file: &File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(windows)]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
const fn make_private(_: &File) -> io::Result<()> {
    Ok(())
}

/// Creates an empty file that only its owner may read. Replaces an existing file.
pub fn create_private(path: &Path) -> Result<File, DiskError> {
    discard(path);
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(failed("create", path))
}

/// Renames a complete file durably.
pub fn rename(from: &Path, to: &Path) -> Result<(), DiskError> {
    let sync = |file: File| file.sync_all();
    // Windows syncs only what is open for writing.
    let mut options = File::options();
    options.read(true).write(cfg!(windows));
    options
        .open(from)
        .and_then(sync)
        .map_err(failed("sync", from))?;
    fs::rename(from, to).map_err(failed("write", to))?;
    to.parent().map_or(Ok(()), sync_folder)
}

/// Removes a file that is no longer needed. Errors are ignored, because a leftover file does no harm.
pub fn discard(path: &Path) {
    let _ = fs::remove_file(path);
}

/// Creates a folder and its missing parents.
pub fn create_folder(path: &Path) -> Result<(), DiskError> {
    fs::create_dir_all(path).map_err(failed("create", path))
}

/// Creates a temporary folder that only its owner may enter, because others may not read what is copied into it.
pub fn create_temporary_folder() -> io::Result<tempfile::TempDir> {
    #[cfg_attr(windows, expect(unused_mut, reason = "Windows has no modes"))]
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

/// Creates a folder that only its owner may enter. Missing parents get default permissions.
pub fn create_private_folder(path: &Path) -> Result<(), DiskError> {
    create_folder(parent(path))?;
    match private_folder_builder().create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(failed("create", path)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(unix)]
fn private_folder_builder() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

#[cfg(windows)]
fn private_folder_builder() -> fs::DirBuilder {
    fs::DirBuilder::new()
}

/// Makes the names in a folder durable; syncing a file does not.
pub(super) fn sync_folder(path: &Path) -> Result<(), DiskError> {
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
    use crate::read;

    #[test]
    fn replacing_a_file_leaves_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.txt");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1);
    }

    #[test]
    fn a_renamed_file_has_its_bytes_under_the_new_name() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        replace(&from, b"new").unwrap();
        replace(&to, b"old").unwrap();
        rename(&from, &to).unwrap();
        assert_eq!(read(&to).unwrap(), b"new");
        assert!(!from.exists());
    }

    #[test]
    fn a_file_that_is_not_filled_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let filled = replace_with(&path, |out| {
            out.write_all(b"old").unwrap();
            Ok::<_, DiskError>(3)
        });
        assert_eq!(filled.unwrap(), 3);
        let failed = replace_with(&path, |out| {
            out.write_all(b"new").unwrap();
            read(&folder.path().join("missing"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// What is written piece by piece is as readable as what is written at once.
    #[cfg(unix)]
    #[test]
    fn a_filled_file_has_the_mode_of_a_replaced_one() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        replace(&one, b"").unwrap();
        replace_with(&other, |_| Ok::<_, DiskError>(())).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
        assert_eq!(mode(&one), mode(&other));
    }
}
