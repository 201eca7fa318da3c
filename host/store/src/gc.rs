//! Deletes old rows that no retained snapshot and no young or open work uses: of most tables, and owns none.
//!
//! | kept, whatever its age | because |
//! | --- | --- |
//! | the newest snapshots of each pipeline, their units and all below these | the pipeline makes them now, or did a moment ago |
//! | requests and answers that a kept unit names | it could not be made again or shown |
//! | any other answer of a provider, unless answers were named | it was paid for |
//! | requests in flight, submissions, attempts, builds | they stand for money |
//!
//! A pass is one transaction, so a dry run is a pass that is rolled back.

use std::collections::HashSet;

use super::connection::Watched;
use super::transaction::{End, Transaction};
use super::{BuildId, Store, StoreError};
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;

/// Steps in which the age is lowered until the state is small enough, at most.
const STEPS: usize = 16;

/// What may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GcRules {
    /// What builds before this left may go.
    pub before: Timestamp,
    /// Younger things may go as well, the oldest first, until the state has at most so many bytes.
    pub max_bytes: Option<u64>,
    /// How many snapshots of each pipeline stay.
    pub snapshots: u32,
    /// Answers of providers that nothing names may go; asked again, they are paid again.
    pub answers: bool,
    /// Nothing goes; what would is counted.
    pub dry_run: bool,
}

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Freed {
    /// Snapshots.
    pub snapshots: u64,
    /// Units.
    pub units: u64,
    /// Artifacts.
    pub artifacts: u64,
    /// Texts of requests; their keys stay.
    pub requests: u64,
    /// Answers.
    pub answers: u64,
    /// Contents in files of their own.
    pub objects: u64,
    /// Files for providers and lock files that had served.
    pub files: u64,
    /// Bytes that went, or would go.
    pub bytes: u64,
    /// Bytes that stay.
    pub left: u64,
}

/// Builds that nothing young stands on, and what must stay.
const SCRATCH: &str = "
CREATE TEMP TABLE IF NOT EXISTS gc_old (build INTEGER PRIMARY KEY);
CREATE TEMP TABLE IF NOT EXISTS gc_keep (unit INTEGER PRIMARY KEY);
DELETE FROM gc_old;
DELETE FROM gc_keep;";

const OLD_BUILDS: &str = "
INSERT INTO gc_old SELECT id FROM build WHERE opened < ?1
  AND id NOT IN (SELECT build FROM submission WHERE state NOT IN ('settled', 'abandoned'))";

const OLD_SNAPSHOTS: &str = "
DELETE FROM snapshot WHERE id IN (
  SELECT id FROM (SELECT id, build, row_number() OVER (PARTITION BY pipeline ORDER BY id DESC) AS place FROM snapshot)
  WHERE place > ?1 AND build IN (SELECT build FROM gc_old))";

const OLD_SETS: &str = "
DELETE FROM snapshot_layer WHERE snapshot NOT IN (SELECT id FROM snapshot);
DELETE FROM layer_set WHERE id NOT IN (SELECT layer_set FROM snapshot_layer);
DELETE FROM layer_set_unit WHERE layer_set NOT IN (SELECT id FROM layer_set);";

const KEPT_UNITS: &str = "
WITH RECURSIVE keep (unit) AS (
  SELECT unit FROM layer_set_unit
  UNION SELECT id FROM unit WHERE build NOT IN (SELECT build FROM gc_old)
  UNION SELECT a.unit FROM keep k JOIN unit_input i ON i.unit = k.unit JOIN artifact a ON a.id = i.artifact)
INSERT INTO gc_keep SELECT unit FROM keep";

const UNITS_BELOW: &str = "
DELETE FROM unit_input WHERE unit NOT IN (SELECT unit FROM gc_keep);
DELETE FROM transcript WHERE unit NOT IN (SELECT unit FROM gc_keep);
DELETE FROM unit_detail WHERE unit NOT IN (SELECT unit FROM gc_keep);
DELETE FROM artifact_body WHERE artifact IN (SELECT id FROM artifact WHERE unit NOT IN (SELECT unit FROM gc_keep));";

const ARTIFACTS: &str = "DELETE FROM artifact WHERE unit NOT IN (SELECT unit FROM gc_keep)";
const UNITS: &str = "DELETE FROM unit WHERE id NOT IN (SELECT unit FROM gc_keep)";

// A unit that waits names the request and not yet the answer.
const REQUESTS: &str = "
DELETE FROM request_body WHERE request NOT IN (SELECT request FROM transcript)
  AND request NOT IN (SELECT request FROM attempt WHERE state = 0 OR build NOT IN (SELECT build FROM gc_old))";

const ANSWER_BODIES: &str = "DELETE FROM answer_body WHERE answer NOT IN (SELECT id FROM answer)";

/// What a pass came to, and the objects that rows still name.
pub(super) type Pass = (Freed, HashSet<String>);

impl Store {
    /// Lets rows go as [`Store::collect_garbage`] says.
    pub(super) fn collect_rows(
        &self,
        rules: &GcRules,
        locked: &[BuildId],
    ) -> Result<Option<Pass>, StoreError> {
        // Each deleted row would else be searched for in tables without an index on it; the whole is checked below.
        self.execute_batch("PRAGMA foreign_keys = OFF")?;
        let collected = self.in_one_pass(rules, locked);
        self.execute_batch("PRAGMA foreign_keys = ON")?;
        let pass = collected?;
        if !rules.dry_run && pass.as_ref().is_some_and(|(freed, _)| freed.bytes > 0) {
            self.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?;
        }
        Ok(pass)
    }

