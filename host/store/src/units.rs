//! Finished and open units (tables `unit`, `unit_detail`, `unit_input`).

use rusqlite::params;

use super::answers::AnswerOrigin;
use super::artifacts::ArtifactId;
use super::build::BuildId;
use super::recovery::seal::{self, UnitRow};
use super::unit_row::{Row, VerifiedUnit, verify};
use super::{Reader, StoreError, Transaction};
use synix_core::digest::Digest;
use synix_core::ids::UnitKey;
use synix_core::request::RequestKey;

/// The number of a unit in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId(pub i64);

/// A unit to store.
#[derive(Debug)]
pub struct NewUnit<'a> {
    /// The unit fingerprint.
    pub fingerprint: Digest,
    /// Where the answers of the unit come from.
    pub answer_origin: AnswerOrigin,
    /// The layer of the unit.
    pub layer: &'a str,
    /// The unit key.
    pub key: &'a UnitKey,
    /// Whether the unit has its outputs.
    pub done: bool,
    /// Whether an input was missing when the unit was made.
    pub partial: bool,
    /// The build that made the unit.
    pub build: BuildId,
    /// The parts of the fingerprint, as JSON.
    pub parts: &'a str,
    /// The model roles that the unit used besides that of its layer, with their settings, as a JSON object.
    pub roles: Option<&'a str>,
    /// The log of the plugin.
    pub log: Option<&'a str>,
}

impl NewUnit<'_> {
    fn seal(&self) -> i64 {
        seal::of_unit(&UnitRow {
            fingerprint: &self.fingerprint,
            answer_origin: self.answer_origin,
            layer: self.layer,
            key: self.key.as_str(),
            done: self.done,
            partial: self.partial,
            roles: self.roles,
        })
    }
}

/// A finished unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUnit {
    /// Its number.
    pub id: UnitId,
    /// The layer of the unit.
    pub layer: String,
    /// The unit key.
    pub key: String,
    /// The unit fingerprint.
    pub fingerprint: Digest,
    /// Where the answers of the unit came from.
    pub answer_origin: AnswerOrigin,
    /// Whether an input was missing when the unit was made.
    pub partial: bool,
    /// The build that made the unit.
    pub build: BuildId,
    /// The parts of the fingerprint, as JSON.
    pub parts: String,
    /// The model roles that the unit used besides that of its layer, as a JSON object.
    pub roles: Option<String>,
    /// The log of the plugin.
    pub log: Option<String>,
}

/// A unit that waits for answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUnit {
    /// Its number.
    pub id: UnitId,
    /// The keys of its requests so far, in order.
    pub transcript: Vec<RequestKey>,
    /// The model roles that the unit used besides that of its layer, as a JSON object.
    pub roles: Option<String>,
}

impl Transaction<'_> {
    /// Stores a unit, whether or not another one has its fingerprint.
    pub fn store_unit(&self, unit: &NewUnit<'_>) -> Result<UnitId, StoreError> {
        match self.add_unit(unit)? {
            Some(id) => Ok(id),
            None => self.replace_unit(unit),
        }
    }

    /// Stores a unit whose fingerprint another one has. If that is open, it retains its number. A finished one stays as it
    /// is, without its fingerprint, because snapshots and provenance refer to it.
    ///
    /// The unit has no inputs then. Its transcript is that of the open unit.
    pub fn replace_unit(&self, unit: &NewUnit<'_>) -> Result<UnitId, StoreError> {
        if let Some((earlier, _)) = self.finished_unit(unit.fingerprint, unit.answer_origin)? {
            self.retire_unit(earlier)?;
            if let Some(id) = self.add_unit(unit)? {
                return Ok(id);
            }
        }
        let id = self.query_row(
            "UPDATE unit SET done = ?3, build = ?4, seal = ?5 WHERE fingerprint = ?1 AND realm = ?2 RETURNING id",
            params![
                unit.fingerprint.as_bytes(),
                unit.answer_origin,
                unit.done,
                unit.build.0,
                unit.seal()
            ],
            |row| row.get(0).map(UnitId),
        )?;
        self.execute("DELETE FROM unit_detail WHERE unit = ?1", [id.0])?;
        self.execute("DELETE FROM unit_input WHERE unit = ?1", [id.0])?;
        self.add_detail(id, unit)?;
        Ok(id)
    }

    /// Stores a unit; `None`: another unit has its fingerprint.
    ///
    /// Nearly every unit is new. Looking for another one first would take as long as storing it.
    pub fn add_unit(&self, unit: &NewUnit<'_>) -> Result<Option<UnitId>, StoreError> {
        let id = self.insert_unit(unit)?;
        if let Some(id) = id {
            self.add_detail(id, unit)?;
        }
        Ok(id)
    }

    /// Finishes a unit whose other rows stay as they are. Returns false if it is not as `unit.build` has stored it: another
    /// build may have stored or finished it since.
    pub fn finish_unit(&self, id: UnitId, unit: &NewUnit<'_>) -> Result<bool, StoreError> {
        let changed = self.change(
            "UPDATE unit SET done = 1, seal = ?4 WHERE id = ?1 AND fingerprint = ?2 AND build = ?3 AND done = 0",
            params![
                id.0,
                unit.fingerprint.as_bytes(),
                unit.build.0,
                unit.seal()
            ],
        )?;
        Ok(changed > 0)
    }

    fn add_detail(&self, id: UnitId, unit: &NewUnit<'_>) -> Result<(), StoreError> {
        let seal = seal::of_detail(id.0, unit.parts, unit.log);
        self.execute(
            "INSERT INTO unit_detail (unit, parts, roles, log, seal) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id.0, unit.parts, unit.roles, unit.log, seal],
        )
    }

    fn insert_unit(&self, unit: &NewUnit<'_>) -> Result<Option<UnitId>, StoreError> {
        let added = self.change(
            "INSERT INTO unit (fingerprint, realm, layer, key, done, partial, build, seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
            params![
                unit.fingerprint.as_bytes(),
                unit.answer_origin,
                unit.layer,
                unit.key.as_str(),
                unit.done,
                unit.partial,
                unit.build.0,
                unit.seal()
            ],
        )?;
        Ok((added > 0).then(|| UnitId(self.connection.last_insert_rowid())))
    }

    /// Records the artifact at `position` of a unit's inputs.
    pub fn add_input(
        &self,
        unit: UnitId,
        position: usize,
        artifact: ArtifactId,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO unit_input (unit, position, artifact) VALUES (?1, ?2, ?3)",
            params![unit.0, position, artifact.0],
        )
    }

    /// Removes the fingerprint of a unit, so that the unit can be made again.
    ///
    /// The artifacts remain, because they are inputs of other units.
    pub fn retire_unit(&self, unit: UnitId) -> Result<(), StoreError> {
        let mut row = self.verified_unit("u.id = ?1", [unit.0])?;
        let Some(row) = &mut row else { return Ok(()) };
        if row.done {
            self.forget_layer_fingerprints()?;
        }
        // No other unit can have this fingerprint, and snapshots still find the old unit.
        row.fingerprint = Digest::of(&unit.0.to_le_bytes());
        self.execute(
            "UPDATE unit SET fingerprint = ?2, seal = ?3 WHERE id = ?1",
            params![unit.0, row.fingerprint.as_bytes(), row.seal()],
        )
    }

    /// Deletes all units, artifacts and snapshots, and returns the number of deleted units.
    ///
    /// Requests, answers, submissions and builds remain, because they record money.
    pub fn delete_units(&self) -> Result<usize, StoreError> {
        for table in [
            "snapshot_layer",
            "snapshot",
            "layer_set_unit",
            "layer_set_replaced",
            "layer_set",
            "unit_input",
            "transcript",
            "artifact_body",
            "artifact",
            "unit_detail",
            "unit_skipped",
            // What is made again is read again.
            "file_failure",
        ] {
            self.execute(&format!("DELETE FROM {table}"), [])?;
        }
        self.change("DELETE FROM unit", [])
    }
}

