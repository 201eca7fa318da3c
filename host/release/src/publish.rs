//! Writes a release: all outputs of one snapshot into a new folder, then one atomic switch of `current`.
//!
//! A process that is killed at any point leaves `current` as it was or as it will be. What it leaves besides has a name
//! of its own that the next release removes. A lock keeps two releases apart.

use std::path::{Path, PathBuf};

use super::error::ReleaseError;
use super::export::{About, Export};
use super::folder::OutputFolder;
use super::keep;
use super::receipt::{OutputRecord, Receipt};
use super::rows::Rows;
use super::{Format, Output, check};
use synix_core::crash;
use synix_disk::{EntryKind, FileLock, Folder, SymlinkPolicy};
use synix_engine::view::{SnapshotRecord, SnapshotView};
use synix_manifest::RECEIPT;
use synix_prices::Prices;

/// The pointer to the newest release.
pub const CURRENT: &str = "current";

/// The new folder until it is complete, and after that the one that it replaced.
const PARTIAL: &str = ".synix-partial";

/// An old release while it is deleted, so that no release is ever half there under its own name.
pub(super) const OLD: &str = ".synix-old";

/// The pointer before it is switched.
const NEXT: &str = ".synix-current";

/// What a release is written to, and what it leaves there.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseOptions<'a> {
    /// The folder of all releases.
    pub folder: &'a Path,
    /// The number of releases that remain, this one included; `None`: all.
    pub keep: Option<u32>,
}

/// A release that `current` leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its folder.
    pub path: PathBuf,
    /// Its receipt.
    pub receipt: Receipt,
    /// Whether the folder was there already, with the same files.
    pub unchanged: bool,
    /// The releases that were deleted.
    pub deleted: Vec<String>,
}

/// Writes a release of the snapshot of `view`, and switches `current` to it.
pub fn publish(
    view: &SnapshotView<'_>,
    prices: &Prices,
    outputs: &[Output],
    options: &ReleaseOptions<'_>,
) -> Result<Published, ReleaseError> {
    let record = view.record()?;
    let rows = all_rows(view, prices, outputs)?;
    synix_disk::create_folder(options.folder)?;
    let _lock = lock(options.folder)?;
    let releases = open(options.folder)?;
    remove_leftovers(options.folder)?;
    check_pointer(&releases, &record)?;

    let partial = options.folder.join(PARTIAL);
    let written = write(&partial, &record, outputs, &rows);
    let placed = written.and_then(|receipt| Ok((place(&releases, &partial, &receipt)?, receipt)));
    let (unchanged, receipt) = match placed {
        Ok(placed) => placed,
        Err(error) => {
            // A full disk needs the space. If this fails, the next release does it.
            let _ = synix_disk::remove_all(&partial);
            return Err(error);
        }
    };
    crash::point();
    if releases.pointer(CURRENT)?.as_deref() != Some(receipt.snapshot.as_str()) {
        synix_disk::point_to(options.folder, CURRENT, &receipt.snapshot, NEXT)?;
    }
    crash::point();
    let deleted = match options.keep {
        Some(count) => keep::delete_others(&releases, count, &receipt)?,
        None => Vec::new(),
    };
    Ok(Published {
        path: options.folder.join(&receipt.snapshot),
        receipt,
        unchanged,
        deleted,
    })
}

/// Finds every layer before anything is written.
fn all_rows<'a>(
    view: &'a SnapshotView<'a>,
    prices: &'a Prices,
    outputs: &[Output],
) -> Result<Vec<Rows<'a>>, ReleaseError> {
    let rows = outputs.iter().map(|output| {
        let is_built = match output.format {
            Format::Parquet => cfg!(feature = "parquet"),
            Format::Document
            | Format::Files
            | Format::Jsonl
            | Format::Csv
            | Format::Croissant
            | Format::Search => true,
        };
        if !is_built {
            return Err(ReleaseError::NotBuilt(output.format)).map_err(of(output));
        }
        Rows::new(view, prices, &output.layers).map_err(of(output))
    });
    rows.collect()
}

fn of(output: &Output) -> impl FnOnce(ReleaseError) -> ReleaseError {
    let output = output.name.clone();
    move |source| ReleaseError::Output {
        output,
        source: Box::new(source),
    }
}

fn open(folder: &Path) -> Result<Folder, ReleaseError> {
    let missing = || ReleaseError::NoRelease {
        folder: folder.to_owned(),
    };
    Folder::open(folder, SymlinkPolicy::Follow)?.ok_or_else(missing)
}

