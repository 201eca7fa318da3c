//! Copies a folder that a stranger may have filled: regular files, folders, and links that stay inside.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType};

use super::{DiskError, failed};

/// What a copy may take.
#[derive(Debug, Clone, Copy)]
pub struct CopyLimits {
    /// Bytes of all files together.
    pub bytes: u64,
    /// Files, folders and links together.
    pub entries: u64,
    /// Folders in folders.
    pub depth: usize,
}

/// Why a folder was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Something in it is neither a file, a folder nor a link.
    #[error("{} is neither a file nor a folder; remove it, or keep it outside of the project", .path.display())]
    Odd {
        /// Where it is.
        path: PathBuf,
    },
    /// A link leads out of the folder, or nowhere.
    #[error("{} is a link to {}, which is not in the project; replace it by what it leads to", .path.display(), .target.display())]
    Outside {
        /// The link.
        path: PathBuf,
        /// What it says.
        target: PathBuf,
    },
    /// The folder is larger than the limits.
    #[error("{} is too large to be copied: it has more than {most} {what}", .path.display())]
    TooLarge {
        /// The folder.
        path: PathBuf,
        /// The limit.
        most: u64,
        /// Of what.
        what: &'static str,
    },
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Copies what is in the folder `from` into the folder `to`, except what has one of the names in `left_out`.
///
/// A link is copied as a link, and only where what it leads to is in the folder as well: a relative path that
/// resolves inside, links on its way included. Nothing is read through a link.
pub fn copy_tree(
    from: &Path,
    to: &Path,
    left_out: &[&str],
    limits: &CopyLimits,
) -> Result<(), CopyError> {
    let open = |path: &Path| {
        Dir::open_ambient_dir(path, ambient_authority()).map_err(failed("open", path))
    };
    let mut copy = Copy {
        from,
        source: open(from)?,
        target: open(to)?,
        left_out,
        limits,
        bytes: 0,
        entries: 0,
    };
    copy.folder(Path::new("."), 0)
}

struct Copy<'a> {
    from: &'a Path,
    source: Dir,
    target: Dir,
    left_out: &'a [&'a str],
    limits: &'a CopyLimits,
    bytes: u64,
    entries: u64,
}

