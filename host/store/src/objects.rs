//! Large contents, in separate files that are named by their digest.

use std::path::PathBuf;

use super::{Reader, StoreError, Transaction};
use synix_core::digest::Digest;

/// The maximum size of a content in the database, in bytes.
pub(super) const MAX_INLINE_BYTES: usize = 64 * 1024;

/// The maximum size of a content: a guest has less memory than this.
const MAX_OBJECT_BYTES: u64 = 4 << 30;

/// The folder of all objects.
pub(super) const FOLDER: &str = "objects";

impl Transaction<'_> {
    /// Stores `bytes` durably, before the row that names them.
    pub(super) fn put_object(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        let name = digest.to_string();
        let (folder, name) = name.split_at(2);
        let folder = self
            .state_folder
            .open_or_create_folder(FOLDER)?
            .open_or_create_folder(folder)?;
        // A damaged file is replaced when its content is stored again.
        let exists = folder.has_file(name)?;
        let stored = exists.then(|| folder.read(name, bytes.len() as u64).ok().flatten());
        if stored.flatten().as_deref() != Some(bytes) {
            folder.replace(name, bytes)?;
        }
        Ok(digest)
    }
}

impl Reader {
    /// Returns the content with this digest and size, and checks it.
    pub(super) fn object(&self, digest: Digest, size: u64) -> Result<Vec<u8>, StoreError> {
        let name = digest.to_string();
        let (first, rest) = name.split_at(2);
        let read = || {
            let folder = self.state_folder.open_folder(FOLDER)?;
            let folder = folder
                .map(|folder| folder.open_folder(first))
                .transpose()?
                .flatten();
            let bytes = folder.map(|folder| folder.read(rest, size.min(MAX_OBJECT_BYTES)));
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
        let folder = self.state_folder.path().join(FOLDER);
        folder.join(&name[..2]).join(&name[2..])
    }
}
