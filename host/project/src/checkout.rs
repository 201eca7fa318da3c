//! What came with a project: its folder, and the repository around it.
//!
//! What a user keeps for all projects must lie outside, or a clone could bring it along.

use std::path::{Path, PathBuf};

/// Says whether a folder lies in a project or in the repository that the project is part of.
pub(super) fn holds(project: &Path, folder: &Path) -> bool {
    let (Some(project), Some(folder)) = (resolved(project), resolved(folder)) else {
        return false;
    };
    let repository = project
        .ancestors()
        .find(|above| above.join(".git").symlink_metadata().is_ok());
    folder.starts_with(repository.unwrap_or(&project))
}

/// Follows every link on a path. What is not there yet is where its parent is.
fn resolved(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    path.ancestors().find_map(|above| {
        let there = above.canonicalize().ok()?;
        Some(there.join(path.strip_prefix(above).ok()?))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_in_the_project_is_found_however_it_is_written() {
        let temp = tempfile::tempdir().unwrap();
        let project = temp.path().join("project");
        fs::create_dir_all(project.join("vendor")).unwrap();
        for path in ["vendor", "vendor/../deep/er", "."] {
            assert!(holds(&project, &project.join(path)), "{path}");
        }
        for path in ["cache", "project-2/cache"] {
            assert!(!holds(&project, &temp.path().join(path)), "{path}");
        }
    }

    #[test]
    fn a_folder_in_the_repository_came_with_the_project() {
        let temp = tempfile::tempdir().unwrap();
        let repository = temp.path().join("repository");
        let project = repository.join("sub/project");
        fs::create_dir_all(&project).unwrap();
        let config = repository.join(".config/synix");
        assert!(!holds(&project, &config));
        fs::create_dir(repository.join(".git")).unwrap();
        assert!(holds(&project, &config));
        assert!(!holds(&project, &temp.path().join(".config/synix")));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_in_the_project_is_found_through_a_link() {
        let temp = tempfile::tempdir().unwrap();
        let project = temp.path().join("project");
        fs::create_dir_all(&project).unwrap();
        let link = temp.path().join("link");
        std::os::unix::fs::symlink(&project, &link).unwrap();
        assert!(holds(&project, &link.join("cache")));
        assert!(holds(&link, &project.join("cache")));
    }
}
