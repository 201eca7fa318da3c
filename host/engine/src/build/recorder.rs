//! Records what happens to units: a build in the store, a plan in notes.
//!
//! The scheduler is the same for both. A [`Recorder`] opens a transaction; a [`Record`] takes records within it.

use super::BuildError;
use super::handle::{FileArtifact, Location};
use super::layer_run::RecordedRun;
use super::readers::FileResult;
use super::unit::RunRequest;
use synix_core::artifact::Artifact;
use synix_core::digest::Digest;
use synix_core::fingerprint::StaleReason;
use synix_core::ids::UnitKey;
use synix_core::request::Failure;
use synix_sandbox::LogLine;
use synix_store::{ArtifactId, BuildLayer, FileDigest, NewSnapshotLayer, StoreError, UnitId};

/// Where a scheduler records what happens to its units.
pub(super) trait Recorder: Copy {
    /// What an answerer gets of a recorded request.
    type Request;
    type Record<'t>: Record<Request = Self::Request>;

    /// Runs `act` on a record, within one transaction if the record is stored.
    fn in_transaction<T>(
        self,
        act: impl FnOnce(Self::Record<'_>) -> Result<T, BuildError>,
    ) -> Result<T, BuildError>;

    /// Takes the snapshot of a complete build and closes the build.
    fn complete(self, pipeline: &str, layers: &[NewSnapshotLayer]) -> Result<(), StoreError>;
}

/// A recorded unit, and where its outputs are. The unit of a plan has no number.
pub(super) type RecordedUnit = (Option<UnitId>, Vec<Location>);

/// Takes records within one transaction.
pub(super) trait Record: Copy {
    /// What an answerer gets of a recorded request.
    type Request;

    /// Records why a unit is stale. A build does not call `reasons`, because finding them takes time.
    fn stale(
        self,
        layer: usize,
        key: &UnitKey,
        reasons: impl FnOnce() -> Result<Vec<StaleReason>, StoreError>,
    ) -> Result<(), StoreError>;

    /// Records a source's file, and returns where its content is.
    ///
    /// A plan keeps `file` and not the contents: those of all files may not fit into memory together.
    fn source(
        self,
        unit: &UnitEntry<'_>,
        artifact: &Artifact,
        digest: Digest,
        file: impl FnOnce() -> FileArtifact,
    ) -> Result<(Option<UnitId>, Location), StoreError>;

    /// Records the digest of a source's file.
    fn file_digest(self, path: &str, file: &FileDigest) -> Result<(), StoreError>;

    /// Records that the reader fails whenever it reads a file; `unit` is that of the file.
    fn unreadable(self, unit: &UnitEntry<'_>, failure: &Failure) -> Result<(), StoreError>;

    /// Records what a reader made of a file, and returns where its artifacts are.
    fn read(self, unit: &UnitEntry<'_>, result: &FileResult) -> Result<RecordedUnit, BuildError>;

    /// Records that requests of a layer were answered before.
    fn answered(self, layer: usize, requests: &[RunRequest]);

    /// Records a unit that waits, and its requests from the position `first` on. Returns the unit and each of these
    /// requests as an answerer gets it.
    fn suspended(
        self,
        unit: &UnitEntry<'_>,
        first: usize,
        requests: &[RunRequest],
    ) -> Result<(Option<UnitId>, Vec<Self::Request>), StoreError>;

    /// Records the requests, from the position `first` on, of a unit that is recorded as waiting, and returns each
    /// request as an answerer gets it. `None`: the unit must be recorded as a whole again.
    fn continued(
        self,
        unit: Option<UnitId>,
        first: usize,
        requests: &[RunRequest],
    ) -> Result<Option<Vec<Self::Request>>, StoreError>;

    /// Records that a unit is finished that is recorded as waiting, with its requests from a position on, and returns
    /// where its outputs are. The parts and inputs of `unit` are on record. `None`: it must be recorded as a whole
    /// again.
    fn finished(
        self,
        unit: &UnitEntry<'_>,
        recorded: &RecordedRun,
        requests: (usize, &[RunRequest]),
        result: &UnitResult,
    ) -> Result<Option<RecordedUnit>, StoreError>;

    /// Records a finished unit and its requests from the position `first` on, and returns where its outputs are.
    fn done(
        self,
        unit: &UnitEntry<'_>,
        first: usize,
        requests: &[RunRequest],
        result: &UnitResult,
    ) -> Result<RecordedUnit, StoreError>;

    /// Records that a unit failed or was held back.
    fn failed(self, layer: usize, key: &UnitKey, failure: &Failure) -> Result<(), StoreError>;

    /// Retires an unfinished unit, so that another one can have its fingerprint.
    fn retire(self, unit: UnitId) -> Result<(), StoreError>;

    /// Records the state of all layers, and deletes any others.
    fn layers(self, layers: &[BuildLayer]) -> Result<(), StoreError>;
}

/// A unit as it is recorded.
#[derive(Debug)]
pub(super) struct UnitEntry<'a> {
    pub(super) layer: usize,
    pub(super) layer_name: &'a str,
    pub(super) key: &'a UnitKey,
    pub(super) fingerprint: Digest,
    pub(super) parts: &'a str,
    pub(super) partial: bool,
    pub(super) inputs: &'a [Option<ArtifactId>],
    /// The settings of the model roles that it used beside its layer's role.
    pub(super) roles: Option<&'a str>,
}

/// The result of a finished unit.
#[derive(Debug)]
pub(super) struct UnitResult {
    pub(super) outputs: Vec<(Artifact, Digest)>,
    pub(super) log: Vec<LogLine>,
}
