//! Writes the rows of a build: the one place where a unit and its outputs, inputs and transcript become rows.

use synix_core::artifact::Artifact;
use synix_core::clock::Clock;
use synix_core::digest::Digest;
use synix_core::request::Failure;
use synix_sandbox::LogLine;
use synix_store::{
    ArtifactId, BuildId, BuildLayer, NewUnit, Realm, RequestId, Store, StoreError, UnitId,
    UnitState,
};

use super::recorder::{Entry, Made};
use crate::pending::PendingRequest;

/// Writes the rows of a build.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoreRecorder<'a> {
    pub(super) store: &'a Store,
    pub(super) build: BuildId,
    pub(super) realm: Realm,
    pub(super) clock: &'a Clock,
}

impl StoreRecorder<'_> {
    pub(super) fn suspended(
        &self,
        entry: &Entry<'_>,
        asked: &[PendingRequest],
    ) -> Result<Vec<RequestId>, StoreError> {
        let unit = self.unit(entry, self.realm, UnitState::Waiting, &[])?;
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
    pub(super) fn source(
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

    pub(super) fn failed(
        &self,
        layer: usize,
        key: &str,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        self.store
            .keep_build_unit(self.build, layer, key, UnitState::Failed, Some(failure))
    }

    pub(super) fn layers(&self, layers: &[BuildLayer]) -> Result<(), StoreError> {
        self.store.trim_build_layers(self.build, layers.len())?;
        for layer in layers {
            self.store.keep_build_layer(self.build, layer)?;
        }
        Ok(())
    }

    pub(super) fn complete(
        &self,
        pipeline: &str,
        layers: &[(String, Vec<UnitId>)],
    ) -> Result<(), StoreError> {
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
