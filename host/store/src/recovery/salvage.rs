//! Reads what is still readable in a damaged database, to report what was lost.
//!
//! Rows are looked up one by one, so that a damaged page hides only its own rows. Nothing is written; even the write-ahead log is not merged.

use std::fmt;

use rusqlite::config::DbConfig;
use rusqlite::{OpenFlags, OptionalExtension as _};
use serde::{Deserialize, Serialize};

use crate::connection::{BoundedConnection, Purpose};
use crate::database;
use synix_disk::Folder;

/// The maximum number of rows that are looked up one by one: a manipulated file may claim any number.
const MAX_LOOKUPS: usize = 1_000_000;

/// What a damaged database contained, as far as it can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salvaged {
    /// The number of builds.
    pub builds: RowCount,
    /// The number of answers, which were paid for.
    pub answers: RowCount,
    /// The number of submissions.
    pub submissions: RowCount,
    /// The submissions that were not settled: the provider may continue and bill them.
    pub live: Vec<LostBatch>,
}

/// The number of readable rows of a damaged table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCount {
    /// The number of readable rows.
    pub rows: u64,
    /// Whether every row is readable.
    #[serde(rename = "whole")]
    pub is_complete: bool,
}

impl fmt::Display for RowCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.rows, self.is_complete) {
            (0, false) => f.write_str("unknown"),
            (rows, false) => write!(f, "at least {rows}"),
            (rows, true) => write!(f, "{rows}"),
        }
    }
}

/// A submission that was not settled when its state was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostBatch {
    /// The provider's name in the pipeline file.
    pub provider: String,
    /// The id of the batch; `None` if it had none, or if its create call was in flight.
    pub batch: Option<String>,
    /// The token in the name of the upload and in the metadata of the batch.
    pub token: String,
    /// The model.
    pub model: String,
    /// The layers whose requests it contains.
    pub layers: String,
    /// The number of requests.
    pub requests: u64,
    /// The state of the submission.
    pub state: String,
}

impl LostBatch {
    /// Returns whether it is uncertain that the batch is ours: cancelling it might stop that of another user.
    pub fn is_doubtful(&self) -> bool {
        self.state == "adopted"
    }
}

impl fmt::Display for LostBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            provider,
            token,
            requests,
            layers,
            ..
        } = self;
        match &self.batch {
            Some(batch) => write!(
                f,
                "batch {batch} at {provider}, {requests} requests of {layers}"
            ),
            None => write!(
                f,
                "submission {token} to {provider} ({}), {requests} requests of {layers}",
                self.state
            ),
        }
    }
}

/// Opens a file that may be damaged, without changing it.
pub(crate) fn open_unmodified(state_folder: &Folder) -> rusqlite::Result<BoundedConnection> {
    let path = database::canonical_path(state_folder);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = BoundedConnection::open(&path, &path, flags, Purpose::Read)?;
    // Otherwise the last connection that is closed would write the log into the damaged file.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Reads what is readable in the file.
pub(crate) fn read(state_folder: &Folder) -> Salvaged {
    let Ok(connection) = open_unmodified(state_folder) else {
        return Salvaged::default();
    };
    let count = |table| count_rows(&connection, &format!("SELECT id FROM {table}"), |_| Ok(()));
    let mut live = Vec::new();
    let submissions = submissions(&connection, &mut live);
    Salvaged {
        builds: count("build"),
        answers: count("answer"),
        submissions,
        live,
    }
}

/// Reads rows until one is unreadable, and counts them.
fn count_rows(
    connection: &BoundedConnection,
    statement: &str,
    mut row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
) -> RowCount {
    let mut count = RowCount::default();
    let mut walk = || -> rusqlite::Result<()> {
        let mut statement = connection.prepare(statement)?;
        let mut rows = statement.query([])?;
        while let Some(found) = rows.next()? {
            row(found)?;
            count.rows += 1;
        }
        Ok(())
    };
    count.is_complete = walk().is_ok();
    count
}

fn submissions(connection: &BoundedConnection, live: &mut Vec<LostBatch>) -> RowCount {
    const COLUMNS: &str = "provider, batch, token, model, layers, requests, state";
    let statement = format!("SELECT {COLUMNS} FROM submission ORDER BY id");
    let count = count_rows(connection, &statement, |row| {
        live.extend(unsettled(row)?);
        Ok(())
    });
    if count.is_complete {
        return count;
    }
    // A damaged page ended the scan, but later pages may be intact.
    let Ok(last) = connection.query_row("SELECT max(id) FROM submission", [], |row| {
        row.get::<_, i64>(0)
    }) else {
        return count;
    };
    live.clear();
    let mut rows = 0;
    let statement = format!("SELECT {COLUMNS} FROM submission WHERE id = ?1");
    for id in (1..=last).rev().take(MAX_LOOKUPS) {
        let found = connection.query_row(&statement, [id], unsettled).optional();
        if let Ok(Some(found)) = found {
            rows += 1;
            live.extend(found);
        }
    }
    live.reverse();
    RowCount {
        rows,
        is_complete: false,
    }
}

fn unsettled(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<LostBatch>> {
    let state: String = row.get(6)?;
    if matches!(state.as_str(), "settled" | "abandoned") {
        return Ok(None);
    }
    Ok(Some(LostBatch {
        provider: row.get(0)?,
        batch: row.get(1)?,
        token: row.get(2)?,
        model: row.get(3)?,
        layers: row.get(4)?,
        requests: row.get(5)?,
        state,
    }))
}
