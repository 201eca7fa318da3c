//! The state of a project: one SQLite database and a folder of large contents.
//!
//! ```text
//! .synix/
//!   state.sqlite3     units, artifacts, requests, answers, submissions, builds, snapshots
//!   objects/ab/cd…    contents over 64 KiB, under their digest
//!   locks/build-7     held by the process that drives build 7
//!   batches/          files on their way to and from providers
//!   damaged-…         a database that was set aside, with the marker damage.json
//! ```
//!
//! [`Store::write`] hands out a [`Transaction`], whose methods write. [`Reader`] only reads and may be used by
//! many threads and processes beside one writer. Each file of this module owns the
//! tables of one subject; `database` owns the file itself.
//!
//! ```
//! use synix_core::clock::Timestamp;
//! use synix_core::digest::Digest;
//! use synix_store::{BuildKind, NewBuild, Reader, Realm, Store};
//!
//! let project = tempfile::tempdir()?;
//! let state = project.path().join(".synix");
//! let store = Store::open(&state)?;
//! let build = store.write(|tx| {
//!     tx.open_build(&NewBuild {
//!         kind: BuildKind::Build,
//!         pipeline: "synix.toml".to_owned(),
//!         fingerprint: Digest::of(b"the pipeline"),
//!         parts: "{}".to_owned(),
//!         realm: Realm::Live,
//!         opened: Timestamp(0),
//!     })
//! })?;
//!
//! // Many processes may read beside the one that writes.
//! let reader = Reader::open(&state)?;
//! assert_eq!(reader.open_builds()?, [build]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod answers;
mod artifacts;
mod attempts;
mod build;
mod connection;
mod database;
mod files;
mod gc;
mod migrations;
mod objects;
mod paid;
mod reading;
mod recovery;
mod requests;
mod schema_check;
mod sends;
mod snapshots;
mod statement;
mod submission;
mod submission_table;
mod sweep;
mod transaction;
mod units;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use connection::Watched;
use reading::Kept;
use recovery::seal;

use synix_core::error_kind::ErrorKind;
use synix_disk::{DiskError, FileLock, Folder};

pub use answers::{AnswerId, Realm};
pub use artifacts::{ArtifactId, StoredArtifact};
pub use attempts::{AttemptId, AttemptNote, Claim, Origin, Spent};
pub use build::{
    BuildId, BuildKind, BuildLayer, BuildRow, BuildUnit, LayerMode, LayerTally, NewBuild, UnitState,
};
pub use database::SUPPORTED_FORMAT;
pub use gc::{Freed, GcRules};
pub use paid::{Retry, Terms};
pub use recovery::{Count, Damage, LostBatch, Salvaged, refuse_network};
pub use requests::RequestId;
pub use sends::{Send, SendState};
pub use snapshots::{Snapshot, SnapshotArtifact, SnapshotId, SnapshotUnit};
pub use submission::{
    BatchOwner, Standing, Submission, SubmissionId, SubmissionRequest, SubmissionState,
};
pub use transaction::Transaction;
pub use units::{NewUnit, OpenUnit, StoredUnit, TranscriptEntry, UnitId};

