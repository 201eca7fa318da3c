//! Damage to the database: it is detected, set aside and reported, but never repaired.
//!
//! The file and its log get a dated name in the same folder, and a marker records the damage and what the file contained. As long as there is a marker and no intact file, nothing is opened.
//!
//! [`super::marker`] describes the phases of the marker.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::marker::{Damage, Phase, keep_marker_as_record, read_marker, write_marker};
use super::salvage;
use crate::locks::LOCKS;
use crate::schema_check::{self, Schema};
use crate::{StoreError, database, files};
use synix_core::clock::Clock;
use synix_disk::{DiskError, EntryKind, FileLock, Folder};

/// The lock for an examination. Its file also shows that a database was used here.
const STATE_LOCK: &str = "state";

/// How long to wait for another process that examines the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(600);
const RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// Refuses a damaged or lost state, before its file is opened.
pub(crate) fn refuse_damaged(state_folder: &Folder) -> Result<(), StoreError> {
    let exists = state_folder.has_file(database::FILE)?;
    match read_marker(state_folder)? {
        None if exists || !is_marked_as_used(state_folder)? => Ok(()),
        Some(damage) if damage.phase == Phase::Aside && !exists => {
            Err(damage_error(state_folder, damage))
        }
        Some(damage) if damage.phase == Phase::Resetting => Err(damage_error(state_folder, damage)),
        None | Some(_) => examine(state_folder, None).and_then(|damage| match damage {
            Some(damage) => Err(damage_error(state_folder, damage)),
            None => Ok(()),
        }),
    }
}

/// Returns the error for a file that is damaged according to SQLite or its schema.
pub(crate) fn report(state_folder: &Folder, what: &str) -> StoreError {
    match examine(state_folder, Some(what)) {
        Ok(Some(damage)) => damage_error(state_folder, damage),
        Ok(None) => StoreError::Corrupted {
            path: database::path(state_folder),
            detail: what.to_owned(),
        },
        Err(error) => error,
    }
}

/// Records that a database with tables exists, so that a later empty or missing file counts as lost.
pub(crate) fn mark_as_used(state_folder: &Folder) -> Result<(), StoreError> {
    let locks = state_folder.open_or_create_folder(LOCKS)?;
    if !locks.has_file(STATE_LOCK)? {
        locks.replace(STATE_LOCK, b"")?;
    }
    Ok(())
}

/// Returns whether there was a database with tables.
pub(crate) fn is_marked_as_used(state_folder: &Folder) -> Result<bool, StoreError> {
    match state_folder.open_folder(LOCKS)? {
        Some(locks) => Ok(locks.has_file(STATE_LOCK)?),
        None => Ok(false),
    }
}

fn damage_error(state_folder: &Folder, damage: Damage) -> StoreError {
    StoreError::Damaged {
        folder: state_folder.path().to_owned(),
        damage: Box::new(damage),
    }
}

/// Examines the file and sets it aside if it is damaged; returns `None` if it is intact.
///
/// `reported` is the damage that led to the examination; its description is better than that of a check that fails early.
pub(crate) fn examine(
    state_folder: &Folder,
    reported: Option<&str>,
) -> Result<Option<Damage>, StoreError> {
    // If two processes find the same damage, one sets the file aside and the other reads the marker.
    let _lock = lock(state_folder)?;
    let exists = files::check(state_folder)?;
    let marker = read_marker(state_folder)?;
    match &marker {
        Some(damage) if damage.phase == Phase::Moving => {
            return set_aside(state_folder, damage.clone()).map(Some);
        }
        Some(damage) if damage.phase == Phase::Aside && !exists => {
            return Ok(marker);
        }
        Some(_) | None => {}
    }
    let found = match check(state_folder, exists) {
        None if exists => {
            if marker.is_some() {
                keep_marker_as_record(state_folder)?;
            }
            return Ok(None);
        }
        None => "the file is missing".to_owned(),
        Some(found) => reported.map_or(found, str::to_owned),
    };
    let damage = Damage {
        phase: if is_in_use(state_folder)? {
            Phase::InUse
        } else {
            Phase::Moving
        },
        found,
        since: Clock::Real.now().to_string(),
        set_aside: None,
        salvaged: salvage::read(state_folder),
    };
    if damage.phase == Phase::InUse {
        write_marker(state_folder, &damage)?;
        return Ok(Some(damage));
    }
    set_aside(state_folder, damage).map(Some)
}

