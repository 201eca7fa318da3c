//! The recorder of a build: the one place where a unit and its outputs, inputs and transcript become rows.

use super::BuildError;
use super::handle::{FileArtifact, Location};
use super::readers::FileResult;
use super::recorder::{Record, Recorder, UnitEntry, UnitResult};
use super::unit::RunRequest;
use synix_core::artifact::Artifact;
use synix_core::clock::Clock;
use synix_core::digest::Digest;
use synix_core::fingerprint::StaleReason;
use synix_core::ids::UnitKey;
use synix_core::request::Failure;
use synix_sandbox::LogLine;
use synix_store::{
    AnswerOrigin, BuildId, BuildLayer, FileDigest, NewBuildUnit, NewSnapshotLayer, NewUnit,
    RequestId, Store, StoreError, Transaction, UnitId, UnitState,
};

/// Writes the rows of a build.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoreRecorder<'a> {
    pub(super) store: &'a Store,
    pub(super) build: BuildId,
    /// The name of the snapshot, if the build is a trial.
    pub(super) trial: Option<&'a str>,
    pub(super) answer_origin: AnswerOrigin,
    pub(super) clock: &'a Clock,
}

/// A recorder while one of its transactions is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoreRecord<'t> {
    recorder: StoreRecorder<'t>,
    tx: &'t Transaction<'t>,
}

impl Recorder for StoreRecorder<'_> {
    type Request = RequestId;
    type Record<'t> = StoreRecord<'t>;

    fn in_transaction<T>(
        self,
        act: impl FnOnce(StoreRecord<'_>) -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        // Units and their requests cost nothing to compute again; sends and answers are written durably by the answerer.
        self.store
            .write_deferred(|tx| act(StoreRecord { recorder: self, tx }))
    }

    fn complete(self, pipeline: &str, layers: &[NewSnapshotLayer]) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store.write(|tx| {
            match self.trial {
                Some(name) => tx.take_trial_snapshot(self.build, (pipeline, name), layers, now)?,
                None => tx.take_snapshot(self.build, pipeline, layers, now)?,
            };
            tx.close_build(self.build, Some(now))
        })
    }
}

impl Record for StoreRecord<'_> {
    type Request = RequestId;

    fn stale(
        self,
        _: usize,
        _: &UnitKey,
        _: impl FnOnce() -> Result<Vec<StaleReason>, StoreError>,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    /// The realm is always the live one, because a file does not depend on where answers come from.
    fn source(
        self,
        unit: &UnitEntry<'_>,
        artifact: &Artifact,
        digest: Digest,
        _: impl FnOnce() -> FileArtifact,
    ) -> Result<(Option<UnitId>, Location), StoreError> {
        let id = self.add_unit(unit, AnswerOrigin::Live, UnitState::Done, &[])?;
        let artifact = self.tx.add_artifact(id, 0, artifact, digest)?;
        self.set_state(unit, UnitState::Done)?;
        Ok((Some(id), Location::Stored(artifact)))
    }

    fn file_digest(self, path: &str, file: &FileDigest) -> Result<(), StoreError> {
        self.tx.store_file_digest(path, file)
    }

    fn unreadable(self, unit: &UnitEntry<'_>, failure: &Failure) -> Result<(), StoreError> {
        let (path, message) = (unit.key.as_str(), failure.message.as_str());
        self.tx
            .store_file_failure(self.recorder.build, unit.fingerprint, path, message)
    }

    /// The answer origin is always the live one, as for other sources.
    fn read(
        self,
        unit: &UnitEntry<'_>,
        result: &FileResult,
    ) -> Result<(Option<UnitId>, Vec<Location>), BuildError> {
        let id = self.add_unit(unit, AnswerOrigin::Live, UnitState::Done, &result.log)?;
        let mut locations = Vec::with_capacity(result.artifacts.len());
        for (position, spooled) in result.artifacts.iter().enumerate() {
            let artifact = result
                .spool
                .artifact(spooled.range)
                .map_err(BuildError::spool_damaged)?;
            let artifact = self
                .tx
                .add_artifact(id, position, &artifact, spooled.digest)?;
            locations.push(Location::Stored(artifact));
        }
        for skipped in &result.skipped {
            self.tx.add_skipped(id, skipped)?;
        }
        self.set_state(unit, UnitState::Done)?;
        Ok((Some(id), locations))
    }

    fn answered(self, _: usize, _: &[RunRequest]) {}

    fn suspended(
        self,
        unit: &UnitEntry<'_>,
        first: usize,
        requests: &[RunRequest],
    ) -> Result<(Option<UnitId>, Vec<RequestId>), StoreError> {
        let id = self.add_unit(unit, self.recorder.answer_origin, UnitState::Waiting, &[])?;
        let requests = self.add_transcript(id, first, requests)?;
        self.set_state(unit, UnitState::Waiting)?;
        Ok((Some(id), requests))
    }

    fn continued(
        self,
        unit: Option<UnitId>,
        first: usize,
        requests: &[RunRequest],
    ) -> Result<Vec<RequestId>, StoreError> {
        match unit {
            Some(unit) => self.add_transcript(unit, first, requests),
            None => unreachable!("a stored unit has a number"),
        }
    }

    fn done(
        self,
        unit: &UnitEntry<'_>,
        first: usize,
        requests: &[RunRequest],
        result: &UnitResult,
    ) -> Result<(Option<UnitId>, Vec<Location>), StoreError> {
        let id = self.add_unit(
            unit,
            self.recorder.answer_origin,
            UnitState::Done,
            &result.log,
        )?;
        self.add_transcript(id, first, requests)?;
        let mut locations = Vec::with_capacity(result.outputs.len());
        for (position, (output, digest)) in result.outputs.iter().enumerate() {
            let artifact = self.tx.add_artifact(id, position, output, *digest)?;
            locations.push(Location::Stored(artifact));
        }
        self.set_state(unit, UnitState::Done)?;
        Ok((Some(id), locations))
    }

    fn failed(self, layer: usize, key: &UnitKey, failure: &Failure) -> Result<(), StoreError> {
        self.store_state(layer, key, UnitState::Failed(failure))
    }

    fn retire(self, unit: UnitId) -> Result<(), StoreError> {
        self.tx.retire_unit(unit)
    }

    fn layers(self, layers: &[BuildLayer]) -> Result<(), StoreError> {
        self.tx
            .trim_build_layers(self.recorder.build, layers.len())?;
        for layer in layers {
            self.tx.store_build_layer(self.recorder.build, layer)?;
        }
        Ok(())
    }
}

