//! Deletes old rows that no retained snapshot and no recent or open build uses. This module owns no table.
//!
//! | retained, whatever its age | because |
//! | --- | --- |
//! | the newest snapshots of each pipeline, their units and all upstream units | the pipeline makes them now, or did recently |
//! | the snapshots of recent trials, likewise | somebody looks at them |
//! | requests and answers of a retained unit | without them the unit cannot be shown or made again |
//! | any other answer of a provider, unless `answers` is set | it was paid for |
//! | requests in flight, submissions, attempts, builds | they record money |
//! | claims on shared answers | others wait until they are released |
//!
//! Digests of source files that were last read before the cutoff, and failures of files from before it, are deleted: the
//! files may be gone, and the others are read once more.
//!
//! A pass is one transaction, so a dry run is a pass that is rolled back.

use std::collections::HashSet;

use super::connection::BoundedConnection;
use super::transaction::{Durability, Transaction, TransactionEnd};
use super::{BuildId, Store, StoreError};
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;

/// The maximum number of steps by which the cutoff moves forward until the state is small enough.
const STEPS: usize = 16;

/// What garbage collection may delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GcRules {
    /// Results of builds before this time may be deleted.
    pub before: Timestamp,
    /// Later results may be deleted as well, the oldest first, until the state has at most this size.
    pub max_bytes: Option<u64>,
    /// The number of snapshots of each pipeline to retain, apart from those of trials.
    pub snapshots: u32,
    /// Whether unused answers of providers may be deleted; another build would pay for them again.
    pub answers: bool,
    /// Whether to count only, and delete nothing.
    pub dry_run: bool,
}

/// What garbage collection deleted, or would delete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GcReport {
    /// The number of snapshots.
    pub snapshots: u64,
    /// The number of units.
    pub units: u64,
    /// The number of artifacts.
    pub artifacts: u64,
    /// Texts of requests; the keys are retained.
    pub requests: u64,
    /// The number of answers.
    pub answers: u64,
    /// Contents in separate files.
    pub objects: u64,
    /// Batch files and locks that are no longer needed.
    pub files: u64,
    /// The bytes that were or would be freed.
    pub bytes: u64,
    /// The bytes that remain.
    pub left: u64,
}

/// The builds that are old enough, and the units to retain.
const TEMP_TABLES: &str = "
CREATE TEMP TABLE IF NOT EXISTS gc_old (build INTEGER PRIMARY KEY);
CREATE TEMP TABLE IF NOT EXISTS gc_keep (unit INTEGER PRIMARY KEY);
DELETE FROM gc_old;
DELETE FROM gc_keep;";

const OLD_BUILDS: &str = "
INSERT INTO gc_old SELECT id FROM build WHERE opened < ?1
  AND id NOT IN (SELECT build FROM submission WHERE state NOT IN ('settled', 'abandoned'))";

const OLD_SNAPSHOTS: &str = "
DELETE FROM snapshot WHERE id IN (
  SELECT id FROM (SELECT id, build, name,
    row_number() OVER (PARTITION BY pipeline, name IS NULL ORDER BY id DESC) AS place FROM snapshot)
  WHERE (place > ?1 OR name IS NOT NULL) AND build IN (SELECT build FROM gc_old))";

const OLD_SETS: &str = "
DELETE FROM snapshot_layer WHERE snapshot NOT IN (SELECT id FROM snapshot);
DELETE FROM layer_set WHERE id NOT IN (SELECT layer_set FROM snapshot_layer);
DELETE FROM layer_set_unit WHERE layer_set NOT IN (SELECT id FROM layer_set);
DELETE FROM layer_set_replaced WHERE layer_set NOT IN (SELECT id FROM layer_set);";

const KEPT_UNITS: &str = "
WITH RECURSIVE keep (unit) AS (
  SELECT unit FROM layer_set_unit
  UNION SELECT id FROM unit WHERE build NOT IN (SELECT build FROM gc_old)
  UNION SELECT a.unit FROM keep k JOIN unit_input i ON i.unit = k.unit JOIN artifact a ON a.id = i.artifact)
