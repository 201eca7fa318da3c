//! Large contents in files of their own, under their digest.

use std::path::PathBuf;

use super::{Reader, StoreError, Transaction};
use synix_core::digest::Digest;

/// Contents above this stand beside the database, in bytes.
pub(super) const LARGE: usize = 64 * 1024;

/// No content is larger: a guest has less memory than this.
const MOST_BYTES: u64 = 4 << 30;

/// The folder of all of them.
pub(super) const FOLDER: &str = "objects";

impl Transaction<'_> {
    /// Keeps `bytes` durably, before the row that names them.
    pub(super) fn put_object(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        let name = digest.to_string();
        let (folder, name) = name.split_at(2);
        let folder = self
            .place
            .open_or_create_folder(FOLDER)?
            .open_or_create_folder(folder)?;
        // A damaged file is made whole again by whoever makes its content again.
        let there = folder.has_file(name)?;
        let there = there.then(|| folder.read(name, bytes.len() as u64).ok().flatten());
        if there.flatten().as_deref() != Some(bytes) {
            folder.replace(name, bytes)?;
        }
        Ok(digest)
    }
}

impl Reader {
    /// Returns the bytes under `digest`, checked; there are `size` of them.
    pub(super) fn object(&self, digest: Digest, size: u64) -> Result<Vec<u8>, StoreError> {
        let name = digest.to_string();
        let (first, rest) = name.split_at(2);
        let read = || {
            let folder = self.place.open_folder(FOLDER)?;
            let folder = folder
                .map(|folder| folder.open_folder(first))
                .transpose()?
                .flatten();
            let bytes = folder.map(|folder| folder.read(rest, size.min(MOST_BYTES)));
            bytes.transpose().map(Option::flatten)
        };
        match read() {
            Ok(Some(bytes)) if Digest::of(&bytes) == digest => Ok(bytes),
            Ok(_) => Err(StoreError::BadObject {
                path: self.object_path(digest),
                source: None,
            }),
            Err(error) => Err(StoreError::BadObject {
                path: self.object_path(digest),
                source: Some(error),
            }),
        }
    }

    fn object_path(&self, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        let folder = self.place.path().join(FOLDER);
        folder.join(&name[..2]).join(&name[2..])
    }
}
