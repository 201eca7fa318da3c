//! Records what happens to units: a build in the store, a plan in notes that describe it.
//!
//! The scheduler takes one path for both: this file alone knows that a plan
//! writes nothing. [`Recorder`] says where records go; a [`Record`] takes them,
//! within one transaction of a store.

use std::cell::RefCell;
use std::sync::Arc;

use synix_core::artifact::Artifact;
use synix_core::digest::Digest;
use synix_core::fingerprint::StaleReason;
use synix_core::ids::UnitKey;
use synix_core::request::Failure;
use synix_sandbox::LogLine;
use synix_store::{ArtifactId, BuildLayer, RequestId, StoreError, UnitId};

use super::handle::{FileArtifact, Location};
use super::store_recorder::{StoreRecord, StoreRecorder};
use crate::pending::PendingRequest;
use crate::plan::{PlanFailure, PlanUnit};

/// Where a scheduler records what happens.
#[derive(Debug, Clone, Copy)]
pub(super) enum Recorder<'a> {
    /// A build writes to the store.
    Store(StoreRecorder<'a>),
    /// A plan takes notes and writes nothing.
    Notes(&'a PlanNotes),
}

/// A recorder that takes records.
#[derive(Debug, Clone, Copy)]
pub(super) enum Record<'t> {
    /// Rows of one transaction.
    Store(StoreRecord<'t>),
    /// Notes, which no transaction keeps.
    Notes(&'t PlanNotes),
}

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
pub(super) struct PlanNotes {
    layers: RefCell<Vec<LayerNotes>>,
}

impl PlanNotes {
    pub(super) fn new(layers: usize) -> Self {
        let layers = (0..layers).map(|_| LayerNotes::default()).collect();
        Self {
            layers: RefCell::new(layers),
        }
    }

    fn change(&self, layer: usize, change: impl FnOnce(&mut LayerNotes)) {
        change(&mut self.layers.borrow_mut()[layer]);
    }
}

/// A unit as it is recorded.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) layer: usize,
    pub(super) layer_name: &'a str,
    pub(super) key: &'a UnitKey,
    pub(super) fingerprint: Digest,
    pub(super) parts: &'a str,
    pub(super) partial: bool,
    pub(super) inputs: &'a [Option<ArtifactId>],
    /// Settings of the model roles that it used beside its layer's.
    pub(super) roles: Option<&'a str>,
}

/// What a finished unit made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made<'a> {
    pub(super) outputs: &'a [(Artifact, Digest)],
    pub(super) log: &'a [LogLine],
}

impl Recorder<'_> {
    /// Runs `act` on a record: within one transaction, if anything is written.
    pub(super) fn written<T, E: From<StoreError>>(
        self,
        act: impl FnOnce(Record<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::Store(recorder) => recorder
                .store
                .write(|tx| act(Record::Store(StoreRecord { recorder, tx }))),
            Self::Notes(notes) => act(Record::Notes(notes)),
        }
    }

    /// Returns the stale units of a layer that are noted.
    pub(super) fn stale_units(&self, layer: usize) -> Vec<String> {
        match self {
            Self::Store(_) => Vec::new(),
            Self::Notes(notes) => {
                let layers = notes.layers.borrow();
                let units = layers[layer].stale_units.iter();
                units.map(|unit| unit.unit.clone()).collect()
            }
        }
    }

    /// Takes the notes on a layer.
    pub(super) fn take_notes(&self, layer: usize) -> LayerNotes {
        match self {
            Self::Store(_) => LayerNotes::default(),
            Self::Notes(notes) => std::mem::take(&mut notes.layers.borrow_mut()[layer]),
        }
    }

    /// Takes the snapshot of a complete build and closes it.
    pub(super) fn complete(
        &self,
        pipeline: &str,
        layers: &[(String, Vec<UnitId>)],
    ) -> Result<(), StoreError> {
        match self {
            Self::Store(recorder) => recorder.complete(pipeline, layers),
            Self::Notes(_) => Ok(()),
        }
    }
}

