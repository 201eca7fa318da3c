//! Opens a search file that may be from somebody else.
//!
//! The file is opened as immutable and read-only: SQLite looks at no journal beside it. Its schema must be exactly the one
//! that synix writes, so nothing that somebody planted acts.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OpenFlags};
use synix_store::immutable_uri;

use super::{APPLICATION, COLUMNS, FORMAT, tables};
use crate::index_file::harden;

/// The number of steps of SQLite's virtual machine between two checks, and how many a statement may take: those for every
/// file, and those for each page of this one.
const PROGRESS_INTERVAL: i32 = 100_000;
const MIN_STEPS: u64 = 50_000_000;
const STEPS_PER_PAGE: u64 = 100_000;

/// Opens a file; returns `None` if its schema is not the one that synix writes.
pub(super) fn open(path: &Path) -> rusqlite::Result<Option<(Connection, Vec<String>)>> {
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(immutable_uri(&path), flags)?;
    harden(&connection)?;
    let pages: u64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let limit = MIN_STEPS.saturating_add(pages.saturating_mul(STEPS_PER_PAGE));
    let steps = AtomicU64::new(0);
    let exceeds_limit = move || {
        let interval = u64::from(PROGRESS_INTERVAL.unsigned_abs());
        steps.fetch_add(interval, Ordering::Relaxed) > limit
    };
    connection.progress_handler(PROGRESS_INTERVAL, Some(exceeds_limit))?;
    let application: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let format: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if application != APPLICATION || format != FORMAT {
        return Ok(None);
    }
    let columns: Vec<String> = connection
        .prepare("SELECT name FROM pragma_table_info('document_text') ORDER BY cid")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let members: Vec<String> = columns.into_iter().skip(1 + COLUMNS.len()).collect();
    let model = Connection::open_in_memory()?;
    if model.execute_batch(&tables(&members)).is_err() || objects(&connection)? != objects(&model)?
    {
        return Ok(None);
    }
    Ok(Some((connection, members)))
}

/// The kind, name and text of each object.
fn objects(connection: &Connection) -> rusqlite::Result<Vec<(String, String, Option<String>)>> {
    connection
        .prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect()
}
