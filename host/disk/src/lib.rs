//! Reads untrusted files safely, writes files atomically, and holds file locks that end with the process.
//!
//! Use [`Folder`] for everything inside a folder with untrusted content: it follows no symbolic link.
//!
//! ```
//! use synix_disk::{Folder, SymlinkPolicy, replace};
//!
//! let parent = tempfile::tempdir()?;
//! // A reader sees either the old file or the new one.
//! replace(&parent.path().join("note.txt"), b"hello")?;
//! let folder = Folder::open(parent.path(), SymlinkPolicy::Refuse)?.expect("the folder is there");
//! assert_eq!(folder.read("note.txt", 1024)?.as_deref(), Some(&b"hello"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod copy;
mod folder;
mod lock;
mod owner;
mod partial_folder;
mod pointer;
mod read;
mod tree;
#[cfg(windows)]
mod windows;
mod write;

use std::io;
use std::path::{Path, PathBuf};

pub use copy::{CopyError, CopyLimits, copy_tree};
pub use folder::{Entry, EntryKind, Folder};
pub use lock::FileLock;
pub use owner::owner_of;
pub use partial_folder::PartialFolder;
pub use pointer::point_to;
pub use read::{SymlinkPolicy, read, read_if_exists, read_limited, read_limited_if_exists};
pub use tree::{exchange, remove_all, rename_folder, sync_tree};
pub use write::{
    create_folder, create_private, create_private_folder, create_temporary_folder, discard, rename,
    replace, replace_private, replace_with,
};

/// A failed operation of the file system.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", .path.display())]
pub struct DiskError {
    /// The operation, such as `write`.
    pub action: &'static str,
    /// The path that it was applied to.
    pub path: PathBuf,
    /// The error of the operating system.
    pub source: io::Error,
}

impl DiskError {
    /// Returns whether a permission is missing or the file system is read-only.
    pub fn is_denied(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
        )
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError {
    move |source| DiskError {
        action,
        path: path.to_owned(),
        source,
    }
}
