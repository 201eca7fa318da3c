//! Large contents in files of their own, under their digest.

use std::path::PathBuf;

use super::{Reader, StoreError};
use crate::digest::Digest;
use crate::disk;

/// Contents above this stand beside the database, in bytes.
pub(super) const LARGE: usize = 64 * 1024;

impl Reader {
    fn object_path(&self, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        self.folder
            .join("objects")
            .join(&name[..2])
            .join(&name[2..])
    }

    /// Keeps `bytes` durably, before the row that names them.
    pub(super) fn put_object(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        let path = self.object_path(digest);
        // A damaged file is made whole again by whoever makes its content again.
        if disk::read_if_there(&path)?.as_deref() != Some(bytes) {
            disk::replace(&path, bytes)?;
        }
        Ok(digest)
    }

    /// Returns the bytes under `digest`, checked.
    pub(super) fn object(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.object_path(digest);
        match disk::read_if_there(&path)? {
            Some(bytes) if Digest::of(&bytes) == digest => Ok(bytes),
            _ => Err(StoreError::BadObject { path }),
        }
    }
}
