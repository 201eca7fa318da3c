//! Where the search for a project ends on its way upwards (W8).
//!
//! A folder above may belong to somebody else, as a folder for temporary files does. So the search looks at no folder
//! that has another owner than the one it started in or lies beyond a mount, and at none above the home folder or the
//! root of a repository.

use std::io;
use std::path::{Path, PathBuf};

/// What came of a search.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Search {
    /// The nearest folder that holds the file.
    pub(super) found: Option<PathBuf>,
    /// The last folder that was looked at.
    pub(super) last: PathBuf,
    /// Why no folder above it was; `None` where there is none above.
    pub(super) end: Option<End>,
}

/// Why a search went no further up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Home,
    Repository,
    Owner,
    Mount,
    Unreadable,
}

impl End {
    /// Says what the last folder is, or what is above it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Home => "your home folder",
            Self::Repository => "the root of a repository",
            Self::Owner => "the folder above it has another owner",
            Self::Mount => "the folder above it is on another file system",
            Self::Unreadable => "the folder above it cannot be looked at",
        }
    }
}

/// Who has a folder, and on which file system it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    owner: u32,
    device: u64,
}

/// Looks for `name` in `here` and in the folders above it.
pub(super) fn upwards(here: &Path, home: Option<&Path>, name: &str) -> Search {
    let home = home.and_then(|home| home.canonicalize().ok());
    climb(
        here,
        home.as_deref(),
        standing,
        |folder, name| folder.join(name).symlink_metadata().is_ok(),
        name,
    )
}

fn climb(
    here: &Path,
    home: Option<&Path>,
    standing: impl Fn(&Path) -> io::Result<Standing>,
    holds: impl Fn(&Path, &str) -> bool,
    name: &str,
) -> Search {
    let start = standing(here).ok();
    let mut folder = here;
    loop {
        let stopped = |found: Option<PathBuf>, end| Search {
            found,
            last: folder.to_owned(),
            end,
        };
        if holds(folder, name) {
            return stopped(Some(folder.to_owned()), None);
        }
        if home == Some(folder) {
            return stopped(None, Some(End::Home));
        }
        if holds(folder, ".git") {
            return stopped(None, Some(End::Repository));
        }
        let Some(above) = folder.parent() else {
            return stopped(None, None);
        };
        match (start, standing(above)) {
            (Some(start), Ok(next)) if start.owner != next.owner => {
                return stopped(None, Some(End::Owner));
            }
            (Some(start), Ok(next)) if start.device != next.device => {
                return stopped(None, Some(End::Mount));
            }
            (Some(_), Ok(_)) => folder = above,
            (None, _) | (_, Err(_)) => return stopped(None, Some(End::Unreadable)),
        }
    }
}

#[cfg(unix)]
fn standing(folder: &Path) -> io::Result<Standing> {
    use std::os::unix::fs::MetadataExt as _;
    let found = folder.metadata()?;
    Ok(Standing {
        owner: found.uid(),
        device: found.dev(),
    })
}

/// Owners and mounts are not told apart here.
#[cfg(not(unix))]
fn standing(folder: &Path) -> io::Result<Standing> {
    folder.metadata().map(|_| Standing {
        owner: 0,
        device: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "/srv/team/repo/project/notes";

    /// Searches from [`HERE`] in a tree that holds `files`, where `odd` stands otherwise than the rest.
    fn search(
        files: &[&str],
        odd: &str,
        other: Standing,
        home: &str,
    ) -> (Option<PathBuf>, Option<End>) {
        let usual = Standing {
            owner: 7,
            device: 1,
        };
        let standing = |folder: &Path| {
            Ok(if folder == Path::new(odd) {
                other
            } else {
                usual
            })
        };
        let holds = |folder: &Path, name: &str| {
            files
                .iter()
                .any(|file| Path::new(file) == folder.join(name))
        };
        let found = climb(
            Path::new(HERE),
            Some(Path::new(home)),
            standing,
            holds,
            "synix.toml",
        );
        (found.found, found.end)
    }

    const SAME: Standing = Standing {
        owner: 7,
        device: 1,
    };

    #[test]
    fn the_nearest_folder_above_is_found() {
        let files = ["/srv/synix.toml", "/srv/team/repo/synix.toml"];
        assert_eq!(
            search(&files, "", SAME, "/home/me"),
            (Some("/srv/team/repo".into()), None)
        );
        assert_eq!(search(&[], "", SAME, "/home/me"), (None, None));
    }

    /// W8: what lies beyond belongs to somebody else, or to another project.
    #[test]
    fn the_search_ends_at_an_owner_a_mount_a_home_and_a_repository() {
        let above = ["/srv/synix.toml"];
        let owner = Standing { owner: 0, ..SAME };
        let device = Standing { device: 2, ..SAME };
        assert_eq!(search(&above, "/srv", owner, "/"), (None, Some(End::Owner)));
        assert_eq!(
            search(&above, "/srv/team", owner, "/"),
            (None, Some(End::Owner))
        );
        assert_eq!(
            search(&above, "/srv", device, "/"),
            (None, Some(End::Mount))
        );
        assert_eq!(
            search(&above, "", SAME, "/srv/team"),
            (None, Some(End::Home))
        );
        let files = ["/srv/synix.toml", "/srv/team/repo/.git"];
        assert_eq!(search(&files, "", SAME, "/"), (None, Some(End::Repository)));
    }

    #[test]
    fn the_last_folder_is_looked_at_itself() {
        let files = ["/srv/team/repo/.git", "/srv/team/repo/synix.toml"];
        let found = Some("/srv/team/repo".into());
        assert_eq!(search(&files, "", SAME, "/"), (found.clone(), None));
        assert_eq!(search(&files, "", SAME, "/srv/team/repo"), (found, None));
    }
}
