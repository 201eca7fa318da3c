//! The user's cache of downloaded components, by digest.

use std::path::{Path, PathBuf};

use synix_core::digest::Digest;
use synix_disk::{DiskError, SymlinkPolicy};

/// The maximum size of a cached component in bytes. No download is larger.
const MAX_BYTES: u64 = 256 << 20;

pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    pub(super) fn new(cache: &Path) -> Self {
        Self {
            folder: cache.join("plugins"),
        }
    }

    /// Returns the component if its file exists and has the right digest.
    pub(super) fn get(&self, digest: Digest) -> Option<Vec<u8>> {
        let path = self.path(digest);
        let bytes =
            synix_disk::read_limited_if_exists(&path, MAX_BYTES, SymlinkPolicy::Refuse).ok()??;
        if Digest::of(&bytes) == digest {
            return Some(bytes);
        }
        tracing::debug!(path = %path.display(), "the digest of a cached component is wrong");
        None
    }

    pub(super) fn put(&self, digest: Digest, bytes: &[u8]) -> Result<(), DiskError> {
        synix_disk::create_private_folder(&self.folder)?;
        synix_disk::replace_private(&self.path(digest), bytes)
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.folder.join(format!("{digest}.wasm"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        let digest = Digest::of(b"component");
        assert_eq!(cache.get(digest), None);
        cache.put(digest, b"component").unwrap();
        assert_eq!(cache.get(digest).unwrap(), b"component");
        synix_disk::replace(&cache.path(digest), b"another").unwrap();
        assert_eq!(cache.get(digest), None);
    }
}
