//! Deletes old releases: only folders whose receipt says that they are, and never the one that `current` leads to.

use super::ReleaseError;
use super::check::receipt_of;
use super::publish::{CURRENT, OLD};
use super::receipt::Receipt;
use synix_core::crash;
use synix_disk::{EntryKind, Folder};

/// Keeps the `count` newest releases, the one that `current` leads to among them. Returns the names of the others.
pub(super) fn delete_others(
    releases: &Folder,
    count: u32,
    published: &Receipt,
) -> Result<Vec<String>, ReleaseError> {
    let current = releases.pointer(CURRENT)?;
    let mut others = Vec::new();
    for entry in releases.entries()? {
        let Some(name) = entry
            .name
            .to_str()
            .filter(|_| entry.kind == EntryKind::Folder)
        else {
            continue;
        };
        let Some(number) = number(name).filter(|_| current.as_deref() != Some(name)) else {
            continue;
        };
        let folder = releases.open_folder(name)?;
        let receipt = folder.and_then(|folder| receipt_of(&folder));
        let is_ours = receipt.is_some_and(|receipt| {
            receipt.snapshot == name && receipt.pipeline == published.pipeline
        });
        if is_ours {
            others.push((number, name.to_owned()));
        }
    }
    others.sort_unstable();
    // One of those that are kept is the current one.
    let kept = usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
    others.truncate(others.len().saturating_sub(kept));
    let mut deleted = Vec::with_capacity(others.len());
    for (_, name) in others {
        let old = releases.path().join(OLD);
        synix_disk::rename_folder(&releases.path().join(&name), &old)?;
        crash::point();
        synix_disk::remove_all(&old)?;
        deleted.push(name);
    }
    Ok(deleted)
}

/// Returns the number in the id of a snapshot.
fn number(name: &str) -> Option<u64> {
    name.strip_prefix("snapshot-")?.parse().ok()
}