impl StoreRecord<'_> {
    fn set_state(&self, unit: &UnitEntry<'_>, state: UnitState<'_>) -> Result<(), StoreError> {
        self.store_state(unit.layer, unit.key, state)
    }

    fn store_state(
        &self,
        layer: usize,
        key: &UnitKey,
        state: UnitState<'_>,
    ) -> Result<(), StoreError> {
        let unit = NewBuildUnit {
            layer,
            key: key.as_str(),
            state,
            now: self.recorder.clock.peek(),
        };
        self.tx.store_build_unit(self.recorder.build, &unit)
    }

    fn add_unit(
        &self,
        unit: &UnitEntry<'_>,
        answer_origin: AnswerOrigin,
        state: UnitState<'_>,
        log: &[LogLine],
    ) -> Result<UnitId, StoreError> {
        // An earlier unit stays as it is: snapshots and provenance refer to it.
        if let Some((earlier, _)) = self.tx.finished_unit(unit.fingerprint, answer_origin)? {
            self.tx.retire_unit(earlier)?;
        }
        let log = (!log.is_empty()).then(|| {
            log.iter()
                .map(|line| format!("{} {}\n", line.level, line.message))
                .collect::<String>()
        });
        let id = self.tx.store_unit(&NewUnit {
            fingerprint: unit.fingerprint,
            answer_origin,
            layer: unit.layer_name,
            key: unit.key,
            done: state == UnitState::Done,
            partial: unit.partial,
            build: self.recorder.build,
            parts: unit.parts,
            roles: unit.roles,
            log: log.as_deref(),
        })?;
        for (position, input) in unit.inputs.iter().enumerate() {
            if let Some(input) = input {
                self.tx.add_input(id, position, *input)?;
            }
        }
        Ok(id)
    }

    fn add_transcript(
        &self,
        unit: UnitId,
        first: usize,
        requests: &[RunRequest],
    ) -> Result<Vec<RequestId>, StoreError> {
        let answer_origin = self.recorder.answer_origin;
        let mut ids = Vec::with_capacity(requests.len());
        for (position, (pending, answer)) in requests.iter().enumerate() {
            let id = self.tx.add_request(pending.key, &pending.request)?;
            if let (Some(answer), AnswerOrigin::Replay(_)) = (answer, answer_origin) {
                self.tx.store_answer(id, answer_origin, answer, None)?;
            }
            let answered = answer.as_ref().map(|answer| (answer_origin, answer.ending));
            self.tx
                .add_to_transcript(unit, first + position, id, answered)?;
            ids.push(id);
        }
        Ok(ids)
    }
}
