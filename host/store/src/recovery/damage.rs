//! Damage to the database: found, set aside and reported; never repaired.
//!
//! The file gets a dated name beside its place, with its log, and a marker records what was found and what the file
//! contained. As long as there is a marker and no intact file is in the place, nothing is opened.
//!
//! What each phase of the marker means is in [`super::marker`].

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::marker::{Damage, Phase, keep_marker_as_record, read_marker, write_marker};
use super::salvage;
use crate::schema_check::{self, Schema};
use crate::{LOCKS, StoreError, database, files};
use synix_core::clock::Clock;
use synix_disk::{DiskError, EntryKind, FileLock, Folder};

/// The lock on the examination, which is also the trace of a database that was used.
const STATE_LOCK: &str = "state";

/// How long another process may take to examine the same file.
const PATIENCE: Duration = Duration::from_secs(600);
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// Refuses where the state is damaged or was lost; called before the file is opened.
pub(crate) fn refuse(place: &Folder) -> Result<(), StoreError> {
    let there = place.has_file(database::FILE)?;
    match read_marker(place)? {
        None if there || !was_used(place)? => Ok(()),
        Some(damage) if damage.phase == Phase::Aside && !there => Err(error_of(place, damage)),
        Some(damage) if damage.phase == Phase::Resetting => Err(error_of(place, damage)),
        None | Some(_) => examine(place, None).and_then(|found| match found {
            Some(damage) => Err(error_of(place, damage)),
            None => Ok(()),
        }),
    }
}

/// Returns the error for a file that SQLite or a look at its tables finds damaged.
pub(crate) fn found(place: &Folder, what: &str) -> StoreError {
    match examine(place, Some(what)) {
        Ok(Some(damage)) => error_of(place, damage),
        Ok(None) => StoreError::Corrupted {
            path: database::path(place),
            detail: what.to_owned(),
        },
        Err(error) => error,
    }
}

/// Records that there was a database with tables here: one that is empty or missing later was lost.
pub(crate) fn remember(place: &Folder) -> Result<(), StoreError> {
    let locks = place.open_or_create_folder(LOCKS)?;
    if !locks.has_file(STATE_LOCK)? {
        locks.replace(STATE_LOCK, b"")?;
    }
    Ok(())
}

/// Returns whether there was a database with tables here.
pub(crate) fn was_used(place: &Folder) -> Result<bool, StoreError> {
    match place.open_folder(LOCKS)? {
        Some(locks) => Ok(locks.has_file(STATE_LOCK)?),
        None => Ok(false),
    }
}

fn error_of(place: &Folder, damage: Damage) -> StoreError {
    StoreError::Damaged {
        folder: place.path().to_owned(),
        damage: Box::new(damage),
    }
}

/// Examines the file and sets it aside if it is damaged; `None` where it is whole.
///
/// `reported` is what led here; the check alone may only find that it cannot begin.
pub(crate) fn examine(
    place: &Folder,
    reported: Option<&str>,
) -> Result<Option<Damage>, StoreError> {
    // Two that find the same damage: one sets the file aside, the other reads the marker.
    let _lock = lock(place)?;
    let there = files::check(place)?;
    let marker = read_marker(place)?;
    match &marker {
        Some(damage) if damage.phase == Phase::Moving => {
            return set_aside(place, damage.clone()).map(Some);
        }
        Some(damage) if damage.phase == Phase::Aside && !there => {
            return Ok(marker);
        }
        Some(_) | None => {}
    }
    let found = match check(place, there) {
        None if there => {
            if marker.is_some() {
                keep_marker_as_record(place)?;
            }
            return Ok(None);
        }
        None => "the file is missing".to_owned(),
        Some(found) => reported.map_or(found, str::to_owned),
    };
    let damage = Damage {
        phase: if is_in_use(place)? {
            Phase::InUse
        } else {
            Phase::Moving
        },
        found,
        since: Clock::Real.now().to_string(),
        set_aside: None,
        salvaged: salvage::read(place),
    };
    if damage.phase == Phase::InUse {
        write_marker(place, &damage)?;
        return Ok(Some(damage));
    }
    set_aside(place, damage).map(Some)
}