/// The error of SQLite or of the file system.
pub type Refusal = Box<dyn std::error::Error + std::marker::Send + Sync>;

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused a statement.
    #[error("the state database {} failed", .path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The database is damaged or missing; synix does nothing before a copy is restored or the state is reset.
    #[error("{}", .damage.tell(.folder))]
    Damaged {
        /// The state folder.
        folder: PathBuf,
        /// What was found, and what was lost.
        damage: Box<Damage>,
    },
    /// SQLite found damage that a check of the whole file does not find.
    #[error("SQLite reports that the state database {} is damaged ({detail}), but a check of the whole file finds nothing; run the command again, and check the disk", .path.display())]
    Corrupted {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        detail: String,
    },
    /// The folder is on a file system that other machines share.
    #[error("{} is on a network file system ({kind}), where neither its write-ahead log nor its locks are safe: put the project on a local disk, or set SYNIX_ALLOW_NETWORK_FS=1 if no other machine ever uses it", .path.display())]
    Network {
        /// The state folder.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A later synix wrote the file.
    #[error("the state in {} has format {found}; this synix writes {supported} and may only read it", .path.display())]
    FormatTooNew {
        /// The database file.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The newest format this synix writes.
        supported: u32,
    },
    /// There is no state yet.
    #[error("there is no state in {} yet", .path.display())]
    Absent {
        /// The state folder.
        path: PathBuf,
    },
    /// A transaction was begun within another one.
    #[error("a step that writes the state database {} began within another step; this is a fault of synix, please report it", .path.display())]
    Nested {
        /// The database file.
        path: PathBuf,
    },
    /// A number does not fit into a row.
    #[error("the state database {} cannot keep a value ({detail}); nothing of this step was kept, please report it", .path.display())]
    TooLarge {
        /// The database file.
        path: PathBuf,
        /// What does not fit.
        detail: String,
    },
    /// A row does not hold what it should.
    #[error("the state holds an unusable {what}: {detail}")]
    Unusable {
        /// Which sort of row.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// A large content is missing or differs from its digest.
    #[error("the content {} is missing or damaged", .path.display())]
    BadObject {
        /// The object file.
        path: PathBuf,
        /// What the file system said, if it refused.
        source: Option<DiskError>,
    },
    /// The state folder is a link.
    #[error("{} is a symbolic link, and synix uses no state through a link: whoever wrote the project chose where it leads. Remove the link; to keep the state on another disk, mount a folder of that disk here", .path.display())]
    Linked {
        /// The state folder.
        path: PathBuf,
    },
    /// The database holds something that synix does not make.
    #[error("synix does not use {}, because it is not as synix makes it: {what}. If the project is not yours, remove the folder that the file is in. Otherwise put a copy back, or start a new state with `synix build --reset-state`", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it holds.
        what: String,
    },
    /// A row differs from the digest that was written with it.
    #[error(
        "{what} in the state was changed after it was made: it does not match its digest, so synix neither shows nor uses it; put back a copy of the state, or run `synix clean`, after which the next build makes what it needs again"
    )]
    Changed {
        /// Which one.
        what: String,
    },
    /// A statement took more steps than a whole file of its size has.
    #[error("synix ended a look-up in the state database {}, because it took more steps than a whole file of its size: the file is not as synix writes it. Put a copy back, or remove the file to start a new state", .path.display())]
    Endless {
        /// The database file.
        path: PathBuf,
    },
    /// There is no space left.
    #[error("the disk is full: nothing of this step was kept in {}; free some space, then run the command again", .path.display())]
    Full {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The state may not be read, or not be written.
    #[error("the state in {} is closed to you: it belongs to {owner}, or its disk is read-only. Ask its owner, or copy the project to a folder of yours", .path.display())]
    Closed {
        /// The state folder.
        path: PathBuf,
        /// Whose it is.
        owner: String,
        /// What SQLite or the file system said.
        source: Refusal,
    },
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl StoreError {
    /// Returns the stable word for the class of the error, as `docs/commands.md` lists them.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Database { .. } | Self::Nested { .. } | Self::TooLarge { .. } => ErrorKind::STATE,
            Self::Damaged { .. }
            | Self::Corrupted { .. }
            | Self::Unusable { .. }
            | Self::Changed { .. }
            | Self::Endless { .. }
            | Self::BadObject { .. } => ErrorKind::STATE_DAMAGED,
            Self::Linked { .. } | Self::Foreign { .. } => ErrorKind::STATE_FOREIGN,
            Self::Full { .. } => ErrorKind::DISK_FULL,
            Self::Closed { .. } => ErrorKind::STATE_CLOSED,
            Self::Network { .. } => ErrorKind::NETWORK_FILE_SYSTEM,
            Self::FormatTooNew { .. } => ErrorKind::STATE_TOO_NEW,
            Self::Absent { .. } => ErrorKind::NO_STATE,
            Self::Disk(_) => ErrorKind::FILE,
        }
    }

    /// Returns what to do about it, if the message does not say so.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Absent { .. } => "run `synix build` first",
            Self::FormatTooNew { .. } => "use the synix that wrote it, or a later one",
            Self::Database { .. }
            | Self::Nested { .. }
            | Self::TooLarge { .. }
            | Self::Damaged { .. }
            | Self::Corrupted { .. }
            | Self::Network { .. }
            | Self::Linked { .. }
            | Self::Foreign { .. }
            | Self::Changed { .. }
            | Self::Endless { .. }
            | Self::Full { .. }
            | Self::Closed { .. }
            | Self::Unusable { .. }
            | Self::BadObject { .. }
            | Self::Disk(_) => return None,
        };
        Some(hint.to_owned())
    }
}

/// A read-only view of the state.
#[derive(Debug)]
pub struct Reader {
    connection: Watched,
    place: Folder,
    /// What is read where the file itself cannot be.
    kept: Option<Arc<Kept>>,
    /// Whether rows have seals; those of an earlier format have none.
    sealed: bool,
    /// Whether the rows of units have seals; they came later.
    sealed_units: bool,
}

