//! Compares a release with its receipt. The folder may be a stranger's: no link is followed, and what is read is limited.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::Serialize;

use super::ReleaseError;
use super::publish::CURRENT;
use super::receipt::{FileEntry, Receipt};
use synix_core::digest::Digest;
use synix_disk::{DiskError, EntryKind, Folder, SymlinkPolicy};
use synix_manifest::RECEIPT;

/// The maximum size of a receipt: a million files.
const MAX_RECEIPT_BYTES: u64 = 256 << 20;

/// The maximum depth of folders in a release. The deepest files of synix are in fewer.
const MAX_DEPTH: usize = 64;

/// The maximum number of problems that are named.
const MAX_PROBLEMS: usize = 1000;

/// How much of a file is read at a time.
const PART_BYTES: usize = 1 << 16;

/// A release that was compared with its receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedRelease {
    /// The name of its folder.
    pub folder: String,
    /// The snapshot in the receipt; `None` if there is no readable receipt.
    pub snapshot: Option<String>,
    /// The number of files in the receipt.
    pub files: u64,
    /// What differs; the first 1000.
    pub problems: Vec<Problem>,
    /// The number of problems that are not among them.
    pub more_problems: u64,
}

/// A difference between a release and its receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The path in the folder of the release.
    pub path: String,
    /// What is wrong with it.
    #[serde(rename = "problem")]
    pub kind: ProblemKind,
}

/// What is wrong with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// It is in the receipt only.
    Missing,
    /// Its size or digest is another one.
    Differs,
    /// It is not in the receipt.
    Extra,
    /// It is a link, a pipe or a device, or it is in too many folders.
    NotAFile,
    /// It cannot be read, or, of the receipt, understood.
    Unreadable,
    /// The receipt names a path outside of the release, or the same path twice.
    InvalidPath,
    /// The receipt is that of another snapshot.
    OtherSnapshot,
}

impl ProblemKind {
    /// Describes it for people.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Missing => "is missing",
            Self::Differs => "differs from the receipt",
            Self::Extra => "is not in the receipt",
            Self::NotAFile => "is not a regular file",
            Self::Unreadable => "cannot be read",
            Self::InvalidPath => "is not a path that a receipt may have",
            Self::OtherSnapshot => "is the receipt of another snapshot",
        }
    }
}

/// Checks the release that `current` leads to, or all releases in a folder.
pub fn check(folder: &Path, all: bool) -> Result<Vec<CheckedRelease>, ReleaseError> {
    let none = || ReleaseError::NoRelease {
        folder: folder.to_owned(),
    };
    let releases = Folder::open(folder, SymlinkPolicy::Follow)?.ok_or_else(none)?;
    let current = releases.pointer(CURRENT)?.ok_or_else(none)?;
    let mut names = vec![current];
    if all {
        for entry in releases.entries()? {
            let name = entry.name.to_string_lossy().into_owned();
            let is_release = entry.kind == EntryKind::Folder && name.starts_with("snapshot-");
            if is_release && !names.contains(&name) {
                names.push(name);
            }
        }
        names.sort();
    }
    let checked = names.iter().map(|name| check_folder(&releases, name));
    checked.collect()
}

/// Returns the receipt of a release, if it is readable.
pub(super) fn receipt_of(folder: &Folder) -> Option<Receipt> {
    let bytes = folder.read(RECEIPT, MAX_RECEIPT_BYTES).ok().flatten()?;
    Receipt::read(&bytes)
}

pub(super) fn check_folder(releases: &Folder, name: &str) -> Result<CheckedRelease, ReleaseError> {
    let mut checked = CheckedRelease {
        folder: name.to_owned(),
        snapshot: None,
        files: 0,
        problems: Vec::new(),
        more_problems: 0,
    };
    let Some(folder) = releases.open_folder(name)? else {
        checked.add(RECEIPT, ProblemKind::Missing);
        return Ok(checked);
    };
    if folder.kind(RECEIPT)?.is_none() {
        checked.add(RECEIPT, ProblemKind::Missing);
        return Ok(checked);
    }
    let Some(receipt) = receipt_of(&folder) else {
        checked.add(RECEIPT, ProblemKind::Unreadable);
        return Ok(checked);
    };
    checked.files = receipt.files.len() as u64;
    if receipt.snapshot != name {
        checked.add(RECEIPT, ProblemKind::OtherSnapshot);
    }
    let mut expected = BTreeMap::new();
    for file in &receipt.files {
        if !is_inside(&file.path) || expected.insert(file.path.clone(), file).is_some() {
            checked.add(&file.path, ProblemKind::InvalidPath);
        }
    }
    checked.snapshot = Some(receipt.snapshot.clone());
    let mut walk = Walk { expected, checked };
    walk.folder(&folder, "", 0)?;
    for path in walk.expected.into_keys() {
        walk.checked.add(&path, ProblemKind::Missing);
    }
    Ok(walk.checked)
}

impl CheckedRelease {
    fn add(&mut self, path: &str, kind: ProblemKind) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem {
                path: path.to_owned(),
                kind,
            });
        } else {
            self.more_problems += 1;
        }
    }
}

struct Walk<'a> {
    /// The files of the receipt that were not met yet.
    expected: BTreeMap<String, &'a FileEntry>,
    checked: CheckedRelease,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Folder, path: &str, depth: usize) -> Result<(), DiskError> {
        for entry in folder.entries()? {
            let name = entry.name.to_string_lossy();
            let path = if path.is_empty() {
                name.into_owned()
            } else {
                format!("{path}/{name}")
            };
            match entry.kind {
                EntryKind::File if path == RECEIPT => {}
                EntryKind::File => self.file(folder, &entry.name, entry.size, &path),
                EntryKind::Folder if depth < MAX_DEPTH => match folder.open_folder(&entry.name) {
                    Ok(Some(inside)) => self.folder(&inside, &path, depth + 1)?,
                    Ok(None) => {}
                    Err(_) => self.checked.add(&path, ProblemKind::Unreadable),
                },
                EntryKind::Folder | EntryKind::Link | EntryKind::Other => {
                    self.expected.remove(&path);
                    self.checked.add(&path, ProblemKind::NotAFile);
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, folder: &Folder, name: &std::ffi::OsStr, size: u64, path: &str) {
        let Some(expected) = self.expected.remove(path) else {
            self.checked.add(path, ProblemKind::Extra);
            return;
        };
        // A file of another size need not be read.
        if size != expected.size {
            self.checked.add(path, ProblemKind::Differs);
            return;
        }
        match digest(folder, name, size) {
            Some(found) if found == expected.sha256 => {}
            Some(_) => self.checked.add(path, ProblemKind::Differs),
            None => self.checked.add(path, ProblemKind::Unreadable),
        }
    }
}

/// Reads no more than the size, because a file can grow for ever.
fn digest(folder: &Folder, name: &std::ffi::OsStr, size: u64) -> Option<Digest> {
    use std::io::Read as _;

    let file = folder.open_file(name).ok().flatten()?;
    Digest::of_reader(&mut file.take(size.saturating_add(1)), PART_BYTES).ok()
}

/// Returns whether a path of a receipt consists of plain names.
pub(super) fn is_inside(path: &str) -> bool {
    let parts = || path.split('/');
    !path.contains('\\')
        && path != RECEIPT
        && parts().all(|part| !matches!(part, "" | "." | ".."))
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}
