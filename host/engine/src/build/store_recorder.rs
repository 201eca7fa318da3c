//! The recorder of a build: the one place where a unit and its outputs, inputs and transcript become rows.

use super::BuildError;
use super::handle::{FileArtifact, Location};
use super::layer_run::RecordedRun;
use super::readers::FileResult;
use super::recorder::{Record, RecordedUnit, Recorder, UnitEntry, UnitResult};
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

/// The row of a unit.
#[derive(Debug, Clone, Copy)]
struct UnitRow {
    id: UnitId,
    /// Whether it has no requests and inputs yet.
    is_new: bool,
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
        let UnitRow { id, .. } = self.add_unit(unit, AnswerOrigin::Live, UnitState::Done, &[])?;
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
    fn read(self, unit: &UnitEntry<'_>, result: &FileResult) -> Result<RecordedUnit, BuildError> {
        let UnitRow { id, .. } =
            self.add_unit(unit, AnswerOrigin::Live, UnitState::Done, &result.log)?;
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
        let row = self.add_unit(unit, self.recorder.answer_origin, UnitState::Waiting, &[])?;
        let requests = self.add_transcript(row, first, requests)?;
        self.set_state(unit, UnitState::Waiting)?;
        Ok((Some(row.id), requests))
    }

    fn continued(
        self,
        unit: Option<UnitId>,
        first: usize,
        requests: &[RunRequest],
    ) -> Result<Option<Vec<RequestId>>, StoreError> {
        let Some(id) = unit else {
            return Ok(None);
        };
        if !self.tx.is_open_unit_of(id, self.recorder.build)? {
            return Ok(None);
        }
        let row = UnitRow { id, is_new: false };
        self.add_transcript(row, first, requests).map(Some)
    }

    fn finished(
        self,
        unit: &UnitEntry<'_>,
        recorded: &RecordedRun,
        (first, requests): (usize, &[RunRequest]),
        result: &UnitResult,
    ) -> Result<Option<RecordedUnit>, StoreError> {
        let answer_origin = self.recorder.answer_origin;
        let (Some(id), true) = (recorded.unit, result.log.is_empty()) else {
            return Ok(None);
        };
        let new = self.new_unit(unit, answer_origin, UnitState::Done, None);
        if !self.tx.finish_unit(id, &new)? {
            return Ok(None);
        }
        let on_record = recorded.requests.saturating_sub(first).min(requests.len());
        let (on_record, added) = requests.split_at(on_record);
        for (position, (_, answer)) in (first..).zip(on_record) {
            if let Some(answer) = answer
                && position >= recorded.answered
            {
                let answered = (answer_origin, answer.ending);
                self.tx.set_transcript_answer(id, position, answered)?;
            }
        }
        let row = UnitRow { id, is_new: false };
        self.add_transcript(row, first + on_record.len(), added)?;
        let locations = self.add_outputs(id, result)?;
        self.set_state(unit, UnitState::Done)?;
        Ok(Some((Some(id), locations)))
    }

    fn done(
        self,
        unit: &UnitEntry<'_>,
        first: usize,
        requests: &[RunRequest],
        result: &UnitResult,
    ) -> Result<RecordedUnit, StoreError> {
        let row = self.add_unit(
            unit,
            self.recorder.answer_origin,
            UnitState::Done,
            &result.log,
        )?;
        self.add_transcript(row, first, requests)?;
        let locations = self.add_outputs(row.id, result)?;
        self.set_state(unit, UnitState::Done)?;
        Ok((Some(row.id), locations))
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
    ) -> Result<UnitRow, StoreError> {
        let log = (!log.is_empty()).then(|| {
            log.iter()
                .map(|line| format!("{} {}\n", line.level, line.message))
                .collect::<String>()
        });
        let new = self.new_unit(unit, answer_origin, state, log.as_deref());
        let row = match self.tx.add_unit(&new)? {
            Some(id) => UnitRow { id, is_new: true },
            None => UnitRow {
                id: self.tx.replace_unit(&new)?,
                is_new: false,
            },
        };
        for (position, input) in unit.inputs.iter().enumerate() {
            if let Some(input) = input {
                self.tx.add_input(row.id, position, *input)?;
            }
        }
        Ok(row)
    }

    fn new_unit<'e>(
        &self,
        unit: &UnitEntry<'e>,
        answer_origin: AnswerOrigin,
        state: UnitState<'_>,
        log: Option<&'e str>,
    ) -> NewUnit<'e> {
        NewUnit {
            fingerprint: unit.fingerprint,
            answer_origin,
            layer: unit.layer_name,
            key: unit.key,
            done: state == UnitState::Done,
            partial: unit.partial,
            build: self.recorder.build,
            parts: unit.parts,
            roles: unit.roles,
            log,
        }
    }

    fn add_outputs(&self, unit: UnitId, result: &UnitResult) -> Result<Vec<Location>, StoreError> {
        let outputs = result.outputs.iter().enumerate();
        let stored = outputs.map(|(position, (output, digest))| {
            let artifact = self.tx.add_artifact(unit, position, output, *digest)?;
            Ok(Location::Stored(artifact))
        });
        stored.collect()
    }

    fn add_transcript(
        &self,
        unit: UnitRow,
        first: usize,
        requests: &[RunRequest],
    ) -> Result<Vec<RequestId>, StoreError> {
        let answer_origin = self.recorder.answer_origin;
        if !unit.is_new {
            self.tx.truncate_transcript(unit.id, first)?;
        }
        let mut ids = Vec::with_capacity(requests.len());
        for (position, (pending, answer)) in requests.iter().enumerate() {
            let id = self.tx.add_request(pending.key, &pending.request)?;
            if let (Some(answer), AnswerOrigin::Replay(_)) = (answer, answer_origin) {
                self.tx.store_answer(id, answer_origin, answer, None)?;
            }
            let answered = answer.as_ref().map(|answer| (answer_origin, answer.ending));
            self.tx
                .add_to_transcript(unit.id, first + position, id, answered)?;
            ids.push(id);
        }
        Ok(ids)
    }
}
