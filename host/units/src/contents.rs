//! The objects that builds and workers exchange beside chunks, in an object store.
//!
//! Each is under the digest of its bytes, so it is written once, and whoever reads it can check it.

use std::sync::Arc;

use synix_core::digest::Digest;
use synix_shared::{Objects, ObjectsError};

/// The components, inputs and large outcomes of chunks, in a namespace of an object store.
#[derive(Debug, Clone)]
pub struct Contents {
    objects: Arc<dyn Objects>,
    prefix: String,
}

impl Contents {
    /// Uses the objects in a namespace of a store.
    pub fn new(objects: Arc<dyn Objects>, namespace: &str) -> Self {
        Self {
            objects,
            prefix: format!("v1/{namespace}/contents/"),
        }
    }

    /// Returns where an object is in the store.
    pub fn path(&self, digest: Digest) -> String {
        let digest = digest.to_string();
        format!("{}{}/{digest}", self.prefix, &digest[..2])
    }

    /// Writes an object, unless it exists.
    pub async fn provide(&self, digest: Digest, bytes: Vec<u8>) -> Result<(), ContentError> {
        let path = self.path(digest);
        // An object is named by its digest, so one that exists has the same bytes; a reader checks it.
        self.objects.create(&path, bytes).await?;
        Ok(())
    }

    /// Reads an object of at most `max_bytes`, and checks it.
    pub async fn fetch(&self, digest: Digest, max_bytes: u64) -> Result<Vec<u8>, ContentError> {
        let path = self.path(digest);
        let Some(bytes) = self.objects.get(&path, max_bytes).await? else {
            return Err(ContentError::Missing { path });
        };
        if Digest::of(&bytes) != digest {
            return Err(ContentError::Damaged { path });
        }
        Ok(bytes)
    }
}

/// An object cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The store failed.
    #[error("the store of contents failed")]
    Store(#[from] ObjectsError),
    /// There is no such object.
    #[error(
        "there is no object `{path}`; the build and its workers need the same store and namespace"
    )]
    Missing {
        /// Its path in the store.
        path: String,
    },
    /// The bytes of the object do not have its digest.
    #[error("the object `{path}` is damaged; delete it, and the next build writes it again")]
    Damaged {
        /// Its path in the store.
        path: String,
    },
}

impl ContentError {
    /// Returns whether a retry may succeed.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Missing { .. } | Self::Damaged { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use synix_shared::{Creation, MemoryObjects};

    use super::*;

    #[tokio::test]
    async fn an_object_is_checked_when_it_is_read() {
        let objects = Arc::new(MemoryObjects::default());
        let contents = Contents::new(Arc::<MemoryObjects>::clone(&objects), "default");
        let digest = Digest::of(b"bytes");
        assert_eq!(
            contents.path(digest),
            format!("v1/default/contents/{}/{digest}", &digest.to_string()[..2])
        );
        let missing = contents.fetch(digest, 100).await.unwrap_err();
        assert!(matches!(missing, ContentError::Missing { .. }) && !missing.is_transient());
        for _ in 0..2 {
            contents.provide(digest, b"bytes".to_vec()).await.unwrap();
        }
        assert_eq!(contents.fetch(digest, 100).await.unwrap(), b"bytes");
        let large = contents.fetch(digest, 4).await.unwrap_err();
        assert!(matches!(large, ContentError::Store(_)) && !large.is_transient());
        let other = Digest::of(b"others");
        let created = objects
            .create(&contents.path(other), b"bytes".to_vec())
            .await;
        assert_eq!(created.unwrap(), Creation::Created);
        let damaged = contents.fetch(other, 100).await.unwrap_err();
        assert!(matches!(damaged, ContentError::Damaged { .. }) && !damaged.is_transient());
    }
}
