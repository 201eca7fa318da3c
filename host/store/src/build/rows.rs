//! Reads and writes the tables `build`, `build_layer` and `build_unit`.

use std::path::Path;

use rusqlite::params;

use super::{BuildId, BuildLayer, BuildRow, BuildStep, LayerTally, NewBuild, NewBuildUnit};
use crate::{Reader, StoreError, Transaction};
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;

impl Transaction<'_> {
    /// Opens a build.
    pub fn open_build(&self, build: &NewBuild) -> Result<BuildId, StoreError> {
        self.insert(
            "INSERT INTO build (kind, pipeline, fingerprint, parts, realm, opened)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                build.kind,
                build.pipeline,
                build.fingerprint.as_bytes(),
                build.parts,
                build.answer_origin,
                build.opened.0
            ],
        )
        .map(BuildId)
    }

    /// Sets another pipeline fingerprint, because the user has accepted the changes.
    pub fn set_build_fingerprint(
        &self,
        build: BuildId,
        fingerprint: Digest,
        parts: &str,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE build SET fingerprint = ?2, parts = ?3 WHERE id = ?1",
            params![build.0, fingerprint.as_bytes(), parts],
        )
    }

    /// Records that a build is a trial, and what it selects and changes, as JSON.
    pub fn set_build_trial(&self, build: BuildId, trial: &str) -> Result<(), StoreError> {
        self.execute(
            "UPDATE build SET trial = ?2 WHERE id = ?1",
            params![build.0, trial],
        )
    }

    /// Records a job of a service that opened or resumed a build. A job has one build.
    pub fn add_build_job(&self, build: BuildId, job: &str) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO build_job (job, build) VALUES (?2, ?1)",
            params![build.0, job],
        )
    }

    /// Records that every unit is settled; `None` records that the build continues.
    pub fn close_build(&self, build: BuildId, closed: Option<Timestamp>) -> Result<(), StoreError> {
        self.execute(
            "UPDATE build SET closed = ?2 WHERE id = ?1",
            params![build.0, closed.map(|closed| closed.0)],
        )
    }

    /// Records that a build was cancelled.
    pub fn cancel_build(&self, build: BuildId, now: Timestamp) -> Result<(), StoreError> {
        self.execute("UPDATE build SET cancelled = 1 WHERE id = ?1", [build.0])?;
        self.add_build_step(build, BuildStep::Cancelled, now)
    }

    /// Records what a build expected of its answers, as JSON.
    pub fn set_build_forecast(&self, build: BuildId, forecast: &str) -> Result<(), StoreError> {
        self.execute(
            "UPDATE build SET forecast = ?2 WHERE id = ?1",
            params![build.0, forecast],
        )
    }

    /// Records when something happened to a build.
    pub fn add_build_step(
        &self,
        build: BuildId,
        step: BuildStep,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO build_step (build, step, at) VALUES (?1, ?2, ?3)",
            params![build.0, step, now.0],
        )
    }

    /// Records the error that stopped a build before its end; `None` records that the build continues.
    pub fn set_build_error(&self, build: BuildId, error: Option<&str>) -> Result<(), StoreError> {
        self.execute(
            "UPDATE build SET error = ?2 WHERE id = ?1",
            params![build.0, error],
        )
    }

    /// Records a layer of a build.
    pub fn store_build_layer(&self, build: BuildId, layer: &BuildLayer) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO build_layer (build, position, name, mode, fresh, skipped)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET name = excluded.name, mode = excluded.mode,
             fresh = excluded.fresh, skipped = excluded.skipped",
            params![
                build.0,
                layer.position,
                layer.name,
                layer.mode,
                layer.fresh,
                serde_json::to_string(&layer.skipped).unwrap_or_default()
            ],
        )
    }

    /// Deletes the layers from position `count` on, which the pipeline no longer has.
    pub fn trim_build_layers(&self, build: BuildId, count: usize) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM build_layer WHERE build = ?1 AND position >= ?2",
            params![build.0, count],
        )
    }

    /// Records the state of a stale unit.
    pub fn store_build_unit(
        &self,
        build: BuildId,
        unit: &NewBuildUnit<'_>,
    ) -> Result<(), StoreError> {
        let failure = unit.state.failure();
        self.execute(
            "INSERT INTO build_unit (build, layer, key, state, kind, message, started, settled)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET state = excluded.state, kind = excluded.kind, message = excluded.message,
             started = coalesce(started, excluded.started), settled = excluded.settled",
            params![
                build.0,
                unit.layer,
                unit.key,
                unit.state,
                failure.map(|failure| failure.kind.name()),
                failure.map(|failure| failure.message.as_str()),
                unit.now.0,
                unit.state.is_settled().then_some(unit.now.0)
            ],
        )
    }

    /// Stops counting the stale units of a build, before it is driven again.
    ///
    /// Finished units and answers are kept. So are the times of all units.
    pub fn clear_build_units(&self, build: BuildId) -> Result<(), StoreError> {
        self.execute(
            "UPDATE build_unit SET state = 3 WHERE build = ?1",
            [build.0],
        )
    }
}

