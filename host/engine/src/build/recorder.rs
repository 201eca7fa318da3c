//! Records what happens to units: a build in the store, a plan in notes that describe it.
//!
//! The scheduler takes one path for both. This file alone knows that a plan
//! writes nothing, and it is the one place where a unit and its outputs,
//! inputs and transcript become rows.

use std::sync::Arc;

use synix_core::artifact::Artifact;
use synix_core::clock::Clock;
use synix_core::digest::Digest;
use synix_core::fingerprint::StaleReason;
use synix_core::ids::UnitKey;
use synix_core::request::Failure;
use synix_sandbox::LogLine;
use synix_store::{
    ArtifactId, BuildId, BuildLayer, NewUnit, Realm, RequestId, Store, StoreError, UnitId,
    UnitState,
};

use super::handle::{FileArtifact, Location};
use crate::pending::PendingRequest;
use crate::plan::{PlanFailure, PlanUnit};

/// Where a scheduler records what happens.
#[derive(Debug)]
pub(super) enum Recorder<'a> {
    /// A build writes to the store.
    Store(StoreRecorder<'a>),
    /// A plan takes notes and writes nothing.
    Notes(PlanNotes),
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
    pub(super) layers: Vec<LayerNotes>,
}

impl PlanNotes {
    pub(super) fn new(layers: usize) -> Self {
        Self {
            layers: (0..layers).map(|_| LayerNotes::default()).collect(),
        }
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

impl<'a> Recorder<'a> {
    /// Returns the store whose transactions keep what is recorded; `None`: nothing is written.
    pub(super) const fn store(&self) -> Option<&'a Store> {
        match self {
            Self::Store(recorder) => Some(recorder.store),
            Self::Notes(_) => None,
        }
    }

    /// Records why a unit is stale. A build has no use for the reasons, which take time to find.
    pub(super) fn stale(
        &mut self,
        layer: usize,
        key: &UnitKey,
        reasons: impl FnOnce() -> Result<Vec<StaleReason>, StoreError>,
    ) -> Result<(), StoreError> {
        if let Self::Notes(notes) = self {
            notes.layers[layer].stale_units.push(PlanUnit {
                unit: key.to_string(),
                reasons: reasons()?,
                guess: false,
            });
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
            Self::Store(recorder) => {
                let (unit, id) = recorder.source(entry, artifact, digest)?;
                Ok((Some(unit), Location::Stored(id)))
            }
            Self::Notes(_) => Ok((None, Location::File(Arc::new(reread())))),
        }
    }

    /// Records that requests of a layer's units were answered before: a plan shows them.
    pub(super) fn answered(&mut self, layer: usize, asked: &[PendingRequest]) {
        if let Self::Notes(notes) = self {
            let answered = asked.iter().filter(|asked| asked.answer.is_some()).count();
            notes.layers[layer].answered += answered as u64;
        }
    }

    /// Records a unit that waits, with what it asked; returns the numbers of the requests where they have one.
    pub(super) fn suspended(
        &self,
        entry: &Entry<'_>,
        asked: &[PendingRequest],
    ) -> Result<Vec<Option<RequestId>>, StoreError> {
        match self {
            Self::Store(recorder) => {
                let ids = recorder.suspended(entry, asked)?;
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
            Self::Store(recorder) => {
                let (unit, ids) = recorder.done(entry, asked, made)?;
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
        &mut self,
        layer: usize,
        key: &UnitKey,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        match self {
            Self::Store(recorder) => recorder.failed(layer, key.as_str(), failure),
            Self::Notes(notes) => {
                notes.layers[layer].failures.push(PlanFailure {
                    unit: key.to_string(),
                    message: failure.message.clone(),
                });
                Ok(())
            }
        }
    }

    /// Gives up an unfinished unit, so that its fingerprint is free for a new start.
    pub(super) fn retire(&self, unit: UnitId) -> Result<(), StoreError> {
        match self {
            Self::Store(recorder) => recorder.store.retire_unit(unit),
            Self::Notes(_) => Ok(()),
        }
    }

    /// Records the state of the layers, and of no others.
    pub(super) fn layers(&self, layers: &[BuildLayer]) -> Result<(), StoreError> {
        match self {
            Self::Store(recorder) => recorder.layers(layers),
            Self::Notes(_) => Ok(()),
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

/// Writes the rows of a build.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoreRecorder<'a> {
    pub(super) store: &'a Store,
    pub(super) build: BuildId,
    pub(super) realm: Realm,
    pub(super) clock: &'a Clock,
}

impl StoreRecorder<'_> {
    fn suspended(
        &self,
        entry: &Entry<'_>,
        asked: &[PendingRequest],
    ) -> Result<Vec<RequestId>, StoreError> {
        let unit = self.unit(entry, self.realm, UnitState::Waiting, &[])?;
        let requests = self.transcript(unit, asked)?;
        self.keep(entry, UnitState::Waiting)?;
        Ok(requests)
    }

    fn done(
        &self,
        entry: &Entry<'_>,
        asked: &[PendingRequest],
        made: Made<'_>,
    ) -> Result<(UnitId, Vec<ArtifactId>), StoreError> {
        let unit = self.unit(entry, self.realm, UnitState::Done, made.log)?;
        self.transcript(unit, asked)?;
        let mut ids = Vec::with_capacity(made.outputs.len());
        for (position, (output, digest)) in made.outputs.iter().enumerate() {
            ids.push(self.store.add_artifact(unit, position, output, *digest)?);
        }
        self.keep(entry, UnitState::Done)?;
        Ok((unit, ids))
    }

    /// What a file says does not depend on where answers come from, so its realm is always the live one.
    fn source(
        &self,
        entry: &Entry<'_>,
        artifact: &Artifact,
        digest: Digest,
    ) -> Result<(UnitId, ArtifactId), StoreError> {
        let unit = self.unit(entry, Realm::Live, UnitState::Done, &[])?;
        let id = self.store.add_artifact(unit, 0, artifact, digest)?;
        self.keep(entry, UnitState::Done)?;
        Ok((unit, id))
    }

    fn keep(&self, entry: &Entry<'_>, state: UnitState) -> Result<(), StoreError> {
        self.store
            .keep_build_unit(self.build, entry.layer, entry.key.as_str(), state, None)
    }

    fn failed(&self, layer: usize, key: &str, failure: &Failure) -> Result<(), StoreError> {
        self.store
            .keep_build_unit(self.build, layer, key, UnitState::Failed, Some(failure))
    }

    fn layers(&self, layers: &[BuildLayer]) -> Result<(), StoreError> {
        self.store.trim_build_layers(self.build, layers.len())?;
        for layer in layers {
            self.store.keep_build_layer(self.build, layer)?;
        }
        Ok(())
    }

    fn complete(&self, pipeline: &str, layers: &[(String, Vec<UnitId>)]) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store.write(|| {
            self.store
                .take_snapshot(self.build, pipeline, layers, now)?;
            self.store.close_build(self.build, Some(now))
        })
    }

    fn unit(
        &self,
        entry: &Entry<'_>,
        realm: Realm,
        state: UnitState,
        log: &[LogLine],
    ) -> Result<UnitId, StoreError> {
        // One that was made before stays as it was: snapshots and provenance name it.
        if let Some((earlier, _)) = self.store.finished_unit(entry.fingerprint, realm)? {
            self.store.retire_unit(earlier)?;
        }
        let log = (!log.is_empty()).then(|| {
            log.iter()
                .map(|line| format!("{} {}\n", line.level, line.message))
                .collect::<String>()
        });
        let unit = self.store.keep_unit(&NewUnit {
            fingerprint: entry.fingerprint,
            realm,
            layer: entry.layer_name,
            key: entry.key,
            done: state == UnitState::Done,
            partial: entry.partial,
            build: self.build,
            parts: entry.parts,
            roles: entry.roles,
            log: log.as_deref(),
        })?;
        for (position, input) in entry.inputs.iter().enumerate() {
            if let Some(input) = input {
                self.store.add_input(unit, position, *input)?;
            }
        }
        Ok(unit)
    }

    fn transcript(
        &self,
        unit: UnitId,
        asked: &[PendingRequest],
    ) -> Result<Vec<RequestId>, StoreError> {
        let mut requests = Vec::with_capacity(asked.len());
        for (position, asked) in asked.iter().enumerate() {
            let request = self.store.add_request(asked.key, &asked.request)?;
            if let (Some(answer), Realm::Replay(_)) = (&asked.answer, self.realm) {
                self.store.keep_answer(request, self.realm, answer, None)?;
            }
            let answered = asked
                .answer
                .as_ref()
                .map(|answer| (self.realm, answer.ending));
            self.store
                .add_to_transcript(unit, position, request, answered)?;
            requests.push(request);
        }
        Ok(requests)
    }
}
