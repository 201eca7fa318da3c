//! Finds the files that a glob takes.
//!
//! Only the folders below the glob's fixed part are looked into. A link to a
//! file is taken as the file; a link to a folder is not followed, so there
//! are no loops.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::PathBuf;

use cap_std::fs::{Dir, DirEntry};

use super::folder::{refuse_hidden, refused};
use super::hidden::is_hidden;
use super::{Hidden, SourceError, SourceFile, Sources};
use synix_core::ids::Label;
use synix_manifest::SourceGlob;

/// Returns the files, sorted by path, and what keeps others from being sources.
pub(super) fn files(root: &Dir, glob: &SourceGlob, hidden: Hidden) -> Result<Sources, SourceError> {
    let mut walk = Walk {
        root,
        glob,
        hidden,
        paths: Vec::new(),
        problems: Vec::new(),
        open: vec![Folder {
            path: PathBuf::from(glob.folder()),
            shown: glob.folder().to_owned(),
            is_text: true,
            depth: 1,
        }],
    };
    let fixed = match refuse_hidden(root, glob.folder(), hidden) {
        Ok(()) => walk.all(),
        Err(error) => Err(error),
    };
    match fixed {
        // A fixed part that is not there has no files in it either.
        Err(SourceError::Missing { path }) if path == glob.folder() => {}
        Err(error) => return Err(error),
        Ok(()) => {}
    }
    let Walk {
        mut paths,
        mut problems,
        ..
    } = walk;
    if paths.is_empty() && problems.is_empty() {
        return Err(SourceError::NoMatch {
            glob: glob.as_str().to_owned(),
        });
    }
    paths.sort_unstable();
    let files = labelled(paths, glob.folder(), &mut problems);
    problems.sort_by_cached_key(ToString::to_string);
    Ok(Sources { files, problems })
}

/// Shows a path whatever its bytes are: `caf\xe9`.
pub(super) fn printable(path: &OsStr) -> String {
    let mut shown = String::new();
    for chunk in path.as_encoded_bytes().utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// A folder to be looked into.
struct Folder {
    path: PathBuf,
    /// The path for people and for the glob.
    shown: String,
    /// Whether the path is UTF-8.
    is_text: bool,
    /// How many names below the fixed part its entries are.
    depth: usize,
}

struct Walk<'a> {
    root: &'a Dir,
    glob: &'a SourceGlob,
    hidden: Hidden,
    paths: Vec<String>,
    problems: Vec<SourceError>,
    open: Vec<Folder>,
}

impl Walk<'_> {
    fn all(&mut self) -> Result<(), SourceError> {
        while let Some(folder) = self.open.pop() {
            let name = if folder.path.as_os_str().is_empty() {
                ".".as_ref()
            } else {
                folder.path.as_path()
            };
            for entry in self.root.read_dir(name).map_err(refused(&folder.shown))? {
                let entry = entry.map_err(refused(&folder.shown))?;
                if let Err(problem) = self.entry(&folder, &entry) {
                    self.problems.push(problem);
                }
            }
        }
        Ok(())
    }

    fn entry(&mut self, folder: &Folder, entry: &DirEntry) -> Result<(), SourceError> {
        let file_name = entry.file_name();
        let name = printable(&file_name);
        if !self.glob.admits(&name) {
            return Ok(());
        }
        let path = if folder.shown.is_empty() {
            name.clone()
        } else {
            format!("{}/{name}", folder.shown)
        };
        let is_text = folder.is_text && file_name.to_str().is_some();
        let file_type = entry.file_type().map_err(refused(&path))?;
        let is_refused = self.hidden == Hidden::Refused && is_hidden(&name);
        if file_type.is_dir() {
            let deeper = self.glob.depth().is_none_or(|most| folder.depth < most);
            if !deeper {
                return Ok(());
            }
            if is_refused {
                return Err(SourceError::Hidden { path });
            }
            self.open.push(Folder {
                path: folder.path.join(&file_name),
                shown: path,
                is_text,
                depth: folder.depth + 1,
            });
            return Ok(());
        }
        if !self.glob.is_match(&path) {
            return Ok(());
        }
        if !is_text {
            return Err(SourceError::Name { path });
        }
        if is_refused {
            return Err(SourceError::Hidden { path });
        }
        if file_type.is_symlink() {
            let target = self.root.metadata(&path).map_err(refused(&path))?;
            if target.is_dir() {
                return Ok(());
            }
            if !target.is_file() {
                return Err(SourceError::NotAFile { path });
            }
            refuse_hidden(self.root, &path, self.hidden)?;
        } else if !file_type.is_file() {
            return Err(SourceError::NotAFile { path });
        }
        self.paths.push(path);
        Ok(())
    }
}

