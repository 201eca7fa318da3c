//! Lists of builds (table `build`).

use rusqlite::params;

use super::rows::{build_row, with_file_name};
use super::{BuildId, BuildKind, BuildRow};
use crate::{Reader, StoreError};
use synix_core::clock::Timestamp;

impl Reader {
    /// Returns all builds, or those of one kind, the newest first.
    pub fn builds(&self, kind: Option<BuildKind>) -> Result<Vec<BuildRow>, StoreError> {
        let statement = format!(
            "SELECT {} FROM build WHERE ?1 IS NULL OR kind = ?1 ORDER BY id DESC",
            self.build_columns()
        );
        let rows: Vec<BuildRow> = self.query(&statement, [kind], build_row)?;
        rows.into_iter().map(with_file_name).collect()
    }

    /// Returns at most `limit` builds, or those of one kind, that were opened before the build `before`, the newest first.
    pub fn builds_before(
        &self,
        kind: Option<BuildKind>,
        before: Option<BuildId>,
        limit: usize,
    ) -> Result<Vec<BuildRow>, StoreError> {
        let statement = format!(
            "SELECT {} FROM build
             WHERE id < ?1 AND (?2 IS NULL OR kind = ?2) ORDER BY id DESC LIMIT ?3",
            self.build_columns()
        );
        let before = before.map_or(i64::MAX, |build| build.0);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows: Vec<BuildRow> =
            self.query(&statement, params![before, kind, limit], build_row)?;
        rows.into_iter().map(with_file_name).collect()
    }

    /// Returns the newest complete build of a pipeline that is not a trial.
    pub fn newest_complete_build(&self, pipeline: &str) -> Result<Option<BuildId>, StoreError> {
        let whole = if self.additions.trials {
            "AND trial IS NULL"
        } else {
            ""
        };
        self.query_optional(
            &format!(
                "SELECT id FROM build
                 WHERE pipeline = ?1 AND closed IS NOT NULL AND cancelled = 0 {whole}
                 ORDER BY id DESC LIMIT 1"
            ),
            [pipeline],
            |row| row.get(0).map(BuildId),
        )
    }

    /// Returns the ids of the builds of a pipeline and the times at which they were opened, the newest first.
    pub fn builds_of(&self, pipeline: &str) -> Result<Vec<(BuildId, Timestamp)>, StoreError> {
        self.query(
            "SELECT id, opened FROM build WHERE pipeline = ?1 ORDER BY id DESC",
            [pipeline],
            |row| Ok((BuildId(row.get(0)?), Timestamp(row.get(1)?))),
        )
    }

    /// Returns the builds that are neither complete nor cancelled, the oldest first.
    pub fn open_builds(&self) -> Result<Vec<BuildId>, StoreError> {
        self.query(
            "SELECT id FROM build WHERE closed IS NULL AND cancelled = 0 ORDER BY id",
            [],
            |row| row.get(0).map(BuildId),
        )
    }
}