impl Copy<'_> {
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), CopyError> {
        if depth > self.limits.depth {
            return Err(self.too_large(self.limits.depth as u64, "folders in folders"));
        }
        let entries = self.source.read_dir(folder);
        let entries = entries.map_err(self.refused("read", folder))?;
        for entry in entries {
            let entry = entry.map_err(self.refused("read", folder))?;
            if self.left_out.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(self.too_large(self.limits.entries, "files"));
            }
            let path = folder.join(entry.file_name());
            let kind = entry.file_type().map_err(self.refused("look at", &path))?;
            self.entry(&path, kind, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, kind: FileType, depth: usize) -> Result<(), CopyError> {
        if kind.is_dir() {
            let made = self.target.create_dir(path);
            made.map_err(self.refused("copy", path))?;
            self.folder(path, depth + 1)
        } else if kind.is_symlink() {
            self.link(path)
        } else if kind.is_file() {
            self.file(path)
        } else {
            Err(CopyError::Odd {
                path: self.shown(path),
            })
        }
    }

    fn file(&mut self, path: &Path) -> Result<(), CopyError> {
        let rest = self.limits.bytes - self.bytes;
        let copy = || -> io::Result<u64> {
            let from = self.source.open(path)?.into_std();
            let mut to: File = self.target.create(path)?.into_std();
            let copied = io::copy(&mut from.take(rest.saturating_add(1)), &mut to)?;
            Ok(copied)
        };
        let copied = copy().map_err(self.refused("copy", path))?;
        if copied > rest {
            return Err(self.too_large(self.limits.bytes, "bytes"));
        }
        self.bytes += copied;
        Ok(())
    }

    fn link(&self, path: &Path) -> Result<(), CopyError> {
        let target = self.source.read_link_contents(path);
        let target = target.map_err(self.refused("read", path))?;
        let is_relative = target
            .components()
            .all(|part| !matches!(part, Component::RootDir | Component::Prefix(_)));
        // Resolved below the folder that is copied: a way that leaves it is refused, wherever it ends.
        if !is_relative || self.source.metadata(path).is_err() {
            return Err(CopyError::Outside {
                path: self.shown(path),
                target,
            });
        }
        #[cfg(unix)]
        let made = self.target.symlink(&target, path);
        // Making links takes a privilege there.
        #[cfg(not(unix))]
        let made = Err::<(), _>(io::Error::other("it is a link"));
        made.map_err(self.refused("copy", path))?;
        Ok(())
    }

    fn shown(&self, path: &Path) -> PathBuf {
        let mut shown = self.from.to_owned();
        shown.extend(path.components().filter(|part| *part != Component::CurDir));
        shown
    }

    fn refused(&self, action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError {
        let path = self.shown(path);
        move |error| failed(action, &path)(error)
    }

    fn too_large(&self, most: u64, what: &'static str) -> CopyError {
        CopyError::TooLarge {
            path: self.from.to_owned(),
            most,
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

    /// A project, and a secret beside it.
    fn place() -> (tempfile::TempDir, PathBuf) {
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
    fn files_are_copied_and_links_inside_stay_links() {
        let (temp, project) = place();
        super::super::replace(&project.join("golden/x.txt"), b"x").unwrap();
        symlink("a.md", project.join("notes/b.md")).unwrap();
        symlink("../notes", project.join("notes/again")).unwrap();
        copy(&temp).unwrap();
        let copied = temp.path().join("copy");
        assert_eq!(fs::read(copied.join("notes/b.md")).unwrap(), b"hello");
        assert!(copied.join("notes/again").is_symlink() && !copied.join("golden").exists());
    }

    #[test]
    fn a_link_that_leads_out_is_refused() {
        let absolute = place().1.join("notes/a.md");
        let targets = [
            "../../secret",
            "/proc/self/environ",
            "nothing",
            absolute.to_str().unwrap(),
        ];
        for target in targets {
            let (temp, project) = place();
            symlink(target, project.join("notes/x.md")).unwrap();
            let error = copy(&temp).unwrap_err();
            assert!(
                matches!(error, CopyError::Outside { .. }),
                "{target}: {error}"
            );
        }
    }

    /// A way out by a link on the way, which no look at the words of the path finds.
    #[test]
    fn a_link_that_leads_out_through_another_is_refused() {
        let (temp, project) = place();
        fs::create_dir_all(project.join("one/two")).unwrap();
        symlink("one/two", project.join("deep")).unwrap();
        symlink("deep/../../../secret", project.join("x")).unwrap();
        assert!(matches!(copy(&temp), Err(CopyError::Outside { .. })));
    }

    #[test]
    fn a_pipe_is_named() {
        let (temp, project) = place();
        let mode = rustix::fs::Mode::RWXU;
        rustix::fs::mkfifoat(rustix::fs::CWD, project.join("notes/pipe"), mode).unwrap();
        let error = copy(&temp).unwrap_err().to_string();
        assert!(error.contains("project/notes/pipe is neither"), "{error}");
    }

    #[test]
    fn a_copy_is_bounded() {
        let (temp, project) = place();
        super::super::replace(&project.join("large"), &[b'x'; 101]).unwrap();
        assert!(matches!(
            copy(&temp),
            Err(CopyError::TooLarge { what: "bytes", .. })
        ));
        let (temp, project) = place();
        fs::create_dir_all(project.join("1/2/3/4")).unwrap();
        assert!(matches!(
            copy(&temp),
            Err(CopyError::TooLarge { most: 3, .. })
        ));
        let (temp, project) = place();
        for number in 0..10 {
            super::super::replace(&project.join(number.to_string()), b"").unwrap();
        }
        assert!(matches!(
            copy(&temp),
            Err(CopyError::TooLarge { what: "files", .. })
        ));
    }
}
