//! The projects that `synix init` writes: each folder beside this file is one.
//!
//! ```
//! let report = synix_templates::get("team-report").unwrap();
//! assert!(report.iter().any(|(path, _)| *path == std::path::Path::new("synix.toml")));
//! ```

#![forbid(unsafe_code)]

use std::path::Path;

use include_dir::{Dir, include_dir};

static FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR");

/// Folders of a template that are not part of a project.
const LEFT_OUT: [&str; 2] = ["golden", ".synix"];

/// Returns the names of the templates, sorted.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = FOLDER
        .dirs()
        .filter_map(|dir| dir.path().to_str())
        .collect();
    names.sort_unstable();
    names
}

/// Returns the files of a template, sorted by their paths in the project.
pub fn get(name: &str) -> Option<Vec<(&'static Path, &'static [u8])>> {
    // A path within a template names none.
    let template = FOLDER.dirs().find(|dir| dir.path() == Path::new(name))?;
    let mut files = Vec::new();
    let mut open = vec![template];
    while let Some(dir) = open.pop() {
        open.extend(dir.dirs().filter(|dir| !is_left_out(dir.path())));
        let files_here = dir.files().filter(|file| !is_lock(file.path()));
        files.extend(files_here.filter_map(|file| {
            let path = file.path().strip_prefix(template.path()).ok()?;
            Some((path, file.contents()))
        }));
    }
    files.sort_unstable();
    Some(files)
}

/// Returns whether a replay in the template's own folder left the file beside its cassette.
fn is_lock(file: &Path) -> bool {
    file.extension()
        .is_some_and(|extension| extension == "lock")
}

fn is_left_out(folder: &Path) -> bool {
    folder
        .file_name()
        .is_some_and(|name| LEFT_OUT.iter().any(|left_out| name == *left_out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_a_project_without_its_golden_files() {
        assert_eq!(
            names(),
            [
                "chat-memory",
                "field-notes",
                "handbook",
                "team-report",
                "tickets"
            ]
        );
        for name in names() {
            let paths: Vec<_> = get(name)
                .unwrap()
                .into_iter()
                .map(|(path, _)| path)
                .collect();
            assert!(paths.contains(&Path::new("synix.toml")), "{name}");
            assert!(
                !paths.iter().any(|path| path.starts_with("golden")),
                "{name}"
            );
        }
        assert!(get("no-such-template").is_none());
        assert!(get("").is_none());
        assert!(get("team-report/sources").is_none());
    }
}
