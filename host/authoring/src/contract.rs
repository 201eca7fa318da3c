//! The plugin contract's WIT files, written out.

use std::path::Path;

use synix_disk::DiskError;

/// Writes the contract into `folder`.
pub(super) fn write(folder: &Path) -> Result<(), DiskError> {
    synix_disk::create_folder(folder)?;
    for (name, text) in synix_contract::FILES {
        synix_disk::replace(&folder.join(name), text.as_bytes())?;
    }
    Ok(())
}
