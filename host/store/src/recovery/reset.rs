//! A new state in the place of a damaged one, at the user's word.

use std::path::Path;

use rusqlite::params;

use super::damage::examine;
use super::marker::{Damage, Phase, keep_marker_as_record, read_marker, write_marker};
use crate::build::BuildId;
use crate::{Store, StoreError, Transaction, database, files};
use synix_core::clock::Timestamp;

impl Store {
    /// Opens the state as [`Store::open`] does; one that is damaged gives way to a new one.
    ///
    /// Returns what the old one contained. Until [`Store::end_reset`] the damage stays on record.
    pub fn open_anew(folder: &Path) -> Result<(Self, Option<Box<Damage>>), StoreError> {
        let place = files::make(folder)?;
        // Whoever asks for this has met the damage; opening alone may not.
        if place.has_file(database::FILE)? && read_marker(&place)?.is_none() {
            examine(&place, None)?;
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
        write_marker(&place, &damage)?;
        Ok((Self::over(database::create(&place)?, place), Some(damage)))
    }

    /// Ends a reset: from here on the new state counts.
    pub fn end_reset(&self) -> Result<(), StoreError> {
        keep_marker_as_record(&self.place)
    }
}

impl Transaction<'_> {
    /// Records what was live in the old state as abandoned, so that no later build adopts it (M7).
    pub fn abandon_lost(
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
                    "of the state that was reset; it may go on at the provider and be billed",
                    now.0
                ],
            )?;
        }
        Ok(())
    }

    /// Replaces what is said of an abandoned batch of the old state.
    pub fn note_abandoned(&self, batch: &str, note: &str) -> Result<(), StoreError> {
        self.execute(
            "UPDATE submission SET note = ?2 WHERE batch = ?1 AND state = 'abandoned'",
            [batch, note],
        )
    }
}
