//! The marker of a damaged state: the damage, what the file contained, and the phase of setting it aside.
//!
//! | phase | what a command does |
//! | --- | --- |
//! | in use | examines the file again, because another process was using it |
//! | moving | moves the remaining files |
//! | aside | refuses, until the user restores an intact file |
//! | resetting | refuses, until the user repeats the interrupted reset |

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::damage;
use super::salvage::{RowCount, Salvaged};
use crate::{StoreError, database};
use synix_core::clock::Clock;
use synix_disk::Folder;

const MARKER: &str = "damage.json";

/// The maximum size of a marker in bytes. It lists each live batch.
const MARKER_BYTES: u64 = 16 << 20;

/// A damaged database, and where it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    pub(crate) phase: Phase,
    /// The damage.
    pub found: String,
    /// When the damage was found.
    pub since: String,
    /// The file's new name in the state folder; `None` if it was not moved or is missing.
    pub set_aside: Option<String>,
    /// What the file contained, as far as it can be read.
    #[serde(rename = "held")]
    pub salvaged: Salvaged,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    InUse,
    Moving,
    Aside,
    Resetting,
}

impl Damage {
    /// Returns the message: the damage, where the file is, what it contained and what to run.
    pub(crate) fn message(&self, folder: &Path) -> String {
        let state_folder = folder.join(database::FILE);
        let what = format!(
            "the state database {} is damaged: {}",
            state_folder.display(),
            self.found
        );
        let aside = match (self.phase, &self.set_aside) {
            (Phase::InUse, _) => {
                return format!(
                    "{what}\n  another process is using it and records its costs there: stop that process, then run this \
                     command again"
                );
            }
            (_, Some(name)) => {
                let name = folder.join(name);
                format!("it was set aside as {} on {}", name.display(), self.since)
            }
            (_, None) => "there is nothing to set aside".to_owned(),
        };
        format!(
            "{what}\n  {aside}\n  {self}\n  restore an intact copy, or start a new state with `synix build \
             --reset-state`, `synix batch-build run --reset-state` or `synix batch-build resume --reset-state`: you \
             then pay for its answers again, and synix abandons its live batches"
        )
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Salvaged {
            builds,
            answers,
            submissions,
            live,
        } = &self.salvaged;
        let batches = RowCount {
            rows: live.len() as u64,
            is_complete: submissions.is_complete,
        };
        write!(
            f,
            "it contained builds: {builds}, answers: {answers}, live batches: {batches}"
        )?;
        for batch in live {
            write!(f, "\n    {batch}")?;
        }
        if !submissions.is_complete {
            write!(
                f,
                "\n    there may be others in the list of the provider: synix writes a `synix_token` into the metadata of its batches"
            )?;
        }
        Ok(())
    }
}

/// Reads the marker. It is untrusted, so a name in it is used only if synix could have given it.
pub(crate) fn read_marker(state_folder: &Folder) -> Result<Option<Damage>, StoreError> {
    let Some(bytes) = state_folder.read(MARKER, MARKER_BYTES)? else {
        return Ok(None);
    };
    // Even an unreadable marker means that something was lost.
    let unreadable = |why: String| Damage {
        phase: Phase::Aside,
        found: format!("{MARKER} cannot be read: {why}"),
        since: Clock::Real.now().to_string(),
        set_aside: None,
        salvaged: Salvaged::default(),
    };
    Ok(Some(match serde_json::from_slice::<Damage>(&bytes) {
        Err(error) => unreadable(error.to_string()),
        Ok(found) => match &found.set_aside {
            Some(name) if !damage::is_set_aside_name(name) => {
                unreadable(format!("synix gives no file the name {name:?}"))
            }
            Some(_) | None => found,
        },
    }))
}

pub(crate) fn write_marker(state_folder: &Folder, damage: &Damage) -> Result<(), StoreError> {
    let text = serde_json::to_vec_pretty(damage).unwrap_or_default();
    Ok(state_folder.replace(MARKER, &text)?)
}

/// Renames the marker, so that it no longer blocks commands but still records what was lost.
pub(crate) fn keep_marker_as_record(state_folder: &Folder) -> Result<(), StoreError> {
    let date = Clock::Real.now().to_string().replace([':', '-'], "");
    let mut number = 1;
    loop {
        let name = match number {
            1 => format!("damage-{date}.json"),
            _ => format!("damage-{date}-{number}.json"),
        };
        if state_folder.rename(MARKER, &name)? || !state_folder.has_file(MARKER)? {
            return Ok(());
        }
        number += 1;
    }
}
