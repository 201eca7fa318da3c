//! The files that come with a project: its folder, and the repository around it.
//!
//! What a user stores for all projects must be outside. Otherwise a clone could contain it.

use std::path::{Path, PathBuf};

/// Returns whether a folder is in a project or in the repository that the project is part of.
pub(super) fn contains(project: &Path, folder: &Path) -> bool {
    let (Some(project), Some(folder)) = (resolved(project), resolved(folder)) else {
        return false;
    };
    let repository = project
        .ancestors()
        .find(|ancestor| ancestor.join(".git").symlink_metadata().is_ok());
    folder.starts_with(repository.unwrap_or(&project))
}

/// Follows every link on a path. A path that does not exist yet is resolved from its nearest existing parent.
fn resolved(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    path.ancestors().find_map(|ancestor| {
        let existing = ancestor.canonicalize().ok()?;
        Some(existing.join(path.strip_prefix(ancestor).ok()?))
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
            assert!(contains(&project, &project.join(path)), "{path}");
        }
        for path in ["cache", "project-2/cache"] {
            assert!(!contains(&project, &temp.path().join(path)), "{path}");
        }
    }

    #[test]
    fn a_folder_in_the_repository_belongs_to_the_checkout() {
        let temp = tempfile::tempdir().unwrap();
        let repository = temp.path().join("repository");
        let project = repository.join("sub/project");
        fs::create_dir_all(&project).unwrap();
        let config = repository.join(".config/synix");
        assert!(!contains(&project, &config));
        fs::create_dir(repository.join(".git")).unwrap();
        assert!(contains(&project, &config));
        assert!(!contains(&project, &temp.path().join(".config/synix")));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_in_the_project_is_found_through_a_link() {
        let temp = tempfile::tempdir().unwrap();
        let project = temp.path().join("project");
        fs::create_dir_all(&project).unwrap();
        let link = temp.path().join("link");
        std::os::unix::fs::symlink(&project, &link).unwrap();
        assert!(contains(&project, &link.join("cache")));
        assert!(contains(&link, &project.join("cache")));
    }
}