impl Reader {
    /// Returns whether a unit waits for answers as `build` has stored it.
    pub fn is_open_unit_of(&self, id: UnitId, build: BuildId) -> Result<bool, StoreError> {
        self.query_row(
            "SELECT EXISTS (SELECT 1 FROM unit WHERE id = ?1 AND build = ?2 AND done = 0)",
            [id.0, build.0],
            |row| row.get(0),
        )
    }

    /// Returns the unit that matches `condition`, checked against its seal.
    fn verified_unit(
        &self,
        condition: &str,
        values: impl rusqlite::Params,
    ) -> Result<Option<VerifiedUnit>, StoreError> {
        let statement = format!(
            "SELECT u.id, u.fingerprint, u.realm, u.layer, u.key, u.done, u.partial, d.roles, {}
             FROM unit u JOIN unit_detail d ON d.unit = u.id WHERE {condition}",
            self.unit_seal_column("u")
        );
        let row: Option<Row> = self.query_optional(&statement, values, |row| Row::try_from(row))?;
        row.map(verify).transpose()
    }

    /// Returns the finished unit under `fingerprint`, with the additional model roles that it used.
    pub fn finished_unit(
        &self,
        fingerprint: Digest,
        answer_origin: AnswerOrigin,
    ) -> Result<Option<(UnitId, Option<String>)>, StoreError> {
        let found = self.verified_unit(
            "u.fingerprint = ?1 AND u.realm = ?2 AND u.done = 1",
            params![fingerprint.as_bytes(), answer_origin],
        )?;
        Ok(found.map(|found| (found.id, found.roles)))
    }

    /// Returns the unit that waits for answers under `fingerprint`.
    pub fn open_unit(
        &self,
        fingerprint: Digest,
        answer_origin: AnswerOrigin,
    ) -> Result<Option<OpenUnit>, StoreError> {
        let found = self.verified_unit(
            "u.fingerprint = ?1 AND u.realm = ?2 AND u.done = 0",
            params![fingerprint.as_bytes(), answer_origin],
        )?;
        let Some(VerifiedUnit { id, roles, .. }) = found else {
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

    /// Returns the unit with this number.
    pub fn unit(&self, id: UnitId) -> Result<StoredUnit, StoreError> {
        let statement = format!(
            "SELECT u.build, d.parts, d.log, {}
             FROM unit u JOIN unit_detail d ON d.unit = u.id WHERE u.id = ?1",
            self.unit_seal_column("d")
        );
        type Detail = (i64, String, Option<String>, Option<i64>);
        let (build, parts, log, seal): Detail =
            self.query_row(&statement, [id.0], |row| Detail::try_from(row))?;
        let missing = || StoreError::Unusable {
            what: "unit",
            detail: format!("there is no unit {}", id.0),
        };
        let row = self
            .verified_unit("u.id = ?1", [id.0])?
            .ok_or_else(missing)?;
        let expected = seal::of_detail(id.0, &parts, log.as_deref());
        seal::check(seal, expected, || row.name())?;
        Ok(StoredUnit {
            id,
            layer: row.layer,
            key: row.key,
            fingerprint: row.fingerprint,
            answer_origin: row.answer_origin,
            partial: row.partial,
            build: BuildId(build),
            parts,
            roles: row.roles,
            log,
        })
    }
}
