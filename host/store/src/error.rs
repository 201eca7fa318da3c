//! Why the state could not be read or written.

use std::path::PathBuf;

use super::recovery::Damage;
use synix_core::error_kind::ErrorKind;
use synix_disk::DiskError;

/// An error of SQLite or of the file system.
pub type SystemError = Box<dyn std::error::Error + Send + Sync>;

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A statement failed.
    #[error("the state database {} failed", .path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// The database is damaged or missing. The user must restore a copy or reset the state.
    #[error("{}", .damage.message(.folder))]
    Damaged {
        /// The state folder.
        folder: PathBuf,
        /// The damage, and what the database contained.
        damage: Box<Damage>,
    },
    /// SQLite reported damage that a check of the whole file does not find.
    #[error("SQLite reports that the state database {} is damaged ({detail}), but a check of the whole file finds nothing; run the command again, and check the disk", .path.display())]
    Corrupted {
        /// The database file.
        path: PathBuf,
        /// The error of SQLite.
        detail: String,
    },
    /// The folder is on a file system that other machines share.
    #[error("{} is on a network file system ({kind}), where neither its write-ahead log nor its locks are safe: put the project on a local disk, or set SYNIX_ALLOW_NETWORK_FS=1 if no other machine ever uses it", .path.display())]
    Network {
        /// The state folder.
        path: PathBuf,
        /// The kind of file system.
        kind: &'static str,
    },
    /// A newer synix wrote the file.
    #[error("the state in {} has format {found}; this synix writes {supported} and can only read it", .path.display())]
    FormatTooNew {
        /// The database file.
        path: PathBuf,
        /// The format of the file.
        found: u32,
        /// The newest format that this synix writes.
        supported: u32,
    },
    /// There is no state yet.
    #[error("there is no state in {} yet", .path.display())]
    Absent {
        /// The state folder.
        path: PathBuf,
    },
    /// A transaction began within another one.
    #[error("a transaction on the state database {} began within another one; this is a bug of synix, please report it", .path.display())]
    Nested {
        /// The database file.
        path: PathBuf,
    },
    /// A number does not fit into a column.
    #[error("the state database {} cannot store a value ({detail}); nothing of this step was stored, please report it", .path.display())]
    TooLarge {
        /// The database file.
        path: PathBuf,
        /// The value that does not fit.
        detail: String,
    },
    /// A row has invalid content.
    #[error("the state contains an unusable {what}: {detail}")]
    Unusable {
        /// The sort of row.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// A large content is missing or differs from its digest.
    #[error("the content {} is missing or damaged", .path.display())]
    BadObject {
        /// The object file.
        path: PathBuf,
        /// The error of the file system, if there was one.
        source: Option<DiskError>,
    },
    /// The state folder is a symbolic link.
    #[error("{} is a symbolic link, and synix does not follow a link to a state, because the author of the project chose its target. Remove the link; to store the state on another disk, mount a folder of that disk here", .path.display())]
    SymbolicLink {
        /// The state folder.
        path: PathBuf,
    },
    /// The database contains something that synix does not create.
    #[error("synix does not use {}, because synix did not create it in this form: {what}. If the project is not yours, delete the folder of the file. Otherwise restore a copy, or start a new state with `synix build --reset-state`", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What the file contains.
        what: String,
    },
    /// A row does not match the digest that was written with it.
    #[error(
        "{what} in the state was changed after it was written: it does not match its digest, so synix neither shows nor uses it. Restore a copy of the state, or run `synix clean`; the next build then makes what it needs again"
    )]
    Changed {
        /// The changed item.
        what: String,
    },
    /// A statement took more steps than an intact file of this size needs.
    #[error("synix ended a query of the state database {}, because it took more steps than an intact file of this size needs: the file is damaged or manipulated. Restore a copy, or delete the file to start a new state", .path.display())]
    StepLimit {
        /// The database file.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("the disk is full: nothing of this step was stored in {}; free some space, then run the command again", .path.display())]
    Full {
        /// The database file.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// The user has no permission to read or write the state.
    #[error("you have no permission to use the state in {}: it belongs to {owner}, or its disk is read-only. Ask the owner, or copy the project to a folder of your own", .path.display())]
    Closed {
        /// The state folder.
        path: PathBuf,
        /// The owner of the state.
        owner: String,
        /// The error of SQLite or of the file system.
        source: SystemError,
    },
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl StoreError {
    /// Returns the stable kind of the error; `docs/commands.md` lists the kinds.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Database { .. } | Self::Nested { .. } | Self::TooLarge { .. } => ErrorKind::STATE,
            Self::Damaged { .. }
            | Self::Corrupted { .. }
            | Self::Unusable { .. }
            | Self::Changed { .. }
            | Self::StepLimit { .. }
            | Self::BadObject { .. } => ErrorKind::STATE_DAMAGED,
            Self::SymbolicLink { .. } | Self::Foreign { .. } => ErrorKind::STATE_FOREIGN,
            Self::Full { .. } => ErrorKind::DISK_FULL,
            Self::Closed { .. } => ErrorKind::STATE_CLOSED,
            Self::Network { .. } => ErrorKind::NETWORK_FILE_SYSTEM,
            Self::FormatTooNew { .. } => ErrorKind::STATE_TOO_NEW,
            Self::Absent { .. } => ErrorKind::NO_STATE,
            Self::Disk(_) => ErrorKind::FILE,
        }
    }

    /// Returns what the user can do, if the message does not say it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Absent { .. } => "run `synix build` first",
            Self::FormatTooNew { .. } => "use the synix that wrote it, or a newer one",
            Self::Database { .. }
            | Self::Nested { .. }
            | Self::TooLarge { .. }
            | Self::Damaged { .. }
            | Self::Corrupted { .. }
            | Self::Network { .. }
            | Self::SymbolicLink { .. }
            | Self::Foreign { .. }
            | Self::Changed { .. }
            | Self::StepLimit { .. }
            | Self::Full { .. }
            | Self::Closed { .. }
            | Self::Unusable { .. }
            | Self::BadObject { .. }
            | Self::Disk(_) => return None,
        };
        Some(hint.to_owned())
    }
}
