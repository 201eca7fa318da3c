//! Finds the files that match a glob.
//!
//! Only folders below the fixed part of the glob are searched. A link to a file counts as the file. A link to a folder is
//! not followed, so there are no loops.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::PathBuf;

use cap_std::fs::{Dir, DirEntry};

#[cfg(unix)]
use crate::file::stamp_of;
use crate::folder::{check_hidden, io_error};
use crate::hidden::is_hidden;
use crate::{HiddenFiles, SourceError, SourceFile, Sources};
use synix_core::file_stamp::FileStamp;
use synix_core::ids::Label;
use synix_manifest::SourceGlob;
use synix_reading::label::without_extension;

/// The file that a folder with releases has. It is also the lock of whoever writes one.
pub const RELEASE_MARK: &str = ".synix-release";

/// A file that matches a glob.
pub(super) struct FoundFile {
    pub(super) path: String,
    pub(super) stamp: Option<FileStamp>,
    /// The position of the first glob that it matches.
    glob: usize,
}

/// The files that match globs, sorted by path.
pub(super) struct Found {
    pub(super) files: Vec<FoundFile>,
    /// The fixed part of each glob.
    folders: Vec<String>,
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
        files: Vec::new(),
        folders: Vec::with_capacity(globs.len()),
        problems: Vec::new(),
    };
    for (position, glob) in globs.iter().enumerate() {
        let (files, problems) = find_matches(root, glob, hidden)?;
        let files = files.into_iter().map(|(path, stamp)| FoundFile {
            path,
            stamp,
            glob: position,
        });
        found.files.extend(files);
        found.folders.push(glob.folder().to_owned());
        found.problems.extend(problems);
    }
    // The sort is stable, so the first glob that matches a file keeps it.
    found.files.sort_by(|one, other| one.path.cmp(&other.path));
    found
        .files
        .dedup_by(|later, first| later.path == first.path);
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

type Matches = (Vec<(String, Option<FileStamp>)>, Vec<SourceError>);

fn find_matches(
    root: &Dir,
    glob: &SourceGlob,
    hidden: HiddenFiles,
) -> Result<Matches, SourceError> {
    let mut walk = Walk {
        root,
        glob,
        hidden,
        files: Vec::new(),
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
    Ok((walk.files, walk.problems))
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
    files: Vec<(String, Option<FileStamp>)>,
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
            // A release is made from the sources. It is read only if the glob itself names its folder.
            if folder.depth > 1 && self.is_release(&folder) {
                continue;
            }
            for entry in self.root.read_dir(name).map_err(io_error(&folder.shown))? {
                let entry = entry.map_err(io_error(&folder.shown))?;
                if let Err(problem) = self.visit(&folder, &entry) {
                    self.problems.push(problem);
                }
            }
        }
        Ok(())
    }

    /// Returns whether a folder has releases in it.
    fn is_release(&self, folder: &Folder) -> bool {
        let mark = folder.path.join(RELEASE_MARK);
        self.root.symlink_metadata(mark).is_ok()
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
        let mut stamp = None;
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
        } else {
            stamp = stamp_of_entry(entry);
        }
        self.files.push((path, stamp));
        Ok(())
    }
}

/// Returns the stamp of a regular file. By the entry, the system finds the file without walking down its path, and
/// without opening it: a build in which nothing changed spends most of its time on this.
#[cfg(unix)]
fn stamp_of_entry(entry: &DirEntry) -> Option<FileStamp> {
    let metadata = entry.metadata().ok()?;
    // Something else may have taken the place of the file.
    metadata.is_file().then(|| stamp_of(&metadata))
}

/// On Windows, an entry may be older than its file.
#[cfg(not(unix))]
fn stamp_of_entry(_: &DirEntry) -> Option<FileStamp> {
    None
}

/// Assigns a label to each path: the part after the fixed part, without the extension.
pub(super) fn assign_labels(found: Found) -> Sources {
    // The position of the file with each label.
    let mut taken: HashMap<Label, usize> = HashMap::with_capacity(found.files.len());
    let mut files: Vec<SourceFile> = Vec::with_capacity(found.files.len());
    let mut problems = found.problems;
    for FoundFile { path, stamp, glob } in found.files {
        let relative = path
            .strip_prefix(&found.folders[glob])
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
                first: files[*first].path.clone(),
                second: path,
            });
            continue;
        }
        taken.insert(label.clone(), files.len());
        files.push(SourceFile { path, label, stamp });
    }
    problems.sort_by_cached_key(ToString::to_string);
    Sources { files, problems }
}

#[cfg(test)]
mod tests;
