//! Writes the rows of a build: the one place where a unit and its outputs, inputs and transcript become rows.
//!
//! [`StoreRecorder`] says where they go; [`StoreRecord`] writes them, within one transaction.

use synix_core::artifact::Artifact;
use synix_core::clock::Clock;
use synix_core::digest::Digest;
use synix_core::request::Failure;
use synix_sandbox::LogLine;
use synix_store::{
    AnswerOrigin, ArtifactId, BuildId, BuildLayer, NewUnit, RequestId, Store, StoreError,
    Transaction, UnitId, UnitState,
};

use super::recorder::{Entry, Made};
use crate::pending::PendingRequest;

/// Writes the rows of a build.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoreRecorder<'a> {
    pub(super) store: &'a Store,
    pub(super) build: BuildId,
    pub(super) answer_origin: AnswerOrigin,
    pub(super) clock: &'a Clock,
}

/// A recorder while one of its transactions is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoreRecord<'t> {
    pub(super) recorder: StoreRecorder<'t>,
    pub(super) tx: &'t Transaction<'t>,
}

impl StoreRecorder<'_> {
    /// Takes the snapshot of a complete build and closes it.
    pub(super) fn complete(
        &self,
        pipeline: &str,
        layers: &[(String, Vec<UnitId>)],
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store.write(|tx| {
            tx.take_snapshot(self.build, pipeline, layers, now)?;
            tx.close_build(self.build, Some(now))
        })
    }
}

impl StoreRecord<'_> {
    pub(super) fn suspended(
        &self,
        entry: &Entry<'_>,
        asked: &[PendingRequest],
    ) -> Result<Vec<RequestId>, StoreError> {
        let answer_origin = self.recorder.answer_origin;
        let unit = self.unit(entry, answer_origin, UnitState::Waiting, &[])?;
        let requests = self.transcript(unit, asked)?;
        self.keep(entry, UnitState::Waiting)?;
        Ok(requests)
    }

    pub(super) fn done(
        &self,
        entry: &Entry<'_>,
        asked: &[PendingRequest],
        made: Made<'_>,
    ) -> Result<(UnitId, Vec<ArtifactId>), StoreError> {
        let answer_origin = self.recorder.answer_origin;
        let unit = self.unit(entry, answer_origin, UnitState::Done, made.log)?;
        self.transcript(unit, asked)?;
        let mut ids = Vec::with_capacity(made.outputs.len());
        for (position, (output, digest)) in made.outputs.iter().enumerate() {
            ids.push(self.tx.add_artifact(unit, position, output, *digest)?);
        }
        self.keep(entry, UnitState::Done)?;
        Ok((unit, ids))
    }

    /// What a file says does not depend on where answers come from, so its realm is always the live one.
    pub(super) fn source(
        &self,
        entry: &Entry<'_>,
        artifact: &Artifact,
        digest: Digest,
    ) -> Result<(UnitId, ArtifactId), StoreError> {
        let unit = self.unit(entry, AnswerOrigin::Live, UnitState::Done, &[])?;
        let id = self.tx.add_artifact(unit, 0, artifact, digest)?;
        self.keep(entry, UnitState::Done)?;
        Ok((unit, id))
    }

    pub(super) fn retire(&self, unit: UnitId) -> Result<(), StoreError> {
        self.tx.retire_unit(unit)
    }

    fn keep(&self, entry: &Entry<'_>, state: UnitState<'_>) -> Result<(), StoreError> {
        let build = self.recorder.build;
        self.tx
            .store_build_unit(build, entry.layer, entry.key.as_str(), state)
    }

    pub(super) fn failed(
        &self,
        layer: usize,
        key: &str,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        self.tx
            .store_build_unit(self.recorder.build, layer, key, UnitState::Failed(failure))
    }

    pub(super) fn layers(&self, layers: &[BuildLayer]) -> Result<(), StoreError> {
        self.tx
            .trim_build_layers(self.recorder.build, layers.len())?;
        for layer in layers {
            self.tx.store_build_layer(self.recorder.build, layer)?;
        }
        Ok(())
    }

    fn unit(
        &self,
        entry: &Entry<'_>,
        answer_origin: AnswerOrigin,
        state: UnitState<'_>,
        log: &[LogLine],
    ) -> Result<UnitId, StoreError> {
        // One that was made before stays as it was: snapshots and provenance name it.
        if let Some((earlier, _)) = self.tx.finished_unit(entry.fingerprint, answer_origin)? {
            self.tx.retire_unit(earlier)?;
        }
        let log = (!log.is_empty()).then(|| {
            log.iter()
                .map(|line| format!("{} {}\n", line.level, line.message))
                .collect::<String>()
        });
        let unit = self.tx.store_unit(&NewUnit {
            fingerprint: entry.fingerprint,
            answer_origin,
            layer: entry.layer_name,
            key: entry.key,
            done: state == UnitState::Done,
            partial: entry.partial,
            build: self.recorder.build,
            parts: entry.parts,
            roles: entry.roles,
            log: log.as_deref(),
        })?;
        for (position, input) in entry.inputs.iter().enumerate() {
            if let Some(input) = input {
                self.tx.add_input(unit, position, *input)?;
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
            let request = self.tx.add_request(asked.key, &asked.request)?;
            if let (Some(answer), AnswerOrigin::Replay(_)) =
                (&asked.answer, self.recorder.answer_origin)
            {
                self.tx
                    .store_answer(request, self.recorder.answer_origin, answer, None)?;
            }
            let answered = asked
                .answer
                .as_ref()
                .map(|answer| (self.recorder.answer_origin, answer.ending));
            self.tx
                .add_to_transcript(unit, position, request, answered)?;
            requests.push(request);
        }
        Ok(requests)
    }
}
