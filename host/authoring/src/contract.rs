//! The plugin contract's WIT, which is part of this program.

use std::path::Path;

use include_dir::{Dir, File, include_dir};

use synix_disk::DiskError;

static WIT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../wit");

/// The `.wit` files of the contract.
pub(super) fn files() -> impl Iterator<Item = &'static File<'static>> {
    WIT.files()
        .filter(|file| file.path().extension().is_some_and(|end| end == "wit"))
}

/// Writes the contract into `folder`.
pub(super) fn write(folder: &Path) -> Result<(), DiskError> {
    synix_disk::create_folder(folder)?;
    for file in files() {
        synix_disk::replace(&folder.join(file.path()), file.contents())?;
    }
    Ok(())
}
