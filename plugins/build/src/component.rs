//! Core modules turned into components.

use std::path::Path;

use wit_component::ComponentEncoder;

use crate::{BuildError, files};

/// Reads a core module that carries its contract and returns it as a checked component.
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
