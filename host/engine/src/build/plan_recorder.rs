//! The recorder of a plan: it takes notes in memory and writes nothing.

use std::cell::RefCell;
use std::sync::Arc;

use super::BuildError;
use super::handle::{FileArtifact, Location};
use super::layer_run::RecordedRun;
use super::readers::FileResult;
use super::recorder::{Record, RecordedUnit, Recorder, UnitEntry, UnitResult};
use super::unit::RunRequest;
use crate::plan::{PlanFailure, PlanUnit};
use synix_core::artifact::Artifact;
use synix_core::digest::Digest;
use synix_core::fingerprint::StaleReason;
use synix_core::ids::UnitKey;
use synix_core::request::{Failure, Request};
use synix_store::{BuildLayer, FileDigest, NewSnapshotLayer, StoreError, UnitId};

/// What a plan shows of a layer beside its counts.
#[derive(Debug, Default)]
pub(super) struct LayerNotes {
    pub(super) stale_units: Vec<PlanUnit>,
    pub(super) failures: Vec<PlanFailure>,
    /// Requests of its units that were answered before.
    pub(super) answered: u64,
}

/// The notes of a plan, by layer.
#[derive(Debug)]
pub(super) struct PlanRecorder {
    layers: RefCell<Vec<LayerNotes>>,
}

impl PlanRecorder {
    pub(super) fn new(layers: usize) -> Self {
        let layers = (0..layers).map(|_| LayerNotes::default()).collect();
        Self {
            layers: RefCell::new(layers),
        }
    }

    /// Returns the keys of a layer's stale units.
    pub(super) fn stale_units(&self, layer: usize) -> Vec<String> {
        let layers = self.layers.borrow();
        let units = layers[layer].stale_units.iter();
        units.map(|unit| unit.unit.clone()).collect()
    }

    /// Takes the notes on a layer.
    pub(super) fn take_notes(&self, layer: usize) -> LayerNotes {
        std::mem::take(&mut self.layers.borrow_mut()[layer])
    }

    fn note(&self, layer: usize, change: impl FnOnce(&mut LayerNotes)) {
        change(&mut self.layers.borrow_mut()[layer]);
    }
}

impl Recorder for &PlanRecorder {
    type Request = Arc<Request>;
    type Record<'t> = Self;

    fn in_transaction<T>(
        self,
        act: impl FnOnce(Self) -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        act(self)
    }

    fn complete(self, _: &str, _: &[NewSnapshotLayer]) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Record for &PlanRecorder {
    type Request = Arc<Request>;

    fn stale(
        self,
        layer: usize,
        key: &UnitKey,
        reasons: impl FnOnce() -> Result<Vec<StaleReason>, StoreError>,
    ) -> Result<(), StoreError> {
        let unit = PlanUnit {
            unit: key.to_string(),
            reasons: reasons()?,
            guess: false,
        };
        self.note(layer, |notes| notes.stale_units.push(unit));
        Ok(())
    }

    fn source(
        self,
        _: &UnitEntry<'_>,
        _: &Artifact,
        _: Digest,
        file: impl FnOnce() -> FileArtifact,
    ) -> Result<(Option<UnitId>, Location), StoreError> {
        Ok((None, Location::File(Arc::new(file()))))
    }

    fn file_digest(self, _: &str, _: &FileDigest) -> Result<(), StoreError> {
        Ok(())
    }

    fn unreadable(self, _: &UnitEntry<'_>, _: &Failure) -> Result<(), StoreError> {
        Ok(())
    }

    fn read(self, _: &UnitEntry<'_>, result: &FileResult) -> Result<RecordedUnit, BuildError> {
        let artifacts = result.artifacts.iter();
        let locations =
            artifacts.map(|spooled| Location::Spooled(Arc::clone(&result.spool), spooled.range));
        Ok((None, locations.collect()))
    }

    fn answered(self, layer: usize, requests: &[RunRequest]) {
        let answered = requests.iter().filter(|(_, answer)| answer.is_some());
        let count = answered.count() as u64;
        self.note(layer, |notes| notes.answered += count);
    }

    fn suspended(
        self,
        _: &UnitEntry<'_>,
        first: usize,
        requests: &[RunRequest],
    ) -> Result<(Option<UnitId>, Vec<Self::Request>), StoreError> {
        let requests = self.continued(None, first, requests)?;
        Ok((None, requests.unwrap_or_default()))
    }

    fn continued(
        self,
        _: Option<UnitId>,
        _: usize,
        requests: &[RunRequest],
    ) -> Result<Option<Vec<Self::Request>>, StoreError> {
        let texts = requests.iter().map(|(pending, _)| &pending.request);
        Ok(Some(texts.map(Arc::clone).collect()))
    }

    fn finished(
        self,
        _: &UnitEntry<'_>,
        _: &RecordedRun,
        _: (usize, &[RunRequest]),
        _: &UnitResult,
    ) -> Result<Option<RecordedUnit>, StoreError> {
        Ok(None)
    }

    fn done(
        self,
        _: &UnitEntry<'_>,
        _: usize,
        _: &[RunRequest],
        result: &UnitResult,
    ) -> Result<RecordedUnit, StoreError> {
        let outputs = result.outputs.iter();
        let locations = outputs.map(|(output, _)| Location::Memory(Arc::new(output.clone())));
        Ok((None, locations.collect()))
    }

    fn failed(self, layer: usize, key: &UnitKey, failure: &Failure) -> Result<(), StoreError> {
        let failure = PlanFailure {
            unit: key.to_string(),
            message: failure.message.clone(),
        };
        self.note(layer, |notes| notes.failures.push(failure));
        Ok(())
    }

    fn retire(self, _: UnitId) -> Result<(), StoreError> {
        Ok(())
    }

    fn layers(self, _: &[BuildLayer]) -> Result<(), StoreError> {
        Ok(())
    }
}
