//! Why a search failed.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use synix_core::error_kind::ErrorKind;
use synix_core::exit_code::ExitCode;
use synix_disk::DiskError;
use synix_store::StoreError;

/// Why a search failed.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The state could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The disk is full.
    #[error("the disk is full: nothing was stored in the index {}; free some space, then run the command again", .path.display())]
    Full {
        /// The index.
        path: PathBuf,
    },
    /// Another process updates the index.
    #[error("another process has been updating the index {} for minutes; run the command again when it is done", .path.display())]
    Busy {
        /// The index.
        path: PathBuf,
    },
    /// SQLite failed.
    #[error("SQLite cannot use {}", .path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// The file of a release is not what synix writes.
    #[error("{} is no search file of a release: {what}", .path.display())]
    NoSearchFile {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The snapshot has no vectors to compare with.
    #[error("there are no embeddings to search {}", .place)]
    NoEmbeddings {
        /// Where they are missing.
        place: String,
    },
    /// The query could not be embedded.
    #[error("cannot embed the query")]
    Embed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl SearchError {
    /// Returns the stable name of the error's class; `docs/commands.md` lists them.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Full { .. } => ErrorKind::DISK_FULL,
            Self::Busy { .. } => ErrorKind::BUSY,
            Self::Disk(_) | Self::Database { .. } | Self::NoSearchFile { .. } => ErrorKind::FILE,
            Self::NoEmbeddings { .. } => ErrorKind::USAGE,
            Self::Embed(_) => ErrorKind::PROVIDER,
        }
    }

    /// Returns the exit code: 2 for what the user asked for, or 1 for what failed.
    pub const fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoEmbeddings { .. } => ExitCode::Usage,
            Self::Store(_)
            | Self::Disk(_)
            | Self::Full { .. }
            | Self::Busy { .. }
            | Self::Database { .. }
            | Self::NoSearchFile { .. }
            | Self::Embed(_) => ExitCode::Failure,
        }
    }

    /// Returns what to do next, if the message does not say it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::NoSearchFile { .. } => Some(
                "pass a folder that `synix release` wrote and whose pipeline has an output with `format = \"search\"`"
                    .to_owned(),
            ),
            Self::NoEmbeddings { .. } => Some(
                "add a layer with `transform = \"embed\"` and build it, or search with --mode words".to_owned(),
            ),
            Self::Full { .. }
            | Self::Busy { .. }
            | Self::Disk(_)
            | Self::Database { .. }
            | Self::Embed(_) => None,
        }
    }
}

/// What SQLite's error means for an index.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The file cannot be written here; another place may do.
    Denied(rusqlite::Error),
    /// The file is not an index, or is damaged: it is made again.
    Damaged(rusqlite::Error),
    /// Something that making it again does not change.
    Other(SearchError),
}

impl Trouble {
    pub(crate) fn of(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Other(SearchError::Full { path }),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Other(SearchError::Busy { path })
            }
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::Denied(source)
            }
            Some(ErrorCode::OutOfMemory | ErrorCode::SystemIoFailure) => {
                Self::Other(SearchError::Database { path, source })
            }
            Some(_) | None => Self::Damaged(source),
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn only_a_damaged_index_is_made_again() {
        let trouble = |code| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            Trouble::of(Path::new("index"), error)
        };
        for code in [
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_NOTADB,
            ffi::SQLITE_CONSTRAINT,
            ffi::SQLITE_ERROR,
        ] {
            assert!(matches!(trouble(code), Trouble::Damaged(_)), "{code}");
        }
        for code in [ffi::SQLITE_READONLY, ffi::SQLITE_CANTOPEN, ffi::SQLITE_PERM] {
            assert!(matches!(trouble(code), Trouble::Denied(_)), "{code}");
        }
        let full = trouble(ffi::SQLITE_FULL);
        assert!(
            matches!(&full, Trouble::Other(error) if error.kind() == ErrorKind::DISK_FULL),
            "{full:?}"
        );
        let busy = trouble(ffi::SQLITE_BUSY);
        assert!(
            matches!(&busy, Trouble::Other(error) if error.kind() == ErrorKind::BUSY),
            "{busy:?}"
        );
        let disk = trouble(ffi::SQLITE_IOERR);
        assert!(matches!(disk, Trouble::Other(_)), "{disk:?}");
    }
}
