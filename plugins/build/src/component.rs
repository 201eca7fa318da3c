//! Converts core modules to components.

use std::path::Path;

use wit_component::ComponentEncoder;

use crate::{BuildError, files};

/// Converts a core module that contains its contract to a component, and validates it.
pub fn encode(module: &Path) -> Result<Vec<u8>, BuildError> {
    let bytes = files::read(module)?;
    ComponentEncoder::default()
        .validate(true)
        .module(&bytes)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|source| BuildError::Encode {
            path: module.to_owned(),
            source,
        })
}
