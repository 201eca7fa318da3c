//! Finds the files that a glob takes.
//!
//! Only the folders below the glob's fixed part are looked into. A link to a
//! file is taken as the file; a link to a folder is not followed, so there
//! are no loops.

use std::collections::BTreeMap;

use cap_std::fs::{Dir, DirEntry};

use super::folder::refused;
use super::{SourceError, SourceFile};
use crate::ids::Label;
use crate::pipeline::SourceGlob;

/// Returns the files, sorted by path.
pub(super) fn files(root: &Dir, glob: &SourceGlob) -> Result<Vec<SourceFile>, SourceError> {
    let mut paths = Vec::new();
    let mut walk = Walk {
        root,
        glob,
        paths: &mut paths,
    };
    match walk.folder(glob.folder(), 1) {
        // A fixed part that is not there has no files in it either.
        Err(SourceError::Missing { path }) if path == glob.folder() => {}
        Err(error) => return Err(error),
        Ok(()) => {}
    }
    if paths.is_empty() {
        return Err(SourceError::NoMatch {
            glob: glob.as_str().to_owned(),
        });
    }
    paths.sort_unstable();
    labelled(paths, glob.folder())
}

struct Walk<'a> {
    root: &'a Dir,
    glob: &'a SourceGlob,
    paths: &'a mut Vec<String>,
}

impl Walk<'_> {
    /// Takes the files of a folder whose entries are `depth` names below the fixed part.
    fn folder(&mut self, path: &str, depth: usize) -> Result<(), SourceError> {
        let name = if path.is_empty() { "." } else { path };
        for entry in self.root.read_dir(name).map_err(refused(path))? {
            let entry = entry.map_err(refused(path))?;
            self.entry(path, depth, &entry)?;
        }
        Ok(())
    }

    fn entry(&mut self, folder: &str, depth: usize, entry: &DirEntry) -> Result<(), SourceError> {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !self.glob.admits(&name) {
            return Ok(());
        }
        let path = if folder.is_empty() {
            name.into_owned()
        } else {
            format!("{folder}/{name}")
        };
        let file_type = entry.file_type().map_err(refused(&path))?;
        if file_type.is_dir() {
            let deeper = self.glob.depth().is_none_or(|most| depth < most);
            return if deeper {
                self.folder(&path, depth + 1)
            } else {
                Ok(())
            };
        }
        if !self.glob.is_match(&path) {
            return Ok(());
        }
        if entry.file_name().to_str().is_none() {
            return Err(SourceError::Name { path });
        }
        if file_type.is_symlink() {
            let target = self.root.metadata(&path).map_err(refused(&path))?;
            if target.is_dir() {
                return Ok(());
            }
            if !target.is_file() {
                return Err(SourceError::NotAFile { path });
            }
        } else if !file_type.is_file() {
            return Err(SourceError::NotAFile { path });
        }
        self.paths.push(path);
        Ok(())
    }
}

/// Gives each path its label: what is below the fixed part, without extension.
fn labelled(paths: Vec<String>, folder: &str) -> Result<Vec<SourceFile>, SourceError> {
    let mut taken: BTreeMap<Label, String> = BTreeMap::new();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let below = path
            .strip_prefix(folder)
            .unwrap_or(&path)
            .trim_start_matches('/');
        let label =
            Label::parse(without_extension(below)).map_err(|source| SourceError::Label {
                path: path.clone(),
                source,
            })?;
        if let Some(first) = taken.insert(label.clone(), path.clone()) {
            return Err(SourceError::SameLabel {
                label,
                first,
                second: path,
            });
        }
        files.push(SourceFile { path, label });
    }
    Ok(files)
}

fn without_extension(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    match path[name..].rfind('.') {
        None | Some(0) => path,
        Some(dot) => &path[..name + dot],
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::source::ProjectFolder;

    fn project(paths: &[&str]) -> (tempfile::TempDir, ProjectFolder) {
        let temp = tempfile::tempdir().unwrap();
        for path in paths {
            crate::disk::replace(&temp.path().join(path), b"x").unwrap();
        }
        let folder = ProjectFolder::open(temp.path()).unwrap();
        (temp, folder)
    }

    fn labels(folder: &ProjectFolder, glob: &str) -> Vec<String> {
        let files = folder.sources(glob).unwrap();
        files
            .into_iter()
            .map(|file| file.label.to_string())
            .collect()
    }

    #[test]
    fn a_label_is_the_path_below_the_fixed_part_without_extension() {
        let (_temp, folder) = project(&[
            "notes/2026/jan.md",
            "notes/top.v2.md",
            "notes/x.txt",
            "other.md",
        ]);
        assert_eq!(labels(&folder, "notes/**/*.md"), ["2026/jan", "top.v2"]);
        assert_eq!(labels(&folder, "notes/*.md"), ["top.v2"]);
        assert_eq!(labels(&folder, "./notes/x.txt"), ["x"]);
        assert_eq!(labels(&folder, "*.md"), ["other"]);
        assert_eq!(
            labels(&folder, "{notes,none}/*.{md,txt}"),
            ["notes/top.v2", "notes/x"]
        );
    }

    #[test]
    fn hidden_files_are_taken_only_by_name() {
        let (_temp, folder) = project(&["a/.git/x.md", "a/.hidden.md", "a/b.md", ".notes/c.md"]);
        assert_eq!(labels(&folder, "a/**/*.md"), ["b"]);
        assert_eq!(labels(&folder, "a/.*.md"), [".hidden"]);
        assert_eq!(labels(&folder, "a/.git/*"), ["x"]);
        assert_eq!(labels(&folder, ".notes/*"), ["c"]);
    }

    /// C5: a source that gives nothing is an error, not an empty layer.
    #[test]
    fn a_glob_that_matches_nothing_is_an_error() {
        let (_temp, folder) = project(&["a/b.md"]);
        for glob in ["a/*.txt", "none/*.md", "a/b.md/*", "none.md"] {
            let message = folder.sources(glob).unwrap_err().to_string();
            assert_eq!(message, format!("the glob `{glob}` matches no file"));
        }
    }

    #[test]
    fn two_files_with_one_label_are_both_named() {
        let (_temp, folder) = project(&["a/b.md", "a/b.txt"]);
        assert_eq!(
            folder.sources("a/*").unwrap_err().to_string(),
            "a/b.md and a/b.txt would both have the label `b`"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_file_is_taken_and_a_loop_of_folders_is_not_followed() {
        let (temp, folder) = project(&["a/b.md"]);
        std::os::unix::fs::symlink("b.md", temp.path().join("a/c.md")).unwrap();
        std::os::unix::fs::symlink("..", temp.path().join("a/loop")).unwrap();
        assert_eq!(labels(&folder, "**/*.md"), ["a/b", "a/c"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_an_error_naming_it() {
        let (temp, folder) = project(&["in/a/b.md", "c.md"]);
        std::os::unix::fs::symlink("../../c.md", temp.path().join("in/a/c.md")).unwrap();
        assert_eq!(labels(&folder, "in/a/*.md"), ["b", "c"]);
        let inner = ProjectFolder::open(&temp.path().join("in")).unwrap();
        assert_eq!(
            inner.sources("a/*.md").unwrap_err().to_string(),
            "a/c.md: is outside the project folder"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_cannot_be_a_label_is_an_error_naming_the_file() {
        let (temp, folder) = project(&[]);
        fs::File::create(temp.path().join("a\nb.md")).unwrap();
        assert_eq!(
            folder.sources("*.md").unwrap_err().to_string(),
            "a\nb.md: cannot be a source"
        );
    }
}
