//! Builds, written and read.

use std::path::Path;

use rusqlite::{OptionalExtension as _, params};

use super::answers::Realm;
use super::build::{
    BuildId, BuildKind, BuildLayer, BuildRow, BuildUnit, LayerMode, LayerTally, NewBuild, UnitState,
};
use super::{Reader, StoreError, Transaction};
use synix_core::clock::Moment;
use synix_core::digest::Digest;
use synix_core::request::FailureKind;

impl Transaction<'_> {
    /// Opens a build.
    pub fn open_build(&self, build: &NewBuild) -> Result<BuildId, StoreError> {
        self.connection
            .execute(
                "INSERT INTO build (kind, pipeline, fingerprint, parts, realm, opened) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    build.kind.name(),
                    build.pipeline,
                    build.fingerprint.as_bytes(),
                    build.parts,
                    build.realm.as_bytes(),
                    i64::try_from(build.opened.0).unwrap_or(i64::MAX)
                ],
            )
            .map(|_| BuildId(self.connection.last_insert_rowid()))
            .map_err(|source| self.failed(source))
    }

    /// Takes over another pipeline fingerprint, at the user's word.
    pub fn rebase_build(
        &self,
        build: BuildId,
        fingerprint: Digest,
        parts: &str,
    ) -> Result<(), StoreError> {
        self.connection
            .execute(
                "UPDATE build SET fingerprint = ?2, parts = ?3 WHERE id = ?1",
                params![build.0, fingerprint.as_bytes(), parts],
            )
            .map(|_| ())
            .map_err(|source| self.failed(source))
    }

    /// Records that nothing is left to do, or (`None`) that there is again.
    pub fn close_build(&self, build: BuildId, closed: Option<Moment>) -> Result<(), StoreError> {
        self.connection
            .execute(
                "UPDATE build SET closed = ?2 WHERE id = ?1",
                params![
                    build.0,
                    closed.map(|closed| i64::try_from(closed.0).unwrap_or(i64::MAX))
                ],
            )
            .map(|_| ())
            .map_err(|source| self.failed(source))
    }

    /// Records that a build was cancelled.
    pub fn cancel_build(&self, build: BuildId) -> Result<(), StoreError> {
        self.connection
            .execute("UPDATE build SET cancelled = 1 WHERE id = ?1", [build.0])
            .map(|_| ())
            .map_err(|source| self.failed(source))
    }

    /// Records why a build stopped before its end, or (`None`) that it goes on.
    pub fn keep_build_error(&self, build: BuildId, error: Option<&str>) -> Result<(), StoreError> {
        self.connection
            .execute(
                "UPDATE build SET error = ?2 WHERE id = ?1",
                params![build.0, error],
            )
            .map(|_| ())
            .map_err(|source| self.failed(source))
    }

    /// Records a layer of a build.
    pub fn keep_build_layer(&self, build: BuildId, layer: &BuildLayer) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO build_layer (build, position, name, mode, fresh) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET name = excluded.name, mode = excluded.mode, fresh = excluded.fresh",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    build.0,
                    i64::try_from(layer.position).unwrap_or(i64::MAX),
                    layer.name,
                    layer.mode.map(LayerMode::name),
                    i64::try_from(layer.fresh).unwrap_or(i64::MAX)
                ])
            })
            .map(|_| ())
            .map_err(|source| self.failed(source))
    }

    /// Forgets layers from `count` on, which the pipeline no longer has.
    pub fn trim_build_layers(&self, build: BuildId, count: usize) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("DELETE FROM build_layer WHERE build = ?1 AND position >= ?2")
            .and_then(|mut statement| {
                statement.execute(params![build.0, i64::try_from(count).unwrap_or(i64::MAX)])
            })
            .map(|_| ())
            .map_err(|source| self.failed(source))
    }

    /// Records where a stale unit stands.
    pub fn keep_build_unit(
        &self,
        build: BuildId,
        layer: usize,
        key: &str,
        state: UnitState<'_>,
    ) -> Result<(), StoreError> {
        let failure = state.failure();
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO build_unit (build, layer, key, state, kind, message)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    build.0,
                    i64::try_from(layer).unwrap_or(i64::MAX),
                    key,
                    state.number(),
                    failure.map(|failure| failure.kind.name()),
                    failure.map(|failure| failure.message.as_str())
                ])
            })
            .map(|_| ())
            .map_err(|source| self.failed(source))
    }

    /// Forgets the stale units of a build, before it is driven again.
    ///
    /// Their work is not forgotten: that stands in units and answers.
    pub fn clear_build_units(&self, build: BuildId) -> Result<(), StoreError> {
        self.connection
            .execute("DELETE FROM build_unit WHERE build = ?1", [build.0])
            .map(|_| ())
            .map_err(|source| self.failed(source))
    }
}

