//! The failed units of builds (table `build_unit`).

use rusqlite::params;

use super::{BuildId, BuildUnit};
use crate::{Reader, StoreError};

/// Some failed units of a layer of a build, ordered by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedPage {
    /// The units.
    pub units: Vec<BuildUnit>,
    /// The number of failed units before them.
    pub before: u64,
    /// The key after which the page before this one begins; empty for the first page, `None` if this is the first.
    pub previous: Option<String>,
    /// Whether there are more after them.
    pub more: bool,
}

impl Reader {
    /// Returns whether a unit of a build failed or was held back.
    pub fn has_failed_units(&self, build: BuildId) -> Result<bool, StoreError> {
        self.query_row(
            "SELECT EXISTS (SELECT 1 FROM build_unit WHERE build = ?1 AND state = 2)",
            [build.0],
            |row| row.get(0),
        )
    }

    /// Returns the failed units of a build, ordered by layer and key.
    pub fn failed_units(&self, build: BuildId) -> Result<Vec<BuildUnit>, StoreError> {
        self.query(
            "SELECT layer, key, kind, message
             FROM build_unit WHERE build = ?1 AND state = 2 ORDER BY layer, key",
            [build.0],
            unit,
        )
    }

    /// Returns at most `limit` failed units of a layer of a build: those after the key `after`.
    pub fn failed_page(
        &self,
        build: BuildId,
        layer: usize,
        after: &str,
        limit: usize,
    ) -> Result<FailedPage, StoreError> {
        // One more unit shows whether there are later ones.
        let mut units: Vec<BuildUnit> = self.query(
            "SELECT layer, key, kind, message FROM build_unit
             WHERE build = ?1 AND layer = ?2 AND key > ?3 AND state = 2 ORDER BY key LIMIT ?4",
            params![build.0, layer, after, limit.saturating_add(1)],
            unit,
        )?;
        let more = units.len() > limit;
        units.truncate(limit);
        let before: u64 = self.query_row(
            "SELECT count(*) FROM build_unit
             WHERE build = ?1 AND layer = ?2 AND key <= ?3 AND state = 2",
            params![build.0, layer, after],
            |row| row.get(0),
        )?;
        let previous: Option<String> = self.query_optional(
            "SELECT key FROM build_unit
             WHERE build = ?1 AND layer = ?2 AND key <= ?3 AND state = 2
             ORDER BY key DESC LIMIT 1 OFFSET ?4",
            params![build.0, layer, after, limit],
            |row| row.get(0),
        )?;
        Ok(FailedPage {
            units,
            before,
            previous: (before > 0).then(|| previous.unwrap_or_default()),
            more,
        })
    }
}

fn unit(row: &rusqlite::Row<'_>) -> rusqlite::Result<BuildUnit> {
    Ok(BuildUnit {
        layer: row.get(0)?,
        key: row.get(1)?,
        kind: row.get(2)?,
        message: row.get(3)?,
    })
}
