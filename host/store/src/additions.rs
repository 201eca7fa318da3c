//! What later formats added to the database. A state of an early format is read as it is, without migrating it.

use rusqlite::Connection;

use super::recovery::seal;

/// Which additions a database has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Additions {
    /// Rows have seals.
    pub(crate) seals: bool,
    /// Rows of units have seals.
    pub(crate) unit_seals: bool,
    /// The tables of readers exist.
    pub(crate) readers: bool,
    /// The failures of files are recorded.
    pub(crate) file_failures: bool,
    /// Builds have trials and forecasts, snapshots have names, and units and attempts have times.
    pub(crate) trials: bool,
    /// The tables of shared answers exist.
    pub(crate) shared_answers: bool,
    /// Layers of snapshots have fingerprints.
    pub(crate) layer_fingerprints: bool,
    /// Builds have jobs.
    pub(crate) jobs: bool,
}

impl Additions {
    /// What a database of the newest format has.
    pub(crate) const ALL: Self = Self {
        seals: true,
        unit_seals: true,
        readers: true,
        file_failures: true,
        trials: true,
        shared_answers: true,
        layer_fingerprints: true,
        jobs: true,
    };

    /// Finds out what a database has.
    pub(crate) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let mut columns =
            connection.prepare("SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2")?;
        let mut has_seals = |table| columns.exists([table, seal::COLUMN]);
        Ok(Self {
            seals: has_seals("answer_body")?,
            unit_seals: has_seals("unit")?,
            readers: has_seals("unit_skipped")?,
            file_failures: has_seals("file_failure")?,
            trials: columns.exists(["build", "trial"])?,
            shared_answers: columns.exists(["shared_answer", "answer"])?,
            layer_fingerprints: columns.exists(["snapshot_layer", "fingerprint"])?,
            jobs: columns.exists(["build_job", "job"])?,
        })
    }
}