const BUILD_COLUMNS: &str =
    "id, kind, pipeline, fingerprint, parts, realm, opened, closed, cancelled, error";

fn build_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<BuildRow> {
    let moment = |value: i64| Moment(value.unsigned_abs());
    Ok(BuildRow {
        id: BuildId(row.get(0)?),
        kind: row.get(1)?,
        pipeline: row.get(2)?,
        fingerprint: Digest::from_bytes(row.get(3)?),
        parts: row.get(4)?,
        realm: Realm::from_bytes(&row.get::<_, Vec<u8>>(5)?),
        opened: moment(row.get(6)?),
        closed: row.get::<_, Option<i64>>(7)?.map(moment),
        cancelled: row.get(8)?,
        error: row.get(9)?,
    })
}

/// Refuses a build whose pipeline file is not in the project's own folder: the name becomes a path.
fn with_file_name(row: BuildRow) -> Result<BuildRow, StoreError> {
    let path = Path::new(&row.pipeline);
    if path.file_name() == Some(path.as_os_str()) {
        return Ok(row);
    }
    Err(StoreError::Unusable {
        what: "build",
        detail: format!("{:?} is no name of a pipeline file", row.pipeline),
    })
}

impl Reader {
    /// Returns the build, if there is one of this number.
    pub fn build(&self, id: BuildId) -> Result<Option<BuildRow>, StoreError> {
        self.connection
            .query_row(
                &format!("SELECT {BUILD_COLUMNS} FROM build WHERE id = ?1"),
                [id.0],
                build_row,
            )
            .optional()
            .map_err(|source| self.failed(source))?
            .map(with_file_name)
            .transpose()
    }

    /// Returns all builds, the newest first; with a kind only those.
    pub fn builds(&self, kind: Option<BuildKind>) -> Result<Vec<BuildRow>, StoreError> {
        let statement = format!(
            "SELECT {BUILD_COLUMNS} FROM build WHERE ?1 IS NULL OR kind = ?1 ORDER BY id DESC"
        );
        let rows: Vec<BuildRow> = self
            .connection
            .prepare_cached(&statement)
            .and_then(|mut statement| {
                statement
                    .query_map([kind.map(BuildKind::name)], build_row)?
                    .collect()
            })
            .map_err(|source| self.failed(source))?;
        rows.into_iter().map(with_file_name).collect()
    }

    /// Returns the builds that were neither completed nor cancelled, the oldest first.
    pub fn open_builds(&self) -> Result<Vec<BuildId>, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT id FROM build WHERE closed IS NULL AND cancelled = 0 ORDER BY id",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| row.get(0).map(BuildId))?
                    .collect()
            })
            .map_err(|source| self.failed(source))
    }

    /// Returns the layers of a build in the pipeline's order.
    pub fn build_layers(&self, build: BuildId) -> Result<Vec<BuildLayer>, StoreError> {
        self.connection
            .prepare_cached("SELECT position, name, mode, fresh FROM build_layer WHERE build = ?1 ORDER BY position")
            .and_then(|mut statement| {
                statement
                    .query_map([build.0], |row| {
                        Ok(BuildLayer {
                            position: usize::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
                            name: row.get(1)?,
                            mode: row.get::<_, Option<String>>(2)?.and_then(|mode| LayerMode::parse(&mode)),
                            fresh: row.get::<_, i64>(3)?.unsigned_abs(),
                        })
                    })?
                    .collect()
            })
            .map_err(|source| self.failed(source))
    }

    /// Counts the stale units of a layer of a build.
    pub fn layer_tally(&self, build: BuildId, layer: usize) -> Result<LayerTally, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1),
                        count(*) FILTER (WHERE state = 2)
                 FROM build_unit WHERE build = ?1 AND layer = ?2",
            )
            .and_then(|mut statement| {
                statement.query_row(
                    params![build.0, i64::try_from(layer).unwrap_or(i64::MAX)],
                    |row| {
                        let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
                        Ok(LayerTally {
                            waiting: count(0)?,
                            done: count(1)?,
                            failed: count(2)?,
                        })
                    },
                )
            })
            .map_err(|source| self.failed(source))
    }

    /// Returns the failed units of a build, by layer and name.
    pub fn failed_units(&self, build: BuildId) -> Result<Vec<BuildUnit>, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT layer, key, kind, message FROM build_unit WHERE build = ?1 AND state = 2 ORDER BY layer, key",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([build.0], |row| {
                        Ok(BuildUnit {
                            layer: usize::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
                            key: row.get(1)?,
                            kind: row.get::<_, Option<String>>(2)?.unwrap_or_else(|| FailureKind::Guest.name().to_owned()),
                            message: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                        })
                    })?
                    .collect()
            })
            .map_err(|source| self.failed(source))
    }
}
