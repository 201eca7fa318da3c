//! The marker of a damaged state: what was found, what the file contained, and how far it is set aside.
//!
//! | phase | what a command does that finds it |
//! | --- | --- |
//! | in use | another process worked on the file: examines it again |
//! | moving | sets the rest of the file aside |
//! | aside | refuses; a whole file put in the place ends it |
//! | resetting | refuses; a reset that was interrupted is asked for again |

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::damage;
use super::salvage::{Count, Salvaged};
use crate::{StoreError, database};
use synix_core::clock::Clock;
use synix_disk::Folder;

const MARKER: &str = "damage.json";

/// The most of a marker that is read, in bytes. It names each live batch.
const MARKER_BYTES: u64 = 16 << 20;

/// What became of a damaged database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    pub(crate) phase: Phase,
    /// What is wrong with the file.
    pub found: String,
    /// When it was found.
    pub since: String,
    /// Its name in the state folder now; `None` where it is still in its place, or gone.
    pub set_aside: Option<String>,
    /// What it contained, as far as it can be read.
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
    /// Returns what is wrong, where the file is, what it contained and what to run.
    pub(crate) fn tell(&self, folder: &Path) -> String {
        let place = folder.join(database::FILE);
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
            "{what}\n  {aside}\n  {self}\n  put an intact copy in its place, or start a new state with `synix build \
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
        let batches = Count {
            rows: live.len() as u64,
            whole: submissions.whole,
        };
        write!(
            f,
            "it contained builds: {builds}, answers: {answers}, live batches: {batches}"
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

/// Reads the marker. A stranger may have written it, so no name in it is used but one that synix gives.
pub(crate) fn read_marker(place: &Folder) -> Result<Option<Damage>, StoreError> {
    let Some(bytes) = place.read(MARKER, MARKER_BYTES)? else {
        return Ok(None);
    };
    // A marker that cannot be read still says that something was lost.
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
            Some(name) if !damage::is_name_aside(name) => {
                unreadable(format!("{name:?} is no name that synix gives to a file"))
            }
            Some(_) | None => found,
        },
    }))
}

pub(crate) fn write_marker(place: &Folder, damage: &Damage) -> Result<(), StoreError> {
    let text = serde_json::to_vec_pretty(damage).unwrap_or_default();
    Ok(place.replace(MARKER, &text)?)
}

/// Ends the refusal; the marker stays as a record of what was lost.
pub(crate) fn keep_marker_as_record(place: &Folder) -> Result<(), StoreError> {
    let date = Clock::Real.now().to_string().replace([':', '-'], "");
    let mut number = 1;
    loop {
        let name = match number {
            1 => format!("damage-{date}.json"),
            _ => format!("damage-{date}-{number}.json"),
        };
        if place.rename(MARKER, &name)? || !place.has_file(MARKER)? {
            return Ok(());
        }
        number += 1;
    }
}
