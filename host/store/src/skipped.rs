//! What the reader of a file left out (table `unit_skipped`).

use rusqlite::params;

use super::recovery::seal;
use super::units::UnitId;
use super::{Reader, StoreError, Transaction};
use synix_core::skipped::SkippedCount;

impl Transaction<'_> {
    /// Records what the reader of a unit's file left out.
    pub fn add_skipped(&self, unit: UnitId, skipped: &SkippedCount) -> Result<(), StoreError> {
        let SkippedCount {
            reason,
            count,
            examples,
        } = skipped;
        let examples = serde_json::to_string(examples).unwrap_or_default();
        let seal = seal::of_skipped(unit.0, reason, *count, &examples);
        self.execute(
            "INSERT OR REPLACE INTO unit_skipped (unit, reason, count, examples, seal) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![unit.0, reason, count, examples, seal],
        )
    }
}

impl Reader {
    /// Returns what the reader of a unit's file left out, sorted by reason.
    pub fn skipped(&self, unit: UnitId) -> Result<Vec<SkippedCount>, StoreError> {
        if !self.additions.readers {
            return Ok(Vec::new());
        }
        type Row = (String, u64, String, Option<i64>);
        let rows: Vec<Row> = self.query(
            "SELECT reason, count, examples, seal FROM unit_skipped WHERE unit = ?1 ORDER BY reason",
            [unit.0],
            |row| Row::try_from(row),
        )?;
        rows.into_iter()
            .map(|(reason, count, examples, found)| {
                let expected = seal::of_skipped(unit.0, &reason, count, &examples);
                let what = || format!("the skipped parts of unit {}", unit.0);
                seal::check(found, expected, what)?;
                let examples =
                    serde_json::from_str(&examples).map_err(|error| StoreError::Unusable {
                        what: "unit",
                        detail: error.to_string(),
                    })?;
                Ok(SkippedCount {
                    reason,
                    count,
                    examples,
                })
            })
            .collect()
    }
}
