//! Files of the repository and of build scripts, with errors that name them.

use std::fs;
use std::path::Path;

use crate::BuildError;

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, BuildError> {
    fs::read(path).map_err(|source| BuildError::Read {
        path: path.to_owned(),
        source,
    })
}

pub(crate) fn read_text(path: &Path) -> Result<String, BuildError> {
    fs::read_to_string(path).map_err(|source| BuildError::Read {
        path: path.to_owned(),
        source,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a file in OUT_DIR is made again after a crash, and version control keeps the others"
)]
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    fs::write(path, bytes).map_err(|source| BuildError::Write {
        path: path.to_owned(),
        source,
    })
}
