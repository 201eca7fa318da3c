//! Writes down what a build does, or, in a dry run, nothing.
//!
//! The one place where a unit and its outputs, inputs and transcript become rows. [`Journal`] says where they go;
//! [`Record`] writes them, within one transaction.

use synix_core::artifact::Artifact;
use synix_core::clock::{Clock, Moment};
use synix_core::digest::Digest;
use synix_core::ids::UnitKey;
use synix_core::request::Failure;
use synix_sandbox::LogLine;
use synix_store::{
    ArtifactId, BuildId, BuildLayer, NewUnit, Realm, RequestId, Store, StoreError, Transaction,
    UnitId, UnitState,
};

use super::unit::AskedRequest;

/// Where a build is written down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Journal<'a> {
    pub(super) store: &'a Store,
    pub(super) build: BuildId,
    pub(super) realm: Realm,
    pub(super) clock: &'a Clock,
}

/// A unit as it is written down.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) layer: usize,
    pub(super) layer_name: &'a str,
    pub(super) key: &'a UnitKey,
    pub(super) fingerprint: Digest,
    pub(super) parts: &'a str,
    pub(super) partial: bool,
    pub(super) inputs: &'a [Option<ArtifactId>],
}

/// A journal while one of its transactions is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'t> {
    pub(super) journal: Journal<'t>,
    pub(super) tx: &'t Transaction<'t>,
}

impl Journal<'_> {
    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }
}

impl Record<'_> {
    /// Writes a unit that waits, with what it asked; returns the numbers of the requests.
    pub(super) fn suspended(
        &self,
        entry: &Entry<'_>,
        asked: &[AskedRequest],
        roles: Option<&str>,
    ) -> Result<Vec<RequestId>, StoreError> {
        let unit = self.unit(entry, self.journal.realm, false, roles, &[])?;
        let requests = self.transcript(unit, asked)?;
        self.tx.keep_build_unit(
            self.journal.build,
            entry.layer,
            entry.key.as_str(),
            UnitState::Waiting,
        )?;
        Ok(requests)
    }

    /// Writes a finished unit with its outputs.
    pub(super) fn done(
        &self,
        entry: &Entry<'_>,
        asked: &[AskedRequest],
        roles: Option<&str>,
        outputs: &[(Artifact, Digest)],
        log: &[LogLine],
    ) -> Result<(UnitId, Vec<ArtifactId>), StoreError> {
        let unit = self.unit(entry, self.journal.realm, true, roles, log)?;
        self.transcript(unit, asked)?;
        let mut ids = Vec::with_capacity(outputs.len());
        for (position, (output, digest)) in outputs.iter().enumerate() {
            ids.push(self.tx.add_artifact(unit, position, output, *digest)?);
        }
        self.tx.keep_build_unit(
            self.journal.build,
            entry.layer,
            entry.key.as_str(),
            UnitState::Done,
        )?;
        Ok((unit, ids))
    }

    /// Lets a unit go, so that its fingerprint is free for another beginning.
    pub(super) fn retire(&self, unit: UnitId) -> Result<(), StoreError> {
        self.tx.retire_unit(unit)
    }

    /// Writes a source's file. What it says does not depend on where answers come from.
    pub(super) fn source(
        &self,
        entry: &Entry<'_>,
        artifact: &Artifact,
        digest: Digest,
    ) -> Result<(UnitId, ArtifactId), StoreError> {
        let unit = self.unit(entry, Realm::Live, true, None, &[])?;
        let id = self.tx.add_artifact(unit, 0, artifact, digest)?;
        self.tx.keep_build_unit(
            self.journal.build,
            entry.layer,
            entry.key.as_str(),
            UnitState::Done,
        )?;
        Ok((unit, id))
    }

    /// Writes that a unit failed or was held back.
    pub(super) fn failed(
        &self,
        layer: usize,
        key: &str,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        self.tx
            .keep_build_unit(self.journal.build, layer, key, UnitState::Failed(failure))
    }

    /// Writes where the layers stand, and no others.
    pub(super) fn layers(&self, layers: &[BuildLayer]) -> Result<(), StoreError> {
        self.tx
            .trim_build_layers(self.journal.build, layers.len())?;
        for layer in layers {
            self.tx.keep_build_layer(self.journal.build, layer)?;
        }
        Ok(())
    }

    fn unit(
        &self,
        entry: &Entry<'_>,
        realm: Realm,
        done: bool,
        roles: Option<&str>,
        log: &[LogLine],
    ) -> Result<UnitId, StoreError> {
        // One that was made before stays as it was: snapshots and provenance name it.
        if let Some((earlier, _)) = self.tx.finished_unit(entry.fingerprint, realm)? {
            self.tx.retire_unit(earlier)?;
        }
        let log = (!log.is_empty()).then(|| {
            log.iter()
                .map(|line| format!("{} {}\n", line.level, line.message))
                .collect::<String>()
        });
        let unit = self.tx.keep_unit(&NewUnit {
            fingerprint: entry.fingerprint,
            realm,
            layer: entry.layer_name,
            key: entry.key,
            done,
            partial: entry.partial,
            build: self.journal.build,
            parts: entry.parts,
            roles,
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
        asked: &[AskedRequest],
    ) -> Result<Vec<RequestId>, StoreError> {
        let mut requests = Vec::with_capacity(asked.len());
        for (position, asked) in asked.iter().enumerate() {
            let request = self.tx.add_request(asked.key, &asked.request)?;
            if let (Some(answer), Realm::Replay(_)) = (&asked.answer, self.journal.realm) {
                self.tx
                    .keep_answer(request, self.journal.realm, answer, None)?;
            }
            let answered = asked
                .answer
                .as_ref()
                .map(|answer| (self.journal.realm, answer.ending));
            self.tx
                .add_to_transcript(unit, position, request, answered)?;
            requests.push(request);
        }
        Ok(requests)
    }
}
