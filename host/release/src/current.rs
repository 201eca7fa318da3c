//! Reads the release that a folder offers now. The folder may be a stranger's.

use std::path::Path;

use super::ReleaseError;
use super::check::{is_inside, receipt_of};
use super::publish::CURRENT;
use super::receipt::Receipt;
use synix_disk::{Folder, SymlinkPolicy};

/// A release, open for reading.
#[derive(Debug)]
pub struct CurrentRelease {
    folder: Folder,
    receipt: Receipt,
}

impl CurrentRelease {
    /// Opens the release that `current` leads to, or the folder of one release; `None` if it is neither.
    pub fn open(folder: &Path) -> Result<Option<Self>, ReleaseError> {
        if !folder.is_dir() {
            return Ok(None);
        }
        let Some(releases) = Folder::open(folder, SymlinkPolicy::Follow)? else {
            return Ok(None);
        };
        let folder = match releases.pointer(CURRENT)? {
            Some(name) => releases.open_folder(&name)?,
            None => Some(releases),
        };
        Ok(folder.and_then(|folder| {
            let receipt = receipt_of(&folder)?;
            Some(Self { folder, receipt })
        }))
    }

    /// Returns its receipt.
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// Reads a file of at most `limit` bytes; `None` if the release does not have it.
    pub fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, ReleaseError> {
        if !is_inside(path) {
            return Ok(None);
        }
        let (folders, name) = match path.rsplit_once('/') {
            Some((folders, name)) => (folders, name),
            None => ("", path),
        };
        let mut opened = None;
        for part in folders.split('/').filter(|part| !part.is_empty()) {
            let inside = match &opened {
                None => self.folder.open_folder(part)?,
                Some(folder) => Folder::open_folder(folder, part)?,
            };
            let Some(inside) = inside else {
                return Ok(None);
            };
            opened = Some(inside);
        }
        Ok(opened.as_ref().unwrap_or(&self.folder).read(name, limit)?)
    }
}