fn lock(folder: &Path) -> Result<FileLock, ReleaseError> {
    let Some(mut lock) = FileLock::try_acquire(&folder.join(synix_sources::RELEASE_MARK))? else {
        return Err(ReleaseError::Busy {
            holder: open(folder)?.holder(synix_sources::RELEASE_MARK),
            folder: folder.to_owned(),
        });
    };
    lock.write_holder(&format!("process {} writes a release", std::process::id()))?;
    Ok(lock)
}

/// Removes what a release that was killed has left.
fn remove_leftovers(folder: &Path) -> Result<(), ReleaseError> {
    for name in [PARTIAL, OLD, NEXT] {
        synix_disk::remove_all(&folder.join(name))?;
    }
    Ok(())
}

/// Refuses to switch a pointer that is not ours, or that leads to the release of another pipeline.
fn check_pointer(releases: &Folder, record: &SnapshotRecord) -> Result<(), ReleaseError> {
    let path = releases.path().join(CURRENT);
    match releases.kind(CURRENT)? {
        None => return Ok(()),
        Some(EntryKind::Link | EntryKind::File) => {}
        Some(EntryKind::Folder | EntryKind::Other) => {
            return Err(ReleaseError::Foreign {
                path,
                why: "it is not a link",
            });
        }
    }
    let Ok(Some(target)) = releases.pointer(CURRENT) else {
        return Err(ReleaseError::Foreign {
            path,
            why: "it does not lead to a folder beside it",
        });
    };
    let current = releases.open_folder(&target)?;
    let receipt = current.and_then(|folder| check::receipt_of(&folder));
    let pipeline = &record.snapshot.pipeline;
    match receipt {
        Some(receipt) if receipt.pipeline != *pipeline => Err(ReleaseError::OtherPipeline {
            folder: releases.path().to_owned(),
            found: receipt.pipeline,
            pipeline: pipeline.clone(),
        }),
        // A release that is gone or damaged is replaced.
        Some(_) | None => Ok(()),
    }
}

/// Writes all files into a new folder and makes them durable, the receipt last.
fn write(
    partial: &Path,
    record: &SnapshotRecord,
    outputs: &[Output],
    rows: &[Rows<'_>],
) -> Result<Receipt, ReleaseError> {
    let about = About::new(record);
    let mut folder = OutputFolder::create(partial)?;
    let mut written = Vec::with_capacity(outputs.len());
    for (output, rows) in outputs.iter().zip(rows) {
        let export = Export {
            rows,
            settings: &output.settings,
            about: &about,
        };
        let artifacts = export
            .to_folder(output.format, &mut folder, &output.path)
            .map_err(of(output))?;
        written.push(OutputRecord::new(output, artifacts));
    }
    let receipt = Receipt::new(record, written, folder.files().to_vec());
    folder.put(RECEIPT, &[&receipt.to_bytes()])?;
    synix_disk::sync_tree(partial)?;
    crash::point();
    Ok(receipt)
}

/// Gives the new folder its name. Returns whether a folder with the same files has it already.
fn place(releases: &Folder, partial: &Path, receipt: &Receipt) -> Result<bool, ReleaseError> {
    let name = receipt.snapshot.as_str();
    let path = releases.path().join(name);
    match releases.kind(name)? {
        None => {
            synix_disk::rename_folder(partial, &path)?;
            return Ok(false);
        }
        Some(EntryKind::Folder) => {}
        Some(EntryKind::File | EntryKind::Link | EntryKind::Other) => {
            return Err(ReleaseError::Foreign {
                path,
                why: "it is not a folder",
            });
        }
    }
    let folder = releases.open_folder(name)?;
    let found = folder.as_ref().and_then(check::receipt_of);
    if found.is_none() && !folder.is_some_and(|folder| is_damaged_release(&folder)) {
        return Err(ReleaseError::Foreign {
            path,
            why: "it has no receipt",
        });
    }
    let is_whole =
        found.as_ref() == Some(receipt) && check::check_folder(releases, name)?.problems.is_empty();
    if !is_whole && !synix_disk::exchange(partial, &path)? {
        return Err(ReleaseError::CannotExchange { path });
    }
    crash::point();
    synix_disk::remove_all(partial)?;
    Ok(is_whole)
}

/// Returns whether a folder has a receipt that cannot be read.
fn is_damaged_release(folder: &Folder) -> bool {
    folder.has_file(RECEIPT).unwrap_or(false)
}