/// Moves the file and its log, or continues an interrupted move.
///
/// The marker records the name before anything moves, so that the log gets the name of its file. A name that synix does not give, or that exists already, is replaced by a new one; nothing is overwritten.
fn set_aside(state_folder: &Folder, mut damage: Damage) -> Result<Damage, StoreError> {
    let exists = state_folder.has_file(database::FILE)?;
    let planned = damage.set_aside.take();
    let planned = planned.filter(|name| !exists || matches!(state_folder.kind(name), Ok(None)));
    let name = match planned {
        Some(name) => Some(name),
        None if exists => Some(free_name(state_folder)?),
        None => None,
    };
    damage.phase = Phase::Moving;
    damage.set_aside.clone_from(&name);
    write_marker(state_folder, &damage)?;
    if let Some(name) = &name {
        for suffix in ["", "-wal", "-shm"] {
            let from = format!("{}{suffix}", database::FILE);
            if !state_folder.rename(&from, &format!("{name}{suffix}"))?
                && state_folder.has_file(&from)?
            {
                return Err(StoreError::Disk(DiskError {
                    action: "set aside",
                    path: state_folder.path().join(from),
                    source: io::ErrorKind::AlreadyExists.into(),
                }));
            }
        }
    }
    damage.phase = Phase::Aside;
    write_marker(state_folder, &damage)?;
    Ok(damage)
}

/// Returns a new name for a file that is set aside.
fn free_name(state_folder: &Folder) -> Result<String, StoreError> {
    let date = Clock::Real.now().to_string().replace([':', '-'], "");
    let mut number = 1;
    loop {
        let name = match number {
            1 => format!("damaged-{date}.sqlite3"),
            _ => format!("damaged-{date}-{number}.sqlite3"),
        };
        if state_folder.kind(&name)?.is_none() {
            return Ok(name);
        }
        number += 1;
    }
}

/// Returns whether [`free_name`] could have returned a name.
pub(crate) fn is_set_aside_name(name: &str) -> bool {
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

/// Returns what is wrong with the file; `None` if it is intact or missing.
fn check(state_folder: &Folder, exists: bool) -> Option<String> {
    if !exists {
        return None;
    }
    let examine_file = || -> rusqlite::Result<Option<String>> {
        let connection = salvage::open_unmodified(state_folder)?;
        match schema_check::compare_schema(&connection)? {
            Schema::Complete => {}
            Schema::Empty => return Ok(Some("it is empty".to_owned())),
            Schema::Incomplete(what) | Schema::Foreign(what) => return Ok(Some(what)),
        }
        // The quick check skips the indexes; here the slower one is worth its time.
        for pragma in ["quick_check", "integrity_check"] {
            let result: String =
                connection.query_row(&format!("PRAGMA {pragma}(1)"), [], |row| row.get(0))?;
            if result != "ok" {
                return Ok(Some(result.replace('\n', " ")));
            }
        }
        Ok(None)
    };
    examine_file().unwrap_or_else(|error| Some(error.to_string()))
}

/// Returns whether another process drives a build with this file.
fn is_in_use(state_folder: &Folder) -> Result<bool, StoreError> {
    let Some(locks) = state_folder.open_folder(LOCKS)? else {
        return Ok(false);
    };
    Ok(locks.entries()?.iter().any(|entry| {
        let name = entry.name.to_string_lossy();
        entry.kind == EntryKind::File
            && name.starts_with("build-")
            && locks.is_locked_by_another_process(&name)
    }))
}

fn lock(state_folder: &Folder) -> Result<FileLock, StoreError> {
    let started = Instant::now();
    let locks = state_folder
        .open_or_create_folder(LOCKS)
        .map_err(|error| files::file_error(state_folder, error))?;
    loop {
        let taken = locks.lock(STATE_LOCK);
        if let Some(lock) = taken.map_err(|error| files::file_error(state_folder, error))? {
            return Ok(lock);
        }
        if started.elapsed() > BUSY_TIMEOUT {
            return Err(StoreError::Corrupted {
                path: database::path(state_folder),
                detail: "another process has been examining it for a long time".to_owned(),
            });
        }
        thread::sleep(RETRY_INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_from_synix_are_names_of_set_aside_files() {
        let ours = [
            "damaged-20261127T235959Z.sqlite3",
            "damaged-20261127T235959Z-12.sqlite3",
        ];
        assert!(ours.into_iter().all(is_set_aside_name));
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
        assert!(!others.into_iter().any(is_set_aside_name));
    }
}