/// Moves the file and its log; begun again where it was interrupted.
///
/// The name is on record before anything moves, so that the log finds the file. It is one of ours, or a new one is
/// chosen; nothing is overwritten.
fn set_aside(place: &Folder, mut damage: Damage) -> Result<Damage, StoreError> {
    let there = place.has_file(database::FILE)?;
    let begun = damage.set_aside.take();
    let begun = begun.filter(|name| !there || matches!(place.kind(name), Ok(None)));
    let name = match begun {
        Some(name) => Some(name),
        None if there => Some(free_name(place)?),
        None => None,
    };
    damage.phase = Phase::Moving;
    damage.set_aside.clone_from(&name);
    write_marker(place, &damage)?;
    if let Some(name) = &name {
        for suffix in ["", "-wal", "-shm"] {
            let from = format!("{}{suffix}", database::FILE);
            if !place.rename(&from, &format!("{name}{suffix}"))? && place.has_file(&from)? {
                return Err(StoreError::Disk(DiskError {
                    action: "set aside",
                    path: place.path().join(from),
                    source: io::ErrorKind::AlreadyExists.into(),
                }));
            }
        }
    }
    damage.phase = Phase::Aside;
    write_marker(place, &damage)?;
    Ok(damage)
}

/// Returns the name of a file that is set aside now; nothing has it yet.
fn free_name(place: &Folder) -> Result<String, StoreError> {
    let date = Clock::Real.now().to_string().replace([':', '-'], "");
    let mut number = 1;
    loop {
        let name = match number {
            1 => format!("damaged-{date}.sqlite3"),
            _ => format!("damaged-{date}-{number}.sqlite3"),
        };
        if place.kind(&name)?.is_none() {
            return Ok(name);
        }
        number += 1;
    }
}

/// Says whether a name is one that [`free_name`] gives.
pub(crate) fn is_name_aside(name: &str) -> bool {
    let digits = |text: &str, count: usize| {
        text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_date = |text: &str| {
        text.strip_suffix('Z')
            .and_then(|text| text.split_once('T'))
            .is_some_and(|(day, time)| digits(day, 8) && digits(time, 6))
    };
    let Some(rest) = name
        .strip_prefix("damaged-")
        .and_then(|rest| rest.strip_suffix(".sqlite3"))
    else {
        return false;
    };
    match rest.split_once('-') {
        None => is_date(rest),
        Some((date, number)) => is_date(date) && !number.is_empty() && digits(number, number.len()),
    }
}

/// Returns what is wrong with the file; `None` if nothing is, or there is none.
fn check(place: &Folder, there: bool) -> Option<String> {
    if !there {
        return None;
    }
    let look = || -> rusqlite::Result<Option<String>> {
        let connection = salvage::open_untouched(place)?;
        match schema_check::look(&connection)? {
            Schema::Whole => {}
            Schema::Empty => return Ok(Some("it is empty".to_owned())),
            Schema::Lacking(what) | Schema::Foreign(what) => return Ok(Some(what)),
        }
        // The quick one leaves indexes out; what it cannot see is worth the long one here.
        for pragma in ["quick_check", "integrity_check"] {
            let result: String =
                connection.query_row(&format!("PRAGMA {pragma}(1)"), [], |row| row.get(0))?;
            if result != "ok" {
                return Ok(Some(result.replace('\n', " ")));
            }
        }
        Ok(None)
    };
    look().unwrap_or_else(|error| Some(error.to_string()))
}

/// Says whether another process drives a build on the file.
fn is_in_use(place: &Folder) -> Result<bool, StoreError> {
    let Some(locks) = place.open_folder(LOCKS)? else {
        return Ok(false);
    };
    Ok(locks.entries()?.iter().any(|entry| {
        let name = entry.name.to_string_lossy();
        entry.kind == EntryKind::File
            && name.starts_with("build-")
            && locks.is_locked_by_another_process(&name)
    }))
}

fn lock(place: &Folder) -> Result<FileLock, StoreError> {
    let started = Instant::now();
    let locks = place
        .open_or_create_folder(LOCKS)
        .map_err(|error| files::refused(place, error))?;
    loop {
        let taken = locks.lock(STATE_LOCK);
        if let Some(lock) = taken.map_err(|error| files::refused(place, error))? {
            return Ok(lock);
        }
        if started.elapsed() > PATIENCE {
            return Err(StoreError::Corrupted {
                path: database::path(place),
                detail: "another process has been examining it for long".to_owned(),
            });
        }
        thread::sleep(BETWEEN_TRIES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_aside_is_one_that_synix_gives() {
        let ours = [
            "damaged-20261127T235959Z.sqlite3",
            "damaged-20261127T235959Z-12.sqlite3",
        ];
        assert!(ours.into_iter().all(is_name_aside));
        let others = [
            "",
            "/home/me/.bashrc",
            "../damaged-20261127T235959Z.sqlite3",
            "damaged-../../20261127T235959Z.sqlite3",
            "damaged-20261127T235959Z/x.sqlite3",
            "damaged-20261127T235959Z-.sqlite3",
            "damaged-20261127T235959Z-1-1.sqlite3",
            "damaged-20261127T235959Z.sqlite3\0",
            "state.sqlite3",
            "damage.json",
        ];
        assert!(!others.into_iter().any(is_name_aside));
    }
}
