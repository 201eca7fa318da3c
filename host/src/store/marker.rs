//! The marker of a damaged state: what was found, what was held, and how far setting it aside has come.
//!
//! | phase | what a command does that finds it |
//! | --- | --- |
//! | in use | another process worked on the file: examines it again |
//! | moving | sets the rest of the file aside |
//! | aside | refuses; a whole file put in the place ends it |
//! | resetting | refuses; a reset that was interrupted is asked for again |

use std::fmt;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::salvage::{Count, Held};
use super::{StoreError, database};
use crate::clock::Clock;
use crate::disk::{self, DiskError};

const MARKER: &str = "damage.json";

/// What became of a damaged database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    pub(super) phase: Phase,
    /// What is wrong with the file.
    pub found: String,
    /// When it was found.
    pub since: String,
    /// Its name in the state folder now; `None` where it is still in its place, or gone.
    pub set_aside: Option<String>,
    /// What it held, as far as it can be read.
    pub held: Held,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    InUse,
    Moving,
    Aside,
    Resetting,
}

impl Damage {
    /// Says what is wrong, where the file is, what it held and what to run.
    pub(super) fn tell(&self, folder: &Path) -> String {
        let place = database::path(folder);
        let what = format!(
            "the state database {} is damaged: {}",
            place.display(),
            self.found
        );
        let aside = match (self.phase, &self.set_aside) {
            (Phase::InUse, _) => {
                return format!(
                    "{what}\n  another process works on it and records there what it spends: stop that process, then run \
                     this command again"
                );
            }
            (_, Some(name)) => {
                let name = folder.join(name);
                format!("it was set aside as {} on {}", name.display(), self.since)
            }
            (_, None) => "there is nothing to set aside".to_owned(),
        };
        format!(
            "{what}\n  {aside}\n  {self}\n  put a whole copy in its place, or start a new state with `synix build \
             --reset-state`, `synix batch-build run --reset-state` or `synix batch-build resume --reset-state`: what was \
             answered is then paid for again, and its live batches are abandoned"
        )
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Held {
            builds,
            answers,
            submissions,
            live,
        } = &self.held;
        let batches = Count {
            rows: live.len() as u64,
            whole: submissions.whole,
        };
        write!(
            f,
            "it held builds: {builds}, answers: {answers}, live batches: {batches}"
        )?;
        for batch in live {
            write!(f, "\n    {batch}")?;
        }
        if !submissions.whole {
            write!(
                f,
                "\n    others may be in the provider's own list: synix writes a `synix_token` into the metadata of its batches"
            )?;
        }
        Ok(())
    }
}

pub(super) fn read_marker(folder: &Path) -> Result<Option<Damage>, StoreError> {
    let Some(bytes) = disk::read_if_there(&folder.join(MARKER))? else {
        return Ok(None);
    };
    // A marker that cannot be read still says that something was lost.
    Ok(Some(serde_json::from_slice(&bytes).unwrap_or_else(
        |error| Damage {
            phase: Phase::Aside,
            found: format!("{MARKER} cannot be read: {error}"),
            since: Clock::Real.now().to_string(),
            set_aside: None,
            held: Held::default(),
        },
    )))
}

pub(super) fn write_marker(folder: &Path, damage: &Damage) -> Result<(), StoreError> {
    let text = serde_json::to_vec_pretty(damage).unwrap_or_default();
    Ok(disk::replace(&folder.join(MARKER), &text)?)
}

/// Ends the refusal; the marker stays as a record of what was lost.
pub(super) fn keep_marker_as_record(folder: &Path) -> Result<(), StoreError> {
    let date = Clock::Real.now().to_string().replace([':', '-'], "");
    let path = folder.join(MARKER);
    fs::rename(&path, folder.join(format!("damage-{date}.json"))).map_err(|source| {
        StoreError::Disk(DiskError {
            action: "rename",
            path,
            source,
        })
    })
}
