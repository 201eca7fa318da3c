//! Writes an export that is a folder, or a file that a library opens by its path: whole, or not at all.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::export::Export;
use super::folder::OutputFolder;
use super::{Format, ReleaseError};

/// The name of the export inside the folder that it is written in.
const INSIDE: &str = "export";

/// Writes an export to a path at which nothing is yet, and returns the number of artifacts.
pub fn write_new(export: &Export<'_>, format: Format, path: &Path) -> Result<u64, ReleaseError> {
    if path.symlink_metadata().is_ok() {
        return Err(ReleaseError::Exists {
            path: path.to_owned(),
        });
    }
    let partial = Partial(beside(path));
    let mut folder = OutputFolder::create(&partial.0)?;
    let count = export.to_folder(format, &mut folder, INSIDE)?;
    synix_disk::sync_tree(&partial.0)?;
    synix_disk::rename_folder(&partial.0.join(INSIDE), path)?;
    Ok(count)
}

/// Returns a hidden name that no other process uses at the same time.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".partial-{}", std::process::id()));
    path.with_file_name(name)
}

struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // What remains does no harm, and the error that led here is the one to report.
        let _ = synix_disk::remove_all(&self.0);
    }
}