/// The state, open for reading and writing.
#[derive(Debug)]
pub struct Store {
    reader: Reader,
}

impl std::ops::Deref for Store {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl Reader {
    /// Opens the state in `folder` for reading.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_beside(folder, None)
    }

    /// Opens another connection to the same state, for another thread.
    pub fn another(&self) -> Result<Self, StoreError> {
        Self::open_beside(self.place.path(), self.kept.as_ref())
    }

    fn open_beside(folder: &Path, kept: Option<&Arc<Kept>>) -> Result<Self, StoreError> {
        let absent = || StoreError::Absent {
            path: folder.to_owned(),
        };
        let place = files::open(folder)?.ok_or_else(absent)?;
        let (connection, kept) = database::open_to_read(&place, kept)?;
        let has_seals = |table| {
            let found = database::has_seals(&connection, table);
            found.map_err(|source| database::failed(&place, source))
        };
        Ok(Self {
            sealed: has_seals("answer_body")?,
            sealed_units: has_seals("unit")?,
            connection,
            place,
            kept,
        })
    }

    /// Says whether a process drives `build` now, as far as that can be seen from here.
    pub fn is_driven(&self, build: BuildId) -> bool {
        match self.place.open_folder(LOCKS) {
            Ok(Some(locks)) => locks.is_locked(&lock_of(build)),
            Ok(None) => false,
            Err(_) => true,
        }
    }

    /// Returns what stands for the seal of a row of `table` in a statement.
    fn seal_of(&self, table: &str) -> String {
        if self.sealed {
            format!("{table}.{}", seal::COLUMN)
        } else {
            "NULL".to_owned()
        }
    }

    /// Returns what stands for the seal of a row of `unit` or `unit_detail`, called `name`, in a statement.
    fn seal_of_unit(&self, name: &str) -> String {
        if self.sealed_units {
            format!("{name}.{}", seal::COLUMN)
        } else {
            "NULL".to_owned()
        }
    }

    fn failed(&self, source: rusqlite::Error) -> StoreError {
        database::failed(&self.place, source)
    }
}

impl Store {
    /// Opens the state in `folder` for writing; creates and migrates it where needed.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let place = files::make(folder)?;
        // Derived data: never to be committed with the project.
        if !place.has_file(".gitignore")? {
            place
                .replace(".gitignore", b"*\n")
                .map_err(|error| files::refused(&place, error))?;
        }
        Ok(Self::over(database::open_for_writing(&place)?, place))
    }

    fn over(connection: Watched, place: Folder) -> Self {
        Self {
            reader: Reader {
                connection,
                place,
                kept: None,
                sealed: true,
                sealed_units: true,
            },
        }
    }

    /// Takes the lock on driving a build, or returns `None` where another process has it.
    pub fn lock_build(&self, build: BuildId) -> Result<Option<FileLock>, StoreError> {
        Ok(self
            .place
            .open_or_create_folder(LOCKS)?
            .lock(lock_of(build))?)
    }

    /// Returns what the process that drives `build` wrote about itself.
    pub fn build_holder(&self, build: BuildId) -> String {
        let locks = self.place.open_folder(LOCKS).ok().flatten();
        locks.map_or_else(String::new, |locks| locks.holder(&lock_of(build)))
    }

    /// Returns the path of a submission's file on its way to or from a provider.
    ///
    /// The token becomes a name, and comes from a row: it must look like one. The path leads through no link, and
    /// there is a regular file or nothing.
    pub fn batch_file(&self, token: &str, ending: &str) -> Result<PathBuf, StoreError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if token.is_empty() || !token.chars().all(is_plain) {
            return Err(StoreError::Unusable {
                what: "submission",
                detail: format!("{token:?} is no token"),
            });
        }
        let folder = self.place.open_or_create_folder(BATCHES)?;
        let name = format!("{token}{ending}");
        folder.has_file(&name)?;
        Ok(folder.path().join(name))
    }

    fn execute_batch(&self, statement: &str) -> Result<(), StoreError> {
        self.connection
            .execute_batch(statement)
            .map_err(|source| self.failed(source))
    }
}

/// The folder of locks, and that of files on their way to and from providers.
const LOCKS: &str = "locks";
const BATCHES: &str = "batches";

fn lock_of(build: BuildId) -> String {
    format!("build-{}", build.0)
}

#[cfg(test)]
mod tests;
