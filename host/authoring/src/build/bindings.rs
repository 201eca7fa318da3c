//! Generates the bindings of the contract.

use std::path::Path;

use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};

use super::BuildError;

/// Writes the bindings of the world `transform` into a folder.
pub(super) fn write(
    mut generator: Box<dyn WorldGenerator>,
    wit: &Path,
    folder: &Path,
) -> Result<(), BuildError> {
    let mut files = Files::default();
    let mut generate = || {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_path(wit)?;
        let world = resolve.select_world(&[package], Some("transform"))?;
        generator.generate(&mut resolve, world, &mut files)
    };
    generate().map_err(|error| BuildError::Bindings {
        path: wit.to_owned(),
        detail: format!("{error:#}"),
    })?;
    for (name, bytes) in files.iter() {
        write_file(&folder.join(name), bytes)?;
    }
    Ok(())
}

/// Writes a file, and creates its parent folders.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    if let Some(folder) = path.parent() {
        synix_disk::create_folder(folder)?;
    }
    Ok(synix_disk::replace(path, bytes)?)
}
