//! The identity of a state folder: its random id, its path and its inode.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use synix_disk::SymlinkPolicy;

/// The file that contains the id.
pub(super) const ID_FILE: &str = "id";
/// The maximum size of the file, in bytes: more than it ever has.
const MAX_ID_BYTES: u64 = 256;

/// Reads the id of a state; `None` if it has none or an invalid one.
pub(crate) fn read_id(folder: &Path) -> Option<String> {
    if !fs::symlink_metadata(folder).ok()?.is_dir() {
        return None;
    }
    let bytes = synix_disk::read_limited_if_exists(
        &folder.join(ID_FILE),
        MAX_ID_BYTES,
        SymlinkPolicy::Refuse,
    )
    .ok()??;
    let id = String::from_utf8(bytes).ok()?.trim().to_owned();
    // The id becomes part of a file name.
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then_some(id)
}

pub(super) fn new_id() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

pub(super) fn resolved(folder: &Path) -> PathBuf {
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

#[cfg(unix)]
pub(super) fn inode(folder: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    folder.metadata().ok().map(|found| found.ino())
}

#[cfg(not(unix))]
pub(super) const fn inode(_: &Path) -> Option<u64> {
    None
}
