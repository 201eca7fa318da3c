//! Replaces a damaged state by a new one, because the user asked for it.

use std::path::Path;

use rusqlite::params;

use super::damage::examine;
use super::marker::{Damage, Phase, keep_marker_as_record, read_marker, write_marker};
use crate::build::BuildId;
use crate::{Store, StoreError, Transaction, database, files};
use synix_core::clock::Timestamp;

impl Store {
    /// Opens the state as [`Store::open`] does, but replaces a damaged one by a new one.
    ///
    /// Returns what the damaged one contained. The marker remains until [`Store::finish_reset`].
    pub fn open_with_reset(folder: &Path) -> Result<(Self, Option<Box<Damage>>), StoreError> {
        let state_folder = files::open_or_create(folder)?;
        // The user has seen the damage, but opening the file alone may not find it.
        if state_folder.has_file(database::FILE)? && read_marker(&state_folder)?.is_none() {
            examine(&state_folder, None)?;
        }
        let mut damage = match Self::open(folder) {
            Err(StoreError::Damaged { damage, .. })
                if matches!(damage.phase, Phase::Aside | Phase::Resetting) =>
            {
                damage
            }
            other => return Ok((other?, None)),
        };
        damage.phase = Phase::Resetting;
        write_marker(&state_folder, &damage)?;
        Ok((
            Self::from_connection(database::create(&state_folder)?, state_folder),
            Some(damage),
        ))
    }

    /// Finishes a reset: the new state is valid from here on.
    pub fn finish_reset(&self) -> Result<(), StoreError> {
        keep_marker_as_record(&self.state_folder)
    }
}

impl Transaction<'_> {
    /// Records the live batches of the old state as abandoned, so that no later build adopts them (M7).
    pub fn abandon_lost_batches(
        &self,
        build: BuildId,
        damage: &Damage,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for lost in &damage.salvaged.live {
            self.execute(
                "INSERT INTO submission (token, build, layers, provider, model, attempt, requests,
                 state, status, batch, note, opened, changed)
                 VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, 'abandoned', 'abandoned', ?7, ?8, ?9, ?9)
                 ON CONFLICT DO NOTHING",
                params![
                    lost.token,
                    build.0,
                    lost.layers,
                    lost.provider,
                    lost.model,
                    lost.requests,
                    lost.batch,
                    "belongs to the state that was reset; the provider may continue and bill it",
                    now.0
                ],
            )?;
        }
        Ok(())
    }

    /// Replaces the note of an abandoned batch of the old state.
    pub fn note_abandoned(&self, batch: &str, note: &str) -> Result<(), StoreError> {
        self.execute(
            "UPDATE submission SET note = ?2 WHERE batch = ?1 AND state = 'abandoned'",
            [batch, note],
        )
    }
}
