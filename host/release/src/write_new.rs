//! Writes an export that is a folder, or a file that a library opens by its path: whole, or not at all.

use std::path::Path;

use super::export::Export;
use super::folder::OutputFolder;
use super::{Format, ReleaseError};
use synix_disk::PartialFolder;

/// The name of the export inside the folder that it is written in.
const INSIDE: &str = "export";

/// Writes an export to a path at which nothing is yet, and returns the number of artifacts.
pub fn write_new(export: &Export<'_>, format: Format, path: &Path) -> Result<u64, ReleaseError> {
    if path.symlink_metadata().is_ok() {
        return Err(ReleaseError::Exists {
            path: path.to_owned(),
        });
    }
    let partial = PartialFolder::beside(path);
    let mut folder = OutputFolder::create(partial.path())?;
    let count = export.to_folder(format, &mut folder, INSIDE)?;
    partial.publish(INSIDE, path)?;
    Ok(count)
}
