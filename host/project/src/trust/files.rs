//! Reads and writes the files of the trust store, which only their owner may read.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use serde::Serialize;

use super::store::TrustError;
use synix_disk::SymlinkPolicy;

/// The maximum size of a file, in bytes: far more than any file of the store has.
const MAX_BYTES: u64 = 1 << 20;

pub(super) fn to_json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

pub(super) fn file_names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

pub(super) fn read(path: &Path) -> Option<Vec<u8>> {
    synix_disk::read_limited_if_exists(path, MAX_BYTES, SymlinkPolicy::Refuse)
        .ok()
        .flatten()
}

pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TrustError {
    move |source| TrustError::Disk {
        action,
        path: path.to_owned(),
        source,
    }
}

/// Creates a folder and its missing parents, which only their owner may enter.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file that only this user may read, in a folder that only this user may enter.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), TrustError> {
    let folder = path.parent().unwrap_or(path);
    create_folder(folder).map_err(failed("create", folder))?;
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    });
    let file = written.map_err(failed("write", path))?;
    file.persist(path)
        .map_err(|error| failed("write", path)(error.error))?;
    if cfg!(unix) {
        // If a crash loses a grant, synix asks again; the file itself is never half written.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}
