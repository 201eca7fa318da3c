//! The state of a project: one SQLite database and a folder of large contents.
//!
//! ```text
//! .synix/
//!   state.sqlite3   units, artifacts, requests, answers, submissions, builds, snapshots
//!   objects/ab/cd…  contents over 64 KiB, under their digest
//!   locks/build-7   locked by the process that drives build 7
//!   batches/        files to upload to and downloaded from providers
//!   damaged-…       a damaged database; the marker damage.json describes it
//! ```
//!
//! [`Store::write`] runs a [`Transaction`], whose methods write. A [`Reader`] only reads; many threads and processes
//! can read while one writes. Each module owns the tables of one subject; `database` owns the file itself.
//!
//! ```
//! use synix_core::clock::Timestamp;
//! use synix_core::digest::Digest;
//! use synix_store::{BuildKind, NewBuild, Reader, AnswerOrigin, Store};
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
//!         answer_origin: AnswerOrigin::Live,
//!         opened: Timestamp(0),
//!     })
//! })?;
//!
//! // Many processes can read while one writes.
//! let reader = Reader::open(&state)?;
//! assert_eq!(reader.open_builds()?, [build]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod additions;
mod answers;
mod artifacts;
mod attempt_state;
mod attempts;
mod build;
mod connection;
mod database;
mod error;
mod file_digests;
mod file_failures;
mod files;
mod gc;
mod known_layers;
mod label_order;
mod locks;
mod log;
mod log_times;
mod migrations;
mod objects;
mod paid;
mod read_only;
mod recent_answers;
mod recovery;
mod requests;
mod schema_check;
mod sends;
mod shared;
mod skipped;
mod snapshot_artifacts;
mod snapshot_changes;
mod snapshots;
mod statement;
mod submission;
mod submission_table;
mod sweep;
mod times;
mod transaction;
mod transcripts;
mod trial_snapshots;
mod unit_row;
mod units;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use additions::Additions;
use connection::BoundedConnection;
use read_only::ReadFallback;
use recovery::seal;

use synix_disk::Folder;

pub use answers::{AnswerId, AnswerOrigin};
pub use artifacts::{ArtifactId, StoredArtifact};
pub use attempts::{AttemptId, AttemptNote, Claim, SendContext, SendTotals};
pub use build::{
    BuildId, BuildKind, BuildLayer, BuildRow, BuildStep, BuildUnit, FailedPage, LayerMode,
    LayerTally, NewBuild, NewBuildUnit, UnitState,
};
pub use database::SUPPORTED_FORMAT;
pub use error::{StoreError, SystemError};
pub use file_digests::FileDigest;
pub use files::check_database_files;
pub use gc::{GcReport, GcRules};
pub use known_layers::{KnownLayer, set_digest};
pub use label_order::LabelOrder;
pub use log::{LogEntry, LogPage, LogRecord, SendOutcome};
pub use paid::{AnswerPolicy, RetrySelection};
pub use read_only::immutable_uri;
pub use recent_answers::{RecentAnswer, RecentAnswers};
pub use recovery::{Damage, LostBatch, RowCount, Salvaged, refuse_network_file_system};
pub use requests::RequestId;
pub use sends::{SendRecord, SendState};
pub use shared::{ShareableAnswer, SharedOrigin, SharedRequest};
pub use snapshot_artifacts::SnapshotArtifact;
pub use snapshot_changes::LayerChanges;
pub use snapshots::{NewSnapshotLayer, Snapshot, SnapshotId, SnapshotUnit};
pub use submission::{
    BatchOwner, Submission, SubmissionId, SubmissionRequest, SubmissionState, SubmissionStep,
    SubmissionVersion,
};
pub use times::{LayerTimes, SendSelection, TimedSend, TimedUnit};
use transaction::Durability;
pub use transaction::Transaction;
pub use transcripts::TranscriptEntry;
pub use units::{NewUnit, OpenUnit, StoredUnit, UnitId};

