//! Searches for a project in this folder and its parents (W8).
//!
//! A parent folder may belong to another user, as a folder for temporary files does. So the search stops before a folder
//! that has another owner than the first one or is on another file system, and at the home folder or the root of a
//! repository.

use std::io;
use std::path::{Path, PathBuf};

/// The result of a search.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Search {
    /// The nearest folder with the file.
    pub(super) found: Option<PathBuf>,
    /// The last folder that was searched.
    pub(super) last: PathBuf,
    /// Why the search did not continue; `None` if it found the file or reached the root of the file system.
    pub(super) end: Option<SearchEnd>,
}

/// The reason why a search stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SearchEnd {
    Home,
    Repository,
    Owner,
    Mount,
    Unreadable,
}

impl SearchEnd {
    /// Describes the last folder, or its parent.
    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Home => "your home folder",
            Self::Repository => "the root of a repository",
            Self::Owner => "its parent folder has another owner",
            Self::Mount => "its parent folder is on another file system",
            Self::Unreadable => "its parent folder cannot be read",
        }
    }
}

/// The owner and the file system of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FolderIdentity {
    owner: u32,
    device: u64,
}

/// Searches for `name` in `start` and its parents.
pub(super) fn search_upwards(start: &Path, home: Option<&Path>, name: &str) -> Search {
    let home = home.and_then(|home| home.canonicalize().ok());
    search_with(
        start,
        home.as_deref(),
        folder_identity,
        |folder, name| folder.join(name).symlink_metadata().is_ok(),
        name,
    )
}

/// The search itself; the functions that read the file system are parameters, so that a test needs no other user.
fn search_with(
    start: &Path,
    home: Option<&Path>,
    identity: impl Fn(&Path) -> io::Result<FolderIdentity>,
    contains: impl Fn(&Path, &str) -> bool,
    name: &str,
) -> Search {
    let first = identity(start).ok();
    let mut folder = start;
    loop {
        let stopped = |found: Option<PathBuf>, end| Search {
            found,
            last: folder.to_owned(),
            end,
        };
        if contains(folder, name) {
            return stopped(Some(folder.to_owned()), None);
        }
        if home == Some(folder) {
            return stopped(None, Some(SearchEnd::Home));
        }
        if contains(folder, ".git") {
            return stopped(None, Some(SearchEnd::Repository));
        }
        let Some(parent) = folder.parent() else {
            return stopped(None, None);
        };
        match (first, identity(parent)) {
            (Some(first), Ok(next)) if first.owner != next.owner => {
                return stopped(None, Some(SearchEnd::Owner));
            }
            (Some(first), Ok(next)) if first.device != next.device => {
                return stopped(None, Some(SearchEnd::Mount));
            }
            (Some(_), Ok(_)) => folder = parent,
            (None, _) | (_, Err(_)) => return stopped(None, Some(SearchEnd::Unreadable)),
        }
    }
}

#[cfg(unix)]
fn folder_identity(folder: &Path) -> io::Result<FolderIdentity> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = folder.metadata()?;
    Ok(FolderIdentity {
        owner: metadata.uid(),
        device: metadata.dev(),
    })
}

/// This system has no comparable owners and devices, so all folders are alike.
#[cfg(not(unix))]
fn folder_identity(folder: &Path) -> io::Result<FolderIdentity> {
    folder.metadata().map(|_| FolderIdentity {
        owner: 0,
        device: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "/srv/team/repo/project/notes";

    /// Searches from [`START`] in a tree of `files`, in which only the folder `exception` has the identity `other`.
    fn search(
        files: &[&str],
        exception: &str,
        other: FolderIdentity,
        home: &str,
    ) -> (Option<PathBuf>, Option<SearchEnd>) {
        let usual = FolderIdentity {
            owner: 7,
            device: 1,
        };
        let identity = |folder: &Path| {
            Ok(if folder == Path::new(exception) {
                other
            } else {
                usual
            })
        };
        let contains = |folder: &Path, name: &str| {
            files
                .iter()
                .any(|file| Path::new(file) == folder.join(name))
        };
        let found = search_with(
            Path::new(START),
            Some(Path::new(home)),
            identity,
            contains,
            "synix.toml",
        );
        (found.found, found.end)
    }

    const SAME: FolderIdentity = FolderIdentity {
        owner: 7,
        device: 1,
    };

    #[test]
    fn the_nearest_parent_with_the_file_is_found() {
        let files = ["/srv/synix.toml", "/srv/team/repo/synix.toml"];
        assert_eq!(
            search(&files, "", SAME, "/home/me"),
            (Some("/srv/team/repo".into()), None)
        );
        assert_eq!(search(&[], "", SAME, "/home/me"), (None, None));
    }

    /// W8: the folders beyond belong to another user, or to another project.
    #[test]
    fn the_search_stops_at_another_owner_a_mount_the_home_folder_and_a_repository() {
        let above = ["/srv/synix.toml"];
        let owner = FolderIdentity { owner: 0, ..SAME };
        let device = FolderIdentity { device: 2, ..SAME };
        assert_eq!(
            search(&above, "/srv", owner, "/"),
            (None, Some(SearchEnd::Owner))
        );
        assert_eq!(
            search(&above, "/srv/team", owner, "/"),
            (None, Some(SearchEnd::Owner))
        );
        assert_eq!(
            search(&above, "/srv", device, "/"),
            (None, Some(SearchEnd::Mount))
        );
        assert_eq!(
            search(&above, "", SAME, "/srv/team"),
            (None, Some(SearchEnd::Home))
        );
        let files = ["/srv/synix.toml", "/srv/team/repo/.git"];
        assert_eq!(
            search(&files, "", SAME, "/"),
            (None, Some(SearchEnd::Repository))
        );
    }

    #[test]
    fn the_last_folder_itself_is_searched() {
        let files = ["/srv/team/repo/.git", "/srv/team/repo/synix.toml"];
        let found = Some("/srv/team/repo".into());
        assert_eq!(search(&files, "", SAME, "/"), (found.clone(), None));
        assert_eq!(search(&files, "", SAME, "/srv/team/repo"), (found, None));
    }
}