INSERT INTO gc_keep SELECT unit FROM keep";

const UNIT_DEPENDANTS: &str = "
DELETE FROM unit_input WHERE unit NOT IN (SELECT unit FROM gc_keep);
DELETE FROM transcript WHERE unit NOT IN (SELECT unit FROM gc_keep);
DELETE FROM unit_detail WHERE unit NOT IN (SELECT unit FROM gc_keep);
DELETE FROM unit_skipped WHERE unit NOT IN (SELECT unit FROM gc_keep);
DELETE FROM artifact_body WHERE artifact IN (SELECT id FROM artifact WHERE unit NOT IN (SELECT unit FROM gc_keep));";

const ARTIFACTS: &str = "DELETE FROM artifact WHERE unit NOT IN (SELECT unit FROM gc_keep)";
const UNITS: &str = "DELETE FROM unit WHERE id NOT IN (SELECT unit FROM gc_keep)";

// The transcript of a unit that waits has the request, but not yet the answer.
const REQUESTS: &str = "
DELETE FROM request_body WHERE request NOT IN (SELECT request FROM transcript)
  AND request NOT IN (SELECT request FROM attempt WHERE state = 0 OR build NOT IN (SELECT build FROM gc_old))";

const ANSWER_DEPENDANTS: &str = "
DELETE FROM answer_body WHERE answer NOT IN (SELECT id FROM answer);
DELETE FROM shared_answer WHERE answer NOT IN (SELECT id FROM answer);";

/// Times of files are nanoseconds.
const OLD_FILE_DIGESTS: &str = "DELETE FROM file_digest WHERE stamped / 1000000 < ?1";
const OLD_FILE_FAILURES: &str =
    "DELETE FROM file_failure WHERE build IN (SELECT build FROM gc_old)";

/// The counts of a pass, and the objects that rows still name.
pub(super) type Pass = (GcReport, HashSet<String>);

impl Store {
    /// Deletes rows for [`Store::collect_garbage`].
    pub(super) fn collect_rows(
        &self,
        rules: &GcRules,
        locked: &[BuildId],
    ) -> Result<Option<Pass>, StoreError> {
        // Otherwise SQLite would scan tables without an index for each deleted row. The whole database is checked
        // below.
        self.execute_batch("PRAGMA foreign_keys = OFF")?;
        let collected = self.run_pass(rules, locked);
        self.execute_batch("PRAGMA foreign_keys = ON")?;
        let pass = collected?;
        if !rules.dry_run && pass.as_ref().is_some_and(|(freed, _)| freed.bytes > 0) {
            self.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?;
        }
        Ok(pass)
    }

    fn run_pass(&self, rules: &GcRules, locked: &[BuildId]) -> Result<Option<Pass>, StoreError> {
        let end = if rules.dry_run {
            TransactionEnd::RollBack
        } else {
            TransactionEnd::Commit
        };
        self.in_transaction(Durability::Full, end, |tx| {
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
        let size_before = file_size(connection)?;
        let mut freed = GcReport::default();
        delete_rows(connection, rules, rules.before, &mut freed)?;
        if let Some(most) = rules.max_bytes {
            for before in later_cutoffs(connection, rules.before)? {
                if used_size(connection)? <= most {
                    break;
                }
                delete_rows(connection, rules, before, &mut freed)?;
            }
        }
        freed.left = used_size(connection)?;
        freed.bytes = size_before.saturating_sub(pages_size(connection)?);
        // A row means a violation, and so an error in the rules above.
        if connection.prepare("PRAGMA foreign_key_check")?.exists([])? {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY),
                Some("a retained row refers to a row to delete".to_owned()),
            ));
        }
        Ok(Some((freed, named_objects(connection)?)))
    }
}