impl Record<'_> {
    /// Records why a unit is stale. A build has no use for the reasons, which take time to find.
    pub(super) fn stale(
        &self,
        layer: usize,
        key: &UnitKey,
        reasons: impl FnOnce() -> Result<Vec<StaleReason>, StoreError>,
    ) -> Result<(), StoreError> {
        if let Self::Notes(notes) = self {
            let unit = PlanUnit {
                unit: key.to_string(),
                reasons: reasons()?,
                guess: false,
            };
            notes.change(layer, |notes| notes.stale_units.push(unit));
        }
        Ok(())
    }

    /// Records a source's file. `reread` describes the file to a plan, which keeps no contents: together they may not
    /// fit into memory.
    pub(super) fn source(
        &self,
        entry: &Entry<'_>,
        artifact: &Artifact,
        digest: Digest,
        reread: impl FnOnce() -> FileArtifact,
    ) -> Result<(Option<UnitId>, Location), StoreError> {
        match self {
            Self::Store(record) => {
                let (unit, id) = record.source(entry, artifact, digest)?;
                Ok((Some(unit), Location::Stored(id)))
            }
            Self::Notes(_) => Ok((None, Location::File(Arc::new(reread())))),
        }
    }

    /// Records that requests of a layer's units were answered before: a plan shows them.
    pub(super) fn answered(&self, layer: usize, asked: &[PendingRequest]) {
        if let Self::Notes(notes) = self {
            let answered = asked.iter().filter(|asked| asked.answer.is_some()).count();
            notes.change(layer, |notes| notes.answered += answered as u64);
        }
    }

    /// Records a unit that waits, with what it asked; returns the numbers of the requests where they have one.
    pub(super) fn suspended(
        &self,
        entry: &Entry<'_>,
        asked: &[PendingRequest],
    ) -> Result<Vec<Option<RequestId>>, StoreError> {
        match self {
            Self::Store(record) => {
                let ids = record.suspended(entry, asked)?;
                Ok(ids.into_iter().map(Some).collect())
            }
            Self::Notes(_) => Ok(vec![None; asked.len()]),
        }
    }

    /// Records a finished unit; returns where its outputs are.
    pub(super) fn done(
        &self,
        entry: &Entry<'_>,
        asked: &[PendingRequest],
        made: Made<'_>,
    ) -> Result<(Option<UnitId>, Vec<Location>), StoreError> {
        match self {
            Self::Store(record) => {
                let (unit, ids) = record.done(entry, asked, made)?;
                Ok((Some(unit), ids.into_iter().map(Location::Stored).collect()))
            }
            Self::Notes(_) => {
                let outputs = made.outputs.iter();
                let locations =
                    outputs.map(|(output, _)| Location::Memory(Arc::new(output.clone())));
                Ok((None, locations.collect()))
            }
        }
    }

    /// Records that a unit failed or was held back.
    pub(super) fn failed(
        &self,
        layer: usize,
        key: &UnitKey,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        match self {
            Self::Store(record) => record.failed(layer, key.as_str(), failure),
            Self::Notes(notes) => {
                let failure = PlanFailure {
                    unit: key.to_string(),
                    message: failure.message.clone(),
                };
                notes.change(layer, |notes| notes.failures.push(failure));
                Ok(())
            }
        }
    }

    /// Gives up an unfinished unit, so that its fingerprint is free for a new start.
    pub(super) fn retire(&self, unit: UnitId) -> Result<(), StoreError> {
        match self {
            Self::Store(record) => record.retire(unit),
            Self::Notes(_) => Ok(()),
        }
    }

    /// Records the state of the layers, and of no others.
    pub(super) fn layers(&self, layers: &[BuildLayer]) -> Result<(), StoreError> {
        match self {
            Self::Store(record) => record.layers(layers),
            Self::Notes(_) => Ok(()),
        }
    }
}
