//! Where compiled code is kept, and what of the environment a replay by another process needs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use crate::plugin::CompileCache;

impl Environment {
    /// Returns where compiled code is kept: never in a project, which may be a stranger's.
    ///
    /// `None` where the user has no folder for it; then each command compiles what it needs.
    pub(super) fn compile_cache(&self, project: &Path) -> Option<CompileCache> {
        let folder = self.cache_folder()?;
        let home = self.get("HOME").map(PathBuf::from);
        if is_inside(&folder, project, home.as_deref()) {
            tracing::warn!(
                folder = %folder.display(),
                "the cache folder is in the project, so compiled plugins are not kept"
            );
            return None;
        }
        Some(CompileCache {
            folder,
            secrets: Self::config_folder()?,
        })
    }
}

/// Says whether a folder is below the project's; a project that holds the user's home is no clone.
fn is_inside(folder: &Path, project: &Path, home: Option<&Path>) -> bool {
    let resolved = |path: &Path| {
        // What is not there yet is where its parent is.
        let path = std::path::absolute(path).ok()?;
        let there = path
            .ancestors()
            .find_map(|above| above.canonicalize().ok())?;
        let rest = path.components().skip(
            path.ancestors()
                .find(|above| above.exists())
                .map_or(0, |above| above.components().count()),
        );
        Some(there.join(rest.collect::<PathBuf>()))
    };
    let Some(project) = resolved(project) else {
        return false;
    };
    let below = |path: &Path| resolved(path).is_some_and(|path| path.starts_with(&project));
    below(folder) && !home.is_some_and(below)
}

/// Returns what a replay by a process of its own needs of the environment: where programs, caches and temporary
/// files are, and nothing that changes what it does.
pub fn passed_on() -> Vec<(&'static str, OsString)> {
    let here = Environment;
    let mut passed: Vec<(&'static str, OsString)> = KEPT
        .into_iter()
        .filter_map(|name| Some((name, here.get(name)?.into())))
        .collect();
    let absolute = |path: PathBuf| std::path::absolute(path).ok();
    let cache = here.cache_folder().and_then(absolute);
    passed.extend(cache.map(|path| ("SYNIX_CACHE_DIR", path.into())));
    let config = Environment::config_folder();
    passed.extend(config.map(|path| ("SYNIX_CONFIG_DIR", path.into())));
    passed
}

/// The last four are what programs on Windows do not start without.
const KEPT: [&str; 7] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "SYSTEMROOT",
    "USERPROFILE",
    "TEMP",
    "TMP",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_in_the_project_is_found_however_it_is_written() {
        let temp = tempfile::tempdir().unwrap();
        let project = temp.path().join("project");
        std::fs::create_dir_all(project.join("vendor")).unwrap();
        let inside = ["vendor", "vendor/../deep/er", "."];
        for path in inside {
            assert!(is_inside(&project.join(path), &project, None), "{path}");
        }
        for path in ["cache", "project-2/cache"] {
            assert!(
                !is_inside(&temp.path().join(path), &project, None),
                "{path}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_cache_in_the_project_is_found_through_a_link() {
        let temp = tempfile::tempdir().unwrap();
        let project = temp.path().join("project");
        std::fs::create_dir_all(&project).unwrap();
        let link = temp.path().join("link");
        std::os::unix::fs::symlink(&project, &link).unwrap();
        assert!(is_inside(&link.join("cache"), &project, None));
        assert!(is_inside(&project.join("cache"), &link, None));
    }

    /// A pipeline file in the home folder is the user's own.
    #[test]
    fn a_cache_in_the_home_folder_is_no_project_s() {
        let temp = tempfile::tempdir().unwrap();
        let home = temp.path();
        assert!(!is_inside(&home.join(".cache/synix"), home, Some(home)));
        let project = home.join("project");
        assert!(is_inside(&project.join("cache"), &project, Some(home)));
    }
}