/// Returns the digests of the objects that rows name.
pub(super) fn named_objects(connection: &BoundedConnection) -> rusqlite::Result<HashSet<String>> {
    connection
        .prepare("SELECT DISTINCT object FROM artifact_body WHERE object IS NOT NULL")?
        .query_map([], |row| {
            row.get(0)
                .map(|object| Digest::from_bytes(object).to_string())
        })?
        .collect()
}

/// Returns a time to compare with those in rows, limited to the latest time that a row can have.
fn clamp(time: Timestamp) -> u64 {
    time.0.min(i64::MAX.unsigned_abs())
}

fn delete_rows(
    connection: &BoundedConnection,
    rules: &GcRules,
    before: Timestamp,
    freed: &mut GcReport,
) -> rusqlite::Result<()> {
    let before = clamp(before);
    let delete = |statement: &str| connection.execute(statement, []).map(|count| count as u64);
    connection.execute_batch(TEMP_TABLES)?;
    connection.execute(OLD_BUILDS, [before])?;
    let snapshots = connection.execute(OLD_SNAPSHOTS, [rules.snapshots.max(1)])?;
    freed.snapshots += snapshots as u64;
    connection.execute_batch(OLD_SETS)?;
    delete(KEPT_UNITS)?;
    connection.execute_batch(UNIT_DEPENDANTS)?;
    freed.artifacts += delete(ARTIFACTS)?;
    freed.units += delete(UNITS)?;
    freed.requests += delete(REQUESTS)?;
    freed.answers += connection.execute(
        "DELETE FROM answer WHERE request NOT IN (SELECT request FROM transcript) AND (realm <> x'' OR (?1
           AND (attempt IN (SELECT id FROM attempt WHERE build IN (SELECT build FROM gc_old))
             OR id IN (SELECT answer FROM shared_answer WHERE build IN (SELECT build FROM gc_old)))))",
        [rules.answers],
    )? as u64;
    connection.execute_batch(ANSWER_DEPENDANTS)?;
    // A file that is read again costs its time and nothing else.
    connection.execute(OLD_FILE_DIGESTS, [before])?;
    delete(OLD_FILE_FAILURES)?;
    Ok(())
}

/// Returns later and later cutoffs, which are times right after builds were opened.
fn later_cutoffs(
    connection: &BoundedConnection,
    after: Timestamp,
) -> rusqlite::Result<Vec<Timestamp>> {
    let after = clamp(after);
    let opened: Vec<u64> = connection
        .prepare("SELECT DISTINCT opened FROM build WHERE opened >= ?1 ORDER BY opened")?
        .query_map([after], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let step = opened.len().div_ceil(STEPS).max(1);
    let mut later_cutoffs: Vec<Timestamp> = opened
        .iter()
        .skip(step - 1)
        .step_by(step)
        .map(|opened| Timestamp(opened + 1))
        .collect();
    later_cutoffs.extend(
        opened
            .last()
            .map(|last| Timestamp(last + 1))
            .filter(|last| later_cutoffs.last() != Some(last)),
    );
    Ok(later_cutoffs)
}

fn pragma(connection: &BoundedConnection, name: &str) -> rusqlite::Result<u64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

fn file_size(connection: &BoundedConnection) -> rusqlite::Result<u64> {
    Ok(pragma(connection, "page_count")? * pragma(connection, "page_size")?)
}

/// Returns the bytes of the pages in use.
fn pages_size(connection: &BoundedConnection) -> rusqlite::Result<u64> {
    let free = pragma(connection, "freelist_count")? * pragma(connection, "page_size")?;
    Ok(file_size(connection)?.saturating_sub(free))
}

/// Returns the bytes of the rows and of the objects that they name.
fn used_size(connection: &BoundedConnection) -> rusqlite::Result<u64> {
    Ok(pages_size(connection)? + objects_size(connection)?)
}

fn objects_size(connection: &BoundedConnection) -> rusqlite::Result<u64> {
    connection.query_row(
        "SELECT coalesce(sum(size), 0) FROM (SELECT DISTINCT object, size FROM artifact_body
           JOIN artifact ON artifact = id WHERE object IS NOT NULL)",
        [],
        |row| row.get(0),
    )
}
