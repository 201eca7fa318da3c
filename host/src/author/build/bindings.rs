//! Bindings made by the generators' own libraries.

use std::path::Path;

use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};

use super::BuildError;

/// Writes what a generator makes of the world `transform` into a folder.
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
    generate().map_err(|error| BuildError::Contract {
        path: wit.to_owned(),
        detail: format!("{error:#}"),
    })?;
    for (name, bytes) in files.iter() {
        super::write(&folder.join(name), bytes)?;
    }
    Ok(())
}
