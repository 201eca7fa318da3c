//! Units, work done or begun under one fingerprint (tables `unit`, `unit_detail`, `unit_input`, `transcript`).

use rusqlite::params;

use super::answers::{AnswerId, Realm};
use super::artifacts::ArtifactId;
use super::build::BuildId;
use super::recovery::seal::{self, UnitRow};
use super::requests::RequestId;
use super::{Reader, StoreError, Transaction};
use synix_core::digest::Digest;
use synix_core::ids::UnitKey;
use synix_core::request::{Ending, RequestKey};

/// The number of a unit in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId(pub i64);

/// A unit to keep.
#[derive(Debug)]
pub struct NewUnit<'a> {
    /// What it was made from.
    pub fingerprint: Digest,
    /// Where its answers come from.
    pub realm: Realm,
    /// Its layer.
    pub layer: &'a str,
    /// Its name in the layer.
    pub key: &'a UnitKey,
    /// Whether it has its outputs.
    pub done: bool,
    /// Whether an input was missing when it was made.
    pub partial: bool,
    /// The build that made it.
    pub build: BuildId,
    /// The parts of the fingerprint, as JSON.
    pub parts: &'a str,
    /// The model roles it used beside its layer's, with their settings, as a JSON object.
    pub roles: Option<&'a str>,
    /// What its plugin wrote to the log.
    pub log: Option<&'a str>,
}

/// A finished unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUnit {
    /// Its number.
    pub id: UnitId,
    /// Its layer.
    pub layer: String,
    /// Its name in the layer.
    pub key: String,
    /// What it was made from.
    pub fingerprint: Digest,
    /// Where its answers came from.
    pub realm: Realm,
    /// Whether an input was missing when it was made.
    pub partial: bool,
    /// The build that made it.
    pub build: BuildId,
    /// The parts of the fingerprint, as JSON.
    pub parts: String,
    /// The model roles it used beside its layer's, as a JSON object.
    pub roles: Option<String>,
    /// What its plugin wrote to the log.
    pub log: Option<String>,
}

/// A unit that waits for answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUnit {
    /// Its number.
    pub id: UnitId,
    /// What it asked so far, in order.
    pub transcript: Vec<RequestKey>,
    /// The model roles it used beside its layer's, as a JSON object.
    pub roles: Option<String>,
}

/// A request of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TranscriptEntry {
    /// Its number.
    pub request: RequestId,
    /// Its key.
    pub key: RequestKey,
    /// The answer the unit got; `None` while it waits for one.
    pub answer: Option<AnswerId>,
}

pub(super) type Row = (
    i64,
    [u8; 32],
    Realm,
    String,
    String,
    bool,
    bool,
    Option<String>,
    Option<i64>,
);

/// A row of `unit` with its roles, held against its seal.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) id: UnitId,
    pub(super) fingerprint: Digest,
    pub(super) realm: Realm,
    pub(super) layer: String,
    pub(super) key: String,
    done: bool,
    partial: bool,
    pub(super) roles: Option<String>,
}

pub(super) fn checked(
    (id, fingerprint, realm, layer, key, done, partial, roles, seal): Row,
) -> Result<Checked, StoreError> {
    let found = Checked {
        id: UnitId(id),
        fingerprint: Digest::from_bytes(fingerprint),
        realm,
        layer,
        key,
        done,
        partial,
        roles,
    };
    seal::check(seal, found.seal(), || found.name())?;
    Ok(found)
}

impl Checked {
    fn seal(&self) -> i64 {
        seal::of_unit(&UnitRow {
            fingerprint: &self.fingerprint,
            realm: self.realm,
            layer: &self.layer,
            key: &self.key,
            done: self.done,
            partial: self.partial,
            roles: self.roles.as_deref(),
        })
    }

    fn name(&self) -> String {
        format!("the unit {} of {}", self.key, self.layer)
    }
}