const BUILD_COLUMNS: &str =
    "id, kind, pipeline, fingerprint, parts, realm, opened, closed, cancelled, error";

pub(super) fn build_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<BuildRow> {
    Ok(BuildRow {
        id: BuildId(row.get(0)?),
        kind: row.get(1)?,
        pipeline: row.get(2)?,
        fingerprint: Digest::from_bytes(row.get(3)?),
        parts: row.get(4)?,
        answer_origin: row.get(5)?,
        opened: Timestamp(row.get(6)?),
        closed: row.get::<_, Option<u64>>(7)?.map(Timestamp),
        cancelled: row.get(8)?,
        error: row.get(9)?,
        trial: row.get(10)?,
        job: row.get(11)?,
    })
}

/// Refuses a build whose pipeline file is not in the project folder: the name becomes a path.
pub(super) fn with_file_name(row: BuildRow) -> Result<BuildRow, StoreError> {
    let path = Path::new(&row.pipeline);
    if path.file_name() == Some(path.as_os_str()) {
        return Ok(row);
    }
    Err(StoreError::Unusable {
        what: "build",
        detail: format!("{:?} is not the name of a pipeline file", row.pipeline),
    })
}

impl Reader {
    pub(super) fn build_columns(&self) -> String {
        let trial = if self.additions.trials {
            "trial"
        } else {
            "NULL"
        };
        let job = if self.additions.jobs {
            "(SELECT job FROM build_job WHERE build_job.build = build.id ORDER BY build_job.id DESC LIMIT 1)"
        } else {
            "NULL"
        };
        format!("{BUILD_COLUMNS}, {trial}, {job}")
    }

    /// Returns the build that a job of a service opened or resumed, if there is one.
    pub fn build_of_job(&self, job: &str) -> Result<Option<BuildRow>, StoreError> {
        if !self.additions.jobs {
            return Ok(None);
        }
        self.query_optional(
            &format!(
                "SELECT {} FROM build WHERE id = (SELECT build FROM build_job WHERE job = ?1)",
                self.build_columns()
            ),
            [job],
            build_row,
        )?
        .map(with_file_name)
        .transpose()
    }

    /// Returns the jobs of a service that opened or resumed a build, the oldest first.
    pub fn jobs_of(&self, build: BuildId) -> Result<Vec<String>, StoreError> {
        if !self.additions.jobs {
            return Ok(Vec::new());
        }
        self.query(
            "SELECT job FROM build_job WHERE build = ?1 ORDER BY id",
            [build.0],
            |row| row.get(0),
        )
    }

    /// Returns the build with this number, if it exists.
    pub fn build(&self, id: BuildId) -> Result<Option<BuildRow>, StoreError> {
        self.query_optional(
            &format!("SELECT {} FROM build WHERE id = ?1", self.build_columns()),
            [id.0],
            build_row,
        )?
        .map(with_file_name)
        .transpose()
    }

    /// Returns the layers of a build in the order of the pipeline.
    pub fn build_layers(&self, build: BuildId) -> Result<Vec<BuildLayer>, StoreError> {
        let skipped = if self.additions.readers {
            "skipped"
        } else {
            "'[]'"
        };
        let statement = format!(
            "SELECT position, name, mode, fresh, {skipped}
             FROM build_layer WHERE build = ?1 ORDER BY position"
        );
        let rows: Vec<(BuildLayer, String)> = self.query(&statement, [build.0], |row| {
            let layer = BuildLayer {
                position: row.get(0)?,
                name: row.get(1)?,
                mode: row.get(2)?,
                fresh: row.get(3)?,
                skipped: Vec::new(),
            };
            Ok((layer, row.get(4)?))
        })?;
        rows.into_iter()
            .map(|(layer, skipped)| {
                let skipped = serde_json::from_str(&skipped).map_err(|_| StoreError::Unusable {
                    what: "build",
                    detail: format!("the counts of layer {} are not JSON", layer.name),
                })?;
                Ok(BuildLayer { skipped, ..layer })
            })
            .collect()
    }

    /// Counts the stale units of a layer of a build.
    pub fn layer_tally(&self, build: BuildId, layer: usize) -> Result<LayerTally, StoreError> {
        self.query_row(
            "SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1),
                        count(*) FILTER (WHERE state = 2)
                 FROM build_unit WHERE build = ?1 AND layer = ?2",
            params![build.0, layer],
            |row| {
                Ok(LayerTally {
                    waiting: row.get(0)?,
                    done: row.get(1)?,
                    failed: row.get(2)?,
                })
            },
        )
    }
}
