//! Brings an index to a snapshot: removes what the snapshot no longer has and adds what is new.
//!
//! An index is at one snapshot. If that snapshot is still on record, only the units that differ are read. Otherwise, as
//! after `clean`, the names and digests of all artifacts are compared, and contents are read only where they differ.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _};
use synix_core::digest::Digest;
use synix_store::{Reader, Snapshot, StoreError, StoredArtifact};

use crate::error::{SearchError, Trouble};

/// What changes in an index when an artifact appears, disappears or is known under another number.
pub(crate) trait Target {
    /// Removes an artifact by its name.
    fn remove(&mut self, layer: &str, label: &str) -> Result<(), Problem>;

    /// Adds an artifact. One of the same name was removed before.
    fn add(&mut self, layer: &str, artifact: &StoredArtifact) -> Result<(), Problem>;

    /// Returns the row of an artifact of this name, with its digest.
    fn find(&mut self, layer: &str, label: &str) -> Result<Option<(i64, Vec<u8>)>, Problem>;

    /// Takes the number of an artifact that is otherwise the same.
    fn renumber(&mut self, row: i64, artifact: &StoredArtifact) -> Result<(), Problem>;

    /// Removes all rows but these.
    fn retain(&mut self, rows: &HashSet<i64>) -> Result<(), Problem>;

    /// Writes what was collected.
    fn finish(&mut self) -> Result<(), Problem>;
}

/// Why an update or a query failed.
#[derive(Debug)]
pub(crate) enum Problem {
    Sqlite(rusqlite::Error),
    Other(SearchError),
    /// The index does not agree with the state.
    Disagrees,
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

impl Problem {
    /// Returns what to do about it.
    pub(crate) fn trouble(self, path: &std::path::Path) -> Trouble {
        match self {
            Self::Sqlite(error) => Trouble::of(path, error),
            Self::Other(error) => Trouble::Other(error),
            Self::Disagrees => Trouble::Damaged(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
                Some("the index does not agree with the state".to_owned()),
            )),
        }
    }
}

/// The snapshot of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexedSnapshot {
    id: i64,
    taken: u64,
    pipeline: String,
}

impl IndexedSnapshot {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        Self {
            id: snapshot.id.0,
            taken: snapshot.taken.0,
            pipeline: snapshot.pipeline.clone(),
        }
    }

    /// Reads the snapshot of an index; `None` if it is at none.
    pub(crate) fn read(connection: &Connection) -> Result<Option<Self>, Problem> {
        let fact = |name: &str| {
            connection
                .prepare_cached("SELECT value FROM fact WHERE name = ?1")?
                .query_row([name], |row| row.get::<_, String>(0))
                .optional()
        };
        let number = |name: &str| Ok::<_, Problem>(fact(name)?.and_then(|text| text.parse().ok()));
        let id = fact("snapshot")?.and_then(|text| text.parse().ok());
        Ok(match (id, number("taken")?, fact("pipeline")?) {
            (Some(id), Some(taken), Some(pipeline)) => Some(Self {
                id,
                taken,
                pipeline,
            }),
            _ => None,
        })
    }

    pub(crate) fn write(&self, connection: &Connection) -> Result<(), Problem> {
        let mut statement = connection
            .prepare_cached("INSERT OR REPLACE INTO fact (name, value) VALUES (?1, ?2)")?;
        statement.execute(("snapshot", self.id.to_string()))?;
        statement.execute(("taken", self.taken.to_string()))?;
        statement.execute(("pipeline", &self.pipeline))?;
        Ok(())
    }

    /// Returns whether this snapshot is newer than another one.
    pub(crate) const fn is_after(&self, other: &Self) -> bool {
        self.id > other.id
    }
}

/// Brings an index from the snapshot that it is at to another one, within the transaction of the caller.
pub(crate) fn bring_to(
    connection: &Connection,
    target: &mut dyn Target,
    reader: &Reader,
    wanted: &Snapshot,
) -> Result<(), Problem> {
    let indexed = IndexedSnapshot::read(connection)?;
    let before = match &indexed {
        Some(indexed) => reader
            .snapshots()?
            .into_iter()
            .find(|snapshot| IndexedSnapshot::of(snapshot) == *indexed),
        None => None,
    };
    match before {
        Some(before) => apply_changes(target, reader, &before, wanted)?,
        None => reconcile(target, reader, wanted)?,
    }
    target.finish()?;
    IndexedSnapshot::of(wanted).write(connection)
}

fn apply_changes(
    target: &mut dyn Target,
    reader: &Reader,
    before: &Snapshot,
    wanted: &Snapshot,
) -> Result<(), Problem> {
    let gone = before.layers().filter(|layer| wanted.set(layer).is_none());
    for layer in wanted.layers().chain(gone) {
        let changes = reader.layer_changes(before, wanted, layer)?;
        for label in changes.before.keys() {
            target.remove(layer, label)?;
        }
        for artifact in changes.after.values() {
            target.add(layer, artifact)?;
        }
    }
    Ok(())
}

/// Compares an index with a snapshot, artifact by artifact.
pub(crate) fn reconcile(
    target: &mut dyn Target,
    reader: &Reader,
    wanted: &Snapshot,
) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    for layer in wanted.layers() {
        let mut failed = None;
        let mut take = |artifact: &StoredArtifact| {
            let label = artifact.label.as_str();
            match target.find(layer, label)? {
                Some((row, digest)) if digest == artifact.digest.as_bytes() => {
                    target.renumber(row, artifact)?;
                    seen.insert(row);
                    return Ok(());
                }
                Some(_) => target.remove(layer, label)?,
                None => {}
            }
            target.add(layer, artifact)?;
            seen.extend(target.find(layer, label)?.map(|(row, _)| row));
            Ok(())
        };
        reader.for_each_snapshot_artifact(wanted, layer, |artifact| {
            if failed.is_none() {
                failed = take(&artifact).err();
            }
        })?;
        if let Some(problem) = failed {
            return Err(problem);
        }
    }
    target.retain(&seen)
}

/// Returns the digest in a row.
pub(crate) fn digest(bytes: &[u8]) -> Option<Digest> {
    <[u8; 32]>::try_from(bytes).ok().map(Digest::from_bytes)
}
