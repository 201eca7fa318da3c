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
/// inside, even through other links. Nothing is read through a link.
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
            let created = self.target.create_dir(path);
            created.map_err(self.failed("copy", path))?;
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
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const LIMITS: CopyLimits = CopyLimits {
        bytes: 100,
        entries: 10,
        depth: 3,
    };

    /// Creates a project and a secret next to it.
    fn project_and_secret() -> (tempfile::TempDir, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let project = temp.path().join("project");
        fs::create_dir_all(project.join("notes")).unwrap();
        fs::create_dir_all(temp.path().join("copy")).unwrap();
        super::super::replace(&temp.path().join("secret"), b"secret").unwrap();
        super::super::replace(&project.join("notes/a.md"), b"hello").unwrap();
        (temp, project)
    }

    fn copy(temp: &tempfile::TempDir) -> Result<(), CopyError> {
        let path = temp.path();
        copy_tree(
            &path.join("project"),
            &path.join("copy"),
            &["golden"],
            &LIMITS,
        )
    }

    #[test]
    fn files_are_copied_and_links_to_the_inside_stay_links() {
        let (temp, project) = project_and_secret();
        super::super::replace(&project.join("golden/x.txt"), b"x").unwrap();
        symlink("a.md", project.join("notes/b.md")).unwrap();
        symlink("../notes", project.join("notes/loop")).unwrap();
        copy(&temp).unwrap();
        let copied = temp.path().join("copy");
        assert_eq!(fs::read(copied.join("notes/b.md")).unwrap(), b"hello");
        assert!(copied.join("notes/loop").is_symlink() && !copied.join("golden").exists());
    }

    #[test]
    fn a_link_to_the_outside_is_refused() {
        let absolute = project_and_secret().1.join("notes/a.md");
        let targets = [
            "../../secret",
            "/proc/self/environ",
            "nothing",
            absolute.to_str().unwrap(),
        ];
        for target in targets {
            let (temp, project) = project_and_secret();
            symlink(target, project.join("notes/x.md")).unwrap();
            let error = copy(&temp).unwrap_err();
            assert!(
                matches!(error, CopyError::Outside { .. }),
                "{target}: {error}"
            );
        }
    }

    /// The text of the path alone does not show that it leaves the folder.
    #[test]
    fn a_link_to_the_outside_through_another_link_is_refused() {
        let (temp, project) = project_and_secret();
        fs::create_dir_all(project.join("one/two")).unwrap();
        symlink("one/two", project.join("deep")).unwrap();
        symlink("deep/../../../secret", project.join("x")).unwrap();
        assert!(matches!(copy(&temp), Err(CopyError::Outside { .. })));
    }

    #[test]
    fn the_error_names_a_pipe() {
        let (temp, project) = project_and_secret();
        let mode = rustix::fs::Mode::RWXU;
        rustix::fs::mkfifoat(rustix::fs::CWD, project.join("notes/pipe"), mode).unwrap();
        let error = copy(&temp).unwrap_err().to_string();
        assert!(error.contains("project/notes/pipe is neither"), "{error}");
    }

    #[test]
    fn a_copy_is_bounded() {
        let (temp, project) = project_and_secret();
        super::super::replace(&project.join("large"), &[b'x'; 101]).unwrap();
        assert!(matches!(
            copy(&temp),
            Err(CopyError::TooLarge { what: "bytes", .. })
        ));
        let (temp, project) = project_and_secret();
        fs::create_dir_all(project.join("1/2/3/4")).unwrap();
        assert!(matches!(
            copy(&temp),
            Err(CopyError::TooLarge { limit: 3, .. })
        ));
        let (temp, project) = project_and_secret();
        for number in 0..10 {
            super::super::replace(&project.join(number.to_string()), b"").unwrap();
        }
        assert!(matches!(
            copy(&temp),
            Err(CopyError::TooLarge { what: "files", .. })
        ));
    }
}
