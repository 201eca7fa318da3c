//! Damage to the database: found, set aside, told; never repaired.
//!
//! The file goes under a dated name beside its place, with its log, and a
//! marker says what was found and what the file held. As long as the marker
//! stands and no whole file has taken the place, nothing is opened.
//!
//! What each phase of the marker means is in [`super::marker`].

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::marker::{Damage, Phase, keep_marker_as_record, read_marker, write_marker};
use super::{StoreError, database, salvage};
use crate::clock::{Clock, Moment};
use crate::disk::{self, DiskError, FileLock};

/// How long another process may take to examine the same file.
const PATIENCE: Duration = Duration::from_secs(600);
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// Refuses where the state is damaged or was lost; called before the file is opened.
pub(super) fn refuse(folder: &Path) -> Result<(), StoreError> {
    let there = database::path(folder).exists();
    match read_marker(folder)? {
        None if there || !was_used(folder) => Ok(()),
        Some(damage) if damage.phase == Phase::Aside && !there => Err(told(folder, damage)),
        Some(damage) if damage.phase == Phase::Resetting => Err(told(folder, damage)),
        None | Some(_) => examine(folder, None).and_then(|found| match found {
            Some(damage) => Err(told(folder, damage)),
            None => Ok(()),
        }),
    }
}

/// Returns the error for a file that SQLite or a look at its tables finds damaged.
pub(super) fn found(folder: &Path, what: &str) -> StoreError {
    match examine(folder, Some(what)) {
        Ok(Some(damage)) => told(folder, damage),
        Ok(None) => StoreError::Corrupted {
            path: database::path(folder),
            detail: what.to_owned(),
        },
        Err(error) => error,
    }
}

/// Marks that a database with tables stood here: one that is empty or gone later was lost.
pub(super) fn remember(folder: &Path) -> Result<(), StoreError> {
    let path = lock_path(folder);
    if !path.exists() {
        disk::replace(&path, b"")?;
    }
    Ok(())
}

/// Says whether a database with tables stood here.
pub(super) fn was_used(folder: &Path) -> bool {
    lock_path(folder).exists()
}

fn told(folder: &Path, damage: Damage) -> StoreError {
    StoreError::Damaged {
        folder: folder.to_owned(),
        damage: Box::new(damage),
    }
}

/// Examines the file and sets it aside if it is damaged; `None` where it is whole.
///
/// `said` is what led here; the check alone may only find that it cannot begin.
pub(super) fn examine(folder: &Path, said: Option<&str>) -> Result<Option<Damage>, StoreError> {
    // Two that find the same damage: one sets the file aside, the other reads the marker.
    let _lock = lock(folder)?;
    let place = database::path(folder);
    let marker = read_marker(folder)?;
    match &marker {
        Some(damage) if damage.phase == Phase::Moving => {
            return set_aside(folder, damage.clone()).map(Some);
        }
        Some(damage) if damage.phase == Phase::Aside && !place.exists() => {
            return Ok(marker);
        }
        Some(_) | None => {}
    }
    let found = match check(&place) {
        None if place.exists() => {
            if marker.is_some() {
                keep_marker_as_record(folder)?;
            }
            return Ok(None);
        }
        None => "the file is gone".to_owned(),
        Some(found) => said.map_or(found, str::to_owned),
    };
    let now = Clock::Real.now();
    let damage = Damage {
        phase: if is_in_use(folder) {
            Phase::InUse
        } else {
            Phase::Moving
        },
        found,
        since: now.to_string(),
        set_aside: place.exists().then(|| dated(folder, now)),
        held: salvage::held(&place),
    };
    if damage.phase == Phase::InUse {
        write_marker(folder, &damage)?;
        return Ok(Some(damage));
    }
    set_aside(folder, damage).map(Some)
}

/// Moves the file and its log; begun again where it was interrupted.
fn set_aside(folder: &Path, mut damage: Damage) -> Result<Damage, StoreError> {
    damage.phase = Phase::Moving;
    write_marker(folder, &damage)?;
    if let Some(name) = &damage.set_aside {
        for suffix in ["", "-wal", "-shm"] {
            let from = with_suffix(&database::path(folder), suffix);
            match fs::rename(&from, with_suffix(&folder.join(name), suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::Disk(DiskError {
                        action: "set aside",
                        path: from,
                        source: error,
                    }));
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
    damage.phase = Phase::Aside;
    write_marker(folder, &damage)?;
    Ok(damage)
}

/// Returns what is wrong with the file at `path`; `None` if nothing is, or there is none.
fn check(path: &Path) -> Option<String> {
    if !path.exists() {
        return None;
    }
    let look = || -> rusqlite::Result<Option<String>> {
        let connection = salvage::open_untouched(path)?;
        if let Some(missing) = database::missing_tables(&connection)? {
            return Ok(Some(missing));
        }
        // The quick one leaves indexes out; what it cannot see is worth the long one here.
        for pragma in ["quick_check", "integrity_check"] {
            let said: String =
                connection.query_row(&format!("PRAGMA {pragma}(1)"), [], |row| row.get(0))?;
            if said != "ok" {
                return Ok(Some(said.replace('\n', " ")));
            }
        }
        Ok(None)
    };
    look().unwrap_or_else(|error| Some(error.to_string()))
}

/// Says whether another process drives a build on the file.
fn is_in_use(folder: &Path) -> bool {
    let ours = format!("process {} ", std::process::id());
    let Ok(locks) = fs::read_dir(folder.join("locks")) else {
        return false;
    };
    locks.filter_map(Result::ok).any(|entry| {
        entry.file_name().to_string_lossy().starts_with("build-")
            && matches!(FileLock::try_take(&entry.path()), Ok(None))
            && !disk::holder(&entry.path()).starts_with(&ours)
    })
}

fn dated(folder: &Path, now: Moment) -> String {
    let date = now.to_string().replace([':', '-'], "");
    let names = (1..).map(|number| match number {
        1 => format!("damaged-{date}.sqlite3"),
        _ => format!("damaged-{date}-{number}.sqlite3"),
    });
    let mut free = names.filter(|name| !folder.join(name).exists());
    free.next().unwrap_or_default()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn lock_path(folder: &Path) -> PathBuf {
    folder.join("locks").join("state")
}

fn lock(folder: &Path) -> Result<FileLock, StoreError> {
    let started = Instant::now();
    loop {
        if let Some(lock) = FileLock::try_take(&lock_path(folder))? {
            return Ok(lock);
        }
        if started.elapsed() > PATIENCE {
            return Err(StoreError::Corrupted {
                path: database::path(folder),
                detail: "another process has been examining it for long".to_owned(),
            });
        }
        thread::sleep(BETWEEN_TRIES);
    }
}