impl Transaction<'_> {
    /// Keeps a unit; one that was open under the same fingerprint keeps its number.
    pub fn keep_unit(&self, unit: &NewUnit<'_>) -> Result<UnitId, StoreError> {
        let seal_as = |done| {
            seal::of_unit(&UnitRow {
                fingerprint: &unit.fingerprint,
                realm: unit.realm,
                layer: unit.layer,
                key: unit.key.as_str(),
                done,
                partial: unit.partial,
                roles: unit.roles,
            })
        };
        let (id, done) = self.query_row(
            "INSERT INTO unit (fingerprint, realm, layer, key, done, partial, build, seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET done = max(done, excluded.done), build = excluded.build, seal = excluded.seal
             RETURNING id, done",
            params![
                unit.fingerprint.as_bytes(),
                unit.realm,
                unit.layer,
                unit.key.as_str(),
                unit.done,
                unit.partial,
                unit.build.0,
                seal_as(unit.done)
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        if done != unit.done {
            self.execute(
                "UPDATE unit SET seal = ?2 WHERE id = ?1",
                params![id, seal_as(done)],
            )?;
        }
        let seal = seal::of_detail(id, unit.parts, unit.log);
        self.execute(
            "INSERT OR REPLACE INTO unit_detail (unit, parts, roles, log, seal) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, unit.parts, unit.roles, unit.log, seal],
        )?;
        Ok(UnitId(id))
    }

    /// Records which artifact stands at `position` of a unit's inputs.
    pub fn add_input(
        &self,
        unit: UnitId,
        position: usize,
        artifact: ArtifactId,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO unit_input (unit, position, artifact) VALUES (?1, ?2, ?3)",
            params![unit.0, position, artifact.0],
        )
    }

    /// Records which request stands at `position` of a unit's transcript, and how the answer to it ended, if it has one.
    pub fn add_to_transcript(
        &self,
        unit: UnitId,
        position: usize,
        request: RequestId,
        answered: Option<(Realm, Ending)>,
    ) -> Result<(), StoreError> {
        let (realm, truncated) = match &answered {
            Some((realm, ending)) => (Some(realm), Some(*ending == Ending::Truncated)),
            None => (None, None),
        };
        self.execute(
            "INSERT OR REPLACE INTO transcript (unit, position, request, answer)
             VALUES (?1, ?2, ?3,
                 (SELECT id FROM answer
             WHERE request = ?3 AND realm = ?4 AND truncated = ?5))",
            params![unit.0, position, request.0, realm, truncated],
        )
    }

    /// Takes a unit's fingerprint from it, so that it can be made again.
    ///
    /// The artifacts stay: units made from them name them as their inputs.
    pub fn retire_unit(&self, unit: UnitId) -> Result<(), StoreError> {
        let mut row = self.checked_unit("u.id = ?1", [unit.0])?;
        let Some(row) = &mut row else { return Ok(()) };
        // A fingerprint nothing can have, so that snapshots still find the old unit.
        row.fingerprint = Digest::of(&unit.0.to_le_bytes());
        self.execute(
            "UPDATE unit SET fingerprint = ?2, seal = ?3 WHERE id = ?1",
            params![unit.0, row.fingerprint.as_bytes(), row.seal()],
        )
    }

    /// Forgets every unit, artifact and snapshot, and returns how many units there were.
    ///
    /// Requests, answers, submissions and builds stay: they stand for money.
    pub fn forget_units(&self) -> Result<usize, StoreError> {
        for table in [
            "snapshot_layer",
            "snapshot",
            "layer_set_unit",
            "layer_set",
            "unit_input",
            "transcript",
            "artifact_body",
            "artifact",
            "unit_detail",
        ] {
            self.execute(&format!("DELETE FROM {table}"), [])?;
        }
        self.change("DELETE FROM unit", [])
    }
}

impl Reader {
    /// Returns the unit that `condition` finds, held against its seal.
    fn checked_unit(
        &self,
        condition: &str,
        values: impl rusqlite::Params,
    ) -> Result<Option<Checked>, StoreError> {
        let statement = format!(
            "SELECT u.id, u.fingerprint, u.realm, u.layer, u.key, u.done, u.partial, d.roles, {}
             FROM unit u JOIN unit_detail d ON d.unit = u.id WHERE {condition}",
            self.seal_of_unit("u")
        );
        let row: Option<Row> = self.query_optional(&statement, values, |row| Row::try_from(row))?;
        row.map(checked).transpose()
    }

    /// Returns the finished unit under `fingerprint`, with the extra model roles it used.
    pub fn finished_unit(
        &self,
        fingerprint: Digest,
        realm: Realm,
    ) -> Result<Option<(UnitId, Option<String>)>, StoreError> {
        let found = self.checked_unit(
            "u.fingerprint = ?1 AND u.realm = ?2 AND u.done = 1",
            params![fingerprint.as_bytes(), realm],
        )?;
        Ok(found.map(|found| (found.id, found.roles)))
    }

    /// Returns the unit that waits for answers under `fingerprint`.
    pub fn open_unit(
        &self,
        fingerprint: Digest,
        realm: Realm,
    ) -> Result<Option<OpenUnit>, StoreError> {
        let found = self.checked_unit(
            "u.fingerprint = ?1 AND u.realm = ?2 AND u.done = 0",
            params![fingerprint.as_bytes(), realm],
        )?;
        let Some(Checked { id, roles, .. }) = found else {
            return Ok(None);
        };
        let transcript = self
            .transcript(id)?
            .into_iter()
            .map(|entry| entry.key)
            .collect();
        Ok(Some(OpenUnit {
            id,
            transcript,
            roles,
        }))
    }

    /// Returns the unit.
    pub fn unit(&self, id: UnitId) -> Result<StoredUnit, StoreError> {
        let statement = format!(
            "SELECT u.build, d.parts, d.log, {}
             FROM unit u JOIN unit_detail d ON d.unit = u.id WHERE u.id = ?1",
            self.seal_of_unit("d")
        );
        type Detail = (i64, String, Option<String>, Option<i64>);
        let (build, parts, log, seal): Detail =
            self.query_row(&statement, [id.0], |row| Detail::try_from(row))?;
        let missing = || StoreError::Unusable {
            what: "unit",
            detail: format!("there is no unit {}", id.0),
        };
        let row = self
            .checked_unit("u.id = ?1", [id.0])?
            .ok_or_else(missing)?;
        let made = seal::of_detail(id.0, &parts, log.as_deref());
        seal::check(seal, made, || row.name())?;
        Ok(StoredUnit {
            id,
            layer: row.layer,
            key: row.key,
            fingerprint: row.fingerprint,
            realm: row.realm,
            partial: row.partial,
            build: BuildId(build),
            parts,
            roles: row.roles,
            log,
        })
    }

    /// Returns what a unit asked, in order.
    pub fn transcript(&self, unit: UnitId) -> Result<Vec<TranscriptEntry>, StoreError> {
        self.query(
            "SELECT r.id, r.key, t.answer FROM transcript t JOIN request r ON r.id = t.request
                 WHERE t.unit = ?1 ORDER BY t.position",
            [unit.0],
            |row| {
                Ok(TranscriptEntry {
                    request: RequestId(row.get(0)?),
                    key: RequestKey(Digest::from_bytes(row.get(1)?)),
                    answer: row.get::<_, Option<i64>>(2)?.map(AnswerId),
                })
            },
        )
    }
}