/// A read-only view of the state.
#[derive(Debug)]
pub struct Reader {
    connection: BoundedConnection,
    state_folder: Folder,
    /// What is read instead of the file, if the file cannot be opened.
    fallback: Option<Arc<ReadFallback>>,
    additions: Additions,
}

impl Reader {
    /// Calls `read` while this reader sees one state of the database, whatever others write in the meantime. It takes
    /// the lock of a reader once, and not for each statement. It must not be called in `read`.
    pub fn unchanged<T>(&self, read: impl FnOnce() -> T) -> Result<T, StoreError> {
        let snapshot = self.connection.unchecked_transaction();
        let snapshot = snapshot.map_err(|source| self.failed(source))?;
        let done = read();
        drop(snapshot);
        Ok(done)
    }
}

/// The state, open for reading and writing.
#[derive(Debug)]
pub struct Store {
    reader: Reader,
    /// The setting of the connection.
    durability: Cell<Durability>,
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
        Self::open_with_fallback(folder, None)
    }

    /// Opens another connection to the same state, for another thread.
    pub fn try_clone(&self) -> Result<Self, StoreError> {
        Self::open_with_fallback(self.state_folder.path(), self.fallback.as_ref())
    }

    fn open_with_fallback(
        folder: &Path,
        fallback: Option<&Arc<ReadFallback>>,
    ) -> Result<Self, StoreError> {
        let absent = || StoreError::Absent {
            path: folder.to_owned(),
        };
        let state_folder = files::open(folder)?.ok_or_else(absent)?;
        let (connection, fallback) = database::open_to_read(&state_folder, fallback)?;
        let additions =
            Additions::of(&connection).map_err(|source| database::failed(&state_folder, source))?;
        Ok(Self {
            additions,
            connection,
            state_folder,
            fallback,
        })
    }

    /// Returns the path of the state folder.
    pub fn folder(&self) -> &Path {
        self.state_folder.path()
    }

    /// Returns the SQL expression for the seal of a row of `table`.
    fn seal_column(&self, table: &str) -> String {
        if self.additions.seals {
            format!("{table}.{}", seal::COLUMN)
        } else {
            "NULL".to_owned()
        }
    }

    /// Returns the SQL expression for the seal of a row of `unit` or `unit_detail`, under the alias `name`.
    fn unit_seal_column(&self, name: &str) -> String {
        if self.additions.unit_seals {
            format!("{name}.{}", seal::COLUMN)
        } else {
            "NULL".to_owned()
        }
    }

    fn failed(&self, source: rusqlite::Error) -> StoreError {
        database::failed(&self.state_folder, source)
    }
}

impl Store {
    /// Opens the state in `folder` for writing; creates or migrates it if necessary.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let state_folder = files::open_or_create(folder)?;
        // The state is derived data, so it must not be committed with the project.
        if !state_folder.has_file(".gitignore")? {
            state_folder
                .replace(".gitignore", b"*\n")
                .map_err(|error| files::file_error(&state_folder, error))?;
        }
        Ok(Self::from_connection(
            database::open_for_writing(&state_folder)?,
            state_folder,
        ))
    }

    fn from_connection(connection: BoundedConnection, state_folder: Folder) -> Self {
        Self {
            reader: Reader {
                connection,
                state_folder,
                fallback: None,
                additions: Additions::ALL,
            },
            // As `database::open_for_writing` sets it.
            durability: Cell::new(Durability::Full),
        }
    }

    /// Returns the path of a batch file of a submission.
    ///
    /// The token is read from a row and becomes a file name, so its form is checked. The path has no link in it, and
    /// the file is a regular file or does not exist.
    pub fn batch_file(&self, token: &str, ending: &str) -> Result<PathBuf, StoreError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if token.is_empty() || !token.chars().all(is_plain) {
            return Err(StoreError::Unusable {
                what: "submission",
                detail: format!("{token:?} is not a token"),
            });
        }
        let folder = self.state_folder.open_or_create_folder(BATCHES)?;
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

/// The folders of locks and of batch files.
const BATCHES: &str = "batches";

#[cfg(test)]
mod tests;
