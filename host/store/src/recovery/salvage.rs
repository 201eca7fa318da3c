//! What can still be read from a damaged database, to say what was lost.
//!
//! Each row is looked up by itself, so that a damaged page hides its own rows
//! only. Nothing is written: not even the write-ahead log is taken over.

use std::fmt;

use rusqlite::config::DbConfig;
use rusqlite::{OpenFlags, OptionalExtension as _};
use serde::{Deserialize, Serialize};

use crate::connection::{Purpose, Watched};
use crate::database;
use synix_disk::Folder;

/// Rows that are looked up one by one where their table is damaged, at most: a planted number may be any.
const LOOK_UPS: usize = 1_000_000;

/// What a damaged database contained, as far as it can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salvaged {
    /// Its builds.
    pub builds: Count,
    /// Its answers: what was paid for.
    pub answers: Count,
    /// How many submissions could be looked at.
    pub submissions: Count,
    /// Those that were not settled: they may go on, and be billed.
    pub live: Vec<LostBatch>,
}

/// How many rows a damaged table still shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Rows that can be read.
    pub rows: u64,
    /// Whether these are all.
    pub whole: bool,
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.rows, self.whole) {
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
    /// The batch's id there; `None`: it had none yet, or its create call was under way.
    pub batch: Option<String>,
    /// The token in the upload's name and, where the provider keeps it, in the batch's metadata.
    pub token: String,
    /// The model.
    pub model: String,
    /// The layers whose requests it carries.
    pub layers: String,
    /// How many requests.
    pub requests: u64,
    /// Where it stood.
    pub state: String,
}

impl LostBatch {
    /// Says whether the batch was taken for ours before its rows could tell: cancelling it may stop another's.
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

/// Opens a file that may be damaged, so that nothing in it changes.
pub(crate) fn open_untouched(place: &Folder) -> rusqlite::Result<Watched> {
    let path = database::true_path(place);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = Watched::open(&path, &path, flags, Purpose::Read)?;
    // The last connection to close would else write the log into the damaged file.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Reads what can be read from the file.
pub(crate) fn read(place: &Folder) -> Salvaged {
    let Ok(connection) = open_untouched(place) else {
        return Salvaged::default();
    };
    let count = |table| each(&connection, &format!("SELECT id FROM {table}"), |_| Ok(()));
    let mut live = Vec::new();
    let submissions = submissions(&connection, &mut live);
    Salvaged {
        builds: count("build"),
        answers: count("answer"),
        submissions,
        live,
    }
}

/// Walks rows until one cannot be read.
fn each(
    connection: &Watched,
    statement: &str,
    mut row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
) -> Count {
    let mut count = Count::default();
    let mut walk = || -> rusqlite::Result<()> {
        let mut statement = connection.prepare(statement)?;
        let mut rows = statement.query([])?;
        while let Some(found) = rows.next()? {
            row(found)?;
            count.rows += 1;
        }
        Ok(())
    };
    count.whole = walk().is_ok();
    count
}

fn submissions(connection: &Watched, live: &mut Vec<LostBatch>) -> Count {
    const COLUMNS: &str = "provider, batch, token, model, layers, requests, state";
    let statement = format!("SELECT {COLUMNS} FROM submission ORDER BY id");
    let count = each(connection, &statement, |row| {
        live.extend(unsettled(row)?);
        Ok(())
    });
    if count.whole {
        return count;
    }
    // A page in the middle is damaged: those behind it may not be.
    let Ok(last) = connection.query_row("SELECT max(id) FROM submission", [], |row| {
        row.get::<_, i64>(0)
    }) else {
        return count;
    };
    live.clear();
    let mut rows = 0;
    let statement = format!("SELECT {COLUMNS} FROM submission WHERE id = ?1");
    for id in (1..=last).rev().take(LOOK_UPS) {
        let found = connection.query_row(&statement, [id], unsettled).optional();
        if let Ok(Some(found)) = found {
            rows += 1;
            live.extend(found);
        }
    }
    live.reverse();
    Count { rows, whole: false }
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