/// Gives each path its label: what is below the fixed part, without extension.
fn labelled(paths: Vec<String>, folder: &str, problems: &mut Vec<SourceError>) -> Vec<SourceFile> {
    let mut taken: BTreeMap<Label, String> = BTreeMap::new();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let below = path
            .strip_prefix(folder)
            .unwrap_or(&path)
            .trim_start_matches('/');
        let label = match Label::parse(without_extension(below)) {
            Ok(label) => label,
            Err(source) => {
                problems.push(SourceError::Label { path, source });
                continue;
            }
        };
        if let Some(first) = taken.get(&label) {
            problems.push(SourceError::SameLabel {
                label,
                first: first.clone(),
                second: path,
            });
            continue;
        }
        taken.insert(label.clone(), path.clone());
        files.push(SourceFile { path, label });
    }
    files
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

    use crate::{Hidden, ProjectFolder};

    fn project(paths: &[&str]) -> (tempfile::TempDir, ProjectFolder) {
        let temp = tempfile::tempdir().unwrap();
        for path in paths {
            synix_disk::replace(&temp.path().join(path), b"x").unwrap();
        }
        let folder = ProjectFolder::open(temp.path()).unwrap();
        (temp, folder)
    }

    fn labels(folder: &ProjectFolder, glob: &str) -> Vec<String> {
        let found = folder.sources(glob, Hidden::Refused).unwrap();
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        found
            .files
            .into_iter()
            .map(|file| file.label.to_string())
            .collect()
    }

    /// Returns what is wrong, one below the other.
    fn problems(folder: &ProjectFolder, glob: &str) -> String {
        match folder.sources(glob, Hidden::Refused) {
            Ok(found) => {
                let problems = found.problems.iter().map(ToString::to_string);
                problems.collect::<Vec<_>>().join("\n")
            }
            Err(error) => error.to_string(),
        }
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
    fn hidden_files_are_taken_only_by_name_and_where_that_is_allowed() {
        let (_temp, folder) = project(&["a/.git/x.md", "a/.hidden.md", "a/b.md", ".notes/c.md"]);
        assert_eq!(labels(&folder, "a/**/*.md"), ["b"]);
        for (glob, label, path) in [
            ("a/.*.md", ".hidden", "a/.hidden.md"),
            ("a/.git/*", "x", "a/.git"),
            ("a/**/.git/*.md", "a/.git/x", "a/.git"),
            (".notes/*", "c", ".notes"),
        ] {
            assert!(
                problems(&folder, glob).starts_with(&format!("{path}: is hidden")),
                "{glob}"
            );
            let found = folder.sources(glob, Hidden::Allowed).unwrap();
            let found: Vec<_> = found.files.iter().map(|file| file.label.as_str()).collect();
            assert_eq!(found, [label.trim_start_matches("a/")], "{glob}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_a_link_leads_to_may_not_be_hidden_either() {
        let (temp, folder) = project(&["a/b.md", ".git/config"]);
        std::os::unix::fs::symlink("../.git/config", temp.path().join("a/c.md")).unwrap();
        std::os::unix::fs::symlink(".git", temp.path().join("plain")).unwrap();
        for (glob, path) in [("a/*.md", "a/c.md"), ("plain/*", "plain")] {
            let told = problems(&folder, glob);
            assert!(
                told.starts_with(&format!("{path}, which leads to .git")),
                "{told}"
            );
        }
    }

    /// X17: a name of other bytes is told so that it can be found, and only where the glob means it.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_is_no_text_is_named_with_its_bytes() {
        use std::os::unix::ffi::OsStrExt as _;
        let (temp, folder) = project(&["a/b.md"]);
        let odd = temp
            .path()
            .join("a")
            .join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
        fs::create_dir(&odd).unwrap();
        synix_disk::replace(&odd.join("c.md"), b"x").unwrap();
        synix_disk::replace(&odd.join(std::ffi::OsStr::from_bytes(b"\xff.md")), b"x").unwrap();
        let end = ": the name is not UTF-8, so it makes no label; rename it";
        assert_eq!(
            problems(&folder, "a/**/*.md"),
            format!("a/caf\\xe9/\\xff.md{end}\na/caf\\xe9/c.md{end}")
        );
        assert_eq!(labels(&folder, "a/*.md"), ["b"]);
        assert_eq!(
            problems(&folder, "a/**/*.txt"),
            "the glob `a/**/*.txt` matches no file"
        );
    }

    #[cfg(unix)]
    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let (temp, folder) = project(&["a/b.md", "a/b.txt", "a/c.md"]);
        fs::File::create(temp.path().join("a/two\nlines.md")).unwrap();
        std::os::unix::fs::symlink("nowhere", temp.path().join("a/d.md")).unwrap();
        assert_eq!(
            problems(&folder, "a/*"),
            "a/b.md and a/b.txt would both have the label `b`\na/d.md: there is no such file\na/two\nlines.md: cannot be a source"
        );
        let found = folder.sources("a/*", Hidden::Refused).unwrap();
        assert_eq!(found.files.len(), 2);
    }

    /// C5: a source that gives nothing is an error, not an empty layer.
    #[test]
    fn a_glob_that_matches_nothing_is_an_error() {
        let (_temp, folder) = project(&["a/b.md"]);
        for glob in ["a/*.txt", "none/*.md", "a/b.md/*", "none.md"] {
            assert_eq!(
                problems(&folder, glob),
                format!("the glob `{glob}` matches no file")
            );
        }
    }

    #[test]
    fn two_files_with_one_label_are_both_named() {
        let (_temp, folder) = project(&["a/b.md", "a/b.txt"]);
        assert_eq!(
            problems(&folder, "a/*"),
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
            problems(&inner, "a/*.md"),
            "a/c.md: is outside the project folder"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_cannot_be_a_label_is_an_error_naming_the_file() {
        let (temp, folder) = project(&[]);
        fs::File::create(temp.path().join("a\nb.md")).unwrap();
        assert_eq!(problems(&folder, "*.md"), "a\nb.md: cannot be a source");
    }
}
