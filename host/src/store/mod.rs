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
//! [`Store`] reads and writes, [`Reader`] only reads and may be used by many
//! threads and processes beside one writer. Each file of this module owns the
//! tables of one subject; [`database`] owns the file itself.

mod answers;
mod artifacts;
mod attempts;
mod build;
mod builds;
mod damage;
mod database;
mod gc;
mod marker;
mod migrations;
mod network;
mod objects;
mod requests;
mod reset;
mod salvage;
mod sends;
mod snapshots;
mod submission;
mod submissions;
mod sweep;
mod units;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::crash;
use crate::disk::{self, DiskError, FileLock};

pub use answers::{AnswerId, Realm};
pub use artifacts::{ArtifactId, StoredArtifact};
pub use attempts::{AttemptId, AttemptNote, Claim, Spent};
pub use build::{
    BuildId, BuildKind, BuildLayer, BuildRow, BuildUnit, LayerMode, LayerTally, UnitState,
};
pub use database::SUPPORTED_FORMAT;
pub use gc::{Freed, GcRules};
pub use marker::Damage;
pub use network::refuse_network;
pub use requests::RequestId;
pub use salvage::{Count, Held, LostBatch};
pub use sends::{Send, SendState};
pub use snapshots::{Snapshot, SnapshotArtifact, SnapshotId, SnapshotUnit};
pub use submission::{
    BatchOwner, Standing, Submission, SubmissionId, SubmissionRequest, SubmissionState,
};
pub use units::{NewUnit, OpenUnit, StoredUnit, TranscriptEntry, UnitId};

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database refused a statement.
    #[error("the state database {} failed", .path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The database was damaged or is gone; nothing is done before a copy is restored or the state is reset.
    #[error("{}", .damage.tell(.folder))]
    Damaged {
        /// The state folder.
        folder: PathBuf,
        /// What was found, and what was lost.
        damage: Box<Damage>,
    },
    /// SQLite found damage that a check of the whole file does not find.
    #[error("the state database {} was found damaged ({detail}), and a check of it finds nothing; run the command again, and look after the disk", .path.display())]
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
    },
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl StoreError {
    /// Returns the stable word for the class of the error, as `docs/commands.md` lists them.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Database { .. } => "state",
            Self::Damaged { .. }
            | Self::Corrupted { .. }
            | Self::Unusable { .. }
            | Self::BadObject { .. } => "state_damaged",
            Self::Network { .. } => "network_file_system",
            Self::FormatTooNew { .. } => "state_too_new",
            Self::Absent { .. } => "no_state",
            Self::Disk(_) => "file",
        }
    }

    /// Says what to do about it, where the message does not.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Absent { .. } => "run `synix build` first",
            Self::FormatTooNew { .. } => "use the synix that wrote it, or a later one",
            Self::Database { .. }
            | Self::Damaged { .. }
            | Self::Corrupted { .. }
            | Self::Network { .. }
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
    connection: Connection,
    folder: PathBuf,
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
        let connection = database::open_to_read(folder)?;
        Ok(Self {
            connection,
            folder: folder.to_owned(),
        })
    }

    /// Opens another connection to the same state, for another thread.
    pub fn another(&self) -> Result<Self, StoreError> {
        Self::open(&self.folder)
    }

    fn failed(&self, source: rusqlite::Error) -> StoreError {
        database::failed(&self.folder, source)
    }
}

impl Store {
    /// Opens the state in `folder` for writing; creates and migrates it where needed.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        disk::create_folder(folder)?;
        // Derived data: never to be committed with the project.
        let ignore = folder.join(".gitignore");
        if !ignore.exists() {
            disk::replace(&ignore, b"*\n")?;
        }
        Ok(Self::over(database::open_to_write(folder)?, folder))
    }

    fn over(connection: Connection, folder: &Path) -> Self {
        Self {
            reader: Reader {
                connection,
                folder: folder.to_owned(),
            },
        }
    }

    /// Runs `act` in one transaction: all of it is kept, durably, or nothing.
    pub fn write<T, E: From<StoreError>>(
        &self,
        act: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        crash::point();
        self.execute_batch("BEGIN IMMEDIATE")?;
        let error = match act() {
            Ok(value) => match self.execute_batch("COMMIT") {
                Ok(()) => {
                    crash::point();
                    return Ok(value);
                }
                Err(error) => error.into(),
            },
            Err(error) => error,
        };
        // The first error is the one to report.
        let _ = self.execute_batch("ROLLBACK");
        Err(error)
    }

    /// Takes the lock on driving a build, or returns `None` where another process has it.
    pub fn lock_build(&self, build: BuildId) -> Result<Option<FileLock>, StoreError> {
        Ok(FileLock::try_take(&self.build_lock(build))?)
    }

    /// Returns what the process that drives `build` wrote about itself.
    pub fn build_holder(&self, build: BuildId) -> String {
        disk::holder(&self.build_lock(build))
    }

    /// Returns the folder for files on their way to and from providers.
    pub fn batch_folder(&self) -> Result<PathBuf, StoreError> {
        let folder = self.folder.join("batches");
        disk::create_folder(&folder)?;
        Ok(folder)
    }

    fn build_lock(&self, build: BuildId) -> PathBuf {
        self.folder.join("locks").join(format!("build-{}", build.0))
    }

    fn execute_batch(&self, statement: &str) -> Result<(), StoreError> {
        self.connection
            .execute_batch(statement)
            .map_err(|source| self.failed(source))
    }
}

#[cfg(test)]
mod tests;