    fn in_one_pass(&self, rules: &GcRules, locked: &[BuildId]) -> Result<Option<Pass>, StoreError> {
        let end = if rules.dry_run {
            End::RollBack
        } else {
            End::Commit
        };
        self.in_transaction(end, |tx| {
            let pass = tx.collect(rules, locked);
            pass.map_err(|source| tx.failed(source))
        })
    }
}

impl Transaction<'_> {
    fn collect(&self, rules: &GcRules, locked: &[BuildId]) -> rusqlite::Result<Option<Pass>> {
        let connection = &self.connection;
        let open: Vec<i64> = connection
            .prepare("SELECT id FROM build WHERE closed IS NULL AND cancelled = 0")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        if !open.iter().all(|build| locked.contains(&BuildId(*build))) {
            return Ok(None);
        }
        let whole = file_size(connection)?;
        let mut freed = Freed::default();
        remove(connection, rules, rules.before, &mut freed)?;
        if let Some(most) = rules.max_bytes {
            for before in steps(connection, rules.before)? {
                if used_size(connection)? <= most {
                    break;
                }
                remove(connection, rules, before, &mut freed)?;
            }
        }
        freed.left = used_size(connection)?;
        freed.bytes = whole.saturating_sub(pages_size(connection)?);
        // No violation is a statement without rows; one means that the rules above are wrong.
        if connection.prepare("PRAGMA foreign_key_check")?.exists([])? {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY),
                Some("something that stays stands on something that would go".to_owned()),
            ));
        }
        Ok(Some((freed, named_objects(connection)?)))
    }
}

/// Returns the digests of the objects that rows name.
pub(super) fn named_objects(connection: &Watched) -> rusqlite::Result<HashSet<String>> {
    connection
        .prepare("SELECT DISTINCT object FROM artifact_body WHERE object IS NOT NULL")?
        .query_map([], |row| {
            row.get(0)
                .map(|object| Digest::from_bytes(object).to_string())
        })?
        .collect()
}

/// Returns a moment to compare with those in rows. No row is later than the latest that a row can have.
fn bound(moment: Timestamp) -> u64 {
    moment.0.min(i64::MAX.unsigned_abs())
}

fn remove(
    connection: &Watched,
    rules: &GcRules,
    before: Timestamp,
    freed: &mut Freed,
) -> rusqlite::Result<()> {
    let before = bound(before);
    let delete = |statement: &str| connection.execute(statement, []).map(|count| count as u64);
    connection.execute_batch(SCRATCH)?;
    connection.execute(OLD_BUILDS, [before])?;
    let snapshots = connection.execute(OLD_SNAPSHOTS, [rules.snapshots.max(1)])?;
    freed.snapshots += snapshots as u64;
    connection.execute_batch(OLD_SETS)?;
    delete(KEPT_UNITS)?;
    connection.execute_batch(UNITS_BELOW)?;
    freed.artifacts += delete(ARTIFACTS)?;
    freed.units += delete(UNITS)?;
    freed.requests += delete(REQUESTS)?;
    freed.answers += connection.execute(
        "DELETE FROM answer WHERE request NOT IN (SELECT request FROM transcript) AND (realm <> x'' OR (?1
           AND attempt IN (SELECT id FROM attempt WHERE build IN (SELECT build FROM gc_old))))",
        [rules.answers],
    )? as u64;
    delete(ANSWER_BODIES)?;
    Ok(())
}

/// Returns later and later times at which builds were opened, the present excluded.
fn steps(connection: &Watched, after: Timestamp) -> rusqlite::Result<Vec<Timestamp>> {
    let after = bound(after);
    let opened: Vec<u64> = connection
        .prepare("SELECT DISTINCT opened FROM build WHERE opened >= ?1 ORDER BY opened")?
        .query_map([after], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let step = opened.len().div_ceil(STEPS).max(1);
    let mut steps: Vec<Timestamp> = opened
        .iter()
        .skip(step - 1)
        .step_by(step)
        .map(|opened| Timestamp(opened + 1))
        .collect();
    steps.extend(
        opened
            .last()
            .map(|last| Timestamp(last + 1))
            .filter(|last| steps.last() != Some(last)),
    );
    Ok(steps)
}

fn pragma(connection: &Watched, name: &str) -> rusqlite::Result<u64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

fn file_size(connection: &Watched) -> rusqlite::Result<u64> {
    Ok(pragma(connection, "page_count")? * pragma(connection, "page_size")?)
}

/// Bytes of the pages in use.
fn pages_size(connection: &Watched) -> rusqlite::Result<u64> {
    let free = pragma(connection, "freelist_count")? * pragma(connection, "page_size")?;
    Ok(file_size(connection)?.saturating_sub(free))
}

/// Bytes of the rows that are there and of the objects they name.
fn used_size(connection: &Watched) -> rusqlite::Result<u64> {
    Ok(pages_size(connection)? + objects_size(connection)?)
}

fn objects_size(connection: &Watched) -> rusqlite::Result<u64> {
    connection.query_row(
        "SELECT coalesce(sum(size), 0) FROM (SELECT DISTINCT object, size FROM artifact_body
           JOIN artifact ON artifact = id WHERE object IS NOT NULL)",
        [],
        |row| row.get(0),
    )
}
