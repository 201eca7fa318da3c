//! A folder in which something is made beside its final place, so that it appears there whole or not at all.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::DiskError;
use super::tree::{remove_all, rename_folder, sync_tree};

/// The name of a hidden folder. Whatever has this name is removed with this value.
#[derive(Debug)]
pub struct PartialFolder(PathBuf);

impl PartialFolder {
    /// Returns a hidden name beside `path` that no other process uses at the same time. It creates nothing.
    pub fn beside(path: &Path) -> Self {
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".partial-{}", std::process::id()));
        Self(path.with_file_name(name))
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the content durable, and renames the file or folder with the name `inside` to `to`, which is free.
    ///
    /// Everything else in the folder is removed.
    pub fn publish(self, inside: &str, to: &Path) -> Result<(), DiskError> {
        sync_tree(&self.0)?;
        rename_folder(&self.0.join(inside), to)
    }
}

impl Drop for PartialFolder {
    fn drop(&mut self) {
        // What remains does no harm, and the error that led here is the one to report.
        let _ = remove_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::replace;

    fn names(folder: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_published_folder_is_all_that_remains() {
        let temporary = tempfile::tempdir().unwrap();
        let to = temporary.path().join("pages");
        let partial = PartialFolder::beside(&to);
        fs::create_dir_all(partial.path().join("inside")).unwrap();
        replace(&partial.path().join("inside/note"), b"text").unwrap();
        replace(&partial.path().join("scratch"), b"text").unwrap();
        assert_eq!(partial.path().parent(), to.parent());
        partial.publish("inside", &to).unwrap();
        assert_eq!(names(temporary.path()), ["pages"]);
        assert_eq!(names(&to), ["note"]);
    }

    #[test]
    fn a_partial_folder_that_is_not_published_leaves_nothing() {
        let temporary = tempfile::tempdir().unwrap();
        let partial = PartialFolder::beside(&temporary.path().join("pages"));
        fs::create_dir_all(partial.path().join("inside")).unwrap();
        assert_eq!(names(temporary.path()).len(), 1);
        drop(partial);
        assert!(names(temporary.path()).is_empty());
    }

    #[test]
    fn what_cannot_be_published_is_removed_and_reported() {
        let temporary = tempfile::tempdir().unwrap();
        let to = temporary.path().join("pages");
        let partial = PartialFolder::beside(&to);
        fs::create_dir(partial.path()).unwrap();
        let error = partial.publish("missing", &to).unwrap_err();
        assert_eq!(error.action, "rename");
        assert!(names(temporary.path()).is_empty());
    }
}
