//! Downloaded components in the user's cache folder, each under its digest.

use std::path::{Path, PathBuf};

use synix_core::digest::Digest;
use synix_disk::{DiskError, Links};

/// The largest component that is read, in bytes; none larger is downloaded.
const MOST_BYTES: u64 = 256 << 20;

/// A folder of components.
pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    pub(super) fn below(cache: &Path) -> Self {
        Self {
            folder: cache.join("plugins"),
        }
    }

    /// Returns the component if its file is there and whole.
    pub(super) fn get(&self, digest: Digest) -> Option<Vec<u8>> {
        let path = self.path(digest);
        let bytes = synix_disk::read_small(&path, MOST_BYTES, Links::Refuse).ok()??;
        if Digest::of(&bytes) == digest {
            return Some(bytes);
        }
        tracing::debug!(path = %path.display(), "not the bytes that were kept");
        None
    }

    /// Keeps a component.
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
    fn a_file_that_was_changed_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::below(folder.path());
        let digest = Digest::of(b"component");
        assert_eq!(cache.get(digest), None);
        cache.put(digest, b"component").unwrap();
        assert_eq!(cache.get(digest).unwrap(), b"component");
        synix_disk::replace(&cache.path(digest), b"another").unwrap();
        assert_eq!(cache.get(digest), None);
    }
}
