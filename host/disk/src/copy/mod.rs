//! Copies a folder with untrusted content: regular files, folders, and symbolic links that stay inside.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType};

use super::{DiskError, failed};

/// The maximum size of a copy.
#[derive(Debug, Clone, Copy)]
pub struct CopyLimits {
    /// The total size of all files in bytes.
    pub bytes: u64,
    /// The number of files, folders and links.
    pub entries: u64,
    /// The number of nested folders.
    pub depth: usize,
}

/// Why a folder was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// An entry is neither a file, a folder nor a link.
    #[error("{} is neither a file nor a folder; remove it, or move it out of the project", .path.display())]
    Unsupported {
        /// The path of the entry.
        path: PathBuf,
    },
    /// The target of a link is outside the folder or does not exist.
    #[error("{} is a link to {}, which is not in the project; replace the link by a copy of its target", .path.display(), .target.display())]
    Outside {
        /// The link.
        path: PathBuf,
        /// The target as the link states it.
        target: PathBuf,
    },
    /// The folder is larger than the limits.
    #[error("{} is too large to be copied: it has more than {limit} {what}", .path.display())]
    TooLarge {
        /// The folder.
        path: PathBuf,
        /// The limit.
        limit: u64,
        /// The unit of the limit.
        what: &'static str,
    },
    /// An operation of the file system failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Copies the content of the folder `from` into the folder `to`, except entries whose name is in `excluded`.
///
/// A symbolic link is copied as a link, and only if its target is inside the folder: a relative path that resolves
/// inside, even through other links. Nothing is read through a link. Folders of the target that exist are added to.
pub fn copy_tree(
    from: &Path,
    to: &Path,
    excluded: &[&str],
    limits: &CopyLimits,
) -> Result<(), CopyError> {
    let open = |path: &Path| {
        Dir::open_ambient_dir(path, ambient_authority()).map_err(failed("open", path))
    };
    let mut copy = Copy {
        from,
        source: open(from)?,
        target: open(to)?,
        excluded,
        limits,
        bytes: 0,
        entries: 0,
    };
    copy.copy_folder(Path::new("."), 0)
}

struct Copy<'a> {
    from: &'a Path,
    source: Dir,
    target: Dir,
    excluded: &'a [&'a str],
    limits: &'a CopyLimits,
    bytes: u64,
    entries: u64,
}

impl Copy<'_> {
    fn copy_folder(&mut self, folder: &Path, depth: usize) -> Result<(), CopyError> {
        if depth > self.limits.depth {
            return Err(self.too_large(self.limits.depth as u64, "nested folders"));
        }
        let entries = self.source.read_dir(folder);
        let entries = entries.map_err(self.failed("read", folder))?;
        for entry in entries {
            let entry = entry.map_err(self.failed("read", folder))?;
            if self.excluded.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(self.too_large(self.limits.entries, "files"));
            }
            let path = folder.join(entry.file_name());
            let kind = entry.file_type().map_err(self.failed("look at", &path))?;
            self.copy_entry(&path, kind, depth)?;
        }
        Ok(())
    }

    fn copy_entry(&mut self, path: &Path, kind: FileType, depth: usize) -> Result<(), CopyError> {
        if kind.is_dir() {
            self.create_folder(path)
                .map_err(self.failed("copy", path))?;
            self.copy_folder(path, depth + 1)
        } else if kind.is_symlink() {
            self.copy_link(path)
        } else if kind.is_file() {
            self.copy_file(path)
        } else {
            Err(CopyError::Unsupported {
                path: self.full_path(path),
            })
        }
    }

    /// Creates a folder of the copy, unless an earlier copy into the same target did.
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        match self.target.create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // A link is not followed: what is copied belongs where its path says.
                if self.target.symlink_metadata(path)?.is_dir() {
                    Ok(())
                } else {
                    Err(error)
                }
            }
            created => created,
        }
    }

    fn copy_file(&mut self, path: &Path) -> Result<(), CopyError> {
        let remaining = self.limits.bytes - self.bytes;
        let copy = || -> io::Result<u64> {
            let from = self.source.open(path)?.into_std();
            let mut to: File = self.target.create(path)?.into_std();
            let copied = io::copy(&mut from.take(remaining.saturating_add(1)), &mut to)?;
            Ok(copied)
        };
        let copied = copy().map_err(self.failed("copy", path))?;
        if copied > remaining {
            return Err(self.too_large(self.limits.bytes, "bytes"));
        }
        self.bytes += copied;
        Ok(())
    }

    fn copy_link(&self, path: &Path) -> Result<(), CopyError> {
        let target = self.source.read_link_contents(path);
        let target = target.map_err(self.failed("read", path))?;
        let is_relative = target
            .components()
            .all(|part| !matches!(part, Component::RootDir | Component::Prefix(_)));
        // This resolves the link inside the folder and fails if any part of the way leaves it.
        if !is_relative || self.source.metadata(path).is_err() {
            return Err(CopyError::Outside {
                path: self.full_path(path),
                target,
            });
        }
        #[cfg(unix)]
        let created = self.target.symlink(&target, path);
        // Elsewhere, creating links needs a privilege.
        #[cfg(windows)]
        let created = Err::<(), _>(io::Error::other(
            "it is a symbolic link, which Windows lets only privileged users create; replace it by a copy",
        ));
        created.map_err(self.failed("copy", path))?;
        Ok(())
    }

    fn full_path(&self, path: &Path) -> PathBuf {
        let mut full = self.from.to_owned();
        full.extend(path.components().filter(|part| *part != Component::CurDir));
        full
    }

    fn failed(&self, action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError {
        let path = self.full_path(path);
        move |error| failed(action, &path)(error)
    }

    fn too_large(&self, limit: u64, what: &'static str) -> CopyError {
        CopyError::TooLarge {
            path: self.from.to_owned(),
            limit,
            what,
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
