//! Finds the search file of a release.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use synix_disk::{DiskError, Folder, SymlinkPolicy};

use super::APPLICATION;
use crate::error::SearchError;

/// The pointer to the newest snapshot in the folder of a release.
const CURRENT: &str = "current";

/// The maximum depth of a search file in the folder, and number of entries that are looked at.
const MAX_DEPTH: usize = 4;
const MAX_ENTRIES: usize = 10_000;

/// Where the number of the application is in a file of SQLite.
const APPLICATION_AT: usize = 68;

/// Returns the search file at a path: the file itself, or the only one in the folder of a release or of one of its
/// snapshots.
pub(super) fn find(path: &Path) -> Result<PathBuf, SearchError> {
    let no_file = |what: &str| SearchError::NoSearchFile {
        path: path.to_owned(),
        what: what.to_owned(),
    };
    let found = fs::metadata(path).map_err(|source| failed("open", path, source))?;
    if found.is_file() {
        return if is_search_file(path) {
            Ok(path.to_owned())
        } else {
            Err(no_file("synix did not write it"))
        };
    }
    // It may be a file where users can make no links, and a stranger's may lead anywhere.
    let release = Folder::open(path, SymlinkPolicy::Follow)?;
    let current = release.map(|folder| folder.pointer(CURRENT)).transpose()?;
    let folder = match current.flatten() {
        Some(name) => path.join(name),
        None => path.to_owned(),
    };
    let mut files = Vec::new();
    let mut left = MAX_ENTRIES;
    collect(&folder, 0, &mut left, &mut files)?;
    files.sort();
    match files.as_slice() {
        [] => Err(no_file("there is none in this folder")),
        [only] => Ok(only.clone()),
        [first, second, ..] => Err(no_file(&format!(
            "there are several, such as {} and {}; pass one of them",
            first.display(),
            second.display()
        ))),
    }
}

fn collect(
    folder: &Path,
    depth: usize,
    left: &mut usize,
    files: &mut Vec<PathBuf>,
) -> Result<(), SearchError> {
    let entries = fs::read_dir(folder).map_err(|source| failed("read", folder, source))?;
    for entry in entries.filter_map(Result::ok) {
        if *left == 0 {
            return Ok(());
        }
        *left -= 1;
        let path = entry.path();
        // A release has no links below the folder of a snapshot.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < MAX_DEPTH => {
                collect(&path, depth + 1, left, files)?;
            }
            Ok(kind) if kind.is_file() && is_search_file(&path) => files.push(path),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

fn is_search_file(path: &Path) -> bool {
    let mut head = [0; APPLICATION_AT + 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok()
        && head.starts_with(b"SQLite format 3\0")
        && head.ends_with(&APPLICATION.to_be_bytes())
}

fn failed(action: &'static str, path: &Path, source: std::io::Error) -> SearchError {
    SearchError::Disk(DiskError {
        action,
        path: path.to_owned(),
        source,
    })
}
