//! Finds the files that match a glob.
//!
//! Only folders below the fixed part of the glob are searched. A link to a file counts as the file. A link to a folder is
//! not followed, so there are no loops.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::PathBuf;

use cap_std::fs::{Dir, DirEntry};

use crate::folder::{check_hidden, io_error};
use crate::hidden::is_hidden;
use crate::{HiddenFiles, SourceError, SourceFile, Sources};
use synix_core::ids::Label;
use synix_manifest::SourceGlob;
use synix_reading::label::without_extension;

/// The files that match globs, sorted by path, each with the fixed part of the first glob that it matches.
pub(super) struct Found {
    pub(super) files: BTreeMap<String, String>,
    /// Errors for entries that match but cannot be sources.
    pub(super) problems: Vec<SourceError>,
}

/// Returns the files that match any of the globs.
pub(super) fn find_files(
    root: &Dir,
    globs: &[SourceGlob],
    hidden: HiddenFiles,
) -> Result<Found, SourceError> {
    let mut found = Found {
        files: BTreeMap::new(),
        problems: Vec::new(),
    };
    for glob in globs {
        let (paths, problems) = find_matches(root, glob, hidden)?;
        for path in paths {
            found
                .files
                .entry(path)
                .or_insert_with(|| glob.folder().to_owned());
        }
        found.problems.extend(problems);
    }
    if found.files.is_empty() && found.problems.is_empty() {
        return Err(SourceError::NoMatch {
            globs: globs.iter().map(|glob| glob.as_str().to_owned()).collect(),
        });
    }
    found.problems.sort_by_cached_key(ToString::to_string);
    // Two globs may meet the same entry.
    found.problems.dedup_by_key(|problem| problem.to_string());
    Ok(found)
}

type Matches = (Vec<String>, Vec<SourceError>);

fn find_matches(
    root: &Dir,
    glob: &SourceGlob,
    hidden: HiddenFiles,
) -> Result<Matches, SourceError> {
    let mut walk = Walk {
        root,
        glob,
        hidden,
        paths: Vec::new(),
        problems: Vec::new(),
        pending: vec![Folder {
            path: PathBuf::from(glob.folder()),
            shown: glob.folder().to_owned(),
            is_text: true,
            depth: 1,
        }],
    };
    let result = match check_hidden(root, glob.folder(), hidden) {
        Ok(()) => walk.run(),
        Err(error) => Err(error),
    };
    match result {
        // If the fixed part does not exist, no file matches.
        Err(SourceError::Missing { path }) if path == glob.folder() => {}
        Err(error) => return Err(error),
        Ok(()) => {}
    }
    Ok((walk.paths, walk.problems))
}

/// Converts a path with any bytes to text: `caf\xe9`.
pub(super) fn lossy_text(path: &OsStr) -> String {
    let mut shown = String::new();
    for chunk in path.as_encoded_bytes().utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// A folder that has not been searched yet.
struct Folder {
    path: PathBuf,
    /// The path for messages and for the glob.
    shown: String,
    /// Whether the path is UTF-8.
    is_text: bool,
    /// The number of names between the fixed part and an entry of this folder, plus 1.
    depth: usize,
}

struct Walk<'a> {
    root: &'a Dir,
    glob: &'a SourceGlob,
    hidden: HiddenFiles,
    paths: Vec<String>,
    problems: Vec<SourceError>,
    pending: Vec<Folder>,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), SourceError> {
        while let Some(folder) = self.pending.pop() {
            let name = if folder.path.as_os_str().is_empty() {
                ".".as_ref()
            } else {
                folder.path.as_path()
            };
            for entry in self.root.read_dir(name).map_err(io_error(&folder.shown))? {
                let entry = entry.map_err(io_error(&folder.shown))?;
                if let Err(problem) = self.visit(&folder, &entry) {
                    self.problems.push(problem);
                }
            }
        }
        Ok(())
    }

    fn visit(&mut self, folder: &Folder, entry: &DirEntry) -> Result<(), SourceError> {
        let file_name = entry.file_name();
        let name = lossy_text(&file_name);
        if !self.glob.may_match_name(&name) {
            return Ok(());
        }
        let path = if folder.shown.is_empty() {
            name.clone()
        } else {
            format!("{}/{name}", folder.shown)
        };
        let is_text = folder.is_text && file_name.to_str().is_some();
        let file_type = entry.file_type().map_err(io_error(&path))?;
        let is_refused = self.hidden == HiddenFiles::Refuse && is_hidden(&name);
        if file_type.is_dir() {
            let may_descend = self.glob.depth().is_none_or(|max| folder.depth < max);
            if !may_descend {
                return Ok(());
            }
            if is_refused {
                return Err(SourceError::Hidden { path });
            }
            self.pending.push(Folder {
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
            let target = self.root.metadata(&path).map_err(io_error(&path))?;
            if target.is_dir() {
                return Ok(());
            }
            if !target.is_file() {
                return Err(SourceError::NotAFile { path });
            }
            check_hidden(self.root, &path, self.hidden)?;
        } else if !file_type.is_file() {
            return Err(SourceError::NotAFile { path });
        }
        self.paths.push(path);
        Ok(())
    }
}

/// Assigns a label to each path: the part after the fixed part, without the extension.
pub(super) fn assign_labels(found: Found) -> Sources {
    let mut taken: BTreeMap<Label, String> = BTreeMap::new();
    let mut files = Vec::with_capacity(found.files.len());
    let mut problems = found.problems;
    for (path, folder) in found.files {
        let relative = path
            .strip_prefix(&folder)
            .unwrap_or(&path)
            .trim_start_matches('/');
        let label = match Label::parse(without_extension(relative)) {
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
    problems.sort_by_cached_key(ToString::to_string);
    Sources { files, problems }
}

#[cfg(test)]
mod tests;
